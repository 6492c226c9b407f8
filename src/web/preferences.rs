//! What a reader chooses for themself, kept in cookies: the language and the theme. Nothing is recorded of it.

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::page::{local_address, see_other};
use super::query::Query;
use super::words::Lang;
use crate::error::{Error, Result};

/// How long a choice is kept, in days.
const KEPT: i64 = 365;

#[derive(Debug, Deserialize)]
struct Back {
    #[serde(default)]
    to: String,
}

/// `/language/{tag}` and `/theme/{name}`: set the cookie, go back to `to`.
pub fn routes(config: &mut web::ServiceConfig) {
    config.route("/language/{tag}", web::get().to(language)).route("/theme/{name}", web::get().to(theme));
}

async fn language(tag: web::Path<String>, back: Query<Back>) -> Result<HttpResponse> {
    let lang = Lang::ALL.into_iter().find(|lang| lang.tag() == tag.as_str());
    let lang = lang.ok_or_else(|| Error::not_found("language", tag.as_str()))?;
    remember("lang", lang.tag(), &back.0.to)
}

async fn theme(name: web::Path<String>, back: Query<Back>) -> Result<HttpResponse> {
    match name.as_str() {
        "light" => remember("theme", "light", &back.0.to),
        "dark" => remember("theme", "dark", &back.0.to),
        "system" => remember("theme", "system", &back.0.to),
        other => Err(Error::not_found("theme", other)),
    }
}

fn remember(name: &'static str, value: &'static str, to: &str) -> Result<HttpResponse> {
    let cookie = Cookie::build(name, value).path("/").same_site(SameSite::Lax).http_only(true);
    let mut answer = see_other(&local_address(to));
    let added = answer.add_cookie(&cookie.max_age(Duration::days(KEPT)).finish());
    added.map(|()| answer).map_err(|error| Error::internal(error.to_string()))
}
