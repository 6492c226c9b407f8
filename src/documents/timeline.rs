//! Time decides what is in force: the states a person is shown, computed from what is stored and an instant.
//!
//! A version's beginning is stored once, at its last approval; its end never is: it is the next one's beginning or the
//! document's retirement. So there is no instant with two versions in force and none without one by accident, and what
//! held at a past instant is the same question with another instant. Pure.

use super::number::VersionNumber;
use super::record::{Stored, Version};
use crate::time::Timestamp;

/// The state of a version at an instant, as contract.md names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Being written.
    Draft,
    /// Submitted, signatures are given.
    InReview,
    /// Approved, its beginning is still to come.
    Awaiting,
    /// What is to be followed.
    InForce,
    /// Followed until a later version began.
    Superseded,
    /// Followed until the document was retired.
    Retired,
    /// Called off before it began.
    Cancelled,
    /// A draft that was given up.
    Abandoned,
}

impl State {
    /// All states, in the order of a version's life.
    pub const ALL: [Self; 8] = [
        Self::Draft,
        Self::InReview,
        Self::Awaiting,
        Self::InForce,
        Self::Superseded,
        Self::Retired,
        Self::Cancelled,
        Self::Abandoned,
    ];

    /// The state's code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::InReview => "in_review",
            Self::Awaiting => "awaiting",
            Self::InForce => "in_force",
            Self::Superseded => "superseded",
            Self::Retired => "retired",
            Self::Cancelled => "cancelled",
            Self::Abandoned => "abandoned",
        }
    }

    /// The state of this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// The versions of one document beside its retirement.
#[derive(Debug, Clone, Copy)]
pub struct Timeline<'a> {
    versions: &'a [Version],
    retired_from: Option<Timestamp>,
}

/// What orders approved versions: beginning, then approval.
type Place = (Timestamp, Option<Timestamp>, VersionNumber);

impl<'a> Timeline<'a> {
    /// All versions of a document, in any order, and the instant from which it is retired.
    pub const fn new(versions: &'a [Version], retired_from: Option<Timestamp>) -> Self {
        Self { versions, retired_from }
    }

    /// The version in force at `at`.
    pub fn in_force(&self, at: Timestamp) -> Option<&'a Version> {
        if self.retired_from.is_some_and(|retired| retired <= at) {
            return None;
        }
        self.versions
            .iter()
            .filter(|version| begun(version).is_some_and(|(from, ..)| from <= at))
            .max_by_key(|v| begun(v))
    }

    /// When a version ceases to be in force, as far as is known now; none for one never approved or with no end.
    pub fn until(&self, version: &Version) -> Option<Timestamp> {
        let own = begun(version)?;
        let next =
            self.versions.iter().filter_map(begun).filter(|place| *place > own).min().map(|(from, ..)| from);
        match (next, self.retired_from) {
            (Some(next), Some(retired)) => Some(next.min(retired.max(own.0))),
            (next, retired) => next.or(retired.map(|retired| retired.max(own.0))),
        }
    }

    /// The state of a version at `at`.
    pub fn state(&self, version: &Version, at: Timestamp) -> State {
        match version.stored() {
            Stored::Draft => State::Draft,
            Stored::InReview => State::InReview,
            Stored::Cancelled => State::Cancelled,
            Stored::Abandoned => State::Abandoned,
            Stored::Approved => self.state_of_approved(version, at),
        }
    }

    fn state_of_approved(&self, version: &Version, at: Timestamp) -> State {
        let Some((from, ..)) = begun(version) else { return State::Awaiting };
        let never = self.retired_from.is_some_and(|retired| retired <= from);
        match self.until(version) {
            _ if never => State::Retired,
            _ if at < from => State::Awaiting,
            Some(end) if end <= at && Some(end) == self.retired_from => State::Retired,
            Some(end) if end <= at => State::Superseded,
            _ => State::InForce,
        }
    }

    /// The latest beginning of all approved versions: a further one may not begin before it.
    pub fn latest_beginning(&self) -> Option<Timestamp> {
        self.versions.iter().filter_map(begun).map(|(from, ..)| from).max()
    }

    /// The version that is still being made: draft or in review.
    pub fn open(&self) -> Option<&'a Version> {
        self.versions.iter().find(|version| matches!(version.stored(), Stored::Draft | Stored::InReview))
    }

    /// The version that speaks for the document at `at`: the one in force, else the newest that was not given up.
    pub fn foremost(&self, at: Timestamp) -> Option<&'a Version> {
        let stands = |version: &&Version| !matches!(version.stored(), Stored::Cancelled | Stored::Abandoned);
        let newest = || self.versions.iter().filter(stands).max_by_key(|version| version.number());
        self.in_force(at).or_else(newest)
    }
}

