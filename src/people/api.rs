//! Signing in and accounts, for machines; the sign-in page's form ends here too.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::accounts::{self, NewAccount};
use super::desk::{Desk, Reader, Reply};
use super::gate::{Caller, Gate, Route};
use super::record::{self, AccountState, Grant};
use super::rights::{Permission, Role};
use super::sessions::{self, Attempt};
use super::{password, store};
use crate::error::{Error, Result};
use crate::ledger::site::Site;
use crate::store::Db;
use crate::time::Timestamp;
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
        Route::post("/login", Gate::Public, "Sign in", || web::to(login)),
        Route::post("/api/v1/logout", Gate::SignedIn, "Sign out", || web::to(logout)),
        Route::post("/api/v1/password", Gate::SignedIn, "Change one's own password", || {
            web::to(change_password)
        }),
        Route::get("/api/v1/me", Gate::SignedIn, "Who is signed in", || web::to(me)),
        Route::get("/api/v1/users", read, "List accounts", || web::to(list)),
        Route::post("/api/v1/users", write, "Make an account", || web::to(create)),
        Route::get("/api/v1/users/{id}", read, "Read an account", || web::to(show)),
        Route::post("/api/v1/users/{id}/grants", write, "Ask for a role", || web::to(request_grant)),
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
    site: web::Data<Site>,
    request: actix_web::HttpRequest,
    body: Body<Credentials>,
) -> Result<HttpResponse> {
    let Credentials { login, password } = body.0;
    let signed_in = sessions::sign_in(&site, &login, &password, origin(&request)).await?;
    Ok(HttpResponse::Ok().json(signed_in))
}

/// Where a request came from: the peer, as the connection tells.
pub fn origin(request: &actix_web::HttpRequest) -> sessions::Origin {
    use actix_web::HttpMessage;
    let id = request.extensions().get::<RequestId>().map(|id| id.0.to_string()).unwrap_or_default();
    let address = request.peer_addr().map(|peer| peer.ip().to_string()).unwrap_or_default();
    sessions::Origin { address, request: id }
}

async fn logout(site: web::Data<Site>, caller: Caller) -> Result<HttpResponse> {
    if let Some(session) = caller.session {
        sessions::sign_out(&site, session, caller.own_actor()).await?;
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
    own_password(&site, &caller, &body.0.old, &body.0.new).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Changes a person's own password, the old one given again.
///
/// # Errors
/// 403 `password`; 422 for a new one that will not do; 429.
pub async fn own_password(site: &Site, caller: &Caller, old: &str, new: &str) -> Result<()> {
    if caller.session.is_none() {
        return Err(Error::forbidden("token-cannot-sign"));
    }
    password::acceptable("new", new, &caller.login)?;
    if old == new {
        return Err(Error::invalid("new", "password-same"));
    }
    let attempt = Attempt { subject: record::subject(&caller.id), meaning: "password" };
    let who = (&caller.account, caller.login.as_str());
    sessions::confirm(site, who, old, (caller.own_actor(), attempt)).await?;
    let (new, actor, session) = (new.to_owned(), caller.own_actor(), caller.session);
    let hash = hashed(new).await?;
    site.lane.write(move |tx| accounts::change_password(tx, &actor, &hash, session)).await?;
    Ok(())
}

/// Hashes a password on a thread that may wait.
///
/// # Errors
/// The hash cannot be made.
pub async fn hashed(password: String) -> Result<String> {
    tokio::task::spawn_blocking(move || password::hash(&password)).await.map_err(Error::internal)?
}

async fn me(caller: Caller) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "id": caller.id, "login": caller.login, "name": caller.name, "roles": caller.roles,
        "must_change_password": caller.must_change_password(),
    }))
}

/// An account as administrators and QA read it.
#[derive(Debug, Serialize)]
pub struct User {
    /// `u-…`.
    pub id: String,
    /// What it signs in with.
    pub login: String,
    /// Its printed name.
    pub name: String,
    /// Roles in force.
    pub roles: Vec<Role>,
    /// `active`, `disabled` or `ended`.
    pub state: &'static str,
    /// The administrator's password is not changed yet.
    pub must_change_password: bool,
    /// An auditor's last instant.
    pub ends_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Roles asked for, in force and ended.
    pub grants: Vec<GrantView>,
    /// API tokens, without their secrets.
    pub tokens: Vec<TokenView>,
}

/// A grant as read.
#[derive(Debug, Serialize)]
pub struct GrantView {
    /// `g-…`.
    pub id: String,
    /// The role.
    pub role: String,
    /// `requested`, `in_force` or `ended`.
    pub state: &'static str,
    /// Who asked, by login.
    pub requested_by: String,
    /// When.
    pub requested_at: Timestamp,
    /// Why.
    pub reason: String,
    /// Who signed, by login.
    pub signed_by: Option<String>,
    /// When.
    pub signed_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What QA signs.
    pub digest: String,
}

/// An API token as read.
#[derive(Debug, Serialize)]
pub struct TokenView {
    /// `t-…`.
    pub id: String,
    /// What it is for.
    pub label: String,
    /// Not accepted from here on.
    pub expires_at: Timestamp,
    /// Or from here on, by decision.
    pub revoked_at: Option<Timestamp>,
}

