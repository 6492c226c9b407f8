//! The ledger's signing key: 32 bytes in a file that only its owner may read.
//!
//! The seed is wiped from memory when dropped and never printed.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

use super::digest::Digest;
use super::entry::is_origin;
use super::note::{self, Checkpoint, NoteError, VerifierKey};

/// A signing key under the origin of the ledger it signs for.
#[derive(Clone)]
pub struct LedgerKey {
    name: String,
    key: SigningKey,
}

/// Why a key file cannot be made or used.
#[derive(Debug)]
pub enum KeyError {
    /// The name is not an origin, `[a-z0-9./-]{1,128}`.
    Name,
    /// The file cannot be read or written; `AlreadyExists` where a key would be overwritten.
    File(PathBuf, io::Error),
    /// Others than the owner may read or write the file; its mode bits are given.
    Permissions(PathBuf, u32),
    /// The file does not hold 64 lower-case hexadecimal digits and one LF.
    Content(PathBuf),
    /// The system has no random bytes to give.
    Random(getrandom::Error),
}

impl LedgerKey {
    /// Makes a key from the system's random source and writes it to a new file, mode 0600.
    ///
    /// # Errors
    /// Where the file exists already or cannot be written.
    pub fn create(path: &Path, name: &str) -> Result<LedgerKey, KeyError> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut seed[..]).map_err(KeyError::Random)?;
        let key = LedgerKey::from_seed(name, &seed)?;
        write_new(path, &seed).map_err(|error| KeyError::File(path.to_owned(), error))?;
        Ok(key)
    }

    /// Reads a key from its file.
    ///
    /// # Errors
    /// Where the file is missing, is open to others than its owner, or does not hold a key.
    pub fn load(path: &Path, name: &str) -> Result<LedgerKey, KeyError> {
        let failed = |error| KeyError::File(path.to_owned(), error);
        let file = File::open(path).map_err(failed)?;
        let mode = open_to_others(&file).map_err(failed)?;
        if mode != 0 {
            return Err(KeyError::Permissions(path.to_owned(), mode));
        }
        // Room for one byte more than a key, so that a longer file is seen and nothing is reallocated
        // unwiped.
        let mut text = Zeroizing::new(Vec::with_capacity(128));
        file.take(66).read_to_end(&mut text).map_err(failed)?;
        let seed =
            text.strip_suffix(b"\n").and_then(Digest::from_hex).map(|seed| Zeroizing::new(*seed.as_bytes()));
        let seed = seed.ok_or_else(|| KeyError::Content(path.to_owned()))?;
        LedgerKey::from_seed(name, &seed)
    }

    /// The key of a seed.
    ///
    /// # Errors
    /// `Name` where the name is no origin.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<LedgerKey, KeyError> {
        if !is_origin(name) {
            return Err(KeyError::Name);
        }
        Ok(LedgerKey { name: name.to_owned(), key: SigningKey::from_bytes(seed) })
    }

    /// The ledger's origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What others check our notes with.
    pub fn vkey(&self) -> VerifierKey {
        VerifierKey::new(&self.name, self.key.verifying_key()).expect("every origin is a key name")
    }

    /// Signs that the ledger had this size and root.
    ///
    /// # Errors
    /// `Empty` for size 0.
    pub fn sign_checkpoint(&self, size: u64, root: &Digest) -> Result<String, NoteError> {
        let text = Checkpoint { origin: self.name.clone(), size, root: *root }.text()?;
        note::sign(&self.key, &self.name, &text)
    }

    /// Adds this key's line to a note.
    ///
    /// # Errors
    /// `Form` where it is no note.
    pub fn sign_also(&self, note: &str) -> Result<String, NoteError> {
        note::sign_also(&self.key, &self.name, note)
    }
}

/// Writes beside, syncs, and gives the file its name: what a crash leaves is never half a key.
fn write_new(path: &Path, seed: &[u8; 32]) -> io::Result<()> {
    if path.exists() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let new = path.with_added_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    // One left by a crash was never in use; it goes rather than lend its mode.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = options.open(&new)?;
    let mut text = Zeroizing::new([b'\n'; 65]);
    text[..64].copy_from_slice(&*Zeroizing::new(Digest::from_bytes(*seed).hex()));
    file.write_all(&text[..])?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    sync_directory(path)
}

/// Makes a name in a directory durable.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if cfg!(unix) {
        File::open(fs::canonicalize(parent.unwrap_or(Path::new(".")))?)?.sync_all()
    } else {
        Ok(())
    }
}

/// The mode bits where others than the owner have any right, else 0.
#[cfg(unix)]
fn open_to_others(file: &File) -> io::Result<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = file.metadata()?.permissions().mode() & 0o777;
    Ok(if mode & 0o077 == 0 { 0 } else { mode })
}

#[cfg(not(unix))]
fn open_to_others(_: &File) -> io::Result<u32> {
    Ok(0)
}

impl fmt::Debug for LedgerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LedgerKey({})", self.vkey())
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyError::Name => f.write_str("a key's name is an origin, [a-z0-9./-]{1,128}"),
            KeyError::File(path, error) => write!(f, "key file {}: {error}", path.display()),
            KeyError::Permissions(path, mode) => {
                write!(
                    f,
                    "key file {} has mode {mode:04o}; only its owner may read it (chmod 600)",
                    path.display()
                )
            }
            KeyError::Content(path) => {
                write!(f, "key file {} does not hold 64 hexadecimal digits", path.display())
            }
            KeyError::Random(error) => write!(f, "no random bytes: {error}"),
        }
    }
}

impl std::error::Error for KeyError {}
