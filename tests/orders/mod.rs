//! Orders over HTTP: the ERP's word, files of it, holds and their release, and who sees what.

mod import;

use std::sync::Once;

use diesel::prelude::*;
use serde_json::{Value, json};
use sopledger::ledger::digest::Digest;
use sopledger::orders::hold::{self, Alert};
use sopledger::orders::record::Line;
use sopledger::orders::store::GOVERNED;
use sopledger::store::Db;

use crate::house::{Answer, Client, House, MORNING, PASSWORD, both};

/// A batch that every house of these tests has under recall.
const RECALLED: &str = "RECALLED-1";

fn order() -> Value {
    json!({
        "customer": { "code": "10023", "name": "第一医院药房" },
        "ship_to": "上海市 冷库月台",
        "lines": [
            { "line": "10", "material": "100238", "name": "胰岛素注射液", "approval_number": "国药准字H19990388",
              "batch": "230815", "expiry": "2027-07-31", "quantity": "200.000", "unit": "BOX", "storage": "2-8" },
            { "line": "20", "material": "100902", "name": "冷藏箱", "quantity": "4", "unit": "EA", "storage": "ambient" },
        ],
        "events": [
            { "kind": "ordered", "at": "2026-02-18T09:12:00+08:00" },
            { "kind": "shipped", "at": "2026-02-19T06:40:00+08:00", "by": "cs" },
        ],
    })
}

fn put(client: &Client, number: &str, order: &Value) -> Answer {
    client.put(&format!("/api/v1/orders/{number}"), order.clone())
}

fn orders_acts(house: &House) -> Vec<String> {
    house
        .acts()
        .into_iter()
        .filter(|act| act.starts_with("order.") || act.starts_with("signature."))
        .collect()
}

/// The snapshot recomputed from the tables is the one that was sealed last.
fn assert_sealed(house: &House, number: &str) {
    let recomputed = house.site.readers.read_here(|db| (GOVERNED.snapshot)(db, number)).unwrap().unwrap();
    let recomputed = Digest::of(&recomputed.to_bytes().unwrap());
    let number = number.to_owned();
    let sealed = house
        .site
        .lane
        .write_here(move |tx| tx.sealed_state(&sopledger::orders::record::subject(&number)))
        .unwrap();
    assert_eq!(sealed, Some(recomputed));
}

/// Stands in for the recalls, which are another feature's: one batch is recalled, for all houses of these tests.
fn with_a_recall() {
    static CONNECTED: Once = Once::new();
    fn alerts_for(_: &mut Db, lines: &[Line]) -> sopledger::error::Result<Vec<Alert>> {
        let recalled = lines.iter().filter(|line| line.batch.as_deref() == Some(RECALLED));
        let alert = |line: &Line| Alert {
            recall: "RCL-2026-0001".to_owned(),
            line: line.line.clone(),
            material: line.material.clone(),
            batch: RECALLED.to_owned(),
        };
        Ok(recalled.map(alert).collect())
    }
    CONNECTED.call_once(|| hold::connect(hold::Recalls { alerts_for, note_hits: |_, _, _, _| Ok(()) }));
}

#[test]
fn an_order_is_kept_once_and_again_only_where_it_differs() {
    both(|house| {
        let erp = house.person("erp");
        let kept = put(&erp, "4500012345", &order()).expect(201);
        assert_eq!(kept.header("location"), Some("/api/v1/orders/4500012345"));
        put(&erp, "4500012345", &order()).expect(200);
        let mut same = order();
        same["lines"][0]["quantity"] = json!("200");
        same["lines"].as_array_mut().unwrap().reverse();
        put(&erp, "4500012345", &same).expect(200);
        assert_eq!(orders_acts(house), ["order.imported"]);

        let mut changed = order();
        changed["lines"][0]["quantity"] = json!("199.5");
        changed["events"]
            .as_array_mut()
            .unwrap()
            .push(json!({ "kind": "delivered", "at": "2026-02-19T02:55:00Z" }));
        let body = put(&erp, "4500012345", &changed).expect(200).json();
        assert_eq!(body["lines"][0]["quantity"], "199.5");
        assert_eq!(orders_acts(house), ["order.imported", "order.updated"]);
        assert_sealed(house, "4500012345");

        let read = house.person("cs").get("/api/v1/orders/4500012345").expect(200).json();
        assert_eq!(read, body);
        assert_eq!(read["customer"], json!({ "code": "10023", "name": "第一医院药房" }));
        assert_eq!(read["events"][0]["at"], "2026-02-18T01:12:00.000000Z");
        assert_eq!((&read["events"][1]["by"], &read["held"]), (&json!("cs"), &json!(false)));
        assert_eq!(read["recorded_at"], MORNING.replace('Z', ".000000Z"));
    });
}

