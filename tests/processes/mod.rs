//! The real binary, killed, ended, doubled and misled: what it has acknowledged is there, and what it refuses it names.

mod backup;
mod disk;
mod keys;
pub mod program;

use std::sync::Mutex;

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use sopledger::ledger::folder::Folder;
use sopledger::ledger::signer::SignerState;
use sopledger::ledger::site::Place;
use sopledger::store::{self, Db, Purpose};
use sopledger::time::Clock;

use crate::house::{Client, PASSWORD};
use crate::postgres;
use crate::wait::until_it_holds;
use program::{Installation, Server, both, copy_folder};

/// An order; its number of pieces tells one writing from the next.
fn order(pieces: usize) -> Vec<u8> {
    json!({
        "customer": { "code": "10023", "name": "第一医院药房" },
        "lines": [{ "line": "10", "material": "100238", "name": "胰岛素注射液", "batch": "230815",
                    "quantity": pieces.to_string(), "unit": "BOX", "storage": "2-8" }],
        "events": [{ "kind": "ordered", "at": "2026-02-18T09:12:00+08:00" }],
    })
    .to_string()
    .into_bytes()
}

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

/// Writes orders `<writer>-0`, `<writer>-1`, … until the server dies or `most` are written; notes what was acknowledged.
fn write_orders(client: &Client, (writer, most): (usize, usize), acknowledged: &Mutex<Vec<String>>) {
    let (mut n, mut refused) = (0, 0);
    while n < most {
        let number = format!("8{writer}{n:04}");
        let path = format!("/api/v1/orders/{number}");
        let Ok(answer) = client.try_send("PUT", &path, Some(order(n + 1)), JSON) else { return };
        if matches!(answer.status, 200 | 201) {
            acknowledged.lock().unwrap().push(number);
            n += 1;
        } else {
            // A server that is ending, or whose database is slow to answer, has written nothing: once more.
            refused += 1;
            assert!(answer.status >= 500 && refused < 1000, "{number}: {}", answer.text);
        }
    }
}

/// Every acknowledged order is there, with its number of pieces.
fn all_there(server: &Server, acknowledged: &[String]) {
    let qa = server.person("qa", PASSWORD);
    for number in acknowledged {
        let found = qa.get(&format!("/api/v1/orders/{number}")).expect(200).json();
        let n: usize = number[2..].parse().unwrap();
        assert_eq!(found["lines"][0]["quantity"], (n + 1).to_string(), "{number}");
    }
}

fn signed_size(installation: &Installation) -> u64 {
    let size = signed_so_far(installation);
    assert_ne!(size, 0, "nothing was signed");
    size
}

/// The same where perhaps nothing is there yet.
fn signed_so_far(installation: &Installation) -> u64 {
    let state = SignerState::load(&Folder::new(&installation.data).signer_state()).ok();
    state.and_then(|state| state.all().map(|kept| kept.checkpoint.size).max()).unwrap_or(0)
}

#[test]
fn what_was_acknowledged_before_a_kill_is_there_after_it() {
    both(|installation| {
        installation.init();
        let mut server = installation.serve();
        let token = server.token_of_the_erp();
        let mut all = Vec::new();
        for round in 0..3 {
            let acknowledged = Mutex::new(Vec::new());
            std::thread::scope(|scope| {
                for writer in 0..3 {
                    let (client, acknowledged) = (server.erp(&token), &acknowledged);
                    scope.spawn(move || {
                        write_orders(&client, (round * 3 + writer, usize::MAX), acknowledged);
                    });
                }
                // Not before something is acknowledged, and never at the same moment.
                until_it_holds("orders are acknowledged", || {
                    acknowledged.lock().unwrap().len() >= 10 + 17 * round
                });
                server.kill();
            });
            all.append(&mut acknowledged.into_inner().unwrap());
            installation.must_be_sound();
            server = installation.serve();
            all_there(&server, &all);
        }
        server.end();
        assert_eq!(installation.must_be_sound(), signed_size(installation));
    });
}

