//! What a verification answers: two verdicts with their ranges and figures, and every fault by entry or subject.

use std::collections::BTreeMap;

use serde::Serialize;

use super::marks::Mark;
use crate::ledger::chain;
use crate::ledger::digest::Digest;
use crate::time::Timestamp;

/// Faults listed at most; a last one tells how many more there are.
pub const LISTED: usize = 1000;

/// The check of the guards.
pub const GUARDS_ALTERED: &str = "guards.altered";

/// What a verdict says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Checked, and nothing is wrong.
    Sound,
    /// At least one fault.
    Fault,
    /// What is needed for the check is not here.
    NotChecked,
}

/// How far a verification goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every entry, every record.
    Whole,
    /// The entries since the last sound verification, and the records of which they speak.
    New,
}

impl Scope {
    /// The code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::New => "new",
        }
    }
}

/// Which verdict a fault spoils, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What is there is not what was written.
    Integrity,
    /// What was written, and signed, is not there.
    Completeness,
    /// Neither: nothing was found changed, but what should keep it from being changed is gone.
    Guards,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Which check found it, for example `entry.leaf`, `record.digest`.
    pub check: &'static str,
    /// For people, in English.
    pub what: String,
    /// The entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The subject, `kind/id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The tree, where it is not the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// Which verdict it spoils, if any.
    #[serde(skip)]
    pub side: Side,
}

impl Fault {
    /// A fault of integrity.
    pub fn new(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, what: what.into(), seq: None, subject: None, epoch: None, side: Side::Integrity }
    }

    /// Names the entry.
    pub fn at(mut self, seq: u64) -> Self {
        self.seq = Some(seq);
        self
    }

    /// Names the subject, `kind/id`.
    pub fn of(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Names the tree.
    pub fn in_epoch(mut self, epoch: i64) -> Self {
        self.epoch = u64::try_from(epoch).ok().filter(|epoch| *epoch != 1);
        self
    }

    /// Makes it one of completeness.
    pub fn incomplete(mut self) -> Self {
        self.side = Side::Completeness;
        self
    }

    /// Guards that do not stand as this version sets them.
    pub fn of_guards(names: &[String]) -> Self {
        let names = names.join(", ");
        let what = format!(
            "these triggers are missing or altered: {names}; find out who changed them, then `sopledger migrate` sets \
             them again"
        );
        Self { side: Side::Guards, ..Self::new(GUARDS_ALTERED, what) }
    }

    /// Of triggers and rules that are not ours.
    pub fn of_added(added: &[String]) -> Self {
        let added = added.join("; ");
        let what = format!(
            "these triggers or rules on our tables are not ours and could swallow or change what is written: {added}; \
             find out who added them and since when, then drop each by the statement named"
        );
        Self { side: Side::Guards, ..Self::new(GUARDS_ALTERED, what) }
    }
}

impl From<chain::Fault> for Fault {
    fn from(fault: chain::Fault) -> Self {
        Self::new(fault.check, fault.what).at(fault.seq)
    }
}

/// The faults as they come; the first thousand are kept, all are counted.
#[derive(Debug, Default)]
pub struct Findings {
    kept: Vec<Fault>,
    integrity: u64,
    completeness: u64,
    guards: u64,
    unchecked: Vec<String>,
}

impl Findings {
    /// Takes a fault down.
    pub fn add(&mut self, fault: Fault) {
        match fault.side {
            Side::Integrity => self.integrity += 1,
            Side::Completeness => self.completeness += 1,
            Side::Guards => self.guards += 1,
        }
        if self.kept.len() < LISTED {
            self.kept.push(fault);
        }
    }

    /// Counts faults that were found and not kept.
    pub fn add_uncounted(&mut self, more: u64) {
        self.integrity += more;
    }

    /// Says what of completeness cannot be checked, and why.
    pub fn cannot_check(&mut self, what: impl Into<String>) {
        self.unchecked.push(what.into());
    }

    /// The report on what was covered.
    pub fn report(mut self, covered: Covered) -> Report {
        let more = self.integrity + self.completeness + self.guards - self.kept.len() as u64;
        if more > 0 {
            self.kept.push(Fault::new("report.more", format!("{more} further faults are not listed")));
        }
        let completeness = match (self.completeness, self.unchecked.is_empty()) {
            (0, true) => Verdict::Sound,
            (0, false) => Verdict::NotChecked,
            _ => Verdict::Fault,
        };
        let integrity = if self.integrity == 0 { Verdict::Sound } else { Verdict::Fault };
        let Covered { entries, subjects, from, to, signed, root, newest, anchors, lost, marks } = covered;
        let of_newest = |anchor: &&Anchored| anchor.epoch.unwrap_or(1) == newest;
        let unanchored = anchors.iter().rev().find(of_newest).map_or(0, |anchor| anchor.to + 1);
        Report {
            integrity: Integrity { verdict: integrity, entries, subjects, from: to.map(|_| from), to },
            completeness: Completeness {
                verdict: completeness,
                to: signed.and_then(|size| size.checked_sub(1)),
                checkpoint: signed,
                unsigned: to.map_or(0, |to| (to + 1).saturating_sub(signed.unwrap_or(0))),
                anchors,
                unanchored: to.filter(|to| *to >= unanchored).map(|to| [unanchored, to]),
                unchecked: self.unchecked,
                lost,
            },
            faults: self.kept,
            root,
            marks,
        }
    }
}

