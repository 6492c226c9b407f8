//! The addresses every kind of quality record has below its own: corrections, their decisions, transitions.
//!
//! A feature's handlers take the request apart and hand it on with their [`Surface`]; the rules are the shared ones.

use actix_web::HttpResponse;
use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::Value;

use super::corrections::{self, Decision, Request};
use super::kind::RecordKind;
use super::transitions::{self, Step};
use crate::error::{Error, Result};
use crate::ledger::digest::Digest;
use crate::ledger::lane::Tx;
use crate::people::desk::{Desk, Reader, Reply};
use crate::people::rights::Permission;
use crate::people::sessions::Attempt;
use crate::store::Db;
use crate::time::Timestamp;
use crate::web::input;

/// Characters of a reason at most (ledger/format.md section 1).
pub const LONGEST_REASON: usize = 2000;

/// How a kind of record shows itself to machines.
pub struct Surface {
    /// The kind.
    pub kind: &'static RecordKind,
    /// Its address: `/api/v1/deviations`.
    pub path: &'static str,
    /// What lets a person write on it.
    pub write: Permission,
    /// The whole record, now and in the site's zone.
    pub view: fn(&mut Db, &str, (Timestamp, Tz)) -> Result<Value>,
}

/// 404 for a number no record of the kind has, before an attempt to sign is noted about it.
///
/// # Errors
/// 404.
pub async fn must_exist(desk: &Desk, kind: &'static RecordKind, number: &str) -> Result<()> {
    let number = number.to_owned();
    desk.read(move |db| kind.require(db, &number).map(|_| ())).await
}

/// `POST …/corrections`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorrectionBody {
    /// Which field.
    pub field: String,
    /// What it shall say.
    pub value: String,
    /// Why.
    pub reason: String,
}

/// `POST …/corrections/{id}/decision`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionBody {
    /// Let through or not.
    pub approve: bool,
    /// Why so.
    pub reason: String,
    /// Given again.
    pub password: String,
    /// The record's digest as read; checked where it is told.
    #[serde(default)]
    pub digest: Option<String>,
}

/// `POST …/transitions`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransitionBody {
    /// The state to enter.
    pub to: String,
    /// Why; required for a step back.
    #[serde(default)]
    pub reason: Option<String>,
    /// Given again; required for closing.
    #[serde(default)]
    pub password: Option<String>,
    /// The record's digest as read; checked where it is told.
    #[serde(default)]
    pub digest: Option<String>,
}

/// Tells the hash of a signature's entry that this change has appended: it is no row yet.
fn sealed_just_now(tx: &Tx<'_>, signature: &mut Value) {
    let waiting = signature["seq"].as_i64().filter(|_| signature["leaf"].is_null());
    if let Some(placed) = waiting.and_then(|seq| tx.waiting(seq)) {
        signature["epoch"] = placed.epoch.into();
        signature["leaf"] = placed.leaf.to_string().into();
    }
}

/// A digest that a request tells, if it tells one.
///
/// # Errors
/// 422 at `digest`.
pub fn digest_told(text: Option<&str>) -> Result<Option<Digest>> {
    let text = text.filter(|text| !text.is_empty());
    text.map(|text| text.parse().map_err(|_| Error::invalid("digest", "malformed"))).transpose()
}

/// A reason as told; empty where none was.
///
/// # Errors
/// 422 at `reason` when it is too long or has control characters.
pub fn reason_told(text: Option<&str>) -> Result<String> {
    Ok(input::optional_text("reason", text, LONGEST_REASON)?.unwrap_or_default())
}

/// A list's one correction.
///
/// # Errors
/// 404.
pub async fn correction(
    reader: Reader,
    surface: &'static Surface,
    (number, id): (String, String),
) -> Result<HttpResponse> {
    let view = reader.read(move |db| corrections::view(db, surface.kind, (&number, &id))).await?;
    Ok(HttpResponse::Ok().json(view))
}

