//! The OpenAPI document against the routes that really exist.

use std::collections::BTreeSet;

mod crawl;
pub mod held;
mod probes;
mod schema;

use serde_json::Value;
use sopledger::people::gate::Gate;
use sopledger::{app, openapi};

use crate::house::House;
use schema::Schemas;

/// All operations, each by its method and path.
fn all(document: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            found.push((format!("{} {path}", method.to_uppercase()), operation));
        }
    }
    found
}

/// The first example of a schema.
pub fn example(schema: &str) -> Value {
    openapi::document()["components"]["schemas"][schema]["examples"][0].clone()
}

#[test]
fn the_document_names_every_route_for_machines_and_no_other() {
    let routes: BTreeSet<String> =
        app::routes().iter().filter(|route| !route.summary.is_empty()).map(openapi::key).collect();
    let document = openapi::document();
    assert_eq!(all(&document).into_iter().map(|(place, _)| place).collect::<BTreeSet<_>>(), routes);
}

#[test]
fn every_route_of_the_api_is_for_machines() {
    for route in app::routes().iter().filter(|route| route.path.starts_with("/api/")) {
        assert!(!route.summary.is_empty(), "{} {} has no summary", route.method, route.path);
    }
}

#[test]
fn operation_ids_are_unique_and_every_part_of_a_path_is_a_parameter() {
    let document = openapi::document();
    let mut ids = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for operation in methods.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} twice");
            let none = Vec::new();
            let parameters = operation["parameters"].as_array().unwrap_or(&none);
            let named = parameters.iter().filter(|parameter| parameter["in"] == "path").count();
            assert_eq!(named, path.matches('{').count(), "{path}");
        }
    }
}

#[test]
fn every_description_belongs_to_a_route_and_stands_once() {
    let routes: BTreeSet<String> =
        app::routes().iter().filter(|route| !route.summary.is_empty()).map(openapi::key).collect();
    let (mut operations, mut schemas) = (BTreeSet::new(), BTreeSet::new());
    for (file, told) in openapi::fragments() {
        for operation in told["operations"].as_object().into_iter().flat_map(|told| told.keys()) {
            assert!(routes.contains(operation), "{file}: {operation} is no route for machines");
            assert!(operations.insert(operation.clone()), "{file}: {operation} is described twice");
        }
        for schema in told["schemas"].as_object().into_iter().flat_map(|told| told.keys()) {
            assert!(schemas.insert(schema.clone()), "{file}: {schema} is described twice");
        }
    }
    let silent: Vec<&String> = routes.difference(&operations).collect();
    assert!(silent.is_empty(), "nothing describes {silent:#?}: see src/openapi.rs");
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used_and_readable() {
    let document = openapi::document();
    let (mut open, mut used) = (vec![&document], BTreeSet::from(["OrderImportResult".to_owned()]));
    while let Some(value) = open.pop() {
        if let Some(reference) = value["$ref"].as_str() {
            assert!(document.pointer(&reference[1..]).is_some(), "{reference} leads nowhere");
            used.extend(reference.strip_prefix("#/components/schemas/").map(str::to_owned));
        }
        match value {
            Value::Object(members) => open.extend(members.values()),
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    let mut unknown = BTreeSet::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(used.contains(name), "{name} is used nowhere");
        Schemas(&document).unknown_words(schema, &mut unknown);
    }
    assert!(unknown.is_empty(), "words no test reads: {unknown:?}");
}

#[test]
fn every_body_has_an_answer_an_example_and_a_closed_request() {
    let document = openapi::document();
    let schemas = Schemas(&document);
    for (place, operation) in all(&document) {
        let responses = operation["responses"].as_object().unwrap();
        let answers: Vec<_> = responses.iter().filter(|(status, _)| status.starts_with('2')).collect();
        assert!(!answers.is_empty(), "{place} has no answer");
        let bodies =
            answers.iter().map(|(_, told)| &told["content"]).chain([&operation["requestBody"]["content"]]);
        for schema in bodies.map(|content| &content["application/json"]["schema"]) {
            if !schema.is_null() {
                let named = schemas.resolved(schema);
                assert!(named["examples"].is_array(), "{place}: {schema} has no example");
            }
        }
        closed(&schemas, &operation["requestBody"]["content"]["application/json"]["schema"], place.as_str());
    }
}

/// Everything that may be sent lists all its fields.
fn closed(schemas: &Schemas<'_>, schema: &Value, place: &str) {
    let schema = schemas.resolved(schema);
    if let Some(members) = schema["properties"].as_object() {
        assert_eq!(
            schema["additionalProperties"], false,
            "{place} takes fields that are not described: {schema}"
        );
        members.values().for_each(|inner| closed(schemas, inner, place));
    }
    for inner in schema["oneOf"].as_array().into_iter().flatten() {
        closed(schemas, inner, place);
    }
    if schema["items"].is_object() {
        closed(schemas, &schema["items"], place);
    }
}

#[test]
fn every_example_fits_its_schema() {
    let document = openapi::document();
    let schemas = Schemas(&document);
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for example in schema["examples"].as_array().into_iter().flatten() {
            let faults = schemas.faults(schema, example);
            assert!(faults.is_empty(), "{name}: {faults:#?}");
        }
    }
}

#[test]
fn a_closed_list_is_described_with_all_its_codes() {
    let document = openapi::document();
    let lists = sopledger::codes::lists();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let Some(list) = schema["x-list"].as_str() else { continue };
        let codes: Vec<&Value> = lists[list].as_array().unwrap().iter().map(|item| &item["code"]).collect();
        assert_eq!(schema["enum"].as_array().unwrap().iter().collect::<Vec<_>>(), codes, "{name}");
    }
}

#[test]
fn who_may_is_said_for_every_route() {
    let document = openapi::document();
    for route in app::routes().iter().filter(|route| !route.summary.is_empty() && !route.path.contains(':')) {
        let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
        let open = operation["security"].as_array().unwrap().is_empty();
        assert_eq!(open, route.gate == Gate::Public, "{} {}", route.method, route.path);
        assert_eq!(operation["x-roles"].is_array(), matches!(route.gate, Gate::May(_)), "{}", route.path);
    }
}

#[test]
fn the_document_is_served() {
    let house = House::sqlite();
    assert_eq!(house.nobody().get("/api/v1/openapi.json").expect(200).json(), openapi::document());
}

#[test]
fn the_closed_lists_are_served_with_both_languages() {
    let house = House::sqlite();
    let codes = house.person("erp").get("/api/v1/codes").expect(200).json();
    for list in
        ["kinds", "departments", "processes", "areas", "relations", "acts", "roles", "languages", "storage"]
    {
        let items = codes[list].as_array().unwrap_or_else(|| panic!("no list {list}"));
        assert!(!items.is_empty(), "{list}");
        for item in items {
            for tongue in ["code", "zh-CN", "en"] {
                assert!(item[tongue].as_str().is_some_and(|text| !text.is_empty()), "{list}: {item}");
            }
        }
    }
    assert_eq!(codes["roles"][0]["zh-CN"], "质量保证");
}
