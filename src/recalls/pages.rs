//! Recalls for people: the list, registering, one recall with its trace, and the booking of notices and returns.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::api::{Asked, page_of};
use super::intake::{self, BookingDraft, Draft, Patch};
use super::read::{self, RecallView, TraceView};
use super::record::STATES;
use super::retained::KEEPER;
use super::steps::{CorrectionBody, StepBody};
use super::store::{self, Filling, KIND};
use super::views::{self, Forms, ListPage, NewPage, RecallPage};
use crate::error::{Error, Result};
use crate::keeping::{Now, Retained, standing};
use crate::people::desk::{Desk, Reader};
use crate::people::gate::Caller;
use crate::people::rights::Permission;
use crate::people::view::View;
use crate::records::transitions;
use crate::store::Db;
use crate::web::form::{Form, Typed};
use crate::web::format;
use crate::web::page::{page, see_other, see_other_with};
use crate::web::paging::{Page, Paging};
use crate::web::parts::{Choice, Sheet};
use crate::web::problem::Refused;
use crate::web::query::Query;

/// Where recalls stand in the top bar.
pub(super) const SECTION: &str = "/recalls";

/// `GET /recalls`.
pub(super) async fn list(
    reader: Reader,
    view: View,
    asked: Query<Asked>,
    paging: Query<Paging>,
) -> Result<HttpResponse> {
    let asked = asked.0;
    let typed = [("state", &asked.state), ("batch", &asked.batch), ("q", &asked.q)];
    let typed = typed.map(|(field, value)| (field, value.clone().unwrap_or_default()));
    let counts = reader.read(read::counts).await?;
    let mut shown = ListPage {
        frame: view.frame(view.words.t("recalls-list"), SECTION),
        sheet: Sheet::new(view.words, "recalls-filter", Typed::from_pairs(typed)),
        recalls: Page { items: Vec::new(), next: None },
        counts,
        states: views::states(view.words),
        may_run: reader.caller.may(Permission::RunRecall),
    };
    match asked.filter() {
        Ok(filter) => {
            shown.recalls = page_of(&reader, filter, &paging.0).await?;
            Ok(page(&shown, StatusCode::OK))
        }
        Err(error) => {
            let refused = Refused::by(error)?;
            shown.sheet = shown.sheet.refused(&refused);
            shown.frame = shown.frame.failed();
            Ok(refused.page(&shown))
        }
    }
}

fn new_page(view: &View, typed: Typed) -> NewPage {
    let w = view.words;
    NewPage {
        frame: view.frame(w.t("recalls-new-title"), SECTION),
        sheet: Sheet::new(w, "recalls-draft", typed),
        classes: views::classes(w),
        roles: views::roles(w),
        origins: views::origins(w),
        drill: views::drill(w),
    }
}

/// `GET /recalls/new`.
pub(super) async fn blank(_reader: Reader, view: View) -> Result<HttpResponse> {
    let now = format::minute(view.now(), view.zone);
    let now = now.get(..16).unwrap_or_default().to_owned();
    let typed = Typed::from_pairs([("role", "wholesaler"), ("origin", "voluntary"), ("decided_at", &now)]);
    Ok(page(&new_page(&view, typed), StatusCode::OK))
}

/// What is typed to register a recall.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NewForm {
    title: String,
    class: String,
    class_rationale: String,
    reason: String,
    role: String,
    origin: String,
    drill: bool,
    batches: String,
    decided_at: String,
}

/// `POST /recalls`.
pub(super) async fn register(desk: Desk, view: View, form: Form<NewForm>) -> Result<HttpResponse> {
    let NewForm { title, class, class_rationale, reason, role, origin, drill, batches, decided_at } =
        form.fields;
    let batches = intake::batch_lines(&batches);
    let draft = Draft { title, class, class_rationale, reason, role, origin, drill, batches, decided_at };
    let actor = desk.caller.actor(Permission::RunRecall)?;
    let zone = desk.site.zone;
    let registered = match intake::registration(&draft, zone) {
        Ok(new) => desk.write(move |tx| store::register(tx, &actor, zone, &new)).await,
        Err(error) => Err(error),
    };
    match registered {
        Ok(number) => Ok(see_other_with(&format!("/recalls/{number}"), "recall-registered")),
        Err(error) => {
            let refused = Refused::by(error)?;
            let mut shown = new_page(&view, form.typed);
            shown.sheet = shown.sheet.refused(&refused);
            shown.frame = shown.frame.failed();
            Ok(refused.page(&shown))
        }
    }
}

