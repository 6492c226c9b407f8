//! Deadlines as data: each row with its clause, edition and confidence; what the law sets apart from what the company
//! asks of itself. The rows stand in `deadlines.toml`, working days in `calendar.toml`.
//!
//! A limit in days or hours counts elapsed time from its starting instant, which is the strictest reading; one in
//! working days ends with the last microsecond of that day in the site's zone, and is not computable beyond the years
//! whose calendar is known.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use chrono::{Datelike, Days, NaiveDate, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::source::Source;
use crate::time::Timestamp;

/// What a limit is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// At once: due at the starting instant.
    Immediate,
    /// Elapsed hours.
    Hours,
    /// Elapsed days of 24 hours.
    Days,
    /// Working days of the PRC calendar.
    WorkingDays,
    /// "In time": the law names a duty and no number.
    InTime,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// `rc.notice.1`.
    pub id: String,
    /// The kind of record it is for.
    pub record: String,
    /// The record's classes it is for; none for all.
    #[serde(default)]
    pub classes: Vec<String>,
    /// The roles in which the company owes it; none for all.
    #[serde(default)]
    pub roles: Vec<String>,
    /// The record's origins it is for; none for all.
    #[serde(default)]
    pub origins: Vec<String>,
    /// What is due, in Chinese.
    pub step_zh: String,
    /// What is due, in English.
    pub step_en: String,
    /// How many units; 0 where there is no number.
    #[serde(default)]
    pub limit: u32,
    /// Of what.
    pub unit: Unit,
    /// Due again every such time, not once.
    #[serde(default)]
    pub repeats: bool,
    /// The instant it counts from: `decided`, `found`, `completed`.
    pub starts: String,
    /// Who says so.
    #[serde(flatten)]
    pub source: Source,
}

impl Rule {
    /// The instant it is due, counted from `start`; none where the law names no number or the calendar ends.
    pub fn due(&self, start: Timestamp, zone: Tz) -> Option<Timestamp> {
        let limit = i64::from(self.limit);
        match self.unit {
            Unit::Immediate => Some(start),
            Unit::Hours => Some(start.plus_seconds(limit * 3600)),
            Unit::Days => Some(start.plus_seconds(limit * 86_400)),
            Unit::WorkingDays => working_days_after(start, self.limit, zone),
            Unit::InTime => None,
        }
    }
}

/// Which record a deadline is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// Its kind.
    pub record: &'a str,
    /// Its class.
    pub class: &'a str,
    /// The company's role in it; empty where the kind has none.
    pub role: &'a str,
    /// Its origin; empty where the kind has none.
    pub origin: &'a str,
    /// The instant whose law holds.
    pub at: Timestamp,
    /// The site's zone.
    pub zone: Tz,
}

/// The rows that hold for a record, in the order of the file.
pub fn for_case(case: Case<'_>) -> impl Iterator<Item = &'static Rule> {
    let day = case.at.date_in(case.zone).to_string();
    let fits = |list: &[String], value: &str| list.is_empty() || list.iter().any(|one| one == value);
    all().iter().filter(move |rule| {
        rule.record == case.record
            && fits(&rule.classes, case.class)
            && fits(&rule.roles, case.role)
            && fits(&rule.origins, case.origin)
            && rule.source.holds_on(&day)
    })
}

/// The row of this id.
pub fn by_id(id: &str) -> Option<&'static Rule> {
    all().iter().find(|rule| rule.id == id)
}

/// All rows, in the order of the file.
pub fn all() -> &'static [Rule] {
    #[derive(Deserialize)]
    struct File {
        rule: Vec<Rule>,
    }
    static RULES: OnceLock<Vec<Rule>> = OnceLock::new();
    RULES.get_or_init(|| {
        let file: File = toml::from_str(include_str!("deadlines.toml"))
            .expect("the file is part of the program and a test reads it");
        file.rule
    })
}

