//! Ties between subjects: typed, dated, reasoned, and visible from both ends; to a document always to the version that
//! held then.
//!
//! This folder knows no other feature. What a subject is called, whether it exists, and which version of a document
//! held at an instant it asks the [`resolver::Resolvers`], a table of functions that the application fills.

mod api;
pub mod read;
pub mod record;
pub mod resolver;
pub mod store;

use crate::people::gate::Route;

/// The feature's routes.
pub fn routes() -> Vec<Route> {
    api::routes()
}
