//! The audit trail for its readers: entries with their filters, proofs and contents, the public face of the ledger
//! (checkpoint, key, tiles), and verification on demand.
//!
//! Nothing here changes a record. The one entry this feature appends says that the ledger was verified, how far, by
//! whom, and with which verdicts.

mod api;
mod filter;
mod found;
mod named;
mod pages;
mod proven;
mod public;
mod store;
mod told;
mod unfold;
mod verification;
mod verifier;
mod views;

pub use verifier::{Schedule, Verifier};

use crate::people::gate::Route;

/// The feature's routes.
pub fn routes() -> Vec<Route> {
    let mut routes = api::routes();
    routes.extend(public::routes());
    routes.extend(verification::routes());
    routes.extend(proven::routes());
    routes.extend(pages::routes());
    routes
}
