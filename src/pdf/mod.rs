//! The press: a page description, and data that is never read as markup, become a PDF/A with embedded fonts.
//!
//! Promises: the same description, data and fonts give the same bytes; nothing is loaded but the fonts found at the
//! start and what the job brings; one print after another, a few in waiting, each in bounded memory; a program built
//! without the feature `pdf`, or a machine without a Chinese font, does everything else and says what is missing.
//!
//! The press knows no document and no database. Its only caller of substance is `copies`.

#[cfg(not(feature = "pdf"))]
mod absent;
#[cfg(feature = "pdf")]
mod engine;
mod fonts;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::web;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::error::{Error, Result};

#[cfg(not(feature = "pdf"))]
use absent as engine;

/// Prints that may wait for their turn; one more is told to come back.
const WAITING: usize = 24;
/// Fonts are put away when nothing was printed for so long: they are some forty megabytes.
const IDLE: Duration = Duration::from_secs(300);

/// What is to be set.
#[derive(Debug, Clone)]
pub struct Job {
    /// The page description; part of the program.
    pub description: &'static str,
    /// What it finds under `data.json`.
    pub data: Value,
    /// What tells this print from all others; the file's own identifier is made of it.
    pub ident: String,
}

/// A finished print.
#[derive(Debug, Clone)]
pub struct Printed {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its pages.
    pub pages: usize,
}

/// The press of this process.
pub struct Press {
    files: Vec<PathBuf>,
    engine: engine::Engine,
    turns: Semaphore,
    /// Jobs wait for their turn on their own threads.
    setting: Mutex<()>,
    asked: AtomicUsize,
    last: Mutex<Instant>,
}

impl Press {
    /// A press with the fonts found in these files and folders; where none are named, in the usual places of the
    /// system and in `beside`, the installation's own folder for fonts.
    pub fn find(named: &[PathBuf], beside: Option<PathBuf>) -> Arc<Self> {
        let files = if engine::BUILT { fonts::find(named, beside) } else { Vec::new() };
        if engine::BUILT && files.is_empty() {
            tracing::warn!("no Chinese font was found: PDF is not available, everything else is");
        }
        let turns = Semaphore::new(1);
        Arc::new(Self {
            files,
            engine: engine::Engine::default(),
            turns,
            setting: Mutex::new(()),
            asked: AtomicUsize::new(0),
            last: Mutex::new(Instant::now()),
        })
    }

    /// Whether it can print.
    ///
    /// # Errors
    /// 503 `pdf-not-built`, `pdf-no-font`: each says what to install.
    pub fn ready(&self) -> Result<()> {
        if !engine::BUILT {
            return Err(Error::unavailable("pdf-not-built"));
        }
        if self.files.is_empty() {
            return Err(Error::unavailable("pdf-no-font"));
        }
        Ok(())
    }

    /// Sets a job away from the threads that answer requests, one at a time.
    ///
    /// # Errors
    /// As [`Press::ready`]; 503 `pdf-busy` when too many wait.
    pub async fn print(self: &Arc<Self>, job: Job) -> Result<Printed> {
        self.ready()?;
        let _place = Place::take(&self.asked)?;
        let _turn = self.turns.acquire().await.map_err(Error::internal)?;
        let press = Arc::clone(self);
        web::block(move || press.print_here(&job)).await.map_err(Error::internal)?
    }

    /// The same on this thread: for jobs and the command line.
    ///
    /// # Errors
    /// As [`Press::ready`].
    pub fn print_here(&self, job: &Job) -> Result<Printed> {
        self.ready()?;
        let _turn = self.setting.lock().unwrap_or_else(PoisonError::into_inner);
        let printed = self.engine.set(&self.files, job);
        if let Ok(mut last) = self.last.lock() {
            *last = Instant::now();
        }
        printed
    }

    /// Puts the fonts away when nothing was printed for a while.
    pub fn rest(&self) {
        if self.last.lock().is_ok_and(|last| last.elapsed() > IDLE) {
            self.engine.put_away();
        }
    }
}

/// A place among those that wait.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(asked: &'a AtomicUsize) -> Result<Self> {
        if asked.fetch_add(1, Ordering::SeqCst) >= WAITING {
            asked.fetch_sub(1, Ordering::SeqCst);
            return Err(Error::unavailable("pdf-busy").retry_after(10));
        }
        Ok(Self(asked))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The modules of a QR code with these words, as a whole SVG document.
///
/// # Errors
/// The words are longer than a code holds.
pub fn qr(words: &str) -> Result<String> {
    use qrcode::render::svg;
    let code =
        qrcode::QrCode::with_error_correction_level(words, qrcode::EcLevel::M).map_err(Error::internal)?;
    Ok(code.render::<svg::Color<'_>>().quiet_zone(true).min_dimensions(100, 100).build())
}
