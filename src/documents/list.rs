//! The list of documents: filtered by what was so at an instant, a page at a time.

use diesel::prelude::*;

use super::record::{Document, Version};
use super::timeline::{State, Timeline};
use crate::error::Result;
use crate::store::Db;
use crate::store::schema::{document, document_version};
use crate::time::Timestamp;

/// Documents looked at in one go.
const PIECE: i64 = 200;

/// How much of the archive the reader may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Everything.
    Archive,
    /// Only what is in force at this instant.
    InForce(Timestamp),
}

/// What is looked for; absent filters let everything through.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Words that number or title contain, in any language, whatever their case.
    pub q: Option<String>,
    /// Kind code.
    pub kind: Option<String>,
    /// Department code.
    pub department: Option<String>,
    /// Process code that the version shown has.
    pub process: Option<String>,
    /// A state that one of its versions has.
    pub status: Option<State>,
    /// The instant.
    pub at: Timestamp,
    /// What the reader may see.
    pub sight: Sight,
}

/// A document with its versions.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The document.
    pub document: Document,
    /// All its versions.
    pub versions: Vec<Version>,
}

impl Listed {
    /// Its versions in time.
    pub fn timeline(&self) -> Timeline<'_> {
        Timeline::new(&self.versions, self.document.retired_from)
    }
}

/// At most `limit` documents after the number `after`, by number.
///
/// # Errors
/// The database does not answer.
pub fn page(db: &mut Db, filter: &Filter, after: Option<&str>, limit: usize) -> Result<Vec<Listed>> {
    let mut found = Vec::new();
    let mut last = after.unwrap_or_default().to_owned();
    while found.len() < limit {
        let piece = piece(db, filter, &last)?;
        let Some(end) = piece.last() else { break };
        last = end.number.clone();
        let numbers: Vec<&str> = piece.iter().map(|document| document.number.as_str()).collect();
        let versions: Vec<Version> = document_version::table
            .filter(document_version::document.eq_any(numbers))
            .order((document_version::document, document_version::major, document_version::minor))
            .load(db)?;
        for document in piece {
            let own =
                versions.iter().filter(|version| version.document == document.number).cloned().collect();
            let listed = Listed { document, versions: own };
            if found.len() < limit && filter.lets_through(&listed)? {
                found.push(listed);
            }
        }
    }
    Ok(found)
}

fn piece(db: &mut Db, filter: &Filter, last: &str) -> Result<Vec<Document>> {
    let mut query = document::table.filter(document::number.gt(last)).order(document::number).into_boxed();
    if let Some(kind) = &filter.kind {
        query = query.filter(document::kind.eq(kind));
    }
    if let Some(department) = &filter.department {
        query = query.filter(document::department.eq(department));
    }
    Ok(query.limit(PIECE).load(db)?)
}

impl Filter {
    fn lets_through(&self, listed: &Listed) -> Result<bool> {
        let timeline = listed.timeline();
        let shown = match self.sight {
            Sight::Archive => timeline.foremost(self.at),
            Sight::InForce(now) => {
                let held = timeline.in_force(self.at);
                if held.is_none() || held.map(|v| &v.version) != timeline.in_force(now).map(|v| &v.version) {
                    return Ok(false);
                }
                held
            }
        };
        let carried = match shown {
            Some(version) => version.carried()?,
            None => listed.document.carried()?,
        };
        let has_words = self.q.as_deref().is_none_or(|q| {
            let q = q.to_lowercase();
            let words = carried.title.values().chain([&listed.document.number]);
            words.into_iter().any(|words| words.to_lowercase().contains(&q))
        });
        let has_process = self
            .process
            .as_ref()
            .is_none_or(|wanted| carried.processes.iter().any(|process| process == wanted));
        let has_status = self.status.is_none_or(|wanted| match self.sight {
            Sight::InForce(_) => wanted == State::InForce,
            Sight::Archive => {
                listed.versions.iter().any(|version| timeline.state(version, self.at) == wanted)
            }
        });
        Ok(has_words && has_process && has_status)
    }
}
