//! Whether a record may go: the rule that kept it, and what still stands in the way.

use crate::error::{Error, FieldError, Kind, Result};
use crate::keeping::keepers::{Aged, Disposer, Keeping, Now};
use crate::keeping::store as holds;
use crate::ledger::tombstone;
use crate::records::retention::{self, Anchor, Rule, Until};
use crate::store::Db;
use crate::time::Timestamp;

/// A record as it was named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// Of a kind that is disposed of.
    pub kind: &'static str,
    /// Its number.
    pub id: String,
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind, self.id)
    }
}

/// A record whose time is over: by which row, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// Which record.
    pub named: Named,
    /// The row that kept it longest.
    pub rule: &'static Rule,
    /// Until when.
    pub retain_until: Timestamp,
}

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// Records of its kind are not disposed of.
    Kind,
    /// There is none of this number.
    Unknown,
    /// It is named twice.
    Twice,
    /// It is gone already: when, and by which disposal.
    Disposed(String, String),
    /// Its time has not ended.
    Kept(&'static Rule, Timestamp),
    /// Its time has not begun, or never ends.
    Open(Option<&'static Rule>),
    /// It is kept for ever.
    Permanent(Option<&'static Rule>),
    /// No row is for it: nothing says that it may go.
    NoRule,
    /// A legal hold keeps it.
    Held,
    /// Something of it is not finished.
    Unfinished,
    /// Another proposal names it.
    Proposed(String),
    /// Records that stay speak of it.
    Cited(Vec<String>),
    /// It is not as it was when it was proposed.
    Changed,
}

impl Obstacle {
    /// A word for machines.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Kind => "not-disposed-of",
            Self::Unknown => "unknown-subject",
            Self::Twice => "named-twice",
            Self::Disposed(..) => "disposed-before",
            Self::Kept(..) => "kept-until",
            Self::Open(_) => "kept-open",
            Self::Permanent(_) => "kept-permanent",
            Self::NoRule => "kept-no-rule",
            Self::Held => "kept-held",
            Self::Unfinished => "kept-unfinished",
            Self::Proposed(_) => "proposed-before",
            Self::Cited(_) => "kept-cited",
            Self::Changed => "changed-since",
        }
    }

    /// As a fault of a request's field.
    pub fn fault(&self, field: String, subject: &str, now: Now) -> FieldError {
        let ruled = |rule: Option<&Rule>| {
            let of = |part: fn(&Rule) -> &str| rule.map(part).unwrap_or_default().to_owned();
            [("rule", of(|rule| rule.id.as_str())), ("clause", of(|rule| rule.source.clause.as_str()))]
        };
        let mut args = vec![("subject", subject.to_owned())];
        match self {
            Self::Kept(rule, until) => {
                args.extend(ruled(Some(rule)));
                args.push(("until", until.date_in(now.zone).to_string()));
            }
            Self::Open(rule) | Self::Permanent(rule) => args.extend(ruled(*rule)),
            Self::Disposed(on, disposal) => {
                args.extend([("on", on.clone()), ("disposal", disposal.clone())]);
            }
            Self::Proposed(disposal) => args.push(("disposal", disposal.clone())),
            Self::Cited(by) => args.push(("by", by.join(", "))),
            _ => {}
        }
        FieldError { field, code: self.code(), args }
    }
}

