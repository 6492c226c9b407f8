//! Documents and versions in the database. All of the feature's SQL but the lists of [`super::list`].

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::intake::references;
use super::number::{Number, VersionNumber};
use super::record::{
    Document, DocumentRecord, Rendition, Review, Task, Version, VersionRecord, document_subject,
    version_subject,
};
use super::timeline::Timeline;
use crate::error::{Error, Result};
use crate::ledger::digest::Digest;
use crate::ledger::lane::Tx;
use crate::ledger::store as ledger;
use crate::ledger::subject::{Governed, Snapshot};
use crate::signatures;
use crate::store::schema::{
    document, document_reference, document_review, document_version, ledger_entry, rendition, version_author,
    version_task,
};
use crate::store::{Db, content_bytes};
use crate::time::Timestamp;

/// Documents, their reviews and signatures, as `verify` recomputes them.
pub const GOVERNED: Governed = Governed {
    kind: "document",
    tables: &["document", "document_review", "signature"],
    ids: document_ids,
    snapshot: document_snapshot,
};

/// Versions with their texts, authors, tasks and signatures, as `verify` recomputes them.
pub const GOVERNED_VERSIONS: Governed = Governed {
    kind: "document",
    tables: &[
        "document_version",
        "rendition",
        "version_author",
        "version_task",
        "signature",
        "document_reference",
    ],
    ids: version_ids,
    snapshot: version_snapshot,
};

fn document_ids(db: &mut Db) -> Result<Vec<String>> {
    Ok(document::table.select(document::number).load(db)?)
}

fn document_snapshot(db: &mut Db, id: &str) -> Result<Option<Snapshot>> {
    record(db, id)?.map(|record| record.snapshot()).transpose()
}

fn version_ids(db: &mut Db) -> Result<Vec<String>> {
    let ids: Vec<(String, String)> =
        document_version::table.select((document_version::document, document_version::version)).load(db)?;
    Ok(ids.into_iter().map(|(document, version)| format!("{document}/{version}")).collect())
}

fn version_snapshot(db: &mut Db, id: &str) -> Result<Option<Snapshot>> {
    let Some((number, version)) = id.split_once('/') else { return Ok(None) };
    let Some(record) = version_record(db, number, version)? else { return Ok(None) };
    let kept = kept_references(db, &record)?;
    Ok(Some(record.snapshot()?.rows("document_reference", kept)))
}

/// How many references are kept of a version; they stand in no snapshot, since its texts say the same.
///
/// # Errors
/// They are not those of its texts.
fn kept_references(db: &mut Db, record: &VersionRecord) -> Result<usize> {
    let row = &record.version;
    let own =
        document_reference::document.eq(&row.document).and(document_reference::version.eq(&row.version));
    let kept: Vec<String> = document_reference::table
        .filter(own)
        .order(document_reference::target)
        .select(document_reference::target)
        .load(db)?;
    let mut said = BTreeSet::new();
    for text in &record.renditions {
        // A text that is not there any more is named for itself.
        let Some(bytes) = content_bytes(db, &text.sha256)? else { return Ok(kept.len()) };
        said.extend(references(&String::from_utf8_lossy(&bytes)));
    }
    if said.iter().eq(kept.iter().collect::<BTreeSet<_>>()) && said.len() == kept.len() {
        return Ok(kept.len());
    }
    Err(Error::internal(format!("it is kept to refer to {kept:?}, its texts refer to {said:?}")))
}

/// The document of this number; 404 for none, or for a text no document's number could be.
///
/// # Errors
/// 404.
pub fn require(db: &mut Db, number: &str) -> Result<Document> {
    let unknown = || Error::not_found("document", number);
    number.parse::<Number>().map_err(|_| unknown())?;
    find(db, number)?.ok_or_else(unknown)
}

/// The document of this number, where there is one.
///
/// # Errors
/// The database does not answer.
pub fn find(db: &mut Db, number: &str) -> Result<Option<Document>> {
    Ok(document::table.find(number).first(db).optional()?)
}

/// A document with what belongs to its snapshot.
///
/// # Errors
/// The database does not answer.
pub fn record(db: &mut Db, number: &str) -> Result<Option<DocumentRecord>> {
    let Some(document) = find(db, number)? else { return Ok(None) };
    Ok(Some(DocumentRecord {
        reviews: document_review::table
            .filter(document_review::document.eq(number))
            .order(document_review::id)
            .load(db)?,
        signatures: signatures::of(db, &document_subject(number))?,
        document,
    }))
}

/// The same, refused with 404.
///
/// # Errors
/// 404.
pub fn require_record(db: &mut Db, number: &str) -> Result<DocumentRecord> {
    require(db, number)?;
    record(db, number)?.ok_or_else(|| Error::not_found("document", number))
}

