//! The trail for machines: entries, proofs, contents.

use actix_web::http::header;
use actix_web::web::{Bytes, Path};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;

use super::filter::{Asked, Filter};
use super::store::{self, Part};
use crate::error::{Error, Result};
use crate::ledger::digest::Digest;
use crate::ledger::epochs::{self, InEpoch, Voucher, named as epoch};
use crate::ledger::proof;
use crate::ledger::site::Site;
use crate::ledger::store as ledger;
use crate::ledger::tree::{consistency_proof, inclusion_proof};
use crate::people::desk::Reader;
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::store::Db;
use crate::web::paging::{DEFAULT_LIMIT, MOST};
use crate::web::query::Query;

/// Entries read at once for a stream.
const CHUNK: u16 = 500;

pub fn routes() -> Vec<Route> {
    let read = Gate::May(Permission::ReadTrail);
    vec![
        Route::get("/api/v1/ledger/entries", read, "List entries, or stream them as NDJSON", || {
            web::to(entries)
        }),
        Route::get("/api/v1/ledger/entries/{seq}", read, "Read an entry", || web::to(entry)),
        Route::get("/api/v1/ledger/entries/{seq}/bytes", read, "Read an entry's exact bytes", || {
            web::to(entry_bytes)
        }),
        Route::get("/api/v1/ledger/entries/{seq}/proof", read, "Prove an entry", || web::to(entry_proof)),
        Route::get("/api/v1/ledger/consistency", read, "Prove that one size extends another", || {
            web::to(consistency)
        }),
        Route::get("/api/v1/ledger/content/{sha256}", read, "Read the bytes under a digest", || {
            web::to(content)
        }),
    ]
}

#[derive(Debug, Deserialize)]
struct List {
    #[serde(flatten)]
    asked: Asked,
    after: Option<String>,
    cursor: Option<String>,
    limit: Option<String>,
}

impl List {
    fn after(&self) -> Result<Option<u64>> {
        let after = self.after.as_deref().or(self.cursor.as_deref()).filter(|text| !text.is_empty());
        after
            .map(|text| text.parse().ok().filter(is_index).ok_or_else(|| Error::invalid("after", "cursor")))
            .transpose()
    }

    fn limit(&self) -> Result<u16> {
        let Some(text) = self.limit.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(DEFAULT_LIMIT);
        };
        let limit = text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
        limit.ok_or_else(|| Error::invalid("limit", "out-of-range"))
    }
}

fn is_index(number: &u64) -> bool {
    i64::try_from(*number).is_ok()
}

/// The number in a path; what is none names no entry.
pub fn number(text: &str) -> Result<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    let number = text.parse().ok().filter(|number| plain && is_index(number));
    number.ok_or_else(|| Error::not_found("entry", text))
}

async fn entries(reader: Reader, request: HttpRequest, list: Query<List>) -> Result<HttpResponse> {
    let filter = list.0.asked.filter(reader.site.zone)?;
    let epoch = epoch(list.0.asked.epoch.as_deref(), reader.site.epoch)?;
    let after = list.0.after()?;
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("application/x-ndjson")) {
        return stream_of(reader, (epoch, filter), after).await;
    }
    let limit = list.0.limit()?;
    let page = move |db: &mut Db| {
        let part = Part::Up { after, before: i64::MAX.unsigned_abs() };
        let mut rows = store::entries(db, epoch, &filter, (part, limit + 1))?;
        let more = rows.len() > usize::from(limit);
        rows.truncate(usize::from(limit));
        let next = rows.last().filter(|_| more).map(|last| last.seq.to_string());
        Ok(json!({ "items": store::items(db, epoch, rows)?, "next": next }))
    };
    Ok(HttpResponse::Ok().json(reader.read(page).await?))
}

/// Lines up to the head as it is now, a few hundred in memory at a time.
async fn stream_of(
    reader: Reader,
    (epoch, filter): (i64, Filter),
    after: Option<u64>,
) -> Result<HttpResponse> {
    let head = reader.read(move |db| ledger::head_of(db, epoch)).await?.map_or(0, |head| head.size);
    let lines = stream::try_unfold((after, false), move |(after, ended)| {
        let (reader, filter) = (reader.clone(), filter.clone());
        async move {
            if ended {
                return Ok::<_, Error>(None);
            }
            let part = Part::Up { after, before: head };
            let items = reader.read(move |db| {
                let rows = store::entries(db, epoch, &filter, (part, CHUNK))?;
                store::items(db, epoch, rows)
            });
            let items = items.await?;
            let Some(last) = items.last() else { return Ok(None) };
            let next = (Some(last.seq), items.len() < usize::from(CHUNK));
            let mut text = Vec::new();
            for item in &items {
                serde_json::to_writer(&mut text, item).map_err(Error::internal)?;
                text.push(b'\n');
            }
            Ok(Some((Bytes::from(text), next)))
        }
    });
    Ok(HttpResponse::Ok().content_type("application/x-ndjson").streaming(lines))
}

async fn entry(reader: Reader, path: Path<String>, asked: Query<InEpoch>) -> Result<HttpResponse> {
    let (seq, epoch) = (number(&path)?, epoch(asked.0.epoch.as_deref(), reader.site.epoch)?);
    let item = reader.read(move |db| {
        let row = store::entry(db, epoch, seq)?;
        Ok(store::items(db, epoch, vec![row])?.pop())
    });
    Ok(HttpResponse::Ok().json(item.await?))
}

