//! What quality records share: numbers, due dates, steps through their states, corrections.
//!
//! A record kind (deviation, recall) describes itself once as a [`kind::RecordKind`]: its states, what may be
//! corrected, and how it is loaded and written. What stands here then holds for each of them: a number is never given
//! twice; a step is to the next state, or back by one with a reason, and stays on record; a filled field changes only
//! by a correction that a QA person other than the requester has signed, and its first value stays readable beside it;
//! a closed record does not change. Deadlines are data ([`deadlines`]), the law's apart from the company's.

pub mod api;
pub mod corrections;
pub mod deadlines;
pub mod kind;
pub mod numbering;
pub mod pages;
pub mod retained;
pub mod retention;
pub mod signed;
pub mod source;
pub mod told;
pub mod transitions;
pub mod views;
