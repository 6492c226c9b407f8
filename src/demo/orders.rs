//! The orders of the demo: 120 over two years, as an ERP would tell them, state after state.

use serde::Deserialize;

use super::people;
use super::script::{Calendar, Step};
use super::sentences::sentences;
use crate::error::Result;
use crate::ledger::lane::Tx;
use crate::orders::record::{EventKind, Line, Storage, Wanted, WantedEvent};
use crate::orders::store;
use crate::time::Timestamp;

/// How many.
const COUNT: u64 = 120;
/// Days between today and the first order.
const OLDEST: u64 = 688;

#[derive(Debug, Clone, Deserialize)]
struct Customer {
    code: String,
    name: String,
    ship_to: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Material {
    material: String,
    name: String,
    approval_number: String,
    maker: String,
    unit: String,
    storage: String,
    shelf_months: u32,
    pack: u64,
}

/// What becomes of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Delivered,
    Changed,
    Cancelled,
    Returned,
}

impl Fate {
    fn of(n: u64) -> Self {
        match n % 23 {
            5 | 16 => Self::Changed,
            9 => Self::Cancelled,
            12 | 20 => Self::Returned,
            _ => Self::Delivered,
        }
    }
}

/// An order of the script: its states, each with the instant at which the ERP told it.
#[derive(Debug, Clone)]
pub struct Told {
    /// The ERP's number.
    pub number: String,
    /// The day it was shipped, before today; an order of the last days may not have been.
    pub shipped: u64,
    states: Vec<(Timestamp, Wanted)>,
}

impl Told {
    /// Material and batch of the first line that is kept cold, else of the first.
    pub fn batch(&self) -> (String, String) {
        let lines = self.states.first().map(|(_, wanted)| wanted.lines.as_slice()).unwrap_or_default();
        let line = lines.iter().find(|line| line.storage == Storage::Cold.code()).or(lines.first());
        line.map_or_else(Default::default, |line| {
            (line.material.clone(), line.batch.clone().unwrap_or_default())
        })
    }

    /// One step a state.
    pub fn steps(&self) -> Vec<Step> {
        let step = |(n, (at, wanted)): (usize, &(Timestamp, Wanted))| {
            let wanted = wanted.clone();
            Step::new(*at, format!("order {} {n}", self.number), move |tx| put(tx, &wanted))
        };
        self.states.iter().enumerate().map(step).collect()
    }

    /// A copy under another number, ordered and told at an instant: the order that meets a recall.
    pub fn again(&self, number: &str, at: Timestamp) -> Wanted {
        let mut wanted = self.states.first().map_or_else(blank, |(_, wanted)| wanted.clone());
        number.clone_into(&mut wanted.number);
        wanted.lines.iter_mut().for_each(|line| number.clone_into(&mut line.order_number));
        wanted.events = vec![event(EventKind::Ordered, at.plus_seconds(-3600), "cs")];
        wanted
    }
}

fn blank() -> Wanted {
    Wanted {
        number: String::new(),
        customer_code: String::new(),
        customer_name: String::new(),
        ship_to: None,
        lines: Vec::new(),
        events: Vec::new(),
    }
}

/// The ERP tells an order.
pub fn put(tx: &mut Tx<'_>, wanted: &Wanted) -> Result<()> {
    let erp = people::actor(tx, "erp")?;
    store::put(tx, wanted, &erp, None).map(drop)
}

/// All orders, the oldest first.
///
/// # Errors
/// A file that is part of the program is broken.
pub fn all(calendar: Calendar) -> Result<Vec<Told>> {
    let customers: Vec<Customer> = super::rows(include_str!("customers.csv"))?;
    let materials: Vec<Material> = super::rows(include_str!("materials.csv"))?;
    Ok((0..COUNT).map(|n| told(calendar, n, (&customers, &materials))).collect())
}

