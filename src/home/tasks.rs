//! What waits for somebody: to sign, to write, to look after.

use diesel::prelude::*;

use crate::documents::standing::review_due;
use crate::documents::store as documents;
use crate::error::Result;
use crate::people::gate::Caller;
use crate::people::rights::Permission;
use crate::store::Db;
use crate::store::schema::{document_version, signature, version_author, version_task};
use crate::time::Timestamp;
use crate::{copies, deviations, keeping, people, recalls};

/// Rows of one heading shown.
const MOST: usize = 20;
/// Rows asked for where a list can be cut short: one more, so that it is known whether there are more.
const ASKED: i64 = 21;

/// One thing that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its number; with the version behind a document.
    pub number: String,
    /// What it is called.
    pub title: String,
    /// Where it is dealt with.
    pub href: String,
    /// Until when, where it has a term.
    pub due: Option<Timestamp>,
    /// Key of a word that says more: `reviewed`, `approved`, a state, a role.
    pub note: String,
}

/// What waits under one heading.
#[derive(Debug)]
pub struct Heap {
    /// Key of its word.
    pub heading: &'static str,
    /// The first of what waits.
    pub tasks: Vec<Task>,
    /// Whether there is more than that.
    pub more: bool,
}

impl Heap {
    fn of(heading: &'static str, mut tasks: Vec<Task>) -> Self {
        let more = tasks.len() > MOST;
        tasks.truncate(MOST);
        Self { heading, tasks, more }
    }
}

/// What waits for this person now, heading by heading, also those with nothing. Titles are in `lang` where there is one.
///
/// # Errors
/// The database does not answer.
pub fn of(db: &mut Db, caller: &Caller, (lang, now): (&str, Timestamp)) -> Result<Vec<Heap>> {
    let mut heaps = Vec::new();
    if caller.may(Permission::Review) {
        heaps.push(Heap::of("home-to-sign", to_sign(db, caller, lang)?));
    }
    if caller.may(Permission::Decide) {
        heaps.push(Heap::of("home-grants", grants(db, caller)?));
        heaps.push(Heap::of("home-disposals", disposals(db, caller)?));
    }
    if caller.may(Permission::IssueCopies) {
        heaps.push(Heap::of("home-copies", copies_due(db, now)?));
    }
    if caller.may(Permission::WriteDrafts) {
        heaps.push(Heap::of("home-drafts", drafts(db, caller, lang)?));
        heaps.push(Heap::of("home-reviews", overdue(db, (lang, now))?));
    }
    if caller.may(Permission::RaiseDeviation) {
        heaps.push(Heap::of("home-deviations", open_deviations(db)?));
        heaps.push(Heap::of("home-recalls", running_recalls(db)?));
    }
    Ok(heaps)
}

fn titled(title: &str, lang: &str) -> String {
    let titles: std::collections::BTreeMap<String, String> = serde_json::from_str(title).unwrap_or_default();
    titles.get(lang).or_else(|| titles.values().next()).cloned().unwrap_or_default()
}

fn version_task_of((document, version, title): (String, String, String), lang: &str, note: String) -> Task {
    Task {
        href: format!("/documents/{document}/{version}"),
        number: format!("{document} {version}"),
        title: titled(&title, lang),
        due: None,
        note,
    }
}

/// The versions whose present round waits for this person: approvals only once no review is left open.
fn to_sign(db: &mut Db, caller: &Caller, lang: &str) -> Result<Vec<Task>> {
    let asked: Vec<(String, String, String, i64, String)> = version_task::table
        .inner_join(
            document_version::table.on(document_version::document
                .eq(version_task::document)
                .and(document_version::version.eq(version_task::version))
                .and(document_version::round.eq(version_task::round))),
        )
        .filter(document_version::state.eq("in_review").and(version_task::account_id.eq(&caller.id)))
        .order((version_task::document, version_task::version))
        .select((
            version_task::document,
            version_task::version,
            document_version::title,
            version_task::round,
            version_task::task,
        ))
        .load(db)?;
    let mut waiting = Vec::new();
    for (document, version, title, round, meaning) in asked {
        let signed: Vec<(String, String)> = signature::table
            .filter(signature::subject_kind.eq("document"))
            .filter(signature::subject_id.eq(format!("{document}/{version}")).and(signature::round.eq(round)))
            .select((signature::account_id, signature::meaning))
            .load(db)?;
        let reviewers: Vec<String> = version_task::table
            .filter(version_task::document.eq(&document).and(version_task::version.eq(&version)))
            .filter(version_task::round.eq(round).and(version_task::task.eq("reviewed")))
            .select(version_task::account_id)
            .load(db)?;
        let has_signed = |account: &String, meaning: &str| {
            signed.iter().any(|(by, with)| by == account && with == meaning)
        };
        let reviewed = reviewers.iter().all(|reviewer| has_signed(reviewer, "reviewed"));
        if !has_signed(&caller.id, &meaning) && (meaning == "reviewed" || reviewed) {
            waiting.push(version_task_of((document, version, title), lang, format!("meaning-{meaning}")));
        }
    }
    Ok(waiting)
}

