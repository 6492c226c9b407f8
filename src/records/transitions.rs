//! Steps of a quality record through its states, kept as history: forward to the next, back by one with a reason, and
//! closed by a signature of a QA person who did not raise it.

use diesel::prelude::*;
use serde::Serialize;

use super::corrections;
use super::kind::{self, RecordKind, Standing};
use crate::error::{Error, Result};
use crate::ledger::digest::Digest;
use crate::ledger::lane::{Actor, NewEntry, Tx};
use crate::ledger::subject::{Row, Subject};
use crate::people;
use crate::people::store::Named;
use crate::signatures::{self, Signer};
use crate::store::Db;
use crate::store::schema::record_transition;
use crate::time::Timestamp;

/// The meaning of the signature that closes a record.
pub const CLOSED: &str = "closed";

/// A row of `record_transition`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = record_transition)]
pub struct Transition {
    /// The record's kind.
    pub subject_kind: String,
    /// The record's number.
    pub subject_id: String,
    /// From 1, in order.
    pub n: i64,
    /// The state left.
    pub from_state: String,
    /// The state entered.
    pub to_state: String,
    /// Why; empty where none was asked for.
    pub reason: String,
    /// When.
    pub moved_at: Timestamp,
    /// By which account.
    pub moved_by: String,
}

impl Transition {
    /// The transition inside its record's snapshot.
    pub fn row(&self) -> serde_json::Value {
        Row::new()
            .set("n", self.n)
            .set("from", self.from_state.as_str())
            .set("to", self.to_state.as_str())
            .set("reason", self.reason.as_str())
            .instant("moved_at", self.moved_at)
            .set("moved_by", self.moved_by.as_str())
            .into()
    }
}

/// A transition for reading.
#[derive(Debug, Clone, Serialize)]
pub struct TransitionView {
    /// From 1, in order.
    pub n: i64,
    /// The state left.
    pub from: String,
    /// The state entered.
    pub to: String,
    /// Why.
    pub reason: String,
    /// When.
    pub moved_at: Timestamp,
    /// By whom.
    pub moved_by: Named,
}

/// What a request asks of a record's state.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// The state to enter.
    pub to: &'a str,
    /// Why; required for a step back.
    pub reason: &'a str,
}

/// Which way a step goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the next state.
    Forward,
    /// Back by one.
    Back,
    /// To the closed state, which is signed.
    Close,
}

/// The way of a step from one state to another, by the kind's order of states.
///
/// # Errors
/// 422 for a state the kind does not have; 409 for a closed record, the same state, or a leap; 422 for a step back
/// without a reason.
pub fn way(kind: &RecordKind, from: &str, step: Step<'_>) -> Result<Way> {
    let place = |state: &str| kind.states.iter().position(|known| *known == state);
    let to = place(step.to).ok_or_else(|| Error::invalid("to", "unknown-code"))?;
    let from_place =
        place(from).ok_or_else(|| Error::internal(format!("{from} is no state of {}", kind.name)))?;
    let last = kind.states.len() - 1;
    if from_place == last {
        return Err(Error::conflict("record-closed").arg("id", ""));
    }
    if to == from_place + 1 {
        return Ok(if to == last { Way::Close } else { Way::Forward });
    }
    if to + 1 == from_place {
        return if step.reason.is_empty() {
            Err(Error::invalid("reason", "required"))
        } else {
            Ok(Way::Back)
        };
    }
    Err(Error::conflict("out-of-order").arg("from", from).arg("to", step.to))
}

/// The steps a page may offer from a state: the one back, the one forward.
pub fn neighbours(kind: &RecordKind, state: &str) -> (Option<&'static str>, Option<&'static str>) {
    let Some(at) = kind.states.iter().position(|known| *known == state) else { return (None, None) };
    if at + 1 == kind.states.len() {
        return (None, None);
    }
    (at.checked_sub(1).map(|before| kind.states[before]), kind.states.get(at + 1).copied())
}

