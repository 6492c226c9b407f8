//! A consistent copy while the service goes on, its way back, and the move to another database.
//!
//! Promises: a backup is one state of the database, taken without holding up a writer; nothing is replaced before what
//! comes instead has been verified whole, against the notes that were signed; whatever is replaced is kept aside. Key
//! and signer's state travel in a file of their own: who could restore both together could have an old state pass for
//! the present one.

mod archive;
mod drill;
mod last;
mod make;
mod placing;
mod restore;
mod transfer;

pub use archive::{Description, SIGNER_SUFFIX};
pub use drill::{Drilled, drill};
pub use last::{LATE, last};
pub use make::{Made, make};
pub use restore::{Restored, Wish, restore};
pub use transfer::{Moved, transfer};
