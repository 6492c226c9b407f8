//! Retention, legal holds and erasures for machines.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::erasing::{self, Held, Wish};
use super::keepers::{Keepers, Now};
use super::record::{ERASED, ErasureState, Named, erasure_subject};
use super::standing::{self, Retained, hold_told, rule_told};
use super::{holding, store};
use crate::error::{Error, Result};
use crate::ledger::epochs::{self, InEpoch};
use crate::ledger::site::Site;
use crate::people::desk::{Desk, Reader, Reply};
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::people::sessions::Attempt;
use crate::records::retention;
use crate::store::Db;
use crate::web::input;
use crate::web::json::Body;
use crate::web::query::Query;

/// The feature's routes for machines.
pub fn routes() -> Vec<Route> {
    let (read, trail) = (Gate::May(Permission::ReadRecords), Gate::May(Permission::ReadTrail));
    let decide = Gate::May(Permission::Decide);
    vec![
        Route::get("/api/v1/retention", read, "Read until when a record is kept", || web::to(of_subject)),
        Route::get("/api/v1/retention/rules", read, "List how long records are kept", || web::to(rules)),
        Route::get("/api/v1/holds", trail, "List the legal holds that stand", || web::to(holds)),
        Route::post("/api/v1/holds", decide, "Hold a record", || web::to(set_hold)),
        Route::post("/api/v1/holds/{id}/lift", decide, "Lift a legal hold", || web::to(lift_hold)),
        Route::get("/api/v1/erasures", trail, "List erasures of personal values", || web::to(erasures)),
        Route::post("/api/v1/erasures", decide, "Erase personal values", || web::to(erase)),
        Route::get(
            "/api/v1/ledger/entries/{seq}/values",
            decide,
            "Read which personal values an entry has introduced, and until when they are kept",
            || web::to(values),
        ),
    ]
}

#[derive(Debug, Deserialize)]
struct Of {
    subject: Option<String>,
}

/// How the record of this name stands.
///
/// # Errors
/// 422 for no name, 404 for no record.
pub async fn stand(reader: &Reader, keepers: Keepers, subject: Option<&str>) -> Result<Retained> {
    let subject =
        subject.filter(|subject| !subject.is_empty()).ok_or_else(|| Error::invalid("subject", "required"))?;
    let (kind, id) = subject.split_once('/').ok_or_else(|| Error::invalid("subject", "unknown-subject"))?;
    let (kind, id, now) = (kind.to_owned(), id.to_owned(), Now::of(&reader.site));
    if !keepers.0.iter().any(|keeper| keeper.kind == kind) {
        return Err(Error::invalid("subject", "unknown-subject"));
    }
    reader.read(move |db| standing::of(db, keepers, (&kind, &id), now)).await
}

async fn of_subject(reader: Reader, keepers: web::Data<Keepers>, of: Query<Of>) -> Result<HttpResponse> {
    let standing = stand(&reader, **keepers, of.0.subject.as_deref()).await?;
    Ok(HttpResponse::Ok().json(standing.told()))
}

async fn rules(_reader: Reader) -> HttpResponse {
    let items: Vec<Value> = retention::all().iter().map(rule_told).collect();
    HttpResponse::Ok().json(json!({ "items": items, "next": null }))
}

