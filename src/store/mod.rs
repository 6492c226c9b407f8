//! Where the rows live: one code over SQLite and PostgreSQL.
//!
//! Promises: a connection is opened by the URL's scheme and never guessed; readers are handed connections that the
//! database itself holds read-only; what the two engines say differently is said here and nowhere else. The write
//! lane, which alone may write, stands one floor up in [`crate::ledger::lane`], since no row changes without an entry.

mod both;
mod connection;
mod content;
mod guards;
mod insert;
mod lease;
mod migrations;
pub mod portable;
mod readers;
pub mod schema;

use std::path::PathBuf;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;

pub use both::OnBoth;
pub use connection::{Db, MultiBackend};
pub use content::{ContentRow, content_bytes};
pub use guards::{GuardFaults, guard_faults, lift_guards, set_guards};
pub use insert::{NewContent, NewEntryRow, NewSealed, insert_contents, insert_entries, insert_sealed};
pub use lease::Lease;
pub use migrations::{SchemaState, applied, run_pending, run_these, schema_state};
pub use readers::Readers;

use crate::error::{Error, Result};

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum Target {
    /// A file of ours.
    Sqlite(PathBuf),
    /// A `postgres://` address, password and all: never printed.
    Postgres(String),
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => write!(f, "{}", redacted(url)),
        }
    }
}

/// A database address without its password and its query; what could be either is not shown at all.
pub fn redacted(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "***".to_owned() };
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    if let Some((user, place)) = address.rsplit_once('@') {
        let user = user.split_once(':').map_or(user.to_owned(), |(user, _)| format!("{user}:***"));
        return format!("{scheme}://{user}@{place}");
    }
    // Without an @ before it, a port that is no number, or an @ further on, may be part of a password.
    match query.contains('@') || !has_ports(rest) {
        true => format!("{scheme}://***"),
        false => format!("{scheme}://{address}"),
    }
}

