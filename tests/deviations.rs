//! Deviations over HTTP: registering, filling, correcting, moving, closing.

use serde_json::{Value, json};
use sopledger::web::format::short_hash;

use crate::house::{Client, House, PASSWORD, both};

/// What is told of a deviation that nothing is wrong with.
pub fn told() -> Value {
    json!({
        "title": "冷链超温 8.9℃", "description": "2–8℃ 药品在途超温 41 分。", "class": "major", "area": "cold_chain",
        "occurred_at": "2026-03-01T08:00:00Z", "found_at": "2026-03-02T01:00:00Z",
        "orders": ["80012345"], "batches": [{ "material": "M100", "batch": "230815" }, "230816"],
        "immediate_action": "隔离待验",
    })
}

fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

fn without(mut body: Value, field: &str) -> Value {
    body.as_object_mut().unwrap().remove(field);
    body
}

/// Keeps an order, so that a deviation may name it.
pub fn order(house: &House, number: &str) {
    let order = json!({
        "customer": { "code": "10023", "name": "仁和医院" },
        "lines": [{ "line": "10", "material": "M100", "name": "胰岛素", "batch": "230815", "quantity": "20", "unit": "盒", "storage": "2-8" }],
        "events": [{ "kind": "ordered", "at": "2026-02-20T02:00:00Z" }],
    });
    let kept = house.person("erp").put(&format!("/api/v1/orders/{number}"), order);
    assert!(matches!(kept.status, 200 | 201), "{}", kept.text);
}

fn raised(house: &House, by: &Client) -> String {
    order(house, "80012345");
    let made = by.post("/api/v1/deviations", told()).expect(201);
    let number = made.json()["number"].as_str().unwrap().to_owned();
    assert_eq!(made.header("location"), Some(format!("/api/v1/deviations/{number}").as_str()));
    number
}

fn at(number: &str, rest: &str) -> String {
    format!("/api/v1/deviations/{number}{rest}")
}

/// What closing needs, filled in.
pub fn findings() -> Value {
    json!({
        "class_rationale": "影响产品储存条件", "impact": "1 个订单, 20 盒", "investigation": "查温度记录与交接单",
        "root_cause": "冷藏箱预冷不足", "capa": "修订装箱规程", "effectiveness_result": "连续 30 单无超温",
    })
}

/// Demands that an answer tells of the signature just made in it by which entry it is held, and that the record's page
/// shows the same.
#[track_caller]
pub fn sealed_at_once(house: &House, signature: &Value, page: &str) {
    house.site.lane.write_here(|_| Ok(())).unwrap();
    let auditor = house.person("auditor");
    let entry = auditor.get(&format!("/api/v1/ledger/entries/{}", signature["seq"])).expect(200).json();
    assert_eq!((&signature["epoch"], &signature["leaf"]), (&json!(1), &entry["leaf"]), "{signature}");
    let page = auditor.get_with(page, &[("accept", "text/html")]).expect(200).text;
    let short = short_hash(entry["leaf"].as_str().unwrap());
    let (_, signs) = page.split_once("<ol class=\"signs\">").unwrap();
    let (signs, _) = signs.split_once("</ol>").unwrap();
    assert!(signs.contains(&format!("/trail/{}/proof", signature["seq"])), "{signs}");
    assert!(signs.contains(&format!("<span class=\"hash\">{short}</span>")), "{short} in {signs}");
}

pub fn move_on(by: &Client, number: &str, to: &str) {
    by.post(&at(number, "/transitions"), json!({ "to": to })).expect(200);
}

#[test]
fn a_deviation_is_numbered_by_year_and_due_by_its_class() {
    both(|house| {
        let cs = house.person("cs");
        assert_eq!(raised(house, &cs), "DEV-2026-0001");
        let shown = cs.get(&at("DEV-2026-0001", "")).expect(200).json();
        assert_eq!(shown["state"], "registered");
        assert_eq!(shown["due_at"], "2026-03-17T01:00:00.000000Z");
        assert_eq!(shown["due"]["basis"], "company");
        assert_eq!(shown["raised_by"], "cs");
        assert_eq!(shown["batches"][0], json!({ "material": "", "batch": "230816" }));
        let minor = with(told(), "class", json!("minor"));
        let second = cs.post("/api/v1/deviations", minor).expect(201).json();
        assert_eq!(second["number"], "DEV-2026-0002");
        assert_eq!(second["due_at"], "2026-04-01T01:00:00.000000Z");
    });
}

