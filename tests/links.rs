//! Links over HTTP, and the version a document without one is tied in.

use serde_json::json;
use sopledger::error::Result;
use sopledger::ledger::lane::Actor;
use sopledger::links::record::Relation;
use sopledger::links::resolver::{Resolver, Resolvers};
use sopledger::links::store::{NewLink, create};
use sopledger::store::Db;
use sopledger::time::Timestamp;

use crate::deviations::order;
use crate::house::{House, both};

fn deviation(house: &House) -> String {
    let told = json!({
        "title": "少发一盒", "description": "客户来电。", "class": "minor", "area": "order_handling",
        "occurred_at": "2026-03-01T08:00:00Z", "found_at": "2026-03-02T01:00:00Z",
    });
    let made = house.person("cs").post("/api/v1/deviations", told).expect(201).json();
    format!("deviation/{}", made["number"].as_str().unwrap())
}

#[test]
fn a_link_is_seen_from_both_ends_until_it_is_taken_away_with_a_reason() {
    both(|house| {
        let (from, qa) = (deviation(house), house.person("qa"));
        order(house, "80012345");
        let body =
            json!({ "from": from, "to": "order/80012345", "relation": "affects", "reason": "同一批货" });
        let made = qa.post("/api/v1/links", body.clone()).expect(201).json();
        qa.post("/api/v1/links", body).refused(409, "link-exists");
        let at = |subject: &str| {
            let list = qa.get(&format!("/api/v1/links?subject={subject}")).expect(200).json();
            list["items"].as_array().unwrap().len()
        };
        assert_eq!((at(&from), at("order/80012345")), (1, 1));
        let number = from.trim_start_matches("deviation/");
        let shown = qa.get(&format!("/api/v1/deviations/{number}")).json();
        assert_eq!(shown["links"][0]["to"], "order/80012345");
        let remove = format!("/api/v1/links/{}/remove", made["id"].as_str().unwrap());
        qa.post(&remove, json!({ "reason": "" })).expect(422);
        qa.post(&remove, json!({ "reason": "订单有误" })).expect(200);
        qa.post(&remove, json!({ "reason": "订单有误" })).refused(409, "link-removed");
        assert_eq!((at(&from), at("order/80012345")), (0, 0));
        let acts = house.acts();
        assert!(acts.iter().any(|act| act == "link.created") && acts.iter().any(|act| act == "link.removed"));
    });
}

#[test]
fn a_link_to_nothing_is_refused_by_the_end_that_is_wrong() {
    both(|house| {
        let (from, qa) = (deviation(house), house.person("qa"));
        let cases = [
            ("to", from.as_str(), "order/404", "affects"),
            ("to", from.as_str(), "order", "affects"),
            ("to", from.as_str(), "moon/1", "affects"),
            ("from", "deviation/DEV-2026-0999", from.as_str(), "affects"),
            ("to", from.as_str(), from.as_str(), "refers_to"),
            ("relation", from.as_str(), "order/404", "likes"),
        ];
        for (field, from, to, relation) in cases {
            let body = json!({ "from": from, "to": to, "relation": relation });
            let refusal = qa.post("/api/v1/links", body).expect(422).json();
            assert_eq!(refusal["errors"][0]["field"], field, "{from} {to}");
        }
        house.person("cs").post("/api/v1/links", json!({})).refused(403, "no-right");
        qa.get("/api/v1/links").expect(422);
    });
}

/// A stand-in for documents: 1.0 holds until the end of 1 March 2026 UTC, 2.0 from then on; none before 2026.
const DOCUMENTS: Resolver = Resolver {
    kind: "document",
    exists: |_, id| Ok(id.starts_with("SOP-CS-001")),
    instant: None,
    title: |_, _| Ok(None),
    pin: Some(version_at),
};

fn version_at(_: &mut Db, number: &str, at: Timestamp) -> Result<Option<String>> {
    let instant = |text: &str| Timestamp::parse(text).unwrap();
    Ok(match at {
        at if at < instant("2026-01-01T00:00:00Z") => None,
        at if at < instant("2026-03-02T00:00:00Z") => Some(format!("{number}/1.0")),
        _ => Some(format!("{number}/2.0")),
    })
}

#[test]
fn a_document_without_version_is_tied_in_the_one_that_held_then() {
    static RESOLVERS: [Resolver; 2] = [DOCUMENTS, sopledger::deviations::RESOLVER];
    both(|house| {
        let from = deviation(house);
        let tied = |from: &str, to: &str| {
            let new = NewLink {
                from: from.to_owned(),
                to: to.to_owned(),
                relation: Relation::GovernedBy,
                reason: String::new(),
            };
            let actor = Actor::account(house.id("qa"), "qa");
            let made = house.site.lane.write_here(move |tx| create(tx, Resolvers(&RESOLVERS), &actor, &new));
            made.map(|link| (link.from().to_string(), link.to().to_string()))
                .map_err(|error| error.fields()[0].code)
        };
        assert_eq!(tied(&from, "document/SOP-CS-001").unwrap().1, "document/SOP-CS-001/1.0");
        assert_eq!(tied("document/SOP-CS-001", &from).unwrap().0, "document/SOP-CS-001/1.0");
        assert_eq!(tied(&from, "document/SOP-CS-001/2.0").unwrap().1, "document/SOP-CS-001/2.0");
        let qa = house.person("qa");
        let list = qa.get("/api/v1/links?subject=document/SOP-CS-001").expect(200).json();
        assert_eq!(list["items"].as_array().unwrap().len(), 3);
        let exact = qa.get("/api/v1/links?subject=document/SOP-CS-001/2.0").expect(200).json();
        assert_eq!(exact["items"].as_array().unwrap().len(), 1);
        let early = json!({
            "title": "旧事", "description": "补记。", "class": "minor", "area": "other",
            "occurred_at": "2025-06-01T08:00:00Z", "found_at": "2026-03-02T01:00:00Z",
        });
        let early = qa.post("/api/v1/deviations", early).expect(201).json();
        let early = format!("deviation/{}", early["number"].as_str().unwrap());
        assert_eq!(tied(&early, "document/SOP-CS-001"), Err("not-in-force-then"));
    });
}
