//! The desk a handler works at: a [`Reader`] asks, only a [`Desk`] also writes and signs.

use std::collections::HashSet;
use std::future::{Ready, ready};
use std::sync::Mutex;

use actix_web::http::{Method, header};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::gate::{Caller, Gate};
use super::kept::Repeatable;
use super::rights::Permission;
use super::sessions::{self, Attempt};
use crate::error::{Error, Kind, Result};
use crate::ledger::digest::Digest;
use crate::ledger::lane::Tx;
use crate::ledger::site::Site;
use crate::signatures::Signer;
use crate::store::Db;
use crate::web::json::RequestDigest;

/// For handlers that only ask.
#[derive(Clone)]
pub struct Reader {
    /// The installation.
    pub site: web::Data<Site>,
    /// Who asks.
    pub caller: Caller,
}

impl Reader {
    /// Answers a question from one consistent state.
    ///
    /// # Errors
    /// What `question` answers.
    pub async fn read<T, F>(&self, question: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Db) -> Result<T> + Send + 'static,
    {
        self.site.readers.read(question).await
    }
}

/// For handlers that change something. Not to be had on a route whose gate only reads.
pub struct Desk {
    /// The installation.
    pub site: web::Data<Site>,
    /// Who acts.
    pub caller: Caller,
    in_flight: web::Data<InFlight>,
    request: HttpRequest,
}

/// Idempotency keys whose first request is not yet answered by this process.
#[derive(Default)]
pub struct InFlight(Mutex<HashSet<(String, String)>>);

/// An answer of the API, made inside its change so that an idempotency key keeps exactly what was done.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reply {
    status: u16,
    location: Option<String>,
    tag: Option<String>,
    body: Value,
}

impl Reply {
    /// 200 with a body.
    ///
    /// # Errors
    /// The body cannot be written as JSON.
    pub fn ok(body: impl Serialize) -> Result<Self> {
        let body = serde_json::to_value(body).map_err(Error::internal)?;
        Ok(Self { status: 200, location: None, tag: None, body })
    }

    /// 201 with its address and body.
    ///
    /// # Errors
    /// As [`Reply::ok`].
    pub fn created(location: impl Into<String>, body: impl Serialize) -> Result<Self> {
        Ok(Self::ok(body)?.at(location))
    }

    /// The same as 201 with its address: what it tells was just made.
    pub fn at(self, location: impl Into<String>) -> Self {
        Self { status: 201, location: Some(location.into()), ..self }
    }

    /// 202: the work goes on at `location`.
    ///
    /// # Errors
    /// As [`Reply::ok`].
    pub fn accepted(location: impl Into<String>, body: impl Serialize) -> Result<Self> {
        Ok(Self { status: 202, ..Self::created(location, body)? })
    }

    /// The same with the `ETag` that reading gives: the digest of what the body shows.
    pub fn tagged(self, digest: &str) -> Self {
        Self { tag: Some(format!("\"{digest}\"")), ..self }
    }

    /// The HTTP answer.
    pub fn answer(self) -> HttpResponse {
        let status = actix_web::http::StatusCode::from_u16(self.status).unwrap_or_default();
        let mut answer = HttpResponse::build(status);
        if let Some(location) = self.location {
            answer.insert_header((header::LOCATION, location));
        }
        if let Some(tag) = self.tag {
            answer.insert_header((header::ETAG, tag));
        }
        answer.json(self.body)
    }
}

impl Desk {
    /// Answers a question from one consistent state.
    ///
    /// # Errors
    /// What `question` answers.
    pub async fn read<T, F>(&self, question: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Db) -> Result<T> + Send + 'static,
    {
        self.site.readers.read(question).await
    }

    /// Runs a change on the lane.
    ///
    /// # Errors
    /// What the change refuses.
    pub async fn write<T, F>(&self, change: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.site.lane.write(change).await
    }

