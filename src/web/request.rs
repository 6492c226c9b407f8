//! The rim: what happens around every request. It gets an id and a language, runs in a span of its own, is timed,
//! counted and logged; every refusal gets its words here, every answer its security headers.

use std::time::Instant;

use actix_web::body::{BodySize, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{
    ACCEPT, ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, HeaderMap, HeaderName,
    HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpResponse, web};
use tracing::Instrument;
use uuid::Uuid;

use super::metrics::Metrics;
use super::page::{Site, theme_of};
use super::problem::{self, Asked};
use super::words::Lang;
use crate::error::{Error, Kind};

/// The policy every answer carries: nothing inline, nothing from elsewhere, no frames.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'; connect-src 'self'; manifest-src 'self'";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// The id of a request, in its extensions and on its answer as `X-Request-Id`.
#[derive(Debug, Clone, Copy)]
pub struct RequestId(pub Uuid);

/// The outermost layer but compression: `.wrap(from_fn(web::request::around))` after (that is, outside) the gate.
///
/// It uses [`Site`] and [`Metrics`] where the application has them as `web::Data`. Layers inside it may answer or
/// return [`Error`]; both get words and headers.
pub async fn around<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let started = Instant::now();
    let asked = asked(&request);
    let site = request.app_data::<web::Data<Site>>().cloned();
    let metrics = request.app_data::<web::Data<Metrics>>().cloned();
    let method = request.method().clone();
    request.extensions_mut().insert(RequestId(asked.id));
    request.extensions_mut().insert(asked.lang);
    let span = tracing::info_span!("request", id = %asked.id);
    let answered = next.call(request).instrument(span).await;

    let count = |route: Option<&str>, status: StatusCode| {
        let taken = started.elapsed();
        let micros = u64::try_from(taken.as_micros()).unwrap_or(u64::MAX);
        let (method, status) = (method.as_str(), status.as_u16());
        tracing::info!(target: "access", id = %asked.id, method, route = route.unwrap_or("-"), status, micros);
        if let Some(metrics) = &metrics {
            metrics.count(method, route, status, taken.as_secs_f64());
        }
    };
    match answered {
        Ok(response) => {
            let mut response = worded(response, &asked, site.as_ref().map(|site| site.get_ref()));
            dress(response.headers_mut(), &asked);
            count(response.request().match_pattern().as_deref(), response.status());
            Ok(response)
        }
        Err(cause) => {
            let mut answer = refuse(&cause, &asked, site.as_ref());
            dress(answer.headers_mut(), &asked);
            count(None, answer.status());
            Err(InternalError::from_response(cause.to_string(), answer).into())
        }
    }
}

fn asked(request: &ServiceRequest) -> Asked {
    let headers = request.headers();
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let cookie = headers
        .get_all(COOKIE)
        .filter_map(|value| value.to_str().ok())
        .find_map(|value| cookie(value, "lang"));
    Asked {
        lang: Lang::negotiate(cookie, text(&ACCEPT_LANGUAGE)),
        theme: theme_of(headers),
        page: !request.path().starts_with("/api/")
            && text(&ACCEPT).is_some_and(|types| types.contains("text/html")),
        uri: request.uri().clone(),
        id: Uuid::now_v7(),
    }
}

/// One cookie of a `Cookie` header, without reading the others.
pub(super) fn cookie<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.split(';').find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// Gives words to a bare refusal; other answers pass.
fn worded<B: MessageBody + 'static>(
    response: ServiceResponse<B>,
    asked: &Asked,
    site: Option<&Site>,
) -> ServiceResponse<EitherBody<B>> {
    let status = response.status();
    let cause = response.response().error();
    let bare = matches!(response.response().body().size(), BodySize::None | BodySize::Sized(0));
    let refused = status.is_client_error() || status.is_server_error();
    if !refused || (cause.is_none() && !bare) {
        return response.map_into_left_body();
    }
    let mut answer = match cause.and_then(|cause| cause.as_error::<Error>()) {
        Some(error) => problem::answer(error, asked, Some(response.request()), site),
        None => {
            let error = stand_in(status, cause.map(ToString::to_string).unwrap_or_default());
            problem::answer(&error, asked, Some(response.request()), site)
        }
    };
    let kept = response.headers().get(header::ALLOW).cloned();
    let (request, _) = response.into_parts();
    if let Some(allow) = kept {
        answer.headers_mut().insert(header::ALLOW, allow);
    }
    ServiceResponse::new(request, answer).map_into_right_body()
}

/// The answer to an error that an inner layer returned instead of answering.
fn refuse(cause: &actix_web::Error, asked: &Asked, site: Option<&web::Data<Site>>) -> HttpResponse {
    let site = site.map(|site| site.get_ref());
    match cause.as_error::<Error>() {
        Some(error) => problem::answer(error, asked, None, site),
        None => {
            let error = stand_in(cause.as_response_error().status_code(), cause.to_string());
            problem::answer(&error, asked, None, site)
        }
    }
}

/// Our error for a refusal of the framework, by its status.
fn stand_in(status: StatusCode, cause: String) -> Error {
    let (kind, code) = match status {
        StatusCode::NOT_FOUND => (Kind::NotFound, "no-page"),
        StatusCode::METHOD_NOT_ALLOWED => (Kind::NotFound, "method-not-allowed"),
        StatusCode::PAYLOAD_TOO_LARGE => (Kind::TooLarge, "too-large"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => (Kind::Unsupported, "unsupported-media"),
        StatusCode::UNAUTHORIZED => (Kind::Unauthenticated, "sign-in"),
        StatusCode::FORBIDDEN => (Kind::Forbidden, "no-right"),
        StatusCode::SERVICE_UNAVAILABLE => (Kind::Unavailable, "unavailable"),
        status if status.is_client_error() => (Kind::Malformed, "malformed-request"),
        _ => (Kind::Internal, "internal"),
    };
    let (most, wanted) = (super::json::LONGEST.to_string(), "application/json");
    Error::new(kind, code).arg("most", most).arg("wanted", wanted).caused_by(cause)
}

/// The headers every answer carries.
fn dress(headers: &mut HeaderMap, asked: &Asked) {
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(OPENER, HeaderValue::from_static("same-origin"));
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    if let Ok(id) = HeaderValue::from_str(asked.id.hyphenated().encode_lower(&mut text)) {
        headers.insert(REQUEST_ID, id);
    }
}
