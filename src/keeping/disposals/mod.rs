//! Disposal of records whose time is over (PI 041 9.9): proposed by one person, signed by another, and traced for good.
//!
//! Promises: nothing goes whose time has not ended, that is open, that a legal hold keeps, or of which a record that
//! stays still speaks; all of it is asked again at the instant of the signature. A record goes in one transaction with
//! its signatures, its links, its personal values and the content of its states; its entries stay, and the last one
//! seals its tombstone ([`crate::ledger::tombstone`]). Its number is not given again.
//!
//! Documents and their versions do not go: what held at an instant, and who had been trained on it, is answered from
//! them for every record that stays; neither do accounts, whose personal values are erased instead.

mod acts;
mod api;
pub mod grounds;
mod pages;
pub mod record;
pub mod store;
mod views;

pub use views::said;

use crate::people::gate::Route;

/// The routes.
pub fn routes() -> Vec<Route> {
    let mut routes = api::routes();
    routes.extend(pages::routes());
    routes
}
