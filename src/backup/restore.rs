//! The way back: put beside, verified whole, then exchanged for what was there in one step.

use std::path::Path;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::archive::{Checked, Description};
use super::make::{SIGNERS, hash_of};
use super::placing;
use crate::error::{Error, Result};
use crate::ledger::acts;
use crate::ledger::folder::Folder;
use crate::ledger::lane::{Actor, NewEntry};
use crate::ledger::site::Place;
use crate::ledger::subject::Governed;
use crate::ledger::verify::{Report, Verdict};
use crate::store::{self, Db, Purpose, SchemaState, Target};

/// How long whoever has the database open is given to be gone.
const LINGERING: Duration = Duration::from_secs(5);

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// The backup.
    pub file: &'a Path,
    /// Key and signer's state, where the folder has none.
    pub signer: Option<&'a Path>,
    /// Take a backup that is behind what was signed: nothing is written afterwards until a recovery is declared.
    pub although_behind: bool,
}

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// What the backup says of itself.
    pub description: Description,
    /// What the verification found before anything was replaced.
    pub report: Report,
    /// Where what was there before is kept; none where there was nothing.
    pub replaced: Option<String>,
    /// It is behind what was signed.
    pub behind: bool,
}

/// Restores a backup into the installation's place.
///
/// # Errors
/// 409: the file is broken, its contents do not verify, they are behind what was signed, the installation is being
/// served. Nothing is replaced then.
pub fn restore(
    place: &Place,
    wish: Wish<'_>,
    actor: &Actor,
    governed: &'static [Governed],
) -> Result<Restored> {
    let backup = Checked::open(wish.file)?;
    let description = backup.description()?;
    let (sha256, _) = hash_of(wish.file)?;
    place.folder.make()?;
    nobody_else(place)?;
    let mark = place.clock.now().to_string().replace([':', '.', '-'], "");
    let beside = Beside::new(place, &mark)?;
    placing::give_signer(&beside.place.folder, &place.folder, wish.signer)?;
    placing::fill(&beside.place, &backup, &description, governed)?;
    let report = placing::check(&beside.place, governed)?;
    let behind = sound_enough(&report, wish.although_behind)?;
    let replaced = beside.exchange(place, &mark)?;
    for folder in SIGNERS {
        let kept = place.folder.path().join(folder);
        if std::fs::read_dir(&kept)?.next().is_none() {
            placing::copy_signer_files(&beside.place.folder.path().join(folder), &kept)?;
        }
    }
    if !behind {
        let site = place.open(false)?;
        let entry = NewEntry::new(acts::SYSTEM_RESTORED, actor)
            .field("sha256", sha256.to_string())
            .field("entries", description.entries);
        let noted = site.lane.write_here(move |tx| tx.append(entry.clone()).map(|_| ()));
        site.close();
        noted?;
    }
    Ok(Restored { description, report, replaced, behind })
}

/// Whether the contents may take the place: sound; or behind what was signed, where that is asked for.
fn sound_enough(report: &Report, although_behind: bool) -> Result<bool> {
    if report.integrity.verdict != Verdict::Sound {
        return Err(Error::conflict("restore-unsound").arg("faults", first_faults(report)));
    }
    match report.completeness.verdict {
        Verdict::Sound => Ok(false),
        Verdict::Fault if although_behind => Ok(true),
        Verdict::Fault => Err(Error::conflict("restore-behind").arg("faults", first_faults(report))),
        Verdict::NotChecked => {
            Err(Error::conflict("restore-unchecked").arg("why", report.completeness.unchecked.join("; ")))
        }
    }
}

/// The first faults, for a message.
pub(super) fn first_faults(report: &Report) -> String {
    let faults: Vec<&str> = report.faults.iter().take(5).map(|fault| fault.what.as_str()).collect();
    faults.join("; ")
}

/// A database of its own beside the installation's, on the same engine.
struct Beside {
    place: Place,
    schema: Option<String>,
}

impl Beside {
    fn new(place: &Place, mark: &str) -> Result<Self> {
        let folder = Folder::new(place.folder.path().join(format!("restoring-{mark}")));
        folder.make()?;
        let (target, schema) = match &place.target {
            Target::Sqlite(_) => (Target::Sqlite(folder.database()), None),
            Target::Postgres(url) => {
                let schema = format!("restoring_{}", mark.to_lowercase());
                place.target.open(Purpose::Write)?.batch_execute(&format!("CREATE SCHEMA {schema}"))?;
                (Target::Postgres(within(url, &schema)), Some(schema))
            }
        };
        Ok(Self { place: Place { target, folder, ..place.clone() }, schema })
    }