/// An account as it is read, by its state.
///
/// # Errors
/// The database does not answer.
pub fn user(db: &mut Db, state: &AccountState, now: Timestamp) -> Result<User> {
    let person = store::person(db, &state.account.id)?;
    let account = &state.account;
    let ended = account.ends_at.is_some_and(|end| end <= now);
    let tokens = state.tokens.iter().map(|token| TokenView {
        id: token.id.clone(),
        label: token.label.clone(),
        expires_at: token.expires_at,
        revoked_at: token.revoked_at,
    });
    Ok(User {
        id: person.id,
        login: person.login,
        name: person.name,
        roles: person.roles,
        state: if account.disabled {
            "disabled"
        } else if ended {
            "ended"
        } else {
            "active"
        },
        must_change_password: account.must_change,
        ends_at: account.ends_at,
        created_at: account.created_at,
        grants: state.grants.iter().map(|grant| grant_view(db, grant)).collect::<Result<_>>()?,
        tokens: tokens.collect(),
    })
}

fn grant_view(db: &mut Db, grant: &Grant) -> Result<GrantView> {
    let signed_by = grant.signed_by.as_deref().map(|id| store::person(db, id)).transpose()?;
    let state = match (grant.ended_at, grant.signed_at) {
        (Some(_), _) => "ended",
        (None, Some(_)) => "in_force",
        (None, None) => "requested",
    };
    Ok(GrantView {
        id: grant.id.clone(),
        role: grant.role.clone(),
        state,
        requested_by: store::person(db, &grant.requested_by)?.login,
        requested_at: grant.requested_at,
        reason: grant.reason.clone(),
        signed_by: signed_by.map(|person| person.login),
        signed_at: grant.signed_at,
        ended_at: grant.ended_at,
        digest: accounts::grant_digest(grant)?.to_string(),
    })
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

/// An account to make.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    /// Unique for ever.
    pub login: String,
    /// As printed in signatures.
    pub name: String,
    /// Made by the program where it is missing.
    pub password: Option<String>,
    /// Roles to ask for at once.
    #[serde(default)]
    pub roles: Vec<String>,
    /// An auditor's last day.
    pub ends_on: Option<String>,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// Checks, hashes and makes an account with its role requests; returns it with the password where the program made it.
///
/// # Errors
/// 422, 409.
pub async fn make(desk: &Desk, new: CreateUser) -> Result<HttpResponse> {
    let login = input::line("login", &new.login, 64)?;
    let name = input::line("name", &new.name, 100)?;
    let reason = input::optional_text("reason", Some(&new.reason), 2000)?.unwrap_or_default();
    let roles = new.roles.iter().map(|role| role_of("roles", role)).collect::<Result<Vec<_>>>()?;
    let zone = desk.site.zone;
    let ends_at = new.ends_on.as_deref().map(|date| input::end("ends_on", date, zone)).transpose()?;
    let (given, made) = match new.password {
        Some(given) => (given, None),
        None => {
            let made = password::generate();
            (made.clone(), Some(made))
        }
    };
    password::acceptable("password", &given, &login)?;
    let password_hash = hashed(given).await?;
    let actor = desk.caller.actor(Permission::Administer)?;
    let new = NewAccount { login, name, password_hash, must_change: true, ends_at };
    desk.reply(move |tx| {
        let mut held: Vec<Role> = Vec::new();
        for role in &roles {
            record::may_ask_for(*role, &held)?;
            if *role == Role::Auditor && new.ends_at.is_none() {
                return Err(Error::invalid("ends_on", "auditor-without-end"));
            }
            held.push(*role);
        }
        let mut state = accounts::create(tx, &actor, &new)?;
        for role in &roles {
            state = accounts::request_grant(tx, &actor, &state.account.id, (*role, &reason))?.0;
        }
        tx.settle()?;
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

async fn create(desk: Desk, body: Body<CreateUser>) -> Result<HttpResponse> {
    make(&desk, body.0).await
}

fn role_of(field: &str, code: &str) -> Result<Role> {
    Role::from_code(code).ok_or_else(|| Error::invalid(field, "unknown-code"))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantRequest {
    role: String,
    reason: String,
}

async fn request_grant(desk: Desk, id: web::Path<String>, body: Body<GrantRequest>) -> Result<HttpResponse> {
    let role = role_of("role", &body.0.role)?;
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
        let seen = store::require(tx.read(), &id)?.grants.into_iter().find(|held| held.id == grant);
        let seen = seen.ok_or_else(|| Error::not_found("grant", grant.clone()))?;
        if digest
            .as_ref()
            .is_some_and(|digest| accounts::grant_digest(&seen).is_ok_and(|d| d.to_string() != *digest))
        {
            return Err(Error::conflict("stale-digest"));
        }
        let state = accounts::sign_grant(tx, signer, &id, &grant)?;
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
    if actor.id == *id {
        return Err(Error::conflict("own-account"));
    }
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
    let hash = hashed(made.clone()).await?;
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
