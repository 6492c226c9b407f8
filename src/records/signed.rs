//! The signatures of a record, for reading.

use serde::Serialize;

use crate::error::Result;
use crate::ledger::store::{self as ledger, Placed};
use crate::ledger::subject::Subject;
use crate::people;
use crate::signatures;
use crate::store::Db;
use crate::time::Timestamp;

/// A signature for reading.
#[derive(Debug, Clone, Serialize)]
pub struct SignatureView {
    /// What it means.
    pub meaning: String,
    /// Who signed, as login.
    pub by: String,
    /// The name as it was printed; none where it was erased.
    pub name: Option<String>,
    /// In which role.
    pub role: String,
    /// When.
    pub signed_at: Timestamp,
    /// Of what was on the screen.
    pub digest: String,
    /// What the signer added.
    pub comment: Option<String>,
    /// The entry.
    pub seq: i64,
    /// The entry's epoch.
    pub epoch: Option<i64>,
    /// The entry's hash, hex.
    pub leaf: Option<String>,
    /// Where its entry stands.
    #[serde(skip)]
    pub placed: Option<Placed>,
}

/// The signatures of a subject, in the order of signing.
///
/// # Errors
/// The database does not answer.
pub fn views(db: &mut Db, subject: &Subject) -> Result<Vec<SignatureView>> {
    let rows = signatures::of(db, subject)?;
    let entries: Vec<_> = rows.iter().map(|row| (row.seq, row.signed_at)).collect();
    let placed = ledger::placed(db, &entries)?;
    let view = |(row, placed): (signatures::Signature, Option<Placed>)| {
        Ok(SignatureView {
            by: people::store::person(db, &row.account_id)?.login,
            name: ledger::unsealed(db, &row.name_sealed)?,
            meaning: row.meaning,
            role: row.role,
            signed_at: row.signed_at,
            digest: row.digest,
            comment: row.comment,
            seq: row.seq,
            epoch: placed.map(|placed| placed.epoch),
            leaf: placed.map(|placed| placed.leaf.to_string()),
            placed,
        })
    };
    rows.into_iter().zip(placed).map(view).collect()
}
