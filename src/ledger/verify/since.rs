//! The pass over what is new: from a tile's edge before the last mark, in cost independent of what lies before.

use diesel::prelude::*;

use super::marks::Mark;
use super::report::{Fault, Findings, Report, Scope};
use super::tree::{self, HeadRow};
use super::{Ledger, Steps, Verification, anchors, content, records, sealed};
use crate::error::{Kind, Result};
use crate::ledger::chain::ChainVerifier;
use crate::ledger::entry;
use crate::ledger::store::{index, node};
use crate::ledger::tile::{HEIGHT, WIDTH};
use crate::ledger::tree::Frontier;
use crate::store::Db;
use crate::store::schema::{ledger_checkpoint, ledger_entry, ledger_tile};

/// Where the pass over an epoch begins, and what stands there.
pub struct Start {
    /// The first entry looked at: a multiple of 256.
    pub first: u64,
    /// Before that entry.
    pub chain: ChainVerifier,
    /// The tree over the full tiles before it.
    pub upper: Frontier,
    /// What an earlier pass has found sound.
    pub mark: Option<Mark>,
}

/// Verifies what is new in every epoch. An epoch without a mark is gone over from its first entry on.
///
/// # Errors
/// The database does not let itself be read to the end; what the progress answers.
pub fn verify(
    db: &mut Db,
    heads: &[HeadRow],
    what: &Verification<'_>,
    mut findings: Findings,
) -> Result<Report> {
    strangers(db, heads, &mut findings)?;
    let mut starts = Vec::new();
    for head in heads {
        let mark = what.outside.marks.get(&head.origin).filter(|mark| head.takes(mark));
        starts.push(match mark {
            Some(mark) => start_at(db, head, *mark, &mut findings)?,
            None => None,
        });
    }
    let expected = heads.iter().zip(&starts).map(|(head, start)| {
        u64::try_from(head.size).unwrap_or(0).saturating_sub(start.as_ref().map_or(0, |start| start.first))
    });
    let steps = Steps::of(expected.sum(), what.progress);
    let mut told = Ledger { subjects: records::Subjects::since(), ..Ledger::default() };
    for (head, start) in heads.iter().zip(starts) {
        told.epoch(db, (head, start), what, &steps, &mut findings)?;
    }
    let Ledger { subjects, kept, commitments, keys, mut covered } = told;
    keys.compare(what.outside, Scope::New, &mut findings);
    covered.subjects = subjects.count();
    covered.anchors = anchors::check(db, heads, &mut findings)?;
    steps.expect(covered.subjects);
    let disposed = subjects.disposed();
    subjects.compare_touched(db, what.governed, &steps, &mut findings)?;
    content::Kept::finish_new(kept, db, &disposed, &steps, &mut findings)?;
    sealed::Commitments::finish_new(commitments, db, &disposed, &mut findings)?;
    Ok(findings.report(covered))
}

/// Puts the tree before the mark's tile together from its stored hashes; none, and a fault, where they are not all
/// there: then the epoch is gone over from its beginning.
fn start_at(db: &mut Db, head: &HeadRow, mark: Mark, findings: &mut Findings) -> Result<Option<Start>> {
    let size = u64::try_from(head.size).unwrap_or(0).min(mark.size);
    let first = size.saturating_sub(1) & !u64::from(WIDTH - 1);
    if first == 0 {
        return Ok(None);
    }
    match put_together(db, head, first) {
        Ok(Some((tree, upper, before))) => {
            let parsed = entry::parse(&before).ok();
            let ts = parsed.as_ref().map(|entry| entry.head.ts);
            let chain = ChainVerifier::resume(&head.origin, tree, entry::leaf(&before), ts);
            Ok(Some(Start { first, chain, upper, mark: Some(mark) }))
        }
        Err(error) if error.kind() == Kind::Unavailable => Err(error),
        Ok(None) | Err(_) => {
            let what = format!("the stored hashes before entry {first} are not all there");
            findings.add(Fault::new("tile.missing", what).in_epoch(head.epoch));
            Ok(None)
        }
    }
}

/// The trees over entries and over full tiles before `first`, and the entry before it.
fn put_together(db: &mut Db, head: &HeadRow, first: u64) -> Result<Option<(Frontier, Frontier, Vec<u8>)>> {
    let (mut tree, mut upper) = (Frontier::new(), Frontier::new());
    for level in (HEIGHT..u64::BITS).rev().filter(|level| first >> level & 1 == 1) {
        let hash = node(db, head.epoch, level, (first >> level) - 1)?;
        let grown =
            tree.append_subtree(level, hash).and_then(|()| upper.append_subtree(level - HEIGHT, hash));
        if grown.is_err() {
            return Ok(None);
        }
    }
    let last: Option<Vec<u8>> = ledger_entry::table
        .find((head.epoch, index(first - 1)?))
        .select(ledger_entry::entry)
        .first(db)
        .optional()?;
    Ok(last.map(|last| (tree, upper, last)))
}

/// Names rows of trees that have no head, by looking below the first epoch and above the last.
fn strangers(db: &mut Db, heads: &[HeadRow], findings: &mut Findings) -> Result<()> {
    let (Some(first), Some(last)) = (heads.first(), heads.last()) else {
        return tree::strangers(db, heads, findings);
    };
    let (first, last) = (first.epoch, last.epoch);
    if i64::try_from(heads.len()) != Ok(last - first + 1) {
        return tree::strangers(db, heads, findings);
    }
    let beyond = [
        ledger_entry::table
            .filter(ledger_entry::epoch.gt(last))
            .or_filter(ledger_entry::epoch.lt(first))
            .select(ledger_entry::epoch)
            .first::<i64>(db)
            .optional()?,
        ledger_tile::table
            .filter(ledger_tile::epoch.gt(last))
            .or_filter(ledger_tile::epoch.lt(first))
            .select(ledger_tile::epoch)
            .first::<i64>(db)
            .optional()?,
        ledger_checkpoint::table
            .filter(ledger_checkpoint::epoch.gt(last))
            .or_filter(ledger_checkpoint::epoch.lt(first))
            .select(ledger_checkpoint::epoch)
            .first::<i64>(db)
            .optional()?,
    ];
    if beyond.iter().any(Option::is_some) {
        return tree::strangers(db, heads, findings);
    }
    Ok(())
}
