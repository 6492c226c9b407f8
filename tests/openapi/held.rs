//! Holds every answer the tests get over HTTP against the document: its status is named, its headers are there, its
//! body is of the schema; and a request that was accepted had nothing the document does not describe.

use std::sync::OnceLock;

use serde_json::Value;
use sopledger::openapi;

use super::schema::Schemas;
use crate::house::Answer;

/// What was sent.
pub struct Sent<'a> {
    /// GET, POST, …
    pub method: &'a str,
    /// With the query string.
    pub path: &'a str,
    /// The media type, empty where none was told.
    pub media: &'a str,
    /// The bytes.
    pub body: &'a [u8],
}

fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(openapi::document)
}

/// Panics where the document says otherwise.
#[track_caller]
pub fn hold(sent: &Sent<'_>, answer: &Answer) {
    let path = sent.path.split('?').next().unwrap_or_default();
    let method = if sent.method == "HEAD" { "get".to_owned() } else { sent.method.to_lowercase() };
    let Some(methods) = described(path) else {
        let unknown = !path.starts_with("/api/") || answer.status == 404;
        assert!(unknown, "{method} {path} is not described and answers {}", answer.status);
        return;
    };
    let operation = &methods[&method];
    if operation.is_null() {
        let other = !path.starts_with("/api/") || answer.status == 405;
        assert!(other, "{method} {path} is not described and answers {}", answer.status);
        return;
    }
    let is_form = sent.media.starts_with("application/x-www-form-urlencoded");
    if is_form && !path.starts_with("/api/") {
        return;
    }
    let place = format!("{method} {} answers {}", sent.path, answer.status);
    hold_answer(operation, answer, (&place, sent.method == "HEAD"));
    if answer.status < 300 {
        hold_request(operation, sent, &place);
    }
}

/// The methods of the path that is meant; a path without parameters is meant before one with.
fn described(path: &str) -> Option<&'static Value> {
    let paths = document()["paths"].as_object().unwrap();
    paths.get(path).or_else(|| paths.iter().find(|(pattern, _)| fits(pattern, path)).map(|(_, told)| told))
}

fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
    let same =
        |(wanted, part): (&&str, &&str)| wanted == part || (wanted.starts_with('{') && !part.is_empty());
    pattern.len() == path.len() && pattern.iter().zip(&path).all(same)
}

fn hold_answer(operation: &Value, answer: &Answer, (place, head): (&str, bool)) {
    let schemas = Schemas(document());
    let told = &operation["responses"][answer.status.to_string()];
    assert!(!told.is_null(), "{place}, which is not described: {}", answer.text);
    let told = schemas.resolved(told);
    for name in told["headers"].as_object().into_iter().flat_map(|headers| headers.keys()) {
        assert!(answer.header(name).is_some(), "{place} without {name}");
    }
    let Some(content) = told["content"].as_object() else {
        assert!(answer.text.is_empty(), "{place} with {}", answer.text);
        return;
    };
    let media = answer.header("content-type").unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default();
    let told = content.get(media).unwrap_or_else(|| panic!("{place} as {media}, which is not described"));
    if head || !media.ends_with("json") || media == "application/x-ndjson" {
        return;
    }
    let faults = schemas.faults(&told["schema"], &answer.json());
    assert!(faults.is_empty(), "{place}: {faults:#?}");
}

fn hold_request(operation: &Value, sent: &Sent<'_>, place: &str) {
    let query = sent.path.split_once('?').map(|(_, query)| query).unwrap_or_default();
    for name in query.split('&').filter_map(|pair| pair.split('=').next()).filter(|name| !name.is_empty()) {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let mut named = parameters.filter(|told| told["in"] == "query" && told["name"] == name);
        assert!(named.next().is_some(), "{place}, and takes {name}, which is not described");
    }
    if !sent.media.starts_with("application/json") {
        return;
    }
    let Ok(body) = serde_json::from_slice::<Value>(sent.body) else { return };
    let told = &operation["requestBody"]["content"]["application/json"]["schema"];
    assert!(
        !told.is_null() || body == serde_json::json!({}),
        "{place}, and takes a body that is not described"
    );
    if told.is_null() {
        return;
    }
    let faults = Schemas(document()).faults(told, &body);
    assert!(faults.is_empty(), "{place}, and takes what is not described: {faults:#?}");
}
