//! How the node is: for the supervisor (`/healthz`), for whoever sends requests here (`/readyz`), for the monitoring
//! (`/metrics`). Nothing here needs signing in, and nothing here tells of records.

use std::sync::atomic::AtomicI64;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpResponse, web};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use serde_json::{Value, json};

use crate::backup;
use crate::error::{Error, Result};
use crate::ledger::anchor::{self, Anchor, Every};
use crate::ledger::site::Site;
use crate::ledger::store as ledger;
use crate::people::gate::{Gate, Route};
use crate::store::{self, SchemaState};
use crate::time::Timestamp;
use crate::web::metrics::Metrics;

/// Less free space than this, in bytes, is not enough.
const LEAST_FREE: u64 = 256 << 20;
/// For so long, in seconds, entries may wait for their checkpoint.
const SIGNED_WITHIN: i64 = 30;

/// The routes of the node's health.
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/healthz", Gate::Public, "Whether the process lives", || web::to(alive)),
        Route::get("/readyz", Gate::Public, "Whether the node can serve", || web::to(ready)),
        Route::get("/metrics", Gate::Public, "Counters and gauges", || web::to(metrics)),
    ]
}

/// What one look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// `schema`, `ledger`, `signer` or `disk`.
    pub name: &'static str,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was seen.
    pub detail: String,
}

/// What all looks found.
#[derive(Debug, Clone)]
pub struct Report {
    checks: Vec<Check>,
    entries: u64,
    signed: u64,
    free: u64,
    now: Timestamp,
    backup: Option<Timestamp>,
    anchor: Option<Anchor>,
    every: Every,
}

impl Report {
    /// The looks, in their order.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// When the last backup was made; none where none ever was.
    pub fn backup(&self) -> Option<Timestamp> {
        self.backup
    }

    /// Seconds since then.
    pub fn backup_age(&self) -> Option<i64> {
        self.backup.map(|at| (self.now.0 - at.0) / 1_000_000)
    }

    /// Whether a backup is due. An overdue one is for people to mend: a node that is taken out of service for it
    /// helps nobody, so it does not count towards [`Report::is_ready`].
    pub fn backup_overdue(&self) -> bool {
        self.backup_age().is_none_or(|age| age > backup::LATE)
    }

    /// When an outside witness stamped last; none where none ever did.
    pub fn anchor(&self) -> Option<Timestamp> {
        self.anchor.as_ref().map(|anchor| anchor.kept_at)
    }

    /// Whether an outside witness is configured.
    pub fn is_witnessed(&self) -> bool {
        self.every.0.is_some()
    }

    /// Seconds since the last time stamp of an outside witness was kept.
    pub fn anchor_age(&self) -> Option<i64> {
        self.anchor.as_ref().map(|anchor| (self.now.0 - anchor.kept_at.0) / 1_000_000)
    }

    /// Whether a time stamp is wanted and twice its time has passed, with something new to be stamped. As with a
    /// backup, a node that is taken out of service for it helps nobody.
    pub fn anchor_overdue(&self) -> bool {
        let Some(every) = self.every.0 else { return false };
        let stamped = self.anchor.as_ref().and_then(|anchor| u64::try_from(anchor.entries).ok()).unwrap_or(0);
        // The last stamp's own entry needs none.
        self.anchor_age().is_none_or(|age| age > 2 * every && self.signed > stamped + 1)
    }

    /// Whether all is as it should be.
    pub fn is_ready(&self) -> bool {
        self.checks.iter().all(|check| check.ok)
    }

    fn json(&self) -> Value {
        let checks = self
            .checks
            .iter()
            .map(|check| (check.name.to_owned(), json!({ "ok": check.ok, "detail": check.detail })));
        let status = if self.is_ready() { "ready" } else { "not-ready" };
        json!({
            "status": status,
            "checks": checks.collect::<serde_json::Map<_, _>>(),
            "backup": { "age_seconds": self.backup_age(), "overdue": self.backup_overdue() },
            "anchor": {
                "configured": self.is_witnessed(), "age_seconds": self.anchor_age(), "overdue": self.anchor_overdue(),
            },
        })
    }
}

