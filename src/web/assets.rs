//! Style sheet, script and icons: parts of the binary, served under an address that changes with their content.
//!
//! `/assets/<hash>/<name>` may be kept for ever; another hash than the present one answers 404 rather than
//! yesterday's style. Templates ask for addresses with [`url`].

use std::collections::HashMap;
use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, web};
use rust_embed::RustEmbed;

use crate::error::{Error, Result};

#[derive(RustEmbed)]
#[folder = "templates/assets"]
struct Files;

struct Asset {
    hash: String,
    url: String,
    media: &'static str,
    bytes: web::Bytes,
}

static ALL: LazyLock<HashMap<String, Asset>> = LazyLock::new(|| {
    let mut all = HashMap::new();
    for name in Files::iter() {
        if let Some(file) = Files::get(&name) {
            let hash = hex(&file.metadata.sha256_hash()[..8]);
            let asset = Asset {
                url: format!("/assets/{hash}/{name}"),
                hash,
                media: media_type(&name),
                bytes: web::Bytes::from(file.data.into_owned()),
            };
            all.insert(name.into_owned(), asset);
        }
    }
    all
});

/// The address of the asset `name`; the empty text for one that does not exist, which a test would have found.
pub fn url(name: &str) -> &'static str {
    ALL.get(name).map_or("", |asset| &asset.url)
}

/// The routes below `/assets`, and `/favicon.ico` for those who ask without reading the page.
pub fn routes(config: &mut web::ServiceConfig) {
    config.route("/assets/{hash}/{name}", web::get().to(serve)).route("/favicon.ico", web::get().to(favicon));
}

async fn serve(request: HttpRequest, path: web::Path<(String, String)>) -> Result<HttpResponse> {
    let (hash, name) = path.into_inner();
    let asset = ALL
        .get(&name)
        .filter(|asset| asset.hash == hash)
        .ok_or_else(|| Error::not_found("asset", name.as_str()))?;
    let tag = format!("\"{hash}\"");
    let held = request.headers().get(IF_NONE_MATCH).is_some_and(|held| held.as_bytes() == tag.as_bytes());
    let mut answer = if held { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer.insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable")).insert_header((ETAG, tag));
    if held {
        return Ok(answer.finish());
    }
    Ok(answer.insert_header((CONTENT_TYPE, asset.media)).body(asset.bytes.clone()))
}

async fn favicon() -> HttpResponse {
    super::page::see_other(url("favicon.svg"))
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json" | "webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_asset_the_base_page_names_exists() {
        for name in ["app.css", "app.js", "icons.svg", "favicon.svg"] {
            assert!(url(name).starts_with("/assets/"), "{name}");
        }
    }
}
