//! The typesetter: typst, with a world of its own that holds the description, the data and the fonts, and nothing else.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration, Smart};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt as _, World};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards};

use super::{Job, Printed};
use crate::error::{Error, Result};

/// This program has a press.
pub(super) const BUILT: bool = true;

/// Which archival standard a print keeps: ISO 19005-2, tagged, so that it can be read aloud as well.
const STANDARD: PdfStandard = PdfStandard::A_2a;

/// Hostile text nests deeply; a thread of its own has room for it.
const STACK: usize = 64 << 20;

/// What is written for a character that no font has: its number, never a blank.
fn stand_in(c: char) -> String {
    format!("[U+{:04X}]", u32::from(c))
}

/// Fonts in memory.
struct Loaded {
    fonts: Vec<Font>,
    book: LazyHash<FontBook>,
    library: LazyHash<Library>,
    /// Names of families: for text, for code.
    families: (Vec<String>, Vec<String>),
}

/// The typesetter with its fonts, while they are in memory.
#[derive(Default)]
pub(super) struct Engine(Mutex<Option<Arc<Loaded>>>);

impl Engine {
    /// Sets a job.
    pub(super) fn set(&self, files: &[PathBuf], job: &Job) -> Result<Printed> {
        let loaded = self.loaded(files)?;
        let work = || set(&loaded, job);
        let done = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("press".into()).stack_size(STACK);
            Ok(thread.spawn_scoped(scope, work).map_err(Error::from)?.join())
        });
        // What it has remembered serves the next print; older is let go, or memory would grow with each.
        typst::comemo::evict(1);
        done.and_then(|done| done.unwrap_or_else(|_| Err(Error::internal("the typesetter panicked"))))
    }

    /// Lets fonts and memory go.
    pub(super) fn put_away(&self) {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if held.is_some() {
            typst::comemo::evict(0);
        }
    }

    fn loaded(&self, files: &[PathBuf]) -> Result<Arc<Loaded>> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = &*held {
            return Ok(Arc::clone(loaded));
        }
        let mut fonts = Vec::new();
        for file in files {
            let bytes = std::fs::read(file).map_err(|error| {
                Error::unavailable("pdf-no-font").caused_by(format!("{}: {error}", file.display()))
            })?;
            fonts.extend(Font::iter(Bytes::new(bytes)));
        }
        let families = families(&fonts).ok_or_else(|| Error::unavailable("pdf-no-font"))?;
        // A collection holds the same letters for other countries as well: only what is named is kept.
        fonts.retain(|font| families.0.iter().chain(&families.1).any(|name| *name == font.info().family));
        let loaded = Arc::new(Loaded {
            book: LazyHash::new(FontBook::from_fonts(&fonts)),
            library: LazyHash::new(Library::default()),
            fonts,
            families,
        });
        *held = Some(Arc::clone(&loaded));
        Ok(loaded)
    }
}

/// The families for text and for code: the first that has Han letters as mainland China writes them; none where no
/// font has Han letters.
fn families(fonts: &[Font]) -> Option<(Vec<String>, Vec<String>)> {
    let has_han = |font: &&Font| "审核批准A1".chars().all(|c| font.info().coverage.contains(c.into()));
    let names: Vec<&str> = fonts.iter().filter(has_han).map(|font| font.info().family.as_str()).collect();
    let is_mono = |name: &str| name.contains("Mono");
    let here = |name: &str| name.ends_with(" SC") || name.ends_with(" CN");
    let pick = |mono: bool| {
        let fitting = || names.iter().filter(|name| is_mono(name) == mono);
        fitting().find(|name| here(name)).or_else(|| fitting().next()).map(|name| (*name).to_owned())
    };
    let text = pick(false).or_else(|| pick(true))?;
    let code = pick(true).unwrap_or_else(|| text.clone());
    Some((vec![text.clone()], vec![code, text]))
}

fn set(loaded: &Loaded, job: &Job) -> Result<Printed> {
    let mut data = job.data.clone();
    let covered = |c: char| loaded.fonts.iter().any(|font| font.info().coverage.contains(c.into()));
    make_legible(&mut data, &covered);
    data["faces"] = json!({ "text": loaded.families.0, "code": loaded.families.1 });
    let data = serde_json::to_vec(&data).map_err(Error::internal)?;
    let main = FileId::new(RootedPath::new(
        VirtualRoot::Project,
        VirtualPath::new("main.typ").map_err(|error| Error::internal(format!("{error:?}")))?,
    ));
    let source = Source::new(main, job.description.to_owned());
    let desk = Desk { loaded, source, data: Bytes::new(data) };
    let set = typst::compile::<PagedDocument>(&desk);
    for warning in &set.warnings {
        tracing::debug!(warning = %warning.message, "typesetting");
    }
    let document = set.output.map_err(|errors| fault("typesetting", &errors))?;
    let options = PdfOptions {
        ident: Smart::Custom(job.ident.clone()),
        creator: Smart::Custom(Some(concat!("Sopledger ", env!("CARGO_PKG_VERSION")).to_owned())),
        standards: PdfStandards::new(&[STANDARD])
            .map_err(|error| Error::internal(error.message().to_string()))?,
        ..PdfOptions::default()
    };
    let bytes = typst_pdf::pdf(&document, &options).map_err(|errors| fault("writing the PDF", &errors))?;
    Ok(Printed { bytes, pages: document.pages().len() })
}

fn fault(doing: &str, errors: &[SourceDiagnostic]) -> Error {
    let first =
        errors.first().map(|error| format!("{} {:?}", error.message, error.hints)).unwrap_or_default();
    Error::internal(format!("{doing}: {first}"))
}

/// Characters that no font has are written by their numbers; marks without a look of their own are dropped.
fn make_legible(value: &mut Value, covered: &dyn Fn(char) -> bool) {
    let fits = |c: char| matches!(c, '\n' | '\t') || (covered(c) && !is_private(c));
    match value {
        Value::String(text) if !text.chars().all(fits) => {
            let legible = text.chars().map(|c| match c {
                c if fits(c) => c.to_string(),
                c if is_invisible(c) => String::new(),
                // Blanks of other widths, and the hyphen that does not break.
                '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' => " ".to_owned(),
                '\u{2010}' | '\u{2011}' => "-".to_owned(),
                c => stand_in(c),
            });
            *text = legible.collect();
        }
        Value::Array(items) => items.iter_mut().for_each(|item| make_legible(item, covered)),
        Value::Object(members) => members.values_mut().for_each(|member| make_legible(member, covered)),
        _ => {}
    }
}

const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
        || c.is_ascii_control()
        || matches!(c, '\u{80}'..='\u{9f}')
}

const fn is_private(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..)
}

/// All that a description can see.
struct Desk<'a> {
    loaded: &'a Loaded,
    source: Source,
    data: Bytes,
}

impl World for Desk<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &self.loaded.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.loaded.book
    }

    fn main(&self) -> FileId {
        self.source.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.source.id() { Ok(self.source.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        match id.get().vpath().get_without_slash() {
            "data.json" => Ok(self.data.clone()),
            _ => Err(FileError::AccessDenied),
        }
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.loaded.fonts.get(index).cloned()
    }

    /// No print depends on the day it was made but by its data.
    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}
