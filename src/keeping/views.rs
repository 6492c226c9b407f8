//! What the pages of retention, holds and erasures show.

use askama::Template;
use askama::filters::HtmlSafe;

use super::erasing::Held;
use super::record::{ErasureState, Hold};
use super::standing::Retained;
use crate::people::view::entry_link;
use crate::records::retention::{self, Anchor, Kept, Rule, Until};
use crate::records::source::Confidence;
use crate::web::form::Typed;
use crate::web::page::{Frame, percent};
use crate::web::parts::{EntryLink, Sheet};
use crate::web::words::Lang;

/// `/retention`: the rows, the holds that stand, the erasures.
#[derive(Template)]
#[template(path = "keeping/rules.html")]
pub struct RulesPage {
    pub frame: Frame,
    /// With what each of their records is called.
    pub holds: Vec<(Hold, String)>,
    pub erasures: Vec<ErasureState>,
    /// The present epoch.
    pub epoch: i64,
}

/// `/retention?subject=`.
#[derive(Template)]
#[template(path = "keeping/subject.html")]
pub struct SubjectPage {
    pub frame: Frame,
    pub sheet: Sheet,
    pub standing: Retained,
    /// What the record is called.
    pub called: String,
    pub may_hold: bool,
    /// Whether it may be proposed for disposal; else what stands in the way, in words.
    pub disposal: Result<(), String>,
    pub may_propose: bool,
}

/// `/retention/holds/{id}/lift`.
#[derive(Template)]
#[template(path = "keeping/lift.html")]
pub struct LiftPage {
    pub frame: Frame,
    pub sheet: Sheet,
    pub hold: Hold,
    /// What the record is called.
    pub called: String,
}

/// `/trail/{seq}/erase`.
#[derive(Template)]
#[template(path = "keeping/erase.html")]
pub struct ErasePage {
    pub frame: Frame,
    pub sheet: Sheet,
    pub seq: String,
    /// What addresses of its epoch end with.
    pub query: String,
    pub values: Vec<Held>,
    pub typed: Typed,
}

/// Until when a record is kept, inside its page's facts.
#[derive(Template)]
#[template(path = "keeping/line.html")]
pub struct KeptLine<'a> {
    frame: &'a Frame,
    standing: &'a Retained,
}

impl HtmlSafe for KeptLine<'_> {}

/// The line for a record's facts.
pub fn kept_line<'a>(frame: &'a Frame, standing: &'a Retained) -> KeptLine<'a> {
    KeptLine { frame, standing }
}

/// Until when, in words.
fn until(frame: &Frame, kept: &Kept) -> String {
    let w = frame.w;
    match kept.until {
        Until::At(end) => w.one("keeping-until", "date", frame.date(&end)).into_owned(),
        other => w.t(&format!("keeping-{}", other.code())).into_owned(),
    }
}

fn clause(kept: &Kept) -> &str {
    kept.rule.map_or("", |rule| rule.source.clause.as_str())
}

fn confidence(frame: &Frame, rule: &Rule) -> String {
    let code = match rule.source.confidence {
        Confidence::Verified => "keeping-verified",
        Confidence::Recalled => "keeping-recalled",
        Confidence::Proposal => "keeping-proposal",
    };
    frame.w.t(code).into_owned()
}

fn address(subject: &str) -> String {
    format!("/retention?subject={}", percent(subject))
}

impl RulesPage {
    fn rules(&self) -> &'static [Rule] {
        retention::all()
    }

    fn kept(&self, rule: &Rule) -> String {
        if self.frame.lang() == Lang::Zh { rule.kept_zh.clone() } else { rule.kept_en.clone() }
    }

    fn length(&self, rule: &Rule) -> String {
        let w = self.frame.w;
        match (rule.permanent, rule.years, rule.months) {
            (true, ..) => w.t("keeping-permanent").into_owned(),
            (_, 0, months) => w.one("keeping-months", "n", i64::from(months)).into_owned(),
            (_, years, _) => w.one("keeping-years", "n", i64::from(years)).into_owned(),
        }
    }

    fn anchor(&self, rule: &Rule) -> String {
        let code = match rule.anchor {
            Anchor::Record => "keeping-from-record",
            Anchor::Expiry => "keeping-from-expiry",
            Anchor::Closure => "keeping-from-closure",
            Anchor::Supersession => "keeping-from-supersession",
        };
        self.frame.w.t(code).into_owned()
    }

    fn confidence(&self, rule: &Rule) -> String {
        confidence(&self.frame, rule)
    }

    fn address(&self, hold: &Hold) -> String {
        address(&hold.held())
    }

    fn entry(&self, state: &ErasureState) -> Option<EntryLink> {
        state.entry.as_ref().map(entry_link)
    }

    fn named(&self, state: &ErasureState) -> String {
        let (w, values) = (self.frame.w, state.values.iter().zip(&state.epochs));
        let named = values.map(|(value, epoch)| {
            let entry = EntryLink {
                seq: value.seq,
                epoch: *epoch,
                is_past: *epoch != self.epoch,
                leaf: String::new(),
            };
            format!("{} {}", entry.words(&w), value.name)
        });
        named.collect::<Vec<_>>().join(", ")
    }
}

impl SubjectPage {
    fn proposal(&self) -> String {
        format!("/retention/disposals/candidates?subject={}", percent(&self.standing.subject))
    }

    fn until(&self) -> String {
        until(&self.frame, &self.standing.kept)
    }

    fn rule(&self) -> Option<(&'static Rule, String)> {
        self.standing.kept.rule.map(|rule| (rule, confidence(&self.frame, rule)))
    }
}

impl ErasePage {
    fn until(&self, value: &Held) -> String {
        until(&self.frame, &value.kept)
    }

    fn clause<'a>(&self, value: &'a Held) -> &'a str {
        clause(&value.kept)
    }

    fn may_go(&self, value: &Held) -> bool {
        value.may_go(self.frame.now)
    }

    fn chosen(&self, value: &Held) -> bool {
        self.typed.has("name", &value.named.name)
    }
}

impl KeptLine<'_> {
    fn until(&self) -> String {
        until(self.frame, &self.standing.kept)
    }

    fn clause(&self) -> &str {
        clause(&self.standing.kept)
    }

    fn address(&self) -> String {
        address(&self.standing.subject)
    }
}
