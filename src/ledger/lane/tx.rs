//! A change's view of the transaction it runs in.

use std::collections::BTreeMap;
use std::sync::Arc;

use diesel::prelude::*;
use serde_json::{Map, Value, json};

use super::entry::{About, NewEntry};
use super::heads::{Heads, SubjectHead};
use crate::error::{Error, Result};
use crate::ledger::digest::Digest;
use crate::ledger::entry::{EntryHead, MAX_ENTRY};
use crate::ledger::store::Placed;
use crate::ledger::subject::{Snapshot, Subject};
use crate::ledger::{acts, canon, entry, sealed};
use crate::store::schema::ledger_entry;
use crate::store::{Db, NewContent, NewEntryRow, NewSealed, content_bytes, insert_contents, insert_sealed};
use crate::time::Timestamp;

/// Rows of `chg` at most; the snapshots tell the whole.
const CHANGES: usize = 64;
/// Bytes of a changed value that still stand in `chg` themselves.
const SHORT: usize = 200;

/// The ledger's head as the running batch sees it.
pub(super) struct Head {
    pub epoch: i64,
    pub origin: String,
    pub size: u64,
    pub leaf: Digest,
    pub ts: Timestamp,
}

/// What waits to be written when the batch ends.
#[derive(Default)]
pub(super) struct Pending {
    pub entries: Vec<NewEntryRow>,
    pub contents: Vec<NewContent>,
    pub sealed: Vec<NewSealed>,
}

/// Where an entry came to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The leaf's index.
    pub seq: u64,
    /// The leaf's hash.
    pub leaf: Digest,
}

/// One change's door to the database: read to decide, then write rows, content and entries.
pub struct Tx<'a> {
    pub(super) db: &'a mut Db,
    pub(super) head: Head,
    pub(super) pending: Pending,
    pub(super) heads: &'a mut Heads,
    pub(super) now: Timestamp,
    pub(super) dirty: bool,
    /// Commitments this change has introduced since its last entry.
    pub(super) introduced: BTreeMap<String, String>,
}

