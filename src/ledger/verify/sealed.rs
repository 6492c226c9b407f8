//! Check 4: personal values behind their commitments are disclosed and matching, erased by an entry, gone with
//! their record, or missing.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use serde_json::Value;

use super::Steps;
use super::entries::Told;
use super::records::Disposed;
use super::report::{Fault, Findings};
use crate::error::Result;
use crate::ledger::digest::Digest;
use crate::ledger::sealed::commitment;
use crate::store::Db;
use crate::store::schema::sealed_value;

/// Rows read at once.
const PAGE: i64 = 1024;
/// Rows asked for by name at once.
const SOME: usize = 128;

/// Who introduced a commitment.
struct Introduced {
    epoch: i64,
    seq: u64,
    name: Box<str>,
    /// About whom the entry is: a place among the subjects.
    subject: Option<u32>,
    disclosed: bool,
}

impl Introduced {
    /// Whether it went with its record.
    fn went(&self, disposed: &Disposed) -> bool {
        self.subject.is_some_and(|place| disposed.contains_key(&place))
    }
}

/// The commitments that entries introduce, and the values they erase.
#[derive(Default)]
pub struct Commitments {
    introduced: HashMap<Digest, Introduced>,
    erased: HashSet<(i64, u64, String)>,
    origins: HashMap<i64, String>,
}

impl Commitments {
    /// Whose commitments come next.
    pub fn begin(&mut self, epoch: i64, origin: &str) {
        self.origins.insert(epoch, origin.to_owned());
    }

    /// Takes down what an entry says of personal values.
    pub fn take(&mut self, epoch: i64, told: &mut Told, subject: Option<u32>) {
        let seq = told.seq;
        for (name, hash) in told.sealed.drain(..) {
            let introduced = Introduced { epoch, seq, name, subject, disclosed: false };
            self.introduced.entry(hash).or_insert(introduced);
        }
        let erased = told.erased.drain(..);
        self.erased.extend(erased.map(|(of, seq, name)| (of.unwrap_or(epoch), seq, name)));
    }

    /// Every commitment inside a snapshot was introduced by an entry.
    pub fn within(&self, subject: &str, value: &Value, findings: &mut Findings) {
        match value {
            Value::Object(fields) => {
                if let Some(hex) = fields.get("sealed").and_then(Value::as_str) {
                    let known = Digest::from_hex(hex.as_bytes())
                        .is_some_and(|hash| self.introduced.contains_key(&hash));
                    if !known {
                        let what = format!("no entry has introduced the commitment {hex:?}");
                        findings.add(Fault::new("sealed.unknown", what).of(subject));
                    }
                }
                fields.values().for_each(|value| self.within(subject, value, findings));
            }
            Value::Array(items) => items.iter().for_each(|value| self.within(subject, value, findings)),
            _ => {}
        }
    }

    /// Compares the stored values with the commitments, and these with the stored values.
    pub fn finish(
        mut self,
        db: &mut Db,
        disposed: &Disposed,
        steps: &Steps<'_>,
        findings: &mut Findings,
    ) -> Result<()> {
        let mut after: Option<String> = None;
        loop {
            let mut rows = sealed_value::table.order(sealed_value::commitment).limit(PAGE).into_boxed();
            if let Some(after) = &after {
                rows = rows.filter(sealed_value::commitment.gt(after));
            }
            let rows: Vec<(String, String, Vec<u8>, String)> = rows.load(db)?;
            let Some(last) = rows.last() else { break };
            after = Some(last.0.clone());
            steps.add(rows.len() as u64)?;
            for row in &rows {
                if let Some(fault) = self.stored(row, disposed) {
                    findings.add(fault);
                }
            }
        }
        self.missing(disposed, findings);
        Ok(())
    }

    /// The same in a pass over what is new: for the commitments that its entries introduce.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn finish_new(mut self, db: &mut Db, disposed: &Disposed, findings: &mut Findings) -> Result<()> {
        let introduced: Vec<String> = self.introduced.keys().map(Digest::to_string).collect();
        for some in introduced.chunks(SOME) {
            let rows = sealed_value::table.filter(sealed_value::commitment.eq_any(some));
            let rows: Vec<(String, String, Vec<u8>, String)> = rows.load(db)?;
            for row in &rows {
                if let Some(fault) = self.stored(row, disposed) {
                    findings.add(fault);
                }
            }
        }
        self.missing(disposed, findings);
        Ok(())
    }

    fn stored(
        &mut self,
        (hex, name, salt, value): &(String, String, Vec<u8>, String),
        disposed: &Disposed,
    ) -> Option<Fault> {
        let found =
            Digest::from_hex(hex.as_bytes()).and_then(|hash| Some((hash, self.introduced.get_mut(&hash)?)));
        let Some((hash, introduced)) = found else {
            return Some(Fault::new(
                "sealed.unknown",
                format!("no entry has introduced the stored value of {hex:?}"),
            ));
        };
        introduced.disclosed = true;
        let fault =
            |check, what: String| Some(Fault::new(check, what).at(introduced.seq).in_epoch(introduced.epoch));
        if *name != *introduced.name {
            return fault(
                "sealed.name",
                format!("{hex} is stored as {name:?}, sealed as {:?}", introduced.name),
            );
        }
        if self.erased.contains(&(introduced.epoch, introduced.seq, name.clone())) {
            return fault("sealed.erased", format!("{name} is erased by an entry and still there"));
        }
        if introduced.went(disposed) {
            return fault("sealed.disposed", format!("{name} is still there, its record was disposed of"));
        }
        let origin = self.origins.get(&introduced.epoch).map_or("", String::as_str);
        let salt = salt.as_slice().try_into().ok();
        if salt.is_none_or(|salt| commitment(salt, origin, name, value) != hash) {
            return fault(
                "sealed.value",
                format!("the stored value of {name} does not match its commitment"),
            );
        }
        None
    }

    fn missing(self, disposed: &Disposed, findings: &mut Findings) {
        let missing = self.introduced.into_values().filter(|it| !it.disclosed && !it.went(disposed));
        let mut missing: Vec<Introduced> = missing.collect();
        missing.sort_by_key(|it| (it.epoch, it.seq));
        for Introduced { epoch, seq, name, .. } in missing {
            if !self.erased.contains(&(epoch, seq, name.to_string())) {
                let what = format!("the value of {name} is missing, and no entry erased it");
                findings.add(Fault::new("sealed.missing", what).at(seq).in_epoch(epoch));
            }
        }
    }
}
