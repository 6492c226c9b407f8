//! The gate: who asks, and whether the route lets them in. Deny unless granted.
//!
//! A route cannot be registered without its [`Gate`], and a handler learns who asks only from what the gate has put
//! down ([`Caller`]). `/api/v1` takes a bearer token, and a cookie for GET alone; pages take the cookie, and every
//! other method than GET must come from a page of ours.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, web};
use diesel::prelude::*;

use super::record::Account;
use super::rights::{Permission, Role};
use super::sessions::{ABSOLUTE_SECONDS, IDLE_SECONDS, SESSION_PREFIX, TOKEN_PREFIX};
use super::store;
use super::visits::{Visit, Visits};
use crate::error::{Error, Kind, Result};
use crate::ledger::digest::Digest;
use crate::ledger::lane::Actor;
use crate::ledger::site::Site;
use crate::ledger::store as ledger;
use crate::store::Db;
use crate::store::schema::session;
use crate::time::Timestamp;
use crate::web::form::CsrfToken;
use crate::web::page::{NavItem, Search, Viewer};
use crate::web::request::RequestId;

/// Who may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Anybody.
    Public,
    /// Whoever is signed in.
    SignedIn,
    /// Whose role grants this.
    May(Permission),
}

/// A line of the route table: the address, who may use it, and what answers.
pub struct Route {
    /// GET, POST, PUT or PATCH.
    pub method: Method,
    /// With `{parts}`, as actix spells them.
    pub path: &'static str,
    /// Who may.
    pub gate: Gate,
    /// One line, for the OpenAPI document; empty for pages.
    pub summary: &'static str,
    /// What answers.
    pub handler: fn() -> actix_web::Route,
}

impl Route {
    /// A route that answers GET.
    pub fn get(
        path: &'static str,
        gate: Gate,
        summary: &'static str,
        handler: fn() -> actix_web::Route,
    ) -> Self {
        Self { method: Method::GET, path, gate, summary, handler }
    }

    /// A route that answers POST.
    pub fn post(
        path: &'static str,
        gate: Gate,
        summary: &'static str,
        handler: fn() -> actix_web::Route,
    ) -> Self {
        Self { method: Method::POST, path, gate, summary, handler }
    }

    /// A route that answers PUT.
    pub fn put(
        path: &'static str,
        gate: Gate,
        summary: &'static str,
        handler: fn() -> actix_web::Route,
    ) -> Self {
        Self { method: Method::PUT, path, gate, summary, handler }
    }

    /// A route that answers PATCH.
    pub fn patch(
        path: &'static str,
        gate: Gate,
        summary: &'static str,
        handler: fn() -> actix_web::Route,
    ) -> Self {
        Self { method: Method::PATCH, path, gate, summary, handler }
    }
}

/// Who asks: read from the session or token, at this request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// `u-…`.
    pub id: String,
    /// What the account signs in with.
    pub login: String,
    /// Its printed name.
    pub name: String,
    /// Roles in force, in order of precedence.
    pub roles: Vec<Role>,
    /// The session's hash; none for an API token.
    pub session: Option<Digest>,
    /// The account's row, for the password given again.
    pub(super) account: Account,
    via: Option<u64>,
    request: String,
    csrf: String,
    ledger_size: Option<i64>,
}

impl Caller {
    /// The ledger's size when the session was read, at this request; none for an API token.
    pub fn ledger_size(&self) -> Option<i64> {
        self.ledger_size
    }

    /// Whether a role in force grants it.
    pub fn may(&self, permission: Permission) -> bool {
        permission.granted_by(&self.roles).is_some()
    }

    /// Who acts, in the role that grants it.
    ///
    /// # Errors
    /// 403 when none does.
    pub fn actor(&self, permission: Permission) -> Result<Actor> {
        let role = permission.granted_by(&self.roles).ok_or_else(|| Error::forbidden("no-right"))?;
        Ok(self.acting_as(role))
    }

    /// Who acts where no right is needed: one's own password, signing out.
    pub fn own_actor(&self) -> Actor {
        match self.roles.first() {
            Some(role) => self.acting_as(*role),
            None => Actor {
                id: self.id.clone(),
                role: "none",
                via: self.via,
                request: Some(self.request.clone()),
            },
        }
    }

    /// An administrator set the password; nothing is signed before the person has changed it.
    pub fn must_change_password(&self) -> bool {
        self.account.must_change
    }