/// Whether the ports of an address are numbers. They are not where a password with `/` or `?` stands unencoded: libpq
/// would take part of it for a port, and print it.
fn has_ports(rest: &str) -> bool {
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    hosts.split(',').all(|host| {
        let after = host.rsplit_once(']').map_or(host, |(_, after)| after);
        after.split_once(':').is_none_or(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Reading; the engine refuses every write.
    Read,
    /// The lane's own connection, migrations, and tests that play the stranger.
    Write,
}

impl Target {
    /// The target that `--database-url` names.
    ///
    /// # Errors
    /// Anything but `postgres://` or `postgresql://`: a mistyped address must not become a stray file. A port that is
    /// no number.
    pub fn from_url(url: &str) -> Result<Self> {
        match url.split_once("://") {
            Some(("postgres" | "postgresql", rest)) if has_ports(rest) => Ok(Self::Postgres(url.to_owned())),
            _ => Err(Error::invalid("database_url", "database-url")),
        }
    }

    /// Opens a connection for `purpose` and sets it up.
    ///
    /// # Errors
    /// The database cannot be reached or refuses its settings.
    pub fn open(&self, purpose: Purpose) -> Result<Db> {
        match self {
            Self::Sqlite(path) => open_sqlite(path, purpose).map(Db::Sqlite),
            Self::Postgres(url) => open_postgres(url, purpose).map(Db::Postgres),
        }
    }
}

fn open_sqlite(path: &std::path::Path, purpose: Purpose) -> Result<SqliteConnection> {
    let path = path.to_str().ok_or_else(|| Error::internal("the database's path is not UTF-8"))?;
    let mut db = SqliteConnection::establish(path).map_err(Error::internal)?;
    // busy_timeout first: setting WAL may itself have to wait.
    db.batch_execute(
        "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
         PRAGMA foreign_keys = ON; PRAGMA cache_size = -16000; PRAGMA wal_autocheckpoint = 4000; \
         PRAGMA secure_delete = ON;",
    )?;
    if purpose == Purpose::Read {
        db.batch_execute("PRAGMA query_only = ON")?;
    }
    Ok(db)
}

fn open_postgres(url: &str, purpose: Purpose) -> Result<PgConnection> {
    let mut db = PgConnection::establish(url)
        .map_err(|error| Error::unavailable("database").caused_by(error.to_string()))?;
    db.batch_execute("SET timezone = 'UTC'; SET client_min_messages = warning; SET lock_timeout = '60s'")?;
    if purpose == Purpose::Read {
        db.batch_execute(
            "SET default_transaction_read_only = on; SET default_transaction_isolation = 'repeatable read'",
        )?;
    }
    Ok(db)
}

/// Begins a transaction in which nobody else writes the ledger: `BEGIN IMMEDIATE`, or an advisory lock that the
/// nodes of one installation take in turn, as the transaction's first statement.
pub fn begin_write(db: &mut Db) -> Result<()> {
    match db {
        Db::Sqlite(sqlite) => AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN IMMEDIATE")?,
        Db::Postgres(postgres) => {
            // One round trip; a later statement sees what whoever held the lock before has committed.
            let begin = "BEGIN; SELECT pg_advisory_xact_lock(7355608)";
            AnsiTransactionManager::begin_transaction_sql(postgres, begin)?;
        }
    }
    Ok(())
}

/// Commits what [`begin_write`] began.
pub fn commit(db: &mut Db) -> Result<()> {
    Ok(<Db as Connection>::TransactionManager::commit_transaction(db)?)
}

/// Rolls back what [`begin_write`] began; a connection that cannot even do that is lost and said to be.
pub fn rollback(db: &mut Db) -> Result<()> {
    Ok(<Db as Connection>::TransactionManager::rollback_transaction(db)?)
}

/// Has the engine drop what it still keeps of deleted rows beside its tables: the write-ahead log on SQLite, dead rows on
/// PostgreSQL. Readers that are at work may keep some of it until they end.
///
/// # Errors
/// The database does not answer, or does not let this role tidy.
pub fn scrub(target: &Target) -> Result<()> {
    let mut db = target.open(Purpose::Write)?;
    let sql = match db {
        Db::Sqlite(_) => "PRAGMA wal_checkpoint(TRUNCATE)",
        Db::Postgres(_) => {
            "VACUUM sealed_value, content, signature, sales_order, order_line, order_event, order_hold, deviation, \
             deviation_order, deviation_batch, recall, recall_batch, recall_clock, recall_line, recall_customer, \
             correction, record_transition, link"
        }
    };
    Ok(db.batch_execute(sql)?)
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = diesel::sql_types::Text)]
    answer: String,
}

/// The settings under which an acknowledged change could be lost; empty when the database is durable.
///
/// # Errors
/// The database does not answer.
pub fn unsafe_durability(db: &mut Db) -> Result<Vec<String>> {
    let questions: &[(&str, &str, &[&str])] = match db {
        Db::Sqlite(_) => &[
            ("journal_mode", "SELECT journal_mode AS answer FROM pragma_journal_mode", &["wal"]),
            (
                "synchronous",
                "SELECT CAST(synchronous AS TEXT) AS answer FROM pragma_synchronous",
                &["2", "3"],
            ),
        ],
        Db::Postgres(_) => &[
            ("fsync", "SELECT current_setting('fsync') AS answer", &["on"]),
            ("full_page_writes", "SELECT current_setting('full_page_writes') AS answer", &["on"]),
            (
                "synchronous_commit",
                "SELECT current_setting('synchronous_commit') AS answer",
                &["on", "remote_apply"],
            ),
        ],
    };
    let mut unsafe_settings = Vec::new();
    for (name, sql, accepted) in questions {
        let Answer { answer } = diesel::sql_query(*sql).get_result(db)?;
        if !accepted.contains(&answer.as_str()) {
            unsafe_settings.push(format!("{name} = {answer}"));
        }
    }
    Ok(unsafe_settings)
}

/// The names of all tables of ours, as the database's own catalogue lists them.
///
/// # Errors
/// The database does not answer.
pub fn tables(db: &mut Db) -> Result<Vec<String>> {
    let sql = match db {
        Db::Sqlite(_) => {
            "SELECT name AS answer FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        }
        Db::Postgres(_) => {
            "SELECT CAST(tablename AS TEXT) AS answer FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
        }
    };
    let rows: Vec<Answer> = diesel::sql_query(sql).load(db)?;
    Ok(rows.into_iter().map(|row| row.answer).collect())
}

/// A text as itself in a pattern of `LIKE … ESCAPE '\'`.
pub fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// How many rows a table has; `table` is one of [`tables`], never input.
///
/// # Errors
/// The database does not answer.
pub fn count(db: &mut Db, table: &str) -> Result<u64> {
    let Answer { answer } =
        diesel::sql_query(format!("SELECT CAST(COUNT(*) AS TEXT) AS answer FROM {table}")).get_result(db)?;
    answer.parse().map_err(Error::internal)
}