#[test]
fn the_year_of_a_number_is_that_of_the_sites_zone() {
    both(|house| {
        house.at("2026-12-31T16:30:00Z");
        assert_eq!(raised(house, &house.person("cs")), "DEV-2027-0001");
    });
}

#[test]
fn a_registration_is_refused_by_the_field_that_is_wrong() {
    both(|house| {
        order(house, "80012345");
        let cs = house.person("cs");
        let cases = [
            (with(told(), "class", json!("huge")), "class"),
            (with(told(), "area", json!("moon")), "area"),
            (with(told(), "found_at", json!("2026-02-28T00:00:00Z")), "found_at"),
            (with(told(), "found_at", json!("2026-03-02T02:00:01Z")), "found_at"),
            (with(told(), "orders", json!(["80012345", "80099999"])), "orders[1]"),
            (with(told(), "raised_by", json!("qa")), "raised_by"),
            (with(told(), "number", json!("DEV-2026-0099")), "number"),
            (with(told(), "title", json!(" ")), "title"),
            (without(told(), "description"), "description"),
        ];
        for (body, field) in cases {
            let refusal = cs.post("/api/v1/deviations", body).expect(422).json();
            assert_eq!(refusal["errors"][0]["field"], field, "{refusal}");
        }
        assert!(!house.acts().iter().any(|act| act == "deviation.raised"));
    });
}

#[test]
fn an_empty_field_is_filled_once() {
    both(|house| {
        let cs = house.person("cs");
        let number = raised(house, &cs);
        let filled = cs.patch(&at(&number, ""), json!({ "impact": "1 个订单" }), &[]).expect(200).json();
        assert_eq!(filled["impact"], "1 个订单");
        let again = json!({ "impact": "2 个订单", "root_cause": "未预冷" });
        let refusal = cs.patch(&at(&number, ""), again, &[]).refused(409, "already-filled").json();
        assert_eq!(refusal["errors"][0]["field"], "impact");
        assert_eq!(cs.get(&at(&number, "")).json()["root_cause"], Value::Null);
        cs.patch(&at(&number, ""), json!({ "title": "另一题名" }), &[]).refused(409, "already-filled");
        cs.patch(&at(&number, ""), json!({ "colour": "红" }), &[]).expect(422);
        cs.patch(&at("DEV-2026-0999", ""), json!({ "impact": "x" }), &[]).expect(404);
    });
}

#[test]
fn a_filled_field_changes_only_by_a_correction_that_another_person_of_qa_signs() {
    both(|house| {
        let (qa, qa2, cs) = (house.person("qa"), house.person("qa2"), house.person("cs"));
        let number = raised(house, &cs);
        let asked = qa
            .post(
                &at(&number, "/corrections"),
                json!({ "field": "class", "value": "critical", "reason": "超温更久" }),
            )
            .expect(201);
        let id = asked.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(asked.json()["state"], "requested");
        let decide = at(&number, &format!("/corrections/{id}/decision"));
        let verdict = |password: &str| json!({ "approve": true, "reason": "属实", "password": password });
        qa.post(&decide, verdict(PASSWORD)).refused(403, "own-correction");
        cs.post(&decide, verdict(PASSWORD)).refused(403, "no-right");
        qa2.post(&decide, verdict("wrong")).refused(403, "password");
        assert_eq!(cs.get(&at(&number, "")).json()["class"], "major");
        let decided = qa2.post(&decide, verdict(PASSWORD)).expect(200).json();
        assert_eq!((decided["state"].as_str(), decided["old"].as_str()), (Some("approved"), Some("major")));
        assert_eq!(
            (&asked.json()["signature"], &decided["signature"]["name"]),
            (&json!(null), &json!("qa2 某"))
        );
        sealed_at_once(house, &decided["signature"], &format!("/deviations/{number}"));
        let shown = cs.get(&at(&number, "")).json();
        assert_eq!(shown["class"], "critical");
        assert_eq!(shown["due_at"], "2026-03-09T01:00:00.000000Z");
        assert_eq!(shown["corrections"][0]["old"], "major");
        assert_eq!(shown["signatures"][0]["meaning"], "correction_approved");
        assert_eq!(shown["signatures"][0]["by"], "qa2");
        qa2.post(&decide, verdict(PASSWORD)).refused(409, "correction-decided");
    });
}

