//! What the pages of recalls are made of, for their templates.

use askama::Template;

use super::read::{ClockView, RecallRow, RecallView, TraceLine, TraceView};
use super::record::{Class, Origin, Role, STATES};
use crate::keeping::{KeptLine, Retained, kept_line};
use crate::people::view::{entry_link, role_word};
use crate::records::corrections::CorrectionView;
use crate::records::deadlines::Unit;
use crate::records::signed::SignatureView;
use crate::records::source::{Basis, Confidence};
use crate::time::Timestamp;
use crate::web::page::Frame;
use crate::web::paging::Page;
use crate::web::parts::{Choice, Look, Sheet, Signature, Standing, Tag, tag};
use crate::web::words::{Lang, Words};

/// `/recalls`.
#[derive(Template)]
#[template(path = "recalls/list.html")]
pub(super) struct ListPage {
    pub frame: Frame,
    pub sheet: Sheet,
    pub recalls: Page<RecallRow>,
    pub counts: Vec<(&'static str, i64)>,
    pub states: Vec<Choice>,
    pub may_run: bool,
}

/// `/recalls/new`.
#[derive(Template)]
#[template(path = "recalls/new.html")]
pub(super) struct NewPage {
    pub frame: Frame,
    pub sheet: Sheet,
    pub classes: Vec<Choice>,
    pub roles: Vec<Choice>,
    pub origins: Vec<Choice>,
    pub drill: Vec<Choice>,
}

/// `/recalls/{number}`.
#[derive(Template)]
#[template(path = "recalls/recall.html")]
pub(super) struct RecallPage {
    pub frame: Frame,
    pub recall: RecallView,
    pub reached: Vec<Reached>,
    pub trace: TraceView,
    pub signatures: Vec<Signature>,
    pub forms: Forms,
    pub fields: Vec<Choice>,
    pub back: Option<&'static str>,
    pub forward: Option<&'static str>,
    pub may_run: bool,
    pub may_decide: bool,
    pub kept: Retained,
}

/// The forms of a recall's page.
pub(super) struct Forms {
    pub notices: Sheet,
    pub rest: Sheet,
    pub step: Sheet,
    pub correction: Sheet,
}

/// A customer's lines, for the trace that opens.
pub(super) struct Reached {
    pub code: String,
    pub name: String,
    pub lines: Vec<TraceLine>,
}

/// `/recalls/{number}/close`.
#[derive(Template)]
#[template(path = "recalls/close.html")]
pub(super) struct ClosePage {
    pub frame: Frame,
    pub recall: RecallView,
    pub missing: Vec<String>,
    pub own: bool,
    pub sheet: Sheet,
}

/// `/recalls/{number}/corrections/{id}`.
#[derive(Template)]
#[template(path = "recalls/correction.html")]
pub(super) struct CorrectionPage {
    pub frame: Frame,
    pub recall: RecallView,
    pub asked: CorrectionView,
    pub field: String,
    pub own: bool,
    pub verdicts: Vec<Choice>,
    pub sheet: Sheet,
}

/// The word of a code of the list `list`.
pub(super) fn word(w: Words, list: &str, code: &str) -> String {
    w.t(&format!("recalls-{list}-{code}")).into_owned()
}

fn choices<'a>(w: Words, list: &str, codes: impl IntoIterator<Item = &'a str>) -> Vec<Choice> {
    let choice = |code: &str| Choice { value: code.to_owned(), label: word(w, list, code) };
    codes.into_iter().map(choice).collect()
}

/// The classes to choose from.
pub(super) fn classes(w: Words) -> Vec<Choice> {
    choices(w, "class", Class::ALL.map(Class::code))
}

/// The roles to choose from.
pub(super) fn roles(w: Words) -> Vec<Choice> {
    choices(w, "role", Role::ALL.map(Role::code))
}

/// The origins to choose from.
pub(super) fn origins(w: Words) -> Vec<Choice> {
    choices(w, "origin", Origin::ALL.map(Origin::code))
}

/// The states to choose from.
pub(super) fn states(w: Words) -> Vec<Choice> {
    choices(w, "state", STATES.iter().copied())
}

/// The one tick of a drill.
pub(super) fn drill(w: Words) -> Vec<Choice> {
    choices(w, "drill", ["true"])
}

/// Both verdicts on a correction.
pub(super) fn verdicts(w: Words) -> Vec<Choice> {
    choices(w, "verdict", ["approve", "reject"])
}

/// What a field is called: the recall's own, or a customer's.
pub(super) fn field_name(w: Words, field: &str) -> String {
    match super::record::customer_field(field) {
        Some((code, field)) => format!("{code} · {}", word(w, "field", field)),
        None => word(w, "field", field),
    }
}

/// The customers of the trace with their lines, later hits among them, by code.
pub(super) fn reached(trace: &TraceView) -> Vec<Reached> {
    let mut lines: Vec<&TraceLine> = trace.lines.iter().chain(&trace.later).collect();
    lines.sort_by(|a, b| (&a.customer.code, &a.order, &a.line).cmp(&(&b.customer.code, &b.order, &b.line)));
    let customers = lines.chunk_by(|a, b| a.customer.code == b.customer.code);
    customers
        .map(|lines| Reached {
            code: lines[0].customer.code.clone(),
            name: lines[0].customer.name.clone().unwrap_or_default(),
            lines: lines.iter().map(|line| (*line).clone()).collect(),
        })
        .collect()
}

