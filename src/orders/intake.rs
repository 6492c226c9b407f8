//! From what was sent to an order that may be kept: every value looked at, all faults told at once.

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

use super::record::{
    EventKind, Line, MOST_EVENTS, MOST_LINES, Storage, Wanted, WantedEvent, by_item, is_number,
};
use crate::error::{Error, FieldError, Result};
use crate::web::input::{self, Faults};

/// The body of a PUT; texts left out are empty, so that one answer names them all.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// Who buys.
    #[serde(default)]
    pub customer: CustomerDraft,
    /// Where the goods go.
    pub ship_to: Option<String>,
    /// What is bought.
    #[serde(default)]
    pub lines: Vec<LineDraft>,
    /// What has happened.
    #[serde(default)]
    pub events: Vec<EventDraft>,
}

/// Who buys.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CustomerDraft {
    /// The ERP's code.
    pub code: String,
    /// The name.
    pub name: String,
}

/// One line.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LineDraft {
    /// The item, a text or a whole number.
    #[serde(deserialize_with = "item")]
    pub line: String,
    /// The ERP's code.
    pub material: String,
    /// The product's name.
    pub name: String,
    /// 批准文号.
    pub approval_number: Option<String>,
    /// 批号.
    pub batch: Option<String>,
    /// `YYYY-MM-DD`.
    pub expiry: Option<String>,
    /// A decimal.
    pub quantity: String,
    /// The ERP's unit.
    pub unit: String,
    /// A storage code.
    pub storage: String,
}

/// One event.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventDraft {
    /// A code of the closed list.
    pub kind: String,
    /// RFC 3339.
    pub at: String,
    /// Login or name.
    pub by: Option<String>,
}

/// An item number, which one ERP writes as a number and the next as a text.
fn item<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    struct Item;

    impl Visitor<'_> for Item {
        type Value = String;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an item number")
        }

        fn visit_str<E>(self, text: &str) -> Result<String, E> {
            Ok(text.to_owned())
        }

        fn visit_string<E>(self, text: String) -> Result<String, E> {
            Ok(text)
        }

        fn visit_u64<E>(self, number: u64) -> Result<String, E> {
            Ok(number.to_string())
        }
    }
    deserializer.deserialize_any(Item)
}

/// The order of this number, checked.
///
/// # Errors
/// 422 with every field that cannot be taken; 404 is the caller's word for a number in a path.
pub fn check(number: &str, draft: &Draft) -> Result<Wanted> {
    let mut faults = Faults::new();
    if !is_number(number) {
        faults.note("number", "order-number");
    }
    let customer_code = faults.take(input::line("customer.code", &draft.customer.code, 40));
    let customer_name = faults.take(input::line("customer.name", &draft.customer.name, 200));
    let ship_to = faults.take(input::optional_line("ship_to", draft.ship_to.as_deref(), 400));
    let lines = check_lines(number, &draft.lines, &mut faults);
    let events = check_events(&draft.events, &mut faults);
    match (customer_code, customer_name, ship_to) {
        (Some(customer_code), Some(customer_name), Some(ship_to)) if faults.is_empty() => {
            let number = number.to_owned();
            Ok(Wanted { number, customer_code, customer_name, ship_to, lines, events })
        }
        _ => Err(faults.error()),
    }
}

fn too_many(field: &str, most: usize) -> Result<()> {
    let fault =
        FieldError { field: field.to_owned(), code: "too-many", args: vec![("most", most.to_string())] };
    Err(Error::new(crate::error::Kind::Invalid, "invalid").field_with(fault))
}