#[test]
fn a_making_that_was_cut_short_goes_on_and_a_finished_one_is_not_made_again() {
    both(|installation| {
        let folder = Folder::new(&installation.data);
        let (target, zone) = (installation.target(), chrono_tz::Asia::Shanghai);
        let place = Place { target, folder, clock: Clock::System, zone };
        place.create("test.example.cn/begun").unwrap();
        // What a crash while the key was written would leave.
        std::fs::write(place.folder.path().join("key/ledger.key.new"), "half").unwrap();
        let another = ["init", "--admin", "admin", "--password-stdin", "--origin", "test.example.cn/other"];
        let refused = installation.run_with(&another, &format!("{PASSWORD}\n"));
        assert!(String::from_utf8_lossy(&refused.stderr).contains("installation already"), "{refused:?}");
        installation.init();
        let entries = installation.must_be_sound();
        let again = installation.run_with(&another[..4], &format!("{PASSWORD}\n"));
        assert!(String::from_utf8_lossy(&again.stderr).contains("installation already"), "{again:?}");
        assert_eq!(installation.must_be_sound(), entries);
        let server = installation.serve();
        server.person("qa", PASSWORD);
        assert_eq!(Client::of(&server.url).get("/readyz").status, 200);
        server.end();
    });
}

#[test]
fn a_server_that_is_told_to_end_answers_what_is_under_way_and_signs() {
    both(|installation| {
        installation.init();
        let server = installation.serve();
        let token = server.token_of_the_erp();
        let (client, acknowledged) = (server.erp(&token), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            scope.spawn(|| write_orders(&client, (1, 500), &acknowledged));
            until_it_holds("orders are acknowledged", || acknowledged.lock().unwrap().len() >= 20);
            server.end();
        });
        let entries = installation.must_be_sound();
        assert_eq!(entries, signed_size(installation), "all entries are signed at the end");
        let server = installation.serve();
        all_there(&server, &acknowledged.into_inner().unwrap());
        server.end();
    });
}

#[test]
fn two_servers_on_one_database_and_one_folder_write_one_chain() {
    let Some(url) = postgres::durable_database() else { return };
    let installation = Installation::new(Some(url));
    installation.init();
    let servers = [installation.serve(), installation.serve()];
    let token = servers[0].token_of_the_erp();
    let acknowledged = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for writer in 0..6 {
            let (client, acknowledged) = (servers[writer % 2].erp(&token), &acknowledged);
            scope.spawn(move || write_orders(&client, (writer, 30), acknowledged));
        }
    });
    let acknowledged = acknowledged.into_inner().unwrap();
    assert_eq!(acknowledged.len(), 6 * 30);
    servers.iter().for_each(|server| all_there(server, &acknowledged));
    servers.into_iter().for_each(Server::end);
    let entries = installation.must_be_sound();
    assert!(entries > 6 * 30, "{entries}");
    assert_eq!(entries, signed_size(&installation));
}

#[test]
fn a_server_without_the_key_follows_the_checkpoints_of_the_one_that_has_it() {
    let Some(url) = postgres::durable_database() else { return };
    let signing = Installation::new(Some(url.clone()));
    signing.init();
    let following = Installation::new(Some(url));
    let (signer, follower) = (signing.serve(), following.serve());
    let token = signer.token_of_the_erp();
    let acknowledged = Mutex::new(Vec::new());
    write_orders(&follower.erp(&token), (7, 12), &acknowledged);
    let acknowledged = acknowledged.into_inner().unwrap();
    assert_eq!(acknowledged.len(), 12);
    all_there(&signer, &acknowledged);
    let size = |server: &Server| {
        let note = Client::of(&server.url).get("/ledger/checkpoint").text;
        note.lines().nth(1).and_then(|size| size.parse::<u64>().ok()).unwrap_or(0)
    };
    until_it_holds("the follower has what the signer signed", || {
        size(&signer) >= 12 && size(&follower) == size(&signer)
    });
    assert!(!Folder::new(&following.data).key().exists());
    follower.end();
    signer.end();
    assert_eq!(signing.must_be_sound(), signed_size(&signing));
    // The follower's folder has neither key nor state: sound as far as it goes, and not more.
    let (code, report) = following.verify();
    assert_eq!((code, &report["integrity"]["verdict"]), (2, &json!("sound")), "{report}");
}

