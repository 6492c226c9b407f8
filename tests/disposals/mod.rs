//! Disposal of records whose time is over: proposed by one person, signed by another, and traced for good.

mod guards;
mod travels;

use diesel::prelude::*;
use serde_json::{Value, json};
use sopledger::app::GOVERNED;
use sopledger::keeping::disposals::record::{self, Disposal, DisposalState, Item};
use sopledger::ledger::acts;
use sopledger::ledger::lane::{Actor, NewEntry};
use sopledger::ledger::subject::Subject;
use sopledger::ledger::tombstone::Tombstone;
use sopledger::ledger::verify::{Scope, verify_scope};
use sopledger::store::Target;
use sopledger::store::schema::{disposal, disposal_item, disposed};

use crate::deviations::{findings, move_on, told};
use crate::house::{Answer, Client, House, PASSWORD, both};
use crate::pages_people::Browser;
use crate::recalls;

/// Long, and nowhere else.
const SHIP_TO: &str = "上海市浦东新区看不见的路八百八十八号收货处三楼";
/// When the time of all that was kept on the houses' first day is over.
pub const OVER: &str = "2031-03-03T02:00:00Z";

pub fn order(house: &House, number: &str) {
    put(house, number, "5").expect(201);
}

fn put(house: &House, number: &str, quantity: &str) -> Answer {
    let ship_to = if number == "80010001" { SHIP_TO } else { "北京市" };
    let order = json!({
        "customer": { "code": "10023", "name": "第一医院药房" }, "ship_to": ship_to,
        "lines": [{ "line": "10", "material": "100238", "name": "胰岛素注射液", "batch": "230815",
                    "expiry": "2027-01-31", "quantity": quantity, "unit": "BOX", "storage": "2-8" }],
        "events": [{ "kind": "ordered", "at": "2026-02-18T09:12:00+08:00", "by": "王芳" }],
    });
    house.person("erp").put(&format!("/api/v1/orders/{number}"), order)
}

/// A closed deviation about these orders.
fn deviation(house: &House, orders: &[&str]) -> String {
    let (cs, qa) = (house.person("cs"), house.person("qa"));
    let mut body = told();
    body["orders"] = json!(orders);
    let made = cs.post("/api/v1/deviations", body).expect(201).json();
    let number = made["number"].as_str().unwrap().to_owned();
    cs.patch(&format!("/api/v1/deviations/{number}"), findings(), &[]).expect(200);
    for to in ["investigating", "actions", "effectiveness"] {
        move_on(&cs, &number, to);
    }
    let close = json!({ "to": "closed", "password": PASSWORD });
    qa.post(&format!("/api/v1/deviations/{number}/transitions"), close).expect(200);
    number
}

pub fn propose(who: &Client, subjects: &[&str]) -> Answer {
    who.post("/api/v1/disposals", json!({ "subjects": subjects, "reason": "保存期限届满" }))
}

pub fn decide(who: &Client, number: &str, approve: bool) -> Answer {
    let verdict = json!({ "approve": approve, "reason": "核对无误", "password": PASSWORD });
    who.post(&format!("/api/v1/disposals/{number}/decision"), verdict)
}

/// Proposed by RA, signed by QA; its number.
pub fn dispose(house: &House, subjects: &[&str]) -> String {
    let made = propose(&house.person("ra"), subjects).expect(201).json();
    let number = made["number"].as_str().unwrap().to_owned();
    decide(&house.person("qa"), &number, true).expect(200);
    number
}

/// A record in the demo goes, years from now.
pub fn dispose_in_demo(house: &House) {
    house.at("2045-01-01T02:00:00Z");
    let ra = house.person("ra");
    let found = ra.get("/api/v1/disposals/candidates?limit=1000").expect(200).json();
    let free = found["items"].as_array().unwrap().iter().find(|item| item["obstacle"].is_null()).unwrap();
    dispose(house, &[free["subject"].as_str().unwrap()]);
}

