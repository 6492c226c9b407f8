//! What the entries seal: content, personal values, records and versions by name.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::Deserialize;
use serde_json::Value;

use super::entries::{Entries, number};
use super::report::Findings;
use super::source::Source;
use crate::ledger::digest::Digest;
use crate::ledger::sealed::commitment;
use crate::packs::layout::{self, Area, References};
use crate::packs::wanted::Named;

/// Checks all of it.
pub fn check(pack: &mut Source, entries: &Entries, findings: &mut Findings) {
    content(pack, (&entries.posts(), &entries.gone()), findings);
    let names = values(pack, entries, findings);
    named(pack, entries, &names, findings);
}

/// A snapshot or content object; nothing where it is missing or is none.
fn object(pack: &mut Source, digest: &Digest) -> Option<Value> {
    serde_json::from_slice(&pack.get(&layout::content(digest))?).ok()
}

fn content(
    pack: &mut Source,
    (posts, gone): (&BTreeSet<Digest>, &BTreeSet<Digest>),
    findings: &mut Findings,
) {
    for (name, hash) in pack.hashes().filter(|(name, _)| name.starts_with("content/")) {
        if name != layout::content(&hash) {
            findings.add("content.differs", name, format!("hashes to {hash}"));
        }
    }
    let (mut objects, mut texts) = (BTreeSet::new(), BTreeMap::new());
    for digest in posts {
        let found = References::of(&object(pack, digest).unwrap_or_default());
        objects.extend(found.objects);
        texts.extend(found.texts);
    }
    for digest in objects.difference(posts) {
        texts.extend(References::of(&object(pack, digest).unwrap_or_default()).texts);
    }
    let mut spoken: BTreeSet<Digest> = posts.union(&objects).copied().collect();
    spoken.extend(texts.keys().copied());
    for digest in &spoken {
        let name = layout::content(digest);
        if !pack.has(&name) {
            if !gone.contains(digest) {
                findings.add("content.missing", name, "is sealed by an entry and not in the pack");
            }
        } else if let Some(size) = texts.get(digest)
            && pack.get(&name).is_some_and(|bytes| bytes.len() as u64 != *size)
        {
            findings.add("content.differs", name, format!("its record says {size} bytes"));
        }
    }
    let alone = |name: &&str| {
        let digest = name.rsplit('/').next().and_then(|hex| Digest::from_hex(hex.as_bytes()));
        name.starts_with("content/") && digest.is_none_or(|digest| !spoken.contains(&digest))
    };
    for name in pack.names().filter(alone) {
        findings.add("content.alone", name, "no record here speaks of it");
    }
}

/// A disclosed value.
#[derive(Deserialize)]
struct Told {
    salt: String,
    value: String,
}

impl Told {
    fn salt(&self) -> Option<[u8; 32]> {
        Some(*Digest::from_hex(self.salt.as_bytes())?.as_bytes())
    }
}

/// Compares disclosed values with the commitments in their entries; returns the names of signers by commitment.
fn values(pack: &mut Source, entries: &Entries, findings: &mut Findings) -> HashMap<String, String> {
    let mut names = HashMap::new();
    let files: Vec<String> = pack.hashes().map(|(name, _)| name.to_owned()).collect();
    for file in files {
        let Some((area, name)) = Area::split(&file).filter(|(_, name)| name.starts_with("sealed/")) else {
            continue;
        };
        let commitments = number(name, "sealed/", ".json").and_then(|seq| entries.sealed.get(&(area, seq)));
        let Some(commitments) = commitments else {
            findings.add("sealed.alone", file, "no entry here seals these values");
            continue;
        };
        let told = pack.get(&file).and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let Some(told): Option<BTreeMap<String, Told>> = told else {
            findings.add("sealed.form", file, "holds no salts and values");
            continue;
        };
        for (name, told) in told {
            let Some(salt) = told.salt() else {
                findings.add("sealed.form", file.as_str(), format!("the salt of {name} is none"));
                break;
            };
            let origin = entries.origins.get(&area).map_or("", String::as_str);
            let made = commitment(&salt, origin, &name, &told.value);
            if commitments.get(&name) != Some(&made) {
                let what = format!("the value of {name} is not the one that was sealed");
                findings.add("sealed.value", file.as_str(), what);
            } else if name == "signer_name" {
                names.insert(made.to_string(), told.value);
            }
        }
    }
    names
}

/// Files that are to be, found or not.
struct Expected<'a> {
    pack: &'a mut Source,
    files: HashSet<String>,
    folders: HashSet<String>,
}

impl Expected<'_> {
    fn compare(
        &mut self,
        (missing, differs): (&'static str, &'static str),
        file: String,
        digest: Digest,
        findings: &mut Findings,
    ) {
        match self.pack.hash(&file) {
            Some(hash) if hash != digest => {
                findings.add(differs, file.as_str(), "is not what the last entry here seals");
            }
            None if !self.pack.has(&file) => findings.add(missing, file.as_str(), "is not in the pack"),
            _ => {}
        }
        self.files.insert(file);
    }
}

/// `records/` and `documents/`.
fn named(pack: &mut Source, entries: &Entries, names: &HashMap<String, String>, findings: &mut Findings) {
    let mut expected = Expected { pack, files: HashSet::new(), folders: HashSet::new() };
    for (Named { kind, id }, last) in &entries.last {
        if !expected.pack.has(&layout::content(&last.post)) {
            continue;
        }
        let file = layout::record(kind, id);
        expected.compare(("record.missing", "record.differs"), file, last.post, findings);
        let Some(folder) = layout::version(kind, id) else { continue };
        let Some(snapshot) = object(expected.pack, &last.post).filter(Value::is_object) else { continue };
        for text in snapshot["renditions"].as_array().into_iter().flatten() {
            let file = format!("{folder}/{}.md", layout::plain(text["lang"].as_str().unwrap_or_default()));
            let digest = Digest::from_hex(text["sha256"].as_str().unwrap_or_default().as_bytes());
            let digest = digest.unwrap_or(Digest::ZERO);
            expected.compare(("document.missing", "document.differs"), file, digest, findings);
        }
        let name = |hash: &str| names.get(hash).cloned();
        let made = layout::signatures(&snapshot, name, &entries.signed);
        let file = format!("{folder}/signatures.json");
        match expected.pack.get(&file) {
            None if !expected.pack.has(&file) => {
                findings.add("document.missing", file.as_str(), "is not in the pack");
            }
            Some(bytes) if serde_json::from_slice::<Value>(&bytes).ok().as_ref() != Some(&made) => {
                let what = "is not what the snapshot, the entries and the disclosed names say";
                findings.add("document.differs", file.as_str(), what);
            }
            _ => {}
        }
        expected.files.insert(file);
        expected.folders.insert(folder);
    }
    for name in expected.pack.names() {
        let check = match name.split('/').next() {
            Some("records") if name.contains('/') => "record.alone",
            Some("documents") if name.contains('/') => "document.alone",
            _ => continue,
        };
        let pdf = name
            .rsplit_once('/')
            .is_some_and(|(folder, _)| expected.folders.contains(folder) && *name == layout::print(folder));
        if !expected.files.contains(name) && !pdf {
            findings.add(check, name, "belongs to no subject here");
        }
    }
}
