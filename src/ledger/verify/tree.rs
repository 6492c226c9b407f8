//! Check 2: the tree over the entries against the head row, the stored tiles, the checkpoints and the signer's state.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::Outside;
use super::marks::Mark;
use super::report::{Fault, Findings, Lost};
use super::since::Start;
use crate::error::{Error, Result};
use crate::ledger::chain::ChainVerifier;
use crate::ledger::digest::Digest;
use crate::ledger::note::{self, Checkpoint};
use crate::ledger::parallel::Block;
use crate::ledger::recovery::{Declared, declared_by};
use crate::ledger::ring::Ring;
use crate::ledger::store::{has_checkpoint, index};
use crate::ledger::tile::HEIGHT;
use crate::ledger::tree::Frontier;
use crate::store::Db;
use crate::store::schema::{ledger_checkpoint, ledger_entry, ledger_head, ledger_tile};

/// A head row as stored, sound or not.
pub struct HeadRow {
    pub epoch: i64,
    pub origin: String,
    pub size: i64,
    leaf: Vec<u8>,
    ts: i64,
    frontier: Vec<u8>,
    /// Nothing is appended to it any more: another epoch follows, whose first entry should say why.
    ended: Option<Option<Declared>>,
}

impl HeadRow {
    /// Whether a mark still says something of this epoch: of one that a recovery has ended, only what was found then.
    pub fn takes(&self, mark: &Mark) -> bool {
        match &self.ended {
            None => true,
            Some(None) => false,
            Some(Some(found)) => found.size == mark.size && found.root == Some(mark.root),
        }
    }
}

/// All head rows, the oldest tree first.
pub fn heads(db: &mut Db) -> Result<Vec<HeadRow>> {
    type Columns = (i64, String, i64, Vec<u8>, i64, Vec<u8>);
    let rows: Vec<Columns> = ledger_head::table.order(ledger_head::epoch).load(db)?;
    let next: Vec<Option<i64>> = rows.iter().skip(1).map(|row| Some(row.0)).chain([None]).collect();
    rows.into_iter()
        .zip(next)
        .map(|((epoch, origin, size, leaf, ts, frontier), next)| {
            let ended = next.map(|next| declared_by(db, next)).transpose()?;
            Ok(HeadRow { epoch, origin, size, leaf, ts, frontier, ended })
        })
        .collect()
}

/// Names rows of trees that have no head.
pub fn strangers(db: &mut Db, heads: &[HeadRow], findings: &mut Findings) -> Result<()> {
    let known: Vec<i64> = heads.iter().map(|head| head.epoch).collect();
    let entries: Vec<i64> = ledger_entry::table.select(ledger_entry::epoch).distinct().load(db)?;
    let tiles: Vec<i64> = ledger_tile::table.select(ledger_tile::epoch).distinct().load(db)?;
    let notes: Vec<i64> = ledger_checkpoint::table.select(ledger_checkpoint::epoch).distinct().load(db)?;
    for (table, epochs) in [("ledger_entry", entries), ("ledger_tile", tiles), ("ledger_checkpoint", notes)] {
        for epoch in epochs.into_iter().filter(|epoch| !known.contains(epoch)) {
            let what = format!("{table} has rows of epoch {epoch}, which has no head");
            findings.add(Fault::new("head.missing", what).in_epoch(epoch));
        }
    }
    Ok(())
}

/// A root that somebody vouches for.
struct Vouched {
    size: u64,
    root: Digest,
    by: By,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// A checkpoint kept in the database.
    Checkpoint,
    /// The signer's own state, outside the database.
    Signer,
    /// An earlier verification, outside the database.
    Verification,
    /// The recovery that ended the epoch.
    Recovery,
}

impl By {
    /// Checks and words for a root that differs, and for a size that is not reached.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Checkpoint => ("checkpoint.root", "checkpoint.ahead", "a checkpoint has signed"),
            Self::Signer => ("signer.different", "signer.ahead", "the signer has signed"),
            Self::Verification => ("verified.different", "verified.ahead", "the last verification has seen"),
            Self::Recovery => {
                ("epoch.different", "epoch.ahead", "the recovery that ended the epoch has found")
            }
        }
    }
}

/// What an epoch's tree is compared with while it grows.
pub struct Growing {
    epoch: i64,
    vouched: std::iter::Peekable<std::vec::IntoIter<Vouched>>,
    /// Tiles as recomputed: level, index, hash.
    tiles: BTreeMap<(i64, u64), Digest>,
    /// The tree whose leaves are the full tiles of level 0.
    upper: Frontier,
    /// The first entry the pass looks at.
    first: u64,
    differing: Vec<u64>,
    unknown: u64,
    lost: Option<Lost>,
    /// What the signer vouches for of an epoch that goes on.
    signed: Option<Mark>,
}

