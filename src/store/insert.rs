//! The lane's own rows, many at a time: on PostgreSQL, where a round trip costs most, one statement that takes each
//! column as an array and is therefore the same for any number of rows; on SQLite, where parsing does, one prepared
//! statement run again and again.

use diesel::prelude::*;

use super::schema::{content, ledger_entry, sealed_value};
use super::{ContentRow, Db};
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

/// Bytes to keep under their SHA-256.
#[derive(Debug, Clone)]
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

/// One statement on PostgreSQL for any number of rows: each column goes in as one array, so that the statement is
/// prepared once.
mod columns {
    use diesel::pg::Pg;
    use diesel::query_builder::{AstPass, QueryFragment, QueryId};
    use diesel::sql_types::{Array, BigInt, Binary, Nullable, Text};
    use diesel::{PgConnection, QueryResult, RunQueryDsl};

    /// Columns of `ledger_entry`.
    pub struct Entries<'a> {
        pub numbers: [Vec<i64>; 3],
        pub bytes: [Vec<&'a [u8]>; 2],
        pub act: Vec<&'a str>,
        pub texts: [Vec<Option<&'a str>>; 3],
    }

    impl QueryFragment<Pg> for Entries<'_> {
        fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
            out.push_sql(
                "INSERT INTO ledger_entry (epoch, seq, ts, entry, leaf, act, actor, obj_kind, obj_id) \
                 SELECT * FROM unnest(",
            );
            for numbers in &self.numbers {
                out.push_bind_param::<Array<BigInt>, _>(numbers)?;
                out.push_sql(", ");
            }
            for bytes in &self.bytes {
                out.push_bind_param::<Array<Binary>, _>(bytes)?;
                out.push_sql(", ");
            }
            out.push_bind_param::<Array<Text>, _>(&self.act)?;
            for texts in &self.texts {
                out.push_sql(", ");
                out.push_bind_param::<Array<Nullable<Text>>, _>(texts)?;
            }
            out.push_sql(")");
            Ok(())
        }
    }

    impl QueryId for Entries<'_> {
        type QueryId = Entries<'static>;
        const HAS_STATIC_QUERY_ID: bool = true;
    }

    impl RunQueryDsl<PgConnection> for Entries<'_> {}

    /// Columns of `content`.
    pub struct Contents<'a> {
        pub sha256: Vec<&'a str>,
        pub bytes: Vec<&'a [u8]>,
        pub unpacked: Vec<Option<i64>>,
    }

    impl QueryFragment<Pg> for Contents<'_> {
        fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
            out.push_sql("INSERT INTO content (sha256, bytes, unpacked) SELECT * FROM unnest(");
            out.push_bind_param::<Array<Text>, _>(&self.sha256)?;
            out.push_sql(", ");
            out.push_bind_param::<Array<Binary>, _>(&self.bytes)?;
            out.push_sql(", ");
            out.push_bind_param::<Array<Nullable<BigInt>>, _>(&self.unpacked)?;
            out.push_sql(") ON CONFLICT DO NOTHING");
            Ok(())
        }
    }

    impl QueryId for Contents<'_> {
        type QueryId = Contents<'static>;
        const HAS_STATIC_QUERY_ID: bool = true;
    }

    impl RunQueryDsl<PgConnection> for Contents<'_> {}
}

/// One column of many rows.
fn column<'a, R, T>(rows: &'a [R], of: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

/// Appends entries.
pub fn insert_entries(db: &mut Db, rows: &[NewEntryRow]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    match db {
        Db::Postgres(postgres) => {
            columns::Entries {
                numbers: [
                    column(rows, |row| row.epoch),
                    column(rows, |row| row.seq),
                    column(rows, |row| row.ts),
                ],
                bytes: [column(rows, |row| row.entry.as_slice()), column(rows, |row| row.leaf.as_slice())],
                act: column(rows, |row| row.act.as_str()),
                texts: [
                    column(rows, |row| row.actor.as_deref()),
                    column(rows, |row| row.obj_kind.as_deref()),
                    column(rows, |row| row.obj_id.as_deref()),
                ],
            }
            .execute(postgres)?;
        }
        Db::Sqlite(sqlite) => {
            for row in rows {
                diesel::insert_into(ledger_entry::table).values(row).execute(sqlite)?;
            }
        }
    }
    Ok(())
}

/// Keeps content, packed; what is already there under its hash stays.
pub fn insert_contents(db: &mut Db, rows: &[NewContent]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows: Vec<ContentRow> =
        rows.iter().map(|row| ContentRow::pack(row.sha256.clone(), &row.bytes)).collect::<Result<_>>()?;
    match db {
        Db::Postgres(postgres) => {
            columns::Contents {
                sha256: column(&rows, |row| row.sha256.as_str()),
                bytes: column(&rows, |row| row.bytes.as_slice()),
                unpacked: column(&rows, |row| row.unpacked),
            }
            .execute(postgres)?;
        }
        // The guard on `content` lets a second insert of the same hash pass as no change.
        Db::Sqlite(sqlite) => {
            for row in &rows {
                diesel::insert_into(content::table).values(row).execute(sqlite)?;
            }
        }
    }
    Ok(())
}

/// Keeps sealed values; fewer than entries, so a statement of as many rows will do.
pub fn insert_sealed(db: &mut Db, rows: &[NewSealed]) -> Result<()> {
    match db {
        Db::Postgres(postgres) => {
            for rows in rows.chunks(1000) {
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
