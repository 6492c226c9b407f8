//! Signing in and accounts, for machines; the sign-in page's form ends here too.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::accounts;
use super::desk::{Desk, Reader, Reply};
use super::gate::{Caller, Gate, Route};
use super::intake::{self, CreateUser};
use super::read::{User, grant_view, user};
use super::record;
use super::rights::Permission;
use super::sessions::{self, Attempt};
use super::visits::Visits;
use super::{password, store};
use crate::error::{Error, Result};
use crate::ledger::site::Site;
use crate::web::input;
use crate::web::json::Body;
use crate::web::paging::{Page, Paging};
use crate::web::query::Query;
use crate::web::request::RequestId;

/// The floor's routes for machines.
pub fn routes() -> Vec<Route> {
    let (read, write) = (Gate::May(Permission::ReadAccounts), Gate::May(Permission::Administer));
    vec![
        Route::post("/api/v1/login", Gate::Public, "Sign in", || web::to(login)),
        Route::post("/api/v1/logout", Gate::SignedIn, "Sign out", || web::to(logout)),
        Route::post("/api/v1/password", Gate::SignedIn, "Change one's own password", || {
            web::to(change_password)
        }),
        Route::get("/api/v1/me", Gate::SignedIn, "Who is signed in", || web::to(me)),
        Route::get("/api/v1/users", read, "List accounts", || web::to(list)),
        Route::post("/api/v1/users", write, "Make an account", || web::to(create)),
        Route::get("/api/v1/users/{id}", read, "Read an account", || web::to(show)),
        Route::post("/api/v1/users/{id}/grants", write, "Ask for a role", || web::to(request_grant)),
        Route::get("/api/v1/users/{id}/grants/{grant}", read, "Read a grant", || web::to(show_grant)),
        Route::post(
            "/api/v1/users/{id}/grants/{grant}/sign",
            Gate::May(Permission::Decide),
            "Sign a role into force",
            || web::to(sign_grant),
        ),
        Route::post("/api/v1/users/{id}/grants/{grant}/end", write, "Take a role away", || {
            web::to(end_grant)
        }),
        Route::post("/api/v1/users/{id}/disable", write, "Disable an account", || web::to(disable)),
        Route::post("/api/v1/users/{id}/reset", write, "Set a new password", || web::to(reset)),
        Route::post("/api/v1/users/{id}/tokens", write, "Make an API token", || web::to(create_token)),
        Route::post("/api/v1/tokens/{id}/revoke", write, "Revoke an API token", || web::to(revoke_token)),
    ]
}

/// What a person signs in with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The login.
    pub login: String,
    /// The password.
    pub password: String,
}

/// `POST /login` and `/api/v1/login`, as JSON.
///
/// # Errors
/// 401, 429.
pub async fn login(
    (site, visits): (web::Data<Site>, web::Data<Visits>),
    request: actix_web::HttpRequest,
    body: Body<Credentials>,
) -> Result<HttpResponse> {
    let Credentials { login, password } = body.0;
    let signed_in = sessions::sign_in((&site, &visits), &login, &password, origin(&request)).await?;
    Ok(HttpResponse::Ok().json(signed_in))
}

/// Where a request came from: the peer, as the connection tells.
pub fn origin(request: &actix_web::HttpRequest) -> sessions::Origin {
    use actix_web::HttpMessage;
    let id = request.extensions().get::<RequestId>().map(|id| id.0.to_string()).unwrap_or_default();
    let address = request.peer_addr().map(|peer| peer.ip().to_string()).unwrap_or_default();
    sessions::Origin { address, request: id }
}

async fn logout(site: web::Data<Site>, visits: web::Data<Visits>, caller: Caller) -> Result<HttpResponse> {
    if let Some(session) = caller.session {
        sessions::sign_out((&site, &visits), session, caller.own_actor()).await?;
    }
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OldAndNew {
    old: String,
    new: String,
}

async fn change_password(
    site: web::Data<Site>,
    caller: Caller,
    body: Body<OldAndNew>,
) -> Result<HttpResponse> {
    intake::own_password(&site, &caller, &body.0.old, &body.0.new).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn me(caller: Caller) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "id": caller.id, "login": caller.login, "name": caller.name, "roles": caller.roles,
        "must_change_password": caller.must_change_password(),
    }))
}

async fn list(reader: Reader, paging: Query<Paging>) -> Result<HttpResponse> {
    let (limit, after) = (paging.0.limit()?, paging.0.after::<String>()?);
    let now = reader.site.clock.now();
    let page = reader.read(move |db| {
        let states = store::all(db)?
            .into_iter()
            .filter(|state| after.as_ref().is_none_or(|id| state.account.id > *id));
        let users =
            states.take(usize::from(limit) + 1).map(|state| user(db, &state, now)).collect::<Result<_>>()?;
        Page::cut(users, limit, |user: &User| user.id.clone())
    });
    Ok(HttpResponse::Ok().json(page.await?))
}

async fn show(reader: Reader, id: web::Path<String>) -> Result<HttpResponse> {
    let now = reader.site.clock.now();
    let found = reader.read(move |db| {
        let state = store::require(db, &id)?;
        user(db, &state, now)
    });
    Ok(HttpResponse::Ok().json(found.await?))
}

