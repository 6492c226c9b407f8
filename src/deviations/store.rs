//! Deviations in the database: registering, filling, and what the shared rules of quality records need to know.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use diesel::prelude::*;

use super::draft::{self, Checked};
use super::record::{self, Batch, Deviation, DeviationState, FILLABLE, STATES, joined, parts, subject};
use crate::error::{Error, Result};
use crate::ledger::acts;
use crate::ledger::lane::{Actor, NewEntry, Tx};
use crate::ledger::subject::{Governed, Snapshot};
use crate::ledger::tombstone;
use crate::orders::read as order_read;
use crate::records::kind::{Proposed, RecordKind, Standing};
use crate::records::{corrections, numbering, transitions};
use crate::signatures;
use crate::store::Db;
use crate::store::schema::{deviation, deviation_batch, deviation_order};
use crate::time::Timestamp;
use crate::web::input;

/// Deviations with all that belongs to them, as `verify` recomputes them.
pub const GOVERNED: Governed = Governed {
    kind: "deviation",
    tables: &[
        "deviation",
        "deviation_order",
        "deviation_batch",
        "correction",
        "record_transition",
        "signature",
    ],
    ids,
    snapshot,
};

/// Deviations as the shared rules of quality records know them.
pub const KIND: RecordKind = RecordKind {
    name: "deviation",
    prefix: "DEV",
    states: STATES,
    moved: acts::DEVIATION_MOVED,
    closed: acts::DEVIATION_CLOSED,
    last_number,
    load,
    snapshot,
    check,
    apply,
    set_state,
    missing,
};

fn ids(db: &mut Db) -> Result<Vec<String>> {
    Ok(deviation::table.select(deviation::number).load(db)?)
}

fn snapshot(db: &mut Db, number: &str) -> Result<Option<Snapshot>> {
    Ok(state(db, number)?.map(|state| state.snapshot()))
}

/// A deviation with all that belongs to it; none of this number.
///
/// # Errors
/// The database does not answer.
pub fn state(db: &mut Db, number: &str) -> Result<Option<DeviationState>> {
    let Some(row) = deviation::table.find(number).first::<Deviation>(db).optional()? else { return Ok(None) };
    let subject = subject(number);
    Ok(Some(DeviationState {
        orders: orders_of(db, number)?,
        batches: batches_of(db, number)?,
        corrections: corrections::of(db, &subject)?,
        transitions: transitions::of(db, &subject)?,
        signatures: signatures::of(db, &subject)?,
        deviation: row,
    }))
}

/// The same, refused with 404.
///
/// # Errors
/// 404.
pub fn require(db: &mut Db, number: &str) -> Result<DeviationState> {
    match state(db, number)? {
        Some(state) => Ok(state),
        None => Err(tombstone::absent(db, ("deviation", number), Error::not_found("deviation", number))),
    }
}

// Sorted by the program: the engines' collations order differently.
fn orders_of(db: &mut Db, number: &str) -> Result<Vec<String>> {
    let rows = deviation_order::table.filter(deviation_order::deviation.eq(number));
    let mut orders: Vec<String> = rows.select(deviation_order::order_number).load(db)?;
    orders.sort();
    Ok(orders)
}

fn batches_of(db: &mut Db, number: &str) -> Result<Vec<Batch>> {
    let rows = deviation_batch::table.filter(deviation_batch::deviation.eq(number));
    let rows: Vec<(String, String)> =
        rows.select((deviation_batch::material, deviation_batch::batch)).load(db)?;
    let mut batches: Vec<Batch> =
        rows.into_iter().map(|(material, batch)| Batch { material, batch }).collect();
    batches.sort();
    Ok(batches)
}

/// Registers a deviation; returns its number.
///
/// # Errors
/// 422 for orders we do not have.
pub fn raise(tx: &mut Tx<'_>, actor: &Actor, told: &Checked, zone: Tz) -> Result<String> {
    orders_must_exist(tx.read(), "orders", &told.orders)?;
    let number = numbering::next(tx, &KIND, zone)?;
    let class = told.class.code();
    let row = Deviation {
        number: number.clone(),
        title: told.title.clone(),
        description: told.description.clone(),
        class: class.to_owned(),
        area: told.area.clone(),
        occurred_at: told.occurred_at,
        found_at: told.found_at,
        immediate_action: told.immediate_action.clone(),
        state: STATES[0].to_owned(),
        class_rationale: String::new(),
        impact: String::new(),
        investigation: String::new(),
        root_cause: String::new(),
        capa: String::new(),
        no_capa_reason: String::new(),
        effectiveness_result: String::new(),
        due_at: record::due_at(class, told.found_at, zone),
        raised_at: tx.now(),
        raised_by: actor.id.clone(),
        closed_at: None,
    };
    diesel::insert_into(deviation::table).values(&row).execute(tx.rows())?;
    put_orders(tx, &number, &told.orders)?;
    put_batches(tx, &number, &told.batches)?;
    append(tx, acts::DEVIATION_RAISED, actor, &number)?;
    Ok(number)
}

