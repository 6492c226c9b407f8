//! Time stamps for machines.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde_json::Value;

use super::witness::Witness;
use crate::error::{Error, Result};
use crate::ledger::anchor::{self, Anchor, Part};
use crate::ledger::lane::Actor;
use crate::ledger::site::Site;
use crate::people::desk::{Desk, Reader};
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::web::paging::{Page, Paging};
use crate::web::query::Query;

/// The feature's routes for machines.
pub fn routes() -> Vec<Route> {
    let read = Gate::May(Permission::ReadTrail);
    vec![
        Route::get("/api/v1/ledger/anchors", read, "List the time stamps over checkpoints", || web::to(list)),
        Route::post("/api/v1/ledger/anchors", read, "Have the newest checkpoint stamped", || web::to(stamp)),
        Route::get(
            "/api/v1/ledger/anchors/{id}/{part}",
            read,
            "Read the note, the reply or the certificates",
            || web::to(file),
        ),
    ]
}

/// A stamp as machines get it, with the addresses of its files.
fn told(anchor: &Anchor) -> Value {
    let mut told = anchor.told();
    for (name, part) in [("note", Part::Note), ("reply", Part::Reply), ("chain", Part::Chain)] {
        told[name]["href"] = address(anchor, part).into();
    }
    told
}

/// Where a part is read.
pub fn address(anchor: &Anchor, part: Part) -> String {
    format!("/api/v1/ledger/anchors/{}/{}", anchor.id, part.code())
}

/// A piece of the list, the newest first.
///
/// # Errors
/// 422 for a cursor or limit that is none.
pub async fn piece(reader: &Reader, paging: &Paging) -> Result<Page<Anchor>> {
    let (limit, before) = (paging.limit()?, paging.after::<(i64, i64)>()?);
    let rows = reader.read(move |db| anchor::list(db, before, i64::from(limit) + 1)).await?;
    Page::cut(rows, limit, |anchor| (anchor.epoch, anchor.entries))
}

async fn list(reader: Reader, paging: Query<Paging>) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(piece(&reader, &paging.0).await?.map(|anchor| told(&anchor))))
}

/// Stamps on a thread that may wait.
///
/// # Errors
/// As [`Witness::stamp`].
pub async fn stamp_now(site: web::Data<Site>, witness: web::Data<Witness>, actor: Actor) -> Result<Anchor> {
    web::block(move || witness.stamp(&site, &actor)).await.map_err(Error::internal)?
}

async fn stamp(desk: Desk, witness: web::Data<Witness>) -> Result<HttpResponse> {
    let actor = desk.caller.actor(Permission::ReadTrail)?;
    let anchor = stamp_now(desk.site.clone(), witness, actor).await?;
    let location = address(&anchor, Part::Reply);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(told(&anchor)))
}

async fn file(reader: Reader, path: web::Path<(String, String)>) -> Result<HttpResponse> {
    let (id, part) = path.into_inner();
    let part = Part::from_code(&part).ok_or_else(|| Error::not_found("anchor", part.as_str()))?;
    let (anchor, bytes) = reader
        .read(move |db| {
            let anchor = anchor::one(db, &id)?.ok_or_else(|| Error::not_found("anchor", id.as_str()))?;
            let bytes = anchor::file(db, &anchor, part)?;
            Ok((anchor, bytes))
        })
        .await?;
    let media = match part {
        Part::Note => "text/plain; charset=utf-8",
        Part::Reply => "application/timestamp-reply",
        Part::Chain => "application/x-pem-file",
    };
    let name = format!("attachment; filename=\"{}\"", anchor.file_name(part));
    Ok(HttpResponse::Ok()
        .content_type(media)
        .insert_header((header::CONTENT_DISPOSITION, name))
        .insert_header((header::CACHE_CONTROL, "private, max-age=31536000, immutable"))
        .body(bytes))
}