fn check_lines(number: &str, drafts: &[LineDraft], faults: &mut Faults) -> Vec<Line> {
    if drafts.is_empty() {
        faults.note("lines", "required");
    }
    if drafts.len() > MOST_LINES {
        faults.take(too_many("lines", MOST_LINES));
        return Vec::new();
    }
    let mut lines: Vec<Line> = Vec::with_capacity(drafts.len());
    for (at, draft) in drafts.iter().enumerate() {
        let Some(line) = check_line(number, draft, &format!("lines[{at}]"), faults) else { continue };
        if lines.iter().any(|other| other.line == line.line) {
            faults.note(format!("lines[{at}].line"), "duplicate");
        }
        lines.push(line);
    }
    lines.sort_by(|a, b| by_item(&a.line, &b.line));
    lines
}

fn check_line(number: &str, draft: &LineDraft, path: &str, faults: &mut Faults) -> Option<Line> {
    let at = |field: &str| format!("{path}.{field}");
    let line = faults.take(input::line(&at("line"), &draft.line, 40));
    let material = faults.take(input::line(&at("material"), &draft.material, 40));
    let name = faults.take(input::line(&at("name"), &draft.name, 200));
    let approval_number = draft.approval_number.as_deref();
    let approval_number = faults.take(input::optional_line(&at("approval_number"), approval_number, 60));
    let batch = faults.take(input::optional_line(&at("batch"), draft.batch.as_deref(), 60));
    let expiry = faults.take(expiry(&at("expiry"), draft.expiry.as_deref()));
    let quantity = faults.take(quantity(&at("quantity"), &draft.quantity));
    let unit = faults.take(input::line(&at("unit"), &draft.unit, 20));
    let storage = faults.take(input::code::<Storage>(&at("storage"), &draft.storage));
    Some(Line {
        order_number: number.to_owned(),
        line: line?,
        material: material?,
        name: name?,
        approval_number: approval_number?,
        batch: batch?,
        expiry: expiry?,
        quantity: quantity?,
        unit: unit?,
        storage: storage?.code().to_owned(),
    })
}

/// A decimal as the ERP writes it: `10.500` stays `10.500`.
fn quantity(field: &str, value: &str) -> Result<String> {
    input::decimal(field, value).map(|_| value.trim().to_owned())
}

fn expiry(field: &str, value: Option<&str>) -> Result<Option<String>> {
    let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) else { return Ok(None) };
    let date: Option<chrono::NaiveDate> = value.parse().ok();
    match date.map(|date| date.format("%Y-%m-%d").to_string()) {
        Some(written) if written == value => Ok(Some(written)),
        _ => Err(Error::invalid(field, "not-a-day")),
    }
}

