//! Deviations for machines.

use actix_web::{HttpResponse, web};
use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::Value;

use super::draft::{self, Draft};
use super::read::{self, Filter, Place};
use super::record::Batch;
use super::store::{self, Filling, KIND};
use crate::error::{Error, Result};
use crate::people::desk::{Desk, Reader, Reply};
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::records::api::{self as shared, CorrectionBody, DecisionBody, Surface, TransitionBody};
use crate::store::Db;
use crate::time::Timestamp;
use crate::web::json::Body;
use crate::web::paging::{Page, Paging};
use crate::web::query::Query;

/// The feature's routes for machines.
pub fn routes() -> Vec<Route> {
    let (read, write) = (Gate::May(Permission::ReadRecords), Gate::May(Permission::RaiseDeviation));
    let decide = Gate::May(Permission::Decide);
    vec![
        Route::get("/api/v1/deviations", read, "List deviations", || web::to(list)),
        Route::post("/api/v1/deviations", write, "Register a deviation", || web::to(raise)),
        Route::get("/api/v1/deviations/{number}", read, "Read a deviation", || web::to(show)),
        Route::patch("/api/v1/deviations/{number}", write, "Fill empty fields", || web::to(fill)),
        Route::post("/api/v1/deviations/{number}/corrections", write, "Ask for a correction", || {
            web::to(request_correction)
        }),
        Route::get("/api/v1/deviations/{number}/corrections/{id}", read, "Read a correction", || {
            web::to(correction)
        }),
        Route::post(
            "/api/v1/deviations/{number}/corrections/{id}/decision",
            decide,
            "Decide a correction",
            || web::to(decide_correction),
        ),
        Route::post("/api/v1/deviations/{number}/transitions", write, "Move or close a deviation", || {
            web::to(transition)
        }),
    ]
}

/// How deviations show themselves to machines.
pub(super) static SURFACE: Surface =
    Surface { kind: &KIND, path: "/api/v1/deviations", write: Permission::RaiseDeviation, view };

fn view(db: &mut Db, number: &str, (_, zone): (Timestamp, Tz)) -> Result<Value> {
    serde_json::to_value(read::one(db, number, zone)?).map_err(Error::internal)
}

/// A batch in a request: an object, or the batch alone.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum BatchBody {
    /// The batch alone.
    Alone(String),
    /// With its material.
    Of(MaterialBatch),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MaterialBatch {
    material: String,
    batch: String,
}

