//! Time stamps for people.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::api;
use super::views::AnchorsPage;
use super::witness::Witness;
use crate::error::Result;
use crate::ledger::site::Site;
use crate::people::desk::{Desk, Reader};
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::people::view::View;
use crate::web::form::Form;
use crate::web::page::{page, see_other_with};
use crate::web::paging::{Page, Paging};
use crate::web::problem;
use crate::web::query::Query;

const SECTION: &str = "/trail";
const ADDRESS: &str = "/trail/anchors";

/// The feature's pages.
pub fn routes() -> Vec<Route> {
    let read = Gate::May(Permission::ReadTrail);
    vec![Route::get(ADDRESS, read, "", || web::to(list)), Route::post(ADDRESS, read, "", || web::to(stamp))]
}

async fn list(
    view: View,
    reader: Reader,
    witness: web::Data<Witness>,
    paging: Query<Paging>,
) -> Result<HttpResponse> {
    let rows = api::piece(&reader, &paging.0).await?;
    Ok(page(&shown(&view, (&reader.site, &witness), rows), StatusCode::OK))
}

fn shown(
    view: &View,
    (site, witness): (&Site, &Witness),
    rows: Page<crate::ledger::anchor::Anchor>,
) -> AnchorsPage {
    AnchorsPage {
        frame: view.frame(view.words.t("anchor-title"), SECTION),
        every: witness.every().0,
        signed: site.signing.newest().map_or(0, |(size, _)| size),
        trouble: witness.trouble(),
        refused: None,
        anchors: rows.items,
        next: rows.next,
    }
}

#[derive(Debug, Deserialize)]
struct Nothing {}

async fn stamp(
    view: View,
    desk: Desk,
    witness: web::Data<Witness>,
    _form: Form<Nothing>,
) -> Result<HttpResponse> {
    let actor = desk.caller.actor(Permission::ReadTrail)?;
    match api::stamp_now(desk.site.clone(), witness.clone(), actor).await {
        Ok(_) => Ok(see_other_with(ADDRESS, "anchor-made")),
        Err(error) => {
            let status = problem::status(&error);
            if status == StatusCode::INTERNAL_SERVER_ERROR {
                return Err(error);
            }
            let rows = desk.read(|db| crate::ledger::anchor::list(db, None, 50)).await?;
            let mut refused = shown(&view, (&desk.site, &witness), Page { items: rows, next: None });
            refused.frame = refused.frame.failed();
            refused.refused = Some(problem::detail(&error, view.words));
            Ok(page(&refused, status))
        }
    }
}
