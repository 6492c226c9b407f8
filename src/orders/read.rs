//! Orders as they are read: one, a list of them, and the few questions other features ask.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use serde::Serialize;

use super::hold::{self, Alert};
use super::record::{Event, Line, OrderState, Plain, SalesOrder};
use super::store::{Kept, require};
use crate::error::Result;
use crate::ledger::store as ledger;
use crate::people::store::{Named, person, unsealed_many};
use crate::store::Db;
use crate::store::schema::{order_event, order_hold, order_line, sales_order, sealed_value};
use crate::time::Timestamp;

/// An order as the API gives it.
#[derive(Debug, Clone, Serialize)]
pub struct OrderView {
    /// The ERP's number.
    pub number: String,
    /// Who bought.
    pub customer: CustomerView,
    /// Where the goods went; none where unknown or erased.
    pub ship_to: Option<String>,
    /// By item.
    pub lines: Vec<LineView>,
    /// By instant.
    pub events: Vec<EventView>,
    /// Whether QA has still to let it go.
    pub held: bool,
    /// Its recalled lines.
    pub alerts: Vec<Alert>,
    /// Its holds, past and present.
    pub holds: Vec<HoldView>,
    /// When this state came to us.
    pub recorded_at: Timestamp,
}

/// Who bought.
#[derive(Debug, Clone, Serialize)]
pub struct CustomerView {
    /// The ERP's code.
    pub code: String,
    /// The name; none where it was erased.
    pub name: Option<String>,
}

/// A line as the API gives it.
#[derive(Debug, Clone, Serialize)]
pub struct LineView {
    /// The item.
    pub line: String,
    /// The ERP's code.
    pub material: String,
    /// The product's name.
    pub name: String,
    /// 批准文号.
    pub approval_number: Option<String>,
    /// 批号.
    pub batch: Option<String>,
    /// `YYYY-MM-DD`.
    pub expiry: Option<String>,
    /// A decimal.
    pub quantity: String,
    /// Of `quantity`.
    pub unit: String,
    /// A storage code.
    pub storage: String,
}

impl From<&Line> for LineView {
    fn from(line: &Line) -> Self {
        let Line { line, material, name, approval_number, batch, expiry, quantity, unit, storage, .. } =
            line.clone();
        Self { line, material, name, approval_number, batch, expiry, quantity, unit, storage }
    }
}

/// An event as the API gives it.
#[derive(Debug, Clone, Serialize)]
pub struct EventView {
    /// A code of the closed list.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// The login or name of who acted; none where unknown or erased.
    pub by: Option<String>,
}

/// A hold as the API gives it.
#[derive(Debug, Clone, Serialize)]
pub struct HoldView {
    /// Because of which recall.
    pub recall: String,
    /// Since when.
    pub held_at: Timestamp,
    /// Until when.
    pub released_at: Option<Timestamp>,
    /// By whom.
    pub released_by: Option<Named>,
    /// Why.
    pub reason: Option<String>,
}

impl OrderView {
    /// The order as it stands, with what stands behind its commitments.
    pub fn new(state: &OrderState, (plain, people): (&Plain, &People), alerts: Vec<Alert>) -> Self {
        let order = &state.order;
        let mut events: Vec<&Event> = state.events.iter().collect();
        events.sort_by_key(|event| (event.at, event.n));
        let event = |event: &Event| EventView {
            kind: event.kind.clone(),
            at: event.at,
            by: event.by_sealed.as_ref().and_then(|by| plain.get(by)).cloned(),
        };
        let hold = |hold: &super::record::Hold| HoldView {
            recall: hold.recall.clone(),
            held_at: hold.held_at,
            released_at: hold.released_at,
            released_by: hold.released_by.as_ref().and_then(|by| people.get(by)).cloned(),
            reason: hold.reason.clone(),
        };
        Self {
            number: order.number.clone(),
            customer: CustomerView {
                code: order.customer_code.clone(),
                name: plain.get(&order.customer_sealed).cloned(),
            },
            ship_to: order.ship_to_sealed.as_ref().and_then(|ship_to| plain.get(ship_to)).cloned(),
            lines: state.lines.iter().map(LineView::from).collect(),
            events: events.into_iter().map(event).collect(),
            held: state.is_held(),
            alerts,
            holds: state.holds.iter().map(hold).collect(),
            recorded_at: order.recorded_at,
        }
    }

