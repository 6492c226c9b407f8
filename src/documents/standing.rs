//! What becomes of a document that is in force: its periodic review, and its retirement.

use super::approval::Asked;
use super::codes::Outcome;
use super::drafting::{self, Target, must_be, must_not_be_retired};
use super::record::{DocumentRecord, Review, Stored, Version, VersionRecord};
use super::store;
use super::timeline::Timeline;
use crate::error::{Error, Result};
use crate::ledger::acts;
use crate::ledger::lane::{NewEntry, Tx};
use crate::signatures::{self, Signer};
use crate::time::Timestamp;

/// The meaning of a signature under a text that was read and understood.
pub const ACKNOWLEDGED: &str = "acknowledged";

/// Retires a document from an instant on, at the earliest from now. The signature is over the version in force.
///
/// # Errors
/// 404; 409 when nothing is in force or it is retired already; 422 for an instant in the past.
pub fn retire(
    tx: &mut Tx<'_>,
    signer: &Signer,
    number: &str,
    (from, reason): (Option<Asked>, &str),
) -> Result<DocumentRecord> {
    let mut row = store::require(tx.read(), number)?;
    must_not_be_retired(&row)?;
    let holding = holding(tx, number)?;
    if let Some(asked) = from {
        asked.must_not_be_past(tx.now())?;
    }
    row.retired_from = Some(from.map_or(tx.now(), |asked| asked.at.max(tx.now())));
    row.retire_reason = Some(reason.to_owned());
    store::update_document(tx, &row)?;
    let act = signatures::Act {
        subject: &row.subject(),
        round: 0,
        meaning: "retired",
        digest: store::digest_of(&holding.digest)?,
        comment: "",
    };
    let (_, sig) = signatures::sign(tx, signer, &act)?;
    noted(tx, number, NewEntry::new(acts::DOCUMENT_RETIRED, &signer.actor).signature(&sig).reason(reason))
}

/// Signs the verdict of a periodic review of the version in force.
///
/// # Errors
/// 404; 409 when nothing is in force.
pub fn review(
    tx: &mut Tx<'_>,
    signer: &Signer,
    number: &str,
    (outcome, comment): (Outcome, &str),
) -> Result<DocumentRecord> {
    let row = store::require(tx.read(), number)?;
    let holding = holding(tx, number)?;
    let review = Review {
        id: crate::id::new("dr"),
        document: number.to_owned(),
        version: holding.version,
        outcome: outcome.code().to_owned(),
        comment: comment.to_owned(),
        reviewed_at: tx.now(),
        reviewed_by: signer.actor.id.clone(),
    };
    store::insert_review(tx, &review)?;
    let act = signatures::Act {
        subject: &row.subject(),
        round: 0,
        meaning: outcome.code(),
        digest: store::digest_of(&holding.digest)?,
        comment,
    };
    let (_, sig) = signatures::sign(tx, signer, &act)?;
    noted(tx, number, NewEntry::new(acts::DOCUMENT_REVIEWED, &signer.actor).signature(&sig).reason(comment))
}

/// Signs as read and understood, over the text as seen. Allowed from the approval on: training comes before the beginning.
///
/// # Errors
/// 404; 409 when it is not approved, is signed so already, or is not what was seen.
pub fn acknowledge(
    tx: &mut Tx<'_>,
    signer: &Signer,
    target: Target<'_>,
    digest: &str,
) -> Result<VersionRecord> {
    let record = store::require_version(tx.read(), target.0, target.1)?;
    must_be(&record.version, Stored::Approved)?;
    if record.version.digest != digest {
        return Err(Error::conflict("stale-digest"));
    }
    if record.has_signed(&signer.actor.id, ACKNOWLEDGED) {
        return Err(Error::conflict("already-signed"));
    }
    let act = signatures::Act {
        subject: &record.subject(),
        round: record.version.round,
        meaning: ACKNOWLEDGED,
        digest: store::digest_of(digest)?,
        comment: "",
    };
    let (_, sig) = signatures::sign(tx, signer, &act)?;
    drafting::noted(tx, target, NewEntry::new(acts::VERSION_ACKNOWLEDGED, &signer.actor).signature(&sig))
}

fn holding(tx: &mut Tx<'_>, number: &str) -> Result<Version> {
    let now = tx.now();
    store::in_force_at(tx.read(), number, now)?.ok_or_else(|| Error::conflict("nothing-in-force"))
}

fn noted(tx: &mut Tx<'_>, number: &str, entry: NewEntry) -> Result<DocumentRecord> {
    let record = store::require_record(tx.read(), number)?;
    tx.append(entry.state(record.snapshot()?))?;
    Ok(record)
}

/// When the next periodic review is due: the version's review period after its beginning, or after it was last
/// confirmed; none while nothing is in force.
pub fn review_due(record: &DocumentRecord, versions: &[Version], at: Timestamp) -> Option<Timestamp> {
    let version = Timeline::new(versions, record.document.retired_from).in_force(at)?;
    let confirmed = record.reviews.iter().filter(|review| {
        review.version == version.version
            && review.outcome == Outcome::Confirmed.code()
            && review.reviewed_at <= at
    });
    let from = confirmed.map(|review| review.reviewed_at).max().or(version.effective_from)?;
    Some(from.plus_months(u32::try_from(version.review_months).ok()?))
}
