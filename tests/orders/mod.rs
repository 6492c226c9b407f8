//! Orders over HTTP: the ERP's word, files of it, holds and their release, and who sees what.

use diesel::prelude::*;
use serde_json::{Value, json};
use sopledger::ledger::digest::Digest;
use sopledger::orders::store::GOVERNED;
use sopledger::store::Db;
use sopledger::store::schema::job;
use sopledger::web::words::{Lang, Words};

use crate::house::{Answer, Client, House, MORNING, PASSWORD, both};
use crate::wait::{PATIENCE, until};

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

/// One batch is recalled in this house.
fn with_a_recall(house: &House) {
    let recall = json!({ "title": "胰岛素注射液", "class": "II", "class_rationale": "可逆", "reason": "含量", "role": "wholesaler",
                         "origin": "voluntary", "batches": [{ "batch": RECALLED }], "decided_at": MORNING });
    house.person("ra").post("/api/v1/recalls", recall).expect(201);
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
        assert_eq!(numbers("shipped_from=2026-02-12"), ["3", "2"]);
        assert_eq!(numbers("held=true"), [""; 0]);
        let first = cs.get("/api/v1/orders?limit=2").expect(200).json();
        let next = first["next"].as_str().unwrap();
        assert_eq!(numbers(&format!("limit=2&cursor={next}")), ["1"]);
        cs.get("/api/v1/orders?shipped_from=yesterday").refused(422, "invalid");
    });
}

#[test]
fn a_recalled_batch_holds_a_new_order_until_qa_signs_its_release() {
    both(|house| {
        with_a_recall(house);
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
        let page = qa.get_with("/orders/1", &[("accept", "text/html")]).expect(200).text;
        assert!(page.contains("<td>qa 某</td>"), "people read who released it by name: {page}");
        qa.post(path, release(PASSWORD)).refused(409, "order-not-held");

        recalled["lines"][1]["quantity"] = json!("5");
        let body = put(&erp, "1", &recalled).expect(200).json();
        assert_eq!(body["held"], false, "a released order is not held again for the same batch");
        assert_sealed(house, "1");
    });
}

#[test]
fn an_order_that_was_there_is_held_when_a_recalled_batch_comes_onto_it() {
    let house = House::sqlite();
    with_a_recall(&house);
    let erp = house.person("erp");
    put(&erp, "1", &order()).expect(201);
    let mut recalled = order();
    recalled["lines"][1]["batch"] = json!(RECALLED);
    assert_eq!(put(&erp, "1", &recalled).expect(200).json()["held"], true);
    assert_eq!(orders_acts(&house), ["order.imported", "order.updated", "order.held"]);
}

pub const HEADER: &str = "VBELN,KUNNR,customer_name,ship_to,POSNR,MATNR,name,approval_number,CHARG,VFDAT,KWMENG,unit,storage,\
                      ordered_at,released_at,shipped_at,delivered_at,shipped_by";

pub fn row(number: &str, line: &str, quantity: &str) -> String {
    format!(
        "{number},10023,第一医院,,{line},100238,胰岛素,,230815,20270731,{quantity},BOX,2-8,2026-02-18T09:12:00+08:00,,,,"
    )
}

fn import(client: &Client, media: &str, bytes: Vec<u8>) -> Answer {
    client.send(
        "POST",
        "/api/v1/orders/import",
        Some(bytes),
        &[("content-type", media), ("accept-language", "en")],
    )
}