/// A proposal as it would stand once the order's time is over, for a house whose clock must not move.
pub fn proposal_before_its_time(house: &House, number: &str) -> String {
    let (by, number) = (house.id("ra"), number.to_owned());
    let made = house.site.lane.write_here(move |tx| {
        let digest = tx.sealed_state(&Subject::new("order", &number))?.unwrap();
        let row = Disposal {
            number: "DSP-2026-0001".to_owned(),
            reason: "保存期限届满".to_owned(),
            state: record::PROPOSED.to_owned(),
            proposed_at: tx.now(),
            proposed_by: by.clone(),
            decided_at: None,
            decided_by: None,
            decision_reason: None,
        };
        let item = Item {
            disposal: row.number.clone(),
            subject_kind: "order".to_owned(),
            subject_id: number.clone(),
            digest: digest.to_string(),
            rule: "gsp.record".to_owned(),
            clause: "药品经营质量管理规范 第42条".to_owned(),
            retain_until: tx.now(),
        };
        diesel::insert_into(disposal::table).values(&row).execute(tx.rows())?;
        diesel::insert_into(disposal_item::table).values(&item).execute(tx.rows())?;
        let state = DisposalState { items: vec![item], signatures: Vec::new(), disposal: row };
        let actor = Actor::account(&by, "ra");
        tx.append(NewEntry::new(acts::DISPOSAL_PROPOSED, &actor).state(state.snapshot()))?;
        Ok(state.disposal.number)
    });
    made.unwrap()
}

pub fn sound(house: &House) {
    house.site.signing.finish();
    for scope in [Scope::New, Scope::Whole, Scope::New] {
        let place = &house.place;
        let found = verify_scope(&place.target, &place.folder, GOVERNED, (scope, &|_, _| Ok(()))).unwrap();
        assert_eq!(found.faults, [], "{found}");
    }
}

/// The messages of a refusal, field by field.
#[track_caller]
fn faults(answer: Answer) -> Vec<(String, String)> {
    let told = answer.refused(422, "invalid").json();
    let errors = told["errors"].as_array().unwrap();
    let text = |error: &Value, member: &str| error[member].as_str().unwrap().to_owned();
    errors.iter().map(|error| (text(error, "field"), text(error, "message"))).collect()
}

fn body_of(entry: &Value) -> Value {
    serde_json::from_str(entry["entry"].as_str().unwrap().lines().nth(5).unwrap()).unwrap()
}

fn entries(who: &Client, subject: &str) -> Vec<Value> {
    let path = format!("/api/v1/ledger/entries?subject={subject}&limit=1000");
    who.get(&path).expect(200).json()["items"].as_array().unwrap().clone()
}

