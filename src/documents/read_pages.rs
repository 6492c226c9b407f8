//! What the pages ask of the database beyond what machines are told: printed names, seals, whether the text on the
//! screen is the text that was signed, who refers to whom.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;

use super::list::Sight;
use super::reading;
use super::record::{Carried, Document, Rendition, Stored, Version, VersionRecord, content_digest};
use super::standing::review_due;
use super::store;
use super::timeline::{State, Timeline};
use crate::error::Result;
use crate::ledger::digest::Digest;
use crate::ledger::store::{self as ledger, Placed};
use crate::people::rights::Permission;
use crate::people::store as people;
use crate::people::view::entry_link;
use crate::store::Db;
use crate::store::schema::{document, document_reference, document_version};
use crate::time::Timestamp;
use crate::web::parts::{Signature, Standing};

/// A version with what its pages show around it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The version.
    pub record: VersionRecord,
    /// What it carries.
    pub carried: Carried,
    /// Its state now.
    pub state: State,
    /// When it ceases to hold, as far as is known.
    pub until: Option<Timestamp>,
    /// Signatures of the present round, and those still to be given.
    pub signatures: Vec<Signature>,
    /// The newest entry about it.
    pub entry: Option<Placed>,
    /// The document it is of.
    pub around: Around,
}

/// A document with what its pages show of it.
#[derive(Debug, Clone)]
pub struct Around {
    /// The document.
    pub document: Document,
    /// All its versions, the oldest first.
    pub versions: Vec<Version>,
    /// The owner's printed name.
    pub owner: String,
    /// When its next periodic review is due.
    pub review_due: Option<Timestamp>,
    /// The number of the version in force.
    pub in_force: Option<String>,
}

impl Around {
    /// Its versions in time.
    pub fn timeline(&self) -> Timeline<'_> {
        Timeline::new(&self.versions, self.document.retired_from)
    }

    /// The newest approved version that is older than this one.
    pub fn before(&self, version: &Version) -> Option<&Version> {
        let earlier = self.versions.iter().filter(|other| other.number() < version.number());
        earlier.filter(|other| other.stored() == Stored::Approved).max_by_key(|other| other.number())
    }
}

/// A document and its versions.
///
/// # Errors
/// 404.
pub fn around(db: &mut Db, number: &str, now: Timestamp) -> Result<Around> {
    let record = store::require_record(db, number)?;
    let versions = store::versions(db, number)?;
    let timeline = Timeline::new(&versions, record.document.retired_from);
    let in_force = timeline.in_force(now).map(|version| version.version.clone());
    let owner = people::person(db, &record.document.owner_id)?.name;
    let review_due = review_due(&record, &versions, now);
    Ok(Around { document: record.document, versions, owner, review_due, in_force })
}

/// A version the reader may see.
///
/// # Errors
/// 404; 403 `not-in-force`.
pub fn shown(db: &mut Db, target: (&str, &str), (sight, now): (Sight, Timestamp)) -> Result<Shown> {
    let record = reading::visible_version(db, target, sight)?;
    let around = around(db, target.0, now)?;
    let timeline = around.timeline();
    let (state, until) = (timeline.state(&record.version, now), timeline.until(&record.version));
    Ok(Shown {
        carried: record.version.carried()?,
        signatures: signatures(db, &record)?,
        entry: ledger::last_about(db, "document", &format!("{}/{}", target.0, target.1))?,
        record,
        state,
        until,
        around,
    })
}

fn signatures(db: &mut Db, record: &VersionRecord) -> Result<Vec<Signature>> {
    let round = record.version.round;
    let in_review_or_beyond = record.version.submitted_at.is_some();
    // Back in draft, what was signed before is of another text; only why it came back still matters.
    let matters = |row: &&crate::signatures::Signature| {
        row.round == round && (in_review_or_beyond || row.meaning == "rejected")
    };
    let rows: Vec<_> = record.signatures.iter().filter(matters).collect();
    let sealed: Vec<String> = rows.iter().map(|row| row.name_sealed.clone()).collect();
    let names = people::unsealed_many(db, &sealed)?;
    let entries: Vec<_> = rows.iter().map(|row| (row.seq, row.signed_at)).collect();
    let placed = ledger::placed(db, &entries)?;
    let last_approval = rows.iter().rposition(|row| row.meaning == "approved");
    let mut list = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let gives_force = record.version.approved_at.is_some() && last_approval == Some(index);
        let changed = in_review_or_beyond && row.digest != record.version.digest;
        let standing = match (changed, gives_force) {
            (true, _) => Standing::Broken(row.signed_at),
            (false, true) => Standing::Final(row.signed_at),
            (false, false) => Standing::Signed(row.signed_at),
        };
        list.push(Signature {
            meaning: row.meaning.clone(),
            name: names.get(&row.name_sealed).cloned().unwrap_or_else(|| row.account_id.clone()),
            role: row.role.clone(),
            comment: row.comment.clone().unwrap_or_default(),
            standing,
            hash: row.digest.clone(),
            entry: placed[index].as_ref().map(entry_link),
        });
    }
    if in_review_or_beyond && record.version.ended_at.is_none() {
        // Reviewers sign first, so they stand first; the task codes sort the other way.
        let open = record
            .tasks
            .iter()
            .rev()
            .filter(|task| task.round == round && !record.has_signed(&task.account_id, &task.task));
        for task in open {
            list.push(Signature {
                meaning: task.task.clone(),
                name: people::person(db, &task.account_id)?.name,
                role: String::new(),
                comment: String::new(),
                standing: Standing::Open,
                hash: String::new(),
                entry: None,
            });
        }
    }
    Ok(list)
}