    /// The order just kept; `db` for who released it.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn of_kept(db: &mut Db, kept: Kept) -> Result<Self> {
        let people = people(db, &kept.state)?;
        Ok(Self::new(&kept.state, (&kept.plain, &people), kept.alerts))
    }
}

/// People by their account's id.
type People = HashMap<String, Named>;

/// Those who released the order.
fn people(db: &mut Db, state: &OrderState) -> Result<People> {
    let ids = state.holds.iter().filter_map(|hold| hold.released_by.as_ref());
    ids.map(|id| Ok((id.clone(), person(db, id)?.named()))).collect()
}

/// The order of this state as the API gives it.
///
/// # Errors
/// The database does not answer.
pub fn view(db: &mut Db, state: &OrderState) -> Result<OrderView> {
    let plain = unsealed_many(db, &state.commitments())?;
    let people = people(db, state)?;
    let alerts = hold::alerts_for(db, &state.lines)?;
    Ok(OrderView::new(state, (&plain, &people), alerts))
}

/// The order of this number.
///
/// # Errors
/// 404.
pub fn one(db: &mut Db, number: &str) -> Result<OrderView> {
    let state = require(db, number)?;
    view(db, &state)
}

/// Which orders are asked for.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// With this batch on a line.
    pub batch: Option<String>,
    /// Of the customer with this code or name.
    pub customer: Option<String>,
    /// Shipped at this instant or later.
    pub shipped_from: Option<Timestamp>,
    /// Shipped at this instant or earlier.
    pub shipped_to: Option<Timestamp>,
    /// Only those that QA has still to let go.
    pub held: bool,
    /// Whose numbers are below this one.
    pub after: Option<String>,
}

/// Orders, the highest number first, at most `most`.
///
/// # Errors
/// The database does not answer.
pub fn list(db: &mut Db, filter: &Filter, most: i64) -> Result<Vec<SalesOrder>> {
    let mut query = sales_order::table.into_boxed();
    if let Some(batch) = &filter.batch {
        let with = order_line::table.filter(order_line::batch.eq(batch)).select(order_line::order_number);
        query = query.filter(sales_order::number.eq_any(with));
    }
    if let Some(customer) = &filter.customer {
        let named = sealed_value::table
            .filter(sealed_value::name.eq("customer_name").and(sealed_value::value.eq(customer)))
            .select(sealed_value::commitment);
        let is = sales_order::customer_code.eq(customer).or(sales_order::customer_sealed.eq_any(named));
        query = query.filter(is);
    }
    if filter.shipped_from.is_some() || filter.shipped_to.is_some() {
        let from = filter.shipped_from.unwrap_or(Timestamp(i64::MIN));
        let to = filter.shipped_to.unwrap_or(Timestamp(i64::MAX));
        let shipped = order_event::table
            .filter(order_event::kind.eq("shipped").and(order_event::at.between(from, to)))
            .select(order_event::order_number);
        query = query.filter(sales_order::number.eq_any(shipped));
    }
    if filter.held {
        let open =
            order_hold::table.filter(order_hold::released_at.is_null()).select(order_hold::order_number);
        query = query.filter(sales_order::number.eq_any(open));
    }
    if let Some(after) = &filter.after {
        query = query.filter(sales_order::number.lt(after));
    }
    Ok(query.order(sales_order::number.desc()).limit(most).load(db)?)
}

/// An order in a list.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// The ERP's number.
    pub number: String,
    /// Who bought.
    pub customer: CustomerView,
    /// The first `ordered` event.
    pub ordered_at: Option<Timestamp>,
    /// The first `shipped` event.
    pub shipped_at: Option<Timestamp>,
    /// How many lines it has.
    pub lines: i64,
    /// Whether QA has still to let it go.
    pub held: bool,
    /// When this state came to us.
    pub recorded_at: Timestamp,
}

