//! JSON Schema as far as the OpenAPI document uses it: values are held against it, and schemas against what is known
//! here, so that no word of the document goes unread.

use std::collections::BTreeSet;

use regex_lite::Regex;
use serde_json::{Map, Value};

/// The words that say something of values, then those that only explain.
const WORDS: &[&str] = &[
    "$ref",
    "type",
    "enum",
    "oneOf",
    "allOf",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "pattern",
    "format",
    "description",
    "default",
    "examples",
    "x-list",
];

/// The document's schemas.
pub struct Schemas<'a>(pub &'a Value);

impl<'a> Schemas<'a> {
    /// What is wrong with a value, by its path. A member that the schema does not name is a fault, whether or not the
    /// document forbids it.
    pub fn faults(&self, schema: &Value, value: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.hold(schema, value, "", &mut faults);
        self.unnamed(schema, value, "", &mut faults);
        faults
    }

    /// The schema a reference leads to, itself where it is none.
    pub fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        match schema["$ref"].as_str() {
            Some(reference) => {
                let found = self.0.pointer(&reference[1..]);
                self.resolved(found.unwrap_or_else(|| panic!("{reference} leads nowhere")))
            }
            None => schema,
        }
    }

    fn hold(&self, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        let schema = self.resolved(schema);
        let mut fault = |what: String| faults.push(format!("{at}: {what}, is {}", short(value)));
        if let Some(codes) = schema["enum"].as_array()
            && !codes.contains(value)
        {
            fault(format!("none of {codes:?}"));
        }
        if !of_type(&schema["type"], value) {
            fault(format!("not of type {}", schema["type"]));
            return;
        }
        if let Some(text) = value.as_str() {
            text_faults(schema, text).into_iter().for_each(&mut fault);
        }
        if let Some(number) = value.as_f64() {
            let below = schema["minimum"].as_f64().is_some_and(|least| number < least);
            if below || schema["maximum"].as_f64().is_some_and(|most| number > most) {
                fault("out of range".to_owned());
            }
        }
        self.hold_one_of(schema, value, at, faults);
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.hold(part, value, at, faults);
        }
        match value {
            Value::Array(items) => self.hold_items(schema, items, at, faults),
            Value::Object(members) => self.hold_members(schema, members, at, faults),
            _ => {}
        }
    }

    fn hold_one_of(&self, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        let Some(choices) = schema["oneOf"].as_array() else { return };
        let found: Vec<Vec<String>> = choices
            .iter()
            .map(|choice| {
                let mut faults = Vec::new();
                self.hold(choice, value, at, &mut faults);
                self.unnamed(choice, value, at, &mut faults);
                faults
            })
            .collect();
        match found.iter().filter(|faults| faults.is_empty()).count() {
            1 => {}
            0 => faults.extend(found.into_iter().flatten()),
            several => faults.push(format!("{at}: fits {several} of its choices, is {}", short(value))),
        }
    }

    fn hold_items(&self, schema: &Value, items: &[Value], at: &str, faults: &mut Vec<String>) {
        let count = items.len() as u64;
        let few = schema["minItems"].as_u64().is_some_and(|least| count < least);
        if few || schema["maxItems"].as_u64().is_some_and(|most| count > most) {
            faults.push(format!("{at}: {count} items"));
        }
        if schema["items"].is_object() {
            for (n, item) in items.iter().enumerate() {
                self.hold(&schema["items"], item, &format!("{at}[{n}]"), faults);
            }
        }
    }

    fn hold_members(&self, schema: &Value, members: &Map<String, Value>, at: &str, faults: &mut Vec<String>) {
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !members.contains_key(name) {
                faults.push(format!("{at}: lacks {name}"));
            }
        }
        for (name, value) in members {
            let named = schema["properties"].get(name);
            let others = Some(&schema["additionalProperties"]).filter(|others| others.is_object());
            if let Some(own) = named.or(others) {
                self.hold(own, value, &format!("{at}.{name}"), faults);
            }
        }
    }

    /// Members that no part of the schema names, at any depth.
    fn unnamed(&self, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        match value {
            Value::Array(items) => {
                let own = self.resolved(schema)["items"].clone();
                for (n, item) in items.iter().enumerate().filter(|_| own.is_object()) {
                    self.unnamed(&own, item, &format!("{at}[{n}]"), faults);
                }
            }
            Value::Object(members) => {
                for (name, value) in members {
                    let mut named = Vec::new();
                    match self.member(schema, name, &mut named) {
                        true => named
                            .iter()
                            .for_each(|own| self.unnamed(own, value, &format!("{at}.{name}"), faults)),
                        false => faults.push(format!("{at}: {name} is not described, is {}", short(value))),
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether the schema has such a member, and by which schemas.
    fn member<'s>(&'s self, schema: &'s Value, name: &str, named: &mut Vec<&'s Value>) -> bool {
        let schema = self.resolved(schema);
        if let Some(own) = schema["properties"].get(name) {
            named.push(own);
            return true;
        }
        let parts = ["allOf", "oneOf"].into_iter().filter_map(|word| schema[word].as_array()).flatten();
        let mut any = false;
        for part in parts {
            any |= self.member(part, name, named);
        }
        let others = &schema["additionalProperties"];
        if others.is_object() {
            named.push(others);
        }
        let says_nothing = ["properties", "oneOf", "allOf"].iter().all(|word| schema[word].is_null());
        any || others.is_object() || (says_nothing && others.is_null())
    }

    /// Words of a schema that are not known here, with all schemas inside it.
    pub fn unknown_words(&self, schema: &Value, found: &mut BTreeSet<String>) {
        let Some(words) = schema.as_object() else { return };
        found.extend(words.keys().filter(|word| !WORDS.contains(&word.as_str())).cloned());
        for word in ["properties", "oneOf", "allOf", "items", "additionalProperties"] {
            match (&schema[word], word) {
                (Value::Object(members), "properties") => {
                    members.values().for_each(|inner| self.unknown_words(inner, found));
                }
                (Value::Array(inner), _) => inner.iter().for_each(|inner| self.unknown_words(inner, found)),
                (inner, _) => self.unknown_words(inner, found),
            }
        }
    }
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(120).collect()
}

fn of_type(types: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => panic!("no type {name}"),
    };
    match types {
        Value::Null => true,
        Value::Array(names) => names.iter().any(is),
        name => is(name),
    }
}

fn text_faults(schema: &Value, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let length = text.chars().count() as u64;
    let brief = schema["minLength"].as_u64().is_some_and(|least| length < least);
    if brief || schema["maxLength"].as_u64().is_some_and(|most| length > most) {
        faults.push(format!("{length} characters"));
    }
    if let Some(pattern) = schema["pattern"].as_str()
        && !Regex::new(pattern).unwrap().is_match(text)
    {
        faults.push(format!("not like {pattern}"));
    }
    let formed = match schema["format"].as_str() {
        Some("date-time") => chrono::DateTime::parse_from_rfc3339(text).is_ok(),
        Some("date") => text.parse::<chrono::NaiveDate>().is_ok() && text.len() == 10,
        Some("binary") | None => true,
        Some(format) => panic!("no format {format}"),
    };
    if !formed {
        faults.push(format!("no {}", schema["format"]));
    }
    faults
}

#[test]
fn what_does_not_fit_is_named_by_its_path() {
    use serde_json::json;
    let document = json!({ "components": { "schemas": {
        "Line": { "type": "object", "required": ["batch"], "properties": { "batch": { "type": "string", "maxLength": 3 } } },
    } } });
    let line = json!({ "$ref": "#/components/schemas/Line" });
    let order = json!({ "type": "object", "required": ["lines"], "properties": {
        "lines": { "type": "array", "maxItems": 2, "items": line },
        "at": { "oneOf": [{ "type": "string", "format": "date-time" }, { "type": "null" }] },
    } });
    let schemas = Schemas(&document);
    let cases = [
        (json!({ "lines": [{ "batch": "b" }], "at": null }), vec![]),
        (json!({}), vec![": lacks lines"]),
        (json!({ "lines": [{}] }), vec![".lines[0]: lacks batch"]),
        (json!({ "lines": [{ "batch": 1 }] }), vec![".lines[0].batch: not of type \"string\", is 1"]),
        (json!({ "lines": [{ "batch": "bbbb" }] }), vec![".lines[0].batch: 4 characters, is \"bbbb\""]),
        (json!({ "lines": [{ "batch": "b", "x": 1 }] }), vec![".lines[0]: x is not described, is 1"]),
    ];
    for (value, expected) in cases {
        assert_eq!(schemas.faults(&order, &value), expected, "{value}");
    }
    assert_eq!(schemas.faults(&order, &json!({ "lines": [], "at": "noon" })).len(), 2);
}
