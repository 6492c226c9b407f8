//! The fields of a body by which entries are looked up, taken in the checking pass.

use std::borrow::Cow;

use super::walk::{Sink, walk};
use super::{ProfileError, Rule};
use crate::ledger::digest::Digest;

/// What the ledger itself reads of a body. A field is `None` where it is absent, or null where null is
/// allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BodyIndex<'a> {
    /// `act`, for example `document.version.approved`.
    pub act: Option<Cow<'a, str>>,
    /// `actor.id`.
    pub actor_id: Option<Cow<'a, str>>,
    /// `actor.role`.
    pub actor_role: Option<Cow<'a, str>>,
    /// `actor.via`, the seq of the sign-in entry.
    pub actor_via: Option<u64>,
    /// `obj.kind`.
    pub obj_kind: Option<Cow<'a, str>>,
    /// `obj.id`.
    pub obj_id: Option<Cow<'a, str>>,
    /// `obj.n`, from 1.
    pub obj_n: Option<u64>,
    /// `obj.prev`, the seq of the subject's previous entry.
    pub obj_prev: Option<u64>,
    /// Digest of the subject's snapshot before.
    pub pre: Option<Digest>,
    /// Digest of the subject's snapshot after.
    pub post: Option<Digest>,
    /// `sealed`, the commitments that the entry introduces: name and commitment.
    pub sealed: Vec<(&'a str, Digest)>,
    /// `source.sha256`, of the file that was imported.
    pub source: Option<Digest>,
}

/// Checks a body as `check` does and returns the fields the ledger itself reads.
///
/// # Errors
/// The first rule the text breaks; `Rule::Field` where one of these fields has the wrong type.
pub fn scan(bytes: &[u8]) -> Result<BodyIndex<'_>, ProfileError> {
    let mut index = BodyIndex::default();
    walk(bytes, &mut index)?;
    Ok(index)
}

impl<'a> Sink<'a> for BodyIndex<'a> {
    fn member(&mut self, parent: &'a str, key: &'a str, raw: &'a str) -> Result<(), Rule> {
        match parent {
            "" => match key {
                "act" => self.act = Some(string(raw)?),
                "actor" | "obj" | "sealed" | "source" if !raw.starts_with('{') => return Err(Rule::Field),
                "pre" => self.pre = nullable(raw, digest)?,
                "post" => self.post = nullable(raw, digest)?,
                _ => {}
            },
            "actor" => match key {
                "id" => self.actor_id = Some(string(raw)?),
                "role" => self.actor_role = Some(string(raw)?),
                "via" => self.actor_via = Some(whole(raw)?),
                _ => {}
            },
            "obj" => match key {
                "kind" => self.obj_kind = Some(string(raw)?),
                "id" => self.obj_id = Some(string(raw)?),
                "n" => self.obj_n = Some(whole(raw)?),
                "prev" => self.obj_prev = nullable(raw, whole)?,
                _ => {}
            },
            "sealed" => self.sealed.push((key, digest(raw)?)),
            "source" if key == "sha256" => self.source = Some(digest(raw)?),
            _ => {}
        }
        Ok(())
    }
}

fn nullable<T>(raw: &str, read: fn(&str) -> Result<T, Rule>) -> Result<Option<T>, Rule> {
    if raw == "null" { Ok(None) } else { read(raw).map(Some) }
}

fn whole(raw: &str) -> Result<u64, Rule> {
    raw.parse().map_err(|_| Rule::Field)
}

fn digest(raw: &str) -> Result<Digest, Rule> {
    let inner = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"'));
    inner.and_then(|hex| Digest::from_hex(hex.as_bytes())).ok_or(Rule::Field)
}

/// The string's value; borrowed where nothing in it is escaped.
fn string(raw: &str) -> Result<Cow<'_, str>, Rule> {
    let inner = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')).ok_or(Rule::Field)?;
    if !inner.as_bytes().contains(&b'\\') {
        return Ok(Cow::Borrowed(inner));
    }
    serde_json::from_str(raw).map(Cow::Owned).map_err(|_| Rule::Escape)
}
