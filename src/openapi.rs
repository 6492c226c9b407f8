//! The OpenAPI 3.1 document, made from the route table and from what `openapi/*.json` says of bodies: what is not built
//! is not in it, and a test holds every answer the tests get against it.
//!
//! Routes with a summary are for machines and stand here; pages have none. Each feature describes its own routes in
//! `openapi/<feature>.json`, found by being there: `{"operations": {"POST /path": {…}}, "schemas": {…}}`. `common.json`
//! has what features share, and the `conventions` in words. An operation says, as far as it has them:
//!
//! - `query`: the parameters of the query string, name → schema; `"required": true` inside a schema makes one required;
//! - `headers`: request headers, the same way; `request`: the schema of the JSON body, or media type → schema;
//! - `answers`: status → schema of the JSON answer, or media type → schema, or null for none; `shows`: headers of the
//!   answer, name → what it tells (`Location` of a 201 or 202 is told without);
//! - `repeats`: false where an `Idempotency-Key` has no sense;
//! - `refuses`: statuses besides those that follow from gate, path, query and body; `detail`: what else is to be said.
//!
//! Schemas are JSON Schema, shorter: where a schema may stand, `"Order"` refers to the schema of that name and
//! `"Order?"` to that or null; all properties of an object are required but those its `optional` lists; what is sent
//! here (and so takes no other field) has `"additionalProperties": false`. Bodies have `examples`, which are tested too.

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use rust_embed::RustEmbed;
use serde_json::{Map, Value, json};

use crate::app;
use crate::people::gate::{Gate, Route};

/// The document's own route.
pub fn routes() -> Vec<Route> {
    vec![Route::get("/api/v1/openapi.json", Gate::Public, "This document", || web::to(answer))]
}

async fn answer() -> HttpResponse {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    HttpResponse::Ok().json(DOCUMENT.get_or_init(document))
}

#[derive(RustEmbed)]
#[folder = "src/openapi"]
struct Fragments;

/// What each feature's file says, by the file's name.
pub fn fragments() -> Vec<(String, Value)> {
    let read = |name: std::borrow::Cow<'static, str>| {
        let file = Fragments::get(&name)?;
        let told = serde_json::from_slice(&file.data).unwrap_or_else(|error| panic!("{name}: {error}"));
        Some((name.into_owned(), told))
    };
    let mut fragments: Vec<(String, Value)> = Fragments::iter().filter_map(read).collect();
    fragments.sort_by(|a, b| a.0.cmp(&b.0));
    fragments
}

/// All that one part (`operations`, `schemas`) of the files says.
fn told(fragments: &[(String, Value)], part: &str) -> Map<String, Value> {
    let parts = fragments.iter().filter_map(|(_, told)| told[part].as_object());
    parts.flatten().map(|(name, told)| (name.clone(), told.clone())).collect()
}

/// What holds for all routes, in words.
fn conventions(fragments: &[(String, Value)]) -> &str {
    fragments.iter().find_map(|(_, told)| told["conventions"].as_str()).unwrap_or_default()
}

/// The parameters that each route takes in its query string, by its key: what is not told here is not taken.
pub fn queries() -> &'static HashMap<String, BTreeSet<String>> {
    static QUERIES: OnceLock<HashMap<String, BTreeSet<String>>> = OnceLock::new();
    QUERIES.get_or_init(|| {
        let names = |told: Value| -> BTreeSet<String> {
            told["query"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
        };
        told(&fragments(), "operations").into_iter().map(|(key, told)| (key, names(told))).collect()
    })
}

