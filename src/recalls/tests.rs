//! What every recall promises, without a database; and the recall the other tests begin with.

use super::quantity::Quantity;
use super::reach::Booking;
use super::record::{Batch, Customer, Line, Recall, RecallState, customer_field};
use super::store::KIND;
use crate::records::transitions::{Step, Way, way};
use crate::time::Timestamp;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// A recall of class I of a wholesaler, decided on 2 March 2026.
pub fn recall() -> Recall {
    Recall {
        number: "RCL-2026-0001".into(),
        title: "胰岛素注射液 230815 批召回".into(),
        class: "I".into(),
        class_rationale: "可能引起严重低血糖".into(),
        reason: "含量不合格".into(),
        role: "wholesaler".into(),
        origin: "voluntary".into(),
        drill: false,
        decided_at: at("2026-03-02T01:00:00Z"),
        state: "decided".into(),
        unaccounted_reason: String::new(),
        raised_at: at("2026-03-02T02:00:00Z"),
        raised_by: "u-ra".into(),
        closed_at: None,
    }
}

fn line(order: &str, customer: &str, quantity: &str) -> Line {
    Line {
        recall: "RCL-2026-0001".into(),
        order_number: order.into(),
        line: "10".into(),
        customer_code: customer.into(),
        material: "100238".into(),
        batch: "230815".into(),
        quantity: quantity.into(),
        unit: "BOX".into(),
        found_at: at("2026-03-02T02:00:00Z"),
    }
}

fn state() -> RecallState {
    RecallState {
        recall: recall(),
        batches: vec![Batch {
            recall: "RCL-2026-0001".into(),
            material: String::new(),
            batch: "230815".into(),
        }],
        clocks: Vec::new(),
        lines: vec![line("A", "C1", "120.5"), line("B", "C1", "79.5"), line("C", "C2", "100")],
        customers: vec![Customer::blank("RCL-2026-0001", "C1"), Customer::blank("RCL-2026-0001", "C2")],
        corrections: Vec::new(),
        transitions: Vec::new(),
        signatures: Vec::new(),
    }
}

fn booking(customer: &str, returned: &str) -> Booking {
    Booking {
        customer: customer.into(),
        notified_at: Some(at("2026-03-02T03:00:00Z")),
        acknowledged_at: Some(at("2026-03-02T04:00:00Z")),
        returned: Some(returned.into()),
        note: None,
    }
}

const NOW: &str = "2026-03-03T00:00:00Z";

#[test]
fn a_recall_goes_forward_by_one_state_and_back_by_one_with_a_reason() {
    let ways = |from: &str, to: &str, reason: &str| {
        way(&KIND, from, Step { to, reason }).map_err(|error| error.code().to_owned())
    };
    let states = KIND.states;
    for (at, from) in states.iter().enumerate() {
        for (target, to) in states.iter().enumerate() {
            let answer = ways(from, to, "通知对象有误");
            let expected = match (at, target) {
                (4, _) => Err("record-closed".to_owned()),
                (3, 4) => Ok(Way::Close),
                (at, target) if target == at + 1 => Ok(Way::Forward),
                (at, target) if target + 1 == at => Ok(Way::Back),
                _ => Err("out-of-order".to_owned()),
            };
            assert_eq!(answer, expected, "{from} → {to}");
        }
    }
    assert_eq!(ways("notifying", "decided", ""), Err("invalid".to_owned()));
}

#[test]
fn a_recalled_batch_without_material_covers_every_material() {
    let batch =
        |material: &str| Batch { recall: String::new(), material: material.into(), batch: "230815".into() };
    for (recalled, material, number, covered) in [
        ("100238", "100238", "230815", true),
        ("100238", "100239", "230815", false),
        ("", "100239", "230815", true),
        ("", "100239", "230816", false),
    ] {
        assert_eq!(batch(recalled).covers(material, number), covered, "{recalled} {material} {number}");
    }
}

#[test]
fn the_reach_adds_quantities_exactly_and_counts_each_once() {
    let mut state = state();
    state.customers[0].returned = "157".into();
    state.customers[0].notified_at = Some(at("2026-03-02T03:00:00Z"));
    let reach = state.reach();
    assert_eq!((reach.orders, reach.customers, reach.notified, reach.acknowledged), (3, 2, 1, 0));
    assert_eq!((reach.traced.to_string(), reach.returned.to_string()), ("300".into(), "157".into()));
    assert_eq!(reach.percent(), "52.3");
    assert_eq!(state.traced_to("C1"), Quantity::parse("200").unwrap());
}

