//! Values from outside, looked at one by one: each is taken over or becomes a named fault, and all faults of a
//! request are told at once.

use std::str::FromStr;

use chrono::{NaiveDateTime, TimeZone};
use chrono_tz::Tz;

use crate::error::{Error, FieldError, Kind, Result};
use crate::time::Timestamp;

/// The faults of one request so far.
#[derive(Debug, Default)]
pub struct Faults(Vec<FieldError>);

impl Faults {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value, or its fault noted and `None`; a further check may go on with the others.
    pub fn take<T>(&mut self, checked: Result<T>) -> Option<T> {
        match checked {
            Ok(value) => Some(value),
            Err(error) => {
                self.0.extend_from_slice(error.fields());
                if error.fields().is_empty() {
                    self.0.push(FieldError {
                        field: String::new(),
                        code: error.code(),
                        args: error.args().to_vec(),
                    });
                }
                None
            }
        }
    }

    /// Notes one.
    pub fn note(&mut self, field: impl Into<String>, code: &'static str) {
        self.0.push(FieldError { field: field.into(), code, args: Vec::new() });
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Goes on where there are none; else one error (422) with all of them.
    pub fn check(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(self.error()) }
    }

    /// All of them in one error (422), for `let (Some(a), Some(b)) = (a, b) else { return Err(faults.error()) };`.
    pub fn error(self) -> Error {
        self.0.into_iter().fold(Error::new(Kind::Invalid, "invalid"), Error::field_with)
    }
}

/// One line of text, trimmed: not empty, at most `most` characters, no control characters and none that turn the
/// direction of writing (a name must look like what it is).
pub fn line(field: &str, value: &str, most: usize) -> Result<String> {
    optional_line(field, Some(value), most)?.ok_or_else(|| Error::invalid(field, "required"))
}

/// As [`line`], but it may be absent or blank.
pub fn optional_line(field: &str, value: Option<&str>, most: usize) -> Result<Option<String>> {
    let value = value.unwrap_or_default().trim();
    if value.chars().any(|c| c.is_control() || turns_direction(c)) {
        return Err(Error::invalid(field, "control-character"));
    }
    measured(field, value, most)
}

/// Text of several lines: not blank, at most `most` characters, line ends made `\n`, no other control characters than
/// tab, none that turn the direction of writing. Inner and trailing space stays.
pub fn text(field: &str, value: &str, most: usize) -> Result<String> {
    optional_text(field, Some(value), most)?.ok_or_else(|| Error::invalid(field, "required"))
}

/// As [`text`], but it may be absent or blank.
pub fn optional_text(field: &str, value: Option<&str>, most: usize) -> Result<Option<String>> {
    let value = value.unwrap_or_default().replace("\r\n", "\n");
    if value.trim().is_empty() {
        return Ok(None);
    }
    if value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t') || turns_direction(c)) {
        return Err(Error::invalid(field, "control-character"));
    }
    measured(field, &value, most)
}

/// A code of a closed list, read by its `FromStr`.
pub fn code<T: FromStr>(field: &str, value: &str) -> Result<T> {
    if value.is_empty() {
        return Err(Error::invalid(field, "required"));
    }
    value.parse().map_err(|_| Error::invalid(field, "unknown-code"))
}

/// An RFC 3339 instant.
pub fn instant(field: &str, value: &str) -> Result<Timestamp> {
    dated((field, "not-an-instant"), value, Timestamp::parse(value.trim()))
}

/// An instant as a machine or a person writes it: RFC 3339, or date and time of day in `zone`.
pub fn instant_here(field: &str, value: &str, zone: Tz) -> Result<Timestamp> {
    const FORMS: [&str; 4] = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"];
    let text = value.trim();
    let local = FORMS.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let local = local.and_then(|local| zone.from_local_datetime(&local).earliest());
    let read = local.map_or_else(|| Timestamp::parse(text), |at| Some(Timestamp(at.timestamp_micros())));
    dated((field, "not-an-instant-here"), value, read)
}

/// An instant, or a date as its first microsecond in `zone` (`effective_from`, `*_from`).
pub fn start(field: &str, value: &str, zone: Tz) -> Result<Timestamp> {
    dated((field, "not-a-date"), value, Timestamp::parse_start(value.trim(), zone))
}

