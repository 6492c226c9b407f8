//! Retention, legal holds and the erasure of personal data.

use diesel::prelude::*;
use serde_json::{Value, json};
use sopledger::app::GOVERNED;
use sopledger::ledger::verify::verify_target;
use sopledger::store::schema::sealed_value;
use sopledger::store::{Purpose, Target};

use crate::house::{Client, House, PASSWORD, both};

/// Long, and nowhere else.
const SHIP_TO: &str = "上海市浦东新区看不见的路七百七十七号收货处二楼";

fn order(house: &House, number: &str) {
    let order = json!({
        "customer": { "code": "10023", "name": "第一医院药房" }, "ship_to": SHIP_TO,
        "lines": [{ "line": "10", "material": "100238", "name": "胰岛素注射液", "batch": "230815",
                    "expiry": "2027-01-31", "quantity": "5", "unit": "BOX", "storage": "2-8" }],
        "events": [{ "kind": "ordered", "at": "2026-02-18T09:12:00+08:00" }],
    });
    house.person("erp").put(&format!("/api/v1/orders/{number}"), order).expect(201);
}

fn sound(house: &House) {
    let found = verify_target(&house.place.target, &house.place.folder, GOVERNED, &|_, _| {}).unwrap();
    assert_eq!(found.faults, [], "{found}");
}

/// The entry that introduced a value of this name, of all about a subject.
fn introduced(reader: &Client, subject: &str, name: &str) -> u64 {
    let entries =
        reader.get(&format!("/api/v1/ledger/entries?subject={subject}&limit=1000")).expect(200).json();
    let of_name = |item: &&Value| item["sealed"][name].is_object();
    entries["items"].as_array().unwrap().iter().find(of_name).unwrap()["seq"].as_u64().unwrap()
}

fn erase(who: &Client, seq: u64, name: &str) -> crate::house::Answer {
    let wish = json!({
        "erased": [{ "seq": seq, "name": name }], "basis": "个人信息保护法 第47条第一项", "reason": "本人请求",
        "password": PASSWORD,
    });
    who.post("/api/v1/erasures", wish)
}

/// A legal hold, and an erasure that no law forbids: an address that is half a year old.
pub fn hold_and_erase(house: &House) {
    let qa = house.person("qa");
    let order = qa.get("/api/v1/orders?limit=1").expect(200).json()["items"][0]["number"].clone();
    let hold = json!({ "subject": format!("order/{}", order.as_str().unwrap()), "reason": "调查" });
    qa.post("/api/v1/holds", hold).expect(201);
    let address = introduced(&qa, &format!("account/{}", house.id("qa")), "address");
    house.later(190 * 24 * 3600);
    erase(&house.person("qa"), address, "address").expect(201);
}

#[test]
fn a_value_is_erased_once_law_and_hold_let_it_go_and_nothing_of_it_is_left() {
    both(|house| {
        order(house, "80010001");
        let qa = house.person("qa");
        let seq = introduced(&qa, "order/80010001", "ship_to");
        let kept = qa.get("/api/v1/retention?subject=order/80010001").expect(200).json();
        assert_eq!(
            (&kept["state"], &kept["retain_until"]),
            (&json!("until"), &json!("2031-03-02T15:59:59.999999Z"))
        );
        erase(&qa, seq, "ship_to").refused(409, "law-keeps");
        let held = json!({ "subject": "order/80010001", "reason": "省局调查" });
        house.person("cs").post("/api/v1/holds", held.clone()).refused(403, "no-right");
        let hold = qa.post("/api/v1/holds", held).expect(201).json();
        sound(house);
        house.at("2031-03-02T16:00:00Z");
        let qa = house.person("qa");
        erase(&qa, seq, "ship_to").refused(409, "legal-hold");
        let lift = format!("/api/v1/holds/{}/lift", hold["id"].as_str().unwrap());
        qa.post(&lift, json!({ "reason": "调查结束" })).expect(200);
        qa.post(&lift, json!({ "reason": "调查结束" })).refused(409, "hold-lifted");
        let wrong = json!({ "erased": [{ "seq": seq, "name": "ship_to" }], "basis": "b", "reason": "r", "password": "x" });
        qa.post("/api/v1/erasures", wrong).refused(403, "password");
        let done = erase(&qa, seq, "ship_to").expect(201).json();
        erase(&qa, seq, "ship_to").refused(409, "erased-already");
        sound(house);
        let entry = qa.get(&format!("/api/v1/ledger/entries/{seq}")).expect(200).json();
        assert_eq!(entry["sealed"]["ship_to"], json!({ "erased": done["seq"] }));
        assert!(entry["sealed"]["customer_name"]["value"].is_string());
        let now = qa.get("/api/v1/orders/80010001").expect(200).json();
        assert_eq!((&now["ship_to"], &now["customer"]["name"]), (&Value::Null, &json!("第一医院药房")));
        let page = qa.get_with(&format!("/trail/{seq}"), &[("accept", "text/html")]).expect(200).text;
        assert!(page.contains("已删除（依"), "{page}");
        assert!(!page.contains(SHIP_TO));
        let said = qa.get(&format!("/api/v1/ledger/entries/{}", done["seq"])).expect(200).json();
        let said = said["entry"].as_str().unwrap();
        assert!(
            said.contains("\"act\":\"privacy.erased\"") && said.contains("\"meaning\":\"erased\""),
            "{said}"
        );
        assert!(house.acts().iter().any(|act| act == "signature.refused"));
        if let Target::Sqlite(path) = &house.place.target {
            let folder = path.parent().unwrap();
            for file in std::fs::read_dir(folder).unwrap() {
                let bytes = std::fs::read(file.unwrap().path()).unwrap();
                let there = bytes.windows(SHIP_TO.len()).any(|window| window == SHIP_TO.as_bytes());
                assert!(!there, "the text still lies in the database's files");
            }
        }
    });
}

