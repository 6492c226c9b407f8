//! Acts with a reason, each on a page of its own: sending back, taking back, giving up, calling off, retiring, and the
//! periodic review.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::{SECTION, address, place, place_of_version, shown};
use crate::documents::approval::{self, Asked, Meaning};
use crate::documents::codes::Outcome;
use crate::documents::intake::REASON;
use crate::documents::read_pages;
use crate::documents::record::{document_subject, version_subject};
use crate::documents::timeline::State;
use crate::documents::views::{Asks, Fact, Place, Step, Tab};
use crate::documents::{drafting, standing};
use crate::error::{Error, Result};
use crate::ledger::lane::Tx;
use crate::people::desk::{Desk, Reader};
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::people::sessions::Attempt;
use crate::people::view::View;
use crate::signatures::Signer;
use crate::web::form::{Form, Typed};
use crate::web::input;
use crate::web::page::{page, see_other_with};
use crate::web::parts::{Choice, Sheet};
use crate::web::problem::{self, Refused};

pub(super) fn routes() -> Vec<Route> {
    let (write, sign) = (Gate::May(Permission::WriteDrafts), Gate::May(Permission::Review));
    let decide = Gate::May(Permission::Decide);
    vec![
        Route::get("/documents/{number}/retire", decide, "", || {
            web::to(|view, reader, number| ask_of_document(view, reader, (Kind::Retire, number)))
        }),
        Route::post("/documents/{number}/retire", decide, "", || web::to(retire)),
        Route::get("/documents/{number}/review", decide, "", || {
            web::to(|view, reader, number| ask_of_document(view, reader, (Kind::Review, number)))
        }),
        Route::post("/documents/{number}/review", decide, "", || web::to(review)),
        Route::get("/documents/{number}/{version}/reject", sign, "", || {
            web::to(|view, reader, path| ask_of_version(view, reader, (Kind::Reject, path)))
        }),
        Route::post("/documents/{number}/{version}/reject", sign, "", || {
            web::to(|rooms, path, form| act(rooms, (Kind::Reject, path), form))
        }),
        Route::get("/documents/{number}/{version}/withdraw", write, "", || {
            web::to(|view, reader, path| ask_of_version(view, reader, (Kind::Withdraw, path)))
        }),
        Route::post("/documents/{number}/{version}/withdraw", write, "", || {
            web::to(|rooms, path, form| act(rooms, (Kind::Withdraw, path), form))
        }),
        Route::get("/documents/{number}/{version}/abandon", write, "", || {
            web::to(|view, reader, path| ask_of_version(view, reader, (Kind::Abandon, path)))
        }),
        Route::post("/documents/{number}/{version}/abandon", write, "", || {
            web::to(|rooms, path, form| act(rooms, (Kind::Abandon, path), form))
        }),
        Route::get("/documents/{number}/{version}/cancel", decide, "", || {
            web::to(|view, reader, path| ask_of_version(view, reader, (Kind::Cancel, path)))
        }),
        Route::post("/documents/{number}/{version}/cancel", decide, "", || {
            web::to(|rooms, path, form| act(rooms, (Kind::Cancel, path), form))
        }),
    ]
}

/// An act of this page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Reject,
    Withdraw,
    Abandon,
    Cancel,
    Retire,
    Review,
}

