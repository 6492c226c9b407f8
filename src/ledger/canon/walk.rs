//! One pass over a text that accepts exactly the profile's form, without allocating.

use super::{MAX_DEPTH, MAX_INTEGER, MAX_KEY, ProfileError, Rule};

/// Accepts exactly what `to_bytes` can write.
///
/// # Errors
/// The first rule the text breaks, with its place.
pub fn check(bytes: &[u8]) -> Result<(), ProfileError> {
    walk(bytes, &mut Ignore)
}

/// Is told the members of the outermost object and of the objects directly in it, each after its value has
/// passed.
pub(super) trait Sink<'a> {
    /// `parent` is the key of the enclosing member, empty for the outermost object; `raw` the value's own
    /// text.
    fn member(&mut self, parent: &'a str, key: &'a str, raw: &'a str) -> Result<(), Rule>;
}

struct Ignore;

impl<'a> Sink<'a> for Ignore {
    fn member(&mut self, _: &'a str, _: &'a str, _: &'a str) -> Result<(), Rule> {
        Ok(())
    }
}

pub(super) fn walk<'a, S: Sink<'a>>(bytes: &'a [u8], sink: &mut S) -> Result<(), ProfileError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|fault| ProfileError { rule: Rule::Utf8, at: fault.valid_up_to() })?;
    if bytes.first() != Some(&b'{') {
        return Err(ProfileError { rule: Rule::NotAnObject, at: 0 });
    }
    let mut walk = Walk { text, bytes, at: 0 };
    walk.object(1, "", sink)?;
    if walk.at < bytes.len() {
        return walk.fail(Rule::Trailing);
    }
    Ok(())
}

