//! Recalls over HTTP: the trace, later hits, bookings, corrections, clocks and closing.

use serde_json::{Value, json};
use sopledger::ledger::digest::Digest;
use sopledger::recalls::record::subject;
use sopledger::recalls::store::GOVERNED;

use crate::deviations::sealed_at_once;
use crate::house::{Answer, Client, House, PASSWORD, both};

fn order(customer: &str, lines: &[(&str, &str, &str)]) -> Value {
    let lines: Vec<Value> = lines
        .iter()
        .enumerate()
        .map(|(at, (material, batch, quantity))| {
            json!({ "line": format!("{}0", at + 1), "material": material, "name": "胰岛素注射液", "batch": batch,
                    "quantity": quantity, "unit": "BOX", "storage": "2-8" })
        })
        .collect();
    json!({ "customer": { "code": customer, "name": format!("{customer} 药房") }, "lines": lines,
            "events": [{ "kind": "ordered", "at": "2026-02-18T01:12:00Z" }] })
}

fn keep(erp: &Client, number: &str, order: Value) -> Value {
    let answer = erp.put(&format!("/api/v1/orders/{number}"), order);
    assert!(matches!(answer.status, 200 | 201), "{}", answer.text);
    answer.json()
}

/// Three orders of two customers with batch 230815, one of another material, one without it.
pub fn with_orders(house: &House) {
    let erp = house.person("erp");
    for (number, customer, lines) in [
        ("8001", "C1", &[("100238", "230815", "120.5"), ("100902", "X-1", "4")][..]),
        ("8002", "C1", &[("100238", "230815", "79.5")]),
        ("8003", "C2", &[("100238", "230815", "100")]),
        ("8004", "C3", &[("100999", "230815", "7")]),
        ("8005", "C4", &[("100238", "230816", "9")]),
    ] {
        keep(&erp, number, order(customer, lines));
    }
}

pub fn recall() -> Value {
    json!({ "title": "胰岛素注射液 230815 批", "class": "I", "class_rationale": "可能引起严重低血糖", "reason": "含量不合格",
            "role": "wholesaler", "origin": "voluntary", "drill": false,
            "batches": [{ "material": "100238", "batch": "230815" }], "decided_at": "2026-03-02T01:00:00Z" })
}

fn with(field: &str, value: Value) -> Value {
    let mut recall = recall();
    recall[field] = value;
    recall
}

const RECALL: &str = "/api/v1/recalls/RCL-2026-0001";

fn at(part: &str) -> String {
    format!("{RECALL}/{part}")
}

pub fn book(client: &Client, customer: &str, returned: &str) -> Answer {
    let row = json!({ "customer": customer, "notified_at": "2026-03-02T01:30:00Z",
                      "acknowledged_at": "2026-03-02T01:45:00Z", "returned": returned });
    client.patch(RECALL, json!({ "customers": [row] }), &[])
}

pub fn moved(client: &Client, to: &str) -> Answer {
    client.post(&at("transitions"), json!({ "to": to }))
}

pub fn close(client: &Client) -> Answer {
    client.post(&at("transitions"), json!({ "to": "closed", "password": PASSWORD }))
}

fn fields(answer: &Answer) -> Vec<String> {
    let json = answer.json();
    let errors = json["errors"].as_array().cloned().unwrap_or_default();
    errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
}

/// The snapshot recomputed from the tables is the one that was sealed last.
#[track_caller]
fn assert_sealed(house: &House) {
    let number = "RCL-2026-0001";
    let recomputed = house.site.readers.read_here(|db| (GOVERNED.snapshot)(db, number)).unwrap().unwrap();
    let recomputed = Digest::of(&recomputed.to_bytes().unwrap());
    let sealed = house.site.lane.write_here(move |tx| tx.sealed_state(&subject(number))).unwrap();
    assert_eq!(sealed, Some(recomputed));
}