impl Tx<'_> {
    /// *The* instant of this change; every `recorded_at` and `signed_at` equals it.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// For questions, before anything is decided. Content and sealed values that this batch has made are not yet
    /// rows: see [`Tx::content`] and [`Tx::settle`].
    pub fn read(&mut self) -> &mut Db {
        self.db
    }

    /// Moves the instant on inside a change, never back: for the demo's script, many steps of which share a change.
    pub(crate) fn move_on(&mut self, at: Timestamp) {
        self.now = self.now.max(at);
    }

    /// For writing rows. From here on a refusal costs the batch a replay.
    pub fn rows(&mut self) -> &mut Db {
        self.dirty = true;
        self.db
    }

    /// Makes the content and sealed values that wait visible to [`Tx::read`].
    ///
    /// # Errors
    /// The database refuses.
    pub fn settle(&mut self) -> Result<()> {
        insert_contents(self.db, &self.pending.contents)?;
        insert_sealed(self.db, &self.pending.sealed)?;
        self.dirty |= !(self.pending.contents.is_empty() && self.pending.sealed.is_empty());
        self.pending.contents.clear();
        self.pending.sealed.clear();
        Ok(())
    }

    /// The epoch that entries are appended to.
    pub fn epoch(&self) -> i64 {
        self.head.epoch
    }

    /// The seq that the next entry will have.
    pub fn next_seq(&self) -> u64 {
        self.head.size
    }

    /// Where an entry of this batch stands, which is no row yet; none for another.
    pub fn waiting(&self, seq: i64) -> Option<Placed> {
        let row = self.pending.entries.iter().find(|row| row.seq == seq)?;
        let leaf = Digest::try_from(row.leaf.as_slice()).ok()?;
        Some(Placed { epoch: row.epoch, seq, leaf, is_past: false })
    }

    /// Keeps bytes under their SHA-256.
    pub fn put_content(&mut self, bytes: Vec<u8>) -> Digest {
        let digest = Digest::of(&bytes);
        self.pending.contents.push(NewContent { sha256: digest.to_string(), bytes });
        digest
    }

    /// The bytes of a digest, waiting or kept.
    ///
    /// # Errors
    /// Nothing is kept under it.
    pub fn content(&mut self, digest: Digest) -> Result<Vec<u8>> {
        let sha256 = digest.to_string();
        if let Some(waiting) = self.pending.contents.iter().find(|content| content.sha256 == sha256) {
            return Ok(waiting.bytes.clone());
        }
        content_bytes(self.db, &sha256)?.ok_or_else(|| Error::not_found("content", sha256))
    }

    /// Seals a personal value and returns its commitment, which the row keeps and the next entry names under
    /// `name`. A value that stays keeps its old commitment: do not seal it again.
    pub fn seal(&mut self, name: &str, value: &str) -> String {
        let salt: [u8; 32] = crate::id::random();
        let commitment = sealed::commitment(&salt, &self.head.origin, name, value).to_string();
        self.pending.sealed.push(NewSealed {
            commitment: commitment.clone(),
            name: name.to_owned(),
            salt: salt.to_vec(),
            value: value.to_owned(),
        });
        self.introduced.insert(name.to_owned(), commitment.clone());
        commitment
    }

    /// Whether the subject has entries.
    ///
    /// # Errors
    /// The database does not answer, or the subject's last entry is broken.
    pub fn is_known(&mut self, subject: &Subject) -> Result<bool> {
        Ok(self.heads.get(self.db, self.head.epoch, subject)?.is_some())
    }

    /// The digest of the subject's present snapshot, `None` before its first entry.
    ///
    /// # Errors
    /// As [`Tx::is_known`].
    pub fn sealed_state(&mut self, subject: &Subject) -> Result<Option<Digest>> {
        Ok(self.heads.get(self.db, self.head.epoch, subject)?.map(|head| head.post))
    }

    /// The exact bytes of every entry about the subject, in every epoch, those of this batch included.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn entries_of(&mut self, subject: &Subject) -> Result<Vec<Vec<u8>>> {
        let mut entries: Vec<Vec<u8>> = ledger_entry::table
            .filter(ledger_entry::obj_kind.eq(subject.kind).and(ledger_entry::obj_id.eq(&subject.id)))
            .order((ledger_entry::epoch, ledger_entry::seq))
            .select(ledger_entry::entry)
            .load(self.db)?;
        let own = |row: &&NewEntryRow| {
            (row.obj_kind.as_deref(), row.obj_id.as_deref()) == (Some(subject.kind), Some(&subject.id))
        };
        entries.extend(self.pending.entries.iter().filter(own).map(|row| row.entry.clone()));
        Ok(entries)
    }

    /// Appends an entry; its subject's snapshot becomes content.
    ///
    /// # Errors
    /// A value outside the body profile, an entry over 65,535 bytes, an entry about a subject that has none.
    pub fn append(&mut self, new: NewEntry) -> Result<Appended> {
        if !acts::ALL.contains(&new.act) {
            return Err(Error::internal(format!("{} is not in the closed list of acts", new.act.name)));
        }
        let NewEntry { act, actor, about, mut fields } = new;
        fields.insert("act".to_owned(), json!(act.name));
        if let Some(actor) = &actor {
            fields.insert("actor".to_owned(), actor.to_value());
            if let Some(request) = &actor.request {
                fields.insert("req".to_owned(), json!(request));
            }
        }
        let introduced = std::mem::take(&mut self.introduced);
        if !introduced.is_empty() {
            let sealed: Map<String, Value> = introduced.into_iter().map(|(k, v)| (k, json!(v))).collect();
            fields.insert("sealed".to_owned(), Value::Object(sealed));
        }
        let subject = match about {
            About::Nothing => None,
            About::Unchanged(subject) => Some(self.describe_unchanged(&mut fields, subject)?),
            About::State(snapshot) => Some(self.describe_state(&mut fields, &snapshot, true)?),
            About::Tombstone(snapshot) => Some(self.describe_state(&mut fields, &snapshot, false)?),
        };
        self.push(act.name, actor.map(|actor| actor.id), subject, fields)
    }

    fn describe_unchanged(&mut self, fields: &mut Map<String, Value>, subject: Subject) -> Result<Subject> {
        let head = self.heads.get(self.db, self.head.epoch, &subject)?;
        let head = head.ok_or_else(|| Error::internal(format!("{subject} has no entry yet")))?;
        let (post, state) = (head.post, Arc::clone(&head.fields));
        self.describe(fields, &subject, Some(head), (post, state));
        Ok(subject)
    }

    fn describe_state(
        &mut self,
        fields: &mut Map<String, Value>,
        snapshot: &Snapshot,
        tells_changes: bool,
    ) -> Result<Subject> {
        let subject = snapshot.subject().clone();
        let head = self.heads.get(self.db, self.head.epoch, &subject)?;
        if let Some(head) = head.as_ref().filter(|_| tells_changes) {
            let (changes, more) = changes(&head.fields, snapshot.fields());
            if !changes.is_empty() {
                fields.insert("chg".to_owned(), Value::Array(changes));
            }
            if more > 0 {
                fields.insert("chg_more".to_owned(), json!(more));
            }
        }
        let bytes = snapshot.to_bytes()?;
        let post = self.put_content(bytes);
        self.describe(fields, &subject, head, (post, Arc::new(snapshot.fields().clone())));
        Ok(subject)
    }

    fn describe(
        &mut self,
        fields: &mut Map<String, Value>,
        subject: &Subject,
        before: Option<SubjectHead>,
        (post, state): (Digest, Arc<Map<String, Value>>),
    ) {
        let n = before.as_ref().map_or(0, |head| head.n) + 1;
        let prev = before.as_ref().and_then(|head| head.seq);
        let pre = before.as_ref().map(|head| head.post.to_string());
        fields.insert(
            "obj".to_owned(),
            json!({ "id": subject.id, "kind": subject.kind, "n": n, "prev": prev }),
        );
        fields.insert("pre".to_owned(), json!(pre));
        fields.insert("post".to_owned(), json!(post.to_string()));
        let head = SubjectHead { n, seq: Some(self.head.size), post, fields: state };
        self.heads.set(subject.clone(), head);
    }

    fn push(
        &mut self,
        act: &str,
        actor: Option<String>,
        subject: Option<Subject>,
        fields: Map<String, Value>,
    ) -> Result<Appended> {
        let ts = self.now.to_string();
        let head =
            EntryHead { origin: &self.head.origin, seq: self.head.size, prev: self.head.leaf, ts: &ts };
        let bytes = write(&head, fields)?;
        let leaf = entry::leaf(&bytes);
        let (obj_kind, obj_id) = subject.map(|s| (s.kind.to_owned(), s.id)).unzip();
        let appended = Appended { seq: self.head.size, leaf };
        self.pending.entries.push(NewEntryRow {
            epoch: self.head.epoch,
            seq: i64::try_from(self.head.size).map_err(Error::internal)?,
            entry: bytes,
            leaf: leaf.as_bytes().to_vec(),
            ts: self.now.0,
            act: act.to_owned(),
            actor,
            obj_kind,
            obj_id,
        });
        self.head.size += 1;
        self.head.leaf = leaf;
        self.head.ts = self.now;
        Ok(appended)
    }
}

