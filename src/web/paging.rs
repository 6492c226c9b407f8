//! Lists in pieces: an opaque cursor that names the last row seen, so that a list stays stable while rows are added.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// How many rows a request gets that asks for no number.
pub const DEFAULT_LIMIT: u16 = 50;
/// How many it gets at most.
pub const MOST: u16 = 1000;
/// No cursor of ours is longer, in bytes.
const LONGEST_CURSOR: usize = 2048;

/// `limit` and `cursor` of a query string, as they came. Other parameters stand beside it through `#[serde(flatten)]`
/// or in a second extractor.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Paging {
    /// How many rows, as written.
    pub limit: Option<String>,
    /// Where to go on, as handed out before.
    pub cursor: Option<String>,
}

impl Paging {
    /// How many rows are asked for: 1 to 1000, else 422.
    pub fn limit(&self) -> Result<u16> {
        let Some(text) = self.limit.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(DEFAULT_LIMIT);
        };
        let limit = text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
        limit.ok_or_else(|| Error::invalid("limit", "out-of-range"))
    }

    /// The row after which to go on; `None` at the beginning, 422 for a cursor that is none of ours.
    pub fn after<K: DeserializeOwned>(&self) -> Result<Option<K>> {
        self.cursor.as_deref().filter(|cursor| !cursor.is_empty()).map(key_of).transpose()
    }
}

/// The cursor that names `key`, the sort key of the last row given out.
pub fn cursor_of<K: Serialize>(key: &K) -> Result<String> {
    let json = serde_json::to_vec(key).map_err(Error::internal)?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

/// The key a cursor names.
pub fn key_of<K: DeserializeOwned>(cursor: &str) -> Result<K> {
    let malformed = || Error::invalid("cursor", "cursor");
    if cursor.len() > LONGEST_CURSOR {
        return Err(malformed());
    }
    let json = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| malformed())?;
    if json.windows(6).any(|part| part == br"\u0000") {
        return Err(malformed());
    }
    serde_json::from_slice(&json).map_err(|_| malformed())
}

/// One piece of a list.
#[derive(Debug, Clone, Serialize)]
pub struct Page<T> {
    /// The rows, in the list's order.
    pub items: Vec<T>,
    /// Where to go on; `None` at the end.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page from up to `limit + 1` rows: the one too many only says that there are more.
    pub fn cut<K: Serialize>(mut rows: Vec<T>, limit: u16, key: impl Fn(&T) -> K) -> Result<Self> {
        let more = rows.len() > usize::from(limit);
        rows.truncate(usize::from(limit));
        let next = match rows.last() {
            Some(last) if more => Some(cursor_of(&key(last))?),
            _ => None,
        };
        Ok(Self { items: rows, next })
    }

    /// The same page of other things.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::FromRequest;

    use super::*;

    #[test]
    fn a_cursor_names_the_last_row_only_where_there_are_more() {
        let page = Page::cut(vec![1, 2, 3], 2, |n| (*n, "SOP-CS-001")).unwrap();
        assert_eq!(page.items, [1, 2]);
        let key: (i32, String) = key_of(&page.next.unwrap()).unwrap();
        assert_eq!(key, (2, "SOP-CS-001".into()));
        assert!(Page::cut(vec![1, 2], 2, |n| *n).unwrap().next.is_none());
    }

    #[test]
    fn a_cursor_that_is_none_of_ours_is_refused_by_name() {
        let long = "A".repeat(LONGEST_CURSOR + 1);
        for cursor in ["x", "%%", "W10=", "bnVsbA", &long] {
            let paging = Paging { limit: None, cursor: Some(cursor.to_owned()) };
            let error = paging.after::<(i64, String)>().unwrap_err();
            assert_eq!(error.fields()[0].field, "cursor", "{cursor}");
        }
    }

    #[test]
    fn paging_stands_beside_the_other_parameters_of_a_list() {
        #[derive(Deserialize)]
        struct Wanted {
            q: Option<String>,
            #[serde(flatten)]
            paging: Paging,
        }
        let request =
            actix_web::test::TestRequest::with_uri("/x?q=%E5%86%B7&limit=7&other=1").to_http_request();
        let mut nothing = actix_web::dev::Payload::None;
        let read = super::super::query::Query::<Wanted>::from_request(&request, &mut nothing).into_inner();
        let wanted = read.unwrap().0;
        assert_eq!((wanted.q.as_deref(), wanted.paging.limit().unwrap()), (Some("冷"), 7));
    }

    #[test]
    fn a_limit_is_between_one_and_a_thousand() {
        let limit = |text: &str| Paging { limit: Some(text.into()), cursor: None }.limit();
        assert_eq!(limit("").unwrap(), 50);
        assert_eq!(limit("1000").unwrap(), 1000);
        for text in ["0", "1001", "-1", "ten", "70000"] {
            assert_eq!(limit(text).unwrap_err().fields()[0].code, "out-of-range", "{text}");
        }
    }
}
