//! Audited changes a second, beside the bare single-row durable insert of the same database in the same run.
//!
//! One audited change = one row updated, its snapshot, its entry, in process, without a password. Alone: each waits
//! for the one before. In flight: 64 callers at once. Rounds are interleaved and the median is told.
//! `cargo bench --bench audited`.
//!
//! What a change costs beside the bare insert is decided by what a sync costs, which is why all is measured twice: on
//! the disk as it is, and with syncs that take 2 ms longer for both, since a virtual machine's cached disk answers in a
//! tenth of a millisecond and a disk that keeps what it promises does not.

#![allow(missing_docs)]

#[path = "../tests/postgres.rs"]
#[allow(dead_code)]
mod postgres;
#[path = "../tests/wait.rs"]
#[allow(dead_code)]
mod wait;

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use sopledger::error::Result;
use sopledger::ledger::acts;
use sopledger::ledger::folder::Folder;
use sopledger::ledger::lane::{Actor, NewEntry, Tx};
use sopledger::ledger::site::{Place, Site};
use sopledger::ledger::subject::{Snapshot, Subject};
use sopledger::people::accounts;
use sopledger::store::schema::setting;
use sopledger::store::{Db, Purpose, Target};
use sopledger::time::Clock;

const ROUND: Duration = Duration::from_millis(1500);
const ROUNDS: usize = 5;
const SUBJECTS: usize = 64;

/// Set in the run whose syncs are slow: how much longer each takes, in microseconds.
const SLOWER: &str = "SYNC_US";

fn main() {
    match std::env::var(SLOWER) {
        Ok(microseconds) => println!("Every sync {microseconds} µs longer"),
        Err(_) => println!("The disk as it is"),
    }
    let folder =
        tempfile::tempdir_in(std::env::var("SOPLEDGER_BENCH_DIR").unwrap_or_else(|_| "target".into()))
            .or_else(|_| tempfile::tempdir_in("."))
            .unwrap();
    let target = Target::Sqlite(Folder::new(folder.path()).database());
    measure("SQLite", &target, folder.path());
    if let Some(url) = postgres::durable_database() {
        let folder = tempfile::tempdir().unwrap();
        measure("PostgreSQL", &Target::from_url(&url).unwrap(), folder.path());
    }
    if std::env::var_os(SLOWER).is_none() {
        where_a_sync_costs("2000");
    }
}

/// The same in a process, with a PostgreSQL of its own, in which a library comes before the system's syncs.
fn where_a_sync_costs(microseconds: &str) {
    // The server runs as another user, who has to read it.
    let readable = std::fs::Permissions::from_mode(0o755);
    let folder = tempfile::Builder::new().permissions(readable).tempdir().unwrap();
    let library = folder.path().join("slow_sync.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/slow_sync.c");
    let made =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).args([source, "-ldl"]).status();
    if !made.is_ok_and(|status| status.success()) {
        return println!("*** cc made nothing of benches/slow_sync.c: slow syncs were not measured ***");
    }
    let this = std::env::current_exe().unwrap();
    let run = Command::new(this).env("LD_PRELOAD", &library).env(SLOWER, microseconds).status();
    assert!(run.unwrap().success());
}

