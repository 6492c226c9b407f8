//! What a person tells when registering a deviation, and the check of every value. Pure; API and pages share it.

use chrono_tz::Tz;

use super::record::{Batch, Class, areas};
use crate::error::{Error, FieldError, Kind, Result};
use crate::time::Timestamp;
use crate::web::input::{self, Faults};

/// Characters of a title at most.
pub const LONGEST_TITLE: usize = 200;
/// Characters of any other text at most.
pub const LONGEST_TEXT: usize = 8000;
/// Orders or batches at most.
const MOST: usize = 1000;
/// Characters of an order's, material's or batch's number at most.
const LONGEST_NUMBER: usize = 64;

/// A registration as it came, every value a text.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// In one line.
    pub title: String,
    /// What happened.
    pub description: String,
    /// Code.
    pub class: String,
    /// Code.
    pub area: String,
    /// RFC 3339, or `YYYY-MM-DD HH:MM` in the site's zone.
    pub occurred_at: String,
    /// The same.
    pub found_at: String,
    /// Numbers of orders.
    pub orders: Vec<String>,
    /// Batches.
    pub batches: Vec<Batch>,
    /// What was done at once.
    pub immediate_action: String,
}

/// A registration whose values are acceptable; whether its orders exist is asked in the lane.
#[derive(Debug, Clone)]
pub struct Checked {
    /// In one line.
    pub title: String,
    /// What happened.
    pub description: String,
    /// How grave.
    pub class: Class,
    /// Code of the area.
    pub area: String,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When it was found.
    pub found_at: Timestamp,
    /// Sorted, each once.
    pub orders: Vec<String>,
    /// Sorted, each once.
    pub batches: Vec<Batch>,
    /// Empty where nothing was done.
    pub immediate_action: String,
}

/// Checks a registration; all faults are told at once.
///
/// # Errors
/// 422 with each field.
pub fn checked(draft: &Draft, now: Timestamp, zone: Tz) -> Result<Checked> {
    let mut faults = Faults::new();
    let title = faults.take(input::line("title", &draft.title, LONGEST_TITLE));
    let description = faults.take(input::text("description", &draft.description, LONGEST_TEXT));
    let class = faults.take(input::code::<Class>("class", &draft.class));
    let area = faults.take(area("area", &draft.area));
    let occurred_at = faults.take(input::instant_here("occurred_at", &draft.occurred_at, zone));
    let found_at = faults.take(input::instant_here("found_at", &draft.found_at, zone));
    let in_order = match (occurred_at, found_at) {
        (Some(occurred), Some(found)) => faults.take(in_order(occurred, found, now)),
        _ => None,
    };
    let orders = faults.take(orders("orders", &draft.orders));
    let batches = faults.take(batches("batches", &draft.batches));
    let action =
        faults.take(input::optional_text("immediate_action", Some(&draft.immediate_action), LONGEST_TEXT));
    match (title, description, class, area, occurred_at.zip(found_at).zip(in_order), orders, batches, action)
    {
        (
            Some(title),
            Some(description),
            Some(class),
            Some(area),
            Some(((occurred_at, found_at), ())),
            Some(orders),
            Some(batches),
            Some(action),
        ) => Ok(Checked {
            title,
            description,
            class,
            area,
            occurred_at,
            found_at,
            orders,
            batches,
            immediate_action: action.unwrap_or_default(),
        }),
        _ => Err(faults.error()),
    }
}

/// Refuses a finding before the event, and one in the future.
///
/// # Errors
/// 422 at `found_at` or `occurred_at`.
pub fn in_order(occurred: Timestamp, found: Timestamp, now: Timestamp) -> Result<()> {
    let mut faults = Faults::new();
    if occurred > now {
        faults.note("occurred_at", "in-future");
    }
    if found > now {
        faults.note("found_at", "in-future");
    } else if found < occurred {
        faults.note("found_at", "before-occurred");
    }
    faults.check()
}

/// A code of the list of areas.
///
/// # Errors
/// 422 at `field`.
pub fn area(field: &str, value: &str) -> Result<String> {
    if value.is_empty() {
        return Err(Error::invalid(field, "required"));
    }
    let known = areas().iter().any(|area| area.code == value);
    if known { Ok(value.to_owned()) } else { Err(Error::invalid(field, "unknown-code")) }
}