#[test]
fn a_correction_that_is_not_let_through_changes_nothing_but_stays_on_record() {
    both(|house| {
        let (qa, cs) = (house.person("qa"), house.person("cs"));
        let number = raised(house, &cs);
        let wish = json!({ "field": "orders", "value": "80012346", "reason": "订单号有误" });
        cs.post(&at(&number, "/corrections"), wish.clone()).expect(422);
        order(house, "80012346");
        let asked = cs.post(&at(&number, "/corrections"), wish.clone()).expect(201).json();
        cs.post(&at(&number, "/corrections"), wish).refused(409, "correction-open");
        let decide = at(&number, &format!("/corrections/{}/decision", asked["id"].as_str().unwrap()));
        qa.post(&decide, json!({ "approve": false, "reason": "", "password": PASSWORD })).expect(422);
        qa.post(&decide, json!({ "approve": false, "reason": "原号无误", "password": PASSWORD })).expect(200);
        let shown = cs.get(&at(&number, "")).json();
        assert_eq!(shown["orders"], json!(["80012345"]));
        assert_eq!(shown["corrections"][0]["state"], "rejected");
        cs.post(&at(&number, "/corrections"), json!({ "field": "impact", "value": "x", "reason": "y" }))
            .refused(409, "field-empty");
        cs.post(&at(&number, "/corrections"), json!({ "field": "state", "value": "closed", "reason": "y" }))
            .expect(422);
    });
}

#[test]
fn a_deviation_moves_to_the_next_state_or_back_by_one_with_a_reason() {
    const STATES: [&str; 5] = ["registered", "investigating", "actions", "effectiveness", "closed"];
    both(|house| {
        let ra = house.person("ra");
        let number = raised(house, &ra);
        let steps = at(&number, "/transitions");
        for (here, state) in STATES.iter().enumerate().take(4) {
            for (there, to) in STATES.iter().enumerate().take(4) {
                let (forward, back) = (there == here + 1, there + 1 == here);
                if forward || back {
                    continue;
                }
                ra.post(&steps, json!({ "to": to, "reason": "x" })).refused(409, "out-of-order");
            }
            if here > 0 {
                ra.post(&steps, json!({ "to": STATES[here - 1] })).expect(422);
                ra.post(&steps, json!({ "to": STATES[here - 1], "reason": "须补充" })).expect(200);
                move_on(&ra, &number, state);
            }
            if here < 3 {
                move_on(&ra, &number, STATES[here + 1]);
            }
        }
        ra.post(&steps, json!({ "to": "done" })).expect(422);
        let shown = ra.get(&at(&number, "")).json();
        assert_eq!(shown["state"], "effectiveness");
        assert_eq!(shown["transitions"].as_array().unwrap().len(), 9);
        assert_eq!(shown["transitions"][1]["reason"], "须补充");
    });
}

#[test]
fn closing_is_signed_by_a_qa_who_did_not_raise_it_and_refused_with_every_gap() {
    both(|house| {
        let (qa, qa2, cs) = (house.person("qa"), house.person("qa2"), house.person("cs"));
        let number = raised(house, &qa);
        let steps = at(&number, "/transitions");
        let close = json!({ "to": "closed", "password": PASSWORD });
        qa2.post(&steps, close.clone()).refused(409, "out-of-order");
        for to in ["investigating", "actions", "effectiveness"] {
            move_on(&cs, &number, to);
        }
        let refusal = qa2.post(&steps, close.clone()).refused(409, "incomplete").json();
        let gaps: Vec<_> = refusal["errors"].as_array().unwrap().iter().map(|e| e["field"].clone()).collect();
        assert_eq!(
            gaps,
            ["class_rationale", "impact", "investigation", "root_cause", "capa", "effectiveness_result"]
        );
        cs.patch(&at(&number, ""), findings(), &[]).expect(200);
        cs.post(&steps, close.clone()).refused(403, "no-right");
        qa.post(&steps, close.clone()).refused(403, "closer-raised");
        qa2.post(&steps, json!({ "to": "closed" })).expect(422);
        qa2.post(&steps, json!({ "to": "closed", "password": "wrong" })).refused(403, "password");
        let stale = json!({ "to": "closed", "password": PASSWORD, "digest": "0".repeat(64) });
        qa2.post(&steps, stale).refused(409, "stale-digest");
        let digest = qa2.get(&at(&number, "")).json()["digest"].clone();
        let closed = qa2.post(&steps, with(close, "digest", digest.clone())).expect(200).json();
        assert_eq!((closed["state"].as_str(), closed["closed_at"].is_string()), (Some("closed"), true));
        let page = qa2.get_with(&at(&number, "").replace("/api/v1", ""), &[("accept", "text/html")]);
        let signed = page.expect(200).text;
        assert!(signed.contains("qa2 某（质量保证）"), "a signature says the role in words: {signed}");
        let signature = &closed["signatures"][0];
        assert_eq!((signature["meaning"].as_str(), &signature["digest"]), (Some("closed"), &digest));
        assert_eq!(signature["name"], "qa2 某");
        sealed_at_once(house, signature, &format!("/deviations/{number}"));
    });
}

