//! How a kind of quality record describes itself, and the refusals that follow for all of them.

use std::collections::BTreeMap;

use chrono_tz::Tz;

use crate::error::{Error, Result};
use crate::ledger::acts::Act;
use crate::ledger::digest::Digest;
use crate::ledger::lane::Tx;
use crate::ledger::subject::{Snapshot, Subject};
use crate::ledger::tombstone;
use crate::store::Db;
use crate::time::Timestamp;

/// A kind of quality record. One constant for each; no kind knows another.
pub struct RecordKind {
    /// The subject's kind: `deviation`.
    pub name: &'static str,
    /// What its numbers begin with: `DEV`.
    pub prefix: &'static str,
    /// Its states, in order; the last is the closed one and is entered only by a signature.
    pub states: &'static [&'static str],
    /// The act of moving to another state.
    pub moved: Act,
    /// The act of closing.
    pub closed: Act,
    /// The greatest number that begins with this text (`DEV-2026-`), by length and then bytes.
    pub last_number: fn(&mut Db, &str) -> Result<Option<String>>,
    /// The record as the shared rules see it; none of this number.
    pub load: fn(&mut Db, &str) -> Result<Option<Standing>>,
    /// The record's snapshot, with its corrections, transitions and signatures.
    pub snapshot: fn(&mut Db, &str) -> Result<Option<Snapshot>>,
    /// A corrected value as it would be kept; 422 at `value` when the field cannot have it.
    pub check: fn(&mut Db, &Standing, &Proposed<'_>) -> Result<String>,
    /// Writes a value that [`RecordKind::check`] has let through.
    pub apply: fn(&mut Tx<'_>, &Standing, &Proposed<'_>) -> Result<()>,
    /// Writes the state, and the instant of closing where it is closed.
    pub set_state: fn(&mut Tx<'_>, &str, &str, Option<Timestamp>) -> Result<()>,
    /// The fields that must be filled before closing and are not.
    pub missing: fn(&mut Db, &Standing) -> Result<Vec<String>>,
}

/// A value for a field of a record.
#[derive(Debug, Clone, Copy)]
pub struct Proposed<'a> {
    /// The field.
    pub field: &'a str,
    /// Its value as text.
    pub value: &'a str,
    /// The present.
    pub now: Timestamp,
    /// The site's zone.
    pub zone: Tz,
}

/// A record as the shared rules see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// `DEV-2026-0001`.
    pub number: String,
    /// One of the kind's states.
    pub state: String,
    /// The account that raised it.
    pub raised_by: String,
    /// Every field that may be corrected, with its present value as text (instants in the 27-byte form, lists joined
    /// by commas); empty while not filled.
    pub values: BTreeMap<String, String>,
}

impl RecordKind {
    /// The subject of a record of this kind.
    pub fn subject(&self, number: &str) -> Subject {
        Subject::new(self.name, number)
    }

    /// The closed state.
    pub fn closed_state(&self) -> &'static str {
        self.states.last().copied().unwrap_or_default()
    }

    /// The record, refused with 404.
    ///
    /// # Errors
    /// 404 for a number no record of this kind has.
    pub fn require(&self, db: &mut Db, number: &str) -> Result<Standing> {
        match (self.load)(db, number)? {
            Some(standing) => Ok(standing),
            None => Err(tombstone::absent(db, (self.name, number), Error::not_found(self.name, number))),
        }
    }

    /// The record, refused when it is closed: a closed record does not change.
    ///
    /// # Errors
    /// 404; 409 `record-closed`.
    pub fn require_open(&self, db: &mut Db, number: &str) -> Result<Standing> {
        let standing = self.require(db, number)?;
        if standing.state == self.closed_state() {
            return Err(Error::conflict("record-closed").arg("id", number));
        }
        Ok(standing)
    }

    /// The snapshot after a change, for its entry.
    ///
    /// # Errors
    /// The record is gone, which no change of ours does.
    pub fn snapshot_now(&self, tx: &mut Tx<'_>, number: &str) -> Result<Snapshot> {
        (self.snapshot)(tx.read(), number)?
            .ok_or_else(|| Error::internal(format!("{} {number} has no snapshot", self.name)))
    }
}

/// The digest a signature on a record carries: that of its snapshot as it stands. Where the signer's screen told a
/// digest, it must be that one.
///
/// # Errors
/// 409 `stale-digest` when the record has changed since it was read.
pub fn digest_seen(tx: &mut Tx<'_>, subject: &Subject, seen: Option<Digest>) -> Result<Digest> {
    let present = tx.sealed_state(subject)?;
    let present = present.ok_or_else(|| Error::internal(format!("{subject} has no entry")))?;
    match seen {
        Some(seen) if seen != present => {
            Err(Error::conflict("stale-digest").with("digest", present.to_string()))
        }
        _ => Ok(present),
    }
}
