//! Time stamps in the database.

use diesel::prelude::*;
use serde_json::{Value, json};

use super::Part;
use super::stamp::Stamp;
use crate::error::{Error, Result};
use crate::ledger::acts;
use crate::ledger::digest::Digest;
use crate::ledger::lane::{Actor, NewEntry, Tx};
use crate::ledger::store as ledger;
use crate::ledger::subject::{Governed, Snapshot, Subject, content_reference};
use crate::store::Db;
use crate::store::schema::anchor;
use crate::time::Timestamp;

/// Time stamps, as `verify` recomputes them.
pub const GOVERNED: Governed = Governed { kind: "anchor", tables: &["anchor"], ids, snapshot };

fn ids(db: &mut Db) -> Result<Vec<String>> {
    Ok(anchor::table.select(anchor::id).load(db)?)
}

fn snapshot(db: &mut Db, id: &str) -> Result<Option<Snapshot>> {
    one(db, id)?.map(|anchor| anchor.snapshot()).transpose()
}

/// A checkpoint with an outside authority's time stamp.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = anchor)]
pub struct Anchor {
    /// `<epoch>-<entries>`.
    pub id: String,
    /// Which tree.
    pub epoch: i64,
    /// The checkpoint's size: entries 0 to `entries - 1` are under it.
    pub entries: i64,
    note: String,
    note_size: i64,
    reply: String,
    reply_size: i64,
    chain: String,
    chain_size: i64,
    /// The authority's instant.
    pub stamped_at: Timestamp,
    /// Ours, when the stamp was kept.
    pub kept_at: Timestamp,
    /// Who stamped, by its certificate.
    pub authority: String,
    /// Under which policy, with dots.
    pub policy: String,
    /// The stamp's number at the authority, hex.
    pub serial: String,
}

impl Anchor {
    /// The digest of a part's bytes, hex.
    pub fn sha256(&self, part: Part) -> &str {
        match part {
            Part::Note => &self.note,
            Part::Reply => &self.reply,
            Part::Chain => &self.chain,
        }
    }

    /// The part's name as a file.
    pub fn file_name(&self, part: Part) -> String {
        match part {
            Part::Note => format!("{}.note", self.entries),
            Part::Reply => format!("{}.tsr", self.entries),
            Part::Chain => "tsa-chain.pem".to_owned(),
        }
    }

    /// By how many seconds the host's clock was ahead of the authority's when the stamp was kept; negative for behind.
    pub fn clock_ahead(&self) -> i64 {
        (self.kept_at.0 - self.stamped_at.0) / 1_000_000
    }

    /// All of it, for machines.
    pub fn told(&self) -> Value {
        let part = |part: Part| json!({ "file": self.file_name(part), "sha256": self.sha256(part) });
        json!({
            "id": self.id, "epoch": self.epoch, "entries": self.entries,
            "stamped_at": self.stamped_at, "kept_at": self.kept_at, "clock_ahead_seconds": self.clock_ahead(),
            "authority": self.authority, "policy": self.policy, "serial": self.serial,
            "note": part(Part::Note), "reply": part(Part::Reply), "chain": part(Part::Chain),
        })
    }

    fn snapshot(&self) -> Result<Snapshot> {
        let content = |hex: &str, size: i64| {
            let digest = Digest::from_hex(hex.as_bytes()).ok_or_else(|| Error::internal("no digest"))?;
            Ok::<_, Error>(content_reference(digest, usize::try_from(size).map_err(Error::internal)?))
        };
        Ok(Snapshot::new(&Subject::new("anchor", &self.id), 1)
            .set("epoch", self.epoch)
            .set("entries", self.entries)
            .set("note", content(&self.note, self.note_size)?)
            .set("reply", content(&self.reply, self.reply_size)?)
            .set("chain", content(&self.chain, self.chain_size)?)
            .instant("stamped_at", self.stamped_at)
            .instant("kept_at", self.kept_at)
            .set("authority", self.authority.clone())
            .set("policy", self.policy.clone())
            .set("serial", self.serial.clone())
            .rows("anchor", 1))
    }
}

