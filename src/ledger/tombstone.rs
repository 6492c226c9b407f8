//! What is left of a record that was disposed of: which, by which disposal and rule, when, and the digest of what went.
//!
//! A tombstone is its subject's last state: the entry that disposes of it seals it like any other, and its `pre` is the
//! hash of what was removed. So the subject's own chain stays whole, `verify` finds a record that vanished without one,
//! and a record that came back beside it. A tombstone names the personal values and the content that went with it.

use std::collections::HashMap;

use diesel::prelude::*;
use serde_json::Value;

use super::canon;
use super::digest::Digest;
use super::entry::parse;
use super::lane::Tx;
use super::subject::{Governed, Row, Snapshot, Subject};
use crate::error::{Error, Kind, Result};
use crate::store::schema::{content, disposed, disposed_content, disposed_value, sealed_value};
use crate::store::{Db, content_bytes};
use crate::time::Timestamp;

/// The kinds of record that may be disposed of; links only along with what they tie.
pub const KINDS: [&str; 4] = ["order", "deviation", "recall", "link"];

/// The tombstones of the kind at this place of [`KINDS`], as `verify` recomputes them beside the living records.
pub const fn governed<const AT: usize>() -> Governed {
    Governed {
        kind: KINDS[AT],
        tables: &["disposed", "disposed_value", "disposed_content"],
        ids: ids::<AT>,
        snapshot: snapshot::<AT>,
    }
}

fn ids<const AT: usize>(db: &mut Db) -> Result<Vec<String>> {
    let of_kind = disposed::table.filter(disposed::subject_kind.eq(KINDS[AT]));
    Ok(of_kind.select(disposed::subject_id).load(db)?)
}

fn snapshot<const AT: usize>(db: &mut Db, id: &str) -> Result<Option<Snapshot>> {
    let Some(row) = find(db, KINDS[AT], id)? else { return Ok(None) };
    let mut values: Vec<Gone> = disposed_value::table
        .filter(disposed_value::subject_kind.eq(KINDS[AT]).and(disposed_value::subject_id.eq(id)))
        .select((disposed_value::name, disposed_value::commitment))
        .load(db)?;
    let mut contents: Vec<String> = disposed_content::table
        .filter(disposed_content::subject_kind.eq(KINDS[AT]).and(disposed_content::subject_id.eq(id)))
        .select(disposed_content::sha256)
        .load(db)?;
    values.sort();
    contents.sort();
    Ok(Some(row.snapshot(&Subject::new(KINDS[AT], id), &values, &contents)))
}

/// A personal value that went: its name, and its commitment in hex.
type Gone = (String, String);

/// A row of `disposed`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = disposed)]
pub struct Tombstone {
    /// Whose.
    pub subject_kind: String,
    /// Whose.
    pub subject_id: String,
    /// By which disposal.
    pub disposal: String,
    /// Digest of the state that was removed, hex.
    pub removed: String,
    /// The row of the times of retention that kept it longest.
    pub rule: String,
    /// Its clause.
    pub clause: String,
    /// Until when it was kept.
    pub retain_until: Timestamp,
    /// With which subject it went, `kind/id`; empty for one that was named itself.
    pub along_with: String,
    /// When.
    pub disposed_at: Timestamp,
    /// On which day, in the site's zone.
    pub disposed_on: String,
    /// In which epoch.
    pub epoch: i64,
    /// By which entry.
    pub seq: i64,
}

impl Tombstone {
    fn snapshot(&self, subject: &Subject, values: &[Gone], contents: &[String]) -> Snapshot {
        let value = |(name, commitment): &Gone| {
            Value::from(Row::new().set("name", name.as_str()).sealed("value", Some(commitment)))
        };
        Snapshot::new(subject, 1)
            .set("disposal", self.disposal.as_str())
            .instant("disposed_at", self.disposed_at)
            .set("disposed_on", self.disposed_on.as_str())
            .set("removed", self.removed.as_str())
            .set("rule", self.rule.as_str())
            .set("clause", self.clause.as_str())
            .instant("retain_until", self.retain_until)
            .set("along_with", self.along_with.as_str())
            .set("epoch", self.epoch)
            .set("seq", self.seq)
            .set("values", values.iter().map(value).collect::<Vec<_>>())
            .set("contents", contents.to_vec())
            .rows("disposed", 1)
            .rows("disposed_value", values.len())
            .rows("disposed_content", contents.len())
    }

    /// The refusal that says where the record went.
    fn refusal(&self, kind: Kind) -> Error {
        Error::new(kind, "disposed")
            .arg("subject", format!("{}/{}", self.subject_kind, self.subject_id))
            .arg("on", self.disposed_on.as_str())
            .arg("disposal", self.disposal.as_str())
            .arg("clause", self.clause.as_str())
            .with("disposal", self.disposal.as_str())
            .with("disposed_at", self.disposed_at.to_string())
            .with("rule", self.rule.as_str())
    }
}

