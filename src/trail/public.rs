//! The ledger's public face: checkpoint, key and tiles, as tlog-tiles names them. Bundles of entries are for readers
//! of the trail alone.

use actix_web::http::header;
use actix_web::web::Path;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::ledger::site::Site;
use crate::ledger::store::{self as ledger, Head};
use crate::ledger::tile::{self, Content, Tile, WIDTH};
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::store::Db;
use crate::web::query::Query;

const TEXT: &str = "text/plain; charset=utf-8";

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/ledger/checkpoint", Gate::Public, "", || web::to(checkpoint)),
        Route::get("/ledger/key", Gate::Public, "", || web::to(key)),
        Route::get("/ledger/epoch/{epoch}/checkpoint", Gate::Public, "", || web::to(old_checkpoint)),
        Route::get("/ledger/epoch/{epoch}/key", Gate::Public, "", || web::to(old_key)),
        Route::get(
            "/ledger/epoch/{epoch}/tile/entries/{path:.*}",
            Gate::May(Permission::ReadTrail),
            "",
            || web::to(old_bundle),
        ),
        Route::get("/ledger/epoch/{epoch}/tile/{path:.*}", Gate::Public, "", || web::to(old_hashes)),
        Route::get("/ledger/tile/entries/{path:.*}", Gate::May(Permission::ReadTrail), "", || {
            web::to(bundle)
        }),
        Route::get("/ledger/tile/{path:.*}", Gate::Public, "", || web::to(hashes)),
    ]
}

#[derive(Debug, Deserialize)]
struct Covers {
    covers: Option<String>,
}

async fn checkpoint(site: web::Data<Site>, query: Query<Covers>) -> Result<HttpResponse> {
    let note = match query.0.covers.as_deref() {
        Some(text) => {
            let seq = text.parse().map_err(|_| Error::invalid("covers", "malformed"))?;
            super::api::covering(&site, seq).await?.1
        }
        None => site.signing.newest().ok_or_else(|| Error::not_found("checkpoint", ""))?.1,
    };
    Ok(HttpResponse::Ok().content_type(TEXT).body(note))
}

async fn key(site: web::Data<Site>) -> Result<HttpResponse> {
    keys(&site, &site.origin)
}

/// One verifier key a line, newest first.
fn keys(site: &Site, origin: &str) -> Result<HttpResponse> {
    let keys = site.signing.vkeys(origin)?;
    if keys.is_empty() {
        return Err(Error::not_found("key", origin));
    }
    let lines: String = keys.iter().map(|key| format!("{key}\n")).collect();
    Ok(HttpResponse::Ok().content_type(TEXT).body(lines))
}

/// An epoch that a recovery has ended, or the present one: its head, and the newest note that its entries bear out.
async fn epoch_of(site: &Site, text: &str) -> Result<(Head, u64, String)> {
    let not_found = || Error::not_found("epoch", text);
    let epoch: i64 = text.parse().ok().filter(|epoch| *epoch > 0).ok_or_else(not_found)?;
    let found =
        site.readers.read(move |db| Ok(ledger::head_of(db, epoch)?.zip(ledger::last_checkpoint(db, epoch)?)));
    let (head, (size, note)) = found.await?.ok_or_else(not_found)?;
    Ok((head, size, note))
}

async fn old_checkpoint(site: web::Data<Site>, epoch: Path<String>) -> Result<HttpResponse> {
    let (_, _, note) = epoch_of(&site, &epoch).await?;
    Ok(HttpResponse::Ok().content_type(TEXT).body(note))
}

async fn old_key(site: web::Data<Site>, epoch: Path<String>) -> Result<HttpResponse> {
    let (head, ..) = epoch_of(&site, &epoch).await?;
    keys(&site, &head.origin)
}

async fn old_hashes(site: web::Data<Site>, path: Path<(String, String)>) -> Result<HttpResponse> {
    let (epoch, path) = path.into_inner();
    let (head, signed, _) = epoch_of(&site, &epoch).await?;
    hashes_of(&site, head.epoch, tile_within(signed, &path)?).await
}

async fn old_bundle(site: web::Data<Site>, path: Path<(String, String)>) -> Result<HttpResponse> {
    let (epoch, path) = path.into_inner();
    let (head, signed, _) = epoch_of(&site, &epoch).await?;
    entries_of(&site, head.epoch, tile_within(signed, &format!("entries/{path}"))?).await
}

async fn hashes(site: web::Data<Site>, path: Path<String>) -> Result<HttpResponse> {
    hashes_of(&site, site.epoch, signed_tile(&site, &path)?).await
}

async fn hashes_of(site: &Site, epoch: i64, tile: Tile) -> Result<HttpResponse> {
    if tile.content == Content::Entries {
        return Err(Error::not_found("tile", tile.to_string()));
    }
    let bytes = site.readers.read(move |db| ledger::tile_hashes(db, epoch, &tile)).await?;
    Ok(answer(&tile, "public", bytes))
}

async fn bundle(site: web::Data<Site>, path: Path<String>) -> Result<HttpResponse> {
    entries_of(&site, site.epoch, signed_tile(&site, &format!("entries/{path}"))?).await
}

async fn entries_of(site: &Site, epoch: i64, tile: Tile) -> Result<HttpResponse> {
    let bytes = site.readers.read(move |db| bundle_of(db, epoch, &tile)).await?;
    Ok(answer(&tile, "private", bytes))
}

fn bundle_of(db: &mut Db, epoch: i64, tile: &Tile) -> Result<Vec<u8>> {
    let rows = ledger::rows(db, epoch, tile.range())?;
    if rows.len() != usize::from(tile.width) {
        return Err(Error::not_found("tile", tile.to_string()));
    }
    let bytes = tile::bundle(rows.iter().map(|row| row.entry.as_slice()));
    bytes.ok_or_else(|| Error::internal("an entry is longer than a bundle holds"))
}

/// The tile of this path, where the signed size covers all of it.
fn signed_tile(site: &Site, path: &str) -> Result<Tile> {
    tile_within(site.signing.newest().map_or(0, |(size, _)| size), path)
}

fn tile_within(signed: u64, path: &str) -> Result<Tile> {
    let tile: Option<Tile> = format!("tile/{path}").parse().ok();
    tile.filter(|tile| tile.within(signed)).ok_or_else(|| Error::not_found("tile", path))
}

fn answer(tile: &Tile, whose: &str, bytes: Vec<u8>) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.content_type("application/octet-stream");
    if tile.width == WIDTH {
        answer.insert_header((header::CACHE_CONTROL, format!("{whose}, max-age=31536000, immutable")));
    }
    answer.body(bytes)
}
