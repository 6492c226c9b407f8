//! One entry's proof in words: from its bytes step by step to the signed root, and from an earlier size to now; with
//! the files that prove the same to anybody's program.

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::api::{number, voucher};
use super::pages::SECTION;
use super::store;
use super::views::Epochs;
use crate::error::{Error, Result};
use crate::ledger::digest::Digest;
use crate::ledger::entry;
use crate::ledger::epochs::{self, Voucher, named as epoch};
use crate::ledger::note::VerifierKey;
use crate::ledger::store as ledger;
use crate::ledger::tree::{Step, consistency_proof, inclusion_proof, verify_consistency, walk};
use crate::people::desk::Reader;
use crate::people::gate::{Gate, Route};
use crate::people::rights::Permission;
use crate::people::view::View;
use crate::store::Db;
use crate::web::form::Typed;
use crate::web::page::{Frame, page};
use crate::web::parts::Sheet;
use crate::web::problem::status;
use crate::web::query::Query;

pub fn routes() -> Vec<Route> {
    vec![Route::get("/trail/{seq}/proof", Gate::May(Permission::ReadTrail), "", || web::to(proof))]
}

#[derive(Debug, Deserialize)]
struct Asked {
    from: Option<String>,
    epoch: Option<String>,
}

/// From the entry up.
struct Inclusion {
    leaf: Digest,
    steps: Vec<Step>,
    /// Where they lead; none where the path does not fit.
    end: Option<Digest>,
}

/// From an earlier size to the signed one.
struct Consistency {
    from: u64,
    from_root: Digest,
    hashes: usize,
    ok: bool,
}

#[derive(Template)]
#[template(path = "trail/proof.html")]
struct ProofPage {
    frame: Frame,
    seq: u64,
    epochs: Epochs,
    /// What vouches for the entry.
    voucher: Voucher,
    keys: Vec<VerifierKey>,
    inclusion: Inclusion,
    /// Since an earlier size of the same epoch.
    consistency: Option<Consistency>,
    /// Of an epoch that has ended: how many entries the recovery found, and how many had been signed.
    ended: Option<(u64, u64)>,
    sheet: Sheet,
}

impl ProofPage {
    fn proves(&self) -> bool {
        self.root().is_some() && self.inclusion.end == self.root()
    }

    fn root(&self) -> Option<Digest> {
        self.voucher.root()
    }

    fn size(&self) -> u64 {
        self.voucher.size()
    }

    /// The note, where it is one that vouches.
    fn note(&self) -> Option<&str> {
        match &self.voucher {
            Voucher::Checkpoint { note, .. } => Some(note),
            Voucher::Recovery { .. } => None,
        }
    }

    /// How many entries are vouched for.
    fn entries(&self) -> String {
        self.number(&self.size())
    }

    /// The last entry that is vouched for.
    fn last(&self) -> String {
        self.number(&self.size().saturating_sub(1))
    }

    /// What is proven, in words.
    fn included(&self) -> String {
        let (w, epochs) = (self.frame.w, self.epochs);
        let args = [
            ("seq", self.number(&self.seq).into()),
            ("size", self.entries().into()),
            ("epoch", epochs.shown.into()),
            ("next", epochs.next().into()),
        ];
        let key = if self.note().is_some() { "trail-proof-included" } else { "trail-proof-declared" };
        w.with(key, &args).into_owned()
    }

    /// Addresses and names of the files that prove it.
    fn files(&self) -> Vec<(String, String, &'static str)> {
        let Self { seq, epochs: Epochs { shown, present }, .. } = self;
        let (query, named) = (self.epochs.query(), |name: &str| epochs::file_name(*shown, name));
        let mut files = vec![(
            format!("/api/v1/ledger/entries/{seq}/bytes{query}"),
            named(&format!("{seq}.entry")),
            "trail-file-entry",
        )];
        if self.note().is_some() {
            let (checkpoint, key) = match shown == present {
                true => (format!("/ledger/checkpoint?covers={seq}"), "/ledger/key".to_owned()),
                false => (format!("/ledger/epoch/{shown}/checkpoint"), format!("/ledger/epoch/{shown}/key")),
            };
            files.extend([
                (
                    format!("/api/v1/ledger/entries/{seq}/proof{query}"),
                    named(&format!("{seq}.tlog-proof")),
                    "trail-file-proof",
                ),
                (checkpoint, named("checkpoint"), "trail-file-checkpoint"),
                (key, named("key"), "trail-file-key"),
            ]);
        }
        if let Some(Consistency { from, .. }) = &self.consistency {
            let (to, epoch) = (self.size(), self.epochs.query().replace('?', "&"));
            files.push((
                format!("/api/v1/ledger/consistency?from={from}&to={to}{epoch}"),
                named(&format!("{from}-{to}.json")),
                "trail-file-consistency",
            ));
        }
        files
    }

