//! What the trail's templates show.

use askama::Template;

use super::named::About;
use super::told::Wording;
use super::unfold::{Beside, Changed, Check, Unfolded};
use crate::people::view::role_word;
use crate::web::page::{Frame, percent};
use crate::web::parts::{Choice, Sheet};
use crate::web::words::Words;

/// A row of the list.
pub struct Line {
    pub seq: i64,
    pub at: String,
    pub actor: String,
    pub role: String,
    pub act: String,
    /// The subject as it is written, and what it is called.
    pub subject: Option<(String, String)>,
    pub reason: String,
    pub leaf: String,
}

/// `/trail`.
#[derive(Template)]
#[template(path = "trail/list.html")]
pub struct ListPage {
    pub frame: Frame,
    pub sheet: Sheet,
    pub acts: Vec<Choice>,
    pub lines: Vec<Line>,
    pub total: i64,
    pub next: Option<String>,
    pub epochs: Epochs,
    /// The filter, for the same question in another epoch.
    pub kept: String,
}

/// `/trail/{seq}`.
#[derive(Template)]
#[template(path = "trail/entry.html")]
pub struct EntryPage {
    pub frame: Frame,
    pub may_erase: bool,
    pub may_pack: bool,
    pub entry: Unfolded,
    pub epochs: Epochs,
}

/// Which epoch a page is of, where a recovery has begun another.
#[derive(Debug, Clone, Copy)]
pub struct Epochs {
    pub shown: i64,
    pub present: i64,
}

impl Epochs {
    /// What an address of the same epoch ends with; nothing for the present one.
    pub fn query(self) -> String {
        self.query_of(&self.shown)
    }

    /// What an address of another epoch ends with.
    pub fn query_of(self, epoch: &i64) -> String {
        if *epoch == self.present { String::new() } else { format!("?epoch={epoch}") }
    }

    /// What an address of the one after it ends with.
    pub fn next_query(self) -> String {
        self.query_of(&self.next())
    }

    /// A subject's entry beside one of this page, in words.
    fn beside(self, w: &Words, key: &str, beside: &Beside) -> String {
        let said = w.one(key, "seq", beside.seq.to_string());
        match beside.epoch == self.shown {
            true => said.into_owned(),
            false => format!("{said} {}", w.one("trail-epoch", "n", beside.epoch)),
        }
    }

    /// The one after it.
    pub const fn next(self) -> i64 {
        self.shown + 1
    }

    /// Whether a recovery has ended it.
    pub fn is_past(self) -> bool {
        self.shown != self.present
    }

    /// The others.
    pub fn others(self) -> impl Iterator<Item = i64> {
        (1..=self.present).filter(move |epoch| *epoch != self.shown)
    }
}

/// The word of an act; an act of a later version stands for itself.
pub fn act_word(w: Words, act: &str) -> String {
    let key = format!("act-{}", act.replace('.', "-"));
    if w.has(&key) { w.t(&key).into_owned() } else { act.to_owned() }
}

/// The word of who acted: a person's role, or what stands in an entry where no person did.
pub fn acted_as(w: Words, role: &str) -> String {
    let key = format!("trail-role-{role}");
    if w.has(&key) { w.t(&key).into_owned() } else { role_word(w, role) }
}

/// What to call who acted: a person by name; the program, which acts by its clock or on a command, by a word.
pub fn actor_word(w: Words, actor: &str, role: &str) -> String {
    if matches!(role, "clock" | "cli") { w.t("trail-program").into_owned() } else { actor.to_owned() }
}

impl EntryPage {
    fn actor(&self) -> String {
        actor_word(self.frame.w, &self.entry.actor, &self.entry.role)
    }

    fn act(&self) -> String {
        act_word(self.frame.w, &self.entry.act)
    }

    fn role(&self) -> String {
        acted_as(self.frame.w, &self.entry.role)
    }

    fn called(&self, about: &About) -> String {
        about.words(self.frame.w)
    }

    fn subject_link(&self, subject: &str) -> String {
        let epoch =
            if self.epochs.is_past() { format!("&epoch={}", self.epochs.shown) } else { String::new() };
        format!("/trail?subject={}{epoch}", percent(subject))
    }

    fn pack_link(&self, subject: &str) -> String {
        format!("/packs?subject={}", percent(subject))
    }

    fn number(&self) -> String {
        self.frame.count(&i64::try_from(self.entry.seq).unwrap_or(i64::MAX))
    }

    fn before(&self) -> Option<u64> {
        self.entry.seq.checked_sub(1)
    }

    fn after(&self) -> Option<u64> {
        (!self.entry.is_last).then(|| self.entry.seq + 1)
    }

    fn said(&self, check: &Check) -> String {
        let verdict = match check.ok {
            Some(true) => "ok",
            Some(false) => "bad",
            None => "none",
        };
        self.frame.w.t(&format!("trail-check-{}-{verdict}", check.name)).into_owned()
    }

    fn changes(&self) -> &[Changed] {
        &self.entry.changes
    }

    fn wording(&self) -> Wording<'_> {
        let kind = self.entry.about.as_ref().and_then(|about| about.subject.split('/').next());
        Wording { w: self.frame.w, zone: self.frame.zone, kind: kind.unwrap_or_default() }
    }

    /// A field's name in words; the sealed name where there is none.
    fn field(&self, name: &str) -> String {
        self.wording().field(name).unwrap_or_else(|| name.to_owned())
    }

    fn worded(&self, name: &str) -> bool {
        self.wording().field(name).is_some()
    }

    fn old(&self, change: &Changed) -> String {
        self.wording().value(&change.field, change.old.as_ref())
    }

    fn new_value(&self, change: &Changed) -> String {
        self.wording().value(&change.field, change.new.as_ref())
    }
}
