//! A folder of Markdown files with front matter becomes documents and drafts.
//!
//! Files of one number are renditions of one version and join one draft. What is in force never changes by an import: a
//! document that is there already gets a draft only where a text differs from its newest version. Each file has its
//! line in the report; one that cannot be taken keeps no other from being taken.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::drafting;
use super::intake::{Changes, DocumentInput, DraftInput, NewVersion, Text, Title};
use super::number::{Step, VersionNumber};
use super::record::{Stored, Tongues, Version, VersionRecord};
use super::store;
use crate::error::{Error, Kind, Result};
use crate::ledger::lane::{Actor, Tx};
use crate::ledger::site::Site;
use crate::people::rights::{Permission, Role};
use crate::people::store as people;
use crate::text::accept::{self, TextFault};
use crate::text::front_matter::{self, FrontMatter, FrontMatterFault};

/// What became of one file.
#[derive(Debug)]
pub struct FileReport {
    /// The file, as found.
    pub file: PathBuf,
    /// Taken, or why not.
    pub outcome: std::result::Result<Taken, Fault>,
}

/// How a file was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The document's number.
    pub document: String,
    /// The version its text stands in.
    pub version: String,
    /// What had to be done for it.
    pub deed: Deed,
}

/// What an import did for the files of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// A document and its first draft were made.
    Created,
    /// A draft was made of a document that was there.
    Drafted,
    /// The text joined the open draft.
    Joined,
    /// The newest version has this text already.
    Unchanged,
}

impl Deed {
    /// The deed's code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Drafted => "drafted",
            Self::Joined => "joined",
            Self::Unchanged => "unchanged",
        }
    }
}

/// Why a file was not taken.
#[derive(Debug)]
pub enum Fault {
    /// Its text is not acceptable.
    Text(TextFault),
    /// Its head is faulty.
    Head(Vec<FrontMatterFault>),
    /// Another file has the same number and language.
    Twice(PathBuf),
    /// The change was refused; the same refusal stands at every file of the number.
    Refused(String),
    /// It could not be read.
    Unreadable(std::io::Error),
}

/// For the command line, hence in English.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(fault) => write!(f, "line {}, column {}: {:?}", fault.line, fault.column, fault.kind),
            Self::Head(faults) => {
                let told = faults.iter().map(|fault| format!("line {}: {:?}", fault.line, fault.kind));
                f.write_str(&told.collect::<Vec<_>>().join("; "))
            }
            Self::Twice(other) => write!(f, "the same number and language as {}", other.display()),
            Self::Refused(why) => f.write_str(why),
            Self::Unreadable(error) => write!(f, "{error}"),
        }
    }
}

/// A file that can be understood by itself.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// Where it was found.
    pub file: PathBuf,
    /// What its head says.
    pub head: FrontMatter,
    text: Text,
}

impl Sheet {
    /// Reads a file's bytes.
    ///
    /// # Errors
    /// What is wrong with its text or head.
    pub fn read(file: &Path, bytes: &[u8]) -> std::result::Result<Self, Fault> {
        let whole = accept::accept(bytes).map_err(Fault::Text)?;
        let (head, body) = front_matter::parse(&whole).map_err(Fault::Head)?;
        let text = Text::take("text", body.as_bytes()).map_err(|error| Fault::Refused(error.to_string()))?;
        Ok(Self { file: file.to_owned(), head, text })
    }
}