#[test]
fn a_csv_is_imported_in_a_job_that_tells_what_it_rejected_and_why() {
    both(|house| {
        let erp = house.person("erp");
        let rows = [
            HEADER.to_owned(),
            row("1", "10", "2"),
            row("2", "10", "-1"),
            row("3", "10", "1"),
            row("1", "20", "3"),
        ];
        let file = format!("\u{feff}{}\r\n", rows.join("\r\n")).into_bytes();
        let accepted = import(&erp, "text/csv; charset=utf-8", file.clone()).expect(202);
        let job = erp.until_over(accepted.header("location").unwrap());
        assert_eq!((&job["state"], &job["done"], &job["total"]), (&json!("done"), &json!(2), &json!(2)));
        let result = &job["result"];
        let figures = ["orders", "new", "changed", "unchanged"].map(|name| result[name].as_i64().unwrap());
        assert_eq!(figures, [3, 2, 0, 0]);
        let rejected = &result["rejected"][0];
        assert_eq!(
            (&rejected["row"], &rejected["field"], &rejected["value"]),
            (&json!(3), &json!("quantity"), &json!("-1"))
        );
        assert!(!rejected["message"].as_str().unwrap().is_empty());

        let order = house.person("cs").get("/api/v1/orders/1").expect(200).json();
        assert_eq!(order["lines"].as_array().unwrap().len(), 2);
        assert_eq!(order["lines"][0]["expiry"], "2027-07-31");
        let source = last_source(house);
        assert_eq!(source["sha256"], Digest::of(&file).to_string());
        assert_eq!((&source["system"], &source["row"]), (&json!("csv"), &json!(4)));

        let again = import(&erp, "text/csv", file).expect(202);
        let again = erp.until_over(again.header("location").unwrap());
        assert_eq!((&again["result"]["unchanged"], &again["result"]["new"]), (&json!(2), &json!(0)));
        assert_eq!(orders_acts(house), ["order.imported", "order.imported"]);
        assert_sealed(house, "1");
    });
}

/// The `source` of the last imported order's entry.
fn last_source(house: &House) -> Value {
    use sopledger::store::schema::ledger_entry;
    let last = |db: &mut Db| {
        let imported = ledger_entry::table.filter(ledger_entry::act.eq("order.imported"));
        Ok(imported.order(ledger_entry::seq.desc()).select(ledger_entry::entry).first::<Vec<u8>>(db)?)
    };
    let bytes = house.site.readers.read_here(last).unwrap();
    let body = String::from_utf8(bytes).unwrap().lines().nth(5).unwrap().to_owned();
    serde_json::from_str::<Value>(&body).unwrap()["source"].clone()
}

