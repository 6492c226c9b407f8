//! The parts pages are made of, as values that a template writes with `{{ }}`: icons, badges, signatures, the hash
//! line, pagers, and in `sheet` forms with their faults. Their HTML stands in `templates/parts/`.

mod sheet;

use askama::Template;
use askama::filters::HtmlSafe;

use super::assets;
use super::page::Frame;
use super::words::Words;
use crate::time::Timestamp;
pub use sheet::{Choice, Field, Sheet, Summary};

/// An icon of the sprite; always beside a word.
#[derive(Debug, Clone, Copy, Template)]
#[template(path = "parts/icon.html")]
pub struct Icon {
    name: &'static str,
    filled: bool,
}

impl HtmlSafe for Icon {}

/// The icon `name` of `icons.svg`; the three risk shapes (`tri`, `dia`, `dot`) are filled.
pub fn icon(name: &'static str) -> Icon {
    Icon { name, filled: matches!(name, "tri" | "dia" | "dot") }
}

impl Icon {
    fn sprite(&self) -> &'static str {
        assets::url("icons.svg")
    }
}

/// A badge: shape, word and fill.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/tag.html")]
pub struct Tag {
    look: &'static str,
    icon: Option<Icon>,
    word: String,
}

impl HtmlSafe for Tag {}

/// How a badge looks, and so what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Draft, abandoned, cancelled: no meaning but its word.
    Plain,
    /// In review.
    Reading,
    /// To come.
    Next,
    /// In force, or sound.
    Live,
    /// Superseded.
    Past,
    /// Retired.
    Stopped,
    /// The red risk layer, and nothing else.
    Red,
    /// Medium risk; overdue, missing, waiting.
    Yellow,
    /// Low risk.
    Green,
}

/// A badge with a word that is already in the reader's language.
pub fn tag(look: Look, word: impl Into<String>) -> Tag {
    let (class, name) = match look {
        Look::Plain => ("", "pencil"),
        Look::Reading => ("", "eye"),
        Look::Next => (" next", "clock"),
        Look::Live => (" live", "live"),
        Look::Past => (" past", "past"),
        Look::Stopped => (" past", "stop"),
        Look::Red => (" red", "tri"),
        Look::Yellow => (" yel", "dia"),
        Look::Green => (" grn", "dot"),
    };
    Tag { look: class, icon: Some(icon(name)), word: word.into() }
}

/// The badge of a version's state by its code, as contract.md names them.
pub fn state_tag(w: Words, state: &str) -> Tag {
    let look = match state {
        "in_review" => Look::Reading,
        "awaiting" => Look::Next,
        "in_force" => Look::Live,
        "superseded" => Look::Past,
        "retired" => Look::Stopped,
        "cancelled" | "abandoned" => {
            return Tag { look: "", icon: Some(icon("cross")), word: w.t(&format!("state-{state}")).into() };
        }
        _ => Look::Plain,
    };
    tag(look, w.t(&format!("state-{state}")))
}

/// One signature of a list.
#[derive(Debug, Clone)]
pub struct Signature {
    /// Code of the meaning: `authored`, `reviewed`, `approved`, …; `seal-<code>` and `meaning-<code>` are its words.
    pub meaning: String,
    /// The printed name.
    pub name: String,
    /// What stands beside the name: department or role; empty for nothing.
    pub role: String,
    /// What the person wrote with it; empty for nothing.
    pub comment: String,
    /// Where it stands.
    pub standing: Standing,
    /// Digest of what was signed, hex; empty where not yet signed.
    pub hash: String,
    /// The entry that holds it.
    pub entry: Option<EntryLink>,
}

/// An entry of the trail, as links lead to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryLink {
    /// Its number.
    pub seq: i64,
    /// Its epoch, from 1.
    pub epoch: i64,
    /// Whether a recovery has ended that: numbers alone stand for entries of the present one.
    pub is_past: bool,
    /// Its hash, hex.
    pub leaf: String,
}