fn begun(version: &Version) -> Option<Place> {
    match (version.stored(), version.effective_from) {
        (Stored::Approved, Some(from)) => Some((from, version.approved_at, version.number())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(major: i64, stored: Stored, from: Option<i64>) -> Version {
        Version {
            document: "SOP-CS-001".into(),
            version: format!("{major}.0"),
            major,
            minor: 0,
            state: stored.code().into(),
            title: "{}".into(),
            processes: "[]".into(),
            audience: "[]".into(),
            review_months: 24,
            change_summary: String::new(),
            change_reason: String::new(),
            round: 1,
            asked_from: None,
            effective_from: from.map(Timestamp),
            digest: String::new(),
            created_at: Timestamp(0),
            created_by: "u-1".into(),
            submitted_at: None,
            approved_at: from.map(|_| Timestamp(major)),
            ended_at: None,
            ended_by: None,
            ended_reason: None,
        }
    }

    #[test]
    fn the_state_follows_the_clock() {
        let versions = [
            version(1, Stored::Approved, Some(100)),
            version(2, Stored::Approved, Some(200)),
            version(3, Stored::Cancelled, Some(300)),
            version(4, Stored::Draft, None),
        ];
        let whole = Timeline::new(&versions, Some(Timestamp(400)));
        for (at, states, in_force) in [
            (99, [State::Awaiting, State::Awaiting], None),
            (100, [State::InForce, State::Awaiting], Some("1.0")),
            (199, [State::InForce, State::Awaiting], Some("1.0")),
            (200, [State::Superseded, State::InForce], Some("2.0")),
            (399, [State::Superseded, State::InForce], Some("2.0")),
            (400, [State::Superseded, State::Retired], None),
        ] {
            let at = Timestamp(at);
            assert_eq!([0, 1].map(|index| whole.state(&versions[index], at)), states, "{at:?}");
            assert_eq!(whole.in_force(at).map(|version| version.version.as_str()), in_force, "{at:?}");
        }
        assert_eq!(whole.state(&versions[2], Timestamp(500)), State::Cancelled);
        assert_eq!(whole.state(&versions[3], Timestamp(500)), State::Draft);
        assert_eq!(whole.until(&versions[0]), Some(Timestamp(200)));
        assert_eq!(whole.until(&versions[1]), Some(Timestamp(400)));
    }

    #[test]
    fn a_version_that_would_begin_after_the_retirement_never_holds() {
        let versions = [version(1, Stored::Approved, Some(100)), version(2, Stored::Approved, Some(300))];
        let whole = Timeline::new(&versions, Some(Timestamp(200)));
        assert_eq!(whole.state(&versions[1], Timestamp(150)), State::Retired);
        assert_eq!(whole.in_force(Timestamp(350)).map(|version| &version.version), None);
        assert_eq!(whole.until(&versions[0]), Some(Timestamp(200)));
    }

    proptest! {
        #[test]
        fn at_every_instant_at_most_one_version_is_in_force(
            from in proptest::collection::vec(0_i64..30, 0..6),
            retired in proptest::option::of(0_i64..40),
            at in 0_i64..50,
        ) {
            let versions: Vec<_> =
                from.iter().zip(1..).map(|(from, major)| version(major, Stored::Approved, Some(*from))).collect();
            let whole = Timeline::new(&versions, retired.map(Timestamp));
            let at = Timestamp(at);
            let holding: Vec<_> =
                versions.iter().filter(|version| whole.state(version, at) == State::InForce).collect();
            prop_assert!(holding.len() <= 1);
            prop_assert_eq!(holding.first().map(|v| v.major), whole.in_force(at).map(|v| v.major));
            let begun = versions.iter().any(|version| version.effective_from <= Some(at));
            let over = retired.is_some_and(|retired| retired <= at.0);
            prop_assert_eq!(holding.len() == 1, begun && !over);
        }
    }
}
