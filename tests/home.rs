//! Where people begin: the look-up of what is in force, and what waits for whom.

use serde_json::json;

use crate::house::{Client, House, PASSWORD, both};
use crate::pages_people::Browser;

const ZH: &str =
    "## 1 用途\n\n来电询问温度时用。\n\n## 2 步骤\n\n1. 核对来电人\n   - 单位名称\n2. 询问储存温度\n";
const EN: &str = "## 1 Use\n\nWhen a caller asks about temperature.\n\n## 2 Steps\n\n1. Check the caller\n   - name\n2. Ask for the temperature\n";

/// A work instruction, written and submitted; its version's address and digest.
fn submitted(author: &Client, number: &str) -> (String, String) {
    let body = json!({
        "number": number, "kind": "work_instruction", "department": "CS", "owner": "qa",
        "title": { "zh-CN": "冷链异常询问", "en": "Cold chain questions" },
        "processes": ["cold_chain", "complaints"], "audience": ["cs"], "review_months": 12,
    });
    author.post("/api/v1/documents", body).expect(201);
    let draft = json!({
        "renditions": { "zh-CN": ZH, "en": EN }, "change_summary": "首次发布", "change_reason": "新流程",
    });
    let made = author.post(&format!("/api/v1/documents/{number}/versions"), draft).expect(201).json();
    let version = format!("/api/v1/documents/{number}/versions/1.0");
    let body = json!({
        "reviewers": ["reviewer"], "approvers": ["qa"], "digest": made["digest"], "password": PASSWORD,
    });
    let submitted = author.post(&format!("{version}/submit"), body).expect(200).json();
    (version, submitted["digest"].as_str().unwrap().to_owned())
}

fn sign(who: &Client, (version, digest): &(String, String), meaning: &str) {
    let body = json!({ "meaning": meaning, "digest": digest, "password": PASSWORD });
    who.post(&format!("{version}/sign"), body).expect(200);
}

fn in_force(house: &House, number: &str) {
    let version = submitted(&house.person("author"), number);
    sign(&house.person("reviewer"), &version, "reviewed");
    sign(&house.person("qa"), &version, "approved");
}

fn look_up(browser: &Browser, q: &str) -> String {
    browser.get(&format!("/now?{}", serde_urlencoded::to_string([("q", q)]).unwrap())).expect(200).text
}