#[test]
fn a_strangers_connection_erases_nothing_and_what_vanishes_without_an_entry_is_a_fault() {
    both(|house| {
        order(house, "80010002");
        let mut db = house.place.target.open(Purpose::Write).unwrap();
        assert!(diesel::delete(sealed_value::table).execute(&mut db).is_err());
        for table in ["erasure", "erased_value"] {
            let emptied = diesel::sql_query(format!("DELETE FROM {table}")).execute(&mut db);
            assert!(emptied.is_err() || emptied == Ok(0));
        }
        let found = crate::ledger::tamper::trial(&house.place, |db| {
            diesel::delete(sealed_value::table.filter(sealed_value::value.eq(SHIP_TO))).execute(db).unwrap();
        });
        assert!(found.faults.iter().any(|fault| fault.check == "sealed.missing"), "{found}");
    });
}

#[test]
fn a_persons_name_stays_while_the_account_lives_and_an_address_half_a_year() {
    both(|house| {
        let (qa, admin, id) = (house.person("qa"), house.person("admin"), house.id("cs"));
        house.person("cs");
        let account = format!("account/{id}");
        let name = introduced(&qa, &account, "name");
        let address = introduced(&qa, &account, "address");
        let values = qa.get(&format!("/api/v1/ledger/entries/{address}/values")).expect(200).json();
        assert_eq!(values["items"][0]["retain_until"], "2026-09-02T15:59:59.999999Z");
        erase(&qa, name, "name").refused(409, "law-keeps-open");
        erase(&qa, address, "address").refused(409, "law-keeps");
        erase(&qa, name, "nickname").refused(422, "invalid");
        erase(&qa, 999_999, "name").refused(422, "invalid");
        erase(&house.person("qa2"), address, "name").refused(422, "invalid");
        house.person("ra").post("/api/v1/erasures", json!({})).refused(403, "no-right");
        admin.post(&format!("/api/v1/users/{id}/disable"), json!({ "reason": "离职" })).expect(200);
        house.at("2026-09-03T02:00:00Z");
        let qa = house.person("qa");
        erase(&qa, address, "address").expect(201);
        erase(&qa, name, "name").refused(409, "law-keeps");
        house.at("2031-03-03T02:00:00Z");
        let qa = house.person("qa");
        let both = json!({
            "erased": [{ "seq": name, "name": "name" }, { "seq": name, "name": "login" }, { "seq": name, "name": "name" }],
            "basis": "个人信息保护法 第47条第一项", "reason": "保存期限届满", "password": PASSWORD,
        });
        let done = qa.post("/api/v1/erasures", both).expect(201).json();
        assert_eq!(done["erased"].as_array().unwrap().len(), 2);
        assert_eq!(qa.get("/api/v1/erasures").expect(200).json()["items"].as_array().unwrap().len(), 2);
        house
            .nobody()
            .post("/login", json!({ "login": "cs", "password": PASSWORD }))
            .refused(401, "bad-credentials");
        house.person("admin").get("/api/v1/users").expect(200);
        sound(house);
    });
}

#[test]
fn pages_show_until_when_a_record_is_kept_and_hold_and_erase() {
    let house = House::sqlite();
    order(&house, "80010003");
    let cs = house.person("cs");
    let html = [("accept", "text/html"), ("accept-language", "en")];
    let page = cs.get_with("/orders/80010003", &html).expect(200).text;
    assert!(page.contains("/retention?subject=order/80010003"), "{page}");
    let page = cs.get_with("/retention", &html).expect(200).text;
    assert!(page.contains("疫苗管理法"), "{page}");
    let page = cs.get_with("/retention?subject=order/80010003", &html).expect(200).text;
    assert!(page.contains("2031-03-02") && !page.contains("action=\"/retention/holds\""), "{page}");
    cs.get_with("/retention?subject=order/none", &html).expect(404);
    cs.get_with("/retention?subject=nothing/none", &html).expect(422);
    let qa = house.person("qa");
    let page = qa.get_with("/retention?subject=order/80010003", &html).expect(200).text;
    assert!(page.contains("action=\"/retention/holds\""), "{page}");
    let seq = introduced(&qa, "order/80010003", "ship_to");
    let page = qa.get_with(&format!("/trail/{seq}/erase"), &html).expect(200).text;
    assert!(page.contains("ship_to") && page.contains("2031-03-02"), "{page}");
    let document = json!({ "kind": "sop", "department": "CS", "title": { "zh-CN": "受理" }, "authoritative_language": "zh-CN" });
    let made = house.person("author").post("/api/v1/documents", document);
    if made.status == 201 {
        let number = made.json()["number"].as_str().unwrap().to_owned();
        let kept = qa.get(&format!("/api/v1/retention?subject=document/{number}")).expect(200).json();
        assert_eq!(kept["state"], "open");
    }
}
