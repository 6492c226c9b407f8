//! Guards: triggers that refuse UPDATE, DELETE, TRUNCATE and REPLACE on the ledger, on signatures and on approved
//! text, for our own connections and for a stranger's. They slow an intruder down; the cryptography is the evidence.
//! A trigger or rule that is none of them could swallow a write that we then acknowledge: it is named as a fault too, and
//! never taken away by us, since it is not ours.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::Db;
use crate::error::Result;

const SQLITE: &str = include_str!("guards/sqlite.sql");
const POSTGRES: &str = include_str!("guards/postgres.sql");

/// What of the kind `TRIGGER` or `RULE` stands on a table of ours.
#[derive(QueryableByName)]
struct Standing {
    #[diesel(sql_type = diesel::sql_types::Text)]
    kind: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    owner: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    definition: String,
}

/// A guard as this version sets it.
struct Guard {
    name: String,
    owner: String,
    definition: String,
}

/// In what the tables' triggers and rules differ from what this version sets.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct GuardFaults {
    /// The names of guards that are missing or altered; a migration sets them again.
    pub altered: Vec<String>,
    /// Triggers and rules that are not ours, which could swallow or change what is written without a word: each as its
    /// table and the statement that takes it away.
    pub added: Vec<String>,
}

impl GuardFaults {
    /// Whether all stands as this version sets it, and nothing else.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.altered.is_empty() && self.added.is_empty()
    }
}

const SQLITE_STANDING: &str = "SELECT 'TRIGGER' AS kind, name, tbl_name AS owner, sql AS definition \
     FROM sqlite_master WHERE type = 'trigger' ORDER BY owner, name";

// Whatever decides that a guard fires, and what it then does, is part of it: whether replication could pass it by, the
// events, that no condition, column list or argument narrows it, the function's own source, language and settings.
const POSTGRES_STANDING: &str = "SELECT 'TRIGGER' AS kind, CAST(t.tgname AS TEXT) AS name, \
     CAST(c.relname AS TEXT) AS owner, \
     CAST(t.tgenabled AS TEXT) || ' ' || CAST(t.tgtype AS TEXT) || ' ' || CASE WHEN t.tgqual IS NULL \
     AND CAST(t.tgattr AS TEXT) = '' AND t.tgnargs = 0 AND l.lanname = 'plpgsql' AND p.proconfig IS NULL \
     THEN 'whole' ELSE 'narrowed' END || ' ' || p.prosrc AS definition \
     FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid \
     JOIN pg_language l ON l.oid = p.prolang JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE NOT t.tgisinternal AND n.nspname = current_schema() AND c.relkind IN ('r', 'p') \
     UNION ALL SELECT 'RULE', CAST(r.rulename AS TEXT), CAST(c.relname AS TEXT), '' \
     FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') ORDER BY owner, name";

fn standing(db: &mut Db) -> Result<Vec<Standing>> {
    let sql = match db {
        Db::Sqlite(_) => SQLITE_STANDING,
        Db::Postgres(_) => POSTGRES_STANDING,
    };
    Ok(diesel::sql_query(sql).load(db)?)
}

impl Standing {
    /// The prefix is ours, that of guards of earlier versions too.
    fn is_named_as_a_guard(&self) -> bool {
        self.kind == "TRIGGER" && self.name.to_ascii_lowercase().starts_with("guard_")
    }

    fn is(&self, guard: &Guard) -> bool {
        self.kind == "TRIGGER" && self.name == guard.name && self.owner == guard.owner
    }

    /// The statement that takes it away; its names are a stranger's.
    fn drop(&self, db: &Db) -> String {
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let (kind, name) = (&self.kind, quoted(&self.name));
        match db {
            Db::Sqlite(_) => format!("DROP {kind} {name}"),
            Db::Postgres(_) => format!("DROP {kind} {name} ON {}", quoted(&self.owner)),
        }
    }
}

/// Takes all guards away, and nothing that is not named as one; only for a migration, inside its transaction.
///
/// # Errors
/// The database refuses.
pub fn lift_guards(db: &mut Db) -> Result<()> {
    for guard in standing(db)?.iter().filter(|standing| standing.is_named_as_a_guard()) {
        let drop = guard.drop(db);
        db.batch_execute(&drop)?;
    }
    Ok(())
}

/// Sets all guards, in the caller's transaction; none may be there.
///
/// # Errors
/// The database refuses.
pub fn set_guards(db: &mut Db) -> Result<()> {
    let sql = match db {
        Db::Sqlite(_) => SQLITE,
        Db::Postgres(_) => POSTGRES,
    };
    Ok(db.batch_execute(sql)?)
}

/// Names the guards that are missing or altered, and the triggers and rules on our tables that are not ours.
///
/// # Errors
/// The database does not answer.
pub fn guard_faults(db: &mut Db) -> Result<GuardFaults> {
    let standing = standing(db)?;
    let expected = match db {
        Db::Sqlite(_) => expected_sqlite(),
        Db::Postgres(_) => expected_postgres(),
    };
    let stands = |guard: &Guard| standing.iter().any(|s| s.is(guard) && s.definition == guard.definition);
    let ours = |standing: &Standing| expected.iter().any(|guard| standing.is(guard));
    let told = |standing: &Standing| format!("{}: {}", standing.owner, standing.drop(db));
    let added = standing.iter().filter(|standing| !ours(standing)).map(told).collect();
    let altered = expected.iter().filter(|guard| !stands(guard)).map(|guard| guard.name.clone()).collect();
    Ok(GuardFaults { altered, added })
}

/// SQLite keeps the text of a trigger as it was written.
fn expected_sqlite() -> Vec<Guard> {
    SQLITE
        .lines()
        .filter_map(|line| {
            let definition = line.strip_suffix(';')?;
            let mut words = definition.strip_prefix("CREATE TRIGGER ")?.split(' ');
            let name = words.next()?.to_owned();
            let owner = words.skip_while(|word| *word != "ON").nth(1)?.to_owned();
            Some(Guard { name, owner, definition: definition.to_owned() })
        })
        .collect()
}

/// `tgtype` as PostgreSQL numbers it: row 1, before 2, insert 4, delete 8, update 16, truncate 32.
fn expected_postgres() -> Vec<Guard> {
    let source = |function: &str| {
        let (_, rest) =
            POSTGRES.split_once(&format!("FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$"))?;
        Some(rest.split_once("$$;")?.0.to_owned())
    };
    POSTGRES
        .lines()
        .filter_map(|line| {
            let rest = line.strip_prefix("CREATE TRIGGER ")?;
            let (name, rest) = rest.split_once(" BEFORE ")?;
            let (events, rest) = rest.split_once(" ON ")?;
            let (owner, rest) = rest.split_once(" FOR EACH ")?;
            let (each, rest) = rest.split_once(" EXECUTE FUNCTION ")?;
            let function = rest.strip_suffix("();")?;
            let kind: i32 = 2
                + if each == "ROW" { 1 } else { 0 }
                + events
                    .split(" OR ")
                    .map(|event| match event {
                        "INSERT" => 4,
                        "DELETE" => 8,
                        "UPDATE" => 16,
                        _ => 32,
                    })
                    .sum::<i32>();
            let definition = format!("A {kind} whole {}", source(function)?);
            Some(Guard { name: name.to_owned(), owner: owner.to_owned(), definition })
        })
        .collect()
}
