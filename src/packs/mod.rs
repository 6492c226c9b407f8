//! Evidence packs (ledger/format.md section 7): a zip that an inspector takes home and checks without network and
//! without us, and the check itself.
//!
//! Promises: a pack holds the exact sealed bytes of what was asked for, each entry with its proof to one signed
//! checkpoint, or the whole ledger as tiles; personal values leave only for a maker who may see them, and only where
//! asked; the file is written once, as a stream; its making is an entry with its SHA-256. [`verify`] and the
//! `verify.py` inside every pack ask the same questions in the same order and name the same files.

mod anchors;
mod api;
mod archive;
mod contents;
mod layout;
mod make;
mod pages;
mod part;
mod proofs;
mod readme;
mod record;
pub mod store;
pub mod verify;
mod views;
mod wanted;

pub use make::{Made, Steps, make};
pub use record::{Pack, SCRIPT};
pub use wanted::{Asked, Scope, Sight, Wish};

use crate::people::gate::Route;

/// The feature's routes.
pub fn routes() -> Vec<Route> {
    let mut routes = api::routes();
    routes.extend(pages::routes());
    routes
}
