//! Orders for people: the list, one order, its release, and a file pasted in.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::api::{Asked, attempt, page_of, release_of, start};
use super::import::{Format, Upload};
use super::procedures::{self, Procedure};
use super::read::{self, OrderView};
use super::record::subject;
use super::retained::KEEPER;
use super::store;
use super::views::{self, ImportPage, ListPage, OrderPage};
use crate::error::{Error, Result};
use crate::jobs::{self, Job};
use crate::keeping::{Now, Retained, standing};
use crate::people::desk::{Desk, Reader};
use crate::people::gate::Caller;
use crate::people::rights::Permission;
use crate::people::store as people;
use crate::people::view::View;
use crate::web::form::{Form, Typed};
use crate::web::page::{page, see_other, see_other_with};
use crate::web::paging::{Page, Paging};
use crate::web::parts::Sheet;
use crate::web::problem::Refused;
use crate::web::query::Query;

/// Where orders stand in the top bar.
const SECTION: &str = "/orders";

/// `GET /orders`.
pub(super) async fn list(
    reader: Reader,
    view: View,
    asked: Query<Asked>,
    paging: Query<Paging>,
) -> Result<HttpResponse> {
    let asked = asked.0;
    let frame = view.frame(view.words.t("order-list"), SECTION);
    let sheet = Sheet::new(view.words, "order-filter", views::typed(&asked));
    let may_import = reader.caller.may(Permission::WriteOrders);
    let filter = match asked.filter(reader.site.zone) {
        Ok(filter) => filter,
        Err(error) => {
            let (refused, orders) = (Refused::by(error)?, Page { items: Vec::new(), next: None });
            let sheet = sheet.refused(&refused);
            return Ok(refused.page(&ListPage { frame: frame.failed(), sheet, orders, may_import }));
        }
    };
    let orders = page_of(&reader, filter, &paging.0).await?;
    Ok(page(&ListPage { frame, sheet, orders, may_import }, StatusCode::OK))
}

/// `GET /orders/{number}`.
pub(super) async fn show(reader: Reader, view: View, number: web::Path<String>) -> Result<HttpResponse> {
    let number = number.into_inner();
    let sheet = Sheet::new(view.words, "order-release", Typed::default());
    let asked = number.clone();
    let now = Now::of(&reader.site);
    let seen = reader.read(move |db| seen(db, &asked, now)).await?;
    Ok(page(&order_page(&view, seen, sheet, &reader.caller), StatusCode::OK))
}

/// What the page of an order shows, read from one state.
struct Seen {
    order: OrderView,
    procedures: Vec<Procedure>,
    digest: String,
    kept: Retained,
}

fn seen(db: &mut crate::store::Db, number: &str, now: Now) -> Result<Seen> {
    let state = store::require(db, number)?;
    let digest = crate::ledger::digest::Digest::of(&state.snapshot().to_bytes()?).to_string();
    let kept = standing::own(db, &[KEEPER], number, now)?;
    let (mut order, mut procedures) = (read::view(db, &state)?, procedures::of(db, &state)?);
    let acted = order.events.iter_mut().map(|event| &mut event.by);
    for by in acted.chain(procedures.iter_mut().map(|row| &mut row.by)).flatten() {
        if let Some(account) = people::by_login(db, by)? {
            *by = people::person(db, &account.id)?.name;
        }
    }
    Ok(Seen { order, procedures, digest, kept })
}

fn order_page(view: &View, seen: Seen, release: Sheet, caller: &Caller) -> OrderPage {
    let Seen { order, procedures, digest, kept } = seen;
    let title = view.words.one("order-title", "number", order.number.as_str());
    let frame = view.frame(title, SECTION);
    let (may_release, may_deviate) = (caller.may(Permission::Decide), caller.may(Permission::RaiseDeviation));
    OrderPage { frame, order, procedures, digest, kept, release, may_release, may_deviate }
}

/// What QA types to let an order go.
#[derive(Debug, Deserialize)]
pub(super) struct ReleaseForm {
    #[serde(default)]
    password: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    digest: String,
}

/// `POST /orders/{number}/release`.
pub(super) async fn release(
    desk: Desk,
    view: View,
    number: web::Path<String>,
    form: Form<ReleaseForm>,
) -> Result<HttpResponse> {
    let number = number.into_inner();
    let ReleaseForm { password, reason, digest } = form.fields;
    let released = match release_of(number.clone(), &reason, Some(&digest)) {
        Ok(asked) => {
            let attempt = attempt(&desk, &number).await?;
            let change = move |tx: &mut crate::ledger::lane::Tx<'_>, signer: &crate::signatures::Signer| {
                store::release(tx, &asked, signer).map(|_| ())
            };
            desk.signed(Permission::Decide, &password, attempt, change).await
        }
        Err(error) => Err(error),
    };
    match released {
        Ok(()) => Ok(see_other_with(&format!("/{}", subject_path(&number)), "order-released")),
        Err(error) => {
            let refused = Refused::by(error)?;
            let asked = number.clone();
            let now = Now::of(&desk.site);
            let seen = desk.read(move |db| seen(db, &asked, now)).await?;
            let sheet = Sheet::new(view.words, "order-release", form.typed).refused(&refused);
            let mut shown = order_page(&view, seen, sheet, &desk.caller);
            shown.frame = shown.frame.failed();
            Ok(refused.page(&shown))
        }
    }
}

fn subject_path(number: &str) -> String {
    subject(number).to_string().replacen("order/", "orders/", 1)
}

/// `GET /orders/import`.
pub(super) async fn import_form(_reader: Reader, view: View) -> Result<HttpResponse> {
    let typed = Typed::from_pairs([("format", "csv")]);
    Ok(page(&import_page(&view, Sheet::new(view.words, "order-import", typed)), StatusCode::OK))
}

fn import_page(view: &View, sheet: Sheet) -> ImportPage {
    let formats = views::formats(view.words);
    ImportPage { frame: view.frame(view.words.t("order-import"), SECTION), sheet, formats }
}

/// What is pasted into the page.
#[derive(Debug, Deserialize)]
pub(super) struct ImportForm {
    #[serde(default)]
    format: String,
    #[serde(default)]
    text: String,
}

/// `POST /orders/import`.
pub(super) async fn import(desk: Desk, view: View, form: Form<ImportForm>) -> Result<HttpResponse> {
    let ImportForm { format, text } = form.fields;
    let format = match format.as_str() {
        "csv" => Ok(Format::Csv),
        "ndjson" => Ok(Format::Ndjson),
        _ => Err(Error::invalid("format", "unknown-code")),
    };
    let opened = format.and_then(|format| {
        crate::web::input::text("text", &text, usize::MAX)?;
        Upload::open(text.as_bytes(), format)
    });
    let actor = desk.caller.actor(Permission::WriteOrders)?;
    let job = Job::new("orders.import", &desk.caller.id, desk.site.clock.now());
    let kept = job.clone();
    let accepted = match opened {
        Ok(upload) => desk.write(move |tx| jobs::insert(tx, &kept)).await.map(|()| upload),
        Err(error) => Err(error),
    };
    match accepted {
        Ok(upload) => {
            start(desk.site.clone(), &job, view.words, (upload, actor))?;
            Ok(see_other(&format!("/jobs/{}", job.id)))
        }
        Err(error) => {
            let refused = Refused::by(error)?;
            let sheet = Sheet::new(view.words, "order-import", form.typed).refused(&refused);
            let mut shown = import_page(&view, sheet);
            shown.frame = shown.frame.failed();
            Ok(refused.page(&shown))
        }
    }
}
