//! Every closed list with its names in both languages: what `/api/v1/codes` tells other systems.

use actix_web::{HttpResponse, web};
use serde_json::{Map, Value, json};

use crate::documents::codes::{DEPARTMENTS, Kind, Outcome, PROCESSES};
use crate::documents::timeline::State;
use crate::ledger::acts;
use crate::links::record::Relation;
use crate::orders::record::{EventKind, Storage};
use crate::people::gate::{Gate, Route};
use crate::people::rights::Role;
use crate::web::words::{Lang, Words};
use crate::{deviations, recalls};

/// The list's route.
pub fn routes() -> Vec<Route> {
    vec![Route::get("/api/v1/codes", Gate::SignedIn, "Every closed list, in both languages", || web::to(answer))]
}

async fn answer() -> HttpResponse {
    HttpResponse::Ok().json(lists())
}

/// All lists, each `[{code, "zh-CN", en}]`.
pub fn lists() -> Value {
    let mut lists: Map<String, Value> =
        worded().into_iter().map(|(list, prefix, codes)| (list.to_owned(), named(prefix, &codes))).collect();
    let areas = deviations::record::areas().iter();
    let areas = areas.map(|area| json!({ "code": area.code, "zh-CN": area.zh, "en": area.en }));
    lists.insert("areas".to_owned(), areas.collect());
    let languages = Lang::ALL.map(|lang| json!({ "code": lang.tag(), "zh-CN": own(lang, Lang::Zh), "en": own(lang, Lang::En) }));
    lists.insert("languages".to_owned(), languages.into_iter().collect());
    Value::Object(lists)
}

type List = (&'static str, &'static str, Vec<&'static str>);

/// The lists whose names are words: name, prefix of the words' keys, codes.
fn worded() -> Vec<List> {
    vec![
        ("kinds", "kind", Kind::ALL.map(Kind::code).to_vec()),
        ("departments", "department", DEPARTMENTS.to_vec()),
        ("processes", "process", PROCESSES.to_vec()),
        ("version_states", "state", State::ALL.map(State::code).to_vec()),
        ("review_outcomes", "review", Outcome::ALL.map(Outcome::code).to_vec()),
        ("storage", "storage", Storage::ALL.map(Storage::code).to_vec()),
        ("event_kinds", "event", EventKind::ALL.map(EventKind::code).to_vec()),
        ("relations", "link-relation", Relation::ALL.map(Relation::code).to_vec()),
        ("deviation_classes", "deviation-class", deviations::record::Class::ALL.map(|class| class.code()).to_vec()),
        ("deviation_states", "deviation-state", deviations::record::STATES.to_vec()),
        ("recall_classes", "recalls-class", recalls::record::Class::ALL.map(|class| class.code()).to_vec()),
        ("recall_roles", "recalls-role", recalls::record::Role::ALL.map(|role| role.code()).to_vec()),
        ("recall_origins", "recalls-origin", recalls::record::Origin::ALL.map(|origin| origin.code()).to_vec()),
        ("recall_states", "recalls-state", recalls::record::STATES.to_vec()),
        ("roles", "role", Role::ALL.map(Role::code).to_vec()),
        ("acts", "act", acts::ALL.iter().map(|act| act.name).collect()),
    ]
}

fn named(prefix: &str, codes: &[&str]) -> Value {
    let named = codes.iter().map(|code| {
        let key = key(prefix, code);
        json!({ "code": code, "zh-CN": Words::of(Lang::Zh).t(&key), "en": Words::of(Lang::En).t(&key) })
    });
    named.collect()
}

/// Keys of words have no dots.
fn key(prefix: &str, code: &str) -> String {
    format!("{prefix}-{}", code.replace('.', "-"))
}

fn own(lang: Lang, seen_from: Lang) -> String {
    Words::of(seen_from).t(&key("language", lang.tag())).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_every_list_has_its_name_in_both_languages() {
        let mut missing = Vec::new();
        for (_, prefix, codes) in worded() {
            for key in codes.iter().map(|code| key(prefix, code)) {
                missing.extend(Lang::ALL.into_iter().filter(|lang| !Words::of(*lang).has(&key)).map(|lang| (lang, key.clone())));
            }
        }
        assert!(missing.is_empty(), "no names for {missing:#?}");
    }
}
