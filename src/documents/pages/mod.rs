//! Documents as pages: the register, reading, history and comparison, drafting, signing.
//!
//! Every page asks and changes through the functions the API uses. A refused form comes back with what was typed, with
//! the refusal's status; a done one leads on with 303.

mod creating;
mod draft;
mod history;
mod kept;
mod reading;
mod register;
mod signing;
mod steps;
mod submitting;

use super::prose::in_tongue;
use super::read_pages::{Around, Shown};
use super::record::Tongues;
use super::views::{Fact, Place, Tab};
use super::{codes, reading as answers};
use crate::error::{Error, FieldError, Result};
use crate::people::desk::Reader;
use crate::people::gate::Route;
use crate::people::rights::{Permission, Role};
use crate::people::view::{View, role_word};
use crate::web::parts::{Choice, Signature, state_tag};
use crate::web::words::Words;

pub use kept::KeptPages;

/// The bar's entry under which all these pages stand.
const SECTION: &str = "/documents";
/// The languages a text is written in here.
const TONGUES: [&str; 2] = ["zh-CN", "en"];

/// The feature's routes for people.
pub fn page_routes() -> Vec<Route> {
    let mut routes = register::routes();
    routes.extend(creating::routes());
    routes.extend(history::routes());
    routes.extend(draft::routes());
    routes.extend(submitting::routes());
    routes.extend(signing::routes());
    routes.extend(steps::routes());
    // Last: its addresses take anything for a version.
    routes.extend(reading::routes());
    routes
}

/// The address of a version.
fn address(number: &str, version: &str) -> String {
    format!("/documents/{number}/{version}")
}

/// A version as the reader may see it.
async fn shown(reader: &Reader, view: &View, (number, version): (&str, &str)) -> Result<Shown> {
    let (number, version, now) = (number.to_owned(), version.to_owned(), view.now());
    let sight = answers::sight_of(&reader.caller, now);
    reader.read(move |db| super::read_pages::shown(db, (&number, &version), (sight, now))).await
}

/// A title in the reader's language, else in the authoritative one.
fn titled(w: Words, title: &Tongues, around: &Around) -> String {
    in_tongue(title, w.lang().tag(), &around.document.authoritative_language)
}

/// Where a page about a version stands.
fn place_of_version(view: &View, shown: &Shown, tab: Tab) -> Place {
    let version = &shown.record.version;
    Place {
        title: titled(view.words, &shown.carried.title, &shown.around),
        version: Some(version.version.clone()),
        state: Some(state_tag(view.words, shown.state.code())),
        ..place(view, &shown.around, tab)
    }
}

/// Where a page about a document stands.
fn place(view: &View, around: &Around, tab: Tab) -> Place {
    let document = &around.document;
    let speaks = around.timeline().foremost(view.now()).and_then(|version| version.carried().ok());
    let title = speaks.or_else(|| document.carried().ok()).map(|carried| carried.title).unwrap_or_default();
    let may = |permission| view.caller().is_some_and(|caller| caller.may(permission));
    Place {
        number: document.number.clone(),
        title: titled(view.words, &title, around),
        department: document.department.clone(),
        department_word: department_word(view.words, &document.department),
        version: None,
        state: None,
        tab,
        versions: i64::try_from(around.versions.len()).unwrap_or(i64::MAX),
        archive: may(Permission::ReadAllVersions),
        trail: may(Permission::ReadTrail),
    }
}

/// Signatures with their roles in words.
fn worded(w: Words, list: &[Signature]) -> Vec<Signature> {
    let word = |mut signature: Signature| {
        if !signature.role.is_empty() {
            signature.role = role_word(w, &signature.role);
        }
        signature
    };
    list.iter().cloned().map(word).collect()
}

fn kind_word(w: Words, code: &str) -> String {
    w.t(&format!("documents-kind-{code}")).into_owned()
}

fn department_word(w: Words, code: &str) -> String {
    w.t(&format!("documents-department-{code}")).into_owned()
}

/// What a text's language is called, for a reader; its tag where it is none of ours.
fn tongue_word(w: Words, tag: &str) -> String {
    let key = format!("document-tongue-{tag}");
    if w.has(&key) { w.t(&key).into_owned() } else { tag.to_owned() }
}

fn listed(w: Words, codes: &[String], word: impl Fn(Words, &str) -> String) -> String {
    let words: Vec<String> = codes.iter().map(|code| word(w, code)).collect();
    words.join(&w.t("document-list-comma"))
}

fn choices<'a>(codes: impl IntoIterator<Item = &'a str>, word: impl Fn(&str) -> String) -> Vec<Choice> {
    codes.into_iter().map(|code| Choice { value: code.to_owned(), label: word(code) }).collect()
}

fn kind_choices(w: Words) -> Vec<Choice> {
    choices(codes::Kind::ALL.iter().map(|kind| kind.code()), |code| kind_word(w, code))
}

fn department_choices(w: Words) -> Vec<Choice> {
    choices(codes::DEPARTMENTS, |code| department_word(w, code))
}

fn process_choices(w: Words) -> Vec<Choice> {
    choices(codes::PROCESSES, |code| codes::process_word(w, code))
}

fn role_choices(w: Words) -> Vec<Choice> {
    choices(Role::ALL.iter().map(|role| role.code()), |code| w.t(&format!("role-{code}")).into_owned())
}

fn tongue_choices(w: Words) -> Vec<Choice> {
    choices(TONGUES, |tag| tongue_word(w, tag))
}

/// The whole number somebody typed; for anything else 0, which no check lets pass.
fn whole(text: &str) -> u32 {
    text.trim().parse().unwrap_or(0)
}

/// A refusal whose fields are called as the form calls them.
fn renamed(error: Error, names: &[(&str, &str)]) -> Error {
    if error.fields().is_empty() {
        return error;
    }
    let fields: Vec<FieldError> = error.fields().to_vec();
    let renamed = Error::new(error.kind(), error.code());
    fields.into_iter().fold(renamed, |renamed, fault| {
        let own = names.iter().find(|(field, _)| *field == fault.field).map(|(_, own)| (*own).to_owned());
        renamed.field_with(FieldError { field: own.unwrap_or(fault.field), ..fault })
    })
}

/// What the fields of texts and titles are called in a form.
const FIELDS: &[(&str, &str)] = &[
    ("title", "title_zh"),
    ("title.zh-CN", "title_zh"),
    ("title.en", "title_en"),
    ("renditions", "text_zh"),
    ("renditions.zh-CN", "text_zh"),
    ("renditions.en", "text_en"),
];

/// What a person is told of a version before they sign it, whatever the signature means: which it is, the digest that is
/// signed, what changed and why.
fn facts(w: Words, shown: &Shown) -> Vec<Fact> {
    let version = &shown.record.version;
    let name = titled(w, &shown.carried.title, &shown.around);
    let document = format!("{} V{} {name}", version.document, version.version);
    let own = address(&version.document, &version.version);
    vec![
        Fact { href: Some(own), ..fact(w, "document-fact-document", document) },
        Fact { mono: true, ..fact(w, "document-fact-digest", version.digest.clone()) },
        fact(w, "document-draft-change_summary", version.change_summary.clone()),
        fact(w, "document-draft-change_reason", version.change_reason.clone()),
    ]
}

fn fact(w: Words, key: &str, value: String) -> Fact {
    Fact { word: w.t(key).into_owned(), value, href: None, mono: false }
}