impl EntryLink {
    /// What its addresses end with.
    pub fn query(&self) -> String {
        if self.is_past { format!("?epoch={}", self.epoch) } else { String::new() }
    }

    /// Where it is read.
    pub fn address(&self) -> String {
        format!("/trail/{}{}", self.seq, self.query())
    }

    /// Where its proof is read.
    pub fn proof(&self) -> String {
        format!("/trail/{}/proof{}", self.seq, self.query())
    }

    /// What it is called.
    pub fn words(&self, w: &Words) -> String {
        let args = [("seq", self.seq.into()), ("epoch", self.epoch.into())];
        w.with(if self.is_past { "parts-entry-past" } else { "parts-entry" }, &args).into_owned()
    }
}

/// Where a signature stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Signed then, and it holds.
    Signed(Timestamp),
    /// Signed then, and it gives force.
    Final(Timestamp),
    /// Not yet signed.
    Open,
    /// Signed then, but what is under it has changed since.
    Broken(Timestamp),
}

impl Signature {
    fn seal(&self) -> String {
        let signed = self.standing.at().is_some();
        format!("seal-{}", if signed { &self.meaning } else { "open" })
    }

    fn words(&self) -> String {
        format!("meaning-{}", self.meaning)
    }
}

impl Standing {
    /// The class of the list's item.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Signed(_) => "",
            Self::Final(_) => " final",
            Self::Open => " open",
            Self::Broken(_) => " broken",
        }
    }

    /// When it was signed.
    pub const fn at(self) -> Option<Timestamp> {
        match self {
            Self::Signed(at) | Self::Final(at) | Self::Broken(at) => Some(at),
            Self::Open => None,
        }
    }
}

/// A list of signatures with their seals.
#[derive(Debug, Template)]
#[template(path = "parts/signatures.html")]
pub struct Signatures<'a> {
    frame: &'a Frame,
    list: &'a [Signature],
}

impl HtmlSafe for Signatures<'_> {}

/// The ledger's line under a record: what was found, the content's digest, the entry.
#[derive(Debug, Template)]
#[template(path = "parts/hashline.html")]
pub struct HashLine<'a> {
    frame: &'a Frame,
    sound: Option<bool>,
    digest: &'a str,
    entry: Option<&'a EntryLink>,
}

impl HtmlSafe for HashLine<'_> {}

/// What leads into the audit trail: a link for whoever may read that, for others the words alone.
#[derive(Debug, Template)]
#[template(
    ext = "html",
    source = r#"{% if opens %}<a href="{{ to }}">{{ words }}</a>{% else %}{{ words }}{% endif %}"#
)]
pub struct IntoTrail {
    opens: bool,
    to: String,
    words: String,
}

impl HtmlSafe for IntoTrail {}

/// The hidden field that every form of a page begins with.
#[derive(Debug, Template)]
#[template(ext = "html", source = r#"<input type="hidden" name="csrf" value="{{ token }}">"#)]
pub struct CsrfField<'a> {
    token: &'a str,
}

impl HtmlSafe for CsrfField<'_> {}

/// The end of a form that narrows a list down: its button, and the way back to the whole list.
#[derive(Debug, Template)]
#[template(path = "parts/narrow.html")]
pub struct Narrow<'a> {
    frame: &'a Frame,
}

impl HtmlSafe for Narrow<'_> {}

/// Where a list goes on; nothing for one that stands here whole.
#[derive(Debug, Template)]
#[template(path = "parts/pager.html")]
pub struct Pager<'a> {
    frame: &'a Frame,
    first: Option<String>,
    next: Option<String>,
}

impl HtmlSafe for Pager<'_> {}