/// Moves a record, unsigned. Refuses closing, which needs [`close`].
///
/// # Errors
/// 404; as [`way`]; 422 at `password` for the closed state.
pub fn move_to(
    tx: &mut Tx<'_>,
    kind: &RecordKind,
    actor: &Actor,
    (number, step): (&str, Step<'_>),
) -> Result<()> {
    let standing = kind.require_open(tx.read(), number)?;
    if way(kind, &standing.state, step)? == Way::Close {
        return Err(Error::invalid("password", "required"));
    }
    record(tx, kind, &actor.id, (&standing, step))?;
    (kind.set_state)(tx, number, step.to, None)?;
    let snapshot = kind.snapshot_now(tx, number)?;
    tx.append(NewEntry::new(kind.moved, actor).state(snapshot).reason(step.reason))?;
    Ok(())
}

/// Closes a record by the signer's signature over its state as seen.
///
/// # Errors
/// 404; 403 `closer-raised` for who raised it; 409: out of order, `incomplete` with each missing field,
/// `stale-digest`.
pub fn close(
    tx: &mut Tx<'_>,
    kind: &RecordKind,
    signer: &Signer,
    (number, step, seen): (&str, Step<'_>, Option<Digest>),
) -> Result<()> {
    let standing = may_close(tx.read(), kind, (number, step), &signer.actor.id)?;
    let subject = kind.subject(number);
    let digest = kind::digest_seen(tx, &subject, seen)?;
    let now = tx.now();
    record(tx, kind, &signer.actor.id, (&standing, step))?;
    (kind.set_state)(tx, number, kind.closed_state(), Some(now))?;
    let act = signatures::Act { subject: &subject, round: 0, meaning: CLOSED, digest, comment: step.reason };
    let (_, sig) = signatures::sign(tx, signer, &act)?;
    let snapshot = kind.snapshot_now(tx, number)?;
    tx.append(NewEntry::new(kind.closed, &signer.actor).state(snapshot).signature(&sig))?;
    Ok(())
}

/// Whether an account may close a record now.
fn may_close(
    db: &mut Db,
    kind: &RecordKind,
    (number, step): (&str, Step<'_>),
    account: &str,
) -> Result<Standing> {
    let standing = kind.require_open(db, number)?;
    if way(kind, &standing.state, step)? != Way::Close {
        return Err(Error::conflict("out-of-order").arg("from", &standing.state).arg("to", step.to));
    }
    if standing.raised_by == account {
        return Err(Error::forbidden("closer-raised"));
    }
    let gaps = gaps(db, kind, &standing)?;
    if gaps.is_empty() {
        return Ok(standing);
    }
    Err(gaps.into_iter().fold(Error::conflict("incomplete"), |error, field| error.field(field, "missing")))
}

/// What keeps a record from being closed: fields still missing, corrections still undecided.
///
/// # Errors
/// The database does not answer.
pub fn gaps(db: &mut Db, kind: &RecordKind, standing: &Standing) -> Result<Vec<String>> {
    let mut gaps = (kind.missing)(db, standing)?;
    if corrections::of(db, &kind.subject(&standing.number))?.iter().any(corrections::Correction::is_open) {
        gaps.push("corrections".to_owned());
    }
    Ok(gaps)
}

fn record(
    tx: &mut Tx<'_>,
    kind: &RecordKind,
    account: &str,
    (standing, step): (&Standing, Step<'_>),
) -> Result<()> {
    let made = of(tx.read(), &kind.subject(&standing.number))?.len();
    let row = Transition {
        subject_kind: kind.name.to_owned(),
        subject_id: standing.number.clone(),
        n: i64::try_from(made).map_err(Error::internal)? + 1,
        from_state: standing.state.clone(),
        to_state: step.to.to_owned(),
        reason: step.reason.to_owned(),
        moved_at: tx.now(),
        moved_by: account.to_owned(),
    };
    diesel::insert_into(record_transition::table).values(&row).execute(tx.rows())?;
    Ok(())
}

/// The transitions of a record, in order.
///
/// # Errors
/// The database does not answer.
pub fn of(db: &mut Db, subject: &Subject) -> Result<Vec<Transition>> {
    Ok(record_transition::table
        .filter(record_transition::subject_kind.eq(subject.kind))
        .filter(record_transition::subject_id.eq(&subject.id))
        .order(record_transition::n)
        .load(db)?)
}

/// Takes the moves of a record away that is being disposed of.
///
/// # Errors
/// The database refuses where no disposal names the record.
pub(super) fn remove(db: &mut Db, subject: &Subject) -> Result<()> {
    let own = record_transition::subject_kind.eq(subject.kind);
    let own = own.and(record_transition::subject_id.eq(&subject.id));
    diesel::delete(record_transition::table.filter(own)).execute(db)?;
    Ok(())
}

/// The same for reading.
///
/// # Errors
/// The database does not answer.
pub fn views(db: &mut Db, subject: &Subject) -> Result<Vec<TransitionView>> {
    of(db, subject)?
        .into_iter()
        .map(|row| {
            Ok(TransitionView {
                n: row.n,
                from: row.from_state,
                to: row.to_state,
                reason: row.reason,
                moved_at: row.moved_at,
                moved_by: people::store::person(db, &row.moved_by)?.named(),
            })
        })
        .collect()
}
