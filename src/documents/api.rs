//! Changes over HTTP: each handler checks what came, then asks one of the feature's changes.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::answers::{self, Logins, SignatureAnswer};
use super::approval::{self, Asked, Consent, Meaning, Submission};
use super::codes::Outcome;
use super::intake::{DocumentInput, DraftInput, REASON, VersionInput};
use super::record::{DocumentRecord, VersionRecord, document_subject, version_subject};
use super::{drafting, reading, standing, store};
use crate::error::{Error, Kind, Result};
use crate::ledger::lane::Tx;
use crate::people::desk::{Desk, Reply};
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::people::sessions::Attempt;
use crate::web::input;
use crate::web::json::Body;

/// The feature's routes for machines.
pub fn routes() -> Vec<Route> {
    const READ: Gate = Gate::May(Permission::ReadInForce);
    const WRITE: Gate = Gate::May(Permission::WriteDrafts);
    const SIGN: Gate = Gate::May(Permission::Review);
    const DECIDE: Gate = Gate::May(Permission::Decide);
    const ONE: &str = "/api/v1/documents/{number}";
    const VERSIONS: &str = "/api/v1/documents/{number}/versions";
    const VERSION: &str = "/api/v1/documents/{number}/versions/{version}";
    vec![
        Route::get("/api/v1/documents", READ, "List documents", || web::to(reading::list)),
        Route::post("/api/v1/documents", WRITE, "Make a document", || web::to(create_document)),
        Route::get(ONE, READ, "Read a document", || web::to(reading::document)),
        Route::patch(ONE, WRITE, "Give a document another owner", || web::to(change_owner)),
        Route::get(VERSIONS, READ, "List the versions of a document", || web::to(reading::versions)),
        Route::post(VERSIONS, WRITE, "Make a draft", || web::to(create_version)),
        Route::get(VERSION, READ, "Read a version", || web::to(reading::version)),
        Route::patch(VERSION, WRITE, "Save a draft", || web::to(save)),
        Route::get("/api/v1/documents/{number}/versions/{version}/html", READ, "Read a text as HTML", || {
            web::to(reading::html)
        }),
        Route::get(
            "/api/v1/documents/{number}/versions/{version}/md",
            READ,
            "Read a text as it was signed",
            || web::to(reading::markdown),
        ),
        Route::get(
            "/api/v1/documents/{number}/diff",
            Gate::May(Permission::ReadAllVersions),
            "Compare two versions",
            || web::to(reading::difference),
        ),
        Route::post("/api/v1/documents/{number}/versions/{version}/submit", WRITE, "Submit a draft", || {
            web::to(submit)
        }),
        Route::post(
            "/api/v1/documents/{number}/versions/{version}/sign",
            SIGN,
            "Sign as reviewed or approved",
            || web::to(sign),
        ),
        Route::post(
            "/api/v1/documents/{number}/versions/{version}/reject",
            SIGN,
            "Send back to draft",
            || web::to(reject),
        ),
        Route::post(
            "/api/v1/documents/{number}/versions/{version}/withdraw",
            WRITE,
            "Take back to draft",
            || web::to(withdraw),
        ),
        Route::post(
            "/api/v1/documents/{number}/versions/{version}/cancel",
            DECIDE,
            "Call an awaiting version off",
            || web::to(cancel),
        ),
        Route::post(
            "/api/v1/documents/{number}/versions/{version}/abandon",
            WRITE,
            "Give a draft up",
            || web::to(abandon),
        ),
        Route::post("/api/v1/documents/{number}/retire", DECIDE, "Retire a document", || web::to(retire)),
        Route::post("/api/v1/documents/{number}/review", DECIDE, "Sign a periodic review", || {
            web::to(review)
        }),
    ]
}

type Path = web::Path<(String, String)>;

/// A version as it is now, with the tag under which it is read.
fn told_version(tx: &mut Tx<'_>, record: &VersionRecord) -> Result<Reply> {
    tx.settle()?;
    let now = tx.now();
    let answer = answers::version(tx.read(), record, now)?;
    let answer = answers::VersionAnswer { signatures: sealed_just_now(tx, answer.signatures), ..answer };
    Ok(Reply::ok(&answer)?.tagged(&answer.line.digest))
}

