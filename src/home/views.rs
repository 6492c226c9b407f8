//! What the templates of `/` and `/now` are filled with.

use askama::Template;

use super::now::Found;
use super::tasks::Heap;
use crate::health::Report;
use crate::web::page::Frame;
use crate::web::parts::{Look, Tag, tag};

/// The look-up.
#[derive(Template)]
#[template(path = "home/now.html")]
pub struct Now {
    pub frame: Frame,
    pub q: String,
    pub found: Found,
    /// Whom to ask where nothing is found; empty where nobody is set.
    pub on_call: String,
}

impl Now {
    fn hits(&self) -> i64 {
        i64::try_from(self.found.hits.len()).unwrap_or(i64::MAX)
    }

    fn is_blank(&self) -> bool {
        let Found { recalls, records, hits, .. } = &self.found;
        recalls.is_empty() && records.is_empty() && hits.is_empty()
    }
}

/// A place to go on to.
pub struct Place {
    pub href: &'static str,
    pub word: &'static str,
}

/// The first page.
#[derive(Template)]
#[template(path = "home/home.html")]
pub struct Home {
    pub frame: Frame,
    pub heaps: Vec<Heap>,
    pub places: Vec<Place>,
    /// How the node is, for administrators.
    pub health: Option<Report>,
    pub has_roles: bool,
    /// Another system's account: pages are not for it.
    pub is_system: bool,
}

impl Home {
    fn waiting(&self) -> impl Iterator<Item = &Heap> {
        self.heaps.iter().filter(|heap| !heap.tasks.is_empty())
    }

    /// The headings under which nothing waits, as one phrase.
    fn idle(&self) -> Option<String> {
        let w = self.frame.w;
        let empty = self.heaps.iter().filter(|heap| heap.tasks.is_empty());
        let names: Vec<_> = empty.map(|heap| w.t(heap.heading)).collect();
        (!names.is_empty()).then(|| names.join(&w.t("home-nothing-between")))
    }

    fn is_late(&self, due: &crate::time::Timestamp) -> bool {
        *due < self.frame.now
    }

    fn late(&self) -> Tag {
        tag(Look::Yellow, self.frame.w.t("home-late"))
    }
}
