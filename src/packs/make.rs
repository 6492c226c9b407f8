//! The making of a pack: what is selected is read once and written as it comes.

use std::path::{Path, PathBuf};

use diesel::Connection;
use serde_json::json;

use super::archive::Writer;
use super::contents::Sealed;
use super::layout::{self as files, Area};
use super::part::{self, Part};
use super::readme::{Cover, readme};
use super::record::{Pack, SCRIPT};
use super::store::{self, Extent, Selected, select};
use super::wanted::{Scope, Sight, Wish};
use crate::copies::layout;
use crate::copies::prints::archival;
use crate::error::{Error, Kind, Result};
use crate::ledger::acts;
use crate::ledger::digest::Digest;
use crate::ledger::lane::{Actor, NewEntry};
use crate::ledger::site::Site;
use crate::ledger::store::{self as ledger, index};
use crate::ledger::tombstone;
use crate::pdf::Press;
use crate::store::{Db, NewEntryRow, Purpose};

/// How the making tells how far it is, and is told to stop: a phase (`job-packing-…`), pieces done, of how many.
pub struct Steps<'a>(pub &'a dyn Fn(&'static str, u64, u64) -> Result<()>);

impl Steps<'_> {
    /// Tells; refused where the work was called off.
    ///
    /// # Errors
    /// What the listener refuses.
    pub fn tell(&self, phase: &'static str, done: u64, total: u64) -> Result<()> {
        (self.0)(phase, done, total)
    }
}

/// A pack that was made.
#[derive(Debug, Clone)]
pub struct Made {
    /// Its record.
    pub pack: Pack,
    /// The file.
    pub file: PathBuf,
    /// How much is sealed and not kept: a fault of the ledger, which `verify` names.
    pub missing: u64,
    /// How many versions lie in it as PDF.
    pub prints: u64,
}

/// A pack about to be made, with the checkpoint that all its proofs lead to.
struct Making<'a> {
    site: &'a Site,
    wish: &'a Wish,
    press: &'a Press,
    signed: (u64, String),
}

/// What came of it before the file was closed.
struct Filled {
    pack: Pack,
    missing: u64,
    prints: u64,
}

/// Makes a pack at `path`, then appends the entry that says so, with the file's SHA-256.
///
/// # Errors
/// 422 for a subject without entries, 409 where the file is there or cannot be written, 503 before the first
/// checkpoint, or where PDF is wanted and `press` has none; what `steps` refuses. No file is left then.
pub fn make(
    (site, press): (&Site, &Press),
    wish: &Wish,
    (id, path): (&str, &Path),
    actor: &Actor,
    steps: &Steps<'_>,
) -> Result<Made> {
    let making = Making::begin((site, press), wish)?;
    let (Filled { pack: told, missing, prints }, (sha256, size)) = making.write(id, path, steps)?;
    let pack = Pack { sha256: sha256.to_string(), size: index(size)?, made_by: actor.id.clone(), ..told };
    let kept = pack.clone();
    let (actor, reason) = (actor.clone(), wish.reason.clone());
    let kept = site.lane.write_here(move |tx| {
        let row = Pack { made_at: tx.now(), ..kept.clone() };
        store::insert(tx, &row)?;
        let entry = NewEntry::new(acts::PACK_MADE, &actor)
            .state(row.snapshot())
            .reason(&reason)
            .field("sha256", row.sha256.as_str())
            .field("size", json!(row.size))
            .field("entries", json!(row.entries));
        let entry = if prints > 0 { entry.field("prints", json!(prints)) } else { entry };
        tx.append(entry)?;
        Ok(row)
    });
    let pack = kept.inspect_err(|_| {
        let _ = std::fs::remove_file(path);
    })?;
    Ok(Made { pack, file: path.to_owned(), missing, prints })
}

/// Whether there is anything to pack, which may be refused before the work begins; returns how many entries.
///
/// # Errors
/// As [`select`].
pub fn check(db: &mut Db, site: &Site, scope: &Scope) -> Result<u64> {
    let size = ledger::head(db)?.map_or(0, |head| head.size);
    let extents = part::extents(db, (site.epoch, size))?;
    Ok(select(db, &extents, scope)?.count())
}

impl<'a> Making<'a> {
    /// Takes the newest checkpoint, after signing what was committed.
    fn begin((site, press): (&'a Site, &'a Press), wish: &'a Wish) -> Result<Self> {
        if wish.prints {
            press.ready()?;
        }
        site.signing.finish();
        let signed = site.signing.newest().ok_or_else(|| Error::unavailable("not-yet-signed"))?;
        Ok(Self { site, wish, press, signed })
    }

