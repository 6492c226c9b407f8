//! Check 1: every entry, its bytes against its neighbours and against the columns by which it is looked up.

use std::cell::RefCell;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::Steps;
use super::actors::Came;
use super::report::Fault;
use crate::error::{Error, Kind, Result};
use crate::ledger::acts::RECORD_DISPOSED;
use crate::ledger::canon::BodyIndex;
use crate::ledger::chain::{self, body_index};
use crate::ledger::digest::Digest;
use crate::ledger::entry::Entry;
use crate::ledger::note::VerifierKey;
use crate::ledger::parallel::Record;
use crate::ledger::rotation::vkey_in;
use crate::store::schema::ledger_entry;
use crate::store::{Db, NewEntryRow};

/// Rows read at once; few enough that their memory is still at hand when the next page comes.
const PAGE: i64 = 512;
/// A column does not say what the entry says.
const INDEX: &str = "entry.index";
/// The entry says too little of its subject.
const SUBJECT: &str = "entry.subject";

/// The columns beside an entry.
pub struct Columns {
    leaf_is_hash: bool,
    ts: i64,
    act: String,
    actor: Option<String>,
    obj_kind: Option<String>,
    obj_id: Option<String>,
}

/// What an entry tells the later checks.
pub struct Told {
    pub seq: u64,
    pub link: Option<Link>,
    /// By which sign-in its actor came; none by a token or the program itself.
    pub came: Option<Came>,
    /// Names and commitments that it introduces.
    pub sealed: Vec<(Box<str>, Digest)>,
    /// The file it was imported from.
    pub source: Option<Digest>,
    /// The key that it announces, or revokes.
    pub key: Option<(bool, VerifierKey)>,
    /// Epochs where another than its own, entries and names of the values that it erases.
    pub erased: Vec<(Option<i64>, u64, String)>,
    /// Whether its subject goes with it.
    pub disposes: bool,
}

/// The entry's place in its subject's own chain.
#[derive(Clone)]
pub struct Link {
    /// `kind/id`.
    pub subject: String,
    pub n: u64,
    pub prev: Option<u64>,
    pub pre: Option<Digest>,
    pub post: Digest,
}

/// An epoch's entries in their order, a page at a time. Rows that the database cannot give are faults, and passed by.
pub struct Rows<'a> {
    pub db: &'a mut Db,
    pub epoch: i64,
    pub unreadable: &'a RefCell<Vec<Fault>>,
    pub steps: &'a Steps<'a>,
    after: Option<i64>,
    page: std::vec::IntoIter<NewEntryRow>,
}

impl<'a> Rows<'a> {
    pub fn new(
        db: &'a mut Db,
        (epoch, first): (i64, u64),
        unreadable: &'a RefCell<Vec<Fault>>,
        steps: &'a Steps<'a>,
    ) -> Self {
        // From the beginning on, rows under numbers below 0 are seen too.
        let after = first.checked_sub(1).and_then(|last| i64::try_from(last).ok());
        Self { db, epoch, unreadable, steps, after, page: Vec::new().into_iter() }
    }

    fn next_page(&mut self) -> Result<bool> {
        let after = self.after.unwrap_or(i64::MIN);
        let rows = match page(self.db, self.epoch, after) {
            Ok(rows) => rows,
            Err(error) if error.kind() == Kind::Unavailable => return Err(error),
            Err(_) => self.one_by_one(after)?,
        };
        self.steps.add(rows.len() as u64)?;
        let Some(last) = rows.last() else { return Ok(false) };
        self.after = Some(self.after.unwrap_or(i64::MIN).max(last.seq));
        self.page = rows.into_iter();
        Ok(true)
    }

    /// Where a page cannot be read as a whole: every row by itself, so that the one at fault is named.
    fn one_by_one(&mut self, after: i64) -> Result<Vec<NewEntryRow>> {
        let of_epoch = ledger_entry::table.filter(ledger_entry::epoch.eq(self.epoch));
        let numbers: Vec<i64> = of_epoch
            .filter(ledger_entry::seq.gt(after))
            .order(ledger_entry::seq)
            .select(ledger_entry::seq)
            .limit(PAGE)
            .load(self.db)?;
        let mut rows = Vec::new();
        for seq in numbers {
            let row = ledger_entry::table.find((self.epoch, seq)).select(NewEntryRow::as_select());
            match row.first(self.db) {
                Ok(row) => rows.push(row),
                Err(error) => {
                    let fault = Fault::new("entry.unreadable", format!("the row cannot be read: {error}"));
                    self.unreadable.borrow_mut().push(fault.at(u64::try_from(seq).unwrap_or(0)));
                }
            }
            self.after = Some(seq);
        }
        Ok(rows)
    }

    fn record(&self, row: NewEntryRow) -> Option<Record<'static, Columns>> {
        let Ok(seq) = u64::try_from(row.seq) else {
            let fault = Fault::new(INDEX, format!("a row is stored under number {}", row.seq));
            self.unreadable.borrow_mut().push(fault);
            return None;
        };
        let leaf = Digest::try_from(row.leaf.as_slice()).ok();
        let NewEntryRow { entry, ts, act, actor, obj_kind, obj_id, .. } = row;
        let columns = Columns { leaf_is_hash: leaf.is_some(), ts, act, actor, obj_kind, obj_id };
        Some(Record { seq, entry: entry.into(), leaf, columns })
    }
}

