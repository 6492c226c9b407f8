//! Check 1, once more: who acted. An entry whose actor came by a session names the entry by which that session was
//! opened; so whoever hands a session to another account in the database leaves entries that contradict each other.
//!
//! A session may live on over a recovery. What it wrote then stands in a later epoch than its sign-in, under a number
//! that means another entry there: the earlier epochs are asked too before an entry is named.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;

use diesel::prelude::*;

use super::entries::Told;
use super::report::{Fault, Findings};
use crate::error::{Kind, Result};
use crate::ledger::acts::SESSION_OPENED;
use crate::ledger::digest::Digest;
use crate::ledger::store::index;
use crate::ledger::{canon, entry, epochs};
use crate::store::Db;
use crate::store::schema::ledger_entry;

/// Sign-ins looked up at once.
const PAGE: usize = 512;

/// The entry by which an actor signed in, and the digest of the actor's id: as one value of fixed size, so that an
/// entry costs no allocation.
pub type Came = (u64, Digest);

/// Where a pair of actor and sign-in stands.
struct Uses {
    first: u64,
    last: u64,
    count: u64,
}

/// Who acted by which sign-in, in one epoch: as many as there are sign-ins.
#[derive(Default)]
pub struct Actors(HashMap<Came, Uses>);

impl Actors {
    /// Takes down by which sign-in an entry's actor came.
    pub fn take(&mut self, told: &Told) {
        let Some(came) = told.came else { return };
        let seq = told.seq;
        match self.0.entry(came) {
            Place::Occupied(mut uses) => {
                let uses = uses.get_mut();
                (uses.last, uses.count) = (seq, uses.count + 1);
            }
            Place::Vacant(place) => _ = place.insert(Uses { first: seq, last: seq, count: 1 }),
        }
    }

    /// Compares each with the entry that is said to have signed it in.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn compare(self, db: &mut Db, epoch: i64, findings: &mut Findings) -> Result<()> {
        let mut all: Vec<(Came, Uses)> = self.0.into_iter().collect();
        all.sort_unstable_by_key(|(came, uses)| (uses.first, came.0));
        for page in all.chunks(PAGE) {
            let signed_in = signed_in(db, epoch, page.iter().map(|((via, _), _)| *via))?;
            for ((via, actor), uses) in page {
                let here = *via < uses.first && signed_in.get(via) == Some(actor);
                if !here && !before(db, epoch, (*via, *actor))? {
                    findings.add(fault(db, epoch, *via, uses)?);
                }
            }
        }
        Ok(())
    }
}

/// Whom the entries of these numbers signed in; nobody, where a number is beyond what a row can have.
fn signed_in(db: &mut Db, epoch: i64, numbers: impl Iterator<Item = u64>) -> Result<HashMap<u64, Digest>> {
    let numbers: Vec<i64> = numbers.filter_map(|number| index(number).ok()).collect();
    readable(db, epoch, &numbers)
}

/// A row that cannot be read signs nobody in; check 1 has named it.
fn readable(db: &mut Db, epoch: i64, numbers: &[i64]) -> Result<HashMap<u64, Digest>> {
    match rows(db, epoch, numbers) {
        Ok(rows) => Ok(rows.iter().filter_map(|(seq, bytes)| one_signed_in(*seq, bytes)).collect()),
        Err(error) if error.kind() == Kind::Unavailable => Err(error),
        Err(_) if numbers.len() > 1 => {
            let mut all = HashMap::new();
            for number in numbers {
                all.extend(readable(db, epoch, std::slice::from_ref(number))?);
            }
            Ok(all)
        }
        Err(_) => Ok(HashMap::new()),
    }
}

fn rows(db: &mut Db, epoch: i64, numbers: &[i64]) -> Result<Vec<(i64, Vec<u8>)>> {
    Ok(ledger_entry::table
        .filter(ledger_entry::epoch.eq(epoch).and(ledger_entry::seq.eq_any(numbers)))
        .select((ledger_entry::seq, ledger_entry::entry))
        .load(db)?)
}

/// By the entry's own bytes, for a pass over what is new does not compare the columns of older rows with them.
fn one_signed_in(seq: i64, bytes: &[u8]) -> Option<(u64, Digest)> {
    let parsed = entry::parse(bytes).ok()?;
    let said = canon::scan(parsed.body.as_bytes()).ok()?;
    let opened = said.act.as_deref() == Some(SESSION_OPENED.name);
    let actor = said.actor_id.filter(|_| opened)?;
    Some((u64::try_from(seq).ok()?, Digest::of(actor.as_bytes())))
}

/// Whether it was in an earlier epoch.
fn before(db: &mut Db, epoch: i64, (via, actor): Came) -> Result<bool> {
    for earlier in epochs::numbers(db)?.into_iter().filter(|earlier| *earlier < epoch) {
        if signed_in(db, earlier, std::iter::once(via))?.get(&via) == Some(&actor) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn fault(db: &mut Db, epoch: i64, via: u64, uses: &Uses) -> Result<Fault> {
    let Uses { first, last, count } = uses;
    let found = rows(db, epoch, &[index(*first)?])?.pop();
    let parsed = found.as_ref().and_then(|(_, bytes)| entry::parse(bytes).ok());
    let said = parsed.and_then(|entry| canon::scan(entry.body.as_bytes()).ok()).unwrap_or_default();
    let actor = said.actor_id.as_deref().unwrap_or_default();
    let mut what = format!("the actor {actor} did not sign in by entry {via}, as the entry says");
    if *count > 1 {
        what.push_str(&format!("; {} later ones say the same, the last is {last}", count - 1));
    }
    let fault = Fault::new("entry.via", what).at(*first).in_epoch(epoch);
    Ok(match (said.obj_kind, said.obj_id) {
        (Some(kind), Some(id)) => fault.of(format!("{kind}/{id}")),
        _ => fault,
    })
}
