//! What goes with every quality record that is disposed of, whatever its kind.

use super::{corrections, transitions};
use crate::error::Result;
use crate::ledger::subject::Subject;
use crate::signatures;
use crate::store::Db;

/// Takes away what its kind shares with the others: signatures, corrections, steps.
///
/// # Errors
/// The database refuses where no disposal names the record.
pub fn remove_along(db: &mut Db, record: &Subject) -> Result<()> {
    signatures::remove(db, record)?;
    corrections::remove(db, record)?;
    transitions::remove(db, record)
}