/// What is left of a record; none where it was not disposed of.
///
/// # Errors
/// The database does not answer.
pub fn find(db: &mut Db, kind: &str, id: &str) -> Result<Option<Tombstone>> {
    Ok(disposed::table.find((kind, id)).select(Tombstone::as_select()).first(db).optional()?)
}

/// What a disposal has removed, by subject.
///
/// # Errors
/// The database does not answer.
pub fn of_disposal(db: &mut Db, number: &str) -> Result<Vec<Tombstone>> {
    let mut rows: Vec<Tombstone> =
        disposed::table.filter(disposed::disposal.eq(number)).select(Tombstone::as_select()).load(db)?;
    rows.sort_by(|a, b| (&a.subject_kind, &a.subject_id).cmp(&(&b.subject_kind, &b.subject_id)));
    Ok(rows)
}

/// Why a record is not there: disposed of, in words of its own, or what `otherwise` says.
pub fn absent(db: &mut Db, (kind, id): (&str, &str), otherwise: Error) -> Error {
    match find(db, kind, id) {
        Ok(Some(tombstone)) => tombstone.refusal(Kind::NotFound),
        Ok(None) => otherwise,
        Err(error) => error,
    }
}

/// Refuses a number that a record had which was disposed of: none is given twice.
///
/// # Errors
/// 409 `disposed`.
pub fn must_be_free(db: &mut Db, kind: &str, id: &str) -> Result<()> {
    find(db, kind, id)?.map_or(Ok(()), |tombstone| Err(tombstone.refusal(Kind::Conflict)))
}

/// The greatest number with this beginning that a disposed record had, by length and then bytes.
///
/// # Errors
/// The database does not answer.
pub fn last_number(db: &mut Db, kind: &str, prefix: &str) -> Result<Option<String>> {
    let numbers: Vec<String> = disposed::table
        .filter(disposed::subject_kind.eq(kind).and(disposed::subject_id.like(format!("{prefix}%"))))
        .select(disposed::subject_id)
        .load(db)?;
    Ok(numbers.into_iter().max_by(|a, b| (a.len(), a).cmp(&(b.len(), b))))
}

/// Whose content of this digest was, where it went with a record: then its tombstone.
///
/// # Errors
/// The database does not answer.
pub fn of_content(db: &mut Db, sha256: &str) -> Result<Option<Tombstone>> {
    let of: Option<(String, String)> = disposed_content::table
        .find(sha256)
        .select((disposed_content::subject_kind, disposed_content::subject_id))
        .first(db)
        .optional()?;
    of.map_or(Ok(None), |(kind, id)| find(db, &kind, &id))
}

/// Why content is not there.
pub fn content_absent(db: &mut Db, sha256: &str) -> Error {
    match of_content(db, sha256) {
        Ok(Some(tombstone)) => tombstone.refusal(Kind::NotFound),
        Ok(None) => Error::not_found("content", sha256),
        Err(error) => error,
    }
}

/// How a record goes.
#[derive(Debug, Clone, Copy)]
pub struct Going<'a> {
    /// Which.
    pub subject: &'a Subject,
    /// By which disposal.
    pub disposal: &'a str,
    /// By which row, with which clause, and until when it was kept.
    pub kept: (&'a str, &'a str, Timestamp),
    /// With which subject, `kind/id`; empty for one that is named itself.
    pub along_with: &'a str,
    /// The day in the site's zone.
    pub on: &'a str,
}

/// Lays the tombstone and takes the personal values and the content of the record away; its own rows are its feature's
/// to remove. Returns the snapshot that the next entry must seal.
///
/// # Errors
/// The record has no entry, or speaks of content that is not its own.
pub fn lay(tx: &mut Tx<'_>, going: &Going<'_>) -> Result<(Tombstone, Snapshot)> {
    let Going { subject, disposal, kept: (rule, clause, retain_until), along_with, on } = *going;
    tx.settle()?;
    let removed = tx.sealed_state(subject)?;
    let removed = removed.ok_or_else(|| Error::internal(format!("{subject} has no entry")))?;
    let (values, contents) = belongings(tx, subject)?;
    let row = Tombstone {
        subject_kind: subject.kind.to_owned(),
        subject_id: subject.id.clone(),
        disposal: disposal.to_owned(),
        removed: removed.to_string(),
        rule: rule.to_owned(),
        clause: clause.to_owned(),
        retain_until,
        along_with: along_with.to_owned(),
        disposed_at: tx.now(),
        disposed_on: on.to_owned(),
        epoch: tx.epoch(),
        seq: super::store::index(tx.next_seq())?,
    };
    write(tx.rows(), &row, &values, &contents)?;
    let snapshot = row.snapshot(subject, &values, &contents);
    Ok((row, snapshot))
}