fn check_events(drafts: &[EventDraft], faults: &mut Faults) -> Vec<WantedEvent> {
    if drafts.len() > MOST_EVENTS {
        faults.take(too_many("events", MOST_EVENTS));
        return Vec::new();
    }
    let mut events: Vec<WantedEvent> = Vec::with_capacity(drafts.len());
    for (n, draft) in drafts.iter().enumerate() {
        let kind = faults.take(input::code::<EventKind>(&format!("events[{n}].kind"), &draft.kind));
        let at = faults.take(input::instant(&format!("events[{n}].at"), &draft.at));
        let by = faults.take(input::optional_line(&format!("events[{n}].by"), draft.by.as_deref(), 100));
        let (Some(kind), Some(at), Some(by)) = (kind, at, by) else { continue };
        if events.iter().any(|other| (other.kind, other.at) == (kind, at)) {
            faults.note(format!("events[{n}]"), "duplicate");
        }
        events.push(WantedEvent { kind, at, by });
    }
    events.sort_by_key(|event| (event.at, event.kind));
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Draft {
        let line = LineDraft {
            line: "10".to_owned(),
            material: "100238".to_owned(),
            name: "胰岛素注射液".to_owned(),
            batch: Some("230815".to_owned()),
            quantity: "200".to_owned(),
            unit: "BOX".to_owned(),
            storage: "2-8".to_owned(),
            ..LineDraft::default()
        };
        Draft {
            customer: CustomerDraft { code: "10023".to_owned(), name: "第一医院药房".to_owned() },
            ship_to: None,
            lines: vec![line],
            events: vec![EventDraft {
                kind: "ordered".to_owned(),
                at: "2026-02-18T09:12:00+08:00".to_owned(),
                by: Some("erp".to_owned()),
            }],
        }
    }

    fn faults(number: &str, draft: &Draft) -> Vec<(String, &'static str)> {
        let error = check(number, draft).unwrap_err();
        error.fields().iter().map(|fault| (fault.field.clone(), fault.code)).collect()
    }

    #[test]
    fn an_order_is_taken_as_it_was_sent() {
        let mut draft = draft();
        draft.lines[0].quantity = " 10.500 ".to_owned();
        draft.lines.push(LineDraft { line: "9".to_owned(), ..draft.lines[0].clone() });
        let wanted = check("4500012345", &draft).unwrap();
        let items: Vec<_> = wanted.lines.iter().map(|line| line.line.as_str()).collect();
        assert_eq!(items, ["9", "10"]);
        assert_eq!(wanted.lines[1].quantity, "10.500");
        assert_eq!(wanted.first(EventKind::Ordered).unwrap().to_string(), "2026-02-18T01:12:00.000000Z");
        assert_eq!(wanted.first(EventKind::Shipped), None);
    }

    #[test]
    fn all_faults_of_an_order_are_told_at_once_by_their_paths() {
        let mut bad = draft();
        bad.customer.name = " ".to_owned();
        bad.lines.push(LineDraft {
            batch: Some("a\u{202e}b".to_owned()),
            quantity: "-1".to_owned(),
            storage: "warm".to_owned(),
            expiry: Some("2027-02-30".to_owned()),
            ..bad.lines[0].clone()
        });
        bad.lines.push(bad.lines[0].clone());
        bad.events.push(EventDraft { kind: "lost".to_owned(), at: "yesterday".to_owned(), by: None });
        bad.events.push(bad.events[0].clone());
        let expected = [
            ("number", "order-number"),
            ("customer.name", "required"),
            ("lines[1].batch", "control-character"),
            ("lines[1].expiry", "not-a-day"),
            ("lines[1].quantity", "not-a-number"),
            ("lines[1].storage", "unknown-code"),
            ("lines[2].line", "duplicate"),
            ("events[1].kind", "unknown-code"),
            ("events[1].at", "not-an-instant"),
            ("events[2]", "duplicate"),
        ];
        let expected: Vec<_> = expected.map(|(field, code)| (field.to_owned(), code)).to_vec();
        assert_eq!(faults("a b", &bad), expected);
    }

    #[test]
    fn one_value_that_cannot_be_taken_is_enough() {
        type Spoil = fn(&mut Draft);
        let cases: [(Spoil, &str, &str); 12] = [
            (|d| d.lines.clear(), "lines", "required"),
            (|d| d.lines[0].line.clear(), "lines[0].line", "required"),
            (|d| d.lines[0].material.clear(), "lines[0].material", "required"),
            (|d| d.lines[0].name = "x".repeat(201), "lines[0].name", "too-long"),
            (|d| d.lines[0].quantity = "1e3".to_owned(), "lines[0].quantity", "not-a-number"),
            (|d| d.lines[0].quantity = "1,5".to_owned(), "lines[0].quantity", "not-a-number"),
            (|d| d.lines[0].unit.clear(), "lines[0].unit", "required"),
            (|d| d.lines[0].expiry = Some("2027-7-1".to_owned()), "lines[0].expiry", "not-a-day"),
            (|d| d.lines[0].storage = "2–8".to_owned(), "lines[0].storage", "unknown-code"),
            (|d| d.lines = vec![d.lines[0].clone(); 501], "lines", "too-many"),
            (|d| d.events = vec![d.events[0].clone(); 201], "events", "too-many"),
            (|d| d.customer.code = "a\nb".to_owned(), "customer.code", "control-character"),
        ];
        for (spoil, field, code) in cases {
            let mut draft = draft();
            spoil(&mut draft);
            assert_eq!(faults("1", &draft), [(field.to_owned(), code)]);
        }
    }
}
