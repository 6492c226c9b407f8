//! Copies and the marks of prints in the database.

use diesel::prelude::*;

use super::record::{Copy, mark};
use crate::error::{Error, Result};
use crate::ledger::entry;
use crate::ledger::lane::Tx;
use crate::ledger::store as ledger;
use crate::ledger::subject::{Governed, Snapshot};
use crate::store::Db;
use crate::store::schema::{document_copy, print_mark};
use crate::time::Timestamp;

/// Copies, as `verify` recomputes them.
pub const GOVERNED: Governed = Governed { kind: "copy", tables: &["document_copy"], ids, snapshot };

fn ids(db: &mut Db) -> Result<Vec<String>> {
    let ids: Vec<(String, i64)> =
        document_copy::table.select((document_copy::document, document_copy::n)).load(db)?;
    Ok(ids.into_iter().map(|(document, n)| format!("{document}/{n}")).collect())
}

fn snapshot(db: &mut Db, id: &str) -> Result<Option<Snapshot>> {
    let Some((document, n)) = id.rsplit_once('/') else { return Ok(None) };
    let Ok(n) = n.parse() else { return Ok(None) };
    Ok(find(db, document, n)?.map(|copy| copy.snapshot()))
}

/// A copy of a document by its number.
///
/// # Errors
/// The database does not answer.
pub fn find(db: &mut Db, document: &str, n: i64) -> Result<Option<Copy>> {
    Ok(document_copy::table.find((document, n)).first(db).optional()?)
}

/// The same, refused with 404.
///
/// # Errors
/// 404, also for a text that is no number.
pub fn require(db: &mut Db, document: &str, n: &str) -> Result<Copy> {
    let unknown = || Error::not_found("copy", format!("{document}/{n}"));
    // One spelling: "07" and "+7" name nothing.
    let number: i64 = n.parse().ok().filter(|number: &i64| number.to_string() == n).ok_or_else(unknown)?;
    find(db, document, number)?.ok_or_else(unknown)
}

/// All copies of a document, the newest first.
///
/// # Errors
/// The database does not answer.
pub fn of(db: &mut Db, document: &str) -> Result<Vec<Copy>> {
    Ok(document_copy::table
        .filter(document_copy::document.eq(document))
        .order(document_copy::n.desc())
        .load(db)?)
}

/// All copies that are still out, by document and number.
///
/// # Errors
/// The database does not answer.
pub fn out(db: &mut Db) -> Result<Vec<Copy>> {
    Ok(document_copy::table
        .filter(document_copy::settled_at.is_null())
        .order((document_copy::document, document_copy::n))
        .load(db)?)
}

/// Copies after a place, by document and number; all, or only those still out.
///
/// # Errors
/// The database does not answer.
pub fn page(db: &mut Db, all: bool, after: Option<&(String, i64)>, most: i64) -> Result<Vec<Copy>> {
    let mut query = document_copy::table.into_boxed();
    if !all {
        query = query.filter(document_copy::settled_at.is_null());
    }
    if let Some((document, n)) = after {
        let later = document_copy::document.eq(document.clone()).and(document_copy::n.gt(*n));
        query = query.filter(document_copy::document.gt(document.clone()).or(later));
    }
    Ok(query.order((document_copy::document, document_copy::n)).limit(most).load(db)?)
}

/// The number of the next copy of a document.
///
/// # Errors
/// The database does not answer.
pub fn next(db: &mut Db, document: &str) -> Result<i64> {
    let highest: Option<i64> = document_copy::table
        .filter(document_copy::document.eq(document))
        .select(diesel::dsl::max(document_copy::n))
        .first(db)?;
    Ok(highest.unwrap_or(0) + 1)
}

/// The copy that has this token.
///
/// # Errors
/// The database does not answer.
pub fn by_token(db: &mut Db, token: &str) -> Result<Option<Copy>> {
    Ok(document_copy::table.filter(document_copy::token.eq(token)).first(db).optional()?)
}

/// Adds a copy.
///
/// # Errors
/// The database refuses.
pub fn insert(tx: &mut Tx<'_>, copy: &Copy) -> Result<()> {
    diesel::insert_into(document_copy::table).values(copy).execute(tx.rows())?;
    Ok(())
}

/// Writes a copy's recall and end anew.
///
/// # Errors
/// The database refuses.
pub fn update(tx: &mut Tx<'_>, copy: &Copy) -> Result<()> {
    diesel::update(document_copy::table.find((&copy.document, copy.n)))
        .set((
            document_copy::recalled_at.eq(copy.recalled_at),
            document_copy::outcome.eq(&copy.outcome),
            document_copy::note.eq(&copy.note),
            document_copy::settled_at.eq(copy.settled_at),
            document_copy::settled_by.eq(&copy.settled_by),
        ))
        .execute(tx.rows())?;
    Ok(())
}

/// Keeps where the entry of a print stands.
///
/// # Errors
/// The database refuses.
pub fn insert_mark(tx: &mut Tx<'_>, mark: &str, (epoch, seq): (i64, u64)) -> Result<()> {
    let seq = i64::try_from(seq).map_err(Error::internal)?;
    diesel::insert_into(print_mark::table)
        .values((print_mark::mark.eq(mark), print_mark::epoch.eq(epoch), print_mark::seq.eq(seq)))
        .execute(tx.rows())?;
    Ok(())
}

/// An uncontrolled print as its entry tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Print {
    /// The document's number.
    pub document: String,
    /// The version.
    pub version: String,
    /// When it was made.
    pub at: Timestamp,
}

/// The print that has this token. The row is only the way to the entry: what counts is what the entry says, and an
/// entry that does not name the mark is not believed.
///
/// # Errors
/// The database does not answer.
pub fn print(db: &mut Db, token: &str) -> Result<Option<Print>> {
    let mark = mark(token);
    let place: Option<(i64, i64)> =
        print_mark::table.find(&mark).select((print_mark::epoch, print_mark::seq)).first(db).optional()?;
    let Some((epoch, seq)) = place else { return Ok(None) };
    let seq = u64::try_from(seq).map_err(Error::internal)?;
    let Some(row) = ledger::rows(db, epoch, seq..seq + 1)?.pop() else { return Ok(None) };
    let Ok(parsed) = entry::parse(&row.entry) else { return Ok(None) };
    let Ok(body) = serde_json::from_str::<serde_json::Value>(parsed.body) else { return Ok(None) };
    let id = body["obj"]["id"].as_str().and_then(|id| id.split_once('/'));
    let at = Timestamp::parse(parsed.head.ts);
    match (id, at) {
        (Some((document, version)), Some(at)) if body["mark"] == mark.as_str() => {
            Ok(Some(Print { document: document.to_owned(), version: version.to_owned(), at }))
        }
        _ => Ok(None),
    }
}
