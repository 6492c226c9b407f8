//! Deviations, recalls and links of the demo, from `records.toml`, each step by the person whose part it is.

use std::collections::BTreeMap;

use chrono::Datelike as _;
use serde::Deserialize;

use super::orders::{self, Told};
use super::people;
use super::script::{Calendar, Step};
use super::sentences::sentences;
use crate::app::RESOLVERS;
use crate::deviations::draft::{Draft, checked};
use crate::deviations::record::Batch;
use crate::deviations::store as deviations;
use crate::error::{Error, Result};
use crate::ledger::lane::Tx;
use crate::links::record::Relation;
use crate::links::store::{self as links, NewLink};
use crate::orders::store::{self as order_store, Release};
use crate::recalls::intake::{BatchDraft, Draft as RecallDraft, registration};
use crate::recalls::reach::Booking;
use crate::recalls::store::{self as recalls, Filling};
use crate::records::transitions;
use crate::time::Timestamp;

/// The number of the order that comes after the recall and is held.
const HELD: &str = "80099001";
/// The batch that the ERP puts in the recalled one's place on it.
const INSTEAD: &str = "EX000001";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    deviation: Vec<DeviationPlan>,
    recall: Vec<RecallPlan>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviationPlan {
    order: usize,
    #[serde(default)]
    later: u64,
    class: String,
    area: String,
    by: String,
    title: String,
    description: String,
    immediate_action: String,
    class_rationale: Option<String>,
    impact: Option<String>,
    investigation: Option<String>,
    root_cause: Option<String>,
    capa: Option<String>,
    no_capa_reason: Option<String>,
    effectiveness_result: Option<String>,
    until: String,
    links: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecallPlan {
    order: usize,
    opened: u64,
    drill: bool,
    class: String,
    role: String,
    origin: String,
    title: String,
    class_rationale: String,
    reason: String,
    unaccounted_reason: String,
    until: String,
    links: Vec<String>,
}

/// All steps about deviations, recalls and their links.
///
/// # Errors
/// The file that is part of the program is broken.
pub fn steps(calendar: Calendar, told: &[Told]) -> Result<Vec<Step>> {
    let file: File = toml::from_str(include_str!("records.toml")).map_err(Error::internal)?;
    let order =
        |at: usize| told.get(at).ok_or_else(|| Error::internal(format!("the script has no order {at}")));
    let mut numbers = Numbers { calendar, given: BTreeMap::new() };
    let mut steps = Vec::new();
    for plan in &file.deviation {
        let order = order(plan.order)?;
        let day = order.shipped.saturating_sub(1 + plan.later);
        let number = numbers.next("DEV", day);
        steps.extend(deviation(calendar, plan, (&number, day, order)));
    }
    for plan in &file.recall {
        let number = numbers.next("RCL", plan.opened);
        steps.extend(recall(calendar, plan, (&number, order(plan.order)?)));
    }
    Ok(steps)
}

/// The numbers that the records will be given, which are counted within a year; the file is in the order of time.
struct Numbers {
    calendar: Calendar,
    given: BTreeMap<String, u32>,
}

impl Numbers {
    fn next(&mut self, prefix: &str, day: u64) -> String {
        let stem = format!("{prefix}-{:04}-", self.calendar.date(day).year());
        let count = self.given.entry(stem.clone()).or_default();
        *count += 1;
        format!("{stem}{count:04}")
    }
}

fn as_told(given: &str, expected: &str) -> Result<()> {
    if given == expected { Ok(()) } else { Err(Error::internal(format!("{given} was to be {expected}"))) }
}

/// The states of a deviation after the first, with the days after its registration and the fields filled on the way.
type Stage = (&'static str, u64, &'static [&'static str]);
const STAGES: [Stage; 4] = [
    ("investigating", 2, &["class_rationale", "impact"]),
    ("actions", 8, &["investigation", "root_cause"]),
    ("effectiveness", 16, &["capa", "no_capa_reason"]),
    ("closed", 75, &["effectiveness_result"]),
];

impl DeviationPlan {
    fn text(&self, field: &str) -> Option<&String> {
        match field {
            "class_rationale" => self.class_rationale.as_ref(),
            "impact" => self.impact.as_ref(),
            "investigation" => self.investigation.as_ref(),
            "root_cause" => self.root_cause.as_ref(),
            "capa" => self.capa.as_ref(),
            "no_capa_reason" => self.no_capa_reason.as_ref(),
            "effectiveness_result" => self.effectiveness_result.as_ref(),
            _ => None,
        }
    }
}

fn deviation(
    calendar: Calendar,
    plan: &DeviationPlan,
    (number, day, order): (&str, u64, &Told),
) -> Vec<Step> {
    let mark = |what: &str| format!("{number} {what}");
    let raising = (plan.clone(), number.to_owned(), order.clone());
    let raised = Step::new(calendar.at(day, 16 * 60 + 40), mark("raised"), move |tx| {
        raise(tx, calendar, (&raising.0, &raising.1, day), &raising.2)
    });
    let mut steps =
        vec![raised, linked(calendar.at(day - 1, 9 * 60 + 10), (number, "deviation"), (&plan.links, order))];
    let last = STAGES.iter().position(|(state, ..)| *state == plan.until).map_or(0, |at| at + 1);
    for (to, after, fields) in &STAGES[..last] {
        let texts: Vec<(&'static str, String)> =
            fields.iter().filter_map(|field| Some((*field, plan.text(field)?.clone()))).collect();
        let (number, day) = (number.to_owned(), day.saturating_sub(*after).max(1));
        let filled = number.clone();
        let filling = move |tx: &mut Tx<'_>| fill(tx, &filled, &texts);
        steps.push(Step::new(calendar.at(day, 10 * 60 + 20), mark(&format!("filled for {to}")), filling));
        steps.push(Step::new(calendar.at(day, 11 * 60 + 5), mark(to), move |tx| advance(tx, &number, to)));
    }
    steps
}

fn raise(
    tx: &mut Tx<'_>,
    calendar: Calendar,
    (plan, number, day): (&DeviationPlan, &str, u64),
    order: &Told,
) -> Result<()> {
    let (material, batch) = order.batch();
    let draft = Draft {
        title: plan.title.clone(),
        description: plan.description.clone(),
        class: plan.class.clone(),
        area: plan.area.clone(),
        occurred_at: calendar.at(day, 13 * 60 + 30).to_string(),
        found_at: calendar.at(day, 15 * 60 + 15).to_string(),
        orders: vec![order.number.clone()],
        batches: vec![Batch { material, batch }],
        immediate_action: plan.immediate_action.clone(),
    };
    let by = people::actor(tx, &plan.by)?;
    let told = checked(&draft, tx.now(), calendar.zone)?;
    as_told(&deviations::raise(tx, &by, &told, calendar.zone)?, number)
}

fn fill(tx: &mut Tx<'_>, number: &str, texts: &[(&'static str, String)]) -> Result<()> {
    let reviewer = people::actor(tx, "reviewer")?;
    let filling = deviations::Filling::checked(texts.iter().map(|(field, text)| (*field, text.as_str())))?;
    deviations::fill(tx, &reviewer, number, &filling)
}

fn advance(tx: &mut Tx<'_>, number: &str, to: &str) -> Result<()> {
    let signer = people::signer(tx, "qa")?;
    let step = transitions::Step { to, reason: "" };
    if to == deviations::KIND.closed_state() {
        return transitions::close(tx, &deviations::KIND, &signer, (number, step, None));
    }
    transitions::move_to(tx, &deviations::KIND, &signer.actor, (number, step))
}

/// Ties a record: `relation subject`, where `@` is the order.
fn linked(at: Timestamp, (number, kind): (&str, &str), (wanted, order): (&[String], &Told)) -> Step {
    let from = format!("{kind}/{number}");
    let order = format!("order/{}", order.number);
    let ends: Vec<(String, String)> = wanted
        .iter()
        .filter_map(|link| link.split_once(' '))
        .map(|(relation, to)| (relation.to_owned(), to.replace('@', &order)))
        .collect();
    Step::new(at, format!("{number} linked"), move |tx| {
        let ra = people::actor(tx, "ra")?;
        for (relation, to) in &ends {
            let relation: Relation =
                relation.parse().map_err(|()| Error::internal(format!("{relation} is no relation")))?;
            let reason = sentences().tied.clone();
            links::create(
                tx,
                RESOLVERS,
                &ra,
                &NewLink { from: from.clone(), to: to.clone(), relation, reason },
            )?;
        }
        Ok(())
    })
}

fn recall(calendar: Calendar, plan: &RecallPlan, (number, order): (&str, &Told)) -> Vec<Step> {
    let day = plan.opened;
    // A drill is over within the day and its paper within two weeks.
    let (retrieved, reconciled, closed) = if plan.drill { (1, 12, 14) } else { (15, 22, 30) };
    let mark = |what: &str| format!("{number} {what}");
    let opening = (plan.clone(), number.to_owned(), order.batch());
    let opened = move |tx: &mut Tx<'_>| open(tx, calendar, (&opening.0, &opening.1), &opening.2);
    let to = |state: &'static str| {
        let number = number.to_owned();
        move |tx: &mut Tx<'_>| {
            let ra = people::actor(tx, "ra")?;
            transitions::move_to(
                tx,
                &recalls::KIND,
                &ra,
                (&number, transitions::Step { to: state, reason: "" }),
            )
        }
    };
    let (noticed, returned) = (number.to_owned(), (number.to_owned(), plan.clone()));
    let mut steps = vec![
        Step::new(calendar.at(day, 10 * 60), mark("opened"), opened),
        Step::new(calendar.at(day, 10 * 60 + 45), mark("notifying"), to("notifying")),
        linked(calendar.at(day - 1, 9 * 60), (number, "recall"), (&plan.links, order)),
        Step::new(calendar.at(day - 4, 16 * 60), mark("noticed"), move |tx| {
            notice(tx, &noticed, calendar.at(day, 11 * 60))
        }),
        Step::new(calendar.at(day - 4, 16 * 60 + 30), mark("retrieving"), to("retrieving")),
        Step::new(calendar.at(day - 4 - retrieved, 15 * 60), mark("returned"), move |tx| {
            take_back(tx, &returned.0, &returned.1)
        }),
        Step::new(calendar.at(day - 4 - reconciled, 9 * 60 + 30), mark("reconciling"), to("reconciling")),
    ];
    if !plan.drill {
        steps.extend(met(calendar, day, order));
    }
    if plan.until == recalls::KIND.closed_state() {
        let number = number.to_owned();
        steps.push(Step::new(calendar.at(day - 4 - closed, 14 * 60), mark("closed"), move |tx| {
            let qa = people::signer(tx, "qa")?;
            let step = transitions::Step { to: recalls::KIND.closed_state(), reason: "" };
            transitions::close(tx, &recalls::KIND, &qa, (&number, step, None))
        }));
    }
    steps
}