/// What the page of a recall shows, read from one state.
struct Seen {
    recall: RecallView,
    trace: TraceView,
    fields: Vec<String>,
    kept: Retained,
}

fn seen(db: &mut Db, number: &str, now: Now) -> Result<Seen> {
    let standing = KIND.require(db, number)?;
    let filled = standing.values.into_iter().filter(|(_, value)| !value.is_empty());
    let fields = filled.map(|(field, _)| field).collect();
    let recall = read::one(db, number, now.at)?;
    let kept = standing::own(db, &[KEEPER], number, now)?;
    Ok(Seen { recall, trace: read::trace(db, number)?, fields, kept })
}

fn recall_page(view: &View, caller: &Caller, seen: Seen) -> RecallPage {
    let Seen { recall, trace, fields, kept } = seen;
    let w = view.words;
    let (back, forward) = transitions::neighbours(&KIND, &recall.row.state);
    let sheet = |prefix| Sheet::new(w, prefix, Typed::default());
    let field = |field: String| Choice { label: views::field_name(w, &field), value: field };
    RecallPage {
        frame: view.frame(format!("{} {}", recall.row.number, recall.row.title), SECTION),
        reached: views::reached(&trace),
        signatures: views::signatures(&recall.told.signatures, w),
        forms: Forms {
            notices: sheet("recalls-notice"),
            rest: sheet("recalls-rest"),
            step: sheet("recalls-step"),
            correction: sheet("recalls-correction"),
        },
        fields: fields.into_iter().map(field).collect(),
        back,
        forward,
        may_run: caller.may(Permission::RunRecall),
        may_decide: caller.may(Permission::Decide),
        kept,
        recall,
        trace,
    }
}

/// `GET /recalls/{number}`.
pub(super) async fn show(reader: Reader, view: View, number: web::Path<String>) -> Result<HttpResponse> {
    let now = Now::of(&reader.site);
    let seen = reader.read(move |db| seen(db, &number, now)).await?;
    Ok(page(&recall_page(&view, &reader.caller, seen), StatusCode::OK))
}

/// Which form of the recall's page was sent.
#[derive(Clone, Copy)]
enum Sent {
    Notices,
    Rest,
    Step,
    Correction,
}

/// Leads back to the recall, or shows it again with what was typed and what is wrong.
async fn answered(
    (desk, view): (&Desk, &View),
    number: &str,
    outcome: Result<&'static str>,
    (sent, typed): (Sent, Typed),
) -> Result<HttpResponse> {
    let refused = match outcome {
        Ok(notice) => return Ok(see_other_with(&format!("/recalls/{number}"), notice)),
        Err(error) => Refused::by(error)?,
    };
    let (asked, now) = (number.to_owned(), Now::of(&desk.site));
    let seen = desk.read(move |db| seen(db, &asked, now)).await?;
    let mut shown = recall_page(view, &desk.caller, seen);
    let form = match sent {
        Sent::Notices => &mut shown.forms.notices,
        Sent::Rest => &mut shown.forms.rest,
        Sent::Step => &mut shown.forms.step,
        Sent::Correction => &mut shown.forms.correction,
    };
    let prefix = match sent {
        Sent::Notices => "recalls-notice",
        Sent::Rest => "recalls-rest",
        Sent::Step => "recalls-step",
        Sent::Correction => "recalls-correction",
    };
    *form = Sheet::new(view.words, prefix, typed).refused(&refused);
    shown.frame = shown.frame.failed();
    Ok(refused.page(&shown))
}

/// What is typed to book notices and returns; the same for each customer ticked.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NoticeForm {
    customer: Vec<String>,
    notified_at: String,
    acknowledged_at: String,
    returned: String,
    note: String,
}

