//! From draft to approved: submitting, reviewing, approving, and the ways back.
//!
//! A round begins with the author's signature over the submitted content, in which the round and the beginning asked for
//! stand; reviewers sign before approvers; the last approval fixes the beginning. Whoever wrote a version neither
//! reviews nor approves it. Every refusal is decided before the first write.

use std::str::FromStr;

use super::codes::UnknownCode;
use super::drafting::{Target, ended, must_be, must_not_be_retired, noted};
use super::record::{Document, Stored, Task, Version, VersionRecord, content};
use super::store;
use super::timeline::{State, Timeline};
use crate::error::{Error, Result};
use crate::ledger::acts::{self, Act};
use crate::ledger::digest::Digest;
use crate::ledger::lane::{Actor, NewEntry, Tx};
use crate::people::rights::{Permission, Role};
use crate::people::store as people;
use crate::signatures::{self, Signer};
use crate::time::Timestamp;

/// Name of the setting that keeps days between approval and effect, for training.
pub const LEAD_DAYS: &str = "training_lead_days";

/// What one signs with after submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// 审核.
    Reviewed,
    /// 批准.
    Approved,
}

impl Meaning {
    /// The code in signatures and tasks.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Reviewed => "reviewed",
            Self::Approved => "approved",
        }
    }

    /// The right it takes.
    pub const fn permission(self) -> Permission {
        match self {
            Self::Reviewed => Permission::Review,
            Self::Approved => Permission::Approve,
        }
    }

    const fn act(self) -> Act {
        match self {
            Self::Reviewed => acts::VERSION_REVIEWED,
            Self::Approved => acts::VERSION_APPROVED,
        }
    }
}

impl FromStr for Meaning {
    type Err = UnknownCode;

    fn from_str(code: &str) -> Result<Self, UnknownCode> {
        [Self::Reviewed, Self::Approved].into_iter().find(|meaning| meaning.code() == code).ok_or(UnknownCode)
    }
}

/// An instant that somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The instant; of a date its first in the site's zone.
    pub at: Timestamp,
    /// What was written: only a day, or an instant.
    pub precision: Precision,
}

/// How exactly an instant was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// A date: not in the past as long as that day lasts.
    Day,
    /// An instant.
    Instant,
}

impl Asked {
    /// Reads what was written in the site's zone.
    ///
    /// # Errors
    /// 422 at `field`.
    pub fn read(field: &str, text: &str, zone: chrono_tz::Tz) -> Result<Self> {
        let at = crate::web::input::start(field, text, zone)?;
        let precision =
            if Timestamp::parse(text.trim()).is_some() { Precision::Instant } else { Precision::Day };
        Ok(Self { at, precision })
    }

    /// Refuses what has passed already.
    ///
    /// # Errors
    /// 422 at `effective_from`.
    pub fn must_not_be_past(self, now: Timestamp) -> Result<()> {
        let last = match self.precision {
            Precision::Day => self.at.end_of_its_day(),
            Precision::Instant => self.at,
        };
        if last < now { Err(Error::invalid("effective_from", "in-past")) } else { Ok(()) }
    }
}

/// What a submission asks for.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Logins.
    pub reviewers: Vec<String>,
    /// Logins; at least one.
    pub approvers: Vec<String>,
    /// The beginning asked for; none for the instant of the last approval.
    pub effective_from: Option<Asked>,
    /// The draft's digest as read, hex.
    pub digest: String,
}

