//! The body profile: the one spelling a JSON object may have in the ledger, a strict subset of RFC 8785.
//!
//! `to_bytes` writes it, `check` accepts exactly what `to_bytes` can write, and `scan` is the same pass
//! returning the fields by which entries are looked up. Stored bytes are never re-serialised to be checked.

mod index;
mod walk;

use std::fmt;

use serde_json::{Map, Number, Value};

pub use index::{BodyIndex, scan};
pub use walk::check;

/// How deep objects and arrays may nest, the outermost object being 1.
pub const MAX_DEPTH: u32 = 8;
/// The largest magnitude of an integer: every reader's doubles hold it exactly (RFC 7493, 2.2).
pub const MAX_INTEGER: u64 = (1 << 53) - 1;
/// The longest key, in bytes.
pub const MAX_KEY: usize = 32;

/// What rule of the profile a text breaks, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProfileError {
    /// The broken rule.
    pub rule: Rule,
    /// Offset in bytes: in the text for `check` and `scan`, in what had been written so far for `to_bytes`.
    pub at: usize,
}

/// The rules of the body profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The text is UTF-8.
    Utf8,
    /// The outermost value is an object, without byte order mark.
    NotAnObject,
    /// JSON's grammar without insignificant white space.
    Syntax,
    /// Nothing follows the outermost object.
    Trailing,
    /// Keys are `[a-z][a-z0-9_]{0,31}`.
    Key,
    /// Keys ascend and occur once.
    KeyOrder,
    /// Strings escape only what must be, in its one spelling.
    Escape,
    /// Controls are escaped.
    Control,
    /// U+0000 does not occur.
    Nul,
    /// Numbers are integers.
    Float,
    /// Integers have magnitude ≤ 2^53-1, no leading zero, no negative zero.
    Integer,
    /// Nesting is at most 8 deep.
    Depth,
    /// A field the ledger itself reads has its type (`scan` only).
    Field,
}

/// Writes the value in the body profile; keys are sorted here, whatever the map's order.
///
/// # Errors
/// Where the value is no object, or holds what the profile cannot say.
pub fn to_bytes(value: &Value) -> Result<Vec<u8>, ProfileError> {
    match value {
        Value::Object(map) => object_to_bytes(map),
        _ => Err(ProfileError { rule: Rule::NotAnObject, at: 0 }),
    }
}

/// The same for the members of an object.
///
/// # Errors
/// Where the object holds what the profile cannot say.
pub fn object_to_bytes(map: &Map<String, Value>) -> Result<Vec<u8>, ProfileError> {
    let mut writer = Writer { out: Vec::with_capacity(1024) };
    writer.object(map, 1)?;
    Ok(writer.out)
}

/// Whether the key is `[a-z][a-z0-9_]{0,31}`.
pub fn is_key(key: &str) -> bool {
    let bytes = key.as_bytes();
    bytes.len() <= MAX_KEY
        && bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes.iter().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

struct Writer {
    out: Vec<u8>,
}

impl Writer {
    fn fail<T>(&self, rule: Rule) -> Result<T, ProfileError> {
        Err(ProfileError { rule, at: self.out.len() })
    }

    fn value(&mut self, value: &Value, depth: u32) -> Result<(), ProfileError> {
        match value {
            Value::Null => self.out.extend_from_slice(b"null"),
            Value::Bool(true) => self.out.extend_from_slice(b"true"),
            Value::Bool(false) => self.out.extend_from_slice(b"false"),
            Value::Number(number) => self.number(number)?,
            Value::String(text) => self.string(text)?,
            Value::Array(items) => self.array(items, depth + 1)?,
            Value::Object(map) => self.object(map, depth + 1)?,
        }
        Ok(())
    }

    fn object(&mut self, map: &Map<String, Value>, depth: u32) -> Result<(), ProfileError> {
        if depth > MAX_DEPTH {
            return self.fail(Rule::Depth);
        }
        let mut members: Vec<(&String, &Value)> = map.iter().collect();
        members.sort_unstable_by_key(|(key, _)| key.as_bytes());
        self.out.push(b'{');
        for (i, (key, value)) in members.into_iter().enumerate() {
            if !is_key(key) {
                return self.fail(Rule::Key);
            }
            if i > 0 {
                self.out.push(b',');
            }
            self.out.push(b'"');
            self.out.extend_from_slice(key.as_bytes());
            self.out.extend_from_slice(b"\":");
            self.value(value, depth)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn array(&mut self, items: &[Value], depth: u32) -> Result<(), ProfileError> {
        if depth > MAX_DEPTH {
            return self.fail(Rule::Depth);
        }
        self.out.push(b'[');
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.out.push(b',');
            }
            self.value(item, depth)?;
        }
        self.out.push(b']');
        Ok(())
    }

    fn number(&mut self, number: &Number) -> Result<(), ProfileError> {
        if number.is_f64() {
            return self.fail(Rule::Float);
        }
        let magnitude = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
        if magnitude.is_none_or(|m| m > MAX_INTEGER) {
            return self.fail(Rule::Integer);
        }
        self.out.extend_from_slice(number.to_string().as_bytes());
        Ok(())
    }

    fn string(&mut self, text: &str) -> Result<(), ProfileError> {
        self.out.push(b'"');
        let mut rest = text.as_bytes();
        while let Some(at) = rest.iter().position(|&byte| byte < 0x20 || matches!(byte, b'"' | b'\\')) {
            let (plain, special) = rest.split_at(at);
            self.out.extend_from_slice(plain);
            rest = &special[1..];
            match special[0] {
                0 => return self.fail(Rule::Nul),
                byte @ (b'"' | b'\\') => self.out.extend_from_slice(&[b'\\', byte]),
                0x08 => self.out.extend_from_slice(b"\\b"),
                0x0c => self.out.extend_from_slice(b"\\f"),
                b'\n' => self.out.extend_from_slice(b"\\n"),
                b'\r' => self.out.extend_from_slice(b"\\r"),
                b'\t' => self.out.extend_from_slice(b"\\t"),
                byte => self.out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            }
        }
        self.out.extend_from_slice(rest);
        self.out.push(b'"');
        Ok(())
    }
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = match self.rule {
            Rule::Utf8 => "not UTF-8",
            Rule::NotAnObject => "not a JSON object",
            Rule::Syntax => "not JSON in its shortest form",
            Rule::Trailing => "something follows the object",
            Rule::Key => "a key is not [a-z][a-z0-9_]{0,31}",
            Rule::KeyOrder => "keys do not ascend, or one occurs twice",
            Rule::Escape => "an escape that is not the one spelling of its character",
            Rule::Control => "an unescaped control character",
            Rule::Nul => "U+0000",
            Rule::Float => "a number that is no integer",
            Rule::Integer => "an integer beyond 2^53-1 or not in its one spelling",
            Rule::Depth => "nested more than 8 deep",
            Rule::Field => "a field of the ledger's own has the wrong type",
        };
        write!(f, "{rule}, at byte {}", self.at)
    }
}

impl std::error::Error for ProfileError {}
