//! Every page, in both languages and themes, wide and narrow: what axe, the policy, the words and the width say.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sopledger::web::words::{Lang, Words};

use super::axe;
use super::chrome::{Chrome, Scripts};
use super::places::{self, Place};
use crate::house::House;

/// Remembers what the policy refuses, from before the page's first line.
const LISTEN: &str = "window.refused = []; document.addEventListener('securitypolicyviolation',
    (event) => refused.push(event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sourceFile));";

/// What is read from a page: texts outside the reading matter, which speaks of what it likes.
const READ: &str = "
    const body = document.body.cloneNode(true);
    body.querySelectorAll('.prose, .steps, pre, textarea, .mono').forEach((part) => part.remove());
    const texts = [body.textContent];
    for (const name of ['aria-label', 'placeholder', 'title', 'alt'])
      body.querySelectorAll('[' + name + ']').forEach((part) => texts.push(part.getAttribute(name)));
    return {
      lang: document.documentElement.lang, theme: document.documentElement.dataset.theme || '',
      title: document.title, headings: document.querySelectorAll('h1').length,
      refused: window.refused, tokens: texts.join(' ').match(/(?<![\\w./-])[a-z]+(-[a-z0-9_]+)+(?![\\w/-])/g) || [],
    }";

/// How the page was answered.
const STATUS: &str = "return performance.getEntriesByType('navigation')[0].responseStatus";

/// What sticks out on a page too narrow for it.
const WIDEST: &str = "
    const found = [...document.querySelectorAll('body *')].filter((part) =>
      part.getBoundingClientRect().right > innerWidth + 0.5 && !part.closest('.scroll, .vh, .skip'));
    return [document.scrollingElement.scrollWidth, found.slice(0, 3).map((part) => part.outerHTML.slice(0, 120)).join(' | ')]";

struct Look<'a> {
    chrome: &'a Chrome,
    axe: &'a str,
    lang: Lang,
    theme: &'a str,
    /// Titles seen, and where.
    titles: BTreeMap<String, String>,
    /// What is wrong.
    faults: Vec<String>,
}

#[test]
fn every_page_is_sound_in_both_languages_and_themes_wide_and_narrow() {
    let Some(axe) = axe::source() else { return };
    let house = House::demo_on_sqlite();
    let places = places::all(&house);
    let Some(chrome) = Chrome::start(&house.url, Scripts::On) else { return };
    chrome.before_each_page(LISTEN);
    the_checks_can_fail(&chrome, axe);
    let mut faults = Vec::new();
    for (lang, theme) in [(Lang::Zh, "light"), (Lang::En, "dark"), (Lang::Zh, "dark"), (Lang::En, "light")] {
        chrome.open(&format!("/language/{}?to=/theme/{theme}", lang.tag()));
        let mut look =
            Look { chrome: &chrome, axe, lang, theme, titles: BTreeMap::new(), faults: Vec::new() };
        look.at_all(&places);
        look.at_refusals();
        faults.append(&mut look.faults);
    }
    let distinct: BTreeSet<&String> = faults.iter().collect();
    let lines: Vec<&str> = distinct.into_iter().map(String::as_str).collect();
    assert!(lines.is_empty(), "{} faults:\n{}", lines.len(), lines.join("\n"));
}

/// A page that is spoilt in every way is found to be.
fn the_checks_can_fail(chrome: &Chrome, axe: &str) {
    chrome.open("/login");
    chrome.script(
        "const spoilt = document.createElement('p');
         spoilt.style = 'width: 2000px; color: #eee';
         spoilt.innerHTML = 'pale <b style=\"color: #ddd\">home-nowhere</b><img src=\"https://elsewhere.example/x.png\">';
         document.getElementById('main').append(spoilt)",
    );
    let mut spoilt =
        Look { chrome, axe, lang: Lang::Zh, theme: "", titles: BTreeMap::new(), faults: Vec::new() };
    spoilt.at("spoilt");
    for part in ["policy refuses", "shows a key: home-nowhere", "wide at 320", "color-contrast", "image-alt"]
    {
        assert!(spoilt.faults.iter().any(|fault| fault.contains(part)), "{part} in {:?}", spoilt.faults);
    }
}

