//! Jobs for machines.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::record::Job;
use super::store::{call_off, require};
use crate::error::{Error, Result};
use crate::ledger::lane::Tx;
use crate::people::desk::{Desk, Reader, Reply};
use crate::people::gate::Caller;
use crate::people::rights::Permission;
use crate::web::page::words_of;
use crate::web::words::Words;

/// A job as the API gives it, its message in these words.
pub fn answer(job: &Job, words: Words) -> Value {
    let result: Option<Value> = job.result.as_deref().and_then(|result| serde_json::from_str(result).ok());
    json!({
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "done": job.done,
        "total": job.total,
        "message": message(job, words),
        "result": result,
        "created_at": job.created_at,
        "updated_at": job.updated_at,
    })
}

/// What a job says of itself.
pub(super) fn message(job: &Job, words: Words) -> String {
    if words.has(&job.message) { words.t(&job.message).into_owned() } else { job.message.clone() }
}

/// `GET /api/v1/jobs/{id}`.
///
/// # Errors
/// 404, also for somebody else's job.
pub(super) async fn show(
    reader: Reader,
    id: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let job = visible(&reader, id.into_inner()).await?;
    Ok(HttpResponse::Ok().json(answer(&job, words_of(&request))))
}

/// Has `keep` keep a new job, as [`super::insert`] does, and answers 202 with it. Also says whether its work is to begin:
/// a request under an `Idempotency-Key` that was used before is answered with the job of the first.
///
/// # Errors
/// What `keep` refuses; as [`Desk::reply`].
pub async fn accept<F>(desk: &Desk, job: &Job, words: Words, keep: F) -> Result<(HttpResponse, bool)>
where
    F: Fn(&mut Tx<'_>, &Job) -> Result<()> + Send + 'static,
{
    let (kept, location) = (job.clone(), format!("/api/v1/jobs/{}", job.id));
    let at = location.clone();
    let reply = desk.reply(move |tx| {
        keep(tx, &kept)?;
        Reply::accepted(at.as_str(), answer(&kept, words))
    });
    let reply = reply.await?;
    let is_ours =
        reply.headers().get(header::LOCATION).is_some_and(|at| at.as_bytes() == location.as_bytes());
    Ok((reply, is_ours))
}

/// `POST /api/v1/jobs/{id}/cancel`.
///
/// # Errors
/// 404, also for somebody else's job; 409 `job-over`.
pub(super) async fn cancel(desk: Desk, id: web::Path<String>, request: HttpRequest) -> Result<HttpResponse> {
    let (words, caller) = (words_of(&request), desk.caller.clone());
    desk.reply(move |tx| {
        seen_by(&caller, require(tx.read(), &id)?)?;
        Reply::ok(answer(&call_off(tx, &id)?, words))
    })
    .await
}

/// The job, where the reader may see it.
pub(super) async fn visible(reader: &Reader, id: String) -> Result<Job> {
    let job = reader.read(move |db| require(db, &id)).await?;
    seen_by(&reader.caller, job)
}

/// The job, where this caller may see it: who started it, QA and an administrator; of a verification, who reads the
/// trail.
pub(super) fn seen_by(caller: &Caller, job: Job) -> Result<Job> {
    let may =
        job.account_id == caller.id || caller.may(Permission::Decide) || caller.may(Permission::Administer);
    // Whoever reads the trail may verify it, and sees who does.
    let may = may || (job.kind.starts_with("ledger.verify-") && caller.may(Permission::ReadTrail));
    if may { Ok(job) } else { Err(Error::not_found("job", job.id)) }
}
