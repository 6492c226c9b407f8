//! What the times of retention and its disposal need to know of a recall.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::record::subject;
use super::store;
use crate::error::Result;
use crate::keeping::{Age, Aged, Disposer, Keeper};
use crate::ledger::lane::Tx;
use crate::records::retained::remove_along;
use crate::records::retention::Facts;
use crate::store::Db;
use crate::store::schema::{order_line, recall, recall_batch, recall_clock, recall_customer, recall_line};
use crate::time::Timestamp;

/// Recalls, for the times of retention.
pub const KEEPER: Keeper = Keeper { kind: "recall", facts };

/// The recalled batches' expiries are those that the orders' lines tell.
fn facts(db: &mut Db, number: &str, _now: Timestamp) -> Result<Option<Facts>> {
    let Some(state) = store::state(db, number)? else { return Ok(None) };
    let mut expiry: Option<NaiveDate> = None;
    for batch in &state.batches {
        let lines = order_line::table.filter(order_line::batch.eq(&batch.batch)).into_boxed();
        let lines = match batch.material.is_empty() {
            true => lines,
            false => lines.filter(order_line::material.eq(&batch.material)),
        };
        let days: Vec<Option<String>> = lines.select(order_line::expiry).distinct().load(db)?;
        expiry = days.iter().flatten().filter_map(|day| day.parse().ok()).max().max(expiry);
    }
    Ok(Some(Facts {
        record: "recall",
        recorded: state.recall.raised_at,
        expiry,
        ended: state.recall.closed_at,
    }))
}

/// Recalls, for their disposal.
pub const DISPOSER: Disposer =
    Disposer { kind: "recall", is_open: Disposer::never, aged, citing, along: Disposer::nothing, remove };

fn aged(db: &mut Db, Aged { before, after, limit }: Aged) -> Result<Vec<Age>> {
    let closed = recall::closed_at.assume_not_null();
    let mut rows = recall::table.filter(recall::closed_at.lt(before)).into_boxed();
    if let Some((at, number)) = after {
        let later = recall::closed_at.gt(at);
        rows = rows.filter(later.or(recall::closed_at.eq(at).and(recall::number.gt(number))));
    }
    let rows = rows.order((recall::closed_at, recall::number)).limit(limit);
    Ok(rows.select((closed, recall::number)).load(db)?)
}

/// A recall's trace names the orders by which the batch went out.
fn citing(db: &mut Db, (kind, id): (&str, &str)) -> Result<Vec<String>> {
    if kind != "order" {
        return Ok(Vec::new());
    }
    let rows = recall_line::table.filter(recall_line::order_number.eq(id));
    let rows: Vec<String> = rows.select(recall_line::recall).distinct().load(db)?;
    Ok(rows.into_iter().map(|number| subject(&number).to_string()).collect())
}

fn remove(tx: &mut Tx<'_>, number: &str) -> Result<()> {
    let (of, db) = (subject(number), tx.rows());
    remove_along(db, &of)?;
    diesel::delete(recall_customer::table.filter(recall_customer::recall.eq(number))).execute(db)?;
    diesel::delete(recall_line::table.filter(recall_line::recall.eq(number))).execute(db)?;
    diesel::delete(recall_clock::table.filter(recall_clock::recall.eq(number))).execute(db)?;
    diesel::delete(recall_batch::table.filter(recall_batch::recall.eq(number))).execute(db)?;
    diesel::delete(recall::table.find(number)).execute(db)?;
    Ok(())
}
