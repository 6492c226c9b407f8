//! What the templates of printing and copies are filled with.

use askama::Template;

use super::api::CopyView;
use super::status::{Mark, Told};
use crate::time::Timestamp;
use crate::web::page::Frame;
use crate::web::parts::{Choice, Look, Sheet, Tag, tag};
use crate::web::words::Words;

/// A language that can be printed.
#[derive(Debug, Clone)]
pub struct Printable {
    pub href: String,
    pub word: String,
}

/// Printing a version.
#[derive(Template)]
#[template(path = "copies/print.html")]
pub struct Print {
    pub frame: Frame,
    pub number: String,
    pub version: String,
    pub title: String,
    pub state: Tag,
    /// What the paper will say of itself.
    pub says: String,
    /// Why nothing can be printed: title and what to do.
    pub blocked: Option<(String, String)>,
    pub printable: Vec<Printable>,
    /// The form for a numbered copy, for who may issue one of this version.
    pub sheet: Option<Sheet>,
    pub langs: Vec<Choice>,
    /// Whether the reader may see the copies.
    pub archive: bool,
}

/// Copies in a list.
#[derive(Template)]
#[template(path = "copies/list.html")]
pub struct List {
    pub frame: Frame,
    /// The document they are of; none for the whole house.
    pub number: Option<String>,
    pub rows: Vec<CopyView>,
    pub all: bool,
    pub next: Option<String>,
}

impl List {
    fn standing(&self, copy: &CopyView) -> Tag {
        standing_tag(self.frame.w, copy.standing)
    }

    fn printable(&self) -> String {
        self.number.as_deref().map(|number| format!("/documents/{number}")).unwrap_or_default()
    }
}

/// The badge of a copy's standing.
pub fn standing_tag(w: Words, code: &str) -> Tag {
    let look = match code {
        "out" => Look::Live,
        "due" | "lost" => Look::Yellow,
        _ => Look::Past,
    };
    tag(look, w.t(&format!("copy-standing-{code}")))
}

/// One copy.
#[derive(Template)]
#[template(path = "copies/one.html")]
pub struct One {
    pub frame: Frame,
    pub copy: CopyView,
    pub standing: Tag,
    pub lang: String,
    /// The form for its end, for who may write it.
    pub sheet: Option<Sheet>,
    pub outcomes: Vec<Choice>,
    /// Whether its paper can be printed now.
    pub prints: bool,
}

/// What a QR code leads to.
#[derive(Template)]
#[template(path = "copies/status.html")]
pub struct Status {
    pub frame: Frame,
    /// What the paper is of; none where no paper of ours has this code.
    pub told: Option<Told>,
    /// Whether the paper may be followed.
    pub mark: Mark,
    pub says: String,
    pub at: Timestamp,
}
