//! Proof of an entry as text (c2sp.org/tlog-proof): index, path and the signed checkpoint, to be kept beside
//! the entry and checked without us.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::digest::Digest;
use super::entry::decimal;
use super::note::{self, Checkpoint, NoteError, VerifierKey};
use super::tree::{InclusionProof, verify_inclusion};

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// Writes the proof before the note of a checkpoint of the proof's size.
pub fn render(proof: &InclusionProof, note: &str) -> String {
    let mut text = format!("{HEADER}\nindex {}\n", proof.index);
    for hash in &proof.path {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", STANDARD.encode(hash.as_bytes()));
    }
    text.push('\n');
    text.push_str(note);
    text
}

/// Checks that a proof's note is signed by one of the keys and that it proves the entry with this leaf;
/// returns the entry's index and the checkpoint.
///
/// # Errors
/// `Form` where the text is no proof, `Proof` where it proves another leaf or none, else what `note::open`
/// says.
pub fn verify(text: &str, leaf: &Digest, keys: &[VerifierKey]) -> Result<(u64, Checkpoint), NoteError> {
    let (index, path, note) = parts(text).ok_or(NoteError::Form)?;
    let checkpoint = note::open_checkpoint(note, keys)?;
    let proof = InclusionProof { index, size: checkpoint.size, path };
    if !verify_inclusion(&proof, leaf, &checkpoint.root) {
        return Err(NoteError::Proof);
    }
    Ok((index, checkpoint))
}

/// Index, path and note of a proof, the note not looked at; none where the text is no proof.
pub fn parts(text: &str) -> Option<(u64, Vec<Digest>, &str)> {
    let rest = text.strip_prefix(HEADER)?.strip_prefix('\n')?;
    let (head, note) = rest.split_once("\n\n")?;
    let mut lines = head.split('\n').peekable();
    lines.next_if(|line| line.starts_with("extra "));
    let index = decimal(lines.next()?.strip_prefix("index ")?.as_bytes())?;
    let path = lines.map(note::hash_of).collect::<Option<Vec<_>>>()?;
    Some((index, path, note))
}