impl Kind {
    const fn code(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Withdraw => "withdraw",
            Self::Abandon => "abandon",
            Self::Cancel => "cancel",
            Self::Retire => "retire",
            Self::Review => "review",
        }
    }

    /// The state in which a version can be treated so.
    const fn from(self) -> State {
        match self {
            Self::Reject | Self::Withdraw => State::InReview,
            Self::Abandon => State::Draft,
            Self::Cancel => State::Awaiting,
            Self::Retire | Self::Review => State::InForce,
        }
    }

    const fn asks(self) -> Asks {
        let signed = !matches!(self, Self::Withdraw | Self::Abandon);
        Asks {
            reason: !matches!(self, Self::Review),
            outcome: matches!(self, Self::Review),
            effective_from: matches!(self, Self::Retire),
            password: signed,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fields {
    reason: String,
    comment: String,
    outcome: String,
    effective_from: String,
    password: String,
}

impl Fields {
    fn reason(&self) -> Result<String> {
        input::text("reason", &self.reason, REASON)
    }
}

/// A version as an act's page needs it, and why the act is not possible.
async fn version_step(view: &View, reader: &Reader, (kind, target): (Kind, (&str, &str))) -> Result<Step> {
    let shown = shown(reader, view, target).await?;
    let account = reader.caller.id.as_str();
    let asked = || {
        let meanings = [Meaning::Reviewed, Meaning::Approved];
        meanings.iter().any(|meaning| shown.record.asked(meaning.code()).contains(&account))
    };
    let refusal = match kind {
        _ if shown.state != kind.from() => {
            Some(Error::conflict("wrong-state").arg("state", shown.state.code()))
        }
        Kind::Reject if !asked() => Some(Error::forbidden("not-asked")),
        Kind::Withdraw if !shown.record.authors.iter().any(|author| author == account) => {
            Some(Error::forbidden("not-author"))
        }
        _ => None,
    };
    Ok(step(view, (kind, refusal), place_of_version(view, &shown, Tab::Step)))
}

async fn document_step(view: &View, reader: &Reader, (kind, number): (Kind, &str)) -> Result<Step> {
    let (number, now) = (number.to_owned(), view.now());
    let around = reader.read(move |db| read_pages::around(db, &number, now)).await?;
    let refusal = match (&around.in_force, kind) {
        (_, Kind::Retire) if around.document.retired_from.is_some() => {
            Some(Error::conflict("document-retired"))
        }
        (None, _) => Some(Error::conflict("nothing-in-force")),
        (Some(_), _) => None,
    };
    let place = Place { version: around.in_force.clone(), ..place(view, &around, Tab::Step) };
    Ok(step(view, (kind, refusal), place))
}

fn step(view: &View, (kind, refusal): (Kind, Option<Error>), place: Place) -> Step {
    let (w, code) = (view.words, kind.code());
    let version = place.version.clone().unwrap_or_default();
    let args = [("number", place.number.as_str().into()), ("version", version.as_str().into())];
    let key = format!("document-step-{code}");
    let title = w.with(&key, &args).into_owned();
    let outcome = |outcome: &Outcome| Choice {
        value: outcome.code().to_owned(),
        label: w.t(&format!("documents-review-{}", outcome.code())).into_owned(),
    };
    let document = Fact {
        word: w.t("document-fact-document").into_owned(),
        value: format!("{} V{version} {}", place.number, place.title),
        href: Some(address(&place.number, &version)),
        mono: false,
    };
    Step {
        frame: view.frame(title, SECTION),
        sheet: Sheet::new(w, "document-step", Typed::default()),
        facts: vec![document],
        meaning: w.with(&format!("{key}.meaning"), &args).into_owned(),
        button: w.with(&format!("{key}.do"), &args).into_owned(),
        asks: kind.asks(),
        outcomes: Outcome::ALL.iter().map(outcome).collect(),
        blocked: refusal.map(|error| problem::detail(&error, w)),
        back: match kind {
            Kind::Retire | Kind::Review => format!("/documents/{}", place.number),
            _ => address(&place.number, &version),
        },
        place,
    }
}

fn told(step: Step, (typed, error): (Typed, &Error)) -> Step {
    let sheet = Sheet::new(step.frame.w, "document-step", typed).refused(error);
    Step { frame: step.frame.clone().failed(), sheet, ..step }
}

type Path = web::Path<(String, String)>;

async fn ask_of_version(view: View, reader: Reader, (kind, path): (Kind, Path)) -> Result<HttpResponse> {
    let (number, version) = path.into_inner();
    Ok(page(&version_step(&view, &reader, (kind, (&number, &version))).await?, StatusCode::OK))
}

async fn ask_of_document(
    view: View,
    reader: Reader,
    (kind, number): (Kind, web::Path<String>),
) -> Result<HttpResponse> {
    Ok(page(&document_step(&view, &reader, (kind, &number)).await?, StatusCode::OK))
}

/// Does an act on a version that only needs a reason, signed or not.
async fn act(
    (view, reader, desk): (View, Reader, Desk),
    (kind, path): (Kind, Path),
    form: Form<Fields>,
) -> Result<HttpResponse> {
    let target = path.into_inner();
    let outcome = match form.fields.reason() {
        Ok(reason) => done(&desk, (kind, target.clone()), (reason, &form.fields.password)).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => Ok(see_other_with(&address(&target.0, &target.1), &format!("document-{}", kind.code()))),
        Err(error) => {
            let refused = Refused::by(error)?;
            let step = version_step(&view, &reader, (kind, (&target.0, &target.1))).await?;
            Ok(refused.page(&told(step, (form.typed, &refused))))
        }
    }
}

async fn done(
    desk: &Desk,
    (kind, target): (Kind, (String, String)),
    (reason, password): (String, &str),
) -> Result<()> {
    let attempt = |meaning| Attempt { subject: version_subject(&target.0, &target.1), meaning };
    match kind {
        Kind::Reject => {
            let attempt = attempt("rejected");
            let change = move |tx: &mut Tx<'_>, signer: &Signer| {
                approval::reject(tx, signer, (&target.0, &target.1), &reason)
            };
            desk.signed(Permission::Review, password, attempt, change).await?;
        }
        Kind::Cancel => {
            let attempt = attempt("cancelled");
            let change = move |tx: &mut Tx<'_>, signer: &Signer| {
                approval::cancel(tx, signer, (&target.0, &target.1), &reason)
            };
            desk.signed(Permission::Decide, password, attempt, change).await?;
        }
        Kind::Withdraw => {
            let actor = desk.caller.actor(Permission::WriteDrafts)?;
            desk.write(move |tx| approval::withdraw(tx, &actor, (&target.0, &target.1), &reason)).await?;
        }
        Kind::Abandon => {
            let actor = desk.caller.actor(Permission::WriteDrafts)?;
            desk.write(move |tx| drafting::abandon(tx, &actor, (&target.0, &target.1), &reason)).await?;
        }
        Kind::Retire | Kind::Review => {
            return Err(Error::internal("an act on the document, not on a version"));
        }
    }
    Ok(())
}