    fn write(&self, id: &str, path: &Path, steps: &Steps<'_>) -> Result<(Filled, (Digest, u64))> {
        let now = self.site.clock.now();
        let mut out = Writer::create(path, now)?;
        let mut db = self.site.target.open(Purpose::Read)?;
        // One state of the database: a value that is erased meanwhile is in it or not, never half.
        let filled = db.transaction(|db| self.fill(db, &mut out, id, steps))?;
        steps.tell("job-packing-closing", 0, 0)?;
        Ok((filled, out.finish()?))
    }

    fn fill(&self, db: &mut Db, out: &mut Writer, id: &str, steps: &Steps<'_>) -> Result<Filled> {
        let (site, size) = (self.site, self.signed.0);
        if tombstone::went_since(db, site.epoch, index(size)?)? {
            // Its content is gone, and the entry that says so is not yet under the checkpoint.
            return Err(Error::conflict("disposed-meanwhile"));
        }
        let parts = part::all(db, site, &self.signed)?;
        let extents: Vec<Extent> = parts.iter().map(Part::extent).collect();
        let selected = select(db, &extents, &self.wish.scope)?;
        out.put(files::SCRIPT, SCRIPT.as_bytes())?;
        let mut sealed = Sealed::new(self.wish.sight);
        for part in &parts {
            part.put_vouchers(db, out)?;
        }
        self.put_entries(db, out, (&parts, &selected, &mut sealed), steps)?;
        sealed.put_content(db, out, steps)?;
        sealed.put_named(db, out, steps)?;
        let prints = if self.wish.prints { self.put_prints(db, out, (&sealed, steps))? } else { 0 };
        let pack = self.told(id, &selected)?;
        let cover = Cover {
            pack: &pack,
            subjects: &selected.subjects,
            subject_count: sealed.subjects(),
            missing: sealed.missing(),
            prints,
            origin: &site.origin,
            zone: site.zone,
            demo: site.demo,
            now: site.clock.now(),
            last: store::instant(db, site.epoch, size - 1)?,
            parts: &parts,
        };
        out.put(files::README, readme(&cover)?.as_bytes())?;
        Ok(Filled { pack, missing: sealed.missing(), prints })
    }

    fn put_entries(
        &self,
        db: &mut Db,
        out: &mut Writer,
        (parts, selected, sealed): (&[Part], &Selected, &mut Sealed),
        steps: &Steps<'_>,
    ) -> Result<()> {
        let (mut done, total) = (0, selected.count());
        let mut seen = |db: &mut Db, out: &mut Writer, (area, rows): (Area, &[NewEntryRow])| {
            done += rows.len() as u64;
            sealed.take(db, out, (area, rows))?;
            steps.tell("job-packing-entries", done, total)
        };
        for part in parts {
            match selected.entries.get(&part.number) {
                _ if self.wish.scope == Scope::Whole => part.put_tiles(db, out, &mut seen)?,
                Some(entries) => part.put_excerpt(db, out, (entries, &mut seen))?,
                None => part.put_excerpt(db, out, (&[], &mut seen))?,
            }
        }
        Ok(())
    }

    /// Puts each version as the print that an archive keeps; returns how many. One print is in memory at a time.
    fn put_prints(
        &self,
        db: &mut Db,
        out: &mut Writer,
        (sealed, steps): (&Sealed, &Steps<'_>),
    ) -> Result<u64> {
        let site = layout::Site { origin: self.site.origin.clone(), zone: self.site.zone };
        let (versions, now) = (sealed.versions(), self.site.clock.now());
        let (mut done, mut put, total) = (0, 0, versions.len() as u64);
        for (number, version, folder) in versions {
            steps.tell("job-packing-prints", done, total)?;
            let job = match archival(db, (number, version), (&site, now)) {
                Ok(job) => Some(job),
                // A text that is not what was sealed is told as missing or by `verify`; it hides nothing else.
                Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Conflict) => None,
                Err(error) => return Err(error),
            };
            if let Some(job) = job {
                out.put(&files::print(&folder), &self.press.print_here(&job)?.bytes)?;
                put += 1;
            }
            done += 1;
        }
        Ok(put)
    }

    /// The record as far as it is known before the file is closed.
    fn told(&self, id: &str, selected: &Selected) -> Result<Pack> {
        let (scope, named, (from_at, before_at)) = match &self.wish.scope {
            Scope::Subjects(named) => ("subjects", named.as_slice(), (None, None)),
            Scope::Range { from, before } => ("range", [].as_slice(), (*from, *before)),
            Scope::Whole => ("whole", [].as_slice(), (None, None)),
        };
        let named: Vec<String> = named.iter().map(ToString::to_string).collect();
        Ok(Pack {
            id: id.to_owned(),
            scope: scope.to_owned(),
            subjects: json!(named).to_string(),
            from_at,
            before_at,
            reason: self.wish.reason.clone(),
            disclosed: self.wish.sight != Sight::Nothing,
            checkpoint: index(self.signed.0)?,
            entries: index(selected.count())?,
            sha256: String::new(),
            size: 0,
            made_at: self.site.clock.now(),
            made_by: String::new(),
        })
    }
}
