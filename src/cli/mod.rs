//! The command line: one file a command. Help is in English; answers meant for programs go to standard output as one
//! JSON document under `--json`, logs to standard error.

mod accounts;
mod anchor;
mod backup;
mod demo;
mod import;
mod init;
mod key;
mod notebook;
mod pack;
mod serve;
mod show;
mod verify;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{Config, Options};
use crate::error::{Error, Result};
use crate::ledger::site::{Place, Site};
use crate::web::problem;
use crate::web::words::{Lang, Words};

/// Controlled SOPs on a hash-chained ledger, tied to orders, deviations and recalls.
///
/// Begin with `sopledger demo`: it makes a demo installation with invented records, serves it and prints its address
/// and accounts. A real installation begins with `sopledger init --admin LOGIN`, then `sopledger serve`.
#[derive(Debug, Parser)]
#[command(name = "sopledger", version, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a demo installation with invented records, serve it, print its address and accounts
    Demo(demo::Arguments),
    /// Make an empty installation with its first accounts
    Init(init::Arguments),
    /// Serve the installation
    Serve,
    /// Import documents or orders from files
    #[command(subcommand)]
    Import(import::Import),
    /// Bring the database's schema up to date
    Migrate,
    /// Make, list, disable and reset accounts
    #[command(subcommand)]
    User(accounts::User),
    /// Make, list and revoke API tokens
    #[command(subcommand)]
    Token(accounts::Token),
    /// Show the settings in force and where each comes from, secrets redacted
    Config(show::Format),
    /// Check the database against what was sealed and signed; exit 0 sound, 1 a fault, 2 could not be checked
    Verify(verify::Arguments),
    /// Make an evidence pack: a zip that is checked without network and without this program
    Pack(pack::Arguments),
    /// List, rotate and revoke the keys that sign the checkpoints
    #[command(subcommand)]
    Key(key::Key),
    /// Declare that an older or other database goes on, where the history that was signed is lost
    Recover(key::Recover),
    /// Keep an inspector's own record of a ledger: exit 0 it extends what was kept, 1 it was rewritten, 2 not compared
    Notebook(notebook::Arguments),
    /// Make a consistent copy while the service goes on
    Backup(backup::Backup),
    /// Verify a backup, then put it in the installation's place; or drill that
    Restore(backup::Restore),
    /// Move to the other database with the same ledger
    Move(backup::Move),
    /// Have an outside authority time-stamp the newest checkpoint; list and export the stamps
    Anchor(anchor::Anchor),
    /// Show the closed list of acts
    Acts(show::Format),
    /// Print the OpenAPI document of the HTTP interface
    Openapi,
}

/// Runs the command that the arguments name.
pub fn run() -> ExitCode {
    end_quietly_when_nobody_reads();
    let matches = Cli::command().get_matches();
    let Cli { options, command } = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let folder = match command {
        Command::Demo(_) => "./sopledger-demo",
        _ => "./sopledger-data",
    };
    let config = match Config::gather((&options, &matches), folder) {
        Ok(config) => config,
        Err(error) => return complain(&error),
    };
    log_to_stderr(&config);
    let done = match command {
        Command::Notebook(arguments) => return notebook::run(&config, &arguments),
        Command::Verify(arguments) => return verify::run(&config, &arguments),
        Command::Demo(arguments) => demo::run(&config, &arguments),
        Command::Import(import) => import::run(&config, import),
        Command::Init(arguments) => init::run(&config, &arguments),
        Command::Serve => serve::run(&config),
        Command::Migrate => serve::migrate(&config),
        Command::Pack(wish) => pack::run(&config, &wish),
        Command::Key(key) => key::run(&config, key),
        Command::Recover(wish) => key::recover(&config, &wish),
        Command::Backup(wish) => backup::make(&config, &wish),
        Command::Restore(wish) => backup::restore(&config, &wish),
        Command::Move(wish) => backup::transfer(&config, &wish),
        Command::Anchor(wish) => anchor::run(&config, &wish),
        Command::User(user) => accounts::user(&config, user),
        Command::Token(token) => accounts::token(&config, token),
        Command::Config(format) => show::config(&config, &format),
        Command::Acts(format) => show::acts(&format),
        Command::Openapi => show::openapi(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error),
    }
}

/// Whoever has seen enough closes the pipe (`sopledger acts | head`): that is no fault of ours.
fn end_quietly_when_nobody_reads() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panicked| {
        let told = panicked.payload_as_str().unwrap_or_default();
        if told.starts_with("failed printing to stdout") && told.contains("Broken pipe") {
            std::process::exit(0);
        }
        usual(panicked);
    }));
}

fn log_to_stderr(config: &Config) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_new(&config.log.value).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second subscriber cannot be set; the first one stays, which only tests ever see.
    let _ = match config.log_format.value.as_str() {
        "json" => builder.json().try_init(),
        _ => builder.try_init(),
    };
}

/// Says on standard error what was refused and the way out.
fn complain(error: &Error) -> ExitCode {
    let words = Words::of(Lang::En);
    eprintln!("sopledger: {}. {}", problem::title(error, words), problem::detail(error, words));
    for field in error.fields() {
        eprintln!("  {}: {}", field.field, problem::field_message(field, words));
    }
    if let Some(source) = std::error::Error::source(error) {
        eprintln!("  cause: {source}");
    }
    ExitCode::FAILURE
}

/// Opens the installation for a command that may write; what it wrote is signed before it ends.
fn with_site<T>(config: &Config, work: impl FnOnce(&Site) -> Result<T>) -> Result<T> {
    let place: Place = config.place()?;
    let site = place.open(false)?;
    let done = work(&site);
    site.close();
    done
}

/// Prints one JSON document on standard output.
fn print_json(value: &impl serde::Serialize) -> Result<()> {
    println!("{}", serde_json::to_string_pretty(value).map_err(Error::internal)?);
    Ok(())
}
