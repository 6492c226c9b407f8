//! Verification for people and for machines: what was found last, and the buttons that start it again.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use serde_json::json;

use super::found::{self, Fault, Found};
use super::pages::SECTION;
use super::verifier::{self, KINDS, Verifier};
use crate::error::{Error, Result};
use crate::jobs::{self, Job};
use crate::ledger::lane::Tx;
use crate::ledger::verify::Scope;
use crate::people::desk::{Desk, Reader};
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::people::subjects::said;
use crate::people::view::View;
use crate::store::Db;
use crate::web::form::Form;
use crate::web::json::Body;
use crate::web::page::{Frame, page, percent, see_other, words_of};
use crate::web::query::Query;

pub fn routes() -> Vec<Route> {
    let read = Gate::May(Permission::ReadTrail);
    vec![
        Route::get("/api/v1/ledger/verifications", read, "Read what was found last", || web::to(last)),
        Route::post("/api/v1/ledger/verifications", read, "Verify what is new, or the whole", || {
            web::to(begin)
        }),
        Route::get("/trail/verify", read, "", || web::to(show)),
        Route::post("/trail/verify", read, "", || web::to(begin_from_page)),
    ]
}

/// What is known: the last of each scope, and the one that runs.
struct Known {
    new: Option<(Job, Found)>,
    whole: Option<(Job, Found)>,
    running: Option<Job>,
}

fn known(db: &mut Db) -> Result<Known> {
    let mut last = |scope| {
        let job = jobs::latest_in(db, verifier::kind(scope), jobs::State::Done)?;
        Ok::<_, Error>(job.and_then(|job| Found::of_job(&job).map(|found| (job, found))))
    };
    let (new, whole) = (last(Scope::New)?, last(Scope::Whole)?);
    Ok(Known { new, whole, running: jobs::unfinished(db, &KINDS)? })
}