impl From<BatchBody> for Batch {
    fn from(body: BatchBody) -> Self {
        match body {
            BatchBody::Alone(batch) => Self { material: String::new(), batch },
            BatchBody::Of(MaterialBatch { material, batch }) => Self { material, batch },
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RaiseBody {
    title: String,
    description: String,
    class: String,
    area: String,
    occurred_at: String,
    found_at: String,
    #[serde(default)]
    orders: Vec<String>,
    #[serde(default)]
    batches: Vec<BatchBody>,
    #[serde(default)]
    immediate_action: Option<String>,
}

async fn raise(desk: Desk, body: Body<RaiseBody>) -> Result<HttpResponse> {
    let body = body.0;
    let draft = Draft {
        title: body.title,
        description: body.description,
        class: body.class,
        area: body.area,
        occurred_at: body.occurred_at,
        found_at: body.found_at,
        orders: body.orders,
        batches: body.batches.into_iter().map(Batch::from).collect(),
        immediate_action: body.immediate_action.unwrap_or_default(),
    };
    let actor = desk.caller.actor(Permission::RaiseDeviation)?;
    let zone = desk.site.zone;
    desk.reply(move |tx| {
        let told = draft::checked(&draft, tx.now(), zone)?;
        let number = store::raise(tx, &actor, &told, zone)?;
        let now = tx.now();
        Reply::created(format!("/api/v1/deviations/{number}"), view(tx.read(), &number, (now, zone))?)
    })
    .await
}

/// What a list is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    q: Option<String>,
    class: Option<String>,
    state: Option<String>,
    area: Option<String>,
    batch: Option<String>,
    order: Option<String>,
    #[serde(flatten)]
    paging: Paging,
}

impl Wanted {
    /// The filter, and where the list goes on.
    pub(super) fn split(self) -> (Filter, Paging) {
        let Self { q, class, state, area, batch, order, paging } = self;
        let told = |text: Option<String>| text.unwrap_or_default().trim().to_owned();
        let filter = Filter {
            q: told(q),
            class: told(class),
            state: told(state),
            area: told(area),
            batch: told(batch),
            order: told(order),
        };
        (filter, paging)
    }
}

async fn list(reader: Reader, query: Query<Wanted>) -> Result<HttpResponse> {
    let (filter, paging) = query.0.split();
    let (limit, after) = (paging.limit()?, paging.after::<Place>()?);
    filter.check()?;
    let most = i64::from(limit) + 1;
    let rows = reader.read(move |db| read::list(db, &filter, after.as_ref(), most)).await?;
    Ok(HttpResponse::Ok().json(Page::cut(rows, limit, |row| (row.raised_at.0, row.number.clone()))?))
}

async fn show(reader: Reader, number: web::Path<String>) -> Result<HttpResponse> {
    let zone = reader.site.zone;
    let view = reader.read(move |db| read::one(db, &number, zone)).await?;
    Ok(HttpResponse::Ok().json(view))
}

/// What is to be filled. The fields that registering fills may be named, and are then refused as filled.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FillBody {
    title: Option<Value>,
    description: Option<Value>,
    class: Option<Value>,
    area: Option<Value>,
    occurred_at: Option<Value>,
    found_at: Option<Value>,
    immediate_action: Option<String>,
    class_rationale: Option<String>,
    impact: Option<String>,
    investigation: Option<String>,
    root_cause: Option<String>,
    capa: Option<String>,
    no_capa_reason: Option<String>,
    effectiveness_result: Option<String>,
    #[serde(default)]
    orders: Vec<String>,
    #[serde(default)]
    batches: Vec<BatchBody>,
}

impl FillBody {
    fn checked(self) -> Result<Filling> {
        let texts = [
            ("immediate_action", &self.immediate_action),
            ("class_rationale", &self.class_rationale),
            ("impact", &self.impact),
            ("investigation", &self.investigation),
            ("root_cause", &self.root_cause),
            ("capa", &self.capa),
            ("no_capa_reason", &self.no_capa_reason),
            ("effectiveness_result", &self.effectiveness_result),
        ];
        let told = texts.into_iter().filter_map(|(field, text)| Some((field, text.as_deref()?)));
        let filling = Filling::checked(told)?;
        let registered = [
            ("title", self.title),
            ("description", self.description),
            ("class", self.class),
            ("area", self.area),
            ("occurred_at", self.occurred_at),
            ("found_at", self.found_at),
        ];
        let registered = registered.into_iter().filter_map(|(field, told)| told.map(|_| field));
        let batches: Vec<Batch> = self.batches.into_iter().map(Batch::from).collect();
        Ok(Filling {
            orders: draft::orders("orders", &self.orders)?,
            batches: draft::batches("batches", &batches)?,
            registered: registered.collect(),
            ..filling
        })
    }
}

async fn fill(desk: Desk, number: web::Path<String>, body: Body<FillBody>) -> Result<HttpResponse> {
    let actor = desk.caller.actor(Permission::RaiseDeviation)?;
    let (filling, zone) = (body.0.checked()?, desk.site.zone);
    desk.reply(move |tx| {
        store::fill(tx, &actor, &number, &filling)?;
        let now = tx.now();
        Reply::ok(view(tx.read(), &number, (now, zone))?)
    })
    .await
}

async fn request_correction(
    desk: Desk,
    number: web::Path<String>,
    body: Body<CorrectionBody>,
) -> Result<HttpResponse> {
    shared::request_correction(desk, &SURFACE, (number.into_inner(), body.0)).await
}

async fn correction(reader: Reader, path: web::Path<(String, String)>) -> Result<HttpResponse> {
    shared::correction(reader, &SURFACE, path.into_inner()).await
}

async fn decide_correction(
    desk: Desk,
    path: web::Path<(String, String)>,
    body: Body<DecisionBody>,
) -> Result<HttpResponse> {
    let (number, id) = path.into_inner();
    shared::decide_correction(desk, &SURFACE, (number, id, body.0)).await
}

async fn transition(
    desk: Desk,
    number: web::Path<String>,
    body: Body<TransitionBody>,
) -> Result<HttpResponse> {
    shared::transition(desk, &SURFACE, (number.into_inner(), body.0)).await
}
