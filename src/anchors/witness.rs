//! Who keeps the stamps coming: by the clock, or when asked; and what last went wrong.

use std::sync::{Mutex, PoisonError, RwLock};

use super::authority::Authority;
use crate::error::{Error, Kind, Result};
use crate::ledger::anchor::{self, Anchor, Every};
use crate::ledger::lane::Actor;
use crate::ledger::site::Site;
use crate::ledger::store as ledger;
use crate::store::Db;
use crate::time::Timestamp;

/// After a failure the authority is left alone for so many seconds, then twice as long, up to the most.
const FIRST_PAUSE: i64 = 60;
const LONGEST_PAUSE: i64 = 900;
/// The host's clock may differ from the authority's by so many seconds before it is a warning.
const CLOCKS_DIFFER: i64 = 60;

/// The installation's outside witness.
#[derive(Debug, Default)]
pub struct Witness {
    authority: Option<Authority>,
    trouble: RwLock<Option<Trouble>>,
    turn: Mutex<()>,
}

/// What last went wrong, until a stamp succeeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// When it began.
    pub since: Timestamp,
    /// When it was seen last.
    pub last: Timestamp,
    /// The refusal's code.
    pub code: &'static str,
    /// When to try again.
    pub again: Timestamp,
}

impl Witness {
    /// The witness whom this authority stands for.
    pub fn new(authority: Option<Authority>) -> Self {
        Self { authority, ..Self::default() }
    }

    /// Whether there is an authority to ask.
    pub fn is_configured(&self) -> bool {
        self.authority.is_some()
    }

    /// How often it is asked.
    pub fn every(&self) -> Every {
        Every(self.authority.as_ref().map(Authority::every))
    }

    /// What last went wrong.
    pub fn trouble(&self) -> Option<Trouble> {
        self.trouble.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stamps where a stamp is due; none where it is not, or nothing new is there to be stamped. Waits for the
    /// authority: not to be called from a worker.
    ///
    /// # Errors
    /// As [`Witness::stamp`].
    pub fn when_due(&self, site: &Site) -> Result<Option<Anchor>> {
        let Some(authority) = &self.authority else { return Ok(None) };
        let now = site.clock.now();
        if self.trouble().is_some_and(|trouble| now < trouble.again) {
            return Ok(None);
        }
        let last = site.readers.read_here(anchor::last)?;
        if last.is_some_and(|last| now < last.kept_at.plus_seconds(authority.every())) {
            return Ok(None);
        }
        match self.stamp(site, &Actor::clock()) {
            Ok(anchor) => Ok(Some(anchor)),
            Err(error) if matches!(error.code(), "nothing-to-anchor" | "anchored") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Has the newest checkpoint stamped, and keeps the stamp. Waits for the authority: not to be called from a worker.
    ///
    /// # Errors
    /// 409 `no-authority`, `nothing-to-anchor` where only the last stamp's own entry is new, `anchored`; 503 where the
    /// authority is away or not to be believed.
    pub fn stamp(&self, site: &Site, actor: &Actor) -> Result<Anchor> {
        let Some(authority) = &self.authority else { return Err(Error::conflict("no-authority")) };
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let made = one(site, authority, actor);
        match &made {
            Ok(anchor) => {
                *self.trouble.write().unwrap_or_else(PoisonError::into_inner) = None;
                let ahead = anchor.clock_ahead();
                if ahead.abs() > CLOCKS_DIFFER {
                    tracing::warn!(seconds = ahead, "the host's clock and the authority's differ");
                }
                tracing::info!(entries = anchor.entries, authority = anchor.authority, "stamped");
            }
            Err(error) if error.kind() == Kind::Unavailable => self.went_wrong(site.clock.now(), error),
            Err(_) => {}
        }
        made
    }

    fn went_wrong(&self, now: Timestamp, error: &Error) {
        let before = self.trouble();
        let since = before.as_ref().map_or(now, |before| before.since);
        let pause = before.map_or(FIRST_PAUSE, |before| ((before.again.0 - before.last.0) / 1_000_000) * 2);
        let pause = pause.clamp(FIRST_PAUSE, LONGEST_PAUSE);
        let again = now.plus_seconds(pause);
        tracing::warn!(%error, "no time stamp; asked again in {pause} s");
        let trouble = Trouble { since, last: now, code: error.code(), again };
        *self.trouble.write().unwrap_or_else(PoisonError::into_inner) = Some(trouble);
    }
}

fn one(site: &Site, authority: &Authority, actor: &Actor) -> Result<Anchor> {
    site.signing.finish();
    let epoch = site.epoch;
    let newest = move |db: &mut Db| Ok((ledger::last_checkpoint(db, epoch)?, anchor::last(db)?));
    let (checkpoint, last) = site.readers.read_here(newest)?;
    let (entries, note) = checkpoint.ok_or_else(|| Error::unavailable("not-yet-signed").retry_after(1))?;
    let stamped = last.filter(|last| last.epoch == epoch).map(|last| last.entries);
    // Where one entry is new it is the last stamp's own.
    if stamped.is_some_and(|stamped| ledger::index(entries).is_ok_and(|entries| entries <= stamped + 1)) {
        return Err(Error::conflict("nothing-to-anchor"));
    }
    let stamped = authority.stamp(note.as_bytes())?;
    let (actor, pem) = (actor.clone(), authority.pem().to_vec());
    site.lane.write_here(move |tx| {
        let parts = [note.as_bytes(), &stamped.reply, &pem];
        anchor::record(tx, &actor, (epoch, entries), parts, &stamped.stamp)
    })
}
