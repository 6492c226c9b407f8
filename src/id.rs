//! Identifiers made by the program: random, ordered by their making, never reused.

/// A new identifier with the kind's prefix: `u-…` for an account, `l-…` for a link.
pub fn new(prefix: &str) -> String {
    format!("{prefix}-{}", uuid::Uuid::now_v7().simple())
}

/// Fresh random bytes from the operating system.
///
/// # Panics
/// When the operating system has no randomness to give: nothing secret may be made then.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}
