//! The crate as outsiders and its own floors see it: one binary, one module for each part.

mod documents;
mod house;
mod lane;
mod ledger;
mod orders;
mod people;
mod postgres;
mod words;
