//! What every quality record tells of itself beside its own fields.

use serde::Serialize;

use super::corrections::{self, CorrectionView};
use super::kind::RecordKind;
use super::signed::{self, SignatureView};
use super::transitions::{self, TransitionView};
use crate::error::Result;
use crate::ledger::digest::Digest;
use crate::ledger::subject::Snapshot;
use crate::store::Db;

/// How far it is, what happened to it, and the digest that a signature on it signs.
#[derive(Debug, Clone, Serialize)]
pub struct Told {
    /// What closing still lacks.
    pub missing: Vec<String>,
    /// SHA-256 of its present snapshot: what a signature on it signs.
    pub digest: String,
    /// Asked for and decided.
    pub corrections: Vec<CorrectionView>,
    /// Steps through its states.
    pub transitions: Vec<TransitionView>,
    /// Of corrections and of closing.
    pub signatures: Vec<SignatureView>,
}

/// What the record of this snapshot tells.
///
/// # Errors
/// 404; the database does not answer.
pub fn told(db: &mut Db, kind: &RecordKind, snapshot: &Snapshot) -> Result<Told> {
    let subject = snapshot.subject();
    let standing = kind.require(db, &subject.id)?;
    let open = standing.state != kind.closed_state();
    Ok(Told {
        missing: if open { transitions::gaps(db, kind, &standing)? } else { Vec::new() },
        digest: Digest::of(&snapshot.to_bytes()?).to_string(),
        corrections: corrections::views(db, subject)?,
        transitions: transitions::views(db, subject)?,
        signatures: signed::views(db, subject)?,
    })
}
