//! The pages' templates as values.

use askama::Template;

use super::api::Asked;
use super::procedures::{Procedure, Trained};
use super::read::{EventView, LineView, OrderView, Summary};
use crate::documents::codes::process_word;
use crate::keeping::{KeptLine, Retained, kept_line};
use crate::time::Timestamp;
use crate::web::form::Typed;
use crate::web::page::{Frame, percent};
use crate::web::paging::Page;
use crate::web::parts::{Choice, Look, Sheet, Tag, tag};
use crate::web::words::Words;

/// The list.
#[derive(Template)]
#[template(path = "orders/list.html")]
pub(super) struct ListPage {
    pub frame: Frame,
    pub sheet: Sheet,
    pub orders: Page<Summary>,
    pub may_import: bool,
}

impl ListPage {
    fn held(&self) -> Tag {
        tag(Look::Red, self.frame.w.t("order-held"))
    }
}

/// One order.
#[derive(Template)]
#[template(path = "orders/order.html")]
pub(super) struct OrderPage {
    pub frame: Frame,
    pub order: OrderView,
    pub procedures: Vec<Procedure>,
    pub digest: String,
    pub kept: Retained,
    pub release: Sheet,
    pub may_release: bool,
    pub may_deviate: bool,
}

impl OrderPage {
    fn kept(&self) -> KeptLine<'_> {
        kept_line(&self.frame, &self.kept)
    }

    fn first(&self, kind: &str) -> Option<Timestamp> {
        self.order.events.iter().find(|event| event.kind == kind).map(|event| event.at)
    }

    /// Where the order stands: its last event.
    fn stands(&self) -> Option<Tag> {
        let last = self.order.events.last()?;
        let look = match last.kind.as_str() {
            "delivered" => Look::Live,
            "cancelled" => Look::Stopped,
            "returned" => Look::Past,
            _ => Look::Next,
        };
        Some(tag(look, self.kind_word(&last.kind)))
    }

    fn held(&self) -> Tag {
        tag(Look::Red, self.frame.w.t("order-held"))
    }

    fn recalled(&self) -> Tag {
        tag(Look::Red, self.frame.w.t("order-recalled"))
    }

    fn in_address(&self, text: &str) -> String {
        percent(text)
    }

    fn process_word(&self, process: &str) -> String {
        process_word(self.frame.w, process)
    }

    /// The document's title in the reader's language, else in any.
    fn title<'a>(&self, row: &'a Procedure) -> &'a str {
        let Some(title) = &row.title else { return "" };
        let own = title.get(self.frame.lang().tag());
        own.or_else(|| title.values().next()).map_or("", String::as_str)
    }

    fn kind_word(&self, kind: &str) -> String {
        self.frame.w.t(&format!("event-{kind}")).into_owned()
    }

    fn trained(&self, trained: &Trained) -> Tag {
        let (look, key) = match trained {
            Trained::Known(true) => (Look::Live, "order-trained-yes"),
            Trained::Known(false) => (Look::Yellow, "order-trained-no"),
            Trained::Unknown => (Look::Plain, "order-trained-unknown"),
            Trained::NotRecorded => (Look::Plain, "order-trained-not_recorded"),
        };
        tag(look, self.frame.w.t(key))
    }

    fn storage_word(&self, line: &LineView) -> String {
        self.frame.w.t(&format!("storage-{}", line.storage)).into_owned()
    }

    fn storages(&self) -> String {
        let mut words: Vec<String> = self.order.lines.iter().map(|line| self.storage_word(line)).collect();
        words.sort();
        words.dedup();
        words.join(&self.frame.w.t("base-comma"))
    }

    fn recalls_of(&self, line: &LineView) -> Vec<&str> {
        let alerts = self.order.alerts.iter().filter(|alert| alert.line == line.line);
        alerts.map(|alert| alert.recall.as_str()).collect()
    }

    fn latest_first(&self) -> Vec<&EventView> {
        self.order.events.iter().rev().collect()
    }
}

/// A file to paste in.
#[derive(Template)]
#[template(path = "orders/import.html")]
pub(super) struct ImportPage {
    pub frame: Frame,
    pub sheet: Sheet,
    pub formats: Vec<Choice>,
}

/// The formats to choose from.
pub(super) fn formats(w: Words) -> Vec<Choice> {
    let choice =
        |value: &str| Choice { value: value.to_owned(), label: w.t(&format!("order-format-{value}")).into() };
    ["csv", "ndjson"].map(choice).into()
}

/// A filter as it was typed.
pub(super) fn typed(asked: &Asked) -> Typed {
    let held = asked.held.unwrap_or_default().then(|| "true".to_owned());
    let fields = [
        ("batch", asked.batch.clone()),
        ("customer", asked.customer.clone()),
        ("shipped_from", asked.shipped_from.clone()),
        ("shipped_to", asked.shipped_to.clone()),
        ("held", held),
    ];
    Typed::from_pairs(fields.into_iter().filter_map(|(field, value)| Some((field, value?))))
}
