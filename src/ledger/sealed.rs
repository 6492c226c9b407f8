//! Commitments to personal values: entries and snapshots carry these, salts and values stand apart and can be
//! erased.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::digest::Digest;

/// 32 random bytes that hide a value.
pub type Salt = [u8; 32];

/// HMAC-SHA-256(salt, "sopledger/v1/sealed\n" || origin || "\n" || name || "\n" || value).
pub fn commitment(salt: &Salt, origin: &str, name: &str, value: &str) -> Digest {
    let mut mac = Hmac::<Sha256>::new_from_slice(salt).expect("HMAC takes keys of any length");
    for part in ["sopledger/v1/sealed\n", origin, "\n", name, "\n", value] {
        mac.update(part.as_bytes());
    }
    Digest::from_bytes(mac.finalize().into_bytes().into())
}

/// A new salt from the system's random source.
///
/// # Errors
/// Where the system has no random source to give.
pub fn new_salt() -> Result<Salt, getrandom::Error> {
    let mut salt = [0; 32];
    getrandom::fill(&mut salt)?;
    Ok(salt)
}
