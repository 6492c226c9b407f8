//! Documents on paper: the print as PDF, numbered copies in somebody's hands, and the status that their QR codes tell.
//!
//! Promises: every print is an entry before it exists; a sheet of paper says by itself what it is (its state, its
//! validity, its copy's number) and leads to a page that tells anybody whether it still holds, and nothing else; a
//! numbered copy is issued to somebody, called back when its version ceases to hold, and its end is written down.
//!
//! Rooms: [`record`] is pure; [`store`] holds the SQL; [`issue`] the changes; [`sheet`] gathers what a print shows and
//! [`layout`] turns it into the press's data; [`prints`] joins entry, sheet and press; [`api`] and [`pages`] call the
//! same functions; [`status`] is the public page.

pub mod api;
pub mod issue;
pub mod layout;
pub mod pages;
pub mod prints;
pub mod record;
pub mod sheet;
pub mod status;
pub mod store;
mod views;

use std::sync::Arc;

use crate::pdf::Press;

/// The feature's routes. They stand before those of the documents, whose last address takes anything for a version.
pub fn routes() -> Vec<crate::people::gate::Route> {
    let mut routes = api::routes();
    routes.extend(pages::routes());
    routes.extend(status::routes());
    routes
}

/// What prints are made with.
#[derive(Clone)]
pub struct Printing {
    /// The press.
    pub press: Arc<Press>,
    /// Where the service is reached from a phone; none where it was not configured.
    pub public_url: Option<String>,
}