/// Numbers of orders, sorted, each once.
///
/// # Errors
/// 422 at `field[i]`.
pub fn orders(field: &str, given: &[String]) -> Result<Vec<String>> {
    let mut faults = Faults::new();
    let mut orders = Vec::new();
    for (at, order) in few(field, given)?.iter().enumerate() {
        orders.extend(faults.take(input::line(&format!("{field}[{at}]"), order, LONGEST_NUMBER)));
    }
    faults.check()?;
    orders.sort();
    orders.dedup();
    Ok(orders)
}

/// Batches, sorted, each once.
///
/// # Errors
/// 422 at `field[i].batch` or `field[i].material`.
pub fn batches(field: &str, given: &[Batch]) -> Result<Vec<Batch>> {
    let mut faults = Faults::new();
    let mut batches = Vec::new();
    for (at, given) in few(field, given)?.iter().enumerate() {
        let (name, of) = (format!("{field}[{at}].batch"), format!("{field}[{at}].material"));
        let batch = faults.take(input::line(&name, &given.batch, LONGEST_NUMBER));
        let material = faults.take(input::optional_line(&of, Some(&given.material), LONGEST_NUMBER));
        if let (Some(batch), Some(material)) = (batch, material) {
            batches.push(Batch { material: material.unwrap_or_default(), batch });
        }
    }
    faults.check()?;
    batches.sort();
    batches.dedup();
    Ok(batches)
}

fn few<'a, T>(field: &str, given: &'a [T]) -> Result<&'a [T]> {
    if given.len() <= MOST {
        return Ok(given);
    }
    let args = vec![("most", MOST.to_string())];
    let fault = FieldError { field: field.to_owned(), code: "too-many", args };
    Err(Error::new(Kind::Invalid, "invalid").field_with(fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONE: Tz = chrono_tz::Asia::Shanghai;

    fn draft() -> Draft {
        Draft {
            title: "冷链超温".into(),
            description: "2–8℃ 超温 41 分".into(),
            class: "major".into(),
            area: "cold_chain".into(),
            occurred_at: "2026-03-02 08:00".into(),
            found_at: "2026-03-02T01:30:00Z".into(),
            ..Draft::default()
        }
    }

    fn faults(change: impl FnOnce(&mut Draft)) -> Vec<(String, &'static str)> {
        let mut draft = draft();
        change(&mut draft);
        let now = Timestamp::parse("2026-03-02T02:00:00Z").unwrap();
        match checked(&draft, now, ZONE) {
            Ok(_) => Vec::new(),
            Err(error) => error.fields().iter().map(|f| (f.field.clone(), f.code)).collect(),
        }
    }

    #[test]
    fn a_registration_is_refused_by_the_field_that_is_wrong() {
        type Change = fn(&mut Draft);
        let cases: [(Change, &[(&str, &str)]); 9] = [
            (|_| {}, &[]),
            (|d| d.title = " ".into(), &[("title", "required")]),
            (|d| d.class = "huge".into(), &[("class", "unknown-code")]),
            (|d| d.area = "moon".into(), &[("area", "unknown-code")]),
            (|d| d.found_at = "2026-03-02T02:00:01Z".into(), &[("found_at", "in-future")]),
            (|d| d.found_at = "2026-03-01T23:59:59Z".into(), &[("found_at", "before-occurred")]),
            (|d| d.occurred_at = "gestern".into(), &[("occurred_at", "not-an-instant-here")]),
            (|d| d.batches = vec![Batch::parse("M1/")], &[("batches[0].batch", "required")]),
            (
                |d| {
                    d.title.clear();
                    d.orders = vec![" ".into()];
                },
                &[("title", "required"), ("orders[0]", "required")],
            ),
        ];
        for (change, expected) in cases {
            let expected: Vec<_> =
                expected.iter().map(|(field, code)| ((*field).to_owned(), *code)).collect();
            assert_eq!(faults(change), expected);
        }
    }

    #[test]
    fn orders_and_batches_stand_once_and_sorted() {
        assert_eq!(orders("orders", &["b".into(), "a".into(), "b".into()]).unwrap(), ["a", "b"]);
        let given = ["M2/x", "M1/y", "M2/x"].map(Batch::parse);
        assert_eq!(batches("batches", &given).unwrap(), ["M1/y", "M2/x"].map(Batch::parse));
    }
}
