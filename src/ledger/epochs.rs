//! The epochs of a ledger: where each ends, and what vouches for its entries. A recovery ends one; its entries stay,
//! under its own name, and are proven within it.

use diesel::prelude::*;
use serde::Deserialize;

use super::digest::Digest;
use super::note;
use super::recovery::{Declared, declared_by};
use super::store::{self, Head};
use crate::error::{Error, Result};
use crate::store::Db;
use crate::store::schema::ledger_head;

/// One epoch.
#[derive(Debug, Clone)]
pub struct Epoch {
    /// From 1.
    pub number: i64,
    /// Its name.
    pub origin: String,
    /// The entries that are here.
    pub size: u64,
    /// What the recovery that ended it has declared; none while it goes on.
    pub ended: Option<Declared>,
}

/// What vouches for an entry: the root that its proof leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Voucher {
    /// A checkpoint, signed with the key of the entry's own epoch.
    Checkpoint {
        /// Entries under it.
        size: u64,
        /// Its note.
        note: String,
    },
    /// The first entry of the next epoch, for what the lost history had not signed when the copy was made.
    Recovery {
        /// Entries that were found.
        size: u64,
        /// The root over them.
        root: Digest,
    },
}

impl Voucher {
    /// How many entries it vouches for.
    pub const fn size(&self) -> u64 {
        match self {
            Self::Checkpoint { size, .. } | Self::Recovery { size, .. } => *size,
        }
    }

    /// The root over them; none where a note cannot be read.
    pub fn root(&self) -> Option<Digest> {
        match self {
            Self::Checkpoint { note, .. } => note::unverified_checkpoint(note).ok().map(|said| said.root),
            Self::Recovery { root, .. } => Some(*root),
        }
    }
}

impl Epoch {
    fn of_head(db: &mut Db, head: Head, newest: i64) -> Result<Self> {
        let Head { epoch: number, origin, size, .. } = head;
        let ended = if number < newest { declared_by(db, number + 1)? } else { None };
        Ok(Self { number, origin, size, ended })
    }

    /// What vouches for an entry of this epoch; none while nothing does.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn voucher(&self, db: &mut Db, seq: u64) -> Result<Option<Voucher>> {
        let signed = store::last_checkpoint(db, self.number)?.filter(|(size, _)| *size > seq);
        Ok(signed.map(|(size, note)| Voucher::Checkpoint { size, note }).or_else(|| self.declared(seq)))
    }

    /// The recovery's word for an entry of this epoch.
    pub fn declared(&self, seq: u64) -> Option<Voucher> {
        let Declared { size, root, .. } = self.ended.as_ref().filter(|found| found.size > seq)?;
        root.map(|root| Voucher::Recovery { size: *size, root })
    }
}

/// All epochs, the oldest first.
///
/// # Errors
/// The database does not answer.
pub fn all(db: &mut Db) -> Result<Vec<Epoch>> {
    let Some(newest) = store::head(db)? else { return Ok(Vec::new()) };
    let mut epochs = Vec::new();
    for number in numbers(db)? {
        if let Some(head) = store::head_of(db, number)? {
            epochs.push(Epoch::of_head(db, head, newest.epoch)?);
        }
    }
    Ok(epochs)
}

/// Their numbers, ascending.
///
/// # Errors
/// The database does not answer.
pub fn numbers(db: &mut Db) -> Result<Vec<i64>> {
    Ok(ledger_head::table.order(ledger_head::epoch).select(ledger_head::epoch).load(db)?)
}

/// The number of the one that goes on.
///
/// # Errors
/// The database does not answer, or there is no installation.
pub fn present(db: &mut Db) -> Result<i64> {
    numbers(db)?.pop().ok_or_else(|| Error::unavailable("no-installation"))
}

/// One epoch.
///
/// # Errors
/// 404.
pub fn one(db: &mut Db, number: i64) -> Result<Epoch> {
    let found = store::head_of(db, number)?.zip(store::head(db)?);
    let (head, newest) = found.ok_or_else(|| Error::not_found("epoch", number.to_string()))?;
    Epoch::of_head(db, head, newest.epoch)
}

/// A name for a file of the ledger that cannot be taken for another epoch's: numbers begin anew in each.
pub fn file_name(epoch: i64, name: &str) -> String {
    format!("epoch-{epoch}-{name}")
}

/// A parameter of addresses that name an entry.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct InEpoch {
    /// From 1; the present one where it is missing.
    pub epoch: Option<String>,
}

/// The epoch that a parameter names; the present one where it names none.
///
/// # Errors
/// 422 where there is no such epoch.
pub fn named(asked: Option<&str>, present: i64) -> Result<i64> {
    let Some(text) = asked.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(present) };
    let epoch = text.parse().ok().filter(|epoch| (1..=present).contains(epoch));
    epoch.ok_or_else(|| Error::invalid("epoch", "out-of-range"))
}
