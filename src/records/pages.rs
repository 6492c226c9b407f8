//! The pages every kind of quality record has below its own: asking for a correction, deciding one.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use serde::Deserialize;

use super::api::{Surface, digest_told, reason_told};
use super::corrections::{self, CorrectionView, Decision, Request};
use super::kind::Standing;
use super::views::{CorrectionLine, Wording, correction_line};
use crate::error::{Error, Result};
use crate::ledger::digest::Digest;
use crate::people::desk::{Desk, Reader};
use crate::people::rights::Permission;
use crate::people::sessions::Attempt;
use crate::people::view::View;
use crate::store::Db;
use crate::web::form::{Form, Typed};
use crate::web::page::{Frame, page, see_other_with};
use crate::web::parts::{Choice, Sheet};
use crate::web::problem::Refused;

/// How a kind of record shows itself to people.
pub struct PageSurface {
    /// The kind, for machines.
    pub surface: &'static Surface,
    /// Its address: `/deviations`.
    pub path: &'static str,
    /// Its words.
    pub wording: Wording,
}

#[derive(Template)]
#[template(path = "records/correct.html")]
struct CorrectPage {
    frame: Frame,
    sheet: Sheet,
    number: String,
    back: String,
    fields: Vec<Choice>,
    present: Option<String>,
}

/// Which field a person wants to correct.
#[derive(Debug, Deserialize)]
pub struct Chosen {
    /// The field; may be left out.
    pub field: Option<String>,
}

/// `GET …/corrections/new?field=`.
///
/// # Errors
/// 404.
pub async fn ask(
    (reader, view): (Reader, View),
    surface: &'static PageSurface,
    (number, chosen): (String, Chosen),
) -> Result<HttpResponse> {
    let kind = surface.surface.kind;
    let standing = reader.read(move |db| kind.require(db, &number)).await?;
    let field = chosen.field.unwrap_or_default();
    let sheet = Sheet::new(view.words, "record-correction", Typed::from_pairs([("field", field.as_str())]));
    let frame = view.frame(view.words.t("record-correction-new"), surface.path);
    Ok(page(&correct_page(frame, sheet, surface, &standing), StatusCode::OK))
}

fn correct_page(frame: Frame, sheet: Sheet, surface: &PageSurface, standing: &Standing) -> CorrectPage {
    let w = frame.w;
    let filled = standing.values.iter().filter(|(_, value)| !value.is_empty());
    let fields = filled
        .map(|(field, _)| Choice { value: (*field).to_owned(), label: surface.wording.field(w, field) })
        .collect();
    let field = sheet.value("field").to_owned();
    let present = standing.values.get(field.as_str()).filter(|value| !value.is_empty());
    let present = present.map(|value| (surface.wording.value)(w, frame.zone, &field, value));
    let number = standing.number.clone();
    CorrectPage { back: format!("{}/{number}", surface.path), frame, sheet, number, fields, present }
}

/// What a person types to ask for a correction.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CorrectionFields {
    field: String,
    value: String,
    reason: String,
}

/// `POST …/corrections`.
///
/// # Errors
/// 404; refusals come back as the page.
pub async fn request(
    (desk, view): (Desk, View),
    surface: &'static PageSurface,
    (number, form): (String, Form<CorrectionFields>),
) -> Result<HttpResponse> {
    let kind = surface.surface.kind;
    let actor = desk.caller.actor(surface.surface.write)?;
    let (zone, of) = (desk.site.zone, number.clone());
    let CorrectionFields { field, value, reason } = form.fields;
    let done = match reason_told(Some(&reason)) {
        Err(error) => Err(error),
        Ok(reason) => {
            desk.write(move |tx| {
                let wish = Request { field: &field, value: &value, reason: &reason, zone };
                corrections::request(tx, kind, &actor, (&of, wish))
            })
            .await
        }
    };
    match done {
        Ok(_) => Ok(see_other_with(&format!("{}/{number}", surface.path), "sent")),
        Err(error) => {
            let refused = Refused::by(error)?;
            let standing = desk.read(move |db| kind.require(db, &number)).await?;
            let sheet = Sheet::new(view.words, "record-correction", form.typed).refused(&refused);
            let frame = view.frame(view.words.t("record-correction-new"), surface.path).failed();
            Ok(refused.page(&correct_page(frame, sheet, surface, &standing)))
        }
    }
}

