//! `sopledger init`: an empty installation with its first accounts.

use std::io::BufRead as _;

use clap::Args;
use serde_json::json;

use super::print_json;
use super::show::Format;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::ledger::digest::Digest;
use crate::ledger::site::{Place, Site};
use crate::people::accounts::{self, NewAccount};
use crate::people::password;
use crate::people::rights::Role;
use crate::store::{self, Purpose};

/// The first accounts and the ledger's name.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Login of the first administrator
    #[arg(long, env = "SOPLEDGER_ADMIN")]
    admin: String,
    /// Login of the first QA account, which signs the roles of all others
    #[arg(long, env = "SOPLEDGER_QA")]
    qa: Option<String>,
    /// The ledger's name, for ever: [a-z0-9./-] [default: sopledger.local/<random>]
    #[arg(long, env = "SOPLEDGER_ORIGIN")]
    origin: Option<String>,
    /// Read the passwords from standard input, one a line, administrator's first; else they are made and printed once
    #[arg(long, env = "SOPLEDGER_PASSWORD_STDIN")]
    password_stdin: bool,
    #[command(flatten)]
    format: Format,
}

/// Makes the installation.
pub fn run(config: &Config, arguments: &Arguments) -> Result<()> {
    let mut first = vec![(arguments.admin.as_str(), Role::Admin)];
    first.extend(arguments.qa.as_deref().map(|login| (login, Role::Qa)));
    let mut accounts = Vec::new();
    let mut lines = std::io::stdin().lock().lines();
    for (login, role) in first {
        crate::people::record::acceptable_login(login)?;
        let (secret, made) = if arguments.password_stdin {
            let line = lines.next().transpose()?.ok_or_else(|| Error::invalid("password", "required"))?;
            (line, false)
        } else {
            (password::generate(), true)
        };
        password::acceptable("password", &secret, login)?;
        accounts.push((login.to_owned(), role, secret, made));
    }
    let place = config.place()?;
    create(&place, arguments.origin.as_deref())?;
    place.check_safety()?;
    let site = place.open(false)?;
    let done = make(&site, &accounts);
    site.close();
    done?;
    if arguments.format.json {
        let accounts = accounts.iter().map(|(login, role, secret, made)| {
            json!({ "login": login, "role": role.code(), "password": made.then_some(secret) })
        });
        return print_json(&json!({
            "origin": site.origin,
            "folder": place.folder.path(),
            "key": place.folder.key(),
            "accounts": accounts.collect::<Vec<_>>(),
        }));
    }
    println!("Installation {} in {}", site.origin, place.folder.path().display());
    for (login, role, secret, made) in &accounts {
        let shown = if *made { secret.as_str() } else { "(as given)" };
        println!("  {:<8} {login}  password: {shown}", role.code());
    }
    println!("Keep a copy of {} elsewhere. Next: sopledger serve", place.folder.key().display());
    Ok(())
}

/// Makes the installation, or goes on with one in which an attempt that was refused or cut short left no account.
fn create(place: &Place, origin: Option<&str>) -> Result<()> {
    let random = Digest::from_bytes(crate::id::random()).to_string();
    let made = origin.map_or_else(|| format!("sopledger.local/{}", &random[..16]), str::to_owned);
    match place.create(&made) {
        Err(error) if error.code() == "installed" => {
            let head = place.check()?;
            let mut db = place.target.open(Purpose::Read)?;
            let begun =
                store::count(&mut db, "account")? == 0 && origin.is_none_or(|given| given == head.origin);
            if begun { Ok(()) } else { Err(error) }
        }
        other => other,
    }
}

/// All accounts at once: nobody could sign the roles of a second attempt.
fn make(site: &Site, accounts: &[(String, Role, String, bool)]) -> Result<()> {
    let mut first = Vec::new();
    for (login, role, secret, made) in accounts {
        let new = NewAccount {
            login: login.clone(),
            name: login.clone(),
            password_hash: password::hash(secret)?,
            must_change: *made,
            ends_at: None,
        };
        first.push((new, *role));
    }
    site.lane.write_here(move |tx| {
        first.iter().try_for_each(|(new, role)| accounts::create_first(tx, new, &[*role]).map(drop))
    })
}
