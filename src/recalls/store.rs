//! Recalls in the database: registering with the trace, filling, later hits, and what the shared rules of records ask.

use chrono_tz::Tz;
use diesel::prelude::*;

use super::reach::Booking;
use super::record::{
    Batch, Class, Clock, Customer, Line, NAME, Origin, Recall, RecallState, Role, STATES, customer_field,
    subject,
};
use super::{clocks, trace};
use crate::error::{Error, FieldError, Kind, Result};
use crate::ledger::acts;
use crate::ledger::lane::{Actor, NewEntry, Tx};
use crate::ledger::subject::{Governed, Snapshot};
use crate::ledger::tombstone;
use crate::records::kind::{Proposed, RecordKind, Standing};
use crate::records::{corrections, numbering, transitions};
use crate::signatures;
use crate::store::Db;
use crate::store::schema::{recall, recall_batch, recall_clock, recall_customer, recall_line};
use crate::time::Timestamp;
use crate::web::input;

/// Characters of a title at most.
pub const TITLE: usize = 200;
/// Characters of a longer text at most.
pub const TEXT: usize = 4000;

/// Recalls with their rows, as `verify` recomputes them.
pub const GOVERNED: Governed = Governed {
    kind: NAME,
    tables: &[
        "recall",
        "recall_batch",
        "recall_clock",
        "recall_line",
        "recall_customer",
        "correction",
        "record_transition",
        "signature",
    ],
    ids,
    snapshot,
};

/// Recalls as a kind of quality record.
pub const KIND: RecordKind = RecordKind {
    name: NAME,
    prefix: "RCL",
    states: STATES,
    moved: acts::RECALL_MOVED,
    closed: acts::RECALL_CLOSED,
    last_number,
    load,
    snapshot,
    check,
    apply,
    set_state,
    missing,
};

/// A recall as it is registered, its values checked but for what only the present can say.
#[derive(Debug, Clone)]
pub struct Registration {
    /// What it is about.
    pub title: String,
    /// How dangerous.
    pub class: Class,
    /// Why so.
    pub class_rationale: String,
    /// What is wrong.
    pub reason: String,
    /// What we are in it.
    pub role: Role,
    /// Who decided it.
    pub origin: Origin,
    /// An exercise.
    pub drill: bool,
    /// Material (empty for any) and batch, each pair once.
    pub batches: Vec<(String, String)>,
    /// When it was decided.
    pub decided_at: Timestamp,
}

/// What is filled into a recall.
#[derive(Debug, Clone, Default)]
pub struct Filling {
    /// Why not everything came back.
    pub unaccounted_reason: Option<String>,
    /// For customers of the trace, each once.
    pub bookings: Vec<Booking>,
    /// Fields that registering has filled and the request names all the same.
    pub others: Vec<&'static str>,
}

fn ids(db: &mut Db) -> Result<Vec<String>> {
    Ok(recall::table.select(recall::number).load(db)?)
}

fn snapshot(db: &mut Db, number: &str) -> Result<Option<Snapshot>> {
    state(db, number)?.map(|state| state.snapshot()).transpose()
}

/// A recall with all that belongs to it; none of this number.
///
/// # Errors
/// The database does not answer.
pub fn state(db: &mut Db, number: &str) -> Result<Option<RecallState>> {
    let Some(recall) = recall::table.find(number).first::<Recall>(db).optional()? else { return Ok(None) };
    let subject = subject(number);
    let mut state = RecallState {
        recall,
        batches: recall_batch::table.filter(recall_batch::recall.eq(number)).load(db)?,
        clocks: recall_clock::table.filter(recall_clock::recall.eq(number)).load(db)?,
        lines: recall_line::table.filter(recall_line::recall.eq(number)).load(db)?,
        customers: recall_customer::table.filter(recall_customer::recall.eq(number)).load(db)?,
        corrections: corrections::of(db, &subject)?,
        transitions: transitions::of(db, &subject)?,
        signatures: signatures::of(db, &subject)?,
    };
    // Sorted here: the engines' collations order differently, and the order is part of the snapshot.
    state.batches.sort();
    state.clocks.sort_by(|a, b| a.name.cmp(&b.name));
    state.lines.sort_by(|a, b| (&a.order_number, &a.line).cmp(&(&b.order_number, &b.line)));
    state.customers.sort_by(|a, b| a.customer_code.cmp(&b.customer_code));
    Ok(Some(state))
}

