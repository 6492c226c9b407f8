//! The ledger's own SQL, for readers.

use diesel::prelude::*;

use super::digest::Digest;
use super::tile::{self, Content, Tile};
use super::tombstone;
use super::tree::Frontier;
use crate::error::{Error, Result};
use crate::store::schema::{ledger_checkpoint, ledger_entry, ledger_head, ledger_tile, sealed_value};
use crate::store::{Db, NewEntryRow, content_bytes};
use crate::time::Timestamp;

/// The present end of the ledger.
#[derive(Debug, Clone)]
pub struct Head {
    /// Which tree, from 1.
    pub epoch: i64,
    /// Its name.
    pub origin: String,
    /// The number of entries.
    pub size: u64,
    /// The last entry's hash.
    pub leaf: Digest,
    /// The last entry's instant.
    pub ts: Timestamp,
    /// The tree's compact range as stored.
    pub frontier: Vec<u8>,
}

impl Head {
    /// The tree as the head row tells it.
    ///
    /// # Errors
    /// The stored bytes are no compact range of that size.
    pub fn tree(&self) -> Result<Frontier> {
        Frontier::from_bytes(self.size, &self.frontier).map_err(Error::internal)
    }
}

/// An unsigned index as the database keeps it.
///
/// # Errors
/// Beyond what a BIGINT holds.
pub fn index(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(Error::internal)
}

/// The head of the newest epoch; none before the installation is made.
///
/// # Errors
/// The database does not answer.
pub fn head(db: &mut Db) -> Result<Option<Head>> {
    let row: Option<HeadColumns> =
        ledger_head::table.order(ledger_head::epoch.desc()).first(db).optional()?;
    row.map(head_in).transpose()
}

/// Whether there is any entry at all.
///
/// # Errors
/// The database does not answer.
pub fn has_entries(db: &mut Db) -> Result<bool> {
    let first = ledger_entry::table.select(ledger_entry::seq).first::<i64>(db).optional()?;
    Ok(first.is_some())
}

/// Whether a checkpoint over so many entries is kept.
///
/// # Errors
/// The database does not answer.
pub fn has_checkpoint(db: &mut Db, epoch: i64, size: u64) -> Result<bool> {
    let kept = ledger_checkpoint::table.find((epoch, index(size)?));
    Ok(kept.count().get_result::<i64>(db)? > 0)
}

/// The head of one epoch.
///
/// # Errors
/// The database does not answer.
pub fn head_of(db: &mut Db, epoch: i64) -> Result<Option<Head>> {
    let row: Option<HeadColumns> = ledger_head::table.find(epoch).first(db).optional()?;
    row.map(head_in).transpose()
}

type HeadColumns = (i64, String, i64, Vec<u8>, Timestamp, Vec<u8>);

fn head_in((epoch, origin, size, leaf, ts, frontier): HeadColumns) -> Result<Head> {
    let leaf = Digest::try_from(leaf.as_slice()).map_err(Error::internal)?;
    let size = u64::try_from(size).map_err(Error::internal)?;
    Ok(Head { epoch, origin, size, leaf, ts, frontier })
}

/// Makes the head row of the first tree; only for an empty installation.
///
/// # Errors
/// There is one already.
pub fn create_head(db: &mut Db, origin: &str) -> Result<()> {
    create_epoch(db, 1, origin)
}

/// Makes the head row of a new tree.
///
/// # Errors
/// There is one already.
pub fn create_epoch(db: &mut Db, epoch: i64, origin: &str) -> Result<()> {
    diesel::insert_into(ledger_head::table)
        .values((
            ledger_head::epoch.eq(epoch),
            ledger_head::origin.eq(origin),
            ledger_head::size.eq(0),
            ledger_head::leaf.eq(Digest::ZERO.as_bytes().to_vec()),
            ledger_head::ts.eq(Timestamp(0)),
            ledger_head::frontier.eq(Vec::<u8>::new()),
        ))
        .execute(db)?;
    Ok(())
}

