//! Controlled documents: their numbers, their versions, who writes, reviews and approves them, and what is in force.
//!
//! Promises: a version's text never changes once it is submitted, short of going back to draft for a reason; nobody
//! approves what they wrote; what is in force at an instant follows from stored beginnings alone ([`timeline`]); who
//! signs sends the digest of what was on the screen; numbers are never used twice.
//!
//! Rooms: [`codes`], [`number`], [`record`] and [`timeline`] are pure; [`intake`] checks what comes from outside;
//! [`drafting`], [`approval`], [`standing`] and [`effect`] are the changes; [`store`] holds the SQL; [`read`] is what
//! other features may ask.

pub mod approval;
pub mod codes;
pub mod drafting;
pub mod effect;
pub mod intake;
pub mod number;
pub mod record;
pub mod standing;
pub mod store;
pub mod timeline;