async fn entry_bytes(reader: Reader, path: Path<String>, asked: Query<InEpoch>) -> Result<HttpResponse> {
    let (seq, epoch) = (number(&path)?, epoch(asked.0.epoch.as_deref(), reader.site.epoch)?);
    let row = reader.read(move |db| store::entry(db, epoch, seq)).await?;
    Ok(HttpResponse::Ok()
        .content_type("application/octet-stream")
        .insert_header(file(epoch, &format!("{seq}.entry")))
        .body(row.entry))
}

/// The header under which a file of the ledger is kept by whoever fetches it.
fn file(epoch: i64, name: &str) -> (header::HeaderName, String) {
    let name = format!("attachment; filename=\"{}\"", epochs::file_name(epoch, name));
    (header::CONTENT_DISPOSITION, name)
}

async fn entry_proof(reader: Reader, path: Path<String>, asked: Query<InEpoch>) -> Result<HttpResponse> {
    let (seq, epoch) = (number(&path)?, epoch(asked.0.epoch.as_deref(), reader.site.epoch)?);
    reader.read(move |db| store::entry(db, epoch, seq).map(|_| ())).await?;
    let Voucher::Checkpoint { size, note } = voucher(&reader.site, epoch, seq).await? else {
        return Err(never_signed(epoch, seq));
    };
    let text = reader.read(move |db| {
        let proven = inclusion_proof(seq, size, |level, at| ledger::node(db, epoch, level, at))?;
        let proven = proven.ok_or_else(|| Error::not_found("entry", seq.to_string()))?;
        Ok(proof::render(&proven, &note))
    });
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header(file(epoch, &format!("{seq}.tlog-proof")))
        .body(text.await?))
}

/// What vouches for an entry: in the present epoch the newest note, which is waited for; in an earlier one its last, or
/// else the recovery that ended it.
///
/// # Errors
/// 503 where no note covers it within 3 seconds; 409 where none ever will.
pub async fn voucher(site: &Site, epoch: i64, seq: u64) -> Result<Voucher> {
    if epoch == site.epoch {
        let (size, note) = covering(site, seq).await?;
        return Ok(Voucher::Checkpoint { size, note });
    }
    let found = site.readers.read(move |db| epochs::one(db, epoch)?.voucher(db, seq)).await?;
    found.ok_or_else(|| never_signed(epoch, seq))
}

fn never_signed(epoch: i64, seq: u64) -> Error {
    let [epoch, next] = [epoch, epoch + 1].map(|epoch| epoch.to_string());
    Error::conflict("never-signed").arg("seq", seq.to_string()).arg("epoch", epoch).arg("next", next)
}

/// Up to which size an epoch is vouched for.
async fn vouched(site: &Site, epoch: i64) -> Result<u64> {
    if epoch == site.epoch {
        return Ok(site.signing.newest().map_or(0, |(size, _)| size));
    }
    let found = site.readers.read(move |db| {
        let (signed, declared) = (ledger::last_checkpoint(db, epoch)?, epochs::one(db, epoch)?.declared(0));
        Ok(signed.map_or(0, |(size, _)| size).max(declared.map_or(0, |declared| declared.size())))
    });
    found.await
}

/// The newest note where it covers the entry, else the next one that does.
///
/// # Errors
/// 503 when none does within 3 seconds.
pub async fn covering(site: &Site, seq: u64) -> Result<(u64, String)> {
    match site.signing.newest().filter(|(size, _)| *size > seq) {
        Some(signed) => Ok(signed),
        None => site.signing.covering(seq).await,
    }
}

#[derive(Debug, Deserialize)]
struct Sizes {
    from: Option<String>,
    to: Option<String>,
    epoch: Option<String>,
}

async fn consistency(reader: Reader, sizes: Query<Sizes>) -> Result<HttpResponse> {
    let epoch = epoch(sizes.0.epoch.as_deref(), reader.site.epoch)?;
    let signed = vouched(&reader.site, epoch).await?;
    let size = |field: &'static str, text: &Option<String>| {
        let text = text.as_deref().ok_or_else(|| Error::invalid(field, "required"))?;
        let size = text.parse().ok().filter(|size: &u64| (1..=signed).contains(size));
        size.ok_or_else(|| Error::invalid(field, "out-of-range"))
    };
    let (from, to) = (size("from", &sizes.0.from)?, size("to", &sizes.0.to)?);
    if from > to {
        return Err(Error::invalid("from", "out-of-range"));
    }
    let proven =
        reader.read(move |db| consistency_proof(from, to, |level, at| ledger::node(db, epoch, level, at)));
    let path: Vec<String> =
        proven.await?.map_or_else(Vec::new, |proof| proof.path.iter().map(Digest::to_string).collect());
    Ok(HttpResponse::Ok().json(json!({ "from": from, "to": to, "path": path })))
}

async fn content(reader: Reader, path: Path<String>) -> Result<HttpResponse> {
    let digest =
        Digest::from_hex(path.as_bytes()).ok_or_else(|| Error::not_found("content", path.as_str()))?;
    let bytes = reader.read(move |db| ledger::content(db, digest)).await?;
    let name = format!("attachment; filename=\"{digest}\"");
    let answer = HttpResponse::Ok()
        .content_type("application/octet-stream")
        .insert_header((header::CONTENT_DISPOSITION, name))
        .insert_header((header::CACHE_CONTROL, "private, max-age=31536000, immutable"))
        .body(bytes);
    Ok(answer)
}
