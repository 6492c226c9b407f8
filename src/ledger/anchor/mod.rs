//! Outside witnesses: time stamps (RFC 3161) over the exact bytes of signed checkpoints.
//!
//! A key can be stolen and a database rewritten with it; a stamp of somebody else over an earlier note cannot be made
//! again. Promises: a stamp is kept only after [`stamp::check`] believed it; note, reply and the chain it was checked
//! with are content, so that backup, move and packs carry them and `openssl ts -verify` needs nothing else; the row is
//! governed, append-only, and brought in by an entry.

pub mod der;
pub mod stamp;
mod store;

pub use store::{Anchor, GOVERNED, all, file, files, last, list, one, record};

/// What is kept of a stamp, and in which file it is handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The checkpoint as it was published, `<size>.note`.
    Note,
    /// The authority's reply, `<size>.tsr`.
    Reply,
    /// The certificates it was checked with, `tsa-chain.pem`.
    Chain,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Note, Self::Reply, Self::Chain];

    /// As it stands in addresses.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Reply => "tsr",
            Self::Chain => "chain",
        }
    }

    /// The part of this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.code() == code)
    }
}

/// How often an installation wants its newest checkpoint stamped, in seconds; none where no authority is configured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Every(pub Option<i64>);
