//! The story: one document from its first word to the auditor's check, by clicking and typing alone.

use super::chrome::{Chrome, Scripts};
use crate::house::{House, PASSWORD};

const ZH: &str = "## 1 目的\n\n规范冷链来电。\n\n## 2 步骤\n\n1. 记录温度与时间\n2. 请客户隔离待验\n";
const EN: &str = "## 1 Purpose\n\nCalls on the cold chain.\n\n## 2 Steps\n\n1. Note temperature and time\n2. Ask for quarantine\n";

#[test]
fn a_document_goes_from_its_author_to_customer_service_and_the_auditor_by_clicking_and_typing() {
    tell(Scripts::On);
}

#[test]
fn the_same_story_needs_no_script() {
    tell(Scripts::Off);
}

fn tell(scripts: Scripts) {
    let house = House::sqlite();
    let Some(chrome) = Chrome::start(&house.url, scripts) else { return };
    chrome.open("/language/zh-CN?to=/login");
    write(&chrome);
    submit(&chrome);
    sign(&chrome, "reviewer");
    sign(&chrome, "qa");
    look_up(&chrome);
    check(&chrome);
    let acts = house.acts();
    for act in ["version.submitted", "version.reviewed", "version.approved", "verified"] {
        assert!(acts.iter().any(|known| known.ends_with(act)), "{act} in {acts:?}");
    }
}

/// The author makes a document and writes both renditions.
fn write(chrome: &Chrome) {
    chrome.sign_in("author");
    chrome.press("header nav a[href='/documents']");
    chrome.press("a[href='/documents/new']");
    chrome.pick("#f-kind", "work_instruction");
    chrome.pick("#f-department", "CS");
    chrome.fill("#f-number", "WI-CS-031");
    chrome.fill("#f-title_zh", "冷链来电处理");
    chrome.fill("#f-title_en", "Calls on the cold chain");
    chrome.pick("#f-owner", "qa");
    chrome.tick("#f-processes input");
    chrome.tick("#f-audience input[value='cs']");
    chrome.fill("#f-review_months", "24");
    chrome.tick("#f-authoritative_language input[value='zh-CN']");
    chrome.press("main form button.main");
    chrome.press("a[href='/documents/WI-CS-031/draft/new']");
    chrome.fill("#f-change_reason", "客户来电增多");
    chrome.fill("#f-change_summary", "首次发布");
    chrome.fill("#f-text_zh", ZH);
    chrome.fill("#f-text_en", EN);
    chrome.press("main form button[value='preview']");
    assert!(chrome.text("#preview").contains("请客户隔离待验"));
    chrome.press("main form button[value='save']");
    assert!(chrome.text(".prose").contains("规范冷链来电。"));
}

/// The author gives it to a reviewer and to QA.
fn submit(chrome: &Chrome) {
    chrome.press("a[href='/documents/WI-CS-031/1.0/submit']");
    chrome.tick("#f-reviewers input[value='reviewer']");
    chrome.tick("#f-approvers input[value='qa']");
    chrome.fill("#f-password", PASSWORD);
    chrome.press("main form button.main");
    assert!(chrome.text("ol.signs").contains("author 某"));
}

/// A person finds the task on the home page and signs, once with a wrong password.
fn sign(chrome: &Chrome, login: &str) {
    chrome.sign_in(login);
    chrome.press("main table a[href='/documents/WI-CS-031/1.0']");
    chrome.press("a[href='/documents/WI-CS-031/1.0/sign']");
    chrome.fill("#f-comment", "步骤已核对");
    chrome.fill("#f-password", "not mine");
    chrome.press("main form button.main");
    assert!(!chrome.text("#errsum").is_empty());
    chrome.fill("#f-password", PASSWORD);
    chrome.press("main form button.main");
    let signs = chrome.text("ol.signs");
    assert!(signs.contains(&format!("{login} 某")), "{signs}");
}

/// Customer service types two words and reads the steps.
fn look_up(chrome: &Chrome) {
    chrome.sign_in("cs");
    if chrome.at() != "/now" {
        chrome.press("a[href='/now']");
    }
    chrome.fill("#q", "冷链 来电");
    chrome.press("form.ask button.main");
    let steps = chrome.text("ol.steps");
    assert!(steps.contains("记录温度与时间") && steps.contains("请客户隔离待验"), "{steps}");
    chrome.press("article a.btn.main");
    assert_eq!(chrome.at(), "/documents/WI-CS-031");
}

/// The auditor opens an entry of the trail, sees it proved, and has the whole ledger checked.
fn check(chrome: &Chrome) {
    chrome.sign_in("auditor");
    chrome.press("header nav a[href='/trail']");
    chrome.fill("#f-subject", "document/WI-CS-031");
    chrome.press("form.filter button.main");
    chrome.press("main table tbody th a");
    let proof = chrome.text("section.proof");
    assert!(proof.contains("相同") && !proof.contains('✕'), "{proof}");
    chrome.press("header nav a[href='/trail']");
    chrome.press("form[action='/trail/verify'] button");
    // The page of the job comes again by itself until it leads to the result.
    chrome.press("main a[href^='/trail/verify?job=']");
    let report = chrome.text("main");
    assert!(chrome.text("main .hashline .ok").contains("完好"), "{report}");
}
