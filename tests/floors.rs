//! The house's floors: imports point down, rooms of one floor do not know each other.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// From the ground up; what stands on one line is one floor.
const FLOORS: &[&[&str]] = &[
    &["error", "time", "id"],
    &["store", "text", "web", "pdf"],
    &["ledger"],
    &["signatures", "config", "backup"],
    &["people"],
    &["records", "jobs", "health", "anchors"],
    &["keeping"],
    &["trail", "notebook"],
    &["links"],
    &["documents"],
    &["copies"],
    &["orders"],
    &["deviations", "recalls"],
    &["home", "codes", "packs"],
    &["app", "openapi"],
    &["demo"],
    &["cli"],
];

/// Who may know a room of the same floor: the OpenAPI document is made of the route table that serves it.
const NEIGHBOURS: &[(&str, &str)] = &[("app", "openapi"), ("openapi", "app")];

fn floor(room: &str) -> usize {
    FLOORS
        .iter()
        .position(|rooms| rooms.contains(&room))
        .unwrap_or_else(|| panic!("src/{room} stands on no floor: give it one in tests/floors.rs"))
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
}

/// The rooms that a source names by `crate::room` or `crate::{a, b}`, comments apart.
fn named(source: &str) -> BTreeSet<String> {
    let code: String =
        source.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let mut rooms = BTreeSet::new();
    for after in code.split("crate::").skip(1) {
        let word = |text: &str| {
            text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>()
        };
        match after.strip_prefix('{') {
            Some(list) => {
                let mut depth = 0;
                let mut start = true;
                for (at, c) in list.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        c if start && depth == 0 && c.is_ascii_lowercase() => {
                            rooms.insert(word(&list[at..]));
                            start = false;
                        }
                        _ => {}
                    }
                }
            }
            None => {
                rooms.insert(word(after));
            }
        }
    }
    rooms.retain(|room| room.chars().next().is_some_and(|c| c.is_ascii_lowercase()));
    rooms
}

#[test]
fn imports_point_down() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&src, &mut all);
    let mut wrong = BTreeSet::new();
    for path in all {
        let inside = path.strip_prefix(&src).unwrap();
        let room = inside
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_str()
            .unwrap()
            .trim_end_matches(".rs")
            .to_owned();
        if room == "lib" || room == "main" {
            continue;
        }
        for other in named(&std::fs::read_to_string(&path).unwrap()) {
            let neighbours = NEIGHBOURS.contains(&(room.as_str(), other.as_str()));
            if other != room && !neighbours && floor(&other) >= floor(&room) {
                wrong.insert(format!("{} knows {other}", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
