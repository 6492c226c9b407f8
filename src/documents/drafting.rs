//! Making and writing: a document gets its number, a version its draft, a draft its texts. No signature is given here.

use std::collections::{BTreeMap, BTreeSet};

use super::intake::{Changes, NewDocument, NewVersion, references};
use super::number::{Number, VersionNumber};
use super::record::{Carried, Document, DocumentRecord, Rendition, Stored, Version, VersionRecord, content};
use super::store;
use super::timeline::Timeline;
use crate::error::{Error, Kind, Result};
use crate::ledger::acts;
use crate::ledger::lane::{Actor, NewEntry, Tx};
use crate::people::store as people;

/// Which version of which document.
pub type Target<'a> = (&'a str, &'a str);

/// Gives a document its number, for good.
///
/// # Errors
/// 409 for a number that is taken; 422 for an unknown owner, or when the numbers are used up.
pub fn create_document(tx: &mut Tx<'_>, actor: &Actor, new: &NewDocument) -> Result<DocumentRecord> {
    let owner_id = people::id_of_login(tx.read(), "owner", &new.owner)?;
    let number = match new.number {
        Some(number) => number,
        None => next_number(tx, new)?,
    };
    let number = number.to_string();
    if store::find(tx.read(), &number)?.is_some() {
        return Err(Error::conflict("number-taken").arg("number", number));
    }
    let (title, processes, audience, review_months) = new.carried.columns()?;
    let row = Document {
        number: number.clone(),
        kind: new.kind.code().to_owned(),
        department: new.department.to_owned(),
        owner_id,
        authoritative_language: new.authoritative_language.clone(),
        title,
        processes,
        audience,
        review_months,
        created_at: tx.now(),
        created_by: actor.id.clone(),
        retired_from: None,
        retire_reason: None,
    };
    store::insert_document(tx, &row)?;
    let record = store::require_record(tx.read(), &number)?;
    tx.append(NewEntry::new(acts::DOCUMENT_CREATED, actor).state(record.snapshot()?))?;
    Ok(record)
}

fn next_number(tx: &mut Tx<'_>, new: &NewDocument) -> Result<Number> {
    let highest = store::highest_serial(tx.read(), &Number::stem(new.kind, new.department))?;
    let next = Number::after(new.kind, new.department, highest);
    next.ok_or_else(|| Error::invalid("number", "numbers-used-up"))
}

/// Gives a document another owner.
///
/// # Errors
/// 404; 422 for an unknown person; 409 where the person owns it already.
pub fn change_owner(
    tx: &mut Tx<'_>,
    actor: &Actor,
    number: &str,
    (login, reason): (&str, &str),
) -> Result<DocumentRecord> {
    let mut row = store::require(tx.read(), number)?;
    let owner_id = people::id_of_login(tx.read(), "owner", login)?;
    if row.owner_id == owner_id {
        return Err(Error::conflict("owner-already"));
    }
    row.owner_id = owner_id;
    store::update_document(tx, &row)?;
    let record = store::require_record(tx.read(), number)?;
    tx.append(NewEntry::new(acts::DOCUMENT_OWNER_CHANGED, actor).state(record.snapshot()?).reason(reason))?;
    Ok(record)
}

/// Makes a draft with its number for good.
///
/// # Errors
/// 404; 409 beside another open draft, or once the document is retired; 422 without a text.
pub fn create_version(
    tx: &mut Tx<'_>,
    actor: &Actor,
    number: &str,
    new: &NewVersion,
) -> Result<VersionRecord> {
    let document = store::require(tx.read(), number)?;
    must_not_be_retired(&document)?;
    let versions = store::versions(tx.read(), number)?;
    let timeline = Timeline::new(&versions, None);
    if let Some(open) = timeline.open() {
        return Err(Error::conflict("open-draft").arg("version", open.version.clone()));
    }
    if !new.changes.texts.values().any(Option::is_some) {
        return Err(Error::invalid("renditions", "required"));
    }
    let before = match timeline.foremost(crate::time::Timestamp(i64::MAX)) {
        Some(version) => version.carried()?,
        None => document.carried()?,
    };
    let carried = changed(before, &new.changes, &document)?;
    let next = VersionNumber::after(versions.iter().map(Version::number), new.step);
    let mut row = fresh(tx, actor, (number, next));
    carried.put(&mut row)?;
    row.change_summary = new.changes.change_summary.clone().unwrap_or_default();
    row.change_reason = new.changes.change_reason.clone().unwrap_or_default();
    let texts = texts_after(&row, &[], &new.changes)?;
    let bytes = content(&document, &row, &texts)?;
    row.digest = tx.put_content(bytes).to_string();
    store::insert_version(tx, &row)?;
    write_texts(tx, &row, &texts, &new.changes)?;
    store::insert_author(tx, &row, &actor.id)?;
    noted(tx, (number, &row.version), NewEntry::new(acts::VERSION_CREATED, actor))
}

fn fresh(tx: &Tx<'_>, actor: &Actor, (document, number): (&str, VersionNumber)) -> Version {
    Version {
        document: document.to_owned(),
        version: number.to_string(),
        major: i64::from(number.major),
        minor: i64::from(number.minor),
        state: Stored::Draft.code().to_owned(),
        title: String::new(),
        processes: String::new(),
        audience: String::new(),
        review_months: 0,
        change_summary: String::new(),
        change_reason: String::new(),
        round: 0,
        asked_from: None,
        effective_from: None,
        digest: String::new(),
        created_at: tx.now(),
        created_by: actor.id.clone(),
        submitted_at: None,
        approved_at: None,
        ended_at: None,
        ended_by: None,
        ended_reason: None,
    }
}