/// Entries `from..to`, in order.
///
/// # Errors
/// The database does not answer.
pub fn rows(db: &mut Db, epoch: i64, range: std::ops::Range<u64>) -> Result<Vec<NewEntryRow>> {
    let (from, to) = (index(range.start)?, index(range.end)?);
    Ok(ledger_entry::table
        .filter(ledger_entry::epoch.eq(epoch).and(ledger_entry::seq.ge(from)).and(ledger_entry::seq.lt(to)))
        .order(ledger_entry::seq)
        .select(NewEntryRow::as_select())
        .load(db)?)
}

/// The hashes of a tile one after the other: leaves on level 0, roots of full tiles above.
///
/// # Errors
/// The database does not answer; 404 when it does not hold that many.
pub fn tile_hashes(db: &mut Db, epoch: i64, tile: &Tile) -> Result<Vec<u8>> {
    let range = tile.range();
    let (from, to) = (index(range.start)?, index(range.end)?);
    let hashes: Vec<Vec<u8>> = match tile.content {
        Content::Hashes(0) => ledger_entry::table
            .filter(
                ledger_entry::epoch.eq(epoch).and(ledger_entry::seq.ge(from)).and(ledger_entry::seq.lt(to)),
            )
            .order(ledger_entry::seq)
            .select(ledger_entry::leaf)
            .load(db)?,
        Content::Hashes(level) => ledger_tile::table
            .filter(ledger_tile::epoch.eq(epoch).and(ledger_tile::level.eq(i64::from(level))))
            .filter(ledger_tile::idx.ge(from).and(ledger_tile::idx.lt(to)))
            .order(ledger_tile::idx)
            .select(ledger_tile::hash)
            .load(db)?,
        Content::Entries => return Err(Error::internal("an entry bundle has no hashes")),
    };
    let bytes = hashes.concat();
    if bytes.len() == usize::from(tile.width) * 32 {
        Ok(bytes)
    } else {
        Err(Error::not_found("tile", tile.to_string()))
    }
}

/// A complete node of the tree, from stored tiles.
///
/// # Errors
/// The database does not answer or lacks the tile.
pub fn node(db: &mut Db, epoch: i64, level: u32, at: u64) -> Result<Digest> {
    let (tile_level, tile_index, places) = tile::locate(level, at);
    // Only as wide as the run needs: the rest of the tile may not exist yet.
    let width = u16::try_from(places.end).map_err(Error::internal)?;
    let tile = Tile { content: Content::Hashes(tile_level), index: tile_index, width };
    let hashes = tile_hashes(db, epoch, &tile)?;
    tile::node_in(&hashes, places).ok_or_else(|| Error::internal("a tile holds less than its width"))
}

/// The root over the first `size` entries, from stored tiles; none for 0.
///
/// # Errors
/// The database does not answer, or lacks a tile.
pub fn root(db: &mut Db, epoch: i64, size: u64) -> Result<Option<Digest>> {
    let mut tree = Frontier::new();
    for level in (0..u64::BITS).rev().filter(|level| size >> level & 1 == 1) {
        let node = node(db, epoch, level, (size >> level) - 1)?;
        tree.append_subtree(level, node).map_err(Error::internal)?;
    }
    Ok(tree.root())
}

/// An entry among those of all epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Its tree.
    pub epoch: i64,
    /// Its number there.
    pub seq: i64,
    /// Its hash.
    pub leaf: Digest,
    /// Whether a recovery has ended its epoch.
    pub is_past: bool,
}

/// Entries by number and instant, which together name one entry of all epochs.
///
/// # Errors
/// The database does not answer.
pub fn placed(db: &mut Db, entries: &[(i64, Timestamp)]) -> Result<Vec<Option<Placed>>> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let epochs = super::epochs::numbers(db)?;
    let newest = epochs.last().copied();
    let numbers: Vec<i64> = entries.iter().map(|(seq, _)| *seq).collect();
    let rows: Vec<(i64, i64, i64, Vec<u8>)> = ledger_entry::table
        .filter(ledger_entry::epoch.eq_any(epochs).and(ledger_entry::seq.eq_any(numbers)))
        .select((ledger_entry::epoch, ledger_entry::seq, ledger_entry::ts, ledger_entry::leaf))
        .load(db)?;
    let of = |(seq, ts): &(i64, Timestamp)| {
        let (epoch, seq, _, leaf) = rows.iter().find(|(_, number, at, _)| number == seq && *at == ts.0)?;
        let leaf = Digest::try_from(leaf.as_slice()).ok()?;
        Some(Placed { epoch: *epoch, seq: *seq, leaf, is_past: Some(*epoch) != newest })
    };
    Ok(entries.iter().map(of).collect())
}

