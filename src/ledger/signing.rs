//! The signer at work: after each commit, at most once a second, it reads the new entries back, hashes them again,
//! proves that they extend what was signed last, signs, writes the note outside the database, and only then lets it
//! be served. Other processes' commits are seen within a second.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use diesel::prelude::*;
use tokio::sync::watch;

use super::digest::Digest;
use super::folder::Folder;
use super::key::LedgerKey;
use super::lane::Lane;
use super::note::VerifierKey;
use super::signer::{Head as ToSign, SignerRefusal, SignerState, replace_file};
use super::tree::{Frontier, consistency_proof};
use super::{entry, store, tile};
use crate::error::{Error, Result};
use crate::store::schema::ledger_checkpoint;
use crate::store::{Db, Readers};

/// Between two checkpoints, and between two looks at what other processes have committed.
const PAUSE: Duration = Duration::from_secs(1);
/// Entries read back at once.
const CHUNK: u64 = 1024;

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
    bell: Bell,
    key: Option<VerifierKey>,
}

/// What the signer works with.
pub struct Hand {
    /// Where it reads entries back.
    pub readers: Readers,
    /// Where it keeps notes for the other nodes.
    pub lane: Lane,
    /// Where it keeps notes outside the database.
    pub folder: Folder,
    /// The tree it signs.
    pub epoch: i64,
    /// None on a node that only follows another one's checkpoints.
    pub key: Option<LedgerKey>,
}

impl Signing {
    /// Compares the database with the signer's state and starts the signer's thread.
    ///
    /// # Errors
    /// 409 `ledger-behind` or `ledger-different`: the database is not the one whose history was signed.
    pub fn start(hand: Hand, bell: Bell, ear: Ear) -> Result<Self> {
        let key = hand.key.as_ref().map(LedgerKey::vkey);
        let mut worker = Worker::at_the_start(hand)?;
        let (announce, signed) = watch::channel(worker.last());
        std::thread::Builder::new()
            .name("signer".to_owned())
            .spawn(move || worker.work(&ear.0, &announce))
            .map_err(Error::internal)?;
        Ok(Self { signed, bell, key })
    }

