//! The fields of snapshots as people say them: names and codes by their words, instants in the site's zone.
//!
//! What is sealed is written for machines and stays as it is; a page says it and keeps the sealed name beside it. A field
//! or a code without a word is shown as it is sealed, so that a later version's snapshot can be read too.

use chrono_tz::Tz;
use serde_json::{Map, Value};

use crate::people::subjects;
use crate::time::Timestamp;
use crate::web::format;
use crate::web::words::Words;

/// How the fields of one kind of record are told.
#[derive(Clone, Copy)]
pub struct Wording<'a> {
    pub w: Words,
    pub zone: Tz,
    /// The subject's kind.
    pub kind: &'a str,
}

impl Wording<'_> {
    /// What a field is called; none where nothing is known of it.
    pub fn field(self, name: &str) -> Option<String> {
        let keys = [
            format!("snapshot-in-{}-{name}", self.kind),
            format!("snapshot-{name}"),
            format!("print-lang-{name}"),
        ];
        keys.iter().find(|key| self.w.has(key)).map(|key| self.w.t(key).into_owned())
    }

    /// A field's value; the items of a list stand on lines of their own.
    pub fn value(self, field: &str, value: Option<&Value>) -> String {
        value.map_or_else(String::new, |value| self.said(("", field), value, "\n"))
    }

    fn said(self, at: (&str, &str), value: &Value, between: &str) -> String {
        match value {
            Value::String(text) => self.text(at, text),
            Value::Array(items) => {
                let items = items.iter().map(|item| self.said(at, item, ", "));
                items.collect::<Vec<_>>().join(between)
            }
            Value::Object(fields) => self.object(at.1, fields),
            Value::Bool(yes) => self.w.t(if *yes { "snapshot-yes" } else { "snapshot-no" }).into_owned(),
            value => value.to_string(),
        }
    }

    fn object(self, within: &str, fields: &Map<String, Value>) -> String {
        let pairs = fields.iter().map(|(name, value)| {
            let value = self.said((within, name), value, ", ");
            let name = self.field(name).unwrap_or_else(|| name.clone());
            self.w.with("snapshot-pair", &[("name", name.into()), ("value", value.into())]).into_owned()
        });
        pairs.collect::<Vec<_>>().join(" · ")
    }

    fn text(self, (within, field): (&str, &str), text: &str) -> String {
        if text.ends_with('Z')
            && let Some(at) = Timestamp::parse(text)
        {
            let whole = at.0 % 60_000_000 == 0;
            return if whole { format::minute(at, self.zone) } else { format::second(at, self.zone) };
        }
        if names_subject(self.kind, field) {
            return subjects::said(self.w, text);
        }
        let families = families(self.kind, within, field).iter().map(|family| format!("{family}-{text}"));
        let word = families.into_iter().find(|key| self.w.has(key)).map(|key| self.w.t(&key).into_owned());
        word.unwrap_or_else(|| text.to_owned())
    }
}

fn names_subject(kind: &str, field: &str) -> bool {
    matches!((kind, field), (_, "subject" | "subjects") | ("link", "from" | "to") | ("hold", "held"))
}

/// The messages that word the codes of a field, tried in this order; `within` is the list that the field's row is in.
fn families(kind: &str, within: &str, field: &str) -> &'static [&'static str] {
    match (kind, within, field) {
        (_, "signatures" | "grants", "role") | ("document", _, "audience") => &["role"],
        (_, _, "meaning") => &["meaning"],
        (_, "signatures", "method") => &["snapshot-method"],
        ("document", "reviews", "outcome") => &["meaning"],
        ("document", _, "state") => &["snapshot-state", "state"],
        ("document", _, "document_kind") => &["documents-kind"],
        ("document", _, "department") => &["documents-department"],
        ("document", _, "processes") => &["documents-process"],
        (_, _, "lang" | "authoritative_language") => &["print-lang"],
        ("deviation", "", "class") => &["deviation-class"],
        ("deviation", "", "state") | ("deviation", "transitions", "from" | "to") => &["deviation-state"],
        ("recall", "", "class") => &["recalls-class"],
        ("recall", "", "role") => &["recalls-role"],
        ("recall", "", "origin") => &["recalls-origin"],
        ("recall", "", "state") | ("recall", "transitions", "from" | "to") => &["recalls-state"],
        ("order", "events", "kind") => &["event"],
        ("order", _, "storage") => &["storage"],
        ("link", _, "relation") => &["link-relation"],
        ("copy", _, "outcome") => &["copy-standing"],
        ("disposal", _, "state") => &["disposal-state"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::web::words::Lang;

    fn told(kind: &str, field: &str, value: &Value) -> (Option<String>, String) {
        let wording = Wording { w: Words::of(Lang::Zh), zone: chrono_tz::Asia::Shanghai, kind };
        (wording.field(field), wording.value(field, Some(value)))
    }

    #[test]
    fn codes_are_said_by_their_words_and_instants_in_the_sites_zone() {
        let cases = [
            ("document", "state", json!("in_review"), "状态", "审核中"),
            ("document", "state", json!("approved"), "状态", "已批准"),
            ("document", "effective_from", json!("2026-12-27T16:00:00Z"), "生效日期", "2026-12-28 00:00 CST"),
            ("deviation", "state", json!("closed"), "状态", "已关闭"),
            ("recall", "role", json!("wholesaler"), "角色", "经营企业"),
            ("link", "to", json!("order/80010358"), "止", "订单 80010358"),
            ("account", "disabled", json!(true), "已停用", "是"),
            (
                "account",
                "grants",
                json!([{ "role": "qa" }, { "role": "ra" }]),
                "角色",
                "角色：质量保证\n角色：法规事务",
            ),
        ];
        for (kind, field, value, name, said) in cases {
            assert_eq!(told(kind, field, &value), (Some(name.to_owned()), said.to_owned()));
        }
    }

    #[test]
    fn what_has_no_word_is_said_as_it_is_sealed() {
        assert_eq!(told("document", "later", &json!("some_code")), (None, "some_code".to_owned()));
        assert_eq!(told("document", "state", &json!("later")).1, "later");
        assert_eq!(told("order", "lines", &json!([{ "later": 7 }])).1, "later：7");
    }
}