    fn acting_as(&self, role: Role) -> Actor {
        Actor { id: self.id.clone(), role: role.code(), via: self.via, request: Some(self.request.clone()) }
    }
}

impl FromRequest for Caller {
    type Error = Error;
    type Future = std::future::Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut actix_web::dev::Payload) -> Self::Future {
        let caller = request.extensions().get::<Self>().cloned();
        std::future::ready(caller.ok_or_else(|| Error::new(Kind::Unauthenticated, "sign-in")))
    }
}

/// What was read of an account, while the ledger has not grown since.
#[derive(Default)]
pub struct Callers(Mutex<HashMap<Digest, (i64, Arc<Caller>)>>);

/// Accounts remembered at most.
const REMEMBERED: usize = 4096;

impl Callers {
    fn at(&self, token: &Digest) -> Option<(i64, Arc<Caller>)> {
        self.0.lock().ok()?.get(token).cloned()
    }

    fn keep(&self, token: Digest, size: i64, caller: &Arc<Caller>) {
        if let Ok(mut known) = self.0.lock() {
            if known.len() >= REMEMBERED {
                known.clear();
            }
            known.insert(token, (size, Arc::clone(caller)));
        }
    }
}

const SESSION_COOKIE: &str = "session";
const FORM_COOKIE: &str = "form";

/// Lets a request pass, or not.
///
/// # Errors
/// 401 when nobody is signed in, 403 without the right or from a foreign page.
pub async fn pass<B: MessageBody + 'static>(
    gate: Gate,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    // No name of ours holds a NUL, and PostgreSQL takes none in a text.
    if request.uri().path().contains("%00") {
        return Err(Error::new(Kind::NotFound, "no-page").into());
    }
    let caller = identify(&request).await?;
    let page = !request.path().starts_with("/api/");
    match (&caller, gate) {
        (None, Gate::Public) | (Some(_), Gate::Public | Gate::SignedIn) => {}
        (Some(caller), Gate::May(permission)) if caller.may(permission) => {}
        (Some(caller), Gate::May(permission)) => {
            tracing::info!(account = %caller.id, ?permission, path = request.path(), "refused");
            // The page that says so keeps the top bar of whoever asked.
            request.extensions_mut().insert(CsrfToken(form_token(&request, Some(caller)).token));
            request.extensions_mut().insert(viewer(caller));
            return Ok(request.error_response(Error::forbidden("no-right")).map_into_right_body());
        }
        (None, _) if page && request.method() == Method::GET && wants_html(&request) => {
            let to = request.uri().path_and_query().map_or("/", |to| to.as_str());
            let query = serde_urlencoded::to_string([("to", to)]).unwrap_or_default();
            let answer = HttpResponse::SeeOther()
                .insert_header((header::LOCATION, format!("/login?{query}")))
                .finish();
            return Ok(request.into_response(answer).map_into_right_body());
        }
        (None, _) => return Err(Error::new(Kind::Unauthenticated, "sign-in").into()),
    }
    let form = form_token(&request, caller.as_deref());
    request.extensions_mut().insert(CsrfToken(form.token));
    request.extensions_mut().insert(gate);
    if let Some(caller) = caller {
        if page {
            request.extensions_mut().insert(viewer(&caller));
        }
        request.extensions_mut().insert(Caller::clone(&caller));
    }
    let mut response = next.call(request).await?;
    if let Some(cookie) = form.cookie {
        response.response_mut().add_cookie(&cookie)?;
    }
    Ok(response.map_into_left_body())
}

/// The top bar: an entry, and what one must be allowed to see it.
const NAV: &[(NavItem, Permission)] = &[
    (NavItem { href: "/now", word: "nav-now" }, Permission::ReadInForce),
    (NavItem { href: "/documents", word: "nav-documents" }, Permission::ReadInForce),
    (NavItem { href: "/orders", word: "nav-orders" }, Permission::ReadRecords),
    (NavItem { href: "/deviations", word: "nav-deviations" }, Permission::ReadRecords),
    (NavItem { href: "/recalls", word: "nav-recalls" }, Permission::ReadRecords),
    (NavItem { href: "/trail", word: "nav-trail" }, Permission::ReadTrail),
    (NavItem { href: "/accounts", word: "nav-accounts" }, Permission::ReadAccounts),
];

/// What a person does first whose password an administrator set.
const PASSWORD_FIRST: NavItem = NavItem { href: "/password", word: "people-password-first" };

