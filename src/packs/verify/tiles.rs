//! The whole ledger as tiles: every entry, the tree over them, and every tile.

use std::collections::HashSet;

use super::entries::Entries;
use super::epochs::Voucher;
use super::report::Findings;
use super::source::Source;
use crate::ledger::digest::Digest;
use crate::ledger::note::Checkpoint;
use crate::ledger::tile::{Content, Tile, WIDTH, entries_of};
use crate::ledger::tree::root_of;
use crate::packs::layout::{self, Area};

/// Checks bundles, tiles and roots of one epoch: of its checkpoint, and of what a recovery has found of it.
pub fn check(
    pack: &mut Source,
    (area, vouchers): (Area, &[Voucher]),
    entries: &mut Entries,
    findings: &mut Findings,
) {
    let vouched: Vec<&Checkpoint> =
        vouchers.iter().filter_map(|voucher| voucher.checkpoint.as_ref()).collect();
    let Some(size) = vouched.iter().map(|one| one.size).max() else { return };
    let mut expected = HashSet::new();
    let Some(leaves) = bundles(pack, (area, size), (entries, &mut expected), findings) else { return };
    for checkpoint in vouched {
        // As many as the greatest has: each finds its own among them.
        let own = leaves.iter().zip(0..checkpoint.size).map(|(leaf, _)| *leaf);
        if root_of(own) != Some(checkpoint.root) {
            let file = area.file(layout::CHECKPOINT);
            let what = format!("is not the root over the first {} entries here", checkpoint.size);
            findings.add("tree.root", file, what);
        }
    }
    let (mut level, mut nodes) = (0, leaves);
    while !nodes.is_empty() {
        let mut above = Vec::new();
        for (index, run) in nodes.chunks(usize::from(WIDTH)).enumerate() {
            let width = u16::try_from(run.len()).unwrap_or(WIDTH);
            let tile = Tile { content: Content::Hashes(level), index: index as u64, width };
            let name = area.file(&tile.to_string());
            let bytes: Vec<u8> = run.iter().flat_map(|hash| *hash.as_bytes()).collect();
            match pack.hash(&name) {
                None => findings.add("tile.missing", name.as_str(), missing(size)),
                Some(hash) if hash != Digest::of(&bytes) => {
                    findings.add("tile.differs", name.as_str(), "is not the tile of the entries here");
                }
                Some(_) => {}
            }
            expected.insert(name);
            if width == WIDTH {
                above.extend(root_of(run.iter().copied()));
            }
        }
        (level, nodes) = (level + 1, above);
    }
    let own = area.file("tile/");
    for name in pack.names().filter(|name| name.starts_with(&own) && !expected.contains(*name)) {
        findings.add("file.unknown", name, "is no tile of this checkpoint");
    }
}

fn missing(size: u64) -> String {
    format!("the checkpoint has {size} entries")
}

/// Takes all entries; none where a bundle is missing or is none, at which the check of the tree ends.
fn bundles(
    pack: &mut Source,
    (area, size): (Area, u64),
    (entries, expected): (&mut Entries, &mut HashSet<String>),
    findings: &mut Findings,
) -> Option<Vec<Digest>> {
    let (mut leaves, mut at) = (Vec::new(), 0);
    while at < size {
        let width = u16::try_from(size - at).unwrap_or(WIDTH).min(WIDTH);
        let tile = Tile { content: Content::Entries, index: at / u64::from(WIDTH), width };
        let name = area.file(&tile.to_string());
        let Some(bytes) = pack.get(&name) else {
            findings.add("tile.missing", name, missing(size));
            return None;
        };
        let Some(found) = entries_of(&bytes).filter(|found| found.len() == usize::from(width)) else {
            findings.add("tile.form", name, "is no bundle of as many entries");
            return None;
        };
        for (seq, bytes) in (at..).zip(found) {
            leaves.push(entries.take(seq, bytes, &name, findings));
        }
        expected.insert(name);
        at += u64::from(width);
    }
    Some(leaves)
}
