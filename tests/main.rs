//! The crate as outsiders and its own floors see it: one binary, one module for each part.

mod demo;
mod deviations;
mod documents;
mod house;
mod lane;
mod ledger;
mod links;
mod orders;
mod people;
mod postgres;
mod recalls;
mod words;
