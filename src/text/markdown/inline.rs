//! The parts inside a line: text with its quantities, links, references, pictures.

use pulldown_cmark::LinkType;

use super::links::{Address, address, is_document_number};
use super::{RefTarget, RenderContext};
use crate::text::escape::{escape_into, escaped};
use crate::text::quantity::quantity;

/// Appends text; a number with an attached unit (`2–8℃`) is kept on one line.
pub(super) fn text_into(out: &mut String, text: &str) {
    pieces(text, |piece, kept| {
        if kept {
            out.push_str("<span class=\"nb\">");
            escape_into(out, piece);
            out.push_str("</span>");
        } else {
            escape_into(out, piece);
        }
    });
}

/// Hands over a text piece by piece, with whether a line may not break inside the piece.
pub(super) fn pieces(text: &str, mut take: impl FnMut(&str, bool)) {
    let mut rest = text;
    let mut plain = 0;
    let mut after_word = false;
    while let Some(at) = rest[plain..].find(|c: char| c.is_ascii_digit()).map(|at| at + plain) {
        let (before, from) = rest.split_at(at);
        let follows_word = before[plain..]
            .chars()
            .next_back()
            .map_or(after_word, |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '#'));
        let Some(found) = quantity(from) else { break };
        let (whole, after) = from.split_at(found.len);
        after_word = true;
        if found.unit_is_attached && !follows_word && !whole.ends_with(is_counted) {
            if !before.is_empty() {
                take(before, false);
            }
            take(whole, true);
            (rest, plain) = (after, 0);
        } else {
            plain = at + found.len;
        }
    }
    if !rest.is_empty() {
        take(rest, false);
    }
}

/// Chinese units of counting and time; lines may break before and after any Han character anyway.
fn is_counted(c: char) -> bool {
    c >= '\u{2e80}' && !matches!(c, '℃' | '℉' | '％')
}

/// What to write before and after the words of a link.
pub(super) struct LinkMarks {
    pub(super) before: String,
    pub(super) after: String,
}

/// A link of the text, or its words followed by an address that no link may have.
pub(super) fn link(kind: LinkType, dest: &str) -> LinkMarks {
    let dest = if kind == LinkType::Email && !dest.contains(':') {
        format!("mailto:{dest}")
    } else {
        dest.to_owned()
    };
    let (before, after) = match address(&dest) {
        Some(Address { href, is_external }) => {
            let rel = if is_external { " rel=\"noreferrer noopener\"" } else { "" };
            (format!("<a href=\"{}\"{rel}>", escaped(href)), "</a>".to_owned())
        }
        // An autolink's words are its address.
        None if matches!(kind, LinkType::Autolink | LinkType::Email) => Default::default(),
        None => (String::new(), format!(" (<code>{}</code>)", escaped(&dest))),
    };
    LinkMarks { before, after }
}

/// `[[number]]`, and the number where it is one.
pub(super) fn reference<'t>(target: &'t str, context: &RenderContext<'_>) -> (LinkMarks, Option<&'t str>) {
    let number = target.trim();
    if !is_document_number(number) {
        let marks = LinkMarks { before: "[[".to_owned(), after: "]]".to_owned() };
        return (marks, None);
    }
    let tag = |word: &str| format!(" <span class=\"tag\">{}</span>", escaped(word));
    let (before, after) = match (context.resolve)(number) {
        RefTarget::InForce { href, title } => (
            format!("<a class=\"ref\" href=\"{}\" title=\"{}\">", escaped(&href), escaped(&title)),
            "</a>".to_owned(),
        ),
        RefTarget::Known { href } => (
            format!("<a class=\"ref\" href=\"{}\">", escaped(&href)),
            format!("</a>{}", tag(context.labels.not_in_force)),
        ),
        RefTarget::Unknown => (
            "<span class=\"ref mono\">".to_owned(),
            format!("</span>{}", tag(context.labels.unknown_document)),
        ),
    };
    (LinkMarks { before, after }, Some(number))
}

/// A picture, which is named and not loaded.
pub(super) fn image_into(out: &mut String, (alt, dest): (&str, &str), context: &RenderContext<'_>) {
    out.push_str("<span class=\"image\">");
    escape_into(out, context.labels.image_not_loaded);
    out.push_str(": ");
    if !alt.trim().is_empty() {
        escape_into(out, alt.trim());
        out.push(' ');
    }
    out.push_str("<code>");
    // A picture inside the text can be megabytes of address.
    let shown: String = dest.chars().take(200).collect();
    escape_into(out, &shown);
    if shown.len() < dest.len() {
        out.push('…');
    }
    out.push_str("</code></span>");
}

/// The only raw HTML with a meaning here: a line break, which cells of tables have no other way to write.
pub(super) fn is_line_break(html: &str) -> bool {
    let html = html.trim().to_ascii_lowercase();
    matches!(html.as_str(), "<br>" | "<br/>" | "<br />")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_stay_on_one_line_and_numbers_of_documents_are_left_alone() {
        for (text, html) in [
            ("储存于 2–8℃。", "储存于 <span class=\"nb\">2–8℃</span>。"),
            ("60% <75mg", "<span class=\"nb\">60%</span> &lt;<span class=\"nb\">75mg</span>"),
            ("15 分钟 30分钟 3 月", "15 分钟 30分钟 3 月"),
            ("SOP-QA-014 A4m 3.2 节", "SOP-QA-014 A4m 3.2 节"),
        ] {
            let mut out = String::new();
            text_into(&mut out, text);
            assert_eq!(out, html);
        }
    }
}
