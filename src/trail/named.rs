//! What an entry is about as people say it: an account by its person, a link by what it ties. The subject itself is
//! shown beside it as it is written, since it is what filters, proofs and packs go by.

use std::collections::HashMap;

use serde_json::Value;

use super::unfold::subject_of;
use crate::error::Result;
use crate::ledger::digest::Digest;
use crate::ledger::store as ledger;
use crate::people::store as people;
use crate::store::{Db, NewEntryRow};
use crate::web::words::Words;

/// A subject, and what it is called.
#[derive(Debug, Clone)]
pub struct About {
    /// `kind/id`.
    pub subject: String,
    called: Option<Called>,
}

#[derive(Debug, Clone)]
enum Called {
    Person { name: String, login: String },
    Tie { from: String, relation: String, to: String },
}

impl About {
    /// Its name in words; none where the subject speaks for itself, or what it was called was erased.
    pub fn words(&self, w: Words) -> Option<String> {
        Some(match self.called.as_ref()? {
            Called::Person { name, login } if name == login => name.clone(),
            Called::Person { name, login } => {
                format!("{name}{}", w.one("parts-in-brackets", "text", login.as_str()))
            }
            Called::Tie { from, relation, to } => {
                let key = format!("link-relation-{relation}");
                let relation = if w.has(&key) { w.t(&key) } else { relation.as_str().into() };
                let args = [
                    ("from", from.as_str().into()),
                    ("relation", relation.as_ref().into()),
                    ("to", to.as_str().into()),
                ];
                w.with("trail-subject-link", &args).into_owned()
            }
        })
    }
}

/// What the subjects of one page are called, each looked up once.
#[derive(Default)]
pub struct Names(HashMap<String, Option<Called>>);

impl Names {
    /// What an entry is about; `post` is the digest of its subject's snapshot, as the entry has it.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn about(&mut self, db: &mut Db, row: &NewEntryRow, post: Option<Digest>) -> Result<Option<About>> {
        let Some(subject) = subject_of(row) else { return Ok(None) };
        let called = match self.0.get(&subject) {
            Some(known) => known.clone(),
            None => {
                let called = match (row.obj_kind.as_deref(), row.obj_id.as_deref()) {
                    (Some("account"), Some(id)) => person(db, id)?,
                    (Some("link"), _) => tie(db, post)?,
                    _ => None,
                };
                self.0.insert(subject.clone(), called.clone());
                called
            }
        };
        Ok(Some(About { subject, called }))
    }
}

fn person(db: &mut Db, id: &str) -> Result<Option<Called>> {
    let person = people::person(db, id)?;
    Ok((person.name != id).then_some(Called::Person { name: person.name, login: person.login }))
}

/// The ends never change: any snapshot of the link tells them.
fn tie(db: &mut Db, post: Option<Digest>) -> Result<Option<Called>> {
    let Some(post) = post else { return Ok(None) };
    let Ok(snapshot) = ledger::content(db, post) else { return Ok(None) };
    let snapshot: Value = serde_json::from_slice(&snapshot).unwrap_or_default();
    let text = |field: &str| snapshot[field].as_str().map(str::to_owned);
    Ok((|| Some(Called::Tie { from: text("from")?, relation: text("relation")?, to: text("to")? }))())
}