/// Figures of a pass.
#[derive(Debug, Default)]
pub struct Covered {
    /// Entries seen, of all epochs.
    pub entries: u64,
    /// Subjects seen.
    pub subjects: u64,
    /// The newest epoch's first entry that was looked at.
    pub from: u64,
    /// The newest epoch's last entry.
    pub to: Option<u64>,
    /// The size that was signed last, as the signer's own state tells it.
    pub signed: Option<u64>,
    /// The root over the newest epoch.
    pub root: Option<Digest>,
    /// The newest epoch.
    pub newest: u64,
    /// What outside witnesses cover.
    pub anchors: Vec<Anchored>,
    /// What recoveries have declared lost.
    pub lost: Vec<Lost>,
    /// How far each epoch was compared with what was signed of it.
    pub marks: BTreeMap<String, Mark>,
}

/// Entries that were signed and are lost, as a recovery declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// Of which tree.
    pub epoch: i64,
    /// The first of them.
    pub from: u64,
    /// The last of them.
    pub to: u64,
}

/// What is there is what was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Integrity {
    /// The verdict.
    pub verdict: Verdict,
    /// Entries seen.
    pub entries: u64,
    /// Subjects seen.
    pub subjects: u64,
    /// The first entry seen.
    pub from: Option<u64>,
    /// The last one.
    pub to: Option<u64>,
}

/// Entries that an outside witness covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Anchored {
    /// The tree, where it is not the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// The first entry.
    pub from: u64,
    /// The last one.
    pub to: u64,
    /// The authority's instant: none of them was written later.
    pub at: Timestamp,
    /// Whose stamp.
    pub by: String,
    /// The stamp.
    pub id: String,
}

/// What was written is all there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Completeness {
    /// The verdict.
    pub verdict: Verdict,
    /// The last entry that the signer vouches for.
    pub to: Option<u64>,
    /// The size it signed last.
    pub checkpoint: Option<u64>,
    /// Entries after it: not yet signed, which is no fault.
    pub unsigned: u64,
    /// Ranges that an outside witness covers, each with the stamp that is the first to cover it.
    pub anchors: Vec<Anchored>,
    /// The newest epoch's range that no outside witness covers yet.
    pub unanchored: Option<[u64; 2]>,
    /// What could not be checked, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unchecked: Vec<String>,
    /// What recoveries have declared lost: no fault, and not to be had back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<Lost>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What is there is what was written.
    pub integrity: Integrity,
    /// What was written is all there.
    pub completeness: Completeness,
    /// The faults, the first thousand.
    pub faults: Vec<Fault>,
    /// The recomputed root over the newest epoch.
    #[serde(skip)]
    pub root: Option<Digest>,
    /// Where a later pass over what is new may begin, where this one is sound.
    #[serde(skip)]
    pub marks: BTreeMap<String, Mark>,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    /// 0 sound, 1 a fault, 2 something could not be checked; 1 wins over 2.
    pub fn exit_code(&self) -> u8 {
        let unchecked = self.completeness.verdict == Verdict::NotChecked;
        match (self.is_sound(), unchecked) {
            (false, _) => 1,
            (true, true) => 2,
            (true, false) => 0,
        }
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = |verdict| match verdict {
            Verdict::Sound => "sound",
            Verdict::Fault => "FAULT",
            Verdict::NotChecked => "not checked",
        };
        let (integrity, completeness) = (&self.integrity, &self.completeness);
        writeln!(
            f,
            "integrity:    {}; {} entries, {} subjects",
            word(integrity.verdict),
            integrity.entries,
            integrity.subjects
        )?;
        match completeness.checkpoint {
            Some(size) => writeln!(
                f,
                "completeness: {}; signed at size {size}, {} entries not yet signed",
                word(completeness.verdict),
                completeness.unsigned
            )?,
            None => writeln!(f, "completeness: {}", word(completeness.verdict))?,
        }
        for Lost { epoch, from, to } in &completeness.lost {
            writeln!(f, "  lost: entries {from} to {to} of epoch {epoch}, as a recovery declares")?;
        }
        for what in &completeness.unchecked {
            writeln!(f, "  not checked: {what}")?;
        }
        match completeness.anchors.last() {
            Some(last) => write!(
                f,
                "anchors:      {} time stamps; entries up to #{} were there at {}, says {}",
                completeness.anchors.len(),
                last.to,
                last.at,
                last.by
            )?,
            None => write!(f, "anchors:      none")?,
        }
        match completeness.unanchored {
            Some([from, to]) => writeln!(f, "; no outside witness covers #{from} to #{to} yet")?,
            None => writeln!(f)?,
        }
        for fault in &self.faults {
            write!(f, "fault {}", fault.check)?;
            if let Some(seq) = fault.seq {
                write!(f, " #{seq}")?;
            }
            if let Some(subject) = &fault.subject {
                write!(f, " {subject}")?;
            }
            if let Some(epoch) = fault.epoch {
                write!(f, " (epoch {epoch})")?;
            }
            writeln!(f, ": {}", fault.what)?;
        }
        Ok(())
    }
}
