//! Where things lie in a pack. One place, for the maker and the check.

use serde_json::{Map, Value, json};

use crate::ledger::digest::Digest;

pub const CHECKPOINT: &str = "checkpoint";
pub const KEY: &str = "key";
pub const MANIFEST: &str = "MANIFEST.sha256";
pub const README: &str = "README.html";
pub const SCRIPT: &str = "verify.py";
/// The zip's comment is this and the SHA-256, hex, of every byte before those 64 digits: bytes that no file holds,
/// such as headers and padding, do not change unseen either.
pub const SEAL: &[u8; 7] = b"sha256:";

/// Sealed bytes by their digest.
pub fn content(digest: &Digest) -> String {
    let hex = digest.to_string();
    format!("content/{}/{hex}", &hex[..2])
}

/// An entry's exact bytes.
pub fn entry(seq: u64) -> String {
    format!("entries/{seq}.entry")
}

/// Its proof.
pub fn proof(seq: u64) -> String {
    format!("proofs/{seq}.tlog-proof")
}

/// Personal values that it introduces.
pub fn sealed(seq: u64) -> String {
    format!("sealed/{seq}.json")
}

/// A subject's last snapshot, by name.
pub fn record(kind: &str, id: &str) -> String {
    format!("records/{}/{}.json", plain(kind), plain(id))
}

/// The folder of a version, for a document's subject that is one.
pub fn version(kind: &str, id: &str) -> Option<String> {
    let (number, version) = id.split_once('/').filter(|_| kind == "document")?;
    Some(format!("documents/{}/{}", plain(number), plain(version)))
}

/// A name that is a path on every system: what is not plain is percent-encoded, dots that would climb too.
pub fn plain(text: &str) -> String {
    let part = |part: &str| {
        let climbs = part.is_empty() || part.bytes().all(|byte| byte == b'.');
        let mut out = String::with_capacity(part.len());
        for byte in part.bytes() {
            match byte {
                b'.' if climbs => out.push_str("%2E"),
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' => out.push(byte.into()),
                _ => out.push_str(&format!("%{byte:02X}")),
            }
        }
        out
    };
    text.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// What a snapshot speaks of: texts and files, and content objects (a version's own digest).
#[derive(Debug, Default)]
pub struct References {
    /// With their sizes.
    pub texts: Vec<(Digest, u64)>,
    /// Content objects, which speak of texts themselves.
    pub objects: Vec<Digest>,
}

impl References {
    /// Reads a snapshot or a content object.
    pub fn of(object: &Value) -> Self {
        let mut found = Self::default();
        let named = |value: &Value| Digest::from_hex(value.as_str()?.as_bytes());
        found.objects.extend(object.get("digest").and_then(named));
        found.walk(object);
        found
    }

    fn walk(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                let digest = fields.get("sha256").and_then(Value::as_str);
                let digest = digest.and_then(|hex| Digest::from_hex(hex.as_bytes()));
                let size = fields.get("size").and_then(Value::as_u64);
                self.texts.extend(digest.zip(size));
                fields.values().for_each(|value| self.walk(value));
            }
            Value::Array(items) => items.iter().for_each(|value| self.walk(value)),
            _ => {}
        }
    }
}

/// `signatures.json` of a version: its signatures as the snapshot has them, with the printed name where it is disclosed
/// and the hash of the entry that made each, where the pack holds it.
pub fn signatures(
    snapshot: &Value,
    name: impl Fn(&str) -> Option<String>,
    leaf: impl Fn(u64) -> Option<Digest>,
) -> Value {
    let rows = snapshot["signatures"].as_array().map(Vec::as_slice).unwrap_or_default();
    let one = |row: &Value| {
        let mut out: Map<String, Value> = row.as_object().cloned().unwrap_or_default();
        let commitment = row["signer_name"]["sealed"].as_str().unwrap_or_default();
        if let Some(name) = name(commitment) {
            out.insert("name".to_owned(), json!(name));
        }
        if let Some(leaf) = row["seq"].as_u64().and_then(&leaf) {
            out.insert("leaf".to_owned(), json!(leaf.to_string()));
        }
        Value::Object(out)
    };
    rows.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_below_its_folder() {
        assert_eq!(record("document", "SOP-CS-001/2.0"), "records/document/SOP-CS-001/2.0.json");
        assert_eq!(record("setting", "../x"), "records/setting/%2E%2E/x.json");
        assert_eq!(record("order", "批 1"), "records/order/%E6%89%B9%201.json");
        assert_eq!(version("document", "SOP-CS-001/2.0").as_deref(), Some("documents/SOP-CS-001/2.0"));
        assert_eq!(version("document", "SOP-CS-001"), None);
        assert_eq!(version("order", "1/2"), None);
    }
}
