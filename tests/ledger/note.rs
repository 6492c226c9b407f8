//! Notes, checkpoints and keys: what is opened, what is ignored, what is refused.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use sopledger::ledger::digest::Digest;
use sopledger::ledger::entry::leaf;
use sopledger::ledger::key::{KeyError, LedgerKey};
use sopledger::ledger::note::{self, Checkpoint, NoteError, VerifierKey};
use sopledger::ledger::proof;
use sopledger::ledger::tree::{inclusion_proof, nodes_of, root_of};

use super::ORIGIN;

fn key(seed: u8) -> LedgerKey {
    LedgerKey::from_seed(ORIGIN, &[seed; 32]).unwrap()
}

fn checkpoint() -> Checkpoint {
    Checkpoint { origin: ORIGIN.to_owned(), size: 3, root: Digest::of(b"root") }
}

fn note() -> String {
    key(1).sign_checkpoint(3, &checkpoint().root).unwrap()
}

#[test]
fn a_checkpoint_opens_with_its_key_and_not_with_another() {
    assert_eq!(note::open_checkpoint(&note(), &[key(1).vkey()]), Ok(checkpoint()));
    assert_eq!(note::open_checkpoint(&note(), &[key(2).vkey()]), Err(NoteError::Unsigned));
    assert_eq!(note::open_checkpoint(&note(), &[]), Err(NoteError::Unsigned));
    let renamed = LedgerKey::from_seed("ledger.example.cn/other", &[1; 32]).unwrap().vkey();
    assert_eq!(note::open_checkpoint(&note(), &[renamed]), Err(NoteError::Unsigned));
}

#[test]
fn lines_of_unknown_keys_are_ignored_and_known_ones_must_verify() {
    let both = key(2).sign_also(&note()).unwrap();
    for keys in [vec![key(1).vkey()], vec![key(2).vkey()]] {
        assert_eq!(note::open(&both, &keys).unwrap().signed_by, [0]);
    }
    assert_eq!(note::open(&both, &[key(2).vkey(), key(1).vkey()]).unwrap().signed_by, [1, 0]);
    let other = key(2).sign_checkpoint(4, &checkpoint().root).unwrap();
    let line = other.rsplit_once("\n\n").unwrap().1;
    let forged = format!("{}{line}", note());
    assert_eq!(note::open_checkpoint(&forged, &[key(1).vkey()]), Ok(checkpoint()));
    assert_eq!(note::open_checkpoint(&forged, &[key(1).vkey(), key(2).vkey()]), Err(NoteError::Signature));
    let witness = format!("{}\u{2014} witness.example/w AAAAAAAAAAAAAAAA\n", note());
    assert_eq!(note::open_checkpoint(&witness, &[key(1).vkey()]), Ok(checkpoint()));
}

#[test]
fn sixteen_further_lines_are_accepted() {
    let mut many = note();
    for seed in 2..18 {
        many = key(seed).sign_also(&many).unwrap();
    }
    assert_eq!(note::open_checkpoint(&many, &[key(17).vkey()]), Ok(checkpoint()));
}

#[test]
fn any_changed_byte_of_text_or_signature_is_refused() {
    let note = note();
    for at in 0..note.len() {
        let mut bytes = note.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(forged) = String::from_utf8(bytes) else { continue };
        assert!(note::open_checkpoint(&forged, &[key(1).vkey()]).is_err(), "byte {at}");
    }
}

#[test]
fn malformed_notes_are_refused() {
    let good = note();
    let (text, line) = good.split_once("\n\n").unwrap();
    for bad in [
        String::new(),
        "\n".into(),
        "\n\n".into(),
        text.to_owned(),
        format!("{text}\n"),
        format!("{text}\n\n"),
        format!("{text}\n{line}"),
        good.trim_end().to_owned(),
        good.replace('\u{2014}', "-"),
        good.replace('\n', "\r\n"),
        format!("{good}\n"),
        format!("{good}x\n"),
        format!("{good}\u{2014} name\n"),
        format!("{good}\u{2014} name AAAA\n"),
        format!("{good}\u{2014} a+b AAAAAAAAAAAA\n"),
        format!("{good}\u{2014}  AAAAAAAAAAAA\n"),
        format!("{good}\u{2014} name AAAAAAAAAAA\n"),
        format!("\t{good}"),
        good.replace("\u{2014} ", "\u{2014}  "),
    ] {
        assert_eq!(note::open(&bad, &[key(1).vkey()]), Err(NoteError::Form), "{bad:?}");
    }
}

#[test]
fn malformed_checkpoints_are_refused() {
    let good = checkpoint().text().unwrap();
    assert_eq!(good.parse(), Ok(checkpoint()));
    let root = good.lines().nth(2).unwrap();
    for bad in [
        good.trim_end().to_owned(),
        format!("{good}extension\n"),
        format!("{good}\n"),
        format!("{ORIGIN}\n03\n{root}\n"),
        format!("{ORIGIN}\n-3\n{root}\n"),
        format!("{ORIGIN}\n3\n{}\n", &root[4..]),
        format!("{ORIGIN}\n3\n{root}AAAA\n"),
        format!("{ORIGIN}\n3\n{}\n", root.trim_end_matches('=')),
        format!("\n3\n{root}\n"),
        format!("Über\n3\n{root}\n"),
    ] {
        assert_eq!(bad.parse::<Checkpoint>(), Err(NoteError::Form), "{bad:?}");
    }
    assert_eq!(format!("{ORIGIN}\n0\n{root}\n").parse::<Checkpoint>(), Err(NoteError::Empty));
    assert_eq!(key(1).sign_checkpoint(0, &checkpoint().root), Err(NoteError::Empty));
}