#[test]
fn closing_names_each_customers_gap_and_the_unexplained_rest() {
    let mut state = state();
    let row = state.booked(&booking("C1", "200"), "customers[0]", at(NOW)).unwrap();
    state.customers[0] = row;
    assert_eq!(
        state.missing(),
        [
            "customers.C2.notified_at",
            "customers.C2.acknowledged_at",
            "customers.C2.returned",
            "unaccounted_reason"
        ]
    );
    state.customers[1] = state.booked(&booking("C2", "0"), "customers[0]", at(NOW)).unwrap();
    assert_eq!(state.missing(), ["unaccounted_reason"]);
    state.recall.unaccounted_reason = "已使用".into();
    assert!(state.missing().is_empty());
    state.recall.unaccounted_reason.clear();
    state.customers[1].returned = "100".into();
    assert!(state.missing().is_empty(), "all came back: nothing to explain");
}

#[test]
fn a_booking_that_cannot_be_true_is_refused_at_its_field() {
    let late = Some(at("2026-03-03T00:00:00.000001Z"));
    let none = Booking { customer: "C1".into(), ..Booking::default() };
    for (wrong, field, code) in [
        (booking("C9", "0"), "customers[0].customer", "not-in-trace"),
        (booking("C1", "200.000001"), "customers[0].returned", "more-than-traced"),
        (Booking { notified_at: late, ..none.clone() }, "customers[0].notified_at", "in-future"),
        (Booking { acknowledged_at: late, ..none.clone() }, "customers[0].acknowledged_at", "in-future"),
        (
            Booking { acknowledged_at: Some(at("2026-03-02T02:59:59Z")), ..booking("C1", "0") },
            "customers[0].acknowledged_at",
            "before-notice",
        ),
    ] {
        let error = state().booked(&wrong, "customers[0]", at(NOW)).unwrap_err();
        assert_eq!((error.fields()[0].field.as_str(), error.fields()[0].code), (field, code));
    }
}

#[test]
fn a_booked_value_is_not_booked_over() {
    let mut state = state();
    state.customers[0] = state.booked(&booking("C1", "10"), "customers[0]", at(NOW)).unwrap();
    let again = Booking { customer: "C1".into(), returned: Some("20".into()), ..Booking::default() };
    let error = state.booked(&again, "customers[0]", at(NOW)).unwrap_err();
    assert_eq!((error.code(), error.fields()[0].field.as_str()), ("field-filled", "customers[0].returned"));
    let note = Booking { customer: "C1".into(), note: Some("收货人已换".into()), ..Booking::default() };
    assert_eq!(state.booked(&note, "customers[0]", at(NOW)).unwrap().returned, "10");
}

#[test]
fn a_correction_names_a_customers_field_even_where_the_code_has_dots() {
    assert_eq!(customer_field("customers.C.1.returned"), Some(("C.1", "returned")));
    assert_eq!(customer_field("title"), None);
    let values = state().values();
    assert_eq!(values.get("customers.C1.returned").map(String::as_str), Some(""));
    assert_eq!(values.get("class").map(String::as_str), Some("I"));
}

#[test]
fn the_snapshot_speaks_for_every_row_and_changes_with_every_column() {
    let digest = |state: &RecallState| state.snapshot().unwrap().to_bytes().unwrap();
    let before = digest(&state());
    type Change = fn(&mut RecallState);
    let changes: [Change; 22] = [
        |state| state.recall.title.push('x'),
        |state| state.recall.class.push('x'),
        |state| state.recall.class_rationale.push('x'),
        |state| state.recall.reason.push('x'),
        |state| state.recall.role.push('x'),
        |state| state.recall.origin.push('x'),
        |state| state.recall.drill = true,
        |state| state.recall.decided_at.0 += 1,
        |state| state.recall.state.push('x'),
        |state| state.recall.unaccounted_reason.push('x'),
        |state| state.recall.raised_at.0 += 1,
        |state| state.recall.raised_by.push('x'),
        |state| state.recall.closed_at = Some(Timestamp(0)),
        |state| state.batches[0].material.push('x'),
        |state| state.lines[0].quantity.push('0'),
        |state| state.lines[0].unit.push('x'),
        |state| state.lines[0].customer_code.push('x'),
        |state| state.lines[0].found_at.0 += 1,
        |state| state.customers[0].notified_at = Some(Timestamp(0)),
        |state| state.customers[0].acknowledged_at = Some(Timestamp(0)),
        |state| state.customers[0].returned.push('1'),
        |state| state.customers[0].note.push('x'),
    ];
    for (at, change) in changes.iter().enumerate() {
        let mut changed = state();
        change(&mut changed);
        assert_ne!(digest(&changed), before, "change {at}");
    }
    let covered = state().snapshot().unwrap().covered().to_vec();
    for count in [("recall", 1), ("recall_batch", 1), ("recall_line", 3), ("recall_customer", 2)] {
        assert!(covered.contains(&count), "{count:?}");
    }
}
