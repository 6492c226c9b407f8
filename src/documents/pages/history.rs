//! The versions of a document, and what changed between two of them.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::reading::words_of_rendition;
use super::{SECTION, listed, place, tongue_word};
use crate::documents::codes::process_word;
use crate::documents::read_pages::{self, Around};
use crate::documents::record::{Carried, Version, VersionRecord};
use crate::documents::store;
use crate::documents::views::{Comparison, Diff, Differing, History, HistoryRow, ReviewRow, Tab, TongueLink};
use crate::error::{Error, Result};
use crate::people::desk::Reader;
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::people::store as people;
use crate::people::view::{View, role_word};
use crate::text::diff;
use crate::time::Timestamp;
use crate::web::page::{Frame, page, percent};
use crate::web::parts::state_tag;
use crate::web::query::Query;
use crate::web::words::Words;

pub(super) fn routes() -> Vec<Route> {
    let read = Gate::May(Permission::ReadAllVersions);
    vec![
        Route::get("/documents/{number}/history", read, "", || web::to(history)),
        Route::get("/documents/{number}/diff", read, "", || web::to(difference)),
    ]
}

/// A version's line, its author still an account's id.
fn row(w: Words, around: &Around, (version, now): (&Version, Timestamp)) -> HistoryRow {
    let timeline = around.timeline();
    HistoryRow {
        version: version.version.clone(),
        state: state_tag(w, timeline.state(version, now).code()),
        since: version.effective_from,
        until: timeline.until(version),
        author: version.created_by.to_string(),
        created_at: version.created_at,
        summary: version.change_summary.clone(),
        reason: version.change_reason.clone(),
        digest: version.digest.clone(),
        chosen: (false, false),
    }
}

