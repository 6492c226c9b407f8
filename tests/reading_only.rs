//! A service over a database that is behind what was signed: it reads on, says so everywhere, and writes nothing.

use serde_json::{Value, json};
use sopledger::app::{GOVERNED, Shared};
use sopledger::ledger::lane::Actor;
use sopledger::ledger::note::open_checkpoint;
use sopledger::ledger::recovery::recover;
use sopledger::ledger::verify::verify_target;

use crate::house::{House, PASSWORD};
use crate::pages_people::Browser;
use crate::recovery::older;
use crate::{copies, deviations, orders};

const HTML: [(&str, &str); 2] = [("accept", "text/html"), ("accept-language", "en")];
const PRINTED: &str = "/api/v1/documents/SOP-CS-001/versions/1.0/pdf";
const BAR: &str = "<div class=\"banner red\" role=\"note\"><b>";

/// A house that is served over an older copy of its database.
fn behind(house: House) -> House {
    copies::in_force(&house);
    behind_now(house)
}

fn behind_now(house: House) -> House {
    house.site.signing.finish();
    let (folder, place) = house.leave();
    let old = older(&place);
    let later = House::serve(folder, place.clone(), Shared::new(place.open(false).unwrap()));
    deviations::order(&later, "80010002");
    let (folder, _) = later.leave();
    assert_eq!(old.open(false).err().unwrap().code(), "ledger-behind", "whoever writes refuses");
    House::serve(folder, old.clone(), Shared::new(old.open_to_serve().unwrap()))
}

fn both_behind(test: impl Fn(House)) {
    test(behind(House::sqlite()));
    if let Some(house) = House::postgres() {
        test(behind(house));
    }
}

#[test]
fn a_database_behind_what_was_signed_is_read_and_every_page_says_what_to_do() {
    both_behind(|house| {
        let before = house.acts();
        let nobody = house.nobody();
        nobody.get("/healthz").expect(200);
        let ready = nobody.get("/readyz").expect(503).json();
        let ledger = json!({ "ok": false, "detail": "ledger-behind" });
        assert_eq!((&ready["status"], &ready["checks"]["ledger"]), (&json!("not-ready"), &ledger), "{ready}");
        let metrics = nobody.get("/metrics").expect(200).text;
        assert!(
            metrics.contains("sopledger_ledger_halted 1") && metrics.contains("sopledger_ready 0"),
            "{metrics}"
        );
        // Nothing of the visit is written, and it lasts all the same.
        let qa = house.person("qa");
        assert_eq!(qa.get("/api/v1/me").expect(200).json()["login"], "qa");
        qa.get("/api/v1/documents/SOP-CS-001/versions/1.0").expect(200);
        for (path, status) in [
            ("/login", 200),
            ("/documents/SOP-CS-001", 200),
            ("/documents/NONE-1", 404),
            ("/trail", 200),
            ("/trail/3/proof", 200),
            ("/now", 200),
            ("/c/0123456789012345678901", 404),
        ] {
            let page = qa.get_with(path, &HTML).expect(status).text;
            assert!(page.contains(BAR) && page.contains("Reading only"), "{path}: {page}");
            assert!(
                page.contains("entries were signed") && page.contains("sopledger recover"),
                "{path}: {page}"
            );
        }
        let page =
            qa.get_with("/trail", &[("accept", "text/html"), ("accept-language", "zh-CN")]).expect(200).text;
        assert!(page.contains("只读") && page.contains("数据库中只有"), "{page}");
        // What is served as signed is what the entries that are here bear out.
        let key = nobody.get("/ledger/key").expect(200).text.trim_end().parse().unwrap();
        let signed = open_checkpoint(&nobody.get("/ledger/checkpoint").expect(200).text, &[key]).unwrap();
        assert!(signed.size <= before.len() as u64, "{} of {}", signed.size, before.len());
        qa.get("/api/v1/ledger/entries/3/proof").expect(200);
        assert_eq!(house.acts(), before);
        // The check says what it said before.
        let found = verify_target(&house.place.target, &house.place.folder, GOVERNED, &|_, _| {}).unwrap();
        assert_eq!(found.exit_code(), 1, "{found}");
        assert!(found.faults.iter().any(|fault| fault.check == "signer.ahead"), "{found}");
    });
}