#[test]
fn a_record_goes_by_two_persons_and_nothing_is_left_of_it_but_its_entries_and_its_tombstone() {
    both(|house| {
        order(house, "80010001");
        order(house, "80010002");
        let deviation = deviation(house, &["80010001"]);
        let tie = json!({ "from": "order/80010001", "to": "order/80010002", "relation": "refers_to", "reason": "补货" });
        let link = house.person("ra").post("/api/v1/links", tie).expect(201).json()["id"].clone();
        let (order_is, deviation_is) = ("order/80010001", format!("deviation/{deviation}"));
        sound(house);
        house.at(OVER);
        let (ra, qa) = (house.person("ra"), house.person("qa"));
        let before = qa.get("/api/v1/orders/80010001").expect(200).json();
        let made = propose(&ra, &[&deviation_is, order_is]).expect(201);
        assert_eq!(made.header("location"), Some("/api/v1/disposals/DSP-2031-0001"));
        let item = &made.json()["items"][1];
        assert_eq!((&item["subject"], &item["rule"]), (&json!(order_is), &json!("gsp.record")));
        assert_eq!(item["retain_until"], "2031-03-02T15:59:59.999999Z");
        let done = decide(&qa, "DSP-2031-0001", true).expect(200).json();
        assert_eq!((&done["state"], done["removed"].as_array().unwrap().len()), (&json!("carried_out"), 3));
        sound(house);

        let gone =
            qa.get_with("/api/v1/orders/80010001", &[("accept-language", "en")]).refused(404, "disposed");
        let told = gone.json();
        assert_eq!(told["disposal"], "DSP-2031-0001");
        let (disposal, trail) =
            (r#"href="/retention/disposals/DSP-2031-0001""#, "/trail?subject=order/80010001");
        let page =
            |who: &Client| who.get_with("/orders/80010001", &[("accept", "text/html")]).expect(404).text;
        let seen = page(&qa);
        assert!(seen.contains(disposal) && seen.contains(trail), "{seen}");
        let seen = page(&house.person("cs"));
        assert!(seen.contains(disposal) && !seen.contains(trail), "{seen}");
        let trail = qa.get_with("/trail?action=record.disposed", &[("accept", "text/html")]).expect(200).text;
        let whys = trail.matches("<td>保存期限届满</td>").count();
        assert_eq!(whys, 3, "each says why: {trail}");
        let detail = told["detail"].as_str().unwrap();
        assert!(detail.contains("2031-03-03") && detail.contains("药品经营质量管理规范"), "{detail}");
        for path in [
            "orders/80010001/procedures",
            &format!("deviations/{deviation}"),
            "retention?subject=order/80010001",
        ] {
            qa.get(&format!("/api/v1/{path}")).refused(404, "disposed");
        }
        let html = [("accept", "text/html"), ("accept-language", "zh-CN")];
        for path in
            ["/orders/80010001", &format!("/deviations/{deviation}"), "/retention?subject=order/80010001"]
        {
            let page = qa.get_with(path, &html).expect(404).text;
            assert!(page.contains("DSP-2031-0001") && page.contains("2031-03-03"), "{path}: {page}");
        }
        put(house, "80010001", "6").refused(409, "disposed");
        let link = link.as_str().unwrap();
        ra.post(&format!("/api/v1/links/{link}/remove"), json!({ "reason": "误" })).refused(404, "disposed");
        let tie = json!({ "from": "order/80010002", "to": order_is, "relation": "refers_to" });
        ra.post("/api/v1/links", tie).refused(422, "invalid");
        assert_eq!(qa.get("/api/v1/links?subject=order/80010002").expect(200).json()["items"], json!([]));
        assert_eq!(qa.get("/api/v1/orders").expect(200).json()["items"].as_array().unwrap().len(), 1);
        qa.get_with("/orders/80010002", &html).expect(200);

        let auditor = house.person("auditor");
        let all = entries(&auditor, order_is);
        let last = body_of(all.last().unwrap());
        assert_eq!((&last["act"], &last["disposal"]), (&json!("record.disposed"), &json!("DSP-2031-0001")));
        assert_eq!((&last["pre"], &last["rule"]), (&item["digest"], &json!("gsp.record")));
        assert!(last["chg"].is_null(), "what went is not told once more: {last}");
        let tombstone = auditor.get(&format!("/api/v1/ledger/content/{}", last["post"].as_str().unwrap()));
        let tombstone = tombstone.expect(200).json();
        assert_eq!((&tombstone["removed"], &tombstone["disposed_on"]), (&last["pre"], &json!("2031-03-03")));
        let first = body_of(&all[0]);
        auditor
            .get(&format!("/api/v1/ledger/content/{}", first["post"].as_str().unwrap()))
            .refused(404, "disposed");
        assert_eq!(all[0]["sealed"]["ship_to"], json!({ "erased": all.last().unwrap()["seq"] }));
        let page = auditor.get_with(&format!("/trail/{}", all[0]["seq"]), &html).expect(200).text;
        assert!(page.contains("DSP-2031-0001") && !page.contains(SHIP_TO), "{page}");
        for entry in [all.last().unwrap(), &entries(&auditor, &format!("link/{link}"))[1]] {
            auditor.get_with(&format!("/trail/{}", entry["seq"]), &html).expect(200);
        }
        let tied = body_of(&entries(&auditor, &format!("link/{link}"))[1]);
        assert_eq!(tied["along_with"], order_is);
        assert!(before["ship_to"] == SHIP_TO);
        nowhere_in_the_files(house);
    });
}

#[test]
fn short_values_stay_in_the_entries_of_a_record_that_went_and_the_pages_say_so() {
    both(|house| {
        order(house, "80010001");
        let subject = format!("deviation/{}", deviation(house, &["80010001"]));
        house.at(OVER);
        let number = dispose(house, &[&subject]);
        let qa = house.person("qa");
        let acted = |entry: &Value| body_of(entry)["act"] == "deviation.filled";
        let filled = body_of(&entries(&qa, &subject).into_iter().find(acted).unwrap());
        let cause = filled["chg"].as_array().unwrap().iter().find(|row| row["f"] == "root_cause").unwrap();
        assert_eq!(cause["new"], findings()["root_cause"]);
        let html = [("accept", "text/html"), ("accept-language", "en")];
        let page = qa.get_with(&format!("/retention/disposals/{number}"), &html).expect(200).text;
        assert!(page.contains("values of at most 200 bytes, before and after"), "{page}");
        let page = qa.get_with(&subject.replace("deviation", "/deviations"), &html).expect(404).text;
        assert!(page.contains("short values (at most 200 bytes)"), "{page}");
    });
}

/// The address stood nowhere else: not a byte of it is left beside the tables either.
fn nowhere_in_the_files(house: &House) {
    let Target::Sqlite(path) = &house.place.target else { return };
    for file in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let there = bytes.windows(SHIP_TO.len()).any(|window| window == SHIP_TO.as_bytes());
        assert!(!there, "the address still lies in the database's files");
    }
}

