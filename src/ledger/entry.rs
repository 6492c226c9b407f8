//! One entry of the ledger: six lines of text, each ended by one LF.
//!
//! `build` writes an entry, `parse` reads one without copying and refuses whatever `build` could not have
//! written, save that the body's profile (`canon::scan`) and the value of `prev` (`chain`) are checked apart.

use std::fmt;

use super::canon::{self, ProfileError};
use super::digest::Digest;

/// The first line: format and version.
pub const TAG: &str = "sopledger/v1";
/// The largest entry, in bytes: bundles prefix each with a 16-bit length.
pub const MAX_ENTRY: usize = 65_535;
/// The longest origin, in bytes.
pub const MAX_ORIGIN: usize = 128;
/// The length of an instant, `YYYY-MM-DDTHH:MM:SS.ffffffZ`, in bytes.
pub const INSTANT: usize = 27;

/// All of an entry but its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryHead<'a> {
    /// The ledger's name.
    pub origin: &'a str,
    /// The entry's number, from 0.
    pub seq: u64,
    /// The leaf of the entry before; zero for entry 0.
    pub prev: Digest,
    /// The instant of the change, 27 bytes, UTC; text order is time order.
    pub ts: &'a str,
}

/// An entry as read: its head, and its body on one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The first five lines.
    pub head: EntryHead<'a>,
    /// The sixth line without its LF: UTF-8, begins with `{`, ends with `}`, not yet checked against the
    /// profile.
    pub body: &'a str,
}

/// Why bytes are not an entry, or parts do not make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryError {
    /// More than 65,535 bytes.
    TooLong,
    /// Fewer than six lines, or the last without its LF.
    Truncated,
    /// The first line is not `sopledger/v1`.
    Tag,
    /// The origin is not `[a-z0-9./-]{1,128}`.
    Origin,
    /// The number is not a decimal without leading zero below 2^64.
    Seq,
    /// The fourth line is not 64 lower-case hexadecimal digits, or not zero exactly for entry 0 (`build`).
    Prev,
    /// The instant is not `YYYY-MM-DDTHH:MM:SS.ffffffZ` or not in the calendar.
    Ts,
    /// The body is not one line of UTF-8 in braces.
    Body,
    /// The body breaks the profile (`build`).
    Profile(ProfileError),
}

/// Writes an entry.
///
/// # Errors
/// Where a part breaks its rule, or the whole exceeds 65,535 bytes.
pub fn build(head: &EntryHead<'_>, body: &[u8]) -> Result<Vec<u8>, EntryError> {
    if !is_origin(head.origin) {
        return Err(EntryError::Origin);
    }
    if !is_instant(head.ts) {
        return Err(EntryError::Ts);
    }
    if (head.seq == 0) != (head.prev == Digest::ZERO) {
        return Err(EntryError::Prev);
    }
    canon::check(body).map_err(EntryError::Profile)?;
    let seq = head.seq.to_string();
    let prev = head.prev.hex();
    let lines: [&[u8]; 6] =
        [TAG.as_bytes(), head.origin.as_bytes(), seq.as_bytes(), &prev, head.ts.as_bytes(), body];
    let length = lines.iter().map(|line| line.len() + 1).sum();
    if length > MAX_ENTRY {
        return Err(EntryError::TooLong);
    }
    let mut out = Vec::with_capacity(length);
    for line in lines {
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    Ok(out)
}

/// Reads an entry without copying.
///
/// # Errors
/// The first rule broken, from the first line to the last.
pub fn parse(bytes: &[u8]) -> Result<Entry<'_>, EntryError> {
    if bytes.len() > MAX_ENTRY {
        return Err(EntryError::TooLong);
    }
    let (tag, rest) = line(bytes, TAG.len())?;
    if tag != TAG.as_bytes() {
        return Err(EntryError::Tag);
    }
    let (origin, rest) = line(rest, MAX_ORIGIN)?;
    let origin = std::str::from_utf8(origin).map_err(|_| EntryError::Origin)?;
    if !is_origin(origin) {
        return Err(EntryError::Origin);
    }
    let (seq, rest) = line(rest, 20)?;
    let seq = decimal(seq).ok_or(EntryError::Seq)?;
    let (prev, rest) = fixed(rest, 64).ok_or(EntryError::Prev)?;
    let prev = Digest::from_hex(prev).ok_or(EntryError::Prev)?;
    let (ts, rest) = fixed(rest, INSTANT).ok_or(EntryError::Ts)?;
    let ts = std::str::from_utf8(ts).map_err(|_| EntryError::Ts)?;
    if !is_instant(ts) {
        return Err(EntryError::Ts);
    }
    let body = rest.strip_suffix(b"\n").ok_or(EntryError::Truncated)?;
    if body.contains(&b'\n') || body.contains(&b'\r') {
        return Err(EntryError::Body);
    }
    let body = std::str::from_utf8(body).map_err(|_| EntryError::Body)?;
    if body.len() < 2 || !body.starts_with('{') || !body.ends_with('}') {
        return Err(EntryError::Body);
    }
    Ok(Entry { head: EntryHead { origin, seq, prev, ts }, body })
}

