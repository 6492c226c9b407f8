//! The entries of a pack: form, links, proofs, and each subject's own chain.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::report::{Findings, Lines};
use super::source::Source;
use crate::ledger::acts::RECORD_DISPOSED;
use crate::ledger::canon;
use crate::ledger::digest::Digest;
use crate::ledger::entry::{self, decimal_of, parse};
use crate::ledger::note::Checkpoint;
use crate::ledger::proof;
use crate::ledger::tree::{InclusionProof, verify_inclusion};
use crate::packs::contents::has_signature;
use crate::packs::layout;
use crate::packs::wanted::Named;

/// The last entry of a subject here.
#[derive(Debug, Clone, Copy)]
pub struct Last {
    first: u64,
    n: u64,
    seq: u64,
    /// Digest of its snapshot.
    pub post: Digest,
    /// Its number among the subjects.
    place: u32,
    /// Whether it was disposed of: `post` is then its tombstone's.
    disposed: bool,
}

/// What the entries told, taken in their order.
#[derive(Debug)]
pub struct Entries {
    /// The ledger's name; none where the checkpoint cannot be read.
    pub origin: Option<String>,
    /// By subject.
    pub last: BTreeMap<Named, Last>,
    /// Digests of sealed snapshots, each with its subject's number.
    posts: BTreeMap<Digest, u32>,
    /// Commitments that an entry introduces.
    pub sealed: HashMap<u64, BTreeMap<String, Digest>>,
    /// Hashes of the entries that hold a signature.
    pub signed: HashMap<u64, Digest>,
    seen: HashSet<u64>,
    before: Option<(u64, Digest, String)>,
}

impl Entries {
    /// None yet.
    pub fn new(origin: Option<String>) -> Self {
        Self {
            origin,
            last: BTreeMap::new(),
            posts: BTreeMap::new(),
            sealed: HashMap::new(),
            signed: HashMap::new(),
            seen: HashSet::new(),
            before: None,
        }
    }

    /// The digests of sealed snapshots.
    pub fn posts(&self) -> BTreeSet<Digest> {
        self.posts.keys().copied().collect()
    }

    /// Those of states of records that were disposed of, the tombstones apart: they need not be here.
    pub fn gone(&self) -> BTreeSet<Digest> {
        let disposed = self.last.values().filter(|last| last.disposed);
        let tombstones: HashMap<u32, Digest> = disposed.map(|last| (last.place, last.post)).collect();
        let went = |(post, place): &(&Digest, &u32)| {
            tombstones.get(place).is_some_and(|tombstone| tombstone != *post)
        };
        self.posts.iter().filter(went).map(|(post, _)| *post).collect()
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.seen.len() as u64
    }

    /// Which of each subject's entries are here.
    pub fn lines(&self) -> Vec<Lines> {
        let line = |(named, last): (&Named, &Last)| Lines {
            subject: named.to_string(),
            from: last.first,
            to: last.n,
        };
        self.last.iter().map(line).collect()
    }

    /// Checks one entry by itself, against the one before, and against its subject's last; returns its hash.
    pub fn take(&mut self, seq: u64, bytes: &[u8], file: &str, findings: &mut Findings) -> Digest {
        let leaf = entry::leaf(bytes);
        self.seen.insert(seq);
        let before = self.before.replace((seq, leaf, String::new()));
        let parsed = match parse(bytes) {
            Ok(parsed) => parsed,
            Err(error) => {
                findings.add("entry.form", file, error.to_string());
                return leaf;
            }
        };
        let head = parsed.head;
        if self.origin.as_ref().is_some_and(|origin| origin != head.origin) {
            findings.add("entry.form", file, format!("is an entry of {}", head.origin));
            return leaf;
        }
        if head.seq != seq {
            findings.add("entry.form", file, format!("calls itself number {}", head.seq));
            return leaf;
        }
        self.before = Some((seq, leaf, head.ts.to_owned()));
        if seq == 0 && head.prev != Digest::ZERO {
            findings.add("chain.link", file, "entry 0 has one before it");
        }
        if let Some((_, hash, ts)) = before.filter(|(before, ..)| before + 1 == seq) {
            if head.prev != hash {
                let what = format!("seals {}, the entry before hashes to {hash}", head.prev);
                findings.add("chain.link", file, what);
            }
            if head.ts < ts.as_str() {
                findings.add("chain.time", file, "its instant is before that of the entry before");
            }
        }
        match canon::scan(parsed.body.as_bytes()) {
            Ok(index) => {
                if has_signature(parsed.body) {
                    self.signed.insert(seq, leaf);
                }
                self.read(seq, &index, file, findings);
            }
            Err(error) => findings.add("entry.profile", file, format!("its body: {error}")),
        }
        leaf
    }

