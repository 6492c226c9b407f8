//! The entries of a pack: form, links, proofs, and each subject's own chain.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::epochs::Voucher;
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
use crate::packs::layout::{Area, Signed};
use crate::packs::wanted::Named;

/// The last entry of a subject here.
#[derive(Debug, Clone, Copy)]
pub struct Last {
    area: Area,
    n: u64,
    seq: u64,
    /// Digest of its snapshot.
    pub post: Digest,
    /// Its number among the subjects.
    place: u32,
    /// Whether it was disposed of: `post` is then its tombstone's.
    disposed: bool,
}

/// Which of a subject's entries of one epoch are here.
#[derive(Debug, Clone, Copy)]
struct Span {
    /// Whether the subject begins with them.
    begins: bool,
    from: u64,
    to: u64,
}

/// What the entries told, taken in their order.
#[derive(Debug)]
pub struct Entries {
    area: Area,
    /// Names of the epochs; none of one whose checkpoint cannot be read.
    pub origins: BTreeMap<Area, String>,
    /// By subject.
    pub last: BTreeMap<Named, Last>,
    /// Digests of sealed snapshots, each with its subject's number.
    posts: BTreeMap<Digest, u32>,
    /// Commitments that an entry introduces.
    pub sealed: HashMap<(Area, u64), BTreeMap<String, Digest>>,
    /// Entries that hold a signature.
    pub signed: Signed,
    spans: BTreeMap<(Named, u64), Span>,
    /// By number from 1.
    epochs: u64,
    count: u64,
    before: Option<(u64, Digest, String)>,
}