fn told_document(tx: &mut Tx<'_>, record: &DocumentRecord) -> Result<answers::DocumentAnswer> {
    tx.settle()?;
    let now = tx.now();
    let versions = store::versions(tx.read(), &record.document.number)?;
    let answer = answers::document(tx.read(), (record, &versions), now, &mut Logins::default())?;
    Ok(answers::DocumentAnswer { signatures: sealed_just_now(tx, answer.signatures), ..answer })
}

/// The hashes of entries that this change has appended: they are no rows yet.
fn sealed_just_now(tx: &Tx<'_>, mut signatures: Vec<SignatureAnswer>) -> Vec<SignatureAnswer> {
    for signature in signatures.iter_mut().filter(|signature| signature.leaf.is_none()) {
        let placed = tx.waiting(signature.seq);
        signature.epoch = placed.map(|placed| placed.epoch);
        signature.leaf = placed.map(|placed| placed.leaf.to_string());
    }
    signatures
}

async fn create_document(desk: Desk, body: Body<DocumentInput>) -> Result<HttpResponse> {
    let new = body.0.check()?;
    let actor = desk.caller.actor(Permission::WriteDrafts)?;
    desk.reply(move |tx| {
        let record = drafting::create_document(tx, &actor, &new)?;
        Reply::created(format!("/api/v1/documents/{}", record.document.number), told_document(tx, &record)?)
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnerInput {
    owner: String,
    reason: String,
}

async fn change_owner(desk: Desk, path: web::Path<String>, body: Body<OwnerInput>) -> Result<HttpResponse> {
    let OwnerInput { owner, reason } = body.0;
    let reason = input::text("reason", &reason, REASON)?;
    let (number, actor) = (path.into_inner(), desk.caller.actor(Permission::WriteDrafts)?);
    desk.reply(move |tx| {
        let record = drafting::change_owner(tx, &actor, &number, (&owner, &reason))?;
        Reply::ok(told_document(tx, &record)?)
    })
    .await
}

async fn create_version(
    desk: Desk,
    path: web::Path<String>,
    body: Body<VersionInput>,
) -> Result<HttpResponse> {
    let (number, actor) = (path.into_inner(), desk.caller.actor(Permission::WriteDrafts)?);
    let new = body.0.check()?;
    desk.reply(move |tx| {
        let record = drafting::create_version(tx, &actor, &number, &new)?;
        let location = format!("/api/v1/documents/{number}/versions/{}", record.version.version);
        Ok(told_version(tx, &record)?.at(location))
    })
    .await
}

/// The digests of `If-Match`, without their quotes; `*` stands for any.
fn if_match(request: &HttpRequest) -> Result<Vec<String>> {
    let missing = || Error::new(Kind::Unconditional, "if-match-missing");
    let header = request.headers().get(header::IF_MATCH).and_then(|value| value.to_str().ok());
    let tags = header.ok_or_else(missing)?.split(',').map(|tag| tag.trim().trim_matches('"').to_owned());
    Ok(tags.collect())
}

async fn save(desk: Desk, request: HttpRequest, path: Path, body: Body<DraftInput>) -> Result<HttpResponse> {
    let ((number, version), expected) = (path.into_inner(), if_match(&request)?);
    let actor = desk.caller.actor(Permission::WriteDrafts)?;
    let changes = body.0.check()?;
    desk.reply(move |tx| {
        let record = drafting::save(tx, &actor, (&number, &version), (&expected, &changes))?;
        told_version(tx, &record)
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubmitInput {
    reviewers: Vec<String>,
    approvers: Vec<String>,
    effective_from: Option<String>,
    digest: String,
    password: String,
}

fn asked(text: Option<&str>, desk: &Desk) -> Result<Option<Asked>> {
    let given = text.filter(|text| !text.is_empty());
    given.map(|text| Asked::read("effective_from", text, desk.site.zone)).transpose()
}

async fn submit(desk: Desk, path: Path, body: Body<SubmitInput>) -> Result<HttpResponse> {
    let (number, version) = path.into_inner();
    let SubmitInput { reviewers, approvers, effective_from, digest, password } = body.0;
    let effective_from = asked(effective_from.as_deref(), &desk)?;
    let submission = Submission { reviewers, approvers, effective_from, digest };
    let attempt = Attempt { subject: version_subject(&number, &version), meaning: "authored" };
    desk.signed_reply(Permission::WriteDrafts, &password, attempt, move |tx, signer| {
        let record = approval::submit(tx, signer, (&number, &version), &submission)?;
        told_version(tx, &record)
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignInput {
    meaning: String,
    digest: String,
    password: String,
    comment: Option<String>,
}

async fn sign(desk: Desk, path: Path, body: Body<SignInput>) -> Result<HttpResponse> {
    let (number, version) = path.into_inner();
    let meaning: Meaning = input::code("meaning", &body.0.meaning)?;
    let comment = input::optional_text("comment", body.0.comment.as_deref(), REASON)?.unwrap_or_default();
    let consent = Consent { meaning, digest: body.0.digest, comment };
    let attempt = Attempt { subject: version_subject(&number, &version), meaning: meaning.code() };
    desk.signed_reply(meaning.permission(), &body.0.password, attempt, move |tx, signer| {
        let record = approval::sign(tx, signer, (&number, &version), &consent)?;
        told_version(tx, &record)
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignedReason {
    password: String,
    reason: String,
}

async fn reject(desk: Desk, path: Path, body: Body<SignedReason>) -> Result<HttpResponse> {
    let (number, version) = path.into_inner();
    let reason = input::text("reason", &body.0.reason, REASON)?;
    let attempt = Attempt { subject: version_subject(&number, &version), meaning: "rejected" };
    desk.signed_reply(Permission::Review, &body.0.password, attempt, move |tx, signer| {
        let record = approval::reject(tx, signer, (&number, &version), &reason)?;
        told_version(tx, &record)
    })
    .await
}

async fn cancel(desk: Desk, path: Path, body: Body<SignedReason>) -> Result<HttpResponse> {
    let (number, version) = path.into_inner();
    let reason = input::text("reason", &body.0.reason, REASON)?;
    let attempt = Attempt { subject: version_subject(&number, &version), meaning: "cancelled" };
    desk.signed_reply(Permission::Decide, &body.0.password, attempt, move |tx, signer| {
        let record = approval::cancel(tx, signer, (&number, &version), &reason)?;
        told_version(tx, &record)
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    reason: String,
}

async fn withdraw(desk: Desk, path: Path, body: Body<Reason>) -> Result<HttpResponse> {
    let (number, version) = path.into_inner();
    let reason = input::text("reason", &body.0.reason, REASON)?;
    let actor = desk.caller.actor(Permission::WriteDrafts)?;
    desk.reply(move |tx| {
        let record = approval::withdraw(tx, &actor, (&number, &version), &reason)?;
        told_version(tx, &record)
    })
    .await
}

async fn abandon(desk: Desk, path: Path, body: Body<Reason>) -> Result<HttpResponse> {
    let (number, version) = path.into_inner();
    let reason = input::text("reason", &body.0.reason, REASON)?;
    let actor = desk.caller.actor(Permission::WriteDrafts)?;
    desk.reply(move |tx| {
        let record = drafting::abandon(tx, &actor, (&number, &version), &reason)?;
        told_version(tx, &record)
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RetireInput {
    password: String,
    effective_from: Option<String>,
    reason: String,
}

async fn retire(desk: Desk, path: web::Path<String>, body: Body<RetireInput>) -> Result<HttpResponse> {
    let number = path.into_inner();
    let reason = input::text("reason", &body.0.reason, REASON)?;
    let from = asked(body.0.effective_from.as_deref(), &desk)?;
    let attempt = Attempt { subject: document_subject(&number), meaning: "retired" };
    desk.signed_reply(Permission::Decide, &body.0.password, attempt, move |tx, signer| {
        let record = standing::retire(tx, signer, &number, (from, &reason))?;
        Reply::ok(told_document(tx, &record)?)
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReviewInput {
    password: String,
    outcome: String,
    comment: String,
}

async fn review(desk: Desk, path: web::Path<String>, body: Body<ReviewInput>) -> Result<HttpResponse> {
    let number = path.into_inner();
    let outcome: Outcome = input::code("outcome", &body.0.outcome)?;
    let comment = input::text("comment", &body.0.comment, REASON)?;
    let attempt = Attempt { subject: document_subject(&number), meaning: outcome.code() };
    desk.signed_reply(Permission::Decide, &body.0.password, attempt, move |tx, signer| {
        let record = standing::review(tx, signer, &number, (outcome, &comment))?;
        Reply::ok(told_document(tx, &record)?)
    })
    .await
}