/// `POST /recalls/{number}/notices`.
pub(super) async fn book(
    desk: Desk,
    view: View,
    number: web::Path<String>,
    form: Form<NoticeForm>,
) -> Result<HttpResponse> {
    let NoticeForm { customer, notified_at, acknowledged_at, returned, note } = form.fields;
    let told = |value: &str| Some(value.to_owned());
    let booking = |customer| BookingDraft {
        customer,
        notified_at: told(&notified_at),
        acknowledged_at: told(&acknowledged_at),
        returned: told(&returned),
        note: told(&note),
    };
    let says_nothing =
        [&notified_at, &acknowledged_at, &returned, &note].iter().all(|text| text.trim().is_empty());
    let outcome = if customer.is_empty() {
        Err(Error::invalid("customer", "required"))
    } else if says_nothing {
        Err(Error::invalid("notified_at", "required"))
    } else {
        let patch = Patch { customers: customer.into_iter().map(booking).collect(), ..Patch::default() };
        match intake::filling(&patch, desk.site.zone) {
            Ok(filling) => filled(&desk, &number, filling).await.map(|()| "recall-booked"),
            Err(error) => Err(error),
        }
    };
    let outcome = outcome.map_err(for_the_one_form);
    answered((&desk, &view), &number, outcome, (Sent::Notices, form.typed)).await
}

/// The form has one field for all customers ticked: `customers[2].returned` is its `returned`.
fn for_the_one_form(error: Error) -> Error {
    if error.fields().is_empty() {
        return error;
    }
    let mut told: Vec<crate::error::FieldError> = Vec::new();
    for fault in error.fields() {
        let field = fault.field.rsplit('.').next().unwrap_or_default().to_owned();
        if !told.iter().any(|told| told.field == field && told.code == fault.code) {
            told.push(crate::error::FieldError { field, ..fault.clone() });
        }
    }
    told.into_iter().fold(Error::new(error.kind(), error.code()), Error::field_with)
}

async fn filled(desk: &Desk, number: &str, filling: Filling) -> Result<()> {
    let actor = desk.caller.actor(Permission::RunRecall)?;
    let number = number.to_owned();
    desk.write(move |tx| store::fill(tx, &actor, &number, &filling)).await
}

/// Why not everything came back.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RestForm {
    unaccounted_reason: String,
}

/// `POST /recalls/{number}/rest`.
pub(super) async fn explain(
    desk: Desk,
    view: View,
    number: web::Path<String>,
    form: Form<RestForm>,
) -> Result<HttpResponse> {
    let patch = Patch { unaccounted_reason: Some(form.fields.unaccounted_reason), ..Patch::default() };
    let outcome = match intake::filling(&patch, desk.site.zone) {
        Ok(filling) => filled(&desk, &number, filling).await.map(|()| "recall-booked"),
        Err(error) => Err(error),
    };
    answered((&desk, &view), &number, outcome, (Sent::Rest, form.typed)).await
}

/// A step asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StepForm {
    to: String,
    reason: String,
}

/// `POST /recalls/{number}/transitions`.
pub(super) async fn step(
    desk: Desk,
    view: View,
    number: web::Path<String>,
    form: Form<StepForm>,
) -> Result<HttpResponse> {
    let StepForm { to, reason } = form.fields;
    if STATES.last().is_some_and(|closed| *closed == to) {
        return Ok(see_other(&format!("/recalls/{number}/close")));
    }
    let actor = desk.caller.actor(Permission::RunRecall)?;
    let body = StepBody { to, reason: Some(reason), ..StepBody::default() };
    let outcome = match body.checked(&number) {
        Ok(step) => desk.write(move |tx| step.make(tx, &actor)).await.map(|()| "recall-moved"),
        Err(error) => Err(error),
    };
    answered((&desk, &view), &number, outcome, (Sent::Step, form.typed)).await
}

/// A correction asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CorrectionForm {
    field: String,
    value: String,
    why: String,
}

/// `POST /recalls/{number}/corrections`.
pub(super) async fn correct(
    desk: Desk,
    view: View,
    number: web::Path<String>,
    form: Form<CorrectionForm>,
) -> Result<HttpResponse> {
    let CorrectionForm { field, value, why } = form.fields;
    let actor = desk.caller.actor(Permission::RunRecall)?;
    let (named, zone) = (number.clone(), desk.site.zone);
    let outcome = match (CorrectionBody { field, value, reason: why }).checked() {
        Ok(wish) => desk.write(move |tx| wish.ask(tx, &actor, (&named, zone))).await,
        Err(error) => Err(error),
    };
    let outcome = outcome.map(|_| "recall-correction-asked");
    answered((&desk, &view), &number, outcome, (Sent::Correction, form.typed)).await
}
