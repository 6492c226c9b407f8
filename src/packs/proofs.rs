//! Proofs of many entries to one checkpoint, which share what they read: tiles, and the nodes made of them.

use std::collections::HashMap;

use super::archive::Writer;
use super::layout::Area;
use super::store::{Selection, rows};
use crate::error::{Error, Result};
use crate::ledger::digest::Digest;
use crate::ledger::proof;
use crate::ledger::store as ledger;
use crate::ledger::tile::{self, Content, Tile, WIDTH};
use crate::ledger::tree::inclusion_proof;
use crate::store::Db;

/// Tiles in memory at most, 8 KiB each.
const TILES: usize = 128;
/// Inner nodes in memory at most.
const NODES: usize = 1 << 16;

/// A tree at a size that is vouched for.
pub struct Tree {
    area: Area,
    epoch: i64,
    size: u64,
    /// The note that signs it, or the text that a recovery vouches for.
    note: String,
    tiles: HashMap<(u8, u64), Vec<u8>>,
    nodes: HashMap<(u32, u64), Digest>,
}

impl Tree {
    /// The tree of an epoch at a size.
    pub fn new((area, epoch): (Area, i64), (size, note): (u64, String)) -> Self {
        Self { area, epoch, size, note, tiles: HashMap::new(), nodes: HashMap::new() }
    }

    /// How many entries it holds.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Whether it holds an entry.
    pub const fn covers(&self, seq: u64) -> bool {
        seq < self.size
    }

    /// The proof of an entry, as a file.
    ///
    /// # Errors
    /// The database does not answer, or lacks a tile.
    fn prove(&mut self, db: &mut Db, seq: u64) -> Result<String> {
        let proven = inclusion_proof(seq, self.size, |level, at| self.node(db, level, at))?;
        let proven = proven.ok_or_else(|| Error::internal(format!("entry {seq} is not signed")))?;
        Ok(proof::render(&proven, &self.note))
    }

    fn node(&mut self, db: &mut Db, level: u32, at: u64) -> Result<Digest> {
        if let Some(node) = self.nodes.get(&(level, at)) {
            return Ok(*node);
        }
        let (tile_level, index, places) = tile::locate(level, at);
        let node = tile::node_in(self.tile(db, tile_level, index)?, places);
        let node = node.ok_or_else(|| Error::internal("a tile holds less than its width"))?;
        if self.nodes.len() >= NODES {
            self.nodes.clear();
        }
        self.nodes.insert((level, at), node);
        Ok(node)
    }

    /// A tile as wide as the signed size has it.
    fn tile(&mut self, db: &mut Db, level: u8, index: u64) -> Result<&[u8]> {
        if self.tiles.len() >= TILES && !self.tiles.contains_key(&(level, index)) {
            self.tiles.clear();
        }
        match self.tiles.entry((level, index)) {
            std::collections::hash_map::Entry::Occupied(kept) => Ok(kept.into_mut()),
            std::collections::hash_map::Entry::Vacant(place) => {
                let hashes = (self.size >> (u32::from(level) * tile::HEIGHT)) - index * u64::from(WIDTH);
                let width = u16::try_from(hashes).unwrap_or(WIDTH).min(WIDTH);
                let tile = Tile { content: Content::Hashes(level), index, width };
                Ok(place.insert(ledger::tile_hashes(db, self.epoch, &tile)?))
            }
        }
    }

    /// Puts all tiles of the signed size, each bundle of entries beside the leaves it has.
    ///
    /// # Errors
    /// The database does not answer, lacks a tile, or the disk refuses.
    pub fn put_tiles(
        &self,
        db: &mut Db,
        out: &mut Writer,
        mut seen: impl FnMut(&mut Db, &mut Writer, &[crate::store::NewEntryRow]) -> Result<()>,
    ) -> Result<()> {
        for tile in tile::tiles(self.size) {
            out.put(&self.area.file(&tile.to_string()), &ledger::tile_hashes(db, self.epoch, &tile)?)?;
            if tile.content == Content::Hashes(0) {
                let entries = rows(db, self.epoch, &Selection::Run(tile.range()))?;
                let bundle = tile::bundle(entries.iter().map(|row| row.entry.as_slice()));
                let bundle =
                    bundle.ok_or_else(|| Error::internal("an entry is longer than a bundle holds"))?;
                let name = Tile { content: Content::Entries, ..tile }.to_string();
                out.put(&self.area.file(&name), &bundle)?;
                seen(db, out, &entries)?;
            }
        }
        Ok(())
    }

    /// Puts the proof of an entry.
    ///
    /// # Errors
    /// As [`Tree::prove`], and where the disk refuses.
    pub fn put_proof(&mut self, db: &mut Db, out: &mut Writer, seq: u64) -> Result<()> {
        let proof = self.prove(db, seq)?;
        out.put(&self.area.proof(seq), proof.as_bytes())
    }
}
