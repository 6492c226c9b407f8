//! What the templates of the document pages are filled with.

use askama::Template;
use askama::filters::HtmlSafe;

use super::read_pages::Candidate;
use crate::text::diff;
use crate::text::markdown::Heading;
use crate::time::Timestamp;
use crate::web::form::Typed;
use crate::web::page::Frame;
use crate::web::parts::{Choice, EntryLink, Sheet, Signature, Tag};

/// Which of a document's pages is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// The text.
    Text,
    /// Versions and comparison.
    History,
    /// A step on the way: none of the tabs.
    Step,
}

/// Where a page stands: crumbs, heading, tabs.
#[derive(Debug, Clone)]
pub struct Place {
    /// `SOP-CS-001`.
    pub number: String,
    /// The title.
    pub title: String,
    /// Department code.
    pub department: String,
    /// Its name.
    pub department_word: String,
    /// The version's number, where the page is about one.
    pub version: Option<String>,
    /// Its state.
    pub state: Option<Tag>,
    /// The open page.
    pub tab: Tab,
    /// How many versions there are.
    pub versions: i64,
    /// Whether the reader may see other versions.
    pub archive: bool,
    /// Whether the reader may see the trail.
    pub trail: bool,
}

impl Place {
    fn is_text(&self) -> bool {
        self.tab == Tab::Text
    }

    fn is_history(&self) -> bool {
        self.tab == Tab::History
    }
}

/// A row of the register.
#[derive(Debug, Clone)]
pub struct RegisterRow {
    pub number: String,
    pub title: String,
    pub version: Option<String>,
    pub state: Tag,
    pub department: String,
    pub owner: String,
    pub since: Option<Timestamp>,
    pub review_due: Option<Timestamp>,
    /// Days since the review was due.
    pub overdue: Option<i64>,
    pub references: i64,
    /// Where the row leads.
    pub href: String,
}

/// The register.
#[derive(Template)]
#[template(path = "documents/register.html")]
pub struct Register {
    pub frame: Frame,
    pub sheet: Sheet,
    pub typed: Typed,
    pub rows: Vec<RegisterRow>,
    pub at: Timestamp,
    pub next: Option<String>,
    pub total: Option<i64>,
    pub writes: bool,
    pub archive: bool,
    pub kinds: Vec<Choice>,
    pub departments: Vec<Choice>,
    pub processes: Vec<Choice>,
    pub states: Vec<Choice>,
}

impl Register {
    fn overdue_tag(&self, days: &i64) -> Tag {
        let w = self.frame.w;
        let word =
            if *days == 0 { w.t("document-overdue-today") } else { w.one("document-overdue", "days", *days) };
        crate::web::parts::tag(crate::web::parts::Look::Yellow, word)
    }
}

/// A new document.
#[derive(Template)]
#[template(path = "documents/new.html")]
pub struct New {
    pub frame: Frame,
    pub sheet: Sheet,
    pub kinds: Vec<Choice>,
    pub departments: Vec<Choice>,
    pub processes: Vec<Choice>,
    pub roles: Vec<Choice>,
    pub tongues: Vec<Choice>,
    pub owners: Vec<Choice>,
}

/// A rendition one may choose.
#[derive(Debug, Clone)]
pub struct TongueLink {
    pub tag: String,
    pub word: String,
    pub href: String,
    pub here: bool,
}

/// Something listed in the margin.
#[derive(Debug, Clone)]
pub struct MarginItem {
    pub href: String,
    pub name: String,
    pub title: String,
}

/// A button that leads to an act.
#[derive(Debug, Clone)]
pub struct Act {
    pub href: String,
    pub word: String,
    pub icon: &'static str,
    /// The one main act of the page.
    pub main: bool,
}

/// What is above a version that is not in force.
#[derive(Debug, Clone)]
pub struct Banner {
    pub icon: &'static str,
    pub head: String,
    pub text: String,
    /// What is in force instead: address and words.
    pub instead: Option<(String, String)>,
    /// How it differs: an address.
    pub difference: Option<String>,
}

/// The body of the reading page.
#[derive(Debug, Clone)]
pub enum Body {
    /// The text, drawn.
    Prose { html: String, outline: Vec<Heading> },
    /// Not shown, because it is not what was sealed.
    Broken { sealed: String, found: Option<String> },
}

