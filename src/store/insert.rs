//! The lane's own rows, many at a time: one multi-row statement on PostgreSQL, where a round trip costs most;
//! one prepared statement run again and again on SQLite, where parsing does.

use diesel::prelude::*;

use super::Db;
use super::schema::{content, ledger_entry, sealed_value};
use crate::error::Result;

/// A row of the audit trail; the columns beside the bytes are an index that `verify` compares with them.
#[derive(Debug, Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = ledger_entry)]
pub struct NewEntryRow {
    /// Which tree.
    pub epoch: i64,
    /// The leaf's index.
    pub seq: i64,
    /// The exact bytes.
    pub entry: Vec<u8>,
    /// `SHA-256(0x00 || entry)`.
    pub leaf: Vec<u8>,
    /// The entry's instant, microseconds.
    pub ts: i64,
    /// The body's `act`.
    pub act: String,
    /// The body's `actor.id`.
    pub actor: Option<String>,
    /// The body's `obj.kind`.
    pub obj_kind: Option<String>,
    /// The body's `obj.id`.
    pub obj_id: Option<String>,
}

/// Bytes under their SHA-256.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = content)]
pub struct NewContent {
    /// Hex.
    pub sha256: String,
    /// The bytes themselves.
    pub bytes: Vec<u8>,
}

/// A personal value behind its commitment.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = sealed_value)]
pub struct NewSealed {
    /// Hex; what records and entries carry.
    pub commitment: String,
    /// The name it was sealed under.
    pub name: String,
    /// 32 random bytes.
    pub salt: Vec<u8>,
    /// The value, UTF-8.
    pub value: String,
}

/// Rows of one multi-row statement at most: PostgreSQL takes 65,535 parameters.
const ROWS: usize = 1000;

/// Appends entries.
pub fn insert_entries(db: &mut Db, rows: &[NewEntryRow]) -> Result<()> {
    match db {
        Db::Postgres(postgres) => {
            for rows in rows.chunks(ROWS) {
                diesel::insert_into(ledger_entry::table).values(rows).execute(postgres)?;
            }
        }
        Db::Sqlite(sqlite) => {
            for row in rows {
                diesel::insert_into(ledger_entry::table).values(row).execute(sqlite)?;
            }
        }
    }
    Ok(())
}

/// Keeps content; what is already there under its hash stays.
pub fn insert_contents(db: &mut Db, rows: &[NewContent]) -> Result<()> {
    match db {
        Db::Postgres(postgres) => {
            for rows in rows.chunks(ROWS) {
                diesel::insert_into(content::table)
                    .values(rows)
                    .on_conflict_do_nothing()
                    .execute(postgres)?;
            }
        }
        // The guard on `content` lets a second insert of the same hash pass as no change.
        Db::Sqlite(sqlite) => {
            for row in rows {
                diesel::insert_into(content::table).values(row).execute(sqlite)?;
            }
        }
    }
    Ok(())
}

/// Keeps sealed values.
pub fn insert_sealed(db: &mut Db, rows: &[NewSealed]) -> Result<()> {
    match db {
        Db::Postgres(postgres) => {
            for rows in rows.chunks(ROWS) {
                diesel::insert_into(sealed_value::table).values(rows).execute(postgres)?;
            }
        }
        Db::Sqlite(sqlite) => {
            for row in rows {
                diesel::insert_into(sealed_value::table).values(row).execute(sqlite)?;
            }
        }
    }
    Ok(())
}