/// Signatures as pages show them.
pub(super) fn signatures(views: &[SignatureView], w: Words) -> Vec<Signature> {
    let one = |view: &SignatureView| Signature {
        // Both verdicts on a correction bear the seal of a decision; which it was stands in the list of corrections.
        meaning: if view.meaning == "closed" { "closed" } else { "decided" }.to_owned(),
        name: view.name.clone().unwrap_or_else(|| w.t("recalls-erased").into_owned()),
        role: role_word(w, &view.role),
        comment: view.comment.clone().unwrap_or_default(),
        standing: if view.meaning == "closed" {
            Standing::Final(view.signed_at)
        } else {
            Standing::Signed(view.signed_at)
        },
        hash: view.digest.clone(),
        entry: view.placed.as_ref().map(entry_link),
    };
    views.iter().map(one).collect()
}

fn class_tag(w: Words, class: &str) -> Tag {
    let look = match class {
        "I" => Look::Red,
        "II" => Look::Yellow,
        _ => Look::Green,
    };
    tag(look, word(w, "class", class))
}

fn drill_tag(w: Words) -> Tag {
    tag(Look::Next, w.t("recalls-drill"))
}

impl ListPage {
    fn class(&self, class: &str) -> Tag {
        class_tag(self.frame.w, class)
    }

    fn drill(&self) -> Tag {
        drill_tag(self.frame.w)
    }

    fn word(&self, list: &str, code: &str) -> String {
        word(self.frame.w, list, code)
    }
}

impl RecallPage {
    fn kept(&self) -> KeptLine<'_> {
        kept_line(&self.frame, &self.kept)
    }

    fn class(&self) -> Tag {
        class_tag(self.frame.w, &self.recall.row.class)
    }

    fn drill(&self) -> Tag {
        drill_tag(self.frame.w)
    }

    fn word(&self, list: &str, code: &str) -> String {
        word(self.frame.w, list, code)
    }

    fn field(&self, field: &str) -> String {
        field_name(self.frame.w, field)
    }

    fn is_open(&self) -> bool {
        self.recall.row.closed_at.is_none()
    }

    fn closes_next(&self) -> bool {
        self.forward == STATES.last().copied()
    }

    fn step(&self, clock: &ClockView) -> &'static str {
        match self.frame.lang() {
            Lang::Zh => clock.step.zh,
            Lang::En => clock.step.en,
        }
    }

    fn basis(&self, clock: &ClockView) -> String {
        let code = match clock.basis {
            Basis::Law => "law",
            Basis::Company => "company",
        };
        word(self.frame.w, "basis", code)
    }

    /// How sure the row is, where that needs saying.
    fn doubt(&self, clock: &ClockView) -> Option<Tag> {
        let w = self.frame.w;
        match clock.confidence {
            Confidence::Verified => None,
            Confidence::Recalled => Some(tag(Look::Yellow, w.t("recalls-to-verify"))),
            Confidence::Proposal => Some(tag(Look::Plain, w.t("recalls-proposal"))),
        }
    }

    /// The limit in words.
    fn limit(&self, clock: &ClockView) -> String {
        let unit = match clock.unit {
            Unit::Immediate => "immediate",
            Unit::Hours => "hours",
            Unit::Days => "days",
            Unit::WorkingDays => "working_days",
            Unit::InTime => "in_time",
        };
        self.frame.w.one(&format!("recalls-limit-{unit}"), "n", i64::from(clock.limit)).into_owned()
    }

    /// The instant that counts now: the next one, where it repeats.
    fn due(&self, clock: &ClockView) -> Option<Timestamp> {
        clock.next_due_at.or(clock.due_at)
    }

    /// Where a clock stands, in words: met, left, over; nothing where it has no instant or the recall is closed.
    fn standing(&self, clock: &ClockView) -> Option<Tag> {
        let w = self.frame.w;
        let due = self.due(clock)?;
        if let Some(met) = clock.met_at {
            return Some(if met <= due {
                tag(Look::Live, w.t("recalls-clock-met"))
            } else {
                tag(Look::Yellow, w.one("recalls-clock-met-late", "time", self.span(met.0 - due.0)))
            });
        }
        if !self.is_open() {
            return None;
        }
        let left = due.0 - self.frame.now.0;
        Some(if left >= 0 {
            tag(Look::Next, w.one("recalls-clock-left", "time", self.span(left)))
        } else {
            tag(Look::Yellow, w.one("recalls-clock-over", "time", self.span(-left)))
        })
    }

    /// A length of time in days, hours and minutes, the two greatest.
    fn span(&self, micros: i64) -> String {
        let minutes = micros / 60_000_000;
        let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
        let w = self.frame.w;
        let args = [("days", days.into()), ("hours", hours.into()), ("minutes", minutes.into())];
        let key = match (days, hours) {
            (0, 0) => "recalls-span-minutes",
            (0, _) => "recalls-span-hours",
            _ => "recalls-span-days",
        };
        w.with(key, &args).into_owned()
    }

    fn missing(&self) -> Vec<String> {
        self.recall.told.missing.iter().map(|field| self.field(field)).collect()
    }

    fn gaps(&self) -> i64 {
        i64::try_from(self.recall.told.missing.len()).unwrap_or(i64::MAX)
    }

    /// Customers of whom something is still to be booked.
    fn open_customers(&self) -> Vec<Choice> {
        let open = self.recall.customers.iter().filter(|row| {
            row.notified_at.is_none() || row.acknowledged_at.is_none() || row.returned.is_none()
        });
        let label = |code: &str, name: Option<&str>| match name {
            Some(name) => format!("{code} {name}"),
            None => code.to_owned(),
        };
        open.map(|row| Choice {
            value: row.customer.code.clone(),
            label: label(&row.customer.code, row.customer.name.as_deref()),
        })
        .collect()
    }
}