    fn read(&mut self, seq: u64, index: &canon::BodyIndex<'_>, file: &str, findings: &mut Findings) {
        if !index.sealed.is_empty() {
            let named = index.sealed.iter().map(|(name, hash)| ((*name).to_owned(), *hash));
            self.sealed.insert(seq, named.collect());
        }
        let (kind, id) = (index.obj_kind.as_deref(), index.obj_id.as_deref());
        if kind.is_none() && id.is_none() && index.post.is_none() {
            return;
        }
        let (Some(kind), Some(id), Some(n), Some(post)) = (kind, id, index.obj_n, index.post) else {
            findings.add("entry.profile", file, "its subject lacks kind, id, n or post");
            return;
        };
        let named = Named { kind: kind.to_owned(), id: id.to_owned() };
        let disposes = index.act.as_deref() == Some(RECORD_DISPOSED.name);
        let mut place = u32::try_from(self.last.len()).unwrap_or(u32::MAX);
        match self.last.get_mut(&named) {
            None => {
                if (n == 1) != index.obj_prev.is_none() {
                    let what = format!("{named}: its entry number {n} names {:?} before", index.obj_prev);
                    findings.add("subject.chain", file, what);
                }
                self.last.insert(named, Last { first: n, n, seq, post, place, disposed: disposes });
            }
            Some(last) => {
                if (n, index.obj_prev, index.pre) != (last.n + 1, Some(last.seq), Some(last.post)) {
                    let what = format!("{named}: its entry number {n} does not follow its number {}", last.n);
                    findings.add("subject.chain", file, what);
                }
                if last.disposed && last.post != post {
                    let what = format!("{named}: changes a record that was disposed of before");
                    findings.add("subject.disposed", file, what);
                }
                let disposed = disposes || (last.disposed && last.post == post);
                place = last.place;
                *last = Last { n, seq, post, disposed, ..*last };
            }
        }
        self.posts.entry(post).or_insert(place);
    }

    /// Checks `entries/` and `proofs/`.
    pub fn check_excerpt(
        &mut self,
        pack: &mut Source,
        checkpoint: Option<&Checkpoint>,
        findings: &mut Findings,
    ) {
        let mut numbers = Vec::new();
        for (name, _) in pack.hashes() {
            let entry = number(name, "entries/", ".entry");
            let proof = number(name, "proofs/", ".tlog-proof");
            match (entry, proof) {
                (Some(seq), _) => numbers.push(seq),
                (None, Some(seq)) if pack.has(&layout::entry(seq)) => {}
                (None, Some(_)) => findings.add("proof.alone", name, "there is no entry for it"),
                (None, None) if name.starts_with("entries/") || name.starts_with("proofs/") => {
                    findings.add("file.unknown", name, "is no part of a pack");
                }
                (None, None) => {}
            }
        }
        numbers.sort_unstable();
        let note = pack.get(layout::CHECKPOINT);
        for seq in numbers {
            let file = layout::entry(seq);
            let Some(bytes) = pack.get(&file) else { continue };
            let leaf = self.take(seq, &bytes, &file, findings);
            let name = layout::proof(seq);
            match pack.get(&name) {
                None => findings.add("proof.missing", name, format!("entry {seq} has no proof")),
                Some(proof) => {
                    proven((seq, &leaf), &proof, (checkpoint, note.as_deref()), findings);
                }
            }
        }
    }
}

/// Whether a proof leads from the leaf to the pack's own checkpoint.
fn proven(
    (seq, leaf): (u64, &Digest),
    bytes: &[u8],
    (checkpoint, note): (Option<&Checkpoint>, Option<&[u8]>),
    findings: &mut Findings,
) {
    let name = layout::proof(seq);
    let parts = std::str::from_utf8(bytes).ok().and_then(proof::parts);
    let Some((index, path, own)) = parts.filter(|(index, ..)| *index == seq) else {
        findings.add("proof.form", name, "is not the proof of this entry");
        return;
    };
    if Some(own.as_bytes()) != note {
        findings.add("proof.checkpoint", name, "is of another checkpoint than the pack's");
        return;
    }
    let Some(checkpoint) = checkpoint else { return };
    let proof = InclusionProof { index, size: checkpoint.size, path };
    if !verify_inclusion(&proof, leaf, &checkpoint.root) {
        findings.add("proof.path", layout::entry(seq), format!("entry {seq} is not proven by {name}"));
    }
}

/// The number in a name.
pub fn number(name: &str, folder: &str, ending: &str) -> Option<u64> {
    let digits = name.strip_prefix(folder)?.strip_suffix(ending)?;
    decimal_of(digits)
}
