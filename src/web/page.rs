//! Pages: what the base template needs of every one of them ([`Frame`]), and how a template becomes an answer.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::{Arc, OnceLock, RwLock};

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, COOKIE, HeaderMap, LOCATION};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use chrono_tz::Tz;

use super::form::CsrfToken;
use super::problem::Asked;
use super::request::cookie;
use super::words::{Arg, Lang, Words};
use super::{assets, format};
use crate::error::{Cause, Error};
use crate::time::{Clock, Timestamp};

/// What is the same on all pages of an installation; the application keeps it as `web::Data<Site>`.
#[derive(Debug)]
pub struct Site {
    /// The site's name, as the foot of each page shows it.
    pub name: String,
    /// The zone of its dates.
    pub zone: Tz,
    /// Whether the records are invented: every page says so.
    pub demo: bool,
    /// Where the present comes from.
    pub clock: Clock,
    /// What the last check of the ledger found; whoever checks sets it.
    pub verdict: RwLock<Option<Verdict>>,
    /// Why nothing is written, once that is so: every page says it.
    pub halted: Arc<OnceLock<Cause>>,
    /// Where a page's reader goes who is not signed in: given path and query, answers (303 to the sign-in page).
    pub sign_in: Option<fn(&str) -> HttpResponse>,
}

impl Site {
    /// A site with no verdict yet and no way to sign in.
    pub fn new(name: impl Into<String>, zone: Tz, clock: Clock) -> Self {
        let (name, verdict) = (name.into(), RwLock::new(None));
        Self { name, zone, demo: false, clock, verdict, halted: Arc::default(), sign_in: None }
    }

    /// Sets what the last check of the ledger found.
    pub fn set_verdict(&self, verdict: Verdict) {
        *self.verdict.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(verdict);
    }

    fn verdict(&self) -> Option<Verdict> {
        self.verdict.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

/// What a check of the ledger found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it is sound.
    pub ok: bool,
    /// What it holds is sound, but the guards that should keep it so are missing, altered or not alone.
    pub unguarded: bool,
    /// The last entry checked; where it is not sound, the first that is wrong.
    pub checked_to: i64,
    /// Its epoch, where a recovery has ended that.
    pub past: Option<i64>,
    /// When it was checked.
    pub at: Timestamp,
    /// The root hash of the checkpoint, hex; empty where there is none.
    pub root: String,
}

impl Verdict {
    /// Where its entry is read.
    pub fn address(&self) -> String {
        match self.past {
            None => format!("/trail/{}", self.checked_to),
            Some(epoch) => format!("/trail/{}?epoch={epoch}", self.checked_to),
        }
    }

    /// What is wrong where it is not sound: the key of its words, with the attributes `detail` and `see`.
    pub const fn fault(&self) -> &'static str {
        if self.unguarded { "base-unguarded" } else { "base-broken" }
    }

    /// Where that is seen.
    pub fn seen_at(&self) -> String {
        if self.unguarded { "/trail/verify".to_owned() } else { self.address() }
    }
}

/// One entry of the top bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NavItem {
    /// Where it leads; also current below it.
    pub href: &'static str,
    /// The key of its word.
    pub word: &'static str,
}

/// Who looks at the page, put into the request's extensions by the gate.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// The printed name.
    pub name: String,
    /// The entries of the top bar this person may open.
    pub nav: Rc<[NavItem]>,
    /// Whether this person may read the audit trail.
    pub reads_trail: bool,
    /// Where the search box of the bar leads; none for a page that is a search itself.
    pub search: Option<Search>,
    /// What this person must do before anything else: its address, and words with the attribute `do` for the link.
    pub first: Option<NavItem>,
}

/// What the bar says of the ledger.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Whether nothing is known to be wrong.
    pub ok: bool,
    /// The icon's name.
    pub icon: &'static str,
    /// The words of the link.
    pub text: String,
    /// The same as a sentence.
    pub name: String,
}

