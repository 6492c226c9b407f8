//! The script: what happened when, told in days before today. It knows no randomness and no clock.

use std::sync::Arc;

use chrono::{Days, NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Tz;

use super::{DAY, copies, library, orders, people, records};
use crate::error::{Error, Result};
use crate::ledger::lane::Tx;
use crate::time::Timestamp;

/// The first day of the script, in days before today: 24 months.
pub const FIRST: u64 = 730;

/// What a step does; may run more than once.
pub type Change = Arc<dyn Fn(&mut Tx<'_>) -> Result<()> + Send + Sync>;

/// One thing that happened.
#[derive(Clone)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// Its mark, unique in the script and the same whenever it is written for the same day.
    pub mark: String,
    /// What.
    pub change: Change,
    /// It asks the ledger for entries and must not share a transaction with the steps before it.
    pub alone: bool,
}

impl Step {
    /// A step of the script.
    pub fn new(
        at: Timestamp,
        mark: impl Into<String>,
        change: impl Fn(&mut Tx<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self { at, mark: mark.into(), change: Arc::new(change), alone: false }
    }

    /// The same, in a transaction begun for it.
    pub fn alone(self) -> Self {
        Self { alone: true, ..self }
    }
}

/// Days and times of day of the site, counted back from today.
#[derive(Debug, Clone, Copy)]
pub struct Calendar {
    /// The site's date for which the script is written.
    pub today: NaiveDate,
    /// The site's zone.
    pub zone: Tz,
}

impl Calendar {
    /// A date before today.
    pub fn date(&self, before: u64) -> NaiveDate {
        self.today.checked_sub_days(Days::new(before)).unwrap_or(self.today)
    }

    /// An instant that many days before today, that many minutes after midnight.
    pub fn at(&self, before: u64, minute: u32) -> Timestamp {
        let time = NaiveTime::from_hms_opt(minute / 60 % 24, minute % 60, 0).unwrap_or_default();
        let local = self.zone.from_local_datetime(&self.date(before).and_time(time)).earliest();
        Timestamp(local.map_or(0, |at| at.timestamp_micros()))
    }

    /// The first instant of a date, as documents ask for it.
    pub fn midnight(&self, date: NaiveDate) -> Timestamp {
        let local = self.zone.from_local_datetime(&date.and_time(NaiveTime::MIN)).earliest();
        Timestamp(local.map_or(0, |at| at.timestamp_micros()))
    }

    /// Where the script's clock begins: 08:30 on its first day.
    pub fn beginning(&self) -> Timestamp {
        self.at(FIRST, 8 * 60 + 30)
    }
}

/// The steps in the order of their instants; all lie before today.
///
/// # Errors
/// A file that is part of the program is broken, or a password cannot be hashed.
pub fn write(calendar: Calendar, password: &str) -> Result<Vec<Step>> {
    let day = Step::new(calendar.beginning(), format!("{DAY}{}", calendar.today), |_| Ok(()));
    let accounts = people::accounts(password, calendar.at(0, 0).plus_months(24))?;
    let staff = Step::new(calendar.at(FIRST, 8 * 60 + 40), "people", move |tx| people::make(tx, &accounts));
    let orders = orders::all(calendar)?;
    let mut steps = vec![day, staff];
    steps.extend(library::steps(calendar)?);
    steps.extend(orders.iter().flat_map(orders::Told::steps));
    steps.extend(records::steps(calendar, &orders)?);
    steps.extend(copies::steps(calendar)?);
    // Stable: what has the same instant stays in the order in which it was told.
    steps.sort_by_key(|step| step.at);
    match steps.last() {
        Some(last) if last.at >= calendar.at(0, 0) => {
            Err(Error::internal(format!("step {} is not in the past", last.mark)))
        }
        _ => Ok(steps),
    }
}
