//! The pages' templates as values.

use askama::Template;
use chrono_tz::Tz;

use super::read::{DeviationRow, DeviationView};
use super::record::{Batch, FILLABLE, areas, is_overdue};
use super::store::KIND;
use crate::keeping::{KeptLine, Retained, kept_line};
use crate::links::pages::{LinkPart, part};
use crate::links::read::Tie;
use crate::people::gate::Caller;
use crate::people::rights::Permission;
use crate::people::view::{entry_link, role_word};
use crate::records::signed::SignatureView;
use crate::records::transitions::neighbours;
use crate::records::views::{self, History, HistoryStep, Phases, Wording};
use crate::time::Timestamp;
use crate::web::format;
use crate::web::page::Frame;
use crate::web::paging::Page;
use crate::web::parts::{Choice, Look, Sheet, Signature, Standing, Tag, tag};
use crate::web::words::{Lang, Words};

/// How deviations word their fields and states.
pub(super) const WORDING: Wording = Wording { state: "deviation-state", field: "deviation", value };

/// A field's value as a person reads it.
fn value(w: Words, zone: Tz, field: &str, value: &str) -> String {
    match field {
        "class" => w.t(&format!("deviation-class-{value}")).into_owned(),
        "area" => area_word(w, value),
        "occurred_at" | "found_at" => {
            Timestamp::parse(value).map_or_else(|| value.to_owned(), |at| format::minute(at, zone))
        }
        _ => value.to_owned(),
    }
}

fn area_word(w: Words, code: &str) -> String {
    let area = areas().iter().find(|area| area.code == code);
    let word = area.map(|area| if w.lang() == Lang::Zh { &area.zh } else { &area.en });
    word.map_or_else(|| code.to_owned(), Clone::clone)
}

fn class_tag(w: Words, class: &str) -> Tag {
    let look = match class {
        "critical" => Look::Red,
        "major" => Look::Yellow,
        _ => Look::Green,
    };
    tag(look, w.t(&format!("deviation-class-{class}")))
}

fn state_tag(w: Words, state: &str) -> Tag {
    let look = if state == KIND.closed_state() { Look::Past } else { Look::Reading };
    tag(look, WORDING.state(w, state))
}

fn overdue_tag(w: Words, row: &DeviationRow, now: Timestamp) -> Option<Tag> {
    is_overdue((row.due_at, row.closed_at), now).then(|| tag(Look::Yellow, w.t("deviation-overdue")))
}

/// The areas to choose from.
pub(super) fn area_choices(w: Words) -> Vec<Choice> {
    areas().iter().map(|area| Choice { value: area.code.clone(), label: area_word(w, &area.code) }).collect()
}

/// The classes to choose from.
pub(super) fn class_choices(w: Words) -> Vec<Choice> {
    let label = |code: &str| w.t(&format!("deviation-class-{code}")).into_owned();
    super::record::Class::ALL
        .into_iter()
        .map(|class| Choice { value: class.code().to_owned(), label: label(class.code()) })
        .collect()
}

/// The states to choose from, and all that are open.
pub(super) fn state_choices(w: Words) -> Vec<Choice> {
    let choice = |state: &str| Choice { value: state.to_owned(), label: WORDING.state(w, state) };
    std::iter::once("open").chain(KIND.states.iter().copied()).map(choice).collect()
}

/// The list.
#[derive(Template)]
#[template(path = "deviations/list.html")]
pub(super) struct ListPage {
    pub frame: Frame,
    pub sheet: Sheet,
    pub rows: Page<DeviationRow>,
    pub total: i64,
    pub may_raise: bool,
    pub classes: Vec<Choice>,
    pub states: Vec<Choice>,
    pub areas: Vec<Choice>,
}

impl ListPage {
    fn class(&self, row: &DeviationRow) -> Tag {
        class_tag(self.frame.w, &row.class)
    }

    fn state(&self, row: &DeviationRow) -> Tag {
        state_tag(self.frame.w, &row.state)
    }

    fn area(&self, row: &DeviationRow) -> String {
        area_word(self.frame.w, &row.area)
    }

    fn overdue(&self, row: &DeviationRow) -> Option<Tag> {
        overdue_tag(self.frame.w, row, self.frame.now)
    }

    fn empty(&self) -> &'static str {
        if self.frame.is_filtered() { "deviation-none-left" } else { "deviation-none" }
    }
}

/// The form for a new one.
#[derive(Template)]
#[template(path = "deviations/new.html")]
pub(super) struct NewPage {
    pub frame: Frame,
    pub sheet: Sheet,
    pub classes: Vec<Choice>,
    pub areas: Vec<Choice>,
}

/// What the page of one deviation shows, read from one state.
pub(super) struct Seen {
    pub view: DeviationView,
    pub ties: Vec<Tie>,
    pub kept: Retained,
}

/// One deviation.
#[derive(Template)]
#[template(path = "deviations/one.html")]
pub(super) struct OnePage {
    pub frame: Frame,
    pub sheet: Sheet,
    pub seen: Seen,
    pub reader: Caller,
    may_write: bool,
    may_correct: bool,
    may_close: bool,
    is_closed: bool,
    signatures: Vec<Signature>,
}

