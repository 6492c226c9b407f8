//! Verification: what the database holds against what was sealed and signed (ledger/format.md, section 6).
//!
//! The signer's state is read first ([`Outside::read`]), then everything else in one read transaction. A fault is a
//! value: the pass goes on, and names every entry and subject at fault. Entries are streamed in pieces of 256 and
//! checked on several threads; what stays in memory is one record for each subject, commitment and digest.
//!
//! A pass goes over the whole, or over what is new ([`Scope`]): from the checkpoint that was found sound last, which is
//! kept beside the signer's state. The tree up to there is put together from its stored hashes and must have the root
//! that was verified then; of the records, those are recomputed that the new entries speak of. What that costs does
//! not depend on the ledger's length. What was done to an older entry or record, only the whole pass finds.
//!
//! Either pass names guards that are missing or altered, and triggers and rules on our tables that are not ours. That
//! spoils neither verdict, for it says nothing of what the database holds; it is a fault all the same.

mod actors;
mod anchors;
mod cited;
mod content;
mod entries;
mod keys;
mod marks;
mod records;
mod report;
mod sealed;
mod since;
mod snapshots;
mod touched;
mod tree;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use diesel::Connection;

pub use marks::Mark;
pub use report::{
    Anchored, Completeness, Fault, GUARDS_ALTERED, Integrity, LISTED, Lost, Report, Scope, Side, Verdict,
};

use crate::error::Result;
use crate::ledger::chain::ChainVerifier;
use crate::ledger::folder::Folder;
use crate::ledger::parallel::{Block, verify_in_order};
use crate::ledger::ring::Ring;
use crate::ledger::signer::{Kept as Signed, SignerRefusal, SignerState};
use crate::ledger::subject::Governed;
use crate::store::schema::{content as content_table, ledger_entry, sealed_value};
use crate::store::{Db, Purpose, Target, guard_faults};
use entries::{Rows, Told, inspect};
use report::{Covered, Findings};
use since::Start;
use tree::{Growing, HeadRow};

/// What is known outside the database: the notes that were signed last, and the key.
#[derive(Debug)]
pub struct Outside {
    signed: Result<BTreeMap<String, Signed>, String>,
    marks: BTreeMap<String, Mark>,
    folder: Folder,
}

impl Outside {
    /// Reads the signer's state. Done before the transaction begins, so that the database can only be ahead of it.
    pub fn read(folder: &Folder) -> Self {
        let signed = match SignerState::load(&folder.signer_state()) {
            Ok(state) => Ok(state.all().map(|kept| (kept.checkpoint.origin.clone(), kept.clone())).collect()),
            Err(SignerRefusal::Missing(path)) => {
                Err(format!("there is no signer state at {}", path.display()))
            }
            Err(refusal) => Err(refusal.to_string()),
        };
        Self { signed, marks: marks::read(folder), folder: folder.clone() }
    }

    fn kept(&self, origin: &str, findings: &mut Findings) -> Option<&Signed> {
        match &self.signed {
            Ok(signed) => {
                let kept = signed.get(origin);
                if kept.is_none() {
                    findings.cannot_check(format!("the signer's state has no note of {origin}"));
                }
                kept
            }
            Err(why) => {
                findings.cannot_check(why.as_str());
                None
            }
        }
    }

    /// The keys of this name that vouch for its checkpoints.
    fn ring(&self, origin: &str, findings: &mut Findings) -> Option<Ring> {
        match Ring::load(&self.folder, origin) {
            Ok(ring) if ring.of(origin).next().is_some() => Some(ring),
            Ok(_) => {
                let place = self.folder.key_file("");
                findings
                    .cannot_check(format!("signatures: there is no key of {origin} in {}", place.display()));
                None
            }
            Err(error) => {
                findings.cannot_check(format!("signatures: {error}"));
                None
            }
        }
    }

    fn size(&self, origin: &str) -> Option<u64> {
        self.signed.as_ref().ok()?.get(origin).map(|kept| kept.checkpoint.size)
    }
}

/// What is verified, and with what.
pub struct Verification<'a> {
    /// The kinds of records there are.
    pub governed: &'a [Governed],
    /// What is known outside the database.
    pub outside: &'a Outside,
    /// The whole, or what is new.
    pub scope: Scope,
    /// Threads that check entries.
    pub workers: NonZeroUsize,
    /// Is told how much is done, of how much; an error of its calls the verification off.
    pub progress: &'a dyn Fn(u64, u64) -> Result<()>,
}

