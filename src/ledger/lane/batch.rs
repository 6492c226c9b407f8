//! One batch: lock, run, append, commit, answer. Optimistic first, without savepoints; where a change fails after its
//! first write, the whole batch is rolled back and replayed change by change with them.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use diesel::connection::TransactionManager;
use diesel::prelude::*;

use super::entry::{Actor, NewEntry};
use super::heads::Heads;
use super::tx::{Head, Pending, Tx};
use super::{Committed, Waiting};
use crate::error::{Error, Kind, Result};
use crate::ledger::acts;
use crate::ledger::digest::Digest;
use crate::ledger::tree::Frontier;
use crate::store::schema::{ledger_head, ledger_tile};
use crate::store::{self, Db, Purpose, Target, insert_contents, insert_entries, insert_sealed};
use crate::time::{Clock, Timestamp};

type Manager = <Db as Connection>::TransactionManager;
type Batch = Vec<Box<dyn Waiting>>;

/// The lane's own connection and what it remembers between batches. Only the lane's thread has it.
pub(super) struct Writer {
    db: Option<Db>,
    target: Target,
    clock: Clock,
    committed: Committed,
    heads: Heads,
    /// The tree as this process last left it; another process may have written since.
    left: Option<(i64, Frontier, Digest)>,
    /// The host's clock stands before the last entry's instant, and an entry says so already.
    clock_is_back: bool,
}

/// Microseconds by which the host's clock may differ from the last entry's before that is worth an entry: between two
/// nodes it always does a little.
const STEP: i64 = 1_000_000;

/// How a batch is run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Optimistic,
    WithSavepoints,
}

/// Why a batch could not be committed.
enum Failure {
    /// A change failed after writing; run again with savepoints.
    Replay,
    /// Nothing can be written now.
    Broken(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Broken(error)
    }
}

impl Writer {
    pub fn new(db: Db, target: Target, clock: Clock, committed: Committed) -> Self {
        Self {
            db: Some(db),
            target,
            clock,
            committed,
            heads: Heads::default(),
            left: None,
            clock_is_back: false,
        }
    }

    /// Runs the batch and answers every change of it.
    pub fn run(&mut self, mut batch: Batch) {
        let outcome = match self.attempt(&mut batch, Mode::Optimistic) {
            Err(Failure::Replay) => self.attempt(&mut batch, Mode::WithSavepoints),
            other => other,
        };
        match outcome {
            Ok(outcomes) => {
                for (change, outcome) in batch.into_iter().zip(outcomes) {
                    change.answer(outcome);
                }
            }
            Err(failure) => {
                let mut code = "database";
                if let Failure::Broken(error) = &failure {
                    tracing::error!(%error, changes = batch.len(), "no change of the batch was written");
                    // Of a disk that takes nothing more, whoever asked is told; of all else, that nothing was written.
                    if error.code().starts_with("disk-") {
                        code = error.code();
                    }
                }
                for change in batch {
                    change.answer(Err(Error::unavailable(code).retry_after(1)));
                }
            }
        }
    }

    fn attempt(&mut self, batch: &mut Batch, mode: Mode) -> Result<Vec<Result<()>>, Failure> {
        let mut db = match self.db.take() {
            Some(db) => db,
            None => self.target.open(Purpose::Write)?,
        };
        let result = self.attempt_on(&mut db, batch, mode);
        if result.is_err() {
            self.heads.clear();
            self.left = None;
            // A connection that cannot even roll back is dropped; the next batch opens another.
            if store::rollback(&mut db).is_err() {
                return result;
            }
        }
        self.db = Some(db);
        result
    }

    fn attempt_on(&mut self, db: &mut Db, batch: &mut Batch, mode: Mode) -> Result<Vec<Result<()>>, Failure> {
        store::begin_write(db)?;
        let now = self.clock.now();
        let noted = self.clock_is_back;
        let (mut tx, mut frontier) = self.open(db)?;
        let before = tx.head.size;
        let mut outcomes = Vec::with_capacity(batch.len());
        let clock_is_back = note_clock(&mut tx, now, noted)?;
        for change in batch.iter_mut() {
            tx.now = now.max(tx.head.ts);
            outcomes.push(run_change(&mut tx, change.as_mut(), mode)?);
        }
        let size = tx.head.size;
        let left = flush(tx, &mut frontier)?;
        store::commit(db)?;
        self.clock_is_back = clock_is_back;
        self.left = Some((left.0, frontier, left.1));
        if size > before {
            (self.committed)(size);
        }
        Ok(outcomes)
    }

