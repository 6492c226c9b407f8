//! Which encoding a file is in, when it is not UTF-8: the sender is told the name, nothing is guessed into records.

use crate::error::{Error, Kind, Result};

/// The text of a file in UTF-8, its byte order mark dropped.
///
/// # Errors
/// 400 naming the encoding it looks like; 400 for NUL.
pub(super) fn utf8(bytes: &[u8]) -> Result<&str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let refused =
        |encoding: &str| Err(Error::new(Kind::Malformed, "import-encoding").arg("encoding", encoding));
    match std::str::from_utf8(bytes) {
        _ if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") => refused("UTF-16"),
        Ok(text) if text.contains('\0') => Err(Error::new(Kind::Malformed, "nul")),
        Ok(text) => Ok(text),
        Err(_) if is_gb18030(bytes) => refused("GB18030"),
        Err(_) => refused("?"),
    }
}

/// Whether every character beyond ASCII has the form of GB18030: two bytes, or four.
fn is_gb18030(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        rest = match (first, after) {
            (0x00..=0x7f, _) => after,
            (0x81..=0xfe, [0x40..=0x7e | 0x80..=0xfe, after @ ..]) => after,
            (0x81..=0xfe, [0x30..=0x39, 0x81..=0xfe, 0x30..=0x39, after @ ..]) => after,
            _ => return false,
        };
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_utf8_is_refused_by_the_name_of_its_encoding() {
        let gb18030 = b"order,name\n1,\xd2\xc8\xb5\xba\xcb\xd8\n";
        let utf16 = b"\xff\xfeo\0r\0d\0e\0r\0";
        let latin1 = b"order,name\n1,Caf\xe9\n";
        for (bytes, encoding) in [(&gb18030[..], "GB18030"), (utf16, "UTF-16"), (latin1, "?")] {
            let error = utf8(bytes).unwrap_err();
            assert_eq!((error.kind(), error.code()), (Kind::Malformed, "import-encoding"));
            assert_eq!(error.args(), [("encoding", encoding.to_owned())]);
        }
        assert_eq!(utf8(b"order\0").unwrap_err().code(), "nul");
    }

    #[test]
    fn a_byte_order_mark_is_dropped() {
        assert_eq!(utf8("\u{feff}order,胰岛素".as_bytes()).unwrap(), "order,胰岛素");
    }
}