#[test]
fn a_closed_deviation_does_not_change() {
    both(|house| {
        let (qa, cs) = (house.person("qa"), house.person("cs"));
        let number = raised(house, &cs);
        cs.patch(&at(&number, ""), without(findings(), "capa"), &[]).expect(200);
        cs.patch(&at(&number, ""), json!({ "no_capa_reason": "偶发" }), &[]).expect(200);
        for to in ["investigating", "actions", "effectiveness"] {
            move_on(&cs, &number, to);
        }
        let steps = at(&number, "/transitions");
        qa.post(&steps, json!({ "to": "closed", "password": PASSWORD })).expect(200);
        cs.patch(&at(&number, ""), json!({ "capa": "x" }), &[]).refused(409, "record-closed");
        cs.post(&steps, json!({ "to": "effectiveness", "reason": "x" })).refused(409, "record-closed");
        cs.post(&at(&number, "/corrections"), json!({ "field": "title", "value": "x", "reason": "y" }))
            .refused(409, "record-closed");
    });
}

#[test]
fn a_list_is_filtered_and_paged_from_the_newest() {
    both(|house| {
        order(house, "80012345");
        let cs = house.person("cs");
        for (class, title) in [("minor", "标签 100% 错贴"), ("major", "Late delivery"), ("minor", "少发一盒")]
        {
            let body = with(with(told(), "class", json!(class)), "title", json!(title));
            cs.post("/api/v1/deviations", body).expect(201);
            house.later(1);
        }
        let numbers = |query: &str| {
            let list = cs.get(&format!("/api/v1/deviations{query}")).expect(200).json();
            let items = list["items"].as_array().unwrap().iter();
            let items: Vec<_> = items.map(|item| item["number"].as_str().unwrap().to_owned()).collect();
            (items.join(" "), list["next"].as_str().map(str::to_owned))
        };
        assert_eq!(numbers("?class=minor").0, "DEV-2026-0003 DEV-2026-0001");
        assert_eq!(numbers("?q=late").0, "DEV-2026-0002");
        assert_eq!(numbers("?q=100%25").0, "DEV-2026-0001");
        assert_eq!(numbers("?order=80012345&batch=230816&area=cold_chain&state=open").0.len(), 41);
        assert_eq!(numbers("?batch=none").0, "");
        let (first, next) = numbers("?limit=2");
        assert_eq!(first, "DEV-2026-0003 DEV-2026-0002");
        cs.post("/api/v1/deviations", told()).expect(201);
        assert_eq!(numbers(&format!("?limit=2&cursor={}", next.unwrap())), ("DEV-2026-0001".into(), None));
        cs.get("/api/v1/deviations?state=done").expect(422);
    });
}

#[test]
fn the_snapshot_kept_in_the_ledger_is_the_one_recomputed_from_the_tables() {
    both(|house| {
        let (qa, cs) = (house.person("qa"), house.person("cs"));
        let number = raised(house, &cs);
        cs.patch(&at(&number, ""), findings(), &[]).expect(200);
        let wish = json!({ "field": "batches", "value": "M100/230815", "reason": "230816 不在本单" });
        let asked = cs.post(&at(&number, "/corrections"), wish).expect(201).json();
        let decide = at(&number, &format!("/corrections/{}/decision", asked["id"].as_str().unwrap()));
        qa.post(&decide, json!({ "approve": true, "reason": "属实", "password": PASSWORD })).expect(200);
        let digest = qa.get(&at(&number, "")).json()["digest"].as_str().unwrap().to_owned();
        let stated = house
            .site
            .lane
            .write_here(move |tx| tx.sealed_state(&sopledger::deviations::record::subject(&number)))
            .unwrap();
        assert_eq!(stated.unwrap().to_string(), digest);
    });
}

#[test]
fn an_auditor_reads_deviations_and_writes_none() {
    both(|house| {
        let number = raised(house, &house.person("cs"));
        let auditor = house.person("auditor");
        auditor.get(&at(&number, "")).expect(200);
        auditor.post("/api/v1/deviations", told()).refused(403, "no-right");
        house.person("erp").get(&at(&number, "")).refused(403, "no-right");
    });
}
