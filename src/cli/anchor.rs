//! `sopledger anchor`: have the newest checkpoint stamped now, list the stamps, write their files.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{print_json, with_site};
use crate::anchors::{Authority, Witness};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::ledger::anchor;
use crate::ledger::lane::Actor;
use crate::store::Purpose;

/// What to do with time stamps; without a word, the newest checkpoint is stamped now.
#[derive(Debug, Args)]
pub struct Anchor {
    #[command(subcommand)]
    wish: Option<Wish>,
    /// One JSON document
    #[arg(long, global = true, env = "SOPLEDGER_JSON")]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Wish {
    /// List the stamps, the newest first
    List,
    /// Write note, reply and certificates of every stamp into a folder, for `openssl ts -verify`
    Export {
        /// The folder; files that are there already are not overwritten
        folder: PathBuf,
    },
}

/// Runs the command.
pub fn run(config: &Config, wish: &Anchor) -> Result<()> {
    match &wish.wish {
        None => stamp(config, wish.json),
        Some(Wish::List) => list(config, wish.json),
        Some(Wish::Export { folder }) => export(config, folder, wish.json),
    }
}

fn stamp(config: &Config, as_json: bool) -> Result<()> {
    let witness = Witness::new(Authority::configured(config)?);
    match with_site(config, |site| witness.stamp(site, &Actor::cli())) {
        Ok(anchor) if as_json => print_json(&anchor.told()),
        Ok(anchor) => {
            println!(
                "Entries #0 to #{} stamped at {} by {} (serial {})",
                anchor.entries - 1,
                anchor.stamped_at,
                anchor.authority,
                anchor.serial
            );
            Ok(())
        }
        Err(error) if error.code() == "nothing-to-anchor" && !as_json => {
            println!("Nothing was written since the last stamp; none was asked for");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

fn list(config: &Config, as_json: bool) -> Result<()> {
    let place = config.place()?;
    place.check()?;
    let anchors = anchor::list(&mut place.target.open(Purpose::Read)?, None, i64::MAX)?;
    if as_json {
        let items: Vec<_> = anchors.iter().map(anchor::Anchor::told).collect();
        return print_json(&json!({ "items": items }));
    }
    for anchor in anchors {
        let epoch = if anchor.epoch == 1 { String::new() } else { format!(" of epoch {}", anchor.epoch) };
        println!("#0 to #{}{epoch}  {}  {}", anchor.entries - 1, anchor.stamped_at, anchor.authority);
    }
    Ok(())
}

fn export(config: &Config, folder: &std::path::Path, as_json: bool) -> Result<()> {
    let place = config.place()?;
    let head = place.check()?;
    std::fs::create_dir_all(folder)?;
    let mut written = Vec::new();
    let mut db = place.target.open(Purpose::Read)?;
    for epoch in 1..=head.epoch {
        let folder = if epoch == 1 { folder.to_owned() } else { folder.join(format!("epoch-{epoch}")) };
        anchor::files(&mut db, epoch, u64::MAX, |name, bytes| {
            std::fs::create_dir_all(&folder)?;
            let path = folder.join(name);
            match std::fs::File::create_new(&path) {
                Ok(mut file) => {
                    std::io::Write::write_all(&mut file, &bytes)?;
                    written.push(path);
                }
                // A note and its reply never change; a chain may have grown.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                    if std::fs::read(&path)? != bytes {
                        let path = path.display().to_string();
                        return Err(Error::conflict("anchor-file-differs").arg("file", path));
                    }
                }
                Err(error) => return Err(error.into()),
            }
            Ok(())
        })?;
    }
    if as_json {
        return print_json(&json!({ "written": written }));
    }
    println!("{} files written to {}", written.len(), folder.display());
    Ok(())
}
