//! When the last backup was made, as the ledger tells it.

use diesel::prelude::*;

use crate::error::Result;
use crate::ledger::acts;
use crate::store::Db;
use crate::store::schema::ledger_entry;
use crate::time::Timestamp;

/// Seconds after which a backup is overdue: electronic records are backed up every day (GSP 60).
pub const LATE: i64 = 24 * 3600;

/// The instant of the last backup; none where none was ever made.
///
/// # Errors
/// The database does not answer.
pub fn last(db: &mut Db) -> Result<Option<Timestamp>> {
    // Backups are made at the command line, by `system`: the index of actors makes this a short look.
    Ok(ledger_entry::table
        .filter(ledger_entry::actor.eq("system").and(ledger_entry::act.eq(acts::BACKUP_MADE.name)))
        .order((ledger_entry::epoch.desc(), ledger_entry::seq.desc()))
        .select(ledger_entry::ts)
        .first(db)
        .optional()?)
}
