//! What the times of retention need to know of an order.

use chrono::NaiveDate;

use super::record::KIND;
use super::store;
use crate::error::Result;
use crate::keeping::Keeper;
use crate::records::retention::Facts;
use crate::store::Db;
use crate::time::Timestamp;

/// Orders, for the times of retention.
pub const KEEPER: Keeper = Keeper { kind: KIND, facts };

/// An order's last instant is that of its last event, or of its taking down where that is later.
fn facts(db: &mut Db, number: &str, _now: Timestamp) -> Result<Option<Facts>> {
    let Some(state) = store::state(db, number)? else { return Ok(None) };
    let events = state.events.iter().map(|event| event.at);
    let recorded = events.max().map_or(state.order.recorded_at, |last| last.max(state.order.recorded_at));
    Ok(Some(Facts {
        record: "order",
        recorded,
        expiry: state.lines.iter().filter_map(|line| line.expiry.as_deref().and_then(day)).max(),
        ended: None,
    }))
}

fn day(text: &str) -> Option<NaiveDate> {
    text.parse().ok()
}
