//! Rows as both engines can write and read them: one JSON object a row, bytes as `\x` and hexadecimal digits. So a
//! backup made on one engine is restored on the other, and an installation moves between them.
//!
//! The engines make and take the objects themselves; what the tables are is asked of their catalogues, never of input.

use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::{Db, tables};
use crate::error::{Error, Result};

/// Rows fetched at once from a PostgreSQL cursor.
const FETCHED: usize = 500;

/// A table and its columns, as the catalogue lists them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    columns: Vec<Column>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    name: String,
    bytes: bool,
    /// The place in the primary key, from 1; 0 for others.
    key: i64,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

#[derive(QueryableByName)]
struct Described {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    key: i64,
}

const SQLITE_COLUMNS: &str =
    "SELECT name, lower(type) AS kind, CAST(pk AS BIGINT) AS key FROM pragma_table_info($1) ORDER BY cid";

const POSTGRES_COLUMNS: &str = "SELECT CAST(a.attname AS TEXT) AS name, format_type(a.atttypid, NULL) AS kind, \
     CAST(COALESCE(array_position(CAST(i.indkey AS SMALLINT[]), a.attnum), -1) + 1 AS BIGINT) AS key \
     FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary \
     WHERE a.attrelid = CAST($1 AS regclass) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

const SQLITE_PARENTS: &str = "SELECT DISTINCT \"table\" AS line FROM pragma_foreign_key_list($1)";

const POSTGRES_PARENTS: &str = "SELECT DISTINCT CAST(c.relname AS TEXT) AS line FROM pg_constraint k \
     JOIN pg_class c ON c.oid = k.confrelid WHERE k.contype = 'f' AND k.conrelid = CAST($1 AS regclass)";

/// All tables of ours but the schema's own history, each after those that its foreign keys name.
///
/// # Errors
/// The database does not answer.
pub fn tables_in_order(db: &mut Db) -> Result<Vec<Table>> {
    let mut waiting: Vec<(String, Vec<String>)> = Vec::new();
    for name in tables(db)?.into_iter().filter(|name| name != "__diesel_schema_migrations") {
        let sql = if matches!(db, Db::Sqlite(_)) { SQLITE_PARENTS } else { POSTGRES_PARENTS };
        let parents: Vec<Line> = diesel::sql_query(sql).bind::<Text, _>(&name).load(db)?;
        let parents = parents.into_iter().map(|line| line.line).filter(|parent| *parent != name).collect();
        waiting.push((name, parents));
    }
    let mut ordered = Vec::new();
    while !waiting.is_empty() {
        let names: Vec<String> = waiting.iter().map(|(name, _)| name.clone()).collect();
        let free = |(_, parents): &(String, Vec<String>)| !parents.iter().any(|p| names.contains(p));
        let at = waiting.iter().position(free).ok_or_else(|| Error::internal("tables refer in a circle"))?;
        let (name, _) = waiting.remove(at);
        ordered.push(table(db, name)?);
    }
    Ok(ordered)
}

fn table(db: &mut Db, name: String) -> Result<Table> {
    let sql = if matches!(db, Db::Sqlite(_)) { SQLITE_COLUMNS } else { POSTGRES_COLUMNS };
    let described: Vec<Described> = diesel::sql_query(sql).bind::<Text, _>(&name).load(db)?;
    let columns = described.into_iter().map(|column| Column {
        bytes: matches!(column.kind.as_str(), "bytea" | "blob"),
        name: column.name,
        key: column.key,
    });
    Ok(Table { name, columns: columns.collect() })
}

impl Table {
    /// Hands over every row in the order of its key, one JSON object each, without holding them in memory. To be called
    /// inside a transaction.
    ///
    /// # Errors
    /// The database does not answer, or what `take` refuses.
    pub fn each_row(&self, db: &mut Db, mut take: impl FnMut(&str) -> Result<()>) -> Result<()> {
        let mut key: Vec<&Column> = self.columns.iter().filter(|column| column.key > 0).collect();
        key.sort_by_key(|column| column.key);
        let order: Vec<&str> = key.iter().map(|column| column.name.as_str()).collect();
        let order = if order.is_empty() { "1".to_owned() } else { order.join(", ") };
        match db {
            Db::Sqlite(sqlite) => {
                let members: Vec<String> = self.columns.iter().map(Column::member).collect();
                let sql = format!(
                    "SELECT json_object({}) AS line FROM {} ORDER BY {order}",
                    members.join(", "),
                    self.name
                );
                let rows = diesel::sql_query(sql).load_iter::<Line, DefaultLoadingMode>(sqlite)?;
                for row in rows {
                    take(&row?.line)?;
                }
            }
            Db::Postgres(postgres) => {
                let sql = format!(
                    "DECLARE rows_of_one_table NO SCROLL CURSOR FOR SELECT CAST(row_to_json(t) AS TEXT) AS line \
                     FROM (SELECT * FROM {} ORDER BY {order}) t",
                    self.name
                );
                diesel::sql_query(sql).execute(postgres)?;
                loop {
                    let fetch = format!("FETCH {FETCHED} FROM rows_of_one_table");
                    let rows: Vec<Line> = diesel::sql_query(fetch).load(postgres)?;
                    if rows.is_empty() {
                        break;
                    }
                    rows.iter().try_for_each(|row| take(&row.line))?;
                }
                diesel::sql_query("CLOSE rows_of_one_table").execute(postgres)?;
            }
        }
        Ok(())
    }

    /// Puts rows in, given as a JSON array of objects; a column that they lack is left empty.
    ///
    /// # Errors
    /// The database refuses a row; the caller rolls back.
    pub fn load(&self, db: &mut Db, rows: &str) -> Result<()> {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        let (name, names) = (&self.name, names.join(", "));
        let sql = match db {
            Db::Sqlite(_) => {
                let values: Vec<String> = self.columns.iter().map(Column::value).collect();
                format!("INSERT INTO {name} ({names}) SELECT {} FROM json_each($1)", values.join(", "))
            }
            Db::Postgres(_) => format!(
                "INSERT INTO {name} ({names}) SELECT {names} FROM \
                 json_populate_recordset(CAST(NULL AS {name}), CAST($1 AS json))"
            ),
        };
        diesel::sql_query(sql).bind::<Text, _>(rows).execute(db)?;
        Ok(())
    }
}

impl Column {
    /// The name and value of a member of SQLite's `json_object`.
    fn member(&self) -> String {
        let name = &self.name;
        match self.bytes {
            true => format!("'{name}', CASE WHEN {name} IS NOT NULL THEN '\\x' || lower(hex({name})) END"),
            false => format!("'{name}', {name}"),
        }
    }

    /// The member's value as SQLite takes it out again.
    fn value(&self) -> String {
        let member = format!("json_extract(value, '$.{}')", self.name);
        match self.bytes {
            true => format!("unhex(substr({member}, 3))"),
            false => member,
        }
    }
}
