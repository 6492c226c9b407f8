//! Check 3 in the pass over what is new: the records of which the new entries speak, and how their entries follow the
//! older ones.

use diesel::prelude::*;

use super::Steps;
use super::entries::Link;
use super::records::{Last, Subjects, gap};
use super::report::{Fault, Findings};
use crate::error::Result;
use crate::ledger::store::index;
use crate::ledger::subject::{Governed, Snapshot};
use crate::ledger::{canon, entry};
use crate::store::Db;
use crate::store::schema::ledger_entry;

impl Subjects {
    /// Recomputes the records that the entries spoke of, and asks for what each followed.
    ///
    /// # Errors
    /// The database does not answer; what the progress answers.
    pub fn compare_touched(
        mut self,
        db: &mut Db,
        governed: &[Governed],
        steps: &Steps<'_>,
        findings: &mut Findings,
    ) -> Result<()> {
        for (epoch, seq, link) in self.begun.take().unwrap_or_default() {
            let before = before(db, epoch, seq, &link)?;
            if let Some(what) = gap(epoch, &link, before.as_ref()) {
                let fault = Fault::new("subject.chain", what).at(seq).of(&link.subject);
                findings.add(fault.in_epoch(epoch));
            }
        }
        let mut subjects: Vec<Box<str>> = self.places.keys().cloned().collect();
        subjects.sort();
        for subject in subjects {
            steps.add(1)?;
            let Some((kind, id)) = subject.split_once('/') else { continue };
            match of_any(db, governed, kind, id) {
                Ok(Some(snapshot)) => self.record(&snapshot, findings),
                Ok(None) => {}
                Err(error) => self.unreadable(&subject, error, findings)?,
            }
        }
        self.unanswered(governed, findings);
        Ok(())
    }
}

/// The record's snapshot, by whichever of the kinds that share the subject kind knows it.
fn of_any(db: &mut Db, governed: &[Governed], kind: &str, id: &str) -> Result<Option<Snapshot>> {
    for governed in governed.iter().filter(|governed| governed.kind == kind) {
        let found = (governed.snapshot)(db, id)?;
        if found.as_ref().is_some_and(|found| found.subject().id == id) {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The subject's last entry before this one.
fn before(db: &mut Db, epoch: i64, seq: u64, link: &Link) -> Result<Option<Last>> {
    let Some((kind, id)) = link.subject.split_once('/') else { return Ok(None) };
    let earlier = ledger_entry::epoch
        .lt(epoch)
        .or(ledger_entry::epoch.eq(epoch).and(ledger_entry::seq.lt(index(seq)?)));
    let found: Option<(i64, i64, Vec<u8>)> = ledger_entry::table
        .filter(ledger_entry::obj_kind.eq(kind).and(ledger_entry::obj_id.eq(id)))
        .filter(earlier)
        .order((ledger_entry::epoch.desc(), ledger_entry::seq.desc()))
        .select((ledger_entry::epoch, ledger_entry::seq, ledger_entry::entry))
        .first(db)
        .optional()?;
    Ok(found.and_then(|(epoch, seq, bytes)| {
        let parsed = entry::parse(&bytes).ok()?;
        let index = canon::scan(parsed.body.as_bytes()).ok()?;
        let seq = u64::try_from(seq).ok()?;
        Some(Last { epoch, seq, n: index.obj_n?, post: index.post?, found: true, disposed: false })
    }))
}
