//! The connection to either engine; the derive writes undocumented items, hence a room of its own.
#![allow(missing_docs)]

use diesel::prelude::*;

/// One connection, to either engine.
#[derive(diesel::MultiConnection)]
pub enum Db {
    /// PostgreSQL, through libpq.
    Postgres(PgConnection),
    /// Embedded SQLite.
    Sqlite(SqliteConnection),
}