/// An instant, or a date as its last microsecond in `zone` (`as_of`, `*_to`).
pub fn end(field: &str, value: &str, zone: Tz) -> Result<Timestamp> {
    dated((field, "not-a-date"), value, Timestamp::parse_end(value.trim(), zone))
}

/// A quantity: digits, at most 15 before the point and 6 behind, no sign; returned without needless zeros.
pub fn decimal(field: &str, value: &str) -> Result<String> {
    let value = value.trim();
    if value.is_empty() {
        return Err(Error::invalid(field, "required"));
    }
    let (whole, fraction) = value.split_once('.').unwrap_or((value, "0"));
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !digits(whole, 15) || !digits(fraction, 6) {
        return Err(Error::invalid(field, "not-a-number"));
    }
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let whole = if whole.is_empty() { "0" } else { whole };
    Ok(if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") })
}

fn dated((field, code): (&str, &'static str), value: &str, read: Option<Timestamp>) -> Result<Timestamp> {
    if value.trim().is_empty() {
        return Err(Error::invalid(field, "required"));
    }
    read.ok_or_else(|| Error::invalid(field, code))
}

fn measured(field: &str, value: &str, most: usize) -> Result<Option<String>> {
    if value.is_empty() {
        return Ok(None);
    }
    if value.chars().count() > most {
        let args = vec![("most", most.to_string())];
        let fault = FieldError { field: field.to_owned(), code: "too-long", args };
        return Err(Error::new(Kind::Invalid, "invalid").field_with(fault));
    }
    Ok(Some(value.to_owned()))
}

/// Bidirectional controls, and the separators that end a line unseen.
const fn turns_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_trimmed_measured_in_characters_and_free_of_controls() {
        assert_eq!(line("title", "  冷藏药品收货 ", 6).unwrap(), "冷藏药品收货");
        let cases = [
            ("", "required"),
            ("冷藏药品收货", "too-long"),
            ("a\u{202e}b", "control-character"),
            ("a\nb", "control-character"),
        ];
        for (value, code) in cases {
            assert_eq!(line("title", value, 5).unwrap_err().fields()[0].code, code, "{value:?}");
        }
    }

    #[test]
    fn a_text_has_lines_but_nothing_that_turns_them() {
        assert_eq!(text("reason", "一\r\n\t二", 9).unwrap(), "一\n\t二");
        for value in ["a\u{202e}b", "a\u{2066}b", "a\u{200f}b", "a\u{7}b"] {
            assert_eq!(
                text("reason", value, 9).unwrap_err().fields()[0].code,
                "control-character",
                "{value:?}"
            );
        }
    }

    #[test]
    fn a_quantity_has_at_most_six_digits_behind_the_point() {
        for (value, read) in [("200", "200"), ("007.500000", "7.5"), ("0.000001", "0.000001"), ("0", "0")] {
            assert_eq!(decimal("quantity", value).unwrap(), read);
        }
        for value in ["1.0000001", "-1", "1e3", "1.", ".5", "1,5", "二", "1 000"] {
            assert_eq!(decimal("quantity", value).unwrap_err().fields()[0].code, "not-a-number", "{value}");
        }
    }

    #[test]
    fn a_time_of_day_is_read_in_the_sites_zone() {
        let zone = chrono_tz::Asia::Shanghai;
        let noon = Timestamp::parse("2026-03-02T04:00:00Z").unwrap();
        for text in ["2026-03-02 12:00", "2026-03-02T12:00:00", " 2026-03-02T04:00:00Z"] {
            assert_eq!(instant_here("at", text, zone).unwrap(), noon, "{text}");
        }
        let day = instant_here("at", "2026-03-02", zone).unwrap_err();
        assert_eq!(day.fields()[0].code, "not-an-instant-here");
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let mut faults = Faults::new();
        let title = faults.take(line("title", "", 10));
        let due = faults.take(instant("due", "tomorrow"));
        assert!(title.is_none() && due.is_none());
        let error = faults.check().unwrap_err();
        let codes: Vec<_> = error.fields().iter().map(|f| (f.field.as_str(), f.code)).collect();
        assert_eq!(codes, [("title", "required"), ("due", "not-an-instant")]);
    }
}
