//! Checks 1 and 2 of verification, entry by entry: form, origin, number, link, order in time, leaf and tree.
//!
//! A fault is a value and never ends the pass: each link is compared with the bytes that stand there, so a
//! changed entry is named and its successors are not. The last entry has no successor; what was done to it,
//! or cut off after it, shows in the root and size, which the caller compares with what was signed.

use super::canon::{self, BodyIndex};
use super::digest::Digest;
use super::entry::{self, Entry, INSTANT};
use super::tree::Frontier;

/// The bytes are no entry.
pub const FORM: &str = "entry.form";
/// The entry is another ledger's.
pub const ORIGIN: &str = "entry.origin";
/// The entry's own number is not the one it is stored under.
pub const SEQ: &str = "entry.seq";
/// The stored leaf is not the hash of the stored bytes.
pub const LEAF: &str = "entry.leaf";
/// The body breaks the profile.
pub const PROFILE: &str = "entry.profile";
/// The successor seals other bytes than stand here.
pub const LINK: &str = "chain.link";
/// The instant is before that of the entry before.
pub const TIME: &str = "chain.time";
/// Entries are missing; the fault's seq is the first of them.
pub const MISSING: &str = "chain.missing";
/// The entry comes twice or out of order.
pub const ORDER: &str = "chain.order";

/// What is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which check found it: one of this module's constants, or the caller's own.
    pub check: &'static str,
    /// The entry.
    pub seq: u64,
    /// For people, in English.
    pub what: String,
}

/// An entry as stored.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The number it is stored under.
    pub seq: u64,
    /// Its bytes.
    pub entry: &'a [u8],
    /// The leaf stored beside it, where there is one: it tells which of two entries was changed.
    pub leaf: Option<Digest>,
}

/// What `push` found.
#[derive(Debug)]
pub struct Step<'a> {
    /// The entry, where the bytes are one.
    pub entry: Option<Entry<'a>>,
    /// The hash of the bytes.
    pub leaf: Digest,
    /// Faults that this row brings to light; a broken link may name the entry before.
    pub faults: Vec<Fault>,
}

/// Verifies a chain in its order, in constant memory.
#[derive(Debug, Clone)]
pub struct ChainVerifier {
    pub(super) origin: String,
    pub(super) at: Position,
    pub(super) tree: Option<Frontier>,
}

/// Where a pass stands: after some entry, or before the first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    next: u64,
    leaf: Digest,
    ts: Option<Instant>,
    as_stored: Option<bool>,
}

/// An instant's text as numbers that order alike: its first and its last 16 bytes, which overlap.
type Instant = (u128, u128);

fn ordered(ts: &str) -> Option<Instant> {
    let ts: &[u8; INSTANT] = ts.as_bytes().try_into().ok()?;
    Some((u128::from_be_bytes(*ts.first_chunk()?), u128::from_be_bytes(*ts.last_chunk()?)))
}

/// What of a row the chain needs, taken without looking at its neighbours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    pub(super) seq: u64,
    pub(super) leaf: Digest,
    as_stored: Option<bool>,
    sealed: Option<(Digest, Instant)>,
}

impl ChainVerifier {
    /// Begins before entry 0.
    pub fn new(origin: &str) -> ChainVerifier {
        let at = Position { next: 0, leaf: Digest::ZERO, ts: None, as_stored: None };
        ChainVerifier { origin: origin.to_owned(), at, tree: Some(Frontier::new()) }
    }

    /// Begins after the last entry of a tree already verified, of which the leaf and, where known, the
    /// instant are given.
    pub fn resume(origin: &str, tree: Frontier, leaf: Digest, ts: Option<&str>) -> ChainVerifier {
        let ts = ts.and_then(ordered);
        let at = Position { next: tree.size(), leaf, ts, as_stored: Some(true) };
        ChainVerifier { origin: origin.to_owned(), at, tree: Some(tree) }
    }

