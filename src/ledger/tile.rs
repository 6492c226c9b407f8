//! Tiles (c2sp.org/tlog-tiles): runs of up to 256 hashes of one level, and bundles of the entries themselves.
//!
//! A tile at level L holds nodes of the tree's level 8·L. Level 0 needs no store of its own, being the
//! entries' leaves; `append` tells which hashes the levels above gain.

use std::fmt;
use std::str::FromStr;

use super::digest::Digest;
use super::entry::{MAX_ENTRY, decimal};
use super::tree::{Frontier, root_of};

/// Hashes in a full tile.
pub const WIDTH: u16 = 256;
/// Levels of the tree that one tile spans.
pub const HEIGHT: u32 = 8;
/// The highest level that a path may name.
const MAX_LEVEL: u8 = 63;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Content {
    /// Hashes of this tile level.
    Hashes(u8),
    /// Entries, each after its length.
    Entries,
}

/// The name of a tile; as text its path, `tile/0/x001/234.p/17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// What it holds.
    pub content: Content,
    /// Its index in its level.
    pub index: u64,
    /// 1 to 256; below 256 it is a partial tile.
    pub width: u16,
}

/// The path names no tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TileError;

/// A hash that a tile level above 0 gains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gain {
    /// The tile level, from 1.
    pub level: u8,
    /// Its index in the level; it stands in tile `index / 256`, at place `index % 256`.
    pub index: u64,
    /// The root of a full tile of the level below.
    pub hash: Digest,
}

impl Tile {
    /// Index of the first and one past the last hash of the level (entry of the ledger) that the tile holds.
    pub fn range(&self) -> std::ops::Range<u64> {
        let first = self.index.saturating_mul(u64::from(WIDTH));
        first..first.saturating_add(u64::from(self.width))
    }

    /// Whether a tree of this size has all of the tile: what may be served under its path.
    pub fn within(&self, size: u64) -> bool {
        let level = match self.content {
            Content::Hashes(level) => u32::from(level),
            Content::Entries => 0,
        };
        let available = size.checked_shr(level * HEIGHT).unwrap_or(0);
        self.index < u64::MAX / u64::from(WIDTH) && self.range().end <= available
    }
}

/// All tiles of hashes in a tree of this size, the partial ones last in each level; entry bundles have the
/// indices and widths of level 0.
pub fn tiles(size: u64) -> impl Iterator<Item = Tile> {
    (0..8u8).flat_map(move |level| level_tiles(level, 0, size, WIDTH))
}

/// The tiles of hashes, of every level, that become full as the tree grows from `old` to `new`.
pub fn completed(old: u64, new: u64) -> impl Iterator<Item = Tile> {
    (0..8u8).flat_map(move |level| level_tiles(level, old, new, 1)).filter(|tile| tile.width == WIDTH)
}

/// The tiles of a level from the one that `old` leaves partial to the end of `new`; the last, where partial,
/// only where `partial` is above 1.
fn level_tiles(level: u8, old: u64, new: u64, partial: u16) -> impl Iterator<Item = Tile> {
    let shift = u32::from(level) * HEIGHT;
    let (old, new) = (old >> shift, new >> shift);
    let rest = (new % u64::from(WIDTH)) as u16;
    let full = (old >> HEIGHT)..(new >> HEIGHT);
    let last = (partial > 1 && rest > 0).then_some((new >> HEIGHT, rest));
    full.map(|index| (index, WIDTH)).chain(last).map(move |(index, width)| Tile {
        content: Content::Hashes(level),
        index,
        width,
    })
}

/// Appends the leaves and returns the hashes that tile levels above 0 gain, in the order they come to be.
pub fn append(frontier: &mut Frontier, leaves: impl IntoIterator<Item = Digest>) -> Vec<Gain> {
    let mut gains = Vec::new();
    for leaf in leaves {
        frontier.append_seen(leaf, |level, index, hash| {
            if level > 0 && level % HEIGHT == 0 {
                gains.push(Gain { level: (level / HEIGHT) as u8, index, hash: *hash });
            }
        });
    }
    gains
}

