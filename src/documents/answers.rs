//! What is told of documents and versions, for machines and for pages: states computed, people by login.

use std::collections::HashMap;

use serde::Serialize;

use super::record::{DocumentRecord, Rendition, Tongues, Version, VersionRecord};
use super::standing::review_due;
use super::store;
use super::timeline::{State, Timeline};
use crate::error::{Error, Result};
use crate::ledger::store as ledger;
use crate::people::store as people;
use crate::people::store::Named;
use crate::signatures::Signature;
use crate::store::Db;
use crate::text::structure::{Shape, shape};
use crate::time::Timestamp;

/// Accounts as records name them, asked for once each.
#[derive(Debug, Default)]
pub struct Logins(HashMap<String, Named>);

impl Logins {
    /// Who an account belongs to; its id where there is no such account.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn of(&mut self, db: &mut Db, id: &str) -> Result<Named> {
        if let Some(named) = self.0.get(id) {
            return Ok(named.clone());
        }
        let named = people::person(db, id)?.named();
        self.0.insert(id.to_owned(), named.clone());
        Ok(named)
    }
}

/// The version in force, in short.
#[derive(Debug, Clone, Serialize)]
pub struct InForce {
    /// Its number.
    pub version: String,
    /// Since when.
    pub effective_from: Option<Timestamp>,
    /// Until when, as far as is known.
    pub effective_until: Option<Timestamp>,
    /// Of its content object.
    pub digest: String,
}

impl InForce {
    /// What is in force at an instant.
    pub fn at(timeline: &Timeline<'_>, at: Timestamp) -> Option<Self> {
        timeline.in_force(at).map(|version| Self {
            version: version.version.clone(),
            effective_from: version.effective_from,
            effective_until: timeline.until(version),
            digest: version.digest.clone(),
        })
    }
}

/// The version being made, in short.
#[derive(Debug, Clone, Serialize)]
pub struct Open {
    /// Its number.
    pub version: String,
    /// `draft` or `in_review`.
    pub state: &'static str,
}

/// The verdict of a periodic review.
#[derive(Debug, Clone, Serialize)]
pub struct ReviewAnswer {
    /// The version reviewed.
    pub version: String,
    /// `confirmed`, `revise` or `retire`.
    pub outcome: String,
    /// What was found.
    pub comment: String,
    /// When.
    pub reviewed_at: Timestamp,
    /// Login.
    pub reviewed_by: Named,
}

/// A document, as of an instant.
#[derive(Debug, Clone, Serialize)]
pub struct DocumentAnswer {
    /// `SOP-CS-001`.
    pub number: String,
    /// Kind code.
    pub kind: String,
    /// Department code.
    pub department: String,
    /// Login.
    pub owner: Named,
    /// Of the version that speaks for the document, by language.
    pub title: Tongues,
    /// Process codes.
    pub processes: Vec<String>,
    /// Role codes.
    pub audience: Vec<String>,
    /// Months between periodic reviews.
    pub review_months: u32,
    /// The language that decides.
    pub authoritative_language: String,
    /// The state of the version that speaks for the document; `draft` before there is one.
    pub status: &'static str,
    /// What is in force, if anything.
    pub in_force: Option<InForce>,
    /// What is being made; for those who may see drafts.
    pub open: Option<Open>,
    /// When the next periodic review is due.
    pub review_due: Option<Timestamp>,
    /// Nothing is in force from here on.
    pub retired_from: Option<Timestamp>,
    /// Why.
    pub retire_reason: Option<String>,
    /// When it got its number.
    pub created_at: Timestamp,
    /// Login.
    pub created_by: Named,
    /// Periodic reviews, the oldest first.
    pub reviews: Vec<ReviewAnswer>,
    /// Of retirement and reviews.
    pub signatures: Vec<SignatureAnswer>,
}

/// A signature.
#[derive(Debug, Clone, Serialize)]
pub struct SignatureAnswer {
    /// The printed name; none once erased.
    pub name: Option<String>,
    /// Login.
    pub login: Named,
    /// In which role.
    pub role: String,
    /// `authored`, `reviewed`, `approved`, …
    pub meaning: String,
    /// The instant.
    pub signed_at: Timestamp,
    /// Of what was on the screen.
    pub digest: String,
    /// The entry.
    pub seq: i64,
    /// The entry's epoch.
    pub epoch: Option<i64>,
    /// The entry's hash, hex.
    pub leaf: Option<String>,
    /// The round; 0 where there is none.
    pub round: i64,
    /// What the signer added.
    pub comment: Option<String>,
}

