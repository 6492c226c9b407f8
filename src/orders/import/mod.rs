//! Orders in files: CSV as an ERP exports it, or NDJSON. An order with a bad row is rejected whole, the others stand.
//!
//! A file is opened first ([`Upload::open`]): encoding and header are refused at once. It is then read and written in
//! a job, many orders a change; each entry names the file and the order's row.

mod columns;
mod csv_rows;
mod encoding;
mod ndjson;

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::record::Wanted;
use super::store::{Outcome, Source, put};
use crate::error::{Error, FieldError, Kind, Result};
use crate::ledger::digest::Digest;
use crate::ledger::lane::Actor;
use crate::ledger::site::Site;
use crate::web::problem::field_message;
use crate::web::words::Words;
use columns::Header;

/// Bytes of a file at most.
pub const LONGEST: usize = 32 << 20;
/// Orders that share one change.
const CHUNK: usize = 64;
/// Rejections that a report lists; beyond it they are only counted.
const LISTED: usize = 1000;
/// Characters of a rejected value that a report repeats.
const SHOWN: usize = 100;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A header, then a row a line of an order.
    Csv,
    /// A JSON object a line: the body of a PUT, and `number`.
    Ndjson,
}

impl Format {
    /// The format of a media type, parameters aside.
    pub fn of_media(media: &str) -> Option<Self> {
        let essence = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "text/csv" => Some(Self::Csv),
            "application/x-ndjson" | "application/ndjson" => Some(Self::Ndjson),
            _ => None,
        }
    }

    /// The format of a file by its name: NDJSON for `.ndjson` and `.jsonl`, else CSV.
    pub fn of_path(path: &Path) -> Self {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "ndjson" | "jsonl" => Self::Ndjson,
            _ => Self::Csv,
        }
    }

    const fn system(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }
}

/// A file that can be read.
#[derive(Debug)]
pub struct Upload {
    text: String,
    header: Option<Header>,
    format: Format,
    sha256: Digest,
}

impl Upload {
    /// Opens a file.
    ///
    /// # Errors
    /// 400 in another encoding than UTF-8, which is named; 422 for a CSV whose header lacks a column or has it twice;
    /// 413 beyond 32 MiB.
    pub fn open(bytes: &[u8], format: Format) -> Result<Self> {
        if bytes.len() > LONGEST {
            return Err(Error::new(Kind::TooLarge, "too-large").arg("most", LONGEST.to_string()));
        }
        let text = encoding::utf8(bytes)?.to_owned();
        let header = match format {
            Format::Csv => Some(Header::of(&text)?),
            Format::Ndjson => None,
        };
        Ok(Self { text, header, format, sha256: Digest::of(bytes) })
    }

    /// All orders of the file, and what cannot be taken.
    fn read(&self) -> Reading {
        let mut reading = match &self.header {
            Some(header) => csv_rows::read(&self.text, header),
            None => ndjson::read(&self.text),
        };
        reading.rejected.sort_by_key(|rejection| rejection.row);
        reading
    }
}

/// An order of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Incoming {
    wanted: Wanted,
    row: u64,
}

impl Incoming {
    /// Its number is that of an order that was disposed of.
    fn was_disposed(&self, refusal: &Error) -> Rejection {
        let args = refusal.args().to_vec();
        let fault = FieldError { field: "order".to_owned(), code: "disposed-before", args };
        Rejection::new(self.row, fault, &self.wanted.number)
    }
}

/// What a file says.
#[derive(Debug, Default)]
struct Reading {
    orders: Vec<Incoming>,
    rejected: Vec<Rejection>,
    rejected_orders: u64,
    ignored: Vec<String>,
}

/// A value that cannot be taken, and with it its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// From 1; the header of a CSV is row 1.
    pub row: u64,
    /// Its column, or its path in an object, and what is wrong.
    pub fault: FieldError,
    /// As it stands in the file.
    pub value: String,
}

