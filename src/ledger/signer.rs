//! What was signed last, kept outside the database: whoever rewrites or cuts the database cannot have it signed.
//!
//! The file holds the last note of each origin. A note leaves here only once the file is on disk with it. Processes
//! that share the file take turns by a lock beside it, and each looks at the file again when its turn comes.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::canon;
use super::digest::Digest;
use super::key::{LedgerKey, sync_directory};
use super::note::{self, Checkpoint, NoteError, VerifierKey};
use super::tree::{ConsistencyProof, verify_consistency};

/// The last note of each origin, as in a file.
#[derive(Debug)]
pub struct SignerState {
    path: PathBuf,
    kept: BTreeMap<String, Kept>,
}

/// A note and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// The note itself.
    pub note: String,
}

/// What is to be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The number of entries.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
}

/// Why the signer does not sign.
#[derive(Debug)]
pub enum SignerRefusal {
    /// Fewer entries than were signed: the database is behind.
    Smaller {
        /// The signed size.
        signed: u64,
        /// The size asked for.
        asked: u64,
    },
    /// As many entries as were signed, but others.
    Different {
        /// The size.
        size: u64,
        /// The signed root.
        signed: Digest,
        /// The root asked for.
        asked: Digest,
    },
    /// No proof that the signed entries are the first of these.
    Unproven {
        /// The signed size.
        signed: u64,
        /// The size asked for.
        asked: u64,
    },
    /// No key, keys of several origins, or the note is not sound.
    Note(NoteError),
    /// There is no state file: a new ledger, or a lost state. `create` makes one.
    Missing(PathBuf),
    /// The state file exists already.
    Exists(PathBuf),
    /// The state file does not hold a state.
    Content(PathBuf),
    /// The state cannot be read or written.
    File(PathBuf, io::Error),
}

impl SignerState {
    /// Makes the file of a signer that has signed nothing.
    ///
    /// # Errors
    /// `Exists` where there is one, `File` where it cannot be written.
    pub fn create(path: &Path) -> Result<SignerState, SignerRefusal> {
        let state = SignerState { path: path.to_owned(), kept: BTreeMap::new() };
        let _turn = state.turn()?;
        if path.exists() {
            return Err(SignerRefusal::Exists(path.to_owned()));
        }
        state.store()?;
        Ok(state)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// `Missing`, `Content` or `File`.
    pub fn load(path: &Path) -> Result<SignerState, SignerRefusal> {
        let bytes = fs::read(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => SignerRefusal::Missing(path.to_owned()),
            _ => SignerRefusal::File(path.to_owned(), error),
        })?;
        let kept = kept_in(&bytes).ok_or_else(|| SignerRefusal::Content(path.to_owned()))?;
        Ok(SignerState { path: path.to_owned(), kept })
    }

    /// The last note of an origin, as read or written last by this value.
    pub fn last(&self, origin: &str) -> Option<&Kept> {
        self.kept.get(origin)
    }

    /// Every origin's last note.
    pub fn all(&self) -> impl Iterator<Item = &Kept> {
        self.kept.values()
    }

    /// Signs a head that extends what was signed last, by each of the keys, which bear the same origin; the state is
    /// on disk before the note is returned. `proof` is the consistency proof from the size signed last, empty where
    /// nothing was signed yet or the size is the same. A head signed already returns its note.
    ///
    /// # Errors
    /// Where the head is no proven extension, or the state cannot be kept.
    pub fn extend(
        &mut self,
        keys: &[LedgerKey],
        head: Head,
        proof: &[Digest],
    ) -> Result<String, SignerRefusal> {
        let (first, further) = keys.split_first().ok_or(SignerRefusal::Note(NoteError::Unsigned))?;
        if further.iter().any(|key| key.name() != first.name()) {
            return Err(SignerRefusal::Note(NoteError::Name));
        }
        let _turn = self.turn()?;
        *self = SignerState::load(&self.path)?;
        let checkpoint = Checkpoint { origin: first.name().to_owned(), size: head.size, root: head.root };
        if !self.extended_by(&checkpoint, proof)? {
            return Ok(self.kept[&checkpoint.origin].note.clone());
        }
        let mut note = first.sign_checkpoint(head.size, &head.root).map_err(SignerRefusal::Note)?;
        for key in further {
            note = key.sign_also(&note).map_err(SignerRefusal::Note)?;
        }
        self.keep(Kept { checkpoint, note: note.clone() })?;
        Ok(note)
    }

