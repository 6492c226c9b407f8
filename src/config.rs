//! Settings of the program: from options, from the environment, from a file, in this order; then the default.
//!
//! `sopledger config` shows each with its origin, secrets redacted. Settings of the installation (training lead days
//! and the like) are records, not these.

use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args};
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::ledger::folder::Folder;
use crate::ledger::site::Place;
use crate::store::{Target, redacted};
use crate::time::Clock;

/// Options that every command takes.
#[derive(Debug, Clone, Default, Args)]
pub struct Options {
    /// Folder of the installation: database, key, signer state, checkpoint
    #[arg(long, global = true, value_name = "DIR", env = "SOPLEDGER_DATA")]
    pub data: Option<PathBuf>,
    /// PostgreSQL address; without it the embedded SQLite database in the folder is used
    #[arg(long, global = true, value_name = "URL", env = "SOPLEDGER_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Time zone in which dates are read and shown [default: Asia/Shanghai]
    #[arg(long, global = true, value_name = "ZONE", env = "SOPLEDGER_ZONE")]
    pub zone: Option<String>,
    /// Configuration file [default: DIR/sopledger.toml where it exists]
    #[arg(long, global = true, value_name = "FILE", env = "SOPLEDGER_CONFIG")]
    pub config: Option<PathBuf>,
    /// What to log: error, warn, info, debug, or per target as in `info,access=warn` [default: info]
    #[arg(long, global = true, value_name = "FILTER", env = "SOPLEDGER_LOG")]
    pub log: Option<String>,
    /// Logs as text or json, one line an event [default: text]
    #[arg(long, global = true, value_name = "FORMAT", env = "SOPLEDGER_LOG_FORMAT")]
    pub log_format: Option<String>,
    /// Address to listen on [default: 127.0.0.1:8080]
    #[arg(long, global = true, value_name = "ADDR", env = "SOPLEDGER_LISTEN")]
    pub listen: Option<String>,
    /// Time-stamping authority (RFC 3161) that stamps the ledger's checkpoints: `http://…` or `https://…`
    #[arg(long, global = true, value_name = "URL", env = "SOPLEDGER_TSA_URL", hide_env_values = true)]
    pub tsa_url: Option<String>,
    /// The authority's certificates, PEM, up to its root; without them nothing is stamped
    #[arg(long, global = true, value_name = "FILE", env = "SOPLEDGER_TSA_CHAIN")]
    pub tsa_chain: Option<PathBuf>,
    /// How often to stamp while the service runs: hourly or daily [default: daily]
    #[arg(long, global = true, value_name = "EVERY", env = "SOPLEDGER_TSA_EVERY")]
    pub tsa_every: Option<String>,
    /// Policy to stamp under, an object identifier [default: the authority's own]
    #[arg(long, global = true, value_name = "OID", env = "SOPLEDGER_TSA_POLICY")]
    pub tsa_policy: Option<String>,
    /// Minutes between two verifications of what is new, 0 for never [default: 60]
    #[arg(long, global = true, value_name = "MINUTES", env = "SOPLEDGER_VERIFY_NEW_MINUTES")]
    pub verify_new_minutes: Option<u32>,
    /// Days between two verifications of the whole, 0 for never [default: 7]
    #[arg(long, global = true, value_name = "DAYS", env = "SOPLEDGER_VERIFY_WHOLE_DAYS")]
    pub verify_whole_days: Option<u32>,
    /// Address at which people reach the service, as in https://sop.example.cn: QR codes on paper lead there [default:
    /// the one by which a print was asked for]
    #[arg(long, global = true, value_name = "URL", env = "SOPLEDGER_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Fonts for PDF: files or folders, several separated by a colon [default: DIR/fonts, else Noto Sans CJK or Source
    /// Han Sans of the system]
    #[arg(long, global = true, value_name = "PATHS", env = "SOPLEDGER_PDF_FONTS")]
    pub pdf_fonts: Option<String>,
}

