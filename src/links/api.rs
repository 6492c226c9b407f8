//! Links for machines.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::read::{self, LinkView};
use super::record::{End, Relation};
use super::resolver::Resolvers;
use super::store::{self, NewLink};
use crate::error::{Error, Result};
use crate::people::desk::{Desk, Reader, Reply};
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::records::api::reason_told;
use crate::web::input;
use crate::web::json::Body;
use crate::web::paging::{Page, Paging};
use crate::web::query::Query;

/// The feature's routes for machines.
pub fn routes() -> Vec<Route> {
    let (read, write) = (Gate::May(Permission::ReadRecords), Gate::May(Permission::Link));
    vec![
        Route::get("/api/v1/links", read, "List the links at a subject", || web::to(list)),
        Route::post("/api/v1/links", write, "Tie two subjects", || web::to(create)),
        Route::post("/api/v1/links/{id}/remove", write, "Take a tie away", || web::to(remove)),
    ]
}

#[derive(Debug, Deserialize)]
struct Wanted {
    subject: Option<String>,
    #[serde(flatten)]
    paging: Paging,
}

async fn list(reader: Reader, query: Query<Wanted>) -> Result<HttpResponse> {
    let Wanted { subject, paging } = query.0;
    let subject = subject.unwrap_or_default();
    if End::parse(&subject).is_none() {
        let code = if subject.is_empty() { "required" } else { "unknown-subject" };
        return Err(Error::invalid("subject", code));
    }
    let (limit, after) = (paging.limit()?, paging.after::<(i64, String)>()?);
    let place = |link: &LinkView| (link.created_at.0, link.id.clone());
    let mut rows = reader.read(move |db| read::of(db, &subject)).await?;
    rows.retain(|link| after.as_ref().is_none_or(|after| place(link) > *after));
    Ok(HttpResponse::Ok().json(Page::cut(rows, limit, place)?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkBody {
    from: String,
    to: String,
    relation: String,
    #[serde(default)]
    reason: Option<String>,
}

async fn create(desk: Desk, resolvers: web::Data<Resolvers>, body: Body<LinkBody>) -> Result<HttpResponse> {
    let LinkBody { from, to, relation, reason } = body.0;
    let relation = input::code::<Relation>("relation", &relation)?;
    let new = NewLink { from, to, relation, reason: reason_told(reason.as_deref())? };
    let (actor, resolvers) = (desk.caller.actor(Permission::Link)?, **resolvers);
    desk.reply(move |tx| {
        let link = store::create(tx, resolvers, &actor, &new)?;
        Reply::created(format!("/api/v1/links?subject={}", link.from()), read::view(tx.read(), link)?)
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RemoveBody {
    reason: String,
}

async fn remove(desk: Desk, id: web::Path<String>, body: Body<RemoveBody>) -> Result<HttpResponse> {
    let reason = reason_told(Some(&body.0.reason))?;
    let actor = desk.caller.actor(Permission::Link)?;
    desk.reply(move |tx| {
        let link = store::remove(tx, &actor, &id, &reason)?;
        Reply::ok(read::view(tx.read(), link)?)
    })
    .await
}
