//! A deviation as a record: what was registered, what was found out, and the rules of both. Pure.

use std::str::FromStr;
use std::sync::OnceLock;

use chrono_tz::Tz;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ledger::subject::{Row, Snapshot, Subject};
use crate::records::corrections::Correction;
use crate::records::deadlines::{self, Rule};
use crate::records::transitions::Transition;
use crate::signatures::Signature;
use crate::store::schema::deviation;
use crate::time::Timestamp;

/// The states, in order.
pub const STATES: &[&str] = &["registered", "investigating", "actions", "effectiveness", "closed"];

/// How grave it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// 一般.
    Minor,
    /// 主要.
    Major,
    /// 严重.
    Critical,
}

impl Class {
    /// All, the least first.
    pub const ALL: [Self; 3] = [Self::Minor, Self::Major, Self::Critical];

    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Critical => "critical",
        }
    }
}

impl FromStr for Class {
    type Err = ();

    fn from_str(code: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|class| class.code() == code).ok_or(())
    }
}

/// Where it happened: a row of `areas.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// Its code.
    pub code: String,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// The closed list of areas, in the order of the file.
pub fn areas() -> &'static [Area] {
    #[derive(Deserialize)]
    struct File {
        area: Vec<Area>,
    }
    static AREAS: OnceLock<Vec<Area>> = OnceLock::new();
    AREAS.get_or_init(|| {
        let file: File = toml::from_str(include_str!("areas.toml"))
            .expect("the file is part of the program and a test reads it");
        file.area
    })
}

/// A row of `deviation`. Texts are empty while not filled.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = deviation, primary_key(number), treat_none_as_null = true)]
pub struct Deviation {
    /// `DEV-2026-0001`.
    pub number: String,
    /// In one line.
    pub title: String,
    /// What happened.
    pub description: String,
    /// Code of its [`Class`].
    pub class: String,
    /// Code of its [`Area`].
    pub area: String,
    /// When it happened, as told.
    pub occurred_at: Timestamp,
    /// When it was found, as told.
    pub found_at: Timestamp,
    /// What was done at once.
    pub immediate_action: String,
    /// One of [`STATES`].
    pub state: String,
    /// Why this class.
    pub class_rationale: String,
    /// What it means for orders, batches, patients.
    pub impact: String,
    /// What was looked into, and how.
    pub investigation: String,
    /// Why it happened.
    pub root_cause: String,
    /// What is done against the cause.
    pub capa: String,
    /// Or why nothing is.
    pub no_capa_reason: String,
    /// Whether that worked.
    pub effectiveness_result: String,
    /// To be closed by then: the company's target by class.
    pub due_at: Option<Timestamp>,
    /// When it was registered.
    pub raised_at: Timestamp,
    /// By which account.
    pub raised_by: String,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
}

/// The fields filled after registration, each once; in the order of the work.
pub const FILLABLE: &[&str] = &[
    "immediate_action",
    "class_rationale",
    "impact",
    "investigation",
    "root_cause",
    "capa",
    "no_capa_reason",
    "effectiveness_result",
];

impl Deviation {
    /// The text of a field of [`FILLABLE`], or of title, description, class and area.
    pub fn text(&self, field: &str) -> Option<&str> {
        Some(match field {
            "title" => &self.title,
            "description" => &self.description,
            "class" => &self.class,
            "area" => &self.area,
            "immediate_action" => &self.immediate_action,
            "class_rationale" => &self.class_rationale,
            "impact" => &self.impact,
            "investigation" => &self.investigation,
            "root_cause" => &self.root_cause,
            "capa" => &self.capa,
            "no_capa_reason" => &self.no_capa_reason,
            "effectiveness_result" => &self.effectiveness_result,
            _ => return None,
        })
    }

