//! The library of the demo: the starter documents, two of them with a history, signed by the people of the demo.

use std::collections::BTreeMap;
use std::path::Path;

use rust_embed::RustEmbed;
use serde::Deserialize;

use super::people;
use super::script::{Calendar, Step};
use super::sentences::{Change, Sentences, sentences};
use crate::documents::approval::{self, Asked, Consent, Meaning, Precision, Submission};
use crate::documents::codes::Outcome;
use crate::documents::import::{self, Sheet};
use crate::documents::{effect, standing, store};
use crate::error::{Error, Result};
use crate::ledger::lane::Tx;
use crate::time::Timestamp;

#[derive(RustEmbed)]
#[folder = "sops"]
struct Library;

#[derive(RustEmbed)]
#[folder = "src/demo/texts"]
struct Texts;

/// A row of `library.csv`: when a document came into force first and was last confirmed, in days before today.
#[derive(Debug, Clone, Deserialize)]
struct Dates {
    number: String,
    begins: u64,
    confirmed: Option<u64>,
}

/// A document that the file does not name.
const USUAL: (u64, Option<u64>) = (695, Some(150));
/// When SOP-CS-001 2.0 and SOP-CS-005 2.0 came into force, in days before today.
const SECOND: [(&str, u64); 2] = [("SOP-CS-001", 300), ("SOP-CS-005", 240)];
/// The document with a version that awaits its date, and in how many days it comes.
const AWAITED: (&str, u64) = ("SOP-CS-005", 30);
/// On which day before today that version was written.
const AWAITED_WRITTEN: u64 = 9;
/// Who has not yet read these; all others are acknowledged.
const UNREAD: [&str; 2] = ["WI-CS-003/1.0", "SOP-CS-003/1.0"];

/// A version on its way into force.
#[derive(Clone)]
struct Issue {
    sheets: Vec<Sheet>,
    version: &'static str,
    /// The day of its draft, before today.
    written: u64,
    /// Its beginning.
    from: Timestamp,
    /// Minutes after midnight at which its people work, so that no two documents share an instant.
    minute: u32,
}

/// The files of each number.
type Shelf = BTreeMap<String, Vec<Sheet>>;

/// Reads the embedded files whose names contain `part`.
fn shelf<E: RustEmbed>(part: &str, change: &Change) -> Result<Shelf> {
    let mut names: Vec<String> = E::iter()
        .map(|name| name.into_owned())
        .filter(|name| name.contains(part) && name.ends_with(".md"))
        .collect();
    names.sort();
    let mut shelf = Shelf::new();
    for name in names {
        let bytes = E::get(&name).map(|file| file.data.into_owned()).unwrap_or_default();
        let sheet = Sheet::read(Path::new(&name), &bytes);
        let mut sheet = sheet.map_err(|fault| Error::internal(format!("{name}: {fault}")))?;
        sheet.head.change_summary.get_or_insert_with(|| change.summary.clone());
        sheet.head.change_reason.get_or_insert_with(|| change.reason.clone());
        shelf.entry(sheet.head.number.clone()).or_default().push(sheet);
    }
    Ok(shelf)
}

/// All steps about documents.
///
/// # Errors
/// A file that is part of the program is broken.
pub fn steps(calendar: Calendar) -> Result<Vec<Step>> {
    let Sentences { first, revised: later, .. } = sentences();
    let library = shelf::<Library>("", first)?;
    let revised = shelf::<Library>("", later)?;
    let old = shelf::<Texts>("@1.0", first)?;
    let coming = shelf::<Texts>("@3.0", later)?;
    let dates: Vec<Dates> = super::rows(include_str!("library.csv"))?;
    let mut steps = Vec::new();
    for (n, (number, sheets)) in (0..).zip(&library) {
        let dated = dates.iter().find(|row| row.number == *number);
        let (begins, confirmed) = dated.map_or(USUAL, |row| (row.begins, row.confirmed));
        let minute = 9 * 60 + n * 7;
        let issue = |sheets: &[Sheet], version, days| Issue {
            sheets: sheets.to_vec(),
            version,
            written: days + 14,
            from: calendar.midnight(calendar.date(days)),
            minute,
        };
        steps.extend(issued(calendar, number, issue(old.get(number).unwrap_or(sheets), "1.0", begins)));
        let second = SECOND.iter().find(|(second, _)| second == number);
        if let (Some((_, days)), Some(sheets)) = (second, revised.get(number)) {
            steps.extend(issued(calendar, number, issue(sheets, "2.0", *days)));
        }
        if let Some(sheets) = coming.get(number).filter(|_| number == AWAITED.0) {
            let date =
                calendar.today.checked_add_days(chrono::Days::new(AWAITED.1)).unwrap_or(calendar.today);
            let awaited = Issue {
                written: AWAITED_WRITTEN,
                from: calendar.midnight(date),
                ..issue(sheets, "3.0", AWAITED_WRITTEN)
            };
            steps.extend(issued(calendar, number, awaited));
        }
        steps.extend(confirmed.map(|days| confirming(calendar, number, (days, minute))));
    }
    Ok(steps)
}

