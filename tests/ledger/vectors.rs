//! The published test vectors of the byte format, section 8.

use serde_json::json;
use sopledger::ledger::canon;
use sopledger::ledger::chain::{ChainVerifier, Row, body_index};
use sopledger::ledger::digest::Digest;
use sopledger::ledger::entry::{self, EntryHead};
use sopledger::ledger::key::LedgerKey;
use sopledger::ledger::note;
use sopledger::ledger::sealed::commitment;
use sopledger::ledger::tree::root_of;

use super::ORIGIN;

const SEALED: &str = "bf01a09afd00fa680955f3061863466a143ab6d0e78070bfcb37249fd396743c";
const LEAVES: [&str; 3] = [
    "89a5240d2493905128cbeb553d3074b8fb168b7a081f5908f9b75631c9c1a640",
    "6d8fc10bc069b07aa586bb4d6dc3f6e1682e4f424a6677455b3eb73e7d924555",
    "5b5fc62e54ba10df2f40f5525b70ec273f736293220085b29e38cf7c2f785b0b",
];
const ROOT_2: &str = "ccecb38761596881415d0ba9ec69136b1b6dd0621fee0bec47424480ee4b8cda";
const ROOT_3: &str = "8267af7ef43ca8d9d52af3f241fd291e4c365e106da37b09f69dd2fa539e10c5";
const VKEY: &str = "ledger.example.cn/main+dc044419+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
const NOTE: &str = "ledger.example.cn/main
3
gmevfvQ8qNnVKvPyQf0pHkw2XhBto3sJ9p3S+lOeEMU=

\u{2014} ledger.example.cn/main 3AREGWz+6LfCwGDgqFlZti2B067aOnGNoP1yG2fRGr1FSMdek+phQaGSmCiMMS9Yw35MCnANFOgnMMc2gXsr42GJ2As=
";

fn counting() -> [u8; 32] {
    std::array::from_fn(|i| i as u8)
}

fn entries() -> Vec<Vec<u8>> {
    let bodies = [
        json!({"act": "ledger.created", "alg": "sha-256"}),
        json!({"reason": "周期审查", "pre": null, "post": "ab".repeat(32),
            "obj": {"prev": null, "n": 1, "kind": "document", "id": "SOP-CS-001/2.0"},
            "actor": {"role": "author", "id": "u-17"}, "act": "document.version.created"}),
        json!({"act": "document.version.approved", "actor": {"id": "u-18", "role": "qa"},
            "obj": {"kind": "document", "id": "SOP-CS-001/2.0", "n": 2, "prev": 1},
            "pre": "ab".repeat(32), "post": "cd".repeat(32),
            "sig": {"meaning": "approved", "digest": "ef".repeat(32), "method": "password"},
            "sealed": {"signer_name": SEALED}}),
    ];
    let instants =
        ["2026-01-02T03:04:05.000000Z", "2026-01-02T03:04:06.000001Z", "2026-01-02T03:04:06.000001Z"];
    let mut prev = Digest::ZERO;
    let mut out = Vec::new();
    for (seq, (body, ts)) in bodies.iter().zip(instants).enumerate() {
        let head = EntryHead { origin: ORIGIN, seq: seq as u64, prev, ts };
        let bytes = entry::build(&head, &canon::to_bytes(body).unwrap()).unwrap();
        prev = entry::leaf(&bytes);
        out.push(bytes);
    }
    out
}

#[test]
fn the_three_entries_have_the_published_lengths_and_leaves() {
    let entries = entries();
    assert_eq!(entries.iter().map(Vec::len).collect::<Vec<_>>(), [172, 379, 628]);
    for (bytes, leaf) in entries.iter().zip(LEAVES) {
        assert_eq!(entry::leaf(bytes).to_string(), leaf);
        assert!(entry::parse(bytes).is_ok());
    }
}

#[test]
fn the_published_entries_are_a_sound_chain_with_the_published_roots() {
    let mut chain = ChainVerifier::new(ORIGIN);
    assert_eq!(chain.root(), None, "an empty ledger has no root to publish");
    let roots = [LEAVES[0], ROOT_2, ROOT_3];
    for ((seq, entry), root) in entries().iter().enumerate().zip(roots) {
        let step = chain.push(Row { seq: seq as u64, entry, leaf: Some(entry::leaf(entry)) });
        assert_eq!(step.faults, []);
        assert_eq!(chain.root().unwrap().to_string(), root);
    }
    assert_eq!(root_of(LEAVES.map(|leaf| leaf.parse().unwrap())).unwrap().to_string(), ROOT_3);
}

#[test]
fn the_body_of_the_third_entry_is_indexed() {
    let bytes = &entries()[2];
    let mut faults = Vec::new();
    let index = body_index(2, &entry::parse(bytes).unwrap(), &mut faults).unwrap();
    assert_eq!(faults, []);
    assert_eq!(index.act.as_deref(), Some("document.version.approved"));
    assert_eq!((index.actor_id.as_deref(), index.actor_role.as_deref()), (Some("u-18"), Some("qa")));
    assert_eq!(
        (index.obj_kind.as_deref(), index.obj_id.as_deref()),
        (Some("document"), Some("SOP-CS-001/2.0"))
    );
    assert_eq!((index.obj_n, index.obj_prev), (Some(2), Some(1)));
    assert_eq!(index.pre, Some(Digest::from_bytes([0xab; 32])));
    assert_eq!(index.post, Some(Digest::from_bytes([0xcd; 32])));
}

#[test]
fn the_sealed_name_has_the_published_commitment() {
    assert_eq!(commitment(&counting(), ORIGIN, "signer_name", "王芳").to_string(), SEALED);
    assert_ne!(commitment(&counting(), ORIGIN, "ship_to", "王芳").to_string(), SEALED);
}

#[test]
fn the_key_has_the_published_verifier_key_and_signs_the_published_note() {
    let key = LedgerKey::from_seed(ORIGIN, &counting()).unwrap();
    assert_eq!(key.vkey().to_string(), VKEY);
    assert_eq!(key.sign_checkpoint(3, &ROOT_3.parse().unwrap()).unwrap(), NOTE);
    let checkpoint = note::open_checkpoint(NOTE, &[VKEY.parse().unwrap()]).unwrap();
    assert_eq!((checkpoint.origin.as_str(), checkpoint.size), (ORIGIN, 3));
    assert_eq!(checkpoint.root.to_string(), ROOT_3);
}
