//! Readers: a small pool of connections that the database itself holds read-only.

use diesel::prelude::*;
use diesel::r2d2::{ManageConnection, Pool};

use super::{Db, Purpose, Target};
use crate::error::{Error, Result};

/// The pool that every question goes through; cheap to clone.
#[derive(Clone)]
pub struct Readers {
    pool: Pool<Open>,
    embedded: bool,
}

/// Opens readers by the target's scheme; the derived connection would guess.
struct Open(Target);

impl ManageConnection for Open {
    type Connection = Db;
    type Error = Error;

    fn connect(&self) -> Result<Db> {
        self.0.open(Purpose::Read)
    }

    fn is_valid(&self, db: &mut Db) -> Result<()> {
        diesel::sql_query("SELECT 1").execute(db)?;
        Ok(())
    }

    fn has_broken(&self, db: &mut Db) -> bool {
        use diesel::connection::{Connection, TransactionManager};
        <Db as Connection>::TransactionManager::is_broken_transaction_manager(db)
    }
}

impl Readers {
    /// A pool of at most `size` readers, opened when first needed.
    pub fn new(target: &Target, size: u32) -> Self {
        let pool = Pool::builder()
            .max_size(size)
            .min_idle(Some(0))
            .test_on_check_out(matches!(target, Target::Postgres(_)))
            .connection_timeout(std::time::Duration::from_secs(10))
            .build_unchecked(Open(target.clone()));
        Self { pool, embedded: matches!(target, Target::Sqlite(_)) }
    }

    /// Answers a question from one consistent state, on a thread that may wait for the database.
    ///
    /// # Errors
    /// What `question` answers, or 503 when no reader is to be had.
    pub async fn read<T, F>(&self, question: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Db) -> Result<T> + Send + 'static,
    {
        let readers = self.clone();
        tokio::task::spawn_blocking(move || readers.read_here(question)).await.map_err(Error::internal)?
    }

    /// A question of a few microseconds, such as the session of each request: the embedded database answers it on
    /// this very thread, where the way to another one would cost more than the answer; PostgreSQL is asked as ever.
    ///
    /// # Errors
    /// As [`Readers::read`].
    pub async fn read_soon<T, F>(&self, question: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Db) -> Result<T> + Send + 'static,
    {
        if self.embedded
            && let Some(mut db) = self.pool.try_get()
        {
            let db: &mut Db = &mut db;
            return db.transaction(question);
        }
        self.read(question).await
    }

    /// As [`Readers::read`], on this thread: for the command line, jobs and tests.
    ///
    /// # Errors
    /// As [`Readers::read`].
    pub fn read_here<T>(&self, question: impl FnOnce(&mut Db) -> Result<T>) -> Result<T> {
        let mut db = self.pool.get().map_err(|error| Error::unavailable("database").caused_by(error))?;
        let db: &mut Db = &mut db;
        db.transaction(question)
    }
}
