//! The check of a pack, offline: a zip or the folder it unpacks to, without database, network or anything else of an
//! installation. The same questions in the same order as `verify.py`, which lies in every pack.
//!
//! A fault is a value that names the file it is in; damage of any kind is a fault, never an end of the check.

mod entries;
mod epochs;
mod report;
mod sealed;
mod source;
mod tiles;

use std::path::Path;

pub use report::{Ended, Fault, Form, Lines, Report, Signed};

use super::layout::{self, Area};
use crate::error::{Error, Result};
use crate::ledger::note::VerifierKey;
use entries::Entries;
use report::Findings;
use source::Source;

/// The files at the top of a pack, and its folders.
const ROOT: [&str; 5] = [layout::README, layout::MANIFEST, layout::SCRIPT, layout::CHECKPOINT, layout::KEY];
const FOLDERS: [&str; 8] =
    ["content", "records", "documents", "entries", "proofs", "tile", "sealed", "anchors"];
/// The same of an earlier epoch.
const PAST: [&str; 3] = [layout::CHECKPOINT, layout::KEY, layout::CONSISTENCY];
const PAST_FOLDERS: [&str; 5] = ["entries", "proofs", "tile", "sealed", "anchors"];

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
        return Ok(findings.report(Form::Excerpt, (None, Vec::new()), known.is_none(), None));
    };
    pack.check_manifest(&mut findings);
    let own_key = known.is_none();
    let whole = pack.names().any(|name| name.starts_with("tile/"));
    let areas = epochs::areas(&pack, &mut findings);
    let mut entries = Entries::new(areas.len() as u64);
    let (mut checkpoint, mut ended) = (None, Vec::new());
    for (place, area) in areas.iter().enumerate() {
        let next = areas.get(place + 1).copied();
        let epoch = epochs::read(&mut pack, (*area, next), (known.as_deref(), whole), &mut findings);
        entries.begin(*area, epoch.origin.clone());
        match whole {
            true => tiles::check(&mut pack, (*area, &epoch.vouchers), &mut entries, &mut findings),
            false => entries.check_excerpt(&mut pack, &epoch.vouchers, &mut findings),
        }
        match next {
            Some(_) => ended.push(epoch.ended()),
            None => checkpoint = epoch.checkpoint,
        }
    }
    sealed::check(&mut pack, &entries, &mut findings);
    for name in pack.names().filter(|name| !is_known(name, whole)) {
        findings.add("file.unknown", name, "is no part of a pack");
    }
    if entries.count() == 0 {
        findings.add("entry.none", "", "the pack holds no entry");
    }
    let form = if whole { Form::Whole } else { Form::Excerpt };
    Ok(findings.report(form, (checkpoint, ended), own_key, Some(&entries)))
}

/// Whether a pack of this form may hold a file of this name.
fn is_known(name: &str, whole: bool) -> bool {
    // What lies below `epoch/` and in no epoch was named before.
    let Some((area, own)) = Area::split(name) else { return true };
    let past = area.epoch().is_some();
    let loose =
        whole && (own == layout::CONSISTENCY || own.starts_with("entries/") || own.starts_with("proofs/"));
    let known = match own.split_once('/') {
        None if past => PAST.contains(&own),
        None => ROOT.contains(&own),
        Some((folder, _)) if past => PAST_FOLDERS.contains(&folder),
        Some((folder, _)) => FOLDERS.contains(&folder),
    };
    known && !loose
}

/// The keys of a file, a line each; none where it is not made of verifier keys.
fn keys_of(bytes: &[u8]) -> Option<Vec<VerifierKey>> {
    let text = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
    text.split('\n').map(|line| line.parse().ok()).collect()
}