#[test]
fn the_trace_leads_from_the_batch_to_every_customer_and_is_frozen() {
    both(|house| {
        with_orders(house);
        let ra = house.person("ra");
        let made = ra.post("/api/v1/recalls", recall()).expect(201);
        assert_eq!(made.header("location"), Some(RECALL));
        let made = made.json();
        assert_eq!(
            (made["number"].as_str(), made["state"].as_str()),
            (Some("RCL-2026-0001"), Some("decided"))
        );
        assert_eq!(made["raised_by"], "ra");
        assert_eq!(made["reach"]["traced"], "300");
        assert_eq!(made["reach"]["percent"], "0");
        let trace = house.person("auditor").get(&at("trace")).expect(200).json();
        assert_eq!((trace["orders"].as_u64(), trace["customers"].as_u64()), (Some(3), Some(2)));
        let lines = trace["lines"].as_array().unwrap();
        let orders: Vec<&str> = lines.iter().map(|line| line["order"].as_str().unwrap()).collect();
        assert_eq!(orders, ["8001", "8002", "8003"]);
        assert_eq!(lines[0]["customer"], json!({ "code": "C1", "name": "C1 药房" }));
        assert_eq!((&lines[0]["quantity"], &lines[0]["unit"]), (&json!("120.5"), &json!("BOX")));
        assert_eq!(trace["later"], json!([]));
        assert_sealed(house);
    });
}

#[test]
fn a_batch_without_material_is_recalled_whatever_bears_it() {
    let house = House::sqlite();
    with_orders(&house);
    let recall = with("batches", json!([{ "batch": "230815" }]));
    house.person("ra").post("/api/v1/recalls", recall).expect(201);
    let trace = house.person("cs").get(&at("trace")).expect(200).json();
    assert_eq!(trace["customers"], 3);
}

#[test]
fn a_registration_that_cannot_be_is_refused_at_its_field() {
    let house = House::sqlite();
    let ra = house.person("ra");
    for (body, field) in [
        (with("batches", json!([])), "batches"),
        (with("batches", json!([{ "material": "1", "batch": "" }])), "batches[0].batch"),
        (with("decided_at", json!("2026-03-02T02:00:00.000001Z")), "decided_at"),
        (with("class", json!("IV")), "class"),
        (with("role", json!("maker")), "role"),
        (with("title", json!(" ")), "title"),
        (with("raised_at", json!("2026-03-02T01:00:00Z")), "raised_at"),
    ] {
        let answer = ra.post("/api/v1/recalls", body).expect(422);
        assert_eq!(fields(&answer), [field]);
    }
    house.person("cs").post("/api/v1/recalls", recall()).refused(403, "no-right");
    assert!(!house.acts().iter().any(|act| act.starts_with("recall.")));
}

#[test]
fn a_recalled_batch_on_a_later_order_is_a_hit_and_holds_it_until_released() {
    both(|house| {
        with_orders(house);
        house.person("ra").post("/api/v1/recalls", recall()).expect(201);
        house.later(60);
        let erp = house.person("erp");
        let late = keep(&erp, "9001", order("C9", &[("100238", "230815", "3")]));
        assert_eq!(
            (late["held"].as_bool(), late["alerts"][0]["recall"].as_str()),
            (Some(true), Some("RCL-2026-0001"))
        );
        let clean = keep(&erp, "9002", order("C9", &[("100238", "230816", "3")]));
        assert_eq!((clean["held"].as_bool(), &clean["alerts"]), (Some(false), &json!([])));
        let qa = house.person("qa");
        let trace = qa.get(&at("trace")).expect(200).json();
        assert_eq!((trace["orders"].as_u64(), trace["later"].as_array().unwrap().len()), (Some(3), 1));
        assert_eq!(
            (&trace["later"][0]["order"], &trace["later"][0]["customer"]["code"]),
            (&json!("9001"), &json!("C9"))
        );
        assert_eq!(qa.get(RECALL).json()["customers"].as_array().unwrap().len(), 3);
        assert_eq!(house.acts().iter().filter(|act| *act == "recall.hit").count(), 1);
        assert_sealed(house);
        keep(&erp, "9001", order("C9", &[("100238", "230815", "4")]));
        assert_eq!(house.acts().iter().filter(|act| *act == "recall.hit").count(), 1, "a hit is booked once");
        let release = json!({ "password": PASSWORD, "reason": "已换批" });
        let released = qa.post("/api/v1/orders/9001/release", release).expect(200).json();
        assert_eq!(released["held"], false);
    });
}

