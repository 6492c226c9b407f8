//! A document and its versions as records: rows, what a version carries, and the snapshots that are sealed.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde_json::{Value, json};

use super::number::VersionNumber;
use crate::error::{Error, Result};
use crate::ledger::canon;
use crate::ledger::digest::Digest;
use crate::ledger::subject::{Row, Snapshot, Subject};
use crate::signatures::Signature;
use crate::store::schema::{document, document_review, document_version, rendition, version_task};
use crate::time::Timestamp;

/// A text in several languages, by BCP 47 tag.
pub type Tongues = BTreeMap<String, String>;

/// What is stored of a version's state; the rest is computed by [`super::timeline`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stored {
    /// Being written.
    Draft,
    /// Submitted.
    InReview,
    /// All have signed.
    Approved,
    /// Called off before its beginning.
    Cancelled,
    /// Given up as a draft.
    Abandoned,
}

impl Stored {
    /// All stored states.
    pub const ALL: [Self; 5] =
        [Self::Draft, Self::InReview, Self::Approved, Self::Cancelled, Self::Abandoned];

    /// The column's value.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::InReview => "in_review",
            Self::Approved => "approved",
            Self::Cancelled => "cancelled",
            Self::Abandoned => "abandoned",
        }
    }
}

/// What a version carries besides its texts, and a document hands to its first version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// The title, by language.
    pub title: Tongues,
    /// Process codes, sorted.
    pub processes: Vec<String>,
    /// Role codes, sorted.
    pub audience: Vec<String>,
    /// Months between periodic reviews.
    pub review_months: u32,
}

/// A row of `document`. Title, processes, audience and review period are the first values of its versions.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = document, primary_key(number), treat_none_as_null = true)]
pub struct Document {
    /// `SOP-CS-001`.
    pub number: String,
    /// Kind code.
    pub kind: String,
    /// Department code.
    pub department: String,
    /// The account that answers for it.
    pub owner_id: String,
    /// The language that decides where texts differ.
    pub authoritative_language: String,
    /// JSON object by language.
    pub title: String,
    /// JSON array of process codes.
    pub processes: String,
    /// JSON array of role codes.
    pub audience: String,
    /// Months between periodic reviews.
    pub review_months: i64,
    /// When it got its number.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// No version is in force from here on.
    pub retired_from: Option<Timestamp>,
    /// Why it was retired.
    pub retire_reason: Option<String>,
}

/// A row of `document_version`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = document_version, primary_key(document, version), treat_none_as_null = true)]
pub struct Version {
    /// The document's number.
    pub document: String,
    /// `2.0`, for good.
    pub version: String,
    /// 2.
    pub major: i64,
    /// 0.
    pub minor: i64,
    /// [`Stored`].
    pub state: String,
    /// JSON object by language.
    pub title: String,
    /// JSON array of process codes.
    pub processes: String,
    /// JSON array of role codes.
    pub audience: String,
    /// Months between periodic reviews.
    pub review_months: i64,
    /// What changed.
    pub change_summary: String,
    /// Why.
    pub change_reason: String,
    /// How often it was submitted.
    pub round: i64,
    /// The beginning asked for when it was submitted.
    pub asked_from: Option<Timestamp>,
    /// The beginning, fixed by the last approval.
    pub effective_from: Option<Timestamp>,
    /// SHA-256 of the content object, hex.
    pub digest: String,
    /// When the draft was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When the present round was opened.
    pub submitted_at: Option<Timestamp>,
    /// When the last approver signed.
    pub approved_at: Option<Timestamp>,
    /// When it was cancelled or abandoned.
    pub ended_at: Option<Timestamp>,
    /// By whom.
    pub ended_by: Option<String>,
    /// Why.
    pub ended_reason: Option<String>,
}

impl Version {
    /// The stored state.
    pub fn stored(&self) -> Stored {
        // A state that no code names can only come from a stranger's hand: it is shown as given up, never as in force.
        Stored::ALL.into_iter().find(|stored| stored.code() == self.state).unwrap_or(Stored::Abandoned)
    }

    /// The version's number.
    pub fn number(&self) -> VersionNumber {
        let part = |value| u32::try_from(value).unwrap_or(u32::MAX);
        VersionNumber { major: part(self.major), minor: part(self.minor) }
    }

    /// The ledger's subject.
    pub fn subject(&self) -> Subject {
        version_subject(&self.document, &self.version)
    }
}

/// A row of `rendition`: the text of a version in one language.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = rendition)]
pub struct Rendition {
    /// The document's number.
    pub document: String,
    /// The version's number.
    pub version: String,
    /// BCP 47 tag.
    pub lang: String,
    /// Of the text, hex; the text is content.
    pub sha256: String,
    /// Bytes.
    pub size: i64,
}