#[test]
fn every_write_is_refused_in_words_and_leaves_nothing() {
    both_behind(|house| {
        let before = house.acts();
        let (qa, author, erp) = (house.person("qa"), house.person("author"), house.person("erp"));
        let order = json!({
            "customer": { "code": "10023", "name": "仁和医院" },
            "lines": [{ "line": "10", "material": "M100", "name": "胰岛素", "quantity": "20", "unit": "盒", "storage": "2-8" }],
            "events": [{ "kind": "ordered", "at": "2026-02-20T02:00:00Z" }],
        });
        let refused = erp.put("/api/v1/orders/80019999", order).expect(503);
        assert_eq!(refused.problem(), "ledger-halted");
        let refused = refused.json();
        assert!(refused["detail"].as_str().unwrap().contains("sopledger"), "{refused}");
        let retire = json!({ "password": PASSWORD, "reason": "x" });
        qa.post("/api/v1/documents/SOP-CS-001/retire", retire).refused(503, "ledger-halted");
        let draft =
            json!({ "renditions": { "zh-CN": copies::ZH }, "change_summary": "x", "change_reason": "y" });
        author.post("/api/v1/documents/SOP-CS-001/versions", draft).refused(503, "ledger-halted");
        qa.post("/api/v1/packs", json!({ "full": true })).refused(503, "ledger-halted");
        qa.post("/api/v1/ledger/verifications", json!({})).refused(503, "ledger-halted");
        let print = qa.get("/api/v1/documents/SOP-CS-001/versions/1.0/pdf").expect(503).problem();
        assert!(["ledger-halted", "pdf-no-font", "pdf-not-built"].contains(&print.as_str()), "{print}");
        let page = qa.get_with("/packs", &HTML).expect(200).text;
        let token = crate::pages_people::between(&page, "name=\"csrf\" value=\"", "\"");
        let form = [HTML[0], HTML[1], ("content-type", "application/x-www-form-urlencoded")];
        let fields = format!("csrf={token}&full=true").into_bytes();
        let page = qa.send("POST", "/packs", Some(fields), &form).expect(503).text;
        assert!(page.contains("Nothing was written. The database") && page.contains(BAR), "{page}");
        assert_eq!(house.acts(), before);
    });
}

#[test]
fn a_form_refused_because_nothing_is_written_comes_back_with_what_was_typed() {
    both_behind(|house| {
        let cs = Browser::of(&house, "cs");
        let typed =
            [("title", "冷链箱温度超限"), ("description", "到货时记录仪显示十一度"), ("class", "major")];
        let token = cs.token("/deviations/new");
        let fields: Vec<_> = typed.into_iter().chain([("csrf", token.as_str())]).collect();
        let page = cs.post("/deviations", &fields, &[]).expect(503).text;
        for (_, value) in &typed[..2] {
            assert!(page.contains(value), "{value} in {page}");
        }
        assert!(page.contains("没有写入任何内容"), "{page}");
        let qa = Browser::of(&house, "qa");
        let text = format!("{}\n{}\n", orders::HEADER, orders::row("80017777", "10", "1"));
        let page = qa.submit("/orders/import", &[("format", "csv"), ("text", &text)]).expect(503).text;
        assert!(page.contains("没有写入任何内容") && page.contains("80017777"), "{page}");
        let wish =
            [("from", "2026-03-01"), ("to", "2026-03-02"), ("keep_sealed", "true"), ("reason", "省局检查")];
        let page = qa.submit("/packs", &wish).expect(503).text;
        for kept in ["value=\"2026-03-01\"", "value=\"2026-03-02\"", "省局检查", "没有写入任何内容"]
        {
            assert!(page.contains(kept), "{kept}: {page}");
        }
        let tick = page.split("name=\"keep_sealed\"").nth(1).unwrap();
        assert!(tick.split('>').next().unwrap().contains("checked"), "{page}");
    });
}

