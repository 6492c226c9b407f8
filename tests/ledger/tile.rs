//! Tiles: paths, which tiles a tree has, and nodes read through them.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sopledger::ledger::digest::Digest;
use sopledger::ledger::entry::leaf;
use sopledger::ledger::tile::{
    Content, Tile, TileError, append, bundle, completed, entries_of, locate, node_in, tiles,
};
use sopledger::ledger::tree::{Frontier, inclusion_proof, verify_inclusion};

fn hashes(level: u8, index: u64, width: u16) -> Tile {
    Tile { content: Content::Hashes(level), index, width }
}

#[test]
fn paths_name_tiles() {
    for (path, tile) in [
        ("tile/0/x001/x234/067", hashes(0, 1_234_067, 256)),
        ("tile/0/000", hashes(0, 0, 256)),
        ("tile/2/999.p/1", hashes(2, 999, 1)),
        ("tile/1/x001/000.p/255", hashes(1, 1000, 255)),
        ("tile/63/000", hashes(63, 0, 256)),
        ("tile/0/x018/x446/x744/x073/x709/x551/615", hashes(0, u64::MAX, 256)),
        ("tile/entries/x012/345.p/17", Tile { content: Content::Entries, index: 12_345, width: 17 }),
    ] {
        assert_eq!(path.parse(), Ok(tile), "{path}");
        assert_eq!(tile.to_string(), path);
    }
}

#[test]
fn other_spellings_name_none() {
    for path in [
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/a/000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001/x002",
        "tile/0/x001",
        "tile/0/abc",
        "tile/0/x001//002",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/+01",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/000.p/1/2",
        "tile/0/000.p/1.p/1",
        "tile/entries",
        "tile/Entries/000",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/0/../000",
        "tile/0/０００",
    ] {
        assert_eq!(path.parse::<Tile>(), Err(TileError), "{path}");
    }
}

#[test]
fn a_tree_of_70000_has_the_tiles_of_the_specification() {
    let all: Vec<Tile> = tiles(70_000).collect();
    let count = |level, full: bool| {
        let at_level = all.iter().filter(|tile| tile.content == Content::Hashes(level));
        at_level.filter(|tile| (tile.width == 256) == full).count()
    };
    assert_eq!((count(0, true), count(1, true), count(2, true)), (273, 1, 0));
    assert!([hashes(0, 273, 112), hashes(1, 1, 17), hashes(2, 0, 1)].iter().all(|tile| all.contains(tile)));
    assert_eq!(all.len(), 273 + 1 + 3);
    assert!(all.iter().all(|tile| tile.within(70_000)));
    assert_eq!(tiles(256).collect::<Vec<_>>(), [hashes(0, 0, 256), hashes(1, 0, 1)]);
    assert_eq!(tiles(0).count(), 0);
}

#[test]
fn a_tile_is_served_at_every_width_that_the_size_covers_and_no_other() {
    for (path, size, within) in [
        ("tile/0/000.p/1", 1, true),
        ("tile/0/000.p/1", 0, false),
        ("tile/0/000.p/2", 1, false),
        ("tile/0/000.p/7", 300, true),
        ("tile/0/000", 255, false),
        ("tile/0/000", 256, true),
        ("tile/0/001.p/44", 300, true),
        ("tile/0/001.p/45", 300, false),
        ("tile/1/000.p/1", 255, false),
        ("tile/1/000.p/1", 256, true),
        ("tile/entries/001.p/44", 300, true),
        ("tile/entries/001.p/45", 300, false),
        ("tile/63/000.p/1", u64::MAX, false),
        ("tile/0/x018/x446/x744/x073/x709/x551/615", u64::MAX, false),
    ] {
        assert_eq!(path.parse::<Tile>().unwrap().within(size), within, "{path} at {size}");
    }
}

#[test]
fn growth_completes_each_tile_once() {
    assert_eq!(completed(0, 255).count(), 0);
    assert_eq!(completed(255, 256).collect::<Vec<_>>(), [hashes(0, 0, 256)]);
    assert_eq!(completed(65_535, 65_536).collect::<Vec<_>>(), [hashes(0, 255, 256), hashes(1, 0, 256)]);
    assert_eq!(completed(256, 600).collect::<Vec<_>>(), [hashes(0, 1, 256)]);
}

#[test]
fn bundles_give_back_their_entries_and_refuse_what_is_cut() {
    let entries: Vec<&[u8]> = vec![b"one", b"", &[7; 65_535]];
    let bytes = bundle(entries.iter().copied()).unwrap();
    assert_eq!(&bytes[..5], b"\0\x03one");
    assert_eq!(entries_of(&bytes), Some(entries));
    assert_eq!(bundle([&[7; 65_536][..]]), None);
    assert_eq!(entries_of(b""), Some(vec![]));
    for cut in [1, 2, 4, bytes.len() - 1] {
        assert_eq!(entries_of(&bytes[..cut]), None, "{cut}");
    }
    assert_eq!(entries_of(&[0; 2 * 257]), None, "more than a bundle holds");
}

/// What a store keeps: level 0 the leaves, above it what `append` gains.
fn stored(leaves: &[Digest], batch: usize) -> (Frontier, BTreeMap<u8, Vec<u8>>) {
    let mut tree = Frontier::new();
    let mut levels: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
    for batch in leaves.chunks(batch) {
        for leaf in batch {
            levels.entry(0).or_default().extend_from_slice(leaf.as_bytes());
        }
        for gain in append(&mut tree, batch.iter().copied()) {
            let level = levels.entry(gain.level).or_default();
            assert_eq!(level.len() as u64, 32 * gain.index);
            level.extend_from_slice(gain.hash.as_bytes());
        }
    }
    (tree, levels)
}

#[test]
fn proofs_are_read_through_tiles() {
    let size = 66_000;
    let leaves: Vec<Digest> = (0..size).map(|i: u64| leaf(&i.to_be_bytes())).collect();
    let (tree, levels) = stored(&leaves, 300);
    for (level, bytes) in &levels {
        assert_eq!(bytes.len() as u64 / 32, size >> (8 * u32::from(*level)));
    }
    let read = |level, index| {
        let (level, tile, places) = locate(level, index);
        let bytes = &levels[&level][tile as usize * 8192..];
        node_in(&bytes[..bytes.len().min(8192)], places).ok_or((level, tile))
    };
    for index in [0, 1, 255, 256, 40_000, 65_535, 65_536, 65_999] {
        let proof = inclusion_proof(index, size, read).unwrap().unwrap();
        assert!(verify_inclusion(&proof, &leaves[index as usize], &tree.root().unwrap()), "{index}");
    }
    assert_eq!(node_in(&[0; 32], 0..2), None);
}

proptest! {
    #[test]
    fn every_tile_has_one_path(level in 0u8..=63, index: u64, width in 1u16..=256) {
        for content in [Content::Hashes(level), Content::Entries] {
            let tile = Tile { content, index, width };
            prop_assert_eq!(tile.to_string().parse(), Ok(tile));
        }
    }

    #[test]
    fn a_path_that_is_read_is_printed_the_same(path in r"tile/(entries|[0-9]{1,2})(/x?[0-9]{3}){1,4}(\.p/[0-9]{1,3})?") {
        if let Ok(tile) = path.parse::<Tile>() {
            prop_assert_eq!(tile.to_string(), path);
        }
    }
}
