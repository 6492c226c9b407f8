//! From an error to an answer: the status, and the words as `application/problem+json` (RFC 9457) or as a page.
//!
//! Handlers return [`Error`]; its bare response is given words at the rim ([`super::request::around`]), where the
//! reader's language is known. One line is logged for each 5xx, with cause and request id; none for a form that comes
//! back because the ledger is halted, for that was logged when it happened.

use std::ops::Deref;

use actix_web::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::http::{StatusCode, Uri};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::page::{Frame, Site, page, percent};
use super::words::{Arg, Lang, Words};
use crate::error::{Error, FieldError, Kind, Result};

/// The status of an error: contract.md's table.
pub fn status(error: &Error) -> StatusCode {
    match (error.kind(), error.code()) {
        (Kind::NotFound, "method-not-allowed") => StatusCode::METHOD_NOT_ALLOWED,
        (Kind::Unsupported, "not-acceptable") => StatusCode::NOT_ACCEPTABLE,
        (Kind::Malformed, _) => StatusCode::BAD_REQUEST,
        (Kind::Unauthenticated, _) => StatusCode::UNAUTHORIZED,
        (Kind::Forbidden, _) => StatusCode::FORBIDDEN,
        (Kind::NotFound, _) => StatusCode::NOT_FOUND,
        (Kind::Conflict, _) => StatusCode::CONFLICT,
        (Kind::Stale, _) => StatusCode::PRECONDITION_FAILED,
        (Kind::Unconditional, _) => StatusCode::PRECONDITION_REQUIRED,
        (Kind::TooLarge, _) => StatusCode::PAYLOAD_TOO_LARGE,
        (Kind::Unsupported, _) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        (Kind::Invalid, _) => StatusCode::UNPROCESSABLE_ENTITY,
        (Kind::Locked, _) => StatusCode::TOO_MANY_REQUESTS,
        (Kind::Unavailable, _) => StatusCode::SERVICE_UNAVAILABLE,
        (Kind::Internal, _) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        status(self)
    }

    /// Status alone: the words follow at the rim.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(status(self))
    }
}

/// The word of a family, for a code without words of its own.
const fn family(kind: Kind) -> &'static str {
    match kind {
        Kind::Malformed => "kind-malformed",
        Kind::Unauthenticated => "kind-unauthenticated",
        Kind::Forbidden => "kind-forbidden",
        Kind::NotFound => "kind-not-found",
        Kind::Conflict => "kind-conflict",
        Kind::Stale => "kind-stale",
        Kind::Unconditional => "kind-unconditional",
        Kind::TooLarge => "kind-too-large",
        Kind::Unsupported => "kind-unsupported",
        Kind::Invalid => "kind-invalid",
        Kind::Locked => "kind-locked",
        Kind::Unavailable => "kind-unavailable",
        Kind::Internal => "kind-internal",
    }
}

fn worded(error: &Error, w: Words, attribute: &str) -> String {
    let own = format!("problem-{}{attribute}", error.code());
    let key = if w.has(&own) { own } else { format!("{}{attribute}", family(error.kind())) };
    w.with(&key, &arguments(error.args())).into_owned()
}

/// What happened, in a few words.
pub fn title(error: &Error, w: Words) -> String {
    worded(error, w, "")
}

/// What it means and what to do.
pub fn detail(error: &Error, w: Words) -> String {
    worded(error, w, ".detail")
}

/// What is wrong with one field.
pub fn field_message(field: &FieldError, w: Words) -> String {
    let own = format!("field-{}", field.code);
    let key = if w.has(&own) { own } else { "field-unacceptable".to_owned() };
    w.with(&key, &arguments(&field.args)).into_owned()
}

