//! Links for reading, from either end.

use diesel::prelude::*;
use serde::Serialize;

use super::record::{End, Link};
use super::resolver::Resolvers;
use crate::error::Result;
use crate::people;
use crate::people::store::Named;
use crate::store::schema::link;
use crate::store::{Db, escaped};
use crate::time::Timestamp;

/// A link for reading.
#[derive(Debug, Clone, Serialize)]
pub struct LinkView {
    /// `l-…`.
    pub id: String,
    /// Where it leads from, `kind/number[/version]`.
    pub from: String,
    /// Where it leads to.
    pub to: String,
    /// Code of its relation.
    pub relation: String,
    /// Why; empty where none was told.
    pub reason: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom, as login.
    pub created_by: Named,
    /// When it was taken away; lists leave such links out.
    pub removed_at: Option<Timestamp>,
}

/// A link as a row for reading.
///
/// # Errors
/// The database does not answer.
pub fn view(db: &mut Db, row: Link) -> Result<LinkView> {
    Ok(LinkView {
        from: row.from().to_string(),
        to: row.to().to_string(),
        created_by: people::store::person(db, &row.created_by)?.named(),
        id: row.id,
        relation: row.relation,
        reason: row.reason,
        created_at: row.created_at,
        removed_at: row.removed_at,
    })
}

/// The links at a subject `kind/number[/version]`, from or to it, in the order they were made; a document's number
/// without version stands for all its versions. None for a text that is no subject.
///
/// # Errors
/// The database does not answer.
pub fn of(db: &mut Db, subject: &str) -> Result<Vec<LinkView>> {
    let Some(end) = End::parse(subject) else { return Ok(Vec::new()) };
    let versions = format!("{}/%", escaped(&end.id));
    let at_from = link::from_kind.eq(&end.kind);
    let at_from = at_from.and(link::from_id.eq(&end.id).or(link::from_id.like(&versions).escape('\\')));
    let at_to = link::to_kind.eq(&end.kind);
    let at_to = at_to.and(link::to_id.eq(&end.id).or(link::to_id.like(&versions).escape('\\')));
    let rows: Vec<Link> = link::table
        .filter(link::removed_at.is_null())
        .filter(at_from.or(at_to))
        .order((link::created_at, link::id))
        .load(db)?;
    rows.into_iter().map(|row| view(db, row)).collect()
}

/// A link as one of its ends sees it.
#[derive(Debug, Clone)]
pub struct Tie {
    /// The link.
    pub link: LinkView,
    /// The other end.
    pub other: End,
    /// What the other end is called; empty where it has no title.
    pub title: String,
    /// Whether it leads from here to the other end.
    pub outward: bool,
}

/// The links at a subject with the other ends' titles, for a page.
///
/// # Errors
/// The database does not answer.
pub fn ties(db: &mut Db, resolvers: Resolvers, subject: &str) -> Result<Vec<Tie>> {
    let within =
        |end: &str| end == subject || end.strip_prefix(subject).is_some_and(|rest| rest.starts_with('/'));
    let mut ties = Vec::new();
    for link in of(db, subject)? {
        let outward = within(&link.from);
        let Some(other) = End::parse(if outward { &link.to } else { &link.from }) else { continue };
        ties.push(Tie { title: resolvers.title(db, &other)?, other, outward, link });
    }
    Ok(ties)
}