impl Look<'_> {
    fn at_all(&mut self, places: &[Place]) {
        let mut signed_in = "";
        for place in places {
            if place.login != signed_in {
                self.chrome.sign_in(place.login);
                signed_in = place.login;
            }
            self.chrome.open(&place.address);
            let status = self.chrome.script(STATUS);
            if place.opens && status != 200 {
                self.fault(&place.address, format!("answers {status}"));
            }
            self.at(&self.chrome.at());
        }
    }

    /// Forms that were refused: at the door, and one with several faults.
    fn at_refusals(&mut self) {
        self.chrome.sign_in("qa");
        for (address, button) in [
            ("/documents/new", "main form button.main"),
            ("/deviations/new", "main form button.main"),
            ("/recalls/new", "main form button.main"),
            ("/documents/SOP-CS-005/draft/new", "main form button.main"),
            ("/password", "main form button.main"),
        ] {
            self.chrome.open(address);
            self.chrome.press(button);
            assert!(!self.chrome.text("#errsum").is_empty());
            self.at(&format!("{address} refused"));
        }
        self.chrome.leave();
        self.chrome.open("/login");
        self.chrome.fill("#f-login", "qa");
        self.chrome.fill("#f-password", "not mine");
        self.chrome.press("main form button.main");
        self.at("/login refused");
    }

    fn fault(&mut self, place: &str, what: impl std::fmt::Display) {
        self.faults.push(format!("{place} [{} {}]: {what}", self.lang.tag(), self.theme));
    }

    fn at(&mut self, place: &str) {
        let read = self.chrome.script(READ);
        if read["lang"] != self.lang.tag() || read["theme"] != self.theme {
            self.fault(place, format!("is in {} and {}", read["lang"], read["theme"]));
        }
        if read["headings"] != 1 {
            self.fault(place, format!("has {} h1", read["headings"]));
        }
        for refused in read["refused"].as_array().into_iter().flatten() {
            self.fault(place, format!("the policy refuses {refused}"));
        }
        self.title(place, read["title"].as_str().unwrap());
        self.words(place, &read["tokens"]);
        self.narrow(place);
        for violation in axe::violations(self.chrome, self.axe) {
            self.fault(place, violation);
        }
    }

    /// Two addresses have two titles, but for what is only another way of asking.
    fn title(&mut self, place: &str, title: &str) {
        if title.starts_with(" –") || title.is_empty() {
            self.fault(place, "has no title");
        }
        let path = place.split(['?', ' ']).next().unwrap_or_default().trim_end_matches('/').to_owned();
        let before = self.titles.entry(title.to_owned()).or_insert_with(|| path.clone()).clone();
        // The version in force has the document's own address too, and somebody's home is another page.
        let within = |inner: &str, outer: &str| inner.starts_with(&format!("{outer}/"));
        if before != path && !within(&path, &before) && !within(&before, &path) {
            self.fault(place, format!("has the title of {before}: {title}"));
        }
    }

    /// What looks like the key of a word and begins like one.
    fn words(&mut self, place: &str, tokens: &Value) {
        let keys = Words::of(self.lang).keys();
        let families: BTreeSet<&str> = keys.iter().filter_map(|key| key.split('-').next()).collect();
        for token in tokens.as_array().into_iter().flatten().filter_map(Value::as_str) {
            if families.contains(token.split('-').next().unwrap_or_default()) {
                self.fault(place, format!("shows a key: {token}"));
            }
        }
    }

    fn narrow(&mut self, place: &str) {
        self.chrome.width(320);
        let widest = self.chrome.script(WIDEST);
        if widest[0].as_u64().unwrap() > 320 {
            self.fault(place, format!("is {} wide at 320: {}", widest[0], widest[1]));
        }
        self.chrome.width(1280);
    }
}
