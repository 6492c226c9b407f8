//! Sopledger: controlled SOPs on a hash-chained ledger.

pub mod error;
pub mod id;
pub mod ledger;
pub mod store;
pub mod time;
pub mod web;
