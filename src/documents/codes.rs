//! The closed lists of documents: kinds, departments, processes, outcomes of a periodic review.
//!
//! The codes stand here, their names in `templates/words/*/documents.ftl` under `documents-kind-<code>`,
//! `documents-department-<code>`, `documents-process-<code>` and `documents-review-<code>`; a test holds both lists
//! against each other.

use std::str::FromStr;

use crate::web::words::Words;

/// What sort of document it is; the first part of its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// 制度.
    Policy,
    /// 操作规程.
    Sop,
    /// 作业指导书.
    WorkInstruction,
    /// 记录表单.
    Form,
    /// 质量协议.
    Agreement,
    /// 外部文件.
    External,
}

impl Kind {
    /// All kinds, from the most general to the most special.
    pub const ALL: [Self; 6] =
        [Self::Policy, Self::Sop, Self::WorkInstruction, Self::Form, Self::Agreement, Self::External];

    /// The kind's code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Sop => "sop",
            Self::WorkInstruction => "work_instruction",
            Self::Form => "form",
            Self::Agreement => "agreement",
            Self::External => "external",
        }
    }

    /// How the numbers of this kind begin.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Policy => "POL",
            Self::Sop => "SOP",
            Self::WorkInstruction => "WI",
            Self::Form => "FRM",
            Self::Agreement => "AGR",
            Self::External => "EXT",
        }
    }

    /// The kind whose numbers begin so.
    pub fn of_prefix(prefix: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.prefix() == prefix)
    }
}

/// A code that is not in its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownCode;

impl FromStr for Kind {
    type Err = UnknownCode;

    fn from_str(code: &str) -> Result<Self, UnknownCode> {
        Self::ALL.into_iter().find(|kind| kind.code() == code).ok_or(UnknownCode)
    }
}

/// Departments: customer service, quality assurance, regulatory affairs, logistics, finance, information technology,
/// personnel, warehouse, pharmacovigilance.
pub const DEPARTMENTS: [&str; 9] = ["CS", "QA", "RA", "LG", "FI", "IT", "HR", "WH", "PV"];

/// The processes a document may govern (design.md, vocabulary).
pub const PROCESSES: [&str; 16] = [
    "order_intake",
    "order_change",
    "credit_check",
    "allocation",
    "shipping",
    "cold_chain",
    "delivery",
    "returns",
    "credit_notes",
    "complaints",
    "recall",
    "master_data",
    "vendor_service",
    "training",
    "document_control",
    "self_inspection",
];

/// The verdict of a periodic review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It stays as it is; the next review counts from here.
    Confirmed,
    /// It is to be revised.
    Revise,
    /// It is to be retired, which is an act of its own.
    Retire,
}

impl Outcome {
    /// All verdicts.
    pub const ALL: [Self; 3] = [Self::Confirmed, Self::Revise, Self::Retire];

    /// The verdict's code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Revise => "revise",
            Self::Retire => "retire",
        }
    }
}

impl FromStr for Outcome {
    type Err = UnknownCode;

    fn from_str(code: &str) -> Result<Self, UnknownCode> {
        Self::ALL.into_iter().find(|outcome| outcome.code() == code).ok_or(UnknownCode)
    }
}

/// The list's own spelling of a department.
pub fn department(code: &str) -> Option<&'static str> {
    DEPARTMENTS.into_iter().find(|known| *known == code)
}

/// Whether it is a process.
pub fn is_process(code: &str) -> bool {
    PROCESSES.contains(&code)
}

/// What a process is called; its code where it is none of ours.
pub fn process_word(w: Words, code: &str) -> String {
    let key = format!("documents-process-{code}");
    if w.has(&key) { w.t(&key).into_owned() } else { code.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::words::Lang;

    #[test]
    fn every_code_has_its_name_in_both_languages() {
        let kinds = Kind::ALL.map(|kind| format!("documents-kind-{}", kind.code()));
        let departments = DEPARTMENTS.map(|code| format!("documents-department-{code}"));
        let processes = PROCESSES.map(|code| format!("documents-process-{code}"));
        let outcomes = Outcome::ALL.map(|outcome| format!("documents-review-{}", outcome.code()));
        let states = super::super::timeline::State::ALL.map(|state| format!("state-{}", state.code()));
        for lang in Lang::ALL {
            let words = Words::of(lang);
            for key in kinds.iter().chain(&departments).chain(&processes).chain(&outcomes).chain(&states) {
                assert!(words.has(key), "{key} in {lang:?}");
            }
        }
    }

    #[test]
    fn a_kind_is_found_by_code_and_by_prefix() {
        for kind in Kind::ALL {
            assert_eq!(kind.code().parse(), Ok(kind));
            assert_eq!(Kind::of_prefix(kind.prefix()), Some(kind));
        }
        assert_eq!("procedure".parse::<Kind>(), Err(UnknownCode));
    }
}
