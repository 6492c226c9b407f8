//! The keys of a ledger as this node knows them: which sign, which vouch for notes, which were revoked and from where.
//!
//! The list lies in `key/ring.json`, outside the database, newest key first: whoever writes in the database cannot have
//! a key of theirs trusted. A node whose folder holds only the list follows what others sign; one that holds the files
//! too may sign. An installation whose key was never rotated has no list, only `key/ledger.key`.

use std::fs;
use std::io;

use serde::{Deserialize, Serialize};

use super::folder::Folder;
use super::key::{KeyError, LedgerKey};
use super::note::VerifierKey;
use super::signer::replace_file;
use crate::error::{Error, Result};
use crate::time::Timestamp;

/// The list, newest key first.
#[derive(Debug, Clone)]
pub struct Ring {
    folder: Folder,
    keys: Vec<Known>,
}

/// A key of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// What notes are checked with.
    pub vkey: VerifierKey,
    /// Its file below `key/`, which may be another node's.
    pub file: String,
    /// Signs beside its successor until then; none for the newest.
    pub until: Option<Timestamp>,
    /// The entry that revoked it: of larger checkpoints it does not vouch.
    pub revoked: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    v: u32,
    keys: Vec<StoredKey>,
}

#[derive(Serialize, Deserialize)]
struct StoredKey {
    vkey: String,
    file: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked: Option<u64>,
}

impl Ring {
    /// The list of this folder; where there is none, the one key under the ledger's name; empty where another node
    /// signs.
    ///
    /// # Errors
    /// 409 `key-unusable`: the list is none, a key's file is open to others, or is no key.
    pub fn load(folder: &Folder, origin: &str) -> Result<Self> {
        let keys = match fs::read(folder.ring()) {
            Ok(bytes) => stored(&bytes).ok_or_else(|| {
                unusable(format!("{} does not hold a list of keys", folder.ring().display()))
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => first(folder, origin)?,
            Err(error) => return Err(unusable(format!("{}: {error}", folder.ring().display()))),
        };
        Ok(Self { folder: folder.clone(), keys })
    }

    /// All keys under this name, newest first.
    pub fn of<'a>(&'a self, origin: &'a str) -> impl Iterator<Item = &'a Known> {
        self.keys.iter().filter(move |known| known.vkey.name() == origin)
    }

    /// Whether nothing is known here: a folder that never had a key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys of this name that are not revoked, newest first: what `/ledger/key` tells.
    pub fn vkeys(&self, origin: &str) -> Vec<VerifierKey> {
        self.of(origin).filter(|known| known.revoked.is_none()).map(|known| known.vkey.clone()).collect()
    }

    /// The keys that vouch for a checkpoint of this size.
    pub fn vouching(&self, origin: &str, size: u64) -> Vec<VerifierKey> {
        let vouches = |known: &&Known| known.revoked.is_none_or(|revoked| size <= revoked);
        self.of(origin).filter(vouches).map(|known| known.vkey.clone()).collect()
    }

    /// The keys that sign now and whose files are here, newest first; none on a node that only follows.
    ///
    /// # Errors
    /// 409 `key-unusable`.
    pub fn signing(&self, origin: &str, now: Timestamp) -> Result<Vec<LedgerKey>> {
        let signs = |known: &&Known| known.revoked.is_none() && known.until.is_none_or(|until| now < until);
        let mut keys = Vec::new();
        for (place, known) in self.of(origin).filter(signs).enumerate() {
            match LedgerKey::load(&self.folder.key_file(&known.file), origin) {
                Ok(key) if key.vkey() == known.vkey => keys.push(key),
                Ok(_) => return Err(unusable(format!("key/{} is not the key of the list", known.file))),
                Err(KeyError::File(_, error)) if error.kind() == io::ErrorKind::NotFound => {
                    // Without the newest key this node only follows; an older one that is gone signs no more.
                    if place == 0 {
                        return Ok(Vec::new());
                    }
                }
                Err(error) => return Err(unusable(error.to_string())),
            }
        }
        Ok(keys)
    }

    /// Puts a new key at the head of the list; those that signed before go on beside it until then.
    pub fn lead(&mut self, vkey: VerifierKey, file: &str, until: Option<Timestamp>) {
        for known in self.keys.iter_mut().filter(|known| known.vkey.name() == vkey.name()) {
            known.until = known.until.or(until);
        }
        self.keys.retain(|known| known.vkey != vkey);
        self.keys.insert(0, Known { vkey, file: file.to_owned(), until: None, revoked: None });
    }

    /// Notes that entry `seq` has revoked this key.
    pub fn revoke(&mut self, vkey: &VerifierKey, seq: u64) {
        for known in self.keys.iter_mut().filter(|known| known.vkey == *vkey) {
            known.revoked = known.revoked.or(Some(seq));
        }
    }

    /// Writes the list.
    ///
    /// # Errors
    /// The folder refuses.
    pub fn store(&self) -> Result<()> {
        let keys = self.keys.iter().map(|known| StoredKey {
            vkey: known.vkey.to_string(),
            file: known.file.clone(),
            until: known.until.map(|until| until.to_string()),
            revoked: known.revoked,
        });
        let stored = Stored { v: 1, keys: keys.collect() };
        let bytes = serde_json::to_vec_pretty(&stored).map_err(Error::internal)?;
        Ok(replace_file(&self.folder.ring(), &bytes)?)
    }
}

fn stored(bytes: &[u8]) -> Option<Vec<Known>> {
    let stored: Stored = serde_json::from_slice(bytes).ok().filter(|stored: &Stored| stored.v == 1)?;
    let known = |key: StoredKey| {
        let plain = !key.file.is_empty() && !key.file.contains(['/', '\\']) && key.file != "..";
        Some(Known {
            vkey: key.vkey.parse().ok()?,
            file: Some(key.file).filter(|_| plain)?,
            until: match key.until {
                Some(text) => Some(Timestamp::parse(&text)?),
                None => None,
            },
            revoked: key.revoked,
        })
    };
    stored.keys.into_iter().map(known).collect()
}

fn first(folder: &Folder, origin: &str) -> Result<Vec<Known>> {
    match LedgerKey::load(&folder.key(), origin) {
        Ok(key) => {
            Ok(vec![Known { vkey: key.vkey(), file: "ledger.key".to_owned(), until: None, revoked: None }])
        }
        Err(KeyError::File(_, error)) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(unusable(error.to_string())),
    }
}

fn unusable(why: String) -> Error {
    Error::conflict("key-unusable").caused_by(why)
}
