//! The trail's questions to the database.

use std::collections::HashMap;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::filter::{Filter, Wanted};
use crate::error::{Error, Result};
use crate::ledger::canon;
use crate::ledger::digest::Digest;
use crate::ledger::entry::parse;
use crate::ledger::store::index;
use crate::ledger::tombstone;
use crate::people::store::by_login;
use crate::store::schema::{ledger_entry, sealed_value};
use crate::store::{Db, MultiBackend, NewEntryRow};

/// Which part of the trail, in which order.
#[derive(Debug, Clone, Copy)]
pub enum Part {
    /// Ascending, after this number (from the first where there is none), before that one.
    Up { after: Option<u64>, before: u64 },
    /// Descending, before this number.
    Down { before: Option<u64> },
}

type Boxed<'a> = ledger_entry::BoxedQuery<'a, MultiBackend>;

fn filtered<'a>(epoch: i64, filter: &Filter, actor: Option<String>) -> Boxed<'a> {
    let mut query = ledger_entry::table.filter(ledger_entry::epoch.eq(epoch)).into_boxed();
    match filter.subject.clone() {
        Some(Wanted::Exact(kind, id)) => {
            query = query.filter(ledger_entry::obj_kind.eq(kind)).filter(ledger_entry::obj_id.eq(id));
        }
        Some(Wanted::Versions(kind, prefix)) => {
            let length = i64::try_from(prefix.chars().count()).unwrap_or(i64::MAX);
            let begins = sql::<Bool>("substr(obj_id, 1, CAST(")
                .bind::<BigInt, _>(length)
                .sql(" AS INTEGER)) = ")
                .bind::<Text, _>(prefix);
            query = query.filter(ledger_entry::obj_kind.eq(kind)).filter(begins);
        }
        None => {}
    }
    if let Some(actor) = actor {
        query = query.filter(ledger_entry::actor.eq(actor));
    }
    if let Some(action) = filter.action.clone() {
        query = query.filter(ledger_entry::act.eq(action));
    }
    if let Some(from) = filter.from {
        query = query.filter(ledger_entry::ts.ge(from.0));
    }
    if let Some(before) = filter.before {
        query = query.filter(ledger_entry::ts.lt(before.0));
    }
    query
}

/// The actor's id: a login is looked up, anything else stands for itself.
fn actor(db: &mut Db, filter: &Filter) -> Result<Option<String>> {
    let Some(name) = filter.actor.clone() else { return Ok(None) };
    Ok(Some(by_login(db, &name)?.map_or(name, |account| account.id)))
}

/// Entries that fit the filter, at most `limit`.
///
/// # Errors
/// The database does not answer.
pub fn entries(
    db: &mut Db,
    epoch: i64,
    filter: &Filter,
    (part, limit): (Part, u16),
) -> Result<Vec<NewEntryRow>> {
    let actor = actor(db, filter)?;
    let mut query = filtered(epoch, filter, actor);
    match part {
        Part::Up { after, before } => {
            query = query.filter(ledger_entry::seq.lt(index(before)?));
            if let Some(after) = after {
                query = query.filter(ledger_entry::seq.gt(index(after)?));
            }
            query = query.order(ledger_entry::seq);
        }
        Part::Down { before } => {
            if let Some(before) = before {
                query = query.filter(ledger_entry::seq.lt(index(before)?));
            }
            query = query.order(ledger_entry::seq.desc());
        }
    }
    Ok(query.limit(i64::from(limit)).load(db)?)
}

/// How many entries fit the filter.
///
/// # Errors
/// The database does not answer.
pub fn count(db: &mut Db, epoch: i64, filter: &Filter) -> Result<i64> {
    let actor = actor(db, filter)?;
    Ok(filtered(epoch, filter, actor).count().get_result(db)?)
}

/// One entry.
///
/// # Errors
/// 404.
pub fn entry(db: &mut Db, epoch: i64, seq: u64) -> Result<NewEntryRow> {
    let row: Option<NewEntryRow> = match index(seq) {
        Ok(number) => ledger_entry::table.find((epoch, number)).first(db).optional()?,
        Err(_) => None,
    };
    row.ok_or_else(|| Error::not_found("entry", seq.to_string()))
}

