//! The chain pass on several threads: cut at multiples of 256, each piece verified by itself, joined at the
//! seams.
//!
//! Rows are read on the calling thread. At most twice as many pieces as threads are in memory, and the one
//! being read, each of at most 256 entries. The verdict is that of `ChainVerifier`, fault by fault.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::chain::{ChainVerifier, Facts, Fault, Position, Row, examine, link};
use super::digest::Digest;
use super::entry::Entry;
use super::tile::{HEIGHT, WIDTH};
use super::tree::Frontier;

/// The most faults kept; further ones are counted.
pub const MAX_FAULTS: usize = 10_000;

/// An entry as stored, with whatever the caller wants to compare it with.
#[derive(Debug, Clone)]
pub struct Record<'a, T> {
    /// The number it is stored under.
    pub seq: u64,
    /// Its bytes.
    pub entry: Cow<'a, [u8]>,
    /// The leaf stored beside it, where there is one.
    pub leaf: Option<Digest>,
    /// The caller's own: the index columns, for example.
    pub columns: T,
}

/// What a pass found.
#[derive(Debug)]
pub struct Verified {
    /// The pass, standing after the last entry: size, root and tree, from which a later pass can go on.
    pub chain: ChainVerifier,
    /// The number of entries seen.
    pub entries: u64,
    /// The faults, at most `MAX_FAULTS`, in the order of the rows that showed them.
    pub faults: Vec<Fault>,
    /// How many faults there were.
    pub faults_total: u64,
}

/// A piece as its turn comes: at most 256 entries of one block, in the order of the rows.
#[derive(Debug)]
pub struct Block<'a, G> {
    /// The tree before it; none once entries were missing or out of order.
    pub before: Option<&'a Frontier>,
    /// The number of its first entry.
    pub first: u64,
    /// The hashes of its entries.
    pub leaves: &'a [Digest],
    /// The root over them, where they are 256 and in order.
    pub root: Option<Digest>,
    /// What `inspect` took from the entries.
    pub taken: Vec<G>,
    /// The faults that the piece brings to light.
    pub faults: &'a mut Vec<Fault>,
}

/// Goes on with `chain` over the rows, on so many threads. `inspect` sees each record whose bytes are an
/// entry, on any thread, and adds the faults it finds.
///
/// # Errors
/// The first row that cannot be read ends the pass.
pub fn verify_batches<'r, T: Send + 'r, E>(
    chain: ChainVerifier,
    workers: NonZeroUsize,
    rows: impl IntoIterator<Item = Result<Record<'r, T>, E>>,
    inspect: impl Fn(&Record<'r, T>, &Entry<'_>, &mut Vec<Fault>) + Sync,
) -> Result<Verified, E> {
    let inspect = |record: &Record<'r, T>, entry: &Entry<'_>, faults: &mut Vec<Fault>| {
        inspect(record, entry, faults);
        None::<()>
    };
    verify_in_order(chain, workers, rows, inspect, |_| {})
}

