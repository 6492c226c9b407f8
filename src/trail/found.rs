//! What a verification has found, as its job keeps it: read back for the pages, also those of another node.

use serde::Deserialize;
use serde_json::Value;

use super::verifier::kind;
use crate::error::Result;
use crate::jobs::{self, Job, State};
use crate::ledger::verify::{GUARDS_ALTERED, Scope};
use crate::ledger::{epochs, store as ledger};
use crate::store::Db;
use crate::time::Timestamp;

/// What was found.
#[derive(Debug, Clone, Deserialize)]
pub struct Found {
    /// `new` or `whole`.
    pub scope: String,
    /// When.
    #[serde(deserialize_with = "instant")]
    pub at: Timestamp,
    /// How long it took.
    pub milliseconds: u64,
    /// The root over the entries, hex.
    pub root: Option<String>,
    /// What is there is what was written.
    pub integrity: Integrity,
    /// What was written is all there.
    pub completeness: Completeness,
    /// The faults, the first thousand.
    pub faults: Vec<Fault>,
}

/// The first verdict, with its range and figures.
#[derive(Debug, Clone, Deserialize)]
pub struct Integrity {
    pub verdict: String,
    pub entries: u64,
    pub subjects: u64,
    pub from: Option<u64>,
    pub to: Option<u64>,
}

/// The second one.
#[derive(Debug, Clone, Deserialize)]
pub struct Completeness {
    pub verdict: String,
    pub checkpoint: Option<u64>,
    pub unsigned: u64,
    #[serde(default)]
    pub unchecked: Vec<String>,
    #[serde(default)]
    pub anchors: Vec<Anchored>,
    #[serde(default)]
    pub unanchored: Option<[u64; 2]>,
    #[serde(default)]
    pub lost: Vec<Lost>,
}

/// Entries that an outside witness covers.
#[derive(Debug, Clone, Deserialize)]
pub struct Anchored {
    pub to: u64,
    #[serde(deserialize_with = "instant")]
    pub at: Timestamp,
    pub by: String,
}

/// Entries that a recovery has declared lost.
#[derive(Debug, Clone, Deserialize)]
pub struct Lost {
    pub epoch: i64,
    pub from: u64,
    pub to: u64,
}

/// One thing that is wrong.
#[derive(Debug, Clone, Deserialize)]
pub struct Fault {
    pub check: String,
    pub what: String,
    pub seq: Option<u64>,
    pub subject: Option<String>,
    pub epoch: Option<u64>,
}

fn instant<'de, D: serde::Deserializer<'de>>(text: D) -> std::result::Result<Timestamp, D::Error> {
    let text = String::deserialize(text)?;
    Timestamp::parse(&text).ok_or_else(|| serde::de::Error::custom("not an instant"))
}

impl Found {
    /// Reads a job's result.
    pub fn of(result: &Value) -> Option<Self> {
        Self::deserialize(result).ok()
    }

    /// Of a finished job.
    pub fn of_job(job: &Job) -> Option<Self> {
        Self::of(&serde_json::from_str(job.result.as_deref()?).ok()?)
    }

    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    /// Whether nothing is wrong but the guards, which every pass looks at, whatever its scope.
    pub fn is_unguarded(&self) -> bool {
        !self.is_sound() && self.faults.iter().all(|fault| fault.check == GUARDS_ALTERED)
    }
}

/// What the last pass of this scope has found, by whichever node. That all was sound before a recovery says nothing of what
/// goes on since.
///
/// # Errors
/// The database does not answer.
pub fn last(db: &mut Db, scope: Scope) -> Result<Option<Found>> {
    let found = jobs::latest_in(db, kind(scope), State::Done)?.as_ref().and_then(Found::of_job);
    let Some(found) = found else { return Ok(None) };
    let begun = match epochs::present(db)? {
        1 => None,
        epoch => ledger::began(db, epoch)?,
    };
    Ok(Some(found).filter(|found| !found.is_sound() || begun.is_none_or(|begun| found.at >= begun)))
}

/// Which of the two every page tells: the newer, but what a pass over the whole has found wrong, and one over what is new
/// would not see, stands until the next one over the whole.
pub fn prevailing(one: Option<Found>, other: Option<Found>) -> Option<Found> {
    let stands = |found: &&Found| found.scope == "whole" && !found.is_sound() && !found.is_unguarded();
    let wrong = [&one, &other].into_iter().flatten().find(stands);
    if let Some(wrong) = wrong {
        return Some(wrong.clone());
    }
    one.into_iter().chain(other).max_by_key(|found| found.at)
}