#[test]
fn an_unchanged_personal_value_keeps_its_commitment() {
    both(|house| {
        let erp = house.person("erp");
        let state = || house.site.readers.read_here(|db| sopledger::orders::store::require(db, "1")).unwrap();
        put(&erp, "1", &order()).expect(201);
        let before = state();
        let mut changed = order();
        changed["ship_to"] = json!("北京");
        changed["events"]
            .as_array_mut()
            .unwrap()
            .insert(0, json!({ "kind": "ordered", "at": MORNING, "by": "erp" }));
        put(&erp, "1", &changed).expect(200);
        let after = state();
        assert_eq!(after.order.customer_sealed, before.order.customer_sealed);
        assert_ne!(after.order.ship_to_sealed, before.order.ship_to_sealed);
        assert_eq!(after.events[..2], before.events[..2]);
        assert_eq!(after.events[2].n, 3);
        assert_sealed(house, "1");
    });
}

#[test]
fn two_orders_in_one_batch_of_the_lane_see_each_other() {
    both(|house| {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let erp = house.person("erp");
                    for _ in 0..5 {
                        let status = put(&erp, "1", &order()).status;
                        assert!(matches!(status, 200 | 201), "{status}");
                    }
                });
            }
        });
        assert_eq!(orders_acts(house), ["order.imported"]);
    });
}

#[test]
fn a_refused_order_names_all_its_fields_and_leaves_nothing() {
    let house = House::sqlite();
    let erp = house.person("erp");
    let mut bad = order();
    bad["customer"]["name"] = json!("");
    bad["lines"][1]["batch"] = json!("a\u{202e}b");
    bad["lines"][1]["quantity"] = json!("-4");
    let errors = put(&erp, "1", &bad).refused(422, "invalid").json()["errors"].clone();
    let fields: Vec<_> =
        errors.as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["customer.name", "lines[1].batch", "lines[1].quantity"]);
    let mut system = order();
    system["recorded_at"] = json!(MORNING);
    put(&erp, "1", &system).refused(422, "invalid");
    put(&erp, "a%20b", &order()).refused(404, "not-found");
    house.person("cs").get("/api/v1/orders/1").refused(404, "not-found");
    assert!(orders_acts(&house).is_empty());
}

#[test]
fn integration_writes_and_does_not_read_and_staff_read_and_do_not_write() {
    let house = House::sqlite();
    let erp = house.person("erp");
    put(&erp, "1", &order()).expect(201);
    erp.get("/api/v1/orders/1").refused(403, "no-right");
    erp.get("/api/v1/orders").refused(403, "no-right");
    for login in ["cs", "ra", "author", "reviewer", "auditor"] {
        let person = house.person(login);
        person.get("/api/v1/orders/1").expect(200);
        put(&person, "1", &order()).refused(403, "no-right");
    }
    put(&house.person("qa"), "2", &order()).expect(201);
    house.person("admin").get("/api/v1/orders/1").refused(403, "no-right");
    house.nobody().get("/api/v1/orders").refused(401, "sign-in");
}

