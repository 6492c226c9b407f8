//! People: accounts, roles, sessions, API tokens, and the gate every request passes.
//!
//! [`rights`] is the one table of who may what; [`gate`] holds every route to it; a handler works at a
//! [`desk::Desk`] (writes and signs) or reads through a [`desk::Reader`]. Passwords are hashed outside the write lane,
//! account ids are never reused, and every change of accounts and rights, every refused sign-in or signature is an
//! entry of the trail.

pub mod accounts;
pub mod api;
pub mod desk;
pub mod gate;
pub mod intake;
mod kept;
pub mod pages;
pub mod password;
pub mod read;
pub mod record;
pub mod rights;
pub mod sessions;
pub mod settings;
pub mod store;
pub mod subjects;
pub mod view;
mod views;
pub mod visits;

use gate::Route;

/// The floor's routes: for machines, then for people.
pub fn routes() -> Vec<Route> {
    let mut routes = api::routes();
    routes.extend(pages::routes());
    routes
}
