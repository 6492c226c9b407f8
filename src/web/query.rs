//! The query string, read by the same rules as a form: a value that does not fit is 422 with its field.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;

use super::form::{pairs, read};
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
