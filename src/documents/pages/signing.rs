//! Signing as reviewed or approved: first what is signed and with what effect, then the password.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::{SECTION, address, fact, facts, place_of_version, shown, worded};
use crate::documents::approval::{self, Consent, Meaning};
use crate::documents::intake::REASON;
use crate::documents::read_pages::Shown;
use crate::documents::record::version_subject;
use crate::documents::views::{Fact, Sign, Tab};
use crate::error::Result;
use crate::people::desk::{Desk, Reader};
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::people::sessions::Attempt;
use crate::people::view::View;
use crate::web::form::{Form, Typed};
use crate::web::input;
use crate::web::page::{Frame, page, see_other_with};
use crate::web::parts::Sheet;
use crate::web::problem::{self, Refused};

pub(super) fn routes() -> Vec<Route> {
    let sign = Gate::May(Permission::Review);
    vec![
        Route::get("/documents/{number}/{version}/sign", sign, "", || web::to(ask)),
        Route::post("/documents/{number}/{version}/sign", sign, "", || web::to(sign_version)),
    ]
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fields {
    meaning: String,
    comment: String,
    digest: String,
    password: String,
}

/// What the person is asked to sign with: of two tasks the one still open, the review before the approval.
fn task(shown: &Shown, account: &str) -> Option<Meaning> {
    let record = &shown.record;
    let asked = [Meaning::Reviewed, Meaning::Approved].into_iter();
    let mut asked = asked.filter(|meaning| record.asked(meaning.code()).contains(&account));
    let open = asked.clone().find(|meaning| !record.has_signed(account, meaning.code()));
    open.or_else(|| asked.next())
}

fn template(view: &View, account: &str, shown: &Shown, typed: Typed) -> Sign {
    let w = view.words;
    let place = place_of_version(view, shown, Tab::Step);
    let version = &shown.record.version;
    let asked = task(shown, account);
    // Who was asked for nothing is told so, whatever the meaning.
    let refusal = approval::may_sign(&shown.record, account, asked.unwrap_or(Meaning::Reviewed)).err();
    let title = w.with(
        "document-sign-title",
        &[("number", place.number.as_str().into()), ("version", version.version.as_str().into())],
    );
    let frame = view.frame(title, SECTION);
    Sign {
        facts: facts_and_effect(&frame, shown),
        sheet: Sheet::new(w, "document-sign", typed),
        digest: version.digest.clone(),
        signatures: worded(w, &shown.signatures),
        meaning: asked.map(Meaning::code),
        rejects: asked.is_some() && shown.state == crate::documents::timeline::State::InReview,
        blocked: refusal.map(|error| problem::detail(&error, w)),
        place,
        frame,
    }
}

/// The same, with what the version follows, from when it will hold, and what it replaces.
fn facts_and_effect(frame: &Frame, shown: &Shown) -> Vec<Fact> {
    let (w, version, around) = (frame.w, &shown.record.version, &shown.around);
    let mut facts = facts(w, shown);
    if let Some(before) = around.before(version) {
        let href =
            format!("/documents/{}/diff?from={}&to={}", version.document, before.version, version.version);
        let value = w.one("document-sign-compare", "version", before.version.as_str()).into_owned();
        facts.push(Fact { href: Some(href), ..fact(w, "document-fact-change", value) });
    }
    let begins = match version.asked_from {
        Some(asked) => w.one("document-sign-from", "at", frame.minute(&asked)),
        None => w.t("document-sign-at-once"),
    };
    let effect = match &around.in_force {
        Some(holding) => format!("{begins}{}", w.one("document-sign-replaces", "version", holding.as_str())),
        None => begins.into_owned(),
    };
    facts.push(fact(w, "document-fact-effect", effect));
    facts
}

async fn ask(view: View, reader: Reader, path: web::Path<(String, String)>) -> Result<HttpResponse> {
    let (number, version) = path.into_inner();
    let shown = shown(&reader, &view, (&number, &version)).await?;
    Ok(page(&template(&view, &reader.caller.id, &shown, Typed::default()), StatusCode::OK))
}

async fn sign_version(
    view: View,
    reader: Reader,
    desk: Desk,
    path: web::Path<(String, String)>,
    form: Form<Fields>,
) -> Result<HttpResponse> {
    let (number, version) = path.into_inner();
    let shown = shown(&reader, &view, (&number, &version)).await?;
    let Form { fields, typed } = form;
    let digest = fields.digest.clone();
    let checked = input::code::<Meaning>("meaning", &fields.meaning).and_then(|meaning| {
        let comment = input::optional_text("comment", Some(&fields.comment), REASON)?.unwrap_or_default();
        Ok(Consent { meaning, digest: fields.digest.clone(), comment })
    });
    let outcome = match checked {
        Ok(consent) => {
            let meaning = consent.meaning;
            let attempt = Attempt { subject: version_subject(&number, &version), meaning: meaning.code() };
            let target = (number.clone(), version.clone());
            desk.signed(meaning.permission(), &fields.password, attempt, move |tx, signer| {
                approval::sign(tx, signer, (&target.0, &target.1), &consent)
            })
            .await
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(_) => Ok(see_other_with(&address(&number, &version), "signed")),
        Err(error) => {
            let refused = Refused::by(error)?;
            let sign = template(&view, &reader.caller.id, &shown, typed);
            // What was on the screen stays what would be signed, unless it is that which has changed.
            let digest = if refused.code() == "stale-digest" { sign.digest.clone() } else { digest };
            let (frame, sheet) = (sign.frame.failed(), sign.sheet.refused(&refused));
            Ok(refused.page(&Sign { frame, sheet, digest, ..sign }))
        }
    }
}
