//! One epoch's part of a pack: what vouches for its entries, and its files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::anchors;
use super::archive::Writer;
use super::layout::{self, Area};
use super::proofs::Tree;
use super::store::{Extent, Selection, rows};
use crate::error::{Error, Result};
use crate::ledger::epochs::{self, Epoch};
use crate::ledger::note::Checkpoint;
use crate::ledger::recovery::Declared;
use crate::ledger::site::Site;
use crate::ledger::store as ledger;
use crate::ledger::tree::consistency_proof;
use crate::store::{Db, NewEntryRow};

/// What is told of the rows that were put.
pub type Seen<'a> = &'a mut dyn FnMut(&mut Db, &mut Writer, (Area, &[NewEntryRow])) -> Result<()>;

/// An epoch in a pack.
pub struct Part {
    area: Area,
    /// From 1.
    pub number: i64,
    /// Its name.
    pub origin: String,
    /// Its newest checkpoint: entries and note; none where it never had one.
    pub checkpoint: Option<(u64, String)>,
    /// What the recovery that ended it declares; none of the present one.
    pub ended: Option<Declared>,
    /// Its keys, a line each.
    pub key: String,
    /// The entries that are here.
    here: u64,
}

/// All epochs, the oldest first, the present one up to `signed`.
///
/// # Errors
/// 404 where this node has no key of one; 409 where a recovery has begun another since the program was started.
pub fn all(db: &mut Db, site: &Site, signed: &(u64, String)) -> Result<Vec<Part>> {
    let epochs = epochs::all(db)?;
    if epochs.last().is_none_or(|last| last.number != site.epoch) {
        return Err(Error::conflict("ledger-different"));
    }
    epochs.into_iter().map(|epoch| Part::new(db, site, epoch, signed)).collect()
}

/// How far each is vouched for, without what its files need.
///
/// # Errors
/// The database does not answer.
pub fn extents(db: &mut Db, (present, size): Extent) -> Result<Vec<Extent>> {
    let mut extents = Vec::new();
    for epoch in epochs::all(db)? {
        let vouched = match epoch.number == present {
            true => size,
            false => {
                let declared = epoch.ended.as_ref().map_or(0, |found| found.size.min(epoch.size));
                ledger::last_checkpoint(db, epoch.number)?.map_or(0, |(size, _)| size).max(declared)
            }
        };
        extents.push((epoch.number, vouched));
    }
    Ok(extents)
}

impl Part {
    fn new(db: &mut Db, site: &Site, epoch: Epoch, signed: &(u64, String)) -> Result<Self> {
        let Epoch { number, origin, size: here, ended } = epoch;
        let keys = site.signing.vkeys(&origin)?;
        if keys.is_empty() {
            return Err(Error::not_found("key", origin));
        }
        let key = keys.iter().map(|key| format!("{key}\n")).collect();
        let (area, checkpoint) = match number == site.epoch {
            true => (Area::TOP, Some(signed.clone())),
            false => (Area::of(number.unsigned_abs()), ledger::last_checkpoint(db, number)?),
        };
        Ok(Self { area, number, origin, checkpoint, ended, key, here })
    }

    /// How many entries its own checkpoint vouches for.
    pub fn signed(&self) -> u64 {
        self.checkpoint.as_ref().map_or(0, |(size, _)| *size)
    }

    /// How many entries its checkpoint or the recovery vouches for.
    pub fn extent(&self) -> Extent {
        (self.number, self.declared().map_or(0, |declared| declared.size).max(self.signed()))
    }

    /// What the recovery vouches for.
    fn declared(&self) -> Option<Checkpoint> {
        let Declared { size, root, .. } = self.ended.as_ref().filter(|found| found.size <= self.here)?;
        root.map(|root| Checkpoint { origin: self.origin.clone(), size: *size, root })
    }

    fn trees(&self) -> Vec<Tree> {
        let declared = self.declared().and_then(|declared| Some((declared.size, declared.text().ok()?)));
        let all = self.checkpoint.iter().cloned().chain(declared);
        all.map(|vouched| Tree::new((self.area, self.number), vouched)).collect()
    }

    /// Puts checkpoint, keys and time stamps.
    ///
    /// # Errors
    /// The database does not answer, or the disk refuses.
    pub fn put_vouchers(&self, db: &mut Db, out: &mut Writer) -> Result<()> {
        if let Some((_, note)) = &self.checkpoint {
            out.put(&self.area.file(layout::CHECKPOINT), note.as_bytes())?;
        }
        out.put(&self.area.file(layout::KEY), self.key.as_bytes())?;
        anchors::put(db, out, self.area, (self.number, self.signed()))
    }

    /// Puts the whole epoch as tiles.
    ///
    /// # Errors
    /// The database does not answer or lacks a tile, or the disk refuses.
    pub fn put_tiles(&self, db: &mut Db, out: &mut Writer, seen: Seen<'_>) -> Result<()> {
        let Some(tree) = self.trees().into_iter().max_by_key(Tree::size) else { return Ok(()) };
        tree.put_tiles(db, out, |db, out, rows| seen(db, out, (self.area, rows)))
    }

    /// Puts some of its entries with their proofs, and of an epoch that has ended the proof that what was found then
    /// extends what it had signed.
    ///
    /// # Errors
    /// As [`Part::put_tiles`].
    pub fn put_excerpt(
        &self,
        db: &mut Db,
        out: &mut Writer,
        (parts, seen): (&[Selection], Seen<'_>),
    ) -> Result<()> {
        self.put_consistency(db, out)?;
        let mut trees = self.trees();
        for piece in parts.iter().flat_map(Selection::pieces) {
            let rows = rows(db, self.number, &piece)?;
            for row in &rows {
                let seq = u64::try_from(row.seq).map_err(Error::internal)?;
                out.put(&self.area.entry(seq), &row.entry)?;
                if let Some(tree) = trees.iter_mut().find(|tree| tree.covers(seq)) {
                    tree.put_proof(db, out, seq)?;
                }
            }
            seen(db, out, (self.area, &rows))?;
        }
        Ok(())
    }

    fn put_consistency(&self, db: &mut Db, out: &mut Writer) -> Result<()> {
        let (from, number) = (self.signed(), self.number);
        let Some(to) = self.declared().map(|declared| declared.size).filter(|to| (1..*to).contains(&from))
        else {
            return Ok(());
        };
        let proof = consistency_proof(from, to, |level, at| ledger::node(db, number, level, at))?;
        let path = proof.map(|proof| proof.path).unwrap_or_default();
        let lines: String =
            path.iter().map(|hash| format!("{}\n", STANDARD.encode(hash.as_bytes()))).collect();
        out.put(&self.area.file(layout::CONSISTENCY), lines.as_bytes())
    }
}
