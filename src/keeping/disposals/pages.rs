//! Disposals for people.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::acts::{self, Wish};
use super::record::DisposalState;
use super::views::{CandidateLine, CandidatesPage, DisposalPage, ListPage, Seen, address, said_of};
use super::{api, store};
use crate::error::{Error, Result};
use crate::keeping::keepers::{Keeping, Now};
use crate::people::desk::{Desk, Reader};
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::people::view::View;
use crate::store::Db;
use crate::web::form::{Form, Typed};
use crate::web::input;
use crate::web::page::{page, see_other_with};
use crate::web::paging::{Page, Paging, cursor_of};
use crate::web::parts::Sheet;
use crate::web::problem::Refused;
use crate::web::query::Query;

const SECTION: &str = "/records";
const DECISION: &str = "disposal-decision";
const WITHDRAWAL: &str = "disposal-withdrawal";

/// The pages.
pub fn routes() -> Vec<Route> {
    let (read, propose_it) = (Gate::May(Permission::ReadRecords), Gate::May(Permission::ProposeDisposal));
    let decide_it = Gate::May(Permission::Decide);
    vec![
        Route::get("/retention/disposals", read, "", || web::to(list)),
        Route::post("/retention/disposals", propose_it, "", || web::to(propose)),
        Route::get("/retention/disposals/candidates", read, "", || web::to(candidates)),
        Route::get("/retention/disposals/{number}", read, "", || web::to(show)),
        Route::post("/retention/disposals/{number}/decision", decide_it, "", || web::to(decide)),
        Route::post("/retention/disposals/{number}/withdraw", propose_it, "", || web::to(withdraw)),
    ]
}

async fn list(view: View, reader: Reader, paging: Query<Paging>) -> Result<HttpResponse> {
    let (limit, after) = (paging.0.limit()?, paging.0.after::<(i64, String)>()?);
    let rows = reader.read(move |db| store::list(db, after, i64::from(limit) + 1)).await?;
    let key = |state: &DisposalState| (state.disposal.proposed_at.0, state.disposal.number.clone());
    let Page { items, next } = Page::cut(rows, limit, key)?;
    let frame = view.frame(view.words.t("disposal-title"), SECTION);
    let may_propose = reader.caller.may(Permission::ProposeDisposal);
    Ok(page(&ListPage { frame, states: items, next, may_propose }, StatusCode::OK))
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    kind: Option<String>,
    subject: Option<String>,
}

/// The list of what may go; a record that was named stands first, whatever keeps it.
async fn candidates_page(
    (view, reader, keeping): (&View, &Reader, Keeping),
    (asked, paging): (Asked, Paging),
    (typed, error): (Typed, Option<&Error>),
) -> Result<CandidatesPage> {
    let (limit, after) = (paging.limit()?, paging.after::<(i64, String)>()?);
    let (now, words) = (Now::of(&reader.site), view.words);
    let subject = asked.subject.filter(|subject| !subject.is_empty());
    let of_subject = subject.as_deref().and_then(|subject| subject.split_once('/')).map(|(kind, _)| kind);
    let kind = asked.kind.as_deref().or(of_subject).filter(|kind| !kind.is_empty()).unwrap_or("order");
    let disposer = keeping.disposer(kind).ok_or_else(|| Error::invalid("kind", "unknown-code"))?;
    let (lines, next) = reader
        .read(move |db: &mut Db| {
            let found = keeping.candidates(db, (disposer, now), after, i64::from(limit))?;
            let mut lines: Vec<_> =
                found.0.iter().map(|candidate| CandidateLine::of(words, candidate, now)).collect();
            if let Some(subject) = subject {
                let looked = keeping.look(db, &subject, now)?;
                lines.retain(|line| line.subject != subject);
                lines.insert(0, CandidateLine::looked_at(words, &subject, &looked, now));
            }
            Ok((lines, found.1))
        })
        .await?;
    let (mut frame, mut sheet) =
        (view.frame(words.t("disposal-candidates"), SECTION), Sheet::new(words, "disposal-proposal", typed));
    if let Some(error) = error {
        (frame, sheet) = (frame.failed(), sheet.refused(&said_of(words, error)));
    }
    let named = keeping.disposers.iter().filter(|other| keeping.disposer(other.kind).is_some());
    Ok(CandidatesPage {
        frame,
        sheet,
        kinds: named.map(|other| other.kind).collect(),
        kind: disposer.kind,
        lines,
        next: next.as_ref().map(cursor_of).transpose()?,
        may_propose: reader.caller.may(Permission::ProposeDisposal),
    })
}

