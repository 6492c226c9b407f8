//! The whole ledger as tiles: every entry, the tree over them, and every tile.

use std::collections::HashSet;

use super::entries::Entries;
use super::report::Findings;
use super::source::Source;
use crate::ledger::digest::Digest;
use crate::ledger::note::Checkpoint;
use crate::ledger::tile::{Content, Tile, WIDTH, entries_of};
use crate::ledger::tree::root_of;

/// Checks bundles, tiles and root.
pub fn check(pack: &mut Source, checkpoint: &Checkpoint, entries: &mut Entries, findings: &mut Findings) {
    let mut expected = HashSet::new();
    let Some(leaves) = bundles(pack, checkpoint.size, (entries, &mut expected), findings) else { return };
    let root = root_of(leaves.iter().copied());
    let (mut level, mut nodes) = (0, leaves);
    while !nodes.is_empty() {
        let mut above = Vec::new();
        for (index, run) in nodes.chunks(usize::from(WIDTH)).enumerate() {
            let width = u16::try_from(run.len()).unwrap_or(WIDTH);
            let name = Tile { content: Content::Hashes(level), index: index as u64, width }.to_string();
            let bytes: Vec<u8> = run.iter().flat_map(|hash| *hash.as_bytes()).collect();
            match pack.hash(&name) {
                None => findings.add("tile.missing", name.as_str(), missing(checkpoint.size)),
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
    if root != Some(checkpoint.root) {
        findings.add("tree.root", "checkpoint", "is not the root over the entries here");
    }
    for name in pack.names().filter(|name| name.starts_with("tile/") && !expected.contains(*name)) {
        findings.add("file.unknown", name, "is no tile of this checkpoint");
    }
}

fn missing(size: u64) -> String {
    format!("the checkpoint has {size} entries")
}

/// Takes all entries; none where a bundle is missing or is none, at which the check of the tree ends.
fn bundles(
    pack: &mut Source,
    size: u64,
    (entries, expected): (&mut Entries, &mut HashSet<String>),
    findings: &mut Findings,
) -> Option<Vec<Digest>> {
    let (mut leaves, mut at) = (Vec::new(), 0);
    while at < size {
        let width = u16::try_from(size - at).unwrap_or(WIDTH).min(WIDTH);
        let tile = Tile { content: Content::Entries, index: at / u64::from(WIDTH), width };
        let name = tile.to_string();
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
