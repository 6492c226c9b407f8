//! Pages as they were made for a reader, while nothing that they show can have changed.
//!
//! The session is read at every request, and with it the ledger's size. While the ledger has not grown, no governed
//! record has changed; what changes by the clock alone changes at the next minute (the times a page tells) or at the
//! next instant of effect, whichever comes first. Until then the page made last for the same reader, address, language
//! and theme is the page that would be made now.

use std::collections::HashMap;
use std::sync::Mutex;

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{self, Bytes};

use crate::documents::read_pages;
use crate::error::{Error, Result};
use crate::people::desk::Reader;
use crate::people::view::View;
use crate::time::Timestamp;

/// Pages kept at most; then the memory starts afresh.
const MOST: usize = 512;
/// Microseconds of a minute.
const MINUTE: i64 = 60_000_000;

/// The kept pages of this process.
#[derive(Default)]
pub struct KeptPages(Mutex<HashMap<String, Kept>>);

struct Kept {
    size: i64,
    until: Timestamp,
    html: Bytes,
}

/// The place of one page among the kept ones.
pub(super) struct Place {
    pages: Option<web::Data<KeptPages>>,
    key: String,
    size: Option<i64>,
    now: Timestamp,
}

impl Place {
    /// The place of the page that is asked for.
    pub fn of(view: &View, reader: &Reader) -> Self {
        let frame = view.frame("", super::SECTION);
        let verdict = frame.verdict.as_ref().map_or(0, |verdict| verdict.at.0);
        let lang = view.words.lang().tag();
        let key = [&frame.csrf, &reader.caller.id, &frame.address, lang, frame.theme, &verdict.to_string()]
            .join("\n");
        let pages = view.request().app_data::<web::Data<KeptPages>>().cloned();
        Self { pages, key, size: reader.caller.ledger_size(), now: view.now() }
    }

    /// The kept page, where it still holds.
    pub fn kept(&self) -> Option<HttpResponse> {
        let pages = self.pages.as_ref()?.0.lock().ok()?;
        let kept = pages.get(&self.key)?;
        let holds = Some(kept.size) == self.size && self.now < kept.until;
        holds.then(|| answer(kept.html.clone()))
    }

    /// Keeps a page and answers with it.
    ///
    /// # Errors
    /// The template fails, or the database does not answer.
    pub async fn keep(self, reader: &Reader, template: &impl askama::Template) -> Result<HttpResponse> {
        let html = Bytes::from(template.render().map_err(Error::internal)?);
        if let (Some(pages), Some(size)) = (self.pages, self.size) {
            let now = self.now;
            let next = reader.read(move |db| read_pages::next_instant(db, now)).await?;
            let minute = Timestamp((now.0.div_euclid(MINUTE) + 1) * MINUTE);
            let until = next.map_or(minute, |next| next.min(minute));
            if let Ok(mut pages) = pages.0.lock() {
                if pages.len() >= MOST {
                    pages.clear();
                }
                pages.insert(self.key, Kept { size, until, html: html.clone() });
            }
        }
        Ok(answer(html))
    }
}

fn answer(html: Bytes) -> HttpResponse {
    HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/html; charset=utf-8")).body(html)
}