/// Opens a round and signs as authored over the submitted content.
///
/// # Errors
/// 404; 409 when it is no draft, was changed since it was read, lacks the authoritative text, or the document is
/// retired; 422 for people who cannot be asked or a beginning in the past.
pub fn submit(
    tx: &mut Tx<'_>,
    signer: &Signer,
    target: Target<'_>,
    submission: &Submission,
) -> Result<VersionRecord> {
    let record = store::require_version(tx.read(), target.0, target.1)?;
    let document = store::require(tx.read(), target.0)?;
    must_be(&record.version, Stored::Draft)?;
    must_not_be_retired(&document)?;
    must_show(&record.version, &submission.digest)?;
    must_have_authoritative(&document, &record)?;
    if let Some(asked) = submission.effective_from {
        asked.must_not_be_past(tx.now())?;
    }
    let mut authors = record.authors.clone();
    if !authors.contains(&signer.actor.id) {
        authors.push(signer.actor.id.clone());
    }
    let tasks = asked_people(tx, (&record.version, &authors), submission)?;
    let mut row = record.version.clone();
    row.round += 1;
    row.asked_from = submission.effective_from.map(|asked| asked.at);
    row.state = Stored::InReview.code().to_owned();
    row.submitted_at = Some(tx.now());
    let digest = write_with_content(tx, &document, (&mut row, &record))?;
    if authors.len() > record.authors.len() {
        store::insert_author(tx, &row, &signer.actor.id)?;
    }
    store::insert_tasks(tx, &tasks)?;
    let act = signatures::Act {
        subject: &row.subject(),
        round: row.round,
        meaning: "authored",
        digest,
        comment: "",
    };
    let (_, sig) = signatures::sign(tx, signer, &act)?;
    noted(tx, target, NewEntry::new(acts::VERSION_SUBMITTED, &signer.actor).signature(&sig))
}

/// Writes a version whose content object has changed, and keeps the object.
fn write_with_content(
    tx: &mut Tx<'_>,
    document: &Document,
    (row, record): (&mut Version, &VersionRecord),
) -> Result<Digest> {
    let bytes = content(document, row, &record.renditions)?;
    let digest = tx.put_content(bytes);
    row.digest = digest.to_string();
    store::update_version(tx, row)?;
    Ok(digest)
}

fn must_show(version: &Version, digest: &str) -> Result<()> {
    if version.digest == digest { Ok(()) } else { Err(Error::conflict("stale-digest")) }
}

fn must_have_authoritative(document: &Document, record: &VersionRecord) -> Result<()> {
    let lang = &document.authoritative_language;
    if record.renditions.iter().any(|text| text.lang == *lang) {
        return Ok(());
    }
    Err(Error::conflict("incomplete").field(format!("renditions.{lang}"), "missing"))
}

/// The tasks of the round; all people who cannot be asked are named at once.
fn asked_people(
    tx: &mut Tx<'_>,
    (version, authors): (&Version, &[String]),
    submission: &Submission,
) -> Result<Vec<Task>> {
    let mut faults = crate::web::input::Faults::new();
    let mut tasks = Vec::new();
    let mut by_qa = false;
    let lists = [
        (Meaning::Reviewed, "reviewers", &submission.reviewers),
        (Meaning::Approved, "approvers", &submission.approvers),
    ];
    for (meaning, list, logins) in lists {
        for (index, login) in logins.iter().enumerate() {
            let field = format!("{list}[{index}]");
            let asked = askable(tx, &field, login, (meaning, authors));
            let Some((id, roles)) = faults.take(asked) else { continue };
            by_qa |= meaning == Meaning::Approved && roles.contains(&Role::Qa);
            let task = Task {
                document: version.document.clone(),
                version: version.version.clone(),
                round: version.round + 1,
                task: meaning.code().to_owned(),
                account_id: id,
            };
            if tasks.contains(&task) {
                faults.note(field, "duplicate");
            } else {
                tasks.push(task);
            }
        }
    }
    if submission.approvers.is_empty() {
        faults.note("approvers", "required");
    } else if !by_qa && faults.is_empty() {
        faults.note("approvers", "approver-qa");
    }
    faults.check()?;
    Ok(tasks)
}

