//! Sopledger: controlled SOPs on a hash-chained ledger.

pub mod error;
pub mod id;
pub mod ledger;
pub mod people;
pub mod recalls;
pub mod records;
pub mod signatures;
pub mod store;
pub mod text;
pub mod time;
pub mod web;
