//! Long work: what was asked for is answered at once with a job, which goes on by itself and tells how far it is.
//!
//! A job's row changes without an entry; what the work writes rides the lane like everything else. Only who started a
//! job, QA and an administrator see it and may call it off; the work then stops between two pieces. A job whose process ended before it did is marked failed at the next start.

mod api;
mod pages;
mod record;
mod store;
mod work;

use actix_web::web;

pub use api::{accept, answer};
pub use record::{Job, State};
pub use store::{fail_unfinished, insert, latest, latest_in, require, unfinished};
pub use work::{Progress, spawn};

use crate::people::gate::{Gate, Route};

/// The feature's routes.
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/jobs/{id}", Gate::SignedIn, "Read a job", || web::to(api::show)),
        Route::post("/api/v1/jobs/{id}/cancel", Gate::SignedIn, "Call a job off", || web::to(api::cancel)),
        Route::get("/jobs/{id}", Gate::SignedIn, "", || web::to(pages::show)),
        Route::post("/jobs/{id}/cancel", Gate::SignedIn, "", || web::to(pages::cancel)),
    ]
}
