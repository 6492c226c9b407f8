//! The handlers of `/` and `/now`.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::now::{self, Texts};
use super::tasks;
use super::views::{Home, Now, Place};
use crate::error::Result;
use crate::health;
use crate::ledger::anchor::Every;
use crate::people::desk::Reader;
use crate::people::gate::{Gate, Route};
use crate::people::rights::{Permission, Role};
use crate::people::settings;
use crate::people::view::View;
use crate::web::page::page;
use crate::web::query::Query;

/// The feature's routes.
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/", Gate::SignedIn, "", || web::to(home)),
        Route::get("/now", Gate::May(Permission::ReadInForce), "", || web::to(look_up)),
    ]
}

#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(default)]
    q: String,
    wi: Option<String>,
}

async fn look_up(
    view: View,
    reader: Reader,
    texts: web::Data<Texts>,
    asked: Query<Asked>,
) -> Result<HttpResponse> {
    now_page(view, reader, texts, asked.0).await
}

async fn now_page(view: View, reader: Reader, texts: web::Data<Texts>, asked: Asked) -> Result<HttpResponse> {
    let asker = (&reader.caller, view.words.lang());
    let query = now::Query::new(&asked.q, asker, (asked.wi.as_deref(), view.now()));
    let read =
        reader.read(move |db| Ok((now::look_up(db, &texts, &query)?, settings::QA_ON_CALL.value(db)?)));
    let (found, on_call) = read.await?;
    let mut frame = view.frame(view.words.t("home-now"), "/now");
    // The page is a search box itself.
    frame.search = None;
    Ok(page(&Now { frame, q: asked.q.trim().to_owned(), found, on_call }, StatusCode::OK))
}

async fn home(
    view: View,
    reader: Reader,
    texts: web::Data<Texts>,
    every: web::Data<Every>,
) -> Result<HttpResponse> {
    let caller = &reader.caller;
    if caller.roles == [Role::Cs] {
        return now_page(view, reader, texts, Asked { q: String::new(), wi: None }).await;
    }
    let (asker, lang, at) = (caller.clone(), view.words.lang().tag(), view.now());
    let heaps = reader.read(move |db| tasks::of(db, &asker, (lang, at))).await?;
    let health = match caller.may(Permission::Administer) {
        true => Some(health::report(&reader.site, **every).await),
        false => None,
    };
    let template = Home {
        frame: view.frame(view.words.t("home-title"), ""),
        heaps,
        places: places(caller),
        health,
        has_roles: !caller.roles.is_empty(),
        is_system: caller.roles == [Role::Integration],
    };
    Ok(page(&template, StatusCode::OK))
}

/// Where this person goes on from here.
fn places(caller: &crate::people::gate::Caller) -> Vec<Place> {
    const PLACES: &[(&str, &str, Permission)] = &[
        ("/now", "home-place-now", Permission::ReadInForce),
        ("/documents", "home-place-documents", Permission::ReadInForce),
        ("/orders", "home-place-orders", Permission::ReadRecords),
        ("/deviations", "home-place-deviations", Permission::ReadRecords),
        ("/recalls", "home-place-recalls", Permission::ReadRecords),
        ("/retention", "home-place-retention", Permission::ReadRecords),
        ("/trail", "home-place-trail", Permission::ReadTrail),
        ("/packs", "home-place-packs", Permission::ReadTrail),
        ("/accounts", "home-place-accounts", Permission::ReadAccounts),
        ("/settings", "home-place-settings", Permission::ReadAccounts),
    ];
    let may = PLACES.iter().filter(|(.., permission)| caller.may(*permission));
    may.map(|(href, word, _)| Place { href, word }).collect()
}
