//! Time stamps of an outside authority over the ledger's checkpoints: asked for by the clock, by a command or by a
//! reader of the trail, listed, and handed out as files that `openssl ts -verify` takes.
//!
//! Promises: no write ever waits for the authority; one that is away is a warning, told on the page and to the
//! monitoring, and asked again; a quiet ledger is not stamped again and again.

mod api;
pub mod authority;
mod pages;
mod views;
pub mod witness;

pub use authority::Authority;
pub use witness::Witness;

use crate::people::gate::Route;

/// The feature's routes.
pub fn routes() -> Vec<Route> {
    let mut routes = api::routes();
    routes.extend(pages::routes());
    routes
}
