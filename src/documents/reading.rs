//! Questions over HTTP: lists, documents, versions, texts, comparisons. Customer service sees what is in force, and is
//! told what that is where it asks for something else.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::answers::{self, InForce, Logins};
use super::list::{self, Filter, Sight};
use super::prose;
use super::record::{Document, Version, VersionRecord};
use super::store;
use super::timeline::{State, Timeline};
use crate::error::{Error, Result};
use crate::people::desk::Reader;
use crate::people::gate::Caller;
use crate::people::rights::Permission;
use crate::store::Db;
use crate::text::diff;
use crate::time::Timestamp;
use crate::web::input;
use crate::web::paging::{Page, Paging};
use crate::web::query::Query;

/// What a reader may see now.
pub fn sight_of(caller: &Caller, now: Timestamp) -> Sight {
    if caller.may(Permission::ReadAllVersions) { Sight::Archive } else { Sight::InForce(now) }
}

/// A version, if the reader may see it.
///
/// # Errors
/// 404; 403 `not-in-force` whose body names what is.
pub fn visible_version(db: &mut Db, (number, version): (&str, &str), sight: Sight) -> Result<VersionRecord> {
    let record = store::require_version(db, number, version)?;
    let Sight::InForce(now) = sight else { return Ok(record) };
    let document = store::require(db, number)?;
    let versions = store::versions(db, number)?;
    let timeline = Timeline::new(&versions, document.retired_from);
    if timeline.state(&record.version, now) == State::InForce {
        Ok(record)
    } else {
        Err(not_in_force(&timeline, now))
    }
}

fn not_in_force(timeline: &Timeline<'_>, now: Timestamp) -> Error {
    Error::forbidden("not-in-force").with("in_force", json!(InForce::at(timeline, now)))
}

/// The query of `GET /documents`.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    q: Option<String>,
    kind: Option<String>,
    department: Option<String>,
    process: Option<String>,
    status: Option<String>,
    as_of: Option<String>,
    #[serde(flatten)]
    paging: Paging,
}

impl Wanted {
    /// The filter it asks for.
    ///
    /// # Errors
    /// 422 for a code that is in no list, or no instant.
    pub fn filter(&self, (sight, now): (Sight, Timestamp), zone: chrono_tz::Tz) -> Result<Filter> {
        let mut faults = input::Faults::new();
        let given = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
        let (kind, department, process, status) =
            (given(&self.kind), given(&self.department), given(&self.process), given(&self.status));
        if kind.as_deref().is_some_and(|code| code.parse::<super::codes::Kind>().is_err()) {
            faults.note("kind", "unknown-code");
        }
        if department.as_deref().is_some_and(|code| super::codes::department(code).is_none()) {
            faults.note("department", "unknown-code");
        }
        if process.as_deref().is_some_and(|code| !super::codes::is_process(code)) {
            faults.note("process", "unknown-code");
        }
        let state = status.as_deref().map(State::from_code);
        if matches!(state, Some(None)) {
            faults.note("status", "unknown-code");
        }
        let at = faults.take(as_of(self.as_of.as_deref(), now, zone)).unwrap_or(now);
        let q = faults.take(input::optional_line("q", self.q.as_deref(), 200)).flatten();
        faults.check()?;
        Ok(Filter { q, kind, department, process, status: state.flatten(), at, sight })
    }
}

fn as_of(given: Option<&str>, now: Timestamp, zone: chrono_tz::Tz) -> Result<Timestamp> {
    given.filter(|given| !given.is_empty()).map_or(Ok(now), |given| input::end("as_of", given, zone))
}

/// `GET /documents`.
pub(super) async fn list(reader: Reader, query: Query<Wanted>) -> Result<HttpResponse> {
    let now = reader.site.clock.now();
    let sight = sight_of(&reader.caller, now);
    let filter = query.0.filter((sight, now), reader.site.zone)?;
    let limit = query.0.paging.limit()?;
    let after: Option<String> = query.0.paging.after()?;
    let items = reader.read(move |db| {
        let rows = list::page(db, &filter, after.as_deref(), usize::from(limit) + 1)?;
        let mut logins = Logins::default();
        let mut items = Vec::new();
        for row in rows {
            items.push(document_answer(db, (&row.document, &row.versions), (filter.at, sight), &mut logins)?);
        }
        Ok(items)
    });
    Ok(HttpResponse::Ok().json(Page::cut(items.await?, limit, |item| item.number.clone())?))
}

