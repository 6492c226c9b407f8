//! The pages of documents in a browser: from the number to what customer service reads, and what a refusal keeps.

use crate::house::{House, PASSWORD, both};
use crate::pages_people::{Browser, between};

const ZH: &str = "## 1 目的\n\n规范接单。\n\n## 2 步骤\n\n1. 核对资质\n2. 录入订单\n\n```mermaid\nflowchart TD\n    A[\"收到订单\"] --> B[\"录入\"]\n```\n";
const EN: &str =
    "## 1 Purpose\n\nOrders are taken in order.\n\n## 2 Steps\n\n1. Check the licence\n2. Enter the order\n";

/// Makes a document through its form.
fn make(author: &Browser, number: &str) {
    let answer = author.submit(
        "/documents/new",
        &[
            ("kind", "sop"),
            ("department", "CS"),
            ("number", number),
            ("title_zh", "订单受理"),
            ("title_en", "Order intake"),
            ("owner", "qa"),
            ("processes", "order_intake"),
            ("processes", "credit_check"),
            ("audience", "cs"),
            ("review_months", "24"),
            ("authoritative_language", "zh-CN"),
        ],
    );
    let to = answer.expect(303).header("location").unwrap().to_owned();
    assert!(to.starts_with(&format!("/documents/{number}?notice=")), "{to}");
}

fn texts<'a>(zh: &'a str, en: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("title_zh", "订单受理"),
        ("title_en", "Order intake"),
        ("text_zh", zh),
        ("text_en", en),
        ("processes", "order_intake"),
        ("audience", "cs"),
        ("review_months", "24"),
        ("change_summary", "首次发布"),
        ("change_reason", "新流程"),
        ("act", "save"),
    ]
}