impl Rejection {
    fn new(row: u64, fault: FieldError, value: &str) -> Self {
        let mut shown: String = value.chars().take(SHOWN).collect();
        if shown.len() < value.len() {
            shown.push('…');
        }
        Self { row, fault, value: shown }
    }
}

/// What came of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Orders in the file.
    pub orders: u64,
    /// We did not have.
    pub new: u64,
    /// In which something differed.
    pub changed: u64,
    /// In which nothing differed.
    pub unchanged: u64,
    /// Values that could not be taken, by row.
    pub rejected: Vec<Rejection>,
    /// Orders that were rejected for them.
    pub rejected_orders: u64,
    /// Columns we do not know.
    pub ignored: Vec<String>,
}

impl Report {
    /// The result of the job, its messages in these words.
    pub fn to_json(&self, w: Words) -> Value {
        let row = |rejection: &Rejection| {
            json!({
                "row": rejection.row,
                "field": rejection.fault.field,
                "value": rejection.value,
                "message": field_message(&rejection.fault, w),
            })
        };
        json!({
            "orders": self.orders,
            "new": self.new,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "rejected": self.rejected.iter().take(LISTED).map(row).collect::<Vec<_>>(),
            "rejected_more": self.rejected.len().saturating_sub(LISTED),
            "rejected_orders": self.rejected_orders,
            "ignored_columns": self.ignored,
        })
    }

    fn reject(&mut self, rejection: Rejection) {
        self.rejected_orders += 1;
        self.rejected.push(rejection);
    }

    fn count(&mut self, outcome: Outcome) {
        *match outcome {
            Outcome::New => &mut self.new,
            Outcome::Changed => &mut self.changed,
            Outcome::Unchanged => &mut self.unchanged,
        } += 1;
    }
}

/// Reads and writes a file, telling after each change how many orders of how many are done.
///
/// # Errors
/// The lane cannot write: what was done before stands, and the file may be sent again.
pub fn run(
    site: &Site,
    upload: &Upload,
    actor: &Actor,
    mut tell: impl FnMut(u64, u64) -> Result<()>,
) -> Result<Report> {
    let Reading { orders, rejected, rejected_orders, ignored } = upload.read();
    let total = orders.len() as u64;
    let mut report =
        Report { orders: total + rejected_orders, rejected, rejected_orders, ignored, ..Report::default() };
    tell(0, total)?;
    let mut done = 0;
    for chunk in orders.chunks(CHUNK) {
        let (chunk, actor): (Arc<[Incoming]>, Actor) = (chunk.into(), actor.clone());
        let (system, sha256) = (upload.format.system(), upload.sha256.to_string());
        let outcomes = site.lane.write_here(move |tx| {
            let source = |row| Source { system, sha256: sha256.clone(), row };
            let kept = chunk.iter().map(|order| {
                let source = source(order.row);
                match put(tx, &order.wanted, &actor, Some(&source)) {
                    Ok(kept) => Ok(Ok(kept.outcome)),
                    Err(error) if error.code() == "disposed" => Ok(Err(order.was_disposed(&error))),
                    Err(error) => Err(error),
                }
            });
            kept.collect::<Result<Vec<Result<Outcome, Rejection>>>>()
        })?;
        done += outcomes.len() as u64;
        for outcome in outcomes {
            match outcome {
                Ok(outcome) => report.count(outcome),
                Err(rejection) => report.reject(rejection),
            }
        }
        tell(done, total)?;
    }
    Ok(report)
}

/// Imports a file of the host, by its name CSV or NDJSON; for the command line.
///
/// # Errors
/// As [`Upload::open`] and [`run`]; the file cannot be read.
pub fn file(site: &Site, path: &Path, actor: &Actor) -> Result<Report> {
    let bytes = std::fs::read(path)?;
    run(site, &Upload::open(&bytes, Format::of_path(path))?, actor, |_, _| Ok(()))
}
