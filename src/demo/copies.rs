//! Numbered copies of the demo, from `copies.csv`: issued and printed, called back when their version was superseded,
//! and what became of them; one has not come back yet.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::people;
use super::script::{Calendar, Step};
use crate::copies::issue::{self, NewCopy};
use crate::copies::record::{Copy, Outcome};
use crate::error::{Error, Result};
use crate::ledger::lane::Tx;

/// A row of the file, its days counted back from today; copies of a document are numbered in the order of the file.
#[derive(Debug, Clone, Deserialize)]
struct Plan {
    document: String,
    version: String,
    lang: String,
    holder: String,
    place: String,
    issued: u64,
    /// The day on which the next version began.
    called: Option<u64>,
    settled: Option<u64>,
    outcome: String,
    note: String,
}

/// All steps about copies.
///
/// # Errors
/// The file that is part of the program is broken.
pub fn steps(calendar: Calendar) -> Result<Vec<Step>> {
    let plans: Vec<Plan> = super::rows(include_str!("copies.csv"))?;
    let mut steps = Vec::new();
    for (at, plan) in plans.iter().enumerate() {
        let n = 1 + plans[..at].iter().filter(|before| before.document == plan.document).count();
        let mark = |what: &str| format!("copy {}/{n} {what}", plan.document);
        let issued = plan.clone();
        steps.push(Step::new(calendar.at(plan.issued, 16 * 60 + 10), mark("issued"), move |tx| {
            issue(tx, &issued)
        }));
        if let Some(day) = plan.settled {
            let (plan, n) = (plan.clone(), n.to_string());
            steps.push(Step::new(calendar.at(day, 16 * 60 + 40), mark("settled"), move |tx| {
                settle(tx, &plan, &n)
            }));
        }
    }
    // The clock looks for all copies at once, a little after the instant of effect.
    let days: BTreeSet<u64> = plans.iter().filter_map(|plan| plan.called).collect();
    steps.extend(days.into_iter().map(|day| {
        let noticed = calendar.midnight(calendar.date(day)).plus_seconds(150);
        Step::new(noticed, format!("copies called back {day}"), |tx| issue::call_back(tx).map(drop))
    }));
    Ok(steps)
}

/// QA issues a copy and puts it on paper.
fn issue(tx: &mut Tx<'_>, plan: &Plan) -> Result<()> {
    let qa = people::actor(tx, "qa")?;
    let new = NewCopy {
        version: Some(plan.version.clone()),
        lang: plan.lang.clone(),
        holder: plan.holder.clone(),
        place: plan.place.clone(),
    };
    let Copy { document, n, .. } = issue::issue(tx, &qa, &plan.document, &new)?;
    issue::note_copy_print(tx, &qa, (&document, &n.to_string())).map(drop)
}

fn settle(tx: &mut Tx<'_>, plan: &Plan, n: &str) -> Result<()> {
    let qa = people::actor(tx, "qa")?;
    let outcome: Outcome =
        plan.outcome.parse().map_err(|()| Error::internal(format!("{} is no outcome", plan.outcome)))?;
    issue::settle(tx, &qa, (&plan.document, n), (outcome, &plan.note)).map(drop)
}
