//! A numbered copy as a record. Pure.

use std::str::FromStr;

use diesel::prelude::*;

use crate::ledger::digest::Digest;
use crate::ledger::subject::{Snapshot, Subject};
use crate::store::schema::document_copy;
use crate::time::Timestamp;

/// What became of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// 已收回.
    Returned,
    /// 已销毁.
    Destroyed,
    /// 遗失.
    Lost,
}

impl Outcome {
    /// All, in the order they are offered.
    pub const ALL: [Self; 3] = [Self::Returned, Self::Destroyed, Self::Lost];

    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Returned => "returned",
            Self::Destroyed => "destroyed",
            Self::Lost => "lost",
        }
    }
}

impl FromStr for Outcome {
    type Err = ();

    fn from_str(code: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|outcome| outcome.code() == code).ok_or(())
    }
}

/// A row of `document_copy`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = document_copy)]
pub struct Copy {
    /// `SOP-CS-001`.
    pub document: String,
    /// From 1 within the document, over all its versions; never used twice.
    pub n: i64,
    /// `2.0`.
    pub version: String,
    /// The languages printed: a tag, or `both`.
    pub lang: String,
    /// What its QR code leads to.
    pub token: String,
    /// Commitment of the holder's name.
    pub holder_sealed: String,
    /// Where it is kept.
    pub place: String,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// By which account.
    pub issued_by: String,
    /// Since when it must come back: its version's last instant.
    pub recalled_at: Option<Timestamp>,
    /// Code of its [`Outcome`]; empty while it is out.
    pub outcome: String,
    /// What was said of its end.
    pub note: String,
    /// When its end was written down.
    pub settled_at: Option<Timestamp>,
    /// By which account.
    pub settled_by: Option<String>,
}

impl Copy {
    /// The ledger's subject.
    pub fn subject(&self) -> Subject {
        subject(&self.document, self.n)
    }

    /// Whether it is still out.
    pub const fn is_out(&self) -> bool {
        self.settled_at.is_none()
    }

    /// The snapshot, shape 1. The token stands in it by its digest: who reads the trail holds no paper.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(&self.subject(), 1)
            .set("document", self.document.as_str())
            .set("n", self.n)
            .set("version", self.version.as_str())
            .set("lang", self.lang.as_str())
            .set("mark", mark(&self.token))
            .sealed("holder", Some(&self.holder_sealed))
            .set("place", self.place.as_str())
            .instant("issued_at", self.issued_at)
            .set("issued_by", self.issued_by.as_str())
            .instant("recalled_at", self.recalled_at)
            .set("outcome", self.outcome.as_str())
            .set("note", self.note.as_str())
            .instant("settled_at", self.settled_at)
            .set("settled_by", self.settled_by.clone())
            .rows("document_copy", 1)
    }
}

/// The subject of a copy: `copy/SOP-CS-001/7`.
pub fn subject(document: &str, n: i64) -> Subject {
    Subject::new("copy", format!("{document}/{n}"))
}

/// What an entry names instead of the token that stands on the paper.
pub fn mark(token: &str) -> String {
    Digest::of(token.as_bytes()).to_string()
}

/// A new token: 128 bits that nobody guesses, in letters a QR code carries.
pub fn token() -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(crate::id::random::<16>())
}

/// Whether a text could be a token of ours.
pub fn is_token(text: &str) -> bool {
    text.len() == 22 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Where a copy stands, as lists name it.
#[derive(Debug, Clone, core::marker::Copy, PartialEq, Eq)]
pub enum Standing {
    /// In its holder's hands, and its version holds or is to come.
    Out,
    /// Its version holds no longer: it must come back.
    Due,
    /// Its end is written down.
    Settled(Outcome),
}

impl Standing {
    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::Due => "due",
            Self::Settled(outcome) => outcome.code(),
        }
    }
}

impl Copy {
    /// Where it stands, given whether its version is at its end.
    pub fn standing(&self, ended: bool) -> Standing {
        match self.outcome.parse() {
            Ok(outcome) => Standing::Settled(outcome),
            Err(()) if ended || self.recalled_at.is_some() => Standing::Due,
            Err(()) => Standing::Out,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_told_from_other_texts() {
        let token = token();
        assert!(is_token(&token), "{token}");
        for text in ["", "abc", "../../../../etc/passwd", &"a".repeat(23), &"啊".repeat(22)] {
            assert!(!is_token(text), "{text}");
        }
        assert_ne!(super::token(), token);
    }
}
