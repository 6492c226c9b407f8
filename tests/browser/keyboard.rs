//! The Tab key reaches every control of a form, in the order of reading, and shows where it is.

use fantoccini::key::Key;
use serde_json::json;

use super::chrome::{Chrome, Scripts};
use crate::house::{House, PASSWORD};

/// Marks the controls a person can use, and says how many there are.
const MARK: &str = "
    const all = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, [tabindex=\"0\"]')];
    const shown = all.filter((part) => part.checkVisibility() && !part.disabled);
    const names = new Set();
    // Of radio buttons that belong together one has the focus; the arrow keys do the rest.
    const stops = shown.filter((part) => part.type !== 'radio' ||
      (document.querySelector(`input[name='${part.name}']:checked`) || part) === part && !names.has(part.name) && names.add(part.name));
    stops.forEach((part, at) => part.dataset.stop = at);
    return stops.length";

/// Which stop has the focus, whether it shows, and whether anything hides it.
const WHERE: &str = "
    const part = document.activeElement;
    const box = part.getBoundingClientRect();
    const style = getComputedStyle(part);
    const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    const hit = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height / 2, 12));
    const free = !hit || part.contains(hit) || hit.contains(part) || hit.closest('label')?.control === part;
    return [part.dataset.stop ?? null, ring, free, part.outerHTML.slice(0, 120)]";

#[test]
fn the_tab_key_reaches_every_control_of_the_forms_and_shows_where_it_is() {
    let house = House::demo_on_sqlite();
    let author = house.person("author");
    let told = json!({
        "renditions": { "zh-CN": "## 1 目的\n\n规范。\n", "en": "## 1 Purpose\n\nOrder.\n" },
        "change_summary": "修订", "change_reason": "年度回顾",
    });
    let made = author.post("/api/v1/documents/WI-CS-002/versions", told).expect(201).json();
    let submission = json!({
        "reviewers": ["reviewer"], "approvers": ["qa"], "digest": made["digest"], "password": PASSWORD,
    });
    author.post("/api/v1/documents/WI-CS-002/versions/2.0/submit", submission).expect(200);
    let Some(chrome) = Chrome::start(&house.url, Scripts::On) else { return };
    chrome.open("/login");
    walk(&chrome, "/login");
    chrome.sign_in("reviewer");
    walk(&chrome, "/documents/WI-CS-002/2.0/sign");
    chrome.sign_in("author");
    walk(&chrome, "/documents/WI-CS-001/draft/new");
    walk(&chrome, "/documents/SOP-CS-005");
}

fn walk(chrome: &Chrome, path: &str) {
    chrome.open(path);
    let stops = chrome.script(MARK).as_u64().unwrap();
    let mut reached = Vec::new();
    for _ in 0..stops {
        chrome.key(Key::Tab);
        let at = chrome.script(WHERE);
        let what = at[3].as_str().unwrap();
        assert_eq!(at[1], true, "{path}: no ring around {what}");
        assert_eq!(at[2], true, "{path}: something hides {what}");
        reached.extend(at[0].as_str().map(|stop| stop.parse::<u64>().unwrap()));
    }
    let all: Vec<u64> = (0..stops).collect();
    assert_eq!(reached, all, "{path}: the order of the stops");
}
