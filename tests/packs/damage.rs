//! Damaged packs: by accident, and by somebody who knows the form.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Files, bytes_of, files_of, made, ours, packed, pythons, some_subjects};
use crate::house::House;

/// A change to a pack's files by somebody who makes list and seal fit, and the fault that both must find.
type Case = (&'static str, fn(&mut Files), &'static str);

fn named(files: &Files, prefix: &str, ending: &str) -> String {
    let fits = |file: &&String| file.starts_with(prefix) && file.ends_with(ending);
    files.keys().find(fits).unwrap_or_else(|| panic!("no {prefix}…{ending}")).clone()
}

fn edit(files: &mut Files, prefix: &str, ending: &str, change: impl Fn(&mut Vec<u8>)) {
    let name = named(files, prefix, ending);
    change(files.get_mut(&name).unwrap());
}

fn drop_one(files: &mut Files, prefix: &str, ending: &str) {
    let name = named(files, prefix, ending);
    files.remove(&name);
}

#[allow(clippy::ptr_arg, reason = "one of several changes to a file, and others change its length")]
fn flip(bytes: &mut Vec<u8>) {
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
}

/// Takes out a subject's middle entry with its proof.
fn middle_entry(files: &mut Files) {
    let about = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains("\"id\":\"SOP-CS-005/1.0\"");
    let mut entries: Vec<u64> = files
        .iter()
        .filter(|(name, bytes)| name.starts_with("entries/") && about(bytes))
        .map(|(name, _)| name["entries/".len()..].strip_suffix(".entry").unwrap().parse().unwrap())
        .collect();
    entries.sort_unstable();
    let middle = entries[1];
    files.remove(&format!("entries/{middle}.entry"));
    files.remove(&format!("proofs/{middle}.tlog-proof"));
}

const CASES: &[Case] = &[
    (
        "an entry is changed",
        |f| {
            edit(f, "entries/", ".entry", |b| {
                let text = String::from_utf8(b.clone()).unwrap().replacen("\"act\":\"", "\"act\":\"x", 1);
                *b = text.into_bytes();
            })
        },
        "proof.path",
    ),
    (
        "a proof is changed",
        |f| edit(f, "proofs/", "", |b| b[40] = if b[40] == b'A' { b'B' } else { b'A' }),
        "proof",
    ),
    ("a proof is taken out", |f| drop_one(f, "proofs/", ""), "proof.missing"),
    ("an entry is taken out", middle_entry, "subject.chain"),
    (
        "the checkpoint is changed",
        |f| {
            edit(f, "checkpoint", "", |b| {
                let at = b.iter().rposition(|byte| *byte == b' ').unwrap() + 20;
                b[at] = if b[at] == b'A' { b'B' } else { b'A' };
            })
        },
        "checkpoint.signature",
    ),
    (
        "the checkpoint is another's",
        |f| edit(f, "checkpoint", "", |b| *b = b"none\n".to_vec()),
        "checkpoint.form",
    ),
    ("the key is none", |f| edit(f, "key", "", |b| *b = b"\xff\n".to_vec()), "key.form"),
    ("a snapshot is changed", |f| edit(f, "content/", "", flip), "content.differs"),
    ("a snapshot is taken out", |f| drop_one(f, "content/", ""), "content.missing"),
    (
        "content is smuggled in",
        |f| _ = f.insert(format!("content/aa/{}", "a".repeat(64)), b"x".to_vec()),
        "content.alone",
    ),
    ("a record is changed", |f| edit(f, "records/deviation/", "", flip), "record.differs"),
    ("a record is taken out", |f| drop_one(f, "records/order/", ""), "record.missing"),
    (
        "a record is smuggled in",
        |f| _ = f.insert("records/order/9.json".into(), b"{}".to_vec()),
        "record.alone",
    ),
    ("a text is changed", |f| edit(f, "documents/", ".md", flip), "document.differs"),
    (
        "a signature is changed",
        |f| {
            edit(f, "documents/", "signatures.json", |b| {
                *b = String::from_utf8(b.clone()).unwrap().replacen("approved", "reviewed", 1).into_bytes();
            })
        },
        "document.differs",
    ),
    (
        "a name is changed",
        |f| {
            edit(f, "sealed/", "", |b| {
                let mut told: Value = serde_json::from_slice(b).unwrap();
                let first = told.as_object().unwrap().keys().next().unwrap().clone();
                told[first]["value"] = json!("somebody else");
                *b = told.to_string().into_bytes();
            })
        },
        "sealed.value",
    ),
    ("sealed values are no JSON", |f| edit(f, "sealed/", "", |b| *b = b"{".to_vec()), "sealed.form"),
    (
        "sealed values nest without end",
        |f| edit(f, "sealed/", "", |b| *b = b"[".repeat(100_000)),
        "sealed.form",
    ),
    (
        "sealed values belong to nothing",
        |f| _ = f.insert("sealed/1.json".into(), b"{}".to_vec()),
        "sealed.alone",
    ),
    ("an entry is no text", |f| edit(f, "entries/", ".entry", |b| *b = vec![0xff; 300]), "entry.form"),
    ("an entry is empty", |f| edit(f, "entries/", ".entry", Vec::clear), "entry.form"),
    ("a stranger's file", |f| _ = f.insert("setup.exe".into(), vec![]), "file.unknown"),
    ("an entry that is named otherwise", |f| _ = f.insert("entries/01.entry".into(), vec![]), "file.unknown"),
];