/// Opens a page, and sends its form back with the digest it holds and these fields.
fn sign(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> crate::house::Answer {
    let digest = between(&browser.get(path).expect(200).text, r#"name="digest" value=""#, "\"");
    browser.submit(path, &[&[("digest", digest.as_str())], fields].concat())
}

fn submit(author: &Browser, version: &str) {
    let fields = [("reviewers", "reviewer"), ("approvers", "qa"), ("password", PASSWORD)];
    sign(author, &format!("{version}/submit"), &fields).expect(303);
}

/// A document whose version 1.0 is in force.
fn in_force(house: &House, number: &str) -> String {
    let author = Browser::of(house, "author");
    make(&author, number);
    author.submit(&format!("/documents/{number}/draft/new"), &texts(ZH, EN)).expect(303);
    let version = format!("/documents/{number}/1.0");
    submit(&author, &version);
    for (login, meaning) in [("reviewer", "reviewed"), ("qa", "approved")] {
        let person = Browser::of(house, login);
        let path = format!("{version}/sign");
        sign(&person, &path, &[("meaning", meaning), ("password", PASSWORD)]).expect(303);
    }
    version
}

#[test]
fn what_an_author_writes_and_others_sign_is_what_customer_service_reads() {
    both(|house| {
        let version = in_force(house, "SOP-CS-001");
        let cs = Browser::of(house, "cs");
        let page = cs.get("/documents/SOP-CS-001").expect(200).text;
        for part in ["规范接单。", "V1.0", "现行有效", "class=\"sign final\"", "<svg", "已校验", "print.css"]
        {
            assert!(page.contains(part), "{part} in {page}");
        }
        assert!(!page.contains("/history"), "customer service has no archive");
        assert!(
            cs.get(&format!("{version}?lang=en")).expect(200).text.contains("Orders are taken in order.")
        );
        let style = cs.get(&format!("{version}/print.css")).expect(200);
        assert_eq!(style.header("content-type"), Some("text/css; charset=utf-8"));
        assert!(style.text.contains("@top-left") && style.text.contains("现行有效"), "{}", style.text);
        let wanted = ["version.submitted", "version.reviewed", "version.approved"];
        let acts = house.acts();
        for act in wanted {
            assert!(acts.iter().any(|known| known.ends_with(act)), "{act} in {acts:?}");
        }
    });
}

#[test]
fn a_draft_is_not_for_customer_service_who_are_led_to_what_is_in_force() {
    both(|house| {
        in_force(house, "SOP-CS-001");
        let author = Browser::of(house, "author");
        let mut fields = texts("## 1 目的\n\n改了。\n", EN);
        fields.push(("step", "minor"));
        author.submit("/documents/SOP-CS-001/draft/new", &fields).expect(303);
        let draft = author.get("/documents/SOP-CS-001/1.1").expect(200).text;
        assert!(draft.contains("class=\"banner\"") && draft.contains("改了。"), "{draft}");
        let cs = Browser::of(house, "cs");
        let refused = cs.get("/documents/SOP-CS-001/1.1").expect(403).text;
        assert!(refused.contains("href=\"/documents/SOP-CS-001\"") && refused.contains("V1.0"), "{refused}");
        assert!(!refused.contains("改了。"));
        cs.get("/documents/SOP-CS-001/history").expect(403);
        cs.get("/documents/SOP-CS-001/1.1/edit").expect(403);
    });
}

#[test]
fn a_wrong_password_keeps_what_was_typed_and_signs_nothing() {
    both(|house| {
        let author = Browser::of(house, "author");
        make(&author, "SOP-CS-001");
        author.submit("/documents/SOP-CS-001/draft/new", &texts(ZH, EN)).expect(303);
        submit(&author, "/documents/SOP-CS-001/1.0");
        let reviewer = Browser::of(house, "reviewer");
        let fields = [("meaning", "reviewed"), ("comment", "步骤已逐条核对"), ("password", "wrong")];
        let refused = sign(&reviewer, "/documents/SOP-CS-001/1.0/sign", &fields).expect(403).text;
        assert!(refused.contains("步骤已逐条核对") && refused.contains("errsum"), "{refused}");
        assert!(!refused.contains("wrong\""), "a password is never sent back");
        assert!(!house.acts().iter().any(|act| act.ends_with("version.reviewed")));
    });
}

#[test]
fn who_may_not_sign_is_told_why_before_the_click() {
    both(|house| {
        let author = Browser::of(house, "author");
        make(&author, "SOP-CS-001");
        author.submit("/documents/SOP-CS-001/draft/new", &texts(ZH, EN)).expect(303);
        submit(&author, "/documents/SOP-CS-001/1.0");
        let path = "/documents/SOP-CS-001/1.0/sign";
        for (login, why) in [("qa", "out-of-order"), ("ra", "not-asked")] {
            let page = Browser::of(house, login).get(path).expect(200).text;
            let words = sopledger::web::words::Words::of(sopledger::web::words::Lang::Zh);
            assert!(page.contains(&*words.t(&format!("problem-{why}.detail"))), "{why}: {page}");
            assert!(!page.contains("type=\"password\""), "{login} is asked for no password");
        }
        author.get(path).expect(403);
        let page = Browser::of(house, "reviewer").get(path).expect(200).text;
        assert!(page.contains("type=\"password\"") && page.contains("/reject"));
    });
}

#[test]
fn a_refused_form_comes_back_with_what_was_typed_and_names_the_fields() {
    both(|house| {
        let author = Browser::of(house, "author");
        let fields =
            [("kind", "sop"), ("department", "CS"), ("number", "SOP-QA-1"), ("title_en", "Only English")];
        let refused = author.submit("/documents/new", &fields).expect(422).text;
        for part in ["errsum", "SOP-QA-1", "Only English", "f-number-e", "f-title_zh-e", "f-owner-e"] {
            assert!(refused.contains(part), "{part} in {refused}");
        }
        make(&author, "SOP-CS-001");
        let long = "很长的正文。".repeat(30);
        let mut fields = texts(&long, "");
        fields.retain(|(field, _)| *field != "change_reason");
        let refused = author.submit("/documents/SOP-CS-001/draft/new", &fields).expect(422).text;
        assert!(refused.contains(&long) && refused.contains("f-change_reason-e"), "{refused}");
    });
}

#[test]
fn a_draft_saved_meanwhile_by_another_is_not_lost_and_neither_is_what_was_typed() {
    both(|house| {
        let author = Browser::of(house, "author");
        make(&author, "SOP-CS-001");
        author.submit("/documents/SOP-CS-001/draft/new", &texts(ZH, EN)).expect(303);
        let path = "/documents/SOP-CS-001/1.0/edit";
        let old = between(&author.get(path).expect(200).text, r#"name="digest" value=""#, "\"");
        sign(&Browser::of(house, "ra"), path, &texts("## 1 目的\n\n别人的话。\n", EN)).expect(303);
        let mut fields = texts("## 1 目的\n\n我的话。\n", EN);
        fields.push(("digest", &old));
        let kept = author.submit(path, &fields).expect(409).text;
        assert!(kept.contains("我的话。") && kept.contains("<del>别人</del>"), "{kept}");
        assert!(kept.contains("href=\"#meanwhile\"") && kept.contains("table class=\"diff\""));
        let saved = author.get(path).expect(200).text;
        assert!(saved.contains("别人的话。") && !saved.contains("我的话。"));
    });
}

#[test]
fn a_preview_shows_the_text_and_saves_nothing() {
    both(|house| {
        let author = Browser::of(house, "author");
        make(&author, "SOP-CS-001");
        let mut fields = texts(ZH, "## 1 Purpose\n");
        fields.retain(|(field, _)| *field != "act");
        fields.push(("act", "preview"));
        let page = author.submit("/documents/SOP-CS-001/draft/new", &fields).expect(200).text;
        assert!(page.contains("<article class=\"prose\" lang=\"zh-CN\">") && page.contains("<svg"), "{page}");
        assert!(page.contains("notice yel"), "the renditions differ in their steps");
        author.get("/documents/SOP-CS-001/1.0").expect(404);
    });
}

#[test]
fn the_register_shows_what_its_filter_asks_for() {
    both(|house| {
        in_force(house, "SOP-CS-001");
        let author = Browser::of(house, "author");
        make(&author, "SOP-CS-002");
        let rows = |query: &str| {
            let page = author.get(&format!("/documents{query}")).expect(200).text;
            ["SOP-CS-001", "SOP-CS-002"].map(|number| page.contains(&format!("\"/documents/{number}\"")))
        };
        assert_eq!(rows(""), [true, true]);
        assert_eq!(rows("?status=in_force"), [true, false]);
        assert_eq!(rows("?q=cs-002"), [false, true]);
        assert_eq!(rows("?department=QA"), [false, false]);
        assert_eq!(rows("?process=credit_check&kind=sop"), [false, true]);
        let refused = author.get("/documents?kind=novel&q=%E8%AE%A2").expect(422).text;
        assert!(refused.contains("errsum") && refused.contains("value=\"订\""), "{refused}");
        let cs = Browser::of(house, "cs").get("/documents").expect(200).text;
        assert!(cs.contains("SOP-CS-001") && !cs.contains("SOP-CS-002"), "only what is in force: {cs}");
    });
}

#[test]
fn history_compares_two_versions_and_says_when_the_text_is_the_same() {
    both(|house| {
        in_force(house, "SOP-CS-001");
        let author = Browser::of(house, "author");
        let changed = ZH.replace("核对资质", "核对资质与证照");
        author.submit("/documents/SOP-CS-001/draft/new", &texts(&changed, EN)).expect(303);
        let history = author.get("/documents/SOP-CS-001/history").expect(200).text;
        assert!(history.contains(r#"name="from" value="1.0" checked"#), "{history}");
        assert!(history.contains(r#"name="to" value="2.0" checked"#), "{history}");
        let diff = author.get("/documents/SOP-CS-001/diff?from=1.0&to=2.0&lang=zh-CN").expect(200).text;
        assert!(diff.contains("<ins>") && diff.contains("table class=\"diff\""), "{diff}");
        let same = author.get("/documents/SOP-CS-001/diff?from=1.0&to=2.0&lang=en").expect(200).text;
        assert!(same.contains("正文没有变化"), "{same}");
    });
}

#[test]
fn a_retired_document_stays_readable_and_says_so() {
    both(|house| {
        let version = in_force(house, "SOP-CS-001");
        let qa = Browser::of(house, "qa");
        let review = [("outcome", "confirmed"), ("comment", "仍适用"), ("password", PASSWORD)];
        qa.submit("/documents/SOP-CS-001/review", &review).expect(303);
        let refused = qa.submit("/documents/SOP-CS-001/retire", &[("reason", ""), ("password", PASSWORD)]);
        assert!(refused.expect(422).text.contains("f-reason-e"));
        qa.submit("/documents/SOP-CS-001/retire", &[("reason", "业务终止"), ("password", PASSWORD)])
            .expect(303);
        let page = qa.get(&version).expect(200).text;
        assert!(page.contains("<body class=\"past\"") && page.contains("业务终止"), "{page}");
        Browser::of(house, "cs").get("/documents/SOP-CS-001").expect(403);
    });
}

/// A word key that a page shows instead of its word.
fn raw_key(page: &str) -> Option<&str> {
    let text = page.split(['<', '>', '"', ' ', '\n']);
    text.into_iter().find(|part| {
        let begins =
            ["document-", "documents-", "role-", "state-", "seal-", "meaning-", "parts-", "base-", "notice-"];
        begins.iter().any(|begin| part.starts_with(begin)) && is_bare(part)
    })
}

fn is_bare(part: &str) -> bool {
    part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

#[test]
fn no_page_lacks_a_word_in_either_language() {
    both(|house| {
        in_force(house, "SOP-CS-001");
        let author = Browser::of(house, "author");
        make(&author, "SOP-CS-002");
        author.submit("/documents/SOP-CS-001/draft/new", &texts(ZH, EN)).expect(303);
        let qa = Browser::of(house, "qa");
        let mut paths =
            vec!["/documents?q=zzz".to_owned(), "/documents/new".into(), "/documents/SOP-CS-002".into()];
        let below = [
            "",
            "/1.0",
            "/2.0",
            "/history",
            "/diff",
            "/review",
            "/retire",
            "/2.0/edit",
            "/2.0/submit",
            "/2.0/abandon",
        ];
        paths.extend(below.map(|rest| format!("/documents/SOP-CS-001{rest}")));
        let check = |paths: &[String]| {
            for (lang, other) in [("zh-CN", "en"), ("en", "zh-CN")] {
                qa.get(&format!("/language/{lang}?to=/")).expect(303);
                for path in paths {
                    let page = qa.get(path).expect(200).text;
                    assert_eq!(raw_key(&page), None, "{lang} {path}");
                    assert!(page.contains(&format!("/language/{other}?")), "{lang} {path}");
                }
            }
        };
        paths.push("/documents".into());
        check(&paths);
        submit(&author, "/documents/SOP-CS-001/2.0");
        check(
            &["/2.0/sign", "/2.0/reject", "/2.0/withdraw", "/2.0"]
                .map(|rest| format!("/documents/SOP-CS-001{rest}")),
        );
    });
}
