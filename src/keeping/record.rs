//! Legal holds and erasures as records. Pure.

use diesel::prelude::*;
use serde_json::{Value, json};

use crate::error::Result;
use crate::ledger::canon;
use crate::ledger::digest::Digest;
use crate::ledger::store::Placed;
use crate::ledger::subject::{Row, Snapshot, Subject};
use crate::signatures::Signature;
use crate::store::schema::{erased_value, erasure, legal_hold};
use crate::time::Timestamp;

/// The meaning of a signature under an erasure.
pub const ERASED: &str = "erased";

/// A legal hold: the record stays, whatever its time.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = legal_hold)]
pub struct Hold {
    /// `h-…`.
    pub id: String,
    /// Of which record.
    pub subject_kind: String,
    /// Of which record.
    pub subject_id: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub set_at: Timestamp,
    /// By which account.
    pub set_by: String,
    /// Until when; none while it stands.
    pub lifted_at: Option<Timestamp>,
    /// By which account.
    pub lifted_by: Option<String>,
    /// Why.
    pub lift_reason: Option<String>,
}

impl Hold {
    /// The ledger's subject.
    pub fn subject(&self) -> Subject {
        Subject::new("hold", &self.id)
    }

    /// The record that is held, `kind/id`.
    pub fn held(&self) -> String {
        format!("{}/{}", self.subject_kind, self.subject_id)
    }

    /// The whole state.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(&self.subject(), 1)
            .set("held", self.held())
            .set("reason", self.reason.clone())
            .instant("set_at", self.set_at)
            .set("set_by", self.set_by.clone())
            .instant("lifted_at", self.lifted_at)
            .set("lifted_by", self.lifted_by.clone())
            .set("lift_reason", self.lift_reason.clone())
            .rows("legal_hold", 1)
    }
}

/// A row of `erasure`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = erasure)]
pub struct Erasure {
    /// `e-…`.
    pub id: String,
    /// By which right or duty, with its clause.
    pub basis: String,
    /// Why.
    pub reason: String,
    /// When.
    pub erased_at: Timestamp,
    /// By which account.
    pub erased_by: String,
}

/// A row of `erased_value`: which value went.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = erased_value)]
pub struct ErasedValue {
    /// What records and entries still carry, hex.
    pub commitment: String,
    /// The erasure.
    pub erasure: String,
    /// The entry that introduced it.
    pub seq: i64,
    /// Under which name.
    pub name: String,
}

/// An erasure with all that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureState {
    /// Its own row.
    pub erasure: Erasure,
    /// By entry and name.
    pub values: Vec<ErasedValue>,
    /// The epochs of the entries that introduced them, in the same order.
    pub epochs: Vec<i64>,
    /// The entry that says so; none while it is being written.
    pub entry: Option<Placed>,
    /// By id.
    pub signatures: Vec<Signature>,
}

/// The subject of an erasure.
pub fn erasure_subject(id: &str) -> Subject {
    Subject::new("erasure", id)
}

impl ErasureState {
    /// The whole state.
    pub fn snapshot(&self) -> Snapshot {
        let row = |value: &ErasedValue| {
            Value::from(
                Row::new()
                    .set("seq", value.seq)
                    .set("name", value.name.clone())
                    .sealed("value", Some(&value.commitment)),
            )
        };
        Snapshot::new(&erasure_subject(&self.erasure.id), 1)
            .set("basis", self.erasure.basis.clone())
            .set("reason", self.erasure.reason.clone())
            .instant("erased_at", self.erasure.erased_at)
            .set("erased_by", self.erasure.erased_by.clone())
            .set("values", self.values.iter().map(row).collect::<Vec<_>>())
            .set("signatures", self.signatures.iter().map(Signature::row).collect::<Vec<_>>())
            .rows("erasure", 1)
            .rows("erased_value", self.values.len())
            .rows("signature", self.signatures.len())
    }
}

/// A value as a person names it: the entry that introduced it, and its name there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// The entry.
    pub seq: u64,
    /// The name.
    pub name: String,
    /// The entry's epoch, where a recovery has ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<i64>,
}

impl Named {
    /// As the entry names it.
    pub fn told(&self) -> Value {
        match self.epoch {
            None => json!({ "name": self.name, "seq": self.seq }),
            Some(epoch) => json!({ "epoch": epoch, "name": self.name, "seq": self.seq }),
        }
    }
}

/// What is signed when values are erased: which, on which basis, why.
///
/// # Errors
/// A text outside the body profile.
pub fn digest_of(values: &[Named], basis: &str, reason: &str) -> Result<Digest> {
    let values: Vec<Value> = values.iter().map(Named::told).collect();
    let content = json!({ "basis": basis, "erased": values, "reason": reason });
    canon::to_bytes(&content).map(|bytes| Digest::of(&bytes)).map_err(crate::error::Error::internal)
}