async fn candidates(
    view: View,
    reader: Reader,
    keeping: web::Data<Keeping>,
    (asked, paging): (Query<Asked>, Query<Paging>),
) -> Result<HttpResponse> {
    let chosen = asked.0.subject.clone().unwrap_or_default();
    let typed = Typed::from_pairs([("subject", chosen)]);
    let shown = candidates_page((&view, &reader, **keeping), (asked.0, paging.0), (typed, None)).await?;
    Ok(page(&shown, StatusCode::OK))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ProposalFields {
    subject: Vec<String>,
    kind: String,
    reason: String,
}

async fn propose(
    view: View,
    reader: Reader,
    desk: Desk,
    keeping: web::Data<Keeping>,
    form: Form<ProposalFields>,
) -> Result<HttpResponse> {
    let ProposalFields { subject, kind, reason } = form.fields;
    let (keeping, now) = (**keeping, Now::of(&desk.site));
    let actor = desk.caller.actor(Permission::ProposeDisposal)?;
    let first = subject.first().cloned();
    let done = match Wish::checked(subject, &reason) {
        Ok(wish) => desk.write(move |tx| acts::propose(tx, keeping, &actor, &wish, now)).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(state) => Ok(see_other_with(&address(&state.disposal.number), "disposal-proposed")),
        Err(error) => {
            let refused = Refused::by(error)?;
            let asked = Asked { kind: Some(kind).filter(|kind| !kind.is_empty()), subject: first };
            let paging = Paging::default();
            let of = (&view, &reader, keeping);
            let shown = candidates_page(of, (asked, paging), (form.typed, Some(&refused))).await?;
            Ok(refused.page(&shown))
        }
    }
}

/// What was typed into one of the page's forms, and what is wrong with it.
type Mended<'a> = (&'static str, Typed, &'a Error);

async fn disposal_page(
    (view, reader): (&View, &Reader),
    number: String,
    refused: Option<Mended<'_>>,
) -> Result<DisposalPage> {
    let seen = reader.read(move |db: &mut Db| Seen::read(db, &number)).await?;
    let blank = |prefix| Sheet::new(view.words, prefix, Typed::default());
    let mut frame = view.frame(seen.state.disposal.number.clone(), SECTION);
    let (mut decision, mut withdrawal) = (blank(DECISION), blank(WITHDRAWAL));
    if let Some((prefix, typed, error)) = refused {
        frame = frame.failed();
        let sheet = Sheet::new(view.words, prefix, typed).refused(&said_of(view.words, error));
        if prefix == DECISION { decision = sheet } else { withdrawal = sheet }
    }
    Ok(DisposalPage::new(frame, seen, &reader.caller, (decision, withdrawal)))
}

async fn show(view: View, reader: Reader, number: web::Path<String>) -> Result<HttpResponse> {
    Ok(page(&disposal_page((&view, &reader), number.into_inner(), None).await?, StatusCode::OK))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct DecisionFields {
    approve: String,
    reason: String,
    password: String,
    digest: String,
}

async fn decide(
    view: View,
    reader: Reader,
    desk: Desk,
    (keeping, number): (web::Data<Keeping>, web::Path<String>),
    form: Form<DecisionFields>,
) -> Result<HttpResponse> {
    let DecisionFields { approve, reason, password, digest } = form.fields;
    let verdict = match approve.as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Error::invalid("approve", "required")),
    };
    let seen = (!digest.is_empty()).then_some(digest.as_str());
    let decision = verdict.and_then(|approve| api::decision_of(&number, approve, (&reason, seen)));
    let done = match decision {
        Ok(decision) => api::decide_signed(&desk, **keeping, &password, decision).await,
        Err(error) => Err(error),
    };
    answered((&view, &reader), (number.into_inner(), "signed"), (DECISION, form.typed), done).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WithdrawFields {
    reason: String,
}

async fn withdraw(
    view: View,
    reader: Reader,
    desk: Desk,
    number: web::Path<String>,
    form: Form<WithdrawFields>,
) -> Result<HttpResponse> {
    let actor = desk.caller.actor(Permission::ProposeDisposal)?;
    let of = number.clone();
    let done = match input::text("reason", &form.fields.reason, 2000) {
        Ok(reason) => desk.write(move |tx| acts::withdraw(tx, &actor, &of, &reason).map(|_| ())).await,
        Err(error) => Err(error),
    };
    let notice = (number.into_inner(), "disposal-withdrawn");
    answered((&view, &reader), notice, (WITHDRAWAL, form.typed), done).await
}

/// Back to the disposal, or its page again with what is wrong.
async fn answered(
    of: (&View, &Reader),
    (number, notice): (String, &'static str),
    (prefix, typed): (&'static str, Typed),
    done: Result<()>,
) -> Result<HttpResponse> {
    match done {
        Ok(()) => Ok(see_other_with(&address(&number), notice)),
        Err(error) => {
            let refused = Refused::by(error)?;
            let shown = disposal_page(of, number, Some((prefix, typed, &refused))).await?;
            Ok(refused.page(&shown))
        }
    }
}