#[test]
fn a_demo_killed_while_it_is_made_goes_on_at_the_next_start() {
    both(|installation| {
        let start = ["demo", "--listen", "127.0.0.1:0", "--password", PASSWORD];
        // At once, with a ledger begun, and in the midst of it.
        for signed in [0, 1, 200] {
            let server = installation.start(&start);
            until_it_holds("the demo is under way", || signed_so_far(installation) >= signed);
            server.kill();
        }
        let server = installation.serve_with(&start);
        let cs = server.person("cs", PASSWORD);
        let orders = cs.get("/api/v1/orders").expect(200).json();
        assert!(!orders["items"].as_array().unwrap().is_empty(), "{orders}");
        server.end();
        assert_eq!(installation.must_be_sound(), signed_size(installation));
    });
}

#[test]
fn an_older_copy_of_the_database_is_not_sound_and_is_only_read() {
    both(|installation| {
        installation.init();
        let copy = match &installation.url {
            None => {
                let kept = tempfile::tempdir().unwrap();
                copy_folder(&installation.data.join("db"), kept.path());
                Ok(kept)
            }
            Some(url) => Err(postgres::copy(url)),
        };
        let server = installation.serve();
        server.token_of_the_erp();
        server.end();
        let restored = match copy {
            Ok(kept) => {
                std::fs::remove_dir_all(installation.data.join("db")).unwrap();
                copy_folder(kept.path(), &installation.data.join("db"));
                Installation::new(None).over(&installation.data)
            }
            Err(url) => Installation::new(Some(url)).over(&installation.data),
        };
        let (code, report) = restored.verify();
        assert_eq!((code, &report["faults"][0]["check"]), (1, &json!("signer.ahead")), "{report}");
        restored.must_be_read_only("The database is behind what was signed");
        let user = restored.run(&["user", "add", "late", "--name", "x"]);
        assert!(!user.status.success(), "{user:?}");
    });
}

/// Does what a stranger could who has lifted the guards, and sets them again.
fn tampered(installation: &Installation, tamper: impl FnOnce(&mut Db)) {
    let mut db = installation.target().open(Purpose::Write).unwrap();
    store::begin_write(&mut db).unwrap();
    store::lift_guards(&mut db).unwrap();
    tamper(&mut db);
    store::set_guards(&mut db).unwrap();
    store::commit(&mut db).unwrap();
}

/// Writes the history anew: changed from so many entries before its signed end, and ending so many before it.
fn rewritten(installation: &Installation, (from, to): (u64, u64), change: impl Fn(&str) -> String) {
    let size = signed_size(installation);
    tampered(installation, |db| crate::ledger::tamper::rewrite(db, size - from, size - to, change));
}

/// Not sound, and only read: a check names the fault, `serve` says why.
fn only_read_for(installation: &Installation, check: &str, why: &str) {
    let (code, report) = installation.verify();
    assert_eq!(code, 1, "{report}");
    let checks: Vec<_> = report["faults"].as_array().unwrap().iter().map(|it| &it["check"]).collect();
    assert!(checks.contains(&&json!(check)), "{report}");
    installation.must_be_read_only(why);
}

#[test]
fn a_rewritten_history_is_not_sound_and_is_only_read() {
    both(|installation| {
        installation.init();
        rewritten(installation, (1, 0), |body| body.replace("system", "systen"));
        only_read_for(installation, "signer.different", "not the one whose history was signed");
    });
}

#[test]
fn a_head_that_is_gone_is_a_fault_and_no_empty_installation() {
    both(|installation| {
        installation.init();
        tampered(installation, |db| {
            crate::ledger::tamper::run(db, "DELETE FROM ledger_head");
        });
        let (code, report) = installation.verify();
        assert_eq!(code, 1, "{report}");
        assert!(report.to_string().contains("head.missing"), "{report}");
    });
}

