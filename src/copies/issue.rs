//! The changes: issuing a numbered copy, writing that something was printed, calling back what no longer holds, and
//! what became of a copy.

use super::record::{Copy, Outcome, mark, token};
use super::store;
use crate::documents::list::Sight;
use crate::documents::record::{Version, version_subject};
use crate::documents::store as documents;
use crate::documents::timeline::{State, Timeline};
use crate::documents::{answers, reading};
use crate::error::{Error, Result};
use crate::ledger::acts;
use crate::ledger::lane::{Actor, Appended, NewEntry, Tx};
use crate::store::Db;
use crate::time::Timestamp;

/// A copy to issue; checked.
#[derive(Debug, Clone)]
pub struct NewCopy {
    /// The version; the one in force where none is named.
    pub version: Option<String>,
    /// A tag of the version's languages, or `both`.
    pub lang: String,
    /// To whom, by name.
    pub holder: String,
    /// Where it will be kept; may be empty.
    pub place: String,
}

/// What `lang` means where all languages are printed.
pub const BOTH: &str = "both";

/// Whether a version has what `lang` asks for.
///
/// # Errors
/// 422 at `lang`.
pub fn must_have(record: &crate::documents::record::VersionRecord, lang: &str) -> Result<()> {
    if lang != BOTH {
        answers::rendition(record, Some(lang), lang)?;
    }
    Ok(())
}

/// Issues a copy of a version that is in force or approved to be.
///
/// # Errors
/// 404; 409 `copy-not-in-force` for another state, `nothing-in-force`; 422 for a language it has not.
pub fn issue(tx: &mut Tx<'_>, actor: &Actor, document: &str, new: &NewCopy) -> Result<Copy> {
    let now = tx.now();
    let row = documents::require(tx.read(), document)?;
    let versions = documents::versions(tx.read(), document)?;
    let timeline = Timeline::new(&versions, row.retired_from);
    let version = match &new.version {
        Some(version) => version.clone(),
        None => match timeline.in_force(now) {
            Some(version) => version.version.clone(),
            None => return Err(Error::conflict("nothing-in-force")),
        },
    };
    let record = documents::require_version(tx.read(), document, &version)?;
    if !matches!(timeline.state(&record.version, now), State::InForce | State::Awaiting) {
        return Err(Error::conflict("copy-not-in-force"));
    }
    must_have(&record, &new.lang)?;
    let copy = Copy {
        document: document.to_owned(),
        n: store::next(tx.read(), document)?,
        version,
        lang: new.lang.clone(),
        token: token(),
        holder_sealed: tx.seal("holder", &new.holder),
        place: new.place.clone(),
        issued_at: now,
        issued_by: actor.id.clone(),
        recalled_at: None,
        outcome: String::new(),
        note: String::new(),
        settled_at: None,
        settled_by: None,
    };
    store::insert(tx, &copy)?;
    tx.append(NewEntry::new(acts::COPY_ISSUED, actor).state(copy.snapshot()))?;
    Ok(copy)
}

/// Writes what became of a copy.
///
/// # Errors
/// 404; 409 `copy-settled` when that is written already; 422 without a note where one is due.
pub fn settle(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (document, n): (&str, &str),
    (outcome, note): (Outcome, &str),
) -> Result<Copy> {
    let mut copy = store::require(tx.read(), document, n)?;
    if !copy.is_out() {
        return Err(Error::conflict("copy-settled"));
    }
    if note.is_empty() && outcome != Outcome::Returned {
        return Err(Error::invalid("note", "required"));
    }
    outcome.code().clone_into(&mut copy.outcome);
    note.clone_into(&mut copy.note);
    copy.settled_at = Some(tx.now());
    copy.settled_by = Some(actor.id.clone());
    store::update(tx, &copy)?;
    let entry = NewEntry::new(acts::COPY_SETTLED, actor).field("outcome", outcome.code()).reason(note);
    tx.append(entry.state(copy.snapshot()))?;
    Ok(copy)
}