/// The reading page.
#[derive(Template)]
#[template(path = "documents/document.html")]
pub struct Reading {
    pub frame: Frame,
    pub place: Place,
    pub acts: Vec<Act>,
    pub facts: Vec<Fact>,
    pub tongues: Vec<TongueLink>,
    /// The tag of the language that decides.
    pub authoritative: String,
    pub lang: String,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub signatures: Vec<Signature>,
    pub digest: String,
    pub entry: Option<EntryLink>,
    pub body: Body,
    pub banner: Option<Banner>,
    /// The instant asked about, where it was not now.
    pub as_of: Option<Timestamp>,
    pub referring: Vec<MarginItem>,
    /// Links of this version.
    pub ties: Vec<MarginItem>,
    pub may_link: bool,
    pub change: Option<Change>,
}

impl Reading {
    fn sound(&self) -> Option<bool> {
        Some(matches!(self.body, Body::Prose { .. }))
    }

    fn print_style(&self) -> String {
        format!(
            "/documents/{}/{}/print.css",
            self.place.number,
            self.place.version.as_deref().unwrap_or_default()
        )
    }
}

/// A line of a data list.
#[derive(Debug, Clone)]
pub struct Fact {
    pub word: String,
    pub value: String,
    pub href: Option<String>,
    pub mono: bool,
}

/// What changed against the version before.
#[derive(Debug, Clone)]
pub struct Change {
    pub summary: String,
    pub reason: String,
    /// The older version and the address of the comparison.
    pub compare: Option<(String, String)>,
}

/// A document without any version.
#[derive(Template)]
#[template(path = "documents/empty.html")]
pub struct Unwritten {
    pub frame: Frame,
    pub place: Place,
    pub facts: Vec<Fact>,
    pub writes: bool,
}

/// What somebody is told who may only read what is in force.
#[derive(Template)]
#[template(path = "documents/not_in_force.html")]
pub struct NotInForce {
    pub frame: Frame,
    pub number: String,
    pub in_force: Option<String>,
}

/// A version's own part of the printed page.
#[derive(Template)]
#[template(path = "documents/print.css", escape = "none")]
pub struct PrintStyle {
    pub head: String,
    pub foot: String,
}

/// A row of the history.
#[derive(Debug, Clone)]
pub struct HistoryRow {
    pub version: String,
    pub state: Tag,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub author: String,
    pub created_at: Timestamp,
    pub summary: String,
    pub reason: String,
    pub digest: String,
    /// Chosen as the older, as the newer.
    pub chosen: (bool, bool),
}

/// The versions of a document.
#[derive(Template)]
#[template(path = "documents/history.html")]
pub struct History {
    pub frame: Frame,
    pub place: Place,
    pub rows: Vec<HistoryRow>,
    pub tongues: Vec<Choice>,
    pub lang: String,
    pub new_draft: bool,
    pub reviews: Vec<ReviewRow>,
}

/// A periodic review.
#[derive(Debug, Clone)]
pub struct ReviewRow {
    pub version: String,
    pub outcome: String,
    pub comment: String,
    pub at: Timestamp,
    pub by: String,
}

/// A difference of something other than the text.
#[derive(Debug, Clone)]
pub struct Differing {
    pub word: String,
    pub old: String,
    pub new: String,
}

/// Two texts side by side, only what changed.
#[derive(Debug, Template)]
#[template(path = "documents/comparison.html")]
pub struct Comparison {
    pub frame: Frame,
    pub comparison: diff::Comparison,
    pub caption: String,
    pub lang: String,
}

impl HtmlSafe for Comparison {}

impl Comparison {
    /// Unchanged lines kept around a change.
    const CONTEXT: usize = 2;

    fn stretches(&self) -> Vec<diff::Stretch<'_>> {
        diff::fold(&self.comparison.rows, Self::CONTEXT)
    }

    fn is_same(&self, row: &diff::Row) -> bool {
        row.kind == diff::RowKind::Same
    }

    fn has_old(&self, row: &diff::Row) -> bool {
        matches!(row.kind, diff::RowKind::Changed | diff::RowKind::Removed)
    }

    fn has_new(&self, row: &diff::Row) -> bool {
        matches!(row.kind, diff::RowKind::Changed | diff::RowKind::Added)
    }

    fn gap(&self, rows: &usize) -> String {
        let rows = i64::try_from(*rows).unwrap_or(i64::MAX);
        self.frame.w.one("document-diff-gap", "n", rows).into_owned()
    }

    fn counts(&self) -> String {
        let n = |count: usize| i64::try_from(count).unwrap_or(i64::MAX).into();
        let c = &self.comparison;
        let args = [("changed", n(c.changed)), ("added", n(c.added)), ("removed", n(c.removed))];
        self.frame.w.with("document-diff-counts", &args).into_owned()
    }
}

