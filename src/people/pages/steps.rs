//! What is done to an account, one page for each act: the account, what the act means, and the form that does it.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::people::desk::{Desk, Reader};
use crate::people::gate::{Gate, Route};
use crate::people::read::{User, user};
use crate::people::rights::Permission;
use crate::people::sessions::{self, Attempt};
use crate::people::view::View;
use crate::people::views::{SignGrant, Step, StepPage, Told, role_choices};
use crate::people::{accounts, intake, password, record, store};
use crate::web::form::{Form, Typed};
use crate::web::input::{self, Faults};
use crate::web::page::{page, see_other_with};
use crate::web::parts::Sheet;
use crate::web::problem::Refused;

pub(super) fn routes() -> Vec<Route> {
    let (write, sign) = (Gate::May(Permission::Administer), Gate::May(Permission::Decide));
    vec![
        Route::get("/accounts/{id}/grant", write, "", || web::to(ask_grant)),
        Route::post("/accounts/{id}/grant", write, "", || web::to(grant)),
        Route::get("/accounts/{id}/disable", write, "", || web::to(ask_disable)),
        Route::post("/accounts/{id}/disable", write, "", || web::to(disable)),
        Route::get("/accounts/{id}/reset", write, "", || web::to(ask_reset)),
        Route::post("/accounts/{id}/reset", write, "", || web::to(reset)),
        Route::get("/accounts/{id}/token", write, "", || web::to(ask_token)),
        Route::post("/accounts/{id}/token", write, "", || web::to(token)),
        Route::get("/accounts/{id}/grants/{grant}/end", write, "", || web::to(ask_end)),
        Route::post("/accounts/{id}/grants/{grant}/end", write, "", || web::to(end)),
        Route::get("/accounts/{id}/tokens/{token}/revoke", write, "", || web::to(ask_revoke)),
        Route::post("/accounts/{id}/tokens/{token}/revoke", write, "", || web::to(revoke)),
        Route::get("/accounts/{id}/grants/{grant}/sign", sign, "", || web::to(ask_sign)),
        Route::post("/accounts/{id}/grants/{grant}/sign", sign, "", || web::to(sign_grant)),
    ]
}

async fn account(reader: &Reader, view: &View, id: &str) -> Result<User> {
    let (id, now) = (id.to_owned(), view.now());
    reader
        .read(move |db| {
            let state = store::require(db, &id)?;
            user(db, &state, now)
        })
        .await
}

/// The page of a step on an account, or on one of its grants and tokens.
fn template(
    view: &View,
    (account, step, part): (User, Step, Option<String>),
    (typed, error): (Typed, Option<&Error>),
) -> Result<StepPage> {
    let about = match (&part, step) {
        (Some(part), Step::EndGrant) => {
            let found = account.grants.iter().find(|grant| grant.id == *part && grant.ended_at.is_none());
            let found = found.ok_or_else(|| Error::not_found("grant", part.clone()))?;
            Some(view.words.t(&format!("role-{}", found.role)).into_owned())
        }
        (Some(part), _) => {
            let found = account.tokens.iter().find(|token| token.id == *part);
            Some(found.ok_or_else(|| Error::not_found("token", part.clone()))?.label.clone())
        }
        (None, _) => None,
    };
    let (mut frame, mut sheet) =
        (view.frame(view.words.t(step.word()), "/accounts"), Sheet::new(view.words, "people-step", typed));
    if let Some(error) = error {
        (frame, sheet) = (frame.failed(), sheet.refused(error));
    }
    Ok(StepPage { frame, sheet, account, step, about, roles: role_choices(view.words) })
}

async fn ask(
    view: View,
    reader: Reader,
    (id, step, part): (String, Step, Option<String>),
) -> Result<HttpResponse> {
    let account = account(&reader, &view, &id).await?;
    Ok(page(&template(&view, (account, step, part), (Typed::default(), None))?, StatusCode::OK))
}

async fn ask_grant(view: View, reader: Reader, id: web::Path<String>) -> Result<HttpResponse> {
    ask(view, reader, (id.into_inner(), Step::Grant, None)).await
}

async fn ask_disable(view: View, reader: Reader, id: web::Path<String>) -> Result<HttpResponse> {
    ask(view, reader, (id.into_inner(), Step::Disable, None)).await
}

async fn ask_reset(view: View, reader: Reader, id: web::Path<String>) -> Result<HttpResponse> {
    ask(view, reader, (id.into_inner(), Step::Reset, None)).await
}

async fn ask_token(view: View, reader: Reader, id: web::Path<String>) -> Result<HttpResponse> {
    ask(view, reader, (id.into_inner(), Step::Token, None)).await
}

