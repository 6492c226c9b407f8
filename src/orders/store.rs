//! Orders in the database: how they are read back, how the ERP's word is taken, how QA lets a held one go.

use std::collections::BTreeSet;

use diesel::prelude::*;
use serde_json::json;

use super::hold::{self, Alert};
use super::record::{
    Event, EventKind, Hold, KIND, Line, OrderState, Plain, SalesOrder, Wanted, WantedEvent, by_item, subject,
};
use crate::error::{Error, Result};
use crate::ledger::acts;
use crate::ledger::digest::Digest;
use crate::ledger::lane::{Actor, NewEntry, Tx};
use crate::ledger::subject::{Governed, Snapshot};
use crate::ledger::tombstone;
use crate::people::store::unsealed_many;
use crate::signatures::{self, Act, Signer};
use crate::store::Db;
use crate::store::schema::{order_event, order_hold, order_line, sales_order};

/// Orders, their lines, events, holds and signatures, as `verify` recomputes them.
pub const GOVERNED: Governed = Governed {
    kind: KIND,
    tables: &["sales_order", "order_line", "order_event", "order_hold", "signature"],
    ids,
    snapshot,
};

fn ids(db: &mut Db) -> Result<Vec<String>> {
    Ok(sales_order::table.select(sales_order::number).load(db)?)
}

fn snapshot(db: &mut Db, number: &str) -> Result<Option<Snapshot>> {
    Ok(state(db, number)?.map(|state| state.snapshot()))
}

/// An order with all that belongs to it; none of this number.
///
/// # Errors
/// The database does not answer.
pub fn state(db: &mut Db, number: &str) -> Result<Option<OrderState>> {
    let Some(order) = sales_order::table.find(number).first::<SalesOrder>(db).optional()? else {
        return Ok(None);
    };
    let mut lines: Vec<Line> = order_line::table.filter(order_line::order_number.eq(number)).load(db)?;
    lines.sort_by(|a, b| by_item(&a.line, &b.line));
    Ok(Some(OrderState {
        order,
        lines,
        events: order_event::table
            .filter(order_event::order_number.eq(number))
            .order(order_event::n)
            .load(db)?,
        holds: holds(db, number)?,
        signatures: signatures::of(db, &subject(number))?,
    }))
}

fn holds(db: &mut Db, number: &str) -> Result<Vec<Hold>> {
    let mut holds: Vec<Hold> = order_hold::table.filter(order_hold::order_number.eq(number)).load(db)?;
    holds.sort_by(|a, b| a.recall.cmp(&b.recall));
    Ok(holds)
}

/// The same, refused with 404, also where it was disposed of.
///
/// # Errors
/// 404.
pub fn require(db: &mut Db, number: &str) -> Result<OrderState> {
    match state(db, number)? {
        Some(state) => Ok(state),
        None => Err(tombstone::absent(db, (KIND, number), Error::not_found(KIND, number))),
    }
}

/// Where an order of a file came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// `csv` or `ndjson`.
    pub system: &'static str,
    /// Of the file, hex.
    pub sha256: String,
    /// The order's first row; the header of a CSV is row 1.
    pub row: u64,
}

/// What came of an order that the ERP sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// We did not have it.
    New,
    /// Something differed.
    Changed,
    /// Nothing differed: no entry.
    Unchanged,
}

/// An order as it stands after [`put`].
#[derive(Debug, Clone)]
pub struct Kept {
    /// What came of it.
    pub outcome: Outcome,
    /// The order now.
    pub state: OrderState,
    /// What stands behind its commitments.
    pub plain: Plain,
    /// Its recalled lines.
    pub alerts: Vec<Alert>,
}

/// Takes the ERP's word for an order. Lines with a batch that is under recall, and was not on the order before, hold it.
///
/// # Errors
/// 409 `disposed` for the number of an order that was disposed of; the database refuses.
pub fn put(tx: &mut Tx<'_>, wanted: &Wanted, actor: &Actor, source: Option<&Source>) -> Result<Kept> {
    let before = state(tx.read(), &wanted.number)?;
    if before.is_none() {
        tombstone::must_be_free(tx.read(), KIND, &wanted.number)?;
    }
    let plain = match &before {
        Some(before) => plain_of(tx, before)?,
        None => Plain::new(),
    };
    let alerts = hold::alerts_for(tx.read(), &wanted.lines)?;
    if let Some(before) = before.as_ref().filter(|before| before.agrees_with(wanted, &plain)) {
        return Ok(Kept { outcome: Outcome::Unchanged, state: before.clone(), plain, alerts });
    }
    let mut sealing = Sealing { plain };
    let mut after = write(tx, before.as_ref(), wanted, &mut sealing)?;
    let (act, outcome) = match &before {
        None => (acts::ORDER_IMPORTED, Outcome::New),
        Some(_) => (acts::ORDER_UPDATED, Outcome::Changed),
    };
    let entry = NewEntry::new(act, actor).state(after.snapshot());
    let entry = match source {
        Some(source) => entry
            .field("source", json!({ "row": source.row, "sha256": source.sha256, "system": source.system })),
        None => entry,
    };
    tx.append(entry)?;
    let hits = new_hits(before.as_ref(), &after, &alerts);
    hold_for(tx, &mut after, &hits, actor)?;
    hold::note_hits(tx, actor, &after, &hits)?;
    Ok(Kept { outcome, state: after, plain: sealing.plain, alerts })
}