/// Takes all `*.md` files of a folder, in the order of their names, on behalf of the account with the login `author`.
///
/// # Errors
/// 422 when nobody has the login, 403 when that account may not write drafts; the folder cannot be listed. Faults of
/// single files stand in the report.
pub fn folder(site: &Site, dir: &Path, author: &str) -> Result<Vec<FileReport>> {
    let login = author.to_owned();
    let actor = site.readers.read_here(|db| {
        let id = people::id_of_login(db, "as", &login)?;
        let roles = people::require(db, &id)?.roles();
        let role = Permission::WriteDrafts.granted_by(&roles).ok_or_else(|| Error::forbidden("no-right"))?;
        Ok(Actor::account(id, role.code()))
    })?;
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "md") {
            files.push(path);
        }
    }
    files.sort();
    let mut reports = Vec::new();
    let mut documents: BTreeMap<String, Vec<Sheet>> = BTreeMap::new();
    for file in files {
        let taken = read(&file).and_then(|sheet| {
            let own = documents.entry(sheet.head.number.clone()).or_default();
            match own.iter().find(|other| other.head.language == sheet.head.language) {
                Some(other) => Err(Fault::Twice(other.file.clone())),
                None => {
                    own.push(sheet);
                    Ok(())
                }
            }
        });
        if let Err(fault) = taken {
            reports.push(FileReport { file, outcome: Err(fault) });
        }
    }
    for (_, sheets) in documents.into_iter().filter(|(_, sheets)| !sheets.is_empty()) {
        reports.extend(take(site, (&actor, author), sheets));
    }
    reports.sort_by(|one, other| one.file.cmp(&other.file));
    Ok(reports)
}

fn read(file: &Path) -> std::result::Result<Sheet, Fault> {
    let bytes = std::fs::read(file).map_err(Fault::Unreadable)?;
    Sheet::read(file, &bytes)
}

/// The files of one number, in one change.
fn take(site: &Site, (actor, author): (&Actor, &str), sheets: Vec<Sheet>) -> Vec<FileReport> {
    let files: Vec<PathBuf> = sheets.iter().map(|sheet| sheet.file.clone()).collect();
    let (actor, author) = (actor.clone(), author.to_owned());
    let outcome = site.lane.write_here(move |tx| draft(tx, (&actor, &author), &sheets));
    files
        .into_iter()
        .map(|file| {
            let outcome = match &outcome {
                Ok(taken) => Ok(taken.clone()),
                Err(error) => Err(Fault::Refused(error.to_string())),
            };
            FileReport { file, outcome }
        })
        .collect()
}

/// Makes of the files of one number the document and the draft that are lacking.
///
/// # Errors
/// 409 beside another open draft; 422 for values that cannot be taken.
pub fn draft(tx: &mut Tx<'_>, (actor, author): (&Actor, &str), sheets: &[Sheet]) -> Result<Taken> {
    let first = lead(sheets)?;
    let number = first.head.number.clone();
    let told = |record: &VersionRecord, deed| Taken {
        document: record.version.document.clone(),
        version: record.version.version.clone(),
        deed,
    };
    if store::find(tx.read(), &number)?.is_none() {
        let input = document_input(tx, (first, author), sheets)?;
        let new = input.check()?;
        let version = new_version(sheets, Tongues::new())?;
        drafting::create_document(tx, actor, &new)?;
        return Ok(told(&drafting::create_version(tx, actor, &number, &version)?, Deed::Created));
    }
    let newest = newest(tx, &number)?;
    let Some(newest) = newest else {
        let version = new_version(sheets, Tongues::new())?;
        return Ok(told(&drafting::create_version(tx, actor, &number, &version)?, Deed::Drafted));
    };
    let differs = |sheet: &&Sheet| {
        let held = newest.renditions.iter().find(|text| text.lang == sheet.head.language);
        held.is_none_or(|text| text.sha256 != sheet.text.digest.to_string())
    };
    if !sheets.iter().any(|sheet| differs(&sheet)) {
        return Ok(told(&newest, Deed::Unchanged));
    }
    let titles = newest.version.carried()?.title;
    if newest.version.stored() == Stored::Draft {
        must_fit(&newest.version, first)?;
        let changes = changes(sheets, titles)?;
        let target = (number.as_str(), newest.version.version.as_str());
        let record = drafting::save(tx, actor, target, (&["*".to_owned()], &changes))?;
        return Ok(told(&record, Deed::Joined));
    }
    let mut version = new_version(sheets, titles)?;
    for text in &newest.renditions {
        if !version.changes.texts.contains_key(&text.lang) {
            let words = tx.content(store::digest_of(&text.sha256)?)?;
            version.changes.texts.insert(text.lang.clone(), Some(Text::take("text", &words)?));
        }
    }
    Ok(told(&drafting::create_version(tx, actor, &number, &version)?, Deed::Drafted))
}