async fn after_document(
    (view, reader, number): (View, Reader, String),
    (kind, outcome): (Kind, Result<()>),
    typed: Typed,
) -> Result<HttpResponse> {
    match outcome {
        Ok(()) => Ok(see_other_with(&format!("/documents/{number}"), &format!("document-{}", kind.code()))),
        Err(error) => {
            let refused = Refused::by(error)?;
            let step = document_step(&view, &reader, (kind, &number)).await?;
            Ok(refused.page(&told(step, (typed, &refused))))
        }
    }
}

async fn retire(
    view: View,
    reader: Reader,
    desk: Desk,
    number: web::Path<String>,
    form: Form<Fields>,
) -> Result<HttpResponse> {
    let (number, Form { fields, typed }) = (number.into_inner(), form);
    let given = Some(fields.effective_from.trim()).filter(|text| !text.is_empty());
    let mut faults = input::Faults::new();
    let reason = faults.take(fields.reason());
    let from = faults.take(given.map(|text| Asked::read("effective_from", text, view.zone)).transpose());
    let outcome = match (reason, from) {
        (Some(reason), Some(from)) => {
            let attempt = Attempt { subject: document_subject(&number), meaning: "retired" };
            let target = number.clone();
            let change = move |tx: &mut Tx<'_>, signer: &Signer| {
                standing::retire(tx, signer, &target, (from, &reason))
            };
            desk.signed(Permission::Decide, &fields.password, attempt, change).await.map(|_| ())
        }
        _ => Err(faults.error()),
    };
    after_document((view, reader, number), (Kind::Retire, outcome), typed).await
}

async fn review(
    view: View,
    reader: Reader,
    desk: Desk,
    number: web::Path<String>,
    form: Form<Fields>,
) -> Result<HttpResponse> {
    let (number, Form { fields, typed }) = (number.into_inner(), form);
    let mut faults = input::Faults::new();
    let verdict = faults.take(input::code::<Outcome>("outcome", &fields.outcome));
    let comment = faults.take(input::text("comment", &fields.comment, REASON));
    let outcome = match (verdict, comment) {
        (Some(verdict), Some(comment)) => {
            let attempt = Attempt { subject: document_subject(&number), meaning: verdict.code() };
            let target = number.clone();
            let change = move |tx: &mut Tx<'_>, signer: &Signer| {
                standing::review(tx, signer, &target, (verdict, &comment))
            };
            desk.signed(Permission::Decide, &fields.password, attempt, change).await.map(|_| ())
        }
        _ => Err(faults.error()),
    };
    after_document((view, reader, number), (Kind::Review, outcome), typed).await
}
