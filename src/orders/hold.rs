//! What recalls say of an order's batches. Recalls stand beside orders and know them, so they are asked through two
//! functions that the assembly connects; until then no batch is recalled.

use std::sync::OnceLock;

use super::record::{Line, OrderState};
use crate::error::Result;
use crate::ledger::lane::{Actor, Tx};
use crate::store::Db;

/// A line that carries a recalled batch.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Alert {
    /// The recall's number.
    pub recall: String,
    /// The line.
    pub line: String,
    /// The material.
    pub material: String,
    /// The batch.
    pub batch: String,
}

/// The recalls' side.
#[derive(Debug, Clone, Copy)]
pub struct Recalls {
    /// Which of these lines carry a batch under a recall that holds orders.
    pub alerts_for: fn(&mut Db, &[Line]) -> Result<Vec<Alert>>,
    /// Takes note, in the order's own change and after its entry, of recalled lines that have just come: the later
    /// hits of a trace. Refuses nothing.
    pub note_hits: fn(&mut Tx<'_>, &Actor, &OrderState, &[Alert]) -> Result<()>,
}

static RECALLS: OnceLock<Recalls> = OnceLock::new();

/// Connects the recalls; the first connection stays.
pub fn connect(recalls: Recalls) {
    RECALLS.get_or_init(|| recalls);
}

/// The recalled lines among these, by recall and line.
///
/// # Errors
/// The database does not answer.
pub fn alerts_for(db: &mut Db, lines: &[Line]) -> Result<Vec<Alert>> {
    let with_batch = lines.iter().any(|line| line.batch.is_some());
    let Some(recalls) = RECALLS.get().filter(|_| with_batch) else { return Ok(Vec::new()) };
    let mut alerts = (recalls.alerts_for)(db, lines)?;
    alerts.sort_by(|a, b| (&a.recall, &a.line).cmp(&(&b.recall, &b.line)));
    Ok(alerts)
}

/// Hands new hits to the recalls.
///
/// # Errors
/// The database refuses.
pub(super) fn note_hits(tx: &mut Tx<'_>, actor: &Actor, state: &OrderState, hits: &[Alert]) -> Result<()> {
    match RECALLS.get() {
        Some(recalls) if !hits.is_empty() => (recalls.note_hits)(tx, actor, state, hits),
        _ => Ok(()),
    }
}