async fn history(view: View, reader: Reader, number: web::Path<String>) -> Result<HttpResponse> {
    let (number, now, w) = (number.into_inner(), view.now(), view.words);
    let found = reader.read(move |db| {
        let around = read_pages::around(db, &number, now)?;
        let mut rows = Vec::new();
        for version in around.versions.iter().rev() {
            let row = row(w, &around, (version, now));
            rows.push(HistoryRow { author: people::person(db, &row.author)?.name, ..row });
        }
        let mut reviews = Vec::new();
        for review in store::require_record(db, &number)?.reviews {
            reviews.push(ReviewRow {
                outcome: w.t(&format!("documents-review-{}", review.outcome)).into_owned(),
                by: people::person(db, &review.reviewed_by)?.name,
                version: review.version,
                comment: review.comment,
                at: review.reviewed_at,
            });
        }
        Ok((around, rows, reviews))
    });
    let (around, mut rows, reviews) = found.await?;
    if let Some(newest) = rows.first_mut() {
        newest.chosen.1 = true;
    }
    if let Some(before) = rows.get_mut(1) {
        before.chosen.0 = true;
    }
    let place = place(&view, &around, Tab::History);
    let writes = view.caller().is_some_and(|caller| caller.may(Permission::WriteDrafts));
    let template = History {
        frame: view.frame(w.one("document-history-of", "number", place.number.as_str()), SECTION),
        new_draft: writes && around.timeline().open().is_none() && around.document.retired_from.is_none(),
        tongues: super::tongue_choices(w),
        lang: around.document.authoritative_language.clone(),
        place,
        rows,
        reviews,
    };
    Ok(page(&template, StatusCode::OK))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Compared {
    from: Option<String>,
    to: Option<String>,
    lang: Option<String>,
}

struct Pair {
    around: Around,
    old: VersionRecord,
    new: VersionRecord,
    rows: [HistoryRow; 2],
}

async fn pair(view: &View, reader: &Reader, number: String, query: &Compared) -> Result<Pair> {
    let (now, w) = (view.now(), view.words);
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let (from, to) = (given(&query.from), given(&query.to));
    reader
        .read(move |db| {
            let around = read_pages::around(db, &number, now)?;
            let newest = around.versions.last().map(|version| version.version.clone());
            let to = to.or(newest).ok_or_else(|| Error::not_found("version", number.clone()))?;
            let new = store::require_version(db, &number, &to)?;
            let before = around.before(&new.version).map(|version| version.version.clone());
            let from = from.or(before).unwrap_or_else(|| to.clone());
            let old = store::require_version(db, &number, &from)?;
            let mut rows = [&old.version, &new.version].map(|version| row(w, &around, (version, now)));
            for row in &mut rows {
                row.author = people::person(db, &row.author)?.name;
            }
            Ok(Pair { around, old, new, rows })
        })
        .await
}

async fn difference(
    view: View,
    reader: Reader,
    number: web::Path<String>,
    query: Query<Compared>,
) -> Result<HttpResponse> {
    let w = view.words;
    let Pair { around, old, new, rows: [from, to] } =
        pair(&view, &reader, number.into_inner(), &query.0).await?;
    let asked = query.0.lang.filter(|lang| !lang.is_empty());
    let lang = asked.unwrap_or_else(|| around.document.authoritative_language.clone());
    let before = words_of_rendition(&reader, &old, &lang).await?;
    let after = words_of_rendition(&reader, &new, &lang).await?;
    let place = place(&view, &around, Tab::History);
    let title = w.with(
        "document-diff-title",
        &[("from", from.version.as_str().into()), ("to", to.version.as_str().into())],
    );
    let frame = view.frame(format!("{} {title}", place.number), SECTION);
    let caption = w.one("document-diff-caption", "lang", tongue_word(w, &lang)).into_owned();
    let mut tags: Vec<String> =
        old.renditions.iter().chain(&new.renditions).map(|text| text.lang.clone()).collect();
    tags.sort_unstable();
    tags.dedup();
    let link = |tag: String| TongueLink {
        word: tongue_word(w, &tag),
        href: format!(
            "/documents/{}/diff?from={}&to={}&lang={}",
            place.number,
            from.version,
            to.version,
            percent(&tag)
        ),
        here: tag == lang,
        tag,
    };
    let tongues = tags.into_iter().map(link).collect();
    let differing = differing(w, (&old.version.carried()?, &new.version.carried()?));
    let comparison = compared(&frame, (before, after), (caption, lang.clone())).await?;
    Ok(page(&Diff { frame, place, sides: [from, to], tongues, differing, comparison }, StatusCode::OK))
}

/// Two texts compared, off the thread that answers.
pub(super) async fn compared(
    frame: &Frame,
    (old, new): (String, String),
    (caption, lang): (String, String),
) -> Result<Comparison> {
    let comparison = web::block(move || diff::compare(&old, &new)).await.map_err(Error::internal)?;
    Ok(Comparison { frame: frame.clone(), comparison, caption, lang })
}

/// What else differs than the text.
fn differing(w: Words, (old, new): (&Carried, &Carried)) -> Vec<Differing> {
    let mut found = Vec::new();
    let mut note = |word: String, old: String, new: String| {
        if old != new {
            found.push(Differing { word, old, new });
        }
    };
    let tags: std::collections::BTreeSet<&String> = old.title.keys().chain(new.title.keys()).collect();
    for tag in tags {
        let of = |carried: &Carried| carried.title.get(tag).cloned().unwrap_or_default();
        let word = w.one("document-diff-title-in", "lang", tongue_word(w, tag)).into_owned();
        note(word, of(old), of(new));
    }
    let processes = |carried: &Carried| listed(w, &carried.processes, process_word);
    note(w.t("document-fact-processes").into_owned(), processes(old), processes(new));
    let audience = |carried: &Carried| listed(w, &carried.audience, role_word);
    note(w.t("document-fact-audience").into_owned(), audience(old), audience(new));
    let months =
        |carried: &Carried| w.one("document-months", "n", i64::from(carried.review_months)).into_owned();
    note(w.t("document-fact-months").into_owned(), months(old), months(new));
    found
}