    /// The same, for writing.
    pub fn text_mut(&mut self, field: &str) -> Option<&mut String> {
        Some(match field {
            "title" => &mut self.title,
            "description" => &mut self.description,
            "class" => &mut self.class,
            "area" => &mut self.area,
            "immediate_action" => &mut self.immediate_action,
            "class_rationale" => &mut self.class_rationale,
            "impact" => &mut self.impact,
            "investigation" => &mut self.investigation,
            "root_cause" => &mut self.root_cause,
            "capa" => &mut self.capa,
            "no_capa_reason" => &mut self.no_capa_reason,
            "effectiveness_result" => &mut self.effectiveness_result,
            _ => return None,
        })
    }

    /// What must be filled before it is closed, and is not. One of CAPA and the reason for none is enough.
    pub fn missing(&self) -> Vec<&'static str> {
        let needed =
            ["class_rationale", "impact", "investigation", "root_cause", "capa", "effectiveness_result"];
        let empty = |field: &str| self.text(field).is_none_or(str::is_empty);
        let has_reason_for_none = !self.no_capa_reason.is_empty();
        needed
            .into_iter()
            .filter(|field| empty(field) && !(*field == "capa" && has_reason_for_none))
            .collect()
    }
}

/// Whether a deviation that is due and closed at these instants is overdue now.
pub fn is_overdue((due, closed): (Option<Timestamp>, Option<Timestamp>), now: Timestamp) -> bool {
    closed.is_none() && due.is_some_and(|due| due < now)
}

/// A batch of a material; the material may be unknown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Batch {
    /// The material's number; empty where only the batch was told.
    pub material: String,
    /// The batch.
    pub batch: String,
}

impl Batch {
    /// Reads `material/batch` or `batch`.
    pub fn parse(text: &str) -> Self {
        let (material, batch) = text.split_once('/').unwrap_or(("", text));
        Self { material: material.trim().to_owned(), batch: batch.trim().to_owned() }
    }
}

impl std::fmt::Display for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.material.is_empty() && !self.batch.contains('/') {
            return f.write_str(&self.batch);
        }
        write!(f, "{}/{}", self.material, self.batch)
    }
}