    /// Reads the head afresh: another process may have written.
    fn open<'a>(&'a mut self, db: &'a mut Db) -> Result<(Tx<'a>, Frontier)> {
        let (epoch, origin, size, leaf, ts, bytes): (i64, String, i64, Vec<u8>, Timestamp, Vec<u8>) =
            ledger_head::table.order(ledger_head::epoch.desc()).first(db)?;
        let size = u64::try_from(size).map_err(Error::internal)?;
        let leaf = Digest::try_from(leaf.as_slice()).map_err(Error::internal)?;
        let frontier = match self.left.take() {
            Some((at, frontier, head)) if at == epoch && head == leaf && frontier.size() == size => frontier,
            _ => {
                self.heads.clear();
                Frontier::from_bytes(size, &bytes).map_err(Error::internal)?
            }
        };
        let tx = Tx {
            db,
            head: Head { epoch, origin, size, leaf, ts },
            pending: Pending::default(),
            heads: &mut self.heads,
            now: ts,
            dirty: false,
            introduced: BTreeMap::new(),
        };
        Ok((tx, frontier))
    }
}

/// Instants never go back: where the host's clock has, an entry and a warning say by how much, once for each time.
fn note_clock(tx: &mut Tx<'_>, now: Timestamp, noted: bool) -> Result<bool> {
    let back = tx.head.ts.0 - now.0;
    // The demo's script moves its own clock as it pleases.
    if back <= STEP || tx.head.size == 0 || tx.head.origin.starts_with("demo/") {
        return Ok(false);
    }
    if !noted {
        tracing::warn!(microseconds = back, "the host's clock stands before the last entry");
        tx.now = tx.head.ts;
        tx.append(NewEntry::new(acts::CLOCK_BACK, &Actor::clock()).field("microseconds", back))?;
    }
    Ok(true)
}

fn run_change(tx: &mut Tx<'_>, change: &mut dyn Waiting, mode: Mode) -> Result<Result<()>, Failure> {
    let mark = (tx.head.size, tx.head.leaf, tx.head.ts);
    let waiting = (tx.pending.entries.len(), tx.pending.contents.len(), tx.pending.sealed.len());
    tx.dirty = false;
    tx.introduced.clear();
    tx.heads.begin_change();
    if mode == Mode::WithSavepoints {
        // What earlier changes of the batch keep in memory must not vanish with this one's savepoint.
        tx.settle()?;
        tx.dirty = false;
        Manager::begin_transaction(tx.db).map_err(Error::from)?;
    }
    let waiting = if mode == Mode::WithSavepoints { (waiting.0, 0, 0) } else { waiting };
    let outcome = catch_unwind(AssertUnwindSafe(|| change.run(tx)))
        .unwrap_or_else(|_| Err(Error::internal("a change panicked")));
    let Err(error) = outcome else {
        if mode == Mode::WithSavepoints {
            tx.settle()?;
            Manager::commit_transaction(tx.db).map_err(Error::from)?;
        }
        return Ok(Ok(()));
    };
    let grown = tx.pending.entries.len() > waiting.0
        || tx.pending.contents.len() > waiting.1
        || tx.pending.sealed.len() > waiting.2;
    let failed = tx.dirty || grown || matches!(error.kind(), Kind::Internal | Kind::Unavailable);
    if mode == Mode::Optimistic {
        return if failed { Err(Failure::Replay) } else { Ok(Err(error)) };
    }
    Manager::rollback_transaction(tx.db).map_err(Error::from)?;
    (tx.head.size, tx.head.leaf, tx.head.ts) = mark;
    tx.pending.entries.truncate(waiting.0);
    tx.pending.contents.clear();
    tx.pending.sealed.clear();
    tx.heads.undo_change();
    Ok(Err(error))
}

/// Writes what the batch has gathered: content, sealed values, entries, full tiles, the head.
fn flush(tx: Tx<'_>, frontier: &mut Frontier) -> Result<(i64, Digest)> {
    let Tx { db, head, pending, .. } = tx;
    insert_contents(db, &pending.contents)?;
    insert_sealed(db, &pending.sealed)?;
    if pending.entries.is_empty() {
        return Ok((head.epoch, head.leaf));
    }
    insert_entries(db, &pending.entries)?;
    let mut full = Vec::new();
    for entry in &pending.entries {
        let leaf = Digest::try_from(entry.leaf.as_slice()).map_err(Error::internal)?;
        frontier.append_seen(leaf, |level, index, hash| {
            if level > 0 && level % 8 == 0 {
                full.push((i64::from(level / 8), index, *hash));
            }
        });
    }
    for (level, index, hash) in full {
        diesel::insert_into(ledger_tile::table)
            .values((
                ledger_tile::epoch.eq(head.epoch),
                ledger_tile::level.eq(level),
                ledger_tile::idx.eq(i64::try_from(index).map_err(Error::internal)?),
                ledger_tile::hash.eq(hash.as_bytes().to_vec()),
            ))
            .execute(db)?;
    }
    let size = i64::try_from(head.size).map_err(Error::internal)?;
    diesel::update(ledger_head::table.find(head.epoch))
        .set((
            ledger_head::size.eq(size),
            ledger_head::leaf.eq(head.leaf.as_bytes().to_vec()),
            ledger_head::ts.eq(head.ts),
            ledger_head::frontier.eq(frontier.to_bytes()),
        ))
        .execute(db)?;
    Ok((head.epoch, head.leaf))
}
