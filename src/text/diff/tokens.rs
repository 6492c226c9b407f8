//! The smallest parts of a line that a comparison marks.

use crate::text::quantity::quantity;

/// Cuts a line into Han characters, words, quantities, runs of blanks and single marks; together they are the line.
pub(super) fn tokens(line: &str) -> Vec<&str> {
    let mut tokens = Vec::with_capacity(line.len() / 3 + 1);
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let len = match first {
            c if c.is_ascii_digit() => quantity(rest).map_or(1, |quantity| quantity.len),
            c if is_han(c) => c.len_utf8(),
            c if c.is_alphanumeric() => run(rest, |c| c.is_alphanumeric() && !is_han(c)),
            c if c.is_whitespace() => run(rest, char::is_whitespace),
            c => c.len_utf8(),
        };
        let len = len + run(&rest[len..], belongs_to_the_character_before);
        tokens.push(&rest[..len]);
        rest = &rest[len..];
    }
    tokens
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// Scripts written without blanks between words: Han, kana, bopomofo, hangul.
pub(crate) fn is_han(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3040}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Combining marks, variation selectors and the joiner.
fn belongs_to_the_character_before(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{200d}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_falls_into_characters_words_and_quantities() {
        assert_eq!(
            tokens("应在 2–10℃，30 分钟内 by SAP-CS（café）"),
            [
                "应",
                "在",
                " ",
                "2–10℃",
                "，",
                "30 分钟",
                "内",
                " ",
                "by",
                " ",
                "SAP",
                "-",
                "CS",
                "（",
                "café",
                "）"
            ]
        );
        assert_eq!(tokens(""), Vec::<&str>::new());
    }
}
