//! What a change says of itself: who acted, on what, why, and with which signature.

use serde_json::{Map, Value, json};

use crate::ledger::acts::Act;
use crate::ledger::digest::Digest;
use crate::ledger::subject::{Snapshot, Subject};

/// Who acted. Made from a session, a token or the program itself, never from what a request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The account's id, `system` or `anonymous`.
    pub id: String,
    /// The role it acted in.
    pub role: &'static str,
    /// The entry by which the account signed in.
    pub via: Option<u64>,
    /// The request's id.
    pub request: Option<String>,
}

impl Actor {
    /// An account that acts in a role.
    pub fn account(id: impl Into<String>, role: &'static str) -> Self {
        Self { id: id.into(), role, via: None, request: None }
    }

    /// The program, because an instant has passed.
    pub fn clock() -> Self {
        Self::account("system", "clock")
    }

    /// The program, at the command line of its host.
    pub fn cli() -> Self {
        Self::account("system", "cli")
    }

    /// Nobody known.
    pub fn anonymous() -> Self {
        Self::account("anonymous", "none")
    }

    /// The same actor, in the request of this id.
    pub fn in_request(mut self, id: impl Into<String>) -> Self {
        self.request = Some(id.into());
        self
    }

    pub(super) fn to_value(&self) -> Value {
        match self.via {
            Some(via) => json!({ "id": self.id, "role": self.role, "via": via }),
            None => json!({ "id": self.id, "role": self.role }),
        }
    }
}

/// A signature's part in its entry.
#[derive(Debug, Clone)]
pub struct Sig {
    /// `authored`, `reviewed`, `approved`, …
    pub meaning: &'static str,
    /// Of what was on the screen.
    pub digest: Digest,
    /// How the person proved to be the person: `password`.
    pub method: &'static str,
}

/// What the entry is about.
#[derive(Debug, Clone)]
pub(super) enum About {
    /// No subject.
    Nothing,
    /// A subject that stays as it was: post = pre.
    Unchanged(Subject),
    /// A subject in its new state.
    State(Box<Snapshot>),
    /// What is left of a subject that goes; what it was is not repeated in `chg`.
    Tombstone(Box<Snapshot>),
}

/// An entry to append. The lane adds origin, seq, prev, instant, `obj`, `pre`, `post`, `chg` and `sealed`.
#[derive(Debug, Clone)]
pub struct NewEntry {
    pub(super) act: Act,
    pub(super) actor: Option<Actor>,
    pub(super) about: About,
    pub(super) fields: Map<String, Value>,
}

impl NewEntry {
    /// An entry of this act by this actor.
    pub fn new(act: Act, actor: &Actor) -> Self {
        Self { act, actor: Some(actor.clone()), about: About::Nothing, fields: Map::new() }
    }

    /// Entry 0 has no actor.
    pub(crate) fn without_actor(act: Act) -> Self {
        Self { act, actor: None, about: About::Nothing, fields: Map::new() }
    }

    /// The subject's new state.
    pub fn state(mut self, snapshot: Snapshot) -> Self {
        self.about = About::State(Box::new(snapshot));
        self
    }

    /// The subject goes: this is what is left of it, and its last state.
    pub fn tombstone(mut self, snapshot: Snapshot) -> Self {
        self.about = About::Tombstone(Box::new(snapshot));
        self
    }

    /// A subject that this entry does not change.
    pub fn unchanged(mut self, subject: &Subject) -> Self {
        self.about = About::Unchanged(subject.clone());
        self
    }

    /// Why, in the person's words; nothing is added for an empty reason.
    pub fn reason(self, reason: &str) -> Self {
        if reason.is_empty() { self } else { self.field("reason", reason) }
    }

    /// The signature that this entry records.
    pub fn signature(self, sig: &Sig) -> Self {
        let value = json!({
            "digest": sig.digest.to_string(), "meaning": sig.meaning, "method": sig.method,
        });
        self.field("sig", value)
    }

    /// One more body field, of those its act lists.
    pub fn field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }
}
