//! Recalls: a batch, the orders and customers it reached, the notices, what came back, and how it was closed.
//!
//! The trace from batch to customer is computed and frozen inside the change that registers the recall; what comes
//! later stands apart from it, with its own instant. Clocks follow class, role and origin from a table of deadlines,
//! the law's apart from the company's. A recall that runs holds every later order with one of its batches; a drill
//! (演练) holds none. Booked values change only by a signed correction, and closing needs every customer's row.

mod api;
mod clocks;
mod holding;
pub mod intake;
mod pages;
mod quantity;
pub mod reach;
pub mod read;
pub mod record;
pub mod retained;
mod signing;
mod steps;
pub mod store;
pub mod trace;
mod views;

use actix_web::web;

pub use holding::{alerts_for, connect};

use crate::error::Result;
use crate::links::resolver::Resolver;
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::store::Db;
use crate::time::Timestamp;

/// What links know of recalls: a document they are tied to is the version that held when the recall was decided.
pub const RESOLVER: Resolver =
    Resolver { kind: record::NAME, exists, instant: Some(decided_at), title, pin: None };

fn exists(db: &mut Db, number: &str) -> Result<bool> {
    Ok(read::head(db, number)?.is_some())
}

fn decided_at(db: &mut Db, number: &str) -> Result<Option<Timestamp>> {
    Ok(read::head(db, number)?.map(|(_, decided_at)| decided_at))
}

fn title(db: &mut Db, number: &str) -> Result<Option<String>> {
    Ok(read::head(db, number)?.map(|(title, _)| title))
}

/// The feature's routes.
pub fn routes() -> Vec<Route> {
    let (read, run) = (Gate::May(Permission::ReadRecords), Gate::May(Permission::RunRecall));
    let decide = Gate::May(Permission::Decide);
    vec![
        Route::get("/api/v1/recalls", read, "List recalls", || web::to(api::list)),
        Route::post("/api/v1/recalls", run, "Register a recall and freeze its trace", || {
            web::to(api::register)
        }),
        Route::get("/api/v1/recalls/{number}", read, "Read a recall", || web::to(api::show)),
        Route::patch("/api/v1/recalls/{number}", run, "Fill what is empty, book customers", || {
            web::to(api::fill)
        }),
        Route::get("/api/v1/recalls/{number}/trace", read, "Read a recall's trace", || web::to(api::trace)),
        Route::post("/api/v1/recalls/{number}/transitions", run, "Move or close a recall", || {
            web::to(api::step)
        }),
        Route::post("/api/v1/recalls/{number}/corrections", run, "Ask for a correction", || {
            web::to(api::correct)
        }),
        Route::get("/api/v1/recalls/{number}/corrections/{id}", read, "Read a correction", || {
            web::to(api::correction)
        }),
        Route::post(
            "/api/v1/recalls/{number}/corrections/{id}/decision",
            decide,
            "Decide a correction",
            || web::to(api::decide),
        ),
        Route::get("/recalls", read, "", || web::to(pages::list)),
        Route::post("/recalls", run, "", || web::to(pages::register)),
        Route::get("/recalls/new", run, "", || web::to(pages::blank)),
        Route::get("/recalls/{number}", read, "", || web::to(pages::show)),
        Route::post("/recalls/{number}/notices", run, "", || web::to(pages::book)),
        Route::post("/recalls/{number}/rest", run, "", || web::to(pages::explain)),
        Route::post("/recalls/{number}/transitions", run, "", || web::to(pages::step)),
        Route::post("/recalls/{number}/corrections", run, "", || web::to(pages::correct)),
        Route::get("/recalls/{number}/close", decide, "", || web::to(signing::closing)),
        Route::post("/recalls/{number}/close", decide, "", || web::to(signing::close)),
        Route::get("/recalls/{number}/corrections/{id}", decide, "", || web::to(signing::correction)),
        Route::post("/recalls/{number}/corrections/{id}", decide, "", || web::to(signing::decide)),
    ]
}

#[cfg(test)]
mod tests;
