//! Verification as a job: one at a time in the whole installation, on demand or by schedule. What it finds is kept as
//! the job's result, for every page of every node, and as an entry.

use std::time::Instant;

use actix_web::web;
use serde_json::{Value, json};

use super::found::{self, Fault, Found};
use crate::error::Result;
use crate::jobs::{self, Job};
use crate::ledger::acts;
use crate::ledger::lane::{Actor, NewEntry, Tx};
use crate::ledger::site::Site;
use crate::ledger::subject::Governed;
use crate::ledger::verify::{Report, Scope, Verdict as Answer, verify_scope};
use crate::store::Db;
use crate::time::Timestamp;
use crate::web::page::{self, Verdict};
use crate::web::words::{Lang, Words};

/// A job that goes over what is new.
const NEW: &str = "ledger.verify-new";
/// A job that goes over the whole.
const WHOLE: &str = "ledger.verify-whole";
/// Both.
pub const KINDS: [&str; 2] = [NEW, WHOLE];
/// Seconds before a scheduled verification that came to no end is tried again.
const AGAIN: i64 = 600;

/// The kind of a scope's job.
pub const fn kind(scope: Scope) -> &'static str {
    match scope {
        Scope::New => NEW,
        Scope::Whole => WHOLE,
    }
}

/// How often the program verifies by itself; none for never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// Seconds between two passes over what is new.
    pub new: Option<i64>,
    /// Seconds between two passes over the whole.
    pub whole: Option<i64>,
}

/// Who verifies; one for all workers.
pub struct Verifier {
    governed: &'static [Governed],
    site: web::Data<Site>,
    pages: web::Data<page::Site>,
}

impl Verifier {
    /// One that knows these kinds of records, and tells all pages what it finds.
    pub fn new(governed: &'static [Governed], site: web::Data<Site>, pages: web::Data<page::Site>) -> Self {
        Self { governed, site, pages }
    }

    /// Sets a verification going whose job is kept.
    ///
    /// # Errors
    /// No thread is to be had.
    pub fn start(&self, job: &Job, scope: Scope, actor: Actor, words: Words) -> Result<()> {
        let (site, pages, governed) = (self.site.clone(), self.pages.clone(), self.governed);
        jobs::spawn(self.site.clone(), job, words, move |progress| {
            let began = Instant::now();
            let phase = match scope {
                Scope::New => "job-verifying-new",
                Scope::Whole => "job-verifying-whole",
            };
            let tell = |done, total| {
                progress.tell(phase, done, total);
                progress.go_on()
            };
            let report = verify_scope(&site.target, &site.folder, governed, (scope, &tell))?;
            let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            let (noted, at) = (entry(&report, scope, &actor), site.clock.now());
            site.lane.write_here(move |tx| tx.append(noted.clone()).map(drop))?;
            if !report.is_sound() {
                tracing::error!(faults = report.faults.len(), "the ledger or its records are at fault");
            }
            let told = result(&report, scope, at, took);
            if let Some(found) = Found::of(&told) {
                announce(&site, &pages, Some(found));
            }
            Ok((report.integrity.entries, told))
        })
    }

    /// Starts what is due by the schedule, unless one runs; says which.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn start_due(&self, schedule: Schedule) -> Result<Option<Scope>> {
        let now = self.site.clock.now();
        let (whole, new) = (due(now, Scope::Whole, schedule.whole), due(now, Scope::New, schedule.new));
        let started = self.site.lane.write_here(move |tx| {
            let scope = match () {
                () if whole(tx.read())? => Scope::Whole,
                () if new(tx.read())? => Scope::New,
                () => return Ok(None),
            };
            let job = Job::new(kind(scope), "system", tx.now());
            Ok(ask(tx, &job)?.is_none().then_some((job, scope)))
        })?;
        let Some((job, scope)) = started else { return Ok(None) };
        self.start(&job, scope, Actor::clock(), Words::of(Lang::Zh))?;
        Ok(Some(scope))
    }

    /// Tells the pages what was found last, by whichever node.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn refresh(&self) -> Result<()> {
        let (new, whole) = self
            .site
            .readers
            .read_here(|db| Ok((found::last(db, Scope::New)?, found::last(db, Scope::Whole)?)))?;
        if let Some(found) = found::prevailing(new, whole) {
            self.pages.set_verdict(verdict(&found, self.site.epoch));
        }
        Ok(())
    }
}