/// Keeps a stamp that was believed, with its entry.
///
/// # Errors
/// 409 `anchored` where this checkpoint has one already.
pub fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (epoch, entries): (i64, u64),
    [note, reply, chain]: [&[u8]; 3],
    stamp: &Stamp,
) -> Result<Anchor> {
    let size = |bytes: &[u8]| i64::try_from(bytes.len()).map_err(Error::internal);
    let row = Anchor {
        id: format!("{epoch}-{entries}"),
        epoch,
        entries: ledger::index(entries)?,
        note: Digest::of(note).to_string(),
        note_size: size(note)?,
        reply: Digest::of(reply).to_string(),
        reply_size: size(reply)?,
        chain: Digest::of(chain).to_string(),
        chain_size: size(chain)?,
        stamped_at: stamp.at,
        kept_at: tx.now(),
        authority: stamp.authority.clone(),
        policy: stamp.policy.clone(),
        serial: stamp.serial.clone(),
    };
    if one(tx.read(), &row.id)?.is_some() {
        return Err(Error::conflict("anchored").arg("entries", entries.to_string()));
    }
    for bytes in [note, reply, chain] {
        tx.put_content(bytes.to_vec());
    }
    diesel::insert_into(anchor::table).values(&row).execute(tx.rows())?;
    let entry = NewEntry::new(acts::ANCHOR_ADDED, actor)
        .state(row.snapshot()?)
        .field("entries", row.entries)
        .field("note", row.note.clone())
        .field("token", row.reply.clone());
    tx.append(entry)?;
    Ok(row)
}

/// A stamp by its id.
///
/// # Errors
/// The database does not answer.
pub fn one(db: &mut Db, id: &str) -> Result<Option<Anchor>> {
    Ok(anchor::table.find(id).select(Anchor::as_select()).first(db).optional()?)
}

/// The stamp over the newest checkpoint that has one.
///
/// # Errors
/// The database does not answer.
pub fn last(db: &mut Db) -> Result<Option<Anchor>> {
    Ok(list(db, None, 1)?.pop())
}

/// At most `limit` stamps, the newest first, from before this epoch and size on.
///
/// # Errors
/// The database does not answer.
pub fn list(db: &mut Db, before: Option<(i64, i64)>, limit: i64) -> Result<Vec<Anchor>> {
    let (epoch, entries) = before.unwrap_or((i64::MAX, i64::MAX));
    let earlier = anchor::epoch.lt(epoch).or(anchor::epoch.eq(epoch).and(anchor::entries.lt(entries)));
    Ok(anchor::table
        .filter(earlier)
        .order((anchor::epoch.desc(), anchor::entries.desc()))
        .limit(limit)
        .select(Anchor::as_select())
        .load(db)?)
}

/// All stamps over checkpoints of an epoch, the smallest first.
///
/// # Errors
/// The database does not answer.
pub fn all(db: &mut Db, epoch: i64) -> Result<Vec<Anchor>> {
    Ok(anchor::table
        .filter(anchor::epoch.eq(epoch))
        .order(anchor::entries)
        .select(Anchor::as_select())
        .load(db)?)
}

/// The bytes of a part.
///
/// # Errors
/// 404 where they are not kept.
pub fn file(db: &mut Db, anchor: &Anchor, part: Part) -> Result<Vec<u8>> {
    let digest = Digest::from_hex(anchor.sha256(part).as_bytes());
    ledger::content(db, digest.ok_or_else(|| Error::internal("no digest"))?)
}

/// Hands over the files of all stamps over checkpoints of `epoch` of at most `most` entries, by name: `<size>.note`,
/// `<size>.tsr`, and last `tsa-chain.pem` with every chain that any of them was checked with. For evidence packs.
///
/// # Errors
/// The database does not answer, or what `take` refuses.
pub fn files(
    db: &mut Db,
    epoch: i64,
    most: u64,
    mut take: impl FnMut(&str, Vec<u8>) -> Result<()>,
) -> Result<()> {
    let mut chains: Vec<(String, Vec<u8>)> = Vec::new();
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    for anchor in all(db, epoch)?.iter().filter(|anchor| anchor.entries <= most) {
        for part in [Part::Note, Part::Reply] {
            take(&anchor.file_name(part), file(db, anchor, part)?)?;
        }
        if !chains.iter().any(|(sha256, _)| *sha256 == anchor.chain) {
            chains.push((anchor.chain.clone(), file(db, anchor, Part::Chain)?));
        }
    }
    if chains.is_empty() {
        return Ok(());
    }
    let mut chain = Vec::new();
    for (_, pem) in chains {
        chain.extend(pem);
        if chain.last() != Some(&b'\n') {
            chain.push(b'\n');
        }
    }
    take("tsa-chain.pem", chain)
}
