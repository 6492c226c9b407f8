//! Packs for machines.

use std::path::PathBuf;
use std::sync::Arc;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream;
use serde_json::{Value, json};

use super::make::{self, Made, Steps, make};
use super::record::Pack;
use super::store;
use super::wanted::{Asked, Sight, Wish};
use crate::copies::Printing;
use crate::error::{Error, Result};
use crate::jobs::{self, Job};
use crate::ledger::lane::Actor;
use crate::ledger::site::Site;
use crate::pdf::Press;
use crate::people::desk::{Desk, Reader};
use crate::people::gate::{Caller, Gate, Route};
use crate::people::rights::Permission;
use crate::web::json::Body;
use crate::web::page::words_of;
use crate::web::paging::{Page, Paging};
use crate::web::query::Query;
use crate::web::words::Words;

/// Bytes of a download in memory at once.
const PIECE: usize = 1 << 18;
/// For how long a file is kept; its record stays, and the same pack can be made again.
const KEPT: std::time::Duration = std::time::Duration::from_secs(30 * 24 * 3600);

pub fn routes() -> Vec<Route> {
    let (read, take) = (Gate::May(Permission::ReadTrail), Gate::May(Permission::TakePacks));
    vec![
        Route::get("/api/v1/packs", read, "List evidence packs that were made", || web::to(list)),
        Route::post("/api/v1/packs", take, "Make an evidence pack: 202 and a job", || web::to(create)),
        Route::get("/api/v1/packs/{id}", read, "Read what a pack is", || web::to(show)),
        Route::get("/api/v1/packs/{id}/zip", take, "Download a pack", || web::to(download)),
    ]
}

/// A pack as the API gives it.
pub fn answer(pack: &Pack) -> Value {
    json!({
        "id": pack.id,
        "scope": pack.scope,
        "subjects": pack.named(),
        "from": pack.from_at,
        "before": pack.before_at,
        "reason": pack.reason,
        "disclosed": pack.disclosed,
        "checkpoint": pack.checkpoint,
        "entries": pack.entries,
        "sha256": pack.sha256,
        "size": pack.size,
        "made_at": pack.made_at,
        "made_by": pack.made_by,
    })
}

/// One page of packs, the newest first.
pub async fn page_of(reader: &Reader, paging: &Paging) -> Result<Page<Pack>> {
    let limit = paging.limit()?;
    let after: Option<(i64, String)> = paging.after()?;
    let rows = reader.read(move |db| store::list(db, after, i64::from(limit) + 1)).await?;
    Page::cut(rows, limit, |pack| (pack.made_at.0, pack.id.clone()))
}

async fn list(reader: Reader, paging: Query<Paging>) -> Result<HttpResponse> {
    let page = page_of(&reader, &paging.0).await?;
    Ok(HttpResponse::Ok().json(page.map(|pack| answer(&pack))))
}

async fn show(reader: Reader, id: web::Path<String>) -> Result<HttpResponse> {
    let id = id.into_inner();
    let pack = reader.read(move |db| store::require(db, &id)).await?;
    Ok(HttpResponse::Ok().json(answer(&pack)))
}

async fn create(
    desk: Desk,
    request: HttpRequest,
    printing: web::Data<Printing>,
    body: Body<Asked>,
) -> Result<HttpResponse> {
    let (wish, words) = (accepted(&desk, &printing, &body.0).await?, words_of(&request));
    let job = Job::new("packs.make", &desk.caller.id, desk.site.clock.now());
    let (answer, is_ours) = jobs::accept(&desk, &job, words, jobs::insert).await?;
    if is_ours {
        start((&desk, &printing), &job, words, wish)?;
    }
    Ok(answer)
}

