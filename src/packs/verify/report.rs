//! What the check of a pack answers.

use std::fmt;

use serde::Serialize;

use super::entries::Entries;
use crate::ledger::note::Checkpoint;

/// Faults listed at most.
const LISTED: usize = 1000;

/// One thing that is wrong, and the file it is in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// Which question: `file.differs`, `proof.path`, `sealed.value`, …
    pub check: &'static str,
    /// The file, as the pack names it; empty for the pack itself.
    pub file: String,
    /// For people, in English.
    pub what: String,
}

/// How a pack holds its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Some entries, each with its proof.
    Excerpt,
    /// The whole ledger as tiles.
    Whole,
}

/// Which of a subject's entries are here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lines {
    /// `kind/number`.
    pub subject: String,
    /// In which epoch, from 1.
    pub epoch: u64,
    /// Whether the subject begins with them.
    pub begins: bool,
    /// Its first entry of that epoch here, by its own count.
    pub from: u64,
    /// Its last one here.
    pub to: u64,
}

/// An epoch that a recovery has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ended {
    /// From 1.
    pub epoch: u64,
    /// Its name; none where nothing tells it.
    pub origin: Option<String>,
    /// Entries under the checkpoint here; none where it never had one that is here.
    pub checkpoint: Option<u64>,
    /// Entries that had been signed, as the recovery quotes.
    pub signed: Option<u64>,
    /// Entries that the recovery found.
    pub found: Option<u64>,
}

/// The checkpoint that everything is proven to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signed {
    /// The ledger's name.
    pub origin: String,
    /// Entries that it covers.
    pub size: u64,
    /// The root over them, hex.
    pub root: String,
}

/// The answer.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// `sound` or `fault`.
    pub verdict: &'static str,
    /// How the pack holds its entries.
    pub form: Form,
    /// How many there are.
    pub entries: u64,
    /// Whose.
    pub subjects: Vec<Lines>,
    /// To which checkpoint of the present epoch; none where it cannot be read.
    pub checkpoint: Option<Signed>,
    /// The epochs before it, the oldest first.
    pub epochs: Vec<Ended>,
    /// Every fault, up to a thousand.
    pub faults: Vec<Fault>,
    /// Whether the key was the one in the pack.
    #[serde(skip)]
    pub own_key: bool,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    /// The command's exit code.
    pub fn exit_code(&self) -> u8 {
        u8::from(!self.is_sound())
    }
}

/// The faults as they come.
#[derive(Debug, Default)]
pub struct Findings(Vec<Fault>, u64);

impl Findings {
    /// Takes a fault down.
    pub fn add(&mut self, check: &'static str, file: impl Into<String>, what: impl Into<String>) {
        if self.0.len() < LISTED {
            self.0.push(Fault { check, file: file.into(), what: what.into() });
        } else {
            self.1 += 1;
        }
    }

    /// The report.
    pub fn report(
        mut self,
        form: Form,
        (checkpoint, epochs): (Option<Checkpoint>, Vec<Ended>),
        own_key: bool,
        entries: Option<&Entries>,
    ) -> Report {
        if self.1 > 0 {
            let what = format!("{} further faults are not listed", self.1);
            self.0.push(Fault { check: "report.more", file: String::new(), what });
        }
        Report {
            verdict: if self.0.is_empty() { "sound" } else { "fault" },
            form,
            entries: entries.map_or(0, Entries::count),
            subjects: entries.map(Entries::lines).unwrap_or_default(),
            checkpoint: checkpoint.map(|Checkpoint { origin, size, root }| Signed {
                origin,
                size,
                root: root.to_string(),
            }),
            epochs,
            faults: self.0,
            own_key,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", if self.is_sound() { "SOUND" } else { "NOT SOUND" })?;
        if let Some(Signed { origin, size, root }) = &self.checkpoint {
            let entries = self.entries;
            writeln!(f, "  {entries} entries of {origin}, checkpoint of {size} entries, root {root}")?;
        }
        let several = !self.epochs.is_empty();
        for Ended { epoch, origin, checkpoint, signed, found } in &self.epochs {
            let number = |number: &Option<u64>| number.map_or("?".to_owned(), |number| number.to_string());
            let (checkpoint, signed, found) = (number(checkpoint), number(signed), number(found));
            let origin = origin.as_deref().unwrap_or("?");
            writeln!(
                f,
                "  before it, epoch {epoch}, {origin}: checkpoint of {checkpoint} entries; ended by a recovery that \
                 found {found} of {signed} signed"
            )?;
        }
        let mut before = "";
        for Lines { subject, epoch, begins, from, to } in &self.subjects {
            let of = if several { format!(" of epoch {epoch}") } else { String::new() };
            let lacking =
                if *begins || before == subject { "" } else { " (its beginning is not in this pack)" };
            writeln!(f, "  {subject}: its entries {from} to {to}{of}{lacking}")?;
            before = subject;
        }
        for Fault { check, file, what } in &self.faults {
            let file = if file.is_empty() { "the pack" } else { file };
            writeln!(f, "  FAULT {check}: {file}: {what}")?;
        }
        if self.own_key {
            writeln!(
                f,
                "  Checked with the key in the pack itself: compare it with one that you know (--key FILE)."
            )?;
        }
        if self.form == Form::Excerpt && self.faults.is_empty() {
            writeln!(f, "  An excerpt: what it holds is genuine and unbroken; not that nothing came later.")?;
        }
        Ok(())
    }
}