/// The same; what `inspect` takes from the entries is handed to `gather` on the calling thread, block by block in
/// the order of the rows.
///
/// # Errors
/// As [`verify_batches`].
pub fn verify_in_order<'r, T: Send + 'r, G: Send, E>(
    chain: ChainVerifier,
    workers: NonZeroUsize,
    rows: impl IntoIterator<Item = Result<Record<'r, T>, E>>,
    inspect: impl Fn(&Record<'r, T>, &Entry<'_>, &mut Vec<Fault>) -> Option<G> + Sync,
    gather: impl FnMut(Block<'_, G>),
) -> Result<Verified, E> {
    let origin = chain.origin.clone();
    let (tasks, taken) = channel::<(u64, Vec<Record<'r, T>>)>();
    let taken = Mutex::new(taken);
    let (results, finished) = channel();
    let work = |results: Sender<(u64, thread::Result<Piece<G>>)>| {
        while let Some((number, records)) = next_task(&taken) {
            // A panic is carried to the calling thread, which would otherwise wait for this piece for ever.
            let piece = catch_unwind(AssertUnwindSafe(|| Piece::of(&origin, &records, &inspect)));
            if results.send((number, piece)).is_err() {
                return;
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..workers.get() {
            let results = results.clone();
            scope.spawn(|| work(results));
        }
        drop(results);
        let tasks = tasks;
        let mut joined = Joined::new(chain, gather);
        let mut sent = 0;
        let pieces = Pieces { rows: rows.into_iter(), held: None };
        for piece in pieces {
            while sent - joined.next >= 2 * workers.get() as u64 {
                joined.receive(&finished);
            }
            tasks.send((sent, piece?)).expect("the receiver outlives the scope");
            sent += 1;
        }
        while joined.next < sent {
            joined.receive(&finished);
        }
        Ok(joined.verified)
    })
}

fn next_task<T>(taken: &Mutex<Receiver<T>>) -> Option<T> {
    taken.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// Groups rows into pieces that end before each multiple of 256.
struct Pieces<'r, I, T> {
    rows: I,
    held: Option<Record<'r, T>>,
}

impl<'r, T, E, I: Iterator<Item = Result<Record<'r, T>, E>>> Iterator for Pieces<'r, I, T> {
    type Item = Result<Vec<Record<'r, T>>, E>;

    fn next(&mut self) -> Option<Self::Item> {
        let first = match self.held.take() {
            Some(record) => record,
            None => match self.rows.next()? {
                Ok(record) => record,
                Err(error) => return Some(Err(error)),
            },
        };
        let block = first.seq / u64::from(WIDTH);
        let mut piece = Vec::with_capacity(usize::from(WIDTH));
        piece.push(first);
        while piece.len() < usize::from(WIDTH) {
            match self.rows.next() {
                Some(Ok(record)) if record.seq / u64::from(WIDTH) == block => piece.push(record),
                Some(Ok(record)) => {
                    self.held = Some(record);
                    break;
                }
                Some(Err(error)) => return Some(Err(error)),
                None => break,
            }
        }
        Some(Ok(piece))
    }
}

/// What a piece tells by itself; its first row is linked to the piece before when they are joined.
struct Piece<G> {
    first: Facts,
    leaves: Vec<Digest>,
    taken: Vec<G>,
    first_faults: Vec<Fault>,
    inner_faults: Vec<Fault>,
    end: Position,
    entries: u64,
    /// Complete subtrees in order as (level, hash); none where rows are missing or out of order.
    subtrees: Option<Vec<(u32, Digest)>>,
}

impl<G> Piece<G> {
    fn of<'r, T>(
        origin: &str,
        records: &[Record<'r, T>],
        inspect: &(impl Fn(&Record<'r, T>, &Entry<'_>, &mut Vec<Fault>) -> Option<G> + Sync),
    ) -> Piece<G> {
        let mut taken = Vec::new();
        let mut look = |record: &Record<'r, T>, before: Option<&Position>, faults: &mut Vec<Fault>| {
            let row = Row { seq: record.seq, entry: &record.entry, leaf: record.leaf };
            let (facts, entry) = examine(origin, &row, faults);
            let follows = before.is_none_or(|before| link(before, &facts, faults));
            if let Some(entry) = entry {
                taken.extend(inspect(record, &entry, faults));
            }
            (facts, follows)
        };
        let (mut first_faults, mut inner_faults) = (Vec::new(), Vec::new());
        let (first, mut whole) = look(&records[0], None, &mut first_faults);
        let mut leaves = Vec::with_capacity(records.len());
        leaves.push(first.leaf);
        let mut end = first.position();
        for record in &records[1..] {
            let (facts, follows) = look(record, Some(&end), &mut inner_faults);
            whole &= follows;
            leaves.push(facts.leaf);
            end = facts.position();
        }
        let entries = records.len() as u64;
        let subtrees = whole.then(|| subtrees(first.seq, &leaves));
        Piece { first, leaves, taken, first_faults, inner_faults, end, entries, subtrees }
    }
}

/// A piece that begins at a multiple of 256 is hashed up here; another is appended leaf by leaf.
fn subtrees(first: u64, leaves: &[Digest]) -> Vec<(u32, Digest)> {
    if !first.is_multiple_of(u64::from(WIDTH)) {
        return leaves.iter().map(|leaf| (0, *leaf)).collect();
    }
    let mut tree = Frontier::new();
    tree.extend(leaves.iter().copied());
    tree.subtrees().collect()
}

/// Pieces joined in order as they arrive in any.
struct Joined<G, H> {
    verified: Verified,
    waiting: BTreeMap<u64, Piece<G>>,
    next: u64,
    gather: H,
}

impl<G, H: FnMut(Block<'_, G>)> Joined<G, H> {
    fn new(chain: ChainVerifier, gather: H) -> Self {
        let verified = Verified { chain, entries: 0, faults: Vec::new(), faults_total: 0 };
        Joined { verified, waiting: BTreeMap::new(), next: 0, gather }
    }

    fn receive(&mut self, finished: &Receiver<(u64, thread::Result<Piece<G>>)>) {
        let (number, piece) = finished.recv().expect("a thread answers every task it takes");
        self.waiting.insert(number, piece.unwrap_or_else(|panic| resume_unwind(panic)));
        while let Some(piece) = self.waiting.remove(&self.next) {
            self.join(piece);
            self.next += 1;
        }
    }

    fn join(&mut self, piece: Piece<G>) {
        let chain = &mut self.verified.chain;
        let mut seam = Vec::new();
        let follows = link(&chain.at, &piece.first, &mut seam);
        let mut faults: Vec<Fault> =
            piece.first_faults.into_iter().chain(seam).chain(piece.inner_faults).collect();
        let root = match piece.subtrees.as_deref() {
            Some(&[(HEIGHT, root)]) => Some(root),
            _ => None,
        };
        (self.gather)(Block {
            before: chain.tree.as_ref().filter(|_| follows),
            first: piece.first.seq,
            leaves: &piece.leaves,
            root,
            taken: piece.taken,
            faults: &mut faults,
        });
        chain.tree = match (chain.tree.take(), piece.subtrees) {
            (Some(tree), Some(subtrees)) if follows => grown(tree, subtrees),
            _ => None,
        };
        chain.at = piece.end;
        self.verified.entries += piece.entries;
        self.verified.faults_total += faults.len() as u64;
        let room = MAX_FAULTS - self.verified.faults.len();
        self.verified.faults.extend(faults.into_iter().take(room));
    }
}

fn grown(mut tree: Frontier, subtrees: Vec<(u32, Digest)>) -> Option<Frontier> {
    for (level, root) in subtrees {
        tree.append_subtree(level, root).ok()?;
    }
    Some(tree)
}
