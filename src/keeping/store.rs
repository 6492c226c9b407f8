//! Legal holds and erasures in the database.

use std::collections::HashMap;

use diesel::prelude::*;

use super::erasing;
use super::record::{ErasedValue, Erasure, ErasureState, Hold, erasure_subject};
use crate::error::Result;
use crate::ledger::store as ledger;
use crate::ledger::subject::{Governed, Snapshot};
use crate::signatures;
use crate::store::Db;
use crate::store::schema::{erased_value, erasure, legal_hold};

/// Legal holds, as `verify` recomputes them.
pub const GOVERNED_HOLDS: Governed =
    Governed { kind: "hold", tables: &["legal_hold"], ids: hold_ids, snapshot: hold_snapshot };

/// Erasures, as `verify` recomputes them.
pub const GOVERNED_ERASURES: Governed = Governed {
    kind: "erasure",
    tables: &["erasure", "erased_value", "signature"],
    ids: erasure_ids,
    snapshot: erasure_snapshot,
};

fn hold_ids(db: &mut Db) -> Result<Vec<String>> {
    Ok(legal_hold::table.select(legal_hold::id).load(db)?)
}

fn hold_snapshot(db: &mut Db, id: &str) -> Result<Option<Snapshot>> {
    Ok(hold(db, id)?.map(|hold| hold.snapshot()))
}

fn erasure_ids(db: &mut Db) -> Result<Vec<String>> {
    Ok(erasure::table.select(erasure::id).load(db)?)
}

fn erasure_snapshot(db: &mut Db, id: &str) -> Result<Option<Snapshot>> {
    Ok(erasure_state(db, id)?.map(|state| state.snapshot()))
}

/// A hold by its id.
///
/// # Errors
/// The database does not answer.
pub fn hold(db: &mut Db, id: &str) -> Result<Option<Hold>> {
    Ok(legal_hold::table.find(id).select(Hold::as_select()).first(db).optional()?)
}

/// The holds of a record, lifted ones included, the oldest first.
///
/// # Errors
/// The database does not answer.
pub fn holds_of(db: &mut Db, kind: &str, id: &str) -> Result<Vec<Hold>> {
    Ok(legal_hold::table
        .filter(legal_hold::subject_kind.eq(kind).and(legal_hold::subject_id.eq(id)))
        .order(legal_hold::id)
        .select(Hold::as_select())
        .load(db)?)
}

/// The holds that stand, the newest first.
///
/// # Errors
/// The database does not answer.
pub fn standing_holds(db: &mut Db) -> Result<Vec<Hold>> {
    Ok(legal_hold::table
        .filter(legal_hold::lifted_at.is_null())
        .order(legal_hold::id.desc())
        .select(Hold::as_select())
        .load(db)?)
}

/// Whether a hold stands on a record; on a document's version also one on the whole document.
///
/// # Errors
/// The database does not answer.
pub fn is_held(db: &mut Db, kind: &str, id: &str) -> Result<bool> {
    let whole = if kind == "document" { id.split('/').next().unwrap_or(id) } else { id };
    let standing = legal_hold::table
        .filter(legal_hold::subject_kind.eq(kind).and(legal_hold::subject_id.eq_any([id, whole])))
        .filter(legal_hold::lifted_at.is_null());
    Ok(standing.count().get_result::<i64>(db)? > 0)
}

/// An erasure with all that belongs to it.
///
/// # Errors
/// The database does not answer.
pub fn erasure_state(db: &mut Db, id: &str) -> Result<Option<ErasureState>> {
    let row: Option<Erasure> = erasure::table.find(id).select(Erasure::as_select()).first(db).optional()?;
    let Some(erasure) = row else { return Ok(None) };
    let mut values: Vec<ErasedValue> =
        erased_value::table.filter(erased_value::erasure.eq(id)).select(ErasedValue::as_select()).load(db)?;
    values.sort_by(|left, right| (left.seq, &left.name).cmp(&(right.seq, &right.name)));
    let signatures = signatures::of(db, &erasure_subject(id))?;
    let epochs = values.iter().map(|value| erasing::epoch_of(db, value)).collect::<Result<_>>()?;
    let signed: Vec<_> = signatures.iter().take(1).map(|one| (one.seq, one.signed_at)).collect();
    let entry = ledger::placed(db, &signed)?.pop().flatten();
    Ok(Some(ErasureState { values, epochs, entry, signatures, erasure }))
}

/// The newest erasures, at most `limit`.
///
/// # Errors
/// The database does not answer.
pub fn erasures(db: &mut Db, limit: i64) -> Result<Vec<ErasureState>> {
    let ids: Vec<String> =
        erasure::table.order(erasure::id.desc()).limit(limit).select(erasure::id).load(db)?;
    let mut states = Vec::with_capacity(ids.len());
    for id in ids {
        states.extend(erasure_state(db, &id)?);
    }
    Ok(states)
}

/// On which basis each of these commitments' values was erased; those that were not are left out.
///
/// # Errors
/// The database does not answer.
pub fn bases(db: &mut Db, commitments: &[String]) -> Result<HashMap<String, String>> {
    let rows: Vec<(String, String)> = erased_value::table
        .inner_join(erasure::table)
        .filter(erased_value::commitment.eq_any(commitments))
        .select((erased_value::commitment, erasure::basis))
        .load(db)?;
    Ok(rows.into_iter().collect())
}
