//! Verification: what the database holds against what was sealed and signed (ledger/format.md, section 6).
//!
//! The signer's state is read first ([`Outside::read`]), then everything else in one read transaction. A fault is a
//! value: the pass goes on, and names every entry and subject at fault. Entries are streamed in pieces of 256 and
//! checked on several threads; what stays in memory is one record for each subject, commitment and digest.

mod anchors;
mod content;
mod entries;
mod records;
mod report;
mod sealed;
mod tree;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use diesel::Connection;

pub use report::{Anchored, Completeness, Fault, Integrity, LISTED, Report, Side, Verdict};

use crate::error::Result;
use crate::ledger::chain::ChainVerifier;
use crate::ledger::folder::Folder;
use crate::ledger::note::VerifierKey;
use crate::ledger::parallel::{Block, verify_in_order};
use crate::ledger::signer::{Kept as Signed, SignerRefusal, SignerState};
use crate::ledger::site::load_key;
use crate::ledger::subject::Governed;
use crate::store::schema::{content as content_table, ledger_entry, sealed_value};
use crate::store::{Db, Purpose, Target};
use entries::{Rows, Told, inspect};
use report::{Covered, Findings};
use tree::{Growing, HeadRow};

/// What is known outside the database: the notes that were signed last, and the key.
#[derive(Debug)]
pub struct Outside {
    signed: Result<BTreeMap<String, Signed>, String>,
    key: PathBuf,
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
        Self { signed, key: folder.key() }
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

    fn key(&self, origin: &str, findings: &mut Findings) -> Option<VerifierKey> {
        match load_key(&self.key, origin) {
            Ok(Some(key)) => Some(key.vkey()),
            Ok(None) => {
                findings.cannot_check(format!("signatures: there is no key at {}", self.key.display()));
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
    /// Threads that check entries.
    pub workers: NonZeroUsize,
    /// Is told how much is done, of how much.
    pub progress: &'a dyn Fn(u64, u64),
}

/// How far the pass has come.
struct Steps<'a> {
    done: Cell<u64>,
    total: u64,
    progress: &'a dyn Fn(u64, u64),
}

impl Steps<'_> {
    fn add(&self, more: u64) {
        self.done.set(self.done.get() + more);
        (self.progress)(self.done.get(), self.total.max(self.done.get()));
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
    let outside = Outside::read(folder);
    let workers = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let mut db = target.open(Purpose::Read)?;
    verify(&mut db, &Verification { governed, outside: &outside, workers, progress })
}

/// Verifies what the connection sees, in one read transaction; changes nothing.
///
/// # Errors
/// The database does not let itself be read to the end.
pub fn verify(db: &mut Db, what: &Verification<'_>) -> Result<Report> {
    db.transaction(|db| {
        let total = total(db)?;
        let steps = Steps { done: Cell::new(0), total, progress: what.progress };
        let mut findings = Findings::default();
        let mut told = Ledger::default();
        let heads = tree::heads(db)?;
        if heads.is_empty() {
            findings.add(Fault::new("head.missing", "the ledger has no head"));
        }
        tree::strangers(db, &heads, &mut findings)?;
        for head in &heads {
            told.epoch(db, head, what, &steps, &mut findings)?;
        }
        let Ledger { subjects, kept, commitments, mut covered } = told;
        covered.subjects = subjects.count();
        covered.anchors = anchors::check(db, &heads, &mut findings)?;
        subjects.compare(db, what.governed, &commitments, &mut findings)?;
        kept.finish(db, &steps, &mut findings)?;
        commitments.finish(db, &steps, &mut findings)?;
        Ok(findings.report(covered))
    })
}

/// Checks 1 and 2 alone: the entries, their tree, and what was signed of it; for measuring, and for a first look.
///
/// # Errors
/// The database does not let itself be read to the end.
pub fn verify_chain(db: &mut Db, what: &Verification<'_>) -> Result<Report> {
    db.transaction(|db| {
        let steps = Steps { done: Cell::new(0), total: total(db)?, progress: what.progress };
        let (mut findings, mut told) = (Findings::default(), Ledger::default());
        for head in &tree::heads(db)? {
            told.epoch(db, head, what, &steps, &mut findings)?;
        }
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
    let steps = Steps { done: Cell::new(0), total: 0, progress: &|_, _| {} };
    let outside = Outside { signed: Ok(BTreeMap::new()), key: PathBuf::new() };
    let what = Verification { governed, outside: &outside, workers: NonZeroUsize::MIN, progress: &|_, _| {} };
    let (mut ignored, mut findings, mut told) = (Findings::default(), Findings::default(), Ledger::default());
    for head in &tree::heads(db)? {
        told.epoch(db, head, &what, &steps, &mut ignored)?;
    }
    told.subjects.compare(db, governed, &told.commitments, &mut findings)?;
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
    covered: Covered,
}

impl Ledger {
    fn epoch(
        &mut self,
        db: &mut Db,
        head: &HeadRow,
        what: &Verification<'_>,
        steps: &Steps<'_>,
        findings: &mut Findings,
    ) -> Result<()> {
        let mut growing = Growing::new(db, head, what.outside, findings)?;
        self.commitments.begin(head.epoch, &head.origin);
        let unreadable = RefCell::new(Vec::new());
        let gather = |block: Block<'_, Told>| {
            growing.grow(&block, findings);
            for mut told in block.taken {
                self.kept.source(told.source);
                self.commitments.take(head.epoch, &mut told);
                self.subjects.take(head.epoch, &mut told, &mut self.kept, findings);
            }
        };
        let rows = Rows::new(db, head.epoch, &unreadable, steps);
        let verified =
            verify_in_order(ChainVerifier::new(&head.origin), what.workers, rows, inspect, gather)?;
        let more = verified.faults_total - verified.faults.len() as u64;
        findings.add_uncounted(more);
        for fault in unreadable.into_inner() {
            findings.add(fault.in_epoch(head.epoch));
        }
        for fault in verified.faults {
            findings.add(Fault::from(fault).in_epoch(head.epoch));
        }
        growing.finish(db, head, &verified.chain, findings)?;
        self.covered.entries += verified.entries;
        self.covered.to = verified.chain.size().checked_sub(1);
        self.covered.signed = what.outside.size(&head.origin);
        self.covered.root = verified.chain.root();
        self.covered.newest = u64::try_from(head.epoch).unwrap_or(1);
        Ok(())
    }
}
