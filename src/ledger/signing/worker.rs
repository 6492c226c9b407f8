//! The signer's thread: signs where this node may, follows where another one does.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use diesel::prelude::*;
use tokio::sync::watch;

use super::learning::learn;
use super::reading::{read_back, tree_as_signed};
use super::{Call, Hand, Signed};
use crate::error::{Cause, Error, Result};
use crate::ledger::ring::Ring;
use crate::ledger::signer::{Head as ToSign, Kept, SignerRefusal, SignerState, replace_file};
use crate::ledger::store;
use crate::ledger::tree::{Frontier, consistency_proof};
use crate::store::schema::ledger_checkpoint;
use crate::store::{Lease, Target};

/// Between two checkpoints, and between two looks at what other processes have committed.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a process that ends waits for the node that signs, before it signs by itself: whoever commits, signs.
const OTHERS: Duration = Duration::from_secs(5);

/// Refusals after which nothing more is written.
const HALTING: [&str; 4] = ["ledger-behind", "ledger-different", "ledger-rewritten", "ledger-unwritten"];

/// The lease of whoever signs.
pub(super) const LEASE: i32 = 1;

pub(super) struct Worker {
    hand: Hand,
    lease: Lease,
    state: Option<SignerState>,
    /// The tree as signed last.
    tree: Frontier,
}

/// What the thread tells the others.
pub(super) struct Told {
    pub signed: watch::Sender<Signed>,
    /// Why nothing was signed, for the node's health; none as long as all is well.
    pub trouble: watch::Sender<Option<String>>,
}

impl Worker {
    pub fn at_the_start(hand: Hand) -> Result<Self> {
        let ring = Ring::load(&hand.folder, &hand.origin)?;
        let state = match SignerState::load(&hand.folder.signer_state()) {
            Ok(state) => Some(state),
            Err(SignerRefusal::Missing(path)) if !ring.is_empty() => {
                tracing::warn!(path = %path.display(), "no signer state: beginning one from the database");
                Some(SignerState::create(&path).map_err(refused)?)
            }
            Err(SignerRefusal::Missing(_)) => None,
            Err(refusal) => return Err(refused(refusal)),
        };
        is_ours(&hand, &ring, state.as_ref())?;
        if ring.signing(&hand.origin, hand.clock.now())?.is_empty() && !stands_alone(&hand) {
            tracing::warn!("no key in this folder: another node signs the checkpoints");
        }
        let lease = Lease::new(&hand.target, LEASE);
        let mut worker = Self { hand, lease, state, tree: Frontier::new() };
        let (epoch, signed) = (worker.hand.epoch, worker.kept().map(head_of));
        worker.tree = worker.hand.readers.read_here(|db| tree_as_signed(db, epoch, signed))?;
        worker.keep_last()?;
        Ok(worker)
    }

    /// A process that was killed between signing and telling the database has left its note in the state alone.
    fn keep_last(&self) -> Result<()> {
        let Some((size, note)) = self.last() else { return Ok(()) };
        let epoch = self.hand.epoch;
        let known = self.hand.readers.read_here(move |db| store::has_checkpoint(db, epoch, size))?;
        if known { Ok(()) } else { self.keep(size, &note) }
    }

    fn kept(&self) -> Option<&Kept> {
        self.state.as_ref()?.last(&self.hand.origin)
    }

    /// What was signed last, as this node knows it.
    pub fn last(&self) -> Signed {
        self.kept().map(|kept| (kept.checkpoint.size, kept.note.clone()))
    }