async fn ask_end(view: View, reader: Reader, path: web::Path<(String, String)>) -> Result<HttpResponse> {
    let (id, grant) = path.into_inner();
    ask(view, reader, (id, Step::EndGrant, Some(grant))).await
}

async fn ask_revoke(view: View, reader: Reader, path: web::Path<(String, String)>) -> Result<HttpResponse> {
    let (id, token) = path.into_inner();
    ask(view, reader, (id, Step::RevokeToken, Some(token))).await
}

#[derive(Debug, Deserialize)]
struct Fields {
    #[serde(default)]
    role: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    expires_on: String,
    #[serde(default)]
    reason: String,
}

impl Fields {
    fn reason(&self) -> Result<String> {
        input::text("reason", &self.reason, 2000)
    }
}

/// A refused step's page: the account as it is now, what was typed, and why not.
async fn step_again(
    error: Error,
    (view, desk): (&View, &Desk),
    (id, step, part): (&str, Step, Option<String>),
    typed: Typed,
) -> Result<HttpResponse> {
    let reader = Reader { site: desk.site.clone(), caller: desk.caller.clone() };
    let (refused, account) = (Refused::by(error)?, account(&reader, view, id).await?);
    Ok(refused.page(&template(view, (account, step, part), (typed, Some(&refused)))?))
}

fn done(id: &str) -> HttpResponse {
    see_other_with(&format!("/accounts/{id}"), "saved")
}

async fn grant(view: View, desk: Desk, id: web::Path<String>, form: Form<Fields>) -> Result<HttpResponse> {
    let id = id.into_inner();
    match try_grant(&desk, &id, &form.fields).await {
        Ok(()) => Ok(done(&id)),
        Err(error) => step_again(error, (&view, &desk), (&id, Step::Grant, None), form.typed).await,
    }
}

async fn try_grant(desk: &Desk, id: &str, fields: &Fields) -> Result<()> {
    let mut faults = Faults::new();
    let role = faults.take(intake::role_of("role", &fields.role));
    let reason = faults.take(fields.reason());
    let (Some(role), Some(reason)) = (role, reason) else { return Err(faults.error()) };
    let (actor, id) = (desk.caller.actor(Permission::Administer)?, id.to_owned());
    desk.write(move |tx| accounts::request_grant(tx, &actor, &id, (role, &reason)).map(|_| ())).await
}

async fn disable(view: View, desk: Desk, id: web::Path<String>, form: Form<Fields>) -> Result<HttpResponse> {
    let id = id.into_inner();
    match try_disable(&desk, &id, &form.fields).await {
        Ok(()) => Ok(done(&id)),
        Err(error) => step_again(error, (&view, &desk), (&id, Step::Disable, None), form.typed).await,
    }
}

async fn try_disable(desk: &Desk, id: &str, fields: &Fields) -> Result<()> {
    let (reason, actor, id) = (fields.reason()?, desk.caller.actor(Permission::Administer)?, id.to_owned());
    desk.write(move |tx| accounts::disable(tx, &actor, &id, &reason).map(|_| ())).await
}

/// The new password is shown on the answer and never again.
async fn reset(view: View, desk: Desk, id: web::Path<String>, form: Form<Fields>) -> Result<HttpResponse> {
    let id = id.into_inner();
    let made = password::generate();
    match try_reset(&desk, (&id, &made), &form.fields).await {
        Ok(()) => told(&view, &desk, (&id, "people-told-password", made)).await,
        Err(error) => step_again(error, (&view, &desk), (&id, Step::Reset, None), form.typed).await,
    }
}

async fn try_reset(desk: &Desk, (id, made): (&str, &str), fields: &Fields) -> Result<()> {
    let (reason, actor, id) = (fields.reason()?, desk.caller.actor(Permission::Administer)?, id.to_owned());
    let hash = intake::hashed(made.to_owned()).await?;
    desk.write(move |tx| accounts::reset(tx, &actor, &id, (&hash, &reason)).map(|_| ())).await
}

/// The token is shown on the answer and never again.
async fn token(view: View, desk: Desk, id: web::Path<String>, form: Form<Fields>) -> Result<HttpResponse> {
    let id = id.into_inner();
    match try_token(&desk, &id, &form.fields).await {
        Ok(secret) => told(&view, &desk, (&id, "people-told-token", secret)).await,
        Err(error) => step_again(error, (&view, &desk), (&id, Step::Token, None), form.typed).await,
    }
}