/// How long ago, in the largest unit that is worth naming.
fn age(w: Words, micros: i64) -> String {
    let minutes = (micros / 60_000_000).max(0);
    let (key, n) = match minutes {
        0..120 => ("base-age-minutes", minutes),
        120..2880 => ("base-age-hours", minutes / 60),
        _ => ("base-age-days", minutes / 1440),
    };
    w.one(key, "n", n).into_owned()
}

/// Which search the bar offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// What is in force, for customer service: `/now`.
    Now,
    /// The register: `/documents`.
    Documents,
}

impl Search {
    /// Where the form leads.
    pub const fn action(self) -> &'static str {
        match self {
            Self::Now => "/now",
            Self::Documents => "/documents",
        }
    }

    /// The key of what may be typed.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Now => "base-search-now",
            Self::Documents => "base-search-documents",
        }
    }
}

/// What `base.html` needs; a page's struct has it as its field `frame`.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The words, in the reader's language.
    pub w: Words,
    /// The page's name, for `<title>` and the heading of an error.
    pub title: String,
    /// The path asked for.
    pub path: String,
    /// Path and query, for coming back.
    pub address: String,
    /// The top bar's entries.
    pub nav: Rc<[NavItem]>,
    /// Which entry is current; the path unless [`Frame::under`] says otherwise.
    pub section: Cow<'static, str>,
    /// Who is signed in, by printed name.
    pub person: Option<String>,
    /// Whether the reader may open the audit trail: only then does anything lead there.
    pub reads_trail: bool,
    /// The search the bar offers.
    pub search: Option<Search>,
    /// What the person must do before anything else.
    pub first: Option<NavItem>,
    /// The token every form of the page sends back.
    pub csrf: String,
    /// Whether the records are invented.
    pub demo: bool,
    /// What was done just before, in words.
    pub notice: Option<String>,
    /// What the last check of the ledger found.
    pub verdict: Option<Verdict>,
    /// Why nothing is written; none where all is well.
    pub halted: Option<Cause>,
    /// The site's name.
    pub site: String,
    /// The zone of dates.
    pub zone: Tz,
    /// The instant the page was made.
    pub now: Timestamp,
    /// `light` or `dark` where the reader chose; empty follows the system.
    pub theme: &'static str,
    /// Whether the page shows what is no longer in force: it prints OBSOLETE.
    pub past: bool,
    /// Whether a form was refused: the title says so first.
    pub failed: bool,
}

impl Frame {
    /// The frame of an answer to `request`, called `title`.
    pub fn of(request: &HttpRequest, title: impl Into<String>) -> Self {
        let lang = language_of(request);
        let site = request.app_data::<web::Data<Site>>();
        let w = Words::of(lang);
        let mut frame = Self::blank(w, site.map(|site| site.get_ref()), title.into());
        frame.path = request.path().to_owned();
        frame.section = Cow::Owned(frame.path.clone());
        frame.address = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
        frame.theme = theme_of(request.headers());
        frame.notice = notice_of(request.query_string(), w);
        let extensions = request.extensions();
        if let Some(viewer) = extensions.get::<Viewer>() {
            frame.person = Some(viewer.name.clone());
            frame.nav = Rc::clone(&viewer.nav);
            frame.reads_trail = viewer.reads_trail;
            frame.search = viewer.search;
            frame.first = viewer.first;
        }
        if let Some(CsrfToken(token)) = extensions.get::<CsrfToken>() {
            frame.csrf.clone_from(token);
        }
        drop(extensions);
        frame
    }

    /// The frame of an error that ended the request before anybody was recognised.
    pub fn bare(asked: &Asked, site: Option<&Site>, title: String) -> Self {
        let mut frame = Self::blank(Words::of(asked.lang), site, title);
        frame.theme = asked.theme;
        frame.path = asked.uri.path().to_owned();
        frame.address = asked.uri.path_and_query().map_or_else(String::new, ToString::to_string);
        frame
    }

