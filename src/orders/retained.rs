//! What the times of retention and its disposal need to know of an order.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::record::{KIND, subject};
use super::store;
use crate::error::Result;
use crate::keeping::{Age, Aged, Disposer, Keeper};
use crate::ledger::lane::Tx;
use crate::records::retention::Facts;
use crate::signatures;
use crate::store::Db;
use crate::store::schema::{order_event, order_hold, order_line, sales_order};
use crate::time::Timestamp;

/// Orders, for the times of retention.
pub const KEEPER: Keeper = Keeper { kind: KIND, facts };

/// An order's last instant is that of its last event, of its taking down, or of its release where that is later.
fn facts(db: &mut Db, number: &str, _now: Timestamp) -> Result<Option<Facts>> {
    let Some(state) = store::state(db, number)? else { return Ok(None) };
    let events = state.events.iter().map(|event| event.at);
    let released = state.holds.iter().filter_map(|hold| hold.released_at);
    let recorded = events
        .chain(released)
        .max()
        .map_or(state.order.recorded_at, |last| last.max(state.order.recorded_at));
    Ok(Some(Facts {
        record: "order",
        recorded,
        expiry: state.lines.iter().filter_map(|line| line.expiry.as_deref().and_then(day)).max(),
        ended: None,
    }))
}

/// Orders, for their disposal.
pub const DISPOSER: Disposer =
    Disposer { kind: KIND, is_open, aged, citing, along: Disposer::nothing, remove };

/// What QA still holds back is not over.
fn is_open(db: &mut Db, number: &str) -> Result<bool> {
    let held = order_hold::table.filter(order_hold::order_number.eq(number));
    Ok(held.filter(order_hold::released_at.is_null()).count().get_result::<i64>(db)? > 0)
}

fn aged(db: &mut Db, Aged { before, after, limit }: Aged) -> Result<Vec<Age>> {
    let mut orders = sales_order::table.filter(sales_order::recorded_at.lt(before)).into_boxed();
    if let Some((at, number)) = after {
        let later = sales_order::recorded_at.gt(at);
        orders = orders.filter(later.or(sales_order::recorded_at.eq(at).and(sales_order::number.gt(number))));
    }
    let orders = orders.order((sales_order::recorded_at, sales_order::number)).limit(limit);
    Ok(orders.select((sales_order::recorded_at, sales_order::number)).load(db)?)
}

/// An order that was held because of a recall names it.
fn citing(db: &mut Db, (kind, id): (&str, &str)) -> Result<Vec<String>> {
    if kind != "recall" {
        return Ok(Vec::new());
    }
    let orders = order_hold::table.filter(order_hold::recall.eq(id)).select(order_hold::order_number);
    let orders: Vec<String> = orders.distinct().load(db)?;
    Ok(orders.into_iter().map(|number| subject(&number).to_string()).collect())
}

fn remove(tx: &mut Tx<'_>, number: &str) -> Result<()> {
    let db = tx.rows();
    signatures::remove(db, &subject(number))?;
    diesel::delete(order_hold::table.filter(order_hold::order_number.eq(number))).execute(db)?;
    diesel::delete(order_event::table.filter(order_event::order_number.eq(number))).execute(db)?;
    diesel::delete(order_line::table.filter(order_line::order_number.eq(number))).execute(db)?;
    diesel::delete(sales_order::table.find(number)).execute(db)?;
    Ok(())
}

fn day(text: &str) -> Option<NaiveDate> {
    text.parse().ok()
}