#[test]
fn nothing_on_a_page_contradicts_the_bar_above_it() {
    both_behind(|house| {
        let qa = Browser::of(&house, "qa");
        for path in ["/trail", "/trail/verify", "/documents"] {
            let page = qa.get(path).expect(200).text;
            assert!(page.contains("账本不符") && !page.contains("账本未校验"), "{path}: {page}");
        }
        assert!(!qa.get("/trail/verify").expect(200).text.contains("尚未校验"));
        let door = house.nobody().get_with("/login", &[HTML[0]]).expect(200).text;
        assert!(!door.contains("检查点已覆盖") && door.contains("<details>"), "{door}");
    });
}

#[test]
fn the_page_behind_a_qr_code_does_not_say_that_a_paper_holds() {
    for house in std::iter::once(House::sqlite()).chain(House::postgres()) {
        copies::in_force(&house);
        let Some(pdf) = copies::print(&house, &house.person("cs"), PRINTED) else { return };
        let path = copies::behind(&pdf);
        let page = |house: &House| house.nobody().get_with(&path, &[HTML[0]]).expect(200).text;
        assert!(page(&house).contains(r#"<div class="verdict grn">"#), "{}", page(&house));
        let page = page(&behind_now(house));
        assert!(page.contains("无法确认") && !page.contains("现行有效"), "{page}");
    }
}

#[test]
fn a_visit_ends_by_signing_out_and_by_time_and_failures_lock() {
    both_behind(|house| {
        let qa = house.person("qa");
        qa.post("/api/v1/logout", json!({})).expect(204);
        qa.get("/api/v1/me").refused(401, "sign-in");
        let auditor = house.person("auditor");
        house.later(14 * 60);
        auditor.get("/api/v1/me").expect(200);
        house.later(14 * 60);
        auditor.get("/api/v1/me").expect(200);
        house.later(16 * 60);
        auditor.get("/api/v1/me").refused(401, "sign-in");
        let wrong = || house.nobody().post("/login", json!({ "login": "cs", "password": "wrong" }));
        for _ in 0..4 {
            wrong().refused(401, "bad-credentials");
        }
        wrong().refused(429, "locked");
        let right = || house.nobody().post("/login", json!({ "login": "cs", "password": PASSWORD }));
        right().refused(429, "locked");
        house.later(16 * 60);
        right().expect(200);
    });
}

#[test]
fn once_a_recovery_is_declared_the_service_writes_again() {
    both_behind(|house| {
        let (folder, place) = house.leave();
        recover(&place, "磁盘损坏", |_| Ok(Actor::account("u-1", "admin"))).unwrap();
        let house = House::serve(folder, place.clone(), Shared::new(place.open_to_serve().unwrap()));
        house.site.signing.finish();
        house.nobody().get("/readyz").expect(200);
        let page = house.nobody().get_with("/login", &HTML).expect(200).text;
        assert!(!page.contains(BAR), "{page}");
        let cs = house.person("cs");
        cs.get("/api/v1/me").expect(200);
        // Of two epochs the longer one is the older: what an account may is still read anew when the ledger grows.
        let disable = json!({ "reason": "离职" });
        let path = format!("/api/v1/users/{}/disable", house.id("cs"));
        house.person("admin").post(&path, disable).expect(200);
        cs.get("/api/v1/me").refused(401, "sign-in");
        let entries: Vec<Value> = house.acts().into_iter().map(Value::from).collect();
        assert!(entries.contains(&json!("ledger.recovered")));
    });
}
