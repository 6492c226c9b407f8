//! How fast a ledger is verified, beside plain SHA-256 of the same bytes on one core in the same run.
//!
//! Prints a small table and one line of JSON: the chain pass over bytes in memory on one core (aimed at 0.5) and on two
//! (1.5 times that), and checks 1 and 2 whole from a SQLite database (aimed at 0.12), with what reading its rows alone
//! takes. Then what else grows with a ledger, or must not: the memory of a process that verifies it (aimed at 200 MiB),
//! an inclusion proof from stored tiles (2 ms), the pass over what is new, and the bytes that entries take in their
//! tables (1.35 of their own). `ENTRIES=1000000` for the size that the aims are meant for.

use std::convert::Infallible;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use diesel::RunQueryDsl;
use diesel::sql_types::BigInt;
use serde_json::json;
use sopledger::app::GOVERNED;
use sopledger::ledger::chain::{ChainVerifier, Row};
use sopledger::ledger::digest::Digest;
use sopledger::ledger::folder::Folder;
use sopledger::ledger::lane::Actor;
use sopledger::ledger::parallel::{Record, verify_batches};
use sopledger::ledger::site::{Place, Site};
use sopledger::ledger::store::{head, node, rows};
use sopledger::ledger::tree::inclusion_proof;
use sopledger::ledger::verify::{Outside, Scope, Verification, verify_chain, verify_scope};
use sopledger::people::accounts;
use sopledger::store::{Purpose, Target};
use sopledger::time::Clock;

const ROUNDS: usize = 5;
/// Names the installation that this process is to verify, and nothing else, for its memory to be looked at.
const ALONE: &str = "SOPLEDGER_BENCH_VERIFY";

fn main() {
    if let Some(home) = std::env::var_os(ALONE) {
        let folder = Folder::new(home);
        let target = Target::Sqlite(folder.database());
        let report =
            verify_scope(&target, &folder, GOVERNED, (Scope::Whole, &|_, _| Ok(()))).expect("a report");
        assert!(report.exit_code() == 0, "{report}");
        return println!("{}", peak_kib());
    }
    let entries = std::env::var("ENTRIES").ok().and_then(|n| n.parse().ok()).unwrap_or(200_000);
    let home = tempfile::tempdir().expect("a folder");
    let folder = Folder::new(home.path());
    let target = Target::Sqlite(folder.database());
    let clock = Clock::System;
    let place = Place { target: target.clone(), folder: folder.clone(), clock, zone: chrono_tz::Tz::UTC };
    place.create("bench.example/ledger").expect("an installation");
    let site = place.open(false).expect("a site");
    fill(&site, 1..entries);
    site.close();
    let mut line = json!({
        "verifying_mib": verifying(home.path()) / 1024,
        "new_ms": only_new(&place, entries).as_secs_f64() * 1e3,
        "proof_ms": proof(&target).as_secs_f64() * 1e3,
    });
    let bytes = read(&target);
    let size: usize = bytes.iter().map(Vec::len).sum();
    line["bytes_in_tables"] = json!(stored(&target) as f64 / size as f64);
    let outside = Outside::read(&folder);
    let mut measured = Measured::default();
    for _ in 0..ROUNDS {
        measured.sha.push(timed(|| {
            bytes.iter().for_each(|entry| {
                black_box(Digest::of(entry));
            });
        }));
        measured.chain.push(timed(|| chain_pass(&bytes)));
        measured.chain_two.push(timed(|| chain_pass_on_two(&bytes)));
        measured.read.push(timed(|| read_pages(&target)));
        measured.one.push(timed(|| whole(&target, &outside, 1)));
        measured.two.push(timed(|| whole(&target, &outside, 2)));
    }
    measured.print(bytes.len(), size, line);
}