#[test]
fn customer_service_finds_what_is_in_force_by_number_title_process_text_and_initials() {
    both(|house| {
        in_force(house, "WI-CS-011");
        submitted(&house.person("author"), "WI-CS-012");
        let browser = Browser::of(house, "cs");
        for q in [
            "wi-cs-011",
            "异常询问",
            "COLD Chain",
            "cold_chain",
            "投诉",
            "complaints",
            "llyc",
            "温度 来电人",
            "caller temperature",
        ] {
            let page = look_up(&browser, q);
            assert!(page.contains("WI-CS-011"), "{q}");
            assert!(!page.contains("WI-CS-012"), "{q} finds what is in review");
            assert!(
                page.contains(r#"<ol class="steps">"#) && page.contains("<p>询问储存温度</p>"),
                "{q}: {page}"
            );
        }
        for q in ["温度 退货", "nothing-like-it"] {
            let page = look_up(&browser, q);
            assert!(!page.contains("WI-CS-011") && page.contains("class=\"empty\""), "{q}");
        }
        assert!(look_up(&browser, "温度").contains("来电询问温度时用。"), "the line that matches is shown");
        let page = look_up(&browser, "冷链温度询问");
        assert!(
            page.contains("WI-CS-011") && page.contains("最接近的"),
            "run together, as one types: {page}"
        );
    });
}

#[test]
fn the_line_that_matches_is_in_the_readers_language_or_says_in_which_it_is() {
    let house = House::sqlite();
    in_force(&house, "WI-CS-011");
    let browser = Browser::of(&house, "cs");
    assert!(look_up(&browser, "温度 temperature").contains("<span>来电询问温度时用。</span>"));
    let page = look_up(&browser, "temperature");
    assert!(page.contains(r#"<span lang="en">When a caller asks about temperature.</span>"#), "{page}");
}

#[test]
fn a_number_typed_bare_leads_to_its_record() {
    both(|house| {
        let order = json!({
            "customer": { "code": "10023", "name": "仁济医院" },
            "lines": [{ "line": "10", "material": "M-1", "name": "胰岛素注射液", "batch": "230815",
                "quantity": "5", "unit": "盒", "storage": "2-8" }],
            "events": [{ "kind": "ordered", "at": "2026-03-01T01:00:00Z" }],
        });
        house.person("erp").put("/api/v1/orders/80012345", order).expect(201);
        let browser = Browser::of(house, "cs");
        assert!(look_up(&browser, "80012345").contains(r#"href="/orders/80012345""#));
        assert!(look_up(&browser, "230815").contains(r#"href="/orders?batch=230815""#));
    });
}

#[test]
fn what_is_typed_comes_back_escaped() {
    let house = House::sqlite();
    let page = look_up(&Browser::of(&house, "cs"), r#""><script>alert(1)</script>"#);
    assert!(!page.contains("<script>alert"), "{page}");
}

#[test]
fn the_first_page_of_customer_service_is_the_look_up_with_the_cursor_in_it() {
    let house = House::sqlite();
    let page = Browser::of(&house, "cs").get("/").expect(200).text;
    assert!(page.contains("autofocus") && page.contains(r#"action="/now""#));
}

#[test]
fn below_the_empty_look_up_stands_what_is_in_force_for_the_readers_role() {
    both(|house| {
        in_force(house, "WI-CS-011");
        submitted(&house.person("author"), "WI-CS-012");
        let offered = r#"href="/now?q=WI-CS-011""#;
        let page = Browser::of(house, "cs").get("/").expect(200).text;
        assert!(page.contains(offered) && !page.contains("WI-CS-012"), "{page}");
        assert!(look_up(&Browser::of(house, "cs"), "WI-CS-011").contains(r#"<ol class="steps">"#));
        let page = Browser::of(house, "qa").get("/now").expect(200).text;
        assert!(!page.contains(offered), "it is not meant for QA: {page}");
    });
}

#[test]
fn a_reviewer_and_then_an_approver_find_the_version_that_waits_for_them() {
    both(|house| {
        let version = submitted(&house.person("author"), "WI-CS-011");
        let waits = |login: &str| {
            Browser::of(house, login).get("/").expect(200).text.contains(r#"href="/documents/WI-CS-011/1.0""#)
        };
        assert!(waits("reviewer") && !waits("qa") && !waits("qa2"));
        sign(&house.person("reviewer"), &version, "reviewed");
        assert!(!waits("reviewer") && waits("qa"));
        sign(&house.person("qa"), &version, "approved");
        assert!(!waits("qa"));
    });
}

#[test]
fn what_waits_stands_in_lists_and_all_that_does_not_in_one_line() {
    let house = House::sqlite();
    submitted(&house.person("author"), "WI-CS-011");
    let page = Browser::of(&house, "reviewer").get("/").expect(200).text;
    assert!(page.contains(r#"<h2 id="home-to-sign">"#) && page.contains("共 1 条，数据截至"), "{page}");
    let page = Browser::of(&house, "qa").get("/").expect(200).text;
    assert!(!page.contains("<table") && page.contains("没有待办：待我审核或批准、待签署的授权、"), "{page}");
    assert!(page.contains(r#"href="/retention""#) && page.contains(r#"href="/packs""#), "{page}");
}

#[test]
fn a_periodic_review_is_overdue_from_its_day_on() {
    both(|house| {
        in_force(house, "WI-CS-011");
        let late = |house: &House| Browser::of(house, "ra").get("/").expect(200).text.contains("tag yel");
        assert!(!late(house));
        house.at("2027-03-02T02:00:01Z");
        assert!(late(house));
    });
}

#[test]
fn everybody_has_a_first_page_and_only_what_they_may_open_is_on_it() {
    let house = House::sqlite();
    for login in ["admin", "author", "reviewer", "qa", "ra", "cs", "auditor", "erp"] {
        let page = Browser::of(&house, login).get("/").expect(200).text;
        assert_eq!(page.contains(r#"href="/accounts""#), matches!(login, "admin" | "qa"), "{login}");
        assert_eq!(
            page.contains(r#"href="/trail""#),
            matches!(login, "admin" | "qa" | "ra" | "auditor"),
            "{login}"
        );
    }
    assert!(Browser::of(&house, "admin").get("/").text.contains("MiB"), "an administrator sees the node");
}
