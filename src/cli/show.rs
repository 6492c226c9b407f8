//! `sopledger config`, `acts`, `openapi`: what is in force, told.

use clap::Args;
use serde_json::json;

use super::print_json;
use crate::config::Config;
use crate::error::Result;
use crate::ledger::acts;

/// How to print.
#[derive(Debug, Args)]
pub struct Format {
    /// One JSON document
    #[arg(long, env = "SOPLEDGER_JSON")]
    pub json: bool,
}

/// Prints the settings in force.
pub fn config(config: &Config, format: &Format) -> Result<()> {
    let shown = config.shown();
    if format.json {
        let settings: serde_json::Map<_, _> = shown
            .into_iter()
            .map(|(name, value, origin)| (name.to_owned(), json!({ "value": value, "origin": origin })))
            .collect();
        return print_json(&settings);
    }
    for (name, value, origin) in shown {
        println!("{name:<14} {value:<40} {}", origin.name());
    }
    if let Some(file) = &config.file {
        println!("\nfile: {}", file.display());
    }
    Ok(())
}

/// Prints the closed list of acts.
pub fn acts(format: &Format) -> Result<()> {
    if format.json {
        let acts: Vec<_> =
            acts::ALL.iter().map(|act| json!({ "act": act.name, "fields": act.fields })).collect();
        return print_json(&acts);
    }
    for act in acts::ALL {
        println!("{:<28} {}", act.name, act.fields.join(" "));
    }
    Ok(())
}

/// Prints the OpenAPI document.
pub fn openapi() -> Result<()> {
    print_json(&crate::openapi::document())
}
