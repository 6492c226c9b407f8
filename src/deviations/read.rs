//! Deviations for reading: one with all that belongs to it, and lists by filters.

use chrono_tz::Tz;
use diesel::prelude::*;
use serde::Serialize;

use super::record::{self, Batch, Class, Deviation, DeviationState, STATES, subject};
use super::{draft, store};
use crate::error::Result;
use crate::links::read::{self as links, LinkView};
use crate::people;
use crate::people::store::Named;
use crate::records::source::{Basis, Confidence};
use crate::records::told::{Told, told};
use crate::store::schema::{deviation, deviation_batch, deviation_order};
use crate::store::{Db, MultiBackend, escaped};
use crate::time::Timestamp;
use crate::web::form::Typed;
use crate::web::input::{self, Faults};

/// A deviation in a list.
#[derive(Debug, Clone, Serialize)]
pub struct DeviationRow {
    /// `DEV-2026-0001`.
    pub number: String,
    /// In one line.
    pub title: String,
    /// Code.
    pub class: String,
    /// Code.
    pub area: String,
    /// Code.
    pub state: String,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When it was found.
    pub found_at: Timestamp,
    /// To be closed by then.
    pub due_at: Option<Timestamp>,
    /// When it was registered.
    pub raised_at: Timestamp,
    /// By whom, as login.
    pub raised_by: Named,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
}

/// Why it falls due when it does.
#[derive(Debug, Clone, Serialize)]
pub struct DueView {
    /// The row of the table of deadlines.
    pub rule: &'static str,
    /// Law and article, or the company's policy.
    pub clause: &'static str,
    /// The edition.
    pub edition: &'static str,
    /// Whose number it is.
    pub basis: Basis,
    /// How sure the row is.
    pub confidence: Confidence,
}

/// A deviation with all that belongs to it.
#[derive(Debug, Clone, Serialize)]
pub struct DeviationView {
    /// What a list shows of it.
    #[serde(flatten)]
    pub row: DeviationRow,
    /// What happened.
    pub description: String,
    /// Orders it touches.
    pub orders: Vec<String>,
    /// Batches it touches.
    pub batches: Vec<Batch>,
    /// What is filled in; none while empty.
    #[serde(flatten)]
    pub findings: Findings,
    /// Why it falls due when it does.
    pub due: Option<DueView>,
    /// What every quality record tells.
    #[serde(flatten)]
    pub told: Told,
    /// Ties to other subjects.
    pub links: Vec<LinkView>,
}

/// The texts filled in after registration.
#[derive(Debug, Clone, Serialize)]
pub struct Findings {
    /// What was done at once.
    pub immediate_action: Option<String>,
    /// Why this class.
    pub class_rationale: Option<String>,
    /// What it means.
    pub impact: Option<String>,
    /// What was looked into.
    pub investigation: Option<String>,
    /// Why it happened.
    pub root_cause: Option<String>,
    /// What is done against it.
    pub capa: Option<String>,
    /// Or why nothing is.
    pub no_capa_reason: Option<String>,
    /// Whether that worked.
    pub effectiveness_result: Option<String>,
}

/// Title and instant of the event; none of this number.
///
/// # Errors
/// The database does not answer.
pub fn head(db: &mut Db, number: &str) -> Result<Option<(String, Timestamp)>> {
    let head = deviation::table.find(number).select((deviation::title, deviation::occurred_at));
    Ok(head.first(db).optional()?)
}

fn row_of(db: &mut Db, row: &Deviation) -> Result<DeviationRow> {
    Ok(DeviationRow {
        number: row.number.clone(),
        title: row.title.clone(),
        class: row.class.clone(),
        area: row.area.clone(),
        state: row.state.clone(),
        occurred_at: row.occurred_at,
        found_at: row.found_at,
        due_at: row.due_at,
        raised_at: row.raised_at,
        raised_by: people::store::person(db, &row.raised_by)?.named(),
        closed_at: row.closed_at,
    })
}

/// A deviation with all that belongs to it.
///
/// # Errors
/// 404.
pub fn one(db: &mut Db, number: &str, zone: Tz) -> Result<DeviationView> {
    let state = store::require(db, number)?;
    let told = told(db, &store::KIND, &state.snapshot())?;
    let DeviationState { deviation, orders, batches, .. } = state;
    let due = record::deadline(&deviation.class, deviation.found_at, zone).map(|rule| DueView {
        rule: &rule.id,
        clause: &rule.source.clause,
        edition: &rule.source.edition,
        basis: rule.source.basis,
        confidence: rule.source.confidence,
    });
    Ok(DeviationView {
        row: row_of(db, &deviation)?,
        orders,
        batches,
        due,
        told,
        links: links::of(db, &subject(number).to_string())?,
        findings: findings(&deviation),
        description: deviation.description,
    })
}

