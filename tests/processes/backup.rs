//! IT's worst days: the machine is lost, the backup is old, changed or cut, the database has to move.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use diesel::connection::SimpleConnection;
use serde_json::Value;
use sopledger::ledger::folder::Folder;
use sopledger::ledger::store as ledger;
use sopledger::store::{Purpose, Target};

use super::program::{Installation, both};
use super::{all_there, order, write_orders};
use crate::house::{Client, PASSWORD};
use crate::postgres;
use crate::wait::until_it_holds;

/// The file of a backup outside the installation, and that of its signer.
struct Kept {
    _folder: tempfile::TempDir,
    file: PathBuf,
    signer: PathBuf,
}

impl Kept {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("monday.backup");
        Self { signer: folder.path().join("monday.backup.signer"), _folder: folder, file }
    }

    fn name(&self) -> &str {
        self.file.to_str().unwrap()
    }
}

#[track_caller]
fn done(installation: &Installation, arguments: &[&str]) -> String {
    let said = installation.run(arguments);
    assert!(said.status.success(), "{arguments:?}: {said:?}");
    String::from_utf8(said.stdout).unwrap()
}

#[track_caller]
fn refused(installation: &Installation, arguments: &[&str], words: &str) {
    let said = installation.run(arguments);
    let told = String::from_utf8_lossy(&said.stderr).into_owned();
    assert_eq!(said.status.code(), Some(1), "{arguments:?}: {told}");
    assert!(told.contains(words), "{words:?} is not in: {told}");
}

fn write(client: &Client, numbers: std::ops::Range<usize>) {
    for n in numbers {
        client.send("PUT", &format!("/api/v1/orders/90{n:04}"), Some(order(n + 1)), super::JSON).expect(201);
    }
}

/// Fire: the folder and the database are gone.
fn destroy(installation: &Installation) {
    std::fs::remove_dir_all(&installation.data).unwrap();
    if installation.url.is_some() {
        let mut db = installation.target().open(Purpose::Write).unwrap();
        db.batch_execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public").unwrap();
    }
}

fn leftovers(data: &Path) -> Vec<String> {
    let names = std::fs::read_dir(data).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("restoring") || name.starts_with("drill")).collect()
}

#[test]
fn a_backup_made_while_others_write_brings_back_all_that_was_acknowledged_before_it() {
    both(|installation| {
        installation.init();
        let server = installation.serve();
        let token = server.token_of_the_erp();
        let (kept, acknowledged) = (Kept::new(), Mutex::new(Vec::new()));
        let before = std::thread::scope(|scope| {
            for writer in 0..2 {
                let (client, acknowledged) = (server.erp(&token), &acknowledged);
                scope.spawn(move || write_orders(&client, (writer, 60), acknowledged));
            }
            until_it_holds("orders are acknowledged", || acknowledged.lock().unwrap().len() >= 10);
            let before = acknowledged.lock().unwrap().clone();
            done(installation, &["backup", kept.name()]);
            before
        });
        let ready: Value = Client::of(&server.url).get("/readyz").expect(200).json();
        assert_eq!(ready["backup"]["overdue"], false, "{ready}");
        server.end();
        installation.must_be_sound();
        destroy(installation);
        refused(installation, &["restore", kept.name()], "--signer");
        done(installation, &["restore", kept.name(), "--signer", kept.signer.to_str().unwrap()]);
        installation.must_be_sound();
        assert!(leftovers(&installation.data).is_empty());
        let server = installation.serve();
        all_there(&server, &before);
        write(&server.erp(&token), 0..3);
        server.end();
        installation.must_be_sound();
    });
}

#[test]
fn a_backup_that_was_changed_or_cut_is_refused_and_nothing_is_replaced() {
    both(|installation| {
        installation.init();
        let kept = Kept::new();
        done(installation, &["backup", kept.name()]);
        refused(installation, &["backup", kept.name()], "not overwritten");
        let entries = installation.must_be_sound();
        let whole = std::fs::read(&kept.file).unwrap();
        // Where a packed part begins, and within what it holds.
        let parts: Vec<usize> =
            (0..whole.len() - 4).filter(|at| whole[*at..].starts_with(&[0x28, 0xb5, 0x2f, 0xfd])).collect();
        assert!(parts.len() > 5);
        for at in parts.into_iter().step_by(3).map(|at| at + 20) {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            std::fs::write(&kept.file, changed).unwrap();
            refused(installation, &["restore", kept.name()], "was changed");
        }
        for cut in [0, whole.len() / 2, whole.len() - 4096] {
            std::fs::write(&kept.file, &whole[..cut]).unwrap();
            refused(installation, &["restore", kept.name()], "not whole");
        }
        assert_eq!(installation.must_be_sound(), entries);
        assert!(leftovers(&installation.data).is_empty());
    });
}

