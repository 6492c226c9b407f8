//! Submitting a draft: who reviews, who approves, from when it is to hold; signed as authored.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::draft::warnings;
use super::reading::words_of_rendition;
use super::{SECTION, TONGUES, address, facts, place_of_version, shown};
use crate::documents::approval::{self, Asked, Meaning, Submission};
use crate::documents::drafting::{must_be, must_not_be_retired};
use crate::documents::read_pages::{Candidate, Shown, candidates};
use crate::documents::record::{Stored, Tongues, version_subject};
use crate::documents::views::{Submit, Tab, people};
use crate::error::Result;
use crate::people::desk::{Desk, Reader};
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::people::sessions::Attempt;
use crate::people::view::View;
use crate::web::form::{Form, Typed};
use crate::web::page::{page, see_other_with};
use crate::web::parts::{Choice, Sheet};
use crate::web::problem::{self, Refused};

pub(super) fn routes() -> Vec<Route> {
    let write = Gate::May(Permission::WriteDrafts);
    vec![
        Route::get("/documents/{number}/{version}/submit", write, "", || web::to(ask)),
        Route::post("/documents/{number}/{version}/submit", write, "", || web::to(submit)),
    ]
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fields {
    reviewers: Vec<String>,
    approvers: Vec<String>,
    effective_from: String,
    digest: String,
    password: String,
}

async fn template(view: &View, reader: &Reader, shown: &Shown, typed: Typed) -> Result<Submit> {
    let w = view.words;
    let mut authors = shown.record.authors.clone();
    // Who submits becomes an author, and so can be asked for neither.
    authors.push(reader.caller.id.clone());
    let (reviewers, approvers) = reader
        .read(move |db| {
            let of = |db: &mut _, meaning: Meaning| candidates(db, meaning.permission(), &authors);
            Ok((of(db, Meaning::Reviewed)?, of(db, Meaning::Approved)?))
        })
        .await?;
    let word = |person: &Candidate| {
        let roles: Vec<_> = person.roles.iter().map(|role| w.t(&format!("role-{role}"))).collect();
        let roles = roles.join(&w.t("document-list-comma"));
        format!("{}{}", person.name, w.one("parts-in-brackets", "text", roles))
    };
    let choices = |candidates| -> Vec<Choice> { people(candidates, word) };
    let place = place_of_version(view, shown, Tab::Step);
    let mut texts = Tongues::new();
    for lang in TONGUES {
        texts.insert(lang.to_owned(), words_of_rendition(reader, &shown.record, lang).await?);
    }
    let blocked = must_be(&shown.record.version, Stored::Draft)
        .and_then(|()| must_not_be_retired(&shown.around.document))
        .err()
        .map(|error| problem::detail(&error, w));
    let title = w.with(
        "document-submit-title",
        &[
            ("number", place.number.as_str().into()),
            ("version", shown.record.version.version.as_str().into()),
        ],
    );
    Ok(Submit {
        frame: view.frame(title, SECTION),
        sheet: Sheet::new(w, "document-submit", typed),
        digest: shown.record.version.digest.clone(),
        facts: facts(w, shown),
        warnings: warnings(w, &texts, &shown.around.document.authoritative_language),
        reviewers: choices(reviewers),
        approvers: choices(approvers),
        blocked,
        place,
    })
}

async fn ask(view: View, reader: Reader, path: web::Path<(String, String)>) -> Result<HttpResponse> {
    let (number, version) = path.into_inner();
    let shown = shown(&reader, &view, (&number, &version)).await?;
    Ok(page(&template(&view, &reader, &shown, Typed::default()).await?, StatusCode::OK))
}

async fn submit(
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
    let given = Some(fields.effective_from.trim()).filter(|text| !text.is_empty());
    let outcome = match given.map(|text| Asked::read("effective_from", text, view.zone)).transpose() {
        Ok(effective_from) => {
            let submission = Submission {
                reviewers: fields.reviewers,
                approvers: fields.approvers,
                effective_from,
                digest: fields.digest,
            };
            let attempt = Attempt { subject: version_subject(&number, &version), meaning: "authored" };
            let target = (number.clone(), version.clone());
            desk.signed(Permission::WriteDrafts, &fields.password, attempt, move |tx, signer| {
                approval::submit(tx, signer, (&target.0, &target.1), &submission)
            })
            .await
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(_) => Ok(see_other_with(&address(&number, &version), "sent")),
        Err(error) => {
            let refused = Refused::by(error)?;
            let submit = template(&view, &reader, &shown, typed).await?;
            let (frame, sheet) = (submit.frame.failed(), submit.sheet.refused(&refused));
            Ok(refused.page(&Submit { frame, sheet, digest, ..submit }))
        }
    }
}
