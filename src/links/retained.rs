//! What the disposal of a record needs to know of the links at it.

use diesel::prelude::*;

use super::record::End;
use crate::error::Result;
use crate::keeping::{Age, Aged, Disposer};
use crate::ledger::lane::Tx;
use crate::store::Db;
use crate::store::schema::link;

/// Links: one goes only along with a record that it ties.
pub const DISPOSER: Disposer =
    Disposer { kind: "link", is_open: Disposer::never, aged, citing, along, remove };

fn aged(_: &mut Db, _: Aged) -> Result<Vec<Age>> {
    Ok(Vec::new())
}

/// Where links that stand lead from: a record that points at another speaks of it.
fn citing(db: &mut Db, (kind, id): (&str, &str)) -> Result<Vec<String>> {
    let standing = link::table.filter(link::removed_at.is_null());
    let from: Vec<(String, String)> = standing
        .filter(link::to_kind.eq(kind).and(link::to_id.eq(id)))
        .select((link::from_kind, link::from_id))
        .distinct()
        .load(db)?;
    Ok(from.into_iter().map(|(kind, id)| End { kind, id }.to_string()).collect())
}

/// The links at a record, those that were taken away included.
fn along(db: &mut Db, (kind, id): (&str, &str)) -> Result<Vec<String>> {
    let from = link::from_kind.eq(kind).and(link::from_id.eq(id));
    let to = link::to_kind.eq(kind).and(link::to_id.eq(id));
    Ok(link::table.filter(from.or(to)).order(link::id).select(link::id).load(db)?)
}

fn remove(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    diesel::delete(link::table.find(id)).execute(tx.rows())?;
    Ok(())
}