    /// Runs a change and answers with what it made; under an `Idempotency-Key` the same request is answered the same
    /// for 24 hours.
    ///
    /// # Errors
    /// What the change refuses; 422 for another request under a used key, 409 while the first is in flight.
    pub async fn reply<F>(&self, change: F) -> Result<HttpResponse>
    where
        F: Fn(&mut Tx<'_>) -> Result<Reply> + Send + 'static,
    {
        let Some(key) = self.key()? else { return Ok(self.write(change).await?.answer()) };
        let _turn = Turn::take(&self.in_flight, (self.caller.id.clone(), key.clone()))?;
        let request = Repeatable::new(&self.caller.id, &key, self.request_digest());
        let reply = self.write(move |tx| {
            if let Some(before) = request.answered(tx)? {
                return Ok(before);
            }
            let reply = change(tx)?;
            request.keep(tx, &reply)?;
            Ok(reply)
        });
        Ok(reply.await?.answer())
    }

    /// Checks the password given again, then runs the change that signs. A refusal is noted on the subject.
    ///
    /// # Errors
    /// 403 `password`, 403 for an API token or an unchanged administrator's password, 429, what the change refuses.
    pub async fn signed<T, F>(
        &self,
        permission: Permission,
        password: &str,
        attempt: Attempt,
        change: F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>, &Signer) -> Result<T> + Send + 'static,
    {
        let signer = self.confirm(permission, password, &attempt).await?;
        let note = (signer.actor.clone(), attempt);
        let outcome = self.write(move |tx| change(tx, &signer)).await;
        self.note_refusal(outcome, note).await
    }

    /// The same for the API, under an `Idempotency-Key` where there is one.
    ///
    /// # Errors
    /// As [`Desk::signed`] and [`Desk::reply`].
    pub async fn signed_reply<F>(
        &self,
        permission: Permission,
        password: &str,
        attempt: Attempt,
        change: F,
    ) -> Result<HttpResponse>
    where
        F: Fn(&mut Tx<'_>, &Signer) -> Result<Reply> + Send + 'static,
    {
        let signer = self.confirm(permission, password, &attempt).await?;
        let note = (signer.actor.clone(), attempt);
        let outcome = self.reply(move |tx| change(tx, &signer)).await;
        self.note_refusal(outcome, note).await
    }

    async fn confirm(&self, permission: Permission, password: &str, attempt: &Attempt) -> Result<Signer> {
        let caller = &self.caller;
        let actor = caller.actor(permission)?;
        let refused = if caller.session.is_none() {
            Some("token-cannot-sign")
        } else if caller.must_change_password() {
            Some("must-change-password")
        } else {
            None
        };
        if let Some(code) = refused {
            sessions::refuse_signature(&self.site, actor, attempt.clone(), code, None).await?;
            return Err(Error::forbidden(code));
        }
        let who = (&caller.account, caller.login.as_str());
        sessions::confirm(&self.site, who, password, (actor.clone(), attempt.clone())).await?;
        Ok(Signer::by_password(actor, caller.name.clone()))
    }

    async fn note_refusal<T>(
        &self,
        outcome: Result<T>,
        (actor, attempt): (crate::ledger::lane::Actor, Attempt),
    ) -> Result<T> {
        let Err(error) = outcome else { return outcome };
        if matches!(error.kind(), Kind::Forbidden | Kind::Conflict | Kind::Stale | Kind::Invalid) {
            sessions::refuse_signature(&self.site, actor, attempt, error.code(), None).await?;
        }
        Err(error)
    }

    fn key(&self) -> Result<Option<String>> {
        let Some(value) = self.request.headers().get("idempotency-key") else { return Ok(None) };
        let key = value.to_str().unwrap_or_default();
        let printable =
            (1..=128).contains(&key.len()) && key.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        if printable {
            Ok(Some(key.to_owned()))
        } else {
            Err(Error::invalid("Idempotency-Key", "idempotency-key"))
        }
    }

    fn request_digest(&self) -> String {
        let read = self.request.extensions().get::<RequestDigest>().map(|digest| digest.0);
        let digest = read
            .unwrap_or_else(|| RequestDigest::of(self.request.method().as_str(), self.request.path(), b"").0);
        Digest::from_bytes(digest).to_string()
    }
}

/// Holds a key while its request runs.
struct Turn<'a> {
    held: &'a InFlight,
    key: (String, String),
}

impl<'a> Turn<'a> {
    fn take(held: &'a InFlight, key: (String, String)) -> Result<Self> {
        let mut keys = held.0.lock().map_err(|_| Error::internal("idempotency keys are poisoned"))?;
        if !keys.insert(key.clone()) {
            return Err(Error::conflict("idempotency-in-flight"));
        }
        Ok(Self { held, key })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Ok(mut keys) = self.held.0.lock() {
            keys.remove(&self.key);
        }
    }
}

fn site_of(request: &HttpRequest) -> Result<web::Data<Site>> {
    request.app_data::<web::Data<Site>>().cloned().ok_or_else(|| Error::internal("no site"))
}

fn caller_of(request: &HttpRequest) -> Result<Caller> {
    let caller = request.extensions().get::<Caller>().cloned();
    caller.ok_or_else(|| Error::new(Kind::Unauthenticated, "sign-in"))
}

impl FromRequest for Reader {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut actix_web::dev::Payload) -> Self::Future {
        let reader = || Ok(Self { site: site_of(request)?, caller: caller_of(request)? });
        ready(reader())
    }
}

impl FromRequest for Desk {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut actix_web::dev::Payload) -> Self::Future {
        let desk = || {
            let gate = request.extensions().get::<Gate>().copied();
            let reads = matches!(gate, Some(Gate::May(permission)) if !permission.writes());
            if request.method() == Method::GET
                || (reads && !matches!(gate, Some(Gate::May(Permission::ReadTrail))))
            {
                return Err(Error::internal("a reading route asked for a desk that writes"));
            }
            let in_flight = request.app_data::<web::Data<InFlight>>().cloned();
            Ok(Self {
                site: site_of(request)?,
                caller: caller_of(request)?,
                in_flight: in_flight.ok_or_else(|| Error::internal("no keys in flight"))?,
                request: request.clone(),
            })
        };
        ready(desk())
    }
}
