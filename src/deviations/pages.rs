//! Deviations for people: the list, a new one, and the work on one.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::api::{SURFACE, Wanted};
use super::draft::{self, Draft};
use super::read::{self, Place};
use super::record::{FILLABLE, parts};
use super::retained::KEEPER;
use super::store::{self, Filling, KIND};
use super::views::{self, ListPage, NewPage, OnePage, Seen};
use crate::error::Result;
use crate::keeping::{Now, standing};
use crate::links::read::ties;
use crate::links::resolver::Resolvers;
use crate::people::desk::{Desk, Reader};
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::people::sessions::Attempt;
use crate::people::view::View;
use crate::records::api::{digest_told, reason_told};
use crate::records::pages::{self as shared, Chosen, CorrectionFields, DecisionFields, PageSurface};
use crate::records::transitions::{self, Step};
use crate::store::Db;
use crate::web::form::{Form, Typed};
use crate::web::page::{page, see_other_with};
use crate::web::paging::Page;
use crate::web::parts::Sheet;
use crate::web::problem::Refused;
use crate::web::query::Query;

/// Where deviations stand in the top bar.
const SECTION: &str = "/deviations";

static SURFACE_FOR_PEOPLE: PageSurface =
    PageSurface { surface: &SURFACE, path: "/deviations", wording: views::WORDING };

/// The feature's routes for people.
pub fn routes() -> Vec<Route> {
    let (read, write) = (Gate::May(Permission::ReadRecords), Gate::May(Permission::RaiseDeviation));
    let decide = Gate::May(Permission::Decide);
    vec![
        Route::get("/deviations", read, "", || web::to(list)),
        Route::get("/deviations/new", write, "", || web::to(ask)),
        Route::post("/deviations", write, "", || web::to(raise)),
        Route::get("/deviations/{number}", read, "", || web::to(show)),
        Route::post("/deviations/{number}/fill", write, "", || web::to(fill)),
        Route::post("/deviations/{number}/transitions", write, "", || web::to(transition)),
        Route::get("/deviations/{number}/corrections/new", write, "", || web::to(ask_correction)),
        Route::post("/deviations/{number}/corrections", write, "", || web::to(request_correction)),
        Route::get("/deviations/{number}/corrections/{id}", read, "", || web::to(correction)),
        Route::post("/deviations/{number}/corrections/{id}", decide, "", || web::to(decide_correction)),
    ]
}

async fn list(reader: Reader, view: View, query: Query<Wanted>) -> Result<HttpResponse> {
    let w = view.words;
    let (filter, paging) = query.0.split();
    let sheet = Sheet::new(w, "deviation-filter", filter.typed());
    let may_raise = reader.caller.may(Permission::RaiseDeviation);
    let frame = view.frame(w.t("deviation-list"), SECTION);
    let shown = ListPage {
        sheet,
        rows: Page { items: Vec::new(), next: None },
        total: 0,
        may_raise,
        classes: views::class_choices(w),
        states: views::state_choices(w),
        areas: views::area_choices(w),
        frame,
    };
    if let Err(error) = filter.check() {
        let refused = Refused::by(error)?;
        let (sheet, frame) = (shown.sheet.refused(&refused), shown.frame.failed());
        return Ok(refused.page(&ListPage { sheet, frame, ..shown }));
    }
    let (limit, after) = (paging.limit()?, paging.after::<Place>()?);
    let most = i64::from(limit) + 1;
    let (rows, total) = reader
        .read(move |db| Ok((read::list(db, &filter, after.as_ref(), most)?, read::count(db, &filter)?)))
        .await?;
    let rows = Page::cut(rows, limit, |row| (row.raised_at.0, row.number.clone()))?;
    Ok(page(&ListPage { rows, total, ..shown }, StatusCode::OK))
}

/// What a link to the form may fill in.
#[derive(Debug, Default, Deserialize)]
struct Prefill {
    order: Option<String>,
    batch: Option<String>,
}

