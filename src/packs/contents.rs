//! What the entries of a pack seal: snapshots, the texts and content objects they speak of, and both once more under
//! names that people read.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value, json};

use super::archive::Writer;
use super::layout::{self, Area, References, Signed};
use super::make::Steps;
use super::store::{self, each_content};
use super::wanted::{Named, Sight};
use crate::error::{Error, Result};
use crate::ledger::canon;
use crate::ledger::digest::Digest;
use crate::ledger::entry::parse;
use crate::ledger::tombstone;
use crate::store::{Db, NewEntryRow};

/// What the entries told, gathered while they are written.
pub struct Sealed {
    sight: Sight,
    /// Digests of snapshots.
    snapshots: BTreeSet<Digest>,
    /// The last snapshot of each subject.
    last: BTreeMap<Named, Digest>,
    /// Entries that hold a signature.
    signed: Signed,
    /// Disclosed names of signers, by commitment.
    names: HashMap<String, String>,
    /// What is spoken of and not kept.
    missing: u64,
}

impl Sealed {
    /// Nothing yet.
    pub fn new(sight: Sight) -> Self {
        Self {
            sight,
            snapshots: BTreeSet::new(),
            last: BTreeMap::new(),
            signed: Signed::new(),
            names: HashMap::new(),
            missing: 0,
        }
    }

    /// How many subjects there are.
    pub fn subjects(&self) -> u64 {
        self.last.len() as u64
    }

    /// How much was sealed and is not kept: a fault of the ledger, which the pack does not hide.
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// The versions of documents that it speaks of: number, version, and its folder.
    pub fn versions(&self) -> Vec<(&str, &str, String)> {
        let of = |named: &'_ Named| layout::version(&named.kind, &named.id);
        let versions = self.last.keys().filter_map(|named| Some((named.id.split_once('/')?, of(named)?)));
        versions.map(|((number, version), folder)| (number, version, folder)).collect()
    }

    /// Takes entries down and puts the personal values they introduce, as far as the maker sees them.
    ///
    /// # Errors
    /// The database does not answer, or the disk refuses.
    pub fn take(
        &mut self,
        db: &mut Db,
        out: &mut Writer,
        (area, rows): (Area, &[NewEntryRow]),
    ) -> Result<()> {
        let mut introduced = Vec::new();
        for row in rows {
            let seq = u64::try_from(row.seq).map_err(Error::internal)?;
            let Ok(entry) = parse(&row.entry) else { continue };
            let body = entry.body;
            let Ok(index) = canon::scan(body.as_bytes()) else { continue };
            if let (Some(kind), Some(id), Some(post)) = (&index.obj_kind, &index.obj_id, index.post) {
                self.snapshots.insert(post);
                self.last.insert(Named { kind: kind.to_string(), id: id.to_string() }, post);
            }
            if has_signature(body) {
                let leaf = Digest::try_from(row.leaf.as_slice()).unwrap_or(Digest::ZERO);
                self.signed.insert((seq, entry.head.ts.to_owned()), (area, leaf));
            }
            if !index.sealed.is_empty() && self.sight.covers(index.obj_kind.as_deref()) {
                let named = index.sealed.iter().map(|(name, hash)| ((*name).to_owned(), hash.to_string()));
                introduced.push((seq, named.collect::<Vec<_>>()));
            }
        }
        let commitments: Vec<String> =
            introduced.iter().flat_map(|(_, named)| named.iter().map(|(_, hash)| hash.clone())).collect();
        let values = store::unsealed(db, &commitments)?;
        for (seq, named) in introduced {
            let mut told = Map::new();
            for (name, hash) in named {
                let Some((salt, value)) = values.get(&hash) else { continue };
                let hex: String = salt.iter().map(|byte| format!("{byte:02x}")).collect();
                told.insert(name.clone(), json!({ "salt": hex, "value": value }));
                if name == "signer_name" {
                    self.names.insert(hash, value.clone());
                }
            }
            if !told.is_empty() {
                out.put(&area.sealed(seq), &pretty(&Value::Object(told))?)?;
            }
        }
        Ok(())
    }

