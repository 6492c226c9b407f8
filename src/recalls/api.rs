//! Recalls for machines.

use actix_web::{HttpResponse, web};
use chrono_tz::Tz;
use serde::Deserialize;

use super::intake::{self, Draft, Patch};
use super::read::{self, Filter, RecallRow};
use super::record::{STATES, subject};
use super::store::{self, KIND};
use crate::error::{Error, Result};
use crate::ledger::digest::Digest;
use crate::ledger::lane::Tx;
use crate::people::desk::{Desk, Reader, Reply};
use crate::people::rights::Permission;
use crate::people::sessions::Attempt;
use crate::records::corrections::{self, Decision, Request};
use crate::records::transitions::{self, Step};
use crate::signatures::Signer;
use crate::web::input::{self, Faults};
use crate::web::json::Body;
use crate::web::paging::{Page, Paging};
use crate::web::query::Query;

/// Characters of a reason at most (ledger/format.md section 1).
const REASON: usize = 2000;

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

/// A step as it came.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct StepBody {
    pub to: String,
    pub reason: Option<String>,
    pub password: Option<String>,
    pub digest: Option<String>,
}

/// A step of a recall, checked.
#[derive(Debug, Clone)]
pub(super) struct Move {
    /// Which recall.
    pub number: String,
    /// The state to enter.
    pub to: String,
    /// Why; empty where none was given.
    pub reason: String,
    /// The digest on the signer's screen.
    pub seen: Option<Digest>,
}

impl StepBody {
    /// The step this asks for.
    ///
    /// # Errors
    /// 422 with every field that cannot be taken.
    pub(super) fn checked(&self, number: &str) -> Result<Move> {
        let mut faults = Faults::new();
        let reason = faults.take(input::optional_text("reason", self.reason.as_deref(), REASON));
        let seen = faults.take(digest("digest", self.digest.as_deref()));
        if self.to.is_empty() {
            faults.note("to", "required");
        }
        faults.check()?;
        Ok(Move {
            number: number.to_owned(),
            to: self.to.clone(),
            reason: reason.flatten().unwrap_or_default(),
            seen: seen.flatten(),
        })
    }
}

/// A digest that a screen showed; none where none was sent.
pub(super) fn digest(field: &str, value: Option<&str>) -> Result<Option<Digest>> {
    let value = value.filter(|value| !value.is_empty());
    value.map(|hex| hex.parse().map_err(|_| Error::invalid(field, "malformed"))).transpose()
}

impl Move {
    fn step(&self) -> Step<'_> {
        Step { to: &self.to, reason: &self.reason }
    }

    /// Whether it closes the recall, which is signed.
    pub(super) fn closes(&self) -> bool {
        self.to == KIND.closed_state()
    }

    /// Moves, unsigned.
    pub(super) fn make(&self, tx: &mut Tx<'_>, actor: &crate::ledger::lane::Actor) -> Result<()> {
        transitions::move_to(tx, &KIND, actor, (&self.number, self.step()))
    }

    /// Closes, signed.
    pub(super) fn close(&self, tx: &mut Tx<'_>, signer: &Signer) -> Result<()> {
        transitions::close(tx, &KIND, signer, (&self.number, self.step(), self.seen))
    }

    /// What is noted where the signature is refused.
    pub(super) fn attempt(&self) -> Attempt {
        Attempt { subject: subject(&self.number), meaning: transitions::CLOSED }
    }
}

/// Refuses a number no recall has, before anything is noted about it.
pub(super) async fn must_exist(desk: &Desk, number: &str) -> Result<()> {
    let number = number.to_owned();
    desk.read(move |db| KIND.require(db, &number).map(|_| ())).await
}

/// `POST /api/v1/recalls/{number}/transitions`.
pub(super) async fn step(
    desk: Desk,
    number: web::Path<String>,
    body: Body<StepBody>,
) -> Result<HttpResponse> {
    let step = body.0.checked(&number)?;
    if !step.closes() {
        let actor = desk.caller.actor(Permission::RunRecall)?;
        return desk
            .reply(move |tx| {
                step.make(tx, &actor)?;
                Reply::ok(present(tx, &step.number)?)
            })
            .await;
    }
    desk.caller.actor(Permission::Decide)?;
    must_exist(&desk, &number).await?;
    let password = body.0.password.ok_or_else(|| Error::invalid("password", "required"))?;
    let attempt = step.attempt();
    desk.signed_reply(Permission::Decide, &password, attempt, move |tx, signer| {
        step.close(tx, signer)?;
        Reply::ok(present(tx, &step.number)?)
    })
    .await
}

