//! Passwords: argon2id, hashed and checked on threads that may wait, never inside the write lane.

use std::sync::OnceLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};

use crate::error::{Error, Result};

/// Characters a password has at least (No. 74 asks for control of access, not for a number; the house's choice).
pub const SHORTEST: usize = 8;
/// Bytes a password has at most.
pub const LONGEST: usize = 1024;

/// Hashes a new password.
///
/// # Errors
/// The hash cannot be made.
pub fn hash(password: &str) -> Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    Ok(hash.map_err(|error| Error::internal(error.to_string()))?.to_string())
}

/// Whether `password` is the one behind `stored`.
pub fn matches(password: &str, stored: &str) -> bool {
    PasswordHash::new(stored)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Takes as long as a real check; for logins nobody has, so that they cannot be told from wrong passwords.
pub fn pretend(password: &str) {
    static STAND_IN: OnceLock<String> = OnceLock::new();
    let stored = STAND_IN.get_or_init(|| hash("nobody's password").unwrap_or_default());
    matches(password, stored);
}

/// Refuses a password that is too short, too long, or the login.
///
/// # Errors
/// 422 at `field`.
pub fn acceptable(field: &'static str, password: &str, login: &str) -> Result<()> {
    if password.chars().count() < SHORTEST {
        return Err(Error::invalid(field, "password-short"));
    }
    if password.len() > LONGEST {
        return Err(Error::invalid(field, "too-long"));
    }
    if password.eq_ignore_ascii_case(login) {
        return Err(Error::invalid(field, "password-is-login"));
    }
    Ok(())
}

/// A password made by the program: 20 characters without look-alikes, some 99 bits.
pub fn generate() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let bytes: [u8; 20] = crate::id::random();
    bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}