fn viewer(caller: &Caller) -> Viewer {
    let nav = NAV.iter().filter(|(_, permission)| caller.may(*permission)).map(|(item, _)| *item).collect();
    let search = if caller.may(Permission::ReadAllVersions) {
        Some(Search::Documents)
    } else {
        caller.may(Permission::ReadInForce).then_some(Search::Now)
    };
    let first = caller.must_change_password().then_some(PASSWORD_FIRST);
    let reads_trail = caller.may(Permission::ReadTrail);
    Viewer { name: caller.name.clone(), nav, reads_trail, search, first }
}

fn wants_html(request: &ServiceRequest) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

struct FormToken {
    token: String,
    cookie: Option<Cookie<'static>>,
}

/// The token of this visitor's forms: the session's, or one in a cookie before signing in.
fn form_token(request: &ServiceRequest, caller: Option<&Caller>) -> FormToken {
    if let Some(caller) = caller {
        return FormToken { token: caller.csrf.clone(), cookie: None };
    }
    if let Some(cookie) = request.cookie(FORM_COOKIE) {
        return FormToken { token: cookie.value().to_owned(), cookie: None };
    }
    if request.path().starts_with("/api/") || !wants_html(request) {
        return FormToken { token: Digest::from_bytes(crate::id::random()).to_string(), cookie: None };
    }
    let token = Digest::from_bytes(crate::id::random()).to_string();
    let cookie = cookie(FORM_COOKIE, token.clone(), is_tls(request));
    FormToken { token, cookie: Some(cookie) }
}

/// A cookie of ours: HttpOnly, SameSite=Lax, Secure behind TLS.
fn cookie(name: &'static str, value: String, tls: bool) -> Cookie<'static> {
    Cookie::build(name, value).path("/").http_only(true).same_site(SameSite::Lax).secure(tls).finish()
}

fn is_tls(request: &ServiceRequest) -> bool {
    request.connection_info().scheme() == "https"
}

/// The cookie that holds a session on the page's side; ended where there is no token. Secure where the visitor came
/// over TLS, as the proxy in front says.
pub fn session_cookie(request: &HttpRequest, token: Option<&str>) -> Cookie<'static> {
    let tls = request.connection_info().scheme() == "https";
    let mut cookie = cookie(SESSION_COOKIE, token.unwrap_or_default().to_owned(), tls);
    if token.is_none() {
        cookie.make_removal();
    }
    cookie
}

async fn identify(request: &ServiceRequest) -> Result<Option<Arc<Caller>>> {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    if let Some(value) = request.headers().get(header::AUTHORIZATION) {
        let bearer = value.to_str().ok().and_then(|value| value.split_once(' '));
        let Some((_, token)) = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) else {
            return Err(Error::new(Kind::Unauthenticated, "sign-in"));
        };
        let caller = of_token(request, token.trim()).await?;
        return caller.map(Some).ok_or_else(|| Error::new(Kind::Unauthenticated, "sign-in"));
    }
    let api = request.path().starts_with("/api/");
    // Signing in too: a foreign page must not sign somebody in as somebody else.
    if !safe && !api && !is_same_origin(request) {
        return Err(Error::forbidden("origin"));
    }
    let Some(cookie) = request.cookie(SESSION_COOKIE) else { return Ok(None) };
    if !safe && api {
        return Ok(None);
    }
    of_token(request, cookie.value()).await
}

/// A browser says where a form came from; what does not say so is no browser's foreign form.
fn is_same_origin(request: &ServiceRequest) -> bool {
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    if text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return false;
    }
    let Some(origin) = text("origin") else { return true };
    let host = request.connection_info().host().to_owned();
    origin.split_once("://").is_some_and(|(_, from)| from == host)
}

