//! How long records are kept, as data: each row with its clause, edition and confidence. The rows stand in
//! `retention.toml`.
//!
//! A record may go at the latest of all instants that its rows give; before that nothing takes it away. Whether a row
//! holds is asked of the present law, not of the law when the record was made: a longer time holds for what is there
//! already. Ends of days are those of the site's zone.

use std::sync::OnceLock;

use chrono::{Months, NaiveDate};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::source::Source;
use crate::time::Timestamp;

/// From which instant a row counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// The record's own last instant.
    Record,
    /// The last expiry of the batches in it.
    Expiry,
    /// When it was closed; an account, when it ended.
    Closure,
    /// When a version was superseded or retired.
    Supersession,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// `trade.record`.
    pub id: String,
    /// The kinds of record it is for.
    pub records: Vec<String>,
    /// Whole years.
    #[serde(default)]
    pub years: u32,
    /// And months.
    #[serde(default)]
    pub months: u32,
    /// For ever.
    #[serde(default)]
    pub permanent: bool,
    /// Counted from here.
    pub anchor: Anchor,
    /// What is kept, in Chinese.
    pub kept_zh: String,
    /// What is kept, in English.
    pub kept_en: String,
    /// Who says so.
    #[serde(flatten)]
    pub source: Source,
}

/// What a feature tells of a record, so that its time can be computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The kind, as the rows name it.
    pub record: &'static str,
    /// Its own last instant.
    pub recorded: Timestamp,
    /// The last expiry of its batches; none where no batch has one.
    pub expiry: Option<NaiveDate>,
    /// When it was closed, ended, superseded or retired; none while it lives.
    pub ended: Option<Timestamp>,
}

/// Until when a record is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Until {
    /// No row is for it.
    Free,
    /// Until this instant, the last of its day.
    At(Timestamp),
    /// Its time has not begun: it is open, or in force.
    Open,
    /// For ever.
    Permanent,
}

impl Until {
    /// Whether it may go at this instant.
    pub fn has_passed(self, now: Timestamp) -> bool {
        match self {
            Self::Free => true,
            Self::At(end) => end < now,
            Self::Open | Self::Permanent => false,
        }
    }

    /// `free`, `until`, `open` or `permanent`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::At(_) => "until",
            Self::Open => "open",
            Self::Permanent => "permanent",
        }
    }

    /// The instant, where there is one.
    pub const fn instant(self) -> Option<Timestamp> {
        match self {
            Self::At(end) => Some(end),
            _ => None,
        }
    }
}

/// Until when, and by which row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Until when.
    pub until: Until,
    /// The row that keeps it longest; none where no row is for it.
    pub rule: Option<&'static Rule>,
}

/// Computes until when a record is kept, by the law in force at `now`.
pub fn kept(facts: &Facts, now: Timestamp, zone: Tz) -> Kept {
    let today = now.date_in(zone).to_string();
    let holds = |rule: &&Rule| {
        rule.records.iter().any(|record| record == facts.record) && rule.source.holds_on(&today)
    };
    let mut longest = Kept { until: Until::Free, rule: None };
    for rule in all().iter().filter(holds) {
        let until = rule.until(facts, zone);
        if until > longest.until {
            longest = Kept { until, rule: Some(rule) };
        }
    }
    longest
}

impl Rule {
    fn until(&self, facts: &Facts, zone: Tz) -> Until {
        if self.permanent {
            return Until::Permanent;
        }
        let from = match self.anchor {
            Anchor::Record => Some(facts.recorded.date_in(zone)),
            // Without an expiry the other rows hold.
            Anchor::Expiry => match facts.expiry {
                Some(expiry) => Some(expiry),
                None => return Until::Free,
            },
            Anchor::Closure | Anchor::Supersession => facts.ended.map(|ended| ended.date_in(zone)),
        };
        let Some(from) = from else { return Until::Open };
        let last = from.checked_add_months(Months::new(self.years * 12 + self.months));
        let end = last.and_then(|last| Timestamp::parse_end(&last.to_string(), zone));
        end.map_or(Until::Permanent, Until::At)
    }
}

/// All rows, in the order of the file.
pub fn all() -> &'static [Rule] {
    #[derive(Deserialize)]
    struct File {
        rule: Vec<Rule>,
    }
    static RULES: OnceLock<Vec<Rule>> = OnceLock::new();
    RULES.get_or_init(|| {
        let file: File = toml::from_str(include_str!("retention.toml"))
            .expect("the file is part of the program and a test reads it");
        file.rule
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONE: Tz = chrono_tz::Asia::Shanghai;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn facts(record: &'static str) -> Facts {
        Facts { record, recorded: at("2024-02-29T04:00:00Z"), expiry: None, ended: None }
    }

    fn until(facts: &Facts) -> Until {
        kept(facts, at("2026-03-02T02:00:00Z"), ZONE).until
    }

    #[test]
    fn every_row_names_its_clause_once_and_has_a_length() {
        let mut ids: Vec<&str> = all().iter().map(|rule| rule.id.as_str()).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
        for rule in all() {
            assert!(rule.source.is_told() && !rule.records.is_empty(), "{}", rule.id);
            assert!(!rule.kept_zh.is_empty() && !rule.kept_en.is_empty(), "{}", rule.id);
            assert_eq!(rule.permanent, rule.years + rule.months == 0, "{}", rule.id);
        }
    }

    #[test]
    fn a_row_takes_no_word_that_it_does_not_know() {
        let row = toml::Table::try_from(&all()[0]).unwrap();
        assert!(Rule::deserialize(toml::Value::Table(row.clone())).is_ok());
        let mut mistyped = row;
        mistyped.insert("effective_until".to_owned(), "2030-01-01".into());
        assert!(Rule::deserialize(toml::Value::Table(mistyped)).is_err());
    }

    #[test]
    fn a_trade_record_is_kept_five_years_and_one_beyond_the_expiry() {
        let end = |day: &str| Until::At(Timestamp::parse_end(day, ZONE).unwrap());
        let order = facts("order");
        assert_eq!(until(&order), end("2029-02-28"));
        let day = |text: &str| Some(text.parse::<NaiveDate>().unwrap());
        assert_eq!(until(&Facts { expiry: day("2030-06-30"), ..order.clone() }), end("2031-06-30"));
        assert_eq!(until(&Facts { expiry: day("2025-06-30"), ..order }), end("2029-02-28"));
    }

    #[test]
    fn the_time_of_what_is_open_has_not_begun_and_an_implants_never_ends() {
        let open = facts("deviation");
        assert_eq!(until(&open), Until::Open);
        let closed = Facts { ended: Some(at("2026-03-01T16:30:00Z")), ..open };
        assert_eq!(until(&closed), Until::At(Timestamp::parse_end("2031-03-02", ZONE).unwrap()));
        assert_eq!(until(&facts("implant")), Until::Permanent);
        assert_eq!(until(&facts("setting")), Until::Free);
        assert!(Until::Open > Until::At(at("2099-01-01T00:00:00Z")));
    }

    #[test]
    fn it_may_go_only_after_its_last_day() {
        let end = Until::At(Timestamp::parse_end("2031-03-02", ZONE).unwrap());
        assert!(!end.has_passed(at("2031-03-02T15:59:59Z")));
        assert!(end.has_passed(at("2031-03-02T16:00:00Z")));
        assert!(!Until::Open.has_passed(at("2099-01-01T00:00:00Z")));
        assert!(Until::Free.has_passed(at("2026-01-01T00:00:00Z")));
    }
}
