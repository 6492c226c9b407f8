//! The text of controlled documents: what is taken in, how it is shown, how two versions differ.
//!
//! Everything here is pure: text goes in, text or a structured fault comes out; no database, no
//! request, no words for people. Words come in through [`markdown::Labels`], faults go out as enums
//! that the pages put into the reader's language.
//!
//! - [`accept`]: bytes from outside become text we are willing to sign
//! - [`front_matter`]: the head of a Markdown file that is imported
//! - [`markdown`]: Markdown becomes HTML that a strict content security policy accepts
//! - [`mermaid`]: flowcharts, sequences and states become SVG drawn by our style sheet alone
//! - [`diff`]: what changed between two versions, down to the character
//! - [`structure`]: counts that compare two renditions, and plain text for the search
//!
//! Whatever text comes in, nothing here panics, loads anything, or lets markup of its author through.

pub mod accept;
pub mod diff;
mod escape;
pub mod front_matter;
pub mod markdown;
pub mod mermaid;
mod quantity;
pub mod structure;
