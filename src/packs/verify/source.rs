//! The pack as files: a zip, or the folder it unpacks to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

use super::report::Findings;
use crate::ledger::digest::Digest;
use crate::packs::layout::{MANIFEST, SEAL};

/// Bytes of one file that are still read.
const LARGEST: u64 = 1 << 28;

enum Bytes {
    Zip(Box<ZipArchive<BufReader<File>>>),
    Folder(PathBuf),
}

/// A pack whose files have all been read and hashed once.
pub struct Source {
    bytes: Bytes,
    names: BTreeSet<String>,
    hashes: BTreeMap<String, Digest>,
}

impl Source {
    /// Opens a pack and hashes every file; none where nothing can be opened.
    pub fn open(path: &Path, findings: &mut Findings) -> Option<Self> {
        let (bytes, names) = if path.is_dir() {
            let mut names = BTreeSet::new();
            if let Err(error) = below(path, "", &mut names) {
                findings.add("zip.read", "", format!("cannot be opened: {error}"));
                return None;
            }
            (Bytes::Folder(path.to_owned()), names)
        } else {
            let opened = seal(path).and_then(|sealed| {
                if !sealed {
                    findings.add("zip.seal", "", "the zip is not byte for byte the one that was made");
                }
                ZipArchive::new(BufReader::new(File::open(path)?)).map_err(io::Error::other)
            });
            match opened {
                Ok(zip) => {
                    if zip.has_duplicate_names() {
                        findings.add("zip.read", "", "a name stands in the zip twice");
                    }
                    let names = zip.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
                    (Bytes::Zip(Box::new(zip)), names)
                }
                Err(error) => {
                    findings.add("zip.read", "", format!("cannot be opened: {error}"));
                    return None;
                }
            }
        };
        let mut pack = Self { bytes, names, hashes: BTreeMap::new() };
        for name in pack.names.clone() {
            match pack.read(&name) {
                Ok(bytes) => _ = pack.hashes.insert(name, Digest::of(&bytes)),
                Err(error) => findings.add("zip.read", name, format!("cannot be read: {error}")),
            }
        }
        Some(pack)
    }

    /// All names, also of what cannot be read.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Whether there is a file of this name.
    pub fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// The SHA-256 of a file; none where it is missing or cannot be read.
    pub fn hash(&self, name: &str) -> Option<Digest> {
        self.hashes.get(name).copied()
    }

    /// Every file that can be read, and its SHA-256.
    pub fn hashes(&self) -> impl Iterator<Item = (&str, Digest)> {
        self.hashes.iter().map(|(name, digest)| (name.as_str(), *digest))
    }

    /// A file's bytes; none where it is missing or cannot be read.
    pub fn get(&mut self, name: &str) -> Option<Vec<u8>> {
        self.hashes.contains_key(name).then(|| self.read(name).ok()).flatten()
    }

    fn read(&mut self, name: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut read = |from: &mut dyn Read| from.take(LARGEST + 1).read_to_end(&mut bytes);
        match &mut self.bytes {
            Bytes::Zip(zip) => read(&mut zip.by_name(name).map_err(io::Error::other)?)?,
            Bytes::Folder(folder) => read(&mut File::open(folder.join(name))?)?,
        };
        if bytes.len() as u64 > LARGEST {
            return Err(io::Error::other("larger than any file of a pack"));
        }
        Ok(bytes)
    }

    /// Compares every file with the list.
    pub fn check_manifest(&mut self, findings: &mut Findings) {
        let Some(raw) = self.get(MANIFEST) else {
            findings.add("file.missing", MANIFEST, "the list of the files is not there");
            return;
        };
        let (listed, whole) = listed(&raw);
        if !whole {
            findings.add("manifest.form", MANIFEST, "not a list as sha256sum writes it");
        }
        for (name, digest) in &listed {
            match self.hashes.get(name) {
                Some(hash) if hash != digest => {
                    let what = format!("hashes to {hash}, the list says {digest}");
                    findings.add("file.differs", name.as_str(), what);
                }
                None if !self.names.contains(name) => {
                    findings.add("file.missing", name.as_str(), "is in the list and not in the pack");
                }
                _ => {}
            }
        }
        for name in &self.names {
            if !listed.contains_key(name) && name != MANIFEST {
                findings.add("file.unlisted", name.as_str(), "is in the pack and not in its list");
            }
        }
    }
}

/// The lines up to the first that is none, and whether that was all.
fn listed(raw: &[u8]) -> (BTreeMap<String, Digest>, bool) {
    let mut listed = BTreeMap::new();
    let Ok(text) = std::str::from_utf8(raw) else { return (listed, false) };
    let Some(text) = text.strip_suffix('\n') else { return (listed, false) };
    for line in text.split('\n') {
        let parts = line.split_once("  ").filter(|(_, name)| !name.is_empty());
        let Some((digest, name)) =
            parts.and_then(|(hex, name)| Some((Digest::from_hex(hex.as_bytes())?, name)))
        else {
            return (listed, false);
        };
        if listed.insert(name.to_owned(), digest).is_some() {
            return (listed, false);
        }
    }
    (listed, true)
}

/// Whether the zip ends with the hash of every byte before.
fn seal(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut left = file.metadata()?.len().saturating_sub(64);
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 1 << 18]);
    while left > 0 {
        let want = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = file.read(&mut piece[..want])?;
        if read == 0 {
            return Ok(false);
        }
        hash.update(&piece[..read]);
        left -= read as u64;
    }
    let mut digits = Vec::new();
    file.read_to_end(&mut digits)?;
    let mut mark = [0; SEAL.len()];
    let back = i64::try_from(64 + SEAL.len()).unwrap_or_default();
    if file.seek(SeekFrom::End(-back)).is_err() {
        return Ok(false);
    }
    file.read_exact(&mut mark)?;
    Ok(mark == *SEAL && digits == Digest::from_bytes(hash.finalize().into()).hex())
}

fn below(folder: &Path, prefix: &str, names: &mut BTreeSet<String>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        match entry.file_type()?.is_dir() {
            true => below(&entry.path(), &format!("{name}/"), names)?,
            false => _ = names.insert(name),
        }
    }
    Ok(())
}