/// An entry as machines get it.
#[derive(Debug, Serialize)]
pub struct Item {
    /// The leaf's index.
    pub seq: u64,
    /// The exact bytes.
    pub entry: String,
    /// The leaf's hash, hex.
    pub leaf: String,
    /// The personal values that the entry introduces, by name.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub sealed: Map<String, Value>,
}

/// The entries with the personal values they introduce.
///
/// # Errors
/// The database does not answer.
pub fn items(db: &mut Db, epoch: i64, rows: Vec<NewEntryRow>) -> Result<Vec<Item>> {
    let introduced: Vec<Vec<(String, Digest)>> = rows.iter().map(|row| commitments(&row.entry)).collect();
    let all: Vec<String> = introduced.iter().flatten().map(|(_, hash)| hash.to_string()).collect();
    let mut values = HashMap::new();
    for some in all.chunks(1000) {
        let found: Vec<(String, Vec<u8>, String)> = sealed_value::table
            .filter(sealed_value::commitment.eq_any(some))
            .select((sealed_value::commitment, sealed_value::salt, sealed_value::value))
            .load(db)?;
        values.extend(found.into_iter().map(|(hash, salt, value)| (hash, (salt, value))));
    }
    let erased = if values.len() < all.len() { erasures(db)? } else { HashMap::new() };
    let gone = if values.len() < all.len() { tombstone::values_gone(db, &all)? } else { HashMap::new() };
    let told = rows.into_iter().zip(introduced).map(|(row, introduced)| {
        let seq = u64::try_from(row.seq).unwrap_or_default();
        let sealed = introduced.into_iter().map(|(name, hash)| {
            let hash = hash.to_string();
            let went = || {
                let disposed = gone.get(&hash).map(|tombstone| (tombstone.epoch, tombstone.seq));
                erased.get(&(epoch, seq, name.clone())).copied().or(disposed)
            };
            let value = match values.get(&hash) {
                Some((salt, value)) => json!({ "salt": hex(salt), "value": value }),
                None => match went() {
                    Some((in_epoch, by)) if in_epoch == epoch => json!({ "erased": by }),
                    Some((in_epoch, by)) => json!({ "erased": by, "epoch": in_epoch }),
                    None => json!({ "missing": true }),
                },
            };
            (name, value)
        });
        Item {
            seq,
            leaf: hex(&row.leaf),
            sealed: sealed.collect(),
            entry: String::from_utf8_lossy(&row.entry).into_owned(),
        }
    });
    Ok(told.collect())
}

fn commitments(bytes: &[u8]) -> Vec<(String, Digest)> {
    let entry = parse(bytes).ok();
    let index = entry.and_then(|entry| canon::scan(entry.body.as_bytes()).ok());
    index.map_or_else(Vec::new, |index| {
        index.sealed.into_iter().map(|(name, hash)| (name.to_owned(), hash)).collect()
    })
}

/// By epoch, entry and name of a value: the epoch and number of the entry that erased it.
type Erased = HashMap<(i64, u64, String), (i64, i64)>;

/// Which entry erased which value.
fn erasures(db: &mut Db) -> Result<Erased> {
    let rows: Vec<(i64, i64, Vec<u8>)> = ledger_entry::table
        .filter(ledger_entry::act.eq("privacy.erased"))
        .select((ledger_entry::epoch, ledger_entry::seq, ledger_entry::entry))
        .load(db)?;
    let mut erased = HashMap::new();
    for (epoch, by, bytes) in rows {
        let body = parse(&bytes).ok().and_then(|entry| serde_json::from_str::<Value>(entry.body).ok());
        let values = body.as_ref().and_then(|body| body["erased"].as_array()).into_iter().flatten();
        for value in values {
            if let (Some(seq), Some(name)) = (value["seq"].as_u64(), value["name"].as_str()) {
                let of = value["epoch"].as_i64().unwrap_or(epoch);
                erased.insert((of, seq, name.to_owned()), (epoch, by));
            }
        }
    }
    Ok(erased)
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
