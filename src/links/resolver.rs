//! The table by which links learn of other features' subjects.

use super::record::End;
use crate::error::{Error, Result};
use crate::store::Db;
use crate::time::Timestamp;

/// The version of a document in force at an instant, as `number/version`.
pub type Pin = fn(&mut Db, &str, Timestamp) -> Result<Option<String>>;

/// The instant of a record, where it has told it.
pub type InstantOf = fn(&mut Db, &str) -> Result<Option<Timestamp>>;

/// What links know of one kind of subject.
#[derive(Clone, Copy)]
pub struct Resolver {
    /// The subject's kind.
    pub kind: &'static str,
    /// Whether there is one of this id; for a document with or without its version.
    pub exists: fn(&mut Db, &str) -> Result<bool>,
    /// The instant at which a document it is tied to must have been in force; none where the record has not told it.
    /// A kind without this function is tied as of the present.
    pub instant: Option<InstantOf>,
    /// What it is called, beside its number.
    pub title: fn(&mut Db, &str) -> Result<Option<String>>,
    /// For kinds that have versions.
    pub pin: Option<Pin>,
}

/// All kinds of subjects that may be tied.
#[derive(Clone, Copy)]
pub struct Resolvers(pub &'static [Resolver]);

impl Resolvers {
    /// What is known of a kind.
    pub fn of(&self, kind: &str) -> Option<&Resolver> {
        self.0.iter().find(|resolver| resolver.kind == kind)
    }

    /// Reads `kind/number[/version]` and makes sure that there is such a subject.
    ///
    /// # Errors
    /// 422 at `field`.
    pub fn end(&self, db: &mut Db, field: &str, text: &str) -> Result<(&Resolver, End)> {
        let unknown = || Error::invalid(field, "unknown-subject");
        let end = End::parse(text).ok_or_else(unknown)?;
        let resolver = self.of(&end.kind).ok_or_else(unknown)?;
        if !(resolver.exists)(db, &end.id)? {
            return Err(unknown());
        }
        Ok((resolver, end))
    }

    /// What a subject is called; empty where it has no title.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn title(&self, db: &mut Db, end: &End) -> Result<String> {
        match self.of(&end.kind) {
            Some(resolver) => Ok((resolver.title)(db, &end.id)?.unwrap_or_default()),
            None => Ok(String::new()),
        }
    }
}