#[test]
fn a_cut_history_is_not_sound_and_is_only_read() {
    both(|installation| {
        installation.init();
        rewritten(installation, (1, 1), str::to_owned);
        only_read_for(installation, "signer.ahead", "The database is behind what was signed");
    });
}

#[test]
fn serving_refuses_a_postgresql_that_could_lose_what_it_acknowledges() {
    let Some(url) = postgres::database() else { return };
    let installation = Installation::new(Some(url));
    let made =
        installation.run_with(&["init", "--admin", "admin", "--password-stdin"], &format!("{PASSWORD}\n"));
    let said = String::from_utf8_lossy(&made.stderr).into_owned();
    assert!(!made.status.success() && said.contains("fsync = off"), "{said}");
    installation.must_not_be_served(&["fsync = off", "synchronous_commit = off"]);
}

#[test]
fn an_older_schema_is_refused_with_the_way_out_and_a_present_one_needs_no_migration() {
    both(|installation| {
        installation.init();
        let entries = installation.must_be_sound();
        let migrated = installation.run(&["migrate"]);
        assert!(migrated.status.success(), "{migrated:?}");
        assert!(String::from_utf8_lossy(&migrated.stdout).starts_with("0 migrations run"), "{migrated:?}");
        assert_eq!(installation.must_be_sound(), entries);
        let mut db = installation.target().open(Purpose::Write).unwrap();
        let older = "DELETE FROM __diesel_schema_migrations WHERE version = \
                     (SELECT MAX(version) FROM __diesel_schema_migrations)";
        db.batch_execute(older).unwrap();
        drop(db);
        installation.must_not_be_served(&["schema is older", "sopledger migrate"]);
        let verified = installation.run(&["verify"]);
        assert_eq!(verified.status.code(), Some(2), "{verified:?}");
    });
}

#[test]
fn shown_settings_do_not_show_the_databases_password() {
    let mut installation = Installation::new(None);
    for url in [
        "postgres://sop:geheim-77@db.example.cn:5432/sop?sslmode=require",
        "postgres://sop@db.example.cn/sop?password=geheim-77",
        "postgres://sop:geheim-77@db.example.cn?password=geheim-77",
        "postgres://sop:geheim-77/@db.example.cn/sop",
        "postgres://sop:geheim-77?@db.example.cn/sop",
        "postgres://sop:geheim-77",
        "geheim-77",
    ] {
        installation.url = Some(url.to_owned());
        for arguments in [["config", "--json"].as_slice(), &["config"], &["serve"]] {
            let said = installation.run(arguments);
            let all = [said.stdout, said.stderr].concat();
            assert!(!String::from_utf8_lossy(&all).contains("geheim"), "{url}: {arguments:?}");
        }
    }
}

#[test]
fn each_setting_is_shown_with_its_origin() {
    let installation = Installation::new(None);
    std::fs::create_dir_all(&installation.data).unwrap();
    std::fs::write(installation.data.join("sopledger.toml"), "zone = \"Europe/Zurich\"\nlog = \"debug\"\n")
        .unwrap();
    let shown = installation.run(&["config", "--json", "--listen", "127.0.0.1:9"]);
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    let expected = [
        ("data", "option", installation.data.to_str().unwrap()),
        ("listen", "option", "127.0.0.1:9"),
        ("log", "environment", "warn"),
        ("zone", "file", "Europe/Zurich"),
        ("log_format", "default", "text"),
    ];
    for (name, origin, value) in expected {
        assert_eq!(
            (&shown[name]["origin"], &shown[name]["value"]),
            (&json!(origin), &json!(value)),
            "{name}"
        );
    }
    let plain = String::from_utf8(installation.run(&["config"]).stdout).unwrap();
    assert!(plain.lines().any(|line| line.starts_with("zone ") && line.ends_with(" file")), "{plain}");
}
