//! The notebook's page, open to everybody: checkpoint, key and tiles are too.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::{Notebook, Refusal, Seen, proof};
use crate::error::{Error, Result};
use crate::ledger::site::Site;
use crate::people::gate::{Gate, Route};
use crate::people::view::View;
use crate::store::Db;
use crate::web::form::Form;
use crate::web::page::{Frame, page};
use crate::web::upload::Upload;

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/notebook", Gate::Public, "", || web::to(show)),
        Route::post("/notebook", Gate::Public, "", || web::to(visit)),
        Route::post("/notebook/file", Gate::Public, "", || web::to(download)),
    ]
}

/// What came of a visit.
enum Verdict {
    /// With the file to keep.
    Accepted {
        seen: Seen,
        book: Box<Notebook>,
    },
    Refused(Refusal),
}

#[derive(Template)]
#[template(path = "notebook/notebook.html")]
struct NotebookPage {
    frame: Frame,
    verdict: Option<Verdict>,
}

impl NotebookPage {
    fn said(&self, seen: &Seen) -> String {
        let count = |size: u64| self.frame.count(&i64::try_from(size).unwrap_or(i64::MAX));
        match seen {
            Seen::First => self.frame.w.t("notebook-first").into_owned(),
            Seen::Same => self.frame.w.t("notebook-same").into_owned(),
            Seen::Extended { from, to } => {
                let args = [("from", count(*from).into()), ("to", count(*to).into())];
                self.frame.w.with("notebook-extended", &args).into_owned()
            }
        }
    }

    fn refusal(&self, refusal: &Refusal) -> String {
        let args = refusal.args();
        let args: Vec<_> = args.iter().map(|(name, value)| (*name, value.as_str().into())).collect();
        self.frame.w.with(&format!("notebook-refused-{}", refusal.code()), &args).into_owned()
    }

    fn count(&self, size: &u64) -> String {
        self.frame.count(&i64::try_from(*size).unwrap_or(i64::MAX))
    }
}

fn shown(view: &View, verdict: Option<Verdict>) -> HttpResponse {
    let refused = matches!(verdict, Some(Verdict::Refused(_)));
    let frame = view.frame(view.words.t("notebook-title"), "/trail");
    let frame = if refused { frame.failed() } else { frame };
    // A refusal is the answer that was asked for, and no fault of the request.
    page(&NotebookPage { frame, verdict }, StatusCode::OK)
}

async fn show(view: View) -> HttpResponse {
    shown(&view, None)
}

async fn visit(view: View, site: web::Data<Site>, upload: Upload) -> Result<HttpResponse> {
    let (size, note) = site.signing.newest().ok_or_else(|| Error::unavailable("not-yet-signed"))?;
    let keys = site.signing.vkeys(&site.origin)?;
    let at = site.clock.now().to_string();
    let file = upload.file("notebook").filter(|bytes| !bytes.is_empty());
    let Some(file) = file else {
        let begun = Notebook::begin(&note, &keys, &at);
        let verdict = begun.map_or_else(Verdict::Refused, |book| Verdict::Accepted {
            seen: Seen::First,
            book: Box::new(book),
        });
        return Ok(shown(&view, Some(verdict)));
    };
    let mut book = match Notebook::parse(file) {
        Ok(book) => book,
        Err(refusal) => return Ok(shown(&view, Some(Verdict::Refused(refusal)))),
    };
    let (epoch, kept) = (site.epoch, book.last().size);
    let path = site.readers.read(move |db: &mut Db| proof(db, epoch, (Some(kept), size))).await?;
    let verdict = match book.visit((&note, &path), &keys, &at) {
        Ok(seen) => Verdict::Accepted { seen, book: Box::new(book) },
        Err(refusal) => Verdict::Refused(refusal),
    };
    Ok(shown(&view, Some(verdict)))
}

/// The notebook that the page before has shown; nothing is kept here.
#[derive(Debug, Deserialize)]
struct Carried {
    #[serde(default)]
    notebook: String,
}

async fn download(form: Form<Carried>) -> Result<HttpResponse> {
    let book = Notebook::parse(form.fields.notebook.as_bytes())
        .map_err(|_| Error::invalid("notebook", "malformed"))?;
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"sopledger-notebook.json\""))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(book.to_text()))
}
