//! What the times of retention and its disposal need to know of a deviation.

use diesel::prelude::*;

use super::record::subject;
use super::store;
use crate::error::Result;
use crate::keeping::{Age, Aged, Disposer, Keeper};
use crate::ledger::lane::Tx;
use crate::records::retained::remove_along;
use crate::records::retention::Facts;
use crate::store::Db;
use crate::store::schema::{deviation, deviation_batch, deviation_order};
use crate::time::Timestamp;

/// Deviations, for the times of retention.
pub const KEEPER: Keeper = Keeper { kind: "deviation", facts };

fn facts(db: &mut Db, number: &str, _now: Timestamp) -> Result<Option<Facts>> {
    let state = store::state(db, number)?;
    Ok(state.map(|state| Facts {
        record: "deviation",
        recorded: state.deviation.raised_at,
        expiry: None,
        ended: state.deviation.closed_at,
    }))
}

/// Deviations, for their disposal.
pub const DISPOSER: Disposer =
    Disposer { kind: "deviation", is_open: Disposer::never, aged, citing, along: Disposer::nothing, remove };

fn aged(db: &mut Db, Aged { before, after, limit }: Aged) -> Result<Vec<Age>> {
    let closed = deviation::closed_at.assume_not_null();
    let mut rows = deviation::table.filter(deviation::closed_at.lt(before)).into_boxed();
    if let Some((at, number)) = after {
        let later = deviation::closed_at.gt(at);
        rows = rows.filter(later.or(deviation::closed_at.eq(at).and(deviation::number.gt(number))));
    }
    let rows = rows.order((deviation::closed_at, deviation::number)).limit(limit);
    Ok(rows.select((closed, deviation::number)).load(db)?)
}

/// A deviation names the orders it has touched.
fn citing(db: &mut Db, (kind, id): (&str, &str)) -> Result<Vec<String>> {
    if kind != "order" {
        return Ok(Vec::new());
    }
    let rows = deviation_order::table.filter(deviation_order::order_number.eq(id));
    let rows: Vec<String> = rows.select(deviation_order::deviation).distinct().load(db)?;
    Ok(rows.into_iter().map(|number| subject(&number).to_string()).collect())
}

fn remove(tx: &mut Tx<'_>, number: &str) -> Result<()> {
    let (of, db) = (subject(number), tx.rows());
    remove_along(db, &of)?;
    diesel::delete(deviation_batch::table.filter(deviation_batch::deviation.eq(number))).execute(db)?;
    diesel::delete(deviation_order::table.filter(deviation_order::deviation.eq(number))).execute(db)?;
    diesel::delete(deviation::table.find(number)).execute(db)?;
    Ok(())
}
