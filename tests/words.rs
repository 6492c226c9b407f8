//! The words: both languages say the same things, and say everything the program and its pages ask for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sopledger::web::words::{Lang, Words};

fn files(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|own| own == ending) {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} holds no .{ending}");
    found
}

/// The text literals that follow `call`, when they are the first argument (`nth` 0) or a later one.
fn literals<'a>(text: &'a str, call: &str, nth: usize) -> BTreeSet<&'a str> {
    let calls = text.match_indices(call).map(|(at, _)| &text[at + call.len()..]);
    calls.filter_map(|rest| argument(rest, nth)).collect()
}

fn argument(rest: &str, nth: usize) -> Option<&str> {
    let mut rest = rest;
    for _ in 0..nth {
        let (mut depth, mut quoted) = (0, false);
        let comma = rest.char_indices().find(|(_, c)| {
            match c {
                '"' => quoted = !quoted,
                '(' | '[' if !quoted => depth += 1,
                ')' | ']' if !quoted => depth -= 1,
                _ => {}
            }
            depth < 0 || (*c == ',' && depth == 0 && !quoted)
        })?;
        rest = rest[comma.0..].strip_prefix(',')?;
    }
    let literal = rest.trim_start().strip_prefix('"')?;
    let literal = &literal[..literal.find('"')?];
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (!literal.is_empty() && literal.chars().all(plain)).then_some(literal)
}

/// The program without its tests, whose codes are invented.
fn program() -> Vec<(PathBuf, String)> {
    let mut sources = files("src", "rs");
    for (_, text) in &mut sources {
        if let Some(at) = text.find("#[cfg(test)]") {
            text.truncate(at);
        }
        let prose = |line: &str| line.trim_start().starts_with("//");
        *text = text.lines().filter(|line| !prose(line)).collect::<Vec<_>>().join("\n");
    }
    sources
}

#[test]
fn the_word_files_are_well_formed() {
    for lang in Lang::ALL {
        assert_eq!(Words::of(lang).faults(), [] as [String; 0], "{}", lang.tag());
    }
}

#[test]
fn both_languages_have_the_same_keys() {
    let [zh, en] = Lang::ALL.map(|lang| Words::of(lang).keys());
    let differing: Vec<_> = zh.symmetric_difference(&en).collect();
    assert!(differing.is_empty(), "in one language only: {differing:#?}");
}

#[test]
fn every_word_a_template_or_the_program_asks_for_exists() {
    let words = Words::of(Lang::Zh);
    let mut asked = BTreeSet::new();
    for (path, text) in files("templates", "html").iter().chain(&program()) {
        for call in ["w.t(", "w.one(", "w.with(", "words.t(", "words.one(", "words.with("] {
            asked.extend(literals(text, call, 0).into_iter().map(|key| (path.clone(), key.to_owned())));
        }
    }
    assert!(asked.len() > 20, "the search finds too little: {asked:?}");
    let missing: Vec<_> = asked.iter().filter(|(_, key)| !words.has(key)).collect();
    assert!(missing.is_empty(), "no such words: {missing:#?}");
}

#[test]
fn every_code_of_a_refusal_has_words() {
    let words = Words::of(Lang::Zh);
    let mut missing = BTreeSet::new();
    let mut seen = 0;
    for (path, text) in program() {
        let problems = [("Error::conflict(", 0), ("Error::forbidden(", 0), ("Error::unavailable(", 0)];
        let problems = problems.into_iter().flat_map(|(call, nth)| literals(&text, call, nth));
        let made =
            text.match_indices("Kind::").filter(|(at, _)| !text[..*at].ends_with(char::is_alphanumeric));
        let made = made.filter_map(|(at, _)| argument(&text[at..], 1));
        for code in problems.chain(made) {
            seen += 1;
            for key in [format!("problem-{code}"), format!("problem-{code}.detail")] {
                if !words.has(&key) {
                    missing.insert((path.clone(), key));
                }
            }
        }
        let fields =
            ["Error::invalid(", "faults.note("].into_iter().flat_map(|call| literals(&text, call, 1));
        let whole = text.match_indices("FieldError {").filter_map(|(at, _)| text[at..].split('}').next());
        let whole = whole.filter_map(|literal| argument(literal.split_once("code: ")?.1, 0));
        for code in fields.chain(whole) {
            seen += 1;
            if !words.has(&format!("field-{code}")) {
                missing.insert((path.clone(), format!("field-{code}")));
            }
        }
    }
    assert!(seen > 20, "the search finds too little: {seen}");
    assert!(missing.is_empty(), "no words for: {missing:#?}");
}

#[test]
fn a_number_is_counted_and_grouped_as_the_language_does_it() {
    let said = |lang, n: i64| Words::of(lang).one("parts-faults", "n", n).into_owned();
    assert_eq!(said(Lang::En, 1), "One thing to correct");
    assert_eq!(said(Lang::En, 2), "2 things to correct");
    assert_eq!(said(Lang::Zh, 1_204_311), "有 1\u{202f}204\u{202f}311 处需要修改");
}

#[test]
fn a_missing_word_shows_as_its_key() {
    assert_eq!(Words::of(Lang::Zh).t("no-such-word"), "no-such-word");
}

#[test]
fn the_language_is_the_cookies_then_the_browsers_best_then_chinese() {
    let cases = [
        (Some("en"), Some("zh-CN"), Lang::En),
        (None, Some("en-GB,en;q=0.9,zh;q=0.8"), Lang::En),
        (None, Some("en;q=0.5, zh-TW;q=0.7"), Lang::Zh),
        (None, Some("de, fr;q=0.4"), Lang::Zh),
        (None, Some("de, en;q=0.4, zh;q=0"), Lang::En),
        (Some("xx"), None, Lang::Zh),
    ];
    for (cookie, accept, lang) in cases {
        assert_eq!(Lang::negotiate(cookie, accept), lang, "{cookie:?} {accept:?}");
    }
}
