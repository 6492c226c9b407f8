//! The body of an API request: JSON, read strictly.
//!
//! Too large is 413, another media type 415; broken UTF-8, broken JSON, a key twice in one object or a NUL in a text
//! is 400; what can be read but does not fit the type is 422 with the field's path.

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use futures_util::StreamExt;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::decode::{Source, decode};
use crate::error::{Error, Kind, Result};

/// No JSON body of ours is longer, in bytes.
pub const LONGEST: usize = 4 << 20;

/// The body of a request, as a `T`. Types carry `#[serde(deny_unknown_fields)]`.
#[derive(Debug)]
pub struct Body<T>(pub T);

/// SHA-256 of method, path and body: what an idempotency key is held against. Found in the request's extensions once
/// [`Body`] or [`super::form::Form`] has read the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestDigest(pub [u8; 32]);

impl RequestDigest {
    /// The digest of one request; `body` is the bytes as they came.
    pub fn of(method: &str, path: &str, body: &[u8]) -> Self {
        let mut digest = Sha256::new();
        for part in [method.as_bytes(), path.as_bytes()] {
            digest.update(part);
            digest.update(b"\n");
        }
        digest.update(body);
        Self(digest.finalize().into())
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            require_media(&request, "application/json")?;
            let bytes = read_body(&request, payload, LONGEST).await?;
            Ok(Self(parse(&bytes)?))
        })
    }
}

/// Reads `bytes` as a `T`, as strictly as the extractor does.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::new(Kind::Malformed, "not-utf8"))?;
    decode(strict(text)?, Source::Json)
}

/// 415 unless the request's media type is `wanted`, whatever its parameters.
pub(super) fn require_media(request: &HttpRequest, wanted: &'static str) -> Result<()> {
    let media = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    Err(Error::new(Kind::Unsupported, "unsupported-media").arg("wanted", wanted))
}

/// The whole body, at most `most` bytes (413), its digest noted in the request's extensions.
pub async fn read_body(request: &HttpRequest, payload: Payload, most: usize) -> Result<web::Bytes> {
    let too_large = || Error::new(Kind::TooLarge, "too-large").arg("most", most.to_string());
    let announced = request.headers().get(actix_web::http::header::CONTENT_LENGTH);
    let announced =
        announced.and_then(|value| value.to_str().ok()).and_then(|value| value.parse::<usize>().ok());
    if announced.is_some_and(|length| length > most) {
        return Err(too_large());
    }
    let mut payload = payload;
    let mut body = web::BytesMut::with_capacity(announced.unwrap_or_default());
    while let Some(chunk) = payload.next().await {
        let chunk =
            chunk.map_err(|error| Error::new(Kind::Malformed, "broken-off").caused_by(error.to_string()))?;
        if body.len() + chunk.len() > most {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    let digest = RequestDigest::of(request.method().as_str(), request.path(), &body);
    request.extensions_mut().insert(digest);
    Ok(body.freeze())
}

/// Words serde_json carries from the visitor to [`strict`]; never shown.
const TWICE: &str = "key twice";
const NUL: &str = "NUL in a text";

fn strict(text: &str) -> Result<Value> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| {
        let words = error.to_string();
        let code = match () {
            () if words.starts_with(TWICE) => "duplicate-key",
            () if words.starts_with(NUL) => "nul",
            () => "malformed-json",
        };
        let place = |n: usize| n.to_string();
        Error::new(Kind::Malformed, code)
            .arg("line", place(error.line()))
            .arg("column", place(error.column()))
    })
}

/// Builds a value, refusing what serde_json lets through: a key twice, a NUL.
#[derive(Clone, Copy)]
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        without_nul(value)?;
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        let mut seen = HashSet::new();
        while let Some(key) = members.next_key::<String>()? {
            without_nul(&key)?;
            if !seen.insert(key.clone()) {
                return Err(serde::de::Error::custom(TWICE));
            }
            object.insert(key, members.next_value_seed(self)?);
        }
        Ok(Value::Object(object))
    }
}

fn without_nul<E: serde::de::Error>(text: &str) -> Result<(), E> {
    if text.contains('\0') { Err(E::custom(NUL)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_malformed() {
        let cases: [(&[u8], &str); 7] = [
            (b"", "malformed-json"),
            (b"{", "malformed-json"),
            (b"{} x", "malformed-json"),
            (br#"{"a":1,"a":2}"#, "duplicate-key"),
            (br#"[{"b":{"a":1,"a":1}}]"#, "duplicate-key"),
            (br#"{"a":"x\u0000y"}"#, "nul"),
            (b"{\"a\":\"\xff\"}", "not-utf8"),
        ];
        for (bytes, code) in cases {
            let error = parse::<Value>(bytes).unwrap_err();
            assert_eq!((error.kind(), error.code()), (Kind::Malformed, code), "{bytes:?}");
        }
    }

    #[test]
    fn a_lone_surrogate_is_malformed_and_deep_nesting_does_not_end_the_program() {
        assert_eq!(parse::<Value>(br#""\ud800""#).unwrap_err().code(), "malformed-json");
        let deep = "[".repeat(100_000);
        assert_eq!(parse::<Value>(deep.as_bytes()).unwrap_err().code(), "malformed-json");
    }

    #[test]
    fn the_digest_tells_method_path_and_body_apart() {
        let digests = [("POST", "/a", "b"), ("POST", "/ab", ""), ("PUT", "/a", "b"), ("POST", "/a", "c")]
            .map(|(method, path, body)| RequestDigest::of(method, path, body.as_bytes()).0);
        assert_eq!(HashSet::from(digests).len(), 4);
    }
}
