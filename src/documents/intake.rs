//! What comes from outside, checked: the values of a document, the texts of a version. Requests and imported files pass
//! the same door, and all faults of one are told at once.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::codes::{self, Kind};
use super::number::{Number, Step};
use super::record::{Carried, Tongues};
use crate::error::{Error, FieldError, Result};
use crate::ledger::digest::Digest;
use crate::people::rights::Role;
use crate::text::accept;
use crate::text::markdown;
use crate::web::input::{self, Faults};

/// Characters of a title at most.
const TITLE: usize = 200;
/// Characters of a reason, a summary or a comment at most (ledger/format.md section 1).
pub const REASON: usize = 2_000;
/// The language that decides unless another is named.
const LANGUAGE: &str = "zh-CN";

/// A title as a request gives it: by language, or in the authoritative one.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Title {
    /// In the authoritative language.
    One(String),
    /// By BCP 47 tag.
    Many(BTreeMap<String, String>),
}

/// `POST /documents`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentInput {
    /// Where the next free one will not do.
    pub number: Option<String>,
    /// Kind code.
    pub kind: String,
    /// Department code.
    pub department: String,
    /// Login of the owner.
    pub owner: String,
    /// The title.
    pub title: Title,
    /// Process codes.
    pub processes: Vec<String>,
    /// Role codes.
    pub audience: Vec<String>,
    /// Months between periodic reviews, 1 to 120.
    pub review_months: u32,
    /// `zh-CN` unless named.
    pub authoritative_language: Option<String>,
}

/// `POST /documents/{number}/versions`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionInput {
    /// Texts by BCP 47 tag.
    pub renditions: BTreeMap<String, String>,
    /// What changed.
    pub change_summary: String,
    /// Why.
    pub change_reason: String,
    /// `true` unless said otherwise.
    pub major: Option<bool>,
    /// Where it differs from the version before.
    pub title: Option<Title>,
    /// Where they differ.
    pub processes: Option<Vec<String>>,
    /// Where it differs.
    pub audience: Option<Vec<String>>,
    /// Where it differs.
    pub review_months: Option<u32>,
}

/// `PATCH …/versions/{v}` while a draft: what is absent stays.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DraftInput {
    /// Texts by BCP 47 tag; null takes a language away.
    pub renditions: Option<BTreeMap<String, Option<String>>>,
    /// What changed.
    pub change_summary: Option<String>,
    /// Why.
    pub change_reason: Option<String>,
    /// The title.
    pub title: Option<Title>,
    /// Process codes.
    pub processes: Option<Vec<String>>,
    /// Role codes.
    pub audience: Option<Vec<String>>,
    /// Months between periodic reviews.
    pub review_months: Option<u32>,
}

/// A document to be made.
#[derive(Debug, Clone)]
pub struct NewDocument {
    /// Where the next free one will not do.
    pub number: Option<Number>,
    /// What sort of document.
    pub kind: Kind,
    /// Whose.
    pub department: &'static str,
    /// Login of the owner.
    pub owner: String,
    /// The first values of its versions.
    pub carried: Carried,
    /// The language that decides.
    pub authoritative_language: String,
}

/// Values of a draft that differ from what it has.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// The title; one without language is meant in the authoritative one.
    pub title: Option<Title>,
    /// Process codes, sorted.
    pub processes: Option<Vec<String>>,
    /// Role codes, sorted.
    pub audience: Option<Vec<String>>,
    /// Months between periodic reviews.
    pub review_months: Option<u32>,
    /// What changed.
    pub change_summary: Option<String>,
    /// Why.
    pub change_reason: Option<String>,
    /// Texts by language; none takes the language away.
    pub texts: BTreeMap<String, Option<Text>>,
}

/// A draft to be made.
#[derive(Debug, Clone)]
pub struct NewVersion {
    /// How far the change goes.
    pub step: Step,
    /// What it is to contain, beyond what the version before carried.
    pub changes: Changes,
}

/// A text that may be stored, with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The words, line ends made LF.
    pub words: String,
    /// Of the words.
    pub digest: Digest,
    /// Document numbers it refers to, each once.
    pub references: Vec<String>,
}

