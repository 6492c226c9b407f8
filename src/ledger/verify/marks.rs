//! Where verification has come to, kept beside the signer's state: outside the database, so that whoever writes there
//! cannot say that something was verified.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::ledger::canon;
use crate::ledger::digest::Digest;
use crate::ledger::folder::Folder;
use crate::ledger::signer::replace_file;

/// A checkpoint up to which everything was found sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The number of entries.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
}

/// The marks by origin; none where the file is missing or says nothing: then the next pass goes over the whole.
pub fn read(folder: &Folder) -> BTreeMap<String, Mark> {
    std::fs::read(folder.verified()).ok().and_then(|bytes| parse(&bytes)).unwrap_or_default()
}

fn parse(bytes: &[u8]) -> Option<BTreeMap<String, Mark>> {
    let said: Value = serde_json::from_slice(bytes).ok()?;
    let rows = said.get("verified").filter(|_| said["v"] == 1)?.as_array()?;
    let mark = |row: &Value| {
        let size = row["size"].as_u64().filter(|size| *size > 0)?;
        let root = Digest::from_hex(row["root"].as_str()?.as_bytes())?;
        Some((row["origin"].as_str()?.to_owned(), Mark { size, root }))
    };
    rows.iter().map(mark).collect()
}

/// Keeps the marks.
///
/// # Errors
/// The folder refuses.
pub fn write(folder: &Folder, marks: &BTreeMap<String, Mark>) -> Result<()> {
    let row = |(origin, mark): (&String, &Mark)| json!({ "origin": origin, "size": mark.size, "root": mark.root.to_string() });
    let rows: Vec<Value> = marks.iter().map(row).collect();
    let bytes = canon::to_bytes(&json!({ "v": 1, "verified": rows })).map_err(Error::internal)?;
    Ok(replace_file(&folder.verified(), &bytes)?)
}
