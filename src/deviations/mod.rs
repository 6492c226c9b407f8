//! Deviations: registered by whoever finds them, looked into, put right, checked, and closed by a QA signature.
//!
//! Promises: what happened and when it was found are told once and change only by correction; each finding is filled
//! once; nothing is closed with a gap, and the list of gaps is told; who raised it does not close it.

mod api;
pub mod draft;
mod pages;
pub mod read;
pub mod record;
pub mod retained;
pub mod store;
mod views;

use crate::error::Result;
use crate::links::resolver::Resolver;
use crate::people::gate::Route;
use crate::store::Db;
use crate::time::Timestamp;

/// The feature's routes.
pub fn routes() -> Vec<Route> {
    let mut routes = api::routes();
    routes.extend(pages::routes());
    routes
}

/// What links know of deviations: a document tied to one is the version that held when it occurred.
pub const RESOLVER: Resolver =
    Resolver { kind: "deviation", exists, instant: Some(occurred_at), title, pin: None };

fn exists(db: &mut Db, number: &str) -> Result<bool> {
    Ok(read::head(db, number)?.is_some())
}

fn occurred_at(db: &mut Db, number: &str) -> Result<Option<Timestamp>> {
    Ok(read::head(db, number)?.map(|(_, occurred_at)| occurred_at))
}

fn title(db: &mut Db, number: &str) -> Result<Option<String>> {
    Ok(read::head(db, number)?.map(|(title, _)| title))
}