fn told(calendar: Calendar, n: u64, (customers, materials): (&[Customer], &[Material])) -> Told {
    let day = OLDEST - n * (OLDEST - 2) / (COUNT - 1);
    let customer = &customers[index(n * 7 + n / 13, customers.len())];
    let number = (80_010_001 + n * 3).to_string();
    let lines = lines(calendar, (n, day, &number), materials);
    let wanted = Wanted {
        number: number.clone(),
        customer_code: customer.code.clone(),
        customer_name: customer.name.clone(),
        ship_to: Some(customer.ship_to.clone()),
        lines,
        events: Vec::new(),
    };
    let shipped = day.saturating_sub(1);
    Told { states: states(calendar, (n, day), wanted), number, shipped }
}

fn index(n: u64, len: usize) -> usize {
    usize::try_from(n).unwrap_or(0) % len
}

fn lines(calendar: Calendar, (n, day, number): (u64, u64, &str), materials: &[Material]) -> Vec<Line> {
    let count = 1 + n % 4;
    (0..count)
        .map(|k| {
            // Steps of three through ten materials: no material twice on an order.
            let material = &materials[index(n + k * 3, materials.len())];
            let made = calendar.date((day / 91 + 1) * 91 + 40);
            let expiry = made.checked_add_months(chrono::Months::new(material.shelf_months)).unwrap_or(made);
            Line {
                order_number: number.to_owned(),
                line: ((k + 1) * 10).to_string(),
                material: material.material.clone(),
                name: material.name.clone(),
                approval_number: Some(material.approval_number.clone()),
                batch: Some(format!("{}{}", material.maker, made.format("%y%m%d"))),
                expiry: Some(expiry.format("%Y-%m-%d").to_string()),
                quantity: (material.pack * (1 + (n * 5 + k * 3) % 9)).to_string(),
                unit: material.unit.clone(),
                storage: material.storage.clone(),
            }
        })
        .collect()
}

fn event(kind: EventKind, at: Timestamp, by: &str) -> WantedEvent {
    WantedEvent { kind, at, by: Some(by.to_owned()) }
}

/// The states of an order as the ERP tells them on the evenings of its days; what would not be in the past is left out.
fn states(calendar: Calendar, (n, day): (u64, u64), mut wanted: Wanted) -> Vec<(Timestamp, Wanted)> {
    let minute = u32::try_from(n % 50).unwrap_or(0);
    let evening = |days: u64| calendar.at(days, 18 * 60 + minute);
    let mut told = Vec::new();
    wanted.events.push(event(EventKind::Ordered, calendar.at(day, 9 * 60 + minute), "cs"));
    let fate = Fate::of(n);
    if fate == Fate::Cancelled {
        wanted.events.push(event(EventKind::Cancelled, calendar.at(day, 14 * 60 + minute), "cs"));
        return vec![(evening(day), wanted)];
    }
    if fate == Fate::Changed {
        told.push((calendar.at(day, 10 * 60 + minute), wanted.clone()));
        wanted.events.push(event(EventKind::Changed, calendar.at(day, 11 * 60 + minute), "cs"));
        if let Some(line) = wanted.lines.first_mut() {
            line.quantity.push('0');
        }
    }
    wanted.events.push(event(EventKind::Released, calendar.at(day, 15 * 60 + minute), "cs"));
    told.push((evening(day), wanted.clone()));
    if day >= 3 {
        wanted.events.push(event(
            EventKind::Shipped,
            calendar.at(day - 1, 8 * 60 + minute),
            &sentences().warehouse,
        ));
        wanted.events.push(event(
            EventKind::Delivered,
            calendar.at(day - 2, 13 * 60 + minute),
            &sentences().carrier,
        ));
        told.push((evening(day - 2), wanted.clone()));
    }
    if day >= 12 && fate == Fate::Returned {
        wanted.events.push(event(EventKind::Returned, calendar.at(day - 9, 10 * 60 + minute), "cs"));
        told.push((evening(day - 9), wanted));
    }
    told
}
