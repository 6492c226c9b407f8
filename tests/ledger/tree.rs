//! The tree: known roots, proofs against the definition of RFC 6962, and proofs that must not verify.

use proptest::prelude::*;
use sopledger::ledger::digest::Digest;
use sopledger::ledger::entry::leaf;
use sopledger::ledger::tree::{
    ConsistencyProof, Frontier, FrontierError, InclusionProof, consistency_proof, inclusion_proof, node,
    nodes_of, root_of, verify_consistency, verify_inclusion,
};

/// Leaves and roots with which Certificate Transparency's own implementations were first tested.
const INPUTS: [&[u8]; 8] = [
    b"",
    b"\0",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn some_leaves(count: usize) -> Vec<Digest> {
    (0..count).map(|i| leaf(&i.to_be_bytes())).collect()
}

/// The root as RFC 6962, 2.1 defines it.
fn defined_root(leaves: &[Digest]) -> Digest {
    if leaves.len() == 1 {
        return leaves[0];
    }
    let mut half = 1;
    while half * 2 < leaves.len() {
        half *= 2;
    }
    node(&defined_root(&leaves[..half]), &defined_root(&leaves[half..]))
}

fn included(leaves: &[Digest], index: usize) -> InclusionProof {
    let Ok(proof) = inclusion_proof(index as u64, leaves.len() as u64, nodes_of(leaves));
    proof.unwrap()
}

fn consistent(leaves: &[Digest], from: usize) -> ConsistencyProof {
    let Ok(proof) = consistency_proof(from as u64, leaves.len() as u64, nodes_of(leaves));
    proof.unwrap()
}

#[test]
fn the_known_roots_are_found_and_an_empty_tree_has_none() {
    assert_eq!(Frontier::new().root(), None);
    assert_eq!(root_of([]), None);
    let mut tree = Frontier::new();
    for (input, root) in INPUTS.iter().zip(ROOTS) {
        tree.append(leaf(input));
        assert_eq!(tree.root().unwrap().to_string(), root);
    }
}

#[test]
fn every_proof_of_every_small_tree_verifies() {
    let leaves = some_leaves(70);
    for size in 1..=leaves.len() {
        let leaves = &leaves[..size];
        let root = defined_root(leaves);
        assert_eq!(root_of(leaves.iter().copied()), Some(root));
        for index in 0..size {
            assert!(verify_inclusion(&included(leaves, index), &leaves[index], &root), "{index} in {size}");
        }
        for from in 1..=size {
            let old = defined_root(&leaves[..from]);
            assert!(verify_consistency(&consistent(leaves, from), &old, &root), "{from} to {size}");
        }
    }
}

#[test]
fn an_entry_beyond_the_tree_and_a_tree_of_nothing_have_no_proof() {
    let leaves = some_leaves(3);
    assert_eq!(inclusion_proof(3, 3, nodes_of(&leaves)), Ok(None));
    assert_eq!(inclusion_proof(0, 0, nodes_of(&leaves)), Ok(None));
    assert_eq!(consistency_proof(0, 3, nodes_of(&leaves)), Ok(None));
    assert_eq!(consistency_proof(4, 3, nodes_of(&leaves)), Ok(None));
    let root = root_of(leaves.iter().copied()).unwrap();
    let nothing = ConsistencyProof { from: 0, to: 3, path: vec![] };
    assert!(!verify_consistency(&nothing, &Digest::of(b""), &root));
    assert!(!verify_inclusion(&InclusionProof { index: 0, size: 0, path: vec![] }, &root, &root));
    assert!(!verify_consistency(&ConsistencyProof { from: 3, to: 3, path: vec![] }, &leaves[0], &root));
    assert!(!verify_consistency(&ConsistencyProof { from: 3, to: 3, path: vec![root] }, &root, &root));
}

#[test]
fn sizes_near_the_limit_of_64_bits_neither_panic_nor_verify() {
    let hash = Digest::of(b"");
    for (from, to) in [(u64::MAX, u64::MAX), (u64::MAX - 1, u64::MAX), (1 << 63, u64::MAX), (1, u64::MAX)] {
        let proof = ConsistencyProof { from, to, path: vec![hash; 70] };
        assert!(!verify_consistency(&proof, &hash, &hash));
        assert!(!verify_inclusion(
            &InclusionProof { index: from - 1, size: to, path: vec![hash; 70] },
            &hash,
            &hash
        ));
    }
}

#[test]
fn a_read_that_fails_ends_the_proof_with_its_error() {
    assert_eq!(inclusion_proof(0, 2, |_, _| Err("lost")), Err("lost"));
    assert_eq!(consistency_proof(1, 2, |_, _| Err("lost")), Err("lost"));
}

#[test]
fn a_frontier_is_stored_in_one_hash_for_each_one_of_its_size() {
    let mut tree = Frontier::new();
    tree.extend(some_leaves(300));
    let bytes = tree.to_bytes();
    assert_eq!(bytes.len(), 32 * 300_u64.count_ones() as usize);
    assert_eq!(Frontier::from_bytes(300, &bytes), Ok(tree));
    assert_eq!(Frontier::from_bytes(0, b""), Ok(Frontier::new()));
    for (size, bytes) in [(301, &bytes[..]), (300, &bytes[1..]), (300, &bytes[32..]), (0, &bytes[..32])] {
        assert_eq!(Frontier::from_bytes(size, bytes), Err(FrontierError::Length));
    }
}

#[test]
fn a_subtree_is_appended_only_where_it_is_aligned() {
    let leaves = some_leaves(1024);
    let mut tree = Frontier::new();
    for block in leaves.chunks(256) {
        tree.append_subtree(8, root_of(block.iter().copied()).unwrap()).unwrap();
    }
    assert_eq!((tree.size(), tree.root()), (1024, root_of(leaves.iter().copied())));
    tree.append(leaves[0]);
    assert_eq!(tree.append_subtree(1, leaves[0]), Err(FrontierError::Misaligned));
    assert_eq!(tree.append_subtree(64, leaves[0]), Err(FrontierError::Full));
    assert_eq!(tree.size(), 1025);
}

proptest! {
    #[test]
    fn a_corrupted_proof_of_inclusion_does_not_verify(
        size in 1usize..600, index: proptest::sample::Index, at: proptest::sample::Index, bit in 0usize..256,
    ) {
        let leaves = some_leaves(size);
        let index = index.index(size);
        let root = defined_root(&leaves);
        let good = included(&leaves, index);
        let other = leaf(b"other");
        prop_assert!(verify_inclusion(&good, &leaves[index], &root));
        prop_assert!(!verify_inclusion(&good, &other, &root));
        prop_assert!(!verify_inclusion(&good, &leaves[index], &other));
        for moved in [good.index.wrapping_sub(1), good.index + 1] {
            let moved = InclusionProof { index: moved, ..good.clone() };
            prop_assert!(!verify_inclusion(&moved, &leaves[index], &root));
        }
        for path in corrupted(&good.path, at, bit) {
            let bad = InclusionProof { path, ..good.clone() };
            prop_assert!(!verify_inclusion(&bad, &leaves[index], &root));
        }
    }

    #[test]
    fn a_corrupted_proof_of_consistency_does_not_verify(
        to in 2usize..600, from: proptest::sample::Index, at: proptest::sample::Index, bit in 0usize..256,
    ) {
        let leaves = some_leaves(to);
        let from = 1 + from.index(to - 1);
        let (old, new) = (defined_root(&leaves[..from]), defined_root(&leaves));
        let good = consistent(&leaves, from);
        let other = leaf(b"other");
        prop_assert!(verify_consistency(&good, &old, &new));
        prop_assert!(!verify_consistency(&good, &other, &new));
        prop_assert!(!verify_consistency(&good, &old, &other));
        for path in corrupted(&good.path, at, bit) {
            let bad = ConsistencyProof { path, ..good.clone() };
            prop_assert!(!verify_consistency(&bad, &old, &new));
        }
    }

    #[test]
    fn a_tree_cut_anywhere_goes_on_from_its_stored_frontier(size in 1usize..600, cut: proptest::sample::Index) {
        let leaves = some_leaves(size);
        let (head, tail) = leaves.split_at(cut.index(size));
        let mut tree = Frontier::new();
        tree.extend(head.iter().copied());
        let mut tree = Frontier::from_bytes(head.len() as u64, &tree.to_bytes()).unwrap();
        tree.extend(tail.iter().copied());
        prop_assert_eq!(tree.root(), Some(defined_root(&leaves)));
    }
}

/// The path with one bit flipped, one hash dropped, one doubled, one added at either end.
fn corrupted(path: &[Digest], at: proptest::sample::Index, bit: usize) -> Vec<Vec<Digest>> {
    let extra = leaf(b"extra");
    let mut out = vec![[&[extra], path].concat(), [path, &[extra]].concat()];
    if !path.is_empty() {
        let at = at.index(path.len());
        let mut flipped = path.to_vec();
        let mut bytes = *path[at].as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        flipped[at] = Digest::from_bytes(bytes);
        let (mut dropped, mut doubled) = (path.to_vec(), path.to_vec());
        dropped.remove(at);
        doubled.insert(at, path[at]);
        out.extend([flipped, dropped, doubled]);
    }
    out
}
