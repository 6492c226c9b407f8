//! What the page of time stamps shows.

use askama::Template;

use super::api::address;
use super::witness::Trouble;
use crate::ledger::anchor::{Anchor, Part};
use crate::web::page::Frame;

/// `/trail/anchors`.
#[derive(Template)]
#[template(path = "anchors/list.html")]
pub struct AnchorsPage {
    pub frame: Frame,
    /// Seconds between two stamps; none where no authority is configured.
    pub every: Option<i64>,
    /// Entries under the newest checkpoint.
    pub signed: u64,
    pub trouble: Option<Trouble>,
    pub refused: Option<String>,
    pub anchors: Vec<Anchor>,
    pub next: Option<String>,
}

impl AnchorsPage {
    /// Which entries no stamp covers yet, in words.
    fn uncovered(&self) -> String {
        let w = self.frame.w;
        let signed = i64::try_from(self.signed).unwrap_or(i64::MAX);
        let covered = self.anchors.first().map_or(0, |anchor| anchor.entries);
        match signed - covered {
            ..=0 => w.t("anchor-all-covered").into_owned(),
            more => w.with("anchor-uncovered", &[("n", more.into()), ("signed", signed.into())]).into_owned(),
        }
    }

    fn often(&self, every: &i64) -> String {
        let key = if *every <= 3600 { "anchor-hourly" } else { "anchor-daily" };
        self.frame.w.t(key).into_owned()
    }

    fn said(&self, trouble: &Trouble) -> String {
        self.frame.w.t(&format!("problem-{}", trouble.code)).into_owned()
    }

    fn last_entry(&self, anchor: &Anchor) -> String {
        self.frame.count(&(anchor.entries - 1))
    }

    fn parts(&self, anchor: &Anchor) -> Vec<(String, String)> {
        Part::ALL.into_iter().map(|part| (anchor.file_name(part), address(anchor, part))).collect()
    }

    fn ahead(&self, anchor: &Anchor) -> Option<String> {
        let seconds = anchor.clock_ahead();
        let key = if seconds > 0 { "anchor-clock-ahead" } else { "anchor-clock-behind" };
        (seconds.abs() > 5).then(|| self.frame.w.one(key, "seconds", seconds.abs()).into_owned())
    }
}