/// Entries as long as an import of orders writes them, each about a record that is there, two for each record.
fn fill(site: &Site, entries: std::ops::Range<u64>) {
    let actor = Actor::account("u-0192f0c1a2b3", "integration");
    let digest = Digest::of(b"file");
    let mut next = entries.start;
    while next < entries.end {
        let (first, last) = (next, entries.end.min(next + 2000));
        let actor = actor.clone();
        let written = site.lane.write_here(move |tx| {
            for number in first..last {
                let name = format!("order.45{:08}", number / 2);
                let value = format!("state-{number} C-{:06}", number % 7919);
                let reason = format!(
                    "import of the file {digest}, row {number}, as the interface delivered it in the night; lines \
                     and events of the order are those of the file, and nothing in them was entered by hand"
                );
                accounts::change_setting(tx, &actor, (&name, &value), &reason)?;
            }
            Ok(())
        });
        written.expect("written");
        next = last;
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

/// The same bytes in memory as on one core.
fn chain_pass_on_two(bytes: &[Vec<u8>]) {
    let two = NonZeroUsize::new(2).expect("two");
    let chain = ChainVerifier::new("bench.example/ledger");
    let rows = (0..).zip(bytes).map(|(seq, entry)| {
        Ok::<_, Infallible>(Record { seq, entry: entry.into(), leaf: None, columns: () })
    });
    let Ok(verified) = verify_batches(chain, two, rows, |_, _, _| {});
    assert!(verified.faults.is_empty() && verified.chain.root().is_some());
}

/// The most memory, in KiB, that a process of its own has had while it verified.
fn verifying(home: &std::path::Path) -> u64 {
    let this = std::env::current_exe().expect("this program");
    let told = std::process::Command::new(this).env(ALONE, home).output().expect("a process");
    String::from_utf8(told.stdout).ok().and_then(|text| text.trim().parse().ok()).expect("its peak")
}

fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    peak.trim_end_matches("kB").trim().parse().expect("KiB")
}

/// The pass over what is new, where 1,000 entries are.
fn only_new(place: &Place, entries: u64) -> Duration {
    let Place { target, folder, .. } = place;
    let pass = |scope| {
        let report = verify_scope(target, folder, GOVERNED, (scope, &|_, _| Ok(()))).expect("a report");
        assert!(report.exit_code() == 0, "{report}");
    };
    pass(Scope::Whole);
    let site = place.open(false).expect("a site");
    fill(&site, entries..entries + 1000);
    site.close();
    timed(|| pass(Scope::New))
}

/// One inclusion proof from stored tiles, the median of a thousand all over the ledger.
fn proof(target: &Target) -> Duration {
    let mut db = target.open(Purpose::Read).expect("a reader");
    let size = head(&mut db).expect("a head").expect("an installation").size;
    let mut times: Vec<Duration> = (0..1000)
        .map(|n| {
            let seq = size * n / 1000;
            timed(|| {
                black_box(
                    inclusion_proof(seq, size, |level, at| node(&mut db, 1, level, at)).expect("a proof"),
                );
            })
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

/// Bytes of the ledger's tables, without their indexes.
fn stored(target: &Target) -> i64 {
    #[derive(diesel::QueryableByName)]
    struct Sum {
        #[diesel(sql_type = BigInt)]
        sum: i64,
    }
    let mut db = target.open(Purpose::Read).expect("a reader");
    let sql = "SELECT SUM(pgsize) AS sum FROM dbstat \
               WHERE name IN ('ledger_entry', 'ledger_tile', 'ledger_head', 'ledger_checkpoint')";
    diesel::sql_query(sql).get_result::<Sum>(&mut db).expect("a figure").sum
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
    chain_two: Vec<Duration>,
    read: Vec<Duration>,
    one: Vec<Duration>,
    two: Vec<Duration>,
}

impl Measured {
    fn print(self, entries: usize, bytes: usize, mut line: serde_json::Value) {
        let sha = median(self.sha);
        let rows = [
            ("chain", self.chain),
            ("chain_two_workers", self.chain_two),
            ("read_alone", self.read),
            ("checks_1_2_one_worker", self.one),
            ("checks_1_2_two_workers", self.two),
        ];
        println!("{entries} entries, {bytes} bytes; medians of {ROUNDS} interleaved rounds");
        println!("{:<26} {:>9} {:>12} {:>8}", "", "ms", "entries/s", "ratio");
        println!("{:<26} {:>9.1} {:>12} {:>8}", "sha256", sha * 1e3, (entries as f64 / sha) as u64, "1.00");
        line["entries"] = json!(entries);
        line["bytes"] = json!(bytes);
        line["sha256_ms"] = json!(sha * 1e3);
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
