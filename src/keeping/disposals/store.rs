//! Disposals in the database.

use diesel::prelude::*;

use super::record::{Disposal, DisposalState, Item, PROPOSED, subject};
use crate::error::{Error, Result};
use crate::ledger::subject::{Governed, Snapshot};
use crate::signatures;
use crate::store::Db;
use crate::store::schema::{disposal, disposal_item};
use crate::time::Timestamp;

/// Disposals, as `verify` recomputes them.
pub const GOVERNED: Governed = Governed {
    kind: super::record::KIND,
    tables: &["disposal", "disposal_item", "signature"],
    ids,
    snapshot,
};

fn ids(db: &mut Db) -> Result<Vec<String>> {
    Ok(disposal::table.select(disposal::number).load(db)?)
}

fn snapshot(db: &mut Db, number: &str) -> Result<Option<Snapshot>> {
    Ok(state(db, number)?.map(|state| state.snapshot()))
}

/// A disposal with all that belongs to it; none of this number.
///
/// # Errors
/// The database does not answer.
pub fn state(db: &mut Db, number: &str) -> Result<Option<DisposalState>> {
    let row = disposal::table.find(number).select(Disposal::as_select()).first(db).optional()?;
    let Some(disposal) = row else { return Ok(None) };
    let items = disposal_item::table.filter(disposal_item::disposal.eq(number));
    let mut items: Vec<Item> = items.select(Item::as_select()).load(db)?;
    // Sorted here: the engines' collations order differently, and the order is part of the snapshot.
    items.sort_by(|a, b| (&a.subject_kind, &a.subject_id).cmp(&(&b.subject_kind, &b.subject_id)));
    Ok(Some(DisposalState { items, signatures: signatures::of(db, &subject(number))?, disposal }))
}

/// The same, refused with 404.
///
/// # Errors
/// 404.
pub fn require(db: &mut Db, number: &str) -> Result<DisposalState> {
    state(db, number)?.ok_or_else(|| Error::not_found(super::record::KIND, number))
}

/// Disposals, the newest first.
///
/// # Errors
/// The database does not answer.
pub fn list(db: &mut Db, after: Option<(i64, String)>, limit: i64) -> Result<Vec<DisposalState>> {
    let mut rows = disposal::table.into_boxed();
    if let Some((at, number)) = after {
        let at = Timestamp(at);
        let earlier = disposal::proposed_at.lt(at);
        rows = rows.filter(earlier.or(disposal::proposed_at.eq(at).and(disposal::number.lt(number))));
    }
    let rows = rows.order((disposal::proposed_at.desc(), disposal::number.desc())).limit(limit);
    let numbers: Vec<String> = rows.select(disposal::number).load(db)?;
    numbers.iter().map(|number| require(db, number)).collect()
}

/// The numbers and reasons of those that wait for QA and were proposed by somebody else, the oldest first.
///
/// # Errors
/// The database does not answer.
pub fn waiting(db: &mut Db, account: &str) -> Result<Vec<(String, String)>> {
    Ok(disposal::table
        .filter(disposal::state.eq(PROPOSED).and(disposal::proposed_by.ne(account)))
        .order((disposal::proposed_at, disposal::number))
        .select((disposal::number, disposal::reason))
        .load(db)?)
}

/// The disposal that waits for QA and names this record.
///
/// # Errors
/// The database does not answer.
pub fn open_for(db: &mut Db, (kind, id): (&str, &str)) -> Result<Option<String>> {
    Ok(disposal_item::table
        .inner_join(disposal::table)
        .filter(disposal_item::subject_kind.eq(kind).and(disposal_item::subject_id.eq(id)))
        .filter(disposal::state.eq(PROPOSED))
        .select(disposal::number)
        .first(db)
        .optional()?)
}

/// The greatest number with this beginning, by length and then bytes.
///
/// # Errors
/// The database does not answer.
pub fn last_number(db: &mut Db, prefix: &str) -> Result<Option<String>> {
    let numbers = disposal::table.filter(disposal::number.like(format!("{prefix}%")));
    let numbers: Vec<String> = numbers.select(disposal::number).load(db)?;
    Ok(numbers.into_iter().max_by(|a, b| (a.len(), a).cmp(&(b.len(), b))))
}
