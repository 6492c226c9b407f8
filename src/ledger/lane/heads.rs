//! What the lane remembers of subjects between batches, so that an entry's `n`, `prev`, `pre` and `chg` cost no
//! question: valid only while nobody else has written.

use std::collections::HashMap;
use std::sync::Arc;

use diesel::prelude::*;
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::ledger::canon;
use crate::ledger::digest::Digest;
use crate::ledger::entry;
use crate::ledger::subject::Subject;
use crate::store::schema::ledger_entry;
use crate::store::{Db, content_bytes};

/// Subjects remembered at most; then the memory starts afresh.
const REMEMBERED: usize = 8192;

/// The last entry of a subject.
#[derive(Debug, Clone)]
pub(super) struct SubjectHead {
    pub n: u64,
    /// Null where the subject's last entry stands in an earlier epoch.
    pub seq: Option<u64>,
    pub post: Digest,
    pub fields: Arc<Map<String, Value>>,
}

#[derive(Default)]
pub(super) struct Heads {
    known: HashMap<Subject, SubjectHead>,
    undo: Vec<(Subject, Option<SubjectHead>)>,
}

impl Heads {
    /// Forgets all: somebody else has written, or a batch was rolled back.
    pub fn clear(&mut self) {
        self.known.clear();
        self.undo.clear();
    }

    /// Marks where a change begins, for [`Heads::undo_change`].
    pub fn begin_change(&mut self) {
        if self.known.len() > REMEMBERED {
            self.known.clear();
        }
        self.undo.clear();
    }

    /// Takes back what the change since the mark has set.
    pub fn undo_change(&mut self) {
        for (subject, before) in self.undo.drain(..).rev() {
            match before {
                Some(head) => self.known.insert(subject, head),
                None => self.known.remove(&subject),
            };
        }
    }

    /// Remembers a subject's new last entry.
    pub fn set(&mut self, subject: Subject, head: SubjectHead) {
        let before = self.known.insert(subject.clone(), head);
        self.undo.push((subject, before));
    }

    /// The subject's last entry, from memory or from the ledger as this epoch stands.
    pub fn get(&mut self, db: &mut Db, epoch: i64, subject: &Subject) -> Result<Option<SubjectHead>> {
        if let Some(head) = self.known.get(subject) {
            return Ok(Some(head.clone()));
        }
        let Some(head) = load(db, epoch, subject)? else { return Ok(None) };
        self.known.insert(subject.clone(), head.clone());
        Ok(Some(head))
    }
}

fn load(db: &mut Db, epoch: i64, subject: &Subject) -> Result<Option<SubjectHead>> {
    let last: Option<(i64, i64, Vec<u8>)> = ledger_entry::table
        .filter(ledger_entry::obj_kind.eq(subject.kind).and(ledger_entry::obj_id.eq(&subject.id)))
        .order((ledger_entry::epoch.desc(), ledger_entry::seq.desc()))
        .select((ledger_entry::epoch, ledger_entry::seq, ledger_entry::entry))
        .first(db)
        .optional()?;
    let Some((in_epoch, seq, bytes)) = last else { return Ok(None) };
    let broken = || Error::internal(format!("the last entry of {subject}, #{seq}, cannot be read"));
    let parsed = entry::parse(&bytes).map_err(|_| broken())?;
    let index = canon::scan(parsed.body.as_bytes()).map_err(|_| broken())?;
    let (n, post) = (index.obj_n.ok_or_else(broken)?, index.post.ok_or_else(broken)?);
    let snapshot = content_bytes(db, &post.to_string())?;
    let fields = snapshot.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let same_epoch = in_epoch == epoch;
    Ok(Some(SubjectHead {
        n: if same_epoch { n } else { 0 },
        seq: same_epoch.then(|| u64::try_from(seq).unwrap_or_default()),
        post,
        fields: Arc::new(fields),
    }))
}
