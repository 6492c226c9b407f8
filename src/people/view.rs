//! What a page's handler needs of its reader: words, zone, who they are, and the frame around the page.

use std::borrow::Cow;
use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use chrono_tz::Tz;

use super::gate::Caller;
use crate::error::{Error, Result};
use crate::ledger::site::Site;
use crate::ledger::store::Placed;
use crate::time::Timestamp;
use crate::web::page::{Frame, words_of};
use crate::web::parts::EntryLink;
use crate::web::words::Words;

/// The reader of a page.
pub struct View {
    /// The words, in the reader's language.
    pub words: Words,
    /// The site's zone.
    pub zone: Tz,
    caller: Option<Caller>,
    now: Timestamp,
    request: HttpRequest,
}

impl View {
    /// Who reads; nobody on a public page.
    pub fn caller(&self) -> Option<&Caller> {
        self.caller.as_ref()
    }

    /// The frame of a page called `title`, under the top bar's entry at or above `section`.
    pub fn frame(&self, title: impl Into<String>, section: impl Into<Cow<'static, str>>) -> Frame {
        Frame::of(&self.request, title).under(section)
    }

    /// The present, by the site's clock.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The request, for its path and query.
    pub fn request(&self) -> &HttpRequest {
        &self.request
    }
}

impl FromRequest for View {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut actix_web::dev::Payload) -> Self::Future {
        let site = request.app_data::<web::Data<Site>>().ok_or_else(|| Error::internal("no site"));
        ready(site.map(|site| Self {
            words: words_of(request),
            zone: site.zone,
            caller: request.extensions().get::<Caller>().cloned(),
            now: site.clock.now(),
            request: request.clone(),
        }))
    }
}

/// The word of the role in which somebody acted; a role of a later version stands for itself.
pub fn role_word(w: Words, code: &str) -> String {
    let key = format!("role-{code}");
    if w.has(&key) { w.t(&key).into_owned() } else { code.to_owned() }
}

/// How pages lead to an entry.
pub fn entry_link(placed: &Placed) -> EntryLink {
    let Placed { epoch, seq, leaf, is_past } = placed;
    EntryLink { seq: *seq, epoch: *epoch, is_past: *is_past, leaf: leaf.to_string() }
}
