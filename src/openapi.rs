//! The OpenAPI 3.1 document, made from the route table: what is not built is not in it.
//!
//! Routes with a summary are for machines and stand here; pages have none. `openapi/bodies.json` describes what
//! goes in and comes out where it is described: each entry names a route by method and path, and a test holds them
//! against the table.

use std::sync::OnceLock;

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
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

/// What the bodies file says: `{bodies: {"POST /path": {request?, status?, response?}}, schemas: {…}}`.
pub fn described() -> Value {
    serde_json::from_str(include_str!("openapi/bodies.json"))
        .expect("the file is part of the program and a test reads it")
}

/// The document.
pub fn document() -> Value {
    let described = described();
    let mut paths: Map<String, Value> = Map::new();
    for route in app::routes().iter().filter(|route| !route.summary.is_empty()) {
        let path = paths.entry(plain(route.path)).or_insert_with(|| json!({}));
        let key = format!("{} {}", route.method, route.path);
        path[route.method.as_str().to_lowercase()] = operation(route, &described["bodies"][key]);
    }
    let mut schemas = described["schemas"].clone();
    schemas["Problem"] = problem();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Sopledger",
            "version": env!("CARGO_PKG_VERSION"),
            "description": env!("CARGO_PKG_DESCRIPTION"),
            "license": { "name": env!("CARGO_PKG_LICENSE") },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "description": "From POST /login, or an API token" },
                "session": { "type": "apiKey", "in": "cookie", "name": "session", "description": "A page's; for GET alone" },
            },
        },
    })
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

fn operation(route: &Route, described: &Value) -> Value {
    let mut operation = json!({
        "summary": route.summary,
        "operationId": operation_id(route),
        "responses": responses(route, described),
    });
    let parameters = parameters(route);
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
    if let Some(schema) = described["request"].as_str() {
        operation["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": reference(schema) } },
        });
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

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

fn operation_id(route: &Route) -> String {
    // Signing in has two addresses: what lies outside the API says so.
    let path = route.path.strip_prefix("/api/v1").map_or(format!("/root{}", route.path), str::to_owned);
    let parts = path.split(['/', '{', '}', '.', ':', '_', '-']).filter(|part| !part.is_empty());
    let words: Vec<&str> = parts.collect();
    format!("{}_{}", route.method.as_str().to_lowercase(), words.join("_"))
}

fn parameters(route: &Route) -> Vec<Value> {
    let path = plain(route.path);
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = names
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    if route.method != Method::GET && route.path.starts_with("/api/v1/") && route.gate != Gate::Public {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "schema": { "type": "string", "minLength": 1, "maxLength": 128 },
        }));
    }
    parameters
}

fn responses(route: &Route, described: &Value) -> Value {
    let status = described["status"].as_str().unwrap_or("2XX");
    let mut answer = json!({ "description": "Done" });
    if let Some(schema) = described["response"].as_str() {
        answer["content"] = json!({ "application/json": { "schema": reference(schema) } });
    }
    let refused = json!({
        "description": "Refused or failed",
        "content": { "application/problem+json": { "schema": reference("Problem") } },
    });
    let mut responses = json!({ status: answer });
    let refusals: &[&str] = match route.gate {
        Gate::Public => &["4XX", "5XX"],
        Gate::SignedIn => &["401", "4XX", "5XX"],
        Gate::May(_) => &["401", "403", "4XX", "5XX"],
    };
    for status in refusals {
        responses[status] = refused.clone();
    }
    responses
}

/// RFC 9457, as every refusal is told.
fn problem() -> Value {
    json!({
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string", "description": "Stable, ends in the code of the refusal" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string" },
            "instance": { "type": "string" },
            "errors": { "type": "array", "items": {
                "type": "object", "required": ["field", "message"],
                "properties": { "field": { "type": "string" }, "message": { "type": "string" } },
            } },
        },
    })
}
