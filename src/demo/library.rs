//! The library of the demo: the starter documents, two of them with a history, signed by the people of the demo.

use std::collections::BTreeMap;

use rust_embed::RustEmbed;
use serde::Deserialize;

use super::people;
use super::script::{Calendar, Step};
use crate::documents::approval::{self, Asked, Consent, Meaning, Precision, Submission};
use crate::documents::codes::Outcome;
use crate::documents::import::{Found, gather};
use crate::documents::{drafting, effect, standing, store};
use crate::error::{Error, Result};
use crate::ledger::lane::Tx;
use crate::time::Timestamp;

#[derive(RustEmbed)]
#[folder = "sops"]
#[include = "*.md"]
struct Library;

#[derive(RustEmbed)]
#[folder = "src/demo/texts"]
#[include = "*.md"]
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
    found: Found,
    version: &'static str,
    /// The day of its draft, before today.
    written: u64,
    /// Its beginning.
    from: Timestamp,
    /// Minutes after midnight at which its people work, so that no two documents share an instant.
    minute: u32,
}

fn files(names: impl Iterator<Item = std::borrow::Cow<'static, str>>, history: &str) -> Vec<String> {
    let mut names: Vec<String> = names.map(|name| name.into_owned()).filter(|name| name.contains(history)).collect();
    names.sort();
    names
}

fn read(names: &[String], get: impl Fn(&str) -> Option<rust_embed::EmbeddedFile>) -> Result<BTreeMap<String, Found>> {
    let files: Vec<(String, Vec<u8>)> =
        names.iter().filter_map(|name| Some((name.clone(), get(name)?.data.into_owned()))).collect();
    let gathered = gather(&files);
    match gathered.faults.first() {
        Some(fault) => Err(Error::internal(format!("{}: {}", fault.file, fault.message))),
        None => Ok(gathered.found.into_iter().map(|found| (found.document.number.clone().unwrap_or_default(), found)).collect()),
    }
}

/// All steps about documents.
///
/// # Errors
/// A file that is part of the program is broken.
pub fn steps(calendar: Calendar) -> Result<Vec<Step>> {
    let present = read(&files(Library::iter(), ""), Library::get)?;
    let first = read(&files(Texts::iter(), "@1.0"), Texts::get)?;
    let third = read(&files(Texts::iter(), "@3.0"), Texts::get)?;
    let dates: Vec<Dates> = super::rows(include_str!("library.csv"))?;
    let mut steps = Vec::new();
    for (n, (number, found)) in (0..).zip(&present) {
        let dated = dates.iter().find(|row| row.number == *number);
        let (begins, confirmed) = dated.map_or(USUAL, |row| (row.begins, row.confirmed));
        let minute = 9 * 60 + n * 7;
        let issue = |found: &Found, version, days| Issue {
            found: found.clone(),
            version,
            written: days + 14,
            from: calendar.midnight(calendar.date(days)),
            minute,
        };
        steps.extend(issued(calendar, number, issue(first.get(number).unwrap_or(found), "1.0", begins)));
        if let Some((_, days)) = SECOND.iter().find(|(second, _)| second == number) {
            steps.extend(issued(calendar, number, issue(found, "2.0", *days)));
        }
        if let Some(found) = third.get(number).filter(|_| number == AWAITED.0) {
            let date = calendar.today.checked_add_days(chrono::Days::new(AWAITED.1)).unwrap_or(calendar.today);
            let awaited =
                Issue { found: found.clone(), version: "3.0", written: AWAITED_WRITTEN, from: calendar.midnight(date), minute };
            steps.extend(issued(calendar, number, awaited));
        }
        steps.extend(confirmed.map(|days| confirming(calendar, number, (days, minute))));
    }
    Ok(steps)
}

/// Draft, submission, review, approval, and what follows once the version is in force.
fn issued(calendar: Calendar, number: &str, issue: Issue) -> Vec<Step> {
    let Issue { found, version, written, from, minute } = issue;
    let mark = |what: &str| format!("{number}/{version} {what}");
    let target = (number.to_owned(), version.to_owned());
    let at = |days_later: u64, more: u32| calendar.at(written - days_later, minute + more);
    let of_cs = found.document.audience.iter().any(|role| role == "cs");
    let (draft, submitted, reviewed, approved) =
        ((target.clone(), found), target.clone(), target.clone(), target.clone());
    let mut steps = vec![
        Step::new(at(0, 0), mark("draft"), move |tx| drafted(tx, &draft.0, &draft.1)),
        Step::new(at(1, 30), mark("submitted"), move |tx| submit(tx, &submitted, from)),
        Step::new(at(3, 65), mark("reviewed"), move |tx| consent(tx, &reviewed, ("reviewer", Meaning::Reviewed))),
        Step::new(at(5, 125), mark("approved"), move |tx| consent(tx, &approved, ("qa", Meaning::Approved))),
    ];
    if from < calendar.at(1, 0) {
        let noticed = from.plus_seconds(30 + i64::from(minute) % 60);
        steps.push(Step::new(noticed, mark("effective"), |tx| effect::note_passed(tx).map(drop)));
        if of_cs && !UNREAD.contains(&format!("{number}/{version}").as_str()) {
            let read_at = from.plus_seconds(60 * (i64::from(minute) + 15));
            steps.push(Step::new(read_at, mark("acknowledged"), move |tx| acknowledge(tx, &target)));
        }
    }
    steps
}

fn drafted(tx: &mut Tx<'_>, (number, _): &(String, String), found: &Found) -> Result<()> {
    let author = people::actor(tx, "author")?;
    if store::find(tx.read(), number)?.is_none() {
        drafting::create_document(tx, &author, &found.document.check()?)?;
    }
    drafting::create_version(tx, &author, number, &found.version.clone().check()?).map(drop)
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
        let comment = "定期审核：内容仍然适用。 Periodic review: still holds.";
        standing::review(tx, &signer, &target, (Outcome::Confirmed, comment)).map(drop)
    })
}
