//! What the templates of packs show.

use askama::Template;

use super::record::Pack;
use crate::web::page::Frame;
use crate::web::parts::{Choice, EntryLink, Sheet};

/// A row of the list.
pub struct Line {
    pub pack: Pack,
    /// Who made it, by printed name.
    pub by: String,
    /// The entry that says so.
    pub entry: Option<EntryLink>,
    /// Whether the reader may fetch it and this node still has it.
    pub there: bool,
}

/// `/packs`.
#[derive(Template)]
#[template(path = "packs/list.html")]
pub struct ListPage {
    pub frame: Frame,
    pub sheet: Sheet,
    pub may_take: bool,
    pub ticks: [Vec<Choice>; 3],
    /// Why no PDF can be made here; none where it can.
    pub no_prints: Option<&'static str>,
    pub lines: Vec<Line>,
    pub next: Option<String>,
}

impl ListPage {
    fn scope(&self, line: &Line) -> String {
        let (pack, w) = (&line.pack, self.frame.w);
        match pack.scope.as_str() {
            "range" => {
                let at = |at: Option<crate::time::Timestamp>| {
                    at.map_or("…".to_owned(), |at| self.frame.minute(&at))
                };
                let args = [("from", at(pack.from_at).into()), ("to", at(pack.before_at).into())];
                w.with("pack-scope-range", &args).into_owned()
            }
            "whole" => w.t("pack-scope-whole").into_owned(),
            _ => {
                let named = pack.named();
                match named.as_slice() {
                    [only] => only.clone(),
                    more => w.one("pack-scope-subjects", "n", more.len()).into_owned(),
                }
            }
        }
    }

    /// What is missing for PDF, in words.
    fn why(&self, code: &str) -> String {
        self.frame.w.attr(&format!("problem-{code}"), "detail", &[]).into_owned()
    }
}