fn askable(
    tx: &mut Tx<'_>,
    field: &str,
    login: &str,
    (meaning, authors): (Meaning, &[String]),
) -> Result<(String, Vec<Role>)> {
    let unknown = || Error::invalid(field, "unknown-person");
    let account = people::by_login(tx.read(), login)?.ok_or_else(unknown)?;
    let now = tx.now();
    people::must_be_live(&account, now).map_err(|_| unknown())?;
    let roles = people::require(tx.read(), &account.id)?.roles();
    if meaning.permission().granted_by(&roles).is_none() {
        return Err(Error::invalid(field, "person-lacks-right"));
    }
    if authors.contains(&account.id) {
        return Err(Error::invalid(field, "person-is-author"));
    }
    Ok((account.id, roles))
}

/// What a reviewer or approver gives.
#[derive(Debug, Clone)]
pub struct Consent {
    /// With which meaning.
    pub meaning: Meaning,
    /// Of what was on the screen, hex.
    pub digest: String,
    /// What the signer adds; empty for nothing.
    pub comment: String,
}

/// Signs as reviewed or approved. The last approval puts the version on its way into force.
///
/// # Errors
/// 404; 403 for an author of the version or who was not asked; 409 when it is not in review, was changed, is signed
/// already, when reviewers are still to sign, or when it would begin before a version approved earlier.
pub fn sign(
    tx: &mut Tx<'_>,
    signer: &Signer,
    target: Target<'_>,
    consent: &Consent,
) -> Result<VersionRecord> {
    let record = store::require_version(tx.read(), target.0, target.1)?;
    let (meaning, account) = (consent.meaning, signer.actor.id.as_str());
    may_sign(&record, account, meaning)?;
    must_show(&record.version, &consent.digest)?;
    let mut row = record.version.clone();
    if meaning == Meaning::Approved && all_signed(&record, Meaning::Approved, Some(account)) {
        row.effective_from = Some(beginning(tx, &row)?);
        row.approved_at = Some(tx.now());
        row.state = Stored::Approved.code().to_owned();
        store::update_version(tx, &row)?;
    }
    let act = signatures::Act {
        subject: &row.subject(),
        round: row.round,
        meaning: meaning.code(),
        digest: store::digest_of(&row.digest)?,
        comment: &consent.comment,
    };
    let (_, sig) = signatures::sign(tx, signer, &act)?;
    noted(tx, target, NewEntry::new(meaning.act(), &signer.actor).signature(&sig))
}

/// Refuses who may not sign this version with this meaning now.
///
/// # Errors
/// 403 for an author of the version or who was not asked; 409 when it is not in review, is signed already, or when
/// reviewers are still to sign.
pub fn may_sign(record: &VersionRecord, account: &str, meaning: Meaning) -> Result<()> {
    must_be(&record.version, Stored::InReview)?;
    if record.authors.iter().any(|author| author == account) {
        return Err(Error::forbidden("own-version"));
    }
    if !record.asked(meaning.code()).contains(&account) {
        return Err(Error::forbidden("not-asked"));
    }
    if record.has_signed(account, meaning.code()) {
        return Err(Error::conflict("already-signed"));
    }
    if meaning == Meaning::Approved && !all_signed(record, Meaning::Reviewed, None) {
        return Err(Error::conflict("out-of-order"));
    }
    Ok(())
}

/// Whether all who were asked have signed, counting `now` as one who is just signing.
fn all_signed(record: &VersionRecord, meaning: Meaning, now: Option<&str>) -> bool {
    let asked = record.asked(meaning.code());
    asked.into_iter().all(|account| now == Some(account) || record.has_signed(account, meaning.code()))
}

/// The beginning that the last approval fixes.
fn beginning(tx: &mut Tx<'_>, row: &Version) -> Result<Timestamp> {
    let days = people::setting(tx.read(), LEAD_DAYS)?.and_then(|days| days.parse::<u16>().ok()).unwrap_or(0);
    let earliest = tx.now().plus_seconds(i64::from(days) * 86_400);
    let from = row.asked_from.map_or(earliest, |asked| asked.max(earliest));
    let document = store::require(tx.read(), &row.document)?;
    if document.retired_from.is_some_and(|retired| retired <= from) {
        return Err(Error::conflict("document-retired"));
    }
    let versions = store::versions(tx.read(), &row.document)?;
    let latest = Timeline::new(&versions, None).latest_beginning();
    match latest.filter(|latest| *latest > from) {
        Some(latest) => Err(Error::conflict("begins-before").with("earliest", latest.to_string())),
        None => Ok(from),
    }
}