fn measure(name: &str, target: &Target, folder: &std::path::Path) {
    let place = Place {
        target: target.clone(),
        folder: Folder::new(folder),
        clock: Clock::System,
        zone: chrono_tz::Asia::Shanghai,
    };
    place.create("bench.example.cn/main").unwrap();
    let site = Arc::new(place.open(false).unwrap());
    for n in 0..SUBJECTS {
        let name = format!("bench.{n:03}");
        site.lane
            .write_here(move |tx| accounts::change_setting(tx, &Actor::cli(), (&name, "0"), "bench"))
            .unwrap();
    }
    let mut open = target.open(Purpose::Write).unwrap();
    open.batch_execute("CREATE TABLE bare (id TEXT NOT NULL PRIMARY KEY, body TEXT NOT NULL)").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut bare, mut bare_many, mut alone, mut flight, mut locking) =
        (vec![], vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        bare.push(bare_inserts(target, 1));
        alone.push(runtime.block_on(audited(&site, 1)));
        flight.push(runtime.block_on(audited(&site, SUBJECTS)));
        if matches!(target, Target::Postgres(_)) {
            bare_many.push(bare_inserts(target, 32));
            locking.push(locking_chain(target, 32));
        }
    }
    site.close();
    let (bare, alone, flight) = (median(bare), median(alone), median(flight));
    println!("{name}");
    println!("  bare durable insert, 1 client      {bare:>9.0}/s");
    println!("  audited change, 1 client           {alone:>9.0}/s   {:.2} of bare", alone / bare);
    println!("  audited changes, 64 in flight      {flight:>9.0}/s   {:.1} times bare", flight / bare);
    if bare_many.is_empty() {
        return;
    }
    let (bare_many, locking) = (median(bare_many), median(locking));
    println!("  bare durable inserts, 32 clients   {bare_many:>9.0}/s");
    println!("  chain locked per request, 32       {locking:>9.0}/s");
    println!("  64 in flight against 32 bare       {:>9.2}", flight / bare_many);
    println!("  64 in flight against locked chain  {:>9.1}", flight / locking);
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// One audited change: the row, its snapshot, its entry.
fn change(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<()> {
    diesel::update(setting::table.find(name)).set(setting::value.eq(value)).execute(tx.rows())?;
    let snapshot = Snapshot::new(&Subject::new("setting", name), 1).set("value", value).rows("setting", 1);
    tx.append(NewEntry::new(acts::SETTING_CHANGED, &Actor::cli()).reason("bench").state(snapshot))?;
    Ok(())
}

async fn audited(site: &Arc<Site>, callers: usize) -> f64 {
    let done = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let tasks = (0..callers).map(|n| {
        let (site, done) = (Arc::clone(site), Arc::clone(&done));
        async move {
            let name = format!("bench.{n:03}");
            while began.elapsed() < ROUND {
                let (name, count) = (name.clone(), done.fetch_add(1, Ordering::Relaxed));
                site.lane
                    .write(move |tx| change(tx, &name, &format!("value number {count} of this bench's run")))
                    .await
                    .unwrap();
            }
        }
    });
    futures_util::future::join_all(tasks).await;
    done.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64()
}

fn bare_inserts(target: &Target, clients: usize) -> f64 {
    static IDS: AtomicU64 = AtomicU64::new(0);
    diesel::table! { bare (id) { id -> Text, body -> Text, } }
    many(target, clients, |db| {
        let id = format!("{:020}", IDS.fetch_add(1, Ordering::Relaxed));
        diesel::insert_into(bare::table)
            .values((bare::id.eq(id), bare::body.eq("x".repeat(300))))
            .execute(db)
            .unwrap();
    })
}

/// What a chain costs that takes a lock for each request and holds it to the commit.
fn locking_chain(target: &Target, clients: usize) -> f64 {
    diesel::table! { locked (seq) { seq -> BigInt, body -> Text, } }
    let mut db = target.open(Purpose::Write).unwrap();
    db.batch_execute(
        "DROP TABLE IF EXISTS locked; CREATE TABLE locked (seq BIGINT PRIMARY KEY, body TEXT NOT NULL); \
         INSERT INTO locked VALUES (0, '')",
    )
    .unwrap();
    many(target, clients, |db| {
        db.transaction::<_, diesel::result::Error, _>(|db| {
            diesel::sql_query("SELECT pg_advisory_xact_lock(42)").execute(db)?;
            let head: Option<i64> = locked::table.select(diesel::dsl::max(locked::seq)).first(db)?;
            diesel::insert_into(locked::table)
                .values((locked::seq.eq(head.unwrap_or(0) + 1), locked::body.eq("x".repeat(300))))
                .execute(db)
        })
        .unwrap();
    })
}

fn many(target: &Target, clients: usize, work: impl Fn(&mut Db) + Sync) -> f64 {
    let mut connections: Vec<Db> = (0..clients).map(|_| target.open(Purpose::Write).unwrap()).collect();
    let done = AtomicU64::new(0);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for db in &mut connections {
            scope.spawn(|| {
                while began.elapsed() < ROUND {
                    work(db);
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    done.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64()
}
