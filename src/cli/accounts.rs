//! `sopledger user …` and `sopledger token …`, for IT at the host. Roles asked for here wait for QA's signature like
//! all others.

use clap::Subcommand;

use super::with_site;
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
        #[arg(long)]
        name: String,
        /// Role to ask for: qa ra author reviewer cs integration auditor admin
        #[arg(long)]
        role: Vec<String>,
        /// An auditor's last day, YYYY-MM-DD
        #[arg(long)]
        ends_on: Option<String>,
        /// Why
        #[arg(long, default_value = "made at the command line")]
        reason: String,
    },
    /// List accounts
    List,
    /// Disable an account for good
    Disable {
        /// Its login
        login: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Set a new password, printed once
    Reset {
        /// Its login
        login: String,
        /// Why
        #[arg(long)]
        reason: String,
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
        #[arg(long)]
        label: String,
        /// Its last day, YYYY-MM-DD
        #[arg(long)]
        expires_on: String,
    },
    /// List tokens
    List,
    /// Revoke a token
    Revoke {
        /// The token's id, `t-…`
        id: String,
        /// Why
        #[arg(long)]
        reason: String,
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
        User::Add { login, name, role, ends_on, reason } => {
            let roles = role
                .iter()
                .map(|role| Role::from_code(role).ok_or_else(|| Error::invalid("role", "unknown-code")))
                .collect::<Result<Vec<_>>>()?;
            let ends_at = ends_on.map(|date| last_instant(site, "ends_on", &date)).transpose()?;
            let secret = password::generate();
            let password_hash = password::hash(&secret)?;
            let new = NewAccount { login: login.clone(), name, password_hash, must_change: true, ends_at };
            site.lane.write_here(move |tx| {
                let state = accounts::create(tx, &Actor::cli(), &new)?;
                for role in &roles {
                    accounts::request_grant(tx, &Actor::cli(), &state.account.id, (*role, &reason))?;
                }
                Ok(())
            })?;
            println!("{login}  password: {secret}  (roles wait for QA's signature)");
            Ok(())
        }
        User::List => list(site),
        User::Disable { login, reason } => {
            let id = account(site, &login)?;
            site.lane.write_here(move |tx| accounts::disable(tx, &Actor::cli(), &id, &reason).map(drop))
        }
        User::Reset { login, reason } => {
            let id = account(site, &login)?;
            let secret = password::generate();
            let hash = password::hash(&secret)?;
            site.lane
                .write_here(move |tx| accounts::reset(tx, &Actor::cli(), &id, (&hash, &reason)).map(drop))?;
            println!("{login}  password: {secret}");
            Ok(())
        }
    })
}

fn list(site: &Site) -> Result<()> {
    let people = site.readers.read_here(|db| {
        let states = store::all(db)?;
        states
            .into_iter()
            .map(|state| Ok((store::person(db, &state.account.id)?, state)))
            .collect::<Result<Vec<_>>>()
    })?;
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
        Token::Create { login, label, expires_on } => {
            let id = account(site, &login)?;
            let expires_at = last_instant(site, "expires_on", &expires_on)?;
            let (secret, hash) = sessions::secret(sessions::TOKEN_PREFIX);
            let made = site.lane.write_here(move |tx| {
                accounts::create_token(tx, &Actor::cli(), &id, (&label, hash, expires_at))
            })?;
            println!("{}  {secret}", made.id);
            Ok(())
        }
        Token::List => {
            let states = site.readers.read_here(store::all)?;
            for token in states.iter().flat_map(|state| &state.tokens) {
                let note = if token.revoked_at.is_some() { "revoked" } else { "" };
                println!(
                    "{:<36} {:<36} until {} {} {note}",
                    token.id, token.account_id, token.expires_at, token.label
                );
            }
            Ok(())
        }
        Token::Revoke { id, reason } => {
            site.lane.write_here(move |tx| accounts::revoke_token(tx, &Actor::cli(), &id, &reason))
        }
    })
}
