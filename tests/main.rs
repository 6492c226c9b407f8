//! The crate as outsiders and its own floors see it: one binary, one module for each part.

mod documents;
mod house;
mod lane;
mod ledger;
mod orders;
mod deviations;
mod house;
mod lane;
mod ledger;
mod links;
mod people;
mod postgres;
mod recalls;
mod words;
