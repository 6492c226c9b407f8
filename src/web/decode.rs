//! From a JSON value, or the fields of a form, to a type: serde with errors that name the field and the fault.
//!
//! Unlike serde_json's own, this deserializer keeps the path (`lines[2].batch`), takes objects only where a struct is
//! asked for, and in a form reads numbers and ticks from text and a single value where several may stand.

use std::fmt;

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Map, Value};

use crate::error::{Error, Kind};

/// Fields that only the system sets: naming one is refused in words of its own.
const SYSTEM_FIELDS: &[&str] = &[
    "actor",
    "approved_at",
    "closed_at",
    "closed_by",
    "created_at",
    "created_by",
    "digest_of",
    "hash",
    "id",
    "leaf",
    "raised_at",
    "raised_by",
    "recorded_at",
    "recorded_by",
    "registered_at",
    "registered_by",
    "role",
    "seq",
    "signature",
    "signed_at",
    "signed_by",
    "state",
    "status",
    "updated_at",
];

/// Where the values came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Json,
    Form,
}

/// Reads `value` as a `T`; a fault is a 422 that names its field.
pub(super) fn decode<T: DeserializeOwned>(value: Value, source: Source) -> Result<T, Error> {
    T::deserialize(Node { value, source }).map_err(|fault| {
        let code = match fault.code {
            "unknown-field" if SYSTEM_FIELDS.contains(&fault.last()) => "system-field",
            code => code,
        };
        Error::new(Kind::Invalid, "invalid").field(fault.path, code)
    })
}

/// A fault on its way up: the path grows at the front.
#[derive(Debug)]
struct Fault {
    path: String,
    code: &'static str,
}

impl Fault {
    fn new(path: &str, code: &'static str) -> Self {
        Self { path: path.to_owned(), code }
    }

    fn under(mut self, parent: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{parent}{dot}{}", self.path);
        self
    }

    fn last(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or_default()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.code)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::new("", "unacceptable")
    }

    fn invalid_type(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self::new("", "wrong-type")
    }

    fn invalid_value(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self::new("", "out-of-range")
    }

    fn invalid_length(_: usize, _: &dyn de::Expected) -> Self {
        Self::new("", "wrong-type")
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self::new("", "unknown-code")
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::new(field, "unknown-field")
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(field, "required")
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(field, "duplicate")
    }
}

struct Node {
    value: Value,
    source: Source,
}

impl Node {
    /// A form's text as the number or tick it stands for; everything else as it is.
    fn typed(self) -> Value {
        match self.value {
            Value::String(text) if self.source == Source::Form => match text.trim() {
                "true" | "on" => Value::Bool(true),
                "false" => Value::Bool(false),
                trimmed => serde_json::from_str::<serde_json::Number>(trimmed)
                    .map_or_else(|_| Value::String(text.clone()), Value::Number),
            },
            value => value,
        }
    }
}

