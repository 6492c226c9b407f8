//! A disposal as a record. Pure.

use diesel::prelude::*;
use serde_json::Value;

use crate::ledger::subject::{Row, Snapshot, Subject};
use crate::signatures::Signature;
use crate::store::schema::{disposal, disposal_item};
use crate::time::Timestamp;

/// The subject kind.
pub const KIND: &str = "disposal";
/// What its numbers begin with.
pub const PREFIX: &str = "DSP";
/// Records of one disposal at most.
pub const MOST: usize = 100;
/// The meaning of the signature under a disposal that is carried out.
pub const APPROVED: &str = "disposal_approved";
/// The meaning of the signature under one that is not.
pub const REFUSED: &str = "disposal_refused";

/// Waits for QA.
pub const PROPOSED: &str = "proposed";
/// Signed; the records are gone.
pub const CARRIED_OUT: &str = "carried_out";
/// Signed; the records stay.
pub const TURNED_DOWN: &str = "refused";
/// Taken back by who proposed it.
pub const WITHDRAWN: &str = "withdrawn";

/// A row of `disposal`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = disposal)]
pub struct Disposal {
    /// `DSP-2031-0001`.
    pub number: String,
    /// Why the records are to go.
    pub reason: String,
    /// `proposed`, `carried_out`, `refused`, `withdrawn`.
    pub state: String,
    /// When it was proposed.
    pub proposed_at: Timestamp,
    /// By which account.
    pub proposed_by: String,
    /// When it was decided, or withdrawn.
    pub decided_at: Option<Timestamp>,
    /// By which account.
    pub decided_by: Option<String>,
    /// Why so.
    pub decision_reason: Option<String>,
}

/// A row of `disposal_item`: a record that is to go, as it was when that was proposed.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = disposal_item)]
pub struct Item {
    /// Of which disposal.
    pub disposal: String,
    /// Which record.
    pub subject_kind: String,
    /// Which record.
    pub subject_id: String,
    /// Digest of its state, hex.
    pub digest: String,
    /// The row that keeps it longest.
    pub rule: String,
    /// That row's clause.
    pub clause: String,
    /// Until when.
    pub retain_until: Timestamp,
}

impl Item {
    /// `kind/id`.
    pub fn subject(&self) -> String {
        format!("{}/{}", self.subject_kind, self.subject_id)
    }

    fn row(&self) -> Value {
        Row::new()
            .set("subject", self.subject())
            .set("digest", self.digest.as_str())
            .set("rule", self.rule.as_str())
            .set("clause", self.clause.as_str())
            .instant("retain_until", self.retain_until)
            .into()
    }
}

/// A disposal with all that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisposalState {
    /// Its own row.
    pub disposal: Disposal,
    /// By kind and id.
    pub items: Vec<Item>,
    /// By id.
    pub signatures: Vec<Signature>,
}

/// The subject of a disposal.
pub fn subject(number: &str) -> Subject {
    Subject::new(KIND, number)
}

impl DisposalState {
    /// Whether QA has not decided yet.
    pub fn is_open(&self) -> bool {
        self.disposal.state == PROPOSED
    }

    /// The whole state.
    pub fn snapshot(&self) -> Snapshot {
        let row = &self.disposal;
        Snapshot::new(&subject(&row.number), 1)
            .set("reason", row.reason.as_str())
            .set("state", row.state.as_str())
            .instant("proposed_at", row.proposed_at)
            .set("proposed_by", row.proposed_by.as_str())
            .instant("decided_at", row.decided_at)
            .set("decided_by", row.decided_by.clone())
            .set("decision_reason", row.decision_reason.clone())
            .set("items", self.items.iter().map(Item::row).collect::<Vec<_>>())
            .set("signatures", self.signatures.iter().map(Signature::row).collect::<Vec<_>>())
            .rows("disposal", 1)
            .rows("disposal_item", self.items.len())
            .rows("signature", self.signatures.len())
    }
}
