//! Accounts: the list, one of them, a new one.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::people::desk::{Desk, Reader};
use crate::people::gate::{Caller, Gate, Route};
use crate::people::intake::{self, CreateUser};
use crate::people::read::{User, user};
use crate::people::rights::{Permission, Role};
use crate::people::store;
use crate::people::view::View;
use crate::people::views::{AccountPage, Accounts, NewAccount, Told, role_choices, state_choices};
use crate::web::form::{Form, Typed};
use crate::web::page::page;
use crate::web::parts::Sheet;
use crate::web::problem::Refused;
use crate::web::query::Query;

pub(super) fn routes() -> Vec<Route> {
    let (read, write) = (Gate::May(Permission::ReadAccounts), Gate::May(Permission::Administer));
    vec![
        Route::get("/accounts", read, "", || web::to(list)),
        Route::get("/accounts/new", write, "", || web::to(new)),
        Route::post("/accounts/new", write, "", || web::to(create)),
        Route::get("/accounts/{id}", read, "", || web::to(show)),
    ]
}

#[derive(Debug, Default, Deserialize)]
struct Filter {
    #[serde(default)]
    q: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    state: String,
}

impl Filter {
    fn lets_through(&self, user: &User) -> bool {
        let wanted = self.q.trim().to_lowercase();
        let text = user.login.contains(&wanted) || user.name.to_lowercase().contains(&wanted);
        let held = |role: &Role| role.code() == self.role;
        let asked = user.grants.iter().any(|grant| grant.state == "requested" && grant.role == self.role);
        let role = self.role.is_empty() || asked || user.roles.iter().any(held);
        text && role && (self.state.is_empty() || self.state == user.state)
    }
}

async fn list(view: View, reader: Reader, filter: Query<Filter>) -> Result<HttpResponse> {
    let now = view.now();
    let all = reader.read(move |db| {
        let states = store::all(db)?;
        states.iter().map(|state| user(db, state, now)).collect::<Result<Vec<_>>>()
    });
    let (filter, all) = (filter.0, all.await?);
    let total = i64::try_from(all.len()).map_err(Error::internal)?;
    let users: Vec<User> = all.into_iter().filter(|user| filter.lets_through(user)).collect();
    let template = Accounts {
        frame: view.frame(view.words.t("people-accounts"), "/accounts"),
        users,
        total,
        roles: role_choices(view.words),
        states: state_choices(view.words),
        filter: Typed::from_pairs([("q", filter.q), ("role", filter.role), ("state", filter.state)]),
        writes: reader.caller.may(Permission::Administer),
    };
    Ok(page(&template, StatusCode::OK))
}

async fn show(view: View, reader: Reader, id: web::Path<String>) -> Result<HttpResponse> {
    let now = view.now();
    let account = reader
        .read(move |db| {
            let state = store::require(db, &id)?;
            user(db, &state, now)
        })
        .await?;
    let caller = &reader.caller;
    let template = AccountPage {
        frame: view.frame(account.name.clone(), "/accounts"),
        writes: caller.may(Permission::Administer),
        signs: caller.may(Permission::Decide) && caller.id != account.id,
        own: caller.id == account.id,
        account,
    };
    Ok(page(&template, StatusCode::OK))
}

async fn new(view: View, caller: Caller) -> Result<HttpResponse> {
    caller.actor(Permission::Administer)?;
    Ok(page(&new_page(&view, (Typed::default(), None)), StatusCode::OK))
}

fn new_page(view: &View, (typed, error): (Typed, Option<&Error>)) -> NewAccount {
    let (mut frame, mut sheet) =
        (view.frame(view.words.t("people-new"), "/accounts"), Sheet::new(view.words, "people-new", typed));
    if let Some(error) = error {
        (frame, sheet) = (frame.failed(), sheet.refused(error));
    }
    NewAccount { frame, sheet, roles: role_choices(view.words) }
}

#[derive(Debug, Deserialize)]
struct Fields {
    #[serde(default)]
    login: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    ends_on: String,
    #[serde(default)]
    reason: String,
}

/// The account's password is shown on the answer and never again: so this POST answers with the page itself.
async fn create(view: View, desk: Desk, form: Form<Fields>) -> Result<HttpResponse> {
    let Fields { login, name, roles, ends_on, reason } = form.fields;
    let asked = CreateUser { login, name, password: None, roles, ends_on: Some(ends_on), reason };
    match make(&desk, asked).await {
        Ok((id, login, password)) => {
            let frame = view.frame(view.words.t("people-told-password"), "/accounts");
            Ok(page(
                &Told { frame, id, login, word: "people-told-password", secret: password },
                StatusCode::CREATED,
            ))
        }
        Err(error) => {
            let refused = Refused::by(error)?;
            Ok(refused.page(&new_page(&view, (form.typed, Some(&refused)))))
        }
    }
}

async fn make(desk: &Desk, asked: CreateUser) -> Result<(String, String, String)> {
    let login = asked.login.trim().to_owned();
    let (wanted, made) = intake::prepare(asked, desk.site.zone).await?;
    let actor = desk.caller.actor(Permission::Administer)?;
    let id = desk.write(move |tx| Ok(intake::admit(tx, &actor, &wanted)?.account.id)).await?;
    Ok((id, login, made.unwrap_or_default()))
}
