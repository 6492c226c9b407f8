//! `sopledger pack`: evidence to take away.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{print_json, with_site};
use crate::config::Config;
use crate::error::Result;
use crate::ledger::lane::Actor;
use crate::packs::{self, Asked, Sight, Steps};
use crate::pdf::Press;

/// What goes into a pack, and where the pack goes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Records, kind/number: document/SOP-CS-001 (all versions), document/SOP-CS-001/2.0, order/80012345, deviation/…,
    /// recall/…
    #[arg(env = "SOPLEDGER_SUBJECTS", value_delimiter = ',')]
    subjects: Vec<String>,
    /// The zip to make
    #[arg(long, value_name = "FILE", env = "SOPLEDGER_OUT")]
    out: PathBuf,
    /// Instead of records: all entries from this day or instant on
    #[arg(long, value_name = "WHEN", env = "SOPLEDGER_FROM")]
    from: Option<String>,
    /// Up to the end of this day, or before this instant
    #[arg(long, value_name = "WHEN", env = "SOPLEDGER_TO")]
    to: Option<String>,
    /// Instead of records: the whole ledger, as tiles
    #[arg(long, env = "SOPLEDGER_FULL")]
    full: bool,
    /// Leave all personal values sealed
    #[arg(long, env = "SOPLEDGER_KEEP_SEALED")]
    keep_sealed: bool,
    /// Put a PDF/A print of each document version in
    #[arg(long, env = "SOPLEDGER_PRINTS")]
    prints: bool,
    /// What for; stands in the ledger
    #[arg(long, env = "SOPLEDGER_REASON")]
    reason: Option<String>,
    /// One JSON document
    #[arg(long, env = "SOPLEDGER_JSON")]
    json: bool,
}

/// Makes the pack; its entry is signed before the command ends.
pub fn run(config: &Config, wish: &Arguments) -> Result<()> {
    let asked = Asked {
        subjects: wish.subjects.clone(),
        from: wish.from.clone(),
        to: wish.to.clone(),
        full: wish.full,
        reason: wish.reason.clone(),
        keep_sealed: wish.keep_sealed,
        prints: wish.prints,
    };
    // Whoever holds the host's folder holds all of it.
    let asked = asked.wish(config.zone.value, Sight::Everything)?;
    let id = crate::id::new("p");
    let press = Press::find(&config.fonts(), Some(config.place()?.folder.path().join("fonts")));
    let made = with_site(config, |site| {
        packs::make((site, &press), &asked, (&id, &wish.out), &Actor::cli(), &Steps(&|_, _, _| Ok(())))
    })?;
    let pack = &made.pack;
    if wish.json {
        return print_json(&json!({
            "id": pack.id, "file": made.file, "sha256": pack.sha256, "size": pack.size, "entries": pack.entries,
            "checkpoint": pack.checkpoint, "missing": made.missing, "prints": made.prints,
        }));
    }
    println!("{}: {} entries, {} bytes", made.file.display(), pack.entries, pack.size);
    println!("  sha256 {}", pack.sha256);
    if made.missing > 0 {
        println!("  {} sealed contents are not kept: run `sopledger verify`", made.missing);
    }
    println!("Check it anywhere: python3 verify.py {}", made.file.display());
    Ok(())
}
