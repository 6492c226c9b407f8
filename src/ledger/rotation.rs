//! A key's life: a new one announced by an entry, the old one signing beside it for a while, a lost one revoked.

use std::fs;

use super::acts;
use super::key::LedgerKey;
use super::lane::{Actor, NewEntry};
use super::note::VerifierKey;
use super::ring::Ring;
use super::site::Site;
use crate::error::{Error, Result};

/// What a rotation has made.
#[derive(Debug, Clone)]
pub struct Rotated {
    /// The key that signs from now on.
    pub vkey: VerifierKey,
    /// Its file.
    pub file: std::path::PathBuf,
    /// The entry that announces it.
    pub seq: u64,
}

/// The name below `key/` of a key's file: its id, as verifier keys spell it.
pub fn file_of(vkey: &VerifierKey) -> String {
    let id: String = vkey.id().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{id}.key")
}

/// Makes a new key, announces it, and lets it sign; the present ones sign beside it for so many seconds, so that
/// whoever knows only them still accepts the notes and finds the new one announced below them.
///
/// # Errors
/// 409 `key-elsewhere`: this node holds no key to sign the announcement with; files or the lane refuse.
pub fn rotate(site: &Site, actor: &Actor, reason: &str, overlap: i64) -> Result<Rotated> {
    required(reason)?;
    let ring = Ring::load(&site.folder, &site.origin)?;
    if ring.signing(&site.origin, site.clock.now())?.is_empty() {
        return Err(Error::conflict("key-elsewhere"));
    }
    let (vkey, file) = make(site)?;
    let entry = NewEntry::new(acts::KEY_ROTATED, actor).field("vkey", vkey.to_string()).reason(reason);
    let seq = site.lane.write_here(move |tx| Ok(tx.append(entry.clone())?.seq))?;
    // Read again: the signer may have learned of the entry meanwhile.
    let mut ring = Ring::load(&site.folder, &site.origin)?;
    let until = site.clock.now().plus_seconds(overlap);
    ring.lead(vkey.clone(), &file, Some(until));
    ring.store()?;
    Ok(Rotated { vkey, file: site.folder.key_file(&file), seq })
}

/// A new key in its file; one that an attempt has left half-way was never announced.
fn make(site: &Site) -> Result<(VerifierKey, String)> {
    let next = site.folder.key_file("next.key");
    match fs::remove_file(&next) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let made = LedgerKey::create(&next, &site.origin).map_err(|error| Error::internal(error.to_string()))?;
    let (vkey, file) = (made.vkey(), file_of(&made.vkey()));
    fs::rename(&next, site.folder.key_file(&file))?;
    super::key::sync_directory(&next)?;
    Ok((vkey, file))
}

/// Says that a key no longer vouches for what is signed from now on; what it has signed before stands, since a later
/// checkpoint covers it.
///
/// # Errors
/// 404 for a key that is not on the list; 409 `key-in-use`: the newest key cannot be revoked before it is rotated;
/// 409 `key-revoked`.
pub fn revoke(site: &Site, actor: &Actor, (key, reason): (&str, &str)) -> Result<(VerifierKey, u64)> {
    required(reason)?;
    let ring = Ring::load(&site.folder, &site.origin)?;
    let named = |known: &&super::ring::Known| {
        known.vkey.to_string() == key || file_of(&known.vkey).strip_suffix(".key") == Some(key)
    };
    let known = ring.of(&site.origin).find(named).ok_or_else(|| Error::not_found("key", key))?;
    if known.revoked.is_some() {
        return Err(Error::conflict("key-revoked"));
    }
    let vkey = known.vkey.clone();
    if ring.vkeys(&site.origin).first() == Some(&vkey) {
        return Err(Error::conflict("key-in-use"));
    }
    let entry = NewEntry::new(acts::KEY_REVOKED, actor).field("vkey", vkey.to_string()).reason(reason);
    let seq = site.lane.write_here(move |tx| Ok(tx.append(entry.clone())?.seq))?;
    let mut ring = Ring::load(&site.folder, &site.origin)?;
    ring.revoke(&vkey, seq);
    ring.store()?;
    Ok((vkey, seq))
}

fn required(reason: &str) -> Result<()> {
    if reason.trim().is_empty() { Err(Error::invalid("reason", "required")) } else { Ok(()) }
}

/// The verifier key that the body of an entry names.
pub fn vkey_in(body: &str) -> Option<VerifierKey> {
    let body: serde_json::Value = serde_json::from_str(body).ok()?;
    body.get("vkey")?.as_str()?.parse().ok()
}
