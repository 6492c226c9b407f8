//! A link as a record. Pure.

use std::str::FromStr;

use diesel::prelude::*;

use crate::ledger::subject::{Snapshot, Subject};
use crate::store::schema::link;
use crate::time::Timestamp;

/// What a tie says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// 依据: from a record to the document it was done by.
    GovernedBy,
    /// 参见.
    RefersTo,
    /// 起因于.
    CausedBy,
    /// 影响.
    Affects,
    /// 更正: a record that puts another right.
    Corrects,
}

impl Relation {
    /// All, in the order they are offered.
    pub const ALL: [Self; 5] =
        [Self::GovernedBy, Self::RefersTo, Self::CausedBy, Self::Affects, Self::Corrects];

    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::GovernedBy => "governed_by",
            Self::RefersTo => "refers_to",
            Self::CausedBy => "caused_by",
            Self::Affects => "affects",
            Self::Corrects => "corrects",
        }
    }
}

impl FromStr for Relation {
    type Err = ();

    fn from_str(code: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|relation| relation.code() == code).ok_or(())
    }
}

/// One end of a tie: a subject as the table keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// `document`, `order`, …
    pub kind: String,
    /// `SOP-CS-001/2.0`, `80012345`.
    pub id: String,
}

impl End {
    /// Reads `kind/number[/version]`; none for another form.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, id) = text.trim().split_once('/')?;
        let plain = |part: &str| !part.is_empty() && !part.chars().any(char::is_control);
        (plain(kind) && plain(id) && !id.starts_with('/') && !id.ends_with('/'))
            .then(|| Self { kind: kind.to_owned(), id: id.to_owned() })
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind, self.id)
    }
}

/// A row of `link`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = link)]
pub struct Link {
    /// `l-…`.
    pub id: String,
    /// The kind it leads from.
    pub from_kind: String,
    /// The subject it leads from.
    pub from_id: String,
    /// The kind it leads to.
    pub to_kind: String,
    /// The subject it leads to.
    pub to_id: String,
    /// Code of its [`Relation`].
    pub relation: String,
    /// Why; empty where none was told.
    pub reason: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// By which account.
    pub created_by: String,
    /// When it was taken away.
    pub removed_at: Option<Timestamp>,
    /// By which account.
    pub removed_by: Option<String>,
    /// Why.
    pub removal_reason: Option<String>,
}

impl Link {
    /// Where it leads from.
    pub fn from(&self) -> End {
        End { kind: self.from_kind.clone(), id: self.from_id.clone() }
    }

    /// Where it leads to.
    pub fn to(&self) -> End {
        End { kind: self.to_kind.clone(), id: self.to_id.clone() }
    }

    /// The snapshot, shape 1.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(&subject(&self.id), 1)
            .set("from", self.from().to_string())
            .set("to", self.to().to_string())
            .set("relation", self.relation.as_str())
            .set("reason", self.reason.as_str())
            .instant("created_at", self.created_at)
            .set("created_by", self.created_by.as_str())
            .instant("removed_at", self.removed_at)
            .set("removed_by", self.removed_by.clone())
            .set("removal_reason", self.removal_reason.clone())
            .rows("link", 1)
    }
}

/// The subject of a link.
pub fn subject(id: &str) -> Subject {
    Subject::new("link", id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_a_kind_and_a_number() {
        for (text, read) in [
            ("order/80012345", Some(("order", "80012345"))),
            ("document/SOP-CS-001/2.0", Some(("document", "SOP-CS-001/2.0"))),
            ("order", None),
            ("order/", None),
            ("/80012345", None),
            ("document/SOP-CS-001/", None),
            ("order/8\n1", None),
        ] {
            let end = End::parse(text);
            assert_eq!(end.as_ref().map(|end| (end.kind.as_str(), end.id.as_str())), read, "{text:?}");
        }
    }

    #[test]
    fn every_relation_is_read_by_its_code() {
        for relation in Relation::ALL {
            assert_eq!(relation.code().parse(), Ok(relation));
        }
    }
}