/// The same settings in a file; unknown keys are refused.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    database_url: Option<String>,
    zone: Option<String>,
    log: Option<String>,
    log_format: Option<String>,
    listen: Option<String>,
    tsa_url: Option<String>,
    tsa_chain: Option<PathBuf>,
    tsa_every: Option<String>,
    tsa_policy: Option<String>,
    verify_new_minutes: Option<u32>,
    verify_whole_days: Option<u32>,
    public_url: Option<String>,
    pdf_fonts: Option<String>,
}

/// Where a setting's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// An option on the command line.
    Option,
    /// The option's environment variable.
    Environment,
    /// The configuration file.
    File,
    /// Nothing said otherwise.
    Default,
}

impl Origin {
    /// As it is shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Option => "option",
            Self::Environment => "environment",
            Self::File => "file",
            Self::Default => "default",
        }
    }
}

/// A value and its origin.
#[derive(Debug, Clone)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}

impl<T> Setting<T> {
    fn pick((given, origin): (Option<T>, Origin), file: Option<T>, default: T) -> Self {
        match (given, file) {
            (Some(value), _) => Self { value, origin },
            (None, Some(value)) => Self { value, origin: Origin::File },
            (None, None) => Self { value: default, origin: Origin::Default },
        }
    }
}

/// The settings in force.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folder of the installation.
    pub data: Setting<PathBuf>,
    /// PostgreSQL address.
    pub database_url: Setting<Option<String>>,
    /// Site's zone.
    pub zone: Setting<Tz>,
    /// Log filter.
    pub log: Setting<String>,
    /// `text` or `json`.
    pub log_format: Setting<String>,
    /// Address to listen on.
    pub listen: Setting<String>,
    /// Address of the time-stamping authority.
    pub tsa_url: Setting<Option<String>>,
    /// Its certificates.
    pub tsa_chain: Setting<Option<PathBuf>>,
    /// `hourly` or `daily`.
    pub tsa_every: Setting<String>,
    /// The policy asked for.
    pub tsa_policy: Setting<Option<String>>,
    /// Minutes between two verifications of what is new.
    pub verify_new_minutes: Setting<u32>,
    /// Days between two verifications of the whole.
    pub verify_whole_days: Setting<u32>,
    /// Where people reach the service.
    pub public_url: Setting<Option<String>>,
    /// Fonts for PDF.
    pub pdf_fonts: Setting<Option<String>>,
    /// The file that was read.
    pub file: Option<PathBuf>,
}

impl Config {
    /// Puts the settings together; `matches` are what `options` was read from, `folder` is the command's default for
    /// `--data`.
    ///
    /// # Errors
    /// 422: the file cannot be read or names an unknown key, the zone is unknown.
    pub fn gather((options, matches): (&Options, &ArgMatches), folder: &str) -> Result<Self> {
        let origin = |option: &str| match matches.value_source(option) {
            Some(ValueSource::EnvVariable) => Origin::Environment,
            _ => Origin::Option,
        };
        let data = (options.data.clone(), origin("data"));
        let data = Setting::pick(data, None, PathBuf::from(folder));
        let path = options.config.clone().or_else(|| {
            let usual = data.value.join("sopledger.toml");
            usual.exists().then_some(usual)
        });
        let file = path.as_deref().map(read).transpose()?.unwrap_or_default();
        let text = |option: &str, given: &Option<String>, file, default: &str| {
            Setting::pick((given.clone(), origin(option)), file, default.to_owned())
        };
        let zone = text("zone", &options.zone, file.zone, "Asia/Shanghai");
        let zone = Setting {
            value: zone.value.parse::<Tz>().map_err(|_| Error::invalid("zone", "unknown-code"))?,
            origin: zone.origin,
        };
        let perhaps = |option: &str, given: &Option<String>, file: Option<String>| {
            Setting::pick((given.clone().map(Some), origin(option)), file.map(Some), None)
        };
        let url = perhaps("database_url", &options.database_url, file.database_url);
        let public_url = perhaps("public_url", &options.public_url, file.public_url);
        if public_url.value.as_deref().is_some_and(|url| !is_public_address(url)) {
            return Err(Error::invalid("public_url", "web-address"));
        }
        Ok(Self {
            data,
            database_url: url,
            zone,
            log: text("log", &options.log, file.log, "info"),
            log_format: text("log_format", &options.log_format, file.log_format, "text"),
            listen: text("listen", &options.listen, file.listen, "127.0.0.1:8080"),
            tsa_url: perhaps("tsa_url", &options.tsa_url, file.tsa_url),
            tsa_chain: Setting::pick(
                (options.tsa_chain.clone().map(Some), origin("tsa_chain")),
                file.tsa_chain.map(Some),
                None,
            ),
            tsa_every: text("tsa_every", &options.tsa_every, file.tsa_every, "daily"),
            tsa_policy: perhaps("tsa_policy", &options.tsa_policy, file.tsa_policy),
            verify_new_minutes: Setting::pick(
                (options.verify_new_minutes, origin("verify_new_minutes")),
                file.verify_new_minutes,
                60,
            ),
            verify_whole_days: Setting::pick(
                (options.verify_whole_days, origin("verify_whole_days")),
                file.verify_whole_days,
                7,
            ),
            public_url,
            pdf_fonts: perhaps("pdf_fonts", &options.pdf_fonts, file.pdf_fonts),
            file: path,
        })
    }

