//! The one write lane. Every change of the database goes through this door.
//!
//! It takes the changes that are waiting, opens one transaction, locks the ledger's head first, runs each change,
//! appends the entries, commits once and answers all. There is no timer: an idle lane commits at once. Promises: no
//! change without its entry and no entry without its change; an answer `Ok` means durable; a refused or panicking
//! change leaves nothing behind and harms no other change of its batch.

mod batch;
mod entry;
mod heads;
mod tx;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

pub use entry::{Actor, NewEntry, Sig};
pub use tx::{Appended, Tx};

use crate::error::{Cause, Error, Result};
use crate::store::{Purpose, Target};
use crate::time::Clock;
use batch::Writer;

/// Changes that may wait at once; beyond it callers are told to come back.
const WAITING: usize = 4096;
/// Changes that share one commit at most.
const BATCH: usize = 256;

/// The door; cheap to clone. The thread behind it ends when the last clone is gone.
#[derive(Clone)]
pub struct Lane {
    queue: SyncSender<Box<dyn Waiting>>,
    closed: Arc<AtomicBool>,
    halted: Arc<OnceLock<Cause>>,
    waiting: Arc<AtomicUsize>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

/// Called after each commit that appended entries, with the ledger's new size.
pub type Committed = Arc<dyn Fn(u64) + Send + Sync>;

/// A change that waits for its turn.
trait Waiting: Send {
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<()>;
    fn answer(self: Box<Self>, outcome: Result<()>);
}

struct Change<T, F> {
    change: F,
    value: Option<T>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, F> Waiting for Change<T, F>
where
    T: Send,
    F: Fn(&mut Tx<'_>) -> Result<T> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        self.value = Some((self.change)(tx)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<()>) {
        let answer = match (outcome, self.value) {
            (Ok(()), Some(value)) => Ok(value),
            (Ok(()), None) => Err(Error::internal("a change ended without a value")),
            (Err(error), _) => Err(error),
        };
        // A caller who has gone away no longer wants the answer; the change stands all the same.
        let _ = self.reply.send(answer);
    }
}

impl Lane {
    /// Opens the lane's connection and starts its thread.
    ///
    /// # Errors
    /// The database cannot be opened.
    pub fn start(target: &Target, clock: Clock, committed: Committed) -> Result<Self> {
        let writer = Writer::new(target.open(Purpose::Write)?, target.clone(), clock, committed);
        let (queue, arriving) = sync_channel(WAITING);
        let closed = Arc::new(AtomicBool::new(false));
        let waiting = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&waiting);
        let thread = std::thread::Builder::new()
            .name("write-lane".to_owned())
            .spawn(move || serve(writer, &arriving, &counted))
            .map_err(Error::internal)?;
        let (halted, thread) = (Arc::default(), Arc::new(Mutex::new(Some(thread))));
        Ok(Self { queue, closed, halted, waiting, thread })
    }

    /// Runs a change and answers once it is durable. `change` may run more than once: it decides all refusals before
    /// its first write, and does nothing but read and write through the [`Tx`].
    ///
    /// # Errors
    /// What the change refuses; 503 when the lane is full, closed or its database is away: then nothing was written.
    pub async fn write<T, F>(&self, change: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.enqueue(change)?.await.map_err(|_| Error::unavailable("lane-closed"))?
    }

    /// The same for threads that may wait: the command line, jobs, tests.
    ///
    /// # Errors
    /// As [`Lane::write`].
    pub fn write_here<T, F>(&self, change: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.enqueue(change)?.blocking_recv().map_err(|_| Error::unavailable("lane-closed"))?
    }

    fn enqueue<T, F>(&self, change: F) -> Result<oneshot::Receiver<Result<T>>>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        if self.halted.get().is_some() {
            return Err(Error::unavailable("ledger-halted"));
        }
        if self.closed.load(Ordering::SeqCst) {
            return Err(Error::unavailable("lane-closed"));
        }
        let (reply, answer) = oneshot::channel();
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.queue.try_send(Box::new(Change { change, value: None, reply })).map_err(|error| {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            match error {
                TrySendError::Full(_) => Error::unavailable("lane-full").retry_after(1),
                TrySendError::Disconnected(_) => Error::unavailable("lane-closed"),
            }
        })?;
        Ok(answer)
    }

    /// Takes no further change, for this reason: the database is not the one whose history was signed. Only a start
    /// anew takes that back.
    pub fn halt(&self, cause: Cause) {
        // A second reason tells nothing that the first has not.
        let _ = self.halted.set(cause);
    }

    /// Why nothing more is written, for whoever tells it; empty while all is well.
    pub fn halted(&self) -> &Arc<OnceLock<Cause>> {
        &self.halted
    }

    /// Changes that have not been answered yet.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Takes no further change, finishes those that wait, and returns when the last is durable.
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        // A last, empty change drains the queue before it: the lane answers in order.
        let (reply, answer) = oneshot::channel();
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let last = Change { change: |_: &mut Tx<'_>| Ok(()), value: None, reply };
        if self.queue.send(Box::new(last)).is_ok() {
            let _ = answer.blocking_recv();
        }
        if let Ok(mut thread) = self.thread.lock() {
            drop(thread.take());
        }
    }
}

fn serve(mut writer: Writer, arriving: &Receiver<Box<dyn Waiting>>, waiting: &AtomicUsize) {
    while let Ok(first) = arriving.recv() {
        let mut batch = vec![first];
        batch.extend(arriving.try_iter().take(BATCH - 1));
        let answered = batch.len();
        writer.run(batch);
        waiting.fetch_sub(answered, Ordering::Relaxed);
    }
}
