//! Check 3: the records as the tables hold them against the snapshots that entries sealed.

use std::collections::{BTreeMap, HashMap};

use super::Steps;
use super::content::Kept;
use super::entries::{Link, Told};
use super::report::{Fault, Findings};
use super::sealed::Commitments;
use crate::error::{Error, Kind, Result};
use crate::ledger::digest::Digest;
use crate::ledger::subject::{Governed, Snapshot};
use crate::store::{self, Db};

/// The last entry of a subject.
pub(super) struct Last {
    pub epoch: i64,
    pub seq: u64,
    pub n: u64,
    pub post: Digest,
    pub found: bool,
}

/// Every subject's own chain, as the entries tell it.
#[derive(Default)]
pub struct Subjects {
    pub(super) last: HashMap<String, Last>,
    /// In a pass over what is new: each subject's first entry in it, whose own predecessor is still to be asked for.
    pub(super) begun: Option<Vec<(i64, u64, Link)>>,
}

impl Subjects {
    /// For a pass that does not begin with the ledger.
    pub fn since() -> Self {
        Self { last: HashMap::new(), begun: Some(Vec::new()) }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.last.len() as u64
    }

    /// Continues the chain of an entry's subject and notes the snapshot it seals.
    pub fn take(&mut self, epoch: i64, told: &mut Told, kept: &mut Kept, findings: &mut Findings) {
        let Some(link) = told.link.take() else { return };
        kept.sealed(link.post, told.seq);
        let last = self.last.get_mut(link.subject.as_str());
        if let (None, Some(begun)) = (&last, &mut self.begun) {
            begun.push((epoch, told.seq, link.clone()));
        } else if let Some(what) = gap(epoch, &link, last.as_deref()) {
            let fault = Fault::new("subject.chain", what).at(told.seq).of(&link.subject);
            findings.add(fault.in_epoch(epoch));
        }
        let next = Last { epoch, seq: told.seq, n: link.n, post: link.post, found: false };
        match last {
            Some(last) => *last = next,
            None => {
                self.last.insert(link.subject, next);
            }
        }
    }

    /// A record that is there and cannot be read is a fault; a database that does not answer ends the check.
    pub(super) fn unreadable(&mut self, subject: &str, error: Error, findings: &mut Findings) -> Result<()> {
        if error.kind() == Kind::Unavailable {
            return Err(error);
        }
        let what = format!("the record cannot be read: {error}");
        findings.add(Fault::new("record.unreadable", what).of(subject));
        if let Some(last) = self.last.get_mut(subject) {
            last.found = true;
        }
        Ok(())
    }

    /// Recomputes every record and compares; then what no record answered for.
    pub fn compare(
        mut self,
        db: &mut Db,
        governed: &[Governed],
        (commitments, steps): (&Commitments, &Steps<'_>),
        findings: &mut Findings,
    ) -> Result<()> {
        let mut covered: BTreeMap<&'static str, u64> = BTreeMap::new();
        for table in governed.iter().flat_map(|governed| governed.tables) {
            covered.entry(table).or_default();
        }
        for kind in governed {
            for id in (kind.ids)(db)? {
                steps.add(1)?;
                let subject = format!("{}/{id}", kind.kind);
                match (kind.snapshot)(db, &id) {
                    Ok(Some(snapshot)) => {
                        for (table, rows) in snapshot.covered() {
                            *covered.entry(table).or_default() += rows;
                        }
                        self.record(&snapshot, findings);
                        let subject = snapshot.subject().to_string();
                        let fields = snapshot.fields().values();
                        fields.for_each(|value| commitments.within(&subject, value, findings));
                    }
                    Ok(None) => {
                        findings.add(
                            Fault::new("record.missing", "the record cannot be put together").of(subject),
                        );
                    }
                    Err(error) => self.unreadable(&subject, error, findings)?,
                }
            }
        }
        self.unanswered(governed, findings);
        for (table, rows) in covered {
            let stored = store::count(db, table)?;
            if stored != rows {
                let what = format!("table {table} has {stored} rows, {rows} belong to records");
                findings.add(Fault::new("table.rows", what));
            }
        }
        Ok(())
    }

    /// Compares a record with what its last entry sealed.
    pub(super) fn record(&mut self, snapshot: &Snapshot, findings: &mut Findings) {
        let subject = snapshot.subject().to_string();
        let Some(last) = self.last.get_mut(&subject) else {
            findings.add(Fault::new("record.unsealed", "there is no entry for this record").of(subject));
            return;
        };
        last.found = true;
        let (seq, epoch) = (last.seq, last.epoch);
        match snapshot.to_bytes().map(|bytes| Digest::of(&bytes)) {
            Ok(digest) if digest == last.post => {}
            Ok(digest) => {
                let what = format!("the record's digest is {digest}, its last entry sealed {}", last.post);
                findings.add(Fault::new("record.digest", what).at(seq).of(&subject).in_epoch(epoch));
            }
            Err(error) => {
                let what = format!("the record has no snapshot: {error}");
                findings.add(Fault::new("record.digest", what).at(seq).of(&subject).in_epoch(epoch));
            }
        }
    }

    pub(super) fn unanswered(self, governed: &[Governed], findings: &mut Findings) {
        let mut gone: Vec<(String, Last)> = self.last.into_iter().filter(|(_, last)| !last.found).collect();
        gone.sort_by(|(left, _), (right, _)| left.cmp(right));
        for (subject, last) in gone {
            let kind = subject.split_once('/').map_or("", |(kind, _)| kind);
            let what = match governed.iter().any(|governed| governed.kind == kind) {
                true => "the ledger has entries for it, the tables have no such record",
                false => "the ledger has entries for it, but no table holds records of this kind",
            };
            let fault = Fault::new("record.missing", what).at(last.seq).of(subject);
            findings.add(fault.in_epoch(last.epoch));
        }
    }
}

/// What is wrong between a subject's last entry and the next.
pub(super) fn gap(epoch: i64, link: &Link, last: Option<&Last>) -> Option<String> {
    let (n, prev, pre) = match last {
        None => (1, None, None),
        Some(last) if last.epoch != epoch => (1, None, Some(last.post)),
        Some(last) => (last.n + 1, Some(last.seq), Some(last.post)),
    };
    if link.n != n {
        return Some(format!("the subject's entry number {} follows number {}", link.n, n - 1));
    }
    if link.prev != prev {
        return Some(format!(
            "the entry names {:?} as the subject's entry before, it is {prev:?}",
            link.prev
        ));
    }
    (link.pre != pre).then(|| {
        let text = |digest: Option<Digest>| digest.map_or("nothing".to_owned(), |digest| digest.to_string());
        format!("the entry begins from {}, the one before ended with {}", text(link.pre), text(pre))
    })
}
