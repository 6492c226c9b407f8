//! Check 3, second half: bytes kept by their digest hash to it, are all there, and are there for a reason.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use serde_json::Value;

use super::Steps;
use super::records::Disposed;
use super::report::{Fault, Findings};
use super::snapshots::{Gathered, Sealed, Snapshots};
use crate::error::Result;
use crate::ledger::digest::Digest;
use crate::store::schema::content;
use crate::store::{ContentRow, Db};

/// Rows whose sizes are read at once.
const PAGE: i64 = 512;
/// Bytes of content in memory at most, save where a single one is larger.
const BYTES: i64 = 4 << 20;

/// Rows asked for by name at once.
const SOME: usize = 128;

/// How many of the rows are read at once, by their sizes.
fn fitting(rows: &[(String, i64)]) -> usize {
    let mut bytes = 0;
    let fits = |(_, size): &&(String, i64)| {
        bytes += size;
        bytes <= BYTES
    };
    rows.iter().take_while(fits).count().max(1)
}

/// What a snapshot says of a text, a file or a version's content object.
struct Reference {
    /// In bytes; none where the snapshot names the digest alone.
    size: Option<u64>,
    by: Rc<str>,
}

/// Of which content the entries speak.
#[derive(Default)]
pub struct Kept {
    sealed: Gathered,
    /// Imported files, which may be kept or not.
    sources: HashSet<Digest>,
}

impl Kept {
    /// An entry seals this snapshot.
    pub fn sealed(&mut self, post: Digest, seq: u64, place: u32) {
        self.sealed.push(post, seq, place);
    }

    /// An entry was made from this file.
    pub fn source(&mut self, file: Option<Digest>) {
        self.sources.extend(file);
    }

    /// No further entry comes: what they spoke of is compared with what is there.
    fn against_what_is_there(self) -> Compared {
        let (sealed, sources) = (self.sealed.sorted(), self.sources);
        Compared { sealed, sources, references: HashMap::new(), others: HashMap::new() }
    }

    /// Reads all content and compares.
    pub fn finish(
        self,
        db: &mut Db,
        disposed: &Disposed,
        steps: &Steps<'_>,
        findings: &mut Findings,
    ) -> Result<()> {
        let mut compared = self.against_what_is_there();
        let mut after: Option<String> = None;
        loop {
            let length = sql::<BigInt>("COALESCE(unpacked, CAST(length(bytes) AS BIGINT))");
            let mut rows = content::table.order(content::sha256).limit(PAGE).into_boxed();
            if let Some(after) = &after {
                rows = rows.filter(content::sha256.gt(after));
            }
            let rows: Vec<(String, i64)> = rows.select((content::sha256, length)).load(db)?;
            let Some((last, _)) = rows.last() else { break };
            after = Some(last.clone());
            let mut rest = rows.as_slice();
            while !rest.is_empty() {
                let group = fitting(rest);
                compared.read(db, &rest[..group], findings)?;
                steps.add(group as u64)?;
                rest = &rest[group..];
            }
        }
        compared.missing(disposed, findings);
        Ok(())
    }

    /// The same in a pass over what is new: the snapshots that its entries seal, and the texts and files of which these
    /// speak.
    ///
    /// # Errors
    /// The database does not answer; what the progress answers.
    pub fn finish_new(
        self,
        db: &mut Db,
        disposed: &Disposed,
        steps: &Steps<'_>,
        findings: &mut Findings,
    ) -> Result<()> {
        let mut compared = self.against_what_is_there();
        let sealed: Vec<String> = compared.sealed.iter().map(|sealed| sealed.digest.to_string()).collect();
        steps.expect(sealed.len() as u64);
        compared.read_these(db, sealed, steps, findings)?;
        let known = |digest: &&Digest| !compared.sealed.get(digest).is_some_and(|sealed| sealed.there);
        let spoken: Vec<String> = compared.references.keys().filter(known).map(Digest::to_string).collect();
        steps.expect(spoken.len() as u64);
        compared.read_these(db, spoken, steps, findings)?;
        // Older content belongs to older snapshots, which this pass does not read.
        compared.sources.extend(compared.others.keys());
        compared.missing(disposed, findings);
        Ok(())
    }
}

/// Which content is spoken of, and which is there.
struct Compared {
    sealed: Snapshots,
    sources: HashSet<Digest>,
    references: HashMap<Digest, Reference>,
    /// Sizes of what is there and no snapshot.
    others: HashMap<Digest, u64>,
}

impl Compared {
    fn read_these(
        &mut self,
        db: &mut Db,
        mut wanted: Vec<String>,
        steps: &Steps<'_>,
        findings: &mut Findings,
    ) -> Result<()> {
        wanted.sort();
        for wanted in wanted.chunks(SOME) {
            let length = sql::<BigInt>("COALESCE(unpacked, CAST(length(bytes) AS BIGINT))");
            let these = content::table.filter(content::sha256.eq_any(wanted)).order(content::sha256);
            let sizes: Vec<(String, i64)> = these.select((content::sha256, length)).load(db)?;
            let mut rest = sizes.as_slice();
            while !rest.is_empty() {
                let (group, after) = rest.split_at(fitting(rest));
                let names: Vec<&str> = group.iter().map(|(name, _)| name.as_str()).collect();
                let rows = content::table.filter(content::sha256.eq_any(names));
                self.take(rows.select(ContentRow::as_select()).load(db)?, findings);
                rest = after;
            }
            steps.add(wanted.len() as u64)?;
        }
        Ok(())
    }