/// A text whose digest was taken anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// It is what was sealed.
    Sound(String),
    /// It is not, so it is not shown.
    Broken {
        /// The digest that was sealed, hex.
        sealed: String,
        /// The digest of what is there, hex; none where nothing is.
        found: Option<String>,
    },
}

/// The words of a rendition, if they and the version's content object still are what was sealed.
///
/// # Errors
/// The database does not answer.
pub fn checked(
    db: &mut Db,
    (document, record): (&Document, &VersionRecord),
    text: &Rendition,
) -> Result<Checked> {
    let object = content_digest(document, &record.version, &record.renditions)?.to_string();
    if object != record.version.digest {
        return Ok(Checked::Broken { sealed: record.version.digest.clone(), found: Some(object) });
    }
    let broken = |found| Checked::Broken { sealed: text.sha256.clone(), found };
    let Ok(digest) = store::digest_of(&text.sha256) else { return Ok(broken(None)) };
    let bytes = match ledger::content(db, digest) {
        Err(error) if error.code() == "not-found" => return Ok(broken(None)),
        bytes => bytes?,
    };
    let found = Digest::of(&bytes);
    if found != digest {
        return Ok(broken(Some(found.to_string())));
    }
    Ok(String::from_utf8(bytes).map_or_else(|_| broken(Some(found.to_string())), Checked::Sound))
}

/// How many documents in force at an instant refer to each of these.
///
/// # Errors
/// The database does not answer.
pub fn reference_counts(db: &mut Db, numbers: &[String], at: Timestamp) -> Result<HashMap<String, usize>> {
    let references: Vec<(String, String, String)> = document_reference::table
        .filter(document_reference::target.eq_any(numbers))
        .select((document_reference::document, document_reference::version, document_reference::target))
        .load(db)?;
    let sources: BTreeSet<&String> = references.iter().map(|(source, ..)| source).collect();
    let documents: Vec<Document> =
        document::table.filter(document::number.eq_any(sources.iter().copied())).load(db)?;
    let versions: Vec<Version> = document_version::table
        .filter(document_version::document.eq_any(sources.iter().copied()))
        .order((document_version::document, document_version::major, document_version::minor))
        .load(db)?;
    let mut holding = HashMap::new();
    for document in &documents {
        let own: Vec<Version> =
            versions.iter().filter(|row| row.document == document.number).cloned().collect();
        if let Some(version) = Timeline::new(&own, document.retired_from).in_force(at) {
            holding.insert(document.number.clone(), version.version.clone());
        }
    }
    let mut counts = HashMap::new();
    for (source, version, target) in references {
        if holding.get(&source) == Some(&version) {
            *counts.entry(target).or_default() += 1;
        }
    }
    Ok(counts)
}

/// Somebody who may be asked to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What they sign in with.
    pub login: String,
    /// Their printed name.
    pub name: String,
    /// Their roles that grant it.
    pub roles: Vec<&'static str>,
}

/// The people a right lets sign, without those who wrote the version, by name.
///
/// # Errors
/// The database does not answer.
pub fn candidates(db: &mut Db, permission: Permission, authors: &[String]) -> Result<Vec<Candidate>> {
    let mut ids = BTreeSet::new();
    for role in permission.roles() {
        ids.extend(people::holders(db, *role)?);
    }
    let mut found = Vec::new();
    for id in ids.iter().filter(|id| !authors.contains(id)) {
        let person = people::person(db, id)?;
        let granting = person.roles.iter().filter(|role| permission.roles().contains(role));
        found.push(Candidate {
            roles: granting.map(|role| role.code()).collect(),
            login: person.login,
            name: person.name,
        });
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// The next instant after `now` at which a version comes into force or a document is retired; none where none is
/// awaited.
///
/// # Errors
/// The database does not answer.
pub fn next_instant(db: &mut Db, now: Timestamp) -> Result<Option<Timestamp>> {
    use diesel::dsl::min;
    let begins: Option<Timestamp> = document_version::table
        .filter(document_version::effective_from.gt(now))
        .select(min(document_version::effective_from))
        .first(db)?;
    let ends: Option<Timestamp> = document::table
        .filter(document::retired_from.gt(now))
        .select(min(document::retired_from))
        .first(db)?;
    Ok(begins.into_iter().chain(ends).min())
}
