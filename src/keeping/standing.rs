//! How a record stands: until when it is kept and by which row, and what holds it longer.

use serde_json::{Value, json};

use super::keepers::{Keeper, Keepers, Now};
use super::record::Hold;
use super::store;
use crate::error::Result;
use crate::records::retention::{Kept, Rule};
use crate::store::Db;

/// How a record stands.
#[derive(Debug, Clone)]
pub struct Retained {
    /// `kind/id`.
    pub subject: String,
    /// Until when, and by which row.
    pub kept: Kept,
    /// Holds, lifted ones included.
    pub holds: Vec<Hold>,
    /// Whether one stands, on the record or on the whole it belongs to.
    pub held: bool,
}

impl Retained {
    /// As machines get it.
    pub fn told(&self) -> Value {
        json!({
            "subject": self.subject, "state": self.kept.until.code(), "retain_until": self.kept.until.instant(),
            "rule": self.kept.rule.map(rule_told), "held": self.held,
            "holds": self.holds.iter().map(hold_told).collect::<Vec<_>>(),
        })
    }
}

/// A row of the law as machines get it.
pub fn rule_told(rule: &Rule) -> Value {
    serde_json::to_value(rule).unwrap_or_default()
}

/// A hold as machines get it.
pub fn hold_told(hold: &Hold) -> Value {
    json!({
        "id": hold.id, "subject": hold.held(), "reason": hold.reason, "set_at": hold.set_at, "set_by": hold.set_by,
        "lifted_at": hold.lifted_at, "lifted_by": hold.lifted_by, "lift_reason": hold.lift_reason,
    })
}

/// How a record stands that its own feature asks for.
///
/// # Errors
/// 404.
pub fn own(db: &mut Db, keeper: &'static [Keeper], id: &str, now: Now) -> Result<Retained> {
    let kind = keeper.first().map_or("", |keeper| keeper.kind);
    of(db, Keepers(keeper), (kind, id), now)
}

/// How the record `kind/id` stands.
///
/// # Errors
/// 404.
pub fn of(db: &mut Db, keepers: Keepers, (kind, id): (&str, &str), now: Now) -> Result<Retained> {
    Ok(Retained {
        kept: keepers.kept(db, (kind, id), now)?,
        holds: store::holds_of(db, kind, id)?,
        held: store::is_held(db, kind, id)?,
        subject: format!("{kind}/{id}"),
    })
}
