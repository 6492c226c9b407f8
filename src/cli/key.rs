//! `sopledger key …` and `sopledger recover`, for IT at the host that signs.

use std::io::BufRead as _;

use clap::{Args, Subcommand};
use serde_json::json;

use super::show::Format;
use super::{print_json, with_site};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::ledger::lane::Actor;
use crate::ledger::recovery;
use crate::ledger::ring::Ring;
use crate::ledger::rotation;
use crate::people::rights::{Permission, Role};
use crate::people::{sessions, store};
use crate::store::Db;
use crate::time::{Clock, Timestamp};

/// The key that signs the ledger's checkpoints.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// List the verifier keys that this node knows, newest first
    List(Format),
    /// Make a new key and announce it in the ledger; the old one signs beside it for a while
    Rotate {
        /// Why
        #[arg(long, env = "SOPLEDGER_REASON")]
        reason: String,
        /// Days for which the old key signs beside the new one
        #[arg(long, env = "SOPLEDGER_OVERLAP_DAYS", default_value_t = 30)]
        overlap_days: u16,
        #[command(flatten)]
        format: Format,
    },
    /// Say in the ledger that an older key vouches for nothing from now on
    Revoke {
        /// Its id, eight hexadecimal digits, or the whole verifier key
        key: String,
        /// Why
        #[arg(long, env = "SOPLEDGER_REASON")]
        reason: String,
        #[command(flatten)]
        format: Format,
    },
}

/// Who declares a recovery, and why.
#[derive(Debug, Args)]
pub struct Recover {
    /// Why: what was lost, and how
    #[arg(long, env = "SOPLEDGER_REASON")]
    reason: String,
    /// Login of an administrator, whose password is read from standard input, one line
    #[arg(long = "as", value_name = "LOGIN", env = "SOPLEDGER_AS")]
    login: String,
    #[command(flatten)]
    format: Format,
}

/// Runs `sopledger key …`.
pub fn run(config: &Config, key: Key) -> Result<()> {
    match key {
        Key::List(format) => list(config, &format),
        Key::Rotate { reason, overlap_days, format } => with_site(config, |site| {
            let overlap = i64::from(overlap_days) * 24 * 3600;
            let made = rotation::rotate(site, &Actor::cli(), &reason, overlap)?;
            if format.json {
                return print_json(&json!({
                    "vkey": made.vkey.to_string(), "file": made.file, "entry": made.seq,
                }));
            }
            println!("{}", made.vkey);
            println!("Announced by entry #{}; for {overlap_days} days both keys sign.", made.seq);
            println!(
                "Keep a copy of {} elsewhere, and give the folder key/ to all nodes.",
                made.file.display()
            );
            Ok(())
        }),
        Key::Revoke { key, reason, format } => with_site(config, |site| {
            let (vkey, seq) = rotation::revoke(site, &Actor::cli(), (&key, &reason))?;
            if format.json {
                return print_json(&json!({ "vkey": vkey.to_string(), "entry": seq }));
            }
            println!("Revoked by entry #{seq}: {vkey}");
            Ok(())
        }),
    }
}

fn list(config: &Config, format: &Format) -> Result<()> {
    let place = config.place()?;
    let head = place.check()?;
    let ring = Ring::load(&place.folder, &head.origin)?;
    let now = Clock::System.now();
    let known = ring.of(&head.origin).enumerate().map(|(at, known)| {
        let state = match (known.revoked, known.until) {
            (Some(seq), _) => format!("revoked by entry #{seq}"),
            (None, _) if at == 0 => "signs".to_owned(),
            (None, Some(until)) if now < until => format!("signs until {until}"),
            (None, _) => "signs no more".to_owned(),
        };
        (known.vkey.to_string(), state)
    });
    if format.json {
        let keys = known.map(|(vkey, state)| json!({ "vkey": vkey, "state": state }));
        return print_json(&keys.collect::<Vec<_>>());
    }
    for (vkey, state) in known {
        println!("{vkey}  {state}");
    }
    Ok(())
}

/// Declares a recovery.
pub fn recover(config: &Config, wish: &Recover) -> Result<()> {
    let place = config.place()?;
    place.check()?;
    place.check_safety()?;
    eprintln!("Password of {}:", wish.login);
    let secret = std::io::stdin().lock().lines().next().transpose()?.unwrap_or_default();
    let now = place.clock.now();
    let done = recovery::recover(&place, &wish.reason, |db| administrator(db, (&wish.login, &secret), now))?;
    let declared = &done.declared;
    if wish.format.json {
        return print_json(&json!({
            "origin": done.origin, "epoch": done.epoch, "vkey": done.vkey.to_string(),
            "found": declared.size, "checkpoint": declared.note,
        }));
    }
    println!("Epoch {} begins as {}", done.epoch, done.origin);
    println!("Verifier key {}", done.vkey);
    println!("Found were {} entries; lost is what this note covers beyond them:", declared.size);
    print!("{}", declared.note);
    println!("Keep a copy of the folder key/ elsewhere, and give it to all nodes.");
    Ok(())
}

/// The administrator who gives this password.
fn administrator(db: &mut Db, (login, secret): (&str, &str), now: Timestamp) -> Result<Actor> {
    let account = sessions::known_at_host(db, (login, secret), now)?;
    let person = store::person(db, &account.id)?;
    let role = Permission::Administer.granted_by(&person.roles);
    let role = role.ok_or_else(|| Error::forbidden("no-right"))?;
    Ok(Actor::account(account.id, Role::code(role)))
}
