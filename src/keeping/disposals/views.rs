//! What the pages of disposals show.

use askama::Template;

use super::grounds::{Candidate, Ground, Obstacle};
use super::record::{Disposal, DisposalState, Item};
use crate::error::{Error, FieldError, Result};
use crate::keeping::keepers::Now;
use crate::ledger::store::placed;
use crate::ledger::tombstone::Tombstone;
use crate::people;
use crate::people::gate::Caller;
use crate::people::rights::Permission;
use crate::people::subjects;
use crate::people::view::entry_link;
use crate::records::signed::{self, SignatureView};
use crate::store::Db;
use crate::web::page::{Frame, percent};
use crate::web::parts::{Choice, EntryLink, Look, Sheet, Tag, tag};
use crate::web::problem::field_message;
use crate::web::words::Words;

/// The address of a disposal.
pub fn address(number: &str) -> String {
    format!("/retention/disposals/{}", percent(number))
}

/// `/retention/disposals`.
#[derive(Template)]
#[template(path = "keeping/disposals.html")]
pub struct ListPage {
    pub frame: Frame,
    pub states: Vec<DisposalState>,
    pub next: Option<String>,
    pub may_propose: bool,
}

/// A record on the list of what may go.
#[derive(Debug, Clone)]
pub struct CandidateLine {
    pub subject: String,
    /// Empty where its time is not over.
    pub until: String,
    pub clause: &'static str,
    /// In words.
    pub obstacle: Option<String>,
}

impl CandidateLine {
    /// A line of the list.
    pub fn of(w: Words, candidate: &Candidate, now: Now) -> Self {
        let Candidate { ground, obstacle, .. } = candidate;
        Self {
            obstacle: obstacle.as_ref().map(|it| said(w, it, &ground.named.to_string(), now)),
            ..Self::may(ground, now)
        }
    }

    /// The line of a record that was named.
    pub fn looked_at(w: Words, subject: &str, found: &Result<Ground, Obstacle>, now: Now) -> Self {
        match found {
            Ok(ground) => Self::may(ground, now),
            Err(obstacle) => Self {
                subject: subject.to_owned(),
                until: String::new(),
                clause: "",
                obstacle: Some(said(w, obstacle, subject, now)),
            },
        }
    }

    fn may(ground: &Ground, now: Now) -> Self {
        Self {
            subject: ground.named.to_string(),
            until: ground.retain_until.date_in(now.zone).to_string(),
            clause: &ground.rule.source.clause,
            obstacle: None,
        }
    }
}

/// What stands in the way, in words.
pub fn said(w: Words, obstacle: &Obstacle, subject: &str, now: Now) -> String {
    field_message(&calling(w, &obstacle.fault(String::new(), subject, now)), w)
}

/// A refusal as pages say it.
pub fn said_of(w: Words, error: &Error) -> Error {
    let same = error.args().iter();
    let told = same.fold(Error::new(error.kind(), error.code()), |told, (name, value)| told.arg(name, value));
    error.fields().iter().fold(told, |told, fault| told.field_with(calling(w, fault)))
}

/// A fault with its records called by kind and number.
fn calling(w: Words, fault: &FieldError) -> FieldError {
    let called = |(name, value): &(&'static str, String)| match *name {
        "subject" | "by" => (*name, all_said(w, value.split(", "))),
        _ => (*name, value.clone()),
    };
    FieldError { args: fault.args.iter().map(called).collect(), ..fault.clone() }
}

/// Subjects in words, one after the other.
fn all_said<T: AsRef<str>>(w: Words, subjects: impl Iterator<Item = T>) -> String {
    subjects.map(|subject| subjects::said(w, subject.as_ref())).collect::<Vec<_>>().join(&w.t("base-comma"))
}

/// `/retention/disposals/candidates`.
#[derive(Template)]
#[template(path = "keeping/candidates.html")]
pub struct CandidatesPage {
    pub frame: Frame,
    pub sheet: Sheet,
    pub kinds: Vec<&'static str>,
    pub kind: &'static str,
    pub lines: Vec<CandidateLine>,
    pub next: Option<String>,
    pub may_propose: bool,
}

/// A record that went, and the entry that says so.
pub struct Removed {
    pub row: Tombstone,
    pub entry: Option<EntryLink>,
}

impl Removed {
    fn all(db: &mut Db, disposal: &str) -> Result<Vec<Self>> {
        let rows = crate::ledger::tombstone::of_disposal(db, disposal)?;
        let entries: Vec<_> = rows.iter().map(|row| (row.seq, row.disposed_at)).collect();
        let placed = placed(db, &entries)?.into_iter().map(|placed| placed.as_ref().map(entry_link));
        Ok(rows.into_iter().zip(placed).map(|(row, entry)| Self { row, entry }).collect())
    }

