//! Which entries are wanted.

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::Deserialize;

use crate::error::Result;
use crate::ledger::acts;
use crate::time::Timestamp;
use crate::web::input::{self, Faults};
use crate::web::page::percent;

/// The parameters as they came.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Asked {
    /// `kind/id`; with a trailing `/` all versions of the document.
    pub subject: Option<String>,
    /// An account's id or login.
    pub actor: Option<String>,
    /// An act of the closed list.
    pub action: Option<String>,
    /// The first instant, or day in the site's zone.
    pub from: Option<String>,
    /// The instant before which, or the last day.
    pub to: Option<String>,
    /// Of an epoch that a recovery has ended.
    pub epoch: Option<String>,
}

/// A subject, or all versions of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// This one.
    Exact(String, String),
    /// Of this kind, with an id that begins so.
    Versions(String, String),
}

/// What is wanted; what is not said is not looked at.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The subject.
    pub subject: Option<Wanted>,
    /// Id or login.
    pub actor: Option<String>,
    /// The act.
    pub action: Option<String>,
    /// From here on.
    pub from: Option<Timestamp>,
    /// Before here.
    pub before: Option<Timestamp>,
}

impl Asked {
    /// The filter once more as a query, without its epoch: for addresses of the same question elsewhere.
    pub fn kept(&self) -> String {
        let fields = [
            ("subject", &self.subject),
            ("actor", &self.actor),
            ("action", &self.action),
            ("from", &self.from),
            ("to", &self.to),
        ];
        let given = fields.into_iter().filter_map(|(name, value)| {
            value.as_deref().filter(|text| !text.is_empty()).map(|text| format!("&{name}={}", percent(text)))
        });
        given.collect()
    }

    /// What was asked for, with dates read in `zone`.
    ///
    /// # Errors
    /// 422 with every parameter that cannot be read.
    pub fn filter(&self, zone: Tz) -> Result<Filter> {
        let mut faults = Faults::new();
        let given = |value: &Option<String>| {
            value.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let subject = given(&self.subject);
        let wanted = subject.as_deref().and_then(wanted);
        if subject.is_some() && wanted.is_none() {
            faults.note("subject", "malformed");
        }
        let action = given(&self.action);
        if action.as_deref().is_some_and(|action| acts::ALL.iter().all(|act| act.name != action)) {
            faults.note("action", "unknown-code");
        }
        let from = given(&self.from).and_then(|text| faults.take(input::start("from", &text, zone)));
        let before = given(&self.to).and_then(|text| faults.take(before(&text, zone)));
        faults.check()?;
        Ok(Filter { subject: wanted, actor: given(&self.actor), action, from, before })
    }
}

/// A day as the end of a range is meant with all of its microseconds.
fn before(text: &str, zone: Tz) -> Result<Timestamp> {
    let end = input::end("to", text, zone)?;
    let is_day = text.parse::<NaiveDate>().is_ok();
    Ok(if is_day { Timestamp(end.0 + 1) } else { end })
}

fn wanted(subject: &str) -> Option<Wanted> {
    let (kind, id) = subject.split_once('/')?;
    if kind.is_empty() || id.is_empty() {
        return None;
    }
    let (kind, id) = (kind.to_owned(), id.to_owned());
    Some(if id.ends_with('/') { Wanted::Versions(kind, id) } else { Wanted::Exact(kind, id) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_exact_or_all_versions_of_a_document() {
        let exact = |kind: &str, id: &str| Some(Wanted::Exact(kind.into(), id.into()));
        assert_eq!(wanted("document/SOP-CS-001"), exact("document", "SOP-CS-001"));
        assert_eq!(wanted("document/SOP-CS-001/2.0"), exact("document", "SOP-CS-001/2.0"));
        let versions = Some(Wanted::Versions("document".into(), "SOP-CS-001/".into()));
        assert_eq!(wanted("document/SOP-CS-001/"), versions);
        for malformed in ["document", "/x", "document/"] {
            assert_eq!(wanted(malformed), None, "{malformed}");
        }
    }

    #[test]
    fn the_last_day_of_a_range_is_meant_whole() {
        let asked =
            Asked { from: Some("2026-03-01".into()), to: Some("2026-03-01".into()), ..Asked::default() };
        let filter = asked.filter(chrono_tz::Asia::Shanghai).unwrap();
        let day = filter.before.unwrap().0 - filter.from.unwrap().0;
        assert_eq!(day, 86_400_000_000);
    }
}
