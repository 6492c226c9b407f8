//! Sopledger: controlled SOPs on a hash-chained ledger.

pub mod deviations;
pub mod error;
pub mod id;
pub mod ledger;
pub mod links;
pub mod people;
pub mod records;
pub mod signatures;
pub mod store;
pub mod text;
pub mod time;
pub mod web;