    /// The files and folders named for fonts.
    pub fn fonts(&self) -> Vec<PathBuf> {
        self.pdf_fonts.value.as_deref().map(std::env::split_paths).into_iter().flatten().collect()
    }

    /// The installation these settings name, under the host's clock.
    ///
    /// # Errors
    /// 422 for a database address that is not PostgreSQL's.
    pub fn place(&self) -> Result<Place> {
        let folder = Folder::new(&self.data.value);
        let target = match &self.database_url.value {
            Some(url) => Target::from_url(url)?,
            None => Target::Sqlite(folder.database()),
        };
        Ok(Place { target, folder, clock: Clock::System, zone: self.zone.value })
    }

    /// Name, shown value and origin of each setting; secrets redacted.
    pub fn shown(&self) -> Vec<(&'static str, String, Origin)> {
        let url = self.database_url.value.as_deref().map(redacted).unwrap_or_default();
        vec![
            ("data", self.data.value.display().to_string(), self.data.origin),
            ("database_url", url, self.database_url.origin),
            ("zone", self.zone.value.name().to_owned(), self.zone.origin),
            ("log", self.log.value.clone(), self.log.origin),
            ("log_format", self.log_format.value.clone(), self.log_format.origin),
            ("listen", self.listen.value.clone(), self.listen.origin),
            ("tsa_url", self.tsa_url.value.as_deref().map(redacted).unwrap_or_default(), self.tsa_url.origin),
            (
                "tsa_chain",
                self.tsa_chain.value.as_deref().map(|path| path.display().to_string()).unwrap_or_default(),
                self.tsa_chain.origin,
            ),
            ("tsa_every", self.tsa_every.value.clone(), self.tsa_every.origin),
            ("tsa_policy", self.tsa_policy.value.clone().unwrap_or_default(), self.tsa_policy.origin),
            ("verify_new_minutes", self.verify_new_minutes.value.to_string(), self.verify_new_minutes.origin),
            ("verify_whole_days", self.verify_whole_days.value.to_string(), self.verify_whole_days.origin),
            ("public_url", self.public_url.value.clone().unwrap_or_default(), self.public_url.origin),
            ("pdf_fonts", self.pdf_fonts.value.clone().unwrap_or_default(), self.pdf_fonts.origin),
        ]
    }
}

/// `http` or `https`, a host, and nothing that a path of ours could not follow.
fn is_public_address(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '/' | '[' | ']' | '_' | '~');
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && rest.chars().all(plain))
}

fn read(path: &Path) -> Result<File> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::invalid("config", "unreadable").caused_by(format!("{}: {error}", path.display()))
    })?;
    toml::from_str(&text).map_err(|error| Error::invalid("config", "unreadable").caused_by(error))
}
