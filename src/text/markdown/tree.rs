//! From Markdown's events to plain data for a typesetter: the page's reading of the text, its links and its words, but
//! no markup at all. Whatever the author wrote arrives as strings, and no string is ever read as markup again.

use pulldown_cmark::TextMergeStream;
use serde::Serialize;

use super::RenderContext;
use super::grower::Grower;

/// Words of one look.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Run {
    /// The words.
    pub text: String,
    /// Strong.
    #[serde(skip_serializing_if = "is_false")]
    pub strong: bool,
    /// Emphasised.
    #[serde(skip_serializing_if = "is_false")]
    pub em: bool,
    /// Struck out.
    #[serde(skip_serializing_if = "is_false")]
    pub strike: bool,
    /// Code.
    #[serde(skip_serializing_if = "is_false")]
    pub code: bool,
    /// Raised, as the mark of a footnote.
    #[serde(skip_serializing_if = "is_false")]
    pub raised: bool,
    /// Not to be broken over two lines.
    #[serde(skip_serializing_if = "is_false")]
    pub kept: bool,
    /// In small letters: what this program adds.
    #[serde(skip_serializing_if = "is_false")]
    pub small: bool,
    /// A line ends here; there are no words.
    #[serde(skip_serializing_if = "is_false")]
    pub end: bool,
    /// Where the words lead: `http`, `https`, `mailto`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// A part of the text.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum Block {
    /// A heading, from 1.
    Heading {
        /// Below the title, without gaps.
        level: usize,
        /// Its words.
        words: Vec<Run>,
    },
    /// A paragraph.
    Paragraph {
        /// Its words.
        words: Vec<Run>,
    },
    /// A list.
    List {
        /// The first number; none for bullets.
        #[serde(skip_serializing_if = "Option::is_none")]
        start: Option<u64>,
        /// Its items.
        items: Vec<Item>,
    },
    /// A quotation.
    Quote {
        /// What is quoted.
        blocks: Vec<Block>,
    },
    /// Code, or the source of a diagram that was not drawn.
    Code {
        /// As it was written.
        text: String,
    },
    /// A table.
    Table {
        /// How each column stands: `left`, `center`, `right`.
        aligned: Vec<&'static str>,
        /// How wide each column wants to be.
        widths: Vec<usize>,
        /// The heads.
        head: Vec<Vec<Run>>,
        /// The rows.
        rows: Vec<Vec<Vec<Run>>>,
    },
    /// A line across.
    Rule,
    /// A drawn diagram.
    Figure {
        /// A whole SVG document.
        svg: String,
        /// Width and height, in its own units.
        size: (f64, f64),
        /// Its number in words.
        caption: String,
        /// What is said of it to those who do not see it.
        spoken: String,
    },
    /// Why something is not shown.
    Notice {
        /// In the text's language.
        text: String,
    },
}

/// An item of a list.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Item {
    /// Ticked or not; none where there is nothing to tick.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done: Option<bool>,
    /// What stands in it.
    pub blocks: Vec<Block>,
}

/// A text as data.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Tree {
    /// The text.
    pub blocks: Vec<Block>,
    /// Its footnotes, in order of their first mention.
    pub notes: Vec<Vec<Block>>,
}

/// Reads a text as data. `style` is the style sheet that a diagram is drawn with.
#[must_use]
pub fn tree(source: &str, context: &RenderContext<'_>, style: &str) -> Tree {
    let mut grower = Grower::new(*context, style);
    for event in TextMergeStream::new(super::events(source)) {
        grower.event(event);
    }
    grower.finish()
}
