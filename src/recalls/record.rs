//! A recall as a record: what was decided, which batches, whom they reached, and what must stand there before it may
//! be closed. Pure.
//!
//! The lines whose `found_at` is the recall's `raised_at` are the trace as frozen at the decision; later ones are hits
//! on orders that came after it. Neither is ever changed or taken away.

use std::collections::BTreeMap;
use std::str::FromStr;

use diesel::prelude::*;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::ledger::canon;
use crate::ledger::digest::Digest;
use crate::ledger::subject::{Row, Snapshot, Subject, content_reference};
use crate::records::corrections::Correction;
use crate::records::transitions::Transition;
use crate::signatures::Signature;
use crate::store::schema::{recall, recall_batch, recall_clock, recall_customer, recall_line};
use crate::time::Timestamp;

/// The subject kind of recalls.
pub const NAME: &str = "recall";
/// The states, in order; the last is the closed one.
pub const STATES: &[&str] = &["decided", "notifying", "retrieving", "reconciling", "closed"];
/// Batches of a recall at most.
pub const MOST_BATCHES: usize = 200;

/// How dangerous the product is (药品召回管理办法, ch. 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// 一级: may cause, or has caused, serious harm.
    I,
    /// 二级: temporary or reversible harm.
    II,
    /// 三级: generally no harm, but to be withdrawn.
    III,
}

/// What we are in this recall (same measures, art. 5): it decides what we owe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// 药品上市许可持有人.
    Holder,
    /// 境内代理人 of a holder abroad.
    Agent,
    /// 药品经营企业.
    Wholesaler,
    /// Anything else, a carrier for instance.
    Other,
}

/// Who decided it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// 主动召回.
    Voluntary,
    /// 责令召回.
    Ordered,
}

impl Class {
    /// All, the gravest first.
    pub const ALL: [Self; 3] = [Self::I, Self::II, Self::III];

    /// The code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::I => "I",
            Self::II => "II",
            Self::III => "III",
        }
    }
}

impl Role {
    /// All.
    pub const ALL: [Self; 4] = [Self::Holder, Self::Agent, Self::Wholesaler, Self::Other];

    /// The code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Holder => "holder",
            Self::Agent => "agent",
            Self::Wholesaler => "wholesaler",
            Self::Other => "other",
        }
    }
}

impl Origin {
    /// All.
    pub const ALL: [Self; 2] = [Self::Voluntary, Self::Ordered];

    /// The code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Voluntary => "voluntary",
            Self::Ordered => "ordered",
        }
    }
}

impl FromStr for Class {
    type Err = ();

    fn from_str(code: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|class| class.code() == code).ok_or(())
    }
}

impl FromStr for Role {
    type Err = ();

    fn from_str(code: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|role| role.code() == code).ok_or(())
    }
}

impl FromStr for Origin {
    type Err = ();

    fn from_str(code: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|origin| origin.code() == code).ok_or(())
    }
}

/// A row of `recall`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = recall)]
pub struct Recall {
    /// `RCL-2026-0001`.
    pub number: String,
    /// What it is about, in one line.
    pub title: String,
    /// A code of [`Class`].
    pub class: String,
    /// Why this class.
    pub class_rationale: String,
    /// What is wrong with the product.
    pub reason: String,
    /// A code of [`Role`].
    pub role: String,
    /// A code of [`Origin`].
    pub origin: String,
    /// 演练: an exercise; it holds no order.
    pub drill: bool,
    /// When the recall was decided, or its order received.
    pub decided_at: Timestamp,
    /// One of [`STATES`].
    pub state: String,
    /// Why not everything came back; empty while not filled.
    pub unaccounted_reason: String,
    /// When it was registered here.
    pub raised_at: Timestamp,
    /// By which account.
    pub raised_by: String,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
}

/// A row of `recall_batch`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Queryable, Selectable, Insertable)]
#[diesel(table_name = recall_batch)]
pub struct Batch {
    /// Of which recall.
    pub recall: String,
    /// The ERP's code; empty for whatever material bears the batch number.
    pub material: String,
    /// The maker's batch number.
    pub batch: String,
}

