//! A rendition as it is read: Markdown made HTML, references led to what is in force, words in the text's language.
//!
//! Asking the database and drawing are two steps, so that no connection is held while diagrams are drawn.

use std::collections::HashMap;

use super::intake::references;
use super::record::Tongues;
use super::store;
use super::timeline::Timeline;
use crate::error::Result;
use crate::store::Db;
use crate::text::markdown::tree::{Tree, tree};
use crate::text::markdown::{self, Labels, Numbered, RefTarget, RenderContext, Rendered};
use crate::text::mermaid::{DiagramFault, DiagramFaultKind};
use crate::time::Timestamp;
use crate::web::words::{Lang, Words};

/// A text and what its references lead to.
#[derive(Debug, Clone)]
pub struct Prose {
    /// The words.
    pub words: String,
    /// BCP 47 tag.
    pub lang: String,
    targets: HashMap<String, RefTarget>,
}

/// Looks up what a text refers to, at an instant.
///
/// # Errors
/// The database does not answer.
pub fn prose(db: &mut Db, (words, lang): (String, &str), at: Timestamp) -> Result<Prose> {
    let mut targets = HashMap::new();
    for number in references(&words) {
        let target = target(db, &number, (lang, at))?;
        targets.insert(number, target);
    }
    Ok(Prose { words, lang: lang.to_owned(), targets })
}

fn target(db: &mut Db, number: &str, (lang, at): (&str, Timestamp)) -> Result<RefTarget> {
    let Some(document) = store::find(db, number)? else { return Ok(RefTarget::Unknown) };
    let href = format!("/documents/{number}");
    let versions = store::versions(db, number)?;
    match Timeline::new(&versions, document.retired_from).in_force(at) {
        Some(version) => {
            let title = in_tongue(&version.carried()?.title, lang, &document.authoritative_language);
            Ok(RefTarget::InForce { href, title })
        }
        None => Ok(RefTarget::Known { href }),
    }
}

/// A text in the wanted language, else in the authoritative one, else in any.
pub fn in_tongue(texts: &Tongues, wanted: &str, authoritative: &str) -> String {
    let found = texts.get(wanted).or_else(|| texts.get(authoritative)).or_else(|| texts.values().next());
    found.cloned().unwrap_or_default()
}

impl Prose {
    /// The HTML; `ids` is what every id begins with.
    pub fn render(&self, ids: &str) -> Rendered {
        self.in_context(ids, |context| markdown::render(&self.words, context))
    }

    /// The text as data, for the press; `style` is what diagrams are drawn with.
    pub fn tree(&self, style: &str) -> Tree {
        self.in_context("", |context| tree(&self.words, context, style))
    }

    fn in_context<T>(&self, ids: &str, read: impl FnOnce(&RenderContext<'_>) -> T) -> T {
        let words = Words::of(Lang::of_tag(&self.lang).unwrap_or_default());
        let texts = Texts::of(words);
        let resolve = |number: &str| self.targets.get(number).cloned().unwrap_or(RefTarget::Unknown);
        let numbered = |what, n| numbered(words, what, n);
        let diagram_fault = |fault: &DiagramFault| diagram_fault(words, fault);
        let labels = Labels {
            numbered: &numbered,
            diagram_fault: &diagram_fault,
            diagram: &texts.diagram,
            image_not_loaded: &texts.image_not_loaded,
            done: &texts.done,
            not_done: &texts.not_done,
            not_in_force: &texts.not_in_force,
            unknown_document: &texts.unknown_document,
            footnotes: &texts.footnotes,
        };
        read(&RenderContext { ids, resolve: &resolve, labels })
    }
}

struct Texts {
    diagram: String,
    image_not_loaded: String,
    done: String,
    not_done: String,
    not_in_force: String,
    unknown_document: String,
    footnotes: String,
}

impl Texts {
    fn of(w: Words) -> Self {
        Self {
            diagram: w.t("documents-prose-diagram").into_owned(),
            image_not_loaded: w.t("documents-prose-image").into_owned(),
            done: w.t("documents-prose-done").into_owned(),
            not_done: w.t("documents-prose-not-done").into_owned(),
            not_in_force: w.t("documents-prose-not-in-force").into_owned(),
            unknown_document: w.t("documents-prose-unknown").into_owned(),
            footnotes: w.t("documents-prose-footnotes").into_owned(),
        }
    }
}

fn numbered(w: Words, what: Numbered, n: usize) -> String {
    let n = n.to_string();
    match what {
        Numbered::Table => w.one("documents-prose-table", "n", n),
        Numbered::Figure => w.one("documents-prose-figure", "n", n),
        Numbered::Code => w.one("documents-prose-code", "n", n),
        Numbered::Footnote => w.one("documents-prose-footnote", "n", n),
        Numbered::FootnoteBack => w.one("documents-prose-footnote-back", "n", n),
    }
    .into_owned()
}

fn diagram_fault(w: Words, fault: &DiagramFault) -> String {
    let line = fault.line.map(|line| line.to_string()).unwrap_or_default();
    match fault.kind {
        DiagramFaultKind::TooLarge => w.t("documents-prose-diagram-too-large"),
        DiagramFaultKind::UnknownKind => w.t("documents-prose-diagram-unknown"),
        DiagramFaultKind::Broken if !line.is_empty() => {
            w.one("documents-prose-diagram-broken-at", "line", line)
        }
        DiagramFaultKind::Broken => w.t("documents-prose-diagram-broken"),
        DiagramFaultKind::TooSlow => w.t("documents-prose-diagram-too-slow"),
        DiagramFaultKind::Failed => w.t("documents-prose-diagram-failed"),
    }
    .into_owned()
}
