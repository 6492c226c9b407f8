//! Numbers of documents (`SOP-CS-001`) and of versions (`2.0`): read, written, and the next one.
//!
//! Each has one spelling, so that two different texts never name the same thing.

use std::fmt;
use std::str::FromStr;

use super::codes::{self, Kind};

/// The number of a document: kind, department, and 001 to 999 within both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number {
    /// What sort of document.
    pub kind: Kind,
    /// Whose.
    pub department: &'static str,
    /// From 1.
    pub serial: u16,
}

/// The text is no number of the pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoNumber;

/// The last number of a kind in a department.
const LAST: u16 = 999;

impl Number {
    /// The number after the highest taken; none when the pattern is used up.
    pub fn after(kind: Kind, department: &'static str, highest: Option<u16>) -> Option<Self> {
        let serial = highest.unwrap_or(0) + 1;
        (serial <= LAST).then_some(Self { kind, department, serial })
    }

    /// What all numbers of this kind and department begin with.
    pub fn stem(kind: Kind, department: &str) -> String {
        format!("{}-{department}-", kind.prefix())
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{:03}", self.kind.prefix(), self.department, self.serial)
    }
}

impl FromStr for Number {
    type Err = NoNumber;

    fn from_str(text: &str) -> Result<Self, NoNumber> {
        let mut parts = text.split('-');
        let (Some(prefix), Some(department), Some(serial), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NoNumber);
        };
        let kind = Kind::of_prefix(prefix).ok_or(NoNumber)?;
        let department = codes::department(department).ok_or(NoNumber)?;
        if serial.len() != 3 || !serial.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NoNumber);
        }
        let serial = serial.parse().ok().filter(|serial| *serial > 0).ok_or(NoNumber)?;
        Ok(Self { kind, department, serial })
    }
}

/// The number of a version within its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionNumber {
    /// From 1; a new one when what people do changes.
    pub major: u32,
    /// From 0.
    pub minor: u32,
}

/// How far a change goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// To `N.0`.
    Major,
    /// To `N.(m+1)`.
    Minor,
}

impl VersionNumber {
    /// What the first version of a document is called.
    pub const FIRST: Self = Self { major: 1, minor: 0 };

    /// The number after all there ever were, abandoned and cancelled ones too.
    pub fn after(taken: impl IntoIterator<Item = Self>, step: Step) -> Self {
        let Some(highest) = taken.into_iter().max() else { return Self::FIRST };
        match step {
            Step::Major => Self { major: highest.major + 1, minor: 0 },
            Step::Minor => Self { major: highest.major, minor: highest.minor + 1 },
        }
    }
}

impl fmt::Display for VersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for VersionNumber {
    type Err = NoNumber;

    fn from_str(text: &str) -> Result<Self, NoNumber> {
        let (major, minor) = text.split_once('.').ok_or(NoNumber)?;
        let part = |text: &str| {
            let plain = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
            let leads_with_zero = text.len() > 1 && text.starts_with('0');
            if plain && !leads_with_zero { text.parse().map_err(|_| NoNumber) } else { Err(NoNumber) }
        };
        let (major, minor) = (part(major)?, part(minor)?);
        if major == 0 { Err(NoNumber) } else { Ok(Self { major, minor }) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> VersionNumber {
        text.parse().expect("a version number")
    }

    #[test]
    fn only_kind_department_and_three_digits_make_a_number() {
        for text in ["SOP-CS-001", "WI-WH-999", "FRM-QA-010", "POL-PV-002", "AGR-LG-001", "EXT-RA-100"] {
            assert_eq!(text.parse::<Number>().map(|number| number.to_string()), Ok(text.to_owned()));
        }
        for text in [
            "",
            "SOP",
            "SOP-CS",
            "SOP-CS-000",
            "SOP-CS-1",
            "SOP-CS-0001",
            "SOP-XX-001",
            "sop-CS-001",
            "ABC-CS-001",
            "SOP-CS-001-",
            "SOP-CS-+01",
            " SOP-CS-001",
            "SOP-CS-００１",
        ] {
            assert_eq!(text.parse::<Number>(), Err(NoNumber), "{text:?}");
        }
    }

    #[test]
    fn the_next_version_is_counted_over_all_there_ever_were() {
        for (taken, step, next) in [
            (&[][..], Step::Major, "1.0"),
            (&[], Step::Minor, "1.0"),
            (&["1.0"], Step::Major, "2.0"),
            (&["1.0"], Step::Minor, "1.1"),
            (&["1.0", "1.1", "2.0"], Step::Minor, "2.1"),
            (&["1.9"], Step::Minor, "1.10"),
            (&["1.0", "9.0", "10.0"], Step::Major, "11.0"),
        ] {
            let taken = taken.iter().map(|text| version(text));
            assert_eq!(VersionNumber::after(taken, step), version(next), "{next}");
        }
    }

    #[test]
    fn the_number_after_999_does_not_exist() {
        assert_eq!(Number::after(Kind::Sop, "CS", Some(999)), None);
        assert_eq!(Number::after(Kind::Sop, "CS", None).map(|n| n.to_string()), Some("SOP-CS-001".into()));
    }

    proptest! {
        #[test]
        fn a_number_is_read_as_it_is_written(text in "(SOP|WI|FRM|POL|AGR|EXT|X)-(CS|QA|RA|LG|ZZ)-[0-9]{1,4}") {
            if let Ok(number) = text.parse::<Number>() {
                prop_assert_eq!(number.to_string(), text);
            }
        }

        #[test]
        fn a_version_number_is_read_as_it_is_written(text in "[0-9.]{0,8}") {
            if let Ok(number) = text.parse::<VersionNumber>() {
                prop_assert_eq!(number.to_string(), text);
            }
        }

        #[test]
        fn a_next_version_was_never_there(taken in proptest::collection::vec((1_u32..20, 0_u32..20), 0..12), major: bool) {
            let taken: Vec<_> = taken.into_iter().map(|(major, minor)| VersionNumber { major, minor }).collect();
            let step = if major { Step::Major } else { Step::Minor };
            let next = VersionNumber::after(taken.iter().copied(), step);
            prop_assert!(taken.iter().all(|before| *before < next));
        }

        #[test]
        fn no_text_makes_reading_panic(text in "\\PC{0,20}") {
            let _ = (text.parse::<Number>(), text.parse::<VersionNumber>());
        }
    }
}