/// The files as they are have no fault; changed, the one that is named, and the same by our check and by Python.
fn each_is_found_by_both(files: &Files, cases: &[Case]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack.zip");
    std::fs::write(&path, packed(files.clone())).unwrap();
    assert_eq!(ours(&path), BTreeSet::new());
    for (case, change, check) in cases {
        let mut changed = files.clone();
        change(&mut changed);
        std::fs::write(&path, packed(changed)).unwrap();
        let found = ours(&path);
        assert!(found.iter().any(|(name, _)| name.starts_with(check)), "{case}: {found:?}");
        if let Some((report, theirs)) = pythons(&path) {
            assert_eq!(theirs, found, "{case}: {report}");
        }
    }
}

#[test]
fn what_is_changed_by_somebody_who_knows_the_form_is_found_by_both_in_the_same_file() {
    let house = House::demo_on_sqlite();
    let qa = house.person("qa");
    let [deviation, order] = some_subjects(&qa);
    let made = made(&qa, json!({ "subjects": ["document/SOP-CS-005", deviation, order] }));
    let files = files_of(&bytes_of(&house, &made));
    each_is_found_by_both(&files, CASES);
}

#[test]
fn a_whole_ledger_with_anything_changed_is_found_by_both() {
    let house = House::sqlite();
    let made = made(&house.person("qa"), json!({ "full": true }));
    let files = files_of(&bytes_of(&house, &made));
    let cases: &[Case] = &[
        ("an entry", |f| edit(f, "tile/entries/", "", |b| *b.last_mut().unwrap() ^= 1), "tree.root"),
        ("a hash", |f| edit(f, "tile/0/", "", flip), "tile.differs"),
        ("a bundle gone", |f| drop_one(f, "tile/entries/", ""), "tile.missing"),
        ("a tile gone", |f| drop_one(f, "tile/0/", ""), "tile.missing"),
        ("a bundle that ends within", |f| edit(f, "tile/entries/", "", |b| _ = b.pop()), "tile.form"),
        ("a tile too many", |f| _ = f.insert("tile/3/000".into(), vec![0; 32]), "file.unknown"),
        (
            "a size without end",
            |f| {
                edit(f, "checkpoint", "", |b| {
                    let text = String::from_utf8(b.clone()).unwrap();
                    let (origin, rest) = text.split_once('\n').unwrap();
                    let (_, rest) = rest.split_once('\n').unwrap();
                    *b = format!("{origin}\n999999999999999999\n{rest}").into_bytes();
                })
            },
            "tile.missing",
        ),
        ("an entry beside the tiles", |f| _ = f.insert("entries/0.entry".into(), vec![]), "file.unknown"),
    ];
    each_is_found_by_both(&files, cases);
}

/// A small pack: one account's entries.
fn small(house: &House) -> Vec<u8> {
    let subject = format!("account/{}", house.id("erp"));
    bytes_of(house, &made(&house.person("qa"), json!({ "subjects": [subject] })))
}

#[test]
fn every_byte_of_a_small_pack_flipped_once_is_found() {
    let house = House::sqlite();
    let bytes = small(&house);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack.zip");
    let every: usize = std::env::var("SOPLEDGER_TESTS_EVERY").map_or(23, |text| text.parse().unwrap());
    let (mut flipped, mut named) = (0, 0);
    for at in (0..bytes.len()).step_by(every) {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        std::fs::write(&path, &changed).unwrap();
        let found = ours(&path);
        assert!(!found.is_empty(), "byte {at} of {}", bytes.len());
        flipped += 1;
        named += usize::from(found.iter().any(|(_, file)| !file.is_empty()));
    }
    // What lies in no file, headers and the zip's own directory, has no file to name.
    assert!(named * 2 > flipped, "{named} of {flipped} name a file");
}

#[test]
fn python_finds_flipped_bytes_too_and_never_stumbles() {
    let house = House::sqlite();
    let bytes = small(&house);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack.zip");
    let some = 60;
    let end = bytes.len() - 400;
    // All over the file, and its last bytes, where the zip's directory is.
    let places = (0..some).map(|n| n * end / some).chain((end..bytes.len()).step_by(9));
    for at in places {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        std::fs::write(&path, &changed).unwrap();
        let Some((report, found)) = pythons(&path) else { return };
        assert!(!found.is_empty(), "byte {at} of {}: {report}", bytes.len());
    }
    for length in [0, 1, 63, 64, 100, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..length]).unwrap();
        assert!(!ours(&path).is_empty(), "cut to {length}");
        let Some((_, found)) = pythons(&path) else { return };
        assert!(!found.is_empty(), "cut to {length}");
    }
}