/// How many rows a list has, and as of when: what the caption of every list ends with.
#[derive(Debug, Template)]
#[template(path = "parts/tally.html")]
pub struct Tally<'a> {
    frame: &'a Frame,
    shown: i64,
    /// All there are; `None` where nobody has counted further than this page.
    total: Option<i64>,
    at: Timestamp,
}

impl HtmlSafe for Tally<'_> {}

impl Tally<'_> {
    /// The same, of a list as it was at another instant than now.
    pub fn at(mut self, at: &Timestamp) -> Self {
        self.at = *at;
        self
    }

    fn is_whole(&self) -> bool {
        self.total == Some(self.shown)
    }
}

impl Frame {
    /// The icon `name`.
    pub fn icon(&self, name: &'static str) -> Icon {
        icon(name)
    }

    /// `words`, leading to `to` in the audit trail where the reader may open it.
    pub fn into_trail(&self, to: impl Into<String>, words: impl Into<String>) -> IntoTrail {
        IntoTrail { opens: self.reads_trail, to: to.into(), words: words.into() }
    }

    /// The hidden field that every form of a page begins with.
    pub fn csrf_field(&self) -> CsrfField<'_> {
        CsrfField { token: &self.csrf }
    }

    /// The badge of a version's state.
    pub fn state(&self, state: &str) -> Tag {
        state_tag(self.w, state)
    }

    /// The signatures `list`.
    pub fn signatures<'a>(&'a self, list: &'a [Signature]) -> Signatures<'a> {
        Signatures { frame: self, list }
    }

    /// The ledger's line: `sound` is `None` where nothing was checked, `entry` the last entry about it.
    pub fn hash_line<'a>(
        &'a self,
        sound: Option<bool>,
        digest: &'a str,
        entry: Option<&'a EntryLink>,
    ) -> HashLine<'a> {
        HashLine { frame: self, sound, digest, entry }
    }

    /// The end of the form that narrows down the list of this page.
    pub fn narrow(&self) -> Narrow<'_> {
        Narrow { frame: self }
    }

    /// Whether the address asks for less than the whole list.
    pub fn is_filtered(&self) -> bool {
        let pairs = self.address.split_once('?').map_or("", |(_, query)| query).split('&');
        let mut pairs = pairs.filter_map(|pair| pair.split_once('='));
        pairs.any(|(field, value)| {
            !value.is_empty() && !matches!(field, "cursor" | "limit" | "notice" | "lang" | "epoch")
        })
    }

    /// How many rows a list has that stands here whole.
    pub fn tally(&self, shown: usize) -> Tally<'_> {
        let shown = i64::try_from(shown).unwrap_or(i64::MAX);
        Tally { frame: self, shown, total: Some(shown), at: self.now }
    }

    /// How many of a list's rows stand on this page, and of how many where that is known; `next` as for the pager.
    pub fn tally_page(&self, shown: usize, total: Option<i64>, next: Option<&str>) -> Tally<'_> {
        let whole = self.tally(shown);
        let is_whole = next.is_none() && !self.has_cursor();
        Tally { total: total.or(whole.total.filter(|_| is_whole)), ..whole }
    }

    /// The pager of a list; `next` is the cursor that [`super::paging::Page`] gave.
    pub fn pager(&self, next: Option<&str>) -> Pager<'_> {
        let (path, query) = self.address.split_once('?').unwrap_or((&self.address, ""));
        let kept =
            |pair: &&str| !pair.is_empty() && !pair.starts_with("cursor=") && !pair.starts_with("notice=");
        let kept: Vec<_> = query.split('&').filter(kept).collect();
        let first = if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) };
        let join = if kept.is_empty() { '?' } else { '&' };
        let next = next.map(|cursor| format!("{first}{join}cursor={cursor}"));
        Pager { frame: self, first: self.has_cursor().then_some(first), next }
    }

    /// Whether the page is a later one of its list.
    fn has_cursor(&self) -> bool {
        self.address.split(['?', '&']).any(|pair| pair.starts_with("cursor="))
    }
}
