//! One statement that both engines understand, each in its own dialect: what the derived connection lacks for
//! `on_conflict` and `union`.

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl};

use super::{Db, MultiBackend};

/// Runs `Q` on whichever engine the connection is of.
pub struct OnBoth<Q>(pub Q);

impl<Q: QueryFragment<Pg> + QueryFragment<Sqlite>> QueryFragment<MultiBackend> for OnBoth<Q> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        MultiBackend::walk_variant_ast(&self.0, pass)
    }
}

impl<Q> QueryId for OnBoth<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for OnBoth<Q> {
    type SqlType = Q::SqlType;
}

impl<Q> RunQueryDsl<Db> for OnBoth<Q> {}
