//! Orders for machines.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::import::{self, Format, Upload};
use super::intake::{Draft, check};
use super::procedures;
use super::read::{self, Filter, OrderView};
use super::record::{KIND, is_number, subject};
use super::store::{self, Outcome, Release};
use crate::error::{Error, Kind, Result};
use crate::jobs::{self, Job};
use crate::ledger::digest::Digest;
use crate::ledger::lane::Actor;
use crate::people::desk::{Desk, Reader, Reply};
use crate::people::rights::Permission;
use crate::people::sessions::Attempt;
use crate::web::input;
use crate::web::json::{Body, read_body};
use crate::web::page::words_of;
use crate::web::paging::{Page, Paging};
use crate::web::query::Query;
use crate::web::words::Words;

/// The parameters of a list of orders.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    pub batch: Option<String>,
    pub customer: Option<String>,
    pub shipped_from: Option<String>,
    pub shipped_to: Option<String>,
    pub held: Option<bool>,
}

impl Asked {
    /// The filter they make; dates are days of the site's zone.
    ///
    /// # Errors
    /// 422 with every parameter that cannot be read.
    pub(super) fn filter(&self, zone: chrono_tz::Tz) -> Result<Filter> {
        let mut faults = input::Faults::new();
        let from = self.shipped_from.as_deref().map(|from| input::start("shipped_from", from, zone));
        let to = self.shipped_to.as_deref().map(|to| input::end("shipped_to", to, zone));
        let shipped_from = from.and_then(|from| faults.take(from));
        let shipped_to = to.and_then(|to| faults.take(to));
        let batch = faults.take(input::optional_line("batch", self.batch.as_deref(), 60)).flatten();
        let customer = faults.take(input::optional_line("customer", self.customer.as_deref(), 200)).flatten();
        faults.check()?;
        let held = self.held.unwrap_or_default();
        Ok(Filter { batch, customer, shipped_from, shipped_to, held, after: None })
    }
}

/// One page of orders.
pub(super) async fn page_of(
    reader: &Reader,
    mut filter: Filter,
    paging: &Paging,
) -> Result<Page<read::Summary>> {
    let limit = paging.limit()?;
    filter.after = paging.after()?;
    reader
        .read(move |db| {
            let orders = read::list(db, &filter, i64::from(limit) + 1)?;
            Page::cut(read::summaries(db, orders)?, limit, |order| order.number.clone())
        })
        .await
}

/// `GET /api/v1/orders`.
pub(super) async fn list(reader: Reader, asked: Query<Asked>, paging: Query<Paging>) -> Result<HttpResponse> {
    let filter = asked.0.filter(reader.site.zone)?;
    Ok(HttpResponse::Ok().json(page_of(&reader, filter, &paging.0).await?))
}

/// `GET /api/v1/orders/{number}`.
pub(super) async fn show(reader: Reader, number: web::Path<String>) -> Result<HttpResponse> {
    let number = number.into_inner();
    Ok(HttpResponse::Ok().json(reader.read(move |db| read::one(db, &number)).await?))
}

/// `PUT /api/v1/orders/{number}`: 201 for an order we did not have, 200 otherwise; no entry without a difference.
pub(super) async fn put(desk: Desk, number: web::Path<String>, body: Body<Draft>) -> Result<HttpResponse> {
    let number = number.into_inner();
    if !is_number(&number) {
        return Err(Error::not_found(KIND, number));
    }
    let wanted = check(&number, &body.0)?;
    let actor = desk.caller.actor(Permission::WriteOrders)?;
    let change = move |tx: &mut crate::ledger::lane::Tx<'_>| {
        let kept = store::put(tx, &wanted, &actor, None)?;
        let outcome = kept.outcome;
        let view = OrderView::of_kept(tx.read(), kept)?;
        match outcome {
            Outcome::New => Reply::created(format!("/api/v1/orders/{}", wanted.number), view),
            Outcome::Changed | Outcome::Unchanged => Reply::ok(view),
        }
    };
    desk.reply(change).await
}

