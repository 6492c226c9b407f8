//! As much of DER as a time stamp takes: reading tag by tag, and writing a request.
//!
//! Lengths are definite and of at most four bytes; what is longer, indefinite or cut off does not read. Nothing here
//! trusts what it reads: signatures are checked elsewhere.

/// The tag of true and false; this and the others as X.690 numbers them.
pub const BOOLEAN: u8 = 0x01;
/// A whole number.
pub const INTEGER: u8 = 0x02;
/// Bytes.
pub const OCTET_STRING: u8 = 0x04;
/// Nothing.
pub const NULL: u8 = 0x05;
/// An object identifier.
pub const OID: u8 = 0x06;
/// An instant.
pub const GENERALIZED_TIME: u8 = 0x18;
/// Elements in their order.
pub const SEQUENCE: u8 = 0x30;
/// Elements in any order.
pub const SET: u8 = 0x31;
/// The context's own tag 0, constructed.
pub const CONTEXT_0: u8 = 0xa0;

/// What is left to read.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element's tag.
    pub fn tag(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next element: its content, and its bytes from the tag on.
    pub fn element(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        let first = usize::from(*self.0.get(1)?);
        let (length, head) = match first {
            0..=0x7f => (first, 2),
            0x81..=0x84 => {
                let digits = self.0.get(2..2 + (first - 0x80))?;
                let length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
                (length, 2 + digits.len())
            }
            _ => return None,
        };
        let whole = self.0.get(..head.checked_add(length)?)?;
        self.0 = &self.0[whole.len()..];
        Some((&whole[head..], whole))
    }

    /// The content of the next element, where it has this tag.
    pub fn content(&mut self, tag: u8) -> Option<&'a [u8]> {
        if self.tag()? != tag {
            return None;
        }
        Some(self.element()?.0)
    }

    /// A reader of the next element's content, where it has this tag.
    pub fn inside(&mut self, tag: u8) -> Option<Self> {
        self.content(tag).map(Self)
    }

    /// The next element's bytes from the tag on, where it has this tag.
    pub fn whole(&mut self, tag: u8) -> Option<&'a [u8]> {
        if self.tag()? != tag {
            return None;
        }
        Some(self.element()?.1)
    }
}

/// An element of this tag.
pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => bytes.push(short),
        _ => {
            let length = content.len().to_be_bytes();
            let digits = &length[length.iter().take_while(|digit| **digit == 0).count()..];
            bytes.push(0x80 | u8::try_from(digits.len()).unwrap_or(8));
            bytes.extend_from_slice(digits);
        }
    }
    bytes.extend_from_slice(content);
    bytes
}

/// A positive integer of these digits, base 256.
pub fn positive(digits: &[u8]) -> Vec<u8> {
    let zeros = digits.iter().take_while(|digit| **digit == 0).count();
    let digits = digits.get(zeros..).filter(|rest| !rest.is_empty()).unwrap_or(&[0]);
    let mut content = Vec::with_capacity(digits.len() + 1);
    if digits[0] & 0x80 != 0 {
        content.push(0);
    }
    content.extend_from_slice(digits);
    element(INTEGER, &content)
}

/// An object identifier written with dots, as its content bytes; none for text that is no identifier.
pub fn oid(dotted: &str) -> Option<Vec<u8>> {
    let arcs: Vec<u64> = dotted.split('.').map(|arc| arc.parse().ok()).collect::<Option<_>>()?;
    let [first, second, rest @ ..] = arcs.as_slice() else { return None };
    if *first > 2 || (*first < 2 && *second > 39) {
        return None;
    }
    let mut content = Vec::new();
    for arc in std::iter::once(first.checked_mul(40)?.checked_add(*second)?).chain(rest.iter().copied()) {
        let mut groups = vec![(arc & 0x7f) as u8];
        let mut left = arc >> 7;
        while left > 0 {
            groups.push((left & 0x7f) as u8 | 0x80);
            left >>= 7;
        }
        content.extend(groups.iter().rev());
    }
    Some(content)
}

/// An object identifier's content bytes, written with dots.
pub fn dotted(content: &[u8]) -> Option<String> {
    let mut arcs = Vec::new();
    let mut arc: u64 = 0;
    for byte in content {
        if arc >> 57 != 0 {
            return None;
        }
        arc = arc << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            arcs.push(arc);
            arc = 0;
        }
    }
    if content.last()? & 0x80 != 0 {
        return None;
    }
    let first = (arcs[0] / 40).min(2);
    arcs[0] -= first * 40;
    let rest = arcs.iter().map(|arc| format!(".{arc}")).collect::<String>();
    Some(format!("{first}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_written_and_read_back() {
        for text in ["2.16.840.1.101.3.4.2.1", "1.2.840.113549.1.9.16.1.4", "0.4.0.2023.1.1", "2.999.3"] {
            assert_eq!(dotted(&oid(text).unwrap()).as_deref(), Some(text));
        }
        for text in ["", "1", "3.1", "1.40", "1.x", "1..2"] {
            assert_eq!(oid(text), None, "{text}");
        }
        assert_eq!(dotted(&[0x80]), None);
        assert_eq!(dotted(&[]), None);
    }

    #[test]
    fn what_is_cut_off_or_of_indefinite_length_does_not_read() {
        let whole = element(SEQUENCE, &[7; 300]);
        for cut in 0..whole.len() {
            assert!(Reader::new(&whole[..cut]).element().is_none(), "{cut}");
        }
        assert_eq!(Reader::new(&whole).content(SEQUENCE), Some([7; 300].as_slice()));
        assert!(Reader::new(&[0x30, 0x80, 0, 0]).element().is_none());
        assert!(Reader::new(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]).element().is_none());
    }

    #[test]
    fn integers_are_shortest_and_positive() {
        assert_eq!(positive(&[0, 0, 5]), [2, 1, 5]);
        assert_eq!(positive(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(positive(&[]), [2, 1, 0]);
    }
}