    /// Takes the next row. Rows come by ascending number; gaps and repetitions are faults.
    pub fn push<'a>(&mut self, row: Row<'a>) -> Step<'a> {
        let mut faults = Vec::new();
        let (facts, entry) = examine(&self.origin, &row, &mut faults);
        if link(&self.at, &facts, &mut faults) {
            if let Some(tree) = &mut self.tree {
                tree.append(facts.leaf);
            }
        } else {
            self.tree = None;
        }
        self.at = facts.position();
        Step { entry, leaf: facts.leaf, faults }
    }

    /// One more than the last number seen.
    pub fn size(&self) -> u64 {
        self.at.next
    }

    /// The hash of the last bytes seen; zero before the first.
    pub fn leaf(&self) -> Digest {
        self.at.leaf
    }

    /// The root over what was seen; none before the first entry, and none once entries were missing or out of
    /// order.
    pub fn root(&self) -> Option<Digest> {
        self.tree.as_ref().and_then(Frontier::root)
    }

    /// The tree over what was seen; none once entries were missing or out of order.
    pub fn tree(&self) -> Option<&Frontier> {
        self.tree.as_ref()
    }
}

impl Facts {
    pub(super) fn position(&self) -> Position {
        Position {
            next: self.seq.saturating_add(1),
            leaf: self.leaf,
            ts: self.sealed.map(|(_, ts)| ts),
            as_stored: self.as_stored,
        }
    }
}

/// All that one row tells by itself.
pub(super) fn examine<'a>(
    origin: &str,
    row: &Row<'a>,
    faults: &mut Vec<Fault>,
) -> (Facts, Option<Entry<'a>>) {
    let leaf = entry::leaf(row.entry);
    let mut fault = |check, what| faults.push(Fault { check, seq: row.seq, what });
    if let Some(stored) = row.leaf.filter(|stored| *stored != leaf) {
        fault(LEAF, format!("the bytes hash to {leaf}, stored beside them is {stored}"));
    }
    let parsed = match entry::parse(row.entry) {
        Ok(entry) => Some(entry),
        Err(error) => {
            fault(FORM, error.to_string());
            None
        }
    };
    if let Some(Entry { head, .. }) = &parsed {
        if head.origin != origin {
            fault(ORIGIN, format!("the entry is of {}, not of {origin}", head.origin));
        }
        if head.seq != row.seq {
            fault(SEQ, format!("the entry calls itself number {}", head.seq));
        }
    }
    let sealed = parsed.as_ref().and_then(|entry| Some((entry.head.prev, ordered(entry.head.ts)?)));
    let as_stored = row.leaf.map(|stored| stored == leaf);
    (Facts { seq: row.seq, leaf, as_stored, sealed }, parsed)
}

/// Compares a row with the position before it; whether it is the very next.
pub(super) fn link(before: &Position, here: &Facts, faults: &mut Vec<Fault>) -> bool {
    let Facts { seq, .. } = *here;
    if seq < before.next {
        let what = format!("the entry comes after number {}", before.next - 1);
        faults.push(Fault { check: ORDER, seq, what });
        return false;
    }
    if seq > before.next {
        let what = format!("entries {} to {} are missing", before.next, seq - 1);
        faults.push(Fault { check: MISSING, seq: before.next, what });
        return false;
    }
    let Some((prev, ts)) = here.sealed else {
        return true;
    };
    if prev != before.leaf {
        faults.push(broken(before, here, &prev));
    }
    if before.ts.is_some_and(|earlier| ts < earlier) {
        faults.push(Fault {
            check: TIME,
            seq,
            what: format!("the instant is before that of entry {}", seq - 1),
        });
    }
    true
}

/// A link that does not hold names the entry before, whose bytes are not those sealed; unless they are as
/// stored while this entry's are not, or there is none before.
fn broken(before: &Position, here: &Facts, prev: &Digest) -> Fault {
    let seq = here.seq;
    if seq == 0 {
        return Fault { check: LINK, seq, what: format!("entry 0 seals {prev} instead of zeros") };
    }
    let what = format!("entry {seq} seals {prev}, entry {} hashes to {}", seq - 1, before.leaf);
    let here_changed = before.as_stored == Some(true) && here.as_stored == Some(false);
    Fault { check: LINK, seq: if here_changed { seq } else { seq - 1 }, what }
}

/// Checks the body against the profile and returns the fields by which the entry is looked up.
pub fn body_index<'a>(seq: u64, entry: &Entry<'a>, faults: &mut Vec<Fault>) -> Option<BodyIndex<'a>> {
    match canon::scan(entry.body.as_bytes()) {
        Ok(index) => Some(index),
        Err(error) => {
            faults.push(Fault { check: PROFILE, seq, what: error.to_string() });
            None
        }
    }
}