#[test]
fn a_drill_traces_and_says_so_but_holds_no_order() {
    let house = House::sqlite();
    with_orders(&house);
    let ra = house.person("ra");
    let made = ra.post("/api/v1/recalls", with("drill", json!(true))).expect(201).json();
    assert_eq!((made["drill"].as_bool(), made["reach"]["customers"].as_u64()), (Some(true), Some(2)));
    let late = keep(&house.person("erp"), "9001", order("C9", &[("100238", "230815", "3")]));
    assert_eq!(late["held"], false);
    let page =
        ra.get_with("/recalls/RCL-2026-0001", &[("accept-language", "zh-CN"), ("accept", "text/html")]);
    assert!(page.expect(200).text.contains("召回演练"));
}

#[test]
fn what_is_booked_is_not_booked_over_and_not_more_than_went_out() {
    both(|house| {
        with_orders(house);
        let ra = house.person("ra");
        ra.post("/api/v1/recalls", recall()).expect(201);
        let answer = book(&ra, "C1", "200.1").expect(422);
        assert_eq!(fields(&answer), ["customers[0].returned"]);
        let booked = book(&ra, "C1", "150").expect(200).json();
        assert_eq!((&booked["reach"]["percent"], &booked["reach"]["notified"]), (&json!("50"), &json!(1)));
        book(&ra, "C1", "160").refused(409, "field-filled");
        assert_eq!(fields(&book(&ra, "C8", "1").expect(422)), ["customers[0].customer"]);
        ra.patch(RECALL, json!({ "title": "另一个" }), &[]).refused(409, "field-filled");
        assert_sealed(house);
    });
}

#[test]
fn a_recall_is_closed_only_when_every_customer_is_booked_and_the_rest_explained() {
    both(|house| {
        with_orders(house);
        let (ra, qa) = (house.person("ra"), house.person("qa"));
        ra.post("/api/v1/recalls", recall()).expect(201);
        moved(&ra, "retrieving").refused(409, "out-of-order");
        for state in ["notifying", "retrieving", "reconciling"] {
            assert_eq!(moved(&ra, state).expect(200).json()["state"], state);
        }
        book(&ra, "C1", "150").expect(200);
        let refused = close(&qa).refused(409, "incomplete");
        let gaps = ["customers.C2.notified_at", "customers.C2.acknowledged_at", "customers.C2.returned"];
        assert_eq!(fields(&refused), [&gaps[..], &["unaccounted_reason"]].concat());
        book(&ra, "C2", "100").expect(200);
        ra.patch(RECALL, json!({ "unaccounted_reason": "50 盒已使用" }), &[]).expect(200);
        close(&ra).refused(403, "no-right");
        qa.post(&at("transitions"), json!({ "to": "closed", "password": "wrong" })).refused(403, "password");
        let closed = close(&qa).expect(200).json();
        sealed_at_once(house, &closed["signatures"][0], "/recalls/RCL-2026-0001");
        assert_eq!(
            (closed["state"].as_str(), closed["signatures"][0]["by"].as_str()),
            (Some("closed"), Some("qa"))
        );
        assert_sealed(house);
        ra.patch(RECALL, json!({ "customers": [{ "customer": "C1", "note": "x" }] }), &[])
            .refused(409, "record-closed");
        let late = keep(&house.person("erp"), "9001", order("C9", &[("100238", "230815", "3")]));
        assert_eq!(late["held"], false, "a closed recall holds nothing");
    });
}

#[test]
fn a_qa_who_raised_a_recall_does_not_close_it() {
    let house = House::sqlite();
    let qa = house.person("qa");
    qa.post("/api/v1/recalls", recall()).expect(201);
    for state in ["notifying", "retrieving", "reconciling"] {
        moved(&qa, state).expect(200);
    }
    close(&qa).refused(403, "closer-raised");
    close(&house.person("qa2")).expect(200);
}

