//! The notebook itself. Pure: bytes in, bytes and verdicts out.

use serde::{Deserialize, Serialize};

use crate::ledger::digest::Digest;
use crate::ledger::entry::is_instant;
use crate::ledger::note::{self, Checkpoint, VerifierKey};
use crate::ledger::tree::{ConsistencyProof, verify_consistency};

/// The tag of this form.
const FORMAT: &str = "sopledger-notebook/1";

/// What a visitor keeps of a ledger.
#[derive(Debug, Clone)]
pub struct Notebook {
    keys: Vec<VerifierKey>,
    visits: Vec<Visit>,
    last: Checkpoint,
}

/// One visit: what was shown, and the proof from the visit before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Visit {
    at: String,
    note: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    proof: Vec<String>,
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    format: String,
    keys: Vec<String>,
    visits: Vec<Visit>,
}

/// What a visit found that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The first visit: nothing to compare yet.
    First,
    /// Exactly what was kept.
    Same,
    /// The kept entries and more after them.
    Extended {
        /// Entries that were kept.
        from: u64,
        /// Entries now.
        to: u64,
    },
}

/// Why a notebook refuses a ledger, or is none itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The file is no notebook, or does not fit itself.
    Book,
    /// What was shown is no checkpoint.
    Checkpoint,
    /// It is not signed by a key in the notebook.
    Signature,
    /// It is of another ledger.
    Origin {
        /// The ledger in the notebook.
        kept: String,
        /// The one that was shown.
        shown: String,
    },
    /// It has fewer entries than were kept: some were cut off.
    Smaller {
        /// Entries that were kept.
        kept: u64,
        /// Entries now.
        shown: u64,
    },
    /// As many entries, but others.
    Different {
        /// How many.
        size: u64,
    },
    /// No proof that it begins with the kept entries: something before was rewritten.
    Unproven {
        /// Entries that were kept.
        kept: u64,
        /// Entries now.
        shown: u64,
    },
}

impl Refusal {
    /// The last part of its words' key, `notebook-refused-…`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Book => "book",
            Self::Checkpoint => "checkpoint",
            Self::Signature => "signature",
            Self::Origin { .. } => "origin",
            Self::Smaller { .. } => "smaller",
            Self::Different { .. } => "different",
            Self::Unproven { .. } => "unproven",
        }
    }

    /// Arguments of its words.
    pub fn args(&self) -> [(&'static str, String); 2] {
        let (kept, shown) = match self {
            Self::Origin { kept, shown } => (kept.clone(), shown.clone()),
            Self::Smaller { kept, shown } | Self::Unproven { kept, shown } => {
                (kept.to_string(), shown.to_string())
            }
            Self::Different { size } => (size.to_string(), size.to_string()),
            Self::Book | Self::Checkpoint | Self::Signature => Default::default(),
        };
        [("kept", kept), ("shown", shown)]
    }
}

impl Notebook {
    /// Begins a notebook with what is shown at the first visit; the keys are taken on trust, this once.
    ///
    /// # Errors
    /// `Checkpoint` or `Signature`.
    pub fn begin(note: &str, keys: &[VerifierKey], at: &str) -> Result<Self, Refusal> {
        let last = signed(note, keys)?;
        let visit = Visit { at: at.to_owned(), note: note.to_owned(), proof: Vec::new() };
        let keys = keys.iter().filter(|key| key.name() == last.origin).cloned().collect();
        Ok(Self { keys, visits: vec![visit], last })
    }

    /// Reads a notebook and checks it against itself: every note, and every step from one visit to the next.
    ///
    /// # Errors
    /// `Book`.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let kept: Kept = serde_json::from_slice(bytes).map_err(|_| Refusal::Book)?;
        let keys: Option<Vec<VerifierKey>> = kept.keys.iter().map(|key| key.parse().ok()).collect();
        let keys = keys.filter(|_| kept.format == FORMAT).ok_or(Refusal::Book)?;
        let mut visits = kept.visits.into_iter();
        let first = visits.next().filter(|visit| visit.proof.is_empty()).ok_or(Refusal::Book)?;
        let mut book = Self::begin(&first.note, &keys, &first.at).map_err(|_| Refusal::Book)?;
        for visit in visits {
            let proof: Option<Vec<Digest>> =
                visit.proof.iter().map(|hex| Digest::from_hex(hex.as_bytes())).collect();
            let proof = proof.ok_or(Refusal::Book)?;
            book.visit((&visit.note, &proof), &[], &visit.at).map_err(|_| Refusal::Book)?;
        }
        let sound = book.keys.len() == keys.len() && book.visits.iter().all(|visit| is_instant(&visit.at));
        if sound { Ok(book) } else { Err(Refusal::Book) }
    }

    /// The file.
    pub fn to_text(&self) -> String {
        let keys = self.keys.iter().map(ToString::to_string).collect();
        let kept = Kept { format: FORMAT.to_owned(), keys, visits: self.visits.clone() };
        // Texts alone, which always can be written.
        serde_json::to_string_pretty(&kept).unwrap_or_default() + "\n"
    }

    /// What was kept last.
    pub fn last(&self) -> &Checkpoint {
        &self.last
    }

    /// When each visit was, and how many entries there were then.
    pub fn visits(&self) -> Vec<(String, u64)> {
        let size = |visit: &Visit| note::unverified_checkpoint(&visit.note).map_or(0, |shown| shown.size);
        self.visits.iter().map(|visit| (visit.at.clone(), size(visit))).collect()
    }

    /// Compares what is shown at a visit with what was kept; where it is accepted, it is kept from now on, and with it
    /// those of `offered` that have signed it beside a known key: so a rotation is followed.
    ///
    /// # Errors
    /// Why the ledger is refused; the notebook stays as it was.
    pub fn visit(
        &mut self,
        (note, proof): (&str, &[Digest]),
        offered: &[VerifierKey],
        at: &str,
    ) -> Result<Seen, Refusal> {
        let shown = note::unverified_checkpoint(note).map_err(|_| Refusal::Checkpoint)?;
        if shown.origin != self.last.origin {
            return Err(Refusal::Origin { kept: self.last.origin.clone(), shown: shown.origin });
        }
        let shown = signed(note, &self.keys)?;
        let (from, to) = (self.last.size, shown.size);
        if to < from {
            return Err(Refusal::Smaller { kept: from, shown: to });
        }
        if to == from {
            let same = shown.root == self.last.root;
            return if same { Ok(Seen::Same) } else { Err(Refusal::Different { size: to }) };
        }
        let proven = ConsistencyProof { from, to, path: proof.to_vec() };
        if !verify_consistency(&proven, &self.last.root, &shown.root) {
            return Err(Refusal::Unproven { kept: from, shown: to });
        }
        for key in offered {
            let signs = note::open(note, std::slice::from_ref(key)).is_ok();
            if signs && key.name() == shown.origin && !self.keys.contains(key) {
                self.keys.push(key.clone());
            }
        }
        let proof = proof.iter().map(Digest::to_string).collect();
        self.visits.push(Visit { at: at.to_owned(), note: note.to_owned(), proof });
        self.last = shown;
        Ok(Seen::Extended { from, to })
    }
}

fn signed(note: &str, keys: &[VerifierKey]) -> Result<Checkpoint, Refusal> {
    let shown = note::unverified_checkpoint(note).map_err(|_| Refusal::Checkpoint)?;
    match note::open_checkpoint(note, keys) {
        Ok(_) => Ok(shown),
        Err(note::NoteError::Form) => Err(Refusal::Checkpoint),
        Err(_) => Err(Refusal::Signature),
    }
}
