//! The rim and the base page, tried with a small application.

use std::rc::Rc;

use actix_web::body::to_bytes;
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, AsHeaderName, CACHE_CONTROL, HeaderMap, LOCATION, RETRY_AFTER, SET_COOKIE,
};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, HttpMessage, HttpRequest, HttpResponse, test, web};
use serde::Deserialize;

use super::form::{CsrfToken, Form, Typed};
use super::json::Body;
use super::metrics::Metrics;
use super::page::{Frame, NavItem, Search, Site, Verdict, Viewer, page, percent, see_other};
use super::parts::{Choice, EntryLink, Sheet, Signature, Standing};
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
{{ frame.hash_line(Some(true), "8d438b01aaaaaaaa5984", Some(entry)) }}{{ frame.tally_page(2, Some(1204), Some("abc")) }}{{ frame.pager(Some("abc")) }}
<form method="post">{{ frame.csrf_field() }}{{ sheet.summary() }}{{ sheet.line("person") }}{{ sheet.text("comma") }}{{ sheet.password("password", "current-password") }}
{{ sheet.choice("kind", choices) }}{{ sheet.radios("nobody", choices) }}{{ sheet.date("as-of") }}</form>{% endblock %}"#
)]
struct Sample {
    frame: Frame,
    signatures: Vec<Signature>,
    entry: EntryLink,
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
    let entry = EntryLink { seq: 7, epoch: 1, is_past: false, leaf: "5b5fc62e00000c2f".into() };
    let sign = |standing, name: &str| Signature {
        meaning: "approved".into(),
        name: name.into(),
        role: "QA".into(),
        comment: String::new(),
        standing,
        hash: "41242b9f00000bbb".into(),
        entry: Some(entry.clone()),
    };
    let signatures = vec![
        sign(Standing::Final(NOON), "<b>王</b>"),
        sign(Standing::Open, "李"),
        sign(Standing::Broken(NOON), "张"),
    ];
    let choices = vec![Choice { value: "sop".into(), label: "操作规程".into() }];
    let frame = Frame::of(request, "Sample").under("/documents");
    page(&Sample { frame, signatures, entry, sheet, choices }, StatusCode::OK)
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
    let search = Some(Search::Documents);
    let viewer = Viewer { name: "QA 经理".into(), nav, reads_trail: false, search, first: None };
    request.extensions_mut().insert(viewer);
    request.extensions_mut().insert(CsrfToken("token".into()));
    next.call(request).await
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: impl AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Asks a fresh application, and as the dispatcher does, turns an error into its response.
async fn ask(request: test::TestRequest) -> Answer {
    let mut site = Site::new("华东分拨中心", chrono_tz::Asia::Shanghai, Clock::scripted(NOON));
    site.demo = true;
    site.sign_in = Some(|to| see_other(&format!("/login?to={}", percent(to))));
    site.set_verdict(Verdict {
        ok: true,
        unguarded: false,
        checked_to: 1_204_311,
        past: None,
        at: NOON,
        root: "21739d0e0000dd52".into(),
    });
    let app = App::new()
        .app_data(web::Data::new(site))
        .app_data(web::Data::new(Metrics::new(|_| ())))
        .wrap(from_fn(gate))
        .wrap(from_fn(request::around))
        .configure(super::routes)
        .service(web::resource("/sample").get(shown).post(sent))
        .route("/count", web::get().to(counted))
        .route("/failing", web::get().to(failing))
        .service(web::resource("/api/v1/drafts").post(drafted));
    let app = test::init_service(app).await;
    let response = match test::try_call_service(&app, request.to_request()).await {
        Ok(response) => response.into_parts().1.map_into_boxed_body(),
        Err(error) => error.error_response(),
    };
    let (status, headers) = (response.status(), response.headers().clone());
    let body = to_bytes(response.into_body()).await.ok().unwrap();
    Answer { status, headers, body: String::from_utf8(body.to_vec()).unwrap() }
}

fn get(path: &str) -> test::TestRequest {
    test::TestRequest::get().uri(path)
}

fn browser(path: &str) -> test::TestRequest {
    get(path).insert_header(("Accept", "text/html,*/*;q=0.8"))
}

fn draft(body: &'static str) -> test::TestRequest {
    test::TestRequest::post()
        .uri("/api/v1/drafts")
        .insert_header(("Content-Type", "application/json"))
        .set_payload(body)
}

fn form(body: &'static str) -> test::TestRequest {
    let media = ("Content-Type", "application/x-www-form-urlencoded");
    test::TestRequest::post().uri("/sample").insert_header(media).set_payload(body)
}

#[actix_web::test]
async fn every_answer_carries_the_security_headers_and_its_id() {
    for request in [browser("/sample"), get("/api/v1/nothing"), browser("/closed"), get("/failing")] {
        let answer = ask(request).await;
        assert!(
            answer.header("content-security-policy").starts_with("default-src 'none'; script-src 'self'")
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(answer.header(CACHE_CONTROL), "no-store");
        assert_eq!(answer.header("x-request-id").len(), 36);
    }
}

#[actix_web::test]
async fn a_page_has_the_frame_its_parts_and_nothing_inline() {
    let answer = ask(browser("/sample?notice=saved&q=1").insert_header(("Cookie", "a=b; theme=dark"))).await;
    assert_eq!(answer.status, StatusCode::OK);
    for part in [
        r#"<html lang="zh-CN" data-theme="dark">"#,
        r#"<a href="/documents" aria-current="page">文件</a>"#,
        r#"<a href="/language/en?to=/sample%3Fnotice%3Dsaved%26q%3D1" lang="en""#,
        r#"action="/documents""#,
        "已保存。",
        r#"<input type="hidden" name="csrf" value="token">"#,
        "演示",
        "2026-03-01 12:00 CST",
        "#1\u{202f}204\u{202f}311",
        "<span class=\"hash\">2173 9d0e…dd52</span>",
        "现行有效</span>",
        r#"<li class="sign final">"#,
        r#"<li class="sign open">"#,
        r#"<li class="sign broken">"#,
        "待签",
        r##"href="/sample?q=1&#38;cursor=abc" rel="next""##,
        r#"value="a&#34;&#60;""#,
        r#"<option value="sop" selected>"#,
        r#"autocomplete="current-password""#,
    ] {
        assert!(answer.body.contains(part), "{part}\n{}", answer.body);
    }
    for forbidden in ["<b>王", "style=", "<style", "onclick", "problem-", "<!-- "] {
        assert!(!answer.body.contains(forbidden), "{forbidden}");
    }
}

#[actix_web::test]
async fn a_page_speaks_the_readers_language() {
    let answer = ask(browser("/sample").insert_header(("Cookie", "lang=en"))).await;
    for part in ["<html lang=\"en\">", ">Documents</a>", "In force</span>", "#1,204,311", "Ledger verified"] {
        assert!(answer.body.contains(part), "{part}");
    }
}

#[actix_web::test]
async fn a_refused_form_comes_back_with_what_was_typed_and_what_is_wrong() {
    let answer = ask(form("csrf=token&person=1234567&password=secret")).await;
    assert_eq!(answer.status, StatusCode::OK);
    for part in [
        "id=\"errsum\"",
        "value=\"1234567\"",
        "aria-invalid=\"true\" aria-describedby=\"f-person-e\"",
        "最多 5 个字符",
    ] {
        assert!(answer.body.contains(part), "{part}\n{}", answer.body);
    }
    assert!(!answer.body.contains("secret"));
    let done = ask(form("csrf=token&person=12")).await;
    assert_eq!((done.status, done.header(LOCATION)), (StatusCode::SEE_OTHER, "/sample?notice=saved"));
}

#[actix_web::test]
async fn a_form_without_the_pages_token_is_refused() {
    for body in ["person=12", "csrf=&person=12", "csrf=other&person=12"] {
        let answer = ask(form(body)).await;
        assert_eq!(
            (answer.status, answer.json()["type"].as_str()),
            (StatusCode::FORBIDDEN, Some("/problems/csrf"))
        );
    }
}

#[actix_web::test]
async fn an_api_refuses_in_problem_json_with_the_right_status() {
    let plain = test::TestRequest::post().uri("/api/v1/drafts").set_payload("{}");
    let cases = [
        (draft(r#"{"title":"t","#), 400, "malformed-json"),
        (draft(r#"{"title":"t","title":"u"}"#), 400, "duplicate-key"),
        (draft(r#"{"title":"t","recorded_at":"now"}"#), 422, "invalid"),
        (draft(r#"{}"#), 422, "invalid"),
        (plain, 415, "unsupported-media"),
        (draft("").insert_header(("Content-Length", "4194305")), 413, "too-large"),
        (get("/api/v1/nothing"), 404, "no-page"),
        (get("/api/v1/drafts"), 405, "method-not-allowed"),
        (get("/count?page=x"), 422, "invalid"),
        (get("/closed"), 401, "sign-in"),
        (get("/failing"), 500, "internal"),
    ];
    for (request, status, code) in cases {
        let answer = ask(request).await;
        assert_eq!(answer.status.as_u16(), status, "{code}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{code}");
        assert_eq!(answer.json()["type"], format!("/problems/{code}"));
        assert_eq!(answer.json()["status"], status);
    }
    assert_eq!(ask(draft(r#"{"title":"t"}"#)).await.status, StatusCode::CREATED);
    assert_eq!(ask(get("/api/v1/drafts")).await.header(ALLOW), "POST");
}

#[actix_web::test]
async fn a_failure_tells_its_id_but_never_its_cause() {
    let answer = ask(get("/failing")).await;
    assert_eq!(answer.header(RETRY_AFTER), "3");
    assert_eq!(answer.json()["instance"], format!("urn:uuid:{}", answer.header("x-request-id")));
    assert!(!answer.body.contains("disk"));
    let page = ask(browser("/failing")).await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(page.body.contains(page.header("x-request-id")) && !page.body.contains("disk"));
}

#[actix_web::test]
async fn a_browser_gets_a_page_with_a_way_on_and_a_stranger_the_way_in() {
    let missing = ask(browser("/nothing")).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert!(missing.body.contains("没有这一页") && missing.body.contains(r#"<a class="btn main" href="/">"#));
    let closed = ask(browser("/closed")).await;
    assert_eq!((closed.status, closed.header(LOCATION)), (StatusCode::SEE_OTHER, "/login?to=/closed"));
}

#[actix_web::test]
async fn an_asset_is_kept_for_ever_under_its_own_hash_only() {
    let url = super::assets::url("app.css");
    let answer = ask(get(url)).await;
    assert_eq!(answer.header(CACHE_CONTROL), "public, max-age=31536000, immutable");
    assert_eq!(answer.header("content-type"), "text/css; charset=utf-8");
    let tag = answer.header("etag").to_owned();
    assert_eq!(ask(get(url).insert_header(("If-None-Match", tag))).await.status, StatusCode::NOT_MODIFIED);
    assert_eq!(ask(get("/assets/0000000000000000/app.css")).await.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn a_choice_is_kept_in_a_cookie_and_leads_back() {
    let answer = ask(get("/language/en?to=/documents%3Fq%3D%E5%86%B7")).await;
    assert_eq!(answer.header(LOCATION), "/documents?q=%E5%86%B7");
    assert!(answer.header(SET_COOKIE).starts_with("lang=en;"));
    assert_eq!(ask(get("/theme/dark?to=//evil.example")).await.header(LOCATION), "/");
    assert_eq!(ask(get("/language/fr")).await.status, StatusCode::NOT_FOUND);
}