/// All versions of a document, the oldest first.
///
/// # Errors
/// The database does not answer.
pub fn versions(db: &mut Db, number: &str) -> Result<Vec<Version>> {
    Ok(document_version::table
        .filter(document_version::document.eq(number))
        .order((document_version::major, document_version::minor))
        .load(db)?)
}

/// A version with what belongs to its snapshot.
///
/// # Errors
/// The database does not answer.
pub fn version_record(db: &mut Db, number: &str, version: &str) -> Result<Option<VersionRecord>> {
    let Some(row) = document_version::table.find((number, version)).first::<Version>(db).optional()? else {
        return Ok(None);
    };
    Ok(Some(VersionRecord {
        version: row,
        renditions: renditions(db, number, version)?,
        authors: version_author::table
            .filter(version_author::document.eq(number).and(version_author::version.eq(version)))
            .order(version_author::account_id)
            .select(version_author::account_id)
            .load(db)?,
        tasks: version_task::table
            .filter(version_task::document.eq(number).and(version_task::version.eq(version)))
            .order((version_task::round, version_task::task, version_task::account_id))
            .load(db)?,
        signatures: signatures::of(db, &version_subject(number, version))?,
    }))
}

/// The same, refused with 404.
///
/// # Errors
/// 404 for no such document or version, or for texts that could name none.
pub fn require_version(db: &mut Db, number: &str, version: &str) -> Result<VersionRecord> {
    require(db, number)?;
    let unknown = || Error::not_found("document", format!("{number}/{version}"));
    version.parse::<VersionNumber>().map_err(|_| unknown())?;
    version_record(db, number, version)?.ok_or_else(unknown)
}

/// The texts of a version, by language.
///
/// # Errors
/// The database does not answer.
pub fn renditions(db: &mut Db, number: &str, version: &str) -> Result<Vec<Rendition>> {
    Ok(rendition::table
        .filter(rendition::document.eq(number).and(rendition::version.eq(version)))
        .order(rendition::lang)
        .load(db)?)
}

/// The words of a rendition, byte for byte.
///
/// # Errors
/// The content is missing or is no UTF-8: a fault that `verify` names.
pub fn text(db: &mut Db, rendition: &Rendition) -> Result<String> {
    let digest = digest_of(&rendition.sha256)?;
    String::from_utf8(ledger::content(db, digest)?).map_err(Error::internal)
}

/// A stored digest.
///
/// # Errors
/// The column is no digest.
pub fn digest_of(hex: &str) -> Result<Digest> {
    Digest::from_hex(hex.as_bytes()).ok_or_else(|| Error::internal(format!("{hex:?} is no digest")))
}

/// The highest serial taken under a stem (`SOP-CS-`).
///
/// # Errors
/// The database does not answer.
pub fn highest_serial(db: &mut Db, stem: &str) -> Result<Option<u16>> {
    let highest: Option<String> = document::table
        .filter(document::number.like(format!("{stem}%")))
        .select(diesel::dsl::max(document::number))
        .first(db)?;
    Ok(highest.and_then(|number| number.parse::<Number>().ok()).map(|number| number.serial))
}

/// The version in force at an instant.
///
/// # Errors
/// The database does not answer.
pub fn in_force_at(db: &mut Db, number: &str, at: Timestamp) -> Result<Option<Version>> {
    let Some(document) = find(db, number)? else { return Ok(None) };
    let versions = versions(db, number)?;
    Ok(Timeline::new(&versions, document.retired_from).in_force(at).cloned())
}

/// All documents with the version in force at an instant, by number.
///
/// # Errors
/// The database does not answer.
pub fn all_in_force(db: &mut Db, at: Timestamp) -> Result<Vec<(Document, Version)>> {
    let begun: Vec<(Document, Version)> = document::table
        .inner_join(document_version::table.on(document_version::document.eq(document::number)))
        .filter(document_version::state.eq("approved").and(document_version::effective_from.le(at)))
        .filter(document::retired_from.is_null().or(document::retired_from.gt(at)))
        .order((document::number, document_version::major, document_version::minor))
        .load(db)?;
    let chunks = begun.chunk_by(|(one, _), (other, _)| one.number == other.number);
    Ok(chunks
        .filter_map(|of_one| {
            of_one.iter().max_by_key(|(_, v)| (v.effective_from, v.approved_at, v.number())).cloned()
        })
        .collect())
}

