//! The two pages on which a recall is signed: its closing, and the decision on a correction.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::pages::SECTION;
use super::read;
use super::record::{STATES, subject};
use super::steps::{DecisionBody, StepBody};
use super::store::KIND;
use super::views::{self, ClosePage, CorrectionPage};
use crate::error::{Error, Result};
use crate::people::desk::{Desk, Reader};
use crate::people::rights::Permission;
use crate::people::view::View;
use crate::records::api::must_exist;
use crate::records::corrections::{self, CorrectionView};
use crate::store::Db;
use crate::web::form::{Form, Typed};
use crate::web::page::{page, see_other_with};
use crate::web::parts::Sheet;
use crate::web::problem::Refused;

/// What a person types to sign.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SignForm {
    verdict: String,
    reason: String,
    password: String,
    digest: String,
}

fn close_page(view: &View, recall: read::RecallView, (own, typed): (bool, Typed)) -> ClosePage {
    let w = view.words;
    let title = w.one("recalls-close-title", "number", recall.row.number.as_str());
    let missing = recall.told.missing.iter().map(|field| views::field_name(w, field)).collect();
    let frame = view.frame(title, SECTION);
    ClosePage { frame, missing, own, sheet: Sheet::new(w, "recalls-close", typed), recall }
}

/// `GET /recalls/{number}/close`.
pub(super) async fn closing(reader: Reader, view: View, number: web::Path<String>) -> Result<HttpResponse> {
    let now = view.now();
    let recall = reader.read(move |db| read::one(db, &number, now)).await?;
    let own = recall.row.raised_by.login == reader.caller.login;
    Ok(page(&close_page(&view, recall, (own, Typed::default())), StatusCode::OK))
}

/// `POST /recalls/{number}/close`.
pub(super) async fn close(
    desk: Desk,
    view: View,
    number: web::Path<String>,
    form: Form<SignForm>,
) -> Result<HttpResponse> {
    let number = number.into_inner();
    must_exist(&desk, &KIND, &number).await?;
    let SignForm { reason, password, digest, .. } = form.fields;
    let body = StepBody {
        to: STATES.last().copied().unwrap_or_default().to_owned(),
        reason: Some(reason),
        digest: Some(digest),
    };
    let outcome = match body.checked(&number) {
        Ok(step) => {
            let attempt = step.attempt();
            desk.signed(Permission::Decide, &password, attempt, move |tx, signer| step.close(tx, signer))
                .await
        }
        Err(error) => Err(error),
    };
    let refused = match outcome {
        Ok(()) => return Ok(see_other_with(&format!("/recalls/{number}"), "recall-closed")),
        Err(error) => Refused::by(error)?,
    };
    let now = view.now();
    let recall = desk.read(move |db| read::one(db, &number, now)).await?;
    let own = recall.row.raised_by.login == desk.caller.login;
    let mut shown = close_page(&view, recall, (own, form.typed));
    shown.sheet = shown.sheet.refused(&refused);
    shown.frame = shown.frame.failed();
    Ok(refused.page(&shown))
}

/// The recall and the correction, from one state.
fn asked(db: &mut Db, number: &str, id: &str) -> Result<CorrectionView> {
    KIND.require(db, number)?;
    let found = corrections::views(db, &subject(number))?.into_iter().find(|made| made.id == id);
    found.ok_or_else(|| Error::not_found("correction", id))
}

fn correction_page(
    view: &View,
    (recall, asked): (read::RecallView, CorrectionView),
    (login, typed): (&str, Typed),
) -> CorrectionPage {
    let w = view.words;
    let title = w.one("recalls-decide-title", "number", recall.row.number.as_str());
    CorrectionPage {
        frame: view.frame(title, SECTION),
        field: views::field_name(w, &asked.field),
        own: asked.requested_by.login == login,
        verdicts: views::verdicts(w),
        sheet: Sheet::new(w, "recalls-decide", typed),
        recall,
        asked,
    }
}

/// `GET /recalls/{number}/corrections/{id}`.
pub(super) async fn correction(
    reader: Reader,
    view: View,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let (number, id) = path.into_inner();
    let now = view.now();
    let shown = reader
        .read(move |db| {
            let asked = asked(db, &number, &id)?;
            Ok((read::one(db, &number, now)?, asked))
        })
        .await?;
    let reader = (reader.caller.login.as_str(), Typed::default());
    Ok(page(&correction_page(&view, shown, reader), StatusCode::OK))
}

/// `POST /recalls/{number}/corrections/{id}`.
pub(super) async fn decide(
    desk: Desk,
    view: View,
    path: web::Path<(String, String)>,
    form: Form<SignForm>,
) -> Result<HttpResponse> {
    let (number, id) = path.into_inner();
    must_exist(&desk, &KIND, &number).await?;
    let SignForm { verdict, reason, password, digest } = form.fields;
    let approve = match verdict.as_str() {
        "approve" => Ok(true),
        "reject" => Ok(false),
        _ => Err(Error::invalid("verdict", "required")),
    };
    let ruling = approve.and_then(|approve| {
        let body = DecisionBody { approve, reason, digest: Some(digest) };
        body.checked((&number, &id), desk.site.zone)
    });
    let outcome = match ruling {
        Ok(ruling) => {
            let attempt = ruling.attempt();
            desk.signed(Permission::Decide, &password, attempt, move |tx, signer| ruling.make(tx, signer))
                .await
        }
        Err(error) => Err(error),
    };
    let refused = match outcome {
        Ok(()) => return Ok(see_other_with(&format!("/recalls/{number}"), "recall-correction-decided")),
        Err(error) => Refused::by(error)?,
    };
    let now = view.now();
    let seen = desk
        .read(move |db| {
            let asked = asked(db, &number, &id)?;
            Ok((read::one(db, &number, now)?, asked))
        })
        .await?;
    let mut shown = correction_page(&view, seen, (&desk.caller.login, form.typed));
    shown.sheet = shown.sheet.refused(&refused);
    shown.frame = shown.frame.failed();
    Ok(refused.page(&shown))
}