#[test]
fn a_record_is_refused_with_rule_clause_and_date_while_anything_keeps_it() {
    both(|house| {
        for number in ["80010001", "80010002", "80010003"] {
            order(house, number);
        }
        let deviation = format!("deviation/{}", deviation(house, &["80010001"]));
        let (cs, qa) = (house.person("cs"), house.person("qa"));
        let mut open = told();
        open["orders"] = json!([]);
        let open = cs.post("/api/v1/deviations", open).expect(201).json();
        let open = format!("deviation/{}", open["number"].as_str().unwrap());
        let document = json!({ "kind": "sop", "department": "CS", "owner": "author", "title": "订单受理",
            "processes": ["order_intake"], "audience": ["cs"], "review_months": 24 });
        house.person("author").post("/api/v1/documents", document).expect(201);
        propose(&cs, &["order/80010001"]).refused(403, "no-right");
        house.person("auditor").post("/api/v1/disposals", json!({})).refused(403, "no-right");
        let told = faults(propose(&qa, &["order/80010002", "order/none", &open]));
        assert_eq!(told[0].0, "subjects[0]");
        for part in ["2031-03-02", "药品经营质量管理规范 第42条", "gsp.record"] {
            assert!(told[0].1.contains(part), "{told:?}");
        }
        assert_eq!((told.len(), told[2].0.as_str()), (3, "subjects[2]"));
        assert!(told[2].1.contains("尚未起算"), "{told:?}");

        house.at(OVER);
        let (ra, qa) = (house.person("ra"), house.person("qa"));
        let hold = json!({ "subject": "order/80010002", "reason": "省局调查" });
        let hold = qa.post("/api/v1/holds", hold).expect(201).json()["id"].clone();
        let of =
            ["document/SOP-CS-001", "order/80010002", "order/80010001", "order/80010003", "order/80010003"];
        let told = faults(propose(&ra, &of));
        for (place, part) in ["不予销毁", "法律冻结", &deviation, "重复", "重复"].iter().enumerate()
        {
            assert!(told[place].1.contains(part), "{part}: {told:?}");
        }
        assert_eq!(faults(propose(&ra, &[]))[0].0, "subjects");
        let found = ra.get("/api/v1/disposals/candidates").expect(200).json();
        let obstacles: Vec<_> =
            found["items"].as_array().unwrap().iter().map(|item| item["obstacle"].clone()).collect();
        assert_eq!(obstacles, [json!("kept-cited"), json!("kept-held"), json!(null)]);
        let lift = format!("/api/v1/holds/{}/lift", hold.as_str().unwrap());
        qa.post(&lift, json!({ "reason": "调查结束" })).expect(200);
        let tie = json!({ "from": "order/80010003", "to": "order/80010002", "relation": "refers_to" });
        let tie = ra.post("/api/v1/links", tie).expect(201).json()["id"].clone();
        assert!(faults(propose(&ra, &["order/80010002"]))[0].1.contains("order/80010003"));
        let path = format!("/api/v1/links/{}/remove", tie.as_str().unwrap());
        ra.post(&path, json!({ "reason": "不再相关" })).expect(200);
        propose(&ra, &["order/80010002"]).expect(201);
        assert!(faults(propose(&ra, &["order/80010002"]))[0].1.contains("DSP-2031-0001"));
        let acts = house.acts();
        assert!(!acts.iter().any(|act| act == "record.disposed"));
        sound(house);
        decide(&qa, "DSP-2031-0001", true).expect(200);
        assert!(faults(propose(&ra, &["order/80010002"]))[0].1.contains("2031-03-03"));
        sound(house);
    });
}