    fn blank(w: Words, site: Option<&Site>, title: String) -> Self {
        let clock = site.map_or(Clock::System, |site| site.clock.clone());
        Self {
            w,
            title,
            path: String::new(),
            address: String::new(),
            nav: Rc::from([]),
            section: Cow::Borrowed(""),
            person: None,
            reads_trail: false,
            search: None,
            first: None,
            csrf: String::new(),
            demo: site.is_some_and(|site| site.demo),
            notice: None,
            verdict: site.and_then(Site::verdict),
            halted: site.and_then(|site| site.halted.get().cloned()),
            site: site.map_or_else(String::new, |site| site.name.clone()),
            zone: site.map_or(Tz::UTC, |site| site.zone),
            now: clock.now(),
            theme: "",
            past: false,
            failed: false,
        }
    }

    /// What happened that nothing is written, in words.
    pub fn why(&self, cause: &Cause) -> String {
        let args: Vec<(&str, Arg<'_>)> =
            cause.args.iter().map(|(name, value)| (*name, value.as_str().into())).collect();
        self.w.attr(&format!("problem-{}", cause.code), "detail", &args).into_owned()
    }

    /// What the bar says of the ledger to whoever may read the trail: that it is not the one that was signed, else the
    /// last verdict and its age.
    pub fn chain(&self) -> Option<Chain> {
        let w = self.w;
        let plain = |ok: bool, icon: &'static str, key: &str| Chain {
            ok,
            icon,
            text: w.t(key).into_owned(),
            name: w.t(key).into_owned(),
        };
        self.reads_trail.then(|| match (&self.halted, &self.verdict) {
            (Some(_), _) => plain(false, "cross", "base-chain-halted"),
            (None, None) => plain(true, "dia", "base-chain-none"),
            (None, Some(verdict)) if verdict.unguarded => plain(false, "cross", "base-chain-unguarded"),
            (None, Some(verdict)) if !verdict.ok => plain(false, "cross", "base-chain-bad"),
            (None, Some(verdict)) => {
                let age = age(w, self.now.0 - verdict.at.0);
                let name = w.attr("base-chain-ok", "age", &[("age", age.as_str().into())]).into_owned();
                Chain { ok: true, icon: "check", text: format!("{} {age}", w.t("base-chain-ok")), name }
            }
        })
    }

    /// Marks the bar's entry at or above `href` as current, for pages whose address lies elsewhere.
    pub fn under(mut self, href: impl Into<Cow<'static, str>>) -> Self {
        self.section = href.into();
        self
    }

    /// Marks the page as showing what is no longer in force.
    pub fn past(mut self) -> Self {
        self.past = true;
        self
    }

    /// Marks the page as the answer to a refused form.
    pub fn failed(mut self) -> Self {
        self.failed = true;
        self
    }

    /// The language.
    pub fn lang(&self) -> Lang {
        self.w.lang()
    }

    /// Whether the bar's entry `href` is where the page belongs.
    pub fn is_current(&self, href: &str) -> bool {
        self.section.strip_prefix(href).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The address that switches to `tag` and comes back.
    pub fn language_switch(&self, lang: &Lang) -> String {
        format!("/language/{}?to={}", lang.tag(), percent(&self.address))
    }

    /// The address that switches the theme and comes back.
    pub fn theme_switch(&self, theme: &str) -> String {
        format!("/theme/{theme}?to={}", percent(&self.address))
    }

    /// The address of an asset.
    pub fn asset(&self, name: &str) -> &'static str {
        assets::url(name)
    }

    /// An instant to the minute, with its zone.
    pub fn minute(&self, at: &Timestamp) -> String {
        format::minute(*at, self.zone)
    }

    /// An instant to the second, with its zone.
    pub fn second(&self, at: &Timestamp) -> String {
        format::second(*at, self.zone)
    }

