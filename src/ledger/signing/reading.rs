//! What the signer reads: the tree as it was signed, and the entries that have come since, hashed again.

use super::Signed;
use crate::error::{Error, Kind, Result};
use crate::ledger::digest::Digest;
use crate::ledger::ring::Ring;
use crate::ledger::signer::Head as ToSign;
use crate::ledger::tree::{Frontier, consistency_proof};
use crate::ledger::{entry, note, store, tile};
use crate::store::Db;

/// Entries read back at once.
const CHUNK: u64 = 1024;

/// The tree at the signed size, compared with the signed root.
///
/// # Errors
/// 409 `ledger-behind` or `ledger-different`.
pub fn tree_as_signed(db: &mut Db, epoch: i64, signed: Option<ToSign>) -> Result<Frontier> {
    let Some(signed) = signed else { return Ok(Frontier::new()) };
    let head = store::head_of(db, epoch)?.ok_or_else(|| Error::unavailable("no-installation"))?;
    if head.size < signed.size {
        return Err(Error::conflict("ledger-behind")
            .arg("signed", signed.size.to_string())
            .arg("found", head.size.to_string()));
    }
    let mut tree = Frontier::new();
    for level in (0..64).rev().filter(|level| signed.size >> level & 1 == 1) {
        let node = store::node(db, epoch, level, (signed.size >> level) - 1)?;
        tree.append_subtree(level, node).map_err(Error::internal)?;
    }
    if tree.root() != Some(signed.root) {
        return Err(Error::conflict("ledger-different").arg("size", signed.size.to_string()));
    }
    Ok(tree)
}

/// Checkpoints that are tried before none is believed.
const TRIED: i64 = 256;

/// The newest note in the database that one of our keys has signed and its entries bear out.
///
/// # Errors
/// The database does not answer.
pub(super) fn borne_out(db: &mut Db, head: &store::Head, ring: &Ring) -> Result<Signed> {
    for (size, note) in store::checkpoints(db, head.epoch, TRIED)? {
        let said = note::open_checkpoint(&note, &ring.vouching(&head.origin, size)).ok();
        let Some(said) = said.filter(|said| said.size == size && size <= head.size) else { continue };
        match store::root(db, head.epoch, size) {
            Ok(root) if root == Some(said.root) => return Ok(Some((size, note))),
            Ok(_) => {}
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// What was committed is not what is read: something in the database keeps other than it is told, or nothing.
fn unwritten(seq: u64) -> Error {
    Error::conflict("ledger-unwritten").arg("seq", seq.to_string())
}

/// Reads the entries beyond `tree` back, hashes them again, and returns the grown tree with the proof that it extends
/// what was signed; none where nothing is new.
///
/// # Errors
/// 409 `ledger-behind`; 409 `ledger-unwritten` where they do not read as they were committed.
pub(super) fn read_back(
    db: &mut Db,
    epoch: i64,
    mut tree: Frontier,
    signed: Option<ToSign>,
) -> Result<Option<(Frontier, Vec<Digest>)>> {
    let head = store::head(db)?.ok_or_else(|| Error::unavailable("no-installation"))?;
    let last = signed.map_or(0, |signed| signed.size);
    if head.size < last {
        return Err(Error::conflict("ledger-behind")
            .arg("signed", last.to_string())
            .arg("found", head.size.to_string()));
    }
    if head.epoch != epoch || head.size == tree.size() {
        return Ok(None);
    }
    while tree.size() < head.size {
        let from = tree.size();
        for row in store::rows(db, epoch, from..head.size.min(from + CHUNK))? {
            let leaf = entry::leaf(&row.entry);
            if leaf.as_bytes().as_slice() != row.leaf.as_slice() || row.seq != store::index(tree.size())? {
                return Err(unwritten(tree.size()));
            }
            tile::append(&mut tree, [leaf]);
        }
        if tree.size() == from {
            return Err(unwritten(from));
        }
    }
    if tree.root() != head.tree()?.root() {
        return Err(unwritten(head.size));
    }
    let proof = consistency_proof(last, head.size, |level, at| store::node(db, epoch, level, at))?;
    Ok(Some((tree, proof.map(|proof| proof.path).unwrap_or_default())))
}