/// The file whose head speaks for the document: the authoritative one, else the first.
fn lead(sheets: &[Sheet]) -> Result<&Sheet> {
    let authoritative = sheets.iter().find(|sheet| sheet.head.authoritative);
    authoritative.or(sheets.first()).ok_or_else(|| Error::internal("no file to import"))
}

/// A draft that is there must be the version the file names, where it names one.
fn must_fit(draft: &Version, sheet: &Sheet) -> Result<()> {
    match &sheet.head.version {
        Some(named) if *named != draft.version => {
            Err(Error::conflict("open-draft").arg("version", draft.version.clone()))
        }
        _ => Ok(()),
    }
}

fn newest(tx: &mut Tx<'_>, number: &str) -> Result<Option<VersionRecord>> {
    let versions = store::versions(tx.read(), number)?;
    let stands = |version: &&Version| !matches!(version.stored(), Stored::Cancelled | Stored::Abandoned);
    match versions.iter().filter(stands).max_by_key(|version| version.number()) {
        Some(version) => store::version_record(tx.read(), number, &version.version),
        None => Ok(None),
    }
}

fn titles(sheets: &[Sheet], mut known: Tongues) -> Tongues {
    known.extend(sheets.iter().map(|sheet| (sheet.head.language.clone(), sheet.head.title.clone())));
    known
}

fn document_input(
    tx: &mut Tx<'_>,
    (first, author): (&Sheet, &str),
    sheets: &[Sheet],
) -> Result<DocumentInput> {
    let head = &first.head;
    Ok(DocumentInput {
        number: Some(head.number.clone()),
        kind: head.kind.clone(),
        department: head.department.clone(),
        owner: owner(tx, head, author)?,
        title: Title::Many(titles(sheets, Tongues::new())),
        processes: head.processes.clone(),
        audience: head.audience.clone(),
        review_months: head.review_months,
        authoritative_language: Some(head.language.clone()),
    })
}

/// The login of the owner: named, or the first who holds the role named; where nobody does, who imports.
fn owner(tx: &mut Tx<'_>, head: &FrontMatter, author: &str) -> Result<String> {
    if let Some(login) = &head.owner {
        return Ok(login.clone());
    }
    let code = head.owner_role.as_deref().unwrap_or_default();
    let role = Role::from_code(code).ok_or_else(|| Error::invalid("owner_role", "unknown-code"))?;
    match people::holders(tx.read(), role)?.first() {
        Some(id) => Ok(people::person(tx.read(), id)?.login),
        None => Ok(author.to_owned()),
    }
}

fn changes(sheets: &[Sheet], known: Tongues) -> Result<Changes> {
    let head = &lead(sheets)?.head;
    let mut changes = DraftInput {
        renditions: None,
        change_summary: head.change_summary.clone(),
        change_reason: head.change_reason.clone(),
        title: Some(Title::Many(titles(sheets, known))),
        processes: Some(head.processes.clone()),
        audience: Some(head.audience.clone()),
        review_months: Some(head.review_months),
    }
    .check()?;
    for sheet in sheets {
        changes.texts.insert(sheet.head.language.clone(), Some(sheet.text.clone()));
    }
    Ok(changes)
}

fn new_version(sheets: &[Sheet], known: Tongues) -> Result<NewVersion> {
    let named = lead(sheets)?.head.version.as_deref();
    let step = match named.map(str::parse::<VersionNumber>) {
        Some(Ok(number)) if number.minor > 0 => Step::Minor,
        Some(Err(_)) => return Err(Error::new(Kind::Invalid, "invalid").field("version", "malformed")),
        _ => Step::Major,
    };
    Ok(NewVersion { step, changes: changes(sheets, known)? })
}
