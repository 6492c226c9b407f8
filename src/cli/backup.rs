//! `sopledger backup`, `restore` and `move`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{print_json, with_site};
use crate::app::GOVERNED;
use crate::backup::{self, Wish};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::ledger::lane::Actor;
use crate::ledger::site::Place;
use crate::store::Target;

/// Where a backup goes.
#[derive(Debug, Args)]
pub struct Backup {
    /// The file to make; FILE.signer beside it takes the key and the signer's state: keep the two apart, since whoever
    /// restores both together can have an old state pass for the present one
    file: PathBuf,
    /// One JSON document
    #[arg(long, env = "SOPLEDGER_JSON")]
    json: bool,
}

/// What is restored, and how.
#[derive(Debug, Args)]
pub struct Restore {
    /// The backup
    file: PathBuf,
    /// Key and signer's state (FILE.signer), where this folder has none left
    #[arg(long, value_name = "FILE", env = "SOPLEDGER_SIGNER")]
    signer: Option<PathBuf>,
    /// Restore beside the installation, verify, throw away, and note the outcome in the ledger
    #[arg(long, env = "SOPLEDGER_DRILL")]
    drill: bool,
    /// Take a backup that is behind what was signed: nothing can be written afterwards until a recovery is declared
    #[arg(long, env = "SOPLEDGER_ALTHOUGH_BEHIND", conflicts_with = "drill")]
    although_behind: bool,
    /// One JSON document
    #[arg(long, env = "SOPLEDGER_JSON")]
    json: bool,
}

/// Where an installation moves to.
#[derive(Debug, Args)]
pub struct Move {
    /// `postgres://…`, an empty database; or `sqlite` for the embedded one in the folder
    #[arg(long, value_name = "URL", env = "SOPLEDGER_TO", hide_env_values = true)]
    to: String,
    /// One JSON document
    #[arg(long, env = "SOPLEDGER_JSON")]
    json: bool,
}

/// Makes a backup while the service goes on.
pub fn make(config: &Config, wish: &Backup) -> Result<()> {
    let made = with_site(config, |site| backup::make(site, &wish.file, &Actor::cli()))?;
    let said = &made.description;
    if wish.json {
        return print_json(&json!({
            "file": made.file, "signer": made.signer, "sha256": made.sha256.to_string(), "size": made.size,
            "origin": said.origin, "entries": said.entries, "made_at": said.made_at, "rows": said.rows,
        }));
    }
    println!("{}: {} entries of {}, {} bytes", made.file.display(), said.entries, said.origin, made.size);
    println!("  sha256 {}", made.sha256);
    match made.signer {
        Some(signer) => println!("{}: key and signer's state; keep it elsewhere", signer.display()),
        None => println!("This folder holds no key: back up the node that signs, too"),
    }
    Ok(())
}

/// Restores, or drills.
pub fn restore(config: &Config, wish: &Restore) -> Result<()> {
    if wish.drill {
        return drill(config, wish);
    }
    let place = config.place()?;
    let what =
        Wish { file: &wish.file, signer: wish.signer.as_deref(), although_behind: wish.although_behind };
    let done = backup::restore(&place, what, &Actor::cli(), GOVERNED)?;
    if wish.json {
        return print_json(&json!({
            "origin": done.description.origin, "entries": done.description.entries, "replaced": done.replaced,
            "behind": done.behind, "report": done.report,
        }));
    }
    println!("Restored {} entries of {}, verified before", done.description.entries, done.description.origin);
    if let Some(replaced) = done.replaced {
        println!("What was there before is kept as {replaced}");
    }
    if done.behind {
        println!("It is behind what was signed: nothing can be written until a recovery is declared");
    }
    Ok(())
}

fn drill(config: &Config, wish: &Restore) -> Result<()> {
    let done = with_site(config, |site| backup::drill(site, &wish.file, &Actor::cli(), GOVERNED))?;
    if wish.json {
        print_json(&json!({
            "origin": done.description.origin, "entries": done.description.entries, "good": done.is_good(),
            "seconds": done.seconds, "report": done.report,
        }))?;
    } else {
        println!(
            "{} entries restored and verified in {} s: {}",
            done.description.entries,
            done.seconds,
            if done.is_good() { "sound" } else { "NOT sound" }
        );
    }
    if done.is_good() { Ok(()) } else { Err(Error::conflict("drill-failed")) }
}

/// Moves to the other database.
pub fn transfer(config: &Config, wish: &Move) -> Result<()> {
    let place: Place = config.place()?;
    let to = match wish.to.as_str() {
        "sqlite" => Target::Sqlite(place.folder.database()),
        url => Target::from_url(url)?,
    };
    let done = backup::transfer(&place, &to, &Actor::cli(), GOVERNED)?;
    if wish.json {
        return print_json(&json!({ "origin": done.origin, "entries": done.entries, "report": done.report }));
    }
    println!("Moved {} entries of {}; root and proofs are the same", done.entries, done.origin);
    println!(
        "Serve it from now on with the new database; the old one is unchanged and will not be served any more"
    );
    Ok(())
}