impl Entries {
    /// None yet, of a pack with so many epochs.
    pub fn new(epochs: u64) -> Self {
        Self {
            area: Area::TOP,
            origins: BTreeMap::new(),
            last: BTreeMap::new(),
            posts: BTreeMap::new(),
            sealed: HashMap::new(),
            signed: Signed::new(),
            spans: BTreeMap::new(),
            epochs,
            count: 0,
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

    /// From here on the entries are those of this epoch; they come from the oldest one on.
    pub fn begin(&mut self, area: Area, origin: Option<String>) {
        (self.area, self.before) = (area, None);
        self.origins.extend(origin.map(|origin| (area, origin)));
    }

    fn epoch(&self) -> u64 {
        self.area.epoch().unwrap_or(self.epochs)
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Which of each subject's entries are here.
    pub fn lines(&self) -> Vec<Lines> {
        let line = |((named, epoch), span): (&(Named, u64), &Span)| Lines {
            subject: named.to_string(),
            epoch: *epoch,
            begins: span.begins,
            from: span.from,
            to: span.to,
        };
        self.spans.iter().map(line).collect()
    }

    /// Checks one entry by itself, against the one before, and against its subject's last; returns its hash.
    pub fn take(&mut self, seq: u64, bytes: &[u8], file: &str, findings: &mut Findings) -> Digest {
        let leaf = entry::leaf(bytes);
        self.count += 1;
        let before = self.before.replace((seq, leaf, String::new()));
        let parsed = match parse(bytes) {
            Ok(parsed) => parsed,
            Err(error) => {
                findings.add("entry.form", file, error.to_string());
                return leaf;
            }
        };
        let head = parsed.head;
        if self.origins.get(&self.area).is_some_and(|origin| origin != head.origin) {
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
                    self.signed.insert((seq, head.ts.to_owned()), (self.area, leaf));
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
            self.sealed.insert((self.area, seq), named.collect());
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
        let last = self.last.get(&named);
        match last {
            None => {
                if (n == 1) != index.obj_prev.is_none() {
                    let what = format!("{named}: its entry number {n} names {:?} before", index.obj_prev);
                    findings.add("subject.chain", file, what);
                } else if n == 1 && index.pre.is_some() && self.epoch() == 1 {
                    let what = format!("{named}: its entry number 1 follows an epoch that is not here");
                    findings.add("epoch.missing", file, what);
                }
            }
            // In a later epoch a subject's numbers begin anew, and its state goes on.
            Some(last) if last.area != self.area => {
                if (n, index.obj_prev, index.pre) != (1, None, Some(last.post)) {
                    let what =
                        format!("{named}: its entry number {n} does not follow those of the epoch before");
                    findings.add("subject.chain", file, what);
                }
            }
            Some(last) => {
                if (n, index.obj_prev, index.pre) != (last.n + 1, Some(last.seq), Some(last.post)) {
                    let what = format!("{named}: its entry number {n} does not follow its number {}", last.n);
                    findings.add("subject.chain", file, what);
                }
            }
        }
        let (was_disposed, changed) =
            (last.is_some_and(|last| last.disposed), last.is_none_or(|last| last.post != post));
        if was_disposed && changed {
            let what = format!("{named}: changes a record that was disposed of before");
            findings.add("subject.disposed", file, what);
        }
        let disposes = index.act.as_deref() == Some(RECORD_DISPOSED.name);
        let disposed = disposes || (was_disposed && !changed);
        let place = last.map_or(u32::try_from(self.last.len()).unwrap_or(u32::MAX), |last| last.place);
        let begins = n == 1 && index.pre.is_none();
        self.last.insert(named.clone(), Last { area: self.area, n, seq, post, place, disposed });
        self.spans.entry((named, self.epoch())).or_insert(Span { begins, from: n, to: n }).to = n;
        self.posts.entry(post).or_insert(place);
    }

    /// Checks `entries/` and `proofs/` of the epoch that was begun.
    pub fn check_excerpt(&mut self, pack: &mut Source, vouchers: &[Voucher], findings: &mut Findings) {
        let (area, mut numbers) = (self.area, Vec::new());
        for (file, _) in pack.hashes() {
            let Some((_, name)) = Area::split(file).filter(|(own, _)| *own == area) else { continue };
            let entry = number(name, "entries/", ".entry");
            let proof = number(name, "proofs/", ".tlog-proof");
            match (entry, proof) {
                (Some(seq), _) => numbers.push(seq),
                (None, Some(seq)) if pack.has(&area.entry(seq)) => {}
                (None, Some(_)) => findings.add("proof.alone", file, "there is no entry for it"),
                (None, None) if name.starts_with("entries/") || name.starts_with("proofs/") => {
                    findings.add("file.unknown", file, "is no part of a pack");
                }
                (None, None) => {}
            }
        }
        numbers.sort_unstable();
        for seq in numbers {
            let file = area.entry(seq);
            let Some(bytes) = pack.get(&file) else { continue };
            let leaf = self.take(seq, &bytes, &file, findings);
            let name = area.proof(seq);
            match pack.get(&name) {
                None => findings.add("proof.missing", name, format!("entry {seq} has no proof")),
                Some(proof) => proven((area, seq, &leaf), &proof, vouchers, findings),
            }
        }
    }
}

/// Whether a proof leads from the leaf to what vouches for its epoch.
fn proven(
    (area, seq, leaf): (Area, u64, &Digest),
    bytes: &[u8],
    vouchers: &[Voucher],
    findings: &mut Findings,
) {
    let name = area.proof(seq);
    let parts = std::str::from_utf8(bytes).ok().and_then(proof::parts);
    let Some((index, path, own)) = parts.filter(|(index, ..)| *index == seq) else {
        findings.add("proof.form", name, "is not the proof of this entry");
        return;
    };
    let Some(voucher) = vouchers.iter().find(|voucher| voucher.text == own.as_bytes()) else {
        findings.add("proof.checkpoint", name, "is of another checkpoint than the pack's");
        return;
    };
    let Some(Checkpoint { size, root, .. }) = voucher.checkpoint else { return };
    let proof = InclusionProof { index, size, path };
    if !verify_inclusion(&proof, leaf, &root) {
        findings.add("proof.path", area.entry(seq), format!("entry {seq} is not proven by {name}"));
    }
}

/// The number in a name.
pub fn number(name: &str, folder: &str, ending: &str) -> Option<u64> {
    let digits = name.strip_prefix(folder)?.strip_suffix(ending)?;
    decimal_of(digits)
}
