//! Reading: a version with its seals, the proof that it is what was signed, its text, and what surrounds it.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::kept::Place;
use super::{
    SECTION, address, department_word, kind_word, listed, place, place_of_version, shown, titled,
    tongue_word, worded,
};
use crate::documents::answers::rendition;
use crate::documents::codes::process_word;
use crate::documents::prose;
use crate::documents::read::{self, Referring};
use crate::documents::read_pages::{self, Checked, Shown};
use crate::documents::reading as answers;
use crate::documents::store;
use crate::documents::timeline::State;
use crate::documents::views::{
    Act, Banner, Body, Change, Fact, MarginItem, NotInForce, PrintStyle, Reading, Tab, TongueLink, Unwritten,
};
use crate::error::{Error, Result};
use crate::links::read::{Tie, ties};
use crate::links::resolver::Resolvers;
use crate::people::desk::Reader;
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::people::view::{View, entry_link};
use crate::time::Timestamp;
use crate::web::input;
use crate::web::page::{Frame, page, percent};
use crate::web::query::Query;
use crate::web::words::{Lang, Words};

pub(super) fn routes() -> Vec<Route> {
    let read = Gate::May(Permission::ReadInForce);
    vec![
        Route::get("/documents/{number}", read, "", || web::to(document)),
        Route::get("/documents/{number}/{version}", read, "", || web::to(version)),
        Route::get("/documents/{number}/{version}/print.css", read, "", || web::to(print_style)),
    ]
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    as_of: Option<String>,
    lang: Option<String>,
}

impl Wanted {
    fn at(&self, view: &View) -> Result<Option<Timestamp>> {
        let given = self.as_of.as_deref().filter(|given| !given.trim().is_empty());
        given.map(|given| input::end("as_of", given, view.zone)).transpose()
    }

    fn lang(&self) -> Option<String> {
        self.lang.clone().filter(|lang| !lang.is_empty())
    }
}

/// What is in force, or was at the instant asked for; else the newest version the reader may see.
async fn document(
    (view, reader): (View, Reader),
    resolvers: web::Data<Resolvers>,
    path: web::Path<String>,
    query: Query<Wanted>,
) -> Result<HttpResponse> {
    let (number, as_of, now) = (path.into_inner(), query.0.at(&view)?, view.now());
    let around = {
        let number = number.clone();
        reader.read(move |db| read_pages::around(db, &number, now)).await?
    };
    let sight = answers::sight_of(&reader.caller, now);
    let timeline = around.timeline();
    let found = match sight {
        crate::documents::list::Sight::Archive => timeline.foremost(as_of.unwrap_or(now)),
        crate::documents::list::Sight::InForce(_) => timeline.in_force(as_of.unwrap_or(now)),
    };
    match found.map(|version| version.version.clone()) {
        Some(version) => {
            let asked = (query.0.lang(), as_of, **resolvers);
            reading_page(&view, &reader, (&number, &version), asked).await
        }
        None if sight == crate::documents::list::Sight::Archive => Ok(unwritten(&view, &around)),
        None => Ok(not_in_force(&view, &number, around.in_force.clone())),
    }
}

async fn version(
    (view, reader): (View, Reader),
    resolvers: web::Data<Resolvers>,
    path: web::Path<(String, String)>,
    query: Query<Wanted>,
) -> Result<HttpResponse> {
    let (number, version) = path.into_inner();
    reading_page(&view, &reader, (&number, &version), (query.0.lang(), None, **resolvers)).await
}