async fn holds(reader: Reader) -> Result<HttpResponse> {
    let holds = reader.read(store::standing_holds).await?;
    let items: Vec<Value> = holds.iter().map(hold_told).collect();
    Ok(HttpResponse::Ok().json(json!({ "items": items, "next": null })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HoldBody {
    subject: String,
    reason: String,
}

async fn set_hold(desk: Desk, keepers: web::Data<Keepers>, body: Body<HoldBody>) -> Result<HttpResponse> {
    let reason = input::text("reason", &body.0.reason, 2000)?;
    let (subject, keepers, now) = (body.0.subject, **keepers, Now::of(&desk.site));
    let actor = desk.caller.actor(Permission::Decide)?;
    desk.reply(move |tx| {
        let hold = holding::set(tx, keepers, &actor, (&subject, &reason), now)?;
        Reply::created(format!("/api/v1/retention?subject={}", hold.held()), hold_told(&hold))
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LiftBody {
    reason: String,
}

async fn lift_hold(desk: Desk, id: web::Path<String>, body: Body<LiftBody>) -> Result<HttpResponse> {
    let reason = input::text("reason", &body.0.reason, 2000)?;
    let actor = desk.caller.actor(Permission::Decide)?;
    desk.reply(move |tx| Reply::ok(hold_told(&holding::lift(tx, &actor, &id, &reason)?))).await
}

/// An erasure as machines get it.
pub fn erasure_told(state: &ErasureState) -> Value {
    let values = state.values.iter().zip(&state.epochs);
    let values: Vec<Value> = values
        .map(|(value, epoch)| json!({ "seq": value.seq, "epoch": epoch, "name": value.name }))
        .collect();
    let row = &state.erasure;
    json!({
        "id": row.id, "basis": row.basis, "reason": row.reason, "erased_at": row.erased_at,
        "erased_by": row.erased_by, "erased": values,
        "seq": state.signatures.first().map(|signature| signature.seq),
        "epoch": state.entry.map(|entry| entry.epoch),
    })
}

async fn erasures(reader: Reader) -> Result<HttpResponse> {
    let states = reader.read(|db| store::erasures(db, 1000)).await?;
    let items: Vec<Value> = states.iter().map(erasure_told).collect();
    Ok(HttpResponse::Ok().json(json!({ "items": items, "next": null })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EraseBody {
    erased: Vec<Named>,
    basis: String,
    reason: String,
    password: String,
}

/// The signature that is about to be given under an erasure. The refusal is noted on no subject: there is none yet.
pub fn attempt() -> Attempt {
    Attempt { subject: erasure_subject("none"), meaning: ERASED }
}

async fn erase(desk: Desk, keepers: web::Data<Keepers>, body: Body<EraseBody>) -> Result<HttpResponse> {
    let EraseBody { erased, basis, reason, password } = body.0;
    let wish = erasing::checked(erased, &basis, &reason)?;
    let (keepers, now) = (**keepers, Now::of(&desk.site));
    let done = desk
        .signed_reply(Permission::Decide, &password, attempt(), move |tx, signer| {
            let state = erasing::erase(tx, keepers, signer, &wish, now)?;
            Reply::created("/api/v1/erasures", erasure_told(&state))
        })
        .await?;
    forget(&desk.site).await;
    Ok(done)
}

/// Erases on behalf of a page.
///
/// # Errors
/// As [`erasing::erase`].
pub async fn erase_signed(desk: &Desk, keepers: Keepers, password: &str, wish: Wish) -> Result<()> {
    let now = Now::of(&desk.site);
    desk.signed(Permission::Decide, password, attempt(), move |tx, signer| {
        erasing::erase(tx, keepers, signer, &wish, now).map(|_| ())
    })
    .await?;
    forget(&desk.site).await;
    Ok(())
}

/// What the engine still keeps of deleted rows beside its tables goes too, as far as it lets itself be told.
pub(super) async fn forget(site: &web::Data<Site>) {
    let target = site.target.clone();
    let done = web::block(move || crate::store::scrub(&target)).await;
    if let Ok(Err(error)) = done {
        tracing::warn!(%error, "erased values may still lie in the database's files until it tidies itself");
    }
}

/// A value as machines get it.
fn held_told(value: &Held, now: Now) -> Value {
    json!({
        "seq": value.named.seq, "epoch": value.named.epoch, "name": value.named.name, "erased": !value.there, "held": value.held,
        "state": value.kept.until.code(), "retain_until": value.kept.until.instant(),
        "clause": value.kept.rule.map(|rule| rule.source.clause.as_str()), "may_be_erased": value.may_go(now.at),
    })
}

/// What an entry has introduced, and how it stands.
///
/// # Errors
/// 404 for no entry, 422 for no epoch.
pub async fn values_of(
    reader: &Reader,
    keepers: Keepers,
    (seq, asked): (&str, &InEpoch),
) -> Result<Vec<Held>> {
    let seq: u64 = seq.parse().map_err(|_| Error::not_found("entry", seq))?;
    let epoch = epochs::named(asked.epoch.as_deref(), reader.site.epoch)?;
    let now = Now::of(&reader.site);
    reader.read(move |db: &mut Db| erasing::of_entry(db, keepers, (Some(epoch), seq), now)).await
}

async fn values(
    reader: Reader,
    keepers: web::Data<Keepers>,
    seq: web::Path<String>,
    asked: Query<InEpoch>,
) -> Result<HttpResponse> {
    let now = Now::of(&reader.site);
    let values = values_of(&reader, **keepers, (&seq, &asked.0)).await?;
    let items: Vec<Value> = values.iter().map(|value| held_told(value, now)).collect();
    Ok(HttpResponse::Ok().json(json!({ "items": items, "next": null })))
}