/// A row of `version_task`: who was asked to sign in a round.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = version_task)]
pub struct Task {
    /// The document's number.
    pub document: String,
    /// The version's number.
    pub version: String,
    /// The round.
    pub round: i64,
    /// `reviewed` or `approved`: the meaning asked for.
    pub task: String,
    /// Who.
    pub account_id: String,
}

/// A row of `document_review`: the verdict of a periodic review.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = document_review)]
pub struct Review {
    /// `dr-…`.
    pub id: String,
    /// The document's number.
    pub document: String,
    /// The version that was in force.
    pub version: String,
    /// `confirmed`, `revise` or `retire`.
    pub outcome: String,
    /// What the reviewer found.
    pub comment: String,
    /// When.
    pub reviewed_at: Timestamp,
    /// Who.
    pub reviewed_by: String,
}

/// A document with what belongs to its snapshot.
#[derive(Debug, Clone)]
pub struct DocumentRecord {
    /// The document's own row.
    pub document: Document,
    /// By id.
    pub reviews: Vec<Review>,
    /// Of retirement and reviews, by id.
    pub signatures: Vec<Signature>,
}

/// A version with what belongs to its snapshot.
#[derive(Debug, Clone)]
pub struct VersionRecord {
    /// The version's own row.
    pub version: Version,
    /// By language.
    pub renditions: Vec<Rendition>,
    /// Account ids, sorted.
    pub authors: Vec<String>,
    /// By round, task and account.
    pub tasks: Vec<Task>,
    /// Of all rounds, by id.
    pub signatures: Vec<Signature>,
}

/// The subject of a document.
pub fn document_subject(number: &str) -> Subject {
    Subject::new("document", number)
}

/// The subject of a version.
pub fn version_subject(number: &str, version: &str) -> Subject {
    Subject::new("document", format!("{number}/{version}"))
}

impl Carried {
    /// The values as columns: title, processes, audience, review period.
    ///
    /// # Errors
    /// A title outside the body profile.
    pub fn columns(&self) -> Result<(String, String, String, i64)> {
        let list = |codes: &[String]| serde_json::to_string(codes).map_err(Error::internal);
        let title = serde_json::to_string(&self.title).map_err(Error::internal)?;
        Ok((title, list(&self.processes)?, list(&self.audience)?, i64::from(self.review_months)))
    }

    /// Puts the values into a version's row.
    ///
    /// # Errors
    /// As [`Carried::columns`].
    pub fn put(&self, version: &mut Version) -> Result<()> {
        (version.title, version.processes, version.audience, version.review_months) = self.columns()?;
        Ok(())
    }

    fn read((title, processes, audience): (&str, &str, &str), months: i64) -> Result<Self> {
        Ok(Self {
            title: serde_json::from_str(title).map_err(Error::internal)?,
            processes: serde_json::from_str(processes).map_err(Error::internal)?,
            audience: serde_json::from_str(audience).map_err(Error::internal)?,
            review_months: u32::try_from(months).map_err(Error::internal)?,
        })
    }
}

impl Document {
    /// What its first version begins with.
    ///
    /// # Errors
    /// A column is not what the program wrote.
    pub fn carried(&self) -> Result<Carried> {
        Carried::read((&self.title, &self.processes, &self.audience), self.review_months)
    }

    /// The ledger's subject.
    pub fn subject(&self) -> Subject {
        document_subject(&self.number)
    }
}

impl Version {
    /// What it carries.
    ///
    /// # Errors
    /// A column is not what the program wrote.
    pub fn carried(&self) -> Result<Carried> {
        Carried::read((&self.title, &self.processes, &self.audience), self.review_months)
    }
}

/// Several languages inside a sealed object: keys are never made of data.
fn tongues(texts: &Tongues) -> Value {
    texts.iter().map(|(lang, text)| json!({ "lang": lang, "text": text })).collect()
}

impl DocumentRecord {
    /// The document's snapshot, shape 1.
    ///
    /// # Errors
    /// A column is not what the program wrote.
    pub fn snapshot(&self) -> Result<Snapshot> {
        let row = &self.document;
        let carried = row.carried()?;
        let reviews = self.reviews.iter().map(review_row).collect::<Vec<Value>>();
        let signatures = self.signatures.iter().map(Signature::row).collect::<Vec<Value>>();
        Ok(Snapshot::new(&row.subject(), 1)
            .set("document_kind", row.kind.as_str())
            .set("department", row.department.as_str())
            .set("owner", row.owner_id.as_str())
            .set("authoritative_language", row.authoritative_language.as_str())
            .set("title", tongues(&carried.title))
            .set("processes", carried.processes)
            .set("audience", carried.audience)
            .set("review_months", row.review_months)
            .instant("created_at", row.created_at)
            .set("created_by", row.created_by.as_str())
            .instant("retired_from", row.retired_from)
            .set("retire_reason", row.retire_reason.clone())
            .set("reviews", reviews)
            .set("signatures", signatures)
            .rows("document", 1)
            .rows("document_review", self.reviews.len())
            .rows("signature", self.signatures.len()))
    }
}

