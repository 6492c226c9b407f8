//! The chain pass: whatever is done to a chain is found, named by entry, alike on one thread and on several.

use std::convert::Infallible;
use std::num::NonZeroUsize;

use proptest::prelude::*;
use sopledger::ledger::chain::{self, ChainVerifier, Fault, Row, body_index};
use sopledger::ledger::digest::Digest;
use sopledger::ledger::entry::{self, EntryHead, build, leaf};
use sopledger::ledger::parallel::{MAX_FAULTS, Record, Verified, verify_batches};
use sopledger::ledger::tree::{Frontier, root_of};

use super::{ORIGIN, leaves, sound_chain};

type Rows = Vec<(u64, Vec<u8>, Option<Digest>)>;

/// Rows as a store holds them, with the leaf beside each.
fn rows(chain: &[Vec<u8>]) -> Rows {
    chain.iter().zip(0..).map(|(bytes, seq)| (seq, bytes.clone(), Some(leaf(bytes)))).collect()
}

fn renumbered(chain: &[Vec<u8>]) -> Rows {
    chain.iter().zip(0..).map(|(bytes, seq)| (seq, bytes.clone(), None)).collect()
}

fn sequential(start: &ChainVerifier, rows: &Rows) -> (Vec<Fault>, u64, Option<Digest>) {
    let mut chain = start.clone();
    let mut faults = Vec::new();
    for (seq, entry, leaf) in rows {
        let step = chain.push(Row { seq: *seq, entry, leaf: *leaf });
        faults.extend(step.faults);
        if let Some(entry) = step.entry {
            body_index(*seq, &entry, &mut faults);
        }
    }
    (faults, chain.size(), chain.root())
}

fn parallel(start: &ChainVerifier, rows: &Rows, workers: usize) -> Verified {
    let records = rows
        .iter()
        .cloned()
        .map(|(seq, entry, leaf)| Ok(Record { seq, entry: entry.into(), leaf, columns: () }));
    let inspect = |record: &Record<'_, ()>, entry: &entry::Entry<'_>, faults: &mut Vec<Fault>| {
        body_index(record.seq, entry, faults);
    };
    let Ok(verified) = verify_batches::<(), Infallible>(
        start.clone(),
        NonZeroUsize::new(workers).unwrap(),
        records,
        inspect,
    );
    verified
}

/// The faults, after both passes have agreed.
fn verdict(rows: &Rows) -> (Vec<Fault>, u64, Option<Digest>) {
    let start = ChainVerifier::new(ORIGIN);
    let one = sequential(&start, rows);
    let many = parallel(&start, rows, 3);
    assert_eq!((&one.0, one.1, one.2), (&many.faults, many.chain.size(), many.chain.root()));
    assert_eq!((many.faults_total, many.entries), (one.0.len() as u64, rows.len() as u64));
    one
}

fn named(faults: &[Fault]) -> Vec<(&'static str, u64)> {
    faults.iter().map(|fault| (fault.check, fault.seq)).collect()
}

#[test]
fn a_sound_chain_of_any_length_has_no_fault_and_the_root_of_its_leaves() {
    for length in [0, 1, 2, 255, 256, 257, 511, 512, 700] {
        let chain = sound_chain(length);
        let (faults, size, root) = verdict(&rows(&chain));
        assert_eq!((faults, size, root), (vec![], length, root_of(leaves(&chain))), "{length}");
    }
}

#[test]
fn a_pass_goes_on_from_any_entry_of_a_verified_tree() {
    let chain = sound_chain(900);
    let leaves = leaves(&chain);
    for cut in [1, 255, 256, 257, 600, 899, 900] {
        let mut tree = Frontier::new();
        tree.extend(leaves[..cut].iter().copied());
        let before = entry::parse(&chain[cut - 1]).unwrap().head;
        let start = ChainVerifier::resume(ORIGIN, tree, leaves[cut - 1], Some(before.ts));
        let rest = rows(&chain).split_off(cut);
        let root = root_of(leaves.iter().copied());
        assert_eq!(sequential(&start, &rest), (vec![], 900, root));
        let many = parallel(&start, &rest, 2);
        assert_eq!((many.faults, many.chain.size(), many.chain.root()), (vec![], 900, root));
    }
}

#[test]
fn a_resumed_pass_sees_a_first_row_that_does_not_follow() {
    let chain = sound_chain(6);
    let leaves = leaves(&chain);
    let mut tree = Frontier::new();
    tree.extend(leaves[..3].iter().copied());
    let start = ChainVerifier::resume(ORIGIN, tree.clone(), leaves[0], None);
    assert_eq!(named(&sequential(&start, &rows(&chain).split_off(3)).0), [(chain::LINK, 2)]);
    let start = ChainVerifier::resume(ORIGIN, tree, leaves[2], Some("2027-01-01T00:00:00.000000Z"));
    assert_eq!(named(&parallel(&start, &rows(&chain).split_off(3), 2).faults), [(chain::TIME, 3)]);
}

