//! A restore drill: the backup is restored beside the installation and verified, and nothing is replaced. What came of
//! it is an entry, so that an inspector sees that backups here come back.

use std::path::Path;
use std::time::Instant;

use super::archive::{Checked, Description};
use super::make::hash_of;
use super::placing;
use crate::error::Result;
use crate::ledger::acts;
use crate::ledger::folder::Folder;
use crate::ledger::lane::{Actor, NewEntry};
use crate::ledger::site::{Place, Site};
use crate::ledger::subject::Governed;
use crate::ledger::verify::{Report, Verdict};
use crate::store::Target;

/// What came of it.
#[derive(Debug)]
pub struct Drilled {
    /// What the backup says of itself.
    pub description: Description,
    /// What the verification of the restored copy found.
    pub report: Report,
    /// Seconds that restoring and verifying took.
    pub seconds: u64,
}

impl Drilled {
    /// Whether the copy is sound as far as it goes; that the installation has gone on since is no fault of the backup.
    pub fn is_good(&self) -> bool {
        self.report.integrity.verdict == Verdict::Sound
    }
}

/// Restores a backup into a folder that is thrown away, always on the embedded database, and notes the outcome.
///
/// # Errors
/// The file is broken, or its contents do not fit any schema: noted nowhere, since there was nothing to restore.
pub fn drill(site: &Site, file: &Path, actor: &Actor, governed: &'static [Governed]) -> Result<Drilled> {
    let began = Instant::now();
    let backup = Checked::open(file)?;
    let description = backup.description()?;
    let (sha256, _) = hash_of(file)?;
    let thrown_away =
        ThrownAway(Folder::new(site.folder.path().join(format!("drill-{}", &sha256.to_string()[..16]))));
    let folder = thrown_away.0.clone();
    folder.make()?;
    placing::give_signer(&folder, &site.folder, None)?;
    let place = Place {
        target: Target::Sqlite(folder.database()),
        folder,
        clock: site.clock.clone(),
        zone: site.zone,
    };
    placing::fill(&place, &backup, &description, governed)?;
    let report = placing::check(&place, governed)?;
    let seconds = began.elapsed().as_secs();
    let drilled = Drilled { description, report, seconds };
    let entry = NewEntry::new(acts::BACKUP_DRILLED, actor)
        .field("sha256", sha256.to_string())
        .field("entries", drilled.description.entries)
        .field("sound", drilled.is_good())
        .field("seconds", seconds);
    site.lane.write_here(move |tx| tx.append(entry.clone()).map(|_| ()))?;
    Ok(drilled)
}

struct ThrownAway(Folder);

impl Drop for ThrownAway {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.0.path());
    }
}
