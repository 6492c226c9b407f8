//! Links for people: the part of a record's page that shows them, and the two forms. Without script: each form is a
//! page of its own and leads back to where it was asked for.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use askama::filters::HtmlSafe;
use serde::Deserialize;

use super::read::{self, LinkView, Tie};
use super::record::Relation;
use super::resolver::Resolvers;
use super::store::{self, NewLink};
use crate::error::Result;
use crate::people::desk::{Desk, Reader};
use crate::people::gate::Caller;
use crate::people::rights::Permission;
use crate::people::view::View;
use crate::records::api::reason_told;
use crate::store::Db;
use crate::web::form::{Form, Typed};
use crate::web::input;
use crate::web::page::{Frame, local, page, percent, see_other_with};
use crate::web::parts::{Choice, Sheet};
use crate::web::problem::Refused;
use crate::web::query::Query;

/// The links of a record, inside its page.
#[derive(Template)]
#[template(path = "links/part.html")]
pub struct LinkPart<'a> {
    frame: &'a Frame,
    ties: &'a [Tie],
    subject: String,
    may_link: bool,
}

impl HtmlSafe for LinkPart<'_> {}

/// The part for a subject `kind/number[/version]`; `ties` come from [`read::ties`].
pub fn part<'a>(frame: &'a Frame, ties: &'a [Tie], (subject, reader): (&str, &Caller)) -> LinkPart<'a> {
    LinkPart { frame, ties, subject: percent(subject), may_link: reader.may(Permission::Link) }
}

impl LinkPart<'_> {
    fn relation(&self, tie: &Tie) -> String {
        let way = if tie.outward { "link-relation" } else { "link-inverse" };
        self.frame.w.t(&format!("{way}-{}", tie.link.relation)).into_owned()
    }

    fn kind(&self, tie: &Tie) -> String {
        self.frame.w.t(&format!("link-kind-{}", tie.other.kind)).into_owned()
    }

    fn href(&self, tie: &Tie) -> String {
        format!("/{}s/{}", tie.other.kind, percent(&tie.other.id))
    }

    fn back(&self) -> String {
        percent(&self.frame.path)
    }
}

/// Where a form stands in the top bar: with the page that it leads back to.
fn section(back: &str) -> String {
    local(back).to_owned()
}

#[derive(Template)]
#[template(path = "links/new.html")]
struct NewPage {
    frame: Frame,
    sheet: Sheet,
    relations: Vec<Choice>,
    back: String,
}

/// Where a form begins and leads back to.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    from: Option<String>,
    to: Option<String>,
    back: Option<String>,
}

/// `GET /links/new?from=&back=`.
pub(super) async fn ask(view: View, wanted: Query<Wanted>) -> Result<HttpResponse> {
    let Wanted { from, to, back } = wanted.0;
    let typed = [("from", from.unwrap_or_default()), ("to", to.unwrap_or_default())];
    let sheet = Sheet::new(view.words, "link", Typed::from_pairs(typed));
    let back = back.unwrap_or_default();
    let frame = view.frame(view.words.t("link-new"), section(&back));
    Ok(page(&new_page(frame, sheet, &back), StatusCode::OK))
}

fn new_page(frame: Frame, sheet: Sheet, back: &str) -> NewPage {
    let choice = |relation: Relation| Choice {
        value: relation.code().to_owned(),
        label: frame.w.t(&format!("link-relation-{}", relation.code())).into_owned(),
    };
    let relations = Relation::ALL.into_iter().map(choice).collect();
    NewPage { frame, sheet, relations, back: local(back).to_owned() }
}

/// What a person types to tie two subjects.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    from: String,
    to: String,
    relation: String,
    reason: String,
    back: String,
}

/// `POST /links`.
pub(super) async fn create(
    desk: Desk,
    view: View,
    resolvers: web::Data<Resolvers>,
    form: Form<Fields>,
) -> Result<HttpResponse> {
    let Fields { from, to, relation, reason, back } = form.fields;
    match tied(&desk, **resolvers, (from, to, relation, reason)).await {
        Ok(()) => Ok(see_other_with(local(&back), "saved")),
        Err(error) => {
            let refused = Refused::by(error)?;
            let sheet = Sheet::new(view.words, "link", form.typed).refused(&refused);
            let frame = view.frame(view.words.t("link-new"), section(&back)).failed();
            Ok(refused.page(&new_page(frame, sheet, &back)))
        }
    }
}

async fn tied(
    desk: &Desk,
    resolvers: Resolvers,
    (from, to, relation, reason): (String, String, String, String),
) -> Result<()> {
    let mut faults = input::Faults::new();
    let relation = faults.take(input::code::<Relation>("relation", &relation));
    let reason = faults.take(reason_told(Some(&reason)));
    let (Some(relation), Some(reason)) = (relation, reason) else { return Err(faults.error()) };
    let new = NewLink { from, to, relation, reason };
    let actor = desk.caller.actor(Permission::Link)?;
    desk.write(move |tx| store::create(tx, resolvers, &actor, &new).map(|_| ())).await
}

#[derive(Template)]
#[template(path = "links/remove.html")]
struct RemovePage {
    frame: Frame,
    sheet: Sheet,
    link: LinkView,
    relation: String,
    back: String,
}

fn remove_page(frame: Frame, sheet: Sheet, link: LinkView, back: &str) -> RemovePage {
    let relation = frame.w.t(&format!("link-relation-{}", link.relation)).into_owned();
    RemovePage { frame, sheet, link, relation, back: local(back).to_owned() }
}

fn one(db: &mut Db, id: &str) -> Result<LinkView> {
    let row = store::require(db, id)?;
    read::view(db, row)
}

/// `GET /links/{id}/remove?back=`.
pub(super) async fn ask_removal(
    reader: Reader,
    view: View,
    id: web::Path<String>,
    wanted: Query<Wanted>,
) -> Result<HttpResponse> {
    let link = reader.read(move |db| one(db, &id)).await?;
    let sheet = Sheet::new(view.words, "link-removal", Typed::default());
    let back = wanted.0.back.unwrap_or_default();
    let frame = view.frame(view.words.t("link-removal"), section(&back));
    Ok(page(&remove_page(frame, sheet, link, &back), StatusCode::OK))
}

/// What a person types to take a tie away.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Removal {
    reason: String,
    back: String,
}

/// `POST /links/{id}/remove`.
pub(super) async fn remove(
    desk: Desk,
    view: View,
    id: web::Path<String>,
    form: Form<Removal>,
) -> Result<HttpResponse> {
    let Removal { reason, back } = form.fields;
    let actor = desk.caller.actor(Permission::Link)?;
    let of = id.clone();
    let done = match reason_told(Some(&reason)) {
        Ok(reason) => desk.write(move |tx| store::remove(tx, &actor, &of, &reason).map(|_| ())).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(see_other_with(local(&back), "saved")),
        Err(error) => {
            let refused = Refused::by(error)?;
            let link = desk.read(move |db| one(db, &id)).await?;
            let sheet = Sheet::new(view.words, "link-removal", form.typed).refused(&refused);
            let frame = view.frame(view.words.t("link-removal"), section(&back)).failed();
            Ok(refused.page(&remove_page(frame, sheet, link, &back)))
        }
    }
}
