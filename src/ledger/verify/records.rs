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
    /// Whether it was disposed of: `post` is then its tombstone's.
    pub disposed: bool,
}

/// The subjects that were disposed of, by their place, each with its tombstone's digest.
pub type Disposed = HashMap<u32, Digest>;

/// Every subject's own chain, as the entries tell it. A million of them are to fit: the map leads to places only, so
/// that little is held twice while it grows.
#[derive(Default)]
pub struct Subjects {
    pub(super) places: HashMap<Box<str>, u32>,
    last: Vec<Last>,
    /// In a pass over what is new: each subject's first entry in it, whose own predecessor is still to be asked for.
    pub(super) begun: Option<Vec<(i64, u64, Link)>>,
}

impl Subjects {
    /// For a pass that does not begin with the ledger.
    pub fn since() -> Self {
        Self { begun: Some(Vec::new()), ..Self::default() }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.last.len() as u64
    }

    /// The subjects that were disposed of.
    pub fn disposed(&self) -> Disposed {
        let places = (0..).zip(&self.last).filter(|(_, last)| last.disposed);
        places.map(|(place, last)| (place, last.post)).collect()
    }

    pub(super) fn get_mut(&mut self, subject: &str) -> Option<&mut Last> {
        let place = *self.places.get(subject)?;
        self.last.get_mut(place as usize)
    }

    /// Continues the chain of an entry's subject and notes the snapshot it seals; returns the subject's place.
    pub fn take(
        &mut self,
        epoch: i64,
        told: &mut Told,
        kept: &mut Kept,
        findings: &mut Findings,
    ) -> Option<u32> {
        let link = told.link.take()?;
        let next_place = u32::try_from(self.last.len()).ok()?;
        let place = self.places.get(link.subject.as_str()).copied();
        let last = place.and_then(|place| self.last.get(place as usize));
        if let (None, Some(begun)) = (last, &mut self.begun) {
            begun.push((epoch, told.seq, link.clone()));
        } else if let Some(what) = gap(epoch, &link, last) {
            let fault = Fault::new("subject.chain", what).at(told.seq).of(&link.subject);
            findings.add(fault.in_epoch(epoch));
        }
        let was_disposed = last.is_some_and(|last| last.disposed);
        let changed = last.is_none_or(|last| last.post != link.post);
        if was_disposed && changed {
            let what = "the entry changes a record that was disposed of before";
            let fault = Fault::new("subject.disposed", what).at(told.seq).of(&link.subject);
            findings.add(fault.in_epoch(epoch));
        }
        let disposed = told.disposes || (was_disposed && !changed);
        let next = Last { epoch, seq: told.seq, n: link.n, post: link.post, found: false, disposed };
        let place = place.unwrap_or(next_place);
        kept.sealed(link.post, told.seq, place);
        match self.last.get_mut(place as usize) {
            Some(last) => *last = next,
            None => {
                self.places.insert(link.subject.into(), place);
                self.last.push(next);
            }
        }
        Some(place)
    }

    /// A record that is there and cannot be read is a fault; a database that does not answer ends the check.
    pub(super) fn unreadable(&mut self, subject: &str, error: Error, findings: &mut Findings) -> Result<()> {
        if error.kind() == Kind::Unavailable {
            return Err(error);
        }
        let what = format!("the record cannot be read: {error}");
        findings.add(Fault::new("record.unreadable", what).of(subject));
        if let Some(last) = self.get_mut(subject) {
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
        let Some(last) = self.get_mut(&subject) else {
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
        let mut gone: Vec<(&str, &Last)> = self
            .places
            .iter()
            .filter_map(|(subject, place)| Some((&**subject, self.last.get(*place as usize)?)))
            .filter(|(_, last)| !last.found)
            .collect();
        gone.sort_by_key(|(subject, _)| *subject);
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
