//! One migration history for both engines, embedded in the binary.

use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{Db, MultiBackend};
use crate::error::{Error, Result};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// How the database's schema stands to this program's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaState {
    /// No table of ours yet.
    Empty,
    /// Migrations are waiting: `sopledger migrate`.
    Older,
    /// Made by this version.
    Current,
    /// Made by a later version of the program.
    Newer,
}

#[derive(QueryableByName)]
struct Applied {
    #[diesel(sql_type = diesel::sql_types::Text)]
    version: String,
}

/// Compares the applied migrations with the embedded ones; changes nothing.
///
/// # Errors
/// The database does not answer.
pub fn schema_state(db: &mut Db) -> Result<SchemaState> {
    use diesel::migration::MigrationSource;
    if !super::tables(db)?.iter().any(|table| table == "__diesel_schema_migrations") {
        return Ok(SchemaState::Empty);
    }
    let known = MigrationSource::<MultiBackend>::migrations(&MIGRATIONS)
        .map_err(Error::internal)?
        .into_iter()
        .map(|migration| migration.name().version().as_owned().to_string())
        .collect::<Vec<_>>();
    // Diesel's own question begins with CREATE TABLE, which a reading connection to PostgreSQL refuses.
    let applied: Vec<Applied> =
        diesel::sql_query("SELECT version FROM __diesel_schema_migrations").load(db)?;
    if applied.iter().any(|applied| !known.contains(&applied.version)) {
        return Ok(SchemaState::Newer);
    }
    Ok(if applied.len() < known.len() { SchemaState::Older } else { SchemaState::Current })
}

/// The versions of the migrations that have run, in order.
///
/// # Errors
/// The database does not answer, or has no schema yet.
pub fn applied(db: &mut Db) -> Result<Vec<String>> {
    let sql = "SELECT version FROM __diesel_schema_migrations ORDER BY version";
    let applied: Vec<Applied> = diesel::sql_query(sql).load(db)?;
    Ok(applied.into_iter().map(|applied| applied.version).collect())
}

/// Runs just these migrations on an empty database, inside the caller's transaction; returns whether all are known.
///
/// # Errors
/// A migration failed; the caller rolls back.
pub fn run_these(db: &mut Db, versions: &[String]) -> Result<bool> {
    use diesel::migration::MigrationSource;
    let known = MigrationSource::<MultiBackend>::migrations(&MIGRATIONS).map_err(Error::internal)?;
    let wanted: Vec<_> = known
        .iter()
        .filter(|migration| versions.contains(&migration.name().version().as_owned().to_string()))
        .collect();
    if wanted.len() != versions.len() {
        return Ok(false);
    }
    // Asking makes the table of the schema's own history.
    MigrationHarness::<MultiBackend>::applied_migrations(db).map_err(Error::internal)?;
    for migration in wanted {
        MigrationHarness::<MultiBackend>::run_migration(db, migration.as_ref()).map_err(Error::internal)?;
    }
    Ok(true)
}

/// Runs what is pending, inside the caller's transaction; returns how many ran.
///
/// # Errors
/// A migration failed; the caller rolls back.
pub fn run_pending(db: &mut Db) -> Result<usize> {
    let ran =
        MigrationHarness::<MultiBackend>::run_pending_migrations(db, MIGRATIONS).map_err(Error::internal)?;
    Ok(ran.len())
}