fn page(db: &mut Db, epoch: i64, after: i64) -> Result<Vec<NewEntryRow>> {
    let rows = ledger_entry::table
        .filter(ledger_entry::epoch.eq(epoch).and(ledger_entry::seq.gt(after)))
        .order(ledger_entry::seq)
        .limit(PAGE);
    // Each engine's own query: the derived connection's detour costs as much as hashing the entry.
    Ok(match db {
        Db::Sqlite(sqlite) => rows.load(sqlite)?,
        Db::Postgres(postgres) => rows.load(postgres)?,
    })
}

impl Iterator for Rows<'_> {
    type Item = Result<Record<'static, Columns>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.page.next() {
                match self.record(row) {
                    Some(record) => return Some(Ok(record)),
                    None => continue,
                }
            }
            match self.next_page() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// Compares an entry with the columns beside it and takes what later checks need.
pub fn inspect(
    record: &Record<'_, Columns>,
    entry: &Entry<'_>,
    faults: &mut Vec<chain::Fault>,
) -> Option<Told> {
    let seq = record.seq;
    let index = body_index(seq, entry, faults)?;
    compare(record, entry, &index, faults);
    let link = link_of(seq, &index, faults);
    let erased = if index.act.as_deref() == Some("privacy.erased") { erased(entry.body) } else { Vec::new() };
    let key = match index.act.as_deref() {
        Some("key.rotated") => vkey_in(entry.body).map(|key| (false, key)),
        Some("key.revoked") => vkey_in(entry.body).map(|key| (true, key)),
        _ => None,
    };
    let actor = index.actor_id.as_deref();
    let came = index.actor_via.map(|via| (via, Digest::of(actor.unwrap_or_default().as_bytes())));
    let told = Told {
        seq,
        key,
        came,
        link,
        sealed: index.sealed.iter().map(|(name, hash)| (Box::from(*name), *hash)).collect(),
        source: index.source,
        erased,
        disposes: index.act.as_deref() == Some(RECORD_DISPOSED.name),
    };
    let silent = told.link.is_none() && told.sealed.is_empty() && told.source.is_none();
    (!silent || told.came.is_some() || !told.erased.is_empty() || told.key.is_some()).then_some(told)
}

fn compare(
    record: &Record<'_, Columns>,
    entry: &Entry<'_>,
    index: &BodyIndex<'_>,
    faults: &mut Vec<chain::Fault>,
) {
    let Columns { leaf_is_hash, ts, act, actor, obj_kind, obj_id } = &record.columns;
    let mut fault = |what: String| faults.push(chain::Fault { check: INDEX, seq: record.seq, what });
    if !leaf_is_hash {
        fault("the column leaf holds no hash".to_owned());
    }
    if micros(entry.head.ts) != Some(*ts) {
        fault(format!("the column ts holds {ts}, the entry says {}", entry.head.ts));
    }
    if index.act.as_deref() != Some(act.as_str()) {
        fault(format!("the column act holds {act:?}, the entry says {:?}", index.act));
    }
    let pairs = [
        ("actor", actor, &index.actor_id),
        ("obj_kind", obj_kind, &index.obj_kind),
        ("obj_id", obj_id, &index.obj_id),
    ];
    for (name, column, said) in pairs {
        if column.as_deref() != said.as_deref() {
            fault(format!("the column {name} holds {column:?}, the entry says {said:?}"));
        }
    }
}

fn link_of(seq: u64, index: &BodyIndex<'_>, faults: &mut Vec<chain::Fault>) -> Option<Link> {
    let (kind, id) = (index.obj_kind.as_deref(), index.obj_id.as_deref());
    if kind.is_none() && id.is_none() && index.post.is_none() {
        return None;
    }
    let (Some(kind), Some(id), Some(n), Some(post)) = (kind, id, index.obj_n, index.post) else {
        let what = "the entry has a subject without kind, id, n or post".to_owned();
        faults.push(chain::Fault { check: SUBJECT, seq, what });
        return None;
    };
    let mut subject = String::with_capacity(kind.len() + 1 + id.len());
    subject.push_str(kind);
    subject.push('/');
    subject.push_str(id);
    Some(Link { subject, n, prev: index.obj_prev, pre: index.pre, post })
}

fn erased(body: &str) -> Vec<(Option<i64>, u64, String)> {
    let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let rows = body["erased"].as_array().cloned().unwrap_or_default();
    let named = |row: &serde_json::Value| {
        Some((row["epoch"].as_i64(), row["seq"].as_u64()?, row["name"].as_str()?.to_owned()))
    };
    rows.iter().filter_map(named).collect()
}

/// Microseconds since 1970 of an instant in its 27 bytes.
fn micros(ts: &str) -> Option<i64> {
    let digits = |range: std::ops::Range<usize>| ts.get(range)?.parse::<u32>().ok();
    let day = NaiveDate::from_ymd_opt(i32::try_from(digits(0..4)?).ok()?, digits(5..7)?, digits(8..10)?)?;
    let days = i64::from(day.to_epoch_days());
    let seconds = i64::from(digits(11..13)? * 3600 + digits(14..16)? * 60 + digits(17..19)?);
    Some((days * 86_400 + seconds) * 1_000_000 + i64::from(digits(20..26)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn an_instant_is_the_same_number_read_either_way() {
        for ts in
            ["1969-12-31T23:59:59.999999Z", "2026-01-02T03:04:05.000006Z", "2400-02-29T00:00:00.000000Z"]
        {
            assert_eq!(micros(ts), Timestamp::parse(ts).map(|at| at.0), "{ts}");
        }
    }
}