impl Batch {
    /// Whether goods of this material and batch are recalled.
    pub fn covers(&self, material: &str, batch: &str) -> bool {
        self.batch == batch && (self.material.is_empty() || self.material == material)
    }
}

/// A row of `recall_clock`: a deadline as it was computed from class, role and decision.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = recall_clock, treat_none_as_null = true)]
pub struct Clock {
    /// Of which recall.
    pub recall: String,
    /// The id of its rule ([`crate::records::deadlines`]).
    pub name: String,
    /// Due then; none where the law names no number, or it counts from a completion that has not come.
    pub due_at: Option<Timestamp>,
    /// The clause, as the rule said when it was computed.
    pub clause: String,
}

/// A row of `recall_line`: goods of a recalled batch on a line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = recall_line)]
pub struct Line {
    /// Of which recall.
    pub recall: String,
    /// On which order.
    pub order_number: String,
    /// On which of its lines.
    pub line: String,
    /// Whom the order was for.
    pub customer_code: String,
    /// The ERP's code of the material.
    pub material: String,
    /// The batch.
    pub batch: String,
    /// A decimal, in `unit`.
    pub quantity: String,
    /// The ERP's sales unit.
    pub unit: String,
    /// When we found it: the recall's `raised_at` for the frozen trace.
    pub found_at: Timestamp,
}

/// A row of `recall_customer`: what was booked for a customer of the trace.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = recall_customer, treat_none_as_null = true)]
pub struct Customer {
    /// Of which recall.
    pub recall: String,
    /// The ERP's code.
    pub customer_code: String,
    /// When the notice reached them.
    pub notified_at: Option<Timestamp>,
    /// When they confirmed it.
    pub acknowledged_at: Option<Timestamp>,
    /// How much came back, or was destroyed there under supervision; empty while not booked.
    pub returned: String,
    /// What else is to be said; empty while not booked.
    pub note: String,
}

impl Customer {
    /// A customer of whom nothing is booked yet.
    pub fn blank(recall: &str, code: &str) -> Self {
        Self {
            recall: recall.to_owned(),
            customer_code: code.to_owned(),
            notified_at: None,
            acknowledged_at: None,
            returned: String::new(),
            note: String::new(),
        }
    }
}

/// A recall with all that belongs to its snapshot.
#[derive(Debug, Clone)]
pub struct RecallState {
    /// The recall's own row.
    pub recall: Recall,
    /// By material and batch.
    pub batches: Vec<Batch>,
    /// By name.
    pub clocks: Vec<Clock>,
    /// By order and line.
    pub lines: Vec<Line>,
    /// By code.
    pub customers: Vec<Customer>,
    /// By id.
    pub corrections: Vec<Correction>,
    /// In order.
    pub transitions: Vec<Transition>,
    /// Of closing and of corrections, by id.
    pub signatures: Vec<Signature>,
}

/// The subject of a recall.
pub fn subject(number: &str) -> Subject {
    Subject::new(NAME, number)
}