    /// Takes over a note that another node signed, under the same rules as for signing; one that says what is kept
    /// already changes nothing.
    ///
    /// # Errors
    /// Where no key vouches for the note, it is no proven extension, or the state cannot be kept.
    pub fn adopt(&mut self, note: &str, keys: &[VerifierKey], proof: &[Digest]) -> Result<(), SignerRefusal> {
        let checkpoint = note::open_checkpoint(note, keys).map_err(SignerRefusal::Note)?;
        let _turn = self.turn()?;
        *self = SignerState::load(&self.path)?;
        if self.extended_by(&checkpoint, proof)? {
            self.keep(Kept { checkpoint, note: note.to_owned() })?;
        }
        Ok(())
    }

    /// Whether the checkpoint says more than what is kept; refused where it contradicts it.
    fn extended_by(&self, new: &Checkpoint, proof: &[Digest]) -> Result<bool, SignerRefusal> {
        let Some(Kept { checkpoint: old, .. }) = self.kept.get(&new.origin) else {
            return Ok(true);
        };
        let (signed, asked) = (old.size, new.size);
        if asked < signed {
            return Err(SignerRefusal::Smaller { signed, asked });
        }
        if asked == signed {
            return match new.root == old.root {
                true => Ok(false),
                false => Err(SignerRefusal::Different { size: signed, signed: old.root, asked: new.root }),
            };
        }
        let proof = ConsistencyProof { from: signed, to: asked, path: proof.to_vec() };
        match verify_consistency(&proof, &old.root, &new.root) {
            true => Ok(true),
            false => Err(SignerRefusal::Unproven { signed, asked }),
        }
    }

    fn keep(&mut self, kept: Kept) -> Result<(), SignerRefusal> {
        let origin = kept.checkpoint.origin.clone();
        let before = self.kept.insert(origin.clone(), kept);
        let stored = self.store();
        if stored.is_err() {
            match before {
                Some(before) => self.kept.insert(origin, before),
                None => self.kept.remove(&origin),
            };
        }
        stored
    }

    /// Waits for this process's turn; it lasts until the file returned is dropped.
    fn turn(&self) -> Result<File, SignerRefusal> {
        let path = beside(&self.path, "lock");
        let open = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        open.and_then(|file| file.lock().map(|()| file)).map_err(|error| SignerRefusal::File(path, error))
    }

    fn store(&self) -> Result<(), SignerRefusal> {
        let notes: Vec<Value> =
            self.kept.iter().map(|(origin, kept)| json!({"origin": origin, "note": kept.note})).collect();
        let bytes = canon::to_bytes(&json!({"v": 1, "notes": notes}))
            .map_err(|_| SignerRefusal::Content(self.path.clone()))?;
        replace_file(&self.path, &bytes).map_err(|error| SignerRefusal::File(self.path.clone(), error))
    }
}

/// Writes beside, syncs, renames over the file and syncs the directory: after a crash either file is whole. Processes
/// that share the folder each write beside under a name of their own.
pub(super) fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let turn = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let new = beside(path, &format!("{}-{turn}.new", std::process::id()));
    let mut file = File::create(&new)?;
    let replaced = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&new, path));
    if replaced.is_err() {
        let _ = fs::remove_file(&new);
    }
    replaced?;
    sync_directory(path)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

fn kept_in(bytes: &[u8]) -> Option<BTreeMap<String, Kept>> {
    canon::check(bytes).ok()?;
    let state: Value = serde_json::from_slice(bytes).ok()?;
    if state.get("v")?.as_u64()? != 1 {
        return None;
    }
    let mut all = BTreeMap::new();
    for item in state.get("notes")?.as_array()? {
        let note = item.get("note")?.as_str()?.to_owned();
        let checkpoint = note::unverified_checkpoint(&note).ok()?;
        let origin = item.get("origin")?.as_str()?.to_owned();
        if checkpoint.origin != origin || all.insert(origin, Kept { checkpoint, note }).is_some() {
            return None;
        }
    }
    Some(all)
}

impl fmt::Display for SignerRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SignerRefusal::Smaller { signed, asked } => {
                write!(f, "the ledger has {asked} entries, {signed} were signed")
            }
            SignerRefusal::Different { size, signed, asked } => {
                write!(f, "at size {size} the root is {asked}, signed was {signed}")
            }
            SignerRefusal::Unproven { signed, asked } => {
                write!(f, "the {asked} entries do not begin with the {signed} that were signed")
            }
            SignerRefusal::Note(error) => write!(f, "the note: {error}"),
            SignerRefusal::Missing(path) => write!(f, "no signer state at {}", path.display()),
            SignerRefusal::Exists(path) => write!(f, "signer state {} exists already", path.display()),
            SignerRefusal::Content(path) => write!(f, "{} does not hold a signer state", path.display()),
            SignerRefusal::File(path, error) => write!(f, "signer state {}: {error}", path.display()),
        }
    }
}

impl std::error::Error for SignerRefusal {}