/// The days of a year on which the PRC calendar differs from the week.
#[derive(Debug, Deserialize)]
struct Year {
    /// Days off that would be working days, `YYYY-MM-DD`.
    off: Vec<String>,
    /// Weekend days worked instead.
    worked: Vec<String>,
}

fn calendar() -> &'static BTreeMap<String, Year> {
    static YEARS: OnceLock<BTreeMap<String, Year>> = OnceLock::new();
    YEARS.get_or_init(|| {
        toml::from_str(include_str!("calendar.toml"))
            .expect("the file is part of the program and a test reads it")
    })
}

/// Whether a day is worked in the PRC; none beyond the known years.
fn is_worked(day: NaiveDate) -> Option<bool> {
    let year = calendar().get(&day.year().to_string())?;
    let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    let day = day.to_string();
    Some(year.worked.contains(&day) || (!weekend && !year.off.contains(&day)))
}

fn working_days_after(start: Timestamp, days: u32, zone: Tz) -> Option<Timestamp> {
    let mut day = start.date_in(zone);
    let mut left = days;
    while left > 0 {
        day = day.checked_add_days(Days::new(1))?;
        if is_worked(day)? {
            left -= 1;
        }
    }
    Timestamp::parse_end(&day.to_string(), zone)
}

#[cfg(test)]
mod tests {
    use super::super::source::{Basis, Confidence};
    use super::*;

    const ZONE: Tz = chrono_tz::Asia::Shanghai;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn every_row_names_its_clause_and_edition_once() {
        let mut ids: Vec<&str> = all().iter().map(|rule| rule.id.as_str()).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
        for rule in all() {
            assert!(rule.source.is_told() && !rule.step_zh.is_empty(), "{}", rule.id);
            let numberless = matches!(rule.unit, Unit::Immediate | Unit::InTime);
            assert_eq!(rule.limit == 0, numberless, "{}", rule.id);
            let Source { basis, confidence, .. } = rule.source;
            assert!(basis == Basis::Law || confidence == Confidence::Proposal, "{}", rule.id);
        }
    }

    #[test]
    fn a_worse_deviation_is_due_sooner() {
        let found = at("2026-03-02T01:00:00Z");
        let due = |class| {
            let case = Case { record: "deviation", class, role: "", origin: "", at: found, zone: ZONE };
            let rules: Vec<_> = for_case(case).filter(|rule| rule.starts == "found").collect();
            assert_eq!(rules.len(), 1, "{class}");
            rules[0].due(found, ZONE).unwrap()
        };
        assert!(due("critical") < due("major") && due("major") < due("minor"));
    }

    #[test]
    fn a_holders_recall_notice_is_due_after_one_three_or_seven_days() {
        let decided = at("2026-03-02T01:00:00Z");
        for (class, days) in [("I", 1), ("II", 3), ("III", 7)] {
            let case = Case {
                record: "recall",
                class,
                role: "holder",
                origin: "voluntary",
                at: decided,
                zone: ZONE,
            };
            let rule = for_case(case).find(|rule| rule.id.starts_with("rc.notice.")).unwrap();
            assert_eq!(rule.due(decided, ZONE).unwrap(), decided.plus_seconds(days * 86_400));
            assert_eq!(rule.source.basis, Basis::Law);
        }
    }

    #[test]
    fn working_days_skip_holidays_and_count_the_days_worked_instead() {
        // 2026: Saturday 14 February is worked, 15 to 23 February are the Spring Festival.
        let due = working_days_after(at("2026-02-12T04:00:00Z"), 3, ZONE).unwrap();
        assert_eq!(due, Timestamp::parse_end("2026-02-24", ZONE).unwrap());
    }

    #[test]
    fn a_working_day_beyond_the_known_calendar_is_not_computable() {
        let last: i32 = calendar().keys().last().unwrap().parse().unwrap();
        let start = at(&format!("{last}-12-30T04:00:00Z"));
        assert_eq!(working_days_after(start, 10, ZONE), None);
    }
}