    pub fn work(&mut self, calls: &Receiver<Call>, told: &Told) {
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
            let signed = match asked {
                Some(_) => self.step_until_covered(told),
                None => self.step_and_tell(told, false),
            };
            if signed {
                last = Some(Instant::now());
            }
            if let Some(done) = asked {
                let _ = done.send(());
            }
            if last_time {
                return;
            }
        }
    }

    /// Waits a while for the node that holds the lease, then signs without it: both sign the same tree, and the same
    /// head has the same note.
    fn step_until_covered(&mut self, told: &Told) -> bool {
        let began = Instant::now();
        loop {
            let patient = began.elapsed() < OTHERS;
            let signed = self.step_and_tell(told, !patient);
            let size = |worker: &Self| worker.hand.readers.read_here(store::head).ok().flatten();
            let head = size(self).filter(|head| head.epoch == self.hand.epoch).map_or(0, |head| head.size);
            let covered = told.signed.borrow().as_ref().map_or(0, |(size, _)| *size) >= head;
            if covered || !patient || !self.may_sign() || told.trouble.borrow().is_some() {
                return signed;
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
    }

    fn may_sign(&self) -> bool {
        let ring = Ring::load(&self.hand.folder, &self.hand.origin);
        ring.and_then(|ring| ring.signing(&self.hand.origin, self.hand.clock.now()))
            .is_ok_and(|keys| !keys.is_empty())
    }

    fn step_and_tell(&mut self, told: &Told, without_lease: bool) -> bool {
        match self.step(without_lease) {
            Ok(found) => {
                told.trouble.send_if_modified(|trouble| trouble.take().is_some());
                let newer = |(size, _): &(u64, String)| {
                    told.signed.borrow().as_ref().is_none_or(|(known, _)| known < size)
                };
                let Some(signed) = found.filter(newer) else { return false };
                told.signed.send_replace(Some(signed));
                true
            }
            Err(error) => {
                tracing::error!(%error, "no checkpoint was signed");
                if HALTING.contains(&error.code()) {
                    // The database is no longer the one whose history was signed, or does not keep what it is told:
                    // what were written there now would be lost with it.
                    tracing::error!(
                        "nothing more is written until a recovery is declared or the database is back"
                    );
                    self.hand.lane.halt(Cause::from(&error));
                }
                told.trouble.send_replace(Some(error.to_string()));
                false
            }
        }
    }

    /// Signs, or follows, where there is something new.
    fn step(&mut self, without_lease: bool) -> Result<Signed> {
        let origin = self.hand.origin.clone();
        let ring = Ring::load(&self.hand.folder, &origin)?;
        let keys = ring.signing(&origin, self.hand.clock.now())?;
        if keys.is_empty() && stands_alone(&self.hand) {
            return Err(Error::conflict("key-gone"));
        }
        if keys.is_empty() {
            self.lease.give_up();
            return self.follow(&ring);
        }
        if !(without_lease || self.lease.hold()?) {
            return self.follow(&ring);
        }
        // The state first, then the database: another process may sign meanwhile, and the database must never be behind.
        let mut state = SignerState::load(&self.hand.folder.signer_state()).map_err(refused)?;
        let kept = state.last(&origin).cloned();
        let signed = kept.as_ref().map(head_of);
        let (epoch, tree) = (self.hand.epoch, self.tree.clone());
        let grown = self.hand.readers.read_here(|db| read_back(db, epoch, tree, signed))?;
        let Some((tree, proof)) = grown else { return Ok(None) };
        let Some(root) = tree.root() else { return Ok(None) };
        let head = ToSign { size: tree.size(), root };
        let note = match state.extend(&keys, head, &proof) {
            Ok(note) => note,
            // A process that shares the folder was quicker; the next look finds what it has signed.
            Err(_) if state.last(&origin) != kept.as_ref() => return Ok(None),
            Err(refusal) => return Err(refused(refusal)),
        };
        replace_file(&self.hand.folder.checkpoint(), note.as_bytes())?;
        self.keep(head.size, &note)?;
        self.tree = tree;
        self.state = Some(state);
        self.learn(signed.map_or(0, |signed| signed.size), head)?;
        Ok(Some((head.size, note)))
    }

    /// Notes stay in the database too: for the other nodes, and for proofs of consistency.
    fn keep(&self, size: u64, note: &str) -> Result<()> {
        let (epoch, note) = (self.hand.epoch, note.to_owned());
        self.hand.lane.write_here(move |tx| {
            if !store::has_checkpoint(tx.read(), epoch, size)? {
                diesel::insert_into(ledger_checkpoint::table)
                    .values((
                        ledger_checkpoint::epoch.eq(epoch),
                        ledger_checkpoint::size.eq(store::index(size)?),
                        ledger_checkpoint::note.eq(&note),
                    ))
                    .execute(tx.rows())?;
            }
            Ok(())
        })
    }

    /// Takes over what another node has signed: into this node's own state before it is served.
    fn follow(&mut self, ring: &Ring) -> Result<Signed> {
        let (epoch, origin) = (self.hand.epoch, self.hand.origin.clone());
        let newest = self.hand.readers.read_here(|db| store::last_checkpoint(db, epoch))?;
        // Nothing here says which keys to trust: what the database holds is handed on as it is.
        let (Some((size, note)), false) = (&newest, ring.is_empty()) else { return Ok(newest) };
        let mut state = SignerState::load(&self.hand.folder.signer_state()).map_err(refused)?;
        let kept = state.last(&origin).cloned();
        let from = kept.as_ref().map_or(0, |kept| kept.checkpoint.size);
        if kept.as_ref().is_some_and(|kept| kept.note == *note) {
            return Ok(newest);
        }
        if from > *size {
            // A process that shares the folder has signed, and the database is about to hear of it; or it is behind.
            let signed = kept.as_ref().map(head_of);
            self.hand.readers.read_here(|db| tree_as_signed(db, epoch, signed))?;
            return Ok(None);
        }
        let to = *size;
        let proof = self.hand.readers.read_here(move |db| {
            consistency_proof(from, to, |level, at| store::node(db, epoch, level, at))
        })?;
        let path = proof.map(|proof| proof.path).unwrap_or_default();
        state.adopt(note, &ring.vouching(&origin, *size), &path).map_err(refused)?;
        if from == to {
            // The same head, signed by others of our keys.
            return Ok(newest);
        }
        replace_file(&self.hand.folder.checkpoint(), note.as_bytes())?;
        let adopted = state.last(&origin).map(head_of);
        self.state = Some(state);
        if let Some(adopted) = adopted {
            self.learn(from, adopted)?;
        }
        Ok(newest)
    }

    /// Learns of keys that entries below a signed head have announced or revoked.
    fn learn(&self, from: u64, head: ToSign) -> Result<()> {
        let (epoch, origin) = (self.hand.epoch, self.hand.origin.clone());
        // Read again: who rotates the key in this folder writes the list, too.
        let mut ring = Ring::load(&self.hand.folder, &origin)?;
        let learned = self.hand.readers.read_here(move |db| {
            let new = learn(db, (epoch, &origin), (from, head), &mut ring)?;
            Ok(new.then_some(ring))
        })?;
        learned.map_or(Ok(()), |ring| ring.store())
    }
}

/// Whether no other node can be there to sign.
fn stands_alone(hand: &Hand) -> bool {
    matches!(hand.target, Target::Sqlite(_))
}

fn head_of(kept: &Kept) -> ToSign {
    ToSign { size: kept.checkpoint.size, root: kept.checkpoint.root }
}

/// Refuses a ledger of another name than the one signed here, unless a recovery declared on this node has named it:
/// whoever writes in the database could else begin another history.
fn is_ours(hand: &Hand, ring: &Ring, state: Option<&SignerState>) -> Result<()> {
    let known = hand.folder.ring().exists() && ring.of(&hand.origin).next().is_some();
    let strange =
        state.is_some_and(|state| state.all().next().is_some() && state.last(&hand.origin).is_none());
    if strange && !known {
        return Err(Error::conflict("ledger-unknown").arg("origin", hand.origin.as_str()));
    }
    Ok(())
}

fn refused(refusal: SignerRefusal) -> Error {
    let code = match refusal {
        SignerRefusal::Smaller { .. } | SignerRefusal::Different { .. } | SignerRefusal::Unproven { .. } => {
            "ledger-rewritten"
        }
        _ => "signer-refused",
    };
    Error::conflict(code).caused_by(refusal.to_string())
}
