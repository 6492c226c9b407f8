//! Jobs for machines.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::record::Job;
use super::store::require;
use crate::error::{Error, Result};
use crate::people::desk::Reader;
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

/// The job, where the reader may see it.
pub(super) async fn visible(reader: &Reader, id: String) -> Result<Job> {
    let asked = id.clone();
    let job = reader.read(move |db| require(db, &asked)).await?;
    let caller = &reader.caller;
    let may =
        job.account_id == caller.id || caller.may(Permission::Decide) || caller.may(Permission::Administer);
    if may { Ok(job) } else { Err(Error::not_found("job", id)) }
}