#[test]
fn ndjson_is_imported_and_a_key_used_again_answers_with_the_same_job() {
    let house = House::sqlite();
    let erp = house.person("erp");
    let mut first = order();
    first["number"] = json!("1");
    let file = format!("{first}\n{{\"number\":\"2\"}}\n").into_bytes();
    let headers = [("content-type", "application/x-ndjson"), ("idempotency-key", "k1")];
    let send = |file: &[u8]| erp.send("POST", "/api/v1/orders/import", Some(file.to_vec()), &headers);
    let accepted = send(&file).expect(202);
    let location = accepted.header("location").unwrap().to_owned();
    let result = erp.until_over(&location)["result"].clone();
    assert_eq!((&result["orders"], &result["new"]), (&json!(2), &json!(1)));
    let fields: Vec<_> =
        result["rejected"].as_array().unwrap().iter().map(|r| r["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["customer.code", "customer.name", "lines"]);
    assert_eq!(send(&file).expect(202).header("location"), Some(location.as_str()));
    send(b"{}").refused(422, "idempotency-mismatch");
    let jobs: i64 = house.site.readers.read_here(|db| Ok(job::table.count().get_result(db)?)).unwrap();
    assert_eq!(jobs, 1);
}

#[test]
fn a_file_that_cannot_be_read_is_refused_before_any_job() {
    let house = House::sqlite();
    let erp = house.person("erp");
    let csv = |text: &str| import(&erp, "text/csv", text.as_bytes().to_vec());
    import(&erp, "application/json", b"[]".to_vec()).refused(415, "unsupported-media");
    import(&erp, "text/csv", b"order\n\xd2\xc8\xb5\xba\n".to_vec()).refused(400, "import-encoding");
    csv("order\0\n").refused(400, "nul");
    let missing = csv(&HEADER.replace("MATNR,", "")).refused(422, "invalid").json();
    assert_eq!(missing["errors"][0]["field"], "material");
    import(&house.person("cs"), "text/csv", HEADER.into()).refused(403, "no-right");
    let jobs: i64 = house.site.readers.read_here(|db| Ok(job::table.count().get_result(db)?)).unwrap();
    assert_eq!(jobs, 0);
}

#[test]
fn a_job_is_seen_by_who_started_it_by_qa_and_by_admin_alone() {
    let house = House::sqlite();
    let erp = house.person("erp");
    let location =
        import(&erp, "text/csv", format!("{HEADER}\n{}\n", row("1", "10", "1")).into_bytes()).expect(202);
    let location = location.header("location").unwrap().to_owned();
    erp.until_over(&location);
    for login in ["qa", "admin"] {
        house.person(login).get(&location).expect(200);
    }
    for login in ["cs", "author", "auditor"] {
        house.person(login).get(&location).refused(404, "not-found");
    }
    house.nobody().get(&location).refused(401, "sign-in");
}

#[test]
fn a_job_that_is_called_off_stops_between_two_pieces_and_stays_called_off() {
    both(|house| {
        let (erp, id) = (house.person("erp"), house.id("erp"));
        let job = sopledger::jobs::Job::new("orders.import", &id, house.site.clock.now());
        let location = format!("/api/v1/jobs/{}", job.id);
        let kept = job.clone();
        house.site.lane.write_here(move |tx| sopledger::jobs::insert(tx, &kept)).unwrap();
        let (ended, end) = std::sync::mpsc::channel();
        let site = house.site.clone();
        sopledger::jobs::spawn(site, &job, Words::of(Lang::En), move |progress| {
            let called_off = until(|| progress.go_on().err().ok_or("nobody calls it off"));
            ended.send(called_off.code()).unwrap();
            Err(called_off)
        })
        .unwrap();
        house.person("cs").post(&format!("{location}/cancel"), json!({})).refused(404, "not-found");
        let called_off = erp.post(&format!("{location}/cancel"), json!({})).expect(200).json();
        assert_eq!(called_off["state"], "cancelled");
        assert_eq!(end.recv_timeout(PATIENCE).unwrap(), "job-called-off");
        assert_eq!(erp.get(&location).expect(200).json()["state"], "cancelled");
        erp.post(&format!("{location}/cancel"), json!({})).refused(409, "job-over");
    });
}

#[test]
fn a_job_cut_short_is_failed_at_the_next_start() {
    let house = House::sqlite();
    let id = house.id("qa");
    let cut = sopledger::jobs::Job::new("orders.import", &id, house.site.clock.now());
    let location = format!("/api/v1/jobs/{}", cut.id);
    house.site.lane.write_here(move |tx| sopledger::jobs::insert(tx, &cut)).unwrap();
    let qa = house.person("qa");
    assert_eq!(qa.get(&location).expect(200).json()["state"], "queued");
    assert_eq!(sopledger::jobs::fail_unfinished(&house.site).unwrap(), 1);
    let job = qa.get(&location).expect(200).json();
    assert_eq!(job["state"], "failed");
    assert!(!job["message"].as_str().unwrap().starts_with("job-"), "{job}");
}

#[test]
fn the_pages_show_what_the_api_gives_in_both_languages() {
    let house = House::sqlite();
    with_a_recall(&house);
    let (erp, qa) = (house.person("erp"), house.person("qa"));
    let mut recalled = order();
    recalled["lines"][0]["batch"] = json!(RECALLED);
    recalled["lines"][1]["name"] = json!("<script>alert(1)</script>");
    put(&erp, "1", &recalled).expect(201);
    assert_eq!(qa.get("/api/v1/orders/1").expect(200).json()["events"][1]["by"], "cs");
    for (lang, held) in [("zh-CN", "暂停发货"), ("en", "On hold")] {
        let headers = [("accept", "text/html"), ("accept-language", lang)];
        let page = qa.get_with("/orders/1", &headers).expect(200).text;
        assert!(page.contains(held) && page.contains("RCL-2026-0001") && page.contains("第一医院药房"));
        assert!(!page.contains("<script>alert"), "escaped");
        assert!(page.contains(" cs 某</li>"), "who acted is named: {page}");
        assert!(page.contains("action=\"/orders/1/release\""));
        let list = qa.get_with("/orders?held=true", &headers).expect(200).text;
        assert!(list.contains("href=\"/orders/1\"") && list.contains(held));
        qa.get_with("/orders/import", &headers).expect(200);
        assert_eq!(qa.get_with("/orders?shipped_to=x", &headers).status, 422);
    }
    let page = house.person("cs").get_with("/orders/1", &[("accept", "text/html")]).expect(200).text;
    assert!(!page.contains("/orders/1/release"), "only QA is offered what only QA may");
}