/// Who is asked to sign in the present round.
#[derive(Debug, Clone, Serialize)]
pub struct TaskAnswer {
    /// `reviewed` or `approved`.
    pub meaning: String,
    /// Login.
    pub login: Named,
    /// Whether it is done.
    pub signed: bool,
}

/// A rendition that is not built like the authoritative one; a hint before submission, no fault.
#[derive(Debug, Clone, Serialize)]
pub struct Warning {
    /// Which rendition.
    pub lang: String,
    /// Its headings, and those of the authoritative text.
    pub headings: [usize; 2],
    /// Its numbered steps, and those of the authoritative text.
    pub steps: [usize; 2],
}

/// A version in a list.
#[derive(Debug, Clone, Serialize)]
pub struct VersionLine {
    /// `2.0`.
    pub version: String,
    /// Computed.
    pub state: &'static str,
    /// By language.
    pub title: Tongues,
    /// What changed.
    pub change_summary: String,
    /// Why.
    pub change_reason: String,
    /// Of the content object.
    pub digest: String,
    /// The beginning fixed by the last approval.
    pub effective_from: Option<Timestamp>,
    /// The end, as far as is known.
    pub effective_until: Option<Timestamp>,
    /// When the draft was made.
    pub created_at: Timestamp,
    /// When the last approver signed.
    pub approved_at: Option<Timestamp>,
}

/// A version with all that belongs to it.
#[derive(Debug, Clone, Serialize)]
pub struct VersionAnswer {
    /// The document's number.
    pub document: String,
    /// What the list says of it.
    #[serde(flatten)]
    pub line: VersionLine,
    /// Process codes.
    pub processes: Vec<String>,
    /// Role codes.
    pub audience: Vec<String>,
    /// Months between periodic reviews.
    pub review_months: u32,
    /// The language that decides.
    pub authoritative_language: String,
    /// How often it was submitted.
    pub round: i64,
    /// The beginning asked for.
    pub asked_from: Option<Timestamp>,
    /// The exact bytes of the content object.
    pub content: String,
    /// The texts, by language.
    pub renditions: Tongues,
    /// Logins of those who wrote it.
    pub authors: Vec<Named>,
    /// Who is asked in the present round.
    pub tasks: Vec<TaskAnswer>,
    /// Of all rounds, in order of signing.
    pub signatures: Vec<SignatureAnswer>,
    /// Hints before submission.
    pub warnings: Vec<Warning>,
    /// When the present round was opened.
    pub submitted_at: Option<Timestamp>,
    /// When it was cancelled or abandoned.
    pub ended_at: Option<Timestamp>,
    /// Why.
    pub ended_reason: Option<String>,
}

/// A version in a list.
///
/// # Errors
/// A column is not what the program wrote.
pub fn line(timeline: &Timeline<'_>, version: &Version, at: Timestamp) -> Result<VersionLine> {
    Ok(VersionLine {
        version: version.version.clone(),
        state: timeline.state(version, at).code(),
        title: version.carried()?.title,
        change_summary: version.change_summary.clone(),
        change_reason: version.change_reason.clone(),
        digest: version.digest.clone(),
        effective_from: version.effective_from,
        effective_until: timeline.until(version),
        created_at: version.created_at,
        approved_at: version.approved_at,
    })
}

/// A document as of an instant.
///
/// # Errors
/// The database does not answer.
pub fn document(
    db: &mut Db,
    (record, versions): (&DocumentRecord, &[Version]),
    at: Timestamp,
    logins: &mut Logins,
) -> Result<DocumentAnswer> {
    let row = &record.document;
    let timeline = Timeline::new(versions, row.retired_from);
    let foremost = timeline.foremost(at);
    let carried = match foremost {
        Some(version) => version.carried()?,
        None => row.carried()?,
    };
    let mut reviews = Vec::new();
    for review in &record.reviews {
        reviews.push(ReviewAnswer {
            version: review.version.clone(),
            outcome: review.outcome.clone(),
            comment: review.comment.clone(),
            reviewed_at: review.reviewed_at,
            reviewed_by: logins.of(db, &review.reviewed_by)?,
        });
    }
    Ok(DocumentAnswer {
        number: row.number.clone(),
        kind: row.kind.clone(),
        department: row.department.clone(),
        owner: logins.of(db, &row.owner_id)?,
        title: carried.title,
        processes: carried.processes,
        audience: carried.audience,
        review_months: carried.review_months,
        authoritative_language: row.authoritative_language.clone(),
        status: foremost.map_or(State::Draft, |version| timeline.state(version, at)).code(),
        in_force: InForce::at(&timeline, at),
        open: timeline.open().map(|version| Open {
            version: version.version.clone(),
            state: timeline.state(version, at).code(),
        }),
        review_due: review_due(record, versions, at),
        retired_from: row.retired_from,
        retire_reason: row.retire_reason.clone(),
        created_at: row.created_at,
        created_by: logins.of(db, &row.created_by)?,
        reviews,
        signatures: signatures(db, &record.signatures, logins)?,
    })
}