#[derive(Template)]
#[template(path = "records/decide.html")]
struct DecidePage {
    frame: Frame,
    sheet: Sheet,
    number: String,
    back: String,
    line: CorrectionLine,
    verdicts: Vec<Choice>,
    digest: String,
}

struct Seen {
    view: CorrectionView,
    digest: String,
}

fn seen(db: &mut Db, surface: &PageSurface, number: &str, id: &str) -> Result<Seen> {
    let kind = surface.surface.kind;
    kind.require(db, number)?;
    let snapshot = (kind.snapshot)(db, number)?.ok_or_else(|| Error::not_found(kind.name, number))?;
    let views = corrections::views(db, &kind.subject(number))?;
    let view = views.into_iter().find(|view| view.id == id);
    let view = view.ok_or_else(|| Error::not_found("correction", id))?;
    Ok(Seen { view, digest: Digest::of(&snapshot.to_bytes()?).to_string() })
}

/// `GET …/corrections/{id}`.
///
/// # Errors
/// 404.
pub async fn correction(
    (reader, view): (Reader, View),
    surface: &'static PageSurface,
    (number, id): (String, String),
) -> Result<HttpResponse> {
    let of = number.clone();
    let seen = reader.read(move |db| seen(db, surface, &of, &id)).await?;
    let sheet = Sheet::new(view.words, "record-decision", Typed::default());
    let frame = view.frame(view.words.t("record-decision"), surface.path);
    Ok(page(&decide_page((frame, sheet), surface, (&reader.caller, number), seen), StatusCode::OK))
}

fn decide_page(
    (frame, sheet): (Frame, Sheet),
    surface: &PageSurface,
    (caller, number): (&crate::people::gate::Caller, String),
    seen: Seen,
) -> DecidePage {
    let back = format!("{}/{number}", surface.path);
    let line = correction_line(&frame, &surface.wording, (&back, caller), &seen.view);
    let verdict =
        |value: &str, key: &str| Choice { value: value.to_owned(), label: frame.w.t(key).into_owned() };
    let verdicts =
        vec![verdict("true", "record-decision-approve"), verdict("false", "record-decision-reject")];
    DecidePage { frame, sheet, number, back, line, verdicts, digest: seen.digest }
}

/// What a QA person types to decide.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct DecisionFields {
    approve: String,
    reason: String,
    password: String,
    digest: String,
}

/// `POST …/corrections/{id}`.
///
/// # Errors
/// 404; refusals come back as the page.
pub async fn decide(
    (desk, view): (Desk, View),
    surface: &'static PageSurface,
    (number, id, form): (String, String, Form<DecisionFields>),
) -> Result<HttpResponse> {
    match decided(&desk, surface, (&number, &id), form.fields).await {
        Ok(()) => Ok(see_other_with(&format!("{}/{number}", surface.path), "signed")),
        Err(error) => {
            let (refused, of) = (Refused::by(error)?, number.clone());
            let seen = desk.read(move |db| seen(db, surface, &of, &id)).await?;
            let sheet = Sheet::new(view.words, "record-decision", form.typed).refused(&refused);
            let frame = view.frame(view.words.t("record-decision"), surface.path).failed();
            Ok(refused.page(&decide_page((frame, sheet), surface, (&desk.caller, number), seen)))
        }
    }
}

async fn decided(
    desk: &Desk,
    surface: &'static PageSurface,
    (number, id): (&str, &str),
    fields: DecisionFields,
) -> Result<()> {
    let kind = surface.surface.kind;
    let approve = match fields.approve.as_str() {
        "true" => true,
        "false" => false,
        _ => return Err(Error::invalid("approve", "required")),
    };
    let (reason, seen, zone) =
        (reason_told(Some(&fields.reason))?, digest_told(Some(&fields.digest))?, desk.site.zone);
    let meaning = Decision { id, approve, reason: &reason, seen, zone }.meaning();
    let attempt = Attempt { subject: kind.subject(number), meaning };
    let (number, id) = (number.to_owned(), id.to_owned());
    desk.signed(Permission::Decide, &fields.password, attempt, move |tx, signer| {
        let decision = Decision { id: &id, approve, reason: &reason, seen, zone };
        corrections::decide(tx, kind, signer, (&number, decision))
    })
    .await
}
