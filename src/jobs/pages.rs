//! The page of a job: how far it is, and what came of it.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use serde_json::Value;

use super::api::{message, seen_by, visible};
use super::record::Job;
use super::store::{call_off, require};
use crate::error::Result;
use crate::people::desk::{Desk, Reader};
use crate::people::view::View;
use crate::web::page::{Frame, page, see_other_with};
use crate::web::parts::{Look, Tag, tag};
use crate::web::query::Query;
use crate::web::words::Words;

#[derive(Template)]
#[template(path = "jobs/job.html")]
struct JobPage {
    frame: Frame,
    job: Job,
    message: String,
    state: Tag,
    figures: Vec<(String, String)>,
    /// Pieces a second, and seconds that are left at that rate.
    rate: Option<(i64, Option<i64>)>,
    /// The page comes again by itself.
    watched: bool,
    /// Where the result has a page of its own.
    result: Option<String>,
    rejected: Vec<Rejected>,
    unlisted: i64,
    /// Where what was made can be fetched.
    download: Option<String>,
    /// Its SHA-256.
    sha256: Option<String>,
}

impl JobPage {
    fn all_rejected(&self) -> i64 {
        i64::try_from(self.rejected.len()).unwrap_or(i64::MAX).saturating_add(self.unlisted)
    }

    /// The page a job belongs below: its address and its word.
    fn home(&self) -> Option<(&'static str, &'static str)> {
        match self.job.kind.split('.').next() {
            Some("packs") => Some(("/packs", "pack-title")),
            Some("orders") => Some(("/orders", "order-list")),
            _ => None,
        }
    }
}

/// A value that an import could not take.
struct Rejected {
    row: i64,
    field: String,
    value: String,
    message: String,
}

/// The figures of an import's result, in the order in which they are shown.
const FIGURES: [&str; 7] = ["orders", "new", "changed", "unchanged", "rejected_orders", "entries", "size"];

/// Kinds of jobs whose result has a page of its own, and its address before the job's id.
const RESULTS: [(&str, &str); 1] = [("ledger.verify-", "/trail/verify?job=")];

/// Seconds after which a watched page comes again.
const AGAIN: &str = "3";

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    watch: Option<String>,
}

/// `GET /jobs/{id}`; with `?watch=1` it comes again by itself, without any script, until the job is over.
///
/// # Errors
/// 404, also for somebody else's job.
pub(super) async fn show(
    reader: Reader,
    view: View,
    id: web::Path<String>,
    asked: Query<Asked>,
) -> Result<HttpResponse> {
    let job = visible(&reader, id.into_inner()).await?;
    let w = view.words;
    let result: Value =
        job.result.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let frame = view.frame(w.t(&format!("job-kind-{}", job.kind.replace('.', "-"))), "/records");
    let figure = |name: &&str| {
        let figure = result.get(*name)?.as_i64()?;
        let written = if *name == "size" { frame.size(&figure) } else { frame.count(&figure) };
        Some((w.t(&format!("job-{name}")).into_owned(), written))
    };
    let figures = FIGURES.iter().filter_map(figure).collect();
    let shown = JobPage {
        frame,
        message: message(&job, w),
        state: state_tag(&job, w),
        figures,
        rejected: rejected_of(&result),
        rate: rate(&job),
        watched: asked.0.watch.is_some() && !job.is_over(),
        result: RESULTS
            .iter()
            .find(|(kind, _)| job.kind.starts_with(kind) && job.state == "done")
            .map(|(_, address)| format!("{address}{}", job.id)),
        download: result.get("download").and_then(Value::as_str).map(str::to_owned),
        sha256: result.get("sha256").and_then(Value::as_str).map(str::to_owned),
        unlisted: result.get("rejected_more").and_then(Value::as_i64).unwrap_or_default(),
        job,
    };
    let mut answer = page(&shown, StatusCode::OK);
    if shown.watched {
        answer.headers_mut().insert(HeaderName::from_static("refresh"), HeaderValue::from_static(AGAIN));
    }
    Ok(answer)
}

/// Pieces a second since the job was asked for, and how long the rest takes at that rate.
fn rate(job: &Job) -> Option<(i64, Option<i64>)> {
    let micros = job.updated_at.0 - job.created_at.0;
    let rate = job.done.checked_mul(1_000_000)?.checked_div(micros).filter(|rate| *rate > 0)?;
    let left = (job.total > job.done && !job.is_over()).then(|| (job.total - job.done) / rate + 1);
    Some((rate, left))
}

/// `POST /jobs/{id}/cancel`. A job that ended in the meantime is shown as it is.
///
/// # Errors
/// 404, also for somebody else's job.
pub(super) async fn cancel(desk: Desk, id: web::Path<String>) -> Result<HttpResponse> {
    let (caller, of) = (desk.caller.clone(), id.clone());
    desk.write(move |tx| {
        let job = seen_by(&caller, require(tx.read(), &of)?)?;
        if job.is_over() { Ok(job) } else { call_off(tx, &of) }
    })
    .await?;
    Ok(see_other_with(&format!("/jobs/{id}"), "saved"))
}

fn rejected_of(result: &Value) -> Vec<Rejected> {
    let rows = result.get("rejected").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |row: &Value, name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let rejected = |row: &Value| Rejected {
        row: row.get("row").and_then(Value::as_i64).unwrap_or_default(),
        field: text(row, "field"),
        value: text(row, "value"),
        message: text(row, "message"),
    };
    rows.iter().map(rejected).collect()
}

fn state_tag(job: &Job, w: Words) -> Tag {
    let look = match job.state.as_str() {
        "queued" => Look::Next,
        "running" => Look::Reading,
        "done" => Look::Live,
        "failed" => Look::Yellow,
        _ => Look::Stopped,
    };
    tag(look, w.t(&format!("job-state-{}", job.state)))
}
