//! The file: a tar that any tar reads. `tables/<place>-<table>/<n>.ndjson.zst` hold the rows, a JSON object a line;
//! `backup.json` says what it is; `MANIFEST.sha256` comes last and names every part's hash, as `sha256sum -c` reads it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::ledger::digest::Digest;

/// What the file of key and signer's state adds to the backup's name.
pub const SIGNER_SUFFIX: &str = ".signer";
/// The tag of this form.
const FORMAT: &str = "sopledger-backup/1";
const DESCRIPTION: &str = "backup.json";
const MANIFEST: &str = "MANIFEST.sha256";
/// The largest part, packed: a chunk of rows, or one file of 16 MiB in hexadecimal digits.
const LARGEST: u64 = 64 << 20;
/// The largest part, unpacked.
const UNPACKED: usize = 256 << 20;
/// Rows are compressed well enough at the usual level; nobody waits for a backup.
const LEVEL: i32 = 3;

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Always `sopledger-backup/1`.
    pub format: String,
    /// The program that made it.
    pub program: String,
    /// When, as the ledger writes instants.
    pub made_at: String,
    /// The ledger's name.
    pub origin: String,
    /// Its epoch.
    pub epoch: i64,
    /// Entries of that epoch.
    pub entries: u64,
    /// The schema's migrations, in order.
    pub schema: Vec<String>,
    /// Rows by table.
    pub rows: BTreeMap<String, u64>,
}

impl Description {
    /// The tag that a new one bears.
    pub fn format() -> String {
        FORMAT.to_owned()
    }
}

/// Writes parts, and their list at the end.
pub struct Writer {
    tar: tar::Builder<BufWriter<File>>,
    manifest: String,
}

impl Writer {
    /// A new file, readable to its owner alone; one that is there is not overwritten.
    ///
    /// # Errors
    /// 409 `backup-exists`; the folder refuses.
    pub fn create(path: &Path) -> Result<Self> {
        let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = made.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                Error::conflict("backup-exists").arg("file", path.display().to_string())
            }
            _ => unwritable(path, error),
        })?;
        Ok(Self { tar: tar::Builder::new(BufWriter::new(file)), manifest: String::new() })
    }

    /// Adds a part as it is.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn put(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.manifest.push_str(&format!("{}  {name}\n", Digest::of(bytes)));
        self.append(name, bytes)
    }

    /// Adds a part, compressed.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn put_packed(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let packed = zstd::bulk::compress(bytes, LEVEL)?;
        self.put(&format!("{name}.zst"), &packed)
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        Ok(self.tar.append_data(&mut header, name, bytes)?)
    }

    /// Adds what the backup says of itself and the list of its parts, and has the disk keep it.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn finish(mut self, description: &impl Serialize) -> Result<()> {
        let description = serde_json::to_vec_pretty(description).map_err(Error::internal)?;
        self.put(DESCRIPTION, &description)?;
        let manifest = std::mem::take(&mut self.manifest);
        self.append(MANIFEST, manifest.as_bytes())?;
        let mut out = self.tar.into_inner()?;
        out.flush()?;
        Ok(out.get_ref().sync_all()?)
    }
}

/// Why a file could not be written: as a refusal in words, since the way out is the reader's.
fn unwritable(path: &Path, error: io::Error) -> Error {
    Error::conflict("backup-unwritable").arg("file", path.display().to_string()).caused_by(error)
}

/// Reads every part once, in order.
fn each_part(path: &Path, mut take: impl FnMut(&str, Vec<u8>) -> Result<()>) -> Result<()> {
    let broken = |error: io::Error| broken(path, &error.to_string());
    let file = File::open(path).map_err(|error| {
        Error::invalid("file", "unreadable").caused_by(format!("{}: {error}", path.display()))
    })?;
    let mut tar = tar::Archive::new(BufReader::new(file));
    for entry in tar.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if entry.size() > LARGEST {
            return Err(self::broken(path, &format!("{name} is larger than any part")));
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(broken)?;
        take(&name, bytes)?;
    }
    Ok(())
}

fn broken(path: &Path, why: &str) -> Error {
    Error::conflict("backup-broken").arg("file", path.display().to_string()).arg("why", why)
}

/// A backup whose parts all hash to what its list says.
pub struct Checked<'a> {
    path: &'a Path,
    description: Vec<u8>,
}

impl<'a> Checked<'a> {
    /// Reads the whole file and compares every part with the list.
    ///
    /// # Errors
    /// 409 `backup-broken`: it is cut, a part is changed, missing or unlisted.
    pub fn open(path: &'a Path) -> Result<Self> {
        let (mut found, mut manifest, mut description) = (BTreeMap::new(), None, None);
        each_part(path, |name, bytes| {
            if manifest.is_some() {
                return Err(broken(path, &format!("{name} follows the list")));
            }
            match name {
                MANIFEST => manifest = Some(String::from_utf8_lossy(&bytes).into_owned()),
                _ => {
                    if found.insert(name.to_owned(), Digest::of(&bytes)).is_some() {
                        return Err(broken(path, &format!("{name} is there twice")));
                    }
                    if name == DESCRIPTION {
                        description = Some(bytes);
                    }
                }
            }
            Ok(())
        })?;
        let manifest = manifest.ok_or_else(|| broken(path, "it is cut"))?;
        for line in manifest.lines() {
            let (hash, name) = line.split_once("  ").ok_or_else(|| broken(path, "its list is malformed"))?;
            match found.remove(name) {
                Some(digest) if digest.to_string() == hash => {}
                Some(_) => return Err(broken(path, &format!("{name} was changed"))),
                None => return Err(broken(path, &format!("{name} is missing"))),
            }
        }
        if let Some(name) = found.keys().next() {
            return Err(broken(path, &format!("{name} is not in its list")));
        }
        let description = description.ok_or_else(|| broken(path, "it does not say what it is"))?;
        Ok(Self { path, description })
    }

    /// What it says of itself.
    ///
    /// # Errors
    /// 409 `backup-broken` where it is no backup of ours.
    pub fn description(&self) -> Result<Description> {
        let said: Description = serde_json::from_slice(&self.description)
            .map_err(|error| broken(self.path, &error.to_string()))?;
        if said.format != FORMAT {
            return Err(broken(self.path, &format!("its form is {:?}", said.format)));
        }
        Ok(said)
    }

    /// Hands over every part, unpacked, by its name without `.zst`.
    ///
    /// # Errors
    /// The file has changed meanwhile, or what `take` refuses.
    pub fn each(&self, mut take: impl FnMut(&str, Vec<u8>) -> Result<()>) -> Result<()> {
        each_part(self.path, |name, bytes| match name.strip_suffix(".zst") {
            Some(plain) => {
                let size = zstd::zstd_safe::get_frame_content_size(&bytes).ok().flatten().unwrap_or(0);
                let size = usize::try_from(size).unwrap_or(usize::MAX);
                if size > UNPACKED {
                    return Err(broken(self.path, &format!("{name} unpacks to more than any part")));
                }
                let unpacked = zstd::bulk::decompress(&bytes, size)
                    .map_err(|error| broken(self.path, &format!("{name}: {error}")))?;
                take(plain, unpacked)
            }
            None => take(name, bytes),
        })
    }
}
