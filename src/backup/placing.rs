//! Putting a backup's rows into an empty database, and what stands around it: guards, and the later migrations.

use std::path::Path;

use diesel::Connection;

use super::archive::{Checked, Description};
use super::make::{SIGNERS, signer_files};
use crate::error::{Error, Result};
use crate::ledger::folder::Folder;
use crate::ledger::site::Place;
use crate::ledger::subject::Governed;
use crate::ledger::verify::{self, Report, verify_target};
use crate::store::portable::{Table, tables_in_order};
use crate::store::{self, Db, Purpose};

/// Makes the schema of the backup's own version, loads every row, brings the schema up to date, sets the guards.
///
/// # Errors
/// 409 `backup-newer`: a later version of the program made it; a row is refused.
pub(super) fn fill(
    place: &Place,
    backup: &Checked<'_>,
    said: &Description,
    governed: &[Governed],
) -> Result<()> {
    let mut db = place.target.open(Purpose::Write)?;
    if !db.transaction(|db| store::run_these(db, &said.schema))? {
        return Err(Error::conflict("backup-newer").arg("program", said.program.as_str()));
    }
    let tables = tables_in_order(&mut db)?;
    backup.each(|part, bytes| match table_of(part) {
        Some(name) => {
            let table = tables.iter().find(|table| table.name == name);
            let table =
                table.ok_or_else(|| Error::conflict("backup-newer").arg("program", said.program.as_str()))?;
            db.transaction(|db| load(db, table, &bytes))
        }
        None => Ok(()),
    })?;
    for (name, rows) in &said.rows {
        if store::count(&mut db, known(&tables, name)?)? != *rows {
            return Err(Error::conflict("backup-broken")
                .arg("file", name.as_str())
                .arg("why", "rows are missing"));
        }
    }
    drop(db);
    place.migrate(|db| match verify::different_record(db, governed)? {
        Some(subject) => Err(Error::conflict("record-differs").arg("subject", subject)),
        None => Ok(()),
    })?;
    Ok(())
}

fn known<'a>(tables: &'a [Table], name: &str) -> Result<&'a str> {
    let table = tables.iter().find(|table| table.name == name);
    table.map(|table| table.name.as_str()).ok_or_else(|| Error::internal("a table is not known"))
}

/// `tables/07-content/000001.ndjson` is of `content`.
fn table_of(part: &str) -> Option<&str> {
    let (folder, _) = part.strip_prefix("tables/")?.split_once('/')?;
    folder.split_once('-').map(|(_, name)| name)
}

/// Rows a statement takes; each is checked by the engine as it goes in.
const AT_ONCE: usize = 500;

fn load(db: &mut Db, table: &Table, lines: &[u8]) -> Result<()> {
    let lines = std::str::from_utf8(lines).map_err(Error::internal)?;
    let lines: Vec<&str> = lines.lines().collect();
    for rows in lines.chunks(AT_ONCE) {
        table.load(db, &format!("[{}]", rows.join(",")))?;
    }
    Ok(())
}

/// Copies rows straight from one database into another, empty one, whose schema is made here.
///
/// # Errors
/// Either database refuses.
pub(super) fn copy(from: &mut Db, to: &mut Db) -> Result<()> {
    let schema = store::applied(from)?;
    to.transaction(|to| store::run_these(to, &schema))?;
    for table in tables_in_order(from)? {
        let mut rows = String::from("[");
        let mut put = |rows: &mut String| {
            rows.push(']');
            let done = to.transaction(|to| table.load(to, rows));
            rows.clear();
            rows.push('[');
            done
        };
        table.each_row(from, |line| {
            if rows.len() > 1 {
                rows.push(',');
            }
            rows.push_str(line);
            if rows.len() < 1 << 20 { Ok(()) } else { put(&mut rows) }
        })?;
        put(&mut rows)?;
    }
    Ok(())
}

/// Gives a folder the key and the signer's state of another one, or of a signer's file.
///
/// # Errors
/// Neither has them; the disk refuses.
pub(super) fn give_signer(to: &Folder, from: &Folder, file: Option<&Path>) -> Result<()> {
    if from.key().exists() && from.signer_state().exists() {
        for folder in SIGNERS {
            copy_signer_files(&from.path().join(folder), &to.path().join(folder))?;
        }
        return Ok(());
    }
    let file = file.ok_or_else(|| Error::conflict("restore-needs-signer"))?;
    Checked::open(file)?.each(|name, bytes| {
        let Some((folder, called)) = name.split_once('/') else { return Ok(()) };
        if SIGNERS.contains(&folder) && !called.contains(['/', '\\']) && called != ".." {
            write_private(&to.path().join(folder).join(called), &bytes)?;
        }
        Ok(())
    })
}

/// Copies the files of one of the signer's folders.
///
/// # Errors
/// The disk refuses.
pub(super) fn copy_signer_files(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for called in signer_files(from)? {
        write_private(&to.join(&called), &std::fs::read(from.join(&called))?)?;
    }
    Ok(())
}

fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    Ok(file.sync_all()?)
}

/// Verifies the whole of what was put into place.
///
/// # Errors
/// The database does not let itself be read to the end.
pub(super) fn check(place: &Place, governed: &[Governed]) -> Result<Report> {
    verify_target(&place.target, &place.folder, governed, &|_, _| {})
}
