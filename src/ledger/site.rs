//! The installation as a running program holds it: its folder, its readers, its one lane, its clock and its signer.

use std::sync::Arc;

use chrono_tz::Tz;
use serde_json::json;

use super::acts;
use super::folder::Folder;
use super::key::LedgerKey;
use super::lane::{Lane, NewEntry, Tx};
use super::recovery::must_be_declared;
use super::signer::SignerState;
use super::signing::{self, Hand, Signing};
use super::store::{self as ledger_store, Head};
use crate::error::{Cause, Error, Result};
use crate::store::{self, Db, GuardFaults, Purpose, Readers, SchemaState, Target};
use crate::time::Clock;

/// Readers at most; each holds a connection.
const READERS: u32 = 8;

/// What every request, job and command works with.
pub struct Site {
    /// Where the database is.
    pub target: Target,
    /// What lies beside it.
    pub folder: Folder,
    /// For questions.
    pub readers: Readers,
    /// For changes.
    pub lane: Lane,
    /// For checkpoints.
    pub signing: Signing,
    /// The present.
    pub clock: Clock,
    /// The site's zone: dates are read and shown in it.
    pub zone: Tz,
    /// The ledger's name.
    pub origin: String,
    /// Which tree.
    pub epoch: i64,
    /// Invented data, and said to be so on every page.
    pub demo: bool,
}

/// Where an installation is, and its clock and zone.
#[derive(Debug, Clone)]
pub struct Place {
    /// The database.
    pub target: Target,
    /// The folder.
    pub folder: Folder,
    /// The clock.
    pub clock: Clock,
    /// The zone.
    pub zone: Tz,
}

impl Place {
    /// Makes an empty installation: schema, guards, key, signer state and entry 0. Does nothing to one that is there.
    ///
    /// # Errors
    /// 409 `installed` when there is a ledger already; files or database that refuse.
    pub fn create(&self, origin: &str) -> Result<()> {
        if !super::entry::is_origin(origin) {
            return Err(Error::invalid("origin", "origin-form"));
        }
        self.folder.make()?;
        let mut db = self.target.open(Purpose::Write)?;
        in_write_transaction(&mut db, |db| {
            match store::schema_state(db)? {
                SchemaState::Empty => {
                    store::run_pending(db)?;
                    store::set_guards(db)?;
                }
                SchemaState::Current => {}
                SchemaState::Older => return Err(Error::conflict("schema-older")),
                SchemaState::Newer => return Err(Error::conflict("schema-newer")),
            }
            if ledger_store::head(db)?.is_some() {
                return Err(Error::conflict("installed"));
            }
            self.make_key(origin)?;
            ledger_store::create_head(db, origin)
        })
    }

    fn make_key(&self, origin: &str) -> Result<()> {
        // A key or state left by an attempt that was cut short has signed nothing yet.
        if !self.folder.key().exists() {
            LedgerKey::create(&self.folder.key(), origin)
                .map_err(|error| Error::internal(error.to_string()))?;
        }
        if !self.folder.signer_state().exists() {
            SignerState::create(&self.folder.signer_state())
                .map_err(|error| Error::internal(error.to_string()))?;
        }
        Ok(())
    }

    /// Brings the schema up to date: guards lifted and set again and the governed records compared with the ledger by
    /// `compare`, all in one transaction.
    ///
    /// # Errors
    /// A migration fails, a record would no longer match the ledger, or a stranger's triggers or rules could swallow what
    /// the migrations write: nothing is changed then.
    pub fn migrate(&self, compare: impl FnOnce(&mut Db) -> Result<()>) -> Result<usize> {
        let mut db = self.target.open(Purpose::Write)?;
        in_write_transaction(&mut db, |db| {
            store::lift_guards(db)?;
            refuse_added(&store::guard_faults(db)?)?;
            let ran = store::run_pending(db)?;
            if ledger_store::head(db)?.is_some() {
                compare(db)?;
            }
            store::set_guards(db)?;
            Ok(ran)
        })
    }

    /// What keeps this installation from being served: an older schema, unsafe durability, altered guards.
    ///
    /// # Errors
    /// Each with its way out.
    pub fn check(&self) -> Result<Head> {
        let mut db = self.readable()?;
        ledger_store::head(&mut db)?
            .ok_or_else(|| Error::conflict("not-installed").arg("folder", self.where_to()))
    }

    /// Refuses where there is nothing to verify: no database, a schema of another version, or neither a head nor entries
    /// nor anything signed. A head that has gone missing from among the rest is for the verification to name.
    ///
    /// # Errors
    /// As [`Place::check`].
    pub fn check_for_verification(&self) -> Result<()> {
        let mut db = self.readable()?;
        let begun = ledger_store::head(&mut db)?.is_some()
            || ledger_store::has_entries(&mut db)?
            || self.folder.signer_state().exists();
        if begun { Ok(()) } else { Err(Error::conflict("not-installed").arg("folder", self.where_to())) }
    }

    /// A connection to a database with the schema of this program.
    fn readable(&self) -> Result<Db> {
        if let Target::Sqlite(path) = &self.target
            && !path.exists()
        {
            return Err(
                Error::conflict("not-installed").arg("folder", self.folder.path().display().to_string())
            );
        }
        let mut db = self.target.open(Purpose::Write)?;
        match store::schema_state(&mut db)? {
            SchemaState::Current => {}
            SchemaState::Empty => return Err(Error::conflict("not-installed").arg("folder", self.where_to())),
            SchemaState::Older => return Err(Error::conflict("schema-older")),
            SchemaState::Newer => return Err(Error::conflict("schema-newer")),
        }
        Ok(db)
    }