fn drafts(db: &mut Db, caller: &Caller, lang: &str) -> Result<Vec<Task>> {
    let own = version_author::table
        .filter(version_author::account_id.eq(&caller.id))
        .filter(version_author::document.eq(document_version::document))
        .filter(version_author::version.eq(document_version::version));
    let rows: Vec<(String, String, String)> = document_version::table
        .filter(document_version::state.eq("draft"))
        .filter(document_version::created_by.eq(&caller.id).or(diesel::dsl::exists(own)))
        .order((document_version::document, document_version::version))
        .select((document_version::document, document_version::version, document_version::title))
        .load(db)?;
    Ok(rows.into_iter().map(|row| version_task_of(row, lang, "state-draft".to_owned())).collect())
}

/// The documents whose periodic review was due before now, the oldest first.
fn overdue(db: &mut Db, (lang, now): (&str, Timestamp)) -> Result<Vec<Task>> {
    let mut overdue = Vec::new();
    for (document, version) in documents::all_in_force(db, now)? {
        // A verdict only moves the day on: what is not due without one needs no closer look.
        let months = u32::try_from(version.review_months).unwrap_or(u32::MAX);
        if version.effective_from.is_none_or(|from| from.plus_months(months) > now) {
            continue;
        }
        let record = documents::require_record(db, &document.number)?;
        let versions = documents::versions(db, &document.number)?;
        if let Some(due) = review_due(&record, &versions, now).filter(|due| *due <= now) {
            overdue.push(Task {
                href: format!("/documents/{}", document.number),
                number: document.number,
                title: titled(&version.title, lang),
                due: Some(due),
                note: String::new(),
            });
        }
    }
    overdue.sort_by_key(|task| task.due);
    Ok(overdue)
}

/// Numbered copies on paper whose version holds no longer, by document and number.
fn copies_due(db: &mut Db, now: Timestamp) -> Result<Vec<Task>> {
    let mut tasks = Vec::new();
    for copy in copies::store::out(db)? {
        let Some(since) = copies::issue::ended(db, &copy, now)? else { continue };
        tasks.push(Task {
            href: format!("/documents/{}/copies/{}", copy.document, copy.n),
            number: format!("{} V{} No. {}", copy.document, copy.version, copy.n),
            title: copy.place,
            due: Some(since),
            note: "copy-standing-due".to_owned(),
        });
    }
    Ok(tasks)
}

fn open_deviations(db: &mut Db) -> Result<Vec<Task>> {
    let filter = deviations::read::Filter { state: "open".to_owned(), ..Default::default() };
    let rows = deviations::read::list(db, &filter, None, ASKED)?;
    let task = |row: deviations::read::DeviationRow| Task {
        href: format!("/deviations/{}", row.number),
        number: row.number,
        title: row.title,
        due: row.due_at,
        note: format!("deviation-state-{}", row.state),
    };
    Ok(rows.into_iter().map(task).collect())
}

fn running_recalls(db: &mut Db) -> Result<Vec<Task>> {
    let mut tasks = Vec::new();
    for state in recalls::record::STATES.iter().filter(|state| **state != "closed") {
        let filter = recalls::read::Filter { state: Some((*state).to_owned()), ..Default::default() };
        let rows = recalls::read::list(db, &filter, None, ASKED)?;
        tasks.extend(rows.into_iter().map(|row| Task {
            href: format!("/recalls/{}", row.number),
            number: row.number,
            title: row.title,
            due: None,
            note: format!("recalls-state-{}", row.state),
        }));
    }
    Ok(tasks)
}

/// Disposals that wait for QA's signature, one's own excepted.
fn disposals(db: &mut Db, caller: &Caller) -> Result<Vec<Task>> {
    let waiting = keeping::disposals::store::waiting(db, &caller.id)?;
    let task = |(number, reason): (String, String)| Task {
        href: format!("/retention/disposals/{number}"),
        number,
        title: reason,
        due: None,
        note: "disposal-state-proposed".to_owned(),
    };
    Ok(waiting.into_iter().map(task).collect())
}

/// Roles that wait for QA's signature, one's own excepted.
fn grants(db: &mut Db, caller: &Caller) -> Result<Vec<Task>> {
    let mut tasks = Vec::new();
    for state in people::store::all(db)? {
        let id = &state.account.id;
        let open = state.grants.iter().filter(|grant| grant.is_open() && grant.requested_by != caller.id);
        if *id == caller.id
            || state.account.disabled
            || !state.grants.iter().any(people::record::Grant::is_open)
        {
            continue;
        }
        let person = people::store::person(db, id)?;
        tasks.extend(open.map(|grant| Task {
            href: format!("/accounts/{id}/grants/{}/sign", grant.id),
            number: person.login.clone(),
            title: person.name.clone(),
            due: None,
            note: format!("role-{}", grant.role),
        }));
    }
    Ok(tasks)
}