async fn ask(view: View, prefill: Query<Prefill>) -> Result<HttpResponse> {
    let Prefill { order, batch } = prefill.0;
    let typed = [("orders", order.unwrap_or_default()), ("batches", batch.unwrap_or_default())];
    let sheet = Sheet::new(view.words, "deviation", Typed::from_pairs(typed));
    Ok(page(&new_page(&view, sheet), StatusCode::OK))
}

fn new_page(view: &View, sheet: Sheet) -> NewPage {
    let w = view.words;
    let frame = view.frame(w.t("deviation-new"), SECTION);
    NewPage { frame, sheet, classes: views::class_choices(w), areas: views::area_choices(w) }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RaiseFields {
    title: String,
    description: String,
    class: String,
    area: String,
    occurred_at: String,
    found_at: String,
    orders: String,
    batches: String,
    immediate_action: String,
}

async fn raise(desk: Desk, view: View, form: Form<RaiseFields>) -> Result<HttpResponse> {
    let fields = form.fields;
    let draft = Draft {
        title: fields.title,
        description: fields.description,
        class: fields.class,
        area: fields.area,
        occurred_at: fields.occurred_at,
        found_at: fields.found_at,
        orders: parts(&fields.orders).into_iter().map(str::to_owned).collect(),
        batches: views::batches_typed(&fields.batches),
        immediate_action: fields.immediate_action,
    };
    let actor = desk.caller.actor(Permission::RaiseDeviation)?;
    let zone = desk.site.zone;
    let raised = desk
        .write(move |tx| {
            let told = draft::checked(&draft, tx.now(), zone)?;
            store::raise(tx, &actor, &told, zone)
        })
        .await;
    match raised {
        Ok(number) => Ok(see_other_with(&format!("/deviations/{number}"), "saved")),
        Err(error) => {
            let refused = Refused::by(error)?;
            let shown = new_page(&view, Sheet::new(view.words, "deviation", form.typed).refused(&refused));
            Ok(refused.page(&NewPage { frame: shown.frame.failed(), ..shown }))
        }
    }
}

fn seen(db: &mut Db, number: &str, (now, resolvers): (Now, Resolvers)) -> Result<Seen> {
    let ties = ties(db, resolvers, &format!("deviation/{number}"))?;
    let view = read::one(db, number, now.zone)?;
    Ok(Seen { view, ties, kept: standing::own(db, &[KEEPER], number, now)? })
}

async fn show(
    reader: Reader,
    view: View,
    resolvers: web::Data<Resolvers>,
    number: web::Path<String>,
) -> Result<HttpResponse> {
    let known = (Now::of(&reader.site), **resolvers);
    let seen = reader.read(move |db| seen(db, &number, known)).await?;
    let sheet = Sheet::new(view.words, "deviation", Typed::default());
    let frame = view.frame(title(&seen), SECTION);
    Ok(page(&OnePage::new(frame, sheet, seen, reader.caller), StatusCode::OK))
}

fn title(seen: &Seen) -> String {
    format!("{} {}", seen.view.row.number, seen.view.row.title)
}

/// After a form on a deviation's page: back to it, or the page again with what was typed and what is wrong.
async fn answer(
    (desk, view, resolvers): (Desk, View, Resolvers),
    number: String,
    (done, typed, notice): (Result<()>, Typed, &str),
) -> Result<HttpResponse> {
    match done {
        Ok(()) => Ok(see_other_with(&format!("/deviations/{number}"), notice)),
        Err(error) => {
            let (refused, known) = (Refused::by(error)?, (Now::of(&desk.site), resolvers));
            let seen = desk.read(move |db| seen(db, &number, known)).await?;
            let sheet = Sheet::new(view.words, "deviation", typed).refused(&refused);
            let frame = view.frame(title(&seen), SECTION).failed();
            Ok(refused.page(&OnePage::new(frame, sheet, seen, desk.caller)))
        }
    }
}

/// The texts of the filling form; what is blank stays empty.
#[derive(Debug, Default, Deserialize)]
struct FillFields(std::collections::BTreeMap<String, String>);

async fn fill(
    desk: Desk,
    view: View,
    resolvers: web::Data<Resolvers>,
    number: web::Path<String>,
    form: Form<FillFields>,
) -> Result<HttpResponse> {
    let number = number.into_inner();
    let told = form.fields.0.iter().map(|(field, text)| (field.as_str(), text.as_str()));
    let filling =
        Filling::checked(told.filter(|(field, text)| FILLABLE.contains(field) && !text.trim().is_empty()));
    let actor = desk.caller.actor(Permission::RaiseDeviation)?;
    let of = number.clone();
    let done = match filling {
        Ok(filling) => desk.write(move |tx| store::fill(tx, &actor, &of, &filling)).await,
        Err(error) => Err(error),
    };
    answer((desk, view, **resolvers), number, (done, form.typed, "saved")).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StepFields {
    to: String,
    reason: String,
    password: String,
    digest: String,
}

async fn transition(
    desk: Desk,
    view: View,
    resolvers: web::Data<Resolvers>,
    number: web::Path<String>,
    form: Form<StepFields>,
) -> Result<HttpResponse> {
    let number = number.into_inner();
    let closes = form.fields.to == KIND.closed_state();
    let done = if closes {
        closed(&desk, &number, form.fields).await
    } else {
        moved(&desk, &number, form.fields).await
    };
    let notice = if closes { "signed" } else { "saved" };
    answer((desk, view, **resolvers), number, (done, form.typed, notice)).await
}

async fn moved(desk: &Desk, number: &str, fields: StepFields) -> Result<()> {
    let actor = desk.caller.actor(Permission::RaiseDeviation)?;
    let (reason, number) = (reason_told(Some(&fields.reason))?, number.to_owned());
    desk.write(move |tx| {
        let step = Step { to: &fields.to, reason: &reason };
        transitions::move_to(tx, &KIND, &actor, (&number, step))
    })
    .await
}

async fn closed(desk: &Desk, number: &str, fields: StepFields) -> Result<()> {
    let (reason, seen) = (reason_told(Some(&fields.reason))?, digest_told(Some(&fields.digest))?);
    let attempt = Attempt { subject: KIND.subject(number), meaning: transitions::CLOSED };
    let number = number.to_owned();
    desk.signed(Permission::Decide, &fields.password, attempt, move |tx, signer| {
        let step = Step { to: KIND.closed_state(), reason: &reason };
        transitions::close(tx, &KIND, signer, (&number, step, seen))
    })
    .await
}

async fn ask_correction(
    reader: Reader,
    view: View,
    number: web::Path<String>,
    chosen: Query<Chosen>,
) -> Result<HttpResponse> {
    shared::ask((reader, view), &SURFACE_FOR_PEOPLE, (number.into_inner(), chosen.0)).await
}

async fn request_correction(
    desk: Desk,
    view: View,
    number: web::Path<String>,
    form: Form<CorrectionFields>,
) -> Result<HttpResponse> {
    shared::request((desk, view), &SURFACE_FOR_PEOPLE, (number.into_inner(), form)).await
}

async fn correction(reader: Reader, view: View, path: web::Path<(String, String)>) -> Result<HttpResponse> {
    shared::correction((reader, view), &SURFACE_FOR_PEOPLE, path.into_inner()).await
}

async fn decide_correction(
    desk: Desk,
    view: View,
    path: web::Path<(String, String)>,
    form: Form<DecisionFields>,
) -> Result<HttpResponse> {
    let (number, id) = path.into_inner();
    shared::decide((desk, view), &SURFACE_FOR_PEOPLE, (number, id, form)).await
}
