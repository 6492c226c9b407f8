//! The snapshots that entries seal, gathered as the entries come and asked for by digest afterwards. A million of them
//! are to fit: sorted once, in place, where a map would hold most of them twice while it grows.

use crate::ledger::digest::Digest;

/// A snapshot that an entry seals.
pub struct Sealed {
    /// Of its bytes.
    pub digest: Digest,
    /// The first entry that seals it.
    pub seq: u64,
    /// Whose it is: a place among the subjects.
    pub place: u32,
    /// Whether its bytes have been seen.
    pub there: bool,
}

/// All of them while entries are still read.
#[derive(Default)]
pub struct Gathered(Vec<Sealed>);

impl Gathered {
    /// One more, or one again.
    pub fn push(&mut self, digest: Digest, seq: u64, place: u32) {
        self.0.push(Sealed { digest, seq, place, there: false });
    }

    /// No further one comes.
    pub fn sorted(mut self) -> Snapshots {
        self.0.sort_unstable_by_key(|sealed| (sealed.digest, sealed.seq));
        self.0.dedup_by_key(|sealed| sealed.digest);
        Snapshots(self.0)
    }
}

/// Each once, in the order of their digests.
pub struct Snapshots(Vec<Sealed>);

impl Snapshots {
    /// The snapshot of this digest.
    pub fn get(&self, digest: &Digest) -> Option<&Sealed> {
        self.place(digest).and_then(|at| self.0.get(at))
    }

    /// The same, to be marked.
    pub fn get_mut(&mut self, digest: &Digest) -> Option<&mut Sealed> {
        self.place(digest).and_then(|at| self.0.get_mut(at))
    }

    /// Every one.
    pub fn iter(&self) -> impl Iterator<Item = &Sealed> {
        self.0.iter()
    }

    fn place(&self, digest: &Digest) -> Option<usize> {
        self.0.binary_search_by_key(digest, |sealed| sealed.digest).ok()
    }
}
