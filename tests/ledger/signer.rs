//! The signer: it signs extensions of what it signed and nothing else, whatever becomes of the database.

use std::fs;
use std::path::Path;

use sopledger::ledger::digest::Digest;
use sopledger::ledger::entry::leaf;
use sopledger::ledger::key::LedgerKey;
use sopledger::ledger::note::{self, NoteError};
use sopledger::ledger::signer::{Head, SignerRefusal, SignerState};
use sopledger::ledger::tree::{consistency_proof, nodes_of, root_of};
use tempfile::TempDir;

use super::ORIGIN;

fn leaves(salt: u8) -> Vec<Digest> {
    (0..20).map(|i| leaf(&[salt, i])).collect()
}

fn head(leaves: &[Digest]) -> Head {
    Head { size: leaves.len() as u64, root: root_of(leaves.iter().copied()).unwrap() }
}

fn proof(leaves: &[Digest], from: u64) -> Vec<Digest> {
    let Ok(proof) = consistency_proof(from, leaves.len() as u64, nodes_of(leaves));
    proof.unwrap().path
}

fn keys() -> Vec<LedgerKey> {
    vec![LedgerKey::from_seed(ORIGIN, &[1; 32]).unwrap()]
}

/// A signer that has signed ten entries.
fn signed_ten() -> (TempDir, SignerState, String) {
    let dir = tempfile::tempdir().unwrap();
    let mut state = SignerState::create(&dir.path().join("state")).unwrap();
    let note = state.extend(&keys(), head(&leaves(0)[..10]), &[]).unwrap();
    (dir, state, note)
}

fn reloaded(dir: &TempDir) -> SignerState {
    SignerState::load(&dir.path().join("state")).unwrap()
}

#[test]
fn a_proven_extension_is_signed_and_outlives_the_process() {
    let (dir, mut state, _) = signed_ten();
    let all = leaves(0);
    let note = state.extend(&keys(), head(&all), &proof(&all, 10)).unwrap();
    let checkpoint = note::open_checkpoint(&note, &[keys()[0].vkey()]).unwrap();
    assert_eq!((checkpoint.size, checkpoint.root), (20, head(&all).root));
    let kept = reloaded(&dir);
    assert_eq!(kept.last(ORIGIN).unwrap().note, note);
    assert_eq!(kept.last(ORIGIN).unwrap().checkpoint, checkpoint);
    assert_eq!(kept.last("other.example/log"), None);
}

#[test]
fn the_same_head_returns_the_same_note() {
    let (_dir, mut state, note) = signed_ten();
    assert_eq!(state.extend(&keys(), head(&leaves(0)[..10]), &[]).unwrap(), note);
}

#[test]
fn what_is_no_extension_is_refused_and_changes_nothing() {
    let (dir, mut state, note) = signed_ten();
    let (all, other) = (leaves(0), leaves(9));
    let refusal = state.extend(&keys(), head(&all[..9]), &[]).unwrap_err();
    assert!(matches!(refusal, SignerRefusal::Smaller { signed: 10, asked: 9 }));
    let refusal = state.extend(&keys(), head(&other[..10]), &[]).unwrap_err();
    assert!(matches!(refusal, SignerRefusal::Different { size: 10, .. }));
    for unproven in [vec![], proof(&other, 10), proof(&all, 9), proof(&all[..19], 10)] {
        let refusal = state.extend(&keys(), head(&all), &unproven).unwrap_err();
        assert!(matches!(refusal, SignerRefusal::Unproven { signed: 10, asked: 20 }));
    }
    let refusal = state.extend(&keys(), head(&other), &proof(&other, 10)).unwrap_err();
    assert!(matches!(refusal, SignerRefusal::Unproven { .. }), "a rewritten ledger proves only itself");
    assert_eq!(state.last(ORIGIN).unwrap().note, note);
    assert_eq!(reloaded(&dir).last(ORIGIN).unwrap().note, note);
}

#[test]
fn an_empty_ledger_and_a_signer_without_key_sign_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut state = SignerState::create(&dir.path().join("state")).unwrap();
    let empty = Head { size: 0, root: Digest::of(b"") };
    assert!(matches!(state.extend(&keys(), empty, &[]), Err(SignerRefusal::Note(NoteError::Empty))));
    assert!(matches!(
        state.extend(&[], head(&leaves(0)), &[]),
        Err(SignerRefusal::Note(NoteError::Unsigned))
    ));
    let mixed = [keys().remove(0), LedgerKey::from_seed("other.example/log", &[1; 32]).unwrap()];
    assert!(matches!(state.extend(&mixed, head(&leaves(0)), &[]), Err(SignerRefusal::Note(NoteError::Name))));
    assert_eq!(reloaded(&dir).all().count(), 0);
}

