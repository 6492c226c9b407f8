//! Files of orders, and the jobs that take them in.

use std::time::Duration;

use diesel::prelude::*;
use serde_json::{Value, json};
use sopledger::ledger::digest::Digest;
use sopledger::store::Db;
use sopledger::store::schema::job;

use super::{assert_sealed, order, orders_acts};
use crate::house::{Answer, Client, House, both};

const HEADER: &str = "VBELN,KUNNR,customer_name,ship_to,POSNR,MATNR,name,approval_number,CHARG,VFDAT,KWMENG,unit,storage,\
                      ordered_at,released_at,shipped_at,delivered_at,shipped_by";

fn row(number: &str, line: &str, quantity: &str) -> String {
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

/// The job's answer once it is over.
fn wait(client: &Client, location: &str) -> Value {
    for _ in 0..200 {
        let job = client.get(location).expect(200).json();
        if matches!(job["state"].as_str(), Some("done" | "failed" | "cancelled")) {
            return job;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!("{location} does not end");
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
        let job = wait(&erp, accepted.header("location").unwrap());
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
        let again = wait(&erp, again.header("location").unwrap());
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
    let result = wait(&erp, &location)["result"].clone();
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
    wait(&erp, &location);
    for login in ["qa", "admin"] {
        house.person(login).get(&location).expect(200);
    }
    for login in ["cs", "author", "auditor"] {
        house.person(login).get(&location).refused(404, "not-found");
    }
    house.nobody().get(&location).refused(401, "sign-in");
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