/// The document.
pub fn document() -> Value {
    let fragments = fragments();
    let operations = told(&fragments, "operations");
    let schemas: Map<String, Value> =
        told(&fragments, "schemas").iter().map(|(name, schema)| (name.clone(), expanded(schema))).collect();
    let mut paths: Map<String, Value> = Map::new();
    for route in app::routes().iter().filter(|route| !route.summary.is_empty()) {
        let path = paths.entry(plain(route.path)).or_insert_with(|| json!({}));
        let told = operations.get(&key(route)).unwrap_or(&Value::Null);
        path[route.method.as_str().to_lowercase()] = operation(route, told);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Sopledger",
            "version": env!("CARGO_PKG_VERSION"),
            "description": format!("{}.\n\n{}", env!("CARGO_PKG_DESCRIPTION"), conventions(&fragments)),
            "license": { "name": env!("CARGO_PKG_LICENSE") },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": { "Refused": {
                "description": "Refused or failed",
                "content": { "application/problem+json": { "schema": reference("Problem") } },
            } },
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "description": "From POST /login, or an API token" },
                "session": { "type": "apiKey", "in": "cookie", "name": "session", "description": "A page's; for GET alone" },
            },
        },
    })
}

/// What a file calls a route.
pub fn key(route: &Route) -> String {
    format!("{} {}", route.method, plain(route.path))
}

/// A path without the patterns of its parts: `{number:.*}` is `{number}`.
fn plain(path: &str) -> String {
    let parts =
        path.split('/').map(|part| match part.strip_prefix('{').and_then(|part| part.split_once(':')) {
            Some((name, _)) => format!("{{{name}}}"),
            None => part.to_owned(),
        });
    parts.collect::<Vec<_>>().join("/")
}

fn operation(route: &Route, told: &Value) -> Value {
    let mut operation = json!({
        "summary": route.summary,
        "operationId": operation_id(route),
        "responses": responses(route, told),
    });
    if let Some(detail) = told["detail"].as_str() {
        operation["description"] = detail.into();
    }
    let parameters = parameters(route, told);
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    match route.gate {
        Gate::Public => operation["security"] = json!([]),
        Gate::SignedIn => operation["security"] = security(&route.method),
        Gate::May(permission) => {
            operation["security"] = security(&route.method);
            let roles: Vec<&str> = permission.roles().iter().map(|role| role.code()).collect();
            operation["x-roles"] = json!(roles);
        }
    }
    if !told["request"].is_null() {
        operation["requestBody"] = json!({ "required": true, "content": content(&told["request"]) });
    }
    operation
}

fn security(method: &Method) -> Value {
    if *method == Method::GET {
        json!([{ "bearer": [] }, { "session": [] }])
    } else {
        json!([{ "bearer": [] }])
    }
}

/// A body: JSON of a schema, or what each media type has.
fn content(told: &Value) -> Value {
    match told {
        Value::Object(media) => {
            let media =
                media.iter().map(|(media, schema)| (media.clone(), json!({ "schema": expanded(schema) })));
            Value::Object(media.collect())
        }
        schema => json!({ "application/json": { "schema": expanded(schema) } }),
    }
}

fn operation_id(route: &Route) -> String {
    // Signing in has two addresses: what lies outside the API says so.
    let path = route.path.strip_prefix("/api/v1").map_or(format!("/root{}", route.path), str::to_owned);
    let parts = path.split(['/', '{', '}', '.', ':', '_', '-']).filter(|part| !part.is_empty());
    let words: Vec<&str> = parts.collect();
    format!("{}_{}", route.method.as_str().to_lowercase(), words.join("_"))
}

fn in_path(route: &Route) -> Vec<String> {
    let path = plain(route.path);
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names.map(str::to_owned).collect()
}

/// Whether an `Idempotency-Key` holds for it: it changes something for an account that is signed in, and would do so
/// again (`"repeats": false` says it would not).
fn takes_key(route: &Route, told: &Value) -> bool {
    let changes = route.method != Method::GET && route.gate != Gate::Public;
    changes && route.path.starts_with("/api/v1/") && told["repeats"] != false
}

fn parameters(route: &Route, told: &Value) -> Vec<Value> {
    let named = in_path(route).into_iter();
    let text = json!({ "type": "string" });
    let mut parameters: Vec<Value> =
        named.map(|name| json!({ "name": name, "in": "path", "required": true, "schema": text })).collect();
    for (place, told) in [("query", &told["query"]), ("header", &told["headers"])] {
        for (name, schema) in told.as_object().into_iter().flatten() {
            let mut schema = expanded(schema);
            let required = schema.as_object_mut().and_then(|schema| schema.remove("required"));
            let required = required.unwrap_or(Value::Bool(false));
            parameters.push(json!({ "name": name, "in": place, "required": required, "schema": schema }));
        }
    }
    if takes_key(route, told) {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "schema": { "type": "string", "minLength": 1, "maxLength": 128 },
        }));
    }
    parameters
}

