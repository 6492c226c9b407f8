//! The body of a page's POST: `application/x-www-form-urlencoded`, with the token that proves the page was ours.
//!
//! Types of page forms have texts with `#[serde(default)]`: reading then never fails, the checks of
//! [`super::input`] name all faults at once, and the page comes back with what was typed ([`Typed`]).

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::decode::{Source, decode};
use super::json::{read_body, require_media};
use crate::error::{Error, Kind, Result};

/// No form of ours is longer, in bytes: the text of a version fits, escaped.
pub const LONGEST: usize = 4 << 20;

/// The token a form must send back in its field `csrf`. The gate puts it into the request's extensions, also for
/// people not signed in; without it every form is refused.
#[derive(Debug, Clone)]
pub struct CsrfToken(pub String);

/// A form as it was sent: `fields` read as a `T`, and what was typed, for the page that asks again.
#[derive(Debug)]
pub struct Form<T> {
    /// The fields.
    pub fields: T,
    /// The same as text.
    pub typed: Typed,
}

/// What somebody typed, by field; passwords are never among it.
#[derive(Debug, Clone, Default)]
pub struct Typed(Vec<(String, String)>);

impl Typed {
    /// A form not yet filled, or filled from a record: pairs of field and value.
    pub fn from_pairs<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let pairs = pairs.into_iter().map(|(field, value)| (field.into(), value.into()));
        Self(pairs.filter(|(field, _)| !is_secret(field)).collect())
    }

    /// The first value of `field`; empty where there is none.
    pub fn get(&self, field: &str) -> &str {
        self.0.iter().find(|(name, _)| name == field).map_or("", |(_, value)| value.as_str())
    }

    /// All values of `field`.
    pub fn all<'a>(&'a self, field: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(name, _)| name == field).map(|(_, value)| value.as_str())
    }

    /// Whether `field` has the value `value`: for ticks and choices.
    pub fn has(&self, field: &str, value: &str) -> bool {
        self.all(field).any(|held| held == value)
    }
}

fn is_secret(field: &str) -> bool {
    field == "csrf" || field.contains("password") || matches!(field, "old" | "new" | "repeat")
}

/// Refuses a form that does not bring back the token of its page; the one place that decides it.
pub(super) fn must_be_ours(request: &HttpRequest, sent: Option<&str>) -> Result<()> {
    let token = request.extensions().get::<CsrfToken>().cloned();
    match (token, sent) {
        (Some(token), Some(sent)) if same(&token.0, sent) => Ok(()),
        _ => Err(Error::forbidden("csrf")),
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Form<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            require_media(&request, "application/x-www-form-urlencoded")?;
            let bytes = read_body(&request, payload, LONGEST).await?;
            let pairs = pairs(&bytes)?;
            let sent = pairs.iter().find(|(field, _)| field == "csrf").map(|(_, value)| value.as_str());
            must_be_ours(&request, sent)?;
            Ok(Self { fields: read(&pairs)?, typed: Typed::from_pairs(pairs) })
        })
    }
}

/// Compares in time that does not depend on where the difference is.
fn same(left: &str, right: &str) -> bool {
    let differing = left.bytes().zip(right.bytes()).fold(0, |sum, (l, r)| sum | (l ^ r));
    !left.is_empty() && left.len() == right.len() && differing == 0
}

/// Reads pairs as a `T`; a repeated field is a list.
pub(super) fn read<T: DeserializeOwned>(pairs: &[(String, String)]) -> Result<T> {
    let mut object = Map::new();
    for (field, value) in pairs.iter().filter(|(field, _)| field != "csrf") {
        match object.get_mut(field) {
            None => _ = object.insert(field.clone(), Value::from(value.as_str())),
            Some(Value::Array(values)) => values.push(value.as_str().into()),
            Some(first) => *first = Value::Array(vec![first.take(), value.as_str().into()]),
        }
    }
    decode(Value::Object(object), Source::Form)
}

/// The pairs of an urlencoded text, strictly: UTF-8, no NUL. Line ends, CR LF on the wire, become `\n`.
pub(super) fn pairs(bytes: &[u8]) -> Result<Vec<(String, String)>> {
    let parts = bytes.split(|byte| *byte == b'&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let middle = part.iter().position(|byte| *byte == b'=').unwrap_or(part.len());
            let value = part.get(middle + 1..).unwrap_or_default();
            Ok((unescaped(&part[..middle])?, unescaped(value)?.replace("\r\n", "\n")))
        })
        .collect()
}

fn unescaped(part: &[u8]) -> Result<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part;
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let escaped = digits.filter(|two| two.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match (first, escaped.and_then(|two| u8::from_str_radix(two, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            (b'%', None) => return Err(Error::new(Kind::Malformed, "malformed-form")),
            (b'+', _) => {
                bytes.push(b' ');
                rest = after;
            }
            (byte, _) => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| Error::new(Kind::Malformed, "not-utf8"))?;
    if text.contains('\0') { Err(Error::new(Kind::Malformed, "nul")) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[test]
    fn a_repeated_field_is_a_list_and_line_ends_are_ours() {
        #[derive(Deserialize)]
        struct Fields {
            pick: Vec<String>,
            #[serde(default)]
            none: Vec<String>,
            why: String,
        }
        let pairs = pairs(b"csrf=x&pick=a&pick=%E6%89%B9&why=one%0D%0Atwo+three&").unwrap();
        let fields: Fields = read(&pairs).unwrap();
        assert_eq!(fields.pick, ["a", "批"]);
        assert_eq!((fields.why.as_str(), fields.none.len()), ("one\ntwo three", 0));
    }

    #[test]
    fn broken_escapes_broken_utf8_and_nul_are_malformed() {
        for (bytes, code) in
            [("a=%", "malformed-form"), ("a=%+1", "malformed-form"), ("a=%ff", "not-utf8"), ("a=%00", "nul")]
        {
            assert_eq!(pairs(bytes.as_bytes()).unwrap_err().code(), code, "{bytes}");
        }
    }

    #[test]
    fn what_was_typed_is_kept_but_never_a_password() {
        let typed =
            Typed::from_pairs([("title", "t"), ("password", "secret"), ("csrf", "token"), ("pick", "a")]);
        assert_eq!((typed.get("title"), typed.get("password"), typed.get("csrf")), ("t", "", ""));
        assert!(typed.has("pick", "a") && !typed.has("pick", "b"));
    }

    #[test]
    fn an_empty_token_proves_nothing() {
        assert!(same("abc", "abc"));
        assert!(!same("", "") && !same("abc", "abd") && !same("abc", "ab"));
    }
}