impl<'de> Deserializer<'de> for Node {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let source = self.source;
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(number) => scalar(number, visitor),
            Value::String(text) => visitor.visit_string(text),
            Value::Array(items) => visitor.visit_seq(Items { items: items.into_iter(), at: 0, source }),
            Value::Object(map) => visitor.visit_map(Members { map: map.into_iter(), held: None, source }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.value {
            Value::Null => visitor.visit_none(),
            Value::String(text) if self.source == Source::Form && text.is_empty() => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self {
            Self { value: value @ Value::String(_), source: Source::Form } => {
                Self { value: Value::Array(vec![value]), source: Source::Form }.deserialize_any(visitor)
            }
            Self { value: Value::Object(_), .. } => Err(Fault::new("", "wrong-type")),
            node => node.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            Value::Object(_) => self.deserialize_any(visitor),
            _ => Err(Fault::new("", "wrong-type")),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.value {
            Value::String(text) => visitor.visit_enum(text.into_deserializer()),
            _ => Err(Fault::new("", "wrong-type")),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let source = self.source;
        Self { value: self.typed(), source }.deserialize_any(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_bool(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_bool(visitor)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_bool(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_bool(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_bool(visitor)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_bool(visitor)
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct tuple tuple_struct
        identifier ignored_any
    }
}

fn scalar<'de, V: Visitor<'de>>(number: serde_json::Number, visitor: V) -> Result<V::Value, Fault> {
    match (number.as_u64(), number.as_i64(), number.as_f64()) {
        (Some(value), _, _) => visitor.visit_u64(value),
        (None, Some(value), _) => visitor.visit_i64(value),
        (None, None, Some(value)) => visitor.visit_f64(value),
        (None, None, None) => Err(Fault::new("", "out-of-range")),
    }
}

struct Items {
    items: std::vec::IntoIter<Value>,
    at: usize,
    source: Source,
}

impl<'de> SeqAccess<'de> for Items {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Some(value) = self.items.next() else { return Ok(None) };
        let at = self.at;
        self.at += 1;
        let read = seed.deserialize(Node { value, source: self.source });
        read.map(Some).map_err(|fault| fault.under(&format!("[{at}]")))
    }
}

struct Members {
    map: <Map<String, Value> as IntoIterator>::IntoIter,
    held: Option<(String, Value)>,
    source: Source,
}

impl<'de> MapAccess<'de> for Members {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((key, value)) = self.map.next() else { return Ok(None) };
        self.held = Some((key.clone(), value));
        seed.deserialize(key.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let Some((key, value)) = self.held.take() else { return Err(Fault::new("", "wrong-type")) };
        seed.deserialize(Node { value, source: self.source }).map_err(|fault| fault.under(&key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        customer: String,
        #[serde(default)]
        lines: Vec<Line>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        batch: Option<String>,
        line: u32,
        storage: Storage,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "snake_case")]
    enum Storage {
        Ambient,
        #[serde(rename = "2-8")]
        Cold,
    }

    #[test]
    fn a_fault_names_its_field_with_the_whole_path() {
        let line = json!({"line": 10, "storage": "2-8"});
        let cases = [
            (json!({}), "customer", "required"),
            (json!({"customer": 5}), "customer", "wrong-type"),
            (json!({"customer": "c", "color": 1}), "color", "unknown-field"),
            (json!({"customer": "c", "recorded_at": "now"}), "recorded_at", "system-field"),
            (json!({"customer": "c", "lines": {}}), "lines", "wrong-type"),
            (
                json!({"customer": "c", "lines": [line, {"line": 1, "storage": "warm"}]}),
                "lines[1].storage",
                "unknown-code",
            ),
            (
                json!({"customer": "c", "lines": [{"line": -1, "storage": "2-8"}]}),
                "lines[0].line",
                "out-of-range",
            ),
            (
                json!({"customer": "c", "lines": [{"line": "1", "storage": "2-8"}]}),
                "lines[0].line",
                "wrong-type",
            ),
            (json!({"customer": "c", "lines": [{"storage": "2-8"}]}), "lines[0].line", "required"),
            (json!(["c"]), "", "wrong-type"),
        ];
        for (value, field, code) in cases {
            let error = decode::<Order>(value.clone(), Source::Json).unwrap_err();
            let fault = &error.fields()[0];
            assert_eq!((fault.field.as_str(), fault.code), (field, code), "{value}");
        }
    }

    #[test]
    fn a_whole_order_is_read() {
        let value = json!({"customer": "c", "lines": [{"line": 1, "batch": null, "storage": "2-8"}]});
        let order: Order = decode(value, Source::Json).unwrap();
        assert_eq!(order.customer, "c");
        assert_eq!((order.lines[0].line, &order.lines[0].storage), (1, &Storage::Cold));
        assert_eq!(order.lines[0].batch, None);
    }

    #[test]
    fn a_form_reads_numbers_ticks_and_single_values_from_text() {
        #[derive(Deserialize)]
        struct Fields {
            line: u32,
            major: bool,
            pick: Vec<String>,
            due: Option<String>,
            title: String,
        }
        let value = json!({"line": "10", "major": "on", "pick": "a", "due": "", "title": "42"});
        let fields: Fields = decode(value, Source::Form).unwrap();
        assert!(fields.line == 10 && fields.major && fields.due.is_none());
        assert_eq!((fields.pick, fields.title), (vec!["a".to_owned()], "42".to_owned()));
    }
}
