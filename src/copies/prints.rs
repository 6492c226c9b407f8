//! A print from its entry to its file: first it is written down that somebody prints, then what is printed is gathered
//! as of that instant, then it is set.

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};

use super::issue::{self, BOTH, Noted};
use super::layout::{self, Site};
use super::record::Copy;
use super::sheet::{self, Impression, Kind, Sheet};
use super::{Printing, store};
use crate::documents::list::Sight;
use crate::documents::reading;
use crate::error::{Error, Result};
use crate::ledger::lane::Tx;
use crate::ledger::store::{self as ledger, Placed};
use crate::pdf::Job;
use crate::people::desk::Reader;
use crate::people::rights::Permission;
use crate::store::Db;
use crate::time::Timestamp;

/// Where a reader's QR codes lead: the address that was configured, else the one this request came by.
pub fn base(printing: &Printing, request: &HttpRequest) -> String {
    let configured = printing.public_url.as_deref().map(|url| url.trim_end_matches('/').to_owned());
    configured.unwrap_or_else(|| {
        let info = request.connection_info();
        format!("{}://{}", info.scheme(), info.host())
    })
}

/// The languages that a query asks for.
pub fn wanted(lang: Option<&str>) -> String {
    lang.filter(|lang| !lang.is_empty()).unwrap_or(BOTH).to_owned()
}

/// An uncontrolled print of a version, for whoever may read it.
///
/// # Errors
/// 503 where this program or machine cannot print; 404; 403 `not-in-force`; 422 at `lang`; 409 `content-broken`.
pub async fn of_version(
    reader: &Reader,
    (printing, request): (&web::Data<Printing>, &HttpRequest),
    (number, version, lang): (String, String, String),
) -> Result<HttpResponse> {
    printing.press.ready()?;
    let archive = reader.caller.may(Permission::ReadAllVersions);
    let name = format!("{number}_{version}_{lang}.pdf");
    if request.method() == Method::HEAD {
        let sight = reading::sight_of(&reader.caller, reader.site.clock.now());
        reader
            .read(move |db| {
                issue::must_have(&reading::visible_version(db, (&number, &version), sight)?, &lang)
            })
            .await?;
        return Ok(file(&name, Vec::new()));
    }
    let (actor, epoch) = (reader.caller.actor(Permission::ReadInForce)?, reader.site.epoch);
    let target = (number.clone(), version.clone(), lang);
    let change = move |tx: &mut Tx<'_>| {
        issue::note_print(tx, (&actor, archive), (&target.0, &target.1, &target.2), epoch)
    };
    let noted = reader.site.lane.write(change).await?;
    let sight = if archive { Sight::Archive } else { Sight::InForce(noted.at) };
    let matter = Matter { number, version, sight, kind: Kind::Uncontrolled };
    let bytes = printed(reader, (printing, request), matter, noted).await?;
    Ok(file(&name, bytes))
}

/// A numbered copy's paper.
///
/// # Errors
/// As [`of_version`]; 409 `copy-settled`, `copy-not-in-force`.
pub async fn of_copy(
    reader: &Reader,
    (printing, request): (&web::Data<Printing>, &HttpRequest),
    (number, n): (String, String),
) -> Result<HttpResponse> {
    printing.press.ready()?;
    let name = format!("{number}_No{n}.pdf");
    if request.method() == Method::HEAD {
        reader.read(move |db| store::require(db, &number, &n)).await?;
        return Ok(file(&name, Vec::new()));
    }
    let actor = reader.caller.actor(Permission::IssueCopies)?;
    let target = number.clone();
    let change = move |tx: &mut Tx<'_>| issue::note_copy_print(tx, &actor, (&target, &n));
    let (copy, noted) = reader.site.lane.write(change).await?;
    let Copy { version, n, holder_sealed, place, .. } = copy;
    let holder = reader.read(move |db| ledger::unsealed(db, &holder_sealed)).await?.unwrap_or_default();
    let kind = Kind::Controlled { n, holder, place };
    let matter = Matter { number, version, sight: Sight::Archive, kind };
    let bytes = printed(reader, (printing, request), matter, noted).await?;
    Ok(file(&name, bytes))
}

struct Matter {
    number: String,
    version: String,
    sight: Sight,
    kind: Kind,
}

async fn printed(
    reader: &Reader,
    (printing, request): (&web::Data<Printing>, &HttpRequest),
    matter: Matter,
    noted: Noted,
) -> Result<Vec<u8>> {
    let Matter { number, version, sight, kind } = matter;
    let impression = Impression {
        by: reader.caller.name.clone(),
        at: noted.at,
        entry: Placed {
            epoch: reader.site.epoch,
            seq: ledger::index(noted.entry.seq)?,
            leaf: noted.entry.leaf,
            is_past: false,
        },
        address: format!("{}/c/{}", base(printing, request), noted.token),
    };
    let (lang, at) = (noted.lang, noted.at);
    let sheet = reader.read(move |db| sheet::gather(db, (&number, &version, &lang), (sight, at))).await?;
    let site = Site { origin: reader.site.origin.clone(), zone: reader.site.zone };
    // Diagrams are drawn here, which takes a while the first time.
    let job = web::block(move || layout::job(&sheet, &kind, Some(&impression), &site));
    let job = job.await.map_err(Error::internal)??;
    Ok(printing.press.print(job).await?.bytes)
}

/// The job for a version's archival rendition, in all its languages: no printer, no day, no address; the same bytes
/// until something is signed on it or its end comes.
///
/// # Errors
/// 404; 409 `content-broken`.
pub fn archival(
    db: &mut Db,
    (number, version): (&str, &str),
    (site, now): (&Site, Timestamp),
) -> Result<Job> {
    let sheet: Sheet = sheet::gather(db, (number, version, BOTH), (Sight::Archive, now))?;
    layout::job(&sheet, &Kind::Archive, None, site)
}

fn file(name: &str, bytes: Vec<u8>) -> HttpResponse {
    // Numbers, versions and tags are plain letters; whatever else came never got here.
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/pdf"))
        .insert_header((CONTENT_DISPOSITION, format!("inline; filename=\"{name}\"")))
        // Its streams are packed already.
        .insert_header((CONTENT_ENCODING, header::ContentEncoding::Identity))
        .body(bytes)
}
