//! NDJSON: an order a line, its number beside the body of a PUT.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::Value;

use super::{Incoming, Reading, Rejection};
use crate::error::{Error, FieldError};
use crate::orders::intake::{CustomerDraft, Draft, EventDraft, LineDraft, check};
use crate::web::json::parse;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Numbered {
    number: String,
    #[serde(default)]
    customer: CustomerDraft,
    ship_to: Option<String>,
    #[serde(default)]
    lines: Vec<LineDraft>,
    #[serde(default)]
    events: Vec<EventDraft>,
}

/// All orders of the file, and what cannot be taken.
pub(super) fn read(text: &str) -> Reading {
    let mut reading = Reading::default();
    let mut known: HashSet<String> = HashSet::new();
    let mut bad: HashSet<String> = HashSet::new();
    for (row, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let taken = parse::<Numbered>(line.as_bytes()).and_then(|order| {
            let Numbered { number, customer, ship_to, lines, events } = order;
            check(&number, &Draft { customer, ship_to, lines, events })
        });
        match taken {
            Ok(wanted) if known.insert(wanted.number.clone()) => {
                reading.orders.push(Incoming { wanted, row });
            }
            Ok(wanted) => {
                let fault = FieldError { field: "number".to_owned(), code: "duplicate", args: Vec::new() };
                reading.rejected.push(Rejection::new(row, fault, &wanted.number));
                bad.insert(wanted.number);
            }
            Err(error) => match reject(&mut reading.rejected, row, &error, line) {
                Some(number) => _ = (known.insert(number.clone()), bad.insert(number)),
                None => reading.rejected_orders += 1,
            },
        }
    }
    reading.orders.retain(|order| !bad.contains(&order.wanted.number));
    reading.rejected_orders += bad.len() as u64;
    reading
}

/// Notes all faults of a line; answers the number of the order it speaks of, where it can be told.
fn reject(rejected: &mut Vec<Rejection>, row: u64, error: &Error, line: &str) -> Option<String> {
    if error.fields().is_empty() {
        let fault = FieldError { field: String::new(), code: error.code(), args: error.args().to_vec() };
        rejected.push(Rejection::new(row, fault, line));
        return None;
    }
    let whole: Value = serde_json::from_str(line).unwrap_or_default();
    for fault in error.fields() {
        rejected.push(Rejection::new(row, fault.clone(), &value_at(&whole, &fault.field)));
    }
    whole.get("number").and_then(Value::as_str).map(str::to_owned)
}

/// The value that a path like `lines[2].batch` leads to, as written; empty where there is none.
fn value_at(whole: &Value, path: &str) -> String {
    let pointer: String = path
        .split(['.', '['])
        .map(|part| format!("/{}", part.trim_end_matches(']').replace('~', "~0").replace('/', "~1")))
        .collect();
    match whole.pointer(&pointer) {
        None | Some(Value::Null | Value::Array(_) | Value::Object(_)) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(number: &str) -> String {
        format!(
            r#"{{"number":"{number}","customer":{{"code":"C1","name":"N"}},"lines":[{{"line":10,"material":"M","name":"P","quantity":"1","unit":"BOX","storage":"ambient"}}]}}"#
        )
    }

    fn rejected(reading: &Reading) -> Vec<(u64, &str, &str, &str)> {
        reading
            .rejected
            .iter()
            .map(|r| (r.row, r.fault.field.as_str(), r.fault.code, r.value.as_str()))
            .collect()
    }

    #[test]
    fn good_lines_stand_beside_bad_ones() {
        let bad = order("2").replace(r#""quantity":"1""#, r#""quantity":"-1""#);
        let unknown = order("3").replace(r#""unit""#, r#""color":"red","unit""#);
        let text = format!("{}\n\n{bad}\n{unknown}\nnot json\n{}\r\n", order("1"), order("4"));
        let reading = read(&text);
        let numbers: Vec<_> = reading.orders.iter().map(|o| (o.wanted.number.as_str(), o.row)).collect();
        assert_eq!(numbers, [("1", 1), ("4", 6)]);
        assert_eq!(reading.rejected_orders, 3);
        assert_eq!(
            rejected(&reading),
            [
                (3, "lines[0].quantity", "not-a-number", "-1"),
                (4, "lines[0].color", "unknown-field", "red"),
                (5, "", "malformed-json", "not json"),
            ]
        );
    }

    #[test]
    fn a_number_twice_rejects_the_order() {
        let bad = order("3").replace("BOX", "");
        let lines = [order("1"), order("2"), order("1"), bad, order("3")];
        let reading = read(&lines.join("\n"));
        assert_eq!(reading.orders.len(), 1);
        assert_eq!(reading.rejected_orders, 2);
        assert_eq!(
            rejected(&reading),
            [
                (3, "number", "duplicate", "1"),
                (4, "lines[0].unit", "required", ""),
                (5, "number", "duplicate", "3")
            ]
        );
    }
}