/// The page; a reader who may not see the version is led to the one in force.
async fn reading_page(
    view: &View,
    reader: &Reader,
    target: (&str, &str),
    (lang, as_of, resolvers): (Option<String>, Option<Timestamp>, Resolvers),
) -> Result<HttpResponse> {
    let place = Place::of(view, reader);
    if let Some(kept) = place.kept() {
        return Ok(kept);
    }
    let shown = match shown(reader, view, target).await {
        Err(error) if error.code() == "not-in-force" => {
            let in_force = error.extra().get("in_force").and_then(|holding| holding["version"].as_str());
            return Ok(not_in_force(view, target.0, in_force.map(str::to_owned)));
        }
        shown => shown?,
    };
    let authoritative = shown.around.document.authoritative_language.clone();
    // Without a wish, the reader's own language where the version has it: the authoritative text is one link away.
    let wished = lang.or_else(|| {
        let own = view.words.lang().tag();
        shown.record.renditions.iter().any(|text| text.lang == own).then(|| own.to_owned())
    });
    let text = rendition(&shown.record, wished.as_deref(), &authoritative)?.clone();
    let (document, record, now) = (shown.around.document.clone(), shown.record.clone(), view.now());
    let for_read = text.clone();
    let reads_records = reader.caller.may(Permission::ReadRecords);
    let (checked, margin) = reader
        .read(move |db| {
            let referring = read::referred_by(db, &document.number, now)?;
            let subject = record.subject().to_string();
            let ties = if reads_records { ties(db, resolvers, &subject)? } else { Vec::new() };
            let checked = match read_pages::checked(db, (&document, &record), &for_read)? {
                Checked::Sound(words) => Ok(prose::prose(db, (words, &for_read.lang), now)?),
                Checked::Broken { sealed, found } => Err((sealed, found)),
            };
            Ok((checked, Margin { referring, ties }))
        })
        .await?;
    let body = match checked {
        Ok(prose) => {
            let drawn = web::block(move || prose.render("c")).await.map_err(Error::internal)?;
            Body::Prose { html: drawn.html, outline: drawn.outline }
        }
        Err((sealed, found)) => Body::Broken { sealed, found },
    };
    place.keep(reader, &template(view, &shown, (text.lang, as_of, body, margin))).await
}

/// What stands beside the text.
struct Margin {
    referring: Vec<Referring>,
    ties: Vec<Tie>,
}

/// The other end of a link: how it is tied, what it is, and what it is called.
fn tied(w: Words, tie: &Tie) -> MarginItem {
    let way = if tie.outward { "link-relation" } else { "link-inverse" };
    let (relation, kind) = (format!("{way}-{}", tie.link.relation), format!("link-kind-{}", tie.other.kind));
    MarginItem {
        href: format!("/{}s/{}", tie.other.kind, percent(&tie.other.id)),
        name: tie.other.id.clone(),
        title: format!("{} · {} {}", w.t(&relation), w.t(&kind), tie.title).trim_end().to_owned(),
    }
}

fn template(
    view: &View,
    shown: &Shown,
    (lang, as_of, body, beside): (String, Option<Timestamp>, Body, Margin),
) -> Reading {
    let (w, version) = (view.words, &shown.record.version);
    let mut place = place_of_version(view, shown, Tab::Text);
    let authoritative = &shown.around.document.authoritative_language;
    place.title = prose::in_tongue(&shown.carried.title, &lang, authoritative);
    let title = format!("{} V{} {}", version.document, version.version, place.title);
    let mut frame = view.frame(title, SECTION);
    if matches!(shown.state, State::Superseded | State::Retired | State::Cancelled | State::Abandoned) {
        frame = frame.past();
    }
    let margin = |one: &Referring| MarginItem {
        href: format!("/documents/{}", one.document),
        name: one.document.clone(),
        title: prose::in_tongue(&one.title, w.lang().tag(), authoritative),
    };
    Reading {
        acts: acts(view, shown),
        facts: facts(&frame, shown),
        tongues: tongues(w, shown, &lang),
        authoritative: authoritative.clone(),
        since: version.effective_from,
        until: shown.until,
        signatures: worded(w, &shown.signatures),
        digest: version.digest.clone(),
        entry: shown.entry.as_ref().filter(|_| place.trail).map(entry_link),
        banner: banner(&frame, shown, place.archive),
        as_of,
        referring: beside.referring.iter().map(margin).collect(),
        ties: beside.ties.iter().map(|tie| tied(w, tie)).collect(),
        may_link: view.caller().is_some_and(|caller| caller.may(Permission::Link)),
        change: change(shown, place.archive),
        body,
        lang,
        place,
        frame,
    }
}

fn change(shown: &Shown, archive: bool) -> Option<Change> {
    let version = &shown.record.version;
    let before = shown.around.before(version).filter(|_| archive);
    if version.change_summary.is_empty() && before.is_none() {
        return None;
    }
    let compare = before.map(|before| {
        let href =
            format!("/documents/{}/diff?from={}&to={}", version.document, before.version, version.version);
        (before.version.clone(), href)
    });
    Some(Change { summary: version.change_summary.clone(), reason: version.change_reason.clone(), compare })
}

