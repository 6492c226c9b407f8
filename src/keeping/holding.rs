//! Legal holds: set while something is looked into, lifted when it is over.

use diesel::prelude::*;

use super::keepers::{Keepers, Now};
use super::record::Hold;
use super::store;
use crate::error::{Error, Result};
use crate::ledger::acts;
use crate::ledger::lane::{Actor, NewEntry, Tx};
use crate::store::schema::legal_hold;

/// Holds a record, `kind/id`.
///
/// # Errors
/// 422 for a record that does not exist, or of a kind that is not kept by time.
pub fn set(
    tx: &mut Tx<'_>,
    keepers: Keepers,
    actor: &Actor,
    (subject, reason): (&str, &str),
    now: Now,
) -> Result<Hold> {
    let (kind, id) = known(tx, keepers, subject, now)?;
    let hold = Hold {
        id: crate::id::new("h"),
        subject_kind: kind,
        subject_id: id,
        reason: reason.to_owned(),
        set_at: tx.now(),
        set_by: actor.id.clone(),
        lifted_at: None,
        lifted_by: None,
        lift_reason: None,
    };
    diesel::insert_into(legal_hold::table).values(&hold).execute(tx.rows())?;
    tx.append(NewEntry::new(acts::HOLD_SET, actor).state(hold.snapshot()).reason(reason))?;
    Ok(hold)
}

fn known(tx: &mut Tx<'_>, keepers: Keepers, subject: &str, now: Now) -> Result<(String, String)> {
    let unknown = || Error::invalid("subject", "unknown-subject");
    let (kind, id) = subject.split_once('/').ok_or_else(unknown)?;
    if !keepers.0.iter().any(|keeper| keeper.kind == kind) {
        return Err(unknown());
    }
    match keepers.kept(tx.read(), (kind, id), now) {
        Ok(_) => Ok((kind.to_owned(), id.to_owned())),
        Err(error) if error.kind() == crate::error::Kind::NotFound => Err(unknown()),
        Err(error) => Err(error),
    }
}

/// Lifts a hold.
///
/// # Errors
/// 404; 409 `hold-lifted`.
pub fn lift(tx: &mut Tx<'_>, actor: &Actor, id: &str, reason: &str) -> Result<Hold> {
    let mut hold = store::hold(tx.read(), id)?.ok_or_else(|| Error::not_found("hold", id))?;
    if hold.lifted_at.is_some() {
        return Err(Error::conflict("hold-lifted"));
    }
    hold.lifted_at = Some(tx.now());
    hold.lifted_by = Some(actor.id.clone());
    hold.lift_reason = Some(reason.to_owned());
    diesel::update(legal_hold::table.find(id))
        .set((
            legal_hold::lifted_at.eq(hold.lifted_at),
            legal_hold::lifted_by.eq(&hold.lifted_by),
            legal_hold::lift_reason.eq(&hold.lift_reason),
        ))
        .execute(tx.rows())?;
    tx.append(NewEntry::new(acts::HOLD_LIFTED, actor).state(hold.snapshot()).reason(reason))?;
    Ok(hold)
}