async fn try_token(desk: &Desk, id: &str, fields: &Fields) -> Result<String> {
    let mut faults = Faults::new();
    let label = faults.take(input::line("label", &fields.label, 100));
    let expires_at = faults.take(input::end("expires_on", &fields.expires_on, desk.site.zone));
    let (Some(label), Some(expires_at)) = (label, expires_at) else { return Err(faults.error()) };
    let (actor, id) = (desk.caller.actor(Permission::Administer)?, id.to_owned());
    let (secret, hash) = sessions::secret(sessions::TOKEN_PREFIX);
    desk.write(move |tx| accounts::create_token(tx, &actor, &id, (&label, hash, expires_at)).map(|_| ()))
        .await?;
    Ok(secret)
}

async fn told(
    view: &View,
    desk: &Desk,
    (id, word, secret): (&str, &'static str, String),
) -> Result<HttpResponse> {
    let frame = view.frame(view.words.t(word), "/accounts");
    let owned = id.to_owned();
    let login = desk.read(move |db| Ok(store::person(db, &owned)?.login)).await?;
    Ok(page(&Told { frame, id: id.to_owned(), login, word, secret }, StatusCode::OK))
}

async fn end(
    view: View,
    desk: Desk,
    path: web::Path<(String, String)>,
    form: Form<Fields>,
) -> Result<HttpResponse> {
    let (id, grant) = path.into_inner();
    match try_end(&desk, (&id, &grant), &form.fields).await {
        Ok(()) => Ok(done(&id)),
        Err(error) => step_again(error, (&view, &desk), (&id, Step::EndGrant, Some(grant)), form.typed).await,
    }
}

async fn try_end(desk: &Desk, (id, grant): (&str, &str), fields: &Fields) -> Result<()> {
    let (reason, actor) = (fields.reason()?, desk.caller.actor(Permission::Administer)?);
    let (id, grant) = (id.to_owned(), grant.to_owned());
    desk.write(move |tx| accounts::end_grant(tx, &actor, &id, (&grant, &reason)).map(|_| ())).await
}

async fn revoke(
    view: View,
    desk: Desk,
    path: web::Path<(String, String)>,
    form: Form<Fields>,
) -> Result<HttpResponse> {
    let (id, token) = path.into_inner();
    match try_revoke(&desk, &token, &form.fields).await {
        Ok(()) => Ok(done(&id)),
        Err(error) => {
            step_again(error, (&view, &desk), (&id, Step::RevokeToken, Some(token)), form.typed).await
        }
    }
}

async fn try_revoke(desk: &Desk, token: &str, fields: &Fields) -> Result<()> {
    let (reason, actor, token) =
        (fields.reason()?, desk.caller.actor(Permission::Administer)?, token.to_owned());
    desk.write(move |tx| accounts::revoke_token(tx, &actor, &token, &reason)).await
}

/// The page on which QA signs a role into force.
fn sign_page(view: &View, (account, grant): (User, &str), error: Option<&Error>) -> Result<SignGrant> {
    let found = account.grants.iter().find(|held| held.id == grant);
    let grant = found.cloned().ok_or_else(|| Error::not_found("grant", grant))?;
    let (mut frame, mut sheet) = (
        view.frame(view.words.t("people-sign"), "/accounts"),
        Sheet::new(view.words, "people-sign", Typed::default()),
    );
    if let Some(error) = error {
        (frame, sheet) = (frame.failed(), sheet.refused(error));
    }
    Ok(SignGrant { frame, sheet, account, grant })
}

async fn ask_sign(view: View, reader: Reader, path: web::Path<(String, String)>) -> Result<HttpResponse> {
    let (id, grant) = path.into_inner();
    let account = account(&reader, &view, &id).await?;
    Ok(page(&sign_page(&view, (account, &grant), None)?, StatusCode::OK))
}

#[derive(Debug, Deserialize)]
struct Signed {
    #[serde(default)]
    password: String,
    #[serde(default)]
    digest: String,
}

async fn sign_grant(
    view: View,
    desk: Desk,
    path: web::Path<(String, String)>,
    form: Form<Signed>,
) -> Result<HttpResponse> {
    let (id, grant) = path.into_inner();
    let Signed { password, digest } = form.fields;
    let attempt = Attempt { subject: record::subject(&id), meaning: "granted" };
    let (of, which) = (id.clone(), grant.clone());
    let signed = desk.signed(Permission::Decide, &password, attempt, move |tx, signer| {
        accounts::sign_grant(tx, signer, &of, (&which, Some(&digest))).map(|_| ())
    });
    match signed.await {
        Ok(()) => Ok(see_other_with(&format!("/accounts/{id}"), "signed")),
        Err(error) => {
            let reader = Reader { site: desk.site.clone(), caller: desk.caller.clone() };
            let (refused, account) = (Refused::by(error)?, account(&reader, &view, &id).await?);
            Ok(refused.page(&sign_page(&view, (account, &grant), Some(&refused))?))
        }
    }
}
