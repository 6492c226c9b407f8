//! Deviations: registered by whoever finds them, looked into, put right, checked, and closed by a QA signature.
//!
//! Promises: what happened and when it was found are told once and change only by correction; each finding is filled
//! once; nothing is closed with a gap, and the list of gaps is told; who raised it does not close it.

pub mod draft;
pub mod read;
pub mod record;
pub mod store;
