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