/// Where a node of the tree is found: the tile level, the tile's index, and the places in it whose root it
/// is.
pub fn locate(level: u32, index: u64) -> (u8, u64, std::ops::Range<usize>) {
    let inner = level % HEIGHT;
    let first = index << inner;
    let place = (first % u64::from(WIDTH)) as usize;
    ((level / HEIGHT) as u8, first / u64::from(WIDTH), place..place + (1 << inner))
}

/// The node over a run of a tile's hashes, as `locate` names it; none where the bytes do not hold the run.
pub fn node_in(hashes: &[u8], places: std::ops::Range<usize>) -> Option<Digest> {
    let (hashes, _) = hashes.as_chunks::<32>();
    root_of(hashes.get(places)?.iter().copied().map(Digest::from_bytes))
}

/// Writes a bundle: each entry after its length, 16 bits, big-endian. None where an entry exceeds 65,535
/// bytes.
pub fn bundle<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for entry in entries {
        let length = u16::try_from(entry.len()).ok()?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(entry);
    }
    Some(out)
}

/// The entries of a bundle; none where it ends within one or holds more than 256.
pub fn entries_of(mut bundle: &[u8]) -> Option<Vec<&[u8]>> {
    const { assert!(MAX_ENTRY == u16::MAX as usize) };
    let mut entries = Vec::new();
    while !bundle.is_empty() {
        let (length, rest) = bundle.split_first_chunk::<2>()?;
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry);
        bundle = rest;
    }
    (entries.len() <= usize::from(WIDTH)).then_some(entries)
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.content {
            Content::Hashes(level) => write!(f, "tile/{level}")?,
            Content::Entries => f.write_str("tile/entries")?,
        }
        let digits = self.index.checked_ilog10().unwrap_or(0);
        for group in (1..=digits / 3).rev() {
            write!(f, "/x{:03}", self.index / 1000u64.pow(group) % 1000)?;
        }
        write!(f, "/{:03}", self.index % 1000)?;
        if self.width < WIDTH {
            write!(f, ".p/{}", self.width)?;
        }
        Ok(())
    }
}

impl FromStr for Tile {
    type Err = TileError;

    /// Reads a path; only the one spelling of each tile is taken.
    fn from_str(path: &str) -> Result<Tile, TileError> {
        let rest = path.strip_prefix("tile/").ok_or(TileError)?;
        let (content, rest) = rest.split_once('/').ok_or(TileError)?;
        let content = match content {
            "entries" => Content::Entries,
            level => {
                let level = decimal(level.as_bytes()).and_then(|level| u8::try_from(level).ok());
                Content::Hashes(level.filter(|level| *level <= MAX_LEVEL).ok_or(TileError)?)
            }
        };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, partial_width(width).ok_or(TileError)?),
            None => (rest, WIDTH),
        };
        let index = index_of(index).ok_or(TileError)?;
        Ok(Tile { content, index, width })
    }
}

fn partial_width(digits: &str) -> Option<u16> {
    let width = decimal(digits.as_bytes()).and_then(|width| u16::try_from(width).ok())?;
    (1..WIDTH).contains(&width).then_some(width)
}

fn index_of(path: &str) -> Option<u64> {
    let mut index: u64 = 0;
    let mut groups = path.split('/').peekable();
    let mut first = true;
    while let Some(group) = groups.next() {
        let digits = match groups.peek() {
            Some(_) => group.strip_prefix('x')?,
            None => group,
        };
        if digits.len() != 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        // A first group of zeros before another would be a second spelling of the same index.
        if first && digits == "000" && groups.peek().is_some() {
            return None;
        }
        first = false;
        index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
    }
    Some(index)
}

impl fmt::Display for TileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the path names no tile")
    }
}

impl std::error::Error for TileError {}
