//! The parts of a quality record's page that are the same for every kind: phases, corrections, history.

use askama::Template;
use askama::filters::HtmlSafe;
use chrono_tz::Tz;

use super::corrections::CorrectionView;
use super::kind::RecordKind;
use super::transitions::TransitionView;
use crate::people::gate::Caller;
use crate::people::rights::Permission;
use crate::time::Timestamp;
use crate::web::page::Frame;
use crate::web::parts::{Look, Tag, tag};
use crate::web::words::Words;

/// How a kind of record words its fields and states on a page.
pub struct Wording {
    /// Keys of its states: `deviation-state` before `-registered`.
    pub state: &'static str,
    /// Keys of its fields: `deviation` before `-title`.
    pub field: &'static str,
    /// A field's value as a person reads it.
    pub value: fn(Words, Tz, &str, &str) -> String,
}

impl Wording {
    /// The word of a state.
    pub fn state(&self, w: Words, state: &str) -> String {
        w.t(&format!("{}-{state}", self.state)).into_owned()
    }

    /// The word of a field.
    pub fn field(&self, w: Words, field: &str) -> String {
        w.t(&format!("{}-{field}", self.field)).into_owned()
    }
}

struct Phase {
    word: String,
    standing: &'static str,
}

/// The states in order: done, now, to come.
#[derive(Template)]
#[template(path = "records/phases.html")]
pub struct Phases<'a> {
    frame: &'a Frame,
    list: Vec<Phase>,
}

impl HtmlSafe for Phases<'_> {}

/// The phases of a record that stands in `state`.
pub fn phases<'a>(frame: &'a Frame, kind: &RecordKind, wording: &Wording, state: &str) -> Phases<'a> {
    let at = kind.states.iter().position(|known| *known == state).unwrap_or_default();
    let is_closed = state == kind.closed_state();
    let standing = |place: usize| match place.cmp(&at) {
        std::cmp::Ordering::Less => "done",
        std::cmp::Ordering::Equal if is_closed => "done",
        std::cmp::Ordering::Equal => "now",
        std::cmp::Ordering::Greater => "todo",
    };
    let phase = |(place, state): (usize, &&str)| Phase {
        word: wording.state(frame.w, state),
        standing: standing(place),
    };
    Phases { frame, list: kind.states.iter().enumerate().map(phase).collect() }
}

/// A correction as a page shows it.
pub struct CorrectionLine {
    /// The field's word.
    pub field: String,
    /// What it said.
    pub old: String,
    /// What it shall say.
    pub new: String,
    /// Why.
    pub reason: String,
    /// Who asked.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Requested, approved, rejected.
    pub state: Tag,
    /// Who decided, when and why.
    pub decided: Option<String>,
    /// Whether the reader may decide it.
    pub may_decide: bool,
    /// Where it is decided.
    pub href: String,
}

/// A correction in words; `base` is the record's address.
pub fn correction_line(
    frame: &Frame,
    wording: &Wording,
    (base, reader): (&str, &Caller),
    view: &CorrectionView,
) -> CorrectionLine {
    let w = frame.w;
    let look = match view.state {
        "approved" => Look::Live,
        "rejected" => Look::Stopped,
        _ => Look::Yellow,
    };
    let decided = view.decided_at.as_ref().map(|at| {
        let by = view.decided_by.as_ref().map(ToString::to_string).unwrap_or_default();
        let reason = view.decision_reason.as_deref().unwrap_or_default();
        format!("{by} {} {reason}", frame.minute(at))
    });
    let is_open = view.decided_at.is_none();
    CorrectionLine {
        field: wording.field(w, &view.field),
        old: (wording.value)(w, frame.zone, &view.field, &view.old),
        new: (wording.value)(w, frame.zone, &view.field, &view.new),
        reason: view.reason.clone(),
        by: view.requested_by.to_string(),
        at: view.requested_at,
        state: tag(look, w.t(&format!("record-correction-{}", view.state))),
        decided,
        may_decide: is_open && reader.may(Permission::Decide) && reader.login != view.requested_by.login,
        href: format!("{base}/corrections/{}", view.id),
    }
}

/// A step of the history.
pub struct HistoryStep {
    /// What happened.
    pub word: String,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// Corrections and transitions, the latest step first.
#[derive(Template)]
#[template(path = "records/history.html")]
pub struct History<'a> {
    frame: &'a Frame,
    corrections: Vec<CorrectionLine>,
    steps: Vec<HistoryStep>,
}

impl HtmlSafe for History<'_> {}

/// The history of a record: its corrections, and its steps since it was raised.
pub fn history<'a>(
    frame: &'a Frame,
    wording: &Wording,
    corrections: Vec<CorrectionLine>,
    (raised, moves): (HistoryStep, &[TransitionView]),
) -> History<'a> {
    let step = |step: &TransitionView| HistoryStep {
        word: format!("{} → {}", wording.state(frame.w, &step.from), wording.state(frame.w, &step.to)),
        at: step.moved_at,
        by: step.moved_by.to_string(),
        reason: step.reason.clone(),
    };
    let mut steps: Vec<HistoryStep> = moves.iter().rev().map(step).collect();
    steps.push(raised);
    History { frame, corrections, steps }
}