async fn create(desk: Desk, body: Body<CreateUser>) -> Result<HttpResponse> {
    let (wanted, made) = intake::prepare(body.0, desk.site.zone).await?;
    let actor = desk.caller.actor(Permission::Administer)?;
    desk.reply(move |tx| {
        let state = intake::admit(tx, &actor, &wanted)?;
        let now = tx.now();
        let view = user(tx.read(), &state, now)?;
        let location = format!("/api/v1/users/{}", view.id);
        let mut body = serde_json::to_value(view).map_err(Error::internal)?;
        if let Some(made) = &made {
            body["password"] = json!(made);
        }
        Reply::created(location, body)
    })
    .await
}

async fn show_grant(reader: Reader, path: web::Path<(String, String)>) -> Result<HttpResponse> {
    let (id, grant) = path.into_inner();
    let found = reader.read(move |db| {
        let state = store::require(db, &id)?;
        let held = state.grants.iter().find(|held| held.id == grant);
        grant_view(db, held.ok_or_else(|| Error::not_found("grant", grant.as_str()))?)
    });
    Ok(HttpResponse::Ok().json(found.await?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantRequest {
    role: String,
    reason: String,
}

async fn request_grant(desk: Desk, id: web::Path<String>, body: Body<GrantRequest>) -> Result<HttpResponse> {
    let role = intake::role_of("role", &body.0.role)?;
    let reason = input::text("reason", &body.0.reason, 2000)?;
    let actor = desk.caller.actor(Permission::Administer)?;
    desk.reply(move |tx| {
        let (_, grant) = accounts::request_grant(tx, &actor, &id, (role, &reason))?;
        tx.settle()?;
        let location = format!("/api/v1/users/{id}/grants/{}", grant.id);
        Reply::created(location, grant_view(tx.read(), &grant)?)
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignGrant {
    password: String,
    digest: Option<String>,
}

async fn sign_grant(
    desk: Desk,
    path: web::Path<(String, String)>,
    body: Body<SignGrant>,
) -> Result<HttpResponse> {
    let (id, grant) = path.into_inner();
    let SignGrant { password, digest } = body.0;
    let attempt = Attempt { subject: record::subject(&id), meaning: "granted" };
    desk.signed_reply(Permission::Decide, &password, attempt, move |tx, signer| {
        let state = accounts::sign_grant(tx, signer, &id, (&grant, digest.as_deref()))?;
        tx.settle()?;
        let now = tx.now();
        Reply::ok(user(tx.read(), &state, now)?)
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Because {
    reason: String,
}

async fn end_grant(
    desk: Desk,
    path: web::Path<(String, String)>,
    body: Body<Because>,
) -> Result<HttpResponse> {
    let (id, grant) = path.into_inner();
    let reason = input::text("reason", &body.0.reason, 2000)?;
    let actor = desk.caller.actor(Permission::Administer)?;
    desk.reply(move |tx| {
        let state = accounts::end_grant(tx, &actor, &id, (&grant, &reason))?;
        let now = tx.now();
        Reply::ok(user(tx.read(), &state, now)?)
    })
    .await
}

async fn disable(desk: Desk, id: web::Path<String>, body: Body<Because>) -> Result<HttpResponse> {
    let reason = input::text("reason", &body.0.reason, 2000)?;
    let actor = desk.caller.actor(Permission::Administer)?;
    desk.reply(move |tx| {
        let state = accounts::disable(tx, &actor, &id, &reason)?;
        let now = tx.now();
        Reply::ok(user(tx.read(), &state, now)?)
    })
    .await
}

async fn reset(desk: Desk, id: web::Path<String>, body: Body<Because>) -> Result<HttpResponse> {
    let reason = input::text("reason", &body.0.reason, 2000)?;
    let actor = desk.caller.actor(Permission::Administer)?;
    let made = password::generate();
    let hash = intake::hashed(made.clone()).await?;
    desk.reply(move |tx| {
        let state = accounts::reset(tx, &actor, &id, (&hash, &reason))?;
        let now = tx.now();
        let mut body = serde_json::to_value(user(tx.read(), &state, now)?).map_err(Error::internal)?;
        body["password"] = json!(made);
        Reply::ok(body)
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewToken {
    label: String,
    expires_on: String,
}

async fn create_token(desk: Desk, id: web::Path<String>, body: Body<NewToken>) -> Result<HttpResponse> {
    let label = input::line("label", &body.0.label, 100)?;
    let expires_at = input::end("expires_on", &body.0.expires_on, desk.site.zone)?;
    let actor = desk.caller.actor(Permission::Administer)?;
    let (secret, hash) = sessions::secret(sessions::TOKEN_PREFIX);
    desk.reply(move |tx| {
        let token = accounts::create_token(tx, &actor, &id, (&label, hash, expires_at))?;
        Reply::created(
            format!("/api/v1/users/{id}"),
            json!({ "id": token.id, "label": token.label, "token": secret, "expires_at": token.expires_at }),
        )
    })
    .await
}

async fn revoke_token(desk: Desk, id: web::Path<String>, body: Body<Because>) -> Result<HttpResponse> {
    let reason = input::text("reason", &body.0.reason, 2000)?;
    let actor = desk.caller.actor(Permission::Administer)?;
    desk.reply(move |tx| {
        accounts::revoke_token(tx, &actor, &id, &reason)?;
        Reply::ok(json!({ "id": *id, "state": "revoked" }))
    })
    .await
}
