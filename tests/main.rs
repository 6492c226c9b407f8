//! The crate as outsiders and its own floors see it: one binary, one module for each part.

mod health;
mod home;
mod house;
mod lane;
mod ledger;
mod openapi;
mod orders;
mod pages_people;
mod people;
mod postgres;
mod recalls;
mod rights;
mod words;
