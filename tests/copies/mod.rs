//! Documents on paper: what a print says and leaves behind, numbered copies and their way back, and what a QR code
//! tells whoever scans it.

mod paper;
mod poppler;

use serde_json::{Value, json};

use crate::house::{Client, House, PASSWORD, both};
use crate::pages_people::Browser;

const DOCUMENTS: &str = "/api/v1/documents";
/// The version that [`in_force`] makes.
const FIRST: &str = "/api/v1/documents/SOP-CS-001/versions/1.0";

pub const ZH: &str =
    "## 1 目的\n\n规范接单，冷藏药品储存于 2–8℃。\n\n## 2 步骤\n\n1. 核对资质\n2. 录入订单\n";
pub const EN: &str =
    "## 1 Purpose\n\nOrders are taken in order.\n\n## 2 Steps\n\n1. Check the licence\n2. Enter it\n";

/// Makes the document SOP-CS-001.
fn make(house: &House) {
    let document = json!({
        "number": "SOP-CS-001", "kind": "sop", "department": "CS", "owner": "qa",
        "title": { "zh-CN": "订单受理", "en": "Order intake" },
        "processes": ["order_intake"], "audience": ["cs"], "review_months": 24,
    });
    house.person("author").post(DOCUMENTS, document).expect(201);
}

/// A draft of SOP-CS-001; its version and digest.
pub fn draft(house: &House, zh: &str, en: &str) -> (String, String) {
    let told = json!({
        "renditions": { "zh-CN": zh, "en": en }, "change_summary": "首次发布", "change_reason": "新流程",
    });
    let made =
        house.person("author").post(&format!("{DOCUMENTS}/SOP-CS-001/versions"), told).expect(201).json();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("version"), text("digest"))
}

/// A version of SOP-CS-001 that all have signed.
pub fn approved(house: &House, (zh, en): (&str, &str), from: Option<&str>) -> String {
    let (version, digest) = draft(house, zh, en);
    let address = format!("{DOCUMENTS}/SOP-CS-001/versions/{version}");
    let mut body =
        json!({ "reviewers": ["reviewer"], "approvers": ["qa"], "digest": digest, "password": PASSWORD });
    if let Some(from) = from {
        body["effective_from"] = json!(from);
    }
    let submitted = house.person("author").post(&format!("{address}/submit"), body).expect(200).json();
    for (who, meaning) in [("reviewer", "reviewed"), ("qa", "approved")] {
        let body = json!({ "meaning": meaning, "digest": submitted["digest"], "password": PASSWORD });
        house.person(who).post(&format!("{address}/sign"), body).expect(200);
    }
    version
}

/// SOP-CS-001 1.0 in force.
pub fn in_force(house: &House) {
    make(house);
    assert_eq!(approved(house, (ZH, EN), None), "1.0");
}

/// A print, or none where this machine cannot print, which it says loudly.
pub fn print(house: &House, who: &Client, path: &str) -> Option<Vec<u8>> {
    let url = format!("{}{path}", house.url);
    let mut request = ureq::get(&url).config().http_status_as_error(false).build();
    if let Some(token) = &who.token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let mut answer = request.call().unwrap();
    let bytes = answer.body_mut().with_config().limit(64 << 20).read_to_vec().unwrap();
    if answer.status() == 503 {
        crate::postgres::skipped(&format!("no PDF here: {}", String::from_utf8_lossy(&bytes)));
        return None;
    }
    assert_eq!(answer.status(), 200, "{}", String::from_utf8_lossy(&bytes));
    assert_eq!(answer.headers()["content-type"], "application/pdf");
    assert!(bytes.starts_with(b"%PDF-1.7"), "no PDF");
    Some(bytes)
}

/// The path behind the QR code of a print, from the link that lies on it.
pub fn behind(pdf: &[u8]) -> String {
    let text = String::from_utf8_lossy(pdf);
    let at = text.find("/c/").expect("the QR code is a link");
    text[at..at + 25].to_owned()
}

