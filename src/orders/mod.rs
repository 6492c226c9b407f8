//! Orders: what the ERP says was sold to whom, from which batches, and what happened to it.
//!
//! The ERP is the master; imported again, an order is a new state with an entry only where something differs. Each
//! event leads to the procedures that were in force at its instant. A recalled batch holds a new order until QA lets
//! it go.

pub mod hold;
pub mod import;
pub mod intake;
pub mod read;
pub mod record;
pub mod store;
