//! The epochs of a pack: what vouches for the entries of each, and the recoveries between them.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::report::{Ended, Findings};
use super::source::Source;
use crate::ledger::digest::Digest;
use crate::ledger::note::{self, Checkpoint, VerifierKey};
use crate::ledger::recovery::{Declared, declared_in};
use crate::ledger::tile::{Content, Tile, WIDTH, entries_of};
use crate::ledger::tree::{ConsistencyProof, verify_consistency};
use crate::packs::layout::{self, Area};

/// What a proof may lead to: the text that stands at its end, and what that says where it can be read.
#[derive(Debug, Clone)]
pub struct Voucher {
    /// The note, or the three lines that a recovery vouches for.
    pub text: Vec<u8>,
    /// What it says.
    pub checkpoint: Option<Checkpoint>,
}

/// One epoch.
pub struct Epoch {
    /// Where its files lie.
    pub area: Area,
    /// Its signed checkpoint; none where it cannot be read or, of an earlier epoch, there is none.
    pub checkpoint: Option<Checkpoint>,
    /// What vouches for its entries.
    pub vouchers: Vec<Voucher>,
    /// Its name, as far as anything tells it.
    pub origin: Option<String>,
    /// What the recovery that ended it declares.
    declared: Option<Declared>,
}

impl Epoch {
    /// What the report says of an epoch that has ended.
    pub fn ended(&self) -> Ended {
        Ended {
            epoch: self.area.epoch().unwrap_or(0),
            origin: self.origin.clone(),
            checkpoint: self.checkpoint.as_ref().map(|checkpoint| checkpoint.size),
            signed: self.declared.as_ref().map(Declared::signed),
            found: self.declared.as_ref().map(|declared| declared.size),
        }
    }
}

/// The areas of a pack, the oldest epoch first, the present one last.
pub fn areas(pack: &Source, findings: &mut Findings) -> Vec<Area> {
    let mut numbers = BTreeSet::new();
    for name in pack.names() {
        match Area::split(name) {
            Some((area, _)) => numbers.extend(area.epoch()),
            None => findings.add("file.unknown", name, "is no part of a pack"),
        }
    }
    let mut before = 0;
    for number in &numbers {
        if *number != before + 1 {
            findings.add("epoch.missing", format!("epoch/{}", before + 1), "is not in the pack");
        }
        before = *number;
    }
    numbers.into_iter().map(Area::of).chain([Area::TOP]).collect()
}

/// Reads what vouches for an epoch's entries; `next` is the area of the one after it.
pub fn read(
    pack: &mut Source,
    (area, next): (Area, Option<Area>),
    (known, whole): (Option<&[VerifierKey]>, bool),
    findings: &mut Findings,
) -> Epoch {
    let keys = keys(pack, area, known, findings);
    let file = area.file(layout::CHECKPOINT);
    let there = pack.has(&file);
    // An epoch that a recovery has ended may never have been signed as far as it was found.
    let checkpoint = if there || next.is_none() { checkpoint(pack, &file, &keys, findings) } else { None };
    let mut vouchers = Vec::new();
    if let Some(text) = pack.get(&file) {
        vouchers.push(Voucher { text, checkpoint: checkpoint.clone() });
    }
    let mut epoch = Epoch {
        area,
        origin: checkpoint.as_ref().map(|said| said.origin.clone()),
        checkpoint,
        vouchers,
        declared: None,
    };
    if let Some(next) = next {
        declaration(pack, &mut epoch, (next, &keys, whole), findings);
    }
    epoch
}

fn keys(
    pack: &mut Source,
    area: Area,
    known: Option<&[VerifierKey]>,
    findings: &mut Findings,
) -> Vec<VerifierKey> {
    let file = area.file(layout::KEY);
    let own = |pack: &mut Source| pack.get(&file).and_then(|bytes| super::keys_of(&bytes));
    known.map(<[VerifierKey]>::to_vec).or_else(|| own(pack)).unwrap_or_else(|| {
        findings.add("key.form", file.as_str(), "holds no verifier key");
        Vec::new()
    })
}

