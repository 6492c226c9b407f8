//! Verification on demand: one at a time, its verdict kept for every page's foot, and an entry that it was done.

use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Instant;

use crate::error::{Error, Result};
use crate::ledger::acts;
use crate::ledger::lane::{Actor, NewEntry};
use crate::ledger::site::Site;
use crate::ledger::subject::Governed;
use crate::ledger::verify::{Report, Verdict as Found, verify_target};
use crate::time::Timestamp;
use crate::web::page::{self, Verdict};

/// Who verifies, and what they found last; one for all workers.
pub struct Verifier {
    governed: &'static [Governed],
    last: RwLock<Option<Last>>,
    turn: Mutex<()>,
}

/// What was found last.
#[derive(Debug, Clone)]
pub struct Last {
    /// The answer.
    pub report: Report,
    /// When it was given.
    pub at: Timestamp,
    /// Milliseconds it took.
    pub took: u64,
}

impl Verifier {
    /// One that knows these kinds of records.
    pub fn new(governed: &'static [Governed]) -> Self {
        Self { governed, last: RwLock::new(None), turn: Mutex::new(()) }
    }

    /// What was found last; none since the program began.
    pub fn last(&self) -> Option<Last> {
        self.last.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Verifies the whole, on a thread that may wait for it.
    ///
    /// # Errors
    /// 409 while another verification runs; the database does not let itself be read to the end.
    pub fn run(&self, site: &Site) -> Result<Last> {
        let Ok(_turn) = self.turn.try_lock() else { return Err(Error::conflict("verification-running")) };
        let began = Instant::now();
        let report = verify_target(&site.target, &site.folder, self.governed, &|_, _| {})?;
        let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let last = Last { report, at: site.clock.now(), took };
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = Some(last.clone());
        Ok(last)
    }
}

/// What all pages say of it.
pub fn announce(last: &Last, pages: &page::Site) {
    let Last { report, at, .. } = last;
    let first_wrong = report.faults.iter().filter_map(|fault| fault.seq).min();
    let checked_to =
        if report.is_sound() { report.integrity.to } else { first_wrong.or(report.integrity.to) };
    pages.set_verdict(Verdict {
        ok: report.is_sound(),
        checked_to: checked_to.and_then(|seq| i64::try_from(seq).ok()).unwrap_or(0),
        at: *at,
        root: report.root.map(|root| root.to_string()).unwrap_or_default(),
    });
}

/// The entry that says so.
pub fn entry(report: &Report, actor: &Actor) -> NewEntry {
    let entry = NewEntry::new(acts::LEDGER_VERIFIED, actor)
        .field("integrity", code(report.integrity.verdict))
        .field("completeness", code(report.completeness.verdict));
    match report.integrity.to {
        Some(to) => entry.field("to", to),
        None => entry,
    }
}

/// The verdict's code.
pub const fn code(verdict: Found) -> &'static str {
    match verdict {
        Found::Sound => "sound",
        Found::Fault => "fault",
        Found::NotChecked => "not_checked",
    }
}
