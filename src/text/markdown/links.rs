//! Where a link of the text may lead.

/// An address a link may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address<'a> {
    pub(super) href: &'a str,
    /// It leaves this service.
    pub(super) is_external: bool,
}

/// `http`, `https`, `mailto`, a path of this service or a place on the page; none for any other address.
///
/// Browsers drop tabs and line ends inside an address, read `\` as `/`, and ignore case and leading controls:
/// an address with such characters is refused rather than guessed.
pub(super) fn address(dest: &str) -> Option<Address<'_>> {
    let is_odd = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
    if dest.is_empty() || dest.contains(is_odd) {
        return None;
    }
    let before_path = &dest[..dest.find(['/', '?', '#']).unwrap_or(dest.len())];
    let Some((scheme, _)) = before_path.split_once(':') else {
        // "//host" would leave the service under the page's own scheme.
        return (!dest.starts_with("//")).then_some(Address { href: dest, is_external: false });
    };
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    if is_web && dest[scheme.len()..].starts_with("://") {
        return Some(Address { href: dest, is_external: true });
    }
    scheme.eq_ignore_ascii_case("mailto").then_some(Address { href: dest, is_external: false })
}

/// A document number as `[[…]]` may carry it: capitals, digits and hyphens, with a digit and a hyphen.
pub(super) fn is_document_number(text: &str) -> bool {
    (3..=40).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-' || b == b'.')
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.contains('-')
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_mail_and_own_addresses_are_links() {
        for (dest, allowed) in [
            ("https://www.nmpa.gov.cn/x?y#z", Some(true)),
            ("HTTP://a.cn", Some(true)),
            ("mailto:qa@example.cn", Some(false)),
            ("/documents/SOP-QA-001", Some(false)),
            ("SOP-QA-001", Some(false)),
            ("#c4", Some(false)),
            ("?lang=en", Some(false)),
            ("/a:b", Some(false)),
            ("javascript:alert(1)", None),
            ("JaVaScRiPt:alert(1)", None),
            ("java\tscript:alert(1)", None),
            (" javascript:alert(1)", None),
            ("\u{1}javascript:alert(1)", None),
            ("data:text/html,<script>", None),
            ("vbscript:x", None),
            ("file:///etc/passwd", None),
            ("//evil.example", None),
            ("/\\evil.example", None),
            ("\\\\evil.example", None),
            ("http:evil", None),
            ("", None),
        ] {
            assert_eq!(address(dest).map(|a| a.is_external), allowed, "{dest:?}");
        }
    }

    #[test]
    fn document_numbers_are_told_from_other_words_in_brackets() {
        for (text, is) in [
            ("SOP-QA-001", true),
            ("WI-WH-006", true),
            ("sop-qa-1", false),
            ("SOP", false),
            ("A-", false),
            ("SOP-QA-001\"x", false),
        ] {
            assert_eq!(is_document_number(text), is, "{text}");
        }
    }
}
