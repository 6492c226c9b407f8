//! What a pack is asked to hold.

use chrono_tz::Tz;
use serde::Deserialize;

use crate::error::Result;
use crate::people::gate::Caller;
use crate::people::rights::Permission;
use crate::time::Timestamp;
use crate::web::input::{self, Faults};

/// Subjects named in one request at most.
const MOST: usize = 2000;

/// Which entries a pack holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All entries of these subjects, `kind/number`; a document stands for all its versions too.
    Subjects(Vec<Named>),
    /// All entries of a time, whatever they are about.
    Range {
        /// From here on.
        from: Option<Timestamp>,
        /// Before here.
        before: Option<Timestamp>,
    },
    /// The whole ledger, as tiles.
    Whole,
}

/// A subject as it was named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Named {
    /// `document`, `order`, …
    pub kind: String,
    /// `SOP-CS-001`, `SOP-CS-001/2.0`, `80012345`.
    pub id: String,
}

impl Named {
    /// Reads `kind/number[/version]`.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, id) = text.trim().split_once('/')?;
        let plain = |part: &str| !part.is_empty() && !part.chars().any(char::is_control);
        (plain(kind) && plain(id) && !id.starts_with('/') && !id.ends_with('/'))
            .then(|| Self { kind: kind.to_owned(), id: id.to_owned() })
    }

    /// Whether all versions are meant too.
    pub fn has_versions(&self) -> bool {
        self.kind == "document" && !self.id.contains('/')
    }
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind, self.id)
    }
}

/// Which personal values go with a pack, as salt and value; all others stay sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// None.
    Nothing,
    /// Those of records and documents: printed names of signers, addresses of deliveries.
    Records,
    /// Those of accounts too: names, logins, addresses of sign-ins.
    Everything,
}

impl Sight {
    /// What this caller, who may take packs, may see.
    pub fn of(caller: &Caller) -> Self {
        if caller.may(Permission::ReadAccounts) { Self::Everything } else { Self::Records }
    }

    /// Whether values that an entry about this kind introduces are disclosed; entries without a subject are those of
    /// refused sign-ins.
    pub fn covers(self, kind: Option<&str>) -> bool {
        match self {
            Self::Nothing => false,
            Self::Records => !matches!(kind, None | Some("account")),
            Self::Everything => true,
        }
    }
}

/// What is wanted, as the maker takes it.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Which entries.
    pub scope: Scope,
    /// What for; may be empty.
    pub reason: String,
    /// Which personal values.
    pub sight: Sight,
    /// Whether a PDF of each version goes along.
    pub prints: bool,
}

/// A request as it came: in JSON, or from the page's form, where subjects come one a line.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// `kind/number`, or `kind/number/version` of a document.
    #[serde(default)]
    pub subjects: Vec<String>,
    /// The first instant, or day in the site's zone.
    pub from: Option<String>,
    /// The instant before which, or the last day.
    pub to: Option<String>,
    /// The whole ledger.
    #[serde(default)]
    pub full: bool,
    /// What for.
    pub reason: Option<String>,
    /// Whether personal values stay sealed.
    #[serde(default)]
    pub keep_sealed: bool,
    /// Whether a PDF of each version goes along.
    #[serde(default)]
    pub prints: bool,
}