impl Text {
    /// Takes a text at `field`.
    ///
    /// # Errors
    /// 422 naming line and column.
    pub fn take(field: &str, bytes: &[u8]) -> Result<Self> {
        let words = accept::accept(bytes).map_err(|fault| text_fault(field, &fault))?;
        if words.trim().is_empty() {
            return Err(Error::invalid(field, "required"));
        }
        Ok(Self { digest: Digest::of(words.as_bytes()), references: references(&words), words })
    }
}

fn text_fault(field: &str, fault: &accept::TextFault) -> Error {
    let code = match fault.kind {
        accept::FaultKind::TooLong { .. } => "too-long",
        accept::FaultKind::NotUtf8 => "text-not-utf8",
        accept::FaultKind::Nul | accept::FaultKind::Bidirectional(_) | accept::FaultKind::Control(_) => {
            "text-control"
        }
    };
    let most = match fault.kind {
        accept::FaultKind::TooLong { limit } => limit,
        _ => accept::TEXT_LIMIT,
    };
    let place = [("line", fault.line), ("column", fault.column), ("most", most)];
    let args = place.map(|(name, value)| (name, value.to_string())).to_vec();
    Error::new(crate::error::Kind::Invalid, "invalid").field_with(FieldError {
        field: field.to_owned(),
        code,
        args,
    })
}

/// The document numbers a text refers to as `[[SOP-QA-001]]`, each once, sorted.
pub fn references(words: &str) -> Vec<String> {
    use pulldown_cmark::{Event, LinkType, Tag};
    let mut found = std::collections::BTreeSet::new();
    for event in markdown::events(words) {
        if let Event::Start(Tag::Link { link_type: LinkType::WikiLink { .. }, dest_url, .. }) = event
            && let Ok(number) = dest_url.trim().parse::<Number>()
        {
            found.insert(number.to_string());
        }
    }
    found.into_iter().collect()
}