#[test]
fn what_changed_or_is_held_since_it_was_proposed_stays_and_nothing_is_done_by_halves() {
    both(|house| {
        order(house, "80010001");
        order(house, "80010002");
        house.at(OVER);
        let (ra, qa, qa2) = (house.person("ra"), house.person("qa"), house.person("qa2"));
        propose(&qa, &["order/80010001", "order/80010002"]).expect(201);
        decide(&qa, "DSP-2031-0001", true).refused(403, "own-disposal");
        decide(&ra, "DSP-2031-0001", true).refused(403, "no-right");
        let wrong = json!({ "approve": true, "reason": "核对无误", "password": "wrong" });
        qa2.post("/api/v1/disposals/DSP-2031-0001/decision", wrong).refused(403, "password");
        let noted = entries(&qa, "disposal/DSP-2031-0001");
        let noted: Vec<_> = noted.iter().map(|entry| body_of(entry)["act"].clone()).collect();
        assert_eq!(noted, ["disposal.proposed", "signature.refused", "signature.refused"]);
        let stale =
            json!({ "approve": true, "reason": "核对无误", "password": PASSWORD, "digest": "0".repeat(64) });
        qa2.post("/api/v1/disposals/DSP-2031-0001/decision", stale).refused(409, "stale-digest");
        let hold = json!({ "subject": "order/80010002", "reason": "省局调查" });
        let hold = qa.post("/api/v1/holds", hold).expect(201).json()["id"].clone();
        let told = faults(decide(&qa2, "DSP-2031-0001", true));
        assert_eq!((told.len(), told[0].0.as_str()), (1, "subjects[1]"));
        qa.get("/api/v1/orders/80010001").expect(200);
        let lift = format!("/api/v1/holds/{}/lift", hold.as_str().unwrap());
        qa.post(&lift, json!({ "reason": "调查结束" })).expect(200);
        put(house, "80010001", "6").expect(200);
        let told = faults(decide(&qa2, "DSP-2031-0001", true));
        assert!(told[0].1.contains("2036-03-03"), "the ERP's new word is a new record: {told:?}");
        sound(house);
        let no = decide(&qa2, "DSP-2031-0001", false).expect(200).json();
        assert_eq!((&no["state"], &no["removed"]), (&json!("refused"), &json!([])));
        decide(&qa2, "DSP-2031-0001", true).refused(409, "disposal-decided");
        propose(&ra, &["order/80010002"]).expect(201);
        let withdraw = "/api/v1/disposals/DSP-2031-0002/withdraw";
        qa.post(withdraw, json!({ "reason": "误" })).refused(403, "not-proposer");
        assert_eq!(ra.post(withdraw, json!({ "reason": "误" })).expect(200).json()["state"], "withdrawn");
        let list = house.person("auditor").get("/api/v1/disposals?limit=1").expect(200).json();
        assert_eq!((&list["items"][0]["number"], list["next"].is_string()), (&json!("DSP-2031-0002"), true));
        qa.get("/api/v1/disposals/DSP-2031-0009").refused(404, "not-found");
        sound(house);
    });
}

#[test]
fn a_recall_goes_with_its_trace_and_then_the_orders_it_traced() {
    both(|house| {
        recalls::with_orders(house);
        let (ra, qa) = (house.person("ra"), house.person("qa"));
        ra.post("/api/v1/recalls", recalls::recall()).expect(201);
        for state in ["notifying", "retrieving", "reconciling"] {
            recalls::moved(&ra, state).expect(200);
        }
        recalls::book(&ra, "C1", "200").expect(200);
        recalls::book(&ra, "C2", "100").expect(200);
        recalls::close(&qa).expect(200);
        let trace = entries(&qa, "recall/RCL-2026-0001");
        let post = body_of(&trace[0])["post"].as_str().unwrap().to_owned();
        let snapshot = qa.get(&format!("/api/v1/ledger/content/{post}")).expect(200).json();
        house.at(OVER);
        assert!(faults(propose(&house.person("ra"), &["order/8001"]))[0].1.contains("recall/RCL-2026-0001"));
        dispose(house, &["recall/RCL-2026-0001"]);
        sound(house);
        let trace = format!("/api/v1/ledger/content/{}", snapshot["trace"]["sha256"].as_str().unwrap());
        let qa = house.person("qa");
        qa.get(&trace).refused(404, "disposed");
        for path in ["", "/trace"] {
            qa.get(&format!("/api/v1/recalls/RCL-2026-0001{path}")).refused(404, "disposed");
        }
        dispose(house, &["order/8001", "order/8002"]);
        sound(house);
    });
}