fn review_row(review: &Review) -> Value {
    Row::new()
        .set("id", review.id.as_str())
        .set("version", review.version.as_str())
        .set("outcome", review.outcome.as_str())
        .set("comment", review.comment.as_str())
        .instant("reviewed_at", review.reviewed_at)
        .set("reviewed_by", review.reviewed_by.as_str())
        .into()
}

impl VersionRecord {
    /// The ledger's subject.
    pub fn subject(&self) -> Subject {
        self.version.subject()
    }

    /// Whom the present round asked to sign with this meaning.
    pub fn asked(&self, meaning: &str) -> Vec<&str> {
        let round = self.version.round;
        let tasks = self.tasks.iter().filter(|task| task.round == round && task.task == meaning);
        tasks.map(|task| task.account_id.as_str()).collect()
    }

    /// Whether the account signed with this meaning in the present round.
    pub fn has_signed(&self, account: &str, meaning: &str) -> bool {
        let round = self.version.round;
        self.signatures.iter().any(|s| s.round == round && s.account_id == account && s.meaning == meaning)
    }

    /// The version's snapshot, shape 1.
    ///
    /// # Errors
    /// A column is not what the program wrote.
    pub fn snapshot(&self) -> Result<Snapshot> {
        let row = &self.version;
        let carried = row.carried()?;
        let texts = self
            .renditions
            .iter()
            .map(|text| json!({ "lang": text.lang, "sha256": text.sha256, "size": text.size }));
        let tasks = self
            .tasks
            .iter()
            .map(|task| json!({ "round": task.round, "task": task.task, "account": task.account_id }));
        let signatures = self.signatures.iter().map(Signature::row).collect::<Vec<Value>>();
        Ok(Snapshot::new(&row.subject(), 1)
            .set("major", row.major)
            .set("minor", row.minor)
            .set("state", row.state.as_str())
            .set("title", tongues(&carried.title))
            .set("processes", carried.processes)
            .set("audience", carried.audience)
            .set("review_months", row.review_months)
            .set("change_summary", row.change_summary.as_str())
            .set("change_reason", row.change_reason.as_str())
            .set("round", row.round)
            .instant("asked_from", row.asked_from)
            .instant("effective_from", row.effective_from)
            .set("digest", row.digest.as_str())
            .instant("created_at", row.created_at)
            .set("created_by", row.created_by.as_str())
            .instant("submitted_at", row.submitted_at)
            .instant("approved_at", row.approved_at)
            .instant("ended_at", row.ended_at)
            .set("ended_by", row.ended_by.clone())
            .set("ended_reason", row.ended_reason.clone())
            .set("renditions", texts.collect::<Vec<_>>())
            .set("authors", self.authors.clone())
            .set("tasks", tasks.collect::<Vec<_>>())
            .set("signatures", signatures)
            .rows("document_version", 1)
            .rows("rendition", self.renditions.len())
            .rows("version_author", self.authors.len())
            .rows("version_task", self.tasks.len())
            .rows("signature", self.signatures.len()))
    }
}

/// The bytes of a version's content object (ledger/format.md section 2): what is signed.
///
/// # Errors
/// A value outside the body profile.
pub fn content(document: &Document, version: &Version, renditions: &[Rendition]) -> Result<Vec<u8>> {
    let carried = version.carried()?;
    let texts =
        renditions.iter().map(|text| json!({ "lang": text.lang, "sha256": text.sha256, "size": text.size }));
    let mut object = json!({
        "document": version.document,
        "version": version.version,
        "round": version.round,
        "kind": document.kind,
        "department": document.department,
        "title": tongues(&carried.title),
        "processes": carried.processes,
        "audience": carried.audience,
        "review_months": version.review_months,
        "authoritative_language": document.authoritative_language,
        "change_summary": version.change_summary,
        "change_reason": version.change_reason,
        "renditions": texts.collect::<Vec<_>>(),
    });
    if let Some(from) = version.asked_from {
        object["effective_from"] = json!(from.to_string());
    }
    canon::to_bytes(&object).map_err(Error::internal)
}

/// The digest of those bytes.
///
/// # Errors
/// As [`content`].
pub fn content_digest(document: &Document, version: &Version, renditions: &[Rendition]) -> Result<Digest> {
    Ok(Digest::of(&content(document, version, renditions)?))
}
