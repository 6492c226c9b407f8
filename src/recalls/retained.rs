//! What the times of retention need to know of a recall.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::store;
use crate::error::Result;
use crate::keeping::Keeper;
use crate::records::retention::Facts;
use crate::store::Db;
use crate::store::schema::order_line;
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
