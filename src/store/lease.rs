//! Which of several nodes on one database does what only one should: a lock that its connection holds, and that the
//! server frees when the connection ends, however it ends. No clock is involved.

use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::{Db, Purpose, Target};
use crate::error::Result;

/// The first number of our leases among the database's advisory locks.
const CLASS: i32 = 7_355_609;

/// A lease on one thing of an installation.
pub struct Lease(Inner);

enum Inner {
    /// The embedded database is one host's: processes that share its folder take turns there.
    Alone,
    Shared {
        target: Target,
        number: i32,
        db: Option<Db>,
        held: bool,
    },
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    held: bool,
}

impl Lease {
    /// The lease of this number; nobody's until it is asked for.
    pub fn new(target: &Target, number: i32) -> Self {
        Self(match target {
            Target::Sqlite(_) => Inner::Alone,
            Target::Postgres(_) => Inner::Shared { target: target.clone(), number, db: None, held: false },
        })
    }

    /// Whether this node holds it now; takes it where it is free.
    ///
    /// # Errors
    /// The database does not answer: then nobody here holds anything.
    pub fn hold(&mut self) -> Result<bool> {
        let Inner::Shared { target, number, db, held } = &mut self.0 else { return Ok(true) };
        let mut connection = match db.take() {
            Some(connection) => connection,
            None => {
                *held = false;
                target.open(Purpose::Write)?
            }
        };
        // Where it is held already, the question only shows that the connection, and with it the lock, still lives.
        let sql = match *held {
            true => "SELECT true AS held".to_owned(),
            false => format!("SELECT pg_try_advisory_lock({CLASS}, {number}) AS held"),
        };
        *held = false;
        let answer: Answer = diesel::sql_query(sql).get_result(&mut connection)?;
        *held = answer.held;
        *db = Some(connection);
        Ok(answer.held)
    }

    /// Leaves it to the others.
    pub fn give_up(&mut self) {
        if let Inner::Shared { db, held, .. } = &mut self.0 {
            *db = None;
            *held = false;
        }
    }
}
