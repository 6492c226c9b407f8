//! Where people begin: `/`, a page for each kind of work, and `/now`, the look-up of what holds now.
//!
//! [`now`] searches only what is in force at the instant of the question, so that what it shows may be followed;
//! [`tasks`] gathers what waits for the reader. Neither keeps anything: both ask the features.

pub mod now;
mod pages;
mod tasks;
mod views;

pub use pages::routes;
