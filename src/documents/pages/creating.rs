//! A new document: its number for good, and what its first version begins with.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::{
    FIELDS, SECTION, department_choices, kind_choices, process_choices, renamed, role_choices,
    tongue_choices, whole,
};
use crate::documents::drafting;
use crate::documents::intake::{DocumentInput, Title};
use crate::documents::read_pages::{Candidate, candidates};
use crate::documents::views::{New, people};
use crate::error::Result;
use crate::people::desk::{Desk, Reader};
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::people::view::View;
use crate::web::form::{Form, Typed};
use crate::web::page::{page, see_other_with};
use crate::web::parts::{Choice, Sheet};
use crate::web::problem::Refused;

pub(super) fn routes() -> Vec<Route> {
    let write = Gate::May(Permission::WriteDrafts);
    vec![
        Route::get("/documents/new", write, "", || web::to(ask)),
        Route::post("/documents/new", write, "", || web::to(create)),
    ]
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fields {
    kind: String,
    department: String,
    number: String,
    title_zh: String,
    title_en: String,
    owner: String,
    processes: Vec<String>,
    audience: Vec<String>,
    review_months: String,
    authoritative_language: String,
}

/// Titles by language, without the empty ones.
pub(super) fn titles(zh: &str, en: &str) -> BTreeMap<String, String> {
    let both = [("zh-CN", zh), ("en", en)].into_iter();
    both.filter(|(_, title)| !title.trim().is_empty())
        .map(|(lang, title)| (lang.into(), title.into()))
        .collect()
}

impl Fields {
    fn input(&self) -> DocumentInput {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        DocumentInput {
            number: given(&self.number),
            kind: self.kind.clone(),
            department: self.department.clone(),
            owner: self.owner.clone(),
            title: Title::Many(titles(&self.title_zh, &self.title_en)),
            processes: self.processes.clone(),
            audience: self.audience.clone(),
            review_months: whole(&self.review_months),
            authoritative_language: given(&self.authoritative_language),
        }
    }
}

async fn owners(reader: &Reader) -> Result<Vec<Choice>> {
    let candidates = reader.read(|db| candidates(db, Permission::WriteDrafts, &[])).await?;
    Ok(people(candidates, |person: &Candidate| format!("{} ({})", person.name, person.login)))
}

fn template(view: &View, typed: Typed, owners: Vec<Choice>) -> New {
    let w = view.words;
    New {
        frame: view.frame(w.t("document-new"), SECTION),
        sheet: Sheet::new(w, "document-new", typed),
        kinds: kind_choices(w),
        departments: department_choices(w),
        processes: process_choices(w),
        roles: role_choices(w),
        tongues: tongue_choices(w),
        owners,
    }
}

async fn ask(view: View, reader: Reader) -> Result<HttpResponse> {
    let owners = owners(&reader).await?;
    let own = reader.caller.login.clone();
    let typed = [("authoritative_language", "zh-CN"), ("review_months", "24"), ("owner", own.as_str())];
    Ok(page(&template(&view, Typed::from_pairs(typed), owners), StatusCode::OK))
}

async fn create(view: View, reader: Reader, desk: Desk, form: Form<Fields>) -> Result<HttpResponse> {
    let actor = desk.caller.actor(Permission::WriteDrafts)?;
    let outcome = match form.fields.input().check() {
        Ok(new) => desk.write(move |tx| drafting::create_document(tx, &actor, &new)).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(record) => Ok(see_other_with(&format!("/documents/{}", record.document.number), "document-made")),
        Err(error) => {
            let refused = Refused::by(renamed(error, FIELDS))?;
            let new = template(&view, form.typed, owners(&reader).await?);
            let (frame, sheet) = (new.frame.clone().failed(), new.sheet.clone().refused(&refused));
            Ok(refused.page(&New { frame, sheet, ..new }))
        }
    }
}