    fn read(&mut self, db: &mut Db, group: &[(String, i64)], findings: &mut Findings) -> Result<()> {
        let [(first, _), .., (last, _)] = group else {
            return match group {
                [(only, _)] => self.range(db, (only, only), findings),
                _ => Ok(()),
            };
        };
        self.range(db, (first, last), findings)
    }

    fn range(&mut self, db: &mut Db, (first, last): (&str, &str), findings: &mut Findings) -> Result<()> {
        let rows: Vec<ContentRow> = content::table
            .filter(content::sha256.ge(first).and(content::sha256.le(last)))
            .order(content::sha256)
            .select(ContentRow::as_select())
            .load(db)?;
        self.take(rows, findings);
        Ok(())
    }

    fn take(&mut self, rows: Vec<ContentRow>, findings: &mut Findings) {
        for row in rows {
            let sha256 = row.sha256.clone();
            match row.unpack() {
                Some(bytes) => self.row(&sha256, &bytes, findings),
                None => self.broken(&sha256, "does not unpack", findings),
            }
        }
    }

    /// Content that is there and is not what its digest says.
    fn broken(&mut self, sha256: &str, how: &str, findings: &mut Findings) {
        let stored = Digest::from_hex(sha256.as_bytes()).and_then(|stored| self.sealed.get_mut(&stored));
        let fault = Fault::new("content.hash", format!("content {sha256:?} {how}"));
        findings.add(match stored {
            Some(sealed) => {
                sealed.there = true;
                fault.at(sealed.seq)
            }
            None => fault,
        });
    }

    fn row(&mut self, sha256: &str, bytes: &[u8], findings: &mut Findings) {
        let digest = Digest::of(bytes);
        if Digest::from_hex(sha256.as_bytes()) != Some(digest) {
            self.broken(sha256, &format!("hashes to {digest}"), findings);
            return;
        }
        let Some(sealed) = self.sealed.get_mut(&digest) else {
            self.others.insert(digest, bytes.len() as u64);
            return;
        };
        sealed.there = true;
        if let Ok(snapshot) = serde_json::from_slice::<Value>(bytes) {
            let text = |name: &str| snapshot[name].as_str().unwrap_or_default().to_owned();
            let by: Rc<str> = format!("{}/{}", text("kind"), text("id")).into();
            // A version's own digest is that of its content object; the digests further in are those of signatures,
            // which may be of a state that was shown and never kept.
            self.speak(snapshot.get("digest"), None, &by);
            self.refer(&snapshot, &by);
        }
    }

    fn refer(&mut self, value: &Value, by: &Rc<str>) {
        match value {
            Value::Object(fields) => {
                if let Some(size) = fields.get("size").and_then(Value::as_u64) {
                    self.speak(fields.get("sha256"), Some(size), by);
                }
                fields.values().for_each(|value| self.refer(value, by));
            }
            Value::Array(items) => items.iter().for_each(|value| self.refer(value, by)),
            _ => {}
        }
    }

    fn speak(&mut self, hex: Option<&Value>, size: Option<u64>, by: &Rc<str>) {
        let digest = hex.and_then(Value::as_str).and_then(|hex| Digest::from_hex(hex.as_bytes()));
        let Some(digest) = digest else { return };
        let known = self.references.entry(digest).or_insert_with(|| Reference { size, by: Rc::clone(by) });
        known.size = known.size.or(size);
    }

    fn missing(self, disposed: &Disposed, findings: &mut Findings) {
        // Of a record that was disposed of, the tombstone alone is kept.
        let went = |sealed: &Sealed| {
            disposed.get(&sealed.place).is_some_and(|tombstone| *tombstone != sealed.digest)
        };
        let mut wrong: Vec<(u64, Digest, bool)> = self
            .sealed
            .iter()
            .filter(|sealed| sealed.there == went(sealed))
            .map(|sealed| (sealed.seq, sealed.digest, sealed.there))
            .collect();
        wrong.sort_by_key(|(seq, ..)| *seq);
        for (seq, digest, there) in wrong {
            findings.add(if there {
                let what = format!("the snapshot {digest} of a record that was disposed of is still kept");
                Fault::new("content.disposed", what).at(seq)
            } else {
                let what = format!("the snapshot {digest} that the entry seals is not kept");
                Fault::new("content.missing", what).at(seq)
            });
        }
        for (digest, Reference { size, by }) in &self.references {
            let there = self.others.get(digest);
            let what = match there {
                Some(there) => match size.filter(|size| size != there) {
                    Some(size) => format!("content {digest} has {there} bytes, its record says {size}"),
                    None => continue,
                },
                None if self.sealed.get(digest).is_some_and(|sealed| sealed.there) => continue,
                None => format!("content {digest} is not kept"),
            };
            findings.add(Fault::new("content.missing", what).of(&**by));
        }
        for digest in self.others.keys() {
            if !self.references.contains_key(digest) && !self.sources.contains(digest) {
                let what = format!("nothing speaks of content {digest}");
                findings.add(Fault::new("content.unreferenced", what));
            }
        }
    }
}