/// The values and the content that are a record's own, as far as they are there, in the order of its tombstone.
fn belongings(tx: &mut Tx<'_>, subject: &Subject) -> Result<(Vec<Gone>, Vec<String>)> {
    let (mut values, mut contents) = (Vec::new(), Vec::new());
    for bytes in tx.entries_of(subject)? {
        let body = parse(&bytes).map_err(Error::internal)?.body;
        let index = canon::scan(body.as_bytes()).map_err(Error::internal)?;
        values.extend(index.sealed.iter().map(|(name, hash)| ((*name).to_owned(), hash.to_string())));
        contents.extend(index.post.map(|post| post.to_string()));
    }
    contents.sort();
    contents.dedup();
    let db = tx.read();
    let mut spoken = Vec::new();
    for sha256 in &contents {
        let Some(bytes) = content_bytes(db, sha256)? else { continue };
        texts(&serde_json::from_slice(&bytes).unwrap_or_default(), &mut spoken);
    }
    spoken.sort();
    spoken.dedup();
    for sha256 in spoken {
        must_be_own(db, subject, &sha256)?;
        contents.push(sha256);
    }
    contents.sort();
    contents.dedup();
    let mut there = Vec::with_capacity(contents.len());
    for sha256 in contents {
        if content::table.find(&sha256).count().get_result::<i64>(db)? > 0 {
            there.push(sha256);
        }
    }
    values.sort();
    values.dedup();
    let mut kept = Vec::with_capacity(values.len());
    for value in values {
        if sealed_value::table.find(&value.1).count().get_result::<i64>(db)? > 0 {
            kept.push(value);
        }
    }
    Ok((kept, there))
}

/// Every `{sha256, size}` inside a snapshot.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let digest = fields.get("sha256").and_then(Value::as_str);
            found.extend(digest.filter(|_| fields.get("size").is_some_and(Value::is_u64)).map(str::to_owned));
            fields.values().for_each(|value| texts(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        _ => {}
    }
}

/// Content that goes names the record itself, as a recall's trace does: then no other record can speak of the same.
fn must_be_own(db: &mut Db, subject: &Subject, sha256: &str) -> Result<()> {
    let bytes = content_bytes(db, sha256)?.unwrap_or_default();
    let object: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    if bytes.is_empty() || object["id"] == subject.id.as_str() {
        return Ok(());
    }
    Err(Error::internal(format!("{subject} speaks of content {sha256}, of which others may speak too")))
}

fn write(db: &mut Db, row: &Tombstone, values: &[Gone], contents: &[String]) -> Result<()> {
    diesel::insert_into(disposed::table).values(row).execute(db)?;
    for (name, commitment) in values {
        diesel::insert_into(disposed_value::table)
            .values((
                disposed_value::commitment.eq(commitment),
                disposed_value::subject_kind.eq(&row.subject_kind),
                disposed_value::subject_id.eq(&row.subject_id),
                disposed_value::name.eq(name),
            ))
            .execute(db)?;
        diesel::delete(sealed_value::table.find(commitment)).execute(db)?;
    }
    for sha256 in contents {
        diesel::insert_into(disposed_content::table)
            .values((
                disposed_content::sha256.eq(sha256),
                disposed_content::subject_kind.eq(&row.subject_kind),
                disposed_content::subject_id.eq(&row.subject_id),
            ))
            .execute(db)?;
        diesel::delete(content::table.find(sha256)).execute(db)?;
    }
    Ok(())
}

/// Which of these digests are of content that went with a record.
///
/// # Errors
/// The database does not answer.
pub fn gone(db: &mut Db, digests: &[Digest]) -> Result<Vec<Digest>> {
    let mut gone = Vec::new();
    for some in digests.chunks(256) {
        let names: Vec<String> = some.iter().map(Digest::to_string).collect();
        let found = disposed_content::table.filter(disposed_content::sha256.eq_any(names));
        let found: Vec<String> = found.select(disposed_content::sha256).load(db)?;
        gone.extend(found.iter().filter_map(|hex| Digest::from_hex(hex.as_bytes())));
    }
    Ok(gone)
}

/// The tombstones of the records with which the values behind these commitments went, by commitment.
///
/// # Errors
/// The database does not answer.
pub fn values_gone(db: &mut Db, commitments: &[String]) -> Result<HashMap<String, Tombstone>> {
    let mut gone = HashMap::new();
    for some in commitments.chunks(256) {
        let found: Vec<(String, Tombstone)> = disposed_value::table
            .inner_join(
                disposed::table.on(disposed::subject_kind
                    .eq(disposed_value::subject_kind)
                    .and(disposed::subject_id.eq(disposed_value::subject_id))),
            )
            .filter(disposed_value::commitment.eq_any(some))
            .select((disposed_value::commitment, Tombstone::as_select()))
            .load(db)?;
        gone.extend(found);
    }
    Ok(gone)
}

/// Whether records went by entries from `size` on.
///
/// # Errors
/// The database does not answer.
pub fn went_since(db: &mut Db, epoch: i64, size: i64) -> Result<bool> {
    let later = disposed::table.filter(disposed::epoch.eq(epoch).and(disposed::seq.ge(size)));
    Ok(later.count().get_result::<i64>(db)? > 0)
}