#[test]
fn each_fault_is_named_by_its_entry_and_the_others_are_not_accused() {
    let chain = sound_chain(600);
    let good = EntryHead { origin: ORIGIN, seq: 5, prev: leaf(&chain[4]), ts: "2026-01-02T03:04:05.000003Z" };
    let other = build(&EntryHead { origin: "other.example/log", ..good }, b"{}").unwrap();
    let late = build(&EntryHead { ts: "2027-01-01T00:00:00.000000Z", ..good }, b"{}").unwrap();
    let unsorted = String::from_utf8(chain[5].clone()).unwrap().replace("\"act\"", "\"zzz\"").into_bytes();
    for (bytes, own, next) in [
        (chain[6].clone(), vec![(chain::SEQ, 5), (chain::LINK, 5)], vec![]),
        (other, vec![(chain::ORIGIN, 5)], vec![]),
        (late, vec![], vec![(chain::TIME, 6)]),
        (unsorted, vec![(chain::PROFILE, 5)], vec![]),
        (b"not an entry".to_vec(), vec![(chain::FORM, 5)], vec![]),
    ] {
        let mut forged = rows(&chain);
        forged[5].1 = bytes;
        let (faults, _, root) = verdict(&forged);
        let expected = [vec![(chain::LEAF, 5)], own, vec![(chain::LINK, 5)], next].concat();
        assert_eq!(named(&faults), expected);
        assert_ne!(root, root_of(leaves(&chain)));
    }
}

#[test]
fn every_one_of_several_changed_entries_is_named() {
    let mut forged = sound_chain(800);
    for seq in [3, 4, 255, 256, 511, 700] {
        let text = String::from_utf8(forged[seq].clone()).unwrap();
        forged[seq] = text.replace("imported", "deleted").into_bytes();
    }
    let (faults, ..) = verdict(&renumbered(&forged));
    assert_eq!(named(&faults), [3, 4, 255, 256, 511, 700].map(|seq| (chain::LINK, seq)));
}

#[test]
fn a_stored_leaf_tells_that_the_later_of_two_entries_was_changed() {
    let mut forged = rows(&sound_chain(10));
    let text = String::from_utf8(forged[6].1.clone()).unwrap();
    let prev = leaf(&forged[5].1).to_string();
    forged[6].1 = text.replace(&prev, &"1".repeat(64)).into_bytes();
    let (faults, ..) = verdict(&forged);
    assert_eq!(named(&faults), [(chain::LEAF, 6), (chain::LINK, 6), (chain::LINK, 6)]);
}

#[test]
fn missing_and_repeated_entries_are_named_and_leave_no_root() {
    for missing in [0..1, 3..4, 255..256, 256..257, 250..300, 0..256, 256..520] {
        let mut cut = rows(&sound_chain(600));
        cut.drain(missing.clone());
        let (faults, size, root) = verdict(&cut);
        assert_eq!(named(&faults), [(chain::MISSING, missing.start as u64)]);
        assert_eq!((size, root), (600, None));
    }
    for again in [0, 3, 255, 256, 599] {
        let mut doubled = rows(&sound_chain(600));
        doubled.insert(again, doubled[again].clone());
        let (faults, _, root) = verdict(&doubled);
        assert_eq!((named(&faults), root), (vec![(chain::ORDER, again as u64)], None));
    }
}

#[test]
fn entry_0_seals_zeros() {
    let chain = sound_chain(3);
    let text = String::from_utf8(chain[0].clone()).unwrap();
    let first = text.replace(&"0".repeat(64), &"1".repeat(64)).into_bytes();
    let (faults, ..) = verdict(&renumbered(&[first]));
    assert_eq!(named(&faults), [(chain::LINK, 0)]);
}

#[test]
fn another_ledgers_chain_is_not_this_ones() {
    let rows = rows(&sound_chain(3));
    let (faults, ..) = sequential(&ChainVerifier::new("ledger.example.cn/epoch-2"), &rows);
    assert_eq!(named(&faults), [0, 1, 2].map(|seq| (chain::ORIGIN, seq)));
}

#[test]
fn faults_beyond_the_limit_are_counted() {
    let count = MAX_FAULTS as u64 + 300;
    let rows: Rows = (0..count).map(|seq| (seq, b"garbage".to_vec(), None)).collect();
    let verified = parallel(&ChainVerifier::new(ORIGIN), &rows, 2);
    assert_eq!((verified.faults.len(), verified.faults_total), (MAX_FAULTS, count));
}

