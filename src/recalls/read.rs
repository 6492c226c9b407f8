//! Recalls for reading: one with all that belongs to it, its trace, and lists by filters.

use std::collections::HashMap;

use diesel::prelude::*;
use serde::Serialize;

use super::clocks;
use super::record::{Line, Recall, RecallState, subject};
use super::store::{self, KIND};
use crate::error::Result;
use crate::links::read::{self as links, LinkView};
use crate::people;
use crate::people::store::Named;
use crate::people::store::unsealed_many;
use crate::records::deadlines::{self, Unit};
use crate::records::source::{Basis, Confidence};
use crate::records::told::{Told, told};
use crate::store::schema::{recall, recall_batch, sales_order};
use crate::store::{Db, MultiBackend, escaped};
use crate::time::Timestamp;

/// Numbers asked for in one statement.
const AT_ONCE: usize = 1000;

/// A recall in a list.
#[derive(Debug, Clone, Serialize)]
pub struct RecallRow {
    /// `RCL-2026-0001`.
    pub number: String,
    /// In one line.
    pub title: String,
    /// I, II or III.
    pub class: String,
    /// What we are in it.
    pub role: String,
    /// Who decided it.
    pub origin: String,
    /// An exercise.
    pub drill: bool,
    /// Code.
    pub state: String,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// When it was registered.
    pub raised_at: Timestamp,
    /// By whom, as login.
    pub raised_by: Named,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
}

/// A batch of a recall.
#[derive(Debug, Clone, Serialize)]
pub struct BatchView {
    /// Empty for whatever material bears the number.
    pub material: String,
    /// The batch number.
    pub batch: String,
}

/// What is due, in both languages.
#[derive(Debug, Clone, Serialize)]
pub struct StepName {
    /// Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: &'static str,
    /// English.
    pub en: &'static str,
}

/// A clock, with the row it comes from.
#[derive(Debug, Clone, Serialize)]
pub struct ClockView {
    /// The rule's id.
    pub name: String,
    /// What is due.
    pub step: StepName,
    /// Whose number it is: `law` or `company`, never mixed.
    pub basis: Basis,
    /// How many units; 0 where the law names a duty and no number.
    pub limit: u32,
    /// Of what.
    pub unit: Unit,
    /// Due (first) then; none where it cannot be computed yet.
    pub due_at: Option<Timestamp>,
    /// Due next, where it repeats.
    pub next_due_at: Option<Timestamp>,
    /// When it was met, where that is kept here.
    pub met_at: Option<Timestamp>,
    /// Law and article, or the company's policy.
    pub clause: String,
    /// The edition.
    pub edition: &'static str,
    /// How sure the row is.
    pub confidence: Confidence,
}

/// How far it has reached.
#[derive(Debug, Clone, Serialize)]
pub struct ReachView {
    /// Orders of the trace, later hits included.
    pub orders: usize,
    /// Customers.
    pub customers: usize,
    /// Of whom notified.
    pub notified: usize,
    /// Of whom confirmed.
    pub acknowledged: usize,
    /// What went out, a decimal.
    pub traced: String,
    /// What came back, a decimal.
    pub returned: String,
    /// The second of the first, a decimal, never rounded up.
    pub percent: String,
    /// In which the quantities count; more than one where they are added across units.
    pub units: Vec<String>,
}

/// Whom it reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerName {
    /// The ERP's code.
    pub code: String,
    /// The name; none where it was erased.
    pub name: Option<String>,
}

/// A customer's row.
#[derive(Debug, Clone, Serialize)]
pub struct CustomerView {
    /// Who.
    pub customer: CustomerName,
    /// What went out to them, a decimal.
    pub traced: String,
    /// When the notice reached them.
    pub notified_at: Option<Timestamp>,
    /// When they confirmed it.
    pub acknowledged_at: Option<Timestamp>,
    /// What came back, a decimal.
    pub returned: Option<String>,
    /// What else was said.
    pub note: Option<String>,
}

/// A recall with all that belongs to it but its trace.
#[derive(Debug, Clone, Serialize)]
pub struct RecallView {
    /// What a list shows of it.
    #[serde(flatten)]
    pub row: RecallRow,
    /// Why this class.
    pub class_rationale: String,
    /// What is wrong.
    pub reason: String,
    /// What is recalled.
    pub batches: Vec<BatchView>,
    /// Why not everything came back; none while empty.
    pub unaccounted_reason: Option<String>,
    /// Its deadlines.
    pub clocks: Vec<ClockView>,
    /// How far it has reached.
    pub reach: ReachView,
    /// Whom, and what is booked of them.
    pub customers: Vec<CustomerView>,
    /// What every quality record tells.
    #[serde(flatten)]
    pub told: Told,
    /// Ties to other subjects.
    pub links: Vec<LinkView>,
}

