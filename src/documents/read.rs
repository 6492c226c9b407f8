//! What other features may ask of documents: which version held, what it is called, who refers to whom.
//!
//! Answers are plain structs; no feature learns of rows.

use super::codes::Kind;
use super::record::{Tongues, Version};
use super::store;
use super::timeline::Timeline;
use crate::error::Result;
use crate::store::Db;
use crate::time::Timestamp;

/// A version as others keep it: by number and digest.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PinnedVersion {
    /// `SOP-CS-001`.
    pub document: String,
    /// `2.0`.
    pub version: String,
    /// Of the content object, hex.
    pub digest: String,
    /// By language.
    pub title: Tongues,
    /// Process codes.
    pub processes: Vec<String>,
    /// Since when it is in force.
    pub effective_from: Timestamp,
}

/// A document that refers to another.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Referring {
    /// Its number.
    pub document: String,
    /// The version whose text refers.
    pub version: String,
    /// That version's title.
    pub title: Tongues,
}

fn pin(version: &Version) -> Result<Option<PinnedVersion>> {
    let Some(effective_from) = version.effective_from else { return Ok(None) };
    let carried = version.carried()?;
    Ok(Some(PinnedVersion {
        document: version.document.clone(),
        version: version.version.clone(),
        digest: version.digest.clone(),
        title: carried.title,
        processes: carried.processes,
        effective_from,
    }))
}

/// The version of a document in force at an instant; none where none was, or there is no such document.
///
/// # Errors
/// The database does not answer.
pub fn pinned(db: &mut Db, number: &str, at: Timestamp) -> Result<Option<PinnedVersion>> {
    store::in_force_at(db, number, at)?.map_or(Ok(None), |version| pin(&version))
}

/// The number of the version in force at an instant.
///
/// # Errors
/// The database does not answer.
pub fn in_force_at(db: &mut Db, number: &str, at: Timestamp) -> Result<Option<String>> {
    Ok(store::in_force_at(db, number, at)?.map(|version| version.version))
}

/// Every document's version in force at an instant, by number.
///
/// # Errors
/// The database does not answer.
pub fn all_in_force(db: &mut Db, at: Timestamp) -> Result<Vec<PinnedVersion>> {
    let all = store::all_in_force(db, at)?;
    let pinned = all.iter().map(|(_, version)| pin(version)).collect::<Result<Vec<_>>>()?;
    Ok(pinned.into_iter().flatten().collect())
}

/// The documents in force at an instant that are meant for one of these roles, work instructions first, then by
/// number. A version without an audience is meant for everybody.
///
/// # Errors
/// The database does not answer.
pub fn meant_for(db: &mut Db, roles: &[&str], at: Timestamp) -> Result<Vec<PinnedVersion>> {
    let mut meant = Vec::new();
    for (document, version) in store::all_in_force(db, at)? {
        let audience = version.carried()?.audience;
        if audience.is_empty() || audience.iter().any(|role| roles.contains(&role.as_str())) {
            meant.push((document.kind != Kind::WorkInstruction.code(), version));
        }
    }
    // Within the two groups the order by number stays.
    meant.sort_by_key(|(others, _)| *others);
    let pinned = meant.iter().map(|(_, version)| pin(version)).collect::<Result<Vec<_>>>()?;
    Ok(pinned.into_iter().flatten().collect())
}

/// The documents in force at an instant that govern any of these processes, by number.
///
/// # Errors
/// The database does not answer.
pub fn procedures_for(db: &mut Db, processes: &[&str], at: Timestamp) -> Result<Vec<PinnedVersion>> {
    let mut all = all_in_force(db, at)?;
    all.retain(|pinned| pinned.processes.iter().any(|process| processes.contains(&process.as_str())));
    Ok(all)
}

/// What a document is called at an instant: in its version in force, else in its newest, else as it was made; none
/// where there is no such document.
///
/// # Errors
/// The database does not answer.
pub fn title_of(db: &mut Db, number: &str, at: Timestamp) -> Result<Option<Tongues>> {
    let Some(document) = store::find(db, number)? else { return Ok(None) };
    let versions = store::versions(db, number)?;
    let carried = match Timeline::new(&versions, document.retired_from).foremost(at) {
        Some(version) => version.carried()?,
        None => document.carried()?,
    };
    Ok(Some(carried.title))
}

/// The documents whose version in force at an instant refers to this one, by number.
///
/// # Errors
/// The database does not answer.
pub fn referred_by(db: &mut Db, number: &str, at: Timestamp) -> Result<Vec<Referring>> {
    let mut referring = Vec::new();
    for (document, version) in store::referring(db, number)? {
        let holding = store::in_force_at(db, &document, at)?;
        if let Some(holding) = holding.filter(|holding| holding.version == version) {
            referring.push(Referring { document, version, title: holding.carried()?.title });
        }
    }
    Ok(referring)
}

/// Whether there is such a document, or such a version of one: `SOP-CS-001`, `SOP-CS-001/2.0`.
///
/// # Errors
/// The database does not answer.
pub fn exists(db: &mut Db, id: &str) -> Result<bool> {
    match id.split_once('/') {
        Some((number, version)) => Ok(store::version_record(db, number, version)?.is_some()),
        None => Ok(store::find(db, id)?.is_some()),
    }
}

/// The title in the authoritative language, of a version or of the document as it was made.
///
/// # Errors
/// The database does not answer.
pub fn plain_title(db: &mut Db, id: &str) -> Result<Option<String>> {
    let (number, version) = id.split_once('/').unwrap_or((id, ""));
    let Some(document) = store::find(db, number)? else { return Ok(None) };
    let carried = match store::version_record(db, number, version)? {
        Some(record) => record.version.carried()?,
        None => document.carried()?,
    };
    Ok(carried.title.get(&document.authoritative_language).cloned())
}

/// `number/version` of the version in force at an instant.
///
/// # Errors
/// The database does not answer.
pub fn pin_at(db: &mut Db, number: &str, at: Timestamp) -> Result<Option<String>> {
    Ok(in_force_at(db, number, at)?.map(|version| format!("{number}/{version}")))
}