fn signatures(db: &mut Db, rows: &[Signature], logins: &mut Logins) -> Result<Vec<SignatureAnswer>> {
    let sealed: Vec<String> = rows.iter().map(|row| row.name_sealed.clone()).collect();
    let names = people::unsealed_many(db, &sealed)?;
    let entries: Vec<_> = rows.iter().map(|row| (row.seq, row.signed_at)).collect();
    rows.iter()
        .zip(ledger::placed(db, &entries)?)
        .map(|(row, placed)| {
            Ok(SignatureAnswer {
                name: names.get(&row.name_sealed).cloned(),
                login: logins.of(db, &row.account_id)?,
                role: row.role.clone(),
                meaning: row.meaning.clone(),
                signed_at: row.signed_at,
                digest: row.digest.clone(),
                seq: row.seq,
                epoch: placed.map(|placed| placed.epoch),
                leaf: placed.map(|placed| placed.leaf.to_string()),
                round: row.round,
                comment: row.comment.clone(),
            })
        })
        .collect()
}

/// A version at an instant. The content and the names that a running change has made must be settled first
/// ([`crate::ledger::lane::Tx::settle`]).
///
/// # Errors
/// The database does not answer, or lacks content.
pub fn version(db: &mut Db, record: &VersionRecord, at: Timestamp) -> Result<VersionAnswer> {
    let row = &record.version;
    let document = store::require(db, &row.document)?;
    let versions = store::versions(db, &row.document)?;
    let timeline = Timeline::new(&versions, document.retired_from);
    let carried = row.carried()?;
    let mut logins = Logins::default();
    let mut renditions = Tongues::new();
    for text in &record.renditions {
        renditions.insert(text.lang.clone(), store::text(db, text)?);
    }
    let mut tasks = Vec::new();
    for task in record.tasks.iter().filter(|task| task.round == row.round) {
        tasks.push(TaskAnswer {
            meaning: task.task.clone(),
            login: logins.of(db, &task.account_id)?,
            signed: record.has_signed(&task.account_id, &task.task),
        });
    }
    let content = ledger::content(db, store::digest_of(&row.digest)?)?;
    Ok(VersionAnswer {
        document: row.document.clone(),
        line: line(&timeline, row, at)?,
        processes: carried.processes,
        audience: carried.audience,
        review_months: carried.review_months,
        round: row.round,
        asked_from: row.asked_from,
        content: String::from_utf8(content).map_err(Error::internal)?,
        warnings: warnings(&renditions, &document.authoritative_language),
        authoritative_language: document.authoritative_language,
        renditions,
        authors: record.authors.iter().map(|id| logins.of(db, id)).collect::<Result<_>>()?,
        tasks,
        signatures: signatures(db, &record.signatures, &mut logins)?,
        submitted_at: row.submitted_at,
        ended_at: row.ended_at,
        ended_reason: row.ended_reason.clone(),
    })
}

/// Which renditions are not built like the authoritative one.
pub fn warnings(renditions: &Tongues, authoritative: &str) -> Vec<Warning> {
    let Some(own) = renditions.get(authoritative).map(|text| shape(text)) else { return Vec::new() };
    let differs = |(lang, text): (&String, &String)| {
        let Shape { headings, steps } = shape(text);
        let warning =
            Warning { lang: lang.clone(), headings: [headings, own.headings], steps: [steps, own.steps] };
        ((headings, steps) != (own.headings, own.steps)).then_some(warning)
    };
    renditions.iter().filter_map(differs).collect()
}

/// The rendition in a language; the authoritative one where none is asked for.
///
/// # Errors
/// 422 at `lang` where there is none.
pub fn rendition<'a>(
    record: &'a VersionRecord,
    lang: Option<&str>,
    authoritative: &str,
) -> Result<&'a Rendition> {
    let wanted = lang.unwrap_or(authoritative);
    let found = record.renditions.iter().find(|text| text.lang == wanted);
    let found = found.or_else(|| lang.is_none().then(|| record.renditions.first()).flatten());
    found.ok_or_else(|| Error::invalid("lang", "not-found"))
}