/// The parts of a list as one text: `80012345, 80012346`.
pub fn joined<T: ToString>(parts: &[T]) -> String {
    parts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The parts of such a text; separated by commas (either kind), semicolons or line ends.
pub fn parts(text: &str) -> Vec<&str> {
    text.split([',', '，', '、', ';', '；', '\n']).map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// A deviation with all that belongs to its snapshot.
#[derive(Debug, Clone)]
pub struct DeviationState {
    /// Its own row.
    pub deviation: Deviation,
    /// Numbers of the orders it touches, sorted.
    pub orders: Vec<String>,
    /// Batches it touches, sorted.
    pub batches: Vec<Batch>,
    /// By id.
    pub corrections: Vec<Correction>,
    /// In order.
    pub transitions: Vec<Transition>,
    /// By id.
    pub signatures: Vec<Signature>,
}

impl DeviationState {
    /// The snapshot, shape 1.
    pub fn snapshot(&self) -> Snapshot {
        let d = &self.deviation;
        let batches = self.batches.iter().map(batch_row).collect::<Vec<serde_json::Value>>();
        let corrections = self.corrections.iter().map(Correction::row).collect::<Vec<_>>();
        let transitions = self.transitions.iter().map(Transition::row).collect::<Vec<_>>();
        let signatures = self.signatures.iter().map(Signature::row).collect::<Vec<_>>();
        let snapshot = Snapshot::new(&subject(&d.number), 1)
            .set("title", d.title.as_str())
            .set("description", d.description.as_str())
            .set("class", d.class.as_str())
            .set("area", d.area.as_str())
            .instant("occurred_at", d.occurred_at)
            .instant("found_at", d.found_at)
            .set("orders", self.orders.clone())
            .set("batches", batches)
            .set("state", d.state.as_str())
            .instant("due_at", d.due_at)
            .instant("raised_at", d.raised_at)
            .set("raised_by", d.raised_by.as_str())
            .instant("closed_at", d.closed_at)
            .set("corrections", corrections)
            .set("transitions", transitions)
            .set("signatures", signatures)
            .rows("deviation", 1)
            .rows("deviation_order", self.orders.len())
            .rows("deviation_batch", self.batches.len())
            .rows("correction", self.corrections.len())
            .rows("record_transition", self.transitions.len())
            .rows("signature", self.signatures.len());
        FILLABLE.iter().fold(snapshot, |snapshot, field| snapshot.set(field, d.text(field)))
    }
}

fn batch_row(batch: &Batch) -> serde_json::Value {
    Row::new().set("material", batch.material.as_str()).set("batch", batch.batch.as_str()).into()
}

/// The subject of a deviation.
pub fn subject(number: &str) -> Subject {
    Subject::new("deviation", number)
}

/// The row by which a deviation of this class falls due.
pub fn deadline(class: &str, found_at: Timestamp, zone: Tz) -> Option<&'static Rule> {
    let case = deadlines::Case { record: "deviation", class, role: "", origin: "", at: found_at, zone };
    deadlines::for_case(case).find(|rule| rule.starts == "found")
}

/// When a deviation of this class falls due.
pub fn due_at(class: &str, found_at: Timestamp, zone: Tz) -> Option<Timestamp> {
    deadline(class, found_at, zone)?.due(found_at, zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deviation() -> Deviation {
        Deviation {
            number: "DEV-2026-0001".into(),
            title: "冷链超温".into(),
            description: "2–8℃ 超温 41 分".into(),
            class: "major".into(),
            area: "cold_chain".into(),
            occurred_at: Timestamp(0),
            found_at: Timestamp(1),
            immediate_action: String::new(),
            state: "registered".into(),
            class_rationale: String::new(),
            impact: String::new(),
            investigation: String::new(),
            root_cause: String::new(),
            capa: String::new(),
            no_capa_reason: String::new(),
            effectiveness_result: String::new(),
            due_at: None,
            raised_at: Timestamp(2),
            raised_by: "u-cs".into(),
            closed_at: None,
        }
    }

    #[test]
    fn closing_needs_every_finding_and_a_capa_or_the_reason_for_none() {
        let mut deviation = deviation();
        assert_eq!(
            deviation.missing(),
            ["class_rationale", "impact", "investigation", "root_cause", "capa", "effectiveness_result"]
        );
        for field in ["class_rationale", "impact", "investigation", "root_cause", "effectiveness_result"] {
            *deviation.text_mut(field).unwrap() = "x".into();
        }
        assert_eq!(deviation.missing(), ["capa"]);
        deviation.no_capa_reason = "偶发，无系统原因".into();
        assert!(deviation.missing().is_empty());
    }

    #[test]
    fn every_field_that_is_filled_later_can_be_read_and_written() {
        let mut deviation = deviation();
        for field in FILLABLE {
            *deviation.text_mut(field).unwrap() = (*field).to_owned();
        }
        for field in FILLABLE {
            assert_eq!(deviation.text(field), Some(*field));
        }
        assert_eq!(deviation.text("number"), None);
    }

    #[test]
    fn a_batch_is_read_as_it_is_written() {
        for (material, batch) in [("M100", "230815"), ("", "230815"), ("", "23/15"), ("M1", "a/b")] {
            let given = Batch { material: material.into(), batch: batch.into() };
            assert_eq!(Batch::parse(&given.to_string()), given);
        }
        assert_eq!(parts("80012345，80012346\n 80012347;"), ["80012345", "80012346", "80012347"]);
    }

    #[test]
    fn the_areas_are_named_in_both_languages_once() {
        let mut codes: Vec<_> = areas().iter().map(|area| area.code.as_str()).collect();
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
        assert!(areas().iter().all(|area| !area.zh.is_empty() && !area.en.is_empty()));
    }

    #[test]
    fn a_deviation_is_overdue_only_while_it_is_open() {
        let due = Some(Timestamp(10));
        assert!(!is_overdue((due, None), Timestamp(10)));
        assert!(is_overdue((due, None), Timestamp(11)));
        assert!(!is_overdue((due, Some(Timestamp(12))), Timestamp(20)));
        assert!(!is_overdue((None, None), Timestamp(20)));
    }
}