impl Growing {
    /// Reads the checkpoints of an epoch and what the signer keeps of it.
    pub fn new(
        db: &mut Db,
        (head, start): (&HeadRow, Option<&Start>),
        outside: &Outside,
        findings: &mut Findings,
    ) -> Result<Self> {
        let ring = outside.ring(&head.origin, findings);
        let first = start.map_or(0, |start| start.first);
        let mut vouched = stored(db, (head, first), ring.as_ref(), findings)?;
        if let Some(mark) = start.and_then(|start| start.mark) {
            vouched.push(Vouched { size: mark.size, root: mark.root, by: By::Verification });
        }
        let (mut lost, mut signed) = (None, None);
        match &head.ended {
            None => {
                if let Some(kept) = outside.kept(&head.origin, findings) {
                    let Checkpoint { size, root, .. } = kept.checkpoint;
                    if let Some(ring) = &ring
                        && note::open_checkpoint(&kept.note, &ring.vouching(&head.origin, size)).is_err()
                    {
                        let what = "the note in the signer's state is not signed by this ledger's key";
                        findings.add(Fault::new("signer.note", what).in_epoch(head.epoch).incomplete());
                    }
                    vouched.push(Vouched { size, root, by: By::Signer });
                    signed = Some(Mark { size, root });
                }
            }
            Some(None) => {
                let what = "the epoch after it does not begin with a recovery that says what was found";
                findings.add(Fault::new("epoch.undeclared", what).in_epoch(head.epoch).incomplete());
            }
            Some(Some(declared)) => {
                lost = recovered(head, declared, (ring.as_ref(), outside), findings);
                let found = declared.root.filter(|_| declared.size > first);
                vouched.extend(found.map(|root| Vouched { size: declared.size, root, by: By::Recovery }));
            }
        }
        if start.is_none() {
            missing_checkpoint(db, head, outside, findings)?;
        }
        vouched.sort_by_key(|vouched| vouched.size);
        Ok(Self {
            epoch: head.epoch,
            vouched: vouched.into_iter().peekable(),
            tiles: BTreeMap::new(),
            upper: start.map_or_else(Frontier::new, |start| start.upper.clone()),
            first,
            differing: Vec::new(),
            unknown: 0,
            lost,
            signed,
        })
    }

    /// What a recovery has declared lost of this epoch.
    pub fn lost(&self) -> Option<Lost> {
        self.lost.clone()
    }

    /// How far the epoch was compared with what was signed of it: an ended one to its end.
    pub fn mark(&self, head: &HeadRow, chain: &ChainVerifier) -> Option<(String, Mark)> {
        let ended = || Some(Mark { size: chain.size(), root: chain.root()? }).filter(|mark| mark.size > 0);
        let mark = if head.ended.is_some() { ended() } else { self.signed };
        mark.map(|mark| (head.origin.clone(), mark))
    }

    /// Follows the tree through a block.
    pub fn grow<G>(&mut self, block: &Block<'_, G>, findings: &mut Findings) {
        self.compare(block, findings);
        let Some(root) = block.root else { return };
        let index = block.first >> HEIGHT;
        self.tiles.insert((1, index), root);
        if self.upper.size() == index {
            let tiles = &mut self.tiles;
            self.upper.append_seen(root, |level, index, hash| {
                if level > 0 && level % HEIGHT == 0 {
                    tiles.insert((i64::from(level / HEIGHT) + 1, index), *hash);
                }
            });
        }
    }

    fn compare<G>(&mut self, block: &Block<'_, G>, findings: &mut Findings) {
        let end = block.first + block.leaves.len() as u64;
        let mut tree: Option<Frontier> = None;
        while let Some(vouched) = self.vouched.next_if(|vouched| vouched.size <= end) {
            let Some(before) = block.before.filter(|before| before.size() < vouched.size) else {
                self.unknown += 1;
                continue;
            };
            let tree = tree.get_or_insert_with(|| before.clone());
            let from = usize::try_from(tree.size() - block.first).unwrap_or(usize::MAX);
            let to = usize::try_from(vouched.size - block.first).unwrap_or(usize::MAX);
            tree.extend(block.leaves.get(from..to).unwrap_or_default().iter().copied());
            let root = tree.root();
            if root == Some(vouched.root) {
                continue;
            }
            if vouched.by != By::Checkpoint {
                let (check, ..) = vouched.by.words();
                let who = if vouched.by == By::Signer { "the signer signed" } else { "verified was" };
                let what = format!(
                    "at size {} the root is {}, {who} {}",
                    vouched.size,
                    root.map(|root| root.to_string()).unwrap_or_default(),
                    vouched.root
                );
                let fault = Fault::new(check, what).at(vouched.size - 1);
                findings.add(fault.in_epoch(self.epoch).incomplete());
            } else {
                self.differing.push(vouched.size);
            }
        }
    }

