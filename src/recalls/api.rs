//! Recalls for machines.

use actix_web::{HttpResponse, web};
use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::Value;

use super::intake::{self, Draft, Patch};
use super::read::{self, Filter, RecallRow};
use super::record::STATES;
use super::store::{self, KIND};
use crate::error::{Error, Result};
use crate::ledger::lane::Tx;
use crate::people::desk::{Desk, Reader, Reply};
use crate::people::rights::Permission;
use crate::records::api::{self as shared, CorrectionBody, DecisionBody, Surface, TransitionBody};
use crate::store::Db;
use crate::time::Timestamp;
use crate::web::input::{self, Faults};
use crate::web::json::Body;
use crate::web::paging::{Page, Paging};
use crate::web::query::Query;

/// How recalls show themselves to machines.
static SURFACE: Surface =
    Surface { kind: &KIND, path: "/api/v1/recalls", write: Permission::RunRecall, view };

fn view(db: &mut Db, number: &str, (now, _): (Timestamp, Tz)) -> Result<Value> {
    serde_json::to_value(read::one(db, number, now)?).map_err(Error::internal)
}

/// The parameters of a list of recalls.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    pub state: Option<String>,
    pub batch: Option<String>,
    pub q: Option<String>,
}

impl Asked {
    /// The filter they make.
    ///
    /// # Errors
    /// 422 with every parameter that cannot be read.
    pub(super) fn filter(&self) -> Result<Filter> {
        let mut faults = Faults::new();
        let state = self.state.clone().filter(|state| !state.is_empty());
        if state.as_ref().is_some_and(|state| !STATES.contains(&state.as_str())) {
            faults.note("state", "unknown-code");
        }
        let batch = faults.take(input::optional_line("batch", self.batch.as_deref(), 64)).flatten();
        let q = faults.take(input::optional_line("q", self.q.as_deref(), 200)).flatten();
        faults.check()?;
        Ok(Filter { state, batch, q })
    }
}

/// One page of recalls.
pub(super) async fn page_of(reader: &Reader, filter: Filter, paging: &Paging) -> Result<Page<RecallRow>> {
    let limit = paging.limit()?;
    let after: Option<(i64, String)> = paging.after()?;
    let rows = reader.read(move |db| read::list(db, &filter, after.as_ref(), i64::from(limit) + 1)).await?;
    Page::cut(rows, limit, |row| (row.raised_at.0, row.number.clone()))
}

/// `GET /api/v1/recalls`.
pub(super) async fn list(reader: Reader, asked: Query<Asked>, paging: Query<Paging>) -> Result<HttpResponse> {
    let page = page_of(&reader, asked.0.filter()?, &paging.0).await?;
    Ok(HttpResponse::Ok().json(page))
}

/// `GET /api/v1/recalls/{number}`.
pub(super) async fn show(reader: Reader, number: web::Path<String>) -> Result<HttpResponse> {
    let now = reader.site.clock.now();
    let recall = reader.read(move |db| read::one(db, &number, now)).await?;
    Ok(HttpResponse::Ok().json(recall))
}

/// `GET /api/v1/recalls/{number}/trace`.
pub(super) async fn trace(reader: Reader, number: web::Path<String>) -> Result<HttpResponse> {
    let trace = reader.read(move |db| read::trace(db, &number)).await?;
    Ok(HttpResponse::Ok().json(trace))
}

/// `POST /api/v1/recalls`.
pub(super) async fn register(desk: Desk, body: Body<Draft>) -> Result<HttpResponse> {
    let actor = desk.caller.actor(Permission::RunRecall)?;
    let zone = desk.site.zone;
    let new = intake::registration(&body.0, zone)?;
    desk.reply(move |tx| {
        let number = store::register(tx, &actor, zone, &new)?;
        Reply::created(format!("/api/v1/recalls/{number}"), present(tx, &number)?)
    })
    .await
}

/// `PATCH /api/v1/recalls/{number}`.
pub(super) async fn fill(desk: Desk, number: web::Path<String>, body: Body<Patch>) -> Result<HttpResponse> {
    let actor = desk.caller.actor(Permission::RunRecall)?;
    let filling = intake::filling(&body.0, desk.site.zone)?;
    desk.reply(move |tx| {
        store::fill(tx, &actor, &number, &filling)?;
        Reply::ok(present(tx, &number)?)
    })
    .await
}

/// The recall inside the change that has just written it.
fn present(tx: &mut Tx<'_>, number: &str) -> Result<read::RecallView> {
    // A signer's name that this change has sealed is read back at once.
    tx.settle()?;
    let now = tx.now();
    read::one(tx.read(), number, now)
}

/// `POST /api/v1/recalls/{number}/transitions`.
pub(super) async fn step(
    desk: Desk,
    number: web::Path<String>,
    body: Body<TransitionBody>,
) -> Result<HttpResponse> {
    shared::transition(desk, &SURFACE, (number.into_inner(), body.0)).await
}

/// `POST /api/v1/recalls/{number}/corrections`.
pub(super) async fn correct(
    desk: Desk,
    number: web::Path<String>,
    body: Body<CorrectionBody>,
) -> Result<HttpResponse> {
    shared::request_correction(desk, &SURFACE, (number.into_inner(), body.0)).await
}

/// `GET /api/v1/recalls/{number}/corrections/{id}`.
pub(super) async fn correction(reader: Reader, path: web::Path<(String, String)>) -> Result<HttpResponse> {
    shared::correction(reader, &SURFACE, path.into_inner()).await
}

/// `POST /api/v1/recalls/{number}/corrections/{id}/decision`.
pub(super) async fn decide(
    desk: Desk,
    path: web::Path<(String, String)>,
    body: Body<DecisionBody>,
) -> Result<HttpResponse> {
    let (number, id) = path.into_inner();
    shared::decide_correction(desk, &SURFACE, (number, id, body.0)).await
}
