//! How fast a ledger is verified, beside plain SHA-256 of the same bytes on one core in the same run.
//!
//! Prints a small table and one line of JSON: the chain pass over bytes in memory on one core (aimed at 0.5), and checks
//! 1 and 2 whole from a SQLite database (aimed at 0.12), with what reading its rows alone takes. `ENTRIES=n` changes the size of the ledger.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use serde_json::json;
use sopledger::ledger::acts;
use sopledger::ledger::chain::{ChainVerifier, Row};
use sopledger::ledger::digest::Digest;
use sopledger::ledger::folder::Folder;
use sopledger::ledger::lane::{Actor, NewEntry};
use sopledger::ledger::site::{Place, Site};
use sopledger::ledger::store::rows;
use sopledger::ledger::subject::{Snapshot, Subject};
use sopledger::ledger::verify::{Outside, Verification, verify_chain};
use sopledger::store::{Purpose, Target};
use sopledger::time::Clock;

const ROUNDS: usize = 5;

fn main() {
    let entries = std::env::var("ENTRIES").ok().and_then(|n| n.parse().ok()).unwrap_or(200_000);
    let home = tempfile::tempdir().expect("a folder");
    let folder = Folder::new(home.path());
    let target = Target::Sqlite(folder.database());
    let clock = Clock::System;
    let place = Place { target: target.clone(), folder: folder.clone(), clock, zone: chrono_tz::Tz::UTC };
    place.create("bench.example/ledger").expect("an installation");
    let site = place.open(false).expect("a site");
    fill(&site, entries);
    site.close();
    let bytes = read(&target);
    let size: usize = bytes.iter().map(Vec::len).sum();
    let outside = Outside::read(&folder);
    let mut measured = Measured::default();
    for _ in 0..ROUNDS {
        measured.sha.push(timed(|| {
            bytes.iter().for_each(|entry| {
                black_box(Digest::of(entry));
            });
        }));
        measured.chain.push(timed(|| chain_pass(&bytes)));
        measured.read.push(timed(|| read_pages(&target)));
        measured.one.push(timed(|| whole(&target, &outside, 1)));
        measured.two.push(timed(|| whole(&target, &outside, 2)));
    }
    measured.print(bytes.len(), size);
}

/// Entries as an import of orders writes them.
fn fill(site: &Site, entries: u64) {
    let actor = Actor::account("u-0192f0c1a2b3", "integration");
    let mut done = 1;
    while done < entries {
        let (first, last) = (done, entries.min(done + 2000));
        let actor = actor.clone();
        let written = site.lane.write_here(move |tx| {
            for number in first..last {
                let subject = Subject::new("order", format!("45{:08}", number / 2));
                let snapshot = Snapshot::new(&subject, 1)
                    .set("state", format!("state-{number}"))
                    .set("customer", format!("C-{:06}", number % 7919));
                let source =
                    json!({ "system": "erp", "row": number, "sha256": Digest::of(b"file").to_string() });
                let entry = NewEntry::new(acts::ORDER_IMPORTED, &actor).state(snapshot);
                tx.append(entry.field("source", source))?;
            }
            Ok(())
        });
        written.expect("written");
        done = last;
    }
}

fn read(target: &Target) -> Vec<Vec<u8>> {
    let mut db = target.open(Purpose::Read).expect("a reader");
    rows(&mut db, 1, 0..u64::from(u32::MAX)).expect("entries").into_iter().map(|row| row.entry).collect()
}

/// What the engine alone takes to hand the rows over: no verification from a database is faster.
fn read_pages(target: &Target) {
    let mut db = target.open(Purpose::Read).expect("a reader");
    let mut next = 0;
    loop {
        let page = black_box(rows(&mut db, 1, next..next + 2048).expect("entries"));
        if page.is_empty() {
            return;
        }
        next += page.len() as u64;
    }
}

fn chain_pass(bytes: &[Vec<u8>]) {
    let mut chain = ChainVerifier::new("bench.example/ledger");
    for (seq, entry) in (0..).zip(bytes) {
        let step = chain.push(Row { seq, entry, leaf: None });
        assert!(step.faults.is_empty());
    }
    assert!(chain.root().is_some());
}

fn whole(target: &Target, outside: &Outside, workers: usize) {
    let mut db = target.open(Purpose::Read).expect("a reader");
    let workers = NonZeroUsize::new(workers).expect("a worker");
    let what = Verification { workers, ..Verification::whole(&[], outside) };
    let report = verify_chain(&mut db, &what).expect("a report");
    assert!(report.is_sound() && report.exit_code() == 0, "{report}");
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

#[derive(Default)]
struct Measured {
    sha: Vec<Duration>,
    chain: Vec<Duration>,
    read: Vec<Duration>,
    one: Vec<Duration>,
    two: Vec<Duration>,
}

impl Measured {
    fn print(self, entries: usize, bytes: usize) {
        let sha = median(self.sha);
        let rows = [
            ("chain", self.chain),
            ("read_alone", self.read),
            ("checks_1_2_one_worker", self.one),
            ("checks_1_2_two_workers", self.two),
        ];
        println!("{entries} entries, {bytes} bytes; medians of {ROUNDS} interleaved rounds");
        println!("{:<26} {:>9} {:>12} {:>8}", "", "ms", "entries/s", "ratio");
        println!("{:<26} {:>9.1} {:>12} {:>8}", "sha256", sha * 1e3, (entries as f64 / sha) as u64, "1.00");
        let mut line = json!({ "entries": entries, "bytes": bytes, "sha256_ms": sha * 1e3 });
        for (name, times) in rows {
            let seconds = median(times);
            let rate = (entries as f64 / seconds) as u64;
            println!("{name:<26} {:>9.1} {rate:>12} {:>8.3}", seconds * 1e3, sha / seconds);
            line[name] = json!(sha / seconds);
        }
        println!("{line}");
    }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}
