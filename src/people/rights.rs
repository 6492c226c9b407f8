//! The one table of rights: which role grants what. Deny otherwise.
//!
//! Sources: contract.md "Rights"; NMPA 2020 No. 74 ch. 4 (administration apart from quality decisions); GSP 17 (QA
//! decides on permissions).

use serde::{Deserialize, Serialize};

/// What an account may be, in the order in which `actor.role` is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Quality assurance.
    Qa,
    /// Regulatory affairs.
    Ra,
    /// Writes documents.
    Author,
    /// Reviews documents.
    Reviewer,
    /// Customer service.
    Cs,
    /// Another system: the ERP.
    Integration,
    /// Authority, company or customer auditor, for a limited time.
    Auditor,
    /// Accounts and settings; no quality decision.
    Admin,
}

impl Role {
    /// All roles, in the order of precedence.
    pub const ALL: [Self; 8] = [
        Self::Qa,
        Self::Ra,
        Self::Author,
        Self::Reviewer,
        Self::Cs,
        Self::Integration,
        Self::Auditor,
        Self::Admin,
    ];

    /// The role's code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Qa => "qa",
            Self::Ra => "ra",
            Self::Author => "author",
            Self::Reviewer => "reviewer",
            Self::Cs => "cs",
            Self::Integration => "integration",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }

    /// The role of this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }

    /// Held alone: no account has it beside another role (No. 74 ch. 4 a).
    pub const fn is_exclusive(self) -> bool {
        matches!(self, Self::Admin | Self::Auditor | Self::Integration)
    }
}

/// An act of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Read what is in force.
    ReadInForce,
    /// Read drafts, reviews, old versions.
    ReadAllVersions,
    /// Make documents, write and submit drafts.
    WriteDrafts,
    /// Sign as reviewed.
    Review,
    /// Sign as approved.
    Approve,
    /// Retire, cancel, decide corrections, close, release held orders, sign grants.
    Decide,
    /// Issue numbered copies on paper, print them, write what became of them.
    IssueCopies,
    /// Raise a deviation, fill it, move it on, ask for a correction.
    RaiseDeviation,
    /// Open and run a recall.
    RunRecall,
    /// Propose that records whose time is over be disposed of; QA decides.
    ProposeDisposal,
    /// Tie subjects, and take a tie away.
    Link,
    /// Write orders, as the ERP does.
    WriteOrders,
    /// Read orders and quality records.
    ReadRecords,
    /// Read the audit trail, and verify it.
    ReadTrail,
    /// Make evidence packs and take them away: for whoever may read all that goes in.
    TakePacks,
    /// See accounts and their roles.
    ReadAccounts,
    /// Make and change accounts and settings.
    Administer,
}

impl Permission {
    /// All rows of the table.
    pub const ALL: [Self; 17] = [
        Self::ReadInForce,
        Self::ReadAllVersions,
        Self::WriteDrafts,
        Self::Review,
        Self::Approve,
        Self::Decide,
        Self::IssueCopies,
        Self::RaiseDeviation,
        Self::RunRecall,
        Self::ProposeDisposal,
        Self::Link,
        Self::WriteOrders,
        Self::ReadRecords,
        Self::ReadTrail,
        Self::TakePacks,
        Self::ReadAccounts,
        Self::Administer,
    ];

    /// The roles that grant it, in order of precedence.
    pub const fn roles(self) -> &'static [Role] {
        use Role::{Admin, Auditor, Author, Cs, Integration, Qa, Ra, Reviewer};
        match self {
            Self::ReadInForce => &[Qa, Ra, Author, Reviewer, Cs, Auditor],
            Self::ReadAllVersions => &[Qa, Ra, Author, Reviewer, Auditor],
            Self::WriteDrafts => &[Qa, Ra, Author],
            Self::Review => &[Qa, Ra, Reviewer],
            Self::Approve => &[Qa, Ra],
            Self::Decide => &[Qa],
            Self::IssueCopies => &[Qa],
            Self::RaiseDeviation => &[Qa, Ra, Author, Reviewer, Cs],
            Self::RunRecall | Self::ProposeDisposal => &[Qa, Ra],
            Self::Link => &[Qa, Ra, Author],
            Self::WriteOrders => &[Qa, Integration],
            Self::ReadRecords => &[Qa, Ra, Author, Reviewer, Cs, Auditor],
            Self::ReadTrail => &[Qa, Ra, Auditor, Admin],
            Self::TakePacks => &[Qa, Ra, Auditor],
            Self::ReadAccounts => &[Qa, Admin],
            Self::Administer => &[Admin],
        }
    }

    /// Whether using it changes anything.
    pub const fn writes(self) -> bool {
        !matches!(
            self,
            Self::ReadInForce
                | Self::ReadAllVersions
                | Self::ReadRecords
                | Self::ReadTrail
                | Self::ReadAccounts
        )
    }

    /// The first of `roles` that grants it.
    pub fn granted_by(self, roles: &[Role]) -> Option<Role> {
        self.roles().iter().copied().find(|role| roles.contains(role))
    }
}
