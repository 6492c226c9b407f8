//! The toolkit of the rim: pages, forms, problem documents, words, assets, paging. No SQL, no feature's name.
//!
//! # The application
//!
//! `app.rs` keeps [`page::Site`] and [`metrics::Metrics`] as `web::Data`, mounts [`routes`], and wraps the gate of
//! `people/` first and [`request::around`] outside it (the last `wrap` is the outermost; compression goes further out):
//!
//! ```ignore
//! App::new()
//!     .app_data(web::Data::from(site)).app_data(web::Data::from(metrics))
//!     .wrap(from_fn(people::gate)).wrap(from_fn(web::request::around)).wrap(Compress::default())
//!     .configure(sopledger::web::routes)
//! ```
//!
//! The gate puts [`page::Viewer`] (who, and which entries of the bar) and [`form::CsrfToken`] into the request's
//! extensions, the token also for people not signed in. It may answer, or return [`crate::error::Error`].
//! `Site::sign_in` is where a page's reader goes whose request was refused with the code `sign-in`.
//!
//! # Refusals
//!
//! Handlers return `crate::error::Result<HttpResponse>` and use `?`. The rim turns an error into
//! `application/problem+json`, or into a page for a browser outside `/api/`. A new code needs `problem-<code>` with
//! `.detail` (a field's code: `field-<code>`) in `templates/words/*/problems.ftl`, in both languages; a test looks.
//! Framework refusals (no such route, wrong method) are worded likewise.
//!
//! # An API handler
//!
//! ```ignore
//! #[derive(Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Draft { title: String, due: Option<String> }
//!
//! async fn create(body: json::Body<Draft>, site: web::Data<Site>) -> Result<HttpResponse> {
//!     let mut faults = input::Faults::new();
//!     let title = faults.take(input::line("title", &body.0.title, 200));
//!     let due = faults.take(body.0.due.map(|due| input::end("due", &due, site.zone)).transpose());
//!     let (Some(title), Some(due)) = (title, due) else { return Err(faults.error()) };
//!     …
//!     Ok(HttpResponse::Created().insert_header((LOCATION, address)).json(view))
//! }
//!
//! #[derive(Deserialize)]
//! struct Wanted { q: Option<String>, #[serde(flatten)] paging: Paging }
//!
//! async fn list(query: query::Query<Wanted>) -> Result<HttpResponse> {
//!     let limit = query.0.paging.limit()?;
//!     let after: Option<(i64, String)> = query.0.paging.after()?;     // the sort key of the last row seen
//!     let rows = …;                                                   // limit + 1 rows
//!     Ok(HttpResponse::Ok().json(Page::cut(rows, limit, |row| (row.at.0, row.number.clone()))?))
//! }
//! ```
//!
//! Query strings and paths are read with [`query::Query`] and `web::Path<String>`: a malformed path is 404, a
//! malformed parameter 422. [`json::RequestDigest`] in the extensions serves idempotency.
//!
//! # A page
//!
//! A template extends `base.html` and fills `main`; there are also `title`, `head`, `banner` (above `main`, for what
//! is not in force) and `width` (`narrow`). Its struct has a field `frame: Frame`.
//!
//! ```ignore
//! #[derive(askama::Template)]
//! #[template(path = "documents/new.html")]
//! struct New { frame: Frame, sheet: Sheet, kinds: Vec<Choice> }
//!
//! #[derive(Default, Deserialize)]
//! struct Fields { #[serde(default)] title: String, #[serde(default)] kind: String }
//!
//! async fn send(request: HttpRequest, form: Form<Fields>) -> Result<HttpResponse> {
//!     match write(&form.fields) {
//!         Ok(number) => Ok(see_other_with(&format!("/documents/{number}"), "saved")),   // notice-saved
//!         Err(error) => {
//!             let (refused, w) = (problem::Refused::by(error)?, words_of(&request));
//!             let frame = Frame::of(&request, w.t("documents-new")).failed();
//!             let sheet = Sheet::new(w, "documents-new", form.typed).refused(&refused);
//!             Ok(refused.page(&New { frame, sheet, kinds: kinds(w) }))
//!         }
//!     }
//! }
//! ```
//!
//! ```html
//! {% extends "base.html" %}
//! {% block main %}
//! <div class="head"><div><h1>{{ frame.w.t("documents-new") }}</h1></div></div>
//! {{ sheet.summary() }}
//! <form method="post">{{ frame.csrf_field() }}
//!   {{ sheet.line("title") }}{{ sheet.choice("kind", kinds) }}
//!   <p class="acts"><button class="btn main">{{ frame.w.t("documents-new-send") }}</button></p>
//! </form>
//! {% endblock %}
//! ```
//!
//! Labels follow from the sheet's prefix: `documents-new-title`, with `.hint` where there is something to say. In
//! templates: `frame.icon("check")`, `frame.state("in_force")`, `frame.signatures(list)`, `frame.hash_line(…)`,
//! `frame.tally(rows.len())`, `frame.pager(…)`, `frame.minute(at)`, `frame.date(at)`, `frame.count(n)`, `frame.short_hash(hex)`, a badge as a
//! field made with [`parts::tag`]; askama passes fields by reference, which is why these take references. Data lists
//! (`dl.facts`), filters, tables and empty states (`.empty`: none yet, filtered out, not permitted, always with the way
//! on) are plain HTML of the visual language. Nothing inline: the policy blocks `style=` and scripts.
//!
//! Words: `w.t("key")`, `w.one("key", "n", count)`, `w.with("key", [("a", x.into()), ("b", y.into())])`. Whole numbers
//! are grouped by themselves; a year goes in as text. Each feature has `templates/words/{zh-CN,en}/<feature>.ftl`, its
//! keys begin with its name, the bar's words with `nav-`, notices with `notice-`.

pub mod assets;
mod decode;
pub mod form;
pub mod format;
pub mod input;
pub mod json;
pub mod metrics;
pub mod page;
pub mod paging;
pub mod parts;
pub mod preferences;
pub mod problem;
pub mod query;
pub mod request;
#[cfg(test)]
mod rim_tests;
pub mod upload;
pub mod words;

/// The routes of the toolkit itself: assets, favicon, language and theme.
pub fn routes(config: &mut actix_web::web::ServiceConfig) {
    assets::routes(config);
    preferences::routes(config);
}