/// A filled text, with what it said before it was corrected.
struct Text {
    label: String,
    value: String,
    before: Vec<String>,
}

impl OnePage {
    fn kept(&self) -> KeptLine<'_> {
        kept_line(&self.frame, &self.seen.kept)
    }

    pub(super) fn new(frame: Frame, sheet: Sheet, seen: Seen, reader: Caller) -> Self {
        let is_closed = seen.view.row.closed_at.is_some();
        let may_write = reader.may(Permission::RaiseDeviation) && !is_closed;
        let may_close = reader.may(Permission::Decide) && reader.login != seen.view.row.raised_by.login;
        let signatures = seen.view.told.signatures.iter().map(|view| signature(view, frame.w)).collect();
        Self {
            frame,
            sheet,
            seen,
            reader,
            may_write,
            may_correct: may_write,
            may_close,
            is_closed,
            signatures,
        }
    }

    fn base(&self) -> String {
        format!("/deviations/{}", self.seen.view.row.number)
    }

    fn class(&self) -> Tag {
        class_tag(self.frame.w, &self.seen.view.row.class)
    }

    fn state(&self) -> Tag {
        state_tag(self.frame.w, &self.seen.view.row.state)
    }

    fn state_word(&self, state: &str) -> String {
        WORDING.state(self.frame.w, state)
    }

    fn overdue(&self) -> Option<Tag> {
        overdue_tag(self.frame.w, &self.seen.view.row, self.frame.now)
    }

    fn value(&self, field: &str, text: &str) -> String {
        value(self.frame.w, self.frame.zone, field, text)
    }

    fn missing_word(&self, field: &str) -> String {
        WORDING.field(self.frame.w, field)
    }

    fn phases(&self) -> Phases<'_> {
        views::phases(&self.frame, &KIND, &WORDING, &self.seen.view.row.state)
    }

    /// The next state that is entered without a signature.
    fn next(&self) -> Option<&'static str> {
        neighbours(&KIND, &self.seen.view.row.state).1.filter(|next| *next != KIND.closed_state())
    }

    fn before(&self) -> Option<&'static str> {
        neighbours(&KIND, &self.seen.view.row.state).0
    }

    fn text_of(&self, field: &str) -> Option<&str> {
        let (view, found) = (&self.seen.view, &self.seen.view.findings);
        match field {
            "description" => Some(view.description.as_str()),
            "immediate_action" => found.immediate_action.as_deref(),
            "class_rationale" => found.class_rationale.as_deref(),
            "impact" => found.impact.as_deref(),
            "investigation" => found.investigation.as_deref(),
            "root_cause" => found.root_cause.as_deref(),
            "capa" => found.capa.as_deref(),
            "no_capa_reason" => found.no_capa_reason.as_deref(),
            "effectiveness_result" => found.effectiveness_result.as_deref(),
            _ => None,
        }
    }

    fn filled(&self) -> Vec<Text> {
        let before = |field: &str| {
            let of = self.seen.view.told.corrections.iter();
            of.filter(|made| made.field == field && made.state == "approved")
                .map(|made| made.old.clone())
                .collect()
        };
        let text = |field: &'static str| {
            let value = self.text_of(field)?.to_owned();
            Some(Text { label: WORDING.field(self.frame.w, field), value, before: before(field) })
        };
        std::iter::once("description").chain(FILLABLE.iter().copied()).filter_map(text).collect()
    }

    fn empty_fields(&self) -> Vec<&'static str> {
        FILLABLE.iter().copied().filter(|field| self.text_of(field).is_none()).collect()
    }

    fn links(&self) -> LinkPart<'_> {
        let subject = format!("deviation/{}", self.seen.view.row.number);
        part(&self.frame, &self.seen.ties, (&subject, &self.reader))
    }

    fn history(&self) -> History<'_> {
        let (view, base) = (&self.seen.view, self.base());
        let line = |made| views::correction_line(&self.frame, &WORDING, (&base, &self.reader), made);
        let raised = HistoryStep {
            word: WORDING.state(self.frame.w, KIND.states[0]),
            at: view.row.raised_at,
            by: view.row.raised_by.to_string(),
            reason: String::new(),
        };
        let lines = view.told.corrections.iter().map(line).collect();
        views::history(&self.frame, &WORDING, lines, (raised, &view.told.transitions))
    }
}

fn signature(view: &SignatureView, w: Words) -> Signature {
    let closed = view.meaning == crate::records::transitions::CLOSED;
    let standing = if closed { Standing::Final(view.signed_at) } else { Standing::Signed(view.signed_at) };
    Signature {
        meaning: view.meaning.clone(),
        name: view.name.clone().unwrap_or_else(|| view.by.clone()),
        role: role_word(w, &view.role),
        comment: view.comment.clone().unwrap_or_default(),
        standing,
        hash: view.digest.clone(),
        entry: view.placed.as_ref().map(entry_link),
    }
}

/// Batches as a person types them: `material/batch`, one a line.
pub(super) fn batches_typed(text: &str) -> Vec<Batch> {
    super::record::parts(text).into_iter().map(Batch::parse).collect()
}
