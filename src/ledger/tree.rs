//! The Merkle tree over the entries' leaves (RFC 6962, 2.1; verification as in RFC 9162, 2.1.3 and 2.1.4).
//!
//! A node is named by its level (0 the leaves) and its index in that level; it stands for the complete
//! subtree over the leaves `index << level` up to `(index + 1) << level`. Only such nodes are ever read; the
//! ragged right edge is computed. An empty tree has no root here, so that none can be published.

use std::convert::Infallible;
use std::fmt;

use super::digest::Digest;

/// SHA-256(0x01 || left || right).
pub fn node(left: &Digest, right: &Digest) -> Digest {
    let mut bytes = [1; 65];
    bytes[1..33].copy_from_slice(left.as_bytes());
    bytes[33..].copy_from_slice(right.as_bytes());
    Digest::of(&bytes)
}

/// The complete subtrees that make up a tree of some size, largest first: all that appending needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    hashes: Vec<Digest>,
}

/// Why bytes are no frontier, or a subtree cannot be appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrontierError {
    /// The bytes are not one hash for each one in the size's binary digits.
    Length,
    /// The tree's size is no multiple of the subtree's.
    Misaligned,
    /// The size would exceed 64 bits.
    Full,
}

impl Frontier {
    /// An empty tree.
    pub fn new() -> Frontier {
        Frontier::default()
    }

    /// The number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root; none for an empty tree.
    pub fn root(&self) -> Option<Digest> {
        self.hashes.iter().rev().copied().reduce(|right, left| node(&left, &right))
    }

    /// The complete subtrees as (level, hash), largest first.
    pub fn subtrees(&self) -> impl Iterator<Item = (u32, Digest)> + '_ {
        let size = self.size;
        let levels = (0..u64::BITS).rev().filter(move |level| size >> level & 1 == 1);
        levels.zip(self.hashes.iter().copied())
    }

    /// Appends one leaf.
    pub fn append(&mut self, leaf: Digest) {
        self.append_seen(leaf, |_, _, _| {});
    }

    /// Appends one leaf and tells of every complete node that comes to be, as (level, index, hash), the leaf
    /// first.
    pub fn append_seen(&mut self, leaf: Digest, seen: impl FnMut(u32, u64, &Digest)) {
        self.push(0, leaf, seen);
    }

    /// Appends a complete subtree of `1 << level` leaves.
    ///
    /// # Errors
    /// `Misaligned` where the size is no multiple of the subtree's, `Full` beyond 64 bits.
    pub fn append_subtree(&mut self, level: u32, root: Digest) -> Result<(), FrontierError> {
        let leaves = 1u64.checked_shl(level).ok_or(FrontierError::Full)?;
        if !self.size.is_multiple_of(leaves) {
            return Err(FrontierError::Misaligned);
        }
        self.size.checked_add(leaves).ok_or(FrontierError::Full)?;
        self.push(level, root, |_, _, _| {});
        Ok(())
    }

    fn push(&mut self, mut level: u32, mut hash: Digest, mut seen: impl FnMut(u32, u64, &Digest)) {
        let size = self.size;
        self.size = size + (1 << level);
        seen(level, size >> level, &hash);
        while size >> level & 1 == 1 {
            let left = self.hashes.pop().expect("one hash for each one in the size");
            hash = node(&left, &hash);
            level += 1;
            seen(level, size >> level, &hash);
        }
        self.hashes.push(hash);
    }

    /// The hashes one after another, largest subtree first; at most 64 of 32 bytes. The size is kept beside
    /// them.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
    }

    /// Reads what `to_bytes` wrote for a tree of this size.
    ///
    /// # Errors
    /// `Length` where the number of hashes does not fit the size.
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Result<Frontier, FrontierError> {
        let (hashes, rest) = bytes.as_chunks::<32>();
        if !rest.is_empty() || hashes.len() != size.count_ones() as usize {
            return Err(FrontierError::Length);
        }
        Ok(Frontier { size, hashes: hashes.iter().copied().map(Digest::from_bytes).collect() })
    }
}

impl Extend<Digest> for Frontier {
    fn extend<I: IntoIterator<Item = Digest>>(&mut self, leaves: I) {
        leaves.into_iter().for_each(|leaf| self.append(leaf));
    }
}

/// The root over the leaves; none where there are none.
pub fn root_of(leaves: impl IntoIterator<Item = Digest>) -> Option<Digest> {
    let mut frontier = Frontier::new();
    frontier.extend(leaves);
    frontier.root()
}

/// Reads complete nodes from a slice of all leaves: `read` for the proofs, where the leaves fit in memory.
///
/// # Panics
/// The function returned panics for a node that reaches beyond the leaves; proofs within their number ask for
/// none.
pub fn nodes_of(leaves: &[Digest]) -> impl Fn(u32, u64) -> Result<Digest, Infallible> + '_ {
    |level, index| {
        let first = (index as usize) << level;
        let covered = &leaves[first..first + (1usize << level)];
        Ok(root_of(covered.iter().copied()).expect("a node covers at least one leaf"))
    }
}

/// That an entry is in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// The leaf's index.
    pub index: u64,
    /// The tree's size.
    pub size: u64,
    /// From the leaf's sibling up to the root's child.
    pub path: Vec<Digest>,
}

/// That a tree is the beginning of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// The smaller size.
    pub from: u64,
    /// The larger size.
    pub to: u64,
    /// As RFC 6962, 2.1.2 has it; empty where the sizes are equal.
    pub path: Vec<Digest>,
}