    /// Puts `content/`: every snapshot, and what snapshots speak of.
    ///
    /// # Errors
    /// The database does not answer, or the disk refuses.
    pub fn put_content(&mut self, db: &mut Db, out: &mut Writer, steps: &Steps<'_>) -> Result<()> {
        let mut spoken = Spoken::default();
        let sealed: Vec<Digest> = self.snapshots.iter().copied().collect();
        // What went with a record that was disposed of is not missing: the record's last entry says so.
        let gone: BTreeSet<Digest> = tombstone::gone(db, &sealed)?.into_iter().collect();
        let snapshots: Vec<Digest> = self.snapshots.difference(&gone).copied().collect();
        self.missing += put_all(db, out, (&snapshots, steps), |bytes| spoken.hear(bytes))?;
        let objects: Vec<Digest> = spoken.objects.difference(&self.snapshots).copied().collect();
        self.missing += put_all(db, out, (&objects, steps), |bytes| spoken.hear(bytes))?;
        let there = |text: &&Digest| !self.snapshots.contains(text) && !spoken.objects.contains(text);
        let texts: Vec<Digest> = spoken.texts.iter().filter(there).copied().collect();
        self.missing += put_all(db, out, (&texts, steps), |_| {})?;
        Ok(())
    }

    /// Puts `records/`, each subject's last snapshot by name, and `documents/`, the versions as people read them.
    ///
    /// # Errors
    /// The database does not answer, or the disk refuses.
    pub fn put_named(&self, db: &mut Db, out: &mut Writer, steps: &Steps<'_>) -> Result<()> {
        let mut done = 0;
        for (Named { kind, id }, digest) in &self.last {
            let mut kept = None;
            each_content(db, std::slice::from_ref(digest), |_, bytes| {
                kept = Some(bytes);
                Ok(())
            })?;
            if let Some(bytes) = kept {
                out.put(&layout::record(kind, id), &bytes)?;
                if let Some(folder) = layout::version(kind, id) {
                    self.put_version(db, out, (&folder, &bytes))?;
                }
            }
            done += 1;
            steps.tell("job-packing-records", done, self.last.len() as u64)?;
        }
        Ok(())
    }

    /// A version's folder. Its PDF belongs here too, where one was asked for.
    fn put_version(&self, db: &mut Db, out: &mut Writer, (folder, snapshot): (&str, &[u8])) -> Result<()> {
        let snapshot: Value = serde_json::from_slice(snapshot).unwrap_or_default();
        for text in snapshot["renditions"].as_array().into_iter().flatten() {
            let lang = layout::plain(text["lang"].as_str().unwrap_or_default());
            let digest = Digest::from_hex(text["sha256"].as_str().unwrap_or_default().as_bytes());
            let Some(digest) = digest else { continue };
            each_content(db, &[digest], |_, bytes| out.put(&format!("{folder}/{lang}.md"), &bytes))?;
        }
        let name = |hash: &str| self.names.get(hash).cloned();
        let signatures = layout::signatures(&snapshot, name, &self.signed);
        out.put(&format!("{folder}/signatures.json"), &pretty(&signatures)?)
    }
}

/// What snapshots and content objects speak of.
#[derive(Default)]
struct Spoken {
    objects: BTreeSet<Digest>,
    texts: BTreeSet<Digest>,
}

impl Spoken {
    fn hear(&mut self, bytes: &[u8]) {
        let found = References::of(&serde_json::from_slice(bytes).unwrap_or_default());
        self.objects.extend(found.objects);
        self.texts.extend(found.texts.into_iter().map(|(digest, _)| digest));
    }
}

/// Puts content and lets `look` at it; returns how much of it is not kept.
fn put_all(
    db: &mut Db,
    out: &mut Writer,
    (digests, steps): (&[Digest], &Steps<'_>),
    mut look: impl FnMut(&[u8]),
) -> Result<u64> {
    let (mut put, total) = (0, digests.len() as u64);
    each_content(db, digests, |digest, bytes| {
        look(&bytes);
        put += 1;
        out.put(&layout::content(&digest), &bytes)?;
        steps.tell("job-packing-content", put, total)
    })?;
    Ok(total - put)
}

/// Whether a body, which keeps the profile, has a signature in it.
pub fn has_signature(body: &str) -> bool {
    body.contains("\"sig\":{")
}

fn pretty(value: &Value) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(Error::internal)?;
    bytes.push(b'\n');
    Ok(bytes)
}