/// Looks at schema, ledger, signer and disk; a time stamp is wanted `every` so often.
pub async fn report(site: &Site, every: Every) -> Report {
    let look = |db: &mut store::Db| {
        Ok((store::schema_state(db)?, ledger::head(db)?, backup::last(db)?, anchor::last(db)?))
    };
    let found = site.readers.read(look).await;
    let (schema, head, backup, anchor) = match found {
        Ok((state, head, backup, anchor)) => (Ok(state), head, backup, anchor),
        Err(error) => (Err(error), None, None, None),
    };
    let now = site.clock.now();
    let check = |name, ok, detail| Check { name, ok, detail };
    let schema = match schema {
        Ok(state) => check("schema", state == SchemaState::Current, format!("{state:?}").to_lowercase()),
        // The cause may name hosts and files: it is for the log.
        Err(error) => {
            tracing::warn!(%error, "the database does not answer");
            check("schema", false, "no answer".to_owned())
        }
    };
    let entries = head.as_ref().map_or(0, |head| head.size);
    let signed = site.signing.newest().map_or(0, |(size, _)| size);
    let behind =
        head.as_ref().is_some_and(|head| signed < head.size && head.ts.plus_seconds(SIGNED_WITHIN) < now);
    let (disk, free) = disk(site);
    let checks = vec![
        schema,
        match site.lane.halted().get() {
            None => check("ledger", entries > 0, format!("{entries}")),
            Some(cause) => check("ledger", false, cause.code.to_owned()),
        },
        check("signer", signed > 0 && !behind && site.signing.trouble().is_none(), format!("{signed}")),
        disk,
    ];
    Report { checks, entries, signed, free, now, backup, anchor, every }
}

fn disk(site: &Site) -> (Check, u64) {
    match rustix::fs::statvfs(site.folder.path()) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            (Check { name: "disk", ok: free >= LEAST_FREE, detail: format!("{} MiB", free >> 20) }, free)
        }
        Err(error) => (Check { name: "disk", ok: false, detail: error.to_string() }, 0),
    }
}

async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "alive" }))
}

async fn ready(site: web::Data<Site>, every: web::Data<Every>) -> HttpResponse {
    let report = report(&site, **every).await;
    let mut answer = if report.is_ready() { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    answer.json(report.json())
}

/// What the ledger, the lane and the disk tell the monitoring, read when it asks.
#[derive(Debug, Default, Clone)]
pub struct Gauges {
    entries: Gauge<i64, AtomicI64>,
    signed: Gauge<i64, AtomicI64>,
    waiting: Gauge<i64, AtomicI64>,
    free: Gauge<i64, AtomicI64>,
    ready: Gauge<i64, AtomicI64>,
    halted: Gauge<i64, AtomicI64>,
    backup: Gauge<i64, AtomicI64>,
    anchor: Gauge<i64, AtomicI64>,
    anchor_overdue: Gauge<i64, AtomicI64>,
}

impl Gauges {
    /// Puts them beside the counters of requests.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("ledger_entries", "Entries of the ledger", self.entries.clone());
        registry.register(
            "ledger_signed_entries",
            "Entries under the newest checkpoint",
            self.signed.clone(),
        );
        registry.register(
            "lane_waiting_changes",
            "Changes that wait for the write lane",
            self.waiting.clone(),
        );
        registry.register_with_unit(
            "disk_free",
            "Free space in the data folder",
            Unit::Bytes,
            self.free.clone(),
        );
        registry.register_with_unit(
            "backup_age",
            "Time since the last backup, -1 where none was ever made",
            Unit::Seconds,
            self.backup.clone(),
        );
        registry.register_with_unit(
            "anchor_age",
            "Time since the last time stamp of an outside witness, -1 where there is none",
            Unit::Seconds,
            self.anchor.clone(),
        );
        registry.register(
            "anchor_overdue",
            "Whether a time stamp is wanted and late, 0 or 1",
            self.anchor_overdue.clone(),
        );
        registry.register(
            "ledger_halted",
            "Whether nothing is written because the database is not the one that was signed, 0 or 1",
            self.halted.clone(),
        );
        registry.register("ready", "Whether the node can serve, 0 or 1", self.ready.clone());
    }

    fn read(&self, site: &Site, report: &Report) {
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        self.entries.set(number(report.entries));
        self.signed.set(number(report.signed));
        self.waiting.set(i64::try_from(site.lane.waiting()).unwrap_or(i64::MAX));
        self.free.set(number(report.free));
        self.backup.set(report.backup_age().unwrap_or(-1));
        self.anchor.set(report.anchor_age().unwrap_or(-1));
        self.anchor_overdue.set(i64::from(report.anchor_overdue()));
        self.halted.set(i64::from(site.is_halted()));
        self.ready.set(i64::from(report.is_ready()));
    }
}

async fn metrics(
    site: web::Data<Site>,
    metrics: web::Data<Metrics>,
    gauges: web::Data<Gauges>,
    every: web::Data<Every>,
) -> Result<HttpResponse, Error> {
    gauges.read(&site, &report(&site, **every).await);
    let text = metrics.render()?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8"))
        .body(text))
}
