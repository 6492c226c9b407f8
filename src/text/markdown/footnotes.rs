//! Footnotes: numbered as the text refers to them, written below it, with a way back.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::{Numbered, RenderContext};
use crate::text::escape::escaped;

#[derive(Default)]
struct Footnote {
    references: usize,
    html: String,
}

/// All footnotes of a text, in order of their first mention.
#[derive(Default)]
pub(super) struct Footnotes {
    notes: Vec<Footnote>,
    places: HashMap<String, usize>,
}

impl Footnotes {
    /// The mark in the text that leads to a footnote.
    pub(super) fn mark(&mut self, name: &str, context: &RenderContext<'_>) -> String {
        let at = self.position(name);
        self.notes[at].references += 1;
        let (number, time) = (at + 1, self.notes[at].references);
        let ids = escaped(context.ids);
        let label = escaped(&(context.labels.numbered)(Numbered::Footnote, number));
        format!(
            "<sup><a id=\"{ids}fr{number}-{time}\" href=\"#{ids}fn{number}\" role=\"doc-noteref\" aria-label=\"{label}\">[{number}]</a></sup>"
        )
    }

    /// Keeps the text of a footnote; a name defined twice keeps both texts.
    pub(super) fn define(&mut self, name: &str, html: &str) {
        let at = self.position(name);
        self.notes[at].html.push_str(html);
    }

    /// The section below the text; nothing without footnotes.
    pub(super) fn section(&self, context: &RenderContext<'_>) -> String {
        if self.notes.is_empty() {
            return String::new();
        }
        let ids = escaped(context.ids);
        let mut out = format!(
            "<section class=\"footnotes\" role=\"doc-endnotes\" aria-label=\"{}\"><hr>\n<ol>\n",
            escaped(context.labels.footnotes)
        );
        for (at, footnote) in self.notes.iter().enumerate() {
            let number = at + 1;
            let back = match footnote.references {
                0 => String::new(),
                _ => format!(
                    " <a href=\"#{ids}fr{number}-1\" role=\"doc-backlink\" aria-label=\"{}\">↩</a>",
                    escaped(&(context.labels.numbered)(Numbered::FootnoteBack, number))
                ),
            };
            // The way back stands on the last line of the note.
            let _ = match footnote.html.strip_suffix("</p>\n") {
                Some(html) => write!(out, "<li id=\"{ids}fn{number}\">{html}{back}</p>"),
                None => write!(out, "<li id=\"{ids}fn{number}\">{}{back}", footnote.html),
            };
            out.push_str("</li>\n");
        }
        out.push_str("</ol></section>\n");
        out
    }

    fn position(&mut self, name: &str) -> usize {
        let next = self.notes.len();
        let at = *self.places.entry(name.to_owned()).or_insert(next);
        if at == next {
            self.notes.push(Footnote::default());
        }
        at
    }
}
