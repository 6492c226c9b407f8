//! `sopledger demo`: the main job in one step, with invented records.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use chrono::Utc;
use clap::Args;

use super::serve;
use crate::anchors::{Authority, Witness};
use crate::config::Config;
use crate::demo::{self, Seeded, Seeding};
use crate::error::{Error, Result};
use crate::people::password;

/// The demo's password.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Everybody's password in a demo that is made now [default: made and printed]
    #[arg(long, env = "SOPLEDGER_PASSWORD", hide_env_values = true)]
    password: Option<String>,
}

/// The file that keeps the password of a demo, so that the next start can print it: for its owner's eyes only.
const KEPT: &str = "demo-password";

/// Makes the demo where there is none, goes on with what is there, and serves it.
pub fn run(config: &Config, arguments: &Arguments) -> Result<()> {
    let place = config.place()?;
    let listener = serve::listen(config)?;
    let folder = place.folder.path();
    let kept = std::fs::read_to_string(folder.join(KEPT)).ok();
    let secret = match (&kept, &arguments.password) {
        (Some(kept), _) => kept.trim().to_owned(),
        (None, Some(given)) => given.clone(),
        (None, None) => password::generate(),
    };
    if kept.is_none() {
        if secret.is_empty() {
            return Err(Error::invalid("password", "required"));
        }
        std::fs::create_dir_all(folder)?;
        keep(&folder.join(KEPT), &secret)?;
    }
    let today = Utc::now().with_timezone(&place.zone).date_naive();
    let seeded = demo::seed(&place, &Seeding { password: &secret, today, most: None })?;
    if seeded == Seeded::Already && arguments.password.as_ref().is_some_and(|given| *given != secret) {
        eprintln!("The demo in {} was made with another password, which stays.", folder.display());
    }
    if seeded == Seeded::Now {
        drop(listener);
        return serve_afresh();
    }
    place.check_safety()?;
    let people = demo::people()?;
    let witness = Witness::new(Authority::configured(config)?);
    serve::serve(config, place.open(true)?, (listener, witness), serve::schedule(config), |address| {
        println!("Demo installation in {}: every record in it is invented.", folder.display());
        println!("Accounts, all with the password  {secret}");
        for person in &people {
            println!("  {:<10} {:<12} {}", person.login, person.role.code(), person.name);
        }
        println!("Serving http://{address}");
    })
}

/// Starts this program again in its own place, which then finds the demo made: what the making took of memory goes, and
/// what serves is what serves on every later day.
fn serve_afresh() -> Result<()> {
    let program = std::env::current_exe()?;
    let error = std::process::Command::new(program).args(std::env::args_os().skip(1)).exec();
    Err(Error::internal(error))
}

fn keep(path: &Path, secret: &str) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(Error::from)?;
    writeln!(file, "{secret}")?;
    file.sync_all().map_err(Error::from)
}
