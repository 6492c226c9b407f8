//! Subjects, the snapshots that are sealed for them, and what a feature must tell so that `verify` can recompute them.

use serde_json::{Map, Value, json};

use super::canon;
use super::digest::Digest;
use crate::error::{Error, Result};
use crate::store::Db;
use crate::time::Timestamp;

/// Anything the ledger speaks of: `kind/number`, with the version behind a document.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject {
    /// `document`, `order`, `account`, …
    pub kind: &'static str,
    /// `SOP-CS-001`, `SOP-CS-001/2.0`, `u-…`.
    pub id: String,
}

impl Subject {
    /// The subject of this kind and id.
    pub fn new(kind: &'static str, id: impl Into<String>) -> Self {
        Self { kind, id: id.into() }
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind, self.id)
    }
}

/// A subject's whole state as one body-profile object, and how many rows of which table it speaks for.
///
/// A field that is null, false or empty is left out, so that a column added later changes no old digest. Lists are
/// given in the order of their natural key.
#[derive(Debug, Clone)]
pub struct Snapshot {
    subject: Subject,
    fields: Map<String, Value>,
    rows: Vec<(&'static str, u64)>,
}

impl Snapshot {
    /// An empty snapshot of shape `v`.
    pub fn new(subject: &Subject, v: u32) -> Self {
        let mut fields = Map::new();
        fields.insert("kind".to_owned(), json!(subject.kind));
        fields.insert("id".to_owned(), json!(subject.id));
        fields.insert("v".to_owned(), json!(v));
        Self { subject: subject.clone(), fields, rows: Vec::new() }
    }

    /// Adds a value unless it is null, false or empty.
    pub fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        put(&mut self.fields, name, value.into());
        self
    }

    /// Adds an instant, where there is one.
    pub fn instant(self, name: &str, at: impl Into<Option<Timestamp>>) -> Self {
        self.set(name, at.into().map(|at| at.to_string()))
    }

    /// Adds a personal value as its commitment, where there is one.
    pub fn sealed(self, name: &str, commitment: Option<&str>) -> Self {
        self.set(name, commitment.map(|hex| json!({ "sealed": hex })))
    }

    /// Says that this snapshot speaks for `count` rows of `table`; `verify` compares the sums with the tables.
    pub fn rows(mut self, table: &'static str, count: usize) -> Self {
        self.rows.push((table, count as u64));
        self
    }

    /// Whose state this is.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The fields, `kind`, `id` and `v` included.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// Rows spoken for, by table.
    pub fn covered(&self) -> &[(&'static str, u64)] {
        &self.rows
    }

    /// The exact bytes that are sealed.
    ///
    /// # Errors
    /// A value outside the body profile: a float, U+0000, too deep.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        canon::object_to_bytes(&self.fields).map_err(Error::internal)
    }
}

/// An object for a child row, under the same rule: null, false and empty are left out.
#[derive(Debug, Clone, Default)]
pub struct Row(Map<String, Value>);

impl Row {
    /// An empty object.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value unless it is null, false or empty.
    pub fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        put(&mut self.0, name, value.into());
        self
    }

    /// Adds an instant, where there is one.
    pub fn instant(self, name: &str, at: impl Into<Option<Timestamp>>) -> Self {
        self.set(name, at.into().map(|at| at.to_string()))
    }

    /// Adds a personal value as its commitment, where there is one.
    pub fn sealed(self, name: &str, commitment: Option<&str>) -> Self {
        self.set(name, commitment.map(|hex| json!({ "sealed": hex })))
    }
}

impl From<Row> for Value {
    fn from(row: Row) -> Self {
        Self::Object(row.0)
    }
}

fn put(fields: &mut Map<String, Value>, name: &str, value: Value) {
    let empty = match &value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    if !empty {
        fields.insert(name.to_owned(), value);
    }
}

/// How a text or file stands in a snapshot.
pub fn content_reference(sha256: Digest, size: usize) -> Value {
    json!({ "sha256": sha256.to_string(), "size": size })
}

/// One kind of governed record: its tables, and how its state is read back from them.
///
/// Two kinds of record may share the subject kind `document`; their ids tell them apart.
#[derive(Clone, Copy)]
pub struct Governed {
    /// The subject kind.
    pub kind: &'static str,
    /// The tables all of whose rows belong to snapshots of this kind (shared tables are named by each).
    pub tables: &'static [&'static str],
    /// All ids, in any order.
    pub ids: fn(&mut Db) -> Result<Vec<String>>,
    /// The snapshot recomputed from the tables; none when there is no such record.
    pub snapshot: fn(&mut Db, &str) -> Result<Option<Snapshot>>,
}

/// Tables whose rows change without an entry, and why that is right. A test holds this list and the governed tables
/// against the databases' own catalogues.
pub const NOT_GOVERNED: &[(&str, &str)] = &[
    ("__diesel_schema_migrations", "the schema's history, kept by the migrations"),
    ("ledger_head", "the ledger itself: compared with the entries by check 2"),
    ("ledger_entry", "the ledger itself: check 1"),
    ("ledger_tile", "the ledger itself: check 2"),
    ("ledger_checkpoint", "the ledger itself: check 2"),
    ("content", "sealed by its own hash: check 3"),
    ("sealed_value", "sealed by its commitment: check 4"),
    ("session", "who is signed in now"),
    ("sign_in_failure", "counters of failed sign-ins"),
    ("kept_answer", "answers kept for 24 h, sealed"),
    ("demo_step", "how far the demo's script was played"),
    ("job", "progress of long work"),
    ("print_mark", "an index into the entries of prints: the entry itself names the mark, and is asked"),
];
