//! Where things lie in a pack. One place, for the maker and the check.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::ledger::digest::Digest;
use crate::ledger::entry::decimal_of;

/// The signed note, in each area.
pub const CHECKPOINT: &str = "checkpoint";
/// The keys that it is checked with, in each area.
pub const KEY: &str = "key";
/// Of an earlier epoch: the proof that what a recovery has found extends what was signed, a hash a line, in base64.
pub const CONSISTENCY: &str = "consistency";
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

/// Where the files of one epoch lie: those of the present one at the top, those of an earlier one below `epoch/<k>/`, as
/// in the addresses under which it is served. Numbers begin anew in each, so that no name stands twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Area(Option<u64>);

impl Area {
    /// The present epoch's.
    pub const TOP: Self = Self(None);

    /// An earlier epoch's.
    pub const fn of(epoch: u64) -> Self {
        Self(Some(epoch))
    }

    /// The area that a name lies in, and its name there; none below `epoch/` but in no area.
    pub fn split(name: &str) -> Option<(Self, &str)> {
        let Some(rest) = name.strip_prefix("epoch/") else { return Some((Self::TOP, name)) };
        let (epoch, rest) = rest.split_once('/')?;
        let epoch = decimal_of(epoch).filter(|epoch| *epoch > 0)?;
        Some((Self::of(epoch), rest))
    }

    /// Which earlier epoch; none for the present one.
    pub const fn epoch(self) -> Option<u64> {
        self.0
    }

    /// A file of this epoch.
    pub fn file(self, name: &str) -> String {
        match self.0 {
            None => name.to_owned(),
            Some(epoch) => format!("epoch/{epoch}/{name}"),
        }
    }

    /// An entry's exact bytes.
    pub fn entry(self, seq: u64) -> String {
        self.file(&format!("entries/{seq}.entry"))
    }

    /// Its proof.
    pub fn proof(self, seq: u64) -> String {
        self.file(&format!("proofs/{seq}.tlog-proof"))
    }

    /// Personal values that it introduces.
    pub fn sealed(self, seq: u64) -> String {
        self.file(&format!("sealed/{seq}.json"))
    }
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

/// The PDF of a version, in its folder: nothing seals it but the list.
pub fn print(folder: &str) -> String {
    format!("{folder}/version.pdf")
}

/// Entries that hold a signature, by number and instant, which together name one of all epochs; with their hashes.
pub type Signed = HashMap<(u64, String), (Area, Digest)>;

/// `signatures.json` of a version: its signatures as the snapshot has them, with the printed name where it is disclosed
/// and the hash of the entry that made each, where the pack holds it; its epoch, where that is an earlier one.
pub fn signatures(snapshot: &Value, name: impl Fn(&str) -> Option<String>, signed: &Signed) -> Value {
    let rows = snapshot["signatures"].as_array().map(Vec::as_slice).unwrap_or_default();
    let one = |row: &Value| {
        let mut out: Map<String, Value> = row.as_object().cloned().unwrap_or_default();
        let commitment = row["signer_name"]["sealed"].as_str().unwrap_or_default();
        if let Some(name) = name(commitment) {
            out.insert("name".to_owned(), json!(name));
        }
        let at = row["signed_at"].as_str().unwrap_or_default().to_owned();
        if let Some((area, leaf)) = signed.get(&(row["seq"].as_u64().unwrap_or(0), at)) {
            out.insert("leaf".to_owned(), json!(leaf.to_string()));
            if let Some(epoch) = area.epoch() {
                out.insert("epoch".to_owned(), json!(epoch));
            }
        }
        Value::Object(out)
    };
    rows.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_epoch() {
        assert_eq!(Area::split("entries/7.entry"), Some((Area::TOP, "entries/7.entry")));
        assert_eq!(Area::split("epoch/12/entries/7.entry"), Some((Area::of(12), "entries/7.entry")));
        for none in ["epoch/0/key", "epoch/01/key", "epoch/x/key", "epoch/1", "epoch//key"] {
            assert_eq!(Area::split(none), None, "{none}");
        }
    }

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
