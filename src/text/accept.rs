//! The door for text: bytes from outside become text that may be stored, signed and shown.
//!
//! Line ends become LF and a leading byte order mark goes; nothing else is altered, so what a person
//! signs is what they wrote. Refused are bytes that aren't UTF-8, NUL (PostgreSQL cannot hold it),
//! other control characters, and the Unicode bidirectional controls, with which a text can read
//! otherwise than it is stored ("Trojan Source", CVE-2021-42574).

/// The longest text of one rendition, in bytes, before line ends are unified.
pub const TEXT_LIMIT: usize = 1 << 20;

/// Why a text was refused, and where. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextFault {
    /// What is wrong.
    pub kind: FaultKind,
    /// The line of the first offending character; 1 for [`FaultKind::TooLong`].
    pub line: usize,
    /// The column of the first offending character; 1 for [`FaultKind::TooLong`].
    pub column: usize,
}

/// What is wrong with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// Longer than `limit`, in bytes.
    TooLong {
        /// The limit that was passed.
        limit: usize,
    },
    /// A byte sequence that is not UTF-8.
    NotUtf8,
    /// U+0000.
    Nul,
    /// A bidirectional control character.
    Bidirectional(char),
    /// Another control character.
    Control(char),
}

/// Takes a text of several lines.
///
/// # Errors
/// [`TextFault`] for the first character that cannot be accepted, or for the size.
pub fn accept(bytes: &[u8]) -> Result<String, TextFault> {
    if bytes.len() > TEXT_LIMIT {
        return Err(fault(FaultKind::TooLong { limit: TEXT_LIMIT }));
    }
    let text = decode(bytes)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    refuse(&text, |c| c.is_control() && !matches!(c, '\n' | '\t'))?;
    Ok(text)
}

fn decode(bytes: &[u8]) -> Result<&str, TextFault> {
    std::str::from_utf8(bytes).map_err(|error| {
        let sound = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let (line, column) = position(&sound, sound.len());
        TextFault { kind: FaultKind::NotUtf8, line, column }
    })
}

fn refuse(text: &str, is_control: impl Fn(char) -> bool) -> Result<(), TextFault> {
    let found = text.char_indices().find_map(|(at, c)| match c {
        '\0' => Some((at, FaultKind::Nul)),
        c if is_bidirectional(c) => Some((at, FaultKind::Bidirectional(c))),
        c if is_control(c) => Some((at, FaultKind::Control(c))),
        _ => None,
    });
    match found {
        None => Ok(()),
        Some((at, kind)) => {
            let (line, column) = position(text, at);
            Err(TextFault { kind, line, column })
        }
    }
}

/// Unicode property Bidi_Control.
fn is_bidirectional(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn position(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    // A bare CR still stands here when the fault is found before line ends are unified.
    let line_start = before.rfind(['\n', '\r']).map_or(0, |end| end + 1);
    let unified = before.replace("\r\n", "\n");
    let line = unified.matches(['\n', '\r']).count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

fn fault(kind: FaultKind) -> TextFault {
    TextFault { kind, line: 1, column: 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(kind: FaultKind, line: usize, column: usize) -> TextFault {
        TextFault { kind, line, column }
    }

    #[test]
    fn line_ends_are_unified_and_a_byte_order_mark_goes() {
        assert_eq!(accept("\u{feff}一\r\n二\r三\n".as_bytes()), Ok("一\n二\n三\n".into()));
        assert_eq!(accept(b""), Ok(String::new()));
        assert_eq!(accept("a\tb".as_bytes()), Ok("a\tb".into()));
    }

    #[test]
    fn what_cannot_be_signed_is_refused_with_its_place() {
        for (bytes, expected) in [
            (&b"a\0b"[..], at(FaultKind::Nul, 1, 2)),
            (b"ab\r\nc\xffd", at(FaultKind::NotUtf8, 2, 2)),
            (b"ab\rc\xffd", at(FaultKind::NotUtf8, 2, 2)),
            ("批准\n不\u{202e}得放行".as_bytes(), at(FaultKind::Bidirectional('\u{202e}'), 2, 2)),
            ("\u{2066}x".as_bytes(), at(FaultKind::Bidirectional('\u{2066}'), 1, 1)),
            (b"ok\n\x1b[2J", at(FaultKind::Control('\x1b'), 2, 1)),
            ("\u{85}".as_bytes(), at(FaultKind::Control('\u{85}'), 1, 1)),
        ] {
            assert_eq!(accept(bytes), Err(expected), "{bytes:?}");
        }
    }

    #[test]
    fn one_byte_over_the_limit_is_refused_and_the_limit_itself_is_not() {
        let full = vec![b'x'; TEXT_LIMIT];
        assert!(accept(&full).is_ok());
        let kind = FaultKind::TooLong { limit: TEXT_LIMIT };
        assert_eq!(accept(&[&full[..], b"x"].concat()), Err(at(kind, 1, 1)));
    }

    proptest! {
        #[test]
        fn what_was_accepted_is_accepted_again_unaltered(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(text) = accept(&bytes) {
                prop_assert_eq!(accept(text.as_bytes()).map(|again| again == text.trim_start_matches('\u{feff}') || again == text), Ok(true));
            }
        }
    }
}
