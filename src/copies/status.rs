//! The public page that a QR code leads to: this number, version and copy holds, or by what it was superseded and since
//! when, or nobody knows it. It tells nothing else and asks nobody to sign in; whoever guesses codes guesses 128 bits.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpResponse, web};
use chrono_tz::Tz;

use super::record::{Outcome, is_token};
use super::store;
use super::views::Status;
use crate::documents::store as documents;
use crate::documents::timeline::{State, Timeline};
use crate::error::Result;
use crate::ledger::site::Site;
use crate::people::gate::{Gate, Route};
use crate::people::view::View;
use crate::store::Db;
use crate::time::Timestamp;
use crate::web::format;
use crate::web::page::page;
use crate::web::words::Words;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/c/{token}", Gate::Public, "", || web::to(status))]
}

/// What is told of a sheet of paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// `SOP-CS-001`.
    pub document: String,
    /// `2.0`.
    pub version: String,
    /// The copy's number; none for an uncontrolled print.
    pub copy: Option<i64>,
    /// Whether it may be followed.
    pub verdict: Verdict,
}

/// Whether a sheet of paper may be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It holds; until the day's end for an uncontrolled print.
    Holds(Option<Timestamp>),
    /// Its version holds only from then on.
    Awaits(Timestamp),
    /// It was printed before its version held, and says so on its face.
    TooEarly,
    /// An uncontrolled print of another day, though its version holds.
    Expired(Timestamp),
    /// Another version holds, since then.
    Superseded(String, Timestamp),
    /// Nothing holds any more, since then.
    Retired(Timestamp),
    /// Never approved, or called off.
    Never,
    /// Its end was written down.
    Settled(Outcome),
}

/// What stands across the top of the page, told apart by sign and word, not by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It may be followed.
    Yes,
    /// Not before its time.
    NotYet,
    /// It must not be followed.
    No,
    /// The database may be out of date, so nobody may rely on it that the paper holds.
    Withheld,
}

impl Mark {
    /// The key of its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Yes => "status-yes",
            Self::NotYet => "status-not-yet",
            Self::No => "status-no",
            Self::Withheld => "status-withheld",
        }
    }

    /// Its icon.
    pub const fn icon(self) -> &'static str {
        match self {
            Self::Yes => "check",
            Self::NotYet => "clock",
            Self::No => "cross",
            Self::Withheld => "dia",
        }
    }

    /// Its class.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Yes => "grn",
            Self::No => "red",
            Self::NotYet | Self::Withheld => "yel",
        }
    }
}

impl Verdict {
    fn says(&self, w: Words, zone: Tz) -> String {
        let minute = |at: Timestamp| format::minute(at, zone);
        match self {
            Self::Holds(None) => w.t("status-holds").into_owned(),
            Self::Holds(Some(until)) => w.one("status-holds-today", "until", minute(*until)).into_owned(),
            Self::Awaits(from) => w.one("status-awaits", "from", minute(*from)).into_owned(),
            Self::TooEarly => w.t("status-too-early").into_owned(),
            Self::Expired(at) => w.one("status-expired", "day", format::date(*at, zone)).into_owned(),
            Self::Superseded(by, since) => {
                let args = [("by", by.as_str().into()), ("since", minute(*since).into())];
                w.with("status-superseded", &args).into_owned()
            }
            Self::Retired(since) => w.one("status-retired", "since", minute(*since)).into_owned(),
            Self::Never => w.t("status-never").into_owned(),
            Self::Settled(outcome) => w.t(&format!("status-settled-{}", outcome.code())).into_owned(),
        }
    }

    const fn mark(&self) -> Mark {
        match self {
            Self::Holds(_) => Mark::Yes,
            Self::Awaits(_) => Mark::NotYet,
            _ => Mark::No,
        }
    }
}

/// What is known of the paper with this token.
///
/// # Errors
/// The database does not answer.
pub fn told(db: &mut Db, token: &str, (now, zone): (Timestamp, Tz)) -> Result<Option<Told>> {
    if !is_token(token) {
        return Ok(None);
    }
    if let Some(copy) = store::by_token(db, token)? {
        let verdict = match copy.outcome.parse() {
            Ok(outcome) => Verdict::Settled(outcome),
            Err(()) => of_version(db, (&copy.document, &copy.version), now)?,
        };
        let (document, version) = (copy.document, copy.version);
        return Ok(Some(Told { document, version, copy: Some(copy.n), verdict }));
    }
    let Some(print) = store::print(db, token)? else { return Ok(None) };
    let target = (print.document.as_str(), print.version.as_str());
    let mut verdict = of_version(db, target, now)?;
    if let Verdict::Holds(_) = verdict {
        let day = format::date(print.at, zone);
        verdict = match of_version(db, target, print.at)? {
            Verdict::Holds(_) if day == format::date(now, zone) => {
                Verdict::Holds(Timestamp::parse_end(&day, zone))
            }
            Verdict::Holds(_) => Verdict::Expired(print.at),
            _ => Verdict::TooEarly,
        };
    }
    Ok(Some(Told { document: print.document, version: print.version, copy: None, verdict }))
}

fn of_version(db: &mut Db, (number, version): (&str, &str), at: Timestamp) -> Result<Verdict> {
    let Some(document) = documents::find(db, number)? else { return Ok(Verdict::Never) };
    let versions = documents::versions(db, number)?;
    let timeline = Timeline::new(&versions, document.retired_from);
    let Some(own) = versions.iter().find(|row| row.version == version) else { return Ok(Verdict::Never) };
    let end = || timeline.until(own).unwrap_or(at);
    Ok(match timeline.state(own, at) {
        State::InForce => Verdict::Holds(None),
        State::Awaiting => Verdict::Awaits(own.effective_from.unwrap_or(at)),
        State::Superseded => match timeline.in_force(at) {
            Some(holding) => {
                Verdict::Superseded(holding.version.clone(), holding.effective_from.unwrap_or(at))
            }
            None => Verdict::Retired(document.retired_from.unwrap_or_else(end)),
        },
        State::Retired => Verdict::Retired(end()),
        State::Draft | State::InReview | State::Cancelled | State::Abandoned => Verdict::Never,
    })
}

async fn status(view: View, site: web::Data<Site>, token: web::Path<String>) -> Result<HttpResponse> {
    let (now, zone) = (view.now(), view.zone);
    let told = site.readers.read(move |db| told(db, &token, (now, zone))).await?;
    let w = view.words;
    let title = match &told {
        Some(told) => format!("{} V{} {}", told.document, told.version, w.t("status-title")),
        None => w.t("status-title").into_owned(),
    };
    let frame = view.frame(title, "");
    let (mark, says, status) = match &told {
        Some(told) if told.verdict.mark() == Mark::Yes && frame.halted.is_some() => {
            (Mark::Withheld, w.t("status-withheld.detail").into_owned(), StatusCode::OK)
        }
        Some(told) => (told.verdict.mark(), told.verdict.says(w, zone), StatusCode::OK),
        None => (Mark::No, w.t("status-unknown").into_owned(), StatusCode::NOT_FOUND),
    };
    let mut answer = page(&Status { frame, told, mark, says, at: now }, status);
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer)
}