/// A BCP 47 tag in its plain form: `zh-CN`, `en`.
fn language(field: &str, tag: &str) -> Result<String> {
    let mut parts = tag.split('-');
    let primary = parts.next().unwrap_or_default();
    let sound = (2..=3).contains(&primary.len())
        && primary.bytes().all(|byte| byte.is_ascii_lowercase())
        && parts.all(|part| {
            (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
        && tag.len() <= 35;
    if sound { Ok(tag.to_owned()) } else { Err(Error::invalid(field, "unknown-language")) }
}

/// Sorted codes of a closed list, each once.
fn code_list(field: &str, given: &[String], known: impl Fn(&str) -> bool) -> Result<Vec<String>> {
    let mut faults = Faults::new();
    for (index, code) in given.iter().enumerate() {
        if !known(code) {
            faults.note(format!("{field}[{index}]"), "unknown-code");
        } else if given[..index].contains(code) {
            faults.note(format!("{field}[{index}]"), "duplicate");
        }
    }
    faults.check()?;
    let mut codes = given.to_vec();
    codes.sort_unstable();
    Ok(codes)
}

fn processes(given: &[String]) -> Result<Vec<String>> {
    code_list("processes", given, codes::is_process)
}

fn audience(given: &[String]) -> Result<Vec<String>> {
    code_list("audience", given, |code| Role::from_code(code).is_some())
}

fn months(given: u32) -> Result<u32> {
    if (1..=120).contains(&given) { Ok(given) } else { Err(Error::invalid("review_months", "out-of-range")) }
}

fn title(given: &Title) -> Result<Title> {
    match given {
        Title::One(text) => input::line("title", text, TITLE).map(Title::One),
        Title::Many(texts) if texts.is_empty() => Err(Error::invalid("title", "required")),
        Title::Many(texts) => {
            let checked = texts.iter().map(|(lang, text)| {
                let field = format!("title.{lang}");
                Ok((language(&field, lang)?, input::line(&field, text, TITLE)?))
            });
            checked.collect::<Result<_>>().map(Title::Many)
        }
    }
}

impl Title {
    /// By language, one without being meant in `authoritative`.
    ///
    /// # Errors
    /// 422: none in the authoritative language.
    pub fn by_language(&self, authoritative: &str) -> Result<Tongues> {
        let texts = match self {
            Self::One(text) => Tongues::from([(authoritative.to_owned(), text.clone())]),
            Self::Many(texts) => texts.clone(),
        };
        if texts.contains_key(authoritative) {
            return Ok(texts);
        }
        Err(Error::invalid(format!("title.{authoritative}"), "required"))
    }
}

impl DocumentInput {
    /// Checks the values; who the owner is shows only in the database.
    ///
    /// # Errors
    /// 422 naming every faulty field.
    pub fn check(&self) -> Result<NewDocument> {
        let mut faults = Faults::new();
        let kind = faults.take(input::code::<Kind>("kind", &self.kind));
        let department = codes::department(&self.department);
        if department.is_none() {
            faults.note("department", "unknown-code");
        }
        let number = self.number.as_deref().map(|text| text.parse::<Number>());
        if matches!(number, Some(Err(_))) {
            faults.note("number", "number-form");
        }
        let number = number.and_then(Result::ok);
        if let (Some(number), Some(kind), Some(department)) = (number, kind, department)
            && (number.kind != kind || number.department != department)
        {
            faults.note("number", "number-misfit");
        }
        let tag = self.authoritative_language.as_deref().unwrap_or(LANGUAGE);
        let authoritative = faults.take(language("authoritative_language", tag)).unwrap_or_default();
        let title = faults.take(title(&self.title).and_then(|title| title.by_language(&authoritative)));
        let processes = faults.take(processes(&self.processes));
        let audience = faults.take(audience(&self.audience));
        let review_months = faults.take(months(self.review_months));
        let owner = faults.take(input::line("owner", &self.owner, 64));
        let (Some(kind), Some(department), Some(title)) = (kind, department, title) else {
            return Err(faults.error());
        };
        let (Some(processes), Some(audience), Some(review_months), Some(owner)) =
            (processes, audience, review_months, owner)
        else {
            return Err(faults.error());
        };
        faults.check()?;
        let carried = Carried { title, processes, audience, review_months };
        Ok(NewDocument { number, kind, department, owner, carried, authoritative_language: authoritative })
    }
}

impl VersionInput {
    /// Checks values and texts.
    ///
    /// # Errors
    /// 422 naming every faulty field.
    pub fn check(self) -> Result<NewVersion> {
        let step = if self.major.unwrap_or(true) { Step::Major } else { Step::Minor };
        let renditions = self.renditions.into_iter().map(|(lang, text)| (lang, Some(text))).collect();
        let draft = DraftInput {
            renditions: Some(renditions),
            change_summary: Some(self.change_summary),
            change_reason: Some(self.change_reason),
            title: self.title,
            processes: self.processes,
            audience: self.audience,
            review_months: self.review_months,
        };
        Ok(NewVersion { step, changes: draft.check()? })
    }
}

impl DraftInput {
    /// Checks values and texts.
    ///
    /// # Errors
    /// 422 naming every faulty field.
    pub fn check(&self) -> Result<Changes> {
        let mut faults = Faults::new();
        let told = |field: &str, given: &Option<String>| {
            given.as_deref().map(|given| input::text(field, given, REASON)).transpose()
        };
        let mut texts = BTreeMap::new();
        for (lang, words) in self.renditions.iter().flatten() {
            let field = format!("renditions.{lang}");
            let text = words.as_deref().map(|words| Text::take(&field, words.as_bytes())).transpose();
            if let (Some(lang), Some(text)) = (faults.take(language(&field, lang)), faults.take(text)) {
                texts.insert(lang, text);
            }
        }
        let changes = Changes {
            title: faults.take(self.title.as_ref().map(title).transpose()).flatten(),
            processes: faults.take(self.processes.as_deref().map(processes).transpose()).flatten(),
            audience: faults.take(self.audience.as_deref().map(audience).transpose()).flatten(),
            review_months: faults.take(self.review_months.map(months).transpose()).flatten(),
            change_summary: faults.take(told("change_summary", &self.change_summary)).flatten(),
            change_reason: faults.take(told("change_reason", &self.change_reason)).flatten(),
            texts,
        };
        faults.check()?;
        Ok(changes)
    }
}
