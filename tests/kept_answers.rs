//! Answers kept under an Idempotency-Key: the same for the same request, and sealed.

use diesel::prelude::*;
use serde_json::{Value, json};
use sopledger::store::portable::tables_in_order;
use sopledger::store::{self, Db, Purpose, Target};

use crate::deviations::order;
use crate::house::{Answer, Client, PASSWORD, both};
use crate::ledger::tamper::run;
use crate::openapi::example;
use crate::postgres;

fn send(who: &Client, (method, path): (&str, &str), key: &str, body: &Value) -> Answer {
    let headers = [("content-type", "application/json"), ("if-match", "*"), ("idempotency-key", key)];
    who.send(method, path, Some(body.to_string().into_bytes()), &headers)
}

fn same(first: &Answer, again: &Answer) {
    assert_eq!((first.status, &first.text), (again.status, &again.text));
    for header in ["location", "etag", "content-type"] {
        assert_eq!(first.header(header), again.header(header), "{header}");
    }
}

/// Every row of every table as text; bytes stand in hexadecimal digits.
fn rows(db: &mut Db) -> Vec<String> {
    let mut rows = Vec::new();
    store::begin_write(db).unwrap();
    for table in tables_in_order(db).unwrap() {
        let name = table.name.clone();
        table
            .each_row(db, |row| {
                rows.push(format!("{name} {row}"));
                Ok(())
            })
            .unwrap();
    }
    store::rollback(db).unwrap();
    rows
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn nowhere(rows: &[String], secret: &str) {
    for row in rows {
        let lower = row.to_lowercase();
        let found = row.contains(secret) || lower.contains(&hex(secret));
        assert!(!found, "{secret} stands in {row}");
    }
}

#[test]
fn a_key_answers_the_same_and_refuses_another_request() {
    both(|house| {
        let admin = house.person("admin");
        let users = ("POST", "/api/v1/users");
        let body = json!({ "login": "twice", "name": "二次", "reason": "入职" });
        let first = send(&admin, users, "k-1", &body).expect(201);
        same(&first, &send(&admin, users, "k-1", &body));
        let other = json!({ "login": "thrice", "name": "三次", "reason": "入职" });
        send(&admin, users, "k-1", &other).refused(422, "idempotency-mismatch");
        // The key is the account's own, and a day long.
        let qa = house.person("qa");
        order(house, "80012345");
        let deviation = example("NewDeviation");
        let first = send(&qa, ("POST", "/api/v1/deviations"), "k-1", &deviation).expect(201);
        same(&first, &send(&qa, ("POST", "/api/v1/deviations"), "k-1", &deviation));
        house.later(24 * 3600);
        send(&house.person("admin"), users, "k-1", &other).expect(201);
    });
}

#[test]
fn a_version_answered_again_has_its_tag_again() {
    both(|house| {
        let author = house.person("author");
        let document = json!({ "kind": "sop", "department": "CS", "owner": "author", "title": "订单受理",
            "processes": ["order_intake"], "audience": ["cs"], "review_months": 24 });
        author.post("/api/v1/documents", document).expect(201);
        let versions = "/api/v1/documents/SOP-CS-001/versions";
        let draft =
            json!({ "renditions": { "zh-CN": "# 一" }, "change_summary": "一", "change_reason": "一" });
        let made = send(&author, ("POST", versions), "k-1", &draft).expect(201);
        same(&made, &send(&author, ("POST", versions), "k-1", &draft));
        let read = author.get(&format!("{versions}/1.0")).expect(200);
        assert_eq!(made.header("etag"), read.header("etag"));
    });
}

#[test]
fn whoever_reads_the_database_finds_no_secret_that_was_answered_once() {
    both(|house| {
        let admin = house.person("admin");
        let key = "5b1f0c3e-kept-for-nobody-else";
        let new = json!({ "login": "new", "name": "新人", "reason": "入职" });
        let made = send(&admin, ("POST", "/api/v1/users"), key, &new).expect(201);
        let password = made.json()["password"].as_str().unwrap().to_owned();
        let tokens = format!("/api/v1/users/{}/tokens", house.id("erp"));
        let wish = json!({ "label": "ERP", "expires_on": "2026-12-31" });
        let other_key = format!("{key}-2");
        let token = send(&admin, ("POST", &tokens), &other_key, &wish).expect(201);
        let secret = token.json()["token"].as_str().unwrap().to_owned();
        let own = json!({ "old": PASSWORD, "new": "a new secret 42" });
        send(&house.person("cs"), ("POST", "/api/v1/password"), &format!("{key}-3"), &own);
        let mut db = house.place.target.open(Purpose::Write).unwrap();
        let rows = rows(&mut db);
        let kept: Vec<&String> = rows.iter().filter(|row| row.starts_with("kept_answer ")).collect();
        assert!(kept.len() >= 2, "{kept:?}");
        for secret in [&password, &secret, key, "a new secret 42", PASSWORD] {
            nowhere(&rows, secret);
        }
        // Nor does a row tell for whom it is kept.
        let admin_id = house.id("admin");
        assert!(kept.iter().all(|row| !row.contains(&admin_id)), "{kept:?}");
        same(&made, &send(&admin, ("POST", "/api/v1/users"), key, &new));
        same(&token, &send(&admin, ("POST", &tokens), &other_key, &wish));
        assert_eq!(token.json()["token"], secret.as_str());
    });
}

#[test]
fn answers_that_were_kept_in_clear_go_with_the_migration_and_a_demos_marks_stay() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = Target::Sqlite(folder.path().join("older.sqlite3"));
    let postgres = postgres::database().map(|url| Target::from_url(&url).unwrap());
    for target in [Some(sqlite), postgres].into_iter().flatten() {
        let mut db = target.open(Purpose::Write).unwrap();
        let before: Vec<String> = [1, 2, 3, 4, 5, 6, 8, 9, 10, 11].map(|n| format!("{n:014}")).into();
        store::begin_write(&mut db).unwrap();
        assert!(store::run_these(&mut db, &before).unwrap());
        let keep = |db: &mut Db, account: &str, key: &str| {
            let sql = format!(
                "INSERT INTO idempotency (account_id, key, request, status, body, created_at) \
                 VALUES ('{account}', '{key}', 'r', 201, 'told once', 1)"
            );
            assert_eq!(run(db, &sql), 1);
        };
        keep(&mut db, "u-1", "k-1");
        keep(&mut db, "demo", "day-2026-03-02");
        store::run_pending(&mut db).unwrap();
        store::commit(&mut db).unwrap();
        nowhere(&rows(&mut db), "told once");
        let marks: Vec<String> =
            store::schema::demo_step::table.select(store::schema::demo_step::mark).load(&mut db).unwrap();
        assert_eq!(marks, ["day-2026-03-02"]);
    }
}