impl<'a> Verification<'a> {
    /// The whole, on all the machine's threads, telling nobody how far it is.
    pub fn whole(governed: &'a [Governed], outside: &'a Outside) -> Self {
        let workers = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self { governed, outside, scope: Scope::Whole, workers, progress: &|_, _| Ok(()) }
    }
}

/// How far the pass has come.
struct Steps<'a> {
    done: Cell<u64>,
    total: Cell<u64>,
    progress: &'a dyn Fn(u64, u64) -> Result<()>,
}

impl<'a> Steps<'a> {
    fn of(total: u64, progress: &'a dyn Fn(u64, u64) -> Result<()>) -> Self {
        Self { done: Cell::new(0), total: Cell::new(total), progress }
    }

    fn add(&self, more: u64) -> Result<()> {
        self.done.set(self.done.get() + more);
        (self.progress)(self.done.get(), self.total.get().max(self.done.get()))
    }

    /// There is more to do than was known at the start.
    fn expect(&self, more: u64) {
        self.total.set(self.total.get() + more);
    }
}

/// Verifies a database whole, on a connection of its own.
///
/// # Errors
/// The database cannot be reached, or does not let itself be read to the end.
pub fn verify_target(
    target: &Target,
    folder: &Folder,
    governed: &[Governed],
    progress: &dyn Fn(u64, u64),
) -> Result<Report> {
    let progress = |done, total| {
        progress(done, total);
        Ok(())
    };
    verify_scope(target, folder, governed, (Scope::Whole, &progress))
}

/// The same in a scope, and to be called off; what is found sound is where the next pass over what is new begins.
///
/// # Errors
/// As [`verify_target`]; what `progress` answers.
pub fn verify_scope(
    target: &Target,
    folder: &Folder,
    governed: &[Governed],
    (scope, progress): (Scope, &dyn Fn(u64, u64) -> Result<()>),
) -> Result<Report> {
    let outside = Outside::read(folder);
    let mut db = target.open(Purpose::Read)?;
    let what = Verification { scope, progress, ..Verification::whole(governed, &outside) };
    let report = verify(&mut db, &what)?;
    if report.exit_code() == 0
        && let Err(error) = marks::write(folder, &report.marks)
    {
        tracing::warn!(%error, "where the next verification may begin could not be kept");
    }
    Ok(report)
}

/// Verifies what the connection sees, in one read transaction; changes nothing.
///
/// # Errors
/// The database does not let itself be read to the end; what the progress answers.
pub fn verify(db: &mut Db, what: &Verification<'_>) -> Result<Report> {
    db.transaction(|db| {
        let mut findings = Findings::default();
        let guards = guard_faults(db)?;
        if !guards.altered.is_empty() {
            findings.add(Fault::of_guards(&guards.altered));
        }
        if !guards.added.is_empty() {
            findings.add(Fault::of_added(&guards.added));
        }
        let heads = tree::heads(db)?;
        if heads.is_empty() {
            findings.add(Fault::new("head.missing", "the ledger has no head"));
        }
        match what.scope {
            Scope::Whole => whole(db, &heads, what, findings),
            Scope::New => since::verify(db, &heads, what, findings),
        }
    })
}

fn whole(db: &mut Db, heads: &[HeadRow], what: &Verification<'_>, mut findings: Findings) -> Result<Report> {
    let steps = Steps::of(total(db)?, what.progress);
    let mut told = Ledger::default();
    tree::strangers(db, heads, &mut findings)?;
    for head in heads {
        told.epoch(db, (head, None), what, &steps, &mut findings)?;
    }
    let Ledger { subjects, kept, commitments, keys, mut covered } = told;
    keys.compare(what.outside, Scope::Whole, &mut findings);
    covered.subjects = subjects.count();
    covered.anchors = anchors::check(db, heads, &mut findings)?;
    cited::check(db, &mut findings)?;
    steps.expect(covered.subjects);
    let disposed = subjects.disposed();
    subjects.compare(db, what.governed, (&commitments, &steps), &mut findings)?;
    kept.finish(db, &disposed, &steps, &mut findings)?;
    commitments.finish(db, &disposed, &steps, &mut findings)?;
    Ok(findings.report(covered))
}