/// Proves that leaf `index` is in the tree of `size` leaves; none where `index >= size`. `read(level, index)`
/// gives complete nodes within `size`.
///
/// # Errors
/// What `read` fails with.
pub fn inclusion_proof<E>(
    index: u64,
    size: u64,
    mut read: impl FnMut(u32, u64) -> Result<Digest, E>,
) -> Result<Option<InclusionProof>, E> {
    if index >= size {
        return Ok(None);
    }
    let (mut low, mut high) = (0, size);
    let mut siblings = Vec::new();
    while high - low > 1 {
        let cut = low + split(high - low);
        if index < cut {
            siblings.push((cut, high));
            high = cut;
        } else {
            siblings.push((low, cut));
            low = cut;
        }
    }
    let path = hashes(&siblings, &mut read)?;
    Ok(Some(InclusionProof { index, size, path }))
}

/// Proves that the tree of `to` leaves extends that of `from`; none where `from` is 0 or exceeds `to`.
///
/// # Errors
/// What `read` fails with.
pub fn consistency_proof<E>(
    from: u64,
    to: u64,
    mut read: impl FnMut(u32, u64) -> Result<Digest, E>,
) -> Result<Option<ConsistencyProof>, E> {
    if from == 0 || from > to {
        return Ok(None);
    }
    let (mut low, mut high) = (0, to);
    let mut ranges = Vec::new();
    while from < high {
        let cut = low + split(high - low);
        if from <= cut {
            ranges.push((cut, high));
            high = cut;
        } else {
            ranges.push((low, cut));
            low = cut;
        }
    }
    if low > 0 {
        ranges.push((low, high));
    }
    let path = hashes(&ranges, &mut read)?;
    Ok(Some(ConsistencyProof { from, to, path }))
}

/// The largest power of two below `leaves`, which is at least 2.
fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

/// The hashes of the ranges, the last first.
fn hashes<E>(
    ranges: &[(u64, u64)],
    read: &mut impl FnMut(u32, u64) -> Result<Digest, E>,
) -> Result<Vec<Digest>, E> {
    ranges.iter().rev().map(|&(low, high)| range_hash(low, high, read)).collect()
}

/// MTH of the leaves `low..high`, where `low` is a multiple of the largest power of two not above their
/// number.
fn range_hash<E>(
    low: u64,
    high: u64,
    read: &mut impl FnMut(u32, u64) -> Result<Digest, E>,
) -> Result<Digest, E> {
    let leaves = high - low;
    if leaves.is_power_of_two() {
        let level = leaves.trailing_zeros();
        return read(level, low >> level);
    }
    let cut = low + split(leaves);
    let left = range_hash(low, cut, read)?;
    let right = range_hash(cut, high, read)?;
    Ok(node(&left, &right))
}

/// Whether the proof leads from the leaf to the root (RFC 9162, 2.1.3.2).
#[must_use]
pub fn verify_inclusion(proof: &InclusionProof, leaf: &Digest, root: &Digest) -> bool {
    walk(proof, leaf, |_| {}) == Some(*root)
}

/// One step of a proof: the hash so far and its sibling become the hash above them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The hash that the proof gives.
    pub sibling: Digest,
    /// Whether it stands to the left.
    pub left: bool,
    /// What both become.
    pub hash: Digest,
}

/// Where the proof leads from the leaf, step by step; none where it does not fit its own index and size.
pub fn walk(proof: &InclusionProof, leaf: &Digest, mut seen: impl FnMut(Step)) -> Option<Digest> {
    if proof.index >= proof.size {
        return None;
    }
    let (mut index, mut last) = (proof.index, proof.size - 1);
    let mut hash = *leaf;
    for sibling in &proof.path {
        if last == 0 {
            return None;
        }
        let left = index & 1 == 1 || index == last;
        if left {
            hash = node(sibling, &hash);
            while index & 1 == 0 && index != 0 {
                index >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, sibling);
        }
        seen(Step { sibling: *sibling, left, hash });
        index >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

/// Whether the proof shows that the tree with `to_root` extends the one with `from_root` (RFC 9162, 2.1.4.2).
/// A `from` of 0 is refused: nothing is proven by it.
#[must_use]
pub fn verify_consistency(proof: &ConsistencyProof, from_root: &Digest, to_root: &Digest) -> bool {
    if proof.from == 0 || proof.from > proof.to {
        return false;
    }
    if proof.from == proof.to {
        return proof.path.is_empty() && from_root == to_root;
    }
    let mut path = proof.path.iter();
    let first = if proof.from.is_power_of_two() { Some(from_root) } else { path.next() };
    let Some(first) = first else {
        return false;
    };
    let shift = (proof.from - 1).trailing_ones();
    let (mut index, mut last) = (shifted(proof.from - 1, shift), shifted(proof.to - 1, shift));
    let (mut old, mut new) = (*first, *first);
    for hash in path {
        if last == 0 {
            return false;
        }
        if index & 1 == 1 || index == last {
            old = node(hash, &old);
            new = node(hash, &new);
            while index & 1 == 0 && index != 0 {
                index >>= 1;
                last >>= 1;
            }
        } else {
            new = node(&new, hash);
        }
        index >>= 1;
        last >>= 1;
    }
    last == 0 && old == *from_root && new == *to_root
}

fn shifted(value: u64, by: u32) -> u64 {
    value.checked_shr(by).unwrap_or(0)
}

impl fmt::Display for FrontierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FrontierError::Length => "the number of hashes does not fit the tree's size",
            FrontierError::Misaligned => "the tree's size is no multiple of the subtree's",
            FrontierError::Full => "the tree's size would exceed 64 bits",
        })
    }
}

impl std::error::Error for FrontierError {}
