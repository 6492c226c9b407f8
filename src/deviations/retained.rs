//! What the times of retention need to know of a deviation.

use super::store;
use crate::error::Result;
use crate::keeping::Keeper;
use crate::records::retention::Facts;
use crate::store::Db;
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