fn findings(row: &Deviation) -> Findings {
    let text = |field| row.text(field).filter(|text| !text.is_empty()).map(str::to_owned);
    Findings {
        immediate_action: text("immediate_action"),
        class_rationale: text("class_rationale"),
        impact: text("impact"),
        investigation: text("investigation"),
        root_cause: text("root_cause"),
        capa: text("capa"),
        no_capa_reason: text("no_capa_reason"),
        effectiveness_result: text("effectiveness_result"),
    }
}

/// Which deviations a list shows; empty texts do not filter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Part of number, title or description.
    pub q: String,
    /// Class.
    pub class: String,
    /// State; `open` for all but the closed.
    pub state: String,
    /// Area.
    pub area: String,
    /// Batch.
    pub batch: String,
    /// Order.
    pub order: String,
}

impl Filter {
    /// Refuses a code no deviation can have.
    ///
    /// # Errors
    /// 422 at each such field.
    pub fn check(&self) -> Result<()> {
        let mut faults = Faults::new();
        if !self.class.is_empty() {
            faults.take(input::code::<Class>("class", &self.class));
        }
        if !self.area.is_empty() {
            faults.take(draft::area("area", &self.area));
        }
        if !matches!(self.state.as_str(), "" | "open") && !STATES.contains(&self.state.as_str()) {
            faults.note("state", "unknown-code");
        }
        faults.check()
    }

    /// As a form shows it.
    pub fn typed(&self) -> Typed {
        Typed::from_pairs([
            ("q", self.q.as_str()),
            ("class", &self.class),
            ("state", &self.state),
            ("area", &self.area),
            ("batch", &self.batch),
            ("order", &self.order),
        ])
    }
}

/// What a page of a list goes on behind: when it was raised, and its number.
pub type Place = (i64, String);

diesel::define_sql_function! {
    /// A text in lower case, as far as the engine knows letters.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

type Rows<'a> = deviation::BoxedQuery<'a, MultiBackend>;

fn chosen(filter: &Filter) -> Rows<'_> {
    let mut rows = deviation::table.into_boxed::<MultiBackend>();
    if !filter.q.is_empty() {
        let part = format!("%{}%", escaped(&filter.q.to_lowercase()));
        rows = rows.filter(
            lower(deviation::number)
                .like(part.clone())
                .escape('\\')
                .or(lower(deviation::title).like(part.clone()).escape('\\'))
                .or(lower(deviation::description).like(part).escape('\\')),
        );
    }
    if !filter.class.is_empty() {
        rows = rows.filter(deviation::class.eq(&filter.class));
    }
    match filter.state.as_str() {
        "" => {}
        "open" => rows = rows.filter(deviation::closed_at.is_null()),
        state => rows = rows.filter(deviation::state.eq(state)),
    }
    if !filter.area.is_empty() {
        rows = rows.filter(deviation::area.eq(&filter.area));
    }
    if !filter.batch.is_empty() {
        let of = deviation_batch::table.filter(deviation_batch::batch.eq(&filter.batch));
        rows = rows.filter(deviation::number.eq_any(of.select(deviation_batch::deviation)));
    }
    if !filter.order.is_empty() {
        let of = deviation_order::table.filter(deviation_order::order_number.eq(&filter.order));
        rows = rows.filter(deviation::number.eq_any(of.select(deviation_order::deviation)));
    }
    rows
}

/// Up to `limit` deviations behind `after`, the newest first.
///
/// # Errors
/// The database does not answer.
pub fn list(db: &mut Db, filter: &Filter, after: Option<&Place>, limit: i64) -> Result<Vec<DeviationRow>> {
    let mut rows = chosen(filter);
    if let Some((raised, number)) = after {
        let (at, same) = (Timestamp(*raised), deviation::raised_at.eq(Timestamp(*raised)));
        rows = rows.filter(deviation::raised_at.lt(at).or(same.and(deviation::number.lt(number))));
    }
    let rows: Vec<Deviation> =
        rows.order((deviation::raised_at.desc(), deviation::number.desc())).limit(limit).load(db)?;
    rows.iter().map(|row| row_of(db, row)).collect()
}

/// How many deviations a filter leaves.
///
/// # Errors
/// The database does not answer.
pub fn count(db: &mut Db, filter: &Filter) -> Result<i64> {
    Ok(chosen(filter).count().get_result(db)?)
}