#[test]
fn a_list_is_filtered_by_batch_customer_and_days_of_shipping() {
    both(|house| {
        let (erp, cs) = (house.person("erp"), house.person("cs"));
        for number in ["1", "2", "3"] {
            let mut order = order();
            order["lines"][0]["batch"] = json!(format!("B{number}"));
            order["customer"] = json!({ "code": format!("C{number}"), "name": format!("医院{number}") });
            order["events"][1]["at"] = json!(format!("2026-02-1{number}T23:30:00+08:00"));
            put(&erp, number, &order).expect(201);
        }
        let numbers = |query: &str| -> Vec<String> {
            let list = cs.get(&format!("/api/v1/orders?{query}")).expect(200).json();
            let items = list["items"].as_array().unwrap().iter();
            items.map(|item| item["number"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(numbers("batch=B2"), ["2"]);
        assert_eq!(numbers("customer=C3"), ["3"]);
        assert_eq!(numbers("customer=%E5%8C%BB%E9%99%A21"), ["1"]);
        assert_eq!(numbers("shipped_from=2026-02-12&shipped_to=2026-02-12"), ["2"]);
        assert_eq!(numbers("shipped_from=2026-02-12"), ["2", "3"]);
        assert_eq!(numbers("held=true"), [""; 0]);
        let first = cs.get("/api/v1/orders?limit=2").expect(200).json();
        let next = first["next"].as_str().unwrap();
        assert_eq!(numbers(&format!("limit=2&cursor={next}")), ["3"]);
        cs.get("/api/v1/orders?shipped_from=yesterday").refused(422, "invalid");
    });
}

#[test]
fn a_recalled_batch_holds_a_new_order_until_qa_signs_its_release() {
    with_a_recall();
    both(|house| {
        let (erp, qa) = (house.person("erp"), house.person("qa"));
        let mut recalled = order();
        recalled["lines"][0]["batch"] = json!(RECALLED);
        let body = put(&erp, "1", &recalled).expect(201).json();
        assert_eq!((&body["held"], &body["alerts"][0]["recall"]), (&json!(true), &json!("RCL-2026-0001")));
        put(&erp, "1", &recalled).expect(200);
        assert_eq!(orders_acts(house), ["order.imported", "order.held"]);
        assert_sealed(house, "1");

        let release = |password: &str| json!({ "password": password, "reason": "复验合格" });
        let path = "/api/v1/orders/1/release";
        erp.post(path, release(PASSWORD)).refused(403, "no-right");
        qa.post(path, release("wrong")).refused(403, "password");
        let stale = json!({ "password": PASSWORD, "reason": "r", "digest": "00".repeat(32) });
        qa.post(path, stale).refused(409, "stale-digest");
        qa.post(path, json!({ "password": PASSWORD })).refused(422, "invalid");
        qa.post("/api/v1/orders/2/release", release(PASSWORD)).refused(404, "not-found");
        let body = qa.post(path, release(PASSWORD)).expect(200).json();
        assert_eq!((&body["held"], &body["holds"][0]["released_by"]), (&json!(false), &json!("qa")));
        assert_sealed(house, "1");
        qa.post(path, release(PASSWORD)).refused(409, "order-not-held");

        recalled["lines"][1]["quantity"] = json!("5");
        let body = put(&erp, "1", &recalled).expect(200).json();
        assert_eq!(body["held"], false, "a released order is not held again for the same batch");
        assert_sealed(house, "1");
    });
}

#[test]
fn an_order_that_was_there_is_held_when_a_recalled_batch_comes_onto_it() {
    with_a_recall();
    let house = House::sqlite();
    let erp = house.person("erp");
    put(&erp, "1", &order()).expect(201);
    let mut recalled = order();
    recalled["lines"][1]["batch"] = json!(RECALLED);
    assert_eq!(put(&erp, "1", &recalled).expect(200).json()["held"], true);
    assert_eq!(orders_acts(&house), ["order.imported", "order.updated", "order.held"]);
}

#[test]
fn the_pages_show_what_the_api_gives_in_both_languages() {
    with_a_recall();
    let house = House::sqlite();
    let (erp, qa) = (house.person("erp"), house.person("qa"));
    let mut recalled = order();
    recalled["lines"][0]["batch"] = json!(RECALLED);
    recalled["lines"][1]["name"] = json!("<script>alert(1)</script>");
    put(&erp, "1", &recalled).expect(201);
    for (lang, held) in [("zh-CN", "暂停发货"), ("en", "On hold")] {
        let headers = [("accept", "text/html"), ("accept-language", lang)];
        let page = qa.get_with("/orders/1", &headers).expect(200).text;
        assert!(page.contains(held) && page.contains("RCL-2026-0001") && page.contains("第一医院药房"));
        assert!(!page.contains("<script>alert"), "escaped");
        assert!(page.contains("action=\"/orders/1/release\""));
        let list = qa.get_with("/orders?held=true", &headers).expect(200).text;
        assert!(list.contains("href=\"/orders/1\"") && list.contains(held));
        qa.get_with("/orders/import", &headers).expect(200);
        assert_eq!(qa.get_with("/orders?shipped_to=x", &headers).status, 422);
    }
    let page = house.person("cs").get_with("/orders/1", &[("accept", "text/html")]).expect(200).text;
    assert!(!page.contains("/orders/1/release"), "only QA is offered what only QA may");
}

/// A document of these processes, approved and in force from now on; answers its version's digest.
fn in_force(house: &House, processes: &[&str]) -> (String, String) {
    let (author, reviewer, qa) = (house.person("author"), house.person("reviewer"), house.person("qa"));
    let document = author
        .post(
            "/api/v1/documents",
            json!({
                "kind": "sop", "department": "CS", "owner": "author", "title": { "zh-CN": "订单处理", "en": "Orders" },
                "processes": processes, "audience": ["cs"], "review_months": 24,
            }),
        )
        .expect(201)
        .json();
    let number = document["number"].as_str().unwrap().to_owned();
    let versions = format!("/api/v1/documents/{number}/versions");
    let text = json!({ "zh-CN": "# 订单处理\n\n1. 核对。\n", "en": "# Orders\n\n1. Check.\n" });
    let draft = json!({ "renditions": text, "change_summary": "first", "change_reason": "new" });
    let draft = author.post(&versions, draft).expect(201).json();
    let version = format!("{versions}/{}", draft["version"].as_str().unwrap());
    let submit = json!({
        "reviewers": ["reviewer"], "approvers": ["qa"], "digest": draft["digest"], "password": PASSWORD,
    });
    let submitted = author.post(&format!("{version}/submit"), submit).expect(200).json();
    let digest = submitted["digest"].as_str().unwrap().to_owned();
    let sign = |meaning: &str| json!({ "meaning": meaning, "digest": digest, "password": PASSWORD });
    reviewer.post(&format!("{version}/sign"), sign("reviewed")).expect(200);
    qa.post(&format!("{version}/sign"), sign("approved")).expect(200);
    (number, digest)
}

/// Puts an acknowledgement beside a version, as training will.
fn acknowledge(house: &House, number: &str, login: &str) {
    use sopledger::store::schema::signature;
    let (account, subject) = (house.id(login), format!("{number}/1.0"));
    let change = move |tx: &mut sopledger::ledger::lane::Tx<'_>| {
        let now = tx.now();
        let row = sopledger::signatures::Signature {
            id: sopledger::id::new("s"),
            subject_kind: "document".to_owned(),
            subject_id: subject.clone(),
            round: 1,
            account_id: account.clone(),
            role: "cs".to_owned(),
            meaning: "acknowledged".to_owned(),
            digest: String::new(),
            method: "password".to_owned(),
            signed_at: now,
            seq: 0,
            name_sealed: String::new(),
            comment: None,
        };
        diesel::insert_into(signature::table).values(&row).execute(tx.rows())?;
        Ok(())
    };
    house.site.lane.write_here(change).unwrap();
}

#[test]
fn each_event_leads_to_what_was_in_force_then_and_to_who_was_trained() {
    both(|house| {
        let (number, digest) = in_force(house, &["order_intake", "shipping", "cold_chain"]);
        house.later(600);
        acknowledge(house, &number, "cs");
        let mut order = order();
        order["events"] = json!([
            { "kind": "ordered", "at": "2026-03-02T01:59:59Z", "by": "cs" },
            { "kind": "ordered", "at": "2026-03-02T02:05:00Z", "by": "cs" },
            { "kind": "shipped", "at": "2026-03-02T02:15:00Z", "by": "cs 某" },
            { "kind": "shipped", "at": "2026-03-02T02:16:00Z", "by": "nobody" },
            { "kind": "delivered", "at": "2026-03-02T02:17:00Z" },
        ]);
        put(&house.person("erp"), "1", &order).expect(201);
        let procedures = house.person("qa").get("/api/v1/orders/1/procedures").expect(200).json();
        let rows: Vec<_> = procedures
            .as_array()
            .unwrap()
            .iter()
            .map(|row| (row["process"].as_str().unwrap(), row["document"].as_str(), row["trained"].clone()))
            .collect();
        let held = Some(number.as_str());
        let expected = [
            ("order_intake", None, json!(false)),
            ("credit_check", None, json!(false)),
            ("cold_chain", None, json!(false)),
            ("order_intake", held, json!(false)),
            ("credit_check", None, json!(false)),
            ("cold_chain", held, json!(false)),
            ("shipping", held, json!(true)),
            ("cold_chain", held, json!(true)),
            ("shipping", held, json!("unknown")),
            ("cold_chain", held, json!("unknown")),
            ("delivery", None, json!("not_recorded")),
            ("cold_chain", held, json!("not_recorded")),
        ];
        assert_eq!(rows, expected);
        let shipped = &procedures[6];
        assert_eq!((&shipped["version"], &shipped["digest"]), (&json!("1.0"), &json!(digest)));
        house.person("qa").get("/api/v1/orders/2/procedures").refused(404, "not-found");
        let page = house.person("qa").get_with("/orders/1", &[("accept", "text/html")]).expect(200).text;
        assert!(
            page.contains(&format!("href=\"/documents/{number}/1.0\"")) && page.contains("当时无有效文件")
        );
    });
}