    /// Says what the pass came to, once all entries are seen.
    pub fn finish(
        mut self,
        db: &mut Db,
        head: &HeadRow,
        chain: &ChainVerifier,
        findings: &mut Findings,
    ) -> Result<()> {
        let size = chain.size();
        for vouched in self.vouched.by_ref() {
            let (_, check, who) = vouched.by.words();
            let what = format!("{who} {} entries, there are {size}", vouched.size);
            findings.add(Fault::new(check, what).at(size).in_epoch(self.epoch).incomplete());
        }
        if let Some(first) = self.differing.first() {
            let more = self.differing.len() - 1;
            let what = format!("the root at size {first} is not the one signed, nor at {more} later sizes");
            findings.add(Fault::new("checkpoint.root", what).at(first - 1).in_epoch(self.epoch));
        }
        if self.unknown > 0 {
            let what = format!("{} checkpoints cannot be compared: entries are missing", self.unknown);
            findings.add(Fault::new("checkpoint.root", what).in_epoch(self.epoch));
        }
        head_row(head, chain, findings);
        last_instant(db, head, findings)?;
        self.stored_tiles(db, findings)
    }

    fn stored_tiles(mut self, db: &mut Db, findings: &mut Findings) -> Result<()> {
        for (level, index, hash) in self.stored_hashes(db)? {
            let known = u64::try_from(index).ok().and_then(|index| self.tiles.remove(&(level, index)));
            let what = match known {
                Some(known) if known.as_bytes().as_slice() == hash => continue,
                Some(known) => format!("tile hash {index} of level {level} is not {known}"),
                None => format!("tile hash {index} of level {level} belongs to no full tile"),
            };
            findings.add(Fault::new("tile.hash", what).in_epoch(self.epoch));
        }
        for (level, index) in self.tiles.into_keys() {
            let what = format!("tile hash {index} of level {level} is missing");
            findings.add(Fault::new("tile.missing", what).in_epoch(self.epoch));
        }
        Ok(())
    }

    /// The stored hashes of the tiles that the pass makes again.
    fn stored_hashes(&self, db: &mut Db) -> Result<Vec<(i64, i64, Vec<u8>)>> {
        let columns = (ledger_tile::level, ledger_tile::idx, ledger_tile::hash);
        let of_epoch = ledger_tile::table.filter(ledger_tile::epoch.eq(self.epoch)).select(columns);
        if self.first == 0 {
            return Ok(of_epoch.load(db)?);
        }
        let mut rows = Vec::new();
        for level in 1..=i64::from(u64::BITS / HEIGHT) {
            let first = u32::try_from(level).ok().and_then(|level| self.first.checked_shr(level * HEIGHT));
            let here = ledger_tile::level.eq(level).and(ledger_tile::idx.ge(index(first.unwrap_or(0))?));
            rows.append(&mut of_epoch.filter(here).load(db)?);
        }
        Ok(rows)
    }
}

/// The stored checkpoints beyond `first` entries: form, origin, size and signature.
fn stored(
    db: &mut Db,
    (head, first): (&HeadRow, u64),
    ring: Option<&Ring>,
    findings: &mut Findings,
) -> Result<Vec<Vouched>> {
    let rows: Vec<(i64, String)> = ledger_checkpoint::table
        .filter(ledger_checkpoint::epoch.eq(head.epoch))
        .filter(ledger_checkpoint::size.gt(if first == 0 { i64::MIN } else { index(first)? }))
        .order(ledger_checkpoint::size)
        .select((ledger_checkpoint::size, ledger_checkpoint::note))
        .load(db)?;
    let mut vouched = Vec::with_capacity(rows.len());
    for (size, text) in rows {
        let mut fault = |what: String| findings.add(Fault::new("checkpoint.note", what).in_epoch(head.epoch));
        let read = match ring {
            Some(ring) => {
                let size = u64::try_from(size).unwrap_or(0);
                note::open_checkpoint(&text, &ring.vouching(&head.origin, size))
            }
            None => note::unverified_checkpoint(&text),
        };
        match read {
            Err(error) => fault(format!("the checkpoint of size {size}: {error}")),
            Ok(said) if said.origin != head.origin => {
                fault(format!("the checkpoint of size {size} is of {}, not of {}", said.origin, head.origin));
            }
            Ok(said) if i64::try_from(said.size) != Ok(size) => {
                fault(format!("the checkpoint of size {} is stored under {size}", said.size));
            }
            Ok(said) => vouched.push(Vouched { size: said.size, root: said.root, by: By::Checkpoint }),
        }
    }
    Ok(vouched)
}