impl Keeping {
    /// How records of this kind go, where a person may name them.
    pub fn disposer(&self, kind: &str) -> Option<&'static Disposer> {
        let kept = self.keepers.0.iter().any(|keeper| keeper.kind == kind);
        self.disposers.iter().find(|disposer| kept && disposer.kind == kind)
    }

    /// Reads `kind/number`.
    fn named(&self, subject: &str) -> Result<Named, Obstacle> {
        let (kind, id) = subject.split_once('/').ok_or(Obstacle::Unknown)?;
        match self.disposer(kind) {
            Some(disposer) => Ok(Named { kind: disposer.kind, id: id.to_owned() }),
            None if self.keepers.0.iter().any(|keeper| keeper.kind == kind) => Err(Obstacle::Kind),
            None => Err(Obstacle::Unknown),
        }
    }

    /// Since when a record's time is over.
    fn time_over(&self, db: &mut Db, named: &Named, now: Now) -> Result<Result<Ground, Obstacle>> {
        let (kind, id) = (named.kind, named.id.as_str());
        if let Some(gone) = tombstone::find(db, kind, id)? {
            return Ok(Err(Obstacle::Disposed(gone.disposed_on, gone.disposal)));
        }
        let kept = match self.keepers.kept(db, (kind, id), now) {
            Ok(kept) => kept,
            Err(error) if error.kind() == Kind::NotFound => return Ok(Err(Obstacle::Unknown)),
            Err(error) => return Err(error),
        };
        Ok(match (kept.until, kept.rule) {
            (Until::At(retain_until), Some(rule)) if kept.until.has_passed(now.at) => {
                Ok(Ground { named: named.clone(), rule, retain_until })
            }
            (Until::At(until), Some(rule)) => Err(Obstacle::Kept(rule, until)),
            (Until::Open, rule) => Err(Obstacle::Open(rule)),
            (Until::Permanent, rule) => Err(Obstacle::Permanent(rule)),
            (Until::Free, _) | (Until::At(_), None) => Err(Obstacle::NoRule),
        })
    }

    /// What besides its time keeps a record, `others` going together with it; `proposal` is the disposal that asks.
    fn still_kept(
        &self,
        db: &mut Db,
        named: &Named,
        (others, proposal): (&[Named], Option<&str>),
    ) -> Result<Option<Obstacle>> {
        let of = (named.kind, named.id.as_str());
        if holds::is_held(db, of.0, of.1)? {
            return Ok(Some(Obstacle::Held));
        }
        if let Some(disposer) = self.disposer(named.kind)
            && (disposer.is_open)(db, &named.id)?
        {
            return Ok(Some(Obstacle::Unfinished));
        }
        let waiting = super::store::open_for(db, of)?;
        if let Some(number) = waiting.filter(|number| Some(number.as_str()) != proposal) {
            return Ok(Some(Obstacle::Proposed(number)));
        }
        let mut citing = Vec::new();
        for disposer in self.disposers {
            citing.extend((disposer.citing)(db, of)?);
        }
        citing.retain(|subject| !others.iter().any(|other| other.to_string() == *subject));
        citing.sort();
        citing.dedup();
        Ok((!citing.is_empty()).then_some(Obstacle::Cited(citing)))
    }

    /// Whether all of these records may go together; `proposal` is the disposal that names them already.
    ///
    /// # Errors
    /// 422 with one fault for each that may not.
    pub fn grounds(
        &self,
        db: &mut Db,
        subjects: &[String],
        proposal: Option<&str>,
        now: Now,
    ) -> Result<Vec<Ground>> {
        let named: Vec<Result<Named, Obstacle>> =
            subjects.iter().map(|subject| self.named(subject)).collect();
        let together: Vec<Named> = named.iter().flatten().cloned().collect();
        let (mut grounds, mut refusal) = (Vec::new(), Error::new(Kind::Invalid, "invalid"));
        for (place, (subject, named)) in subjects.iter().zip(named).enumerate() {
            let found = match named {
                Err(obstacle) => Err(obstacle),
                Ok(named) if together.iter().filter(|other| **other == named).count() > 1 => {
                    Err(Obstacle::Twice)
                }
                Ok(named) => self.ground(db, &named, (&together, proposal), now)?,
            };
            match found {
                Ok(ground) => grounds.push(ground),
                Err(obstacle) => {
                    let fault = obstacle.fault(format!("subjects[{place}]"), subject, now);
                    refusal = refusal.field_with(fault);
                }
            }
        }
        if refusal.fields().is_empty() { Ok(grounds) } else { Err(refusal) }
    }

    /// On which ground one record may go, or what stands in the way.
    fn ground(
        &self,
        db: &mut Db,
        named: &Named,
        (others, proposal): (&[Named], Option<&str>),
        now: Now,
    ) -> Result<Result<Ground, Obstacle>> {
        let ground = match self.time_over(db, named, now)? {
            Ok(ground) => ground,
            Err(obstacle) => return Ok(Err(obstacle)),
        };
        Ok(self.still_kept(db, named, (others, proposal))?.map_or(Ok(ground), Err))
    }

    /// What stands in the way of one record by itself; its ground where nothing does.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn look(&self, db: &mut Db, subject: &str, now: Now) -> Result<Result<Ground, Obstacle>> {
        match self.named(subject) {
            Ok(named) => self.ground(db, &named, (&[], None), now),
            Err(obstacle) => Ok(Err(obstacle)),
        }
    }
}

/// A record whose time is over, with what keeps it all the same.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// By which row, since when.
    pub ground: Ground,
    /// What stands in the way; none where it may be proposed.
    pub obstacle: Option<Obstacle>,
}

/// A place in the order of age, for a cursor.
pub type Place = (i64, String);

impl Keeping {
    /// The records of a kind whose time is over, the oldest first, looked for among the next `limit` by age; and where
    /// to go on.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn candidates(
        &self,
        db: &mut Db,
        (disposer, now): (&Disposer, Now),
        after: Option<Place>,
        limit: i64,
    ) -> Result<(Vec<Candidate>, Option<Place>)> {
        let after = after.map(|(at, id)| (Timestamp(at), id));
        let before = oldest_possible(disposer.kind, now.at);
        let mut aged = (disposer.aged)(db, Aged { before, after, limit: limit + 1 })?;
        let more = i64::try_from(aged.len()).unwrap_or(i64::MAX) > limit;
        aged.truncate(usize::try_from(limit).unwrap_or_default());
        let next = aged.last().filter(|_| more).map(|(at, id)| (at.0, id.clone()));
        let mut found = Vec::new();
        for (_, id) in aged {
            let named = Named { kind: disposer.kind, id };
            if let Ok(ground) = self.time_over(db, &named, now)? {
                let obstacle = self.still_kept(db, &named, (&[], None))?;
                found.push(Candidate { ground, obstacle });
            }
        }
        Ok((found, next))
    }
}

/// Before which instant a record's last one must lie, so that its time can be over: the longest of the rows that count
/// from the record itself. An instant may be a day off for its zone, never too early.
fn oldest_possible(record: &str, now: Timestamp) -> Timestamp {
    const DAY: i64 = 24 * 3600;
    let own = retention::all().iter().filter(|rule| {
        rule.records.iter().any(|kind| kind == record)
            && rule.anchor != Anchor::Expiry
            && rule.source.effective_to.is_none()
    });
    let months = own.map(|rule| rule.years * 12 + rule.months).max().unwrap_or_default();
    // No month is shorter than 28 days.
    now.plus_seconds(DAY - i64::from(months) * 28 * DAY)
}