fn responses(route: &Route, told: &Value) -> Value {
    let mut responses = Map::new();
    for (status, body) in told["answers"].as_object().into_iter().flatten() {
        let mut answer = json!({ "description": description(status) });
        if !body.is_null() {
            answer["content"] = content(body);
        }
        let mut headers = Map::new();
        if matches!(status.as_str(), "201" | "202") {
            headers.insert("Location".to_owned(), header("Where it is found"));
        }
        for (name, what) in told["shows"].as_object().into_iter().flatten() {
            headers.insert(name.clone(), header(what.as_str().unwrap_or_default()));
        }
        if !headers.is_empty() {
            answer["headers"] = headers.into();
        }
        responses.insert(status.clone(), answer);
    }
    for status in refusals(route, told) {
        let status = status.to_string();
        if !responses.contains_key(&status) {
            responses.insert(status, json!({ "$ref": "#/components/responses/Refused" }));
        }
    }
    responses.insert("default".to_owned(), json!({ "$ref": "#/components/responses/Refused" }));
    responses.into()
}

fn header(what: &str) -> Value {
    json!({ "description": what, "required": true, "schema": { "type": "string" } })
}

fn description(status: &str) -> &'static str {
    match status {
        "201" => "Made",
        "202" => "Begun; the job at Location tells how it goes",
        "204" => "Done; nothing to tell",
        _ => "Done",
    }
}

/// The statuses with which a route refuses or fails.
fn refusals(route: &Route, told: &Value) -> BTreeSet<u64> {
    let mut statuses = BTreeSet::from([500, 503]);
    match route.gate {
        Gate::Public => {}
        Gate::SignedIn => statuses.extend([401]),
        Gate::May(_) => statuses.extend([401, 403]),
    }
    if !in_path(route).is_empty() {
        statuses.extend([404]);
    }
    // Below /api/v1 a query string may hold what cannot be read, or a parameter that the route does not know.
    if told["query"].is_object() || route.path.starts_with("/api/v1/") {
        statuses.extend([400, 422]);
    }
    if !told["request"].is_null() {
        statuses.extend([400, 413, 415, 422]);
    }
    if takes_key(route, told) {
        statuses.extend([409, 422]);
    }
    statuses.extend(told["refuses"].as_array().into_iter().flatten().filter_map(Value::as_u64));
    statuses
}

/// A schema in full: names made references, `optional` made `required`.
pub fn expanded(schema: &Value) -> Value {
    match schema {
        Value::String(name) => match name.strip_suffix('?') {
            Some(name) => json!({ "oneOf": [reference(name), { "type": "null" }] }),
            None => reference(name),
        },
        Value::Object(schema) => Value::Object(schema_in_full(schema)),
        other => other.clone(),
    }
}

fn schema_in_full(schema: &Map<String, Value>) -> Map<String, Value> {
    let mut full = Map::new();
    for (word, told) in schema {
        let told = match (word.as_str(), told) {
            ("properties" | "patternProperties", Value::Object(members)) => {
                let members = members.iter().map(|(name, schema)| (name.clone(), expanded(schema)));
                Value::Object(members.collect())
            }
            ("oneOf" | "allOf" | "anyOf", Value::Array(schemas)) => schemas.iter().map(expanded).collect(),
            ("items" | "additionalProperties", schema) => expanded(schema),
            ("optional", _) => continue,
            (_, told) => told.clone(),
        };
        full.insert(word.clone(), told);
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    if let (Some(properties), None) = (properties, schema.get("required")) {
        full.insert(
            "required".to_owned(),
            required(properties, schema.get("optional").unwrap_or(&Value::Null)),
        );
    }
    full
}

fn required(properties: &Map<String, Value>, optional: &Value) -> Value {
    let optional: Vec<&str> = optional.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    properties.keys().filter(|name| !optional.contains(&name.as_str())).cloned().collect()
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}
