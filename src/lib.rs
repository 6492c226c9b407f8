//! Sopledger: controlled SOPs on a hash-chained ledger.
//!
//! From the top: [`app`] assembles what is served and [`config`] says how; the features stand on [`people`] (who may
//! what), which stands on [`signatures`] and on the [`ledger`] (the one way to write, and the proof of it); below lie
//! [`web`] (pages, forms, words), [`text`] (Markdown), [`store`] (SQLite and PostgreSQL), [`time`], [`id`] and
//! [`error`]. Imports point down. `ARCHITECTURE.md` is the map.

pub mod anchors;
pub mod app;
pub mod backup;
pub mod cli;
pub mod codes;
pub mod config;
pub mod copies;
pub mod demo;
pub mod deviations;
pub mod documents;
pub mod error;
pub mod health;
pub mod home;
pub mod id;
pub mod jobs;
pub mod keeping;
pub mod ledger;
pub mod links;
pub mod notebook;
pub mod openapi;
pub mod orders;
pub mod packs;
pub mod pdf;
pub mod people;
pub mod recalls;
pub mod records;
pub mod signatures;
pub mod store;
pub mod text;
pub mod time;
pub mod trail;
pub mod web;
