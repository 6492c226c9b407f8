//! The installation's folder: what lies beside the database.

use std::path::{Path, PathBuf};

use crate::error::Result;

/// `--data DIR` and the paths below it that contract.md promises.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder at this path; nothing is made yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// `DIR`.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// `DIR/db/sopledger.sqlite3`.
    pub fn database(&self) -> PathBuf {
        self.0.join("db/sopledger.sqlite3")
    }

    /// `DIR/key/ledger.key`: IT keeps a copy elsewhere.
    pub fn key(&self) -> PathBuf {
        self.0.join("key/ledger.key")
    }

    /// A file of `DIR/key`: the keys that came after the first.
    pub fn key_file(&self, name: &str) -> PathBuf {
        self.0.join("key").join(name)
    }

    /// `DIR/key/ring.json`: which keys there are; none before the first rotation.
    pub fn ring(&self) -> PathBuf {
        self.key_file("ring.json")
    }

    /// `DIR/signer/state`: what was signed last, so that a restored database cannot pass for the present one.
    pub fn signer_state(&self) -> PathBuf {
        self.0.join("signer/state")
    }

    /// `DIR/signer/verified`: how far the ledger was found sound; the next verification of what is new begins there.
    pub fn verified(&self) -> PathBuf {
        self.0.join("signer/verified")
    }

    /// `DIR/checkpoint`: the newest signed note.
    pub fn checkpoint(&self) -> PathBuf {
        self.0.join("checkpoint")
    }

    /// `DIR/packs/`: evidence packs until they are fetched.
    pub fn packs(&self) -> PathBuf {
        self.0.join("packs")
    }

    /// Makes the folders.
    ///
    /// # Errors
    /// No right to, or a file in the way.
    pub fn make(&self) -> Result<()> {
        for folder in ["db", "key", "signer", "index"] {
            std::fs::create_dir_all(self.0.join(folder))?;
        }
        Ok(())
    }
}