fn document_answer(
    db: &mut Db,
    (document, versions): (&Document, &[Version]),
    (at, sight): (Timestamp, Sight),
    logins: &mut Logins,
) -> Result<answers::DocumentAnswer> {
    let record = store::require_record(db, &document.number)?;
    let mut answer = answers::document(db, (&record, versions), at, logins)?;
    if sight != Sight::Archive {
        answer.open = None;
    }
    Ok(answer)
}

/// The query of `GET /documents/{number}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AsOf {
    as_of: Option<String>,
}

/// `GET /documents/{number}`.
pub(super) async fn document(
    reader: Reader,
    path: web::Path<String>,
    query: Query<AsOf>,
) -> Result<HttpResponse> {
    let now = reader.site.clock.now();
    let at = as_of(query.0.as_of.as_deref(), now, reader.site.zone)?;
    let sight = sight_of(&reader.caller, now);
    let number = path.into_inner();
    let answer = reader.read(move |db| {
        let document = store::require(db, &number)?;
        let versions = store::versions(db, &number)?;
        let timeline = Timeline::new(&versions, document.retired_from);
        let held = |at| timeline.in_force(at).map(|version| &version.version);
        if sight != Sight::Archive && (held(at).is_none() || held(at) != held(now)) {
            return Err(not_in_force(&timeline, now));
        }
        document_answer(db, (&document, &versions), (at, sight), &mut Logins::default())
    });
    Ok(HttpResponse::Ok().json(answer.await?))
}

/// `GET /documents/{number}/versions`.
pub(super) async fn versions(
    reader: Reader,
    path: web::Path<String>,
    query: Query<Paging>,
) -> Result<HttpResponse> {
    let now = reader.site.clock.now();
    let sight = sight_of(&reader.caller, now);
    let (number, limit) = (path.into_inner(), query.0.limit()?);
    let after: Option<(i64, i64)> = query.0.after()?;
    let page = reader.read(move |db| {
        let document = store::require(db, &number)?;
        let versions = store::versions(db, &number)?;
        let timeline = Timeline::new(&versions, document.retired_from);
        let seen = |version: &&Version| {
            let later = after.is_none_or(|after| (version.major, version.minor) > after);
            later && (sight == Sight::Archive || timeline.state(version, now) == State::InForce)
        };
        let rows: Vec<&Version> = versions.iter().filter(seen).take(usize::from(limit) + 1).collect();
        let page = Page::cut(rows, limit, |version| (version.major, version.minor))?;
        let items = page.items.into_iter().map(|version| answers::line(&timeline, version, now));
        Ok(Page { items: items.collect::<Result<Vec<_>>>()?, next: page.next })
    });
    Ok(HttpResponse::Ok().json(page.await?))
}

/// `GET …/versions/{v}`.
pub(super) async fn version(reader: Reader, path: web::Path<(String, String)>) -> Result<HttpResponse> {
    let now = reader.site.clock.now();
    let sight = sight_of(&reader.caller, now);
    let (number, version) = path.into_inner();
    let answer = reader.read(move |db| {
        let record = visible_version(db, (&number, &version), sight)?;
        answers::version(db, &record, now)
    });
    let answer = answer.await?;
    Ok(HttpResponse::Ok().insert_header((header::ETAG, format!("\"{}\"", answer.line.digest))).json(answer))
}

/// The query of the texts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InLanguage {
    lang: Option<String>,
}

