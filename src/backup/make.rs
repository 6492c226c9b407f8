//! Making a backup: one state of the database, read while writers go on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use diesel::Connection;
use serde_json::json;

use super::archive::{Description, SIGNER_SUFFIX, Writer};
use crate::error::{Error, Result};
use crate::ledger::acts;
use crate::ledger::digest::Digest;
use crate::ledger::lane::{Actor, NewEntry};
use crate::ledger::site::Site;
use crate::ledger::store as ledger;
use crate::store::portable::{Table, tables_in_order};
use crate::store::{self, Db, Purpose};

/// Bytes of rows that make a part; a single row may be larger.
const PART: usize = 4 << 20;

/// Tables that a restored installation begins without: who was signed in, who had mistyped a password, which answers
/// were kept for a repeated request.
const LEFT_OUT: &[&str] = &["session", "sign_in_failure", "kept_answer"];

/// What was made.
#[derive(Debug, Clone)]
pub struct Made {
    /// The backup.
    pub file: PathBuf,
    /// Key and signer's state; none on a node that holds no key.
    pub signer: Option<PathBuf>,
    /// Of the backup's bytes.
    pub sha256: Digest,
    /// Bytes.
    pub size: u64,
    /// What it says of itself.
    pub description: Description,
}

/// Makes a backup at `path` and one of the signer beside it, then appends the entry that says so.
///
/// # Errors
/// 409 `backup-exists`; the disk or the database refuses: a file begun is taken away again.
pub fn make(site: &Site, path: &Path, actor: &Actor) -> Result<Made> {
    // First what was signed, then the database: so the database can only be ahead of it.
    let signer = signer_file(site, path)?;
    let description = write(site, path).inspect_err(|_| {
        for begun in signer.iter().map(PathBuf::as_path).chain([path]) {
            let _ = std::fs::remove_file(begun);
        }
    })?;
    let (sha256, size) = hash_of(path)?;
    let entry = NewEntry::new(acts::BACKUP_MADE, actor)
        .field("sha256", sha256.to_string())
        .field("size", size)
        .field("entries", description.entries);
    site.lane.write_here(move |tx| tx.append(entry.clone()).map(|_| ()))?;
    Ok(Made { file: path.to_owned(), signer, sha256, size, description })
}

fn write(site: &Site, path: &Path) -> Result<Description> {
    let mut out = Writer::create(path)?;
    let mut db = site.target.open(Purpose::Read)?;
    let description = db.transaction(|db| {
        let head = ledger::head(db)?.ok_or_else(|| Error::unavailable("no-installation"))?;
        let mut rows = BTreeMap::new();
        for (place, table) in tables_in_order(db)?.iter().enumerate() {
            if !LEFT_OUT.contains(&table.name.as_str()) {
                let part = format!("tables/{place:02}-{}", table.name);
                rows.insert(table.name.clone(), put_table(db, table, &part, &mut out)?);
            }
        }
        Ok::<_, Error>(Description {
            format: Description::format(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            made_at: site.clock.now().to_string(),
            origin: head.origin,
            epoch: head.epoch,
            entries: head.size,
            schema: store::applied(db)?,
            rows,
        })
    })?;
    out.finish(&description)?;
    Ok(description)
}

fn put_table(db: &mut Db, table: &Table, part: &str, out: &mut Writer) -> Result<u64> {
    let (mut lines, mut rows, mut parts) = (String::new(), 0, 0);
    table.each_row(db, |line| {
        lines.push_str(line);
        lines.push('\n');
        rows += 1;
        if lines.len() >= PART {
            out.put_packed(&format!("{part}/{parts:06}.ndjson"), lines.as_bytes())?;
            parts += 1;
            lines.clear();
        }
        Ok(())
    })?;
    if !lines.is_empty() {
        out.put_packed(&format!("{part}/{parts:06}.ndjson"), lines.as_bytes())?;
    }
    Ok(rows)
}

/// Key and signer's state, each as the file it is.
fn signer_file(site: &Site, path: &Path) -> Result<Option<PathBuf>> {
    if !site.folder.key().exists() {
        return Ok(None);
    }
    let mut name = path.as_os_str().to_owned();
    name.push(SIGNER_SUFFIX);
    let name = PathBuf::from(name);
    let mut out = Writer::create(&name)?;
    let written = (|| {
        for folder in SIGNERS {
            let from = site.folder.path().join(folder);
            for called in signer_files(&from)? {
                out.put(&format!("{folder}/{called}"), &std::fs::read(from.join(&called))?)?;
            }
        }
        out.finish(&json!({ "format": "sopledger-signer/1", "origin": site.origin }))
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&name);
    }
    written.map(|()| Some(name))
}

/// The names of the files in one of the signer's folders. A lock is none of them, nor what a service at work is about to
/// put into a file's place: that may be gone before it is read.
///
/// # Errors
/// The disk refuses.
pub(super) fn signer_files(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for file in std::fs::read_dir(folder)? {
        let file = file?;
        let Some(called) = file.file_name().to_str().map(str::to_owned) else { continue };
        let lasts = !called.ends_with(".lock") && !called.ends_with(".new");
        if lasts && file.file_type()?.is_file() {
            names.push(called);
        }
    }
    Ok(names)
}

/// The folders beside the database that belong to the signer alone.
pub(super) const SIGNERS: [&str; 2] = ["key", "signer"];

/// SHA-256 and size of a file, read once.
pub(super) fn hash_of(path: &Path) -> Result<(Digest, u64)> {
    use std::io::Read as _;

    use sha2::Digest as _;
    let (mut file, mut hash, mut size) = (std::fs::File::open(path)?, sha2::Sha256::new(), 0);
    let mut piece = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Ok((Digest::from_bytes(hash.finalize().into()), size));
        }
        hash.update(&piece[..read]);
        size += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_signers_folder_only_what_lasts_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["state", "state.lock", "state.4711-8.new", "verified"] {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        std::fs::create_dir(folder.path().join("old")).unwrap();
        let mut names = signer_files(folder.path()).unwrap();
        names.sort_unstable();
        assert_eq!(names, ["state", "verified"]);
    }
}