/// Checkpoints that are known to have been kept and are not: where any was signed, one at least, since an ended epoch
/// has nothing else that vouches for its entries; and the one that the last sound verification has seen.
fn missing_checkpoint(db: &mut Db, head: &HeadRow, outside: &Outside, findings: &mut Findings) -> Result<()> {
    let quoted = head.ended.as_ref().and_then(Option::as_ref);
    let signed = match quoted {
        Some(declared) => note::unverified_checkpoint(&declared.note).ok().map(|said| said.size),
        None => outside.size(&head.origin),
    };
    if signed.is_none_or(|size| size == 0) || head.size == 0 {
        return Ok(());
    }
    let within = |mark: &&Mark| i64::try_from(mark.size).is_ok_and(|size| size <= head.size);
    let seen = outside.marks.get(&head.origin).filter(within).filter(|_| head.ended.is_none());
    let own = ledger_checkpoint::table.filter(ledger_checkpoint::epoch.eq(head.epoch));
    let mut fault = |what: String| {
        findings.add(Fault::new("checkpoint.missing", what).in_epoch(head.epoch));
    };
    if own.count().get_result::<i64>(db)? == 0 {
        fault("checkpoints of it were signed, none is kept".to_owned());
        return Ok(());
    }
    if let Some(Mark { size, .. }) = seen
        && !has_checkpoint(db, head.epoch, *size)?
    {
        fault(format!("the checkpoint over {size} entries, which was signed, is not kept"));
    }
    Ok(())
}

/// Compares what a recovery declares with what this node knows of the epoch that it ended; what is lost by it.
fn recovered(
    head: &HeadRow,
    declared: &Declared,
    (ring, outside): (Option<&Ring>, &Outside),
    findings: &mut Findings,
) -> Option<Lost> {
    let mut fault = |check, what: String| {
        findings.add(Fault::new(check, what).in_epoch(head.epoch).incomplete());
    };
    if i64::try_from(declared.size) != Ok(head.size) {
        let what = format!("the recovery found {} entries, the head says {}", declared.size, head.size);
        fault("epoch.size", what);
    }
    let read = match ring {
        Some(ring) => {
            let size = note::unverified_checkpoint(&declared.note).map_or(0, |said| said.size);
            note::open_checkpoint(&declared.note, &ring.vouching(&head.origin, size))
        }
        None => note::unverified_checkpoint(&declared.note),
    };
    let said = match read {
        Ok(said) if said.origin == head.origin => said,
        _ => {
            fault("epoch.note", "the note that the recovery quotes is none of this epoch's".to_owned());
            return None;
        }
    };
    let kept = outside.signed.as_ref().ok().and_then(|signed| signed.get(&head.origin));
    if let Some(kept) = kept
        && (kept.checkpoint.size > said.size
            || (kept.checkpoint.size == said.size && kept.checkpoint.root != said.root))
    {
        let what = format!(
            "the signer has signed {} entries, the recovery quotes {}",
            kept.checkpoint.size, said.size
        );
        fault("epoch.signed", what);
    }
    let from = declared.size.min(said.size.saturating_sub(1));
    Some(Lost { epoch: head.epoch, from, to: said.size.saturating_sub(1) })
        .filter(|_| declared.size < said.size)
}

fn head_row(head: &HeadRow, chain: &ChainVerifier, findings: &mut Findings) {
    let mut fault = |check, what: String| findings.add(Fault::new(check, what).in_epoch(head.epoch));
    let size = chain.size();
    if u64::try_from(head.size) != Ok(size) {
        fault("head.size", format!("the head says {} entries, the last entry makes it {size}", head.size));
    }
    if chain.leaf().as_bytes().as_slice() != head.leaf {
        fault("head.leaf", format!("the head's leaf is not the last entry's, {}", chain.leaf()));
    }
    if let Some(tree) = chain.tree()
        && tree.to_bytes() != head.frontier
    {
        fault("head.frontier", "the head's tree is not the one over the entries".to_owned());
    }
}

fn last_instant(db: &mut Db, head: &HeadRow, findings: &mut Findings) -> Result<()> {
    // The column was compared with the entry's bytes in check 1.
    let last: Option<i64> = ledger_entry::table
        .filter(ledger_entry::epoch.eq(head.epoch))
        .order(ledger_entry::seq.desc())
        .select(ledger_entry::ts)
        .first(db)
        .optional()
        .map_err(Error::from)?;
    if last.unwrap_or(0) != head.ts {
        let what = format!("the head's instant is {}, the last entry's {}", head.ts, last.unwrap_or(0));
        findings.add(Fault::new("head.ts", what).in_epoch(head.epoch));
    }
    Ok(())
}