/// `GET /api/v1/ledger/verifications`.
async fn last(reader: Reader, request: HttpRequest) -> Result<HttpResponse> {
    let known = reader.read(known).await?;
    let words = words_of(&request);
    let answer = |job: &Job| jobs::answer(job, words);
    Ok(HttpResponse::Ok().json(json!({
        "new": known.new.map(|(job, _)| answer(&job)),
        "whole": known.whole.map(|(job, _)| answer(&job)),
        "running": known.running.map(|job| answer(&job)),
    })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    scope: Option<String>,
}

impl Wish {
    fn scope(&self) -> Result<Scope> {
        match self.scope.as_deref() {
            None | Some("new") => Ok(Scope::New),
            Some("whole") => Ok(Scope::Whole),
            Some(_) => Err(Error::invalid("scope", "unknown-code")),
        }
    }
}

/// `POST /api/v1/ledger/verifications`: answered at once with the job.
async fn begin(
    desk: Desk,
    verifier: Data<Verifier>,
    request: HttpRequest,
    wish: Body<Wish>,
) -> Result<HttpResponse> {
    let (scope, actor) = (wish.0.scope()?, desk.caller.actor(Permission::ReadTrail)?);
    let words = words_of(&request);
    let job = Job::new(verifier::kind(scope), &desk.caller.id, desk.site.clock.now());
    let keep = |tx: &mut Tx<'_>, job: &Job| match verifier::ask(tx, job)? {
        Some(_) => Err(Error::conflict("verification-running")),
        None => Ok(()),
    };
    let (answer, ours) = jobs::accept(&desk, &job, words, keep).await?;
    if ours {
        verifier.start(&job, scope, actor, words)?;
    }
    Ok(answer)
}

#[derive(Debug, Deserialize)]
struct Asked {
    job: Option<String>,
}

/// `GET /trail/verify`: what was found, or what the job named in the query has found.
async fn show(view: View, reader: Reader, asked: Query<Asked>) -> Result<HttpResponse> {
    let asked = asked.0.job.filter(|id| !id.is_empty());
    let wanted = asked.clone();
    let (known, named) = reader
        .read(move |db| {
            let named = wanted.map(|id| jobs::require(db, &id)).transpose()?;
            Ok((known(db)?, named.filter(|job| KINDS.contains(&job.kind.as_str()))))
        })
        .await?;
    let found = |last: &Option<(Job, Found)>| last.as_ref().map(|(_, found)| found.clone());
    let shown = match asked {
        Some(id) => Some(named.as_ref().and_then(Found::of_job).ok_or_else(|| Error::not_found("job", id))?),
        None => found::prevailing(found(&known.new), found(&known.whole)),
    };
    let passes = [known.new, known.whole].into_iter().flatten().map(|(job, found)| (job.id, found)).collect();
    let frame = view.frame(view.words.t("trail-verify-title"), SECTION);
    Ok(page(&VerifyPage { frame, shown, passes, running: known.running }, StatusCode::OK))
}

/// `POST /trail/verify`: to the page of the job, also where one runs already.
async fn begin_from_page(
    view: View,
    desk: Desk,
    verifier: Data<Verifier>,
    form: Form<Wish>,
) -> Result<HttpResponse> {
    let (scope, actor) = (form.fields.scope()?, desk.caller.actor(Permission::ReadTrail)?);
    let job = Job::new(verifier::kind(scope), &desk.caller.id, desk.site.clock.now());
    let kept = job.clone();
    let id = match desk.write(move |tx| verifier::ask(tx, &kept)).await? {
        Some(running) => running.id,
        None => {
            verifier.start(&job, scope, actor, view.words)?;
            job.id
        }
    };
    Ok(see_other(&format!("/jobs/{id}?watch=1")))
}

#[derive(Template)]
#[template(path = "trail/verify.html")]
struct VerifyPage {
    frame: Frame,
    shown: Option<Found>,
    passes: Vec<(String, Found)>,
    running: Option<Job>,
}

impl VerifyPage {
    /// What a fault's check means, in the reader's language; the exact finding stands beside it in English.
    fn meaning(&self, fault: &Fault) -> String {
        self.frame.w.t(&format!("trail-fault-{}", family(fault))).into_owned()
    }

    /// What is to be done about it.
    fn way_out(&self, fault: &Fault) -> String {
        self.frame.w.t(&format!("trail-do-{}", family(fault))).into_owned()
    }

    fn said(&self, side: &str, verdict: &str) -> String {
        self.frame.w.t(&format!("trail-{side}-{verdict}")).into_owned()
    }

    /// What outside witnesses cover, and what not yet.
    fn witnessed(&self, found: &Found) -> String {
        let w = self.frame.w;
        let Some(last) = found.completeness.anchors.last() else {
            return w.t("trail-anchors-none").into_owned();
        };
        let at = self.frame.second(&last.at);
        let some = [("to", self.size(&last.to).into()), ("at", at.into()), ("by", last.by.as_str().into())];
        let rest = match found.completeness.unanchored {
            Some([from, to]) => {
                let range = [("from", self.size(&from).into()), ("to", self.size(&to).into())];
                w.with("trail-anchors-rest", &range)
            }
            None => w.t("trail-anchors-all"),
        };
        format!("{} {rest}", w.with("trail-anchors-some", &some))
    }

    fn scope(&self, found: &Found) -> String {
        self.frame.w.t(&format!("trail-scope-{}", found.scope)).into_owned()
    }

    fn size(&self, number: &u64) -> String {
        self.frame.count(&i64::try_from(*number).unwrap_or(i64::MAX))
    }

    /// The epoch of a fault; the first one is not told.
    fn epoch(&self, fault: &Fault) -> u64 {
        fault.epoch.unwrap_or(1)
    }

    fn called(&self, subject: &str) -> String {
        said(self.frame.w, subject)
    }

    fn subject_link(&self, subject: &str, fault: &Fault) -> String {
        format!("/trail?subject={}&epoch={}", percent(subject), self.epoch(fault))
    }
}

fn family(fault: &Fault) -> &str {
    fault.check.split('.').next().unwrap_or_default()
}
