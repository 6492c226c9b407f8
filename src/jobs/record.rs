//! A job as a record. Pure.

use std::str::FromStr;

use diesel::prelude::*;

use crate::store::schema::job;
use crate::time::Timestamp;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Waits for its turn.
    Queued,
    /// Is at work.
    Running,
    /// Ended well.
    Done,
    /// Ended badly; what it had written before stands.
    Failed,
    /// Was called off.
    Cancelled,
}

impl State {
    /// All states.
    pub const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    /// The code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more will happen.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

impl FromStr for State {
    type Err = ();

    fn from_str(code: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|state| state.code() == code).ok_or(())
    }
}

/// A row of `job`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = job)]
pub struct Job {
    /// `j-…`.
    pub id: String,
    /// What it does: `orders.import`.
    pub kind: String,
    /// Who started it.
    pub account_id: String,
    /// A code of [`State`].
    pub state: String,
    /// Pieces done.
    pub done: i64,
    /// Of so many.
    pub total: i64,
    /// Key of a message (`job-…`), or, where it failed, the words themselves.
    pub message: String,
    /// JSON; none before the end.
    pub result: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last told.
    pub updated_at: Timestamp,
}

impl Job {
    /// A job that waits for its turn.
    pub fn new(kind: &'static str, account: &str, now: Timestamp) -> Self {
        Self {
            id: crate::id::new("j"),
            kind: kind.to_owned(),
            account_id: account.to_owned(),
            state: State::Queued.code().to_owned(),
            done: 0,
            total: 0,
            message: "job-waiting".to_owned(),
            result: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// Whether nothing more will happen.
    pub fn is_over(&self) -> bool {
        self.state.parse().is_ok_and(State::is_over)
    }
}
