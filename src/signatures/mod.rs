//! Electronic signatures: what was signed, by whom, when and with which meaning.
//!
//! A signature keeps the digest of what was on the signer's screen, belongs to one subject's snapshot and never
//! changes. Only [`Signer`], which people/ hands out after the password was given again, can make one.

use diesel::prelude::*;

use crate::error::Result;
use crate::ledger::digest::Digest;
use crate::ledger::lane::{Actor, Sig, Tx};
use crate::ledger::subject::{Row, Subject};
use crate::store::Db;
use crate::store::schema::signature;
use crate::time::Timestamp;

/// A row of `signature`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = signature)]
pub struct Signature {
    /// `s-…`.
    pub id: String,
    /// The subject's kind.
    pub subject_kind: String,
    /// The subject's id.
    pub subject_id: String,
    /// A version's round of review; 0 elsewhere.
    pub round: i64,
    /// Who signed.
    pub account_id: String,
    /// In which role.
    pub role: String,
    /// `authored`, `reviewed`, `approved`, …
    pub meaning: String,
    /// Of what was on the screen, hex.
    pub digest: String,
    /// `password`.
    pub method: String,
    /// The instant of the entry.
    pub signed_at: Timestamp,
    /// The entry.
    pub seq: i64,
    /// Commitment of the printed name.
    pub name_sealed: String,
    /// What the signer added.
    pub comment: Option<String>,
}

impl Signature {
    /// The signature inside its subject's snapshot.
    pub fn row(&self) -> serde_json::Value {
        Row::new()
            .set("id", self.id.as_str())
            .set("round", self.round)
            .set("account", self.account_id.as_str())
            .set("role", self.role.as_str())
            .set("meaning", self.meaning.as_str())
            .set("digest", self.digest.as_str())
            .set("method", self.method.as_str())
            .instant("signed_at", self.signed_at)
            .set("seq", self.seq)
            .sealed("signer_name", Some(&self.name_sealed))
            .set("comment", self.comment.clone())
            .into()
    }
}

/// A person who has just proved to be that person. Cannot be made outside the floor of people.
#[derive(Debug, Clone)]
pub struct Signer {
    /// Who acts, in the role that grants the act.
    pub actor: Actor,
    /// The printed name.
    pub name: String,
    method: &'static str,
}

impl Signer {
    pub(crate) fn by_password(actor: Actor, name: String) -> Self {
        Self { actor, name, method: "password" }
    }
}

/// What is being signed.
#[derive(Debug, Clone)]
pub struct Act<'a> {
    /// Whose snapshot the signature joins.
    pub subject: &'a Subject,
    /// A version's round; 0 elsewhere.
    pub round: i64,
    /// `authored`, `reviewed`, …
    pub meaning: &'static str,
    /// Of what was on the screen.
    pub digest: Digest,
    /// What the signer adds; empty for nothing.
    pub comment: &'a str,
}

/// Puts the signature down. Returns the row, for the subject's snapshot, and the part for the entry, which must be
/// the next one appended.
///
/// # Errors
/// The database refuses.
pub fn sign(tx: &mut Tx<'_>, signer: &Signer, act: &Act<'_>) -> Result<(Signature, Sig)> {
    let row = Signature {
        id: crate::id::new("s"),
        subject_kind: act.subject.kind.to_owned(),
        subject_id: act.subject.id.clone(),
        round: act.round,
        account_id: signer.actor.id.clone(),
        role: signer.actor.role.to_owned(),
        meaning: act.meaning.to_owned(),
        digest: act.digest.to_string(),
        method: signer.method.to_owned(),
        signed_at: tx.now(),
        seq: i64::try_from(tx.next_seq()).map_err(crate::error::Error::internal)?,
        name_sealed: tx.seal("signer_name", &signer.name),
        comment: (!act.comment.is_empty()).then(|| act.comment.to_owned()),
    };
    diesel::insert_into(signature::table).values(&row).execute(tx.rows())?;
    Ok((row, Sig { meaning: act.meaning, digest: act.digest, method: signer.method }))
}

/// The signatures of a subject, by id, which is the order of signing.
///
/// # Errors
/// The database does not answer.
pub fn of(db: &mut Db, subject: &Subject) -> Result<Vec<Signature>> {
    Ok(signature::table
        .filter(signature::subject_kind.eq(subject.kind).and(signature::subject_id.eq(&subject.id)))
        .order(signature::id)
        .load(db)?)
}

/// Takes the signatures of a subject away that is being disposed of.
///
/// # Errors
/// The database refuses where no disposal names the subject.
pub fn remove(db: &mut Db, subject: &Subject) -> Result<()> {
    let own = signature::subject_kind.eq(subject.kind).and(signature::subject_id.eq(&subject.id));
    diesel::delete(signature::table.filter(own)).execute(db)?;
    Ok(())
}
