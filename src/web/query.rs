//! The query string, read by the same rules as a form: a value that does not fit is 422 with its field, and on a route
//! for machines so is a parameter that the route does not know ([`only`]). Pages pass over what they do not know.

use std::collections::BTreeSet;
use std::future::{Ready, ready};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;

use super::form::{pairs, read};
use super::input::Faults;
use crate::error::{Error, Result};

/// The parameters of the query string, as a `T`; an empty one is `None` for an `Option`.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(pairs(request.query_string().as_bytes()).and_then(|pairs| read(&pairs)).map(Self))
    }
}

/// A layer that lets only these parameters through: a filter mistyped and passed over would answer with what was not
/// asked for.
///
/// # Errors
/// What the handler behind it answers.
pub async fn only<B: MessageBody + 'static>(
    known: &BTreeSet<String>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    match unknown(request.query_string(), known) {
        Ok(()) => Ok(next.call(request).await?.map_into_left_body()),
        Err(error) => Ok(request.error_response(error).map_into_right_body()),
    }
}

fn unknown(query: &str, known: &BTreeSet<String>) -> Result<()> {
    let mut faults = Faults::new();
    for (name, _) in pairs(query.as_bytes())? {
        if !known.contains(&name) {
            faults.note(name, "unknown-parameter");
        }
    }
    faults.check()
}