/// Writes the entry; where it would not fit, the convenience of `chg` goes first.
fn write(head: &EntryHead<'_>, mut fields: Map<String, Value>) -> Result<Vec<u8>> {
    let mut body = canon::object_to_bytes(&fields).map_err(Error::internal)?;
    if body.len() > MAX_ENTRY - 512
        && let Some(Value::Array(rows)) = fields.remove("chg")
    {
        let more = fields.get("chg_more").and_then(Value::as_u64).unwrap_or(0) + rows.len() as u64;
        fields.insert("chg_more".to_owned(), json!(more));
        body = canon::object_to_bytes(&fields).map_err(Error::internal)?;
    }
    entry::build(head, &body).map_err(|_| Error::new(crate::error::Kind::TooLarge, "entry-too-large"))
}

/// What differs between two states, field by field, and how many rows did not fit.
fn changes(old: &Map<String, Value>, new: &Map<String, Value>) -> (Vec<Value>, usize) {
    let mut names: Vec<&String> =
        old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))).collect();
    names.retain(|name| old.get(*name) != new.get(*name));
    names.sort();
    let more = names.len().saturating_sub(CHANGES);
    let rows = names.into_iter().take(CHANGES).map(|name| {
        let mut row = Map::new();
        row.insert("f".to_owned(), json!(name));
        if let Some(value) = old.get(name) {
            row.insert("old".to_owned(), short(value));
        }
        if let Some(value) = new.get(name) {
            row.insert("new".to_owned(), short(value));
        }
        Value::Object(row)
    });
    (rows.collect(), more)
}

fn short(value: &Value) -> Value {
    let bytes = match value {
        Value::String(text) => text.as_bytes().to_vec(),
        other => canon::to_bytes(other).unwrap_or_default(),
    };
    if bytes.len() <= SHORT {
        return value.clone();
    }
    json!({ "sha256": Digest::of(&bytes).to_string(), "size": bytes.len() })
}