fn open(
    tx: &mut Tx<'_>,
    calendar: Calendar,
    (plan, number): (&RecallPlan, &str),
    batch: &(String, String),
) -> Result<()> {
    let draft = RecallDraft {
        title: plan.title.clone(),
        class: plan.class.clone(),
        class_rationale: plan.class_rationale.clone(),
        reason: plan.reason.clone(),
        role: plan.role.clone(),
        origin: plan.origin.clone(),
        drill: plan.drill,
        batches: vec![BatchDraft { material: Some(batch.0.clone()), batch: batch.1.clone() }],
        decided_at: calendar.at(plan.opened, 9 * 60 + 20).to_string(),
    };
    let ra = people::actor(tx, "ra")?;
    let told = registration(&draft, calendar.zone)?;
    as_told(&recalls::register(tx, &ra, calendar.zone, &told)?, number)
}

/// An order that comes with the recalled batch the day after: held, its batch replaced by the ERP, let go by QA.
fn met(calendar: Calendar, day: u64, order: &Told) -> Vec<Step> {
    let arrives = calendar.at(day - 1, 11 * 60);
    let first = order.again(HELD, arrives);
    let recalled = order.batch().1;
    let mut changed = first.clone();
    for line in changed.lines.iter_mut().filter(|line| line.batch.as_deref() == Some(recalled.as_str())) {
        line.batch = Some(INSTEAD.to_owned());
    }
    vec![
        Step::new(arrives, format!("order {HELD} 0"), move |tx| orders::put(tx, &first)),
        Step::new(calendar.at(day - 2, 10 * 60), format!("order {HELD} 1"), move |tx| {
            orders::put(tx, &changed)
        }),
        Step::new(calendar.at(day - 2, 11 * 60), format!("order {HELD} released"), |tx| {
            let qa = people::signer(tx, "qa")?;
            let reason = sentences().released.clone();
            let release = Release { number: HELD.to_owned(), reason, seen: None };
            order_store::release(tx, &release, &qa).map(drop)
        }),
    ]
}