/// What was asked for, where there is anything to pack.
pub async fn accepted(desk: &Desk, printing: &Printing, asked: &Asked) -> Result<Wish> {
    let wish = asked.wish(desk.site.zone, Sight::of(&desk.caller))?;
    if wish.prints {
        printing.press.ready()?;
    }
    let (site, scope) = (desk.site.clone(), wish.scope.clone());
    desk.read(move |db| make::check(db, &site, &scope)).await?;
    Ok(wish)
}

/// Sets the making going; its job is kept.
pub fn start((desk, printing): (&Desk, &Printing), job: &Job, words: Words, wish: Wish) -> Result<()> {
    let press = Arc::clone(&printing.press);
    let (site, actor) = (desk.site.clone(), desk.caller.actor(Permission::TakePacks)?);
    jobs::spawn(desk.site.clone(), job, words, move |progress| {
        let steps = |phase, done, total| {
            progress.tell(phase, done, total);
            progress.go_on()
        };
        let Made { pack, prints, .. } = make_kept((&site, &press), &wish, &actor, &Steps(&steps))?;
        let entries = u64::try_from(pack.entries).unwrap_or_default();
        let mut result = answer(&pack);
        result["prints"] = json!(prints);
        result["download"] = json!(format!("/api/v1/packs/{}/zip", pack.id));
        Ok((entries, result))
    })
}

/// Makes a pack whose file stays in the folder until it is fetched.
fn make_kept((site, press): (&Site, &Press), wish: &Wish, actor: &Actor, steps: &Steps<'_>) -> Result<Made> {
    let folder = site.folder.packs();
    std::fs::create_dir_all(&folder)?;
    forget_old(&folder);
    let id = crate::id::new("p");
    let path = folder.join(format!("{id}.zip"));
    make((site, press), wish, (&id, &path), actor, steps)
}

/// Takes away files that nobody fetched for a month; what cannot be taken away stays.
fn forget_old(folder: &std::path::Path) {
    for file in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let age = file.metadata().ok().and_then(|data| data.modified().ok()?.elapsed().ok());
        if age.is_some_and(|age| age > KEPT) {
            let _ = std::fs::remove_file(file.path());
        }
    }
}

/// Whoever made a pack, and QA, who may see all that any maker may.
fn may_fetch(caller: &Caller, pack: &Pack) -> bool {
    pack.made_by == caller.id || caller.may(Permission::Decide)
}

async fn download(reader: Reader, id: web::Path<String>) -> Result<HttpResponse> {
    let id = id.into_inner();
    let asked = id.clone();
    let pack = reader.read(move |db| store::require(db, &asked)).await?;
    if !may_fetch(&reader.caller, &pack) {
        return Err(Error::forbidden("pack-not-yours"));
    }
    // The id is one of ours by now: it came out of the table.
    let path = reader.site.folder.packs().join(format!("{}.zip", pack.id));
    let opened = web::block(move || open(path)).await.map_err(Error::internal)?;
    let (file, size) = opened.map_err(|error| Error::not_found("pack", id).caused_by(error))?;
    let pieces = stream::try_unfold(file, |mut file| async move {
        let read = web::block(move || piece(&mut file).map(|bytes| (bytes, file)));
        let (bytes, file) = read.await.map_err(Error::internal)??;
        Ok::<_, Error>((!bytes.is_empty()).then_some((web::Bytes::from(bytes), file)))
    });
    let name = format!("attachment; filename=\"{}.zip\"", pack.id);
    let body = actix_web::body::SizedStream::new(size, Box::pin(pieces));
    Ok(HttpResponse::Ok()
        .content_type("application/zip")
        .insert_header((header::CONTENT_DISPOSITION, name))
        // A zip does not become smaller, and its length is worth knowing.
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .body(body))
}

fn open(path: PathBuf) -> std::io::Result<(std::fs::File, u64)> {
    let file = std::fs::File::open(path)?;
    let size = file.metadata()?.len();
    Ok((file, size))
}

fn piece(file: &mut std::fs::File) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::with_capacity(PIECE);
    file.take(PIECE as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}
