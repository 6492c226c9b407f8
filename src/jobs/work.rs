//! The threads that jobs run on: each its own, few at a time.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::web;
use serde_json::Value;

use super::record::{Job, State};
use super::store::{Step, update, was_called_off};
use crate::error::{Error, Result};
use crate::ledger::site::Site;
use crate::web::problem::detail;
use crate::web::words::Words;

/// Jobs of this process that are at work at once; the others wait.
const AT_WORK: usize = 2;
/// A job tells how far it is at most this often: each time costs a commit.
const TELLING: Duration = Duration::from_secs(1);

/// The refusal by which the work of a job that was called off ends.
const CALLED_OFF: &str = "job-called-off";

/// How a job tells how far it is, and hears that it was called off.
pub struct Progress {
    site: web::Data<Site>,
    id: String,
    told: Cell<Option<(&'static str, Instant)>>,
    asked: Cell<Option<Instant>>,
    called_off: Cell<bool>,
}

impl Progress {
    /// To be asked between two pieces of work: whether the job still stands. Looks at most once a second.
    ///
    /// # Errors
    /// 409 `job-called-off`: the work ends here; what it has written stands.
    pub fn go_on(&self) -> Result<()> {
        if !self.called_off.get() && self.asked.get().is_none_or(|at| at.elapsed() >= TELLING) {
            self.asked.set(Some(Instant::now()));
            let id = self.id.clone();
            self.called_off.set(self.site.readers.read_here(move |db| was_called_off(db, &id))?);
        }
        if self.called_off.get() { Err(Error::conflict(CALLED_OFF)) } else { Ok(()) }
    }

    /// Tells the phase, a message's key (`job-…`), and how many pieces of how many are done. What comes too soon after
    /// the last is left out, a new phase never.
    pub fn tell(&self, phase: &'static str, done: u64, total: u64) {
        let soon = |(last, at): (&str, Instant)| last == phase && at.elapsed() < TELLING;
        if self.told.get().is_some_and(soon) {
            return;
        }
        self.told.set(Some((phase, Instant::now())));
        self.note(Step {
            state: State::Running,
            message: phase.to_owned(),
            result: None,
            ..pieces(done, total)
        });
    }

    fn note(&self, step: Step) {
        let id = self.id.clone();
        match self.site.lane.write_here(move |tx| update(tx, &id, &step)) {
            Ok(goes_on) => self.called_off.set(self.called_off.get() || !goes_on),
            Err(error) => {
                tracing::warn!(%error, job = %self.id, "how far a job is could not be noted");
            }
        }
    }
}

fn pieces(done: u64, total: u64) -> Step {
    let count = |pieces: u64| i64::try_from(pieces).unwrap_or(i64::MAX);
    Step {
        state: State::Done,
        done: count(done),
        total: count(total),
        message: "job-done".to_owned(),
        result: None,
    }
}

/// What a job leaves: how many pieces it did, and its result.
pub type Outcome = Result<(u64, Value)>;

/// Runs the work of a job whose row is kept. A refusal is told in `words`, those of whoever started it.
///
/// # Errors
/// No thread is to be had.
pub fn spawn<F>(site: web::Data<Site>, job: &Job, words: Words, work: F) -> Result<()>
where
    F: FnOnce(&Progress) -> Outcome + Send + 'static,
{
    let (id, kind) = (job.id.clone(), job.kind.clone());
    let run = move || {
        let _place = Place::take();
        let progress = Progress {
            site,
            id,
            told: Cell::new(None),
            asked: Cell::new(None),
            called_off: Cell::new(false),
        };
        progress.tell("job-started", 0, 0);
        let outcome = catch_unwind(AssertUnwindSafe(|| progress.go_on().and_then(|()| work(&progress))))
            .unwrap_or_else(|_| Err(Error::internal("the work of a job panicked")));
        match outcome {
            Ok((done, result)) => {
                progress.note(Step { result: Some(result.to_string()), ..pieces(done, done) })
            }
            // The row has said so since it was called off.
            Err(error) if error.code() == CALLED_OFF => {
                tracing::info!(job = %progress.id, kind, "a job was called off");
            }
            Err(error) => {
                tracing::warn!(%error, job = %progress.id, kind, "a job failed");
                let message = detail(&error, words);
                progress.note(Step { state: State::Failed, message, ..pieces(0, 0) });
            }
        }
    };
    std::thread::Builder::new().name("job".to_owned()).spawn(run)?;
    Ok(())
}

/// One of the few places at work.
struct Place;

static AT_WORK_NOW: Mutex<usize> = Mutex::new(0);
static FREED: Condvar = Condvar::new();

impl Place {
    fn take() -> Self {
        let taken = AT_WORK_NOW.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken =
            FREED.wait_while(taken, |taken| *taken >= AT_WORK).unwrap_or_else(PoisonError::into_inner);
        *taken += 1;
        Self
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *AT_WORK_NOW.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        FREED.notify_one();
    }
}