/// A line of the trace.
#[derive(Debug, Clone, Serialize)]
pub struct TraceLine {
    /// On which order.
    pub order: String,
    /// On which of its lines.
    pub line: String,
    /// Whom it was for.
    pub customer: CustomerName,
    /// The material.
    pub material: String,
    /// The batch.
    pub batch: String,
    /// A decimal.
    pub quantity: String,
    /// Of `quantity`.
    pub unit: String,
    /// When we found it.
    pub found_at: Timestamp,
}

/// The trace as frozen at the decision, and what came after it.
#[derive(Debug, Clone, Serialize)]
pub struct TraceView {
    /// Orders as frozen.
    pub orders: usize,
    /// Customers as frozen.
    pub customers: usize,
    /// As frozen.
    pub lines: Vec<TraceLine>,
    /// Hits on orders that came, or changed, later.
    pub later: Vec<TraceLine>,
}

fn row_of(db: &mut Db, row: Recall) -> Result<RecallRow> {
    Ok(RecallRow {
        raised_by: people::store::person(db, &row.raised_by)?.named(),
        number: row.number,
        title: row.title,
        class: row.class,
        role: row.role,
        origin: row.origin,
        drill: row.drill,
        state: row.state,
        decided_at: row.decided_at,
        raised_at: row.raised_at,
        closed_at: row.closed_at,
    })
}

/// A recall with all that belongs to it but its trace.
///
/// # Errors
/// 404.
pub fn one(db: &mut Db, number: &str, now: Timestamp) -> Result<RecallView> {
    let state = store::require(db, number)?;
    let names = names(db, &state)?;
    let reach = state.reach();
    Ok(RecallView {
        class_rationale: state.recall.class_rationale.clone(),
        reason: state.recall.reason.clone(),
        batches: state
            .batches
            .iter()
            .map(|one| BatchView { material: one.material.clone(), batch: one.batch.clone() })
            .collect(),
        unaccounted_reason: filled(&state.recall.unaccounted_reason),
        clocks: clock_views(&state, now),
        reach: ReachView {
            orders: reach.orders,
            customers: reach.customers,
            notified: reach.notified,
            acknowledged: reach.acknowledged,
            traced: reach.traced.to_string(),
            returned: reach.returned.to_string(),
            percent: reach.percent(),
            units: reach.units,
        },
        customers: customer_views(&state, &names),
        told: told(db, &KIND, &state.snapshot()?)?,
        links: links::of(db, &subject(number).to_string())?,
        row: row_of(db, state.recall)?,
    })
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn clock_views(state: &RecallState, now: Timestamp) -> Vec<ClockView> {
    let view = |clock: &super::record::Clock| {
        let rule = deadlines::by_id(&clock.name)?;
        Some(ClockView {
            name: clock.name.clone(),
            step: StepName { zh: &rule.step_zh, en: &rule.step_en },
            basis: rule.source.basis,
            limit: rule.limit,
            unit: rule.unit,
            due_at: clock.due_at,
            next_due_at: clocks::next_due(clock, &state.recall, now).filter(|_| rule.repeats),
            met_at: clocks::met_at(clock, &state.customers),
            clause: clock.clause.clone(),
            edition: &rule.source.edition,
            confidence: rule.source.confidence,
        })
    };
    let mut clocks: Vec<ClockView> = state.clocks.iter().filter_map(view).collect();
    clocks.sort_by_key(|clock| (clock.due_at.is_none(), clock.due_at, clock.name.clone()));
    clocks
}

fn customer_views(state: &RecallState, names: &HashMap<String, String>) -> Vec<CustomerView> {
    let view = |row: &super::record::Customer| CustomerView {
        customer: named(&row.customer_code, names),
        traced: state.traced_to(&row.customer_code).to_string(),
        notified_at: row.notified_at,
        acknowledged_at: row.acknowledged_at,
        returned: filled(&row.returned),
        note: filled(&row.note),
    };
    state.customers.iter().map(view).collect()
}

fn named(code: &str, names: &HashMap<String, String>) -> CustomerName {
    CustomerName { code: code.to_owned(), name: names.get(code).cloned() }
}

/// The names of the trace's customers, from its orders, under their codes.
fn names(db: &mut Db, state: &RecallState) -> Result<HashMap<String, String>> {
    let mut numbers: Vec<&str> = state.lines.iter().map(|line| line.order_number.as_str()).collect();
    numbers.dedup();
    let mut names = HashMap::new();
    for numbers in numbers.chunks(AT_ONCE) {
        let sealed: Vec<(String, String)> = sales_order::table
            .filter(sales_order::number.eq_any(numbers))
            .order((sales_order::recorded_at, sales_order::number))
            .select((sales_order::customer_code, sales_order::customer_sealed))
            .load(db)?;
        let commitments: Vec<String> = sealed.iter().map(|(_, commitment)| commitment.clone()).collect();
        let plain = unsealed_many(db, &commitments)?;
        let known = sealed.into_iter().filter_map(|(code, hex)| Some((code, plain.get(&hex)?.clone())));
        names.extend(known);
    }
    Ok(names)
}

/// The trace as frozen, later hits apart.
///
/// # Errors
/// 404.
pub fn trace(db: &mut Db, number: &str) -> Result<TraceView> {
    let state = store::require(db, number)?;
    let names = names(db, &state)?;
    let view = |line: &Line| TraceLine {
        order: line.order_number.clone(),
        line: line.line.clone(),
        customer: named(&line.customer_code, &names),
        material: line.material.clone(),
        batch: line.batch.clone(),
        quantity: line.quantity.clone(),
        unit: line.unit.clone(),
        found_at: line.found_at,
    };
    let (frozen, later): (Vec<&Line>, Vec<&Line>) =
        state.lines.iter().partition(|line| state.is_frozen(line));
    let distinct = |of: fn(&Line) -> &str| {
        let mut all: Vec<&str> = frozen.iter().map(|line| of(line)).collect();
        all.sort_unstable();
        all.dedup();
        all.len()
    };
    Ok(TraceView {
        orders: distinct(|line| &line.order_number),
        customers: distinct(|line| &line.customer_code),
        lines: frozen.iter().map(|line| view(line)).collect(),
        later: later.into_iter().map(view).collect(),
    })
}

/// Which recalls are asked for.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// In this state.
    pub state: Option<String>,
    /// With this batch.
    pub batch: Option<String>,
    /// With this in number or title.
    pub q: Option<String>,
}