/// Sends a version back to draft; by one whom the round asked.
///
/// # Errors
/// 404; 403 for who was not asked; 409 when it is not in review.
pub fn reject(tx: &mut Tx<'_>, signer: &Signer, target: Target<'_>, reason: &str) -> Result<VersionRecord> {
    let record = store::require_version(tx.read(), target.0, target.1)?;
    must_be(&record.version, Stored::InReview)?;
    let account = signer.actor.id.as_str();
    let asked =
        [Meaning::Reviewed, Meaning::Approved].map(|meaning| record.asked(meaning.code()).contains(&account));
    if !asked.contains(&true) {
        return Err(Error::forbidden("not-asked"));
    }
    let seen = store::digest_of(&record.version.digest)?;
    let row = back_to_draft(tx, &record)?;
    let act = signatures::Act {
        subject: &row.subject(),
        round: row.round,
        meaning: "rejected",
        digest: seen,
        comment: reason,
    };
    let (_, sig) = signatures::sign(tx, signer, &act)?;
    noted(tx, target, NewEntry::new(acts::VERSION_REJECTED, &signer.actor).signature(&sig).reason(reason))
}

/// Takes a version back to draft; by one of its authors.
///
/// # Errors
/// 404; 403 for who is no author; 409 when it is not in review.
pub fn withdraw(tx: &mut Tx<'_>, actor: &Actor, target: Target<'_>, reason: &str) -> Result<VersionRecord> {
    let record = store::require_version(tx.read(), target.0, target.1)?;
    must_be(&record.version, Stored::InReview)?;
    if !record.authors.contains(&actor.id) {
        return Err(Error::forbidden("not-author"));
    }
    back_to_draft(tx, &record)?;
    noted(tx, target, NewEntry::new(acts::VERSION_WITHDRAWN, actor).reason(reason))
}

/// The beginning asked for belongs to the round that ends: the content object loses it, so the digest changes.
fn back_to_draft(tx: &mut Tx<'_>, record: &VersionRecord) -> Result<Version> {
    let document = store::require(tx.read(), &record.version.document)?;
    let mut row = record.version.clone();
    row.state = Stored::Draft.code().to_owned();
    row.asked_from = None;
    row.submitted_at = None;
    write_with_content(tx, &document, (&mut row, record))?;
    Ok(row)
}

/// Calls an approved version off before it begins.
///
/// # Errors
/// 404; 409 unless it awaits its beginning.
pub fn cancel(tx: &mut Tx<'_>, signer: &Signer, target: Target<'_>, reason: &str) -> Result<VersionRecord> {
    let record = store::require_version(tx.read(), target.0, target.1)?;
    let document = store::require(tx.read(), target.0)?;
    let versions = store::versions(tx.read(), target.0)?;
    let state = Timeline::new(&versions, document.retired_from).state(&record.version, tx.now());
    if state != State::Awaiting {
        return Err(Error::conflict("wrong-state").arg("state", state.code()).with("state", state.code()));
    }
    let digest = store::digest_of(&record.version.digest)?;
    let row = ended(tx, record.version, (Stored::Cancelled, &signer.actor.id, reason));
    store::update_version(tx, &row)?;
    let act = signatures::Act {
        subject: &row.subject(),
        round: row.round,
        meaning: "cancelled",
        digest,
        comment: reason,
    };
    let (_, sig) = signatures::sign(tx, signer, &act)?;
    noted(tx, target, NewEntry::new(acts::VERSION_CANCELLED, &signer.actor).signature(&sig).reason(reason))
}
