//! One entry unfolded: what it says, what it changed, and what can be proven of it here and now.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::prelude::*;
use serde_json::{Map, Value};

use super::named::{About, Names};
use super::store;
use crate::error::Result;
use crate::keeping;
use crate::ledger::canon::{self, BodyIndex};
use crate::ledger::digest::Digest;
use crate::ledger::entry::{self, parse};
use crate::ledger::epochs::Voucher;
use crate::ledger::store as ledger;
use crate::ledger::tombstone;
use crate::ledger::tree::{inclusion_proof, verify_inclusion};
use crate::people::store as people;
use crate::store::schema::{ledger_entry, ledger_head};
use crate::store::{Db, NewEntryRow};
use crate::time::Timestamp;

/// How long an account's id is.
const ACCOUNT: usize = 34;

/// A check done while the page is made: its word's key, the verdict, and the hash it is about.
#[derive(Debug)]
pub struct Check {
    /// `leaf`, `prev`, `snapshot` or `signed`; `disposed` for the snapshot of a record that was disposed of.
    pub name: &'static str,
    /// None where it cannot be done yet.
    pub ok: Option<bool>,
    /// Hex; empty where there is none.
    pub hash: String,
}

/// A field that the entry changed.
#[derive(Debug, PartialEq, Eq)]
pub struct Changed {
    /// Its name in the snapshot.
    pub field: String,
    /// Before.
    pub old: Option<Value>,
    /// After.
    pub new: Option<Value>,
}

/// A personal value that an entry introduces.
#[derive(Debug)]
pub struct Personal {
    /// Under which name.
    pub name: String,
    /// None where it was erased, or is missing.
    pub value: Option<String>,
    /// On which basis it was erased.
    pub erased: Option<String>,
    /// By which disposal it went with its record.
    pub disposed: Option<String>,
}

/// An entry of the same subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beside {
    pub epoch: i64,
    pub seq: i64,
}

/// An entry in parts.
#[derive(Debug)]
pub struct Unfolded {
    pub seq: u64,
    pub at: Timestamp,
    pub act: String,
    /// Printed name, or the bare id.
    pub actor: String,
    /// The role's code.
    pub role: String,
    /// What it is about.
    pub about: Option<About>,
    pub reason: String,
    pub leaf: String,
    pub checks: Vec<Check>,
    pub changes: Vec<Changed>,
    /// The personal values that it introduces.
    pub sealed: Vec<Personal>,
    /// The subject's entry before and after, in whatever epoch.
    pub subject_before: Option<Beside>,
    pub subject_after: Option<Beside>,
    pub is_last: bool,
    pub text: String,
}

/// Reads an entry and checks it against what vouches for its epoch, as far as that goes by now.
///
/// # Errors
/// 404.
pub fn unfold(db: &mut Db, epoch: i64, seq: u64, voucher: Option<&Voucher>) -> Result<Unfolded> {
    let row = store::entry(db, epoch, seq)?;
    let leaf = entry::leaf(&row.entry);
    let text = String::from_utf8_lossy(&row.entry).into_owned();
    let parsed = parse(&row.entry).ok();
    let body = parsed.and_then(|entry| serde_json::from_str::<Value>(entry.body).ok()).unwrap_or_default();
    let index = parsed.and_then(|entry| canon::scan(entry.body.as_bytes()).ok()).unwrap_or_default();
    let checks = vec![
        Check { name: "leaf", ok: Some(leaf.as_bytes().as_slice() == row.leaf), hash: leaf.to_string() },
        previous(db, epoch, seq, parsed.map(|entry| entry.head.prev))?,
        snapshot(db, index.post)?,
        inclusion(db, epoch, (seq, leaf), voucher)?,
    ];
    let size: i64 = ledger_head::table.find(epoch).select(ledger_head::size).first(db)?;
    Ok(Unfolded {
        seq,
        at: Timestamp(row.ts),
        act: row.act.clone(),
        actor: match &row.actor {
            Some(id) => people::person(db, id)?.name,
            None => String::new(),
        },
        role: index.actor_role.as_deref().unwrap_or_default().to_owned(),
        about: Names::default().about(db, &row, index.post)?,
        reason: body["reason"].as_str().unwrap_or_default().to_owned(),
        leaf: leaf.to_string(),
        checks,
        changes: changes(db, &index)?,
        sealed: values(db, &index)?,
        subject_before: beside(db, &row, Side::Before)?,
        subject_after: beside(db, &row, Side::After)?,
        is_last: row.seq + 1 >= size,
        text,
    })
}

