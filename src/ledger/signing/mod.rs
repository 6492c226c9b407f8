//! The signer at work: after each commit, at most once a second, it reads the new entries back, hashes them again,
//! proves that they extend what was signed last, signs, writes the note outside the database, and only then lets it
//! be served. Other processes' commits are seen within a second.
//!
//! Of several nodes on one database one holds the lease and signs; the others take each of its notes into their own
//! state, under the same rules, before they serve it. When it goes, another takes the lease within a second.

mod learning;
mod reading;
mod worker;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tokio::sync::watch;

use reading::borne_out;
pub use reading::tree_as_signed;

use super::folder::Folder;
use super::lane::Lane;
use super::note::VerifierKey;
use super::ring::Ring;
use super::store::Head;
use crate::error::{Error, Result};
use crate::store::{Db, Readers, Target};
use crate::time::Clock;
use worker::{Told, Worker};

/// The newest signed note: its size and its text.
pub type Signed = Option<(u64, String)>;

/// Tells the signer that the ledger has grown.
#[derive(Clone)]
pub struct Bell(Sender<Call>);

/// The signer's ear.
pub struct Ear(Receiver<Call>);

enum Call {
    Grown,
    Sign(Sender<()>),
    End(Sender<()>),
}

/// A bell and the ear that hears it.
pub fn bell() -> (Bell, Ear) {
    let (sender, receiver) = channel();
    (Bell(sender), Ear(receiver))
}

impl Bell {
    /// Rings; a signer that has gone does not hear it.
    pub fn ring(&self) {
        let _ = self.0.send(Call::Grown);
    }
}

/// The newest signed note, and a way to wait for the next.
#[derive(Clone)]
pub struct Signing {
    signed: watch::Receiver<Signed>,
    trouble: watch::Receiver<Option<String>>,
    bell: Bell,
    folder: Folder,
    origin: String,
}

/// What the signer works with.
pub struct Hand {
    /// The database, for the lease.
    pub target: Target,
    /// Where it reads entries back.
    pub readers: Readers,
    /// Where it keeps notes for the other nodes.
    pub lane: Lane,
    /// Where its keys are, and where it keeps notes outside the database.
    pub folder: Folder,
    /// The tree it signs.
    pub epoch: i64,
    /// Its name.
    pub origin: String,
    /// Until when a rotated key signs.
    pub clock: Clock,
}

impl Signing {
    /// Compares the database with the signer's state and starts the signer's thread.
    ///
    /// # Errors
    /// 409 `ledger-behind`, `ledger-different` or `ledger-unknown`: the database is not the one whose history was
    /// signed.
    pub fn start(hand: Hand, bell: Bell, ear: Ear) -> Result<Self> {
        let (folder, origin) = (hand.folder.clone(), hand.origin.clone());
        let mut worker = Worker::at_the_start(hand)?;
        let (announce, signed) = watch::channel(worker.last());
        let (complain, trouble) = watch::channel(None);
        let told = Told { signed: announce, trouble: complain };
        std::thread::Builder::new()
            .name("signer".to_owned())
            .spawn(move || worker.work(&ear.0, &told))
            .map_err(Error::internal)?;
        Ok(Self { signed, trouble, bell, folder, origin })
    }

    /// No signer: the newest note that the database bears out is served on, and `trouble` says why nothing is signed.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn resting(db: &mut Db, folder: &Folder, head: &Head, trouble: &Error) -> Result<Self> {
        let ring = Ring::load(folder, &head.origin)?;
        let (bell, _) = bell();
        Ok(Self {
            signed: watch::channel(borne_out(db, head, &ring)?).1,
            trouble: watch::channel(Some(trouble.to_string())).1,
            bell,
            folder: folder.clone(),
            origin: head.origin.clone(),
        })
    }

    /// What notes of this name are checked with, newest key first, revoked ones left out; none on a node that only
    /// hands on what the database holds. Read anew: another process may have rotated the key.
    ///
    /// # Errors
    /// 409 `key-unusable`.
    pub fn vkeys(&self, origin: &str) -> Result<Vec<VerifierKey>> {
        Ok(Ring::load(&self.folder, &self.origin)?.vkeys(origin))
    }

    /// Why the signer does not sign; none while all is well. For whoever watches the node.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.borrow().clone()
    }

    /// The newest note.
    pub fn newest(&self) -> Signed {
        self.signed.borrow().clone()
    }

    /// Waits until a note covers entry `seq`.
    ///
    /// # Errors
    /// 503 when none does within 3 seconds.
    pub async fn covering(&self, seq: u64) -> Result<(u64, String)> {
        let mut signed = self.signed.clone();
        let covers = |signed: &Signed| signed.as_ref().is_some_and(|(size, _)| *size > seq);
        let wait = signed.wait_for(covers);
        match tokio::time::timeout(Duration::from_secs(3), wait).await {
            Ok(Ok(signed)) => signed.clone().ok_or_else(|| Error::unavailable("not-yet-signed")),
            _ => Err(Error::unavailable("not-yet-signed").retry_after(1)),
        }
    }

    /// Signs what has been committed and returns when it is done.
    pub fn finish(&self) {
        self.ask(Call::Sign);
    }

    /// The same, for the last time: every process that commits signs before it ends.
    pub fn end(&self) {
        self.ask(Call::End);
    }

    fn ask(&self, call: fn(Sender<()>) -> Call) {
        let (done, wait) = channel();
        if self.bell.0.send(call(done)).is_ok() {
            // A signer that has ended meanwhile drops the call, and with it the sender.
            let _ = wait.recv();
        }
    }
}