/// The text of a version that the reader may see, with its language and title.
async fn text(reader: &Reader, (number, version): (String, String), lang: Option<String>) -> Result<Read> {
    let now = reader.site.clock.now();
    let sight = sight_of(&reader.caller, now);
    reader
        .read(move |db| {
            let record = visible_version(db, (&number, &version), sight)?;
            let document = store::require(db, &number)?;
            let authoritative = document.authoritative_language;
            let lang = lang.filter(|lang| !lang.is_empty());
            let rendition = answers::rendition(&record, lang.as_deref(), &authoritative)?;
            let words = store::text(db, rendition)?;
            let title = prose::in_tongue(&record.version.carried()?.title, &rendition.lang, &authoritative);
            let prose = prose::prose(db, (words, &rendition.lang), now)?;
            Ok(Read { prose, title })
        })
        .await
}

struct Read {
    prose: prose::Prose,
    title: String,
}

#[derive(askama::Template)]
#[template(path = "documents/text.html")]
struct TextPage {
    lang: String,
    title: String,
    html: String,
}

/// `GET …/html`: the text alone, for other systems; the reading page is elsewhere.
pub(super) async fn html(
    reader: Reader,
    path: web::Path<(String, String)>,
    query: Query<InLanguage>,
) -> Result<HttpResponse> {
    let Read { prose, title } = text(&reader, path.into_inner(), query.0.lang).await?;
    let lang = prose.lang.clone();
    let rendered = web::block(move || prose.render("c")).await.map_err(Error::internal)?;
    let page = TextPage { lang, title, html: rendered.html };
    let html = askama::Template::render(&page).map_err(Error::internal)?;
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(html))
}

/// `GET …/md`: the bytes that were signed.
pub(super) async fn markdown(
    reader: Reader,
    path: web::Path<(String, String)>,
    query: Query<InLanguage>,
) -> Result<HttpResponse> {
    let Read { prose, .. } = text(&reader, path.into_inner(), query.0.lang).await?;
    let mut answer = HttpResponse::Ok();
    answer.content_type("text/markdown; charset=utf-8").insert_header((header::CONTENT_LANGUAGE, prose.lang));
    Ok(answer.body(prose.words))
}

/// The query of `GET …/diff`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Compared {
    from: String,
    to: String,
    lang: Option<String>,
}

/// `GET /documents/{number}/diff`.
pub(super) async fn difference(
    reader: Reader,
    path: web::Path<String>,
    query: Query<Compared>,
) -> Result<HttpResponse> {
    let number = path.into_inner();
    let Compared { from, to, lang } = query.0;
    let (from_number, to_number) = (from.clone(), to.clone());
    let texts = reader.read(move |db| {
        let document = store::require(db, &number)?;
        let lang = lang.filter(|lang| !lang.is_empty()).unwrap_or(document.authoritative_language);
        let mut texts = [String::new(), String::new()];
        for (text, (field, version)) in texts.iter_mut().zip([("from", &from_number), ("to", &to_number)]) {
            let record = store::version_record(db, &number, version)?;
            let record = record.ok_or_else(|| Error::invalid(field, "not-found"))?;
            *text = store::text(db, answers::rendition(&record, Some(&lang), &lang)?)?;
        }
        Ok((lang, texts))
    });
    let (lang, [old, new]) = texts.await?;
    let compared = web::block(move || diff::compare(&old, &new)).await.map_err(Error::internal)?;
    let body = json!({
        "from": from, "to": to, "lang": lang,
        "unchanged": compared.unchanged,
        "added": compared.added, "removed": compared.removed, "changed": compared.changed,
        "rows": compared.rows.iter().map(diff_row).collect::<Vec<_>>(),
    });
    Ok(HttpResponse::Ok().json(body))
}

fn diff_row(row: &diff::Row) -> serde_json::Value {
    let kind = match row.kind {
        diff::RowKind::Same => "same",
        diff::RowKind::Changed => "changed",
        diff::RowKind::Added => "added",
        diff::RowKind::Removed => "removed",
    };
    let spans = |spans: &[diff::Span]| {
        spans.iter().map(|span| json!({ "text": span.text, "changed": span.changed })).collect::<Vec<_>>()
    };
    json!({
        "kind": kind, "old_line": row.old_line, "new_line": row.new_line,
        "old": spans(&row.old), "new": spans(&row.new),
    })
}
