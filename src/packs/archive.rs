//! The zip, written once from front to back, with the list of what is in it and the seal over all of its bytes.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek as _, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::layout::{MANIFEST, SEAL};
use crate::error::{Error, Result};
use crate::ledger::digest::Digest;
use crate::time::Timestamp;

/// The seal's digits.
const DIGITS: usize = 64;

/// Hashes what goes through, the last 64 bytes excepted: those will be the hash of all before them.
struct Sealing {
    out: BufWriter<File>,
    hash: Sha256,
    held: Vec<u8>,
    size: u64,
}

impl Write for Sealing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.size += written as u64;
        self.held.extend_from_slice(&bytes[..written]);
        let done = self.held.len().saturating_sub(DIGITS);
        self.hash.update(&self.held[..done]);
        self.held.drain(..done);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A pack being written; what is dropped unfinished leaves no file.
pub struct Writer {
    zip: Option<ZipWriter<StreamWriter<Sealing>>>,
    manifest: String,
    options: SimpleFileOptions,
    path: PathBuf,
    part: PathBuf,
}

impl Writer {
    /// A new file at `path`, readable to its owner alone, which appears under this name only once it is whole.
    ///
    /// # Errors
    /// 409 `pack-exists`, `pack-unwritable`.
    pub fn create(path: &Path, now: Timestamp) -> Result<Self> {
        if path.exists() {
            return Err(Error::conflict("pack-exists").arg("file", path.display().to_string()));
        }
        let part = path.with_added_extension("part");
        let made = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part);
        let file = made.map_err(|error| unwritable(path, error))?;
        let out = Sealing {
            out: BufWriter::with_capacity(1 << 18, file),
            hash: Sha256::new(),
            held: Vec::new(),
            size: 0,
        };
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .unix_permissions(0o644)
            .last_modified_time(dos_time(now));
        let zip = Some(ZipWriter::new_stream(out));
        Ok(Self { zip, manifest: String::new(), options, path: path.to_owned(), part })
    }

    /// Adds a file. No name comes twice.
    ///
    /// # Errors
    /// 409 `pack-unwritable`.
    pub fn put(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        // The form that `sha256sum -c` reads.
        self.manifest.push_str(&format!("{}  {name}\n", Digest::of(bytes)));
        self.append(name, bytes)
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let Some(zip) = &mut self.zip else { return Err(Error::internal("the pack is closed")) };
        let begun = zip.start_file(name, self.options).map_err(io::Error::other);
        begun.and_then(|()| zip.write_all(bytes)).map_err(|error| unwritable(&self.path, error))
    }

    /// Adds the list, seals the file and gives it its name; returns its SHA-256 and size.
    ///
    /// # Errors
    /// 409 `pack-unwritable`.
    pub fn finish(mut self) -> Result<(Digest, u64)> {
        let manifest = std::mem::take(&mut self.manifest);
        self.append(MANIFEST, manifest.as_bytes())?;
        let Some(mut zip) = self.zip.take() else { return Err(Error::internal("the pack is closed")) };
        let mut comment = SEAL.to_vec();
        comment.resize(SEAL.len() + DIGITS, b'0');
        zip.set_raw_comment(comment.into_boxed_slice()).map_err(Error::internal)?;
        let sealed = zip.finish().map_err(io::Error::other).and_then(|out| {
            let Sealing { out, mut hash, size, .. } = out.into_inner();
            let mut file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
            let seal = Digest::from_bytes(hash.clone().finalize().into()).hex();
            file.seek(SeekFrom::Start(size - DIGITS as u64))?;
            file.write_all(&seal)?;
            file.sync_all()?;
            hash.update(seal);
            std::fs::rename(&self.part, &self.path)?;
            Ok((Digest::from_bytes(hash.finalize().into()), size))
        });
        sealed.map_err(|error| unwritable(&self.path, error))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Closing an unfinished zip writes its directory; the file goes right after. A finished one bears its name.
        drop(self.zip.take());
        let _ = std::fs::remove_file(&self.part);
    }
}

fn unwritable(path: &Path, error: io::Error) -> Error {
    Error::conflict("pack-unwritable").arg("file", path.display().to_string()).caused_by(error)
}

/// The instant as a zip keeps it: two-second steps, no zone; UTC.
fn dos_time(at: Timestamp) -> DateTime {
    use chrono::{Datelike as _, Timelike as _};
    let at = at.utc();
    let small = |number: u32| u8::try_from(number).unwrap_or_default();
    let year = u16::try_from(at.year()).unwrap_or_default();
    DateTime::from_date_and_time(
        year,
        small(at.month()),
        small(at.day()),
        small(at.hour()),
        small(at.minute()),
        small(at.second()),
    )
    .unwrap_or_default()
}