/// The newest first, at most `most`, after the one registered at that instant under that number.
///
/// # Errors
/// The database does not answer.
pub fn list(
    db: &mut Db,
    filter: &Filter,
    after: Option<&(i64, String)>,
    most: i64,
) -> Result<Vec<RecallRow>> {
    let mut query = recall::table.into_boxed::<MultiBackend>();
    if let Some(state) = &filter.state {
        query = query.filter(recall::state.eq(state));
    }
    if let Some(batch) = &filter.batch {
        let with = recall_batch::table.filter(recall_batch::batch.eq(batch)).select(recall_batch::recall);
        query = query.filter(recall::number.eq_any(with));
    }
    if let Some(q) = &filter.q {
        let pattern = format!("%{}%", escaped(q));
        let found = recall::number.like(pattern.clone()).escape('\\');
        query = query.filter(found.or(recall::title.like(pattern).escape('\\')));
    }
    if let Some((at, number)) = after {
        let at = Timestamp(*at);
        let earlier = recall::raised_at.lt(at);
        query = query.filter(earlier.or(recall::raised_at.eq(at).and(recall::number.lt(number))));
    }
    let order = (recall::raised_at.desc(), recall::number.desc());
    let rows: Vec<Recall> = query.order(order).limit(most).load(db)?;
    rows.into_iter().map(|row| row_of(db, row)).collect()
}

/// A recall's title and the instant it was decided, for links; none of this number.
///
/// # Errors
/// The database does not answer.
pub fn head(db: &mut Db, number: &str) -> Result<Option<(String, Timestamp)>> {
    let row = recall::table.find(number).select((recall::title, recall::decided_at));
    Ok(row.first(db).optional()?)
}

/// How many there are in each state, in the order of states.
///
/// # Errors
/// The database does not answer.
pub fn counts(db: &mut Db) -> Result<Vec<(&'static str, i64)>> {
    let count = |state: &&'static str| {
        Ok((*state, recall::table.filter(recall::state.eq(*state)).count().get_result(db)?))
    };
    KIND.states.iter().map(count).collect()
}
