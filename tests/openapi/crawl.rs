//! Reads all there is in the demo, which has records in every state: the client holds each answer against the document.

use serde_json::{Value, json};

use crate::house::{Client, House};

/// All items of a list, two pieces at least where there is more than one.
fn items(who: &Client, path: &str) -> Vec<Value> {
    let sign = if path.contains('?') { '&' } else { '?' };
    let (mut all, mut limit, mut cursor) = (Vec::new(), 1, String::new());
    loop {
        let piece = who.get(&format!("{path}{sign}limit={limit}{cursor}")).expect(200).json();
        all.extend(piece["items"].as_array().unwrap().iter().cloned());
        let Some(next) = piece["next"].as_str() else { return all };
        (limit, cursor) = (200, format!("&cursor={next}"));
    }
}

fn text<'a>(item: &'a Value, member: &str) -> &'a str {
    item[member].as_str().unwrap_or_else(|| panic!("no {member}: {item}"))
}

fn documents(who: &Client) {
    for document in items(who, "/api/v1/documents") {
        let path = format!("/api/v1/documents/{}", text(&document, "number"));
        who.get(&path).expect(200);
        who.get(&format!("{path}?as_of=2025-06-30")).expect(200);
        let versions = items(who, &format!("{path}/versions"));
        for version in &versions {
            let path = format!("{path}/versions/{}", text(version, "version"));
            let read = who.get(&path).expect(200).json();
            for lang in read["renditions"].as_object().unwrap().keys() {
                who.get(&format!("{path}/md?lang={lang}")).expect(200);
            }
            who.get(&format!("{path}/html")).expect(200);
        }
        if let [first, .., last] = versions.as_slice() {
            let (from, to) = (text(first, "version"), text(last, "version"));
            who.get(&format!("{path}/diff?from={from}&to={to}")).expect(200);
        }
        items(who, &format!("/api/v1/links?subject=document/{}", text(&document, "number")));
    }
}

fn records(who: &Client) {
    for order in items(who, "/api/v1/orders").iter().take(40) {
        let path = format!("/api/v1/orders/{}", text(order, "number"));
        who.get(&path).expect(200);
        who.get(&format!("{path}/procedures")).expect(200);
    }
    items(who, "/api/v1/orders?held=true");
    for kind in ["deviation", "recall"] {
        for record in items(who, &format!("/api/v1/{kind}s")) {
            let path = format!("/api/v1/{kind}s/{}", text(&record, "number"));
            let read = who.get(&path).expect(200).json();
            for correction in read["corrections"].as_array().unwrap() {
                who.get(&format!("{path}/corrections/{}", text(correction, "id"))).expect(200);
            }
            if kind == "recall" {
                who.get(&format!("{path}/trace")).expect(200);
            }
            items(who, &format!("/api/v1/links?subject={kind}/{}", text(&record, "number")));
        }
    }
}

fn ledger(who: &Client) {
    let entries = items(who, "/api/v1/ledger/entries");
    for entry in entries.iter().step_by(37) {
        let path = format!("/api/v1/ledger/entries/{}", entry["seq"]);
        who.get(&path).expect(200);
        who.get(&format!("{path}/proof")).expect(200);
        let body: Value = serde_json::from_str(text(entry, "entry").lines().nth(5).unwrap()).unwrap();
        if let Some(snapshot) = body["post"].as_str() {
            who.get(&format!("/api/v1/ledger/content/{snapshot}")).expect(200);
        }
    }
    who.get("/api/v1/ledger/consistency?from=1&to=9").expect(200);
    who.get_with("/api/v1/ledger/entries", &[("accept", "application/x-ndjson")]).expect(200);
}

#[test]
fn everything_in_the_demo_is_answered_as_described() {
    for house in [Some(House::demo_on_sqlite()), House::demo_on_postgres()].into_iter().flatten() {
        let (qa, admin) = (house.person("qa"), house.person("admin"));
        documents(&qa);
        records(&qa);
        ledger(&house.person("auditor"));
        for user in items(&admin, "/api/v1/users") {
            let path = format!("/api/v1/users/{}", text(&user, "id"));
            admin.get(&path).expect(200);
            for grant in user["grants"].as_array().unwrap() {
                admin.get(&format!("{path}/grants/{}", text(grant, "id"))).expect(200);
            }
        }
        for path in ["/api/v1/me", "/api/v1/codes", "/healthz", "/readyz", "/metrics"] {
            qa.get(path);
        }
        house.nobody().post("/login", json!({ "login": "nobody", "password": "wrong" })).expect(401);
    }
}
