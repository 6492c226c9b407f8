//! Prints and numbered copies for machines.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::issue::{self, NewCopy};
use super::record::{Copy, Outcome};
use super::{Printing, prints, store};
use crate::documents::store as documents;
use crate::error::Result;
use crate::ledger::store as ledger;
use crate::people::desk::{Desk, Reader, Reply};
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::people::store as people;
use crate::people::store::Named;
use crate::store::Db;
use crate::time::Timestamp;
use crate::web::input;
use crate::web::json::Body;
use crate::web::paging::{Page, Paging};
use crate::web::query::Query;

/// Characters of a holder's name and of a place.
pub(super) const LINE: usize = 100;
/// Characters of a note.
pub(super) const NOTE: usize = 2_000;

/// The feature's routes for machines.
pub fn routes() -> Vec<Route> {
    const READ: Gate = Gate::May(Permission::ReadInForce);
    const LIST: Gate = Gate::May(Permission::ReadAllVersions);
    const ISSUE: Gate = Gate::May(Permission::IssueCopies);
    const COPIES: &str = "/api/v1/documents/{number}/copies";
    vec![
        Route::get(
            "/api/v1/documents/{number}/versions/{version}/pdf",
            READ,
            "Print a version as PDF/A",
            || web::to(version_pdf),
        ),
        Route::get("/api/v1/copies", LIST, "List numbered copies", || web::to(list)),
        Route::get(COPIES, LIST, "List the numbered copies of a document", || web::to(of_document)),
        Route::post(COPIES, ISSUE, "Issue a numbered copy", || web::to(create)),
        Route::get("/api/v1/documents/{number}/copies/{n}", LIST, "Read a numbered copy", || web::to(one)),
        Route::get(
            "/api/v1/documents/{number}/copies/{n}/pdf",
            ISSUE,
            "Print a numbered copy as PDF/A",
            || web::to(copy_pdf),
        ),
        Route::post(
            "/api/v1/documents/{number}/copies/{n}/settle",
            ISSUE,
            "Write what became of a numbered copy",
            || web::to(settle),
        ),
    ]
}

/// A copy for reading.
#[derive(Debug, Clone, Serialize)]
pub struct CopyView {
    /// `SOP-CS-001`.
    pub document: String,
    /// Its number within the document.
    pub n: i64,
    /// `2.0`.
    pub version: String,
    /// A tag, or `both`.
    pub lang: String,
    /// To whom it was issued, by name; none where the name was erased.
    pub holder: Option<String>,
    /// Where it is kept.
    pub place: String,
    /// When.
    pub issued_at: Timestamp,
    /// By whom.
    pub issued_by: Named,
    /// `out`, `due`, `returned`, `destroyed`, `lost`.
    pub standing: &'static str,
    /// Since when it must come back.
    pub due_since: Option<Timestamp>,
    /// What was said of its end.
    pub note: String,
    /// When its end was written down.
    pub settled_at: Option<Timestamp>,
    /// By whom.
    pub settled_by: Option<Named>,
    /// The path its QR code leads to.
    pub status: String,
}