/// What QA sends to let an order go.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReleaseBody {
    password: String,
    #[serde(default)]
    reason: String,
    digest: Option<String>,
}

/// `POST /api/v1/orders/{number}/release`.
pub(super) async fn release(
    desk: Desk,
    number: web::Path<String>,
    body: Body<ReleaseBody>,
) -> Result<HttpResponse> {
    let ReleaseBody { password, reason, digest } = body.0;
    let asked = release_of(number.into_inner(), &reason, digest.as_deref())?;
    let attempt = attempt(&desk, &asked.number).await?;
    let change = move |tx: &mut crate::ledger::lane::Tx<'_>, signer: &crate::signatures::Signer| {
        let state = store::release(tx, &asked, signer)?;
        Reply::ok(read::view(tx.read(), &state)?)
    };
    desk.signed_reply(Permission::Decide, &password, attempt, change).await
}

/// The release that was asked for.
///
/// # Errors
/// 422 without a reason, or with a digest that is none.
pub(super) fn release_of(number: String, reason: &str, digest: Option<&str>) -> Result<Release> {
    let mut faults = input::Faults::new();
    let reason = faults.take(input::text("reason", reason, 2000));
    let unreadable = |_| Error::invalid("digest", "malformed");
    let seen = digest.map(|digest| digest.parse::<Digest>().map_err(unreadable));
    let seen = faults.take(seen.transpose());
    match (reason, seen) {
        (Some(reason), Some(seen)) => Ok(Release { number, reason, seen }),
        _ => Err(faults.error()),
    }
}

/// The attempt to sign for an order that is there.
pub(super) async fn attempt(desk: &Desk, number: &str) -> Result<Attempt> {
    let asked = number.to_owned();
    desk.read(move |db| store::require(db, &asked)).await?;
    Ok(Attempt { subject: subject(number), meaning: "released" })
}

/// `GET /api/v1/orders/{number}/procedures`.
pub(super) async fn procedures(reader: Reader, number: web::Path<String>) -> Result<HttpResponse> {
    let number = number.into_inner();
    let procedures = reader.read(move |db| {
        let state = store::require(db, &number)?;
        procedures::of(db, &state)
    });
    Ok(HttpResponse::Ok().json(procedures.await?))
}

/// `POST /api/v1/orders/import`: the file is opened at once, read and written in a job.
pub(super) async fn import(desk: Desk, request: HttpRequest, payload: web::Payload) -> Result<HttpResponse> {
    let media = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let unsupported =
        || Error::new(Kind::Unsupported, "unsupported-media").arg("wanted", "text/csv, application/x-ndjson");
    let format = media.and_then(Format::of_media).ok_or_else(unsupported)?;
    let bytes = read_body(&request, payload.into_inner(), import::LONGEST).await?;
    let opened = web::block(move || Upload::open(&bytes, format)).await.map_err(Error::internal)?;
    let (upload, actor) = (opened?, desk.caller.actor(Permission::WriteOrders)?);
    let (words, site) = (words_of(&request), desk.site.clone());
    let job = Job::new("orders.import", &desk.caller.id, site.clock.now());
    let (answer, is_ours) = jobs::accept(&desk, &job, words, jobs::insert).await?;
    if is_ours {
        start(site, &job, words, (upload, actor))?;
    }
    Ok(answer)
}

/// Sets an import going whose job is kept.
pub(super) fn start(
    site: web::Data<crate::ledger::site::Site>,
    job: &Job,
    words: Words,
    (upload, actor): (Upload, Actor),
) -> Result<()> {
    let for_work = site.clone();
    jobs::spawn(site, job, words, move |progress| {
        progress.tell("job-reading", 0, 0);
        let tell = |done, total| {
            progress.tell("job-writing", done, total);
            progress.go_on()
        };
        let report = import::run(&for_work, &upload, &actor, tell)?;
        Ok((report.new + report.changed + report.unchanged, report.to_json(words)))
    })
}