fn arguments<'a>(args: &'a [(&'static str, String)]) -> Vec<(&'a str, Arg<'a>)> {
    args.iter().map(|(name, value)| (*name, value.as_str().into())).collect()
}

/// A refusal with which a form comes back to whoever sent it.
#[derive(Debug)]
pub struct Refused(Error);

impl Refused {
    /// What can be mended in the form, or be waited for: also that nothing is written, for the words typed are not
    /// to be lost with it.
    ///
    /// # Errors
    /// The error itself, where it is a failure or speaks of what is not there.
    pub fn by(error: Error) -> Result<Self> {
        let status = status(&error);
        let failed = status.is_server_error() && error.code() != "ledger-halted";
        if failed || status == StatusCode::NOT_FOUND { Err(error) } else { Ok(Self(error)) }
    }

    /// The form's page, with the refusal's status and for how long to wait.
    pub fn page(&self, template: &impl askama::Template) -> HttpResponse {
        let mut answer = page(template, status(&self.0));
        if let Some(seconds) = self.0.retry() {
            answer.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        answer
    }
}

impl Deref for Refused {
    type Target = Error;

    fn deref(&self) -> &Error {
        &self.0
    }
}

/// What the rim knows of a request when it must word a refusal.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The reader's language.
    pub lang: Lang,
    /// The theme the reader chose; empty follows the system.
    pub theme: &'static str,
    /// Whether a person's browser asks: outside `/api/`, and it takes HTML.
    pub page: bool,
    /// The address asked for.
    pub uri: Uri,
    /// The request's id.
    pub id: Uuid,
}

/// The problem document of `error`.
pub fn document(error: &Error, asked: &Asked) -> Value {
    let w = Words::of(asked.lang);
    let mut document: Map<String, Value> = error.extra().clone();
    document.insert("type".into(), format!("/problems/{}", error.code()).into());
    document.insert("title".into(), title(error, w).into());
    document.insert("status".into(), status(error).as_u16().into());
    document.insert("detail".into(), detail(error, w).into());
    if !error.fields().is_empty() {
        let errors = error.fields().iter();
        let errors = errors.map(|field| json!({ "field": field.field, "message": field_message(field, w) }));
        document.insert("errors".into(), errors.collect());
    }
    if status(error).is_server_error() {
        document.insert("instance".into(), format!("urn:uuid:{}", asked.id).into());
    }
    Value::Object(document)
}

#[derive(askama::Template)]
#[template(path = "error.html")]
struct ErrorPage {
    frame: Frame,
    detail: String,
    faults: Vec<String>,
    leads: Vec<(String, String)>,
    request: Option<Uuid>,
}

/// Where the page of a refusal leads on to, with words: for a record that was disposed of, to what says why.
fn leads(error: &Error, frame: &Frame) -> Vec<(String, String)> {
    let given = |name: &str| error.args().iter().find(|(known, _)| *known == name).map(|(_, value)| value);
    let ("disposed", Some(disposal), Some(subject)) = (error.code(), given("disposal"), given("subject"))
    else {
        return Vec::new();
    };
    let words = |attribute: &str| frame.w.attr("problem-disposed", attribute, &arguments(error.args()));
    let disposal = (format!("/retention/disposals/{disposal}"), words("see").into_owned());
    let trail = (format!("/trail?subject={}", percent(subject)), words("trail").into_owned());
    std::iter::once(disposal).chain(frame.reads_trail.then_some(trail)).collect()
}

/// The whole answer to a refused or failed request, `request` where the rim still has it. Logs a 5xx.
pub fn answer(
    error: &Error,
    asked: &Asked,
    request: Option<&HttpRequest>,
    site: Option<&Site>,
) -> HttpResponse {
    let status = status(error);
    if status.is_server_error() {
        tracing::error!(id = %asked.id, path = asked.uri.path(), status = status.as_u16(), %error, "failed");
    }
    let mut response = match (asked.page, site.and_then(|site| site.sign_in)) {
        (true, Some(sign_in)) if error.kind() == Kind::Unauthenticated && error.code() == "sign-in" => {
            return sign_in(asked.uri.path_and_query().map_or("/", |address| address.as_str()));
        }
        (true, _) => {
            let w = Words::of(asked.lang);
            let frame = match (request, site) {
                (Some(request), _) => Frame::of(request, title(error, w)),
                (None, site) => Frame::bare(asked, site, title(error, w)),
            };
            let faults = error.fields().iter().map(|field| field_message(field, w)).collect();
            let request = status.is_server_error().then_some(asked.id);
            let leads = leads(error, &frame);
            page(&ErrorPage { frame, detail: detail(error, w), faults, leads, request }, status)
        }
        (false, _) => HttpResponse::build(status)
            .insert_header((CONTENT_TYPE, "application/problem+json"))
            .body(document(error, asked).to_string()),
    };
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(seconds) = error.retry() {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(lang: Lang) -> Asked {
        Asked { lang, theme: "", page: false, uri: Uri::from_static("/api/v1/documents"), id: Uuid::nil() }
    }

    #[test]
    fn a_problem_names_its_type_its_fields_and_what_else_it_was_given() {
        let error = Error::invalid("title", "required").with("in_force", "2.0");
        let document = document(&error, &asked(Lang::En));
        assert_eq!(document["type"], "/problems/invalid");
        assert_eq!(document["status"], 422);
        assert_eq!(document["in_force"], "2.0");
        assert_eq!(document["errors"][0]["field"], "title");
        assert_eq!(document["errors"][0]["message"], Words::of(Lang::En).t("field-required").as_ref());
    }

    #[test]
    fn a_code_without_words_speaks_with_those_of_its_family() {
        for lang in Lang::ALL {
            let document = document(&Error::conflict("never-heard-of"), &asked(lang));
            assert_eq!(document["title"], Words::of(lang).t("kind-conflict").as_ref());
            assert_eq!(document["type"], "/problems/never-heard-of");
        }
    }

    #[test]
    fn an_extra_member_never_replaces_one_of_the_standard() {
        let document = document(&Error::conflict("stale-digest").with("status", 200), &asked(Lang::Zh));
        assert_eq!(document["status"], 409);
    }
}