/// The end of the version of a copy, where it has come by `now`; a version that was called off has it at once.
///
/// # Errors
/// The database does not answer.
pub fn ended(db: &mut Db, copy: &Copy, now: Timestamp) -> Result<Option<Timestamp>> {
    let Some(document) = documents::find(db, &copy.document)? else { return Ok(None) };
    let versions = documents::versions(db, &copy.document)?;
    let timeline = Timeline::new(&versions, document.retired_from);
    let of_copy = |version: &&Version| version.version == copy.version;
    Ok(versions.iter().find(of_copy).and_then(|version| match timeline.state(version, now) {
        State::Superseded | State::Retired => timeline.until(version).or(Some(now)),
        State::Cancelled | State::Abandoned => version.ended_at.or(Some(now)),
        State::Draft | State::InReview | State::Awaiting | State::InForce => None,
    }))
}

/// The clock's part: calls back each copy whose version has come to its end, once, and says how many.
///
/// # Errors
/// The database does not answer.
pub fn call_back(tx: &mut Tx<'_>) -> Result<usize> {
    let now = tx.now();
    let mut called = 0;
    for mut copy in store::out(tx.read())?.into_iter().filter(|copy| copy.recalled_at.is_none()) {
        if let Some(end) = ended(tx.read(), &copy, now)? {
            copy.recalled_at = Some(end);
            store::update(tx, &copy)?;
            tx.append(NewEntry::new(acts::COPY_RECALLED, &Actor::clock()).state(copy.snapshot()))?;
            called += 1;
        }
    }
    Ok(called)
}

/// The entry of a print, and what the paper says of it.
#[derive(Debug, Clone)]
pub struct Noted {
    /// What the QR code leads to.
    pub token: String,
    /// The entry.
    pub entry: Appended,
    /// When it was made.
    pub at: Timestamp,
    /// The languages that are printed.
    pub lang: String,
}

/// Writes that somebody makes an uncontrolled print of a version that they may see.
///
/// # Errors
/// 404; 403 `not-in-force`; 422 for a language it has not.
pub fn note_print(
    tx: &mut Tx<'_>,
    (actor, archive): (&Actor, bool),
    (document, version, lang): (&str, &str, &str),
    epoch: i64,
) -> Result<Noted> {
    let now = tx.now();
    let sight = if archive { Sight::Archive } else { Sight::InForce(now) };
    let record = reading::visible_version(tx.read(), (document, version), sight)?;
    must_have(&record, lang)?;
    let token = token();
    let mark = mark(&token);
    let entry = NewEntry::new(acts::VERSION_PRINTED, actor)
        .unchanged(&version_subject(document, version))
        .field("mark", mark.as_str())
        .field("lang", lang);
    let entry = tx.append(entry)?;
    store::insert_mark(tx, &mark, (epoch, entry.seq))?;
    Ok(Noted { token, entry, at: now, lang: lang.to_owned() })
}

/// Writes that a numbered copy is put on paper; only while it is out and its version holds or is to come.
///
/// # Errors
/// 404; 409 `copy-settled`, `copy-not-in-force`.
pub fn note_copy_print(tx: &mut Tx<'_>, actor: &Actor, (document, n): (&str, &str)) -> Result<(Copy, Noted)> {
    let now = tx.now();
    let copy = store::require(tx.read(), document, n)?;
    if !copy.is_out() {
        return Err(Error::conflict("copy-settled"));
    }
    if copy.recalled_at.is_some() || ended(tx.read(), &copy, now)?.is_some() {
        return Err(Error::conflict("copy-not-in-force"));
    }
    let entry = tx.append(NewEntry::new(acts::COPY_PRINTED, actor).unchanged(&copy.subject()))?;
    let noted = Noted { token: copy.token.clone(), entry, at: now, lang: copy.lang.clone() };
    Ok((copy, noted))
}
