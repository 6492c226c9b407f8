//! Retention, legal holds and erasures for people.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::disposals::said;
use super::erasing::{self, Held};
use super::keepers::{Keepers, Keeping, Now};
use super::record::Named;
use super::views::{ErasePage, LiftPage, RulesPage, SubjectPage};
use super::{api, holding, store};
use crate::error::{Error, Result};
use crate::ledger::epochs::{self, InEpoch};
use crate::people::desk::{Desk, Reader};
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::people::subjects::called;
use crate::people::view::View;
use crate::store::Db;
use crate::web::form::{Form, Typed};
use crate::web::input;
use crate::web::page::{Frame, page, percent, see_other_with};
use crate::web::parts::Sheet;
use crate::web::problem::Refused;
use crate::web::query::Query;

const SECTION: &str = "/retention";

/// Where the page of a kept record `kind/id` stands there: with the records of its kind.
fn section(subject: &str) -> String {
    format!("/{}s", subject.split('/').next().unwrap_or_default())
}

/// The feature's pages.
pub fn routes() -> Vec<Route> {
    let (read, decide) = (Gate::May(Permission::ReadRecords), Gate::May(Permission::Decide));
    vec![
        Route::get("/retention", read, "", || web::to(show)),
        Route::post("/retention/holds", decide, "", || web::to(set)),
        Route::get("/retention/holds/{id}/lift", decide, "", || web::to(ask_lift)),
        Route::post("/retention/holds/{id}/lift", decide, "", || web::to(lift)),
        Route::get("/trail/{seq}/erase", decide, "", || web::to(ask_erase)),
        Route::post("/trail/{seq}/erase", decide, "", || web::to(erase)),
    ]
}

#[derive(Debug, Deserialize)]
struct Of {
    subject: Option<String>,
}

async fn show(
    view: View,
    reader: Reader,
    keeping: web::Data<Keeping>,
    of: Query<Of>,
) -> Result<HttpResponse> {
    match of.0.subject.filter(|subject| !subject.is_empty()) {
        None => {
            let words = view.words;
            let read = move |db: &mut Db| {
                let holds = store::standing_holds(db)?.into_iter().map(|hold| {
                    let called = called(db, words, &hold.held())?;
                    Ok((hold, called))
                });
                Ok((holds.collect::<Result<Vec<_>>>()?, store::erasures(db, 100)?))
            };
            let (holds, erasures) = reader.read(read).await?;
            let frame = view.frame(view.words.t("keeping-title"), SECTION);
            Ok(page(&RulesPage { frame, holds, erasures, epoch: reader.site.epoch }, StatusCode::OK))
        }
        Some(subject) => {
            let sheet = Sheet::new(view.words, "keeping", Typed::from_pairs([("subject", subject.as_str())]));
            let frame = view.frame(view.words.t("keeping-subject-title"), section(&subject));
            let shown = subject_page((&view, &reader, **keeping), &subject, (frame, sheet)).await?;
            Ok(page(&shown, StatusCode::OK))
        }
    }
}