    /// What this node's notes are checked with; none on a node that only follows.
    pub fn vkey(&self) -> Option<&VerifierKey> {
        self.key.as_ref()
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

struct Worker {
    hand: Hand,
    state: Option<SignerState>,
    /// The tree as signed last.
    tree: Frontier,
}

impl Worker {
    fn at_the_start(hand: Hand) -> Result<Self> {
        let state = match SignerState::load(&hand.folder.signer_state()) {
            Ok(state) => Some(state),
            Err(SignerRefusal::Missing(path)) => match &hand.key {
                Some(_) => {
                    tracing::warn!(path = %path.display(), "no signer state: beginning one from the database");
                    Some(SignerState::create(&path).map_err(refused)?)
                }
                None => None,
            },
            Err(refusal) => return Err(refused(refusal)),
        };
        let mut worker = Self { hand, state, tree: Frontier::new() };
        let (epoch, signed) = (worker.hand.epoch, worker.kept());
        worker.tree = worker.hand.readers.read_here(|db| tree_as_signed(db, epoch, signed))?;
        Ok(worker)
    }

    /// What was signed last, size and root.
    fn kept(&self) -> Option<ToSign> {
        let kept = self.state.as_ref()?.last(self.hand.key.as_ref()?.name())?;
        Some(ToSign { size: kept.checkpoint.size, root: kept.checkpoint.root })
    }

    fn last(&self) -> Signed {
        let kept = self.state.as_ref()?.last(self.hand.key.as_ref()?.name())?;
        Some((kept.checkpoint.size, kept.note.clone()))
    }

    fn work(&mut self, calls: &Receiver<Call>, announce: &watch::Sender<Signed>) {
        let mut last = None::<Instant>;
        loop {
            let (asked, last_time) = match calls.recv_timeout(PAUSE) {
                Ok(Call::Sign(done)) => (Some(done), false),
                Ok(Call::End(done)) => (Some(done), true),
                Ok(Call::Grown) | Err(RecvTimeoutError::Timeout) => (None, false),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if let Some(rest) = last.and_then(|at| PAUSE.checked_sub(at.elapsed()))
                && asked.is_none()
            {
                std::thread::sleep(rest);
            }
            match self.step() {
                Ok(Some(signed)) => {
                    last = Some(Instant::now());
                    announce.send_replace(Some(signed));
                }
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "no checkpoint was signed"),
            }
            if let Some(done) = asked {
                let _ = done.send(());
            }
            if last_time {
                return;
            }
        }
    }

    /// Signs, or follows, where there is something new.
    fn step(&mut self) -> Result<Signed> {
        let Some(origin) = self.hand.key.as_ref().map(|key| key.name().to_owned()) else {
            return self.follow();
        };
        // The state first, then the database: another process may sign meanwhile, and the database must never be behind.
        let state = SignerState::load(&self.hand.folder.signer_state()).map_err(refused)?;
        let kept = state.last(&origin).cloned();
        let signed =
            kept.as_ref().map(|kept| ToSign { size: kept.checkpoint.size, root: kept.checkpoint.root });
        let (epoch, tree) = (self.hand.epoch, self.tree.clone());
        let grown = self.hand.readers.read_here(|db| read_back(db, epoch, tree, signed))?;
        let Some((tree, proof)) = grown else { return Ok(None) };
        let (Some(key), Some(root)) = (&self.hand.key, tree.root()) else { return Ok(None) };
        let head = ToSign { size: tree.size(), root };
        let mut state = state;
        let note = match state.extend(std::slice::from_ref(key), head, &proof) {
            Ok(note) => note,
            // A process that shares the folder was quicker; the next look finds what it has signed.
            Err(_) if state.last(&origin) != kept.as_ref() => return Ok(None),
            Err(refusal) => return Err(refused(refusal)),
        };
        replace_file(&self.hand.folder.checkpoint(), note.as_bytes())?;
        self.keep(head.size, &note)?;
        self.tree = tree;
        self.state = Some(state);
        Ok(Some((head.size, note)))
    }

    /// Notes stay in the database too: for the other nodes, and for proofs of consistency.
    fn keep(&self, size: u64, note: &str) -> Result<()> {
        let (epoch, size, note) = (self.hand.epoch, store::index(size)?, note.to_owned());
        self.hand.lane.write_here(move |tx| {
            let known =
                ledger_checkpoint::table.find((epoch, size)).count().get_result::<i64>(tx.read())? > 0;
            if !known {
                diesel::insert_into(ledger_checkpoint::table)
                    .values((
                        ledger_checkpoint::epoch.eq(epoch),
                        ledger_checkpoint::size.eq(size),
                        ledger_checkpoint::note.eq(&note),
                    ))
                    .execute(tx.rows())?;
            }
            Ok(())
        })
    }

    fn follow(&mut self) -> Result<Signed> {
        let epoch = self.hand.epoch;
        let newest = self.hand.readers.read_here(|db| store::last_checkpoint(db, epoch))?;
        Ok(newest)
    }
}

/// The tree at the signed size, compared with the signed root.
fn tree_as_signed(db: &mut Db, epoch: i64, signed: Option<ToSign>) -> Result<Frontier> {
    let Some(signed) = signed else { return Ok(Frontier::new()) };
    let head = store::head(db)?.ok_or_else(|| Error::unavailable("no-installation"))?;
    if head.size < signed.size {
        return Err(Error::conflict("ledger-behind")
            .arg("signed", signed.size.to_string())
            .arg("found", head.size.to_string()));
    }
    let mut tree = Frontier::new();
    for level in (0..64).rev().filter(|level| signed.size >> level & 1 == 1) {
        let node = store::node(db, epoch, level, (signed.size >> level) - 1)?;
        tree.append_subtree(level, node).map_err(Error::internal)?;
    }
    if tree.root() != Some(signed.root) {
        return Err(Error::conflict("ledger-different").arg("size", signed.size.to_string()));
    }
    Ok(tree)
}

/// Reads the entries beyond `tree` back, hashes them again, and returns the grown tree with the proof that it extends
/// what was signed; none where nothing is new.
fn read_back(
    db: &mut Db,
    epoch: i64,
    mut tree: Frontier,
    signed: Option<ToSign>,
) -> Result<Option<(Frontier, Vec<Digest>)>> {
    let head = store::head(db)?.ok_or_else(|| Error::unavailable("no-installation"))?;
    let last = signed.map_or(0, |signed| signed.size);
    if head.size < last {
        return Err(Error::conflict("ledger-behind")
            .arg("signed", last.to_string())
            .arg("found", head.size.to_string()));
    }
    if head.epoch != epoch || head.size == tree.size() {
        return Ok(None);
    }
    while tree.size() < head.size {
        let from = tree.size();
        for row in store::rows(db, epoch, from..head.size.min(from + CHUNK))? {
            let leaf = entry::leaf(&row.entry);
            if leaf.as_bytes().as_slice() != row.leaf.as_slice() || row.seq != store::index(tree.size())? {
                return Err(Error::internal(format!(
                    "entry #{} does not read back as it was written",
                    row.seq
                )));
            }
            tile::append(&mut tree, [leaf]);
        }
        if tree.size() == from {
            return Err(Error::internal(format!("entry #{from} is missing")));
        }
    }
    if tree.root() != head.tree()?.root() {
        return Err(Error::internal("the entries do not add up to the ledger's head"));
    }
    let proof = consistency_proof(last, head.size, |level, at| store::node(db, epoch, level, at))?;
    Ok(Some((tree, proof.map(|proof| proof.path).unwrap_or_default())))
}

fn refused(refusal: SignerRefusal) -> Error {
    Error::conflict("signer-refused").caused_by(refusal.to_string())
}