/// The comparison of two versions.
#[derive(Template)]
#[template(path = "documents/diff.html")]
pub struct Diff {
    pub frame: Frame,
    pub place: Place,
    /// The older and the newer.
    pub sides: [HistoryRow; 2],
    pub tongues: Vec<TongueLink>,
    pub differing: Vec<Differing>,
    pub comparison: Comparison,
}

impl Diff {
    fn heading(&self) -> String {
        let [from, to] = self.sides.each_ref().map(|side| side.version.as_str());
        self.frame.w.with("document-diff-title", &[("from", from.into()), ("to", to.into())]).into_owned()
    }

    fn side(&self, index: &usize) -> &'static str {
        if *index == 0 { "document-side-old" } else { "document-side-new" }
    }
}

/// A rendition as it would be read.
#[derive(Debug, Clone)]
pub struct Preview {
    pub lang: String,
    pub word: String,
    pub html: String,
}

/// Writing a draft.
#[derive(Template)]
#[template(path = "documents/draft.html")]
pub struct Draft {
    pub frame: Frame,
    pub place: Place,
    pub sheet: Sheet,
    /// Its version, once it has one.
    pub version: Option<String>,
    /// What the draft is built on.
    pub base: Option<String>,
    /// The digest it is changed from; empty for a new one.
    pub digest: String,
    pub processes: Vec<Choice>,
    pub roles: Vec<Choice>,
    pub steps: Vec<Choice>,
    pub warnings: Vec<String>,
    pub previews: Vec<Preview>,
    /// What was saved meanwhile against what was typed.
    pub meanwhile: Vec<Comparison>,
}

/// Submitting a draft.
#[derive(Template)]
#[template(path = "documents/submit.html")]
pub struct Submit {
    pub frame: Frame,
    pub place: Place,
    pub sheet: Sheet,
    pub digest: String,
    pub facts: Vec<Fact>,
    pub warnings: Vec<String>,
    pub reviewers: Vec<Choice>,
    pub approvers: Vec<Choice>,
    /// Why it cannot be submitted, where it cannot.
    pub blocked: Option<String>,
}

/// Signing a version.
#[derive(Template)]
#[template(path = "documents/sign.html")]
pub struct Sign {
    pub frame: Frame,
    pub place: Place,
    pub sheet: Sheet,
    pub digest: String,
    pub facts: Vec<Fact>,
    pub signatures: Vec<Signature>,
    /// The meaning asked for; `reviewed` or `approved`.
    pub meaning: Option<&'static str>,
    /// Why one may not sign.
    pub blocked: Option<String>,
    /// Whether one may send it back.
    pub rejects: bool,
}

impl Sign {
    fn button(&self, meaning: &str) -> String {
        let args = [
            ("number", self.place.number.as_str().into()),
            ("version", self.place.version.as_deref().unwrap_or_default().into()),
        ];
        self.frame.w.with(&format!("document-sign-do-{meaning}"), &args).into_owned()
    }
}

/// One act with a reason, on a page of its own.
#[derive(Template)]
#[template(path = "documents/step.html")]
pub struct Step {
    pub frame: Frame,
    pub place: Place,
    pub sheet: Sheet,
    pub facts: Vec<Fact>,
    /// What the act means.
    pub meaning: String,
    /// What the button says.
    pub button: String,
    /// Which fields it asks.
    pub asks: Asks,
    pub outcomes: Vec<Choice>,
    pub blocked: Option<String>,
    pub back: String,
}

/// The fields of an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asks {
    pub reason: bool,
    pub outcome: bool,
    pub effective_from: bool,
    pub password: bool,
}

/// People as choices, by login.
pub fn people(candidates: Vec<Candidate>, word: impl Fn(&Candidate) -> String) -> Vec<Choice> {
    candidates.into_iter().map(|person| Choice { label: word(&person), value: person.login }).collect()
}
