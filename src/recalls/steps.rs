//! What a person asks of a recall on its pages: a step, a correction, a decision on one. Checked here; the rules are the
//! shared ones of quality records.

use chrono_tz::Tz;

use super::record::subject;
use super::store::KIND;
use crate::error::Result;
use crate::ledger::digest::Digest;
use crate::ledger::lane::Tx;
use crate::people::sessions::Attempt;
use crate::records::api::{LONGEST_REASON as REASON, digest_told};
use crate::records::corrections::{self, Decision, Request};
use crate::records::transitions::{self, Step};
use crate::signatures::Signer;
use crate::web::input::{self, Faults};

/// A step as it came.
#[derive(Debug, Default)]
pub(super) struct StepBody {
    pub to: String,
    pub reason: Option<String>,
    pub digest: Option<String>,
}

/// A step of a recall, checked.
#[derive(Debug, Clone)]
pub(super) struct Move {
    /// Which recall.
    pub number: String,
    /// The state to enter.
    pub to: String,
    /// Why; empty where none was given.
    pub reason: String,
    /// The digest on the signer's screen.
    pub seen: Option<Digest>,
}

impl StepBody {
    /// The step this asks for.
    ///
    /// # Errors
    /// 422 with every field that cannot be taken.
    pub(super) fn checked(&self, number: &str) -> Result<Move> {
        let mut faults = Faults::new();
        let reason = faults.take(input::optional_text("reason", self.reason.as_deref(), REASON));
        let seen = faults.take(digest_told(self.digest.as_deref()));
        if self.to.is_empty() {
            faults.note("to", "required");
        }
        faults.check()?;
        Ok(Move {
            number: number.to_owned(),
            to: self.to.clone(),
            reason: reason.flatten().unwrap_or_default(),
            seen: seen.flatten(),
        })
    }
}

impl Move {
    fn step(&self) -> Step<'_> {
        Step { to: &self.to, reason: &self.reason }
    }

    /// Moves, unsigned.
    pub(super) fn make(&self, tx: &mut Tx<'_>, actor: &crate::ledger::lane::Actor) -> Result<()> {
        transitions::move_to(tx, &KIND, actor, (&self.number, self.step()))
    }

    /// Closes, signed.
    pub(super) fn close(&self, tx: &mut Tx<'_>, signer: &Signer) -> Result<()> {
        transitions::close(tx, &KIND, signer, (&self.number, self.step(), self.seen))
    }

    /// What is noted where the signature is refused.
    pub(super) fn attempt(&self) -> Attempt {
        Attempt { subject: subject(&self.number), meaning: transitions::CLOSED }
    }
}

/// A correction as it came.
#[derive(Debug)]
pub(super) struct CorrectionBody {
    pub field: String,
    pub value: String,
    pub reason: String,
}

impl CorrectionBody {
    /// The reason and field, checked; the value is the record's to check.
    ///
    /// # Errors
    /// 422 with every field that cannot be taken.
    pub(super) fn checked(self) -> Result<Self> {
        let mut faults = Faults::new();
        let field = faults.take(input::line("field", &self.field, 200));
        let reason = faults.take(input::text("reason", &self.reason, REASON));
        match (field, reason) {
            (Some(field), Some(reason)) => Ok(Self { field, reason, value: self.value }),
            _ => Err(faults.error()),
        }
    }

    /// Asks for it; returns its id.
    pub(super) fn ask(
        &self,
        tx: &mut Tx<'_>,
        actor: &crate::ledger::lane::Actor,
        (number, zone): (&str, Tz),
    ) -> Result<String> {
        let wish = Request { field: &self.field, value: &self.value, reason: &self.reason, zone };
        corrections::request(tx, &KIND, actor, (number, wish))
    }
}

/// A decision as it came.
#[derive(Debug)]
pub(super) struct DecisionBody {
    pub approve: bool,
    pub reason: String,
    pub digest: Option<String>,
}

/// A decision on a correction, checked.
#[derive(Debug, Clone)]
pub(super) struct Ruling {
    pub number: String,
    pub id: String,
    pub approve: bool,
    pub reason: String,
    pub seen: Option<Digest>,
    pub zone: Tz,
}

impl Ruling {
    fn decision(&self) -> Decision<'_> {
        Decision {
            id: &self.id,
            approve: self.approve,
            reason: &self.reason,
            seen: self.seen,
            zone: self.zone,
        }
    }

    /// Decides, signed.
    pub(super) fn make(&self, tx: &mut Tx<'_>, signer: &Signer) -> Result<()> {
        corrections::decide(tx, &KIND, signer, (&self.number, self.decision()))
    }

    /// What is noted where the signature is refused.
    pub(super) fn attempt(&self) -> Attempt {
        Attempt { subject: subject(&self.number), meaning: self.decision().meaning() }
    }
}

impl DecisionBody {
    /// The decision this is.
    ///
    /// # Errors
    /// 422 with every field that cannot be taken.
    pub(super) fn checked(&self, (number, id): (&str, &str), zone: Tz) -> Result<Ruling> {
        let mut faults = Faults::new();
        let reason = faults.take(input::text("reason", &self.reason, REASON));
        let seen = faults.take(digest_told(self.digest.as_deref()));
        match (reason, seen) {
            (Some(reason), Some(seen)) => {
                let (number, id) = (number.to_owned(), id.to_owned());
                Ok(Ruling { number, id, approve: self.approve, reason, seen, zone })
            }
            _ => Err(faults.error()),
        }
    }
}
