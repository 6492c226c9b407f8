//! The floor's pages: signing in and out, one's own password, accounts, settings. They call what the API calls.

mod accounts;
mod door;
mod settings;
mod steps;

use super::gate::Route;

/// The floor's routes for people.
pub fn routes() -> Vec<Route> {
    let mut routes = door::routes();
    routes.extend(accounts::routes());
    routes.extend(steps::routes());
    routes.extend(settings::routes());
    routes
}
