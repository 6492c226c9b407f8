//! `sopledger user …` and `sopledger token …`, for IT at the host. Roles asked for here wait for QA's signature like
//! all others.

use clap::Subcommand;
use serde_json::{Value, json};

use super::show::Format;
use super::{print_json, with_site};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::ledger::lane::Actor;
use crate::ledger::site::Site;
use crate::people::accounts::{self, NewAccount};
use crate::people::rights::Role;
use crate::people::{password, sessions, store};
use crate::time::Timestamp;

/// Accounts.
#[derive(Debug, Subcommand)]
pub enum User {
    /// Make an account; its password is printed once
    Add {
        /// What the person signs in with
        login: String,
        /// As printed in signatures
        #[arg(long, env = "SOPLEDGER_NAME")]
        name: String,
        /// Role to ask for: qa ra author reviewer cs integration auditor admin
        #[arg(long, env = "SOPLEDGER_ROLE", value_delimiter = ',')]
        role: Vec<String>,
        /// An auditor's last day, YYYY-MM-DD
        #[arg(long, env = "SOPLEDGER_ENDS_ON")]
        ends_on: Option<String>,
        /// Why
        #[arg(long, env = "SOPLEDGER_REASON", default_value = "made at the command line")]
        reason: String,
        #[command(flatten)]
        format: Format,
    },
    /// List accounts
    List(Format),
    /// Disable an account for good
    Disable {
        /// Its login
        login: String,
        /// Why
        #[arg(long, env = "SOPLEDGER_REASON")]
        reason: String,
        #[command(flatten)]
        format: Format,
    },
    /// Set a new password, printed once
    Reset {
        /// Its login
        login: String,
        /// Why
        #[arg(long, env = "SOPLEDGER_REASON")]
        reason: String,
        #[command(flatten)]
        format: Format,
    },
}

/// API tokens.
#[derive(Debug, Subcommand)]
pub enum Token {
    /// Make a token for an account; it is printed once
    Create {
        /// The account's login
        login: String,
        /// What it is for
        #[arg(long, env = "SOPLEDGER_LABEL")]
        label: String,
        /// Its last day, YYYY-MM-DD
        #[arg(long, env = "SOPLEDGER_EXPIRES_ON")]
        expires_on: String,
        #[command(flatten)]
        format: Format,
    },
    /// List tokens
    List(Format),
    /// Revoke a token
    Revoke {
        /// The token's id, `t-…`
        id: String,
        /// Why
        #[arg(long, env = "SOPLEDGER_REASON")]
        reason: String,
        #[command(flatten)]
        format: Format,
    },
}

fn account(site: &Site, login: &str) -> Result<String> {
    site.readers.read_here(|db| store::id_of_login(db, "login", login))
}

fn last_instant(site: &Site, field: &'static str, date: &str) -> Result<Timestamp> {
    Timestamp::parse_end(date, site.zone).ok_or_else(|| Error::invalid(field, "not-a-date"))
}

/// Runs `sopledger user …`.
pub fn user(config: &Config, user: User) -> Result<()> {
    with_site(config, |site| match user {
        User::Add { login, name, role, ends_on, reason, format } => {
            let (id, secret) = add(site, (&login, name), (role, ends_on, reason))?;
            let line = format!("{login}  password: {secret}  (roles wait for QA's signature)");
            tell(&format, &json!({ "id": id, "login": login, "password": secret }), &line)
        }
        User::List(format) => list(site, &format),
        User::Disable { login, reason, format } => {
            let id = account(site, &login)?;
            let told = json!({ "id": id, "login": login, "state": "disabled" });
            site.lane.write_here(move |tx| accounts::disable(tx, &Actor::cli(), &id, &reason).map(drop))?;
            tell(&format, &told, "")
        }
        User::Reset { login, reason, format } => {
            let id = account(site, &login)?;
            let secret = password::generate();
            let hash = password::hash(&secret)?;
            let told = json!({ "id": id, "login": login, "password": secret });
            site.lane
                .write_here(move |tx| accounts::reset(tx, &Actor::cli(), &id, (&hash, &reason)).map(drop))?;
            tell(&format, &told, &format!("{login}  password: {secret}"))
        }
    })
}

