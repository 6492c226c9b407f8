//! The check of a pack, offline: a zip or the folder it unpacks to, without database, network or anything else of an
//! installation. The same questions in the same order as `verify.py`, which lies in every pack.
//!
//! A fault is a value that names the file it is in; damage of any kind is a fault, never an end of the check.

mod entries;
mod report;
mod sealed;
mod source;
mod tiles;

use std::path::Path;

pub use report::{Fault, Form, Lines, Report, Signed};

use super::layout;
use crate::error::{Error, Result};
use crate::ledger::note::{self, Checkpoint, VerifierKey};
use entries::Entries;
use report::Findings;
use source::Source;

/// The files at the top of a pack, and its folders.
const ROOT: [&str; 5] = [layout::README, layout::MANIFEST, layout::SCRIPT, layout::CHECKPOINT, layout::KEY];
const FOLDERS: [&str; 8] =
    ["content", "records", "documents", "entries", "proofs", "tile", "sealed", "anchors"];

/// Checks a pack with the key in it, or with one that is known from elsewhere.
///
/// # Errors
/// 422 where there is no such file, or `key` cannot be read or holds no key; what is wrong with the pack is in the
/// report.
pub fn verify(path: &Path, key: Option<&Path>) -> Result<Report> {
    let unreadable = |field: &'static str, path: &Path, error: std::io::Error| {
        Error::invalid(field, "unreadable").caused_by(format!("{}: {error}", path.display()))
    };
    std::fs::metadata(path).map_err(|error| unreadable("pack", path, error))?;
    let known = match key {
        Some(file) => {
            let text = std::fs::read(file).map_err(|error| unreadable("key", file, error))?;
            let keys = keys_of(&text).ok_or_else(|| Error::invalid("key", "malformed"))?;
            Some(keys)
        }
        None => None,
    };
    let mut findings = Findings::default();
    let Some(mut pack) = Source::open(path, &mut findings) else {
        return Ok(findings.report(Form::Excerpt, None, known.is_none(), None));
    };
    pack.check_manifest(&mut findings);
    let own_key = known.is_none();
    let checkpoint = checkpoint(&mut pack, known, &mut findings);
    let mut entries = Entries::new(checkpoint.as_ref().map(|signed| signed.origin.clone()));
    let whole = pack.names().any(|name| name.starts_with("tile/"));
    match (whole, &checkpoint) {
        (true, Some(checkpoint)) => tiles::check(&mut pack, checkpoint, &mut entries, &mut findings),
        (true, None) => {}
        (false, checkpoint) => entries.check_excerpt(&mut pack, checkpoint.as_ref(), &mut findings),
    }
    sealed::check(&mut pack, &entries, &mut findings);
    for name in pack.names() {
        let known = match name.split_once('/') {
            None => ROOT.contains(&name),
            Some((folder, _)) => FOLDERS.contains(&folder),
        };
        let loose = whole && (name.starts_with("entries/") || name.starts_with("proofs/"));
        if !known || loose {
            findings.add("file.unknown", name, "is no part of a pack");
        }
    }
    if entries.count() == 0 {
        findings.add("entry.none", "", "the pack holds no entry");
    }
    let form = if whole { Form::Whole } else { Form::Excerpt };
    Ok(findings.report(form, checkpoint, own_key, Some(&entries)))
}

/// The keys of a file, a line each; none where it is not made of verifier keys.
fn keys_of(bytes: &[u8]) -> Option<Vec<VerifierKey>> {
    let text = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
    text.split('\n').map(|line| line.parse().ok()).collect()
}

/// The checkpoint; whether it is signed is a finding.
fn checkpoint(
    pack: &mut Source,
    known: Option<Vec<VerifierKey>>,
    findings: &mut Findings,
) -> Option<Checkpoint> {
    let own = |pack: &mut Source| pack.get(layout::KEY).and_then(|bytes| keys_of(&bytes));
    let keys = known.or_else(|| own(pack)).unwrap_or_else(|| {
        findings.add("key.form", layout::KEY, "holds no verifier key");
        Vec::new()
    });
    let text = pack.get(layout::CHECKPOINT).and_then(|bytes| String::from_utf8(bytes).ok());
    let read = text.as_deref().map(|text| (note::unverified_checkpoint(text), note::open(text, &keys)));
    match read {
        Some((Ok(checkpoint), opened)) => {
            match opened {
                Ok(_) => {}
                Err(note::NoteError::Form) => {
                    findings.add("checkpoint.form", layout::CHECKPOINT, "is no checkpoint");
                    return None;
                }
                Err(error) => findings.add("checkpoint.signature", layout::CHECKPOINT, error.to_string()),
            }
            Some(checkpoint)
        }
        _ => {
            findings.add("checkpoint.form", layout::CHECKPOINT, "is no checkpoint");
            None
        }
    }
}
