//! Guards: triggers that refuse UPDATE, DELETE, TRUNCATE and REPLACE on the ledger, on signatures and on approved
//! text, for our own connections and for a stranger's. They slow an intruder down; the cryptography is the evidence.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::Db;
use crate::error::Result;

const SQLITE: &str = include_str!("guards/sqlite.sql");
const POSTGRES: &str = include_str!("guards/postgres.sql");

#[derive(QueryableByName, PartialEq, Eq)]
struct Trigger {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    owner: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    definition: String,
}

const SQLITE_TRIGGERS: &str = "SELECT name, tbl_name AS owner, sql AS definition FROM sqlite_master \
     WHERE type = 'trigger' AND name LIKE 'guard\\_%' ESCAPE '\\' ORDER BY name";

// Whatever decides that a guard fires, and what it then does, is part of it: whether replication could pass it by, the
// events, that no condition, column list or argument narrows it, the function's own source, language and settings.
const POSTGRES_TRIGGERS: &str = "SELECT CAST(t.tgname AS TEXT) AS name, CAST(c.relname AS TEXT) AS owner, \
     CAST(t.tgenabled AS TEXT) || ' ' || CAST(t.tgtype AS TEXT) || ' ' || CASE WHEN t.tgqual IS NULL \
     AND CAST(t.tgattr AS TEXT) = '' AND t.tgnargs = 0 AND l.lanname = 'plpgsql' AND p.proconfig IS NULL \
     THEN 'whole' ELSE 'narrowed' END || ' ' || p.prosrc AS definition \
     FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid \
     JOIN pg_language l ON l.oid = p.prolang JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE NOT t.tgisinternal AND n.nspname = current_schema() AND t.tgname LIKE 'guard\\_%' ORDER BY name";

fn present(db: &mut Db) -> Result<Vec<Trigger>> {
    let sql = match db {
        Db::Sqlite(_) => SQLITE_TRIGGERS,
        Db::Postgres(_) => POSTGRES_TRIGGERS,
    };
    Ok(diesel::sql_query(sql).load(db)?)
}

/// Takes all guards away; only for a migration, inside its transaction.
///
/// # Errors
/// The database refuses.
pub fn lift_guards(db: &mut Db) -> Result<()> {
    for trigger in present(db)? {
        let drop = match db {
            Db::Sqlite(_) => format!("DROP TRIGGER {}", trigger.name),
            Db::Postgres(_) => format!("DROP TRIGGER {} ON {}", trigger.name, trigger.owner),
        };
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

/// Names the guards that are missing or altered; empty when all stand as this version sets them.
///
/// # Errors
/// The database does not answer.
pub fn guard_faults(db: &mut Db) -> Result<Vec<String>> {
    let present = present(db)?;
    let expected = match db {
        Db::Sqlite(_) => expected_sqlite(),
        Db::Postgres(_) => expected_postgres(),
    };
    let stands = |name: &str, owner: &str, definition: &str| {
        present.iter().any(|t| t.name == name && t.owner == owner && t.definition == definition)
    };
    Ok(expected
        .into_iter()
        .filter(|(name, owner, definition)| !stands(name, owner, definition))
        .map(|(name, ..)| name)
        .collect())
}

/// SQLite keeps the text of a trigger as it was written.
fn expected_sqlite() -> Vec<(String, String, String)> {
    SQLITE
        .lines()
        .filter_map(|line| {
            let definition = line.strip_suffix(';')?;
            let mut words = definition.strip_prefix("CREATE TRIGGER ")?.split(' ');
            let name = words.next()?.to_owned();
            let owner = words.skip_while(|word| *word != "ON").nth(1)?.to_owned();
            Some((name, owner, definition.to_owned()))
        })
        .collect()
}

/// `tgtype` as PostgreSQL numbers it: row 1, before 2, insert 4, delete 8, update 16, truncate 32.
fn expected_postgres() -> Vec<(String, String, String)> {
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
            Some((name.to_owned(), owner.to_owned(), format!("A {kind} whole {}", source(function)?)))
        })
        .collect()
}