/// What stands behind an order's commitments, those of this batch included.
fn plain_of(tx: &mut Tx<'_>, state: &OrderState) -> Result<Plain> {
    let commitments = state.commitments();
    let plain = unsealed_many(tx.read(), &commitments)?;
    if commitments.iter().all(|commitment| plain.contains_key(commitment)) {
        return Ok(plain);
    }
    // An earlier change of the same batch may just have sealed it, or it was erased.
    tx.settle()?;
    unsealed_many(tx.read(), &commitments)
}

/// Seals what is new and keeps the commitment of what stays.
struct Sealing {
    plain: Plain,
}

impl Sealing {
    fn keep_or_seal(
        &mut self,
        tx: &mut Tx<'_>,
        name: &str,
        (held, value): (Option<&String>, &str),
    ) -> String {
        if let Some(held) = held.filter(|held| self.plain.get(*held).is_some_and(|plain| plain == value)) {
            return held.clone();
        }
        let commitment = tx.seal(name, value);
        self.plain.insert(commitment.clone(), value.to_owned());
        commitment
    }
}

/// Writes the rows that make the order what the ERP wants.
fn write(
    tx: &mut Tx<'_>,
    before: Option<&OrderState>,
    wanted: &Wanted,
    sealing: &mut Sealing,
) -> Result<OrderState> {
    let held = before.map(|before| &before.order);
    let held_name = held.map(|order| &order.customer_sealed);
    let held_ship_to = held.and_then(|order| order.ship_to_sealed.as_ref());
    let order = SalesOrder {
        number: wanted.number.clone(),
        customer_code: wanted.customer_code.clone(),
        customer_sealed: sealing.keep_or_seal(tx, "customer_name", (held_name, &wanted.customer_name)),
        ship_to_sealed: wanted
            .ship_to
            .as_deref()
            .map(|ship_to| sealing.keep_or_seal(tx, "ship_to", (held_ship_to, ship_to))),
        ordered_at: wanted.first(EventKind::Ordered),
        shipped_at: wanted.first(EventKind::Shipped),
        recorded_at: tx.now(),
    };
    let events = numbered(tx, before, wanted, sealing);
    write_order(tx.rows(), before.is_some(), &order)?;
    let lines = match before {
        Some(before) if before.lines_agree_with(&wanted.lines) => before.lines.clone(),
        _ => write_lines(tx.rows(), wanted)?,
    };
    if before.is_none_or(|before| before.events != events) {
        write_events(tx.rows(), &wanted.number, &events)?;
    }
    let (holds, signatures) =
        before.map_or_else(Default::default, |before| (before.holds.clone(), before.signatures.clone()));
    Ok(OrderState { order, lines, events, holds, signatures })
}

fn write_order(db: &mut Db, known: bool, order: &SalesOrder) -> Result<()> {
    if !known {
        diesel::insert_into(sales_order::table).values(order).execute(db)?;
        return Ok(());
    }
    diesel::update(sales_order::table.find(&order.number))
        .set((
            sales_order::customer_code.eq(&order.customer_code),
            sales_order::customer_sealed.eq(&order.customer_sealed),
            sales_order::ship_to_sealed.eq(&order.ship_to_sealed),
            sales_order::ordered_at.eq(order.ordered_at),
            sales_order::shipped_at.eq(order.shipped_at),
            sales_order::recorded_at.eq(order.recorded_at),
        ))
        .execute(db)?;
    Ok(())
}

fn write_lines(db: &mut Db, wanted: &Wanted) -> Result<Vec<Line>> {
    diesel::delete(order_line::table.filter(order_line::order_number.eq(&wanted.number))).execute(db)?;
    for line in &wanted.lines {
        diesel::insert_into(order_line::table).values(line).execute(db)?;
    }
    Ok(wanted.lines.clone())
}

fn write_events(db: &mut Db, number: &str, events: &[Event]) -> Result<()> {
    diesel::delete(order_event::table.filter(order_event::order_number.eq(number))).execute(db)?;
    for event in events {
        diesel::insert_into(order_event::table).values(event).execute(db)?;
    }
    Ok(())
}