struct Walk<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    fn fail<T>(&self, rule: Rule) -> Result<T, ProfileError> {
        Err(ProfileError { rule, at: self.at })
    }

    /// The next byte; 0, which is no part of any text, at the end.
    #[inline(always)]
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    #[inline(always)]
    fn expect(&mut self, byte: u8) -> Result<(), ProfileError> {
        if self.peek() != byte {
            return self.fail(Rule::Syntax);
        }
        self.at += 1;
        Ok(())
    }

    fn object<S: Sink<'a>>(&mut self, depth: u32, parent: &'a str, sink: &mut S) -> Result<(), ProfileError> {
        if depth > MAX_DEPTH {
            return self.fail(Rule::Depth);
        }
        self.at += 1;
        if self.peek() == b'}' {
            self.at += 1;
            return Ok(());
        }
        let mut last = "";
        loop {
            let key = self.key()?;
            if !ascends(last, key) {
                return self.fail(Rule::KeyOrder);
            }
            last = key;
            self.expect(b':')?;
            let start = self.at;
            match self.peek() {
                b'{' => self.object(depth + 1, key, sink)?,
                _ => self.value(depth, sink)?,
            }
            if depth <= 2 {
                let raw = &self.text[start..self.at];
                sink.member(parent, key, raw).map_err(|rule| ProfileError { rule, at: start })?;
            }
            match self.peek() {
                b',' => self.at += 1,
                b'}' => break,
                _ => return self.fail(Rule::Syntax),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn array<S: Sink<'a>>(&mut self, depth: u32, sink: &mut S) -> Result<(), ProfileError> {
        if depth > MAX_DEPTH {
            return self.fail(Rule::Depth);
        }
        self.at += 1;
        if self.peek() == b']' {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(depth, sink)?;
            match self.peek() {
                b',' => self.at += 1,
                b']' => break,
                _ => return self.fail(Rule::Syntax),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn value<S: Sink<'a>>(&mut self, depth: u32, sink: &mut S) -> Result<(), ProfileError> {
        match self.peek() {
            b'"' => self.string(),
            b'{' => self.object(depth + 1, "", sink),
            b'[' => self.array(depth + 1, sink),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            _ => self.fail(Rule::Syntax),
        }
    }

    #[inline(always)]
    fn literal(&mut self, word: &[u8]) -> Result<(), ProfileError> {
        if !self.bytes[self.at..].starts_with(word) {
            return self.fail(Rule::Syntax);
        }
        self.at += word.len();
        Ok(())
    }

    fn key(&mut self) -> Result<&'a str, ProfileError> {
        self.expect(b'"')?;
        let rest = &self.bytes[self.at..];
        if !self.peek().is_ascii_lowercase() {
            return self.fail(Rule::Key);
        }
        let length = rest.iter().position(|&byte| !IN_KEY[usize::from(byte)]).unwrap_or(rest.len());
        if rest.get(length) != Some(&b'"') || length > MAX_KEY {
            return self.fail(Rule::Key);
        }
        let key = &self.text[self.at..self.at + length];
        self.at += length + 1;
        Ok(key)
    }

    fn number(&mut self) -> Result<(), ProfileError> {
        let negative = self.peek() == b'-';
        self.at += usize::from(negative);
        let start = self.at;
        let mut magnitude: u64 = 0;
        while self.peek().is_ascii_digit() {
            // 17 digits are out of range already and still far from overflow.
            if self.at - start == 17 {
                return self.fail(Rule::Integer);
            }
            magnitude = magnitude * 10 + u64::from(self.peek() - b'0');
            self.at += 1;
        }
        let digits = self.at - start;
        match self.peek() {
            _ if digits == 0 => self.fail(Rule::Syntax),
            b'.' | b'e' | b'E' => self.fail(Rule::Float),
            _ if self.bytes[start] == b'0' && (digits > 1 || negative) => self.fail(Rule::Integer),
            _ if magnitude > MAX_INTEGER => self.fail(Rule::Integer),
            _ => Ok(()),
        }
    }

    fn string(&mut self) -> Result<(), ProfileError> {
        self.at += 1;
        loop {
            self.skip_plain();
            match self.peek() {
                b'"' => break,
                b'\\' => self.escape()?,
                _ if self.at == self.bytes.len() => return self.fail(Rule::Syntax),
                0 => return self.fail(Rule::Nul),
                0x01..=0x1f => return self.fail(Rule::Control),
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Ok(())
    }

    /// Moves to the next quote, backslash or control, eight bytes at a step while eight are left.
    #[inline(always)]
    fn skip_plain(&mut self) {
        let (words, _) = self.bytes[self.at..].as_chunks::<8>();
        let mut plain = 0;
        for word in words {
            let special = special_bytes(u64::from_le_bytes(*word));
            if special != 0 {
                plain += (special.trailing_zeros() / 8) as usize;
                break;
            }
            plain += 8;
        }
        self.at += plain;
    }

    fn escape(&mut self) -> Result<(), ProfileError> {
        let rest = &self.bytes[self.at + 1..];
        self.at += match rest {
            [b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 2,
            [b'u', b'0', b'0', b'0', b'0', ..] => return self.fail(Rule::Nul),
            [b'u', b'0', b'0', b'0', b'1'..=b'7' | b'b' | b'e' | b'f', ..] => 6,
            [b'u', b'0', b'0', b'1', b'0'..=b'9' | b'a'..=b'f', ..] => 6,
            _ => return self.fail(Rule::Escape),
        };
        Ok(())
    }
}

/// Whether the key comes after the last, bytewise. By hand, as keys are too short for a call to pay: it was a
/// third of the pass.
#[inline(always)]
fn ascends(last: &str, key: &str) -> bool {
    for (before, here) in last.bytes().zip(key.bytes()) {
        if before != here {
            return before < here;
        }
    }
    last.len() < key.len()
}

/// The high bit of every byte that is a quote, a backslash or below 0x20. The lowest bit set is exact; those
/// above it may be false (a borrow runs upwards), which does no harm as only the lowest is used.
#[inline(always)]
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let quote = word ^ (ONES * b'"' as u64);
    let slash = word ^ (ONES * b'\\' as u64);
    let quote = quote.wrapping_sub(ONES) & !quote;
    let slash = slash.wrapping_sub(ONES) & !slash;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | slash | control) & (ONES * 0x80)
}

const IN_KEY: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = matches!(byte as u8, b'a'..=b'z' | b'0'..=b'9' | b'_');
        byte += 1;
    }
    table
};
