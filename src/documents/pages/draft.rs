//! Writing: a draft is made from what is in force, saved with the digest it was read at, and previewed on the way.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::creating::titles;
use super::history::compared;
use super::reading::words_of_rendition;
use super::{
    FIELDS, SECTION, TONGUES, address, place, place_of_version, process_choices, renamed, role_choices,
    shown, tongue_word, whole,
};
use crate::documents::answers::{self, Warning};
use crate::documents::drafting;
use crate::documents::intake::{DraftInput, Text, Title, VersionInput};
use crate::documents::read_pages::{self, Around};
use crate::documents::record::{Carried, Tongues, VersionRecord};
use crate::documents::views::{Comparison, Draft, Place, Preview, Tab};
use crate::documents::{prose, store};
use crate::error::{Error, Kind, Result};
use crate::people::desk::{Desk, Reader};
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::people::view::View;
use crate::web::form::{Form, Typed};
use crate::web::page::{page, see_other_with};
use crate::web::parts::{Choice, Sheet};
use crate::web::problem::Refused;
use crate::web::words::Words;

pub(super) fn routes() -> Vec<Route> {
    let write = Gate::May(Permission::WriteDrafts);
    vec![
        Route::get("/documents/{number}/draft/new", write, "", || web::to(ask_new)),
        Route::post("/documents/{number}/draft/new", write, "", || web::to(create)),
        Route::get("/documents/{number}/{version}/edit", write, "", || web::to(ask_edit)),
        Route::post("/documents/{number}/{version}/edit", write, "", || web::to(save)),
    ]
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Fields {
    title_zh: String,
    title_en: String,
    text_zh: String,
    text_en: String,
    processes: Vec<String>,
    audience: Vec<String>,
    review_months: String,
    change_summary: String,
    change_reason: String,
    step: String,
    digest: String,
    act: String,
}

impl Fields {
    /// The texts as typed, by language; none where nothing is.
    fn texts(&self) -> BTreeMap<String, Option<String>> {
        let texts = TONGUES.into_iter().zip([&self.text_zh, &self.text_en]);
        texts
            .map(|(lang, text)| (lang.to_owned(), Some(text.clone()).filter(|text| !text.trim().is_empty())))
            .collect()
    }

    fn written(&self) -> Tongues {
        self.texts().into_iter().filter_map(|(lang, text)| Some((lang, text?))).collect()
    }

    /// The titles typed, beside those in languages the form has no field for.
    fn title(&self, before: &Tongues) -> Title {
        let mut all = before.clone();
        all.retain(|lang, _| !TONGUES.contains(&lang.as_str()));
        all.extend(titles(&self.title_zh, &self.title_en));
        Title::Many(all)
    }

    fn new_version(&self, before: &Tongues) -> VersionInput {
        VersionInput {
            renditions: self.written(),
            change_summary: self.change_summary.clone(),
            change_reason: self.change_reason.clone(),
            major: Some(self.step != "minor"),
            title: Some(self.title(before)),
            processes: Some(self.processes.clone()),
            audience: Some(self.audience.clone()),
            review_months: Some(whole(&self.review_months)),
        }
    }

    fn changes(&self, before: &Tongues) -> DraftInput {
        DraftInput {
            renditions: Some(self.texts()),
            change_summary: Some(self.change_summary.clone()),
            change_reason: Some(self.change_reason.clone()),
            title: Some(self.title(before)),
            processes: Some(self.processes.clone()),
            audience: Some(self.audience.clone()),
            review_months: Some(whole(&self.review_months)),
        }
    }
}

/// What the form begins with.
fn filled(carried: &Carried, texts: &Tongues, told: (&str, &str)) -> Typed {
    let of = |from: &Tongues, lang: &str| from.get(lang).cloned().unwrap_or_default();
    let mut pairs = vec![
        ("title_zh", of(&carried.title, "zh-CN")),
        ("title_en", of(&carried.title, "en")),
        ("text_zh", of(texts, "zh-CN")),
        ("text_en", of(texts, "en")),
        ("review_months", carried.review_months.to_string()),
        ("change_summary", told.0.to_owned()),
        ("change_reason", told.1.to_owned()),
        ("step", "major".to_owned()),
    ];
    pairs.extend(carried.processes.iter().map(|code| ("processes", code.clone())));
    pairs.extend(carried.audience.iter().map(|code| ("audience", code.clone())));
    Typed::from_pairs(pairs)
}

/// What a page of writing is about.
struct Subject {
    place: Place,
    /// The version edited; none for a new one.
    record: Option<VersionRecord>,
    base: Option<String>,
    authoritative: String,
    carried: Carried,
}

async fn texts(reader: &Reader, record: &VersionRecord) -> Result<Tongues> {
    let mut texts = Tongues::new();
    for lang in TONGUES {
        texts.insert(lang.to_owned(), words_of_rendition(reader, record, lang).await?);
    }
    Ok(texts)
}

/// The document a new draft is for, and the texts it starts from.
async fn new_subject(view: &View, reader: &Reader, number: String) -> Result<(Subject, Tongues)> {
    let now = view.now();
    let (around, record): (Around, Option<VersionRecord>) = reader
        .read(move |db| {
            let around = read_pages::around(db, &number, now)?;
            let foremost = around.timeline().foremost(now).map(|version| version.version.clone());
            let record = foremost.map(|version| store::require_version(db, &number, &version)).transpose()?;
            Ok((around, record))
        })
        .await?;
    let (carried, start) = match &record {
        Some(record) => (record.version.carried()?, texts(reader, record).await?),
        None => (around.document.carried()?, Tongues::new()),
    };
    let subject = Subject {
        place: place(view, &around, Tab::Step),
        record: None,
        base: record.map(|record| record.version.version),
        authoritative: around.document.authoritative_language,
        carried,
    };
    Ok((subject, start))
}

async fn edited(view: &View, reader: &Reader, (number, version): (&str, &str)) -> Result<Subject> {
    let shown = shown(reader, view, (number, version)).await?;
    Ok(Subject {
        place: place_of_version(view, &shown, Tab::Step),
        base: shown.around.in_force.clone(),
        authoritative: shown.around.document.authoritative_language.clone(),
        carried: shown.carried,
        record: Some(shown.record),
    })
}

fn template(view: &View, subject: &Subject, typed: Typed, texts: &Tongues) -> Draft {
    let w = view.words;
    let version = subject.record.as_ref().map(|record| record.version.version.clone());
    let key = if version.is_some() { "document-draft-edit" } else { "document-draft-new" };
    let title = format!("{} {}", subject.place.number, w.t(key));
    let step =
        |code: &str| Choice { value: code.into(), label: w.t(&format!("document-step-{code}")).into_owned() };
    Draft {
        frame: view.frame(title, SECTION),
        place: subject.place.clone(),
        sheet: Sheet::new(w, "document-draft", typed),
        digest: subject.record.as_ref().map(|record| record.version.digest.clone()).unwrap_or_default(),
        base: subject.base.clone(),
        processes: process_choices(w),
        roles: role_choices(w),
        steps: vec![step("major"), step("minor")],
        warnings: warnings(w, texts, &subject.authoritative),
        previews: Vec::new(),
        meanwhile: Vec::new(),
        version,
    }
}

/// How the renditions are built differently, in words.
pub(super) fn warnings(w: Words, texts: &Tongues, authoritative: &str) -> Vec<String> {
    let written: Tongues =
        texts.iter().filter(|(_, text)| !text.is_empty()).map(|(l, t)| (l.clone(), t.clone())).collect();
    let told = |warning: Warning| {
        let n = |count: usize| i64::try_from(count).unwrap_or(i64::MAX).into();
        let args = [
            ("lang", tongue_word(w, &warning.lang).into()),
            ("headings", n(warning.headings[0])),
            ("headings_own", n(warning.headings[1])),
            ("steps", n(warning.steps[0])),
            ("steps_own", n(warning.steps[1])),
        ];
        w.with("document-warning-shape", &args).into_owned()
    };
    answers::warnings(&written, authoritative).into_iter().map(told).collect()
}

async fn ask_new(view: View, reader: Reader, number: web::Path<String>) -> Result<HttpResponse> {
    let (subject, texts) = new_subject(&view, &reader, number.into_inner()).await?;
    let typed = filled(&subject.carried, &texts, ("", ""));
    Ok(page(&template(&view, &subject, typed, &texts), StatusCode::OK))
}

async fn ask_edit(view: View, reader: Reader, path: web::Path<(String, String)>) -> Result<HttpResponse> {
    let (number, version) = path.into_inner();
    let subject = edited(&view, &reader, (&number, &version)).await?;
    let Some(record) = &subject.record else { return Err(Error::internal("an edited version is there")) };
    drafting::must_be(&record.version, crate::documents::record::Stored::Draft)?;
    let texts = texts(&reader, record).await?;
    let typed =
        filled(&subject.carried, &texts, (&record.version.change_summary, &record.version.change_reason));
    Ok(page(&template(&view, &subject, typed, &texts), StatusCode::OK))
}

/// The page again, with the texts as they would be read below the form. Nothing is written.
async fn preview(
    view: &View,
    reader: &Reader,
    subject: &Subject,
    form: Form<Fields>,
) -> Result<HttpResponse> {
    let (texts, now) = (form.fields.written(), view.now());
    let mut previews = Vec::new();
    for (lang, words) in &texts {
        let field = format!("renditions.{lang}");
        let words = match Text::take(&field, words.as_bytes()) {
            Ok(text) => text.words,
            Err(error) => return refused(view, subject, form, error),
        };
        let tag = lang.clone();
        let prose = reader.read(move |db| prose::prose(db, (words, &tag), now)).await?;
        let drawn = web::block(move || prose.render("p")).await.map_err(Error::internal)?;
        previews.push(Preview { lang: lang.clone(), word: tongue_word(view.words, lang), html: drawn.html });
    }
    let digest = form.fields.digest.clone();
    let draft = template(view, subject, form.typed, &texts);
    Ok(page(&Draft { previews, digest, ..draft }, StatusCode::OK))
}

/// The page of a refused form.
fn refused(view: &View, subject: &Subject, form: Form<Fields>, error: Error) -> Result<HttpResponse> {
    let texts = form.fields.written();
    let refused = Refused::by(renamed(error, FIELDS))?;
    let draft = template(view, subject, form.typed, &texts);
    let (frame, sheet) = (draft.frame.clone().failed(), draft.sheet.clone().refused(&refused));
    Ok(refused.page(&Draft { frame, sheet, digest: form.fields.digest, ..draft }))
}

async fn create(
    view: View,
    reader: Reader,
    desk: Desk,
    number: web::Path<String>,
    form: Form<Fields>,
) -> Result<HttpResponse> {
    let number = number.into_inner();
    let (subject, _) = new_subject(&view, &reader, number.clone()).await?;
    if form.fields.act == "preview" {
        return preview(&view, &reader, &subject, form).await;
    }
    let actor = desk.caller.actor(Permission::WriteDrafts)?;
    let outcome = match form.fields.new_version(&subject.carried.title).check() {
        Ok(new) => desk.write(move |tx| drafting::create_version(tx, &actor, &number, &new)).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(record) => Ok(see_other_with(
            &address(&record.version.document, &record.version.version),
            "document-drafted",
        )),
        Err(error) => refused(&view, &subject, form, error),
    }
}

async fn save(
    view: View,
    reader: Reader,
    desk: Desk,
    path: web::Path<(String, String)>,
    form: Form<Fields>,
) -> Result<HttpResponse> {
    let (number, version) = path.into_inner();
    let subject = edited(&view, &reader, (&number, &version)).await?;
    if form.fields.act == "preview" {
        return preview(&view, &reader, &subject, form).await;
    }
    let actor = desk.caller.actor(Permission::WriteDrafts)?;
    let expected = vec![form.fields.digest.clone()];
    let target = (number.clone(), version.clone());
    let outcome = match form.fields.changes(&subject.carried.title).check() {
        Ok(changes) => {
            desk.write(move |tx| drafting::save(tx, &actor, (&target.0, &target.1), (&expected, &changes)))
                .await
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(_) => Ok(see_other_with(&format!("{}/edit", address(&number, &version)), "saved")),
        Err(error) if error.kind() == Kind::Stale => stale(&view, &reader, (&number, &version), form).await,
        Err(error) => refused(&view, &subject, form, error),
    }
}

/// Somebody saved meanwhile: what was typed stays, and below stands how it differs from what is now saved. Saving
/// once more then replaces that knowingly.
async fn stale(
    view: &View,
    reader: &Reader,
    target: (&str, &str),
    form: Form<Fields>,
) -> Result<HttpResponse> {
    let subject = edited(view, reader, target).await?;
    let Some(record) = &subject.record else { return Err(Error::internal("an edited version is there")) };
    let texts = form.fields.written();
    let draft = template(view, &subject, form.typed, &texts);
    let mut meanwhile: Vec<Comparison> = Vec::new();
    for lang in TONGUES {
        let saved = words_of_rendition(reader, record, lang).await?;
        let typed = texts.get(lang).cloned().unwrap_or_default();
        let caption =
            view.words.one("document-draft-meanwhile", "lang", tongue_word(view.words, lang)).into_owned();
        meanwhile.push(compared(&draft.frame, (saved, typed), (caption, lang.to_owned())).await?);
    }
    let error = Error::conflict("if-match-stale");
    let sheet = draft.sheet.clone().refused(&error);
    let again = Draft { frame: draft.frame.clone().failed(), sheet, meanwhile, ..draft };
    Ok(page(&again, StatusCode::CONFLICT))
}
