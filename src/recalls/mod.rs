//! Recalls: a batch, the orders and customers it reached, the notices, what came back, and how it was closed.
//!
//! The trace from batch to customer is computed and frozen inside the change that registers the recall; what comes
//! later stands apart from it, with its own instant. Clocks follow class, role and origin from a table of deadlines,
//! the law's apart from the company's. A recall that runs holds every later order with one of its batches; a drill
//! (演练) holds none. Booked values change only by a signed correction, and closing needs every customer's row.

mod clocks;
mod holding;
pub mod intake;
mod quantity;
pub mod read;
pub mod record;
pub mod store;
pub mod trace;

pub use holding::{alerts_for, connect};

#[cfg(test)]
mod tests;
