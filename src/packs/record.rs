//! A pack that was made, as a record. Pure.

use diesel::prelude::*;

use crate::ledger::subject::{Snapshot, Subject};
use crate::store::schema::pack;
use crate::time::Timestamp;

/// The check that lies in every pack.
pub const SCRIPT: &str = include_str!("verify.py");

/// A row of `pack`; it never changes.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = pack)]
pub struct Pack {
    /// `p-…`.
    pub id: String,
    /// `subjects`, `range` or `whole`.
    pub scope: String,
    /// JSON: what was named, `kind/number`, in order.
    pub subjects: String,
    /// Of a range: entries from here on.
    pub from_at: Option<Timestamp>,
    /// Of a range: entries before here.
    pub before_at: Option<Timestamp>,
    /// What for; empty where it was not told.
    pub reason: String,
    /// Whether personal values that the maker may see went with it.
    pub disclosed: bool,
    /// Size of the checkpoint that its proofs lead to.
    pub checkpoint: i64,
    /// Entries in it.
    pub entries: i64,
    /// Of the file, hex.
    pub sha256: String,
    /// Of the file, in bytes.
    pub size: i64,
    /// When.
    pub made_at: Timestamp,
    /// By which account, or `system` at the command line.
    pub made_by: String,
}

impl Pack {
    /// The subjects it was asked for.
    pub fn named(&self) -> Vec<String> {
        serde_json::from_str(&self.subjects).unwrap_or_default()
    }

    /// The snapshot, shape 1.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(&subject(&self.id), 1)
            .set("scope", self.scope.as_str())
            .set("subjects", self.named())
            .instant("from", self.from_at)
            .instant("before", self.before_at)
            .set("reason", self.reason.as_str())
            .set("disclosed", self.disclosed)
            .set("checkpoint", self.checkpoint)
            .set("entries", self.entries)
            // Not `sha256` and `size`, which in a snapshot stand for kept content.
            .set("file_sha256", self.sha256.as_str())
            .set("file_size", self.size)
            .instant("made_at", self.made_at)
            .set("made_by", self.made_by.as_str())
            .rows("pack", 1)
    }
}

/// The subject of a pack.
pub fn subject(id: &str) -> Subject {
    Subject::new("pack", id)
}
