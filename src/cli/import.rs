//! `sopledger import documents` and `import orders`.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::{print_json, with_site};
use crate::config::Config;
use crate::documents::import::{self, FileReport};
use crate::error::{Error, Result};
use crate::ledger::lane::Actor;
use crate::orders;
use crate::web::words::{Lang, Words};

/// What to import.
#[derive(Debug, Subcommand)]
pub enum Import {
    /// Markdown files with a head: documents and drafts
    Documents {
        /// The folder
        dir: PathBuf,
        /// Login of the account that will be their author
        #[arg(long = "as", value_name = "LOGIN", env = "SOPLEDGER_AS")]
        author: String,
        /// One JSON document
        #[arg(long, env = "SOPLEDGER_JSON")]
        json: bool,
    },
    /// Orders as CSV, or as NDJSON (.ndjson, .jsonl)
    Orders {
        /// The file
        file: PathBuf,
        /// One JSON document
        #[arg(long, env = "SOPLEDGER_JSON")]
        json: bool,
    },
}

/// Runs `sopledger import …`. Ends with a failure where anything was rejected; what was taken stands.
pub fn run(config: &Config, import: Import) -> Result<()> {
    with_site(config, |site| match import {
        Import::Documents { dir, author, json } => {
            let reports = import::folder(site, &dir, &author)?;
            if json {
                print_json(&reports.iter().map(as_json).collect::<Vec<_>>())?
            } else {
                tell(&reports)
            }
            all_taken(reports.iter().filter(|report| report.outcome.is_err()).count())
        }
        Import::Orders { file, json } => {
            crate::recalls::connect();
            let report = orders::import::file(site, &file, &Actor::cli())?;
            let told = report.to_json(Words::of(Lang::En));
            if json {
                print_json(&told)?;
            } else {
                println!(
                    "{} orders: {} new, {} changed, {} unchanged, {} rejected",
                    report.orders, report.new, report.changed, report.unchanged, report.rejected_orders
                );
                for row in told["rejected"].as_array().into_iter().flatten() {
                    println!("  row {}, {}: {} ({})", row["row"], row["field"], row["message"], row["value"]);
                }
                if !report.ignored.is_empty() {
                    println!("  columns not known and left out: {}", report.ignored.join(", "));
                }
            }
            all_taken(usize::try_from(report.rejected_orders).unwrap_or(usize::MAX))
        }
    })
}

fn all_taken(rejected: usize) -> Result<()> {
    if rejected == 0 {
        Ok(())
    } else {
        Err(Error::conflict("import-rejected").arg("count", rejected.to_string()))
    }
}

fn as_json(report: &FileReport) -> serde_json::Value {
    match &report.outcome {
        Ok(taken) => json!({
            "file": report.file, "document": taken.document, "version": taken.version, "deed": taken.deed.code(),
        }),
        Err(fault) => json!({ "file": report.file, "error": fault.to_string() }),
    }
}

fn tell(reports: &[FileReport]) {
    for report in reports {
        match &report.outcome {
            Ok(taken) => {
                println!(
                    "{}: {} {} {}",
                    report.file.display(),
                    taken.document,
                    taken.version,
                    taken.deed.code()
                );
            }
            Err(fault) => println!("{}: {fault}", report.file.display()),
        }
    }
}
