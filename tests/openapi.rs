//! The OpenAPI document against the routes that really exist.

use std::collections::BTreeSet;

use serde_json::Value;
use sopledger::people::gate::Gate;
use sopledger::{app, openapi};

use crate::house::House;

fn operations(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, methods): (&String, &Value)| {
        let methods =
            methods.as_object().unwrap().keys().map(|method| format!("{} {path}", method.to_uppercase()));
        methods.collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

#[test]
fn the_document_names_every_route_for_machines_and_no_other() {
    let routes: BTreeSet<String> = app::routes()
        .iter()
        .filter(|route| !route.summary.is_empty())
        .map(|route| format!("{} {}", route.method, route.path))
        .map(|route| route.split(':').next().unwrap().to_owned() + if route.contains(':') { "}" } else { "" })
        .collect();
    assert_eq!(operations(&openapi::document()), routes);
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
fn every_body_described_belongs_to_a_route_and_every_reference_leads_somewhere() {
    let described = openapi::described();
    let routes: BTreeSet<String> =
        app::routes().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    for route in described["bodies"].as_object().unwrap().keys() {
        assert!(routes.contains(route), "{route} is described and does not exist");
    }
    let document = openapi::document();
    let mut open = vec![&document];
    while let Some(value) = open.pop() {
        if let Some(reference) = value["$ref"].as_str() {
            assert!(document.pointer(&reference[1..]).is_some(), "{reference} leads nowhere");
        }
        match value {
            Value::Object(members) => open.extend(members.values()),
            Value::Array(items) => open.extend(items),
            _ => {}
        }
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
