//! Sends what the document describes, and what it rules out: each request's example, then the same with a field too
//! many, one too few, one of a wrong type, one too long, one with a code of no list.

use std::cell::RefCell;

use serde_json::{Value, json};
use sopledger::openapi;
use sopledger::people::rights::Role;
use sopledger::web::words::{Lang, Words};

use super::schema::Schemas;
use super::{all, example};
use crate::deviations::order;
use crate::house::{Answer, Client, House, PASSWORD};

/// What the paths of the document lead to in a house.
struct Things(Vec<(&'static str, &'static str, String)>);

impl Things {
    /// Makes one of each.
    fn of(house: &House) -> Self {
        order(house, "80012345");
        let (admin, author, ra, qa) =
            (house.person("admin"), house.person("author"), house.person("ra"), house.person("qa"));
        let made = |who: &Client, path: &str, body: &Value| who.post(path, body.clone()).expect(201).json();
        let id = |made: Value| made["id"].as_str().unwrap().to_owned();
        let account = id(made(&admin, "/api/v1/users", &json!({ "login": "new", "name": "新人" })));
        let path = format!("/api/v1/users/{account}");
        let grant = made(&admin, &format!("{path}/grants"), &json!({ "role": "cs", "reason": "入职" }));
        let token = json!({ "label": "t", "expires_on": "2026-12-31" });
        let token = made(&admin, &format!("/api/v1/users/{}/tokens", house.id("erp")), &token);
        let document = json!({ "kind": "sop", "department": "CS", "owner": "author", "title": "订单受理",
            "processes": ["order_intake"], "audience": ["cs"], "review_months": 24 });
        made(&author, "/api/v1/documents", &document);
        let draft =
            json!({ "renditions": { "zh-CN": "# 一" }, "change_summary": "一", "change_reason": "一" });
        made(&author, "/api/v1/documents/SOP-CS-001/versions", &draft);
        made(&qa, "/api/v1/deviations", &example("NewDeviation"));
        made(&ra, "/api/v1/recalls", &example("NewRecall"));
        let wish = json!({ "field": "title", "value": "另一题名", "reason": "笔误" });
        let corrections = ["deviations/DEV-2026-0001", "recalls/RCL-2026-0001"]
            .map(|record| id(made(&ra, &format!("/api/v1/{record}/corrections"), &wish)));
        let [deviation, recall] = corrections;
        let link =
            json!({ "from": "deviation/DEV-2026-0001", "to": "order/80012345", "relation": "affects" });
        let link = made(&qa, "/api/v1/links", &link);
        Self(vec![
            ("/documents", "{number}", "SOP-CS-001".to_owned()),
            ("/documents", "{version}", "1.0".to_owned()),
            ("/documents", "{n}", "1".to_owned()),
            ("/orders", "{number}", "80012345".to_owned()),
            ("/deviations", "{number}", "DEV-2026-0001".to_owned()),
            ("/deviations", "{id}", deviation),
            ("/recalls", "{number}", "RCL-2026-0001".to_owned()),
            ("/recalls", "{id}", recall),
            ("/links", "{id}", id(link)),
            ("/tokens", "{id}", id(token)),
            ("/users", "{id}", account),
            ("/users", "{grant}", id(grant)),
        ])
    }

    fn path(&self, pattern: &str) -> String {
        let own = self.0.iter().filter(|(below, ..)| pattern.contains(below));
        own.fold(pattern.to_owned(), |path, (_, part, name)| path.replace(part, name))
    }
}

/// A route that takes JSON.
struct Probe<'a> {
    place: String,
    method: &'a str,
    path: String,
    who: Client,
    /// Those whom the document names; none where signing in is enough, or not needed.
    roles: Option<Vec<&'a str>>,
    schema: &'a Value,
}

impl Probe<'_> {
    fn send(&self, body: &Value) -> Answer {
        self.send_as(&self.who, body)
    }

    fn send_as(&self, who: &Client, body: &Value) -> Answer {
        let headers = [("content-type", "application/json"), ("if-match", "*"), ("accept-language", "en")];
        who.send(self.method, &self.path, Some(body.to_string().into_bytes()), &headers)
    }

    /// Sends a body that must be refused at a field.
    fn refused(&self, body: &Value, field: &str, why: &str) {
        let answer = self.send(body);
        let told = format!("{} with {why} {field} answers {}: {}", self.place, answer.status, answer.text);
        // Where nothing was made for the path, that may be found first.
        if answer.status == 404 && self.path.contains("none") {
            return;
        }
        assert_eq!(answer.status, 422, "{told}");
        let errors = answer.json()["errors"].as_array().cloned().unwrap_or_default();
        let named = errors.iter().any(|error| {
            let rest = error["field"].as_str().and_then(|named| named.strip_prefix(field));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        });
        assert!(named, "{told}");
    }
}