/// The same orders as a list shows them.
///
/// # Errors
/// The database does not answer.
pub fn summaries(db: &mut Db, orders: Vec<SalesOrder>) -> Result<Vec<Summary>> {
    let numbers: Vec<&String> = orders.iter().map(|order| &order.number).collect();
    let sealed: Vec<String> = orders.iter().map(|order| order.customer_sealed.clone()).collect();
    let mut names = unsealed_many(db, &sealed)?;
    let held: HashSet<String> = order_hold::table
        .filter(order_hold::order_number.eq_any(&numbers).and(order_hold::released_at.is_null()))
        .select(order_hold::order_number)
        .load(db)?
        .into_iter()
        .collect();
    let lines: HashMap<String, i64> = order_line::table
        .filter(order_line::order_number.eq_any(&numbers))
        .group_by(order_line::order_number)
        .select((order_line::order_number, diesel::dsl::count_star()))
        .load::<(String, i64)>(db)?
        .into_iter()
        .collect();
    let summary = |order: SalesOrder| Summary {
        held: held.contains(&order.number),
        lines: lines.get(&order.number).copied().unwrap_or_default(),
        customer: CustomerView { code: order.customer_code, name: names.remove(&order.customer_sealed) },
        number: order.number,
        ordered_at: order.ordered_at,
        shipped_at: order.shipped_at,
        recorded_at: order.recorded_at,
    };
    Ok(orders.into_iter().map(summary).collect())
}

/// A line of an order that carries a batch.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct BatchLine {
    /// The order's number.
    pub order: String,
    /// The item.
    pub line: String,
    /// The ERP's code of the customer.
    pub customer_code: String,
    /// The material.
    pub material: String,
    /// The batch.
    pub batch: Option<String>,
    /// A decimal.
    pub quantity: String,
    /// Of `quantity`.
    pub unit: String,
}

/// All lines that carry one of these batches, of whatever material, by order and item.
///
/// # Errors
/// The database does not answer.
pub fn lines_with_batches(db: &mut Db, batches: &[&str]) -> Result<Vec<BatchLine>> {
    Ok(order_line::table
        .inner_join(sales_order::table.on(sales_order::number.eq(order_line::order_number)))
        .filter(order_line::batch.eq_any(batches))
        .order((order_line::order_number, order_line::line))
        .select((
            order_line::order_number,
            order_line::line,
            sales_order::customer_code,
            order_line::material,
            order_line::batch,
            order_line::quantity,
            order_line::unit,
        ))
        .load(db)?)
}

/// Whether there is an order of this number.
///
/// # Errors
/// The database does not answer.
pub fn exists(db: &mut Db, number: &str) -> Result<bool> {
    Ok(diesel::select(diesel::dsl::exists(sales_order::table.find(number))).get_result(db)?)
}

/// When the order was placed, as the ERP says; none where it does not say, or there is no such order.
///
/// # Errors
/// The database does not answer.
pub fn ordered_at(db: &mut Db, number: &str) -> Result<Option<Timestamp>> {
    let at: Option<Option<Timestamp>> =
        sales_order::table.find(number).select(sales_order::ordered_at).first(db).optional()?;
    Ok(at.flatten())
}

/// What an order is called beside its number: its customer. None where there is no such order.
///
/// # Errors
/// The database does not answer.
pub fn title_of(db: &mut Db, number: &str) -> Result<Option<String>> {
    let row: Option<(String, String)> = sales_order::table
        .find(number)
        .select((sales_order::customer_code, sales_order::customer_sealed))
        .first(db)
        .optional()?;
    let Some((code, sealed)) = row else { return Ok(None) };
    Ok(Some(ledger::unsealed(db, &sealed)?.unwrap_or(code)))
}

/// The name of a customer, from the order that came last; none where nobody has the code, or it was erased.
///
/// # Errors
/// The database does not answer.
pub fn customer_name(db: &mut Db, code: &str) -> Result<Option<String>> {
    let sealed: Option<String> = sales_order::table
        .filter(sales_order::customer_code.eq(code))
        .order((sales_order::recorded_at.desc(), sales_order::number.desc()))
        .select(sales_order::customer_sealed)
        .first(db)
        .optional()?;
    sealed.map_or(Ok(None), |sealed| ledger::unsealed(db, &sealed))
}
