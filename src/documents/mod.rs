//! Controlled documents: their numbers, their versions, who writes, reviews and approves them, and what is in force.
//!
//! Promises: a version's text never changes once it is submitted, short of going back to draft for a reason; nobody
//! approves what they wrote; what is in force at an instant follows from stored beginnings alone ([`timeline`]); who
//! signs sends the digest of what was on the screen; numbers are never used twice.
//!
//! Rooms: [`codes`], [`number`], [`record`] and [`timeline`] are pure; [`intake`] checks what comes from outside;
//! [`drafting`], [`approval`], [`standing`] and [`effect`] are the changes; [`store`] and [`list`] hold the SQL;
//! [`api`] and [`reading`] answer machines with [`answers`]; [`read`] is what other features may ask;
//! [`pages`] answers people with [`views`], filled from [`read_pages`] besides.

pub mod answers;
pub mod api;
pub mod approval;
pub mod codes;
pub mod drafting;
pub mod effect;
pub mod import;
pub mod intake;
pub mod list;
pub mod number;
pub mod pages;
pub mod prose;
pub mod read;
pub mod read_pages;
pub mod reading;
pub mod record;
pub mod retained;
pub mod standing;
pub mod store;
pub mod timeline;
mod views;

/// The feature's routes, for machines and for people.
pub fn routes() -> Vec<crate::people::gate::Route> {
    let mut routes = api::routes();
    routes.extend(pages::page_routes());
    routes
}
