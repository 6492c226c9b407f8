//! Markdown becomes the HTML of a reading page, the same each time, and harmless whoever wrote it.
//!
//! No markup of the author's gets through: raw HTML is shown as the text it is, links lead only where
//! `links` allows, pictures are named but not loaded (a controlled document must read the same offline and
//! in ten years), and no style or script is ever written. Headings are shifted below the page's own `h1`
//! without gaps and get stable ids; `[[SOP-QA-001]]` becomes what the caller makes of that number.

mod footnotes;
mod grower;
mod inline;
mod links;
pub mod tree;
mod writer;

use pulldown_cmark::{Options, Parser};

use crate::text::mermaid::DiagramFault;

/// What a reference in the text leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefTarget {
    /// A document with a version in force.
    InForce {
        /// Address of the document.
        href: String,
        /// Its title, shown as a hint.
        title: String,
    },
    /// A document without a version in force now.
    Known {
        /// Address of the document.
        href: String,
    },
    /// No document has this number.
    Unknown,
}

/// Something on the page that has a number, from 1 per page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbered {
    /// Scroll region of a table.
    Table,
    /// Scroll region of a picture.
    Figure,
    /// Scroll region of a code block.
    Code,
    /// Link to a footnote.
    Footnote,
    /// Link from a footnote back to the text.
    FootnoteBack,
}

/// The words that HTML needs beyond the text, in the rendition's language.
#[derive(Clone, Copy)]
pub struct Labels<'a> {
    /// "Table 3", "back from footnote 2": unique names for regions and links.
    pub numbered: &'a dyn Fn(Numbered, usize) -> String,
    /// Why a diagram is not shown, with its line.
    pub diagram_fault: &'a dyn Fn(&DiagramFault) -> String,
    /// What a screen reader calls a drawn diagram; its own words follow.
    pub diagram: &'a str,
    /// Before the description of a picture that is not loaded.
    pub image_not_loaded: &'a str,
    /// Before a ticked item.
    pub done: &'a str,
    /// Before an item not ticked.
    pub not_done: &'a str,
    /// Beside a reference to a document not in force.
    pub not_in_force: &'a str,
    /// Beside a reference to a number no document has.
    pub unknown_document: &'a str,
    /// Name of the section of footnotes.
    pub footnotes: &'a str,
}

/// What rendering needs to know beyond the source.
#[derive(Clone, Copy)]
pub struct RenderContext<'a> {
    /// What every id begins with; `c` on a reading page, another for a second text on the same page.
    pub ids: &'a str,
    /// What a document number leads to.
    pub resolve: &'a dyn Fn(&str) -> RefTarget,
    /// The words.
    pub labels: Labels<'a>,
}

/// A heading of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// The level as written in the page, 2 to 6.
    pub level: u8,
    /// Its id, `c4-1`.
    pub id: String,
    /// Its words without markup.
    pub text: String,
}

/// A text ready for the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// HTML for inside an `article.prose`.
    pub html: String,
    /// The headings in order.
    pub outline: Vec<Heading>,
    /// Document numbers referred to, each once, in order of appearance.
    pub references: Vec<String>,
}

/// Renders a text that [`crate::text::accept::accept`] took; others come out harmless as well.
#[must_use]
pub fn render(source: &str, context: &RenderContext<'_>) -> Rendered {
    writer::Writer::new(*context).write(events(source))
}

/// The one way this house reads Markdown.
pub(crate) fn events(source: &str) -> Parser<'_> {
    Parser::new_ext(
        source,
        Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_WIKILINKS,
    )
}

#[cfg(test)]
mod tests;
