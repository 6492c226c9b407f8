//! Links in the database: tying and taking away.

use diesel::prelude::*;

use super::record::{End, Link, Relation};
use super::resolver::{Resolver, Resolvers};
use crate::error::{Error, Result};
use crate::ledger::acts;
use crate::ledger::lane::{Actor, NewEntry, Tx};
use crate::ledger::subject::{Governed, Snapshot};
use crate::ledger::tombstone;
use crate::store::Db;
use crate::store::schema::link;
use crate::time::Timestamp;

/// Links, as `verify` recomputes them.
pub const GOVERNED: Governed = Governed { kind: "link", tables: &["link"], ids, snapshot };

fn ids(db: &mut Db) -> Result<Vec<String>> {
    Ok(link::table.select(link::id).load(db)?)
}

fn snapshot(db: &mut Db, id: &str) -> Result<Option<Snapshot>> {
    Ok(one(db, id)?.map(|link| link.snapshot()))
}

/// A link by its id.
///
/// # Errors
/// The database does not answer.
pub fn one(db: &mut Db, id: &str) -> Result<Option<Link>> {
    Ok(link::table.find(id).first(db).optional()?)
}

/// The same, refused with 404, also where it went with what it tied.
///
/// # Errors
/// 404.
pub fn require(db: &mut Db, id: &str) -> Result<Link> {
    match one(db, id)? {
        Some(link) => Ok(link),
        None => Err(tombstone::absent(db, ("link", id), Error::not_found("link", id))),
    }
}

/// A tie to make.
#[derive(Debug, Clone)]
pub struct NewLink {
    /// Where from, `kind/number[/version]`.
    pub from: String,
    /// Where to.
    pub to: String,
    /// What it says.
    pub relation: Relation,
    /// Why; may be empty.
    pub reason: String,
}

/// Ties two subjects; returns the link. A document without version becomes the one that held at the other's instant.
///
/// # Errors
/// 422 for a subject that does not exist, a document of which no version held then, a subject tied to itself; 409
/// `link-exists`.
pub fn create(tx: &mut Tx<'_>, resolvers: Resolvers, actor: &Actor, new: &NewLink) -> Result<Link> {
    let now = tx.now();
    let db = tx.read();
    let (from_resolver, from_told) = resolvers.end(db, "from", &new.from)?;
    let (to_resolver, to_told) = resolvers.end(db, "to", &new.to)?;
    let from = pinned(db, ("from", from_resolver, &from_told), (to_resolver, &to_told, now))?;
    let to = pinned(db, ("to", to_resolver, &to_told), (from_resolver, &from_told, now))?;
    if from == to {
        return Err(Error::invalid("to", "same-subject"));
    }
    let row = Link {
        id: crate::id::new("l"),
        from_kind: from.kind,
        from_id: from.id,
        to_kind: to.kind,
        to_id: to.id,
        relation: new.relation.code().to_owned(),
        reason: new.reason.clone(),
        created_at: now,
        created_by: actor.id.clone(),
        removed_at: None,
        removed_by: None,
        removal_reason: None,
    };
    if is_tied(db, &row)? {
        return Err(Error::conflict("link-exists"));
    }
    diesel::insert_into(link::table).values(&row).execute(tx.rows())?;
    tx.append(NewEntry::new(acts::LINK_CREATED, actor).state(row.snapshot()).reason(&row.reason))?;
    Ok(row)
}

/// An end with its version, where its kind has versions and none was told.
fn pinned(
    db: &mut Db,
    (field, resolver, end): (&str, &Resolver, &End),
    (other_resolver, other, now): (&Resolver, &End, Timestamp),
) -> Result<End> {
    let Some(pin) = resolver.pin.filter(|_| !end.id.contains('/')) else { return Ok(end.clone()) };
    let at = match other_resolver.instant {
        Some(instant) => instant(db, &other.id)?.ok_or_else(|| Error::invalid(field, "no-instant"))?,
        None => now,
    };
    match pin(db, &end.id, at)? {
        Some(id) => Ok(End { kind: end.kind.clone(), id }),
        None => Err(Error::invalid(field, "not-in-force-then")),
    }
}

fn is_tied(db: &mut Db, row: &Link) -> Result<bool> {
    let same = link::table
        .filter(link::from_kind.eq(&row.from_kind).and(link::from_id.eq(&row.from_id)))
        .filter(link::to_kind.eq(&row.to_kind).and(link::to_id.eq(&row.to_id)))
        .filter(link::relation.eq(&row.relation).and(link::removed_at.is_null()));
    Ok(same.count().get_result::<i64>(db)? > 0)
}

/// Takes a tie away; that it was there stays readable in the trail.
///
/// # Errors
/// 404; 409 `link-removed`; 422 without a reason.
pub fn remove(tx: &mut Tx<'_>, actor: &Actor, id: &str, reason: &str) -> Result<Link> {
    let mut row = require(tx.read(), id)?;
    if row.removed_at.is_some() {
        return Err(Error::conflict("link-removed"));
    }
    if reason.is_empty() {
        return Err(Error::invalid("reason", "required"));
    }
    row.removed_at = Some(tx.now());
    row.removed_by = Some(actor.id.clone());
    row.removal_reason = Some(reason.to_owned());
    diesel::update(link::table.find(id))
        .set((
            link::removed_at.eq(row.removed_at),
            link::removed_by.eq(&row.removed_by),
            link::removal_reason.eq(&row.removal_reason),
        ))
        .execute(tx.rows())?;
    tx.append(NewEntry::new(acts::LINK_REMOVED, actor).state(row.snapshot()).reason(reason))?;
    Ok(row)
}