/// The body of the last entry with this act.
fn last(house: &House, act: &str) -> Value {
    use diesel::prelude::*;
    use sopledger::store::schema::ledger_entry;
    let entry = house.site.readers.read_here(|db| {
        let last = ledger_entry::table.filter(ledger_entry::act.eq(act)).order(ledger_entry::seq.desc());
        Ok(last.select(ledger_entry::entry).first::<Vec<u8>>(db)?)
    });
    let text = String::from_utf8(entry.unwrap()).unwrap();
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

fn count(house: &House, act: &str) -> usize {
    house.acts().iter().filter(|made| *made == act).count()
}

fn sound(house: &House) {
    use sopledger::ledger::verify::verify_target;
    house.site.lane.write_here(|_| Ok(())).unwrap();
    house.site.signing.finish();
    let found = verify_target(&house.place.target, &house.place.folder, sopledger::app::GOVERNED, &|_, _| {});
    let found = found.unwrap();
    assert_eq!((found.exit_code(), found.faults.as_slice()), (0, [].as_slice()));
}

/// Says the status page in Chinese.
fn status(house: &House, path: &str) -> (u16, String) {
    let answer = house.nobody().get_with(path, &[("accept", "text/html"), ("accept-language", "zh-CN")]);
    (answer.status, answer.text)
}

#[test]
fn a_print_is_an_entry_that_changes_nothing_and_a_question_about_it_is_none() {
    both(|house| {
        in_force(house);
        let cs = house.person("cs");
        let Some(_) = print(house, &cs, &format!("{FIRST}/pdf?lang=zh-CN")) else { return };
        let body = last(house, "document.version.printed");
        assert_eq!(body["pre"], body["post"]);
        assert_eq!(body["obj"]["id"], "SOP-CS-001/1.0");
        assert_eq!((body["lang"].as_str(), body["mark"].as_str().map(str::len)), (Some("zh-CN"), Some(64)));
        let asked = cs.send("HEAD", &format!("{FIRST}/pdf"), None, &[]);
        assert_eq!((asked.status, asked.header("content-type")), (200, Some("application/pdf")));
        assert_eq!(count(house, "document.version.printed"), 1);
        sound(house);
    });
}

#[test]
fn who_may_not_read_a_version_does_not_print_it_and_a_missing_language_is_named() {
    both(|house| {
        in_force(house);
        draft(house, ZH, EN);
        let cs = house.person("cs");
        if cs.get("/api/v1/documents/SOP-CS-001/versions/2.0/pdf").status == 503 {
            return crate::postgres::skipped("no PDF here");
        }
        cs.get("/api/v1/documents/SOP-CS-001/versions/2.0/pdf").refused(403, "not-in-force");
        cs.get(&format!("{FIRST}/pdf?lang=fr")).refused(422, "invalid");
        cs.get("/api/v1/documents/SOP-CS-001/versions/9.9/pdf").refused(404, "not-found");
        cs.get("/api/v1/documents/SOP-CS-001/versions/1.0/pdf?page=2").expect(422);
        assert_eq!(count(house, "document.version.printed"), 0);
    });
}

#[test]
fn a_qr_code_tells_anybody_whether_an_uncontrolled_print_still_holds() {
    both(|house| {
        in_force(house);
        let Some(pdf) = print(house, &house.person("cs"), &format!("{FIRST}/pdf")) else { return };
        let path = behind(&pdf);
        let (code, page) = status(house, &path);
        assert_eq!(code, 200);
        for part in ["SOP-CS-001 V1.0", "非受控打印件", "现行有效", "2026-03-02"] {
            assert!(page.contains(part), "{part} in {page}");
        }
        for secret in ["订单受理", "核对资质", "cs 某", "test.example.cn/house/"] {
            assert!(!page.contains(secret), "{secret} in {page}");
        }
        house.later(86_400);
        assert!(status(house, &path).1.contains("仅在 2026-03-02 当日有效"));
        approved(house, ("## 1 目的\n\n改。\n\n## 2 步骤\n\n1. 甲\n2. 乙\n", EN), None);
        house.later(60);
        let (_, page) = status(house, &path);
        assert!(page.contains("已被 V2.0 替代，自 2026-03-03"), "{page}");
        let retire = json!({ "password": PASSWORD, "reason": "业务终止" });
        house.person("qa").post("/api/v1/documents/SOP-CS-001/retire", retire).expect(200);
        assert!(status(house, &path).1.contains("作废"));
        for guess in ["/c/AAAAAAAAAAAAAAAAAAAAAA", "/c/..", "/c/1"] {
            let (code, page) = status(house, guess);
            assert_eq!(code, 404, "{guess}");
            assert!(page.contains("没有这个二维码") || guess == "/c/..", "{page}");
        }
    });
}

#[test]
fn what_was_printed_before_it_held_does_not_hold_later_on_the_same_day() {
    both(|house| {
        make(house);
        approved(house, (ZH, EN), Some("2026-03-02T12:00:00Z"));
        let author = house.person("author");
        let Some(pdf) = print(house, &author, &format!("{FIRST}/pdf")) else { return };
        let path = behind(&pdf);
        assert!(status(house, &path).1.contains("尚未生效"));
        house.at("2026-03-02T13:00:00Z");
        assert!(status(house, &path).1.contains("印于该版本生效之前"));
    });
}

#[test]
fn a_row_that_leads_to_another_entry_is_not_believed() {
    let house = House::sqlite();
    in_force(&house);
    let cs = house.person("cs");
    let Some(one) = print(&house, &cs, &format!("{FIRST}/pdf")) else { return };
    let Some(_) = print(&house, &cs, &format!("{FIRST}/pdf")) else { return };
    tamper(&house, "UPDATE print_mark SET seq = (SELECT MAX(seq) FROM print_mark)");
    assert_eq!(status(&house, &behind(&one)).0, 404);
}

/// What a stranger does who has lifted the guards.
fn tamper(house: &House, sql: &str) {
    use diesel::prelude::*;
    let mut db = house.place.target.open(sopledger::store::Purpose::Write).unwrap();
    sopledger::store::lift_guards(&mut db).unwrap();
    diesel::sql_query(sql).execute(&mut db).unwrap();
    sopledger::store::set_guards(&mut db).unwrap();
}

const COPIES: &str = "/api/v1/documents/SOP-CS-001/copies";

fn holder(name: &str) -> Value {
    json!({ "holder": name, "place": "一号冷库" })
}

#[test]
fn numbered_copies_go_out_come_due_when_their_version_is_superseded_and_come_back() {
    both(|house| {
        in_force(house);
        let qa = house.person("qa");
        let made = qa.post(COPIES, holder("王芳")).expect(201);
        assert_eq!(made.header("location"), Some("/api/v1/documents/SOP-CS-001/copies/1"));
        let made = made.json();
        assert_eq!((made["n"].as_i64(), made["version"].as_str()), (Some(1), Some("1.0")));
        assert_eq!((made["holder"].as_str(), made["standing"].as_str()), (Some("王芳"), Some("out")));
        assert_eq!(qa.post(COPIES, holder("李雷")).expect(201).json()["n"], 2);
        let path = made["status"].as_str().unwrap();
        assert!(status(house, path).1.contains("受控副本 No. 1"));
        assert!(!status(house, path).1.contains("王芳"));
        approved(house, ("## 1 目的\n\n改。\n\n## 2 步骤\n\n1. 甲\n2. 乙\n", EN), None);
        house.later(60);
        let qa = house.person("qa");
        let due = qa.get("/api/v1/copies").expect(200).json();
        let standing = |rows: &Value| {
            let rows = rows["items"].as_array().unwrap();
            rows.iter().map(|row| row["standing"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(standing(&due), ["due", "due"], "by the clock alone: {due}");
        assert!(status(house, path).1.contains("已被 V2.0 替代"));
        assert_eq!(house.site.lane.write_here(sopledger::copies::issue::call_back).unwrap(), 2);
        assert_eq!(house.site.lane.write_here(sopledger::copies::issue::call_back).unwrap(), 0);
        let body = last(house, "document.copy.recalled");
        assert_eq!(
            (body["actor"]["role"].as_str(), body["obj"]["kind"].as_str()),
            (Some("clock"), Some("copy"))
        );
        qa.get(&format!("{COPIES}/1/pdf")).refused(409, "copy-not-in-force");
        let end = |outcome: &str, note: &str| json!({ "outcome": outcome, "note": note });
        qa.post(&format!("{COPIES}/1/settle"), end("lost", "")).refused(422, "invalid");
        let back = qa.post(&format!("{COPIES}/1/settle"), end("returned", "")).expect(200).json();
        assert_eq!(back["standing"], "returned");
        qa.post(&format!("{COPIES}/1/settle"), end("lost", "x")).refused(409, "copy-settled");
        qa.post(&format!("{COPIES}/2/settle"), end("destroyed", "在碎纸机销毁")).expect(200);
        assert!(status(house, path).1.contains("已登记为收回"));
        assert_eq!(standing(&qa.get("/api/v1/copies").expect(200).json()), [] as [&str; 0]);
        assert_eq!(standing(&qa.get(COPIES).expect(200).json()), ["destroyed", "returned"]);
        assert_eq!(standing(&qa.get("/api/v1/copies?all=true&limit=1").expect(200).json()), ["returned"]);
        sound(house);
    });
}

#[test]
fn a_numbered_copy_is_refused_to_those_who_may_not_issue_and_of_what_does_not_hold() {
    both(|house| {
        in_force(house);
        draft(house, ZH, EN);
        let qa = house.person("qa");
        house.person("author").post(COPIES, holder("王芳")).refused(403, "no-right");
        house.person("cs").get(COPIES).refused(403, "no-right");
        let of_draft = json!({ "holder": "王芳", "version": "2.0" });
        qa.post(COPIES, of_draft).refused(409, "copy-not-in-force");
        qa.post(COPIES, json!({ "holder": "王芳", "version": "7.0" })).refused(404, "not-found");
        for (body, field) in [
            (json!({ "holder": " " }), "holder"),
            (json!({ "holder": "a\u{202e}b" }), "holder"),
            (json!({ "holder": "王".repeat(101) }), "holder"),
            (json!({ "holder": "王芳", "lang": "fr" }), "lang"),
            (json!({ "holder": "王芳", "n": 7 }), "n"),
        ] {
            let refused = qa.post(COPIES, body).expect(422).json();
            assert_eq!(refused["errors"][0]["field"], field, "{refused}");
        }
        for n in ["1", "0", "-1", "01", "x", "99999999999999999999"] {
            qa.get(&format!("{COPIES}/{n}")).refused(404, "not-found");
        }
        assert_eq!(count(house, "document.copy.issued"), 0);
    });
}

#[test]
fn a_copy_and_a_mark_stand_still_for_a_strangers_connection() {
    both(|house| {
        use diesel::prelude::*;
        in_force(house);
        house.person("qa").post(COPIES, holder("王芳")).expect(201);
        let mark = "INSERT INTO print_mark (mark, epoch, seq) VALUES ('m', 1, 1)";
        let mut db = house.place.target.open(sopledger::store::Purpose::Write).unwrap();
        diesel::sql_query(mark).execute(&mut db).unwrap();
        for sql in [
            "UPDATE document_copy SET version = '9.9'",
            "UPDATE document_copy SET token = 'AAAAAAAAAAAAAAAAAAAAAA'",
            "DELETE FROM document_copy",
            "UPDATE print_mark SET seq = 2",
            "DELETE FROM print_mark",
        ] {
            assert!(diesel::sql_query(sql).execute(&mut db).is_err(), "{sql}");
        }
        // Calling back is written once.
        diesel::sql_query("UPDATE document_copy SET recalled_at = 1").execute(&mut db).unwrap();
        assert!(diesel::sql_query("UPDATE document_copy SET recalled_at = 2").execute(&mut db).is_err());
    });
}

#[test]
fn the_pages_lead_from_a_document_to_a_copy_and_its_end() {
    both(|house| {
        in_force(house);
        let reading = Browser::of(house, "cs").get("/documents/SOP-CS-001").expect(200).text;
        assert!(reading.contains("href=\"/documents/SOP-CS-001/1.0/print\""), "{reading}");
        let page = Browser::of(house, "cs").get("/documents/SOP-CS-001/1.0/print").expect(200).text;
        assert!(!page.contains("name=\"holder\""), "customer service issues no copies");
        let qa = Browser::of(house, "qa");
        let path = "/documents/SOP-CS-001/1.0/print";
        let refused = qa.submit(path, &[("holder", ""), ("place", "一号冷库"), ("lang", "both")]).expect(422);
        assert!(refused.text.contains("一号冷库") && refused.text.contains("f-holder-e"), "{}", refused.text);
        let issued =
            qa.submit(path, &[("holder", "王芳"), ("place", "一号冷库"), ("lang", "both")]).expect(303);
        let copy = issued.header("location").unwrap().to_owned();
        assert_eq!(copy, "/documents/SOP-CS-001/copies/1?notice=copy-issued");
        let shown = qa.get(&copy).expect(200).text;
        assert!(shown.contains("王芳") && shown.contains("href=\"/c/"), "{shown}");
        let copy = "/documents/SOP-CS-001/copies/1";
        let one = qa.get(copy).expect(200).text;
        assert!(one.contains("· qa 某<"), "who issued it is named: {one}");
        assert!(qa.submit(copy, &[("outcome", ""), ("note", "记一笔")]).expect(422).text.contains("记一笔"));
        qa.submit(copy, &[("outcome", "returned"), ("note", "")]).expect(303);
        let list = qa.get("/documents/SOP-CS-001/copies").expect(200).text;
        assert!(list.contains("已收回") && list.contains("No. 1"), "{list}");
        assert!(qa.get("/copies?all=yes").expect(200).text.contains("王芳"));
        assert!(!qa.get("/copies").expect(200).text.contains("王芳"));
        Browser::of(house, "author").post(copy, &[], &[]).expect(403);
    });
}