/// The newest entry about a subject, in whatever epoch.
///
/// # Errors
/// The database does not answer.
pub fn last_about(db: &mut Db, kind: &str, id: &str) -> Result<Option<Placed>> {
    let newest = super::epochs::numbers(db)?.last().copied();
    let row: Option<(i64, i64, Vec<u8>)> = ledger_entry::table
        .filter(ledger_entry::obj_kind.eq(kind).and(ledger_entry::obj_id.eq(id)))
        .order((ledger_entry::epoch.desc(), ledger_entry::seq.desc()))
        .select((ledger_entry::epoch, ledger_entry::seq, ledger_entry::leaf))
        .first(db)
        .optional()?;
    row.map(|(epoch, seq, leaf)| {
        let leaf = Digest::try_from(leaf.as_slice()).map_err(Error::internal)?;
        Ok(Placed { epoch, seq, leaf, is_past: Some(epoch) != newest })
    })
    .transpose()
}

/// The size of the newest checkpoint below `size`.
///
/// # Errors
/// The database does not answer.
pub fn checkpoint_before(db: &mut Db, epoch: i64, size: u64) -> Result<Option<u64>> {
    let before: Option<i64> = ledger_checkpoint::table
        .filter(ledger_checkpoint::epoch.eq(epoch).and(ledger_checkpoint::size.lt(index(size)?)))
        .select(diesel::dsl::max(ledger_checkpoint::size))
        .first(db)?;
    before.map(|size| u64::try_from(size).map_err(Error::internal)).transpose()
}

/// The instant of an epoch's first entry; none where it has none.
///
/// # Errors
/// The database does not answer.
pub fn began(db: &mut Db, epoch: i64) -> Result<Option<Timestamp>> {
    let first = ledger_entry::table.find((epoch, 0)).select(ledger_entry::ts);
    Ok(first.first(db).optional()?.map(Timestamp))
}

/// The newest checkpoint of an epoch.
///
/// # Errors
/// The database does not answer.
pub fn last_checkpoint(db: &mut Db, epoch: i64) -> Result<Option<(u64, String)>> {
    Ok(checkpoints(db, epoch, 1)?.pop())
}

/// Checkpoints of an epoch, the newest first.
///
/// # Errors
/// The database does not answer.
pub fn checkpoints(db: &mut Db, epoch: i64, most: i64) -> Result<Vec<(u64, String)>> {
    let rows: Vec<(i64, String)> = ledger_checkpoint::table
        .filter(ledger_checkpoint::epoch.eq(epoch))
        .order(ledger_checkpoint::size.desc())
        .limit(most)
        .select((ledger_checkpoint::size, ledger_checkpoint::note))
        .load(db)?;
    rows.into_iter().map(|(size, note)| Ok((u64::try_from(size).map_err(Error::internal)?, note))).collect()
}

/// The bytes under a digest.
///
/// # Errors
/// 404 when nothing is kept under it.
pub fn content(db: &mut Db, digest: Digest) -> Result<Vec<u8>> {
    let sha256 = digest.to_string();
    match content_bytes(db, &sha256)? {
        Some(bytes) => Ok(bytes),
        None => Err(tombstone::content_absent(db, &sha256)),
    }
}

/// The value behind a commitment; none when it was erased.
///
/// # Errors
/// The database does not answer.
pub fn unsealed(db: &mut Db, commitment: &str) -> Result<Option<String>> {
    Ok(sealed_value::table.find(commitment).select(sealed_value::value).first(db).optional()?)
}

/// The commitments behind which `name` has this value.
///
/// # Errors
/// The database does not answer.
pub fn sealed_as(db: &mut Db, name: &str, value: &str) -> Result<Vec<String>> {
    Ok(sealed_value::table
        .filter(sealed_value::name.eq(name).and(sealed_value::value.eq(value)))
        .select(sealed_value::commitment)
        .load(db)?)
}