#[test]
fn a_backup_behind_what_was_signed_is_refused_and_taken_only_when_that_is_said() {
    both(|installation| {
        installation.init();
        let kept = Kept::new();
        done(installation, &["backup", kept.name()]);
        let server = installation.serve();
        write(&server.erp(&server.token_of_the_erp()), 0..3);
        refused(installation, &["restore", kept.name()], "has the database open");
        server.end();
        let entries = installation.must_be_sound();
        refused(installation, &["restore", kept.name()], "behind what was signed");
        assert_eq!(installation.must_be_sound(), entries);
        done(installation, &["restore", kept.name(), "--although-behind"]);
        let (code, report) = installation.verify();
        assert_eq!(code, 1, "{report}");
        assert_eq!(report["integrity"]["verdict"], "sound", "{report}");
    });
}

#[test]
fn a_drill_restores_beside_the_installation_and_leaves_its_entry() {
    both(|installation| {
        installation.init();
        let kept = Kept::new();
        done(installation, &["backup", kept.name()]);
        let server = installation.serve();
        let told: Value =
            serde_json::from_str(&done(installation, &["restore", kept.name(), "--drill", "--json"]))
                .unwrap();
        assert_eq!(told["good"], true, "{told}");
        let admin = server.person("admin", PASSWORD);
        let found = admin.get("/api/v1/ledger/entries?action=backup.drilled").expect(200).json();
        assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found}");
        server.end();
        installation.must_be_sound();
        assert!(leftovers(&installation.data).is_empty());
    });
}

#[test]
fn an_installation_moves_to_the_other_engine_and_back_with_the_same_ledger() {
    let Some(url) = postgres::durable_database() else { return };
    let installation = Installation::new(None);
    installation.init();
    let server = installation.serve();
    let token = server.token_of_the_erp();
    write(&server.erp(&token), 0..5);
    refused(&installation, &["move", "--to", &url], "has the database open");
    server.end();
    let head = |target: &Target| ledger::head(&mut target.open(Purpose::Read).unwrap()).unwrap().unwrap();
    let entry = |target: &Target, seq: u64| {
        let mut db = target.open(Purpose::Read).unwrap();
        ledger::rows(&mut db, 1, seq..seq + 1).unwrap().remove(0).entry
    };
    let before = head(&installation.target());
    done(&installation, &["move", "--to", &url]);
    let old = Target::Sqlite(Folder::new(&installation.data).database());
    let moved = Installation::new(Some(url)).over(&installation.data);
    moved.must_be_sound();
    assert_eq!(head(&moved.target()).origin, before.origin);
    for seq in 0..before.size {
        assert_eq!(entry(&moved.target(), seq), entry(&old, seq));
    }
    // The old database is behind what has been signed since: nobody goes on writing in it by mistake.
    installation.must_be_read_only("The database is behind what was signed");
    let server = moved.serve();
    write(&server.erp(&token), 5..8);
    server.end();
    refused(&moved, &["move", "--to", "sqlite"], "not an empty database");
    std::fs::remove_dir_all(installation.data.join("db")).unwrap();
    done(&moved, &["move", "--to", "sqlite"]);
    installation.must_be_sound();
    let server = installation.serve();
    let qa = server.person("qa", PASSWORD);
    for n in 0..8 {
        qa.get(&format!("/api/v1/orders/90{n:04}")).expect(200);
    }
    server.end();
}

#[test]
fn a_backup_into_a_folder_that_refuses_says_so_and_harms_nothing() {
    let installation = Installation::new(None);
    installation.init();
    let nowhere = installation.data.join("no/such/folder/b");
    refused(&installation, &["backup", nowhere.to_str().unwrap()], "cannot be written");
    refused(&installation, &["restore", nowhere.to_str().unwrap()], "cannot be read");
    installation.must_be_sound();
}