    fn subject(&self) -> String {
        format!("{}/{}", self.row.subject_kind, self.row.subject_id)
    }
}

/// A disposal with the names of people.
pub struct Seen {
    pub state: DisposalState,
    pub proposed_by: String,
    pub decided_by: Option<String>,
    pub digest: String,
    pub removed: Vec<Removed>,
    pub signatures: Vec<SignatureView>,
}

impl Seen {
    /// Reads a disposal for its page.
    ///
    /// # Errors
    /// 404.
    pub fn read(db: &mut Db, number: &str) -> Result<Self> {
        let state = super::store::require(db, number)?;
        let decided_by = state.disposal.decided_by.as_deref();
        Ok(Self {
            decided_by: decided_by.map(|id| people::store::person(db, id)).transpose()?.map(|p| p.name),
            proposed_by: people::store::person(db, &state.disposal.proposed_by)?.name,
            digest: super::api::digest_of(&state)?.to_string(),
            removed: Removed::all(db, number)?,
            signatures: signed::views(db, &super::record::subject(number))?,
            state,
        })
    }
}

/// `/retention/disposals/{number}`.
#[derive(Template)]
#[template(path = "keeping/disposal.html")]
pub struct DisposalPage {
    pub frame: Frame,
    pub decision: Sheet,
    pub withdrawal: Sheet,
    pub seen: Seen,
    pub verdicts: Vec<Choice>,
    pub may_decide: bool,
    pub may_withdraw: bool,
}

impl DisposalPage {
    /// The page for this reader.
    pub fn new(frame: Frame, seen: Seen, caller: &Caller, sheets: (Sheet, Sheet)) -> Self {
        let open = seen.state.is_open();
        let own = seen.state.disposal.proposed_by == caller.id;
        let verdict =
            |value: &str, key: &str| Choice { value: value.to_owned(), label: frame.w.t(key).into_owned() };
        Self {
            verdicts: vec![verdict("true", "disposal-approve"), verdict("false", "disposal-refuse")],
            may_decide: open && !own && caller.may(Permission::Decide),
            may_withdraw: open && own && caller.may(Permission::ProposeDisposal),
            decision: sheets.0,
            withdrawal: sheets.1,
            frame,
            seen,
        }
    }

    fn row(&self) -> &Disposal {
        &self.seen.state.disposal
    }

    fn tag(&self) -> Tag {
        state_tag(self.frame.w, &self.row().state)
    }

    fn gone(&self) -> bool {
        !self.seen.removed.is_empty()
    }

    fn called(&self, subject: &str) -> String {
        subjects::said(self.frame.w, subject)
    }

    fn entry_of(&self, signature: &SignatureView) -> Option<EntryLink> {
        signature.placed.as_ref().map(entry_link)
    }

    fn retention(&self, item: &Item) -> String {
        format!("/retention?subject={}", percent(&item.subject()))
    }

    fn said_of(&self, signature: &SignatureView) -> String {
        self.frame.w.t(&format!("meaning-{}", signature.meaning)).into_owned()
    }
}

fn state_tag(w: Words, state: &str) -> Tag {
    let look = match state {
        "proposed" => Look::Reading,
        "carried_out" => Look::Past,
        _ => Look::Plain,
    };
    tag(look, w.t(&format!("disposal-state-{state}")))
}

impl ListPage {
    fn tag(&self, state: &DisposalState) -> Tag {
        state_tag(self.frame.w, &state.disposal.state)
    }

    fn address(&self, state: &DisposalState) -> String {
        address(&state.disposal.number)
    }

    fn named(&self, state: &DisposalState) -> String {
        all_said(self.frame.w, state.items.iter().map(Item::subject))
    }

    fn written(&self, state: &DisposalState) -> String {
        state.items.iter().map(Item::subject).collect::<Vec<_>>().join(", ")
    }
}

impl CandidatesPage {
    fn word(&self, kind: &str) -> String {
        self.frame.w.t(&format!("disposal-kind-{kind}")).into_owned()
    }

    fn called(&self, line: &CandidateLine) -> String {
        subjects::said(self.frame.w, &line.subject)
    }

    fn chosen(&self, line: &CandidateLine) -> bool {
        self.sheet.has("subject", &line.subject)
    }

    fn retention(&self, line: &CandidateLine) -> String {
        format!("/retention?subject={}", percent(&line.subject))
    }

    fn may_send(&self) -> bool {
        self.may_propose && self.lines.iter().any(|line| line.obstacle.is_none())
    }
}
