//! The crate as outsiders and its own floors see it: one binary, one module for each part.

mod documents;
mod house;
mod lane;
mod ledger;
mod pages_people;
mod orders;
mod people;
mod postgres;
mod recalls;
mod words;