/// The documents whose version in force at an instant refers to this number.
///
/// # Errors
/// The database does not answer.
pub fn referring(db: &mut Db, number: &str) -> Result<Vec<(String, String)>> {
    Ok(document_reference::table
        .filter(document_reference::target.eq(number))
        .order((document_reference::document, document_reference::version))
        .select((document_reference::document, document_reference::version))
        .load(db)?)
}

/// Approved versions whose beginning has passed without an entry that says so.
///
/// # Errors
/// The database does not answer.
pub fn begun_unnoted(db: &mut Db, now: Timestamp) -> Result<Vec<(String, String)>> {
    use crate::ledger::acts::VERSION_TOOK_EFFECT;
    let begun: Vec<(String, String)> = document_version::table
        .filter(document_version::state.eq("approved").and(document_version::effective_from.le(now)))
        .order((document_version::effective_from, document_version::document, document_version::major))
        .select((document_version::document, document_version::version))
        .load(db)?;
    let noted: Vec<Option<String>> = ledger_entry::table
        .filter(ledger_entry::act.eq(VERSION_TOOK_EFFECT.name).and(ledger_entry::obj_kind.eq("document")))
        .select(ledger_entry::obj_id)
        .load(db)?;
    let noted: std::collections::HashSet<String> = noted.into_iter().flatten().collect();
    Ok(begun
        .into_iter()
        .filter(|(document, version)| !noted.contains(&format!("{document}/{version}")))
        .collect())
}

/// Adds a document.
///
/// # Errors
/// The database refuses.
pub fn insert_document(tx: &mut Tx<'_>, row: &Document) -> Result<()> {
    diesel::insert_into(document::table).values(row).execute(tx.rows())?;
    Ok(())
}

/// Writes a document's row anew.
///
/// # Errors
/// The database refuses.
pub fn update_document(tx: &mut Tx<'_>, row: &Document) -> Result<()> {
    diesel::update(document::table.find(&row.number)).set(row).execute(tx.rows())?;
    Ok(())
}

/// Adds the verdict of a periodic review.
///
/// # Errors
/// The database refuses.
pub fn insert_review(tx: &mut Tx<'_>, row: &Review) -> Result<()> {
    diesel::insert_into(document_review::table).values(row).execute(tx.rows())?;
    Ok(())
}

/// Adds a version.
///
/// # Errors
/// The database refuses.
pub fn insert_version(tx: &mut Tx<'_>, row: &Version) -> Result<()> {
    diesel::insert_into(document_version::table).values(row).execute(tx.rows())?;
    Ok(())
}

/// Writes a version's row anew.
///
/// # Errors
/// The database refuses.
pub fn update_version(tx: &mut Tx<'_>, row: &Version) -> Result<()> {
    diesel::update(document_version::table.find((&row.document, &row.version)))
        .set(row)
        .execute(tx.rows())?;
    Ok(())
}

/// Makes the texts of a draft these, and what they refer to the targets.
///
/// # Errors
/// The database refuses.
pub fn replace_texts(
    tx: &mut Tx<'_>,
    version: &Version,
    texts: &[Rendition],
    targets: &[String],
) -> Result<()> {
    let before = renditions(tx.read(), &version.document, &version.version)?;
    let key = |lang: &str| (version.document.clone(), version.version.clone(), lang.to_owned());
    let db = tx.rows();
    for old in before.iter().filter(|old| !texts.contains(old)) {
        diesel::delete(rendition::table.find(key(&old.lang))).execute(db)?;
    }
    for new in texts.iter().filter(|new| !before.contains(new)) {
        diesel::insert_into(rendition::table).values(new).execute(db)?;
    }
    let own = document_reference::document
        .eq(&version.document)
        .and(document_reference::version.eq(&version.version));
    diesel::delete(document_reference::table.filter(own)).execute(db)?;
    for target in targets {
        diesel::insert_into(document_reference::table)
            .values((
                document_reference::document.eq(&version.document),
                document_reference::version.eq(&version.version),
                document_reference::target.eq(target),
            ))
            .execute(db)?;
    }
    Ok(())
}

/// Notes that an account wrote a version; once is enough.
///
/// # Errors
/// The database refuses.
pub fn insert_author(tx: &mut Tx<'_>, version: &Version, account: &str) -> Result<()> {
    diesel::insert_into(version_author::table)
        .values((
            version_author::document.eq(&version.document),
            version_author::version.eq(&version.version),
            version_author::account_id.eq(account),
        ))
        .execute(tx.rows())?;
    Ok(())
}

/// Adds what a round asks for.
///
/// # Errors
/// The database refuses.
pub fn insert_tasks(tx: &mut Tx<'_>, tasks: &[Task]) -> Result<()> {
    for task in tasks {
        diesel::insert_into(version_task::table).values(task).execute(tx.rows())?;
    }
    Ok(())
}