/// Checks 1 and 2 alone: the entries, their tree, and what was signed of it; for measuring, and for a first look.
///
/// # Errors
/// The database does not let itself be read to the end.
pub fn verify_chain(db: &mut Db, what: &Verification<'_>) -> Result<Report> {
    db.transaction(|db| {
        let steps = Steps::of(total(db)?, what.progress);
        let (mut findings, mut told) = (Findings::default(), Ledger::default());
        for head in &tree::heads(db)? {
            told.epoch(db, (head, None), what, &steps, &mut findings)?;
        }
        told.keys.compare(what.outside, Scope::New, &mut findings);
        told.covered.subjects = told.subjects.count();
        Ok(findings.report(told.covered))
    })
}

/// The first record that is not as its last entry sealed it, `kind/id`; for a migration, which has changed the
/// tables and must not have changed any record.
///
/// # Errors
/// The database does not let itself be read to the end.
pub fn different_record(db: &mut Db, governed: &[Governed]) -> Result<Option<String>> {
    let steps = Steps::of(0, &|_, _| Ok(()));
    let outside = Outside { signed: Ok(BTreeMap::new()), marks: BTreeMap::new(), folder: Folder::new("") };
    let what = Verification { workers: NonZeroUsize::MIN, ..Verification::whole(governed, &outside) };
    let (mut ignored, mut findings, mut told) = (Findings::default(), Findings::default(), Ledger::default());
    for head in &tree::heads(db)? {
        told.epoch(db, (head, None), &what, &steps, &mut ignored)?;
    }
    told.subjects.compare(db, governed, (&told.commitments, &steps), &mut findings)?;
    let first = findings.report(told.covered).faults.into_iter().next();
    Ok(first.map(|fault| fault.subject.unwrap_or(fault.what)))
}

fn total(db: &mut Db) -> Result<u64> {
    use diesel::{QueryDsl, RunQueryDsl};
    let entries: i64 = ledger_entry::table.count().get_result(db)?;
    let contents: i64 = content_table::table.count().get_result(db)?;
    let sealed: i64 = sealed_value::table.count().get_result(db)?;
    Ok(u64::try_from(entries + contents + sealed).unwrap_or(0))
}

/// What the entries told of records, content and personal values.
#[derive(Default)]
struct Ledger {
    subjects: records::Subjects,
    kept: content::Kept,
    commitments: sealed::Commitments,
    keys: keys::Announced,
    covered: Covered,
}

impl Ledger {
    /// Goes over an epoch's entries: all of them, or those from where an earlier pass has come to.
    fn epoch(
        &mut self,
        db: &mut Db,
        (head, start): (&HeadRow, Option<Start>),
        what: &Verification<'_>,
        steps: &Steps<'_>,
        findings: &mut Findings,
    ) -> Result<()> {
        let mut growing = Growing::new(db, (head, start.as_ref()), what.outside, findings)?;
        self.commitments.begin(head.epoch, &head.origin);
        let first = start.as_ref().map_or(0, |start| start.first);
        let chain = start.map_or_else(|| ChainVerifier::new(&head.origin), |start| start.chain);
        let (unreadable, mut actors) = (RefCell::new(Vec::new()), actors::Actors::default());
        let gather = |block: Block<'_, Told>| {
            growing.grow(&block, findings);
            for mut told in block.taken {
                actors.take(&told);
                self.kept.source(told.source);
                self.keys.take(&head.origin, head.epoch, &mut told);
                let place = self.subjects.take(head.epoch, &mut told, &mut self.kept, findings);
                self.commitments.take(head.epoch, &mut told, place);
            }
        };
        let rows = Rows::new(db, (head.epoch, first), &unreadable, steps);
        let verified = verify_in_order(chain, what.workers, rows, inspect, gather)?;
        let more = verified.faults_total - verified.faults.len() as u64;
        findings.add_uncounted(more);
        for fault in unreadable.into_inner() {
            findings.add(fault.in_epoch(head.epoch));
        }
        for fault in verified.faults {
            findings.add(Fault::from(fault).in_epoch(head.epoch));
        }
        self.covered.lost.extend(growing.lost());
        self.covered.marks.extend(growing.mark(head, &verified.chain));
        growing.finish(db, head, &verified.chain, findings)?;
        actors.compare(db, head.epoch, findings)?;
        self.covered.entries += verified.entries;
        self.covered.from = first;
        self.covered.to = verified.chain.size().checked_sub(1);
        self.covered.signed = what.outside.size(&head.origin);
        self.covered.root = verified.chain.root();
        self.covered.newest = u64::try_from(head.epoch).unwrap_or(1);
        Ok(())
    }
}
