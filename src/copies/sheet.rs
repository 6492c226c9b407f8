//! Everything that a print of a version shows, asked of the database at once.

use super::issue::BOTH;
use crate::documents::list::Sight;
use crate::documents::prose::{self, Prose};
use crate::documents::read_pages::{self, Checked, Shown};
use crate::documents::record::{Rendition, Version};
use crate::documents::timeline::State;
use crate::error::{Error, Result};
use crate::ledger::store::Placed;
use crate::store::Db;
use crate::time::Timestamp;

/// What kind of paper it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// For the day it was printed on.
    Uncontrolled,
    /// In somebody's hands, under a number.
    Controlled {
        /// Its number.
        n: i64,
        /// Whose it is.
        holder: String,
        /// Where it is kept.
        place: String,
    },
    /// In an archive or a pack: the version itself, printed by nobody.
    Archive,
}

/// Who printed it, when, and what the ledger says of it.
#[derive(Debug, Clone)]
pub struct Impression {
    /// By printed name.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The entry that says so.
    pub entry: Placed,
    /// The address its QR code leads to.
    pub address: String,
}

/// A print's matter.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// The version and its document.
    pub shown: Shown,
    /// Its texts, the authoritative one first.
    pub texts: Vec<Prose>,
    /// The approved versions up to this one, and this one, the newest first.
    pub history: Vec<Version>,
    /// The newest entry about the version.
    pub entry: Option<Placed>,
}

/// Gathers it for a reader, as of an instant.
///
/// # Errors
/// 404; 403 `not-in-force`; 409 `content-broken` where a text is no longer what was sealed.
pub fn gather(
    db: &mut Db,
    (document, version, lang): (&str, &str, &str),
    (sight, now): (Sight, Timestamp),
) -> Result<Sheet> {
    let shown = read_pages::shown(db, (document, version), (sight, now))?;
    let mut texts = Vec::new();
    for rendition in renditions(&shown, lang) {
        match read_pages::checked(db, (&shown.around.document, &shown.record), &rendition)? {
            Checked::Sound(words) => texts.push(prose::prose(db, (words, &rendition.lang), now)?),
            Checked::Broken { .. } => return Err(Error::conflict("content-broken")),
        }
    }
    let own = shown.record.version.number();
    let counts = |version: &&Version| {
        version.number() == own || (version.number() < own && version.approved_at.is_some())
    };
    let mut history: Vec<Version> = shown.around.versions.iter().filter(counts).cloned().collect();
    history.reverse();
    Ok(Sheet { texts, history, entry: shown.entry, shown })
}

fn renditions(shown: &Shown, lang: &str) -> Vec<Rendition> {
    let mut texts: Vec<Rendition> =
        shown.record.renditions.iter().filter(|text| lang == BOTH || text.lang == lang).cloned().collect();
    let authoritative = &shown.around.document.authoritative_language;
    texts.sort_by_key(|text| text.lang != *authoritative);
    texts
}

/// What stands across each page: a word's key.
pub fn watermark(kind: &Kind, state: State) -> &'static str {
    match (state, kind) {
        (State::Draft | State::InReview, _) => "print-mark-draft",
        (State::Superseded, _) => "print-mark-superseded",
        (State::Retired, _) => "print-mark-retired",
        (State::Cancelled, _) => "print-mark-cancelled",
        (State::Abandoned, _) => "print-mark-abandoned",
        (State::Awaiting | State::InForce, Kind::Controlled { .. }) => "print-mark-controlled",
        (State::Awaiting, _) => "print-mark-training",
        (State::InForce, Kind::Uncontrolled) => "print-mark-uncontrolled",
        (State::InForce, Kind::Archive) => "print-mark-in-force",
    }
}
