//! What an entry is about as people say it: an account by its person, a link by what it ties, anything else by what its
//! written form tells.

use std::collections::HashMap;

use diesel::prelude::*;
use serde_json::Value;

use super::unfold::subject_of;
use crate::error::Result;
use crate::ledger::digest::Digest;
use crate::ledger::store as ledger;
use crate::people::store as people;
use crate::people::subjects::{person_words, said};
use crate::store::schema::ledger_entry;
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
    /// What it is called.
    pub fn words(&self, w: Words) -> String {
        match &self.called {
            None => said(w, &self.subject),
            Some(Called::Person { name, login }) => person_words(w, name, login),
            Some(Called::Tie { from, relation, to }) => {
                let key = format!("link-relation-{relation}");
                let relation = if w.has(&key) { w.t(&key) } else { relation.as_str().into() };
                let args = [
                    ("from", said(w, from).into()),
                    ("relation", relation.as_ref().into()),
                    ("to", said(w, to).into()),
                ];
                w.with("trail-subject-link", &args).into_owned()
            }
        }
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

/// Kinds whose records people know by a number, in the order in which one is looked for.
const NUMBERED: [&str; 6] = ["order", "document", "deviation", "recall", "disposal", "copy"];

/// The subject that somebody means who types a bare number, or the login of an account; else the text as it is.
///
/// # Errors
/// The database does not answer.
pub fn meant(db: &mut Db, text: &str) -> Result<String> {
    let text = text.trim();
    for kind in NUMBERED {
        let of_number = ledger_entry::obj_kind.eq(kind).and(ledger_entry::obj_id.eq(text));
        if diesel::select(diesel::dsl::exists(ledger_entry::table.filter(of_number))).get_result(db)? {
            return Ok(format!("{kind}/{text}"));
        }
    }
    let login = text.strip_prefix("account/").unwrap_or(text);
    Ok(people::by_login(db, login)?
        .map_or_else(|| text.to_owned(), |account| format!("account/{}", account.id)))
}