#[test]
fn a_rotation_signs_with_both_keys() {
    let (_dir, mut state, _) = signed_ten();
    let both = [keys().remove(0), LedgerKey::from_seed(ORIGIN, &[2; 32]).unwrap()];
    let all = leaves(0);
    let note = state.extend(&both, head(&all), &proof(&all, 10)).unwrap();
    for key in both {
        assert_eq!(note::open_checkpoint(&note, &[key.vkey()]).unwrap().size, 20);
    }
}

#[test]
fn each_epoch_has_its_own_last_note() {
    let (dir, mut state, first) = signed_ten();
    let epoch = [LedgerKey::from_seed("ledger.example.cn/main/epoch-2", &[2; 32]).unwrap()];
    state.extend(&epoch, head(&leaves(7)[..1]), &[]).unwrap();
    let kept = reloaded(&dir);
    assert_eq!(kept.last(ORIGIN).unwrap().note, first);
    assert_eq!(kept.last("ledger.example.cn/main/epoch-2").unwrap().checkpoint.size, 1);
    assert_eq!(kept.all().count(), 2);
}

#[test]
fn two_processes_with_one_file_see_each_others_notes() {
    let (dir, mut first, _) = signed_ten();
    let mut second = reloaded(&dir);
    let all = leaves(0);
    first.extend(&keys(), head(&all[..15]), &proof(&all[..15], 10)).unwrap();
    let refusal = second.extend(&keys(), head(&all[..12]), &proof(&all[..12], 10)).unwrap_err();
    assert!(matches!(refusal, SignerRefusal::Smaller { signed: 15, asked: 12 }));
    second.extend(&keys(), head(&all), &proof(&all, 15)).unwrap();
    assert_eq!(reloaded(&dir).last(ORIGIN).unwrap().checkpoint.size, 20);
}

#[test]
fn another_nodes_note_is_adopted_under_the_same_rules() {
    let (_here, mut here, _) = signed_ten();
    let (_there, mut there, ten) = signed_ten();
    let all = leaves(0);
    let twenty = there.extend(&keys(), head(&all), &proof(&all, 10)).unwrap();
    let vkeys = [keys()[0].vkey()];
    assert!(matches!(
        here.adopt(&twenty, &[], &proof(&all, 10)),
        Err(SignerRefusal::Note(NoteError::Unsigned))
    ));
    assert!(matches!(here.adopt(&twenty, &vkeys, &[]), Err(SignerRefusal::Unproven { .. })));
    here.adopt(&twenty, &vkeys, &proof(&all, 10)).unwrap();
    here.adopt(&twenty, &vkeys, &[]).unwrap();
    assert_eq!(here.last(ORIGIN).unwrap().note, twenty);
    assert!(matches!(here.adopt(&ten, &vkeys, &[]), Err(SignerRefusal::Smaller { signed: 20, asked: 10 })));
}

#[test]
fn a_lost_state_is_told_from_a_new_one_and_never_overwritten() {
    let (dir, state, _) = signed_ten();
    let path = dir.path().join("state");
    assert!(matches!(SignerState::create(&path), Err(SignerRefusal::Exists(_))));
    assert_eq!(reloaded(&dir).all().count(), 1);
    fs::remove_file(&path).unwrap();
    assert!(matches!(SignerState::load(&path), Err(SignerRefusal::Missing(_))));
    let mut state = state;
    let refusal = state.extend(&keys(), head(&leaves(0)), &proof(&leaves(0), 10)).unwrap_err();
    assert!(matches!(refusal, SignerRefusal::Missing(_)));
}

#[test]
fn a_state_file_that_is_none_is_refused() {
    let (dir, ..) = signed_ten();
    let path = dir.path().join("state");
    let good = fs::read_to_string(&path).unwrap();
    for bad in [
        String::new(),
        "{}".into(),
        r#"{"notes":[],"v":2}"#.into(),
        good.replace("\"v\":1", "\"v\": 1"),
        good.replace(ORIGIN, "UPPER"),
        good[..good.len() / 2].to_owned(),
        good.replacen("\"origin\":\"ledger", "\"origin\":\"other", 1),
    ] {
        fs::write(&path, &bad).unwrap();
        assert!(matches!(SignerState::load(&path), Err(SignerRefusal::Content(_))), "{bad}");
    }
}

#[test]
fn a_state_that_cannot_be_written_signs_nothing() {
    let (dir, mut state, note) = signed_ten();
    // A folder that is away stops it, also for root.
    let away = dir.path().with_extension("away");
    fs::rename(dir.path(), &away).unwrap();
    let all = leaves(0);
    let refusal = state.extend(&keys(), head(&all), &proof(&all, 10)).unwrap_err();
    assert!(matches!(refusal, SignerRefusal::File(..)));
    assert_eq!(state.last(ORIGIN).unwrap().note, note);
    fs::rename(&away, dir.path()).unwrap();
    assert!(Path::new(&dir.path().join("state")).exists());
    assert!(state.extend(&keys(), head(&all), &proof(&all, 10)).is_ok());
}
