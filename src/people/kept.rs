//! Answers kept under an `Idempotency-Key`, so that the same request is answered the same (contract.md).
//!
//! An answer may hold what is told only once: a made password, an API token. It is therefore sealed with a key made of
//! the `Idempotency-Key`, which nobody but the client keeps, and found by a name that is another derivation of it.
//! Whoever reads the database learns neither what was asked nor what was answered, nor for whom; the hash of the
//! request lies inside too, since a password in its body could be guessed from it. As good as the key is hard to
//! guess: clients make it at random.

use diesel::prelude::*;
use hmac::{Hmac, KeyInit, Mac};
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::desk::Reply;
use crate::error::{Error, Kind, Result};
use crate::ledger::digest::Digest;
use crate::ledger::lane::Tx;
use crate::store::schema::kept_answer;

/// For how long an answer is kept (contract.md).
const KEPT_SECONDS: i64 = 24 * 3600;
/// Bytes of AES-GCM's nonce and tag, which stand before what is sealed.
const NONCE: usize = 12;
const TAG: usize = 16;

/// A request that is to be answered the same when it comes again.
#[derive(Clone)]
pub(super) struct Repeatable {
    name: String,
    key: Zeroizing<[u8; 32]>,
    request: String,
}

#[derive(Serialize, Deserialize)]
struct Kept<R> {
    request: String,
    reply: R,
}

impl Repeatable {
    /// An account's request, by its digest, under its `Idempotency-Key`.
    pub(super) fn new(account: &str, key: &str, request: String) -> Self {
        Self {
            name: Digest::from_bytes(*derived(key, "name", account)).to_string(),
            key: derived(key, "seal", account),
            request,
        }
    }

    /// What it was answered before; none where it is the first.
    ///
    /// # Errors
    /// 422 where the key belongs to another request.
    pub(super) fn answered(&self, tx: &mut Tx<'_>) -> Result<Option<Reply>> {
        let oldest = tx.now().plus_seconds(-KEPT_SECONDS);
        let sealed: Option<Vec<u8>> = kept_answer::table
            .find(&self.name)
            .filter(kept_answer::kept_at.gt(oldest))
            .select(kept_answer::sealed)
            .first(tx.read())
            .optional()?;
        let Some(sealed) = sealed else { return Ok(None) };
        let kept: Kept<Reply> = serde_json::from_slice(&self.opened(&sealed)?).map_err(Error::internal)?;
        if kept.request == self.request {
            Ok(Some(kept.reply))
        } else {
            Err(Error::new(Kind::Invalid, "idempotency-mismatch"))
        }
    }

    /// Keeps its answer; what is older than a day goes.
    ///
    /// # Errors
    /// The database refuses.
    pub(super) fn keep(&self, tx: &mut Tx<'_>, reply: &Reply) -> Result<()> {
        let kept = Kept { request: self.request.clone(), reply };
        let sealed = self.sealed(&serde_json::to_vec(&kept).map_err(Error::internal)?)?;
        let now = tx.now();
        let oldest = now.plus_seconds(-KEPT_SECONDS);
        let db = tx.rows();
        diesel::delete(kept_answer::table.filter(kept_answer::kept_at.le(oldest))).execute(db)?;
        diesel::insert_into(kept_answer::table)
            .values((
                kept_answer::name.eq(&self.name),
                kept_answer::sealed.eq(sealed),
                kept_answer::kept_at.eq(now),
            ))
            .execute(db)?;
        Ok(())
    }

    fn sealed(&self, clear: &[u8]) -> Result<Vec<u8>> {
        let (nonce, mut tag) = (crate::id::random::<NONCE>(), [0; TAG]);
        let sealed = encrypt_aead(Cipher::aes_256_gcm(), &self.key[..], Some(&nonce), &[], clear, &mut tag)
            .map_err(Error::internal)?;
        Ok([&nonce[..], &tag, &sealed].concat())
    }

    fn opened(&self, kept: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let short = || Error::internal("a kept answer is cut short");
        let (nonce, rest) = kept.split_at_checked(NONCE).ok_or_else(short)?;
        let (tag, sealed) = rest.split_at_checked(TAG).ok_or_else(short)?;
        let clear = decrypt_aead(Cipher::aes_256_gcm(), &self.key[..], Some(nonce), &[], sealed, tag);
        clear.map(Zeroizing::new).map_err(Error::internal)
    }
}

/// HMAC-SHA-256 under the `Idempotency-Key` of what is derived and for whom.
fn derived(key: &str, what: &str, account: &str) -> Zeroizing<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    for part in ["sopledger/v1/kept-answer\n", what, "\n", account] {
        mac.update(part.as_bytes());
    }
    Zeroizing::new(mac.finalize().into_bytes().into())
}