fn tongues(w: Words, shown: &Shown, lang: &str) -> Vec<TongueLink> {
    let version = &shown.record.version;
    let link = |tag: &String| TongueLink {
        word: Lang::ALL
            .into_iter()
            .find(|lang| lang.tag() == tag)
            .map_or_else(|| tongue_word(w, tag), |lang| lang.own_name().to_owned()),
        href: format!("{}?lang={}", address(&version.document, &version.version), percent(tag)),
        here: tag == lang,
        tag: tag.clone(),
    };
    shown.record.renditions.iter().map(|text| link(&text.lang)).collect()
}

fn fact(w: Words, key: &str, value: impl Into<String>) -> Fact {
    Fact { word: w.t(key).into_owned(), value: value.into(), href: None, mono: false }
}

fn facts(frame: &Frame, shown: &Shown) -> Vec<Fact> {
    let (w, around, version) = (frame.w, &shown.around, &shown.record.version);
    let role = |w: Words, code: &str| w.t(&format!("role-{code}")).into_owned();
    let mut facts = vec![
        Fact { mono: true, ..fact(w, "document-fact-number", around.document.number.as_str()) },
        fact(w, "document-fact-kind", kind_word(w, &around.document.kind)),
        fact(w, "document-fact-department", department_word(w, &around.document.department)),
        fact(w, "document-fact-owner", around.owner.as_str()),
    ];
    if let Some(from) = version.effective_from {
        facts.push(fact(w, "document-fact-since", frame.minute(&from)));
    } else if let Some(asked) = version.asked_from {
        facts.push(fact(w, "document-fact-asked", frame.minute(&asked)));
    }
    if let Some(until) = shown.until {
        facts.push(fact(w, "document-fact-until", frame.minute(&until)));
    }
    if let Some(due) = around.review_due.filter(|_| shown.state == State::InForce) {
        let overdue = due < frame.now;
        let key = if overdue { "document-fact-due-overdue" } else { "document-fact-due-value" };
        facts.push(fact(w, "document-fact-due", w.one(key, "date", frame.date(&due))));
    }
    facts.push(fact(w, "document-fact-processes", listed(w, &shown.carried.processes, process_word)));
    facts.push(fact(w, "document-fact-audience", listed(w, &shown.carried.audience, role)));
    if let Some(reason) = &version.ended_reason {
        facts.push(fact(w, "document-fact-ended", reason.as_str()));
    }
    if let Some(reason) = around.document.retire_reason.as_ref().filter(|_| shown.state == State::Retired) {
        facts.push(fact(w, "document-fact-ended", reason.as_str()));
    }
    facts
}

fn banner(frame: &Frame, shown: &Shown, archive: bool) -> Option<Banner> {
    let (w, version, number) = (frame.w, &shown.record.version, &shown.around.document.number);
    let icon = match shown.state {
        State::Superseded => "past",
        State::Retired => "stop",
        State::Awaiting => "clock",
        State::InReview => "eye",
        State::Draft => "pencil",
        State::Cancelled | State::Abandoned => "cross",
        State::InForce => return None,
    };
    let until = shown.until.map(|until| frame.minute(&until)).unwrap_or_default();
    let from = version.effective_from.map(|from| frame.minute(&from)).unwrap_or_default();
    let instead = shown.around.in_force.as_ref();
    let key = format!("document-banner-{}", shown.state.code());
    let args = [
        ("version", version.version.as_str().into()),
        ("until", until.into()),
        ("from", from.into()),
        ("instead", instead.map_or("", String::as_str).into()),
    ];
    Some(Banner {
        icon,
        head: w.t(&key).into_owned(),
        text: w.with(&format!("{key}.text"), &args).into_owned(),
        instead: instead.map(|instead| {
            (
                format!("/documents/{number}"),
                w.one("document-banner-instead", "version", instead.as_str()).into_owned(),
            )
        }),
        difference: instead.filter(|_| archive).map(|instead| {
            let (from, to) = if shown.state == State::Superseded {
                (version.version.as_str(), instead.as_str())
            } else {
                (instead.as_str(), version.version.as_str())
            };
            format!("/documents/{number}/diff?from={from}&to={to}")
        }),
    })
}