/// The checkpoint; whether it is signed is a finding.
fn checkpoint(
    pack: &mut Source,
    file: &str,
    keys: &[VerifierKey],
    findings: &mut Findings,
) -> Option<Checkpoint> {
    let text = pack.get(file).and_then(|bytes| String::from_utf8(bytes).ok());
    let read = text.as_deref().map(|text| (note::unverified_checkpoint(text), note::open(text, keys)));
    match read {
        Some((Ok(checkpoint), opened)) => match opened {
            Ok(_) => Some(checkpoint),
            Err(note::NoteError::Form) => {
                findings.add("checkpoint.form", file, "is no checkpoint");
                None
            }
            Err(error) => {
                findings.add("checkpoint.signature", file, error.to_string());
                Some(checkpoint)
            }
        },
        _ => {
            findings.add("checkpoint.form", file, "is no checkpoint");
            None
        }
    }
}

/// What the first entry of the next epoch declares of this one. That entry is proven with its own epoch's.
fn declaration(
    pack: &mut Source,
    epoch: &mut Epoch,
    (next, keys, whole): (Area, &[VerifierKey], bool),
    findings: &mut Findings,
) {
    let (file, entry) = first_entry(pack, next, whole);
    let Some(declared) = entry.as_deref().and_then(declared_in) else {
        findings.add("epoch.undeclared", file, "declares no recovery of the epoch before");
        return;
    };
    match note::open_checkpoint(&declared.note, keys) {
        Ok(said) if epoch.origin.as_ref().is_none_or(|origin| *origin == said.origin) => {
            epoch.origin = Some(said.origin);
        }
        _ => findings.add("epoch.note", file.as_str(), "quotes no note that the epoch before has signed"),
    }
    if let (Some(root), Some(origin)) = (declared.root, &epoch.origin) {
        let found = Checkpoint { origin: origin.clone(), size: declared.size, root };
        if let Ok(text) = found.text() {
            if let Some(signed) = epoch.checkpoint.as_ref().filter(|_| !whole) {
                extends(pack, epoch.area, (signed, &found), findings);
            }
            epoch.vouchers.push(Voucher { text: text.into_bytes(), checkpoint: Some(found) });
        }
    }
    epoch.declared = Some(declared);
}

/// Entry 0 of an epoch, and the file it is in.
fn first_entry(pack: &mut Source, area: Area, whole: bool) -> (String, Option<Vec<u8>>) {
    if !whole {
        let file = area.entry(0);
        let bytes = pack.get(&file);
        return (file, bytes);
    }
    // The first bundle is a full one, or the only one.
    let full = area.file(&Tile { content: Content::Entries, index: 0, width: WIDTH }.to_string());
    let part = format!("{full}.p/");
    let file = pack.names().find(|name| **name == full || name.starts_with(&part)).map(str::to_owned);
    let file = file.unwrap_or(full);
    let bytes = pack.get(&file);
    let first = bytes.as_deref().and_then(entries_of).and_then(|found| found.first().map(|one| one.to_vec()));
    (file, first)
}

/// Whether what a recovery has found extends what its epoch had signed.
fn extends(
    pack: &mut Source,
    area: Area,
    (signed, found): (&Checkpoint, &Checkpoint),
    findings: &mut Findings,
) {
    let file = area.file(layout::CONSISTENCY);
    if signed.size >= found.size {
        if (signed.size, signed.root) != (found.size, found.root) {
            let what = "is not what the recovery that ended the epoch has found";
            findings.add("epoch.different", area.file(layout::CHECKPOINT), what);
        }
        if pack.has(&file) {
            findings.add("file.unknown", file, "there is nothing for it to prove");
        }
        return;
    }
    let Some(bytes) = pack.get(&file) else {
        findings.add(
            "consistency.missing",
            file,
            "nothing proves that what was found extends the checkpoint",
        );
        return;
    };
    let Some(path) = hashes(&bytes) else {
        findings.add("consistency.form", file, "is no list of hashes");
        return;
    };
    let proof = ConsistencyProof { from: signed.size, to: found.size, path };
    if !verify_consistency(&proof, &signed.root, &found.root) {
        let what = "does not prove that what was found extends the checkpoint";
        findings.add("consistency.path", file, what);
    }
}

fn hashes(bytes: &[u8]) -> Option<Vec<Digest>> {
    let text = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
    let one = |line: &str| Digest::try_from(STANDARD.decode(line).ok()?.as_slice()).ok();
    text.split('\n').map(one).collect()
}
