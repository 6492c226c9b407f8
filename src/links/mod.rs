//! Ties between subjects: typed, dated, reasoned, and visible from both ends; to a document always to the version that
//! held then.
//!
//! This folder knows no other feature. What a subject is called, whether it exists, and which version of a document
//! held at an instant it asks the [`resolver::Resolvers`], a table of functions that the application fills.

mod api;
pub mod pages;
pub mod read;
pub mod record;
pub mod resolver;
pub mod retained;
pub mod store;

use actix_web::web;

use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;

/// The feature's routes.
pub fn routes() -> Vec<Route> {
    let write = Gate::May(Permission::Link);
    let mut routes = api::routes();
    routes.extend([
        Route::get("/links/new", write, "", || web::to(pages::ask)),
        Route::post("/links", write, "", || web::to(pages::create)),
        Route::get("/links/{id}/remove", write, "", || web::to(pages::ask_removal)),
        Route::post("/links/{id}/remove", write, "", || web::to(pages::remove)),
    ]);
    routes
}
