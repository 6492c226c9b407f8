//! The pack's cover: one page in both languages that needs no network and no program of ours.

use askama::Template;
use chrono_tz::Tz;

use super::layout;
use super::part::Part;
use super::record::Pack;
use super::wanted::Named;
use crate::error::{Error, Result};
use crate::time::Timestamp;
use crate::web::format;
use crate::web::words::{Lang, Words};

/// Subjects that the cover lists; `records/` has all.
const LISTED: usize = 500;

/// What the cover tells of a pack.
pub struct Cover<'a> {
    pub pack: &'a Pack,
    /// Empty for a range and for the whole.
    pub subjects: &'a [(Named, u64)],
    pub subject_count: u64,
    /// Sealed and not kept.
    pub missing: u64,
    /// Versions that lie in it as PDF.
    pub prints: u64,
    pub origin: &'a str,
    pub zone: Tz,
    pub demo: bool,
    pub now: Timestamp,
    /// Instant of the last entry that the checkpoint covers.
    pub last: Option<Timestamp>,
    /// All epochs, the present one last.
    pub parts: &'a [Part],
}

#[derive(Template)]
#[template(path = "packs/readme.html")]
struct Readme<'a> {
    cover: &'a Cover<'a>,
    sides: Vec<Words>,
}

/// The page.
///
/// # Errors
/// The template does not render.
pub fn readme(cover: &Cover<'_>) -> Result<String> {
    let sides = Lang::ALL.into_iter().map(Words::of).collect();
    Readme { cover, sides }.render().map_err(Error::internal)
}

impl Readme<'_> {
    fn listed(&self) -> &[(Named, u64)] {
        &self.cover.subjects[..self.cover.subjects.len().min(LISTED)]
    }

    fn unlisted(&self) -> u64 {
        self.cover.subjects.len().saturating_sub(LISTED) as u64
    }

    fn record(&self, named: &Named) -> String {
        layout::record(&named.kind, &named.id).replace('%', "%25")
    }

    fn folder(&self, named: &Named) -> Option<String> {
        layout::version(&named.kind, &named.id).map(|folder| folder.replace('%', "%25"))
    }

    /// The epochs that recoveries have ended.
    fn past(&self) -> &[Part] {
        self.cover.parts.split_last().map_or(&[], |(_, past)| past)
    }

    /// How an epoch ended, in words.
    fn ended(&self, w: &Words, part: &Part) -> String {
        let (found, signed) = part.ended.as_ref().map_or((0, 0), |found| (found.size, found.signed()));
        let args = [("found", found.into()), ("signed", signed.into()), ("next", (part.number + 1).into())];
        w.with("pack-epoch-ended", &args).into_owned()
    }

    fn second(&self, at: &Timestamp) -> String {
        format::second(*at, self.cover.zone)
    }

    fn scope(&self, w: &Words) -> String {
        let pack = self.cover.pack;
        match pack.scope.as_str() {
            "range" => {
                let at = |at: Option<Timestamp>| at.map_or("…".to_owned(), |at| self.second(&at));
                let args = [("from", at(pack.from_at).into()), ("to", at(pack.before_at).into())];
                w.with("pack-scope-range", &args).into_owned()
            }
            "whole" => w.t("pack-scope-whole").into_owned(),
            _ => w.one("pack-scope-subjects", "n", pack.named().len()).into_owned(),
        }
    }
}
