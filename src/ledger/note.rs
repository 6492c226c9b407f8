//! Checkpoints and the notes that sign them (c2sp.org/tlog-checkpoint, c2sp.org/signed-note), with Ed25519
//! keys.
//!
//! Lines of unknown keys are ignored; a line of a known key that does not verify refuses the whole note.
//! Checkpoints have three lines, no extension, and a size of at least 1.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use super::digest::Digest;
use super::entry::{decimal, is_origin};

/// The signature type of Ed25519 notes.
const ED25519: u8 = 1;
/// The longest note and the most signature lines looked at; the specification asks for 16 at least.
const MAX_NOTE: usize = 65_536;
const MAX_SIGNATURES: usize = 64;

/// What a ledger was when it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The ledger's name.
    pub origin: String,
    /// The number of entries, at least 1.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
}

/// A key that notes are checked with; as text `<name>+<id>+<base64(0x01 || public key)>`.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

/// Why a note, a checkpoint or a verifier key is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteError {
    /// The bytes do not have the form.
    Form,
    /// A key's name is empty or holds a space or a plus sign.
    Name,
    /// A checkpoint of size 0.
    Empty,
    /// The line of a known key does not verify.
    Signature,
    /// No line is by a known key.
    Unsigned,
    /// The proof does not lead to the signed root.
    Proof,
}

impl Checkpoint {
    /// The three lines that are signed.
    ///
    /// # Errors
    /// `Empty` for size 0, `Form` where the origin is none.
    pub fn text(&self) -> Result<String, NoteError> {
        if self.size == 0 {
            return Err(NoteError::Empty);
        }
        if !is_origin(&self.origin) {
            return Err(NoteError::Form);
        }
        Ok(format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.as_bytes())))
    }
}

impl FromStr for Checkpoint {
    type Err = NoteError;

    /// Reads the three lines; nothing may follow.
    fn from_str(text: &str) -> Result<Checkpoint, NoteError> {
        let lines = text.strip_suffix('\n').ok_or(NoteError::Form)?;
        let lines: Vec<&str> = lines.split('\n').collect();
        let [origin, size, root] = lines[..] else {
            return Err(NoteError::Form);
        };
        if !is_origin(origin) {
            return Err(NoteError::Form);
        }
        let size = decimal(size.as_bytes()).ok_or(NoteError::Form)?;
        if size == 0 {
            return Err(NoteError::Empty);
        }
        let root = hash_of(root).ok_or(NoteError::Form)?;
        Ok(Checkpoint { origin: origin.to_owned(), size, root })
    }
}

/// A hash in base64, standard alphabet, padded.
pub(super) fn hash_of(base64: &str) -> Option<Digest> {
    let bytes = STANDARD.decode(base64).ok()?;
    Digest::try_from(&bytes[..]).ok()
}

impl VerifierKey {
    /// The verifier key of a signing key under a name.
    ///
    /// # Errors
    /// `Name` where the name is empty or holds a space or a plus sign.
    pub fn new(name: &str, key: VerifyingKey) -> Result<VerifierKey, NoteError> {
        if !is_name(name) {
            return Err(NoteError::Name);
        }
        Ok(VerifierKey { name: name.to_owned(), id: key_id(name, &key), key })
    }

    /// The key's name; of ours, the ledger's origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// First 4 bytes of SHA-256(name || 0x0A || 0x01 || public key).
    pub fn id(&self) -> [u8; 4] {
        self.id
    }
}

fn key_id(name: &str, key: &VerifyingKey) -> [u8; 4] {
    let digest = Digest::of_parts(&[name.as_bytes(), b"\n", &[ED25519], key.as_bytes()]);
    let [a, b, c, d, ..] = *digest.as_bytes();
    [a, b, c, d]
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<VerifierKey, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::Form);
        };
        let bytes = STANDARD.decode(key).map_err(|_| NoteError::Form)?;
        let Some((&ED25519, public)) = bytes.split_first() else {
            return Err(NoteError::Form);
        };
        let public = public.try_into().map_err(|_| NoteError::Form)?;
        let key = VerifyingKey::from_bytes(public).map_err(|_| NoteError::Form)?;
        let verifier = VerifierKey::new(name, key)?;
        if hex_id(verifier.id) != id {
            return Err(NoteError::Form);
        }
        Ok(verifier)
    }
}

fn hex_id(id: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(id))
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut public = vec![ED25519];
        public.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, hex_id(self.id), STANDARD.encode(public))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

