//! How far a recall has reached, and what may be booked of its customers: the arithmetic of notices, confirmations and
//! what came back. Pure.

use super::quantity::Quantity;
use super::record::{Customer, Line, RecallState};
use crate::error::{Error, Result};
use crate::time::Timestamp;

/// What is to be booked for a customer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Booking {
    /// Which customer of the trace.
    pub customer: String,
    /// When the notice reached them.
    pub notified_at: Option<Timestamp>,
    /// When they confirmed it.
    pub acknowledged_at: Option<Timestamp>,
    /// How much came back, a decimal.
    pub returned: Option<String>,
    /// What else is to be said.
    pub note: Option<String>,
}

/// How far a recall has reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Orders of the trace, later hits included.
    pub orders: usize,
    /// Customers of the trace.
    pub customers: usize,
    /// Of whom notified.
    pub notified: usize,
    /// Of whom confirmed the notice.
    pub acknowledged: usize,
    /// What went out.
    pub traced: Quantity,
    /// What came back.
    pub returned: Quantity,
    /// The units in which the quantities count, each once.
    pub units: Vec<String>,
}

impl Reach {
    /// What came back of what went out, in percent.
    pub fn percent(&self) -> String {
        self.returned.percent_of(self.traced)
    }

    /// Whether all of it came back.
    pub fn is_complete(&self) -> bool {
        self.returned >= self.traced
    }
}

impl Customer {
    fn missing(&self) -> Vec<String> {
        let fields = [
            ("notified_at", self.notified_at.is_some()),
            ("acknowledged_at", self.acknowledged_at.is_some()),
            ("returned", !self.returned.is_empty()),
        ];
        let gaps = fields.into_iter().filter(|(_, booked)| !booked);
        gaps.map(|(field, _)| format!("customers.{}.{field}", self.customer_code)).collect()
    }
}

impl RecallState {
    /// Whether a line belongs to the trace as frozen at the decision.
    pub fn is_frozen(&self, line: &Line) -> bool {
        line.found_at == self.recall.raised_at
    }

    /// What went out to a customer.
    pub fn traced_to(&self, customer: &str) -> Quantity {
        let lines = self.lines.iter().filter(|line| line.customer_code == customer);
        lines.filter_map(|line| Quantity::parse(&line.quantity)).sum()
    }

    /// How far it has reached.
    pub fn reach(&self) -> Reach {
        let quantities = |texts: &mut dyn Iterator<Item = &String>| -> Quantity {
            texts.filter_map(|text| Quantity::parse(text)).sum()
        };
        let distinct = |of: fn(&Line) -> &String| {
            let mut all: Vec<String> = self.lines.iter().map(|line| of(line).clone()).collect();
            all.sort_unstable();
            all.dedup();
            all
        };
        Reach {
            orders: distinct(|line| &line.order_number).len(),
            customers: self.customers.len(),
            notified: self.customers.iter().filter(|row| row.notified_at.is_some()).count(),
            acknowledged: self.customers.iter().filter(|row| row.acknowledged_at.is_some()).count(),
            traced: quantities(&mut self.lines.iter().map(|line| &line.quantity)),
            returned: quantities(&mut self.customers.iter().map(|row| &row.returned)),
            units: distinct(|line| &line.unit),
        }
    }

    /// What must still be booked before it may be closed: every customer's row, and why not all came back.
    pub fn missing(&self) -> Vec<String> {
        let mut gaps: Vec<String> = self.customers.iter().flat_map(Customer::missing).collect();
        if !self.reach().is_complete() && self.recall.unaccounted_reason.is_empty() {
            gaps.push("unaccounted_reason".to_owned());
        }
        gaps
    }

    /// The customer's row with a booking taken over.
    ///
    /// # Errors
    /// 409 at a value already booked; 422: no customer of the trace, an instant to come, a confirmation before the
    /// notice, more returned than went out.
    pub fn booked(&self, booking: &Booking, at: &str, now: Timestamp) -> Result<Customer> {
        let row = self.customers.iter().find(|row| row.customer_code == booking.customer);
        let Some(row) = row else { return Err(Error::invalid(format!("{at}.customer"), "not-in-trace")) };
        let clash = [
            ("notified_at", row.notified_at.is_some() && booking.notified_at.is_some()),
            ("acknowledged_at", row.acknowledged_at.is_some() && booking.acknowledged_at.is_some()),
            ("returned", !row.returned.is_empty() && booking.returned.is_some()),
            ("note", !row.note.is_empty() && booking.note.is_some()),
        ];
        if let Some((field, _)) = clash.into_iter().find(|(_, clash)| *clash) {
            return Err(Error::conflict("field-filled")
                .arg("field", field)
                .field(format!("{at}.{field}"), "filled"));
        }
        let mut row = row.clone();
        row.notified_at = booking.notified_at.or(row.notified_at);
        row.acknowledged_at = booking.acknowledged_at.or(row.acknowledged_at);
        row.returned = booking.returned.clone().unwrap_or(row.returned);
        row.note = booking.note.clone().unwrap_or(row.note);
        self.plausible(&row, at, now)?;
        Ok(row)
    }

    /// Whether a customer's row can be true.
    ///
    /// # Errors
    /// 422 at the field that cannot.
    pub fn plausible(&self, row: &Customer, at: &str, now: Timestamp) -> Result<()> {
        let to_come = |instant: Option<Timestamp>| instant.is_some_and(|instant| instant > now);
        if to_come(row.notified_at) {
            return Err(Error::invalid(format!("{at}.notified_at"), "in-future"));
        }
        if to_come(row.acknowledged_at) {
            return Err(Error::invalid(format!("{at}.acknowledged_at"), "in-future"));
        }
        if let (Some(notified), Some(acknowledged)) = (row.notified_at, row.acknowledged_at)
            && acknowledged < notified
        {
            return Err(Error::invalid(format!("{at}.acknowledged_at"), "before-notice"));
        }
        let returned = Quantity::parse(&row.returned).unwrap_or_default();
        if returned > self.traced_to(&row.customer_code) {
            return Err(Error::invalid(format!("{at}.returned"), "more-than-traced"));
        }
        Ok(())
    }
}