/// The same, refused with 404.
///
/// # Errors
/// 404.
pub fn require(db: &mut Db, number: &str) -> Result<RecallState> {
    match state(db, number)? {
        Some(state) => Ok(state),
        None => Err(tombstone::absent(db, (NAME, number), Error::not_found(NAME, number))),
    }
}

fn last_number(db: &mut Db, prefix: &str) -> Result<Option<String>> {
    let numbers: Vec<String> =
        recall::table.filter(recall::number.like(format!("{prefix}%"))).select(recall::number).load(db)?;
    Ok(numbers.into_iter().max_by(|a, b| (a.len(), a).cmp(&(b.len(), b))))
}

fn load(db: &mut Db, number: &str) -> Result<Option<Standing>> {
    Ok(state(db, number)?.map(|state| Standing {
        values: state.values(),
        number: state.recall.number,
        state: state.recall.state,
        raised_by: state.recall.raised_by,
    }))
}

fn missing(db: &mut Db, standing: &Standing) -> Result<Vec<String>> {
    Ok(require(db, &standing.number)?.missing())
}

/// Registers a recall: its number, its clocks, and the trace of its batches, frozen at this instant. Returns the
/// number.
///
/// # Errors
/// 422: a decision to come.
pub fn register(tx: &mut Tx<'_>, actor: &Actor, zone: chrono_tz::Tz, new: &Registration) -> Result<String> {
    let now = tx.now();
    if new.decided_at > now {
        return Err(Error::invalid("decided_at", "in-future"));
    }
    let number = numbering::next(tx, &KIND, zone)?;
    let recall = Recall {
        number: number.clone(),
        title: new.title.clone(),
        class: new.class.code().to_owned(),
        class_rationale: new.class_rationale.clone(),
        reason: new.reason.clone(),
        role: new.role.code().to_owned(),
        origin: new.origin.code().to_owned(),
        drill: new.drill,
        decided_at: new.decided_at,
        state: STATES[0].to_owned(),
        unaccounted_reason: String::new(),
        raised_at: now,
        raised_by: actor.id.clone(),
        closed_at: None,
    };
    let batch = |(material, batch): &(String, String)| Batch {
        recall: number.clone(),
        material: material.clone(),
        batch: batch.clone(),
    };
    let batches: Vec<Batch> = new.batches.iter().map(batch).collect();
    let lines = trace::of(tx.read(), &recall, &batches)?;
    diesel::insert_into(recall::table).values(&recall).execute(tx.rows())?;
    for batch in &batches {
        diesel::insert_into(recall_batch::table).values(batch).execute(tx.rows())?;
    }
    insert_clocks(tx, &clocks::of(&recall))?;
    insert_lines(tx, &lines)?;
    insert_customers(tx, &number, &lines)?;
    append(tx, NewEntry::new(acts::RECALL_OPENED, actor), &number)?;
    Ok(number)
}

/// Appends an entry with the recall's present state and keeps its trace as content.
fn append(tx: &mut Tx<'_>, entry: NewEntry, number: &str) -> Result<()> {
    let state = require(tx.read(), number)?;
    let trace = state.trace_bytes()?;
    tx.put_content(trace);
    tx.append(entry.state(state.snapshot()?))?;
    Ok(())
}

fn insert_clocks(tx: &mut Tx<'_>, clocks: &[Clock]) -> Result<()> {
    for clock in clocks {
        diesel::insert_into(recall_clock::table).values(clock).execute(tx.rows())?;
    }
    Ok(())
}

fn insert_lines(tx: &mut Tx<'_>, lines: &[Line]) -> Result<()> {
    for line in lines {
        diesel::insert_into(recall_line::table).values(line).execute(tx.rows())?;
    }
    Ok(())
}

