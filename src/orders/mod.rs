//! Orders: what the ERP says was sold to whom, from which batches, and what happened to it.
//!
//! The ERP is the master; imported again, an order is a new state with an entry only where something differs. Each
//! event leads to the procedures that were in force at its instant. A recalled batch holds a new order until QA lets
//! it go.

mod api;
pub mod hold;
pub mod import;
pub mod intake;
mod pages;
pub mod procedures;
pub mod read;
pub mod record;
pub mod retained;
pub mod store;
mod views;

use actix_web::web;

use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;

/// The feature's routes.
pub fn routes() -> Vec<Route> {
    let (read, write) = (Gate::May(Permission::ReadRecords), Gate::May(Permission::WriteOrders));
    let decide = Gate::May(Permission::Decide);
    vec![
        Route::get("/api/v1/orders", read, "List orders", || web::to(api::list)),
        Route::post("/api/v1/orders/import", write, "Import orders from a file", || web::to(api::import)),
        Route::get("/api/v1/orders/{number}", read, "Read an order", || web::to(api::show)),
        Route::put("/api/v1/orders/{number}", write, "Keep an order as the ERP has it", || web::to(api::put)),
        Route::post("/api/v1/orders/{number}/release", decide, "Let a held order go", || {
            web::to(api::release)
        }),
        Route::get(
            "/api/v1/orders/{number}/procedures",
            read,
            "Which procedures held at an order's events",
            || web::to(api::procedures),
        ),
        Route::get("/orders", read, "", || web::to(pages::list)),
        Route::get("/orders/import", write, "", || web::to(pages::import_form)),
        Route::post("/orders/import", write, "", || web::to(pages::import)),
        Route::get("/orders/{number}", read, "", || web::to(pages::show)),
        Route::post("/orders/{number}/release", decide, "", || web::to(pages::release)),
    ]
}
