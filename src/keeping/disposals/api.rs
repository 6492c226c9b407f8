//! Disposals for machines.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::acts::{self, Decision, Wish};
use super::grounds::Candidate;
use super::record::{DisposalState, Item, subject};
use super::store;
use crate::error::{Error, Result};
use crate::keeping::api::forget;
use crate::keeping::keepers::{Disposer, Keeping, Now};
use crate::ledger::digest::Digest;
use crate::ledger::tombstone::{self, Tombstone};
use crate::people::desk::{Desk, Reader, Reply};
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::people::sessions::Attempt;
use crate::store::Db;
use crate::web::input::{self, Faults};
use crate::web::json::Body;
use crate::web::paging::{Paging, cursor_of};
use crate::web::query::Query;

/// The routes for machines.
pub fn routes() -> Vec<Route> {
    let (read, propose_it) = (Gate::May(Permission::ReadRecords), Gate::May(Permission::ProposeDisposal));
    let decide_it = Gate::May(Permission::Decide);
    vec![
        Route::get("/api/v1/disposals", read, "List disposals", || web::to(list)),
        Route::post("/api/v1/disposals", propose_it, "Propose that records be disposed of", || {
            web::to(propose)
        }),
        Route::get("/api/v1/disposals/candidates", read, "List records whose time is over", || {
            web::to(candidates)
        }),
        Route::get("/api/v1/disposals/{number}", read, "Read a disposal", || web::to(show)),
        Route::post(
            "/api/v1/disposals/{number}/decision",
            decide_it,
            "Sign a disposal, which carries it out, or sign that the records stay",
            || web::to(decide),
        ),
        Route::post("/api/v1/disposals/{number}/withdraw", propose_it, "Take a proposal back", || {
            web::to(withdraw)
        }),
    ]
}

fn item_told(item: &Item) -> Value {
    json!({
        "subject": item.subject(), "digest": item.digest, "rule": item.rule, "clause": item.clause,
        "retain_until": item.retain_until,
    })
}

fn removed_told(row: &Tombstone) -> Value {
    json!({
        "subject": format!("{}/{}", row.subject_kind, row.subject_id), "removed": row.removed,
        "along_with": (!row.along_with.is_empty()).then_some(row.along_with.as_str()), "seq": row.seq,
    })
}

/// A disposal as machines get it.
///
/// # Errors
/// The database does not answer.
pub fn told(db: &mut Db, state: &DisposalState) -> Result<Value> {
    let row = &state.disposal;
    let removed = tombstone::of_disposal(db, &row.number)?;
    Ok(json!({
        "number": row.number, "state": row.state, "reason": row.reason, "proposed_at": row.proposed_at,
        "proposed_by": row.proposed_by, "decided_at": row.decided_at, "decided_by": row.decided_by,
        "decision_reason": row.decision_reason, "digest": digest_of(state)?.to_string(),
        "items": state.items.iter().map(item_told).collect::<Vec<_>>(),
        "removed": removed.iter().map(removed_told).collect::<Vec<_>>(),
        "seq": state.signatures.first().map(|signature| signature.seq),
    }))
}

/// The digest of a disposal's state, which its signer has seen.
///
/// # Errors
/// A value outside the body profile.
pub fn digest_of(state: &DisposalState) -> Result<Digest> {
    Ok(Digest::of(&state.snapshot().to_bytes()?))
}