fn each(house: &House, probe: impl Fn(&Schemas<'_>, &Probe<'_>)) {
    let document = openapi::document();
    let things = Things::of(house);
    let schemas = Schemas(&document);
    for (place, operation) in all(&document) {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        if schema.is_null() {
            continue;
        }
        let (method, pattern) = place.split_once(' ').unwrap();
        let named = operation["x-roles"].as_array();
        let roles: Option<Vec<&str>> = named.map(|roles| roles.iter().filter_map(Value::as_str).collect());
        let login = match roles.as_ref().and_then(|roles| roles.first()) {
            None if operation["security"].as_array().is_some_and(Vec::is_empty) => None,
            Some(&"admin") => Some("admin"),
            _ => Some("qa"),
        };
        let who = login.map_or_else(|| house.nobody(), |login| house.person(login));
        let path = things.path(pattern).replace(['{', '}'], "none");
        let schema = schemas.resolved(schema);
        probe(&schemas, &Probe { place: place.clone(), method, path, who, roles, schema });
    }
}

fn examples(schema: &Value) -> &Vec<Value> {
    schema["examples"].as_array().unwrap()
}

fn with(body: &Value, field: &str, value: Value) -> Value {
    let mut body = body.clone();
    body[field] = value;
    body
}

#[test]
fn what_is_ruled_out_is_refused_at_its_field() {
    let house = House::sqlite();
    each(&house, |schemas, probe| {
        let body = &examples(probe.schema)[0];
        probe.refused(&with(body, "colour", json!("red")), "colour", "an unknown");
        for field in probe.schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let mut less = body.clone();
            less.as_object_mut().unwrap().remove(field);
            probe.refused(&less, field, "no");
        }
        for (field, schema) in probe.schema["properties"].as_object().unwrap() {
            let choices = schema["oneOf"].as_array().cloned().unwrap_or_default();
            for schema in [schema.clone()].iter().chain(&choices).map(|schema| schemas.resolved(schema)) {
                if let Some(most) = schema["maxLength"].as_u64() {
                    let long = json!("字".repeat(usize::try_from(most).unwrap() + 1));
                    probe.refused(&with(body, field, long), field, "too long a");
                }
                if schema["enum"].is_array() {
                    probe.refused(&with(body, field, json!("no-such-code")), field, "an unknown code as");
                }
                if !schema["type"].is_null() {
                    probe.refused(&with(body, field, json!([[1]])), field, "lists as");
                }
            }
        }
    });
}

#[test]
fn every_field_of_every_request_is_shown_by_an_example_and_taken() {
    let house = House::sqlite();
    let words = Words::of(Lang::En);
    let foreign = ["field-unknown-field", "field-system-field", "field-wrong-type"]
        .map(|key| words.t(key).into_owned());
    each(&house, |_, probe| {
        for field in probe.schema["properties"].as_object().unwrap().keys() {
            let shown = examples(probe.schema).iter().any(|example| !example[field].is_null());
            assert!(shown, "{}: no example has {field}", probe.place);
        }
        for body in examples(probe.schema) {
            let answer = probe.send(body);
            let told = format!("{} answers {}: {}", probe.place, answer.status, answer.text);
            assert_ne!(answer.status, 400, "{told}");
            if answer.status == 422 {
                let errors = answer.json()["errors"].as_array().cloned().unwrap_or_default();
                let unknown = |error: &Value| foreign.iter().any(|message| error["message"] == *message);
                assert!(!errors.iter().any(unknown), "{told}");
            }
        }
    });
}

/// What a role may do can depend on what it asks for: signing as reviewed, or as approved. One of the examples is for it.
#[test]
fn of_the_described_requests_each_role_that_is_named_may_send_one_and_every_other_role_none() {
    let house = House::sqlite();
    let people = Role::ALL.map(|role| {
        let login = if role == Role::Integration { "erp" } else { role.code() };
        (role.code(), house.person(login))
    });
    let wrong = RefCell::new(Vec::new());
    each(&house, |_, probe| {
        let Some(roles) = &probe.roles else { return };
        for (role, who) in &people {
            let answers: Vec<Answer> =
                examples(probe.schema).iter().map(|body| probe.send_as(who, body)).collect();
            let lacks = |answer: &Answer| answer.status == 403 && answer.problem() == "no-right";
            let may = answers.iter().any(|answer| !lacks(answer));
            if may != roles.contains(role) {
                let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
                wrong.borrow_mut().push(format!("{} as {role}: {statuses:?}", probe.place));
            }
        }
    });
    assert!(wrong.borrow().is_empty(), "{:#?}", wrong.borrow());
}

#[test]
fn the_password_of_the_examples_is_the_houses() {
    assert_eq!(example("Signed")["password"], PASSWORD);
}