#[test]
fn a_verifier_key_reads_back_what_it_prints_and_nothing_else() {
    let vkey = key(1).vkey();
    let text = vkey.to_string();
    assert_eq!(text.parse(), Ok(vkey));
    let (name, rest) = text.split_once('+').unwrap();
    let (id, public) = rest.split_once('+').unwrap();
    for bad in [
        String::new(),
        name.to_owned(),
        format!("{name}+{id}"),
        format!("{name}+{public}"),
        format!("+{id}+{public}"),
        format!("{name}+00000000+{public}"),
        format!("{name}+{}+{public}", id.to_uppercase().replace(|c: char| c.is_ascii_digit(), "A")),
        format!("{name}+{id}+{}", &public[4..]),
        format!("{name}+{id}+{public}AAAA"),
        format!("x{name}+{id}+{public}"),
        format!("{name}+{id}+B{}", &public[1..]),
    ] {
        assert!(bad.parse::<VerifierKey>().is_err(), "{bad:?}");
    }
}

#[test]
fn a_key_file_is_made_once_for_its_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.key");
    let made = LedgerKey::create(&path, ORIGIN).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(LedgerKey::load(&path, ORIGIN).unwrap().vkey(), made.vkey());
    let before = fs::read(&path).unwrap();
    assert!(matches!(LedgerKey::create(&path, ORIGIN), Err(KeyError::File(..))));
    assert_eq!(fs::read(&path).unwrap(), before, "a key is never overwritten");
    let other = LedgerKey::create(&dir.path().join("other.key"), ORIGIN).unwrap();
    assert_ne!(other.vkey(), made.vkey());
}

#[test]
fn a_key_file_open_to_others_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.key");
    LedgerKey::create(&path, ORIGIN).unwrap();
    for mode in [0o640, 0o604, 0o660, 0o644, 0o777, 0o610] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = LedgerKey::load(&path, ORIGIN).unwrap_err();
        assert!(matches!(error, KeyError::Permissions(_, found) if found == mode));
        assert!(error.to_string().contains("chmod 600"));
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(LedgerKey::load(&path, ORIGIN).is_ok());
}

#[test]
fn a_key_file_of_another_form_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.key");
    LedgerKey::create(&path, ORIGIN).unwrap();
    let hex = "0a".repeat(32);
    for text in
        ["", "\n", &hex, &format!("{hex}\n\n"), &format!("{hex}\r\n"), &format!("{hex}0\n"), &"0A".repeat(32)]
    {
        fs::write(&path, text).unwrap();
        assert!(matches!(LedgerKey::load(&path, ORIGIN), Err(KeyError::Content(_))), "{text:?}");
    }
    assert!(matches!(LedgerKey::load(&dir.path().join("none"), ORIGIN), Err(KeyError::File(..))));
    assert!(matches!(LedgerKey::from_seed("a name", &[0; 32]), Err(KeyError::Name)));
}

#[test]
fn a_key_printed_for_debugging_does_not_show_its_seed() {
    let text = format!("{:?} {:#?}", key(0xab), key(0xab));
    assert!(text.contains(ORIGIN));
    for seed in ["abab", "ABAB", "171, 171"] {
        assert!(!text.contains(seed), "{text}");
    }
}

#[test]
fn the_proof_of_an_entry_is_one_text_that_an_outsider_checks_with_the_key_alone() {
    let leaves: Vec<Digest> = (0..9_u8).map(|i| leaf(&[i])).collect();
    let root = root_of(leaves.iter().copied()).unwrap();
    let note = key(1).sign_checkpoint(9, &root).unwrap();
    let Ok(proof) = inclusion_proof(6, 9, nodes_of(&leaves));
    let proof = proof.unwrap();
    let text = proof::render(&proof, &note);
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nindex 6\n"));
    let keys = [key(1).vkey()];
    let (index, checkpoint) = proof::verify(&text, &leaves[6], &keys).unwrap();
    assert_eq!((index, checkpoint.size, checkpoint.root), (6, 9, root));
    assert_eq!(proof::verify(&text, &leaves[5], &keys), Err(NoteError::Proof));
    assert_eq!(proof::verify(&text, &leaves[6], &[key(2).vkey()]), Err(NoteError::Unsigned));
    let moved = text.replace("index 6", "index 7");
    assert_eq!(proof::verify(&moved, &leaves[6], &keys), Err(NoteError::Proof));
    for bad in ["index 06", "index", "index -6", "extra x"] {
        assert_eq!(
            proof::verify(&text.replace("index 6", bad), &leaves[6], &keys),
            Err(NoteError::Form),
            "{bad}"
        );
    }
    let extra = text.replace("index 6", "extra AAAA\nindex 6");
    assert!(proof::verify(&extra, &leaves[6], &keys).is_ok());
    let alone = key(1).sign_checkpoint(1, &leaves[0]).unwrap();
    let Ok(only) = inclusion_proof(0, 1, nodes_of(&leaves[..1]));
    assert!(proof::verify(&proof::render(&only.unwrap(), &alone), &leaves[0], &keys).is_ok());
}