/// The entry's hash, SHA-256(0x00 || bytes): the next entry's `prev` and the tree's leaf.
pub fn leaf(bytes: &[u8]) -> Digest {
    Digest::of_parts(&[&[0], bytes])
}

/// Whether the text is `[a-z0-9./-]{1,128}`.
pub fn is_origin(text: &str) -> bool {
    (1..=MAX_ORIGIN).contains(&text.len())
        && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'/' | b'-'))
}

/// Whether the text is `YYYY-MM-DDTHH:MM:SS.ffffffZ` and in the calendar (no second 60).
pub fn is_instant(text: &str) -> bool {
    const SHAPE: &[u8; INSTANT] = b"0000-00-00T00:00:00.000000Z";
    let Ok(bytes) = <&[u8; INSTANT]>::try_from(text.as_bytes()) else {
        return false;
    };
    let shaped = bytes.iter().zip(SHAPE).all(|(byte, shape)| match shape {
        b'0' => byte.is_ascii_digit(),
        _ => byte == shape,
    });
    if !shaped {
        return false;
    }
    let two = |at: usize| u32::from(bytes[at] - b'0') * 10 + u32::from(bytes[at + 1] - b'0');
    let (century, year, month, day) = (two(0), two(2), two(5), two(8));
    let leap = if year == 0 { century % 4 == 0 } else { year % 4 == 0 };
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => return false,
    };
    (1..=days).contains(&day) && two(11) < 24 && two(14) < 60 && two(17) < 60
}

/// A decimal without sign or leading zero that fits 64 bits.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || (digits[0] == b'0' && digits.len() > 1) {
        return None;
    }
    digits.iter().try_fold(0u64, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// The same of a text.
pub fn decimal_of(digits: &str) -> Option<u64> {
    decimal(digits.as_bytes())
}

/// Splits off one line. The search ends one byte past the longest allowed: what is longer comes back unended,
/// as a line that its rule refuses.
fn line(bytes: &[u8], longest: usize) -> Result<(&[u8], &[u8]), EntryError> {
    let window = &bytes[..bytes.len().min(longest + 1)];
    match window.iter().position(|&byte| byte == b'\n') {
        Some(end) => Ok((&bytes[..end], &bytes[end + 1..])),
        None if bytes.len() > longest => Ok((window, &bytes[window.len()..])),
        None => Err(EntryError::Truncated),
    }
}

/// Splits off one line of a known length.
fn fixed(bytes: &[u8], length: usize) -> Option<(&[u8], &[u8])> {
    let (line, rest) = bytes.split_at_checked(length)?;
    Some((line, rest.strip_prefix(b"\n")?))
}

impl fmt::Display for EntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            EntryError::TooLong => "more than 65,535 bytes",
            EntryError::Truncated => "not six lines, each ended by LF",
            EntryError::Tag => "the first line is not sopledger/v1",
            EntryError::Origin => "the origin is not [a-z0-9./-]{1,128}",
            EntryError::Seq => "the number is not a decimal without leading zero",
            EntryError::Prev => {
                "prev is not 64 lower-case hexadecimal digits, or zero elsewhere than in entry 0"
            }
            EntryError::Ts => "the instant is not YYYY-MM-DDTHH:MM:SS.ffffffZ of the calendar",
            EntryError::Body => "the body is not one line of UTF-8 in braces",
            EntryError::Profile(fault) => return write!(f, "the body: {fault}"),
        })
    }
}

impl std::error::Error for EntryError {}