/// A correction as it came.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CorrectionBody {
    pub field: String,
    pub value: String,
    pub reason: String,
}

impl CorrectionBody {
    /// The reason and field, checked; the value is the record's to check.
    ///
    /// # Errors
    /// 422 with every field that cannot be taken.
    pub(super) fn checked(self) -> Result<Self> {
        let mut faults = Faults::new();
        let field = faults.take(input::line("field", &self.field, 200));
        let reason = faults.take(input::text("reason", &self.reason, REASON));
        match (field, reason) {
            (Some(field), Some(reason)) => Ok(Self { field, reason, value: self.value }),
            _ => Err(faults.error()),
        }
    }

    /// Asks for it; returns its id.
    pub(super) fn ask(
        &self,
        tx: &mut Tx<'_>,
        actor: &crate::ledger::lane::Actor,
        (number, zone): (&str, Tz),
    ) -> Result<String> {
        let wish = Request { field: &self.field, value: &self.value, reason: &self.reason, zone };
        corrections::request(tx, &KIND, actor, (number, wish))
    }
}

/// `POST /api/v1/recalls/{number}/corrections`.
pub(super) async fn correct(
    desk: Desk,
    number: web::Path<String>,
    body: Body<CorrectionBody>,
) -> Result<HttpResponse> {
    let actor = desk.caller.actor(Permission::RunRecall)?;
    let wish = body.0.checked()?;
    let zone = desk.site.zone;
    desk.reply(move |tx| {
        let id = wish.ask(tx, &actor, (&number, zone))?;
        let made = corrections::view(tx.read(), &KIND, (&number, &id))?;
        Reply::created(format!("/api/v1/recalls/{number}/corrections/{id}"), made)
    })
    .await
}

/// `GET /api/v1/recalls/{number}/corrections/{id}`.
pub(super) async fn correction(reader: Reader, path: web::Path<(String, String)>) -> Result<HttpResponse> {
    let (number, id) = path.into_inner();
    let view = reader.read(move |db| corrections::view(db, &KIND, (&number, &id))).await?;
    Ok(HttpResponse::Ok().json(view))
}

/// A decision as it came.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DecisionBody {
    pub approve: bool,
    #[serde(default)]
    pub reason: String,
    pub password: String,
    #[serde(default)]
    pub digest: Option<String>,
}

/// A decision on a correction, checked.
#[derive(Debug, Clone)]
pub(super) struct Ruling {
    pub number: String,
    pub id: String,
    pub approve: bool,
    pub reason: String,
    pub seen: Option<Digest>,
    pub zone: Tz,
}

impl Ruling {
    fn decision(&self) -> Decision<'_> {
        Decision {
            id: &self.id,
            approve: self.approve,
            reason: &self.reason,
            seen: self.seen,
            zone: self.zone,
        }
    }

    /// Decides, signed.
    pub(super) fn make(&self, tx: &mut Tx<'_>, signer: &Signer) -> Result<()> {
        corrections::decide(tx, &KIND, signer, (&self.number, self.decision()))
    }

    /// What is noted where the signature is refused.
    pub(super) fn attempt(&self) -> Attempt {
        Attempt { subject: subject(&self.number), meaning: self.decision().meaning() }
    }
}

impl DecisionBody {
    /// The decision this is.
    ///
    /// # Errors
    /// 422 with every field that cannot be taken.
    pub(super) fn checked(&self, (number, id): (&str, &str), zone: Tz) -> Result<Ruling> {
        let mut faults = Faults::new();
        let reason = faults.take(input::text("reason", &self.reason, REASON));
        let seen = faults.take(digest("digest", self.digest.as_deref()));
        match (reason, seen) {
            (Some(reason), Some(seen)) => {
                let (number, id) = (number.to_owned(), id.to_owned());
                Ok(Ruling { number, id, approve: self.approve, reason, seen, zone })
            }
            _ => Err(faults.error()),
        }
    }
}

/// `POST /api/v1/recalls/{number}/corrections/{id}/decision`.
pub(super) async fn decide(
    desk: Desk,
    path: web::Path<(String, String)>,
    body: Body<DecisionBody>,
) -> Result<HttpResponse> {
    let (number, id) = path.into_inner();
    let ruling = body.0.checked((&number, &id), desk.site.zone)?;
    must_exist(&desk, &number).await?;
    let attempt = ruling.attempt();
    desk.signed_reply(Permission::Decide, &body.0.password, attempt, move |tx, signer| {
        ruling.make(tx, signer)?;
        Reply::ok(corrections::view(tx.read(), &KIND, (&ruling.number, &ruling.id))?)
    })
    .await
}