/// Signs a text, which ends in LF, as a note of one line.
///
/// # Errors
/// `Form` where the text cannot stand in a note, `Name` where the name cannot.
pub fn sign(key: &SigningKey, name: &str, text: &str) -> Result<String, NoteError> {
    if !is_text(text) {
        return Err(NoteError::Form);
    }
    Ok(format!("{text}\n{}", signature_line(key, name, text)?))
}

/// Adds the line of a further key to a note: what a rotation signs with both.
///
/// # Errors
/// As `sign`; `Form` where the note has no text.
pub fn sign_also(key: &SigningKey, name: &str, note: &str) -> Result<String, NoteError> {
    let (text, _) = split(note).ok_or(NoteError::Form)?;
    Ok(format!("{note}{}", signature_line(key, name, text)?))
}

fn signature_line(key: &SigningKey, name: &str, text: &str) -> Result<String, NoteError> {
    let verifier = VerifierKey::new(name, key.verifying_key())?;
    let mut bytes = verifier.id.to_vec();
    bytes.extend_from_slice(&key.sign(text.as_bytes()).to_bytes());
    Ok(format!("\u{2014} {name} {}\n", STANDARD.encode(bytes)))
}

/// A note whose known signatures verify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened<'a> {
    /// The signed text, with its last LF.
    pub text: &'a str,
    /// Which of the keys handed in have signed, as indices into them, each once.
    pub signed_by: Vec<usize>,
}

/// Opens a note: at least one line by one of the keys, and every such line verifies.
///
/// # Errors
/// `Form`, `Signature` or `Unsigned`.
pub fn open<'a>(note: &'a str, keys: &[VerifierKey]) -> Result<Opened<'a>, NoteError> {
    let (text, lines) = split(note).ok_or(NoteError::Form)?;
    let lines = lines.strip_suffix('\n').ok_or(NoteError::Form)?;
    let mut signed_by = Vec::new();
    for (count, line) in lines.split('\n').enumerate() {
        let (name, id, signature) = signature_parts(line).ok_or(NoteError::Form)?;
        if count == MAX_SIGNATURES {
            return Err(NoteError::Form);
        }
        let Some(known) = keys.iter().position(|key| key.name == name && key.id == id) else {
            continue;
        };
        let signature = Signature::from_slice(&signature).map_err(|_| NoteError::Signature)?;
        keys[known].key.verify_strict(text.as_bytes(), &signature).map_err(|_| NoteError::Signature)?;
        if !signed_by.contains(&known) {
            signed_by.push(known);
        }
    }
    if signed_by.is_empty() {
        return Err(NoteError::Unsigned);
    }
    Ok(Opened { text, signed_by })
}

/// Opens a note and reads its checkpoint.
///
/// # Errors
/// As `open`, and where the text is no checkpoint.
pub fn open_checkpoint(note: &str, keys: &[VerifierKey]) -> Result<Checkpoint, NoteError> {
    open(note, keys)?.text.parse()
}

/// The checkpoint a note speaks of, its signatures not looked at.
///
/// # Errors
/// Where it is no note of a checkpoint.
pub fn unverified_checkpoint(note: &str) -> Result<Checkpoint, NoteError> {
    split(note).ok_or(NoteError::Form)?.0.parse()
}

/// Text and signature lines of a note.
fn split(note: &str) -> Option<(&str, &str)> {
    let at = note.rfind("\n\n")?;
    let (text, lines) = (&note[..=at], &note[at + 2..]);
    (note.len() <= MAX_NOTE && is_text(text) && !lines.is_empty()).then_some((text, lines))
}

fn is_text(text: &str) -> bool {
    text.ends_with('\n') && text.bytes().all(|b| b >= 0x20 || b == b'\n')
}

fn signature_parts(line: &str) -> Option<(&str, [u8; 4], Vec<u8>)> {
    let (name, base64) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let bytes = STANDARD.decode(base64).ok()?;
    let (id, signature) = bytes.split_first_chunk::<4>()?;
    (is_name(name) && !signature.is_empty()).then(|| (name, *id, signature.to_vec()))
}

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NoteError::Form => "not the form of a note, a checkpoint or a verifier key",
            NoteError::Name => "a key's name is empty or holds a space or a plus sign",
            NoteError::Empty => "a checkpoint of size 0",
            NoteError::Signature => "the signature of a known key does not verify",
            NoteError::Unsigned => "no signature by a known key",
            NoteError::Proof => "the proof does not lead to the signed root",
        })
    }
}

impl std::error::Error for NoteError {}