/// Saves a draft. Whoever saves is an author from then on; saving what is there already changes nothing.
///
/// # Errors
/// 404; 409 when it is no draft; 412 when none of `expected` is the draft's digest (`*` is any); 422 when no text would be left.
pub fn save(
    tx: &mut Tx<'_>,
    actor: &Actor,
    target: Target<'_>,
    (expected, changes): (&[String], &Changes),
) -> Result<VersionRecord> {
    let record = store::require_version(tx.read(), target.0, target.1)?;
    let document = store::require(tx.read(), target.0)?;
    must_be(&record.version, Stored::Draft)?;
    if !expected.iter().any(|digest| *digest == record.version.digest || digest == "*") {
        return Err(Error::new(Kind::Stale, "if-match-stale"));
    }
    let mut row = record.version.clone();
    changed(row.carried()?, changes, &document)?.put(&mut row)?;
    if let Some(summary) = &changes.change_summary {
        row.change_summary.clone_from(summary);
    }
    if let Some(reason) = &changes.change_reason {
        row.change_reason.clone_from(reason);
    }
    let texts = texts_after(&row, &record.renditions, changes)?;
    let bytes = content(&document, &row, &texts)?;
    let digest = crate::ledger::digest::Digest::of(&bytes).to_string();
    if digest == row.digest {
        return Ok(record);
    }
    row.digest = tx.put_content(bytes).to_string();
    store::update_version(tx, &row)?;
    write_texts(tx, &row, &texts, changes)?;
    if !record.authors.contains(&actor.id) {
        store::insert_author(tx, &row, &actor.id)?;
    }
    noted(tx, target, NewEntry::new(acts::VERSION_SAVED, actor))
}

/// Gives a draft up; it stays readable, and its number is never used again.
///
/// # Errors
/// 404; 409 when it is no draft.
pub fn abandon(tx: &mut Tx<'_>, actor: &Actor, target: Target<'_>, reason: &str) -> Result<VersionRecord> {
    let record = store::require_version(tx.read(), target.0, target.1)?;
    must_be(&record.version, Stored::Draft)?;
    let row = ended(tx, record.version, (Stored::Abandoned, &actor.id, reason));
    store::update_version(tx, &row)?;
    noted(tx, target, NewEntry::new(acts::VERSION_ABANDONED, actor).reason(reason))
}

/// A version's row at its end.
pub(super) fn ended(tx: &Tx<'_>, mut row: Version, (state, by, reason): (Stored, &str, &str)) -> Version {
    row.state = state.code().to_owned();
    row.ended_at = Some(tx.now());
    row.ended_by = Some(by.to_owned());
    row.ended_reason = Some(reason.to_owned());
    row
}

/// Appends the entry with the version's state as it now is in the tables.
pub(super) fn noted(tx: &mut Tx<'_>, target: Target<'_>, entry: NewEntry) -> Result<VersionRecord> {
    let record = store::require_version(tx.read(), target.0, target.1)?;
    tx.append(entry.state(record.snapshot()?))?;
    Ok(record)
}

/// Refuses a version that is stored in another state.
pub(super) fn must_be(version: &Version, wanted: Stored) -> Result<()> {
    if version.stored() == wanted {
        return Ok(());
    }
    Err(Error::conflict("wrong-state")
        .arg("state", version.state.clone())
        .with("state", version.state.as_str()))
}

/// Refuses a document whose retirement is decided.
pub(super) fn must_not_be_retired(document: &Document) -> Result<()> {
    if document.retired_from.is_none() { Ok(()) } else { Err(Error::conflict("document-retired")) }
}

fn changed(mut carried: Carried, changes: &Changes, document: &Document) -> Result<Carried> {
    if let Some(title) = &changes.title {
        carried.title = title.by_language(&document.authoritative_language)?;
    }
    if let Some(processes) = &changes.processes {
        carried.processes.clone_from(processes);
    }
    if let Some(audience) = &changes.audience {
        carried.audience.clone_from(audience);
    }
    carried.review_months = changes.review_months.unwrap_or(carried.review_months);
    Ok(carried)
}

fn texts_after(row: &Version, before: &[Rendition], changes: &Changes) -> Result<Vec<Rendition>> {
    let mut after: BTreeMap<String, Rendition> =
        before.iter().map(|text| (text.lang.clone(), text.clone())).collect();
    for (lang, text) in &changes.texts {
        let Some(text) = text else {
            after.remove(lang);
            continue;
        };
        let rendition = Rendition {
            document: row.document.clone(),
            version: row.version.clone(),
            lang: lang.clone(),
            sha256: text.digest.to_string(),
            size: i64::try_from(text.words.len()).map_err(Error::internal)?,
        };
        after.insert(lang.clone(), rendition);
    }
    if after.is_empty() {
        return Err(Error::invalid("renditions", "required"));
    }
    Ok(after.into_values().collect())
}

fn write_texts(tx: &mut Tx<'_>, row: &Version, texts: &[Rendition], changes: &Changes) -> Result<()> {
    let mut targets = BTreeSet::new();
    for text in texts {
        match changes.texts.get(&text.lang) {
            Some(Some(new)) => targets.extend(new.references.iter().cloned()),
            _ => {
                let bytes = tx.content(store::digest_of(&text.sha256)?)?;
                targets.extend(references(&String::from_utf8_lossy(&bytes)));
            }
        }
    }
    for new in changes.texts.values().flatten() {
        tx.put_content(new.words.clone().into_bytes());
    }
    store::replace_texts(tx, row, texts, &targets.into_iter().collect::<Vec<_>>())
}