    /// Exchanges what was there for what is beside it; returns where the former is kept.
    fn exchange(&self, place: &Place, mark: &str) -> Result<Option<String>> {
        let kept = place.folder.path().join(format!("replaced-{mark}"));
        match (&self.schema, &place.target) {
            (Some(schema), _) => {
                let mut db = place.target.open(Purpose::Write)?;
                let was = store::schema_state(&mut db)? != SchemaState::Empty;
                let here = current_schema(&mut db)?;
                let kept = format!("{here}_replaced_{}", mark.to_lowercase());
                db.batch_execute(&format!(
                    "BEGIN; ALTER SCHEMA \"{here}\" RENAME TO \"{kept}\"; ALTER SCHEMA {schema} RENAME TO \"{here}\"; COMMIT"
                ))?;
                Ok(was.then_some(kept))
            }
            (None, Target::Sqlite(path)) => {
                let folder = path.parent().unwrap_or(Path::new("."));
                let ours = self.place.folder.database();
                let ours = ours.parent().unwrap_or(Path::new("."));
                let was = path.exists();
                // One step: after a crash either database is whole and in place.
                rustix::fs::renameat_with(
                    rustix::fs::CWD,
                    ours,
                    rustix::fs::CWD,
                    folder,
                    rustix::fs::RenameFlags::EXCHANGE,
                )
                .map_err(std::io::Error::from)?;
                if was {
                    std::fs::rename(ours, &kept)?;
                }
                Ok(was.then(|| kept.display().to_string()))
            }
            (None, Target::Postgres(_)) => Err(Error::internal("a schema was made")),
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.place.folder.path());
        if let (Some(schema), Ok(mut db)) = (&self.schema, self.place.target.open(Purpose::Write)) {
            let _ = db.batch_execute(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE"));
        }
    }
}

/// The same address, with everything in a schema of this name.
fn within(url: &str, schema: &str) -> String {
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}options=-csearch_path%3D{schema}")
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Text)]
    answer: String,
}

fn current_schema(db: &mut Db) -> Result<String> {
    let sql = "SELECT CAST(current_schema() AS TEXT) AS answer";
    Ok(diesel::sql_query(sql).get_result::<Answer>(db)?.answer)
}

/// Refuses while anybody else has the database open; on SQLite, brings what the log still holds into the file.
///
/// # Errors
/// 409 `in-use`.
pub(super) fn nobody_else(place: &Place) -> Result<()> {
    let alone = match &place.target {
        Target::Sqlite(path) if !path.exists() => true,
        Target::Sqlite(path) => soon(|| alone_on_sqlite(path))?,
        Target::Postgres(_) => {
            let mut db = place.target.open(Purpose::Write)?;
            soon(|| alone_on_postgres(&mut db))?
        }
    };
    if alone { Ok(()) } else { Err(Error::conflict("in-use")) }
}

/// Whoever has just been ended may be seen for a moment, and does not count; whoever stays does.
fn soon(mut alone: impl FnMut() -> Result<bool>) -> Result<bool> {
    let began = Instant::now();
    loop {
        let found = alone()?;
        if found || began.elapsed() > LINGERING {
            return Ok(found);
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

fn alone_on_postgres(db: &mut Db) -> Result<bool> {
    let sql = "SELECT CAST(COUNT(*) AS TEXT) AS answer FROM pg_stat_activity WHERE datname = current_database() \
         AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    Ok(diesel::sql_query(sql).get_result::<Answer>(db)?.answer == "0")
}

#[derive(QueryableByName)]
struct Left {
    #[diesel(sql_type = Text)]
    journal_mode: String,
}

/// A journal mode can only be left by whoever is alone with the file.
fn alone_on_sqlite(path: &Path) -> Result<bool> {
    let mut db = Target::Sqlite(path.to_owned()).open(Purpose::Write)?;
    db.batch_execute("PRAGMA busy_timeout = 500")?;
    let left: Result<Left, _> = diesel::sql_query("PRAGMA journal_mode = DELETE").get_result(&mut db);
    Ok(left.is_ok_and(|left| left.journal_mode == "delete"))
}
