//! The crate as outsiders and its own floors see it: one binary, one module for each part.

mod browser;
mod contract;
mod demo;
mod deviations;
mod document_pages;
mod documents;
mod floors;
mod health;
mod home;
mod house;
mod lane;
mod lane_property;
mod ledger;
mod links;
mod openapi;
mod orders;
mod packs;
mod pages_people;
mod people;
mod postgres;
mod processes;
mod recalls;
mod rights;
mod trail;
mod words;