/// Draft, submission, review, approval, and what follows once the version is in force.
fn issued(calendar: Calendar, number: &str, issue: Issue) -> Vec<Step> {
    let Issue { sheets, version, written, from, minute } = issue;
    let mark = |what: &str| format!("{number}/{version} {what}");
    let target = (number.to_owned(), version.to_owned());
    let at = |days_later: u64, more: u32| calendar.at(written - days_later, minute + more);
    let of_cs = sheets.iter().any(|sheet| sheet.head.audience.iter().any(|role| role == "cs"));
    let (submitted, reviewed, approved) = (target.clone(), target.clone(), target.clone());
    let mut steps = vec![
        Step::new(at(0, 0), mark("draft"), move |tx| drafted(tx, &sheets)),
        Step::new(at(1, 30), mark("submitted"), move |tx| submit(tx, &submitted, from)),
        Step::new(at(3, 65), mark("reviewed"), move |tx| {
            consent(tx, &reviewed, ("reviewer", Meaning::Reviewed))
        }),
        Step::new(at(5, 125), mark("approved"), move |tx| consent(tx, &approved, ("qa", Meaning::Approved))),
    ];
    if from < calendar.at(1, 0) {
        let noticed = from.plus_seconds(30 + i64::from(minute) % 60);
        steps.push(Step::new(noticed, mark("effective"), |tx| effect::note_passed(tx).map(drop)).alone());
        if of_cs && !UNREAD.contains(&format!("{number}/{version}").as_str()) {
            let read_at = from.plus_seconds(60 * (i64::from(minute) + 15));
            steps.push(Step::new(read_at, mark("acknowledged"), move |tx| acknowledge(tx, &target)));
        }
    }
    steps
}

fn drafted(tx: &mut Tx<'_>, sheets: &[Sheet]) -> Result<()> {
    let author = people::actor(tx, "author")?;
    import::draft(tx, (&author, "author"), sheets).map(drop)
}

fn digest(tx: &mut Tx<'_>, (number, version): &(String, String)) -> Result<String> {
    Ok(store::require_version(tx.read(), number, version)?.version.digest)
}

fn submit(tx: &mut Tx<'_>, target: &(String, String), from: Timestamp) -> Result<()> {
    let signer = people::signer(tx, "author")?;
    let submission = Submission {
        reviewers: vec!["reviewer".to_owned()],
        approvers: vec!["qa".to_owned()],
        effective_from: Some(Asked { at: from, precision: Precision::Day }),
        digest: digest(tx, target)?,
    };
    approval::submit(tx, &signer, (&target.0, &target.1), &submission).map(drop)
}

fn consent(tx: &mut Tx<'_>, target: &(String, String), (login, meaning): (&str, Meaning)) -> Result<()> {
    let signer = people::signer(tx, login)?;
    let consent = Consent { meaning, digest: digest(tx, target)?, comment: String::new() };
    approval::sign(tx, &signer, (&target.0, &target.1), &consent).map(drop)
}

fn acknowledge(tx: &mut Tx<'_>, target: &(String, String)) -> Result<()> {
    let signer = people::signer(tx, "cs")?;
    let digest = digest(tx, target)?;
    standing::acknowledge(tx, &signer, (&target.0, &target.1), &digest).map(drop)
}

/// QA confirms a document at its periodic review.
fn confirming(calendar: Calendar, number: &str, (days, minute): (u64, u32)) -> Step {
    let target = number.to_owned();
    Step::new(calendar.at(days, minute + 300), format!("{number} confirmed"), move |tx| {
        let signer = people::signer(tx, "qa")?;
        standing::review(tx, &signer, &target, (Outcome::Confirmed, &sentences().confirmed)).map(drop)
    })
}
