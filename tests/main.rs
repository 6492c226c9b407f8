//! The crate as outsiders and its own floors see it: one binary, one module for each part.

mod deviations;
mod document_pages;
mod documents;
mod house;
mod lane;
mod ledger;
mod links;
mod orders;
mod pages_people;
mod people;
mod postgres;
mod recalls;
mod trail;
mod words;