/// `kind/id`, as the columns tell.
pub fn subject_of(row: &NewEntryRow) -> Option<String> {
    let (kind, id) = (row.obj_kind.as_ref()?, row.obj_id.as_ref()?);
    Some(format!("{kind}/{id}"))
}

fn previous(db: &mut Db, epoch: i64, seq: u64, prev: Option<Digest>) -> Result<Check> {
    let before = match seq.checked_sub(1) {
        None => Some(Digest::ZERO),
        Some(before) => match store::entry(db, epoch, before) {
            Ok(row) => Some(entry::leaf(&row.entry)),
            Err(error) if error.kind() == crate::error::Kind::NotFound => None,
            Err(error) => return Err(error),
        },
    };
    let hash = prev.map(|prev| prev.to_string()).unwrap_or_default();
    Ok(Check { name: "prev", ok: Some(prev.is_some() && prev == before), hash })
}

fn snapshot(db: &mut Db, post: Option<Digest>) -> Result<Check> {
    let Some(post) = post else { return Ok(Check { name: "snapshot", ok: None, hash: String::new() }) };
    let kept = kept(db, post)?;
    if kept.is_none() && tombstone::of_content(db, &post.to_string())?.is_some() {
        return Ok(Check { name: "disposed", ok: None, hash: post.to_string() });
    }
    Ok(Check {
        name: "snapshot",
        ok: Some(kept.is_some_and(|bytes| Digest::of(&bytes) == post)),
        hash: post.to_string(),
    })
}

fn inclusion(
    db: &mut Db,
    epoch: i64,
    (seq, leaf): (u64, Digest),
    voucher: Option<&Voucher>,
) -> Result<Check> {
    let name = if matches!(voucher, Some(Voucher::Recovery { .. })) { "declared" } else { "signed" };
    let covering = voucher.map(|voucher| (voucher.size(), voucher.root())).filter(|(size, _)| *size > seq);
    let Some((size, Some(root))) = covering else {
        return Ok(Check { name, ok: None, hash: String::new() });
    };
    let proof = inclusion_proof(seq, size, |level, at| ledger::node(db, epoch, level, at));
    let ok = match proof {
        Ok(proof) => proof.is_some_and(|proof| verify_inclusion(&proof, &leaf, &root)),
        Err(error) if error.kind() == crate::error::Kind::NotFound => false,
        Err(error) => return Err(error),
    };
    Ok(Check { name, ok: Some(ok), hash: root.to_string() })
}