/// Asks for a correction: 201 and the correction.
///
/// # Errors
/// As [`corrections::request`].
pub async fn request_correction(
    desk: Desk,
    surface: &'static Surface,
    (number, body): (String, CorrectionBody),
) -> Result<HttpResponse> {
    let actor = desk.caller.actor(surface.write)?;
    let reason = reason_told(Some(&body.reason))?;
    let zone = desk.site.zone;
    desk.reply(move |tx| {
        let wish = Request { field: &body.field, value: &body.value, reason: &reason, zone };
        let id = corrections::request(tx, surface.kind, &actor, (&number, wish))?;
        let address = format!("{}/{number}/corrections/{id}", surface.path);
        Reply::created(address, corrections::view(tx.read(), surface.kind, (&number, &id))?)
    })
    .await
}

/// Decides a correction: 200 and the correction.
///
/// # Errors
/// As [`corrections::decide`]; 403 `password`.
pub async fn decide_correction(
    desk: Desk,
    surface: &'static Surface,
    (number, id, body): (String, String, DecisionBody),
) -> Result<HttpResponse> {
    let reason = reason_told(Some(&body.reason))?;
    let (seen, zone, approve) = (digest_told(body.digest.as_deref())?, desk.site.zone, body.approve);
    let meaning = Decision { id: &id, approve, reason: &reason, seen, zone }.meaning();
    let attempt = Attempt { subject: surface.kind.subject(&number), meaning };
    let (kind, asked) = (surface.kind, (number.clone(), id.clone()));
    desk.read(move |db| corrections::view(db, kind, (&asked.0, &asked.1)).map(|_| ())).await?;
    desk.signed_reply(Permission::Decide, &body.password, attempt, move |tx, signer| {
        let decision = Decision { id: &id, approve, reason: &reason, seen, zone };
        corrections::decide(tx, surface.kind, signer, (&number, decision))?;
        tx.settle()?;
        let view = corrections::view(tx.read(), surface.kind, (&number, &id))?;
        let mut told = serde_json::to_value(view).map_err(Error::internal)?;
        sealed_just_now(tx, &mut told["signature"]);
        Reply::ok(told)
    })
    .await
}

/// Moves or closes a record: 200 and the record.
///
/// # Errors
/// As [`transitions::move_to`] and [`transitions::close`]; 403 `password`.
pub async fn transition(
    desk: Desk,
    surface: &'static Surface,
    (number, body): (String, TransitionBody),
) -> Result<HttpResponse> {
    let reason = reason_told(body.reason.as_deref())?;
    let (kind, zone) = (surface.kind, desk.site.zone);
    let closes = body.to == kind.closed_state();
    let actor = desk.caller.actor(if closes { Permission::Decide } else { surface.write })?;
    let seen = digest_told(body.digest.as_deref())?;
    let show = move |tx: &mut Tx<'_>, number: &str| {
        // The signer's name just sealed is a row only then.
        tx.settle()?;
        let now = tx.now();
        let mut told = (surface.view)(tx.read(), number, (now, zone))?;
        let signatures = told["signatures"].as_array_mut();
        signatures.into_iter().flatten().for_each(|signature| sealed_just_now(tx, signature));
        Reply::ok(told)
    };
    match body.password.filter(|_| closes) {
        None => {
            desk.reply(move |tx| {
                let step = Step { to: &body.to, reason: &reason };
                transitions::move_to(tx, kind, &actor, (&number, step))?;
                show(tx, &number)
            })
            .await
        }
        Some(password) => {
            must_exist(&desk, kind, &number).await?;
            let attempt = Attempt { subject: kind.subject(&number), meaning: transitions::CLOSED };
            desk.signed_reply(Permission::Decide, &password, attempt, move |tx, signer| {
                let step = Step { to: &body.to, reason: &reason };
                transitions::close(tx, kind, signer, (&number, step, seen))?;
                show(tx, &number)
            })
            .await
        }
    }
}