    fn number(&self, number: &u64) -> String {
        self.frame.count(&i64::try_from(*number).unwrap_or(i64::MAX))
    }
}

async fn proof(view: View, reader: Reader, path: Path<String>, asked: Query<Asked>) -> Result<HttpResponse> {
    let present = reader.site.epoch;
    let (seq, epoch) = (number(&path)?, epoch(asked.0.epoch.as_deref(), present)?);
    reader.read(move |db| store::entry(db, epoch, seq).map(|_| ())).await?;
    let voucher = voucher(&reader.site, epoch, seq).await?;
    let (size, root) = (voucher.size(), voucher.root());
    let told = asked.0.from.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let wished = told.as_deref().map(|text| {
        let size = text.parse().ok().filter(|from: &u64| (1..=size).contains(from));
        size.ok_or_else(|| Error::invalid("from", "out-of-range"))
    });
    let typed = Typed::from_pairs([("from", told.clone().unwrap_or_default())]);
    let mut sheet = Sheet::new(view.words, "trail-consistency", typed);
    let (wished, answer) = match wished.transpose() {
        Ok(wished) => (wished, StatusCode::OK),
        Err(error) => {
            sheet = sheet.refused(&error);
            (None, status(&error))
        }
    };
    let question = move |db: &mut Db| {
        let before = match wished {
            Some(from) => Some(from),
            None => ledger::checkpoint_before(db, epoch, size)?,
        };
        let consistency = before.map(|from| consistent(db, epoch, (from, size), root)).transpose()?;
        let of = epochs::one(db, epoch)?;
        let ended = of.ended.map(|found| (found.size, found.signed()));
        Ok((included(db, epoch, (seq, size))?, consistency.flatten(), (of.origin, ended)))
    };
    let (inclusion, consistency, (origin, ended)) = reader.read(question).await?;
    let mut frame = view.frame(view.words.one("trail-proof-title", "seq", seq.to_string()), SECTION);
    if answer != StatusCode::OK {
        frame = frame.failed();
    }
    let keys = reader.site.signing.vkeys(&origin)?;
    let epochs = Epochs { shown: epoch, present };
    let shown = ProofPage { frame, seq, epochs, voucher, keys, inclusion, consistency, ended, sheet };
    Ok(page(&shown, answer))
}

fn included(db: &mut Db, epoch: i64, (seq, size): (u64, u64)) -> Result<Inclusion> {
    let row = store::entry(db, epoch, seq)?;
    // Of the bytes as they are now, not of what stands beside them.
    let leaf = entry::leaf(&row.entry);
    let proof = inclusion_proof(seq, size, |level, at| ledger::node(db, epoch, level, at))?;
    let mut steps = Vec::new();
    let end = proof.and_then(|proof| walk(&proof, &leaf, |step| steps.push(step)));
    Ok(Inclusion { leaf, steps, end })
}

fn consistent(
    db: &mut Db,
    epoch: i64,
    (from, to): (u64, u64),
    root: Option<Digest>,
) -> Result<Option<Consistency>> {
    let Some(from_root) = ledger::root(db, epoch, from)? else { return Ok(None) };
    let proof = consistency_proof(from, to, |level, at| ledger::node(db, epoch, level, at))?;
    let (Some(proof), Some(root)) = (proof, root) else { return Ok(None) };
    let ok = verify_consistency(&proof, &from_root, &root);
    Ok(Some(Consistency { from, from_root, hashes: proof.path.len(), ok }))
}
