//! Printing and numbered copies for people.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::api::{self, CopyBody, CopyView, EndBody, view};
use super::issue::{self, BOTH};
use super::record::Outcome;
use super::sheet::{Kind, watermark};
use super::views::{List, One, Print, Printable, standing_tag};
use super::{Printing, store};
use crate::documents::prose::in_tongue;
use crate::documents::read_pages::{self, Shown};
use crate::documents::reading;
use crate::documents::store as documents;
use crate::documents::timeline::State;
use crate::error::Result;
use crate::people::desk::{Desk, Reader};
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::people::view::View;
use crate::web::form::{Form, Typed};
use crate::web::page::{page, percent, see_other_with};
use crate::web::paging::{Page, Paging};
use crate::web::parts::{Choice, Sheet, state_tag};
use crate::web::problem::{self, Refused};
use crate::web::query::Query;
use crate::web::words::Words;

const SECTION: &str = "/documents";

/// The feature's routes for people.
pub fn routes() -> Vec<Route> {
    let (read, archive) = (Gate::May(Permission::ReadInForce), Gate::May(Permission::ReadAllVersions));
    let give = Gate::May(Permission::IssueCopies);
    vec![
        Route::get("/copies", archive, "", || web::to(everywhere)),
        Route::get("/documents/{number}/copies", archive, "", || web::to(of_document)),
        Route::get("/documents/{number}/copies/{n}", archive, "", || web::to(one)),
        Route::post("/documents/{number}/copies/{n}", give, "", || web::to(settle)),
        Route::get("/documents/{number}/copies/{n}/pdf", give, "", || web::to(api::copy_pdf)),
        Route::get("/documents/{number}/{version}/print", read, "", || web::to(ask)),
        Route::post("/documents/{number}/{version}/print", give, "", || web::to(give_out)),
        Route::get("/documents/{number}/{version}/pdf", read, "", || web::to(api::version_pdf)),
    ]
}

fn tongue(w: Words, tag: &str) -> String {
    let key = format!("print-lang-{tag}");
    if w.has(&key) { w.t(&key).into_owned() } else { tag.to_owned() }
}

/// What can be printed of a version: its languages, and all of them together where there are several.
fn langs(shown: &Shown) -> Vec<&str> {
    let mut langs: Vec<&str> = shown.record.renditions.iter().map(|text| text.lang.as_str()).collect();
    if langs.len() > 1 {
        langs.insert(0, BOTH);
    }
    langs
}

fn print_page(view: &View, (reader, printing): (&Reader, &Printing), shown: &Shown) -> Print {
    let (w, version) = (view.words, &shown.record.version);
    let (number, version) = (version.document.clone(), version.version.clone());
    let may_issue =
        reader.caller.may(Permission::IssueCopies) && matches!(shown.state, State::InForce | State::Awaiting);
    let blocked = printing.press.ready().err();
    let printable = |lang: &&str| Printable {
        href: format!("/documents/{number}/{version}/pdf?lang={}", percent(lang)),
        word: tongue(w, lang),
    };
    let choice = |lang: &&str| Choice { value: (*lang).to_owned(), label: tongue(w, lang) };
    let langs = langs(shown);
    let typed = Typed::from_pairs([("lang", langs.first().copied().unwrap_or(BOTH))]);
    let args = [("number", number.as_str().into()), ("version", version.as_str().into())];
    let authoritative = &shown.around.document.authoritative_language;
    Print {
        frame: view.frame(w.with("print-title", &args), SECTION),
        title: in_tongue(&shown.carried.title, w.lang().tag(), authoritative),
        state: state_tag(w, shown.state.code()),
        says: w.t(watermark(&Kind::Uncontrolled, shown.state)).replace('\u{a0}', " "),
        blocked: blocked.map(|error| (problem::title(&error, w), problem::detail(&error, w))),
        printable: langs.iter().map(printable).collect(),
        sheet: may_issue.then(|| Sheet::new(w, "copy", typed)),
        langs: langs.iter().map(choice).collect(),
        archive: reader.caller.may(Permission::ReadAllVersions),
        number,
        version,
    }
}

async fn shown(view: &View, reader: &Reader, (number, version): (String, String)) -> Result<Shown> {
    let now = view.now();
    let sight = reading::sight_of(&reader.caller, now);
    reader.read(move |db| read_pages::shown(db, (&number, &version), (sight, now))).await
}

