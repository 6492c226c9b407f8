//! A declared recovery: where the history that was signed is lost, an older or other database goes on under a new
//! name, with its own key, tree and numbers, and its first entry says what was lost. Nothing passes for what it is not.

use diesel::prelude::*;
use serde_json::Value;

use super::acts;
use super::digest::Digest;
use super::entry::{is_origin, parse};
use super::key::LedgerKey;
use super::lane::{Actor, NewEntry};
use super::note::{self, VerifierKey};
use super::ring::Ring;
use super::signer::{Head as Signed, SignerRefusal, SignerState};
use super::signing::tree_as_signed;
use super::site::{Place, in_write_transaction};
use super::store::{self as ledger, Head};
use crate::error::{Error, Result};
use crate::store::schema::ledger_entry;
use crate::store::{Db, Purpose};
use crate::time::Timestamp;

/// What a recovery says of the epoch before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The note of what was signed last and is lost.
    pub note: String,
    /// Entries that were found.
    pub size: u64,
    /// The root over them; none where nothing was found.
    pub root: Option<Digest>,
}

impl Declared {
    /// How many entries the lost history had signed.
    pub fn signed(&self) -> u64 {
        note::unverified_checkpoint(&self.note).map_or(0, |said| said.size)
    }
}

/// What was recovered.
#[derive(Debug)]
pub struct Recovered {
    /// The ledger's new name.
    pub origin: String,
    /// Which tree.
    pub epoch: i64,
    /// Its key.
    pub vkey: VerifierKey,
    /// What is lost, and what was found.
    pub declared: Declared,
}

/// The name of an epoch: the first one's, with its number.
fn name_of(origin: &str, epoch: i64) -> String {
    let base = match origin.rsplit_once("/epoch-") {
        Some((base, number)) if epoch > 2 && number.parse() == Ok(epoch - 1) => base,
        _ => origin,
    };
    format!("{base}/epoch-{epoch}")
}

/// Declares that the present database goes on: by whom and why stands in entry 0 of the new epoch. Goes on with a
/// declaration that was cut short.
///
/// # Errors
/// 409 `nothing-to-recover` where the database is the one whose history was signed; the signer's state is missing.
pub fn recover(place: &Place, reason: &str, who: impl FnOnce(&mut Db) -> Result<Actor>) -> Result<Recovered> {
    if reason.trim().is_empty() {
        return Err(Error::invalid("reason", "required"));
    }
    let newest = place.check()?;
    let mut db = place.target.open(Purpose::Write)?;
    let actor = who(&mut db)?;
    let begun = newest.epoch > 1 && newest.size == 0;
    let old = if begun { before(&mut db, newest.epoch)? } else { newest.clone() };
    let declared = found(place, &mut db, &old)?;
    let epoch = old.epoch + 1;
    let origin = name_of(&old.origin, epoch);
    if !is_origin(&origin) {
        return Err(Error::invalid("origin", "origin-form"));
    }
    let vkey = key_for(place, &old.origin, &origin, epoch)?;
    if !begun {
        in_write_transaction(&mut db, |db| ledger::create_epoch(db, epoch, &origin))?;
    }
    drop(db);
    let (entry, last) = (first_entry(&declared, &actor, reason), old.ts);
    let site = place.open_with(move |tx| match tx.next_seq() {
        0 => {
            // Instants go on from one epoch to the next: number and instant together name one entry of all.
            tx.move_on(Timestamp(last.0 + 1));
            tx.append(entry.clone()).map(drop)
        }
        _ => Ok(()),
    })?;
    site.close();
    Ok(Recovered { origin, epoch, vkey, declared })
}

/// Entry 0 of the new epoch.
fn first_entry(declared: &Declared, actor: &Actor, reason: &str) -> NewEntry {
    let entry = NewEntry::new(acts::LEDGER_RECOVERED, actor)
        .field("alg", "sha-256")
        .field("checkpoint", declared.note.as_str())
        .field("found_size", declared.size)
        .reason(reason);
    match declared.root {
        Some(root) => entry.field("found_root", root.to_string()),
        None => entry,
    }
}

fn before(db: &mut Db, epoch: i64) -> Result<Head> {
    ledger::head_of(db, epoch - 1)?.ok_or_else(|| Error::unavailable("no-installation"))
}

/// What is here of the history that was signed, and that it is not all.
fn found(place: &Place, db: &mut Db, old: &Head) -> Result<Declared> {
    let state = SignerState::load(&place.folder.signer_state()).map_err(|refusal| match refusal {
        SignerRefusal::Missing(_) => Error::conflict("nothing-to-recover"),
        other => Error::conflict("signer-refused").caused_by(other.to_string()),
    })?;
    let kept = state.last(&old.origin).ok_or_else(|| Error::conflict("nothing-to-recover"))?;
    let signed = Signed { size: kept.checkpoint.size, root: kept.checkpoint.root };
    match tree_as_signed(db, old.epoch, Some(signed)) {
        Ok(_) => return Err(Error::conflict("nothing-to-recover")),
        Err(error) if matches!(error.code(), "ledger-behind" | "ledger-different") => {}
        Err(error) => return Err(error),
    }
    Ok(Declared { note: kept.note.clone(), size: old.size, root: old.tree()?.root() })
}

/// The new epoch's key, on this node's list beside the old one's.
fn key_for(place: &Place, old: &str, origin: &str, epoch: i64) -> Result<VerifierKey> {
    let mut ring = Ring::load(&place.folder, old)?;
    if let Some(known) = ring.of(origin).next() {
        return Ok(known.vkey.clone());
    }
    let file = format!("epoch-{epoch}.key");
    let path = place.folder.key_file(&file);
    let key = if path.exists() { LedgerKey::load(&path, origin) } else { LedgerKey::create(&path, origin) };
    let vkey = key.map_err(|error| Error::conflict("key-unusable").caused_by(error.to_string()))?.vkey();
    ring.lead(vkey.clone(), &file, None);
    ring.store()?;
    Ok(vkey)
}

/// What entry 0 of an epoch says of the one before; none where it declares nothing.
///
/// # Errors
/// The database does not answer.
pub fn declared_by(db: &mut Db, epoch: i64) -> Result<Option<Declared>> {
    let entry: Option<Vec<u8>> =
        ledger_entry::table.find((epoch, 0)).select(ledger_entry::entry).first(db).optional()?;
    Ok(entry.as_deref().and_then(declared_in))
}

/// The same, of an entry's bytes.
pub fn declared_in(entry: &[u8]) -> Option<Declared> {
    let body: Value = serde_json::from_str(parse(entry).ok()?.body).ok()?;
    if body["act"] != acts::LEDGER_RECOVERED.name {
        return None;
    }
    let root = body.get("found_root").map(|root| Digest::from_hex(root.as_str()?.as_bytes()));
    Some(Declared {
        note: body["checkpoint"].as_str()?.to_owned(),
        size: body["found_size"].as_u64()?,
        root: match root {
            Some(root) => Some(root?),
            None => None,
        },
    })
}

/// Refuses to write below a recovery that was begun and not declared.
///
/// # Errors
/// 409 `recovery-unfinished`.
pub fn must_be_declared(head: &Head) -> Result<()> {
    if head.epoch > 1 && head.size == 0 { Err(Error::conflict("recovery-unfinished")) } else { Ok(()) }
}