async fn of_token(request: &ServiceRequest, token: &str) -> Result<Option<Arc<Caller>>> {
    let Some(site) = request.app_data::<web::Data<Site>>() else { return Err(Error::internal("no site")) };
    let Some(callers) = request.app_data::<web::Data<Callers>>() else {
        return Err(Error::internal("no callers"));
    };
    let id = request.extensions().get::<RequestId>().map(|id| id.0.to_string()).unwrap_or_default();
    let (hash, now) = (Digest::of(token.as_bytes()), site.clock.now());
    if token.starts_with(TOKEN_PREFIX) {
        let caller = site.readers.read(move |db| of_api_token(db, hash, now)).await?;
        return Ok(caller.map(|caller| Arc::new(Caller { request: id, ..caller })));
    }
    if !token.starts_with(SESSION_PREFIX) {
        return Ok(None);
    }
    let halted = site.is_halted();
    if let Some(visits) = request.app_data::<web::Data<Visits>>().filter(|_| halted) {
        if visits.has_ended(&hash) {
            return Ok(None);
        }
        if let Some(visit) = visits.at(&hash, now) {
            let caller = site.readers.read(move |db| of_visit(db, (hash, visit), now)).await?;
            return Ok(caller.map(|caller| Arc::new(Caller { request: id, ..caller })));
        }
    }
    let known = callers.at(&hash);
    let read = site.readers.read_soon(move |db| of_session(db, hash, now, known)).await?;
    let Some(Found { caller, size, seen_at }) = read else { return Ok(None) };
    callers.keep(hash, size, &caller);
    // An idle time-out to the minute is exact enough, and spares a write at each request.
    if now.0 - seen_at.0 > 60_000_000 && !halted {
        let lane = site.lane.clone();
        actix_web::rt::spawn(async move {
            let seen = lane.write(move |tx| {
                let row = session::table.find(hash.to_string());
                diesel::update(row).set(session::seen_at.eq(now)).execute(tx.rows())?;
                Ok(())
            });
            if let Err(error) = seen.await {
                tracing::warn!(%error, "a session's use was not noted");
            }
        });
    }
    Ok(Some(Arc::new(Caller { request: id, ..Caller::clone(&caller) })))
}

struct Found {
    caller: Arc<Caller>,
    size: i64,
    seen_at: Timestamp,
}

/// The session is read at every request; its account again only when the ledger has grown.
fn of_session(
    db: &mut Db,
    hash: Digest,
    now: Timestamp,
    known: Option<(i64, Arc<Caller>)>,
) -> Result<Option<Found>> {
    let Some((session, size)) = store::session(db, hash)? else { return Ok(None) };
    let ended = session.ended_at.is_some()
        || session.seen_at.plus_seconds(IDLE_SECONDS) <= now
        || session.created_at.plus_seconds(ABSOLUTE_SECONDS) <= now;
    if ended {
        return Ok(None);
    }
    let seen_at = session.seen_at;
    let same = |caller: &Caller| caller.id == session.account_id;
    if let Some((at, caller)) = known.filter(|(at, caller)| *at == size && same(caller)) {
        let live = store::must_be_live(&caller.account, now).is_ok();
        return Ok(live.then_some(Found { caller, size: at, seen_at }));
    }
    if !store::is_opened(db, &session)? {
        tracing::warn!(
            account = %session.account_id,
            via = session.via,
            "a session was refused: the entry that opened it does not tell of this account"
        );
        return Ok(None);
    }
    let Some(caller) = load(db, &session.account_id, now)? else { return Ok(None) };
    let via = u64::try_from(session.via).ok();
    let caller = Caller { session: Some(hash), via, csrf: session.csrf, ledger_size: Some(size), ..caller };
    Ok(Some(Found { caller: Arc::new(caller), size, seen_at }))
}

/// Of a visit to a service that only reads: there is no session and no entry of it.
fn of_visit(db: &mut Db, (token, visit): (Digest, Visit), now: Timestamp) -> Result<Option<Caller>> {
    let size = ledger::head(db)?.and_then(|head| i64::try_from(head.size).ok());
    let caller = load(db, &visit.account, now)?;
    Ok(caller.map(|caller| Caller { session: Some(token), csrf: visit.csrf, ledger_size: size, ..caller }))
}

fn of_api_token(db: &mut Db, hash: Digest, now: Timestamp) -> Result<Option<Caller>> {
    let Some(token) = store::token(db, hash)? else { return Ok(None) };
    if token.expires_at <= now || token.revoked_at.is_some() {
        return Ok(None);
    }
    load(db, &token.account_id, now)
}

fn load(db: &mut Db, id: &str, now: Timestamp) -> Result<Option<Caller>> {
    let Some(state) = store::state(db, id)? else { return Ok(None) };
    if store::must_be_live(&state.account, now).is_err() {
        return Ok(None);
    }
    let person = store::person(db, id)?;
    Ok(Some(Caller {
        id: person.id,
        login: person.login,
        name: person.name,
        roles: person.roles,
        session: None,
        account: state.account,
        via: None,
        request: String::new(),
        csrf: String::new(),
        ledger_size: None,
    }))
}