#[test]
fn a_class_changed_by_correction_recomputes_the_clocks() {
    both(|house| {
        let ra = house.person("ra");
        ra.post("/api/v1/recalls", with("role", json!("holder"))).expect(201);
        let notice = |recall: &Value| {
            let clocks = recall["clocks"].as_array().unwrap().clone();
            let clock =
                clocks.into_iter().find(|clock| clock["name"].as_str().unwrap().starts_with("rc.notice."));
            clock.unwrap()["due_at"].as_str().unwrap().to_owned()
        };
        assert_eq!(notice(&ra.get(RECALL).json()), "2026-03-03T01:00:00.000000Z");
        let wish = json!({ "field": "class", "value": "II", "reason": "评估更新" });
        let asked = ra.post(&at("corrections"), wish).expect(201).json();
        let decision = at(&format!("corrections/{}/decision", asked["id"].as_str().unwrap()));
        let approve = json!({ "approve": true, "reason": "属实", "password": PASSWORD });
        ra.post(&decision, approve.clone()).refused(403, "no-right");
        let decided = house.person("qa").post(&decision, approve).expect(200).json();
        assert_eq!((&decided["id"], &decided["state"]), (&asked["id"], &json!("approved")));
        sealed_at_once(house, &decided["signature"], "/recalls/RCL-2026-0001");
        let corrected = ra.get(RECALL).expect(200).json();
        assert_eq!(corrected["class"], "II");
        assert_eq!(notice(&corrected), "2026-03-05T01:00:00.000000Z");
        assert_sealed(house);
    });
}

#[test]
fn a_booked_value_is_corrected_like_any_other() {
    let house = House::sqlite();
    with_orders(&house);
    let ra = house.person("ra");
    ra.post("/api/v1/recalls", recall()).expect(201);
    book(&ra, "C2", "10").expect(200);
    let wish = |value: &str| json!({ "field": "customers.C2.returned", "value": value, "reason": "误填" });
    assert_eq!(fields(&ra.post(&at("corrections"), wish("101")).expect(422)), ["value"]);
    let asked = ra.post(&at("corrections"), wish("100")).expect(201).json();
    let decision = at(&format!("corrections/{}/decision", asked["id"].as_str().unwrap()));
    let approve = json!({ "approve": true, "reason": "属实", "password": PASSWORD });
    house.person("qa").post(&decision, approve).expect(200);
    let corrected = house.person("qa").get(RECALL).expect(200).json();
    assert_eq!(corrected["reach"]["returned"], "100");
    assert_eq!(corrected["corrections"][0]["old"], "10");
}

#[test]
fn every_page_of_a_recall_is_written_in_both_languages() {
    let house = House::sqlite();
    with_orders(&house);
    let (ra, qa) = (house.person("ra"), house.person("qa"));
    ra.post("/api/v1/recalls", recall()).expect(201);
    let wish = json!({ "field": "title", "value": "另一标题", "reason": "笔误" });
    let asked = ra.post(&at("corrections"), wish).expect(201).json();
    let decision = format!("/recalls/RCL-2026-0001/corrections/{}", asked["id"].as_str().unwrap());
    for lang in ["zh-CN", "en"] {
        let headers = [("accept-language", lang), ("accept", "text/html")];
        for (who, path) in [
            (&ra, "/recalls"),
            (&ra, "/recalls?state=notifying"),
            (&ra, "/recalls/new"),
            (&ra, "/recalls/RCL-2026-0001"),
            (&qa, "/recalls/RCL-2026-0001/close"),
            (&qa, decision.as_str()),
        ] {
            let page = who.get_with(path, &headers).expect(200).text;
            assert!(page.contains(&format!("<html lang=\"{lang}\"")), "{path} {lang}");
            assert!(!page.contains(">recalls-"), "{path} {lang} lacks words: {page}");
        }
    }
    let shown = qa.get_with("/recalls/RCL-2026-0001", &[("accept-language", "zh-CN")]).expect(200).text;
    for said in ["一级召回", "持有人发出召回通知", "公司目标", "药品召回管理办法", "8003", "C2 药房"]
    {
        assert!(shown.contains(said), "{said}");
    }
}