/// How a record stands, and whether it may go.
async fn subject_page(
    (view, reader, keeping): (&View, &Reader, Keeping),
    subject: &str,
    (frame, sheet): (Frame, Sheet),
) -> Result<SubjectPage> {
    let standing = api::stand(reader, keeping.keepers, Some(subject)).await?;
    let (now, words, of) = (Now::of(&reader.site), view.words, subject.to_owned());
    let read = move |db: &mut Db| {
        let looked = keeping.look(db, &of, now)?;
        let disposal = looked.map(|_| ()).map_err(|obstacle| said(words, &obstacle, &of, now));
        Ok((disposal, called(db, words, &of)?))
    };
    let (disposal, called) = reader.read(read).await?;
    Ok(SubjectPage {
        disposal,
        called,
        may_hold: reader.caller.may(Permission::Decide),
        may_propose: reader.caller.may(Permission::ProposeDisposal),
        frame,
        sheet,
        standing,
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct HoldFields {
    subject: String,
    reason: String,
}

async fn set(
    view: View,
    reader: Reader,
    desk: Desk,
    keeping: web::Data<Keeping>,
    form: Form<HoldFields>,
) -> Result<HttpResponse> {
    let HoldFields { subject, reason } = form.fields;
    let (keeping, now, named) = (**keeping, Now::of(&desk.site), subject.clone());
    let keepers = keeping.keepers;
    let actor = desk.caller.actor(Permission::Decide)?;
    let done = match input::text("reason", &reason, 2000) {
        Ok(reason) => {
            desk.write(move |tx| holding::set(tx, keepers, &actor, (&named, &reason), now).map(|_| ())).await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(see_other_with(&format!("/retention?subject={}", percent(&subject)), "hold-set")),
        Err(error) => {
            let refused = Refused::by(error)?;
            let sheet = Sheet::new(view.words, "keeping", form.typed).refused(&refused);
            let frame = view.frame(view.words.t("keeping-subject-title"), section(&subject)).failed();
            let shown = subject_page((&view, &reader, keeping), &subject, (frame, sheet)).await?;
            Ok(refused.page(&shown))
        }
    }
}

async fn hold_page(
    (view, reader): (&View, &Reader),
    id: String,
    (typed, error): (Typed, Option<&Error>),
) -> Result<LiftPage> {
    let words = view.words;
    let read = move |db: &mut Db| {
        let hold = store::hold(db, &id)?.ok_or_else(|| Error::not_found("hold", id.as_str()))?;
        let called = called(db, words, &hold.held())?;
        Ok((hold, called))
    };
    let (hold, called) = reader.read(read).await?;
    let (mut frame, mut sheet) = (
        view.frame(view.words.t("keeping-lift"), section(&hold.held())),
        Sheet::new(view.words, "keeping", typed),
    );
    if let Some(error) = error {
        (frame, sheet) = (frame.failed(), sheet.refused(error));
    }
    Ok(LiftPage { frame, sheet, hold, called })
}

async fn ask_lift(view: View, reader: Reader, id: web::Path<String>) -> Result<HttpResponse> {
    Ok(page(&hold_page((&view, &reader), id.into_inner(), (Typed::default(), None)).await?, StatusCode::OK))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LiftFields {
    reason: String,
}

async fn lift(
    view: View,
    reader: Reader,
    desk: Desk,
    id: web::Path<String>,
    form: Form<LiftFields>,
) -> Result<HttpResponse> {
    let id = id.into_inner();
    let actor = desk.caller.actor(Permission::Decide)?;
    let of = id.clone();
    let done = match input::text("reason", &form.fields.reason, 2000) {
        Ok(reason) => desk.write(move |tx| holding::lift(tx, &actor, &of, &reason)).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(hold) => {
            Ok(see_other_with(&format!("/retention?subject={}", percent(&hold.held())), "hold-lifted"))
        }
        Err(error) => {
            let refused = Refused::by(error)?;
            Ok(refused.page(&hold_page((&view, &reader), id, (form.typed, Some(&refused))).await?))
        }
    }
}

fn erase_page(
    view: &View,
    (seq, query, values): (String, String, Vec<Held>),
    (typed, error): (Typed, Option<&Error>),
) -> ErasePage {
    let title = view.words.one("keeping-erase-title", "seq", seq.as_str());
    let (mut frame, mut sheet) =
        (view.frame(title, "/trail"), Sheet::new(view.words, "keeping-erase", typed.clone()));
    if let Some(error) = error {
        (frame, sheet) = (frame.failed(), sheet.refused(error));
    }
    ErasePage { frame, sheet, seq, query, values, typed }
}

async fn ask_erase(
    view: View,
    reader: Reader,
    keepers: web::Data<Keepers>,
    (seq, asked): (web::Path<String>, Query<InEpoch>),
) -> Result<HttpResponse> {
    let query = query_of(&reader, &asked.0)?.1;
    let values = api::values_of(&reader, **keepers, (&seq, &asked.0)).await?;
    let shown = erase_page(&view, (seq.into_inner(), query, values), (Typed::default(), None));
    Ok(page(&shown, StatusCode::OK))
}

/// The epoch that was named, where a recovery has ended it, and what addresses of its entries end with.
fn query_of(reader: &Reader, asked: &InEpoch) -> Result<(Option<i64>, String)> {
    let epoch = epochs::named(asked.epoch.as_deref(), reader.site.epoch)?;
    let past = Some(epoch).filter(|epoch| *epoch != reader.site.epoch);
    Ok((past, past.map_or_else(String::new, |epoch| format!("?epoch={epoch}"))))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct EraseFields {
    name: Vec<String>,
    basis: String,
    reason: String,
    password: String,
}

async fn erase(
    view: View,
    reader: Reader,
    desk: Desk,
    (keepers, seq, asked): (web::Data<Keepers>, web::Path<String>, Query<InEpoch>),
    form: Form<EraseFields>,
) -> Result<HttpResponse> {
    let keepers = **keepers;
    let EraseFields { name, basis, reason, password } = form.fields;
    let number: u64 = seq.parse().map_err(|_| Error::not_found("entry", seq.as_str()))?;
    let (epoch, query) = query_of(&reader, &asked.0)?;
    let named = name.into_iter().map(|name| Named { seq: number, name, epoch }).collect();
    let done = match erasing::checked(named, &basis, &reason) {
        Ok(wish) => api::erase_signed(&desk, keepers, &password, wish).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(see_other_with(&format!("/trail/{number}{query}"), "erased")),
        Err(error) => {
            let refused = Refused::by(error)?;
            let values = api::values_of(&reader, keepers, (&seq, &asked.0)).await?;
            let of = (seq.into_inner(), query, values);
            Ok(refused.page(&erase_page(&view, of, (form.typed, Some(&refused)))))
        }
    }
}
