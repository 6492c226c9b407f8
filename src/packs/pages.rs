//! Packs for people: one form that asks for a pack, and the list of those that were made.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::api::{accepted, page_of, start};
use super::record::{Pack, subject};
use super::views::{Line, ListPage};
use super::wanted::Asked;
use crate::copies::Printing;
use crate::error::{Error, Result};
use crate::jobs::{self, Job};
use crate::ledger::store as ledger;
use crate::people::desk::{Desk, Reader};
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::people::store as people;
use crate::people::view::{View, entry_link};
use crate::store::Db;
use crate::web::form::{Form, Typed};
use crate::web::page::{page, see_other};
use crate::web::paging::Paging;
use crate::web::parts::{Choice, EntryLink, Sheet};
use crate::web::problem::Refused;
use crate::web::query::Query;
use crate::web::words::Words;

/// Where packs stand in the top bar.
const SECTION: &str = "/trail";

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/packs", Gate::May(Permission::ReadTrail), "", || web::to(list)),
        Route::post("/packs", Gate::May(Permission::TakePacks), "", || web::to(create)),
    ]
}

/// What another page fills the form with.
#[derive(Debug, Default, Deserialize)]
struct Filled {
    subject: Option<String>,
}

async fn list(
    view: View,
    reader: Reader,
    (filled, printing): (Query<Filled>, web::Data<Printing>),
    paging: Query<Paging>,
) -> Result<HttpResponse> {
    let typed = Typed::from_pairs([("subjects", filled.0.subject.unwrap_or_default())]);
    let sheet = Sheet::new(view.words, "pack", typed);
    let shown = shown(&view, (&reader, &printing), sheet, &paging.0).await?;
    Ok(page(&shown, StatusCode::OK))
}

async fn shown(
    view: &View,
    (reader, printing): (&Reader, &Printing),
    sheet: Sheet,
    paging: &Paging,
) -> Result<ListPage> {
    let packs = page_of(reader, paging).await?;
    let (folder, caller) = (reader.site.folder.packs(), reader.caller.clone());
    let rows = packs.items;
    let lines = reader.read(move |db| {
        let line = |pack: Pack| {
            let mine = pack.made_by == caller.id || caller.may(Permission::Decide);
            let mine = mine && caller.may(Permission::TakePacks);
            Ok(Line {
                by: people::person(db, &pack.made_by)?.name,
                entry: entry_of(db, &pack.id)?,
                there: mine && folder.join(format!("{}.zip", pack.id)).exists(),
                pack,
            })
        };
        rows.into_iter().map(line).collect::<Result<Vec<_>>>()
    });
    let tick = |value: &str, word: &str| {
        vec![Choice { value: value.to_owned(), label: view.words.t(word).into_owned() }]
    };
    Ok(ListPage {
        frame: view.frame(view.words.t("pack-title"), SECTION),
        sheet,
        may_take: reader.caller.may(Permission::TakePacks),
        ticks: [
            tick("true", "pack-full-yes"),
            tick("true", "pack-keep_sealed-yes"),
            tick("true", "pack-prints-yes"),
        ],
        no_prints: printing.press.ready().err().map(|error| error.code()),
        lines: lines.await?,
        next: packs.next,
    })
}

fn entry_of(db: &mut Db, id: &str) -> Result<Option<EntryLink>> {
    let subject = subject(id);
    Ok(ledger::last_about(db, subject.kind, &subject.id)?.as_ref().map(entry_link))
}

/// The form as it comes: subjects one a line.
#[derive(Debug, Default, Deserialize)]
struct Fields {
    #[serde(default)]
    subjects: String,
    from: Option<String>,
    to: Option<String>,
    #[serde(default)]
    full: bool,
    reason: Option<String>,
    #[serde(default)]
    keep_sealed: bool,
    #[serde(default)]
    prints: bool,
}

async fn create(
    view: View,
    desk: Desk,
    printing: web::Data<Printing>,
    form: Form<Fields>,
) -> Result<HttpResponse> {
    let Fields { subjects, from, to, full, reason, keep_sealed, prints } = form.fields;
    let subjects = subjects.split(['\n', ',', '，', '、']).map(str::trim).filter(|line| !line.is_empty());
    let subjects = subjects.map(str::to_owned).collect();
    let asked = Asked { subjects, from, to, full, reason, keep_sealed, prints };
    match begun((&desk, &printing), &asked, view.words).await {
        Ok(job) => Ok(see_other(&format!("/jobs/{job}"))),
        Err(error) => {
            let refused = Refused::by(of_one_field(error))?;
            let sheet = Sheet::new(view.words, "pack", form.typed).refused(&refused);
            let reader = Reader { site: desk.site.clone(), caller: desk.caller.clone() };
            let mut shown = shown(&view, (&reader, &printing), sheet, &Paging::default()).await?;
            shown.frame = shown.frame.failed();
            Ok(refused.page(&shown))
        }
    }
}

/// Sets the making going; its job.
async fn begun((desk, printing): (&Desk, &Printing), asked: &Asked, words: Words) -> Result<String> {
    let wish = accepted(desk, printing, asked).await?;
    let job = Job::new("packs.make", &desk.caller.id, desk.site.clock.now());
    let kept = job.clone();
    desk.write(move |tx| jobs::insert(tx, &kept)).await?;
    start((desk, printing), &job, words, wish)?;
    Ok(job.id)
}

/// On the page all subjects are one field.
fn of_one_field(error: Error) -> Error {
    if error.fields().is_empty() {
        return error;
    }
    let code = error.code();
    let fields = error.fields().iter().cloned().map(|mut field| {
        if field.field.starts_with("subjects[") {
            field.field = "subjects".to_owned();
        }
        field
    });
    fields.fold(Error::new(error.kind(), code), Error::field_with)
}