/// One JSON document, or a line where there is one.
fn tell(format: &Format, document: &Value, line: &str) -> Result<()> {
    if format.json {
        return print_json(document);
    }
    if !line.is_empty() {
        println!("{line}");
    }
    Ok(())
}

/// Makes an account and asks for its roles; its id and password.
fn add(
    site: &Site,
    (login, name): (&str, String),
    (role, ends_on, reason): (Vec<String>, Option<String>, String),
) -> Result<(String, String)> {
    let roles = role
        .iter()
        .map(|role| Role::from_code(role).ok_or_else(|| Error::invalid("role", "unknown-code")))
        .collect::<Result<Vec<_>>>()?;
    let ends_at = ends_on.map(|date| last_instant(site, "ends_on", &date)).transpose()?;
    let secret = password::generate();
    let password_hash = password::hash(&secret)?;
    let new = NewAccount { login: login.to_owned(), name, password_hash, must_change: true, ends_at };
    let id = site.lane.write_here(move |tx| {
        let state = accounts::create(tx, &Actor::cli(), &new)?;
        for role in &roles {
            accounts::request_grant(tx, &Actor::cli(), &state.account.id, (*role, &reason))?;
        }
        Ok(state.account.id)
    })?;
    Ok((id, secret))
}

fn list(site: &Site, format: &Format) -> Result<()> {
    let people = site.readers.read_here(|db| {
        let states = store::all(db)?;
        states
            .into_iter()
            .map(|state| Ok((store::person(db, &state.account.id)?, state)))
            .collect::<Result<Vec<_>>>()
    })?;
    if format.json {
        let told = people.iter().map(|(person, state)| {
            let roles: Vec<_> = person.roles.iter().map(|role| role.code()).collect();
            json!({
                "id": person.id, "login": person.login, "name": person.name, "roles": roles,
                "disabled": state.account.disabled,
            })
        });
        return print_json(&told.collect::<Vec<_>>());
    }
    for (person, state) in people {
        let roles: Vec<_> = person.roles.iter().map(|role| role.code()).collect();
        let note = if state.account.disabled { "disabled" } else { "" };
        println!("{:<36} {:<16} {:<20} {} {note}", person.id, person.login, roles.join(","), person.name);
    }
    Ok(())
}

/// Runs `sopledger token …`.
pub fn token(config: &Config, token: Token) -> Result<()> {
    with_site(config, |site| match token {
        Token::Create { login, label, expires_on, format } => {
            let id = account(site, &login)?;
            let expires_at = last_instant(site, "expires_on", &expires_on)?;
            let (secret, hash) = sessions::secret(sessions::TOKEN_PREFIX);
            let made = site.lane.write_here(move |tx| {
                accounts::create_token(tx, &Actor::cli(), &id, (&label, hash, expires_at))
            })?;
            let told = json!({
                "id": made.id, "label": made.label, "token": secret, "expires_at": made.expires_at,
            });
            tell(&format, &told, &format!("{}  {secret}", made.id))
        }
        Token::List(format) => list_tokens(site, &format),
        Token::Revoke { id, reason, format } => {
            let told = json!({ "id": id, "state": "revoked" });
            site.lane.write_here(move |tx| accounts::revoke_token(tx, &Actor::cli(), &id, &reason))?;
            tell(&format, &told, "")
        }
    })
}

fn list_tokens(site: &Site, format: &Format) -> Result<()> {
    let states = site.readers.read_here(store::all)?;
    let tokens = states.iter().flat_map(|state| &state.tokens);
    if format.json {
        let told = tokens.map(|token| {
            json!({
                "id": token.id, "account": token.account_id, "label": token.label,
                "expires_at": token.expires_at, "revoked_at": token.revoked_at,
            })
        });
        return print_json(&told.collect::<Vec<_>>());
    }
    for token in tokens {
        let note = if token.revoked_at.is_some() { "revoked" } else { "" };
        println!(
            "{:<36} {:<36} until {} {} {note}",
            token.id, token.account_id, token.expires_at, token.label
        );
    }
    Ok(())
}
