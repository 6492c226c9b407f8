//! Ties between subjects: typed, dated, reasoned, and visible from both ends; to a document always to the version that
//! held then.
//!
//! This folder knows no other feature. What a subject is called, whether it exists, and which version of a document
//! held at an instant it asks the [`resolver::Resolvers`], a table of functions that the application fills.

pub mod read;
pub mod record;
pub mod resolver;
pub mod store;
