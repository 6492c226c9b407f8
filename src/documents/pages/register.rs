//! The register: which documents there are, what of them is in force, what is overdue.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::{SECTION, department_choices, kind_choices, process_choices};
use crate::documents::list::{self, Filter, Listed, Sight};
use crate::documents::prose::in_tongue;
use crate::documents::read_pages::reference_counts;
use crate::documents::reading::{self, Wanted};
use crate::documents::standing::review_due;
use crate::documents::store;
use crate::documents::timeline::State;
use crate::documents::views::{Register, RegisterRow};
use crate::error::Result;
use crate::people::desk::Reader;
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::people::store as people;
use crate::people::view::View;
use crate::store::Db;
use crate::time::Timestamp;
use crate::web::form::Typed;
use crate::web::page::page;
use crate::web::paging::{Page, Paging};
use crate::web::parts::{Choice, Sheet, state_tag};
use crate::web::problem::Refused;
use crate::web::query::Query;
use crate::web::words::Words;

/// One day in microseconds.
const DAY: i64 = 86_400_000_000;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/documents", Gate::May(Permission::ReadInForce), "", || web::to(register))]
}

async fn register(
    view: View,
    reader: Reader,
    wanted: Query<Wanted>,
    paging: Query<Paging>,
) -> Result<HttpResponse> {
    let now = view.now();
    let sight = reading::sight_of(&reader.caller, now);
    let template = empty(&view, sight);
    let asked = wanted
        .0
        .filter((sight, now), view.zone)
        .and_then(|filter| Ok((filter, paging.0.limit()?, paging.0.after::<String>()?)));
    let (filter, limit, after) = match asked {
        Ok(asked) => asked,
        Err(error) => {
            let refused = Refused::by(error)?;
            let (frame, sheet) = (template.frame.failed(), template.sheet.refused(&refused));
            return Ok(refused.page(&Register { frame, sheet, ..template }));
        }
    };
    let (at, words, first) = (filter.at, view.words, after.is_none());
    let found = reader.read(move |db| {
        let listed = list::page(db, &filter, after.as_deref(), usize::from(limit) + 1)?;
        let page = Page::cut(listed, limit, |listed| listed.document.number.clone())?;
        let rows = rows(db, (words, &filter, now), &page.items)?;
        Ok(Page { items: rows, next: page.next })
    });
    let found = found.await?;
    let total = (first && found.next.is_none()).then(|| i64::try_from(found.items.len()).unwrap_or(i64::MAX));
    Ok(page(&Register { rows: found.items, next: found.next, total, at, ..template }, StatusCode::OK))
}

/// The page without rows.
fn empty(view: &View, sight: Sight) -> Register {
    let w = view.words;
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(view.request().query_string()).unwrap_or_default();
    let typed = Typed::from_pairs(pairs);
    let mut frame = view.frame(w.t("document-register"), SECTION);
    // The register is a search itself.
    frame.search = None;
    Register {
        sheet: Sheet::new(w, "document-register", typed.clone()),
        typed,
        rows: Vec::new(),
        at: view.now(),
        next: None,
        total: None,
        writes: view.caller().is_some_and(|caller| caller.may(Permission::WriteDrafts)),
        archive: sight == Sight::Archive,
        kinds: kind_choices(w),
        departments: department_choices(w),
        processes: process_choices(w),
        states: states(w),
        frame,
    }
}

fn states(w: Words) -> Vec<Choice> {
    let choice = |state: State| {
        let value = state.code().to_owned();
        Choice { label: w.t(&format!("state-{value}")).into_owned(), value }
    };
    State::ALL.into_iter().map(choice).collect()
}

fn rows(
    db: &mut Db,
    (w, filter, now): (Words, &Filter, Timestamp),
    found: &[Listed],
) -> Result<Vec<RegisterRow>> {
    let numbers: Vec<String> = found.iter().map(|listed| listed.document.number.clone()).collect();
    let counts = reference_counts(db, &numbers, filter.at)?;
    let mut names = HashMap::new();
    let mut rows = Vec::with_capacity(found.len());
    for listed in found {
        let references = counts.get(&listed.document.number).copied().unwrap_or_default();
        let references = i64::try_from(references).unwrap_or(i64::MAX);
        let owner = owner(db, &mut names, &listed.document.owner_id)?;
        rows.push(RegisterRow { references, owner, ..row(db, (w, filter, now), listed)? });
    }
    Ok(rows)
}

fn owner(db: &mut Db, names: &mut HashMap<String, String>, id: &str) -> Result<String> {
    if let Some(name) = names.get(id) {
        return Ok(name.clone());
    }
    let name = people::person(db, id)?.name;
    names.insert(id.to_owned(), name.clone());
    Ok(name)
}

/// A document by the version that was asked for by its state, else by the one that speaks for it.
fn row(db: &mut Db, (w, filter, now): (Words, &Filter, Timestamp), listed: &Listed) -> Result<RegisterRow> {
    let (document, timeline) = (&listed.document, listed.timeline());
    let wanted = filter.status.and_then(|state| {
        listed.versions.iter().rev().find(|version| timeline.state(version, filter.at) == state)
    });
    let foremost = match filter.sight {
        Sight::Archive => timeline.foremost(filter.at),
        Sight::InForce(_) => timeline.in_force(filter.at),
    };
    let version = wanted.or(foremost);
    let carried = version.map_or_else(|| document.carried(), |version| version.carried())?;
    let state = version.map_or(State::Draft, |version| timeline.state(version, filter.at));
    let due = match state {
        State::InForce => store::record(db, &document.number)?
            .and_then(|record| review_due(&record, &listed.versions, filter.at)),
        _ => None,
    };
    let is_foremost =
        version.map(|version| &version.version) == timeline.foremost(now).map(|version| &version.version);
    let href = match version {
        Some(version) if !is_foremost => super::address(&document.number, &version.version),
        _ => format!("/documents/{}", document.number),
    };
    Ok(RegisterRow {
        number: document.number.clone(),
        title: in_tongue(&carried.title, w.lang().tag(), &document.authoritative_language),
        version: version.map(|version| version.version.clone()),
        state: state_tag(w, state.code()),
        department: super::department_word(w, &document.department),
        owner: String::new(),
        since: version.and_then(|version| version.effective_from),
        overdue: due.filter(|due| *due < now).map(|due| (now.0 - due.0) / DAY),
        review_due: due,
        references: 0,
        href,
    })
}
