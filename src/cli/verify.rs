//! `sopledger verify`: reads, appends nothing to the ledger; what was found sound is noted beside the signer's state.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{complain, print_json};
use crate::app::GOVERNED;
use crate::config::Config;
use crate::error::Result;
use crate::ledger::verify::{Report, Scope, verify_scope};
use crate::packs;

/// The exit code where the check could not be done.
const NOT_CHECKED: u8 = 2;

/// What to check, and how to print it.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Check everything from the first entry on, which is also what happens without this option
    #[arg(long, env = "SOPLEDGER_FULL", conflicts_with = "new")]
    full: bool,
    /// Check only what has come since the last sound verification on this host, in time that does not depend on the
    /// ledger's length: what was done to an older entry or record stays unseen
    #[arg(long, env = "SOPLEDGER_NEW")]
    new: bool,
    /// Check an evidence pack instead, a zip or the folder it unpacks to; needs no installation
    #[arg(long, value_name = "FILE", env = "SOPLEDGER_PACK")]
    pack: Option<PathBuf>,
    /// With this verifier key instead of the one in the pack
    #[arg(long, value_name = "FILE", env = "SOPLEDGER_KEY", requires = "pack")]
    key: Option<PathBuf>,
    /// One JSON document
    #[arg(long, env = "SOPLEDGER_JSON")]
    json: bool,
}

/// Verifies, prints the report, and ends with its code.
pub fn run(config: &Config, arguments: &Arguments) -> ExitCode {
    tracing::debug!(full = !arguments.new, "verifying");
    if let Some(pack) = &arguments.pack {
        return match check_pack(pack, arguments) {
            Ok(code) => ExitCode::from(code),
            Err(error) => {
                complain(&error);
                ExitCode::from(NOT_CHECKED)
            }
        };
    }
    match check(config, arguments) {
        Ok(report) => ExitCode::from(report.exit_code()),
        Err(error) => {
            complain(&error);
            ExitCode::from(NOT_CHECKED)
        }
    }
}

fn check(config: &Config, arguments: &Arguments) -> Result<Report> {
    let place = config.place()?;
    place.check_for_verification()?;
    let scope = if arguments.new { Scope::New } else { Scope::Whole };
    let report = verify_scope(&place.target, &place.folder, GOVERNED, (scope, &|_, _| Ok(())))?;
    if arguments.json {
        print_json(&report)?;
    } else {
        print!("{report}");
    }
    Ok(report)
}

fn check_pack(pack: &std::path::Path, arguments: &Arguments) -> Result<u8> {
    let report = packs::verify::verify(pack, arguments.key.as_deref())?;
    if arguments.json {
        print_json(&report)?;
    } else {
        print!("{}: {report}", pack.display());
    }
    Ok(report.exit_code())
}
