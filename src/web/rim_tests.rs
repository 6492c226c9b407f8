//! The rim and the base page, tried with a small application.

use std::rc::Rc;

use actix_web::body::to_bytes;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, LOCATION, RETRY_AFTER, SET_COOKIE};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, HttpMessage, HttpRequest, HttpResponse, test, web};
use serde::Deserialize;

use super::form::{CsrfToken, Form, Typed};
use super::json::Body;
use super::metrics::Metrics;
use super::page::{Frame, NavItem, Search, Site, Verdict, Viewer, page, percent, see_other};
use super::parts::{Choice, Sheet, Signature, Standing};
use super::query::Query;
use super::{input, page::words_of, request};
use crate::error::{Error, Kind, Result};
use crate::time::{Clock, Timestamp};

const NOON: Timestamp = Timestamp(1_772_337_600_000_000);

#[derive(askama::Template)]
#[template(
    ext = "html",
    source = r#"{% extends "base.html" %}
{% block main %}<h1>{{ frame.title }}</h1>{{ frame.state("in_force") }}{{ frame.signatures(signatures) }}
{{ frame.hash_line(Some(true), "8d438b01aaaaaaaa5984", Some(7)) }}{{ frame.pager(2, Some(1204), Some("abc")) }}
<form method="post">{{ sheet.summary() }}{{ sheet.line("person") }}{{ sheet.text("comma") }}{{ sheet.password("password", "current-password") }}
{{ sheet.choice("kind", choices) }}{{ sheet.radios("nobody", choices) }}{{ sheet.date("as-of") }}</form>{% endblock %}"#
)]
struct Sample {
    frame: Frame,
    signatures: Vec<Signature>,
    sheet: Sheet,
    choices: Vec<Choice>,
}

#[derive(Debug, Default, Deserialize)]
struct Fields {
    #[serde(default)]
    person: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    title: String,
}

#[derive(Debug, Deserialize)]
struct Wanted {
    page: Option<u16>,
}

fn sample(request: &HttpRequest, typed: Typed, refused: Option<&Error>) -> HttpResponse {
    let sheet = Sheet::new(words_of(request), "base", typed);
    let sheet = refused.into_iter().fold(sheet, Sheet::refused);
    let sign = |standing, name: &str| Signature {
        meaning: "approved".into(),
        name: name.into(),
        role: "QA".into(),
        comment: String::new(),
        standing,
        hash: "41242b9f00000bbb".into(),
    };
    let signatures = vec![
        sign(Standing::Final(NOON), "<b>王</b>"),
        sign(Standing::Open, "李"),
        sign(Standing::Broken(NOON), "张"),
    ];
    let choices = vec![Choice { value: "sop".into(), label: "操作规程".into() }];
    let frame = Frame::of(request, "Sample").under("/documents");
    page(&Sample { frame, signatures, sheet, choices }, StatusCode::OK)
}

async fn shown(request: HttpRequest) -> HttpResponse {
    sample(&request, Typed::from_pairs([("kind", "sop"), ("person", "a\"<")]), None)
}

async fn sent(request: HttpRequest, form: Form<Fields>) -> HttpResponse {
    match input::line("person", &form.fields.person, 5) {
        Ok(_) => see_other("/sample?notice=saved"),
        Err(error) => sample(&request, form.typed, Some(&error)),
    }
}

async fn drafted(body: Body<Draft>) -> HttpResponse {
    HttpResponse::Created().body(body.0.title)
}

async fn counted(query: Query<Wanted>) -> HttpResponse {
    HttpResponse::Ok().body(query.0.page.unwrap_or(1).to_string())
}

async fn failing() -> Result<HttpResponse> {
    Err(Error::internal("the disk is gone").retry_after(3))
}

async fn gate(
    request: actix_web::dev::ServiceRequest,
    next: Next<impl actix_web::body::MessageBody>,
) -> Result<ServiceResponse<impl actix_web::body::MessageBody>, actix_web::Error> {
    if request.path() == "/closed" {
        return Err(Error::new(Kind::Unauthenticated, "sign-in").into());
    }
    let nav = Rc::from([NavItem { href: "/documents", word: "nav-documents" }]);
    let viewer = Viewer { name: "QA 经理".into(), nav, search: Some(Search::Documents) };
    request.extensions_mut().insert(viewer);
    request.extensions_mut().insert(CsrfToken("token".into()));
    next.call(request).await
}

async fn app() -> impl Service<actix_http::Request, Response = ServiceResponse<impl actix_web::body::MessageBody>, Error = actix_web::Error>
{
    let mut site = Site::new("华东分拨中心", chrono_tz::Asia::Shanghai, Clock::scripted(NOON));
    site.demo = true;
    site.sign_in = Some(|to| see_other(&format!("/login?to={}", percent(to))));
    site.set_verdict(Verdict { ok: true, checked_to: 1_204_311, at: NOON, root: "21739d0e0000dd52".into() });
    let app = App::new()
        .app_data(web::Data::new(site))
        .app_data(web::Data::new(Metrics::new(|_| ())))
        .wrap(from_fn(gate))
        .wrap(from_fn(request::around))
        .configure(super::routes)
        .service(web::resource("/sample").get(shown).post(sent))
        .route("/count", web::get().to(counted))
        .route("/failing", web::get().to(failing))
        .route("/api/v1/drafts", web::post().to(drafted))
        .route("/metrics", web::get().to(|metrics: web::Data<Metrics>| async move { metrics.render() }));
    test::init_service(app).await
}