    /// The time of day.
    pub fn time_of_day(&self, at: &Timestamp) -> String {
        format::time_of_day(*at, self.zone)
    }

    /// A day.
    pub fn date(&self, at: &Timestamp) -> String {
        format::date(*at, self.zone)
    }

    /// The value of a `datetime` attribute.
    pub fn machine(&self, at: &Timestamp) -> String {
        format::machine(*at, self.zone)
    }

    /// A whole number in groups of three.
    pub fn count(&self, number: &i64) -> String {
        format::grouped(*number, self.lang())
    }

    /// A file's size.
    pub fn size(&self, bytes: &i64) -> String {
        format::size(*bytes)
    }

    /// What an entry of this number is called where there is little room.
    pub fn entry_number(&self, seq: &i64) -> String {
        format!("#{}", format::grouped(*seq, self.lang()))
    }

    /// A hash cut to its ends.
    pub fn short_hash(&self, hex: &str) -> String {
        format::short_hash(hex)
    }
}

/// A page.
pub fn page(template: &impl askama::Template, status: StatusCode) -> HttpResponse {
    match template.render() {
        Ok(html) => {
            HttpResponse::build(status).insert_header((CONTENT_TYPE, "text/html; charset=utf-8")).body(html)
        }
        Err(error) => HttpResponse::from_error(Error::internal(error)),
    }
}

/// 303: after a POST, to the page that shows what it did.
pub fn see_other(to: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, to)).finish()
}

/// 303 to `to`, where the notice `notice-<code>` is shown.
pub fn see_other_with(to: &str, code: &str) -> HttpResponse {
    let join = if to.contains('?') { '&' } else { '?' };
    see_other(&format!("{to}{join}notice={code}"))
}

/// `to` where it is a path of ours, else `/`: nobody is sent elsewhere by a link they were given.
pub fn local(to: &str) -> &str {
    let elsewhere = !to.starts_with('/') || to.starts_with("//") || to.starts_with("/\\");
    if elsewhere || to.chars().any(|c| c.is_control() || c == '\\') { "/" } else { to }
}

/// [`local`] as a header may carry it: in ASCII.
pub fn local_address(to: &str) -> String {
    let mut address = String::new();
    for c in local(to).chars() {
        if c.is_ascii_graphic() {
            address.push(c);
        } else {
            address.push_str(&percent(c.encode_utf8(&mut [0; 4])));
        }
    }
    address
}

/// Percent-encodes all but the unreserved characters, for one value in an address.
pub fn percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                encoded.push(byte.into())
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// The reader's language.
pub fn language_of(request: &HttpRequest) -> Lang {
    request.extensions().get::<Lang>().copied().unwrap_or_default()
}

/// The words in the reader's language.
pub fn words_of(request: &HttpRequest) -> Words {
    Words::of(language_of(request))
}

/// The theme a reader chose, by the cookie; empty where they did not.
pub(super) fn theme_of(headers: &HeaderMap) -> &'static str {
    let header = headers.get(COOKIE).and_then(|value| value.to_str().ok());
    match header.and_then(|header| cookie(header, "theme")) {
        Some("light") => "light",
        Some("dark") => "dark",
        _ => "",
    }
}

/// The notice a query asks for, if it is one of ours.
fn notice_of(query: &str, w: Words) -> Option<String> {
    let code = query.split('&').find_map(|pair| pair.strip_prefix("notice="))?;
    let key = format!("notice-{code}");
    (w.has(&key)).then(|| w.t(&key).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for to in ["//evil.example", "https://evil.example", "/\\evil", "", "x", "/a\r\nb"] {
            assert_eq!(local(to), "/", "{to:?}");
        }
        assert_eq!(local("/documents?q=冷链"), "/documents?q=冷链");
    }

    #[test]
    fn a_value_in_an_address_is_encoded() {
        assert_eq!(percent("/documents?q=冷 &"), "/documents%3Fq%3D%E5%86%B7%20%26");
    }
}