/// A copy as it stands at an instant.
///
/// # Errors
/// The database does not answer.
pub fn view(db: &mut Db, copy: &Copy, now: Timestamp) -> Result<CopyView> {
    let ended = issue::ended(db, copy, now)?;
    let named = |db: &mut Db, id: &str| Ok::<_, crate::error::Error>(people::person(db, id)?.named());
    Ok(CopyView {
        document: copy.document.clone(),
        n: copy.n,
        version: copy.version.clone(),
        lang: copy.lang.clone(),
        holder: ledger::unsealed(db, &copy.holder_sealed)?,
        place: copy.place.clone(),
        issued_at: copy.issued_at,
        issued_by: named(db, &copy.issued_by)?,
        standing: copy.standing(ended.is_some()).code(),
        due_since: copy.recalled_at.or(ended),
        note: copy.note.clone(),
        settled_at: copy.settled_at,
        settled_by: copy.settled_by.as_deref().map(|id| named(db, id)).transpose()?,
        status: format!("/c/{}", copy.token),
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InLanguage {
    lang: Option<String>,
}

/// A version as PDF; at its page's address too.
///
/// # Errors
/// As [`prints::of_version`].
pub(super) async fn version_pdf(
    (reader, request): (Reader, HttpRequest),
    printing: web::Data<Printing>,
    path: web::Path<(String, String)>,
    query: Query<InLanguage>,
) -> Result<HttpResponse> {
    let (number, version) = path.into_inner();
    let lang = prints::wanted(query.0.lang.as_deref());
    prints::of_version(&reader, (&printing, &request), (number, version, lang)).await
}

/// A numbered copy as PDF; at its page's address too.
///
/// # Errors
/// As [`prints::of_copy`].
pub(super) async fn copy_pdf(
    (reader, request): (Reader, HttpRequest),
    printing: web::Data<Printing>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    prints::of_copy(&reader, (&printing, &request), path.into_inner()).await
}

#[derive(Debug, Deserialize)]
struct Wanted {
    all: Option<bool>,
    #[serde(flatten)]
    paging: Paging,
}

async fn list(reader: Reader, query: Query<Wanted>) -> Result<HttpResponse> {
    let (limit, after) = (query.0.paging.limit()?, query.0.paging.after::<(String, i64)>()?);
    let (all, now) = (query.0.all.unwrap_or(false), reader.site.clock.now());
    let rows = reader.read(move |db| {
        let rows = store::page(db, all, after.as_ref(), i64::from(limit) + 1)?;
        rows.iter().map(|copy| view(db, copy, now)).collect::<Result<Vec<_>>>()
    });
    Ok(HttpResponse::Ok().json(Page::cut(rows.await?, limit, |copy| (copy.document.clone(), copy.n))?))
}

async fn of_document(
    reader: Reader,
    number: web::Path<String>,
    query: Query<Paging>,
) -> Result<HttpResponse> {
    let (limit, after) = (query.0.limit()?, query.0.after::<i64>()?);
    let now = reader.site.clock.now();
    let rows = reader.read(move |db| {
        documents::require(db, &number)?;
        let mut rows = store::of(db, &number)?;
        rows.retain(|copy| after.is_none_or(|after| copy.n < after));
        rows.truncate(usize::from(limit) + 1);
        rows.iter().map(|copy| view(db, copy, now)).collect::<Result<Vec<_>>>()
    });
    Ok(HttpResponse::Ok().json(Page::cut(rows.await?, limit, |copy| copy.n)?))
}

async fn one(reader: Reader, path: web::Path<(String, String)>) -> Result<HttpResponse> {
    let now = reader.site.clock.now();
    let copy = reader.read(move |db| {
        let copy = store::require(db, &path.0, &path.1)?;
        view(db, &copy, now)
    });
    Ok(HttpResponse::Ok().json(copy.await?))
}

/// What a copy is asked for with.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CopyBody {
    pub version: Option<String>,
    pub lang: Option<String>,
    pub holder: String,
    pub place: Option<String>,
}

impl CopyBody {
    /// The copy to issue, checked as far as it can be without asking.
    ///
    /// # Errors
    /// 422 with all that is wrong.
    pub fn check(self) -> Result<NewCopy> {
        let mut faults = input::Faults::new();
        let holder = faults.take(input::line("holder", &self.holder, LINE));
        let place = faults.take(input::optional_line("place", self.place.as_deref(), LINE));
        let (Some(holder), Some(place)) = (holder, place) else { return Err(faults.error()) };
        let lang = prints::wanted(self.lang.as_deref());
        Ok(NewCopy { version: self.version, lang, holder, place: place.unwrap_or_default() })
    }
}

async fn create(desk: Desk, number: web::Path<String>, body: Body<CopyBody>) -> Result<HttpResponse> {
    let new = body.0.check()?;
    let actor = desk.caller.actor(Permission::IssueCopies)?;
    desk.reply(move |tx| {
        let copy = issue::issue(tx, &actor, &number, &new)?;
        tx.settle()?;
        let now = tx.now();
        let told = view(tx.read(), &copy, now)?;
        Reply::created(format!("/api/v1/documents/{}/copies/{}", copy.document, copy.n), told)
    })
    .await
}

/// What became of a copy, as it is told.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct EndBody {
    pub outcome: String,
    pub note: String,
}

impl EndBody {
    /// Outcome and note, checked.
    ///
    /// # Errors
    /// 422 with all that is wrong.
    pub fn check(&self) -> Result<(Outcome, String)> {
        let mut faults = input::Faults::new();
        let outcome = faults.take(input::code::<Outcome>("outcome", &self.outcome));
        let note = faults.take(input::optional_text("note", Some(&self.note), NOTE));
        let (Some(outcome), Some(note)) = (outcome, note) else { return Err(faults.error()) };
        Ok((outcome, note.unwrap_or_default()))
    }
}

async fn settle(desk: Desk, path: web::Path<(String, String)>, body: Body<EndBody>) -> Result<HttpResponse> {
    let (outcome, note) = body.0.check()?;
    let actor = desk.caller.actor(Permission::IssueCopies)?;
    desk.reply(move |tx| {
        let copy = issue::settle(tx, &actor, (&path.0, &path.1), (outcome, &note))?;
        let now = tx.now();
        Reply::ok(view(tx.read(), &copy, now)?)
    })
    .await
}