/// Adds a row for each customer of these lines that has none.
fn insert_customers(tx: &mut Tx<'_>, number: &str, lines: &[Line]) -> Result<()> {
    let known: Vec<String> = recall_customer::table
        .filter(recall_customer::recall.eq(number))
        .select(recall_customer::customer_code)
        .load(tx.read())?;
    let mut codes: Vec<&str> = lines.iter().map(|line| line.customer_code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes.retain(|code| !known.iter().any(|known| known == code));
    for code in codes {
        diesel::insert_into(recall_customer::table)
            .values(&Customer::blank(number, code))
            .execute(tx.rows())?;
    }
    Ok(())
}

/// Fills what is still empty: why not everything came back, and customers' rows.
///
/// # Errors
/// 404; 409 for a closed recall and at every field already filled; 422: not a customer of the trace, one twice, a
/// value that cannot be true.
pub fn fill(tx: &mut Tx<'_>, actor: &Actor, number: &str, filling: &Filling) -> Result<()> {
    KIND.require_open(tx.read(), number)?;
    let state = require(tx.read(), number)?;
    let customers = may_fill(&state, filling, tx.now())?;
    if customers.is_empty() && filling.unaccounted_reason.is_none() {
        return Ok(());
    }
    if let Some(reason) = &filling.unaccounted_reason {
        diesel::update(recall::table.find(number))
            .set(recall::unaccounted_reason.eq(reason))
            .execute(tx.rows())?;
    }
    for row in &customers {
        write_customer(tx, row)?;
    }
    append(tx, NewEntry::new(acts::RECALL_FILLED, actor), number)
}

fn may_fill(state: &RecallState, filling: &Filling, now: Timestamp) -> Result<Vec<Customer>> {
    let mut filled = filling.others.clone();
    if filling.unaccounted_reason.is_some() && !state.recall.unaccounted_reason.is_empty() {
        filled.push("unaccounted_reason");
    }
    if !filled.is_empty() {
        let refusal = Error::conflict("field-filled").arg("field", filled.join(", "));
        return Err(filled.into_iter().fold(refusal, |refusal, field| refusal.field(field, "filled")));
    }
    let mut customers = Vec::new();
    for (at, booking) in filling.bookings.iter().enumerate() {
        let earlier = &filling.bookings[..at];
        let at = format!("customers[{at}]");
        if earlier.iter().any(|earlier| earlier.customer == booking.customer) {
            return Err(Error::invalid(format!("{at}.customer"), "duplicate"));
        }
        customers.push(state.booked(booking, &at, now)?);
    }
    Ok(customers)
}

fn write_customer(tx: &mut Tx<'_>, row: &Customer) -> Result<()> {
    diesel::update(recall_customer::table.find((&row.recall, &row.customer_code)))
        .set((
            recall_customer::notified_at.eq(row.notified_at),
            recall_customer::acknowledged_at.eq(row.acknowledged_at),
            recall_customer::returned.eq(&row.returned),
            recall_customer::note.eq(&row.note),
        ))
        .execute(tx.rows())?;
    Ok(())
}

/// Books recalled lines of an order that came, or changed, after the decision: a later hit for each line that the
/// trace does not have, and a row for a customer it does not know. Refuses nothing.
///
/// # Errors
/// The database refuses.
pub fn note_hits(tx: &mut Tx<'_>, actor: &Actor, hits: &[Line]) -> Result<()> {
    let mut recalls: Vec<&str> = hits.iter().map(|hit| hit.recall.as_str()).collect();
    recalls.sort_unstable();
    recalls.dedup();
    for number in recalls {
        let mut fresh: Vec<Line> = hits.iter().filter(|hit| hit.recall == number).cloned().collect();
        let mut known = Vec::new();
        for hit in &fresh {
            let row = recall_line::table.find((number, &hit.order_number, &hit.line));
            let found: Option<String> = row.select(recall_line::line).first(tx.read()).optional()?;
            known.extend(found);
        }
        fresh.retain(|hit| !known.contains(&hit.line));
        if fresh.is_empty() {
            continue;
        }
        insert_lines(tx, &fresh)?;
        insert_customers(tx, number, &fresh)?;
        append(tx, NewEntry::new(acts::RECALL_HIT, actor), number)?;
    }
    Ok(())
}

fn check(db: &mut Db, standing: &Standing, proposed: &Proposed<'_>) -> Result<String> {
    let Proposed { field, value, now, zone } = *proposed;
    if let Some((code, field)) = customer_field(field) {
        let state = require(db, &standing.number)?;
        let (row, kept) = corrected(&state, (code, field), (value, zone))?;
        // The checker speaks of the row's field; the request has only `value`.
        state.plausible(&row, "", now).map_err(at_value)?;
        return Ok(kept);
    }
    match field {
        "title" => input::line("value", value, TITLE),
        "class_rationale" | "reason" | "unaccounted_reason" => input::text("value", value, TEXT),
        "class" => input::code::<Class>("value", value).map(|class| class.code().to_owned()),
        "role" => input::code::<Role>("value", value).map(|role| role.code().to_owned()),
        "origin" => input::code::<Origin>("value", value).map(|origin| origin.code().to_owned()),
        "decided_at" => {
            let decided = input::instant_here("value", value, zone)?;
            if decided > now {
                return Err(Error::invalid("value", "in-future"));
            }
            Ok(decided.to_string())
        }
        _ => Err(Error::invalid("field", "unknown-code")),
    }
}

fn at_value(error: Error) -> Error {
    let fields = error.fields().iter().map(|fault| FieldError { field: "value".to_owned(), ..fault.clone() });
    fields.fold(Error::new(Kind::Invalid, "invalid"), Error::field_with)
}

/// A customer's row with one value corrected, and that value as kept.
fn corrected(
    state: &RecallState,
    (code, field): (&str, &str),
    (value, zone): (&str, Tz),
) -> Result<(Customer, String)> {
    let row = state.customers.iter().find(|row| row.customer_code == code);
    let mut row = row.cloned().ok_or_else(|| Error::invalid("field", "unknown-code"))?;
    let kept = match field {
        "notified_at" | "acknowledged_at" => input::instant_here("value", value, zone)?.to_string(),
        "returned" => input::decimal("value", value)?,
        "note" => input::text("value", value, TEXT)?,
        _ => return Err(Error::invalid("field", "unknown-code")),
    };
    match field {
        "notified_at" => row.notified_at = Timestamp::parse(&kept),
        "acknowledged_at" => row.acknowledged_at = Timestamp::parse(&kept),
        "returned" => row.returned.clone_from(&kept),
        _ => row.note.clone_from(&kept),
    }
    Ok((row, kept))
}

fn apply(tx: &mut Tx<'_>, standing: &Standing, proposed: &Proposed<'_>) -> Result<()> {
    let (number, value) = (standing.number.as_str(), proposed.value);
    if let Some(named) = customer_field(proposed.field) {
        let state = require(tx.read(), number)?;
        let (row, _) = corrected(&state, named, (value, proposed.zone))?;
        return write_customer(tx, &row);
    }
    let mut row: Recall = recall::table.find(number).first(tx.read())?;
    match proposed.field {
        "title" => value.clone_into(&mut row.title),
        "class" => value.clone_into(&mut row.class),
        "class_rationale" => value.clone_into(&mut row.class_rationale),
        "reason" => value.clone_into(&mut row.reason),
        "role" => value.clone_into(&mut row.role),
        "origin" => value.clone_into(&mut row.origin),
        "decided_at" => row.decided_at = input::instant("value", value)?,
        "unaccounted_reason" => value.clone_into(&mut row.unaccounted_reason),
        field => return Err(Error::internal(format!("{field} is no field of a recall"))),
    }
    write(tx, &row)?;
    if matches!(proposed.field, "class" | "role" | "origin" | "decided_at") {
        wind(tx, number)
    } else {
        Ok(())
    }
}

/// Writes what a correction may change of the recall's own row.
fn write(tx: &mut Tx<'_>, row: &Recall) -> Result<()> {
    diesel::update(recall::table.find(&row.number))
        .set((
            recall::title.eq(&row.title),
            recall::class.eq(&row.class),
            recall::class_rationale.eq(&row.class_rationale),
            recall::reason.eq(&row.reason),
            recall::role.eq(&row.role),
            recall::origin.eq(&row.origin),
            recall::decided_at.eq(row.decided_at),
            recall::unaccounted_reason.eq(&row.unaccounted_reason),
        ))
        .execute(tx.rows())?;
    Ok(())
}

/// Computes the clocks afresh; the ones before stay in the trail.
fn wind(tx: &mut Tx<'_>, number: &str) -> Result<()> {
    let recall: Recall = recall::table.find(number).first(tx.read())?;
    diesel::delete(recall_clock::table.filter(recall_clock::recall.eq(number))).execute(tx.rows())?;
    insert_clocks(tx, &clocks::of(&recall))
}

fn set_state(tx: &mut Tx<'_>, number: &str, state: &str, closed_at: Option<Timestamp>) -> Result<()> {
    diesel::update(recall::table.find(number))
        .set((recall::state.eq(state), recall::closed_at.eq(closed_at)))
        .execute(tx.rows())?;
    // Completion starts the clock of the final report.
    if closed_at.is_some() { wind(tx, number) } else { Ok(()) }
}