#[test]
fn an_import_passes_an_order_by_whose_number_was_disposed_of() {
    both(|house| {
        order(house, "80010001");
        house.at(OVER);
        dispose(house, &["order/80010001"]);
        let line = |number: &str| {
            json!({ "number": number, "customer": { "code": "1", "name": "某药房" },
                    "lines": [{ "line": "10", "material": "M", "name": "某药", "quantity": "1", "unit": "盒", "storage": "ambient" }],
                    "events": [{ "kind": "ordered", "at": "2031-03-01T02:00:00Z" }] })
        };
        let file = format!("{}\n{}\n", line("80010001"), line("80010009"));
        let erp = house.person("erp");
        let media = [("content-type", "application/x-ndjson")];
        let asked = erp.send("POST", "/api/v1/orders/import", Some(file.into_bytes()), &media).expect(202);
        let result = erp.until_over(asked.header("location").unwrap())["result"].clone();
        assert_eq!((&result["new"], &result["rejected_orders"]), (&json!(1), &json!(1)));
        assert!(result["rejected"][0]["message"].as_str().unwrap().contains("DSP-2031-0001"), "{result}");
        sound(house);
    });
}

#[test]
fn pages_propose_from_the_list_or_from_the_record_and_sign_in_both_languages() {
    let house = House::sqlite();
    order(&house, "80010001");
    let html = |lang: &'static str| [("accept", "text/html"), ("accept-language", lang)];
    let page = house.person("ra").get_with("/retention?subject=order/80010001", &html("en")).expect(200).text;
    assert!(
        page.contains("Order 80010001 is kept until 2031-03-02") && !page.contains("candidates?subject="),
        "{page}"
    );
    house.at(OVER);
    let (ra, qa, auditor) = (house.person("ra"), house.person("qa"), house.person("auditor"));
    let page = ra.get_with("/retention?subject=order/80010001", &html("en")).expect(200).text;
    assert!(page.contains("/retention/disposals/candidates?subject=order/80010001"), "{page}");
    let ask = "/retention/disposals/candidates?subject=order/80010001";
    let page = ra.get_with(ask, &html("en")).expect(200).text;
    assert!(page.contains("value=\"order/80010001\" checked> Order 80010001</label>"), "{page}");
    let browser = Browser::of(&house, "ra");
    let token = browser.token(ask);
    let form = [("csrf", token.as_str()), ("subject", "order/none"), ("reason", "期满")];
    let page = browser.post("/retention/disposals", &form, &[]).expect(422).text;
    assert!(page.contains("订单 none") && !page.contains(">order/none"), "{page}");
    let page = auditor.get_with(ask, &html("zh-CN")).expect(200).text;
    assert!(page.contains("80010001") && !page.contains("type=\"checkbox\""), "{page}");
    propose(&ra, &["order/80010001"]).expect(201);
    let one = "/retention/disposals/DSP-2031-0001";
    for (lang, called) in [("en", "Order 80010001"), ("zh-CN", "订单 80010001")] {
        for path in ["/retention/disposals", one] {
            let page = auditor.get_with(path, &html(lang)).expect(200).text;
            assert!(page.contains("order/80010001") && !page.contains("/decision"), "{path}: {page}");
            assert!(page.contains(called) && !page.contains(">order/80010001"), "{path}: {page}");
        }
    }
    assert!(ra.get_with(one, &html("en")).expect(200).text.contains("/withdraw"));
    assert!(qa.get_with(one, &html("en")).expect(200).text.contains("/decision"));
    assert!(qa.get_with("/", &html("zh-CN")).expect(200).text.contains(one));
    decide(&qa, "DSP-2031-0001", true).expect(200);
    for lang in ["en", "zh-CN"] {
        let page = auditor.get_with(one, &html(lang)).expect(200).text;
        assert!(page.contains("qa 某") && !page.contains("/decision"), "{page}");
    }
}

#[test]
fn a_number_that_a_disposed_record_had_is_not_given_again() {
    both(|house| {
        order(house, "80010001");
        let disposal = proposal_before_its_time(house, "80010001");
        house
            .site
            .lane
            .write_here(move |tx| {
                let row = Tombstone {
                    subject_kind: "deviation".to_owned(),
                    subject_id: "DEV-2026-0041".to_owned(),
                    disposal: disposal.clone(),
                    removed: String::new(),
                    rule: String::new(),
                    clause: String::new(),
                    retain_until: tx.now(),
                    along_with: String::new(),
                    disposed_at: tx.now(),
                    disposed_on: String::new(),
                    epoch: 1,
                    seq: 0,
                };
                diesel::insert_into(disposed::table).values(&row).execute(tx.rows())?;
                Ok(())
            })
            .unwrap();
        let mut body = told();
        body["orders"] = json!(["80010001"]);
        let made = house.person("cs").post("/api/v1/deviations", body).expect(201).json();
        assert_eq!(made["number"], "DEV-2026-0042");
    });
}