/// What the reader may do next with this version.
fn acts(view: &View, shown: &Shown) -> Vec<Act> {
    let Some(caller) = view.caller() else { return Vec::new() };
    let (w, version) = (view.words, &shown.record.version);
    let (number, own) = (&version.document, address(&version.document, &version.version));
    let act = |href: String, key: &str, icon, main| Act { href, word: w.t(key).into_owned(), icon, main };
    let writes = caller.may(Permission::WriteDrafts);
    let decides = caller.may(Permission::Decide);
    let mut acts = vec![act(format!("{own}/print"), "document-act-print", "print", false)];
    match shown.state {
        State::Draft if writes => {
            acts.push(act(format!("{own}/abandon"), "document-act-abandon", "cross", false));
            acts.push(act(format!("{own}/edit"), "document-act-edit", "pencil", false));
            acts.push(act(format!("{own}/submit"), "document-act-submit", "check", true));
        }
        State::InReview => {
            if shown.record.authors.contains(&caller.id) && writes {
                acts.push(act(format!("{own}/withdraw"), "document-act-withdraw", "past", false));
            }
            if caller.may(Permission::Review) {
                acts.push(act(format!("{own}/sign"), "document-act-sign", "check", true));
            }
        }
        State::Awaiting if decides => {
            acts.push(act(format!("{own}/cancel"), "document-act-cancel", "cross", false));
        }
        State::InForce if decides => {
            acts.push(act(format!("/documents/{number}/retire"), "document-act-retire", "stop", false));
            acts.push(act(format!("/documents/{number}/review"), "document-act-review", "eye", false));
        }
        _ => {}
    }
    let open = shown.around.timeline().open();
    if writes && open.is_none() && shown.around.document.retired_from.is_none() {
        acts.push(act(format!("/documents/{number}/draft/new"), "document-act-revise", "pencil", true));
    } else if let Some(open) =
        open.filter(|open| open.version != version.version && caller.may(Permission::ReadAllVersions))
    {
        let word = w.one("document-act-open", "version", open.version.as_str()).into_owned();
        acts.push(Act { href: address(number, &open.version), word, icon: "pencil", main: false });
    }
    acts
}

fn unwritten(view: &View, around: &read_pages::Around) -> HttpResponse {
    let w = view.words;
    let facts = vec![
        Fact { mono: true, ..fact(w, "document-fact-number", around.document.number.as_str()) },
        fact(w, "document-fact-kind", kind_word(w, &around.document.kind)),
        fact(w, "document-fact-department", department_word(w, &around.document.department)),
        fact(w, "document-fact-owner", around.owner.as_str()),
    ];
    let place = place(view, around, Tab::Text);
    let frame = view.frame(format!("{} {}", place.number, place.title), SECTION);
    let writes = view.caller().is_some_and(|caller| caller.may(Permission::WriteDrafts));
    page(&Unwritten { frame, place, facts, writes }, StatusCode::OK)
}

fn not_in_force(view: &View, number: &str, in_force: Option<String>) -> HttpResponse {
    let frame = view.frame(view.words.t("problem-not-in-force"), SECTION);
    page(&NotInForce { frame, number: number.to_owned(), in_force }, StatusCode::FORBIDDEN)
}

/// Text as it may stand inside quotes of a style sheet.
fn quoted(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() && !c.is_ascii_alphanumeric() && c != ' ' {
            safe.push_str(&format!("\\{:06x}", u32::from(c)));
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Number, version, state and instant of printing, in the margins of each printed page.
async fn print_style(view: View, reader: Reader, path: web::Path<(String, String)>) -> Result<HttpResponse> {
    let (number, version) = path.into_inner();
    let shown = shown(&reader, &view, (&number, &version)).await?;
    let w = view.words;
    let frame = view.frame("", SECTION);
    let state = w.t(&format!("state-{}", shown.state.code()));
    let title = titled(w, &shown.carried.title, &shown.around);
    let printed = w.one("document-printed", "at", frame.minute(&view.now()));
    let head = quoted(&format!("{number} V{version} {state}"));
    let style = PrintStyle { head, foot: quoted(&format!("{title} · {printed}")) };
    let css = askama::Template::render(&style).map_err(Error::internal)?;
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((CONTENT_TYPE, "text/css; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-store"));
    Ok(answer.body(css))
}

/// The bare words of a version in a language; empty where it has none in it.
pub(super) async fn words_of_rendition(
    reader: &Reader,
    record: &crate::documents::record::VersionRecord,
    lang: &str,
) -> Result<String> {
    let Some(text) = record.renditions.iter().find(|text| text.lang == lang).cloned() else {
        return Ok(String::new());
    };
    reader.read(move |db| store::text(db, &text)).await
}
