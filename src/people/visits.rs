//! Sessions of a service that only reads, because the database is not the one whose history was signed: nothing of a
//! visit can be written, so it lives in this process and ends with it. The log tells of each, the trail cannot.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::sessions::{ABSOLUTE_SECONDS, FAILURES, IDLE_SECONDS, LOCKED_SECONDS};
use crate::ledger::digest::Digest;
use crate::time::Timestamp;

/// Visits and failed logins remembered at most; beyond that all are forgotten.
const REMEMBERED: usize = 10_000;

/// Somebody who reads.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The account's id.
    pub account: String,
    /// The token of its forms.
    pub csrf: String,
    created_at: Timestamp,
    seen_at: Timestamp,
}

#[derive(Default)]
struct Known {
    visits: HashMap<Digest, Visit>,
    /// Sessions of the database that have signed out since.
    ended: HashSet<Digest>,
    /// By the hash of a login: failures in a row, and until when it is locked.
    failures: HashMap<String, (i64, Option<Timestamp>)>,
}

/// The visits of this process.
#[derive(Default)]
pub struct Visits(Mutex<Known>);

impl Visits {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets somebody in.
    pub fn open(&self, token: Digest, (login, account): (&str, &str), now: Timestamp) {
        let csrf = Digest::from_bytes(crate::id::random()).to_string();
        let mut known = self.known();
        known.failures.remove(login);
        if known.visits.len() >= REMEMBERED {
            known.visits.clear();
        }
        known
            .visits
            .insert(token, Visit { account: account.to_owned(), csrf, created_at: now, seen_at: now });
    }

    /// The visit of this token while it lasts, which is as long as a session; seen now.
    pub fn at(&self, token: &Digest, now: Timestamp) -> Option<Visit> {
        let mut known = self.known();
        let visit = known.visits.get_mut(token)?;
        let over = visit.seen_at.plus_seconds(IDLE_SECONDS) <= now
            || visit.created_at.plus_seconds(ABSOLUTE_SECONDS) <= now;
        if over {
            known.visits.remove(token);
            return None;
        }
        visit.seen_at = now;
        Some(visit.clone())
    }

    /// Ends a visit, or a session that began before.
    pub fn end(&self, token: Digest) {
        let mut known = self.known();
        if known.visits.remove(&token).is_none() {
            known.ended.insert(token);
        }
    }

    /// Whether a session that began before has signed out.
    pub fn has_ended(&self, token: &Digest) -> bool {
        self.known().ended.contains(token)
    }

    /// For how many seconds a login is locked.
    pub fn locked_for(&self, login: &str, now: Timestamp) -> Option<u32> {
        let until = self.known().failures.get(login)?.1.filter(|until| *until > now)?;
        u32::try_from((until.0 - now.0) / 1_000_000 + 1).ok()
    }

    /// Counts a failure; the fifth in a row locks, as in a service that writes.
    pub fn refuse(&self, login: &str, now: Timestamp) -> Option<u32> {
        let mut known = self.known();
        if known.failures.len() >= REMEMBERED {
            known.failures.clear();
        }
        let entry = known.failures.entry(login.to_owned()).or_default();
        if entry.1.is_some_and(|until| until <= now) {
            *entry = (0, None);
        }
        entry.0 += 1;
        if entry.0 >= FAILURES {
            entry.1 = Some(now.plus_seconds(LOCKED_SECONDS));
        }
        entry.1.and_then(|_| u32::try_from(LOCKED_SECONDS).ok())
    }
}