async fn list(reader: Reader, paging: Query<Paging>) -> Result<HttpResponse> {
    let (limit, after) = (paging.0.limit()?, paging.0.after::<(i64, String)>()?);
    let page = reader.read(move |db| {
        let rows = store::list(db, after, i64::from(limit) + 1)?;
        let key = |state: &DisposalState| (state.disposal.proposed_at.0, state.disposal.number.clone());
        let page = crate::web::paging::Page::cut(rows, limit, key)?;
        let items = page.items.iter().map(|state| told(db, state)).collect::<Result<Vec<Value>>>()?;
        Ok(json!({ "items": items, "next": page.next }))
    });
    Ok(HttpResponse::Ok().json(page.await?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Proposal {
    subjects: Vec<String>,
    reason: String,
}

async fn propose(desk: Desk, keeping: web::Data<Keeping>, body: Body<Proposal>) -> Result<HttpResponse> {
    let wish = Wish::checked(body.0.subjects, &body.0.reason)?;
    let (keeping, now) = (**keeping, Now::of(&desk.site));
    let actor = desk.caller.actor(Permission::ProposeDisposal)?;
    desk.reply(move |tx| {
        let state = acts::propose(tx, keeping, &actor, &wish, now)?;
        let address = format!("/api/v1/disposals/{}", state.disposal.number);
        Reply::created(address, told(tx.read(), &state)?)
    })
    .await
}

/// Which kind of record is asked for.
#[derive(Debug, Deserialize)]
pub struct OfKind {
    kind: Option<String>,
}

impl OfKind {
    /// How records of the kind go; orders where none is told.
    ///
    /// # Errors
    /// 422 for a kind that is not disposed of.
    pub fn disposer(&self, keeping: &Keeping) -> Result<&'static Disposer> {
        let kind = self.kind.as_deref().filter(|kind| !kind.is_empty()).unwrap_or("order");
        keeping.disposer(kind).ok_or_else(|| Error::invalid("kind", "unknown-code"))
    }
}

fn candidate_told(candidate: &Candidate) -> Value {
    let ground = &candidate.ground;
    json!({
        "subject": ground.named.to_string(), "rule": ground.rule.id, "clause": ground.rule.source.clause,
        "retain_until": ground.retain_until,
        "obstacle": candidate.obstacle.as_ref().map(super::grounds::Obstacle::code),
    })
}

async fn candidates(
    reader: Reader,
    keeping: web::Data<Keeping>,
    (of, paging): (Query<OfKind>, Query<Paging>),
) -> Result<HttpResponse> {
    let (limit, after) = (paging.0.limit()?, paging.0.after::<(i64, String)>()?);
    let (keeping, now) = (**keeping, Now::of(&reader.site));
    let disposer = of.0.disposer(&keeping)?;
    let (found, next) =
        reader.read(move |db| keeping.candidates(db, (disposer, now), after, i64::from(limit))).await?;
    let items: Vec<Value> = found.iter().map(candidate_told).collect();
    let next = next.as_ref().map(cursor_of).transpose()?;
    Ok(HttpResponse::Ok().json(json!({ "items": items, "next": next })))
}

async fn show(reader: Reader, number: web::Path<String>) -> Result<HttpResponse> {
    let told = reader.read(move |db| {
        let state = store::require(db, &number)?;
        told(db, &state)
    });
    Ok(HttpResponse::Ok().json(told.await?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DecisionBody {
    approve: bool,
    reason: String,
    password: String,
    #[serde(default)]
    digest: Option<String>,
}

/// The decision that was asked for.
///
/// # Errors
/// 422 without a reason, or with a digest that is none.
pub fn decision_of(number: &str, approve: bool, (reason, digest): (&str, Option<&str>)) -> Result<Decision> {
    let mut faults = Faults::new();
    let reason = faults.take(input::text("reason", reason, 2000));
    let unreadable = |_| Error::invalid("digest", "malformed");
    let digest = digest.map(|digest| digest.parse::<Digest>().map_err(unreadable));
    match (reason, faults.take(digest.transpose())) {
        (Some(reason), Some(seen)) => Ok(Decision { number: number.to_owned(), approve, reason, seen }),
        _ => Err(faults.error()),
    }
}

/// The attempt to sign for a disposal that is there.
///
/// # Errors
/// 404.
async fn attempt(desk: &Desk, decision: &Decision) -> Result<Attempt> {
    let number = decision.number.clone();
    desk.read(move |db| store::require(db, &number)).await?;
    Ok(Attempt { subject: subject(&decision.number), meaning: decision.meaning() })
}

async fn decide(
    desk: Desk,
    (keeping, number): (web::Data<Keeping>, web::Path<String>),
    body: Body<DecisionBody>,
) -> Result<HttpResponse> {
    let DecisionBody { approve, reason, password, digest } = body.0;
    let decision = decision_of(&number, approve, (&reason, digest.as_deref()))?;
    let (keeping, now) = (**keeping, Now::of(&desk.site));
    let attempt = attempt(&desk, &decision).await?;
    let removes = decision.approve;
    let done = desk
        .signed_reply(Permission::Decide, &password, attempt, move |tx, signer| {
            let state = acts::decide(tx, keeping, signer, &decision, now)?;
            Reply::ok(told(tx.read(), &state)?)
        })
        .await?;
    if removes {
        forget(&desk.site).await;
    }
    Ok(done)
}

/// Decides on behalf of a page.
///
/// # Errors
/// As [`acts::decide`].
pub async fn decide_signed(desk: &Desk, keeping: Keeping, password: &str, decision: Decision) -> Result<()> {
    let (attempt, now) = (attempt(desk, &decision).await?, Now::of(&desk.site));
    let removes = decision.approve;
    desk.signed(Permission::Decide, password, attempt, move |tx, signer| {
        acts::decide(tx, keeping, signer, &decision, now).map(|_| ())
    })
    .await?;
    if removes {
        forget(&desk.site).await;
    }
    Ok(())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WithdrawBody {
    reason: String,
}

async fn withdraw(desk: Desk, number: web::Path<String>, body: Body<WithdrawBody>) -> Result<HttpResponse> {
    let reason = input::text("reason", &body.0.reason, 2000)?;
    let actor = desk.caller.actor(Permission::ProposeDisposal)?;
    desk.reply(move |tx| {
        let state = acts::withdraw(tx, &actor, &number, &reason)?;
        Reply::ok(told(tx.read(), &state)?)
    })
    .await
}