fn append(tx: &mut Tx<'_>, act: acts::Act, actor: &Actor, number: &str) -> Result<()> {
    let snapshot = KIND.snapshot_now(tx, number)?;
    tx.append(NewEntry::new(act, actor).state(snapshot))?;
    Ok(())
}

/// What is filled in after registration: texts by field, orders and batches where there were none.
#[derive(Debug, Clone, Default)]
pub struct Filling {
    /// Of [`FILLABLE`], not empty.
    pub texts: BTreeMap<&'static str, String>,
    /// Orders, sorted.
    pub orders: Vec<String>,
    /// Batches, sorted.
    pub batches: Vec<Batch>,
    /// Fields named that registering has filled already.
    pub registered: Vec<&'static str>,
}

impl Filling {
    /// Checks texts as they came.
    ///
    /// # Errors
    /// 422 with each field: unknown, empty, too long.
    pub fn checked<'a>(given: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let (mut filling, mut faults) = (Self::default(), input::Faults::new());
        for (field, value) in given {
            let Some(known) = FILLABLE.iter().find(|known| **known == field) else {
                faults.note(field, "unknown-code");
                continue;
            };
            if let Some(text) = faults.take(input::text(field, value, draft::LONGEST_TEXT)) {
                filling.texts.insert(known, text);
            }
        }
        faults.check()?;
        Ok(filling)
    }

    fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.orders.is_empty() && self.batches.is_empty()
    }
}

/// Fills fields that are still empty; one entry for all of them, none for nothing.
///
/// # Errors
/// 404; 409 `record-closed`; 409 `already-filled` naming each that has a value: it is corrected, not filled; 422 for
/// orders we do not have.
pub fn fill(tx: &mut Tx<'_>, actor: &Actor, number: &str, filling: &Filling) -> Result<()> {
    KIND.require_open(tx.read(), number)?;
    let DeviationState { mut deviation, orders, batches, .. } = require(tx.read(), number)?;
    let mut filled = filling.registered.clone();
    let has_text = |field: &&str| deviation.text(field).is_some_and(|text| !text.is_empty());
    filled.extend(filling.texts.keys().copied().filter(has_text));
    if !filling.orders.is_empty() && !orders.is_empty() {
        filled.push("orders");
    }
    if !filling.batches.is_empty() && !batches.is_empty() {
        filled.push("batches");
    }
    if !filled.is_empty() {
        let refusal = Error::conflict("already-filled");
        return Err(filled.into_iter().fold(refusal, |error, field| error.field(field, "filled")));
    }
    orders_must_exist(tx.read(), "orders", &filling.orders)?;
    if filling.is_empty() {
        return Ok(());
    }
    for (field, text) in &filling.texts {
        if let Some(kept) = deviation.text_mut(field) {
            kept.clone_from(text);
        }
    }
    save(tx, &deviation)?;
    put_orders(tx, number, &filling.orders)?;
    put_batches(tx, number, &filling.batches)?;
    append(tx, acts::DEVIATION_FILLED, actor, number)
}

fn save(tx: &mut Tx<'_>, row: &Deviation) -> Result<()> {
    diesel::update(deviation::table.find(&row.number)).set(row).execute(tx.rows())?;
    Ok(())
}

fn put_orders(tx: &mut Tx<'_>, number: &str, orders: &[String]) -> Result<()> {
    for order in orders {
        diesel::insert_into(deviation_order::table)
            .values((deviation_order::deviation.eq(number), deviation_order::order_number.eq(order)))
            .execute(tx.rows())?;
    }
    Ok(())
}

fn put_batches(tx: &mut Tx<'_>, number: &str, batches: &[Batch]) -> Result<()> {
    for Batch { material, batch } in batches {
        diesel::insert_into(deviation_batch::table)
            .values((
                deviation_batch::deviation.eq(number),
                deviation_batch::material.eq(material),
                deviation_batch::batch.eq(batch),
            ))
            .execute(tx.rows())?;
    }
    Ok(())
}

fn orders_must_exist(db: &mut Db, field: &str, orders: &[String]) -> Result<()> {
    let mut faults = input::Faults::new();
    for (at, order) in orders.iter().enumerate() {
        if !order_read::exists(db, order)? {
            faults.note(format!("{field}[{at}]"), "unknown-order");
        }
    }
    faults.check()
}

