//! Documents from Markdown files with a head: one file a language, those of one number together. For the command line
//! and for the library that comes with the program.

use std::collections::BTreeMap;

use super::drafting;
use super::intake::{DocumentInput, Title, VersionInput};
use super::record::Stored;
use super::store;
use crate::error::{Error, Result};
use crate::ledger::lane::{Actor, Tx};
use crate::text::front_matter::{self, FrontMatter};

/// A document as its files tell it.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its values; the owner is a login, or the role code where the files name a role.
    pub document: DocumentInput,
    /// The role whose holder owns it, where the files name one.
    pub owner_role: Option<String>,
    /// Its texts.
    pub version: VersionInput,
    /// The files, by name.
    pub files: Vec<String>,
}

/// A file, or a document's files, that cannot be taken; for the terminal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// The file, or the first of the document's.
    pub file: String,
    /// What is wrong, with its place.
    pub message: String,
}

/// What the files hold.
#[derive(Debug, Default)]
pub struct Gathered {
    /// By number.
    pub found: Vec<Found>,
    /// In the order of the files.
    pub faults: Vec<Fault>,
}

/// What became of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It got its number and a first draft.
    New,
    /// It has a new draft.
    Drafted,
    /// Its newest version has these texts already.
    Unchanged,
}

struct Part {
    file: String,
    head: FrontMatter,
    text: String,
}

/// Reads files, given as name and bytes, and puts those of one document together.
pub fn gather(files: &[(String, Vec<u8>)]) -> Gathered {
    let mut gathered = Gathered::default();
    let mut parts: BTreeMap<String, Vec<Part>> = BTreeMap::new();
    for (file, bytes) in files {
        match part(file, bytes) {
            Ok(part) => parts.entry(part.head.number.clone()).or_default().push(part),
            Err(faults) => gathered.faults.extend(faults),
        }
    }
    for parts in parts.into_values() {
        match together(&parts) {
            Ok(found) => gathered.found.push(found),
            Err(fault) => gathered.faults.push(fault),
        }
    }
    gathered
}

fn part(file: &str, bytes: &[u8]) -> std::result::Result<Part, Vec<Fault>> {
    let fault = |message: String| Fault { file: file.to_owned(), message };
    let text = std::str::from_utf8(bytes).map_err(|error| vec![fault(error.to_string())])?.replace("\r\n", "\n");
    match front_matter::parse(&text) {
        Ok((head, body)) => Ok(Part { file: file.to_owned(), head, text: body.to_owned() }),
        Err(faults) => Err(faults
            .into_iter()
            .map(|found| fault(format!("line {}, column {}: {:?}", found.line, found.column, found.kind)))
            .collect()),
    }
}

fn together(parts: &[Part]) -> std::result::Result<Found, Fault> {
    let fault = |message: &str| Fault { file: parts[0].file.clone(), message: message.to_owned() };
    let mut leading = parts.iter().filter(|part| part.head.authoritative);
    let (Some(Part { head, .. }), None) = (leading.next(), leading.next()) else {
        return Err(fault("one of the document's files, and only one, must be authoritative"));
    };
    let titles: BTreeMap<_, _> = parts.iter().map(|part| (part.head.language.clone(), part.head.title.clone())).collect();
    if titles.len() < parts.len() {
        return Err(fault("two files in one language"));
    }
    let owner = head.owner.clone().or_else(|| head.owner_role.clone()).unwrap_or_default();
    Ok(Found {
        document: DocumentInput {
            number: Some(head.number.clone()),
            kind: head.kind.clone(),
            department: head.department.clone(),
            owner,
            title: Title::Many(titles.clone()),
            processes: head.processes.clone(),
            audience: head.audience.clone(),
            review_months: head.review_months,
            authoritative_language: Some(head.language.clone()),
        },
        owner_role: head.owner_role.clone().filter(|_| head.owner.is_none()),
        version: VersionInput {
            renditions: parts.iter().map(|part| (part.head.language.clone(), part.text.clone())).collect(),
            change_summary: head.change_summary.clone().unwrap_or_else(|| "首次发布。 First issue.".to_owned()),
            change_reason: head.change_reason.clone().unwrap_or_else(|| "建立书面规程。 To have it in writing.".to_owned()),
            major: None,
            title: Some(Title::Many(titles)),
            processes: Some(head.processes.clone()),
            audience: Some(head.audience.clone()),
            review_months: Some(head.review_months),
        },
        files: parts.iter().map(|part| part.file.clone()).collect(),
    })
}

/// Makes the document where there is none, and a draft with these texts where its newest version has others.
///
/// # Errors
/// 409 beside another open draft; 422 for values or texts that cannot be taken.
pub fn draft(tx: &mut Tx<'_>, actor: &Actor, found: &Found) -> Result<Outcome> {
    let document = found.document.check()?;
    let version = found.version.clone().check()?;
    let number = document.number.ok_or_else(|| Error::invalid("number", "required"))?.to_string();
    if store::find(tx.read(), &number)?.is_none() {
        drafting::create_document(tx, actor, &document)?;
        drafting::create_version(tx, actor, &number, &version)?;
        return Ok(Outcome::New);
    }
    let versions = store::versions(tx.read(), &number)?;
    let last = versions.iter().filter(|row| row.stored() != Stored::Abandoned).max_by_key(|row| row.number());
    if let Some(last) = last {
        let held = store::require_version(tx.read(), &number, &last.version)?.renditions;
        let same = held.len() == version.changes.texts.len()
            && held.iter().all(|held| {
                let text = version.changes.texts.get(&held.lang).and_then(Option::as_ref);
                text.is_some_and(|text| text.digest.to_string() == held.sha256)
            });
        if same {
            return Ok(Outcome::Unchanged);
        }
    }
    drafting::create_version(tx, actor, &number, &version)?;
    Ok(Outcome::Drafted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(lang: &str, authoritative: bool) -> (String, Vec<u8>) {
        let head = format!(
            "---\nnumber: SOP-CS-001\nkind: sop\ndepartment: CS\ntitle: T {lang}\nlanguage: {lang}\n\
             authoritative: {authoritative}\nowner_role: qa\nprocesses: [order_intake]\naudience: [cs]\n\
             review_months: 12\n---\n## 1 {lang}\n"
        );
        (format!("SOP-CS-001.{lang}.md"), head.into_bytes())
    }

    #[test]
    fn the_files_of_one_number_are_one_document_in_several_languages() {
        let gathered = gather(&[file("en", false), file("zh-CN", true)]);
        assert!(gathered.faults.is_empty(), "{:?}", gathered.faults);
        let [found] = &gathered.found[..] else { panic!("one document") };
        assert_eq!(found.document.authoritative_language.as_deref(), Some("zh-CN"));
        assert_eq!(found.version.renditions.keys().collect::<Vec<_>>(), ["en", "zh-CN"]);
        assert_eq!(found.owner_role.as_deref(), Some("qa"));
    }

    #[test]
    fn files_without_one_authoritative_language_are_refused() {
        for files in [vec![file("en", false)], vec![file("en", true), file("zh-CN", true)]] {
            let gathered = gather(&files);
            assert_eq!((gathered.found.len(), gathered.faults.len()), (0, 1));
        }
    }
}