    /// Refuses a database that could lose an acknowledged change, or whose guards are missing, altered or joined by a
    /// stranger's triggers or rules.
    ///
    /// # Errors
    /// 409 naming the settings or guards.
    pub fn check_safety(&self) -> Result<()> {
        let mut db = self.target.open(Purpose::Write)?;
        let settings = store::unsafe_durability(&mut db)?;
        if !settings.is_empty() {
            return Err(Error::conflict("unsafe-durability").arg("settings", settings.join(", ")));
        }
        self.check_guards()
    }

    /// Refuses missing or altered guards, and triggers and rules that are not ours.
    ///
    /// # Errors
    /// 409 naming them.
    pub fn check_guards(&self) -> Result<()> {
        let faults = store::guard_faults(&mut self.target.open(Purpose::Write)?)?;
        refuse_added(&faults)?;
        if faults.is_empty() {
            return Ok(());
        }
        Err(Error::conflict("guards-altered").arg("guards", faults.altered.join(", ")))
    }

    /// Opens the installation: lane, readers and signer. Appends entry 0 to a new ledger.
    ///
    /// # Errors
    /// As [`Place::check`]; 409 when the database is not the one whose history was signed.
    pub fn open(&self, demo: bool) -> Result<Site> {
        must_be_declared(&self.check()?)?;
        self.open_with(move |tx| begin(tx, demo))
    }

    /// The same, to be served: a database behind what was signed, or different, is opened for reading alone. A fault
    /// never hides the data; whoever reads it is told, and nothing is written before a recovery is declared.
    ///
    /// # Errors
    /// As [`Place::open`], these two excepted.
    pub fn open_to_serve(&self) -> Result<Site> {
        match self.open(false) {
            Err(error) if matches!(error.code(), "ledger-behind" | "ledger-different") => {
                tracing::error!(%error, "reading only, until the database is back or a recovery is declared");
                self.open_to_read(&error)
            }
            opened => opened,
        }
    }

    fn open_to_read(&self, error: &Error) -> Result<Site> {
        let head = self.check()?;
        let lane = Lane::start(&self.target, self.clock.clone(), Arc::new(|_| ()))?;
        lane.halt(Cause::from(error));
        let signing = Signing::resting(&mut self.target.open(Purpose::Read)?, &self.folder, &head, error)?;
        let readers = Readers::new(&self.target, READERS);
        Ok(self.site(head, readers, (lane, signing)))
    }

    fn site(&self, head: Head, readers: Readers, (lane, signing): (Lane, Signing)) -> Site {
        let Self { target, folder, clock, zone } = self.clone();
        let (origin, epoch) = (head.origin, head.epoch);
        let demo = origin.starts_with("demo/");
        Site { target, folder, readers, lane, signing, clock, zone, origin, epoch, demo }
    }

    /// Opens with a first entry of one's own for a ledger that has none.
    ///
    /// # Errors
    /// As [`Place::open`].
    pub(super) fn open_with(
        &self,
        first: impl Fn(&mut Tx<'_>) -> Result<()> + Send + 'static,
    ) -> Result<Site> {
        let head = self.check()?;
        let readers = Readers::new(&self.target, READERS);
        let (bell, ear) = signing::bell();
        let ringer = bell.clone();
        let lane = Lane::start(&self.target, self.clock.clone(), Arc::new(move |_| ringer.ring()))?;
        let hand = Hand {
            target: self.target.clone(),
            readers: readers.clone(),
            lane: lane.clone(),
            folder: self.folder.clone(),
            epoch: head.epoch,
            origin: head.origin.clone(),
            clock: self.clock.clone(),
        };
        let signing = Signing::start(hand, bell, ear)?;
        if head.size == 0 {
            lane.write_here(first)?;
        }
        Ok(self.site(head, readers, (lane, signing)))
    }

    fn where_to(&self) -> String {
        format!("{:?}", self.target)
    }
}

fn refuse_added(faults: &GuardFaults) -> Result<()> {
    if faults.added.is_empty() {
        return Ok(());
    }
    Err(Error::conflict("guards-added").arg("added", faults.added.join("; ")))
}

fn begin(tx: &mut Tx<'_>, demo: bool) -> Result<()> {
    if tx.next_seq() > 0 {
        return Ok(());
    }
    let entry = NewEntry::without_actor(acts::LEDGER_CREATED).field("alg", "sha-256");
    let entry = if demo { entry.field("demo", json!(true)) } else { entry };
    tx.append(entry)?;
    Ok(())
}

/// Runs `work` in one write transaction, for what is written where the lane is not open.
pub(crate) fn in_write_transaction<T>(db: &mut Db, work: impl FnOnce(&mut Db) -> Result<T>) -> Result<T> {
    store::begin_write(db)?;
    match work(db) {
        Ok(value) => store::commit(db).map(|()| value),
        Err(error) => {
            store::rollback(db)?;
            Err(error)
        }
    }
}

impl Site {
    /// Whether nothing is written: the database is not the one whose history was signed.
    pub fn is_halted(&self) -> bool {
        self.lane.halted().get().is_some()
    }

    /// Finishes what waits, signs, and lets nothing more in.
    pub fn close(&self) {
        // A lane that takes nothing more has nothing that waits; the signer ends all the same.
        let _ = self.lane.write_here(|_| Ok(()));
        self.signing.end();
        self.lane.close();
    }
}