async fn ask(
    (view, reader): (View, Reader),
    printing: web::Data<Printing>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let shown = shown(&view, &reader, path.into_inner()).await?;
    Ok(page(&print_page(&view, (&reader, &printing), &shown), StatusCode::OK))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fields {
    holder: String,
    place: String,
    lang: String,
}

/// Issues a copy and leads to it.
async fn give_out(
    (view, reader, desk): (View, Reader, Desk),
    printing: web::Data<Printing>,
    path: web::Path<(String, String)>,
    form: Form<Fields>,
) -> Result<HttpResponse> {
    let (number, version) = path.into_inner();
    let Fields { holder, place, lang } = form.fields;
    let body = CopyBody { version: Some(version.clone()), lang: Some(lang), holder, place: Some(place) };
    let issued = match body.check() {
        Ok(new) => {
            let (actor, number) = (desk.caller.actor(Permission::IssueCopies)?, number.clone());
            desk.write(move |tx| issue::issue(tx, &actor, &number, &new)).await
        }
        Err(error) => Err(error),
    };
    match issued {
        Ok(copy) => {
            Ok(see_other_with(&format!("/documents/{}/copies/{}", copy.document, copy.n), "copy-issued"))
        }
        Err(error) => {
            let refused = Refused::by(error)?;
            let shown = shown(&view, &reader, (number, version)).await?;
            let asked = print_page(&view, (&reader, &printing), &shown);
            let sheet = Some(Sheet::new(view.words, "copy", form.typed).refused(&refused));
            Ok(refused.page(&Print { sheet, frame: asked.frame.failed(), ..asked }))
        }
    }
}

async fn of_document(view: View, reader: Reader, number: web::Path<String>) -> Result<HttpResponse> {
    let (number, now, w) = (number.into_inner(), view.now(), view.words);
    let target = number.clone();
    let rows = reader.read(move |db| {
        documents::require(db, &target)?;
        let rows = store::of(db, &target)?;
        rows.iter().map(|copy| super::api::view(db, copy, now)).collect::<Result<Vec<_>>>()
    });
    let rows = rows.await?;
    let frame = view.frame(w.one("copy-list-of", "number", number.as_str()), SECTION);
    Ok(page(&List { frame, number: Some(number), rows, all: true, next: None }, StatusCode::OK))
}

#[derive(Debug, Default, Deserialize)]
struct Wanted {
    #[serde(default)]
    all: Option<String>,
    #[serde(flatten)]
    paging: Paging,
}

/// What must come back in the whole house, or every copy there is.
async fn everywhere(view: View, reader: Reader, query: Query<Wanted>) -> Result<HttpResponse> {
    let (limit, after) = (query.0.paging.limit()?, query.0.paging.after::<(String, i64)>()?);
    let (all, now) = (query.0.all.is_some(), view.now());
    let rows = reader.read(move |db| {
        let rows = store::page(db, all, after.as_ref(), i64::from(limit) + 1)?;
        rows.iter().map(|copy| super::api::view(db, copy, now)).collect::<Result<Vec<_>>>()
    });
    let Page { items, next } = Page::cut(rows.await?, limit, |copy| (copy.document.clone(), copy.n))?;
    let mut rows = items;
    // What must come back stands first.
    rows.sort_by_key(|copy| copy.standing != "due");
    let frame = view.frame(view.words.t("copy-list"), SECTION);
    Ok(page(&List { frame, number: None, rows, all, next }, StatusCode::OK))
}

fn one_page(view: &View, (reader, printing): (&Reader, &Printing), copy: CopyView) -> One {
    let w = view.words;
    let may_issue = reader.caller.may(Permission::IssueCopies);
    let out = copy.settled_at.is_none();
    let args = [("number", copy.document.as_str().into()), ("n", copy.n.to_string().into())];
    let outcome = |outcome: Outcome| Choice {
        value: outcome.code().to_owned(),
        label: w.t(&format!("copy-standing-{}", outcome.code())).into_owned(),
    };
    One {
        frame: view.frame(w.with("copy-title", &args), SECTION),
        standing: standing_tag(w, copy.standing),
        lang: tongue(w, &copy.lang),
        sheet: (may_issue && out).then(|| Sheet::new(w, "copy-end", Typed::default())),
        outcomes: Outcome::ALL.map(outcome).into(),
        prints: may_issue && copy.standing == "out" && printing.press.ready().is_ok(),
        copy,
    }
}

async fn find(view_: &View, reader: &Reader, (number, n): (String, String)) -> Result<CopyView> {
    let now = view_.now();
    let found = reader.read(move |db| {
        let copy = store::require(db, &number, &n)?;
        view(db, &copy, now)
    });
    found.await
}

async fn one(
    (view, reader): (View, Reader),
    printing: web::Data<Printing>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let copy = find(&view, &reader, path.into_inner()).await?;
    Ok(page(&one_page(&view, (&reader, &printing), copy), StatusCode::OK))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct End {
    outcome: String,
    note: String,
}

/// Writes what became of a copy.
async fn settle(
    (view, reader, desk): (View, Reader, Desk),
    printing: web::Data<Printing>,
    path: web::Path<(String, String)>,
    form: Form<End>,
) -> Result<HttpResponse> {
    let target = path.into_inner();
    let body = EndBody { outcome: form.fields.outcome, note: form.fields.note };
    let done = match body.check() {
        Ok((outcome, note)) => {
            let (actor, (number, n)) = (desk.caller.actor(Permission::IssueCopies)?, target.clone());
            desk.write(move |tx| issue::settle(tx, &actor, (&number, &n), (outcome, &note)).map(|_| ())).await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(see_other_with(&format!("/documents/{}/copies/{}", target.0, target.1), "copy-settled")),
        Err(error) => {
            let refused = Refused::by(error)?;
            let asked = one_page(&view, (&reader, &printing), find(&view, &reader, target).await?);
            let sheet = Some(Sheet::new(view.words, "copy-end", form.typed).refused(&refused));
            Ok(refused.page(&One { sheet, frame: asked.frame.failed(), ..asked }))
        }
    }
}
