//! What comes from outside about accounts, checked before the lane: accounts to make, one's own new password.

use chrono_tz::Tz;
use serde::Deserialize;

use super::accounts::{self, NewAccount};
use super::gate::Caller;
use super::record::{self, AccountState};
use super::rights::Role;
use super::sessions::{self, Attempt};
use super::password;
use crate::error::{Error, Result};
use crate::ledger::lane::{Actor, Tx};
use crate::ledger::site::Site;
use crate::web::input::{self, Faults};

/// An account to make.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    /// Unique for ever.
    pub login: String,
    /// As printed in signatures.
    pub name: String,
    /// Made by the program where it is missing.
    pub password: Option<String>,
    /// Roles to ask for at once.
    #[serde(default)]
    pub roles: Vec<String>,
    /// An auditor's last day.
    pub ends_on: Option<String>,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// The same, checked; the password is hashed.
#[derive(Debug, Clone)]
pub struct Wanted {
    new: NewAccount,
    roles: Vec<Role>,
    reason: String,
}

/// Checks an account to make and hashes its password; returns it with the password where the program made one.
///
/// # Errors
/// 422 naming every field.
pub async fn prepare(asked: CreateUser, zone: Tz) -> Result<(Wanted, Option<String>)> {
    let mut faults = Faults::new();
    let login = faults.take(input::line("login", &asked.login, 64));
    if let Some(login) = &login {
        faults.take(record::acceptable_login(login));
    }
    let name = faults.take(input::line("name", &asked.name, 100));
    let reason = faults.take(input::optional_text("reason", Some(&asked.reason), 2000));
    let roles = asked.roles.iter().map(|role| role_of("roles", role)).collect::<Result<Vec<_>>>();
    let roles = faults.take(roles);
    let ends_on = asked.ends_on.as_deref().filter(|date| !date.trim().is_empty());
    let ends_at = faults.take(ends_on.map(|date| input::end("ends_on", date, zone)).transpose());
    let (given, made) = match asked.password {
        Some(given) => (given, None),
        None => {
            let made = password::generate();
            (made.clone(), Some(made))
        }
    };
    faults.take(password::acceptable("password", &given, login.as_deref().unwrap_or_default()));
    if roles.as_ref().is_some_and(|roles| roles.contains(&Role::Auditor)) && ends_at == Some(None) {
        faults.note("ends_on", "auditor-without-end");
    }
    let all = (login, name, reason, roles, ends_at);
    let ((Some(login), Some(name), Some(reason), Some(roles), Some(ends_at)), true) = (all, faults.is_empty())
    else {
        return Err(faults.error());
    };
    let password_hash = hashed(given).await?;
    let new = NewAccount { login, name, password_hash, must_change: true, ends_at };
    Ok((Wanted { new, roles, reason: reason.unwrap_or_default() }, made))
}

/// Makes the account and asks for its roles.
///
/// # Errors
/// 409 for a login that was ever used, or for roles that must be held alone.
pub fn admit(tx: &mut Tx<'_>, actor: &Actor, wanted: &Wanted) -> Result<AccountState> {
    let mut held: Vec<Role> = Vec::new();
    for role in &wanted.roles {
        record::may_ask_for(*role, &held)?;
        held.push(*role);
    }
    let mut state = accounts::create(tx, actor, &wanted.new)?;
    for role in &wanted.roles {
        state = accounts::request_grant(tx, actor, &state.account.id, (*role, &wanted.reason))?.0;
    }
    tx.settle()?;
    Ok(state)
}

/// The role of this code.
///
/// # Errors
/// 422 at `field`.
pub fn role_of(field: &str, code: &str) -> Result<Role> {
    let missing = if code.is_empty() { "required" } else { "unknown-code" };
    Role::from_code(code).ok_or_else(|| Error::invalid(field, missing))
}

/// Changes a person's own password, the old one given again.
///
/// # Errors
/// 403 `password`; 422 for a new one that will not do; 429.
pub async fn own_password(site: &Site, caller: &Caller, old: &str, new: &str) -> Result<()> {
    if caller.session.is_none() {
        return Err(Error::forbidden("token-cannot-sign"));
    }
    password::acceptable("new", new, &caller.login)?;
    if old == new {
        return Err(Error::invalid("new", "password-same"));
    }
    let attempt = Attempt { subject: record::subject(&caller.id), meaning: "password" };
    let who = (&caller.account, caller.login.as_str());
    sessions::confirm(site, who, old, (caller.own_actor(), attempt)).await?;
    let (new, actor, session) = (new.to_owned(), caller.own_actor(), caller.session);
    let hash = hashed(new).await?;
    site.lane.write(move |tx| accounts::change_password(tx, &actor, &hash, session)).await?;
    Ok(())
}

/// Hashes a password on a thread that may wait.
///
/// # Errors
/// The hash cannot be made.
pub async fn hashed(password: String) -> Result<String> {
    tokio::task::spawn_blocking(move || password::hash(&password)).await.map_err(Error::internal)?
}
