//! The trail for people.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::api::number;
use super::filter::{Asked, Filter};
use super::named::{About, Names, meant};
use super::store::{self, Part};
use super::unfold::unfold;
use super::views::{EntryPage, Epochs, Line, ListPage, act_word, acted_as, actor_word};
use crate::error::Result;
use crate::ledger::acts;
use crate::ledger::canon;
use crate::ledger::entry::parse;
use crate::ledger::epochs::{self, InEpoch, Voucher, named as epoch};
use crate::people::desk::Reader;
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::people::store as people;
use crate::people::view::View;
use crate::store::{Db, NewEntryRow};
use crate::time::Timestamp;
use crate::web::form::Typed;
use crate::web::page::page;
use crate::web::paging::Page;
use crate::web::parts::{Choice, Sheet};
use crate::web::query::Query;
use crate::web::words::Words;

pub(super) const SECTION: &str = "/trail";

pub fn routes() -> Vec<Route> {
    let read = Gate::May(Permission::ReadTrail);
    vec![
        Route::get("/trail", read, "", || web::to(list)),
        Route::get("/trail/{seq}", read, "", || web::to(entry)),
    ]
}

#[derive(Debug, Deserialize)]
struct List {
    #[serde(flatten)]
    asked: Asked,
    #[serde(flatten)]
    paging: crate::web::paging::Paging,
}

/// A row as read: the entry, and what its body and its actor's account tell.
struct Told {
    row: NewEntryRow,
    about: Option<About>,
    actor: String,
    role: String,
    reason: String,
}

async fn list(view: View, reader: Reader, query: Query<List>) -> Result<HttpResponse> {
    let List { asked, paging } = query.0;
    let typed = Typed::from_pairs([
        ("subject", asked.subject.clone().unwrap_or_default()),
        ("actor", asked.actor.clone().unwrap_or_default()),
        ("action", asked.action.clone().unwrap_or_default()),
        ("from", asked.from.clone().unwrap_or_default()),
        ("to", asked.to.clone().unwrap_or_default()),
    ]);
    let mut sheet = Sheet::new(view.words, "trail", typed);
    let mut frame = view.frame(view.words.t("trail-title"), SECTION);
    let (limit, before) = (paging.limit()?, paging.after::<i64>()?);
    let present = reader.site.epoch;
    let meant = meant_by(&reader, &asked).await?;
    let read =
        meant.filter(view.zone).and_then(|filter| Ok((epoch(asked.epoch.as_deref(), present)?, filter)));
    let of = read.as_ref().map_or(present, |(epoch, _)| *epoch);
    let (found, status) = match read {
        Ok((epoch, filter)) => (rows(&reader, (epoch, filter), (before, limit)).await?, StatusCode::OK),
        Err(error) => {
            sheet = sheet.refused(&error);
            frame = frame.failed();
            ((Page { items: Vec::new(), next: None }, 0), StatusCode::UNPROCESSABLE_ENTITY)
        }
    };
    let (rows, total) = found;
    let lines = rows.items.into_iter().map(|told| line(told, view.words, view.zone)).collect();
    let acts = choices(view.words);
    let (epochs, kept) = (Epochs { shown: of, present }, asked.kept());
    Ok(page(&ListPage { frame, sheet, acts, lines, total, next: rows.next, epochs, kept }, status))
}

/// What was asked, its subject as the ledger writes it.
async fn meant_by(reader: &Reader, asked: &Asked) -> Result<Asked> {
    let mut asked = asked.clone();
    if let Some(text) = asked.subject.take().filter(|text| !text.trim().is_empty()) {
        asked.subject = Some(reader.read(move |db| meant(db, &text)).await?);
    }
    Ok(asked)
}

fn choices(w: Words) -> Vec<Choice> {
    let choice = |act: &acts::Act| Choice { value: act.name.to_owned(), label: act_word(w, act.name) };
    acts::ALL.iter().map(choice).collect()
}

async fn rows(
    reader: &Reader,
    (epoch, filter): (i64, Filter),
    (before, limit): (Option<i64>, u16),
) -> Result<(Page<Told>, i64)> {
    let question = move |db: &mut Db| {
        let before = before.map(|seq| u64::try_from(seq).unwrap_or(0));
        let found = store::entries(db, epoch, &filter, (Part::Down { before }, limit + 1))?;
        let total = store::count(db, epoch, &filter)?;
        let page = Page::cut(found, limit, |row| row.seq)?;
        let (mut actors, mut subjects) = (HashMap::new(), Names::default());
        let Page { items, next } = page;
        let items = items.into_iter().map(|row| told(db, row, (&mut actors, &mut subjects)));
        Ok((Page { items: items.collect::<Result<_>>()?, next }, total))
    };
    reader.read(question).await
}

fn told(
    db: &mut Db,
    row: NewEntryRow,
    (actors, subjects): (&mut HashMap<String, String>, &mut Names),
) -> Result<Told> {
    let entry = parse(&row.entry).ok();
    let index = entry.and_then(|entry| canon::scan(entry.body.as_bytes()).ok()).unwrap_or_default();
    let about = subjects.about(db, &row, index.post)?;
    let role = index.actor_role.map(|role| role.into_owned()).unwrap_or_default();
    let body = entry.and_then(|entry| serde_json::from_str::<serde_json::Value>(entry.body).ok());
    let reason = body.and_then(|body| Some(body["reason"].as_str()?.to_owned())).unwrap_or_default();
    let actor = match &row.actor {
        None => String::new(),
        Some(id) => match actors.get(id) {
            Some(name) => name.clone(),
            None => {
                let name = people::person(db, id)?.name;
                actors.insert(id.clone(), name.clone());
                name
            }
        },
    };
    Ok(Told { about, actor, role, reason, row })
}

fn line(told: Told, w: Words, zone: chrono_tz::Tz) -> Line {
    let Told { row, about, actor, role, reason } = told;
    let at = Timestamp(row.ts).utc().with_timezone(&zone).format("%Y-%m-%d %H:%M:%S%.3f").to_string();
    Line {
        seq: row.seq,
        at,
        actor: actor_word(w, &actor, &role),
        role: acted_as(w, &role),
        act: act_word(w, &row.act),
        subject: about.map(|about| (about.subject.clone(), about.words(w))),
        reason,
        leaf: store::hex(&row.leaf),
    }
}

async fn entry(
    view: View,
    reader: Reader,
    path: Path<String>,
    asked: Query<InEpoch>,
) -> Result<HttpResponse> {
    let present = reader.site.epoch;
    let (seq, epoch) = (number(&path)?, epoch(asked.0.epoch.as_deref(), present)?);
    let newest = reader.site.signing.newest().filter(|_| epoch == present);
    let entry = reader.read(move |db| {
        let voucher = match newest {
            Some((size, note)) => Some(Voucher::Checkpoint { size, note }),
            None if epoch == present => None,
            None => epochs::one(db, epoch)?.voucher(db, seq)?,
        };
        unfold(db, epoch, seq, voucher.as_ref())
    });
    let entry = entry.await?;
    let frame = view.frame(view.words.one("trail-entry-title", "seq", seq.to_string()), SECTION);
    let epochs = Epochs { shown: epoch, present };
    let may_erase = reader.caller.may(Permission::Decide);
    let may_pack = reader.caller.may(Permission::TakePacks);
    Ok(page(&EntryPage { frame, may_erase, may_pack, entry, epochs }, StatusCode::OK))
}