#[test]
fn a_row_that_cannot_be_read_ends_the_pass_with_its_error() {
    let records = (0..1000).map(|seq| match seq {
        700 => Err("disk"),
        seq => Ok(Record { seq, entry: vec![].into(), leaf: None, columns: () }),
    });
    let two = NonZeroUsize::new(2).unwrap();
    assert_eq!(verify_batches(ChainVerifier::new(ORIGIN), two, records, |_, _, _| {}).err(), Some("disk"));
}

#[test]
#[should_panic(expected = "columns differ")]
fn a_panic_while_inspecting_reaches_the_caller() {
    let records = rows(&sound_chain(600)).into_iter();
    let records = records.map(|(seq, entry, leaf)| {
        Ok::<_, Infallible>(Record { seq, entry: entry.into(), leaf, columns: seq })
    });
    let inspect = |record: &Record<'_, u64>, _: &entry::Entry<'_>, _: &mut Vec<Fault>| {
        assert!(record.columns != 300, "columns differ");
    };
    let _ = verify_batches(ChainVerifier::new(ORIGIN), NonZeroUsize::new(2).unwrap(), records, inspect);
}

#[derive(Debug, Clone)]
enum Tampering {
    Edit(proptest::sample::Index, proptest::sample::Index, u8),
    Drop(proptest::sample::Index),
    Swap(proptest::sample::Index, proptest::sample::Index),
    Insert(proptest::sample::Index, proptest::sample::Index),
    Truncate(proptest::sample::Index),
    Cut(proptest::sample::Index, proptest::sample::Index),
}

fn tampering() -> impl Strategy<Value = Tampering> {
    use Tampering::{Cut, Drop, Edit, Insert, Swap, Truncate};
    let at = any::<proptest::sample::Index>;
    prop_oneof![
        (at(), at(), any::<u8>()).prop_map(|(i, j, byte)| Edit(i, j, byte)),
        at().prop_map(Drop),
        (at(), at()).prop_map(|(i, j)| Swap(i, j)),
        (at(), at()).prop_map(|(i, j)| Insert(i, j)),
        at().prop_map(Truncate),
        (at(), at()).prop_map(|(i, j)| Cut(i, j)),
    ]
}

fn tampered(chain: &[Vec<u8>], how: &Tampering) -> Vec<Vec<u8>> {
    let mut out = chain.to_vec();
    let count = out.len();
    match how {
        Tampering::Edit(entry, at, byte) => {
            let entry = &mut out[entry.index(count)];
            let at = at.index(entry.len());
            entry[at] = *byte;
        }
        Tampering::Drop(entry) => drop(out.remove(entry.index(count))),
        Tampering::Swap(one, other) => out.swap(one.index(count), other.index(count)),
        Tampering::Insert(what, at) => {
            let what = out[what.index(count)].clone();
            out.insert(at.index(count + 1), what);
        }
        Tampering::Truncate(to) => out.truncate(to.index(count)),
        Tampering::Cut(entry, at) => {
            let entry = &mut out[entry.index(count)];
            entry.truncate(at.index(entry.len()));
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Against the signed size and root nothing passes; but for the tail, the chain alone shows it.
    #[test]
    fn whatever_is_done_to_a_chain_is_found(length in 1u64..40, how in tampering(), by_itself: bool) {
        let chain = sound_chain(length);
        let forged = tampered(&chain, &how);
        prop_assume!(forged != chain);
        let rows = if by_itself { renumbered(&forged) } else { rows(&forged) };
        let (faults, size, root) = verdict(&rows);
        prop_assert!(!faults.is_empty() || size != length || root != root_of(leaves(&chain)));
        let inner = forged.iter().zip(&chain).take(chain.len() - 1).any(|(forged, true_one)| forged != true_one);
        prop_assert!(!inner || !faults.is_empty());
    }

    #[test]
    fn an_edited_entry_is_named_unless_it_is_the_last(
        length in 2u64..40, entry: proptest::sample::Index, at: proptest::sample::Index, byte: u8, kept: bool,
    ) {
        let chain = sound_chain(length);
        let edited = entry.index(chain.len() - 1);
        let mut rows = if kept { rows(&chain) } else { renumbered(&chain) };
        let at = at.index(chain[edited].len());
        prop_assume!(chain[edited][at] != byte);
        rows[edited].1[at] = byte;
        let (faults, ..) = verdict(&rows);
        prop_assert!(faults.iter().any(|fault| fault.seq == edited as u64), "{:?}", faults);
    }
}
