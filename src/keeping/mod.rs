//! How long records are kept, what holds them longer, and the erasure of personal data.
//!
//! The times are data (`records::retention`); each feature tells of its records what the rows need to know
//! ([`keepers`]). Promises: nothing is erased while law or a legal hold keeps it; what is erased goes for good, and an
//! entry signed by QA says that it went, on which basis, and nothing of what it was; a hold is set and lifted by entries.

mod api;
pub mod disposals;
pub mod erasing;
pub mod holding;
pub mod keepers;
mod pages;
pub mod record;
pub mod standing;
pub mod store;
mod views;

pub use keepers::{Age, Aged, Disposer, Keeper, Keepers, Keeping, Now};
pub use standing::Retained;
pub use views::{KeptLine, kept_line};

use crate::people::gate::Route;

/// The feature's routes.
pub fn routes() -> Vec<Route> {
    let mut routes = api::routes();
    routes.extend(pages::routes());
    routes.extend(disposals::routes());
    routes
}
