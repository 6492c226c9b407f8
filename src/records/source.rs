//! Where a row of data stands in law: what `deadlines.toml` and `retention.toml` say alike of each of theirs.

use serde::{Deserialize, Serialize};

/// Whose number it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// A law's or authority's.
    Law,
    /// The company's own, stricter or where the law is silent.
    Company,
}

/// How sure the row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Read in a source of weight.
    Verified,
    /// From memory; 待核实.
    Recalled,
    /// Our proposal, to be decided by the company.
    Proposal,
}

/// Who says so, where, since when, and how sure that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Whose number.
    pub basis: Basis,
    /// Law and article, or the company's policy.
    pub clause: String,
    /// The edition that says so.
    pub edition: String,
    /// In force from this day, `YYYY-MM-DD` in the site's zone.
    pub effective_from: String,
    /// Up to and including this day.
    #[serde(default)]
    pub effective_to: Option<String>,
    /// How sure.
    pub confidence: Confidence,
}

impl Source {
    /// Whether it is in force on a day, `YYYY-MM-DD`.
    pub fn holds_on(&self, day: &str) -> bool {
        self.effective_from.as_str() <= day && self.effective_to.as_deref().is_none_or(|end| day <= end)
    }

    /// What every row must say, for the tests of the files.
    #[cfg(test)]
    pub(super) fn is_told(&self) -> bool {
        let a_day = |day: &String| day.parse::<chrono::NaiveDate>().is_ok();
        let days = [Some(&self.effective_from), self.effective_to.as_ref()];
        !self.clause.is_empty() && !self.edition.is_empty() && days.into_iter().flatten().all(a_day)
    }
}