fn kept(db: &mut Db, digest: Digest) -> Result<Option<Vec<u8>>> {
    match ledger::content(db, digest) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == crate::error::Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[derive(Clone, Copy)]
enum Side {
    Before,
    After,
}

/// The subject's nearest entry on one side: a recovery does not end what is known of a record.
fn beside(db: &mut Db, row: &NewEntryRow, side: Side) -> Result<Option<Beside>> {
    let (Some(kind), Some(id)) = (&row.obj_kind, &row.obj_id) else { return Ok(None) };
    let of_subject = ledger_entry::table
        .filter(ledger_entry::obj_kind.eq(kind).and(ledger_entry::obj_id.eq(id)))
        .select((ledger_entry::epoch, ledger_entry::seq))
        .into_boxed();
    let (epoch, seq) = (ledger_entry::epoch, ledger_entry::seq);
    let nearest = match side {
        Side::Before => of_subject
            .filter(epoch.lt(row.epoch).or(epoch.eq(row.epoch).and(seq.lt(row.seq))))
            .order((epoch.desc(), seq.desc())),
        Side::After => of_subject
            .filter(epoch.gt(row.epoch).or(epoch.eq(row.epoch).and(seq.gt(row.seq))))
            .order((epoch, seq)),
    };
    let nearest: Option<(i64, i64)> = nearest.first(db).optional()?;
    Ok(nearest.map(|(epoch, seq)| Beside { epoch, seq }))
}

fn values(db: &mut Db, index: &BodyIndex<'_>) -> Result<Vec<Personal>> {
    let hashes: Vec<String> = index.sealed.iter().map(|(_, hash)| hash.to_string()).collect();
    let mut known = people::unsealed_many(db, &hashes)?;
    let mut bases = keeping::store::bases(db, &hashes)?;
    let mut gone = tombstone::values_gone(db, &hashes)?;
    let named = index.sealed.iter().zip(&hashes);
    let personal = named.map(|((name, _), hash)| Personal {
        name: (*name).to_owned(),
        value: known.remove(hash),
        erased: bases.remove(hash),
        disposed: gone.remove(hash).map(|tombstone| tombstone.disposal),
    });
    Ok(personal.collect())
}

/// What differs between the snapshots before and after, field by field.
fn changes(db: &mut Db, index: &BodyIndex<'_>) -> Result<Vec<Changed>> {
    if index.pre == index.post {
        return Ok(Vec::new());
    }
    let mut state = |digest: Option<Digest>| -> Result<Map<String, Value>> {
        let bytes = digest.map(|digest| kept(db, digest)).transpose()?.flatten();
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
    };
    let (old, new) = (state(index.pre)?, state(index.post)?);
    let mut hashes = Vec::new();
    let mut accounts = BTreeSet::new();
    for value in old.values().chain(new.values()) {
        sealed_in(value, &mut hashes);
        accounts_in(value, &mut accounts);
    }
    let mut known = people::unsealed_many(db, &hashes)?;
    for id in accounts {
        known.insert(id.to_owned(), people::person(db, id)?.name);
    }
    let mut names: BTreeMap<&String, ()> = BTreeMap::new();
    names.extend(old.keys().chain(new.keys()).map(|name| (name, ())));
    let differing = names.into_keys().filter(|name| old.get(*name) != new.get(*name));
    let told = differing.map(|name| {
        let (lost, gained) = apart(old.get(name), new.get(name));
        let shown = |value: Option<Value>| value.map(|value| disclosed(&value, &known));
        Changed { field: name.clone(), old: shown(lost), new: shown(gained) }
    });
    Ok(told.collect())
}

/// Of two lists what one has and the other has not: the rest did not change. Other values are left whole.
fn apart(old: Option<&Value>, new: Option<&Value>) -> (Option<Value>, Option<Value>) {
    let without = |items: &[Value], others: &[Value]| {
        let own: Vec<Value> = items.iter().filter(|item| !others.contains(item)).cloned().collect();
        (!own.is_empty()).then_some(Value::Array(own))
    };
    match (old, new) {
        (Some(Value::Array(old)), Some(Value::Array(new))) => (without(old, new), without(new, old)),
        (Some(Value::Array(old)), None) => (without(old, &[]), None),
        (None, Some(Value::Array(new))) => (None, without(new, &[])),
        (old, new) => (old.cloned(), new.cloned()),
    }
}

/// The ids of accounts, which are known by their form.
fn accounts_in<'a>(value: &'a Value, ids: &mut BTreeSet<&'a str>) {
    match value {
        Value::String(text) if text.len() == ACCOUNT && text.starts_with("u-") => {
            ids.insert(text);
        }
        Value::Object(fields) => fields.values().for_each(|value| accounts_in(value, ids)),
        Value::Array(items) => items.iter().for_each(|item| accounts_in(item, ids)),
        _ => {}
    }
}

fn sealed_in(value: &Value, hashes: &mut Vec<String>) {
    match value {
        Value::Object(fields) => match fields.get("sealed").and_then(Value::as_str) {
            Some(hash) if fields.len() == 1 => hashes.push(hash.to_owned()),
            _ => fields.values().for_each(|value| sealed_in(value, hashes)),
        },
        Value::Array(items) => items.iter().for_each(|item| sealed_in(item, hashes)),
        _ => {}
    }
}

/// The same with personal values disclosed where they still are, and accounts by the name of their person.
fn disclosed(value: &Value, known: &HashMap<String, String>) -> Value {
    match value {
        Value::Object(fields) => {
            let value = fields.get("sealed").and_then(Value::as_str).and_then(|hash| known.get(hash));
            match value {
                Some(value) if fields.len() == 1 => Value::String(value.clone()),
                _ => {
                    let fields = fields.iter();
                    Value::Object(
                        fields.map(|(name, value)| (name.clone(), disclosed(value, known))).collect(),
                    )
                }
            }
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| disclosed(item, known)).collect()),
        Value::String(text) => Value::String(known.get(text).unwrap_or(text).clone()),
        other => other.clone(),
    }
}