impl RecallState {
    /// The recall's snapshot, shape 1. The trace may be long and seldom changes: it stands as content of its own.
    ///
    /// # Errors
    /// A value outside the body profile.
    pub fn snapshot(&self) -> Result<Snapshot> {
        let recall = &self.recall;
        let trace = self.trace_bytes()?;
        let rows = |rows: Vec<Value>| Value::Array(rows);
        Ok(Snapshot::new(&subject(&recall.number), 1)
            .set("title", recall.title.as_str())
            .set("class", recall.class.as_str())
            .set("class_rationale", recall.class_rationale.as_str())
            .set("reason", recall.reason.as_str())
            .set("role", recall.role.as_str())
            .set("origin", recall.origin.as_str())
            .set("drill", recall.drill)
            .instant("decided_at", recall.decided_at)
            .set("state", recall.state.as_str())
            .set("unaccounted_reason", recall.unaccounted_reason.as_str())
            .instant("raised_at", recall.raised_at)
            .set("raised_by", recall.raised_by.as_str())
            .instant("closed_at", recall.closed_at)
            .set("batches", rows(self.batches.iter().map(batch_row).collect()))
            .set("clocks", rows(self.clocks.iter().map(clock_row).collect()))
            .set("trace", content_reference(Digest::of(&trace), trace.len()))
            .set("customers", rows(self.customers.iter().map(customer_row).collect()))
            .set("corrections", rows(self.corrections.iter().map(Correction::row).collect()))
            .set("transitions", rows(self.transitions.iter().map(Transition::row).collect()))
            .set("signatures", rows(self.signatures.iter().map(Signature::row).collect()))
            .rows("recall", 1)
            .rows("recall_batch", self.batches.len())
            .rows("recall_clock", self.clocks.len())
            .rows("recall_line", self.lines.len())
            .rows("recall_customer", self.customers.len())
            .rows("correction", self.corrections.len())
            .rows("record_transition", self.transitions.len())
            .rows("signature", self.signatures.len()))
    }

    /// The trace as content: every line, by order and line.
    ///
    /// # Errors
    /// A value outside the body profile.
    pub fn trace_bytes(&self) -> Result<Vec<u8>> {
        let lines: Vec<Value> = self.lines.iter().map(line_row).collect();
        let trace = json!({ "kind": "recall_trace", "id": self.recall.number, "v": 1, "lines": lines });
        canon::to_bytes(&trace).map_err(Error::internal)
    }

    /// The fields a correction may change, with their values as text: the recall's own, and each customer's as
    /// `customers.<code>.<field>`.
    pub fn values(&self) -> BTreeMap<String, String> {
        let recall = &self.recall;
        let instant = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
        let own = [
            ("title", recall.title.clone()),
            ("class", recall.class.clone()),
            ("class_rationale", recall.class_rationale.clone()),
            ("reason", recall.reason.clone()),
            ("role", recall.role.clone()),
            ("origin", recall.origin.clone()),
            ("decided_at", recall.decided_at.to_string()),
            ("unaccounted_reason", recall.unaccounted_reason.clone()),
        ];
        let mut values: BTreeMap<String, String> =
            own.into_iter().map(|(field, value)| (field.to_owned(), value)).collect();
        for row in &self.customers {
            let fields = [
                ("notified_at", instant(row.notified_at)),
                ("acknowledged_at", instant(row.acknowledged_at)),
                ("returned", row.returned.clone()),
                ("note", row.note.clone()),
            ];
            values.extend(
                fields
                    .into_iter()
                    .map(|(field, value)| (format!("customers.{}.{field}", row.customer_code), value)),
            );
        }
        values
    }
}

/// The customer's code and field that a correction's field names; none for a field of the recall itself.
pub fn customer_field(field: &str) -> Option<(&str, &str)> {
    field.strip_prefix("customers.")?.rsplit_once('.')
}

fn batch_row(batch: &Batch) -> Value {
    Row::new().set("material", batch.material.as_str()).set("batch", batch.batch.as_str()).into()
}

fn clock_row(clock: &Clock) -> Value {
    Row::new()
        .set("name", clock.name.as_str())
        .instant("due_at", clock.due_at)
        .set("clause", clock.clause.as_str())
        .into()
}

fn line_row(line: &Line) -> Value {
    Row::new()
        .set("order", line.order_number.as_str())
        .set("line", line.line.as_str())
        .set("customer_code", line.customer_code.as_str())
        .set("material", line.material.as_str())
        .set("batch", line.batch.as_str())
        .set("quantity", line.quantity.as_str())
        .set("unit", line.unit.as_str())
        .instant("found_at", line.found_at)
        .into()
}

fn customer_row(row: &Customer) -> Value {
    Row::new()
        .set("customer_code", row.customer_code.as_str())
        .instant("notified_at", row.notified_at)
        .instant("acknowledged_at", row.acknowledged_at)
        .set("returned", row.returned.as_str())
        .set("note", row.note.as_str())
        .into()
}