/// Every customer of the trace has had the notice and confirmed it a day later.
fn notice(tx: &mut Tx<'_>, number: &str, at: Timestamp) -> Result<()> {
    let state = recalls::require(tx.read(), number)?;
    let bookings = state.customers.iter().map(|row| Booking {
        customer: row.customer_code.clone(),
        notified_at: Some(at),
        acknowledged_at: Some(at.plus_seconds(86_400)),
        ..Booking::default()
    });
    let filling = Filling { bookings: bookings.collect(), ..Filling::default() };
    let ra = people::actor(tx, "ra")?;
    recalls::fill(tx, &ra, number, &filling)
}

/// All comes back but two units of the first customer; of a drill, nothing.
fn take_back(tx: &mut Tx<'_>, number: &str, plan: &RecallPlan) -> Result<()> {
    let (state, said) = (recalls::require(tx.read(), number)?, sentences());
    let bookings = state.customers.iter().enumerate().map(|(at, row)| {
        let traced = state.traced_to(&row.customer_code).to_string();
        let fewer = |traced: &str| {
            traced.parse::<u64>().map_or_else(|_| traced.to_owned(), |all| all.saturating_sub(2).to_string())
        };
        let (returned, note) = match (plan.drill, at) {
            (true, _) => ("0".to_owned(), &said.drill),
            (false, 0) => (fewer(&traced), &said.used),
            (false, _) => (traced, &said.returned),
        };
        Booking {
            customer: row.customer_code.clone(),
            returned: Some(returned),
            note: Some(note.clone()),
            ..Booking::default()
        }
    });
    let bookings = bookings.collect();
    let filling =
        Filling { unaccounted_reason: Some(plan.unaccounted_reason.clone()), bookings, ..Filling::default() };
    let ra = people::actor(tx, "ra")?;
    recalls::fill(tx, &ra, number, &filling)
}