/// The events with their numbers: one that we knew keeps its own, a new one gets the next.
fn numbered(
    tx: &mut Tx<'_>,
    before: Option<&OrderState>,
    wanted: &Wanted,
    sealing: &mut Sealing,
) -> Vec<Event> {
    let known = |event: &WantedEvent| before.and_then(|before| before.event(event));
    let mut next = before.and_then(|before| before.events.last()).map_or(0, |event| event.n) + 1;
    let mut events = Vec::with_capacity(wanted.events.len());
    for event in &wanted.events {
        let held = known(event);
        let n = held.map_or(next, |held| held.n);
        next += i64::from(held.is_none());
        let held_by = held.and_then(|held| held.by_sealed.as_ref());
        let by = event.by.as_deref();
        events.push(Event {
            order_number: wanted.number.clone(),
            n,
            kind: event.kind.code().to_owned(),
            at: event.at,
            by_sealed: by.map(|by| sealing.keep_or_seal(tx, &format!("event_{n}_by"), (held_by, by))),
        });
    }
    events.sort_by_key(|event| event.n);
    events
}

/// The recalled lines whose batch was not on the order before.
fn new_hits(before: Option<&OrderState>, after: &OrderState, alerts: &[Alert]) -> Vec<Alert> {
    let was_there = |alert: &Alert| {
        before.is_some_and(|before| {
            before.lines.iter().any(|line| {
                line.material == alert.material && line.batch.as_deref() == Some(alert.batch.as_str())
            })
        })
    };
    let on_it = |alert: &Alert| after.lines.iter().any(|line| line.line == alert.line);
    alerts.iter().filter(|alert| on_it(alert) && !was_there(alert)).cloned().collect()
}

/// Holds the order for each recall that hits it anew; an entry of its own, after the order's.
fn hold_for(tx: &mut Tx<'_>, state: &mut OrderState, hits: &[Alert], actor: &Actor) -> Result<()> {
    let now = tx.now();
    let recalls: BTreeSet<&str> = hits.iter().map(|hit| hit.recall.as_str()).collect();
    let mut held = false;
    for recall in recalls {
        if state.holds.iter().any(|hold| hold.recall == recall && hold.released_at.is_none()) {
            continue;
        }
        let hold = Hold {
            order_number: state.order.number.clone(),
            recall: recall.to_owned(),
            held_at: now,
            released_at: None,
            released_by: None,
            reason: None,
        };
        // A hold that was released for other lines begins anew; its release stays in the ledger.
        let row = order_hold::table.find((&state.order.number, recall));
        diesel::delete(row).execute(tx.rows())?;
        diesel::insert_into(order_hold::table).values(&hold).execute(tx.rows())?;
        state.holds.retain(|hold| hold.recall != recall);
        state.holds.push(hold);
        held = true;
    }
    if held {
        state.holds.sort_by(|a, b| a.recall.cmp(&b.recall));
        tx.append(NewEntry::new(acts::ORDER_HELD, actor).state(state.snapshot()))?;
    }
    Ok(())
}

/// What QA says when it lets a held order go.
#[derive(Debug, Clone)]
pub struct Release {
    /// Which order.
    pub number: String,
    /// Why.
    pub reason: String,
    /// The state QA saw; none when the request did not say.
    pub seen: Option<Digest>,
}

/// Lets a held order go; signed.
///
/// # Errors
/// 404; 409 when the order is not held, or is no longer as it was seen.
pub fn release(tx: &mut Tx<'_>, release: &Release, signer: &Signer) -> Result<OrderState> {
    let mut state = require(tx.read(), &release.number)?;
    let subject = state.subject();
    let now_sealed = tx.sealed_state(&subject)?;
    let digest = now_sealed.ok_or_else(|| Error::not_found(KIND, release.number.as_str()))?;
    if release.seen.is_some_and(|seen| seen != digest) {
        return Err(Error::conflict("stale-digest"));
    }
    if !state.is_held() {
        return Err(Error::conflict("order-not-held").arg("number", release.number.as_str()));
    }
    let now = tx.now();
    let open = order_hold::table
        .filter(order_hold::order_number.eq(&release.number).and(order_hold::released_at.is_null()));
    diesel::update(open)
        .set((
            order_hold::released_at.eq(now),
            order_hold::released_by.eq(&signer.actor.id),
            order_hold::reason.eq(&release.reason),
        ))
        .execute(tx.rows())?;
    state.holds = holds(tx.read(), &release.number)?;
    let act = Act { subject: &subject, round: 0, meaning: "released", digest, comment: &release.reason };
    let (signature, sig) = signatures::sign(tx, signer, &act)?;
    state.signatures.push(signature);
    let entry = NewEntry::new(acts::ORDER_RELEASED, &signer.actor);
    tx.append(entry.state(state.snapshot()).reason(&release.reason).signature(&sig))?;
    Ok(state)
}
