//! `sopledger notebook`: an inspector's own record of a ledger.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Deserialize;
use serde_json::json;

use super::{complain, print_json};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::ledger::digest::Digest;
use crate::ledger::note::VerifierKey;
use crate::ledger::ring::Ring;
use crate::ledger::store as ledger;
use crate::notebook::{self, Notebook, Refusal, Seen, Shown};
use crate::store::Purpose;
use crate::time::Clock;
use crate::web::words::{Lang, Words};

/// The exit code where the check could not be done.
const NOT_CHECKED: u8 = 2;

/// The file, and where the ledger is looked at.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The notebook: begun where it is not there, compared and continued where it is
    file: PathBuf,
    /// Offline: the checkpoint that was handed over, instead of the installation's own
    #[arg(long, value_name = "NOTE", env = "SOPLEDGER_CHECKPOINT")]
    checkpoint: Option<PathBuf>,
    /// Offline: the proof of consistency, as /api/v1/ledger/consistency gives it
    #[arg(long, value_name = "FILE", env = "SOPLEDGER_PROOF", requires = "checkpoint")]
    proof: Option<PathBuf>,
    /// The verifier key, for beginning offline or where this folder has no key
    #[arg(long, value_name = "FILE", env = "SOPLEDGER_KEY")]
    key: Option<PathBuf>,
    /// One JSON document
    #[arg(long, env = "SOPLEDGER_JSON")]
    json: bool,
}

/// Compares; exit 0 accepted, 1 refused, 2 could not be compared.
pub fn run(config: &Config, arguments: &Arguments) -> ExitCode {
    match compare(config, arguments) {
        Ok((book, seen)) => tell(arguments, &book, seen),
        Err(Stop::Refused(refusal)) => refuse(arguments, &refusal),
        Err(Stop::Failed(error)) => {
            complain(&error);
            ExitCode::from(NOT_CHECKED)
        }
    }
}

enum Stop {
    Refused(Refusal),
    Failed(Error),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

fn compare(config: &Config, arguments: &Arguments) -> Result<(Notebook, Seen), Stop> {
    let book = match std::fs::read(&arguments.file) {
        Ok(bytes) => Some(Notebook::parse(&bytes)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(unreadable("file", &arguments.file, error).into()),
    };
    let at = Clock::System.now().to_string();
    let kept = book.as_ref().map(|book| book.last().size);
    let (shown, keys) = match &arguments.checkpoint {
        Some(note) => handed_over(note, arguments)?,
        None => installed(config, arguments, kept)?,
    };
    let (book, seen) = match book {
        None if keys.is_empty() => return Err(Error::invalid("key", "required").into()),
        None => (Notebook::begin(&shown.note, &keys, &at)?, Seen::First),
        Some(mut book) => {
            let seen = book.visit((&shown.note, &shown.proof), &keys, &at)?;
            (book, seen)
        }
    };
    if seen != Seen::Same {
        replace(&arguments.file, &book.to_text()).map_err(|error| Stop::Failed(error.into()))?;
    }
    Ok((book, seen))
}

/// The file is whole at every instant: a visit that breaks off leaves the old one.
fn replace(file: &Path, text: &str) -> std::io::Result<()> {
    let new = file.with_added_extension("new");
    std::fs::write(&new, text)?;
    std::fs::File::open(&new)?.sync_all()?;
    std::fs::rename(&new, file)
}

fn unreadable(field: &'static str, path: &Path, error: std::io::Error) -> Error {
    Error::invalid(field, "unreadable").caused_by(format!("{}: {error}", path.display()))
}

fn key_of(arguments: &Arguments) -> Result<Vec<VerifierKey>> {
    let Some(path) = &arguments.key else { return Ok(Vec::new()) };
    let text = std::fs::read_to_string(path).map_err(|error| unreadable("key", path, error))?;
    let keys: Option<Vec<VerifierKey>> = text.lines().map(|line| line.parse().ok()).collect();
    keys.filter(|keys| !keys.is_empty()).ok_or_else(|| Error::invalid("key", "malformed"))
}

/// `{from, to, path}` as the API gives it.
#[derive(Deserialize)]
struct Consistency {
    path: Vec<String>,
}

fn handed_over(note: &Path, arguments: &Arguments) -> Result<(Shown, Vec<VerifierKey>)> {
    let text = std::fs::read_to_string(note).map_err(|error| unreadable("checkpoint", note, error))?;
    let proof = match &arguments.proof {
        None => Vec::new(),
        Some(path) => {
            let bytes = std::fs::read(path).map_err(|error| unreadable("proof", path, error))?;
            let read: Option<Consistency> = serde_json::from_slice(&bytes).ok();
            let hashes = read.and_then(|read| {
                read.path.iter().map(|hex| Digest::from_hex(hex.as_bytes())).collect::<Option<Vec<_>>>()
            });
            hashes.ok_or_else(|| Error::invalid("proof", "malformed"))?
        }
    };
    Ok((Shown { note: text, size: 0, proof }, key_of(arguments)?))
}

/// Looks at the database itself, without opening the installation: what would not be served is looked at too.
fn installed(config: &Config, arguments: &Arguments, kept: Option<u64>) -> Result<(Shown, Vec<VerifierKey>)> {
    let place = config.place()?;
    place.check()?;
    let mut db = place.target.open(Purpose::Read)?;
    let head = ledger::head(&mut db)?.ok_or_else(|| Error::unavailable("no-installation"))?;
    let mut keys = key_of(arguments)?;
    if keys.is_empty() {
        keys = Ring::load(&place.folder, &head.origin)?.vkeys(&head.origin);
    }
    Ok((notebook::shown(&mut db, head.epoch, kept)?, keys))
}

fn tell(arguments: &Arguments, book: &Notebook, seen: Seen) -> ExitCode {
    let (name, from) = match seen {
        Seen::First => ("begun", None),
        Seen::Same => ("same", None),
        Seen::Extended { from, .. } => ("extended", Some(from)),
    };
    let last = book.last();
    if arguments.json {
        let said = json!({
            "verdict": name, "origin": last.origin, "from": from, "size": last.size, "root": last.root.to_string(),
        });
        return match print_json(&said) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(&error),
        };
    }
    match seen {
        Seen::First => println!("{}: begun", arguments.file.display()),
        Seen::Same => println!("ACCEPTED: exactly what it was at the last visit"),
        Seen::Extended { from, to } => {
            println!("ACCEPTED: the first {from} of now {to} entries are those of the last visit, unchanged");
        }
    }
    println!("  {} has {} entries, root {}", last.origin, last.size, last.root);
    if seen == Seen::First {
        println!(
            "  The key was taken on trust, this once. Keep the file away from the ledger's own machines."
        );
    }
    ExitCode::SUCCESS
}

fn refuse(arguments: &Arguments, refusal: &Refusal) -> ExitCode {
    let args = refusal.args();
    let args: Vec<_> = args.iter().map(|(name, value)| (*name, value.as_str().into())).collect();
    let what = Words::of(Lang::En).with(&format!("notebook-refused-{}", refusal.code()), &args);
    let printed = match arguments.json {
        true => print_json(&json!({ "verdict": "refused", "cause": refusal.code(), "what": what })),
        false => {
            println!("REFUSED: {what}");
            Ok(())
        }
    };
    if let Err(error) = printed {
        complain(&error);
    }
    ExitCode::FAILURE
}
