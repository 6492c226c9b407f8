//! The ledger's public face: checkpoint, key and tiles, as tlog-tiles names them. Bundles of entries are for readers
//! of the trail alone.

use actix_web::http::header;
use actix_web::web::Path;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::ledger::site::Site;
use crate::ledger::store as ledger;
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
    let key = site.signing.vkey().ok_or_else(|| Error::not_found("key", site.origin.as_str()))?;
    Ok(HttpResponse::Ok().content_type(TEXT).body(format!("{key}\n")))
}

async fn hashes(site: web::Data<Site>, path: Path<String>) -> Result<HttpResponse> {
    let tile = signed_tile(&site, &path)?;
    if tile.content == Content::Entries {
        return Err(Error::not_found("tile", path.as_str()));
    }
    let epoch = site.epoch;
    let bytes = site.readers.read(move |db| ledger::tile_hashes(db, epoch, &tile)).await?;
    Ok(answer(&tile, "public", bytes))
}

async fn bundle(site: web::Data<Site>, path: Path<String>) -> Result<HttpResponse> {
    let tile = signed_tile(&site, &format!("entries/{path}"))?;
    let epoch = site.epoch;
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
    let signed = site.signing.newest().map_or(0, |(size, _)| size);
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
