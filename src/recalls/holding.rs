//! The tie to orders: which of their lines carry a recalled batch, and the hits they bring.

use super::record::Line;
use super::{store, trace};
use crate::error::Result;
use crate::ledger::lane::{Actor, Tx};
use crate::orders::hold::{self, Alert, Recalls};
use crate::orders::record::{Line as OrderLine, OrderState};
use crate::store::Db;

/// Connects recalls to orders, once in a process: from then on a recalled batch holds the orders it comes on.
pub fn connect() {
    hold::connect(Recalls { alerts_for, note_hits });
}

/// The lines among these that carry a batch under a recall that runs and is no drill.
///
/// # Errors
/// The database does not answer.
pub fn alerts_for(db: &mut Db, lines: &[OrderLine]) -> Result<Vec<Alert>> {
    let goods: Vec<trace::Goods<'_>> = lines
        .iter()
        .map(|line| trace::Goods {
            line: &line.line,
            material: &line.material,
            batch: line.batch.as_deref(),
        })
        .collect();
    let alert = |trace::Hit { recall, line, material, batch }| Alert { recall, line, material, batch };
    Ok(trace::hits(db, &goods)?.into_iter().map(alert).collect())
}

/// Books the recalled lines of an order that has just come or changed.
///
/// # Errors
/// The database refuses.
fn note_hits(tx: &mut Tx<'_>, actor: &Actor, state: &OrderState, alerts: &[Alert]) -> Result<()> {
    let found_at = tx.now();
    let hits: Vec<Line> = alerts
        .iter()
        .filter_map(|alert| {
            let line = state.lines.iter().find(|line| line.line == alert.line)?;
            Some(Line {
                recall: alert.recall.clone(),
                order_number: state.order.number.clone(),
                line: alert.line.clone(),
                customer_code: state.order.customer_code.clone(),
                material: alert.material.clone(),
                batch: alert.batch.clone(),
                quantity: line.quantity.clone(),
                unit: line.unit.clone(),
                found_at,
            })
        })
        .collect();
    store::note_hits(tx, actor, &hits)
}
