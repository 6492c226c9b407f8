//! The door: signing in and out, one's own password and oneself.

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::ledger::site::Site;
use crate::people::gate::{Caller, Gate, Route, session_cookie};
use crate::people::settings;
use crate::people::view::View;
use crate::people::views::{Me, Password, SignIn};
use crate::people::visits::Visits;
use crate::people::{api, intake, sessions};
use crate::web::form::{Form, Typed};
use crate::web::json::Body;
use crate::web::page::{local_address, page, see_other, see_other_with};
use crate::web::parts::Sheet;
use crate::web::problem::Refused;
use crate::web::query::Query;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/login", Gate::Public, "", || web::to(sign_in)),
        Route::post("/login", Gate::Public, "Sign in", || web::to(signed_in)),
        Route::post("/logout", Gate::SignedIn, "", || web::to(sign_out)),
        Route::get("/me", Gate::SignedIn, "", || web::to(me)),
        Route::get("/password", Gate::SignedIn, "", || web::to(password)),
        Route::post("/password", Gate::SignedIn, "", || web::to(change_password)),
    ]
}

#[derive(Deserialize)]
struct Back {
    #[serde(default)]
    to: String,
}

async fn sign_in(view: View, site: web::Data<Site>, back: Query<Back>) -> Result<HttpResponse> {
    let typed = Typed::from_pairs([("to", local_address(&back.0.to))]);
    Ok(page(&door(&view, &site, (typed, None)).await?, StatusCode::OK))
}

async fn door(view: &View, site: &Site, (typed, error): (Typed, Option<&Error>)) -> Result<SignIn> {
    let help = site.readers.read(|db| settings::HELP_CONTACT.value(db)).await?;
    let signed = site.signing.newest().map(|(size, _)| i64::try_from(size).unwrap_or(i64::MAX));
    let (mut frame, mut sheet) =
        (view.frame(view.words.t("people-login"), ""), Sheet::new(view.words, "people-login", typed));
    if let Some(error) = error {
        (frame, sheet) = (frame.failed(), sheet.refused(error));
    }
    Ok(SignIn { frame, sheet, help, signed, version: env!("CARGO_PKG_VERSION") })
}

#[derive(Debug, Deserialize)]
struct Credentials {
    #[serde(default)]
    login: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    to: String,
}

/// `POST /login` answers machines, who send JSON, with a token, and a page's form with a cookie.
async fn signed_in(
    request: HttpRequest,
    payload: web::Payload,
    view: View,
    (site, visits): (web::Data<Site>, web::Data<Visits>),
) -> Result<HttpResponse> {
    let mut payload: Payload = payload.into_inner();
    let media = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !media.starts_with("application/x-www-form-urlencoded") {
        let body = Body::from_request(&request, &mut payload).await?;
        return api::login((site, visits), request, body).await;
    }
    let form = Form::<Credentials>::from_request(&request, &mut payload).await?;
    let Credentials { login, password, to } = &form.fields;
    match sessions::sign_in((&site, &visits), login.trim(), password, api::origin(&request)).await {
        Ok(signed) => {
            let mut answer = see_other(&local_address(to));
            answer
                .add_cookie(&session_cookie(&request, Some(&signed.token)))
                .map_err(|error| Error::internal(error.to_string()))?;
            Ok(answer)
        }
        Err(error) => {
            let refused = Refused::by(error)?;
            Ok(refused.page(&door(&view, &site, (form.typed, Some(&refused))).await?))
        }
    }
}

#[derive(Deserialize)]
struct Nothing {}

async fn sign_out(
    request: HttpRequest,
    (site, visits): (web::Data<Site>, web::Data<Visits>),
    caller: Caller,
    _form: Form<Nothing>,
) -> Result<HttpResponse> {
    if let Some(session) = caller.session {
        sessions::sign_out((&site, &visits), session, caller.own_actor()).await?;
    }
    let mut answer = see_other_with("/login", "signed-out");
    answer.add_cookie(&session_cookie(&request, None)).map_err(|error| Error::internal(error.to_string()))?;
    Ok(answer)
}

async fn me(view: View, caller: Caller) -> HttpResponse {
    let frame = view.frame(view.words.t("people-me"), "/me");
    let roles = caller.roles.iter().map(|role| role.code()).collect();
    page(&Me { frame, name: caller.name, login: caller.login, roles }, StatusCode::OK)
}

async fn password(view: View) -> HttpResponse {
    page(&password_page(&view, None), StatusCode::OK)
}

fn password_page(view: &View, error: Option<&Error>) -> Password {
    let (mut frame, mut sheet) = (
        view.frame(view.words.t("people-password"), "/me"),
        Sheet::new(view.words, "people-password", Typed::default()),
    );
    if let Some(error) = error {
        (frame, sheet) = (frame.failed(), sheet.refused(error));
    }
    Password { frame, sheet }
}

#[derive(Debug, Deserialize)]
struct NewPassword {
    #[serde(default)]
    old: String,
    #[serde(default)]
    new: String,
    #[serde(default)]
    repeat: String,
}

async fn change_password(
    view: View,
    site: web::Data<Site>,
    caller: Caller,
    form: Form<NewPassword>,
) -> Result<HttpResponse> {
    let NewPassword { old, new, repeat } = &form.fields;
    let changed = if new == repeat {
        intake::own_password(&site, &caller, old, new).await
    } else {
        Err(Error::invalid("repeat", "password-differs"))
    };
    match changed {
        Ok(()) => Ok(see_other_with("/me", "password-changed")),
        Err(error) => {
            let refused = Refused::by(error)?;
            Ok(refused.page(&password_page(&view, Some(&refused))))
        }
    }
}
