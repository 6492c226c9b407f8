//! The inspector's notebook: a small file that the visitor keeps, with what the ledger was at each visit. At the next
//! one it demands a proof that nothing before was rewritten, from the page, from the command line, or offline from a
//! checkpoint and a proof that somebody hands over.
//!
//! Promises: the notebook alone decides, with the key and the checkpoints in it; a ledger that cannot prove that it
//! extends the last one is refused and the file stays as it was. Nothing is kept of it on the server.

mod book;
mod pages;

use diesel::Connection as _;

pub use book::{Notebook, Refusal, Seen};

use crate::error::{Error, Result};
use crate::ledger::digest::Digest;
use crate::ledger::store as ledger;
use crate::ledger::tree::consistency_proof;
use crate::people::gate::Route;
use crate::store::Db;

/// The feature's routes.
pub fn routes() -> Vec<Route> {
    pages::routes()
}

/// What a ledger shows of itself at a visit.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The newest note.
    pub note: String,
    /// Its size.
    pub size: u64,
    /// Proof that it extends the size that was asked for; empty where it is not larger.
    pub proof: Vec<Digest>,
}

/// Reads a database's newest checkpoint, and the proof from a size that was kept.
///
/// # Errors
/// 503 before the first checkpoint; the database does not answer.
pub fn shown(db: &mut Db, epoch: i64, kept: Option<u64>) -> Result<Shown> {
    db.transaction(|db| {
        let (size, note) =
            ledger::last_checkpoint(db, epoch)?.ok_or_else(|| Error::unavailable("not-yet-signed"))?;
        Ok(Shown { note, size, proof: proof(db, epoch, (kept, size))? })
    })
}

/// The proof between two sizes; empty where there is none, which then proves nothing.
///
/// # Errors
/// The database does not answer.
pub fn proof(db: &mut Db, epoch: i64, (kept, size): (Option<u64>, u64)) -> Result<Vec<Digest>> {
    let Some(kept) = kept.filter(|kept| *kept < size) else { return Ok(Vec::new()) };
    match consistency_proof(kept, size, |level, at| ledger::node(db, epoch, level, at)) {
        Ok(proof) => Ok(proof.map(|proof| proof.path).unwrap_or_default()),
        // A ledger that lacks part of its own tree proves nothing.
        Err(error) if error.kind() == crate::error::Kind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