/// Whether the last pass of this scope lies so far back; a pass over the whole is one over what is new, too.
fn due(
    now: Timestamp,
    scope: Scope,
    every: Option<i64>,
) -> impl Fn(&mut Db) -> Result<bool> + Send + 'static {
    move |db| {
        let Some(every) = every else { return Ok(false) };
        let whole = found::last(db, Scope::Whole)?;
        let found = match scope {
            Scope::Whole => whole,
            Scope::New => found::last(db, Scope::New)?.into_iter().chain(whole).max_by_key(|found| found.at),
        };
        let tried = jobs::latest(db, kind(scope))?;
        let past = |at: Timestamp, seconds| at.plus_seconds(seconds) <= now;
        Ok(found.is_none_or(|found| past(found.at, every))
            && tried.is_none_or(|tried| past(tried.created_at, AGAIN.min(every))))
    }
}

/// Keeps the job, unless another verification waits or runs: then that one is answered.
///
/// # Errors
/// The database refuses.
pub fn ask(tx: &mut Tx<'_>, job: &Job) -> Result<Option<Job>> {
    let running = jobs::unfinished(tx.read(), &KINDS)?;
    if running.is_none() {
        jobs::insert(tx, job)?;
    }
    Ok(running)
}

/// What the job leaves: the report, and how it came to be.
fn result(report: &Report, scope: Scope, at: Timestamp, took: u64) -> Value {
    let mut told = serde_json::to_value(report).unwrap_or_default();
    told["scope"] = json!(scope.code());
    told["at"] = json!(at);
    told["milliseconds"] = json!(took);
    told["root"] = json!(report.root.map(|root| root.to_string()));
    told
}

/// The pages say it at once; a pass over what is new does not take back what one over the whole has found.
fn announce(site: &Site, pages: &page::Site, found: Option<Found>) {
    let other = match found.as_ref().map(|found| found.scope.as_str()) {
        Some("new") => site.readers.read_here(|db| found::last(db, Scope::Whole)).ok().flatten(),
        _ => None,
    };
    if let Some(found) = found::prevailing(found, other) {
        pages.set_verdict(verdict(&found, site.epoch));
    }
}

/// What all pages say of it.
fn verdict(found: &Found, present: i64) -> Verdict {
    let place =
        |fault: &Fault| Some((fault.epoch.map_or(Some(1), |epoch| i64::try_from(epoch).ok())?, fault.seq?));
    let first_wrong = found.faults.iter().filter_map(place).min();
    let checked_to = first_wrong.map(|(_, seq)| seq).or(found.integrity.to);
    Verdict {
        ok: found.is_sound(),
        unguarded: found.is_unguarded(),
        past: first_wrong.map(|(epoch, _)| epoch).filter(|epoch| *epoch != present),
        checked_to: checked_to.and_then(|seq| i64::try_from(seq).ok()).unwrap_or(0),
        at: found.at,
        root: found.root.clone().unwrap_or_default(),
    }
}

/// The entry that says so.
fn entry(report: &Report, scope: Scope, actor: &Actor) -> NewEntry {
    let entry = NewEntry::new(acts::LEDGER_VERIFIED, actor)
        .field("integrity", code(report.integrity.verdict))
        .field("completeness", code(report.completeness.verdict))
        .field("scope", scope.code());
    let entry = match report.faults.len() {
        0 => entry,
        faults => entry.field("faults", faults),
    };
    match (report.integrity.from, report.integrity.to) {
        (Some(from), Some(to)) => entry.field("from", from).field("to", to),
        _ => entry,
    }
}

/// The verdict's code.
const fn code(verdict: Answer) -> &'static str {
    match verdict {
        Answer::Sound => "sound",
        Answer::Fault => "fault",
        Answer::NotChecked => "not_checked",
    }
}