impl Asked {
    /// The wish, with dates read in `zone` and personal values as far as `sight` reaches.
    ///
    /// # Errors
    /// 422 with every fault: nothing named, subjects beside a time, a name that is none, a time that is none, prints
    /// beside sealed values.
    pub fn wish(&self, zone: Tz, sight: Sight) -> Result<Wish> {
        let mut faults = Faults::new();
        let reason = faults.take(input::optional_text("reason", self.reason.as_deref(), 2000)).flatten();
        let given = |text: &Option<String>| {
            text.as_deref().map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned)
        };
        let from = given(&self.from).and_then(|text| faults.take(input::start("from", &text, zone)));
        let before = given(&self.to).and_then(|text| faults.take(end_of("to", &text, zone)));
        let subjects = self.named(&mut faults);
        let timed = given(&self.from).is_some() || given(&self.to).is_some();
        match (subjects.is_empty(), timed, self.full) {
            (true, false, false) => faults.note("subjects", "required"),
            (true, _, _) => {}
            // Subjects stand alone; so nobody believes that a time narrows what a subject's pack proves.
            (false, timed, full) if timed || full => {
                faults.note(if full { "full" } else { "from" }, "pack-one-scope")
            }
            (false, ..) => {}
        }
        if timed && self.full {
            faults.note("full", "pack-one-scope");
        }
        if let (Some(from), Some(before)) = (from, before)
            && before <= from
        {
            faults.note("to", "out-of-range");
        }
        if self.prints && self.keep_sealed {
            // A signature page without its signers would be no print of the version.
            faults.note("prints", "pack-prints-disclose");
        }
        faults.check()?;
        let scope = match (self.full, timed) {
            (true, _) => Scope::Whole,
            (_, true) => Scope::Range { from, before },
            _ => Scope::Subjects(subjects),
        };
        let sight = if self.keep_sealed { Sight::Nothing } else { sight };
        Ok(Wish { scope, reason: reason.unwrap_or_default(), sight, prints: self.prints })
    }

    fn named(&self, faults: &mut Faults) -> Vec<Named> {
        let told = self.subjects.iter().enumerate().filter(|(_, text)| !text.trim().is_empty());
        let mut named = Vec::new();
        for (place, text) in told {
            match Named::parse(text) {
                Some(subject) => named.push(subject),
                None => faults.note(format!("subjects[{place}]"), "malformed"),
            }
        }
        if named.len() > MOST {
            faults.note("subjects", "out-of-range");
        }
        named.sort();
        named.dedup();
        named
    }
}

/// A day as the end of a range is meant with all of its microseconds.
fn end_of(field: &str, text: &str, zone: Tz) -> Result<Timestamp> {
    let end = input::end(field, text, zone)?;
    let is_day = text.parse::<chrono::NaiveDate>().is_ok();
    Ok(if is_day { Timestamp(end.0 + 1) } else { end })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(subjects: &[&str], from: Option<&str>, to: Option<&str>, full: bool) -> Result<Scope> {
        let subjects = subjects.iter().map(|text| (*text).to_owned()).collect();
        let asked = Asked {
            subjects,
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
            full,
            ..Asked::default()
        };
        asked.wish(chrono_tz::Asia::Shanghai, Sight::Everything).map(|wish| wish.scope)
    }

    #[test]
    fn a_pack_is_of_subjects_or_of_a_time_or_of_everything() {
        let named = |kind: &str, id: &str| Named { kind: kind.into(), id: id.into() };
        let both = asked(&["order/2", " document/SOP-CS-001 ", "order/2"], None, None, false).unwrap();
        assert_eq!(both, Scope::Subjects(vec![named("document", "SOP-CS-001"), named("order", "2")]));
        assert_eq!(asked(&[], None, None, true).unwrap(), Scope::Whole);
        let Scope::Range { from, before } =
            asked(&[], Some("2026-03-01"), Some("2026-03-01"), false).unwrap()
        else {
            panic!("a range")
        };
        assert_eq!(before.unwrap().0 - from.unwrap().0, 86_400_000_000);
        for (subjects, from, to, full) in [
            (&[][..], None, None, false),
            (&["order/2"][..], Some("2026-03-01"), None, false),
            (&["order/2"][..], None, None, true),
            (&[][..], Some("2026-03-01"), None, true),
            (&[][..], Some("2026-03-02"), Some("2026-03-01"), false),
            (&["order"][..], None, None, false),
            (&[][..], Some("yesterday"), None, false),
        ] {
            let error = asked(subjects, from, to, full).unwrap_err();
            assert_eq!(error.code(), "invalid", "{subjects:?} {from:?} {to:?} {full}");
        }
    }
}
