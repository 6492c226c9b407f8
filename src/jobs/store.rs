//! Jobs in the database.

use diesel::prelude::*;

use super::record::{Job, State};
use crate::error::{Error, Result};
use crate::ledger::lane::Tx;
use crate::ledger::site::Site;
use crate::store::Db;
use crate::store::schema::job;

/// Keeps a new job.
///
/// # Errors
/// The database refuses.
pub fn insert(tx: &mut Tx<'_>, job: &Job) -> Result<()> {
    diesel::insert_into(job::table).values(job).execute(tx.rows())?;
    Ok(())
}

/// The job of this id.
///
/// # Errors
/// 404.
pub fn require(db: &mut Db, id: &str) -> Result<Job> {
    let found = job::table.find(id).first(db).optional()?;
    found.ok_or_else(|| Error::not_found("job", id))
}

/// How far a job is.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub state: State,
    pub done: i64,
    pub total: i64,
    pub message: String,
    pub result: Option<String>,
}

/// Notes how far a job is; answers whether it should go on, which a step of a job that was called off does not.
pub(super) fn update(tx: &mut Tx<'_>, id: &str, step: &Step) -> Result<bool> {
    let now = tx.now();
    if step.state == State::Running && was_called_off(tx.read(), id)? {
        return Ok(false);
    }
    diesel::update(job::table.find(id))
        .set((
            job::state.eq(step.state.code()),
            job::done.eq(step.done),
            job::total.eq(step.total),
            job::message.eq(&step.message),
            job::result.eq(&step.result),
            job::updated_at.eq(now),
        ))
        .execute(tx.rows())?;
    Ok(true)
}

/// Calls a job off: it stops at its next step, on whichever node it runs.
///
/// # Errors
/// 404; 409 `job-over`.
pub(super) fn call_off(tx: &mut Tx<'_>, id: &str) -> Result<Job> {
    let job = require(tx.read(), id)?;
    if job.is_over() {
        return Err(Error::conflict("job-over"));
    }
    let step = Step {
        state: State::Cancelled,
        done: job.done,
        total: job.total,
        message: "job-cancelled".to_owned(),
        result: None,
    };
    update(tx, id, &step)?;
    require(tx.read(), id)
}

/// Whether a job was called off.
pub(super) fn was_called_off(db: &mut Db, id: &str) -> Result<bool> {
    let state: Option<String> = job::table.find(id).select(job::state).first(db).optional()?;
    Ok(state.as_deref() == Some(State::Cancelled.code()))
}

/// Marks as failed what was waiting or at work when the last process ended; for the start of a server. A job that
/// another node is still at puts itself right with its next step.
///
/// # Errors
/// The lane cannot write.
pub fn fail_unfinished(site: &Site) -> Result<usize> {
    let unfinished = [State::Queued.code(), State::Running.code()];
    site.lane.write_here(move |tx| {
        let now = tx.now();
        let unfinished = job::table.filter(job::state.eq_any(unfinished));
        Ok(diesel::update(unfinished)
            .set((
                job::state.eq(State::Failed.code()),
                job::message.eq("job-interrupted"),
                job::updated_at.eq(now),
            ))
            .execute(tx.rows())?)
    })
}

/// The job of this kind that was asked for last.
///
/// # Errors
/// The database does not answer.
pub fn latest(db: &mut Db, kind: &str) -> Result<Option<Job>> {
    let of_kind = job::table.filter(job::kind.eq(kind)).order((job::created_at.desc(), job::id.desc()));
    Ok(of_kind.first(db).optional()?)
}

/// The job of this kind that came to such an end last.
///
/// # Errors
/// The database does not answer.
pub fn latest_in(db: &mut Db, kind: &str, state: State) -> Result<Option<Job>> {
    let of_kind = job::table.filter(job::kind.eq(kind).and(job::state.eq(state.code())));
    Ok(of_kind.order((job::updated_at.desc(), job::id.desc())).first(db).optional()?)
}

/// A job of one of these kinds that waits or is at work.
///
/// # Errors
/// The database does not answer.
pub fn unfinished(db: &mut Db, kinds: &[&str]) -> Result<Option<Job>> {
    let states = [State::Queued.code(), State::Running.code()];
    let found = job::table.filter(job::kind.eq_any(kinds).and(job::state.eq_any(states)));
    Ok(found.first(db).optional()?)
}