fn last_number(db: &mut Db, prefix: &str) -> Result<Option<String>> {
    // Numbers of one prefix are told by length first: 10000 stands behind 9999.
    Ok(deviation::table
        .filter(deviation::number.like(format!("{prefix}%")))
        .order((length(deviation::number).desc(), deviation::number.desc()))
        .select(deviation::number)
        .first(db)
        .optional()?)
}

diesel::define_sql_function! {
    /// Characters of a text.
    fn length(text: diesel::sql_types::Text) -> diesel::sql_types::Integer;
}

fn load(db: &mut Db, number: &str) -> Result<Option<Standing>> {
    let Some(DeviationState { deviation, orders, batches, .. }) = state(db, number)? else { return Ok(None) };
    let mut values = BTreeMap::from([
        ("occurred_at".to_owned(), deviation.occurred_at.to_string()),
        ("found_at".to_owned(), deviation.found_at.to_string()),
        ("orders".to_owned(), joined(&orders)),
        ("batches".to_owned(), joined(&batches)),
    ]);
    for field in ["title", "description", "class", "area"].iter().chain(FILLABLE) {
        values.insert((*field).to_owned(), deviation.text(field).unwrap_or_default().to_owned());
    }
    let Deviation { number, state, raised_by, .. } = deviation;
    Ok(Some(Standing { number, state, raised_by, values }))
}

fn check(db: &mut Db, standing: &Standing, proposed: &Proposed<'_>) -> Result<String> {
    let Proposed { field, value, now, zone } = *proposed;
    match field {
        "title" => input::line("value", value, draft::LONGEST_TITLE),
        "class" => input::code::<record::Class>("value", value).map(|class| class.code().to_owned()),
        "area" => draft::area("value", value),
        "occurred_at" | "found_at" => {
            let at = input::instant_here("value", value, zone)?;
            let other = if field == "found_at" { "occurred_at" } else { "found_at" };
            let other = standing.values.get(other).and_then(|text| Timestamp::parse(text)).unwrap_or(at);
            let (occurred, found) = if field == "found_at" { (other, at) } else { (at, other) };
            if draft::in_order(occurred, found, now).is_err() {
                return Err(Error::invalid("value", if at > now { "in-future" } else { "before-occurred" }));
            }
            Ok(at.to_string())
        }
        "orders" => {
            let given: Vec<String> = parts(value).into_iter().map(str::to_owned).collect();
            let orders = draft::orders("value", &given)?;
            orders_must_exist(db, "value", &orders)?;
            not_empty(joined(&orders))
        }
        "batches" => {
            let given: Vec<Batch> = parts(value).into_iter().map(Batch::parse).collect();
            not_empty(joined(&draft::batches("value", &given)?))
        }
        _ => input::text("value", value, draft::LONGEST_TEXT),
    }
}

fn not_empty(list: String) -> Result<String> {
    if list.is_empty() { Err(Error::invalid("value", "required")) } else { Ok(list) }
}

fn apply(tx: &mut Tx<'_>, standing: &Standing, proposed: &Proposed<'_>) -> Result<()> {
    let number = standing.number.as_str();
    let Proposed { field, value, zone, .. } = *proposed;
    let mut row: Deviation = deviation::table.find(number).first(tx.read())?;
    let instant = || Timestamp::parse(value).ok_or_else(|| Error::internal("a checked instant is none"));
    match field {
        "orders" => {
            let kept = deviation_order::table.filter(deviation_order::deviation.eq(number));
            diesel::delete(kept).execute(tx.rows())?;
            let orders: Vec<String> = parts(value).into_iter().map(str::to_owned).collect();
            return put_orders(tx, number, &orders);
        }
        "batches" => {
            let kept = deviation_batch::table.filter(deviation_batch::deviation.eq(number));
            diesel::delete(kept).execute(tx.rows())?;
            let batches: Vec<Batch> = parts(value).into_iter().map(Batch::parse).collect();
            return put_batches(tx, number, &batches);
        }
        "occurred_at" => row.occurred_at = instant()?,
        "found_at" => row.found_at = instant()?,
        _ => match row.text_mut(field) {
            Some(kept) => value.clone_into(kept),
            None => return Err(Error::internal(format!("a deviation has no field {field}"))),
        },
    }
    row.due_at = record::due_at(&row.class, row.found_at, zone);
    save(tx, &row)
}

fn set_state(tx: &mut Tx<'_>, number: &str, state: &str, closed_at: Option<Timestamp>) -> Result<()> {
    diesel::update(deviation::table.find(number))
        .set((deviation::state.eq(state), deviation::closed_at.eq(closed_at)))
        .execute(tx.rows())?;
    Ok(())
}

fn missing(db: &mut Db, standing: &Standing) -> Result<Vec<String>> {
    let row: Deviation = deviation::table.find(&standing.number).first(db)?;
    Ok(row.missing().into_iter().map(str::to_owned).collect())
}
