//! A history that was signed and lost: nothing is written before somebody declares it, and it is told for ever.

use diesel::prelude::*;
use serde_json::{Value, json};
use sopledger::app::GOVERNED;
use sopledger::ledger::entry::leaf;
use sopledger::ledger::folder::Folder;
use sopledger::ledger::lane::Actor;
use sopledger::ledger::note::{VerifierKey, open_checkpoint};
use sopledger::ledger::proof;
use sopledger::ledger::recovery::recover;
use sopledger::ledger::site::{Place, Site};
use sopledger::ledger::verify::{Lost, Report, Scope, verify_scope};
use sopledger::people::accounts::{self, NewAccount};
use sopledger::people::rights::Role;
use sopledger::people::sessions::known_at_host;
use sopledger::store::schema::ledger_entry;
use sopledger::store::{self, Db, Purpose, Target};
use sopledger::time::{Clock, Timestamp};

use crate::house::{House, MORNING, PASSWORD, quick_hash};
use crate::keys::write;
use crate::ledger::tamper::run;
use crate::postgres;

const ORIGIN: &str = "test.example.cn/lost";
const NEXT: &str = "test.example.cn/lost/epoch-2";

/// An installation with some history.
fn made(target: Target, folder: Folder) -> Place {
    let clock = Clock::scripted(Timestamp::parse(MORNING).unwrap());
    let place = Place { target, folder, clock, zone: chrono_tz::Asia::Shanghai };
    place.create(ORIGIN).unwrap();
    live(&place, 5);
    place
}

/// Opens, changes a setting, writes so many entries, closes.
fn live(place: &Place, entries: usize) {
    let site = place.open(false).unwrap();
    let value = format!("{entries}");
    site.lane
        .write_here(move |tx| accounts::change_setting(tx, &Actor::cli(), ("site", &value), "启用"))
        .unwrap();
    (0..entries).for_each(|_| _ = write(&site));
    site.close();
}

fn administrator(site: &Site) {
    let new = NewAccount {
        login: "admin".to_owned(),
        name: "管理员".to_owned(),
        password_hash: quick_hash(PASSWORD),
        must_change: false,
        ends_at: None,
    };
    site.lane.write_here(move |tx| accounts::create_first(tx, &new, &[Role::Admin]).map(drop)).unwrap();
}

/// An older copy of the place's database, in the same folder: as a backup that is restored.
pub fn older(place: &Place) -> Place {
    let target = match &place.target {
        Target::Sqlite(path) => {
            let copy = path.with_added_extension("older");
            let mut db = place.target.open(Purpose::Write).unwrap();
            run(&mut db, &format!("VACUUM INTO '{}'", copy.display()));
            Target::Sqlite(copy)
        }
        Target::Postgres(url) => Target::from_url(&postgres::copy(url)).unwrap(),
    };
    Place { target, ..place.clone() }
}

fn both(test: impl Fn(Place)) {
    let folder = tempfile::tempdir().unwrap();
    let here = Folder::new(folder.path());
    test(made(Target::Sqlite(here.database()), here));
    if let Some(url) = postgres::database() {
        let folder = tempfile::tempdir().unwrap();
        test(made(Target::from_url(&url).unwrap(), Folder::new(folder.path())));
    }
}

fn verified(place: &Place, scope: Scope) -> Report {
    verify_scope(&place.target, &place.folder, GOVERNED, (scope, &|_, _| Ok(()))).unwrap()
}

fn somebody(_: &mut Db) -> sopledger::error::Result<Actor> {
    Ok(Actor::account("u-1", "admin"))
}

fn body(place: &Place, epoch: i64, seq: i64) -> Value {
    let mut db = place.target.open(Purpose::Read).unwrap();
    let bytes: Vec<u8> =
        ledger_entry::table.find((epoch, seq)).select(ledger_entry::entry).first(&mut db).unwrap();
    serde_json::from_str(std::str::from_utf8(&bytes).unwrap().lines().nth(5).unwrap()).unwrap()
}

#[test]
fn a_database_behind_what_was_signed_is_not_opened_before_a_recovery_is_declared() {
    both(|place| {
        assert_eq!(recover(&place, "无故", somebody).unwrap_err().code(), "nothing-to-recover");
        let old = older(&place);
        live(&place, 9);
        let signed = std::fs::read_to_string(place.folder.checkpoint()).unwrap();
        assert_eq!(old.open(false).err().unwrap().code(), "ledger-behind");
        assert!(recover(&old, " ", somebody).is_err(), "a reason is needed");
        let refused = recover(&old, "磁盘损坏", |_| Err(sopledger::error::Error::forbidden("no-right")));
        assert_eq!(refused.unwrap_err().code(), "no-right");
        assert_eq!(old.open(false).err().unwrap().code(), "ledger-behind");
        let done = recover(&old, "磁盘损坏", somebody).unwrap();
        assert_eq!((done.origin.as_str(), done.epoch, done.declared.note.as_str()), (NEXT, 2, &*signed));
        let first = body(&old, 2, 0);
        assert_eq!(first["act"], "ledger.recovered");
        assert_eq!((&first["checkpoint"], &first["alg"]), (&json!(signed), &json!("sha-256")));
        assert_eq!((&first["reason"], &first["actor"]["id"]), (&json!("磁盘损坏"), &json!("u-1")));
        live(&old, 3);
        // A subject's first entry in the new epoch follows its last one before.
        let (before, after) = (body(&old, 1, 1), body(&old, 2, 1));
        assert_eq!((&after["obj"]["n"], &after["obj"]["prev"]), (&json!(1), &Value::Null), "{after}");
        assert_eq!(after["pre"], before["post"]);
        let note = std::fs::read_to_string(old.folder.checkpoint()).unwrap();
        assert_eq!(open_checkpoint(&note, &[done.vkey]).unwrap().origin, NEXT);
        for scope in [Scope::Whole, Scope::New, Scope::New] {
            let found = verified(&old, scope);
            assert_eq!((found.exit_code(), found.faults.as_slice()), (0, [].as_slice()), "{found}");
            assert_eq!(found.completeness.lost, [Lost { epoch: 1, from: 7, to: 16 }], "{found}");
        }
        // The lost database is not taken back: its name is no longer the one that goes on.
        assert_eq!(recover(&old, "再次", somebody).unwrap_err().code(), "nothing-to-recover");
    });
}

#[test]
fn a_fork_written_on_an_older_copy_is_found_at_the_start_and_declared_as_what_it_is() {
    both(|place| {
        let old = older(&place);
        live(&place, 300);
        assert_eq!(verified(&place, Scope::Whole).exit_code(), 0);
        // A stranger's program goes on with the copy under a folder of its own, without our key and state.
        let elsewhere = tempfile::tempdir().unwrap();
        let stranger = Place { folder: Folder::new(elsewhere.path()), ..old.clone() };
        stranger.folder.make().unwrap();
        live(&stranger, 400);
        assert_eq!(old.open(false).err().unwrap().code(), "ledger-different");
        let found = verified(&old, Scope::Whole);
        assert!(found.faults.iter().any(|fault| fault.check == "signer.different"), "{found}");
        recover(&old, "两份库各自写入", somebody).unwrap();
        live(&old, 2);
        for scope in [Scope::New, Scope::Whole, Scope::New] {
            let found = verified(&old, scope);
            assert_eq!(found.exit_code(), 0, "{found}");
        }
    });
}

#[test]
fn every_epoch_is_verified_and_a_fault_says_in_which_it_is() {
    both(|place| {
        let old = older(&place);
        live(&place, 9);
        recover(&old, "磁盘损坏", somebody).unwrap();
        live(&old, 3);
        let trials = [
            ("UPDATE ledger_entry SET actor = 'x' WHERE epoch = 1 AND seq = 3", "entry.index", Some(1)),
            ("UPDATE ledger_entry SET actor = 'x' WHERE epoch = 2 AND seq = 2", "entry.index", Some(2)),
            ("DELETE FROM ledger_entry WHERE epoch = 1 AND seq = 6", "epoch.ahead", Some(1)),
            (
                "UPDATE ledger_entry SET entry = (SELECT entry FROM ledger_entry WHERE epoch = 2 AND seq = 1) WHERE epoch = 2 AND seq = 0",
                "epoch.undeclared",
                Some(1),
            ),
            ("DELETE FROM ledger_head WHERE epoch = 1", "head.missing", Some(1)),
        ];
        for (sql, check, epoch) in trials {
            let mut db = old.target.open(Purpose::Write).unwrap();
            store::begin_write(&mut db).unwrap();
            store::lift_guards(&mut db).unwrap();
            assert_eq!(run(&mut db, sql), 1, "{sql}");
            store::set_guards(&mut db).unwrap();
            let outside = sopledger::ledger::verify::Outside::read(&old.folder);
            let what = sopledger::ledger::verify::Verification::whole(GOVERNED, &outside);
            let found = sopledger::ledger::verify::verify(&mut db, &what).unwrap();
            store::rollback(&mut db).unwrap();
            // The first epoch needs no number.
            let named = |fault: &sopledger::ledger::verify::Fault| fault.epoch.or(Some(1)) == epoch;
            let told = found.faults.iter().any(|fault| fault.check == check && named(fault));
            assert!(found.exit_code() == 1 && told, "{sql}: {found}");
        }
    });
}

#[test]
fn an_epoch_that_nobody_here_declared_is_not_opened() {
    both(|place| {
        let mut db = place.target.open(Purpose::Write).unwrap();
        run(
            &mut db,
            "INSERT INTO ledger_head SELECT 2, origin || '/epoch-2', size, leaf, ts, frontier FROM ledger_head",
        );
        assert_eq!(place.open(false).err().unwrap().code(), "ledger-unknown");
        run(&mut db, "UPDATE ledger_head SET size = 0 WHERE epoch = 2");
        assert_eq!(place.open(false).err().unwrap().code(), "recovery-unfinished");
        assert_eq!(recover(&place, "无故", somebody).unwrap_err().code(), "nothing-to-recover");
    });
}

#[test]
fn a_declaration_cut_short_goes_on_where_it_was() {
    both(|place| {
        let old = older(&place);
        live(&place, 9);
        let mut db = old.target.open(Purpose::Write).unwrap();
        sopledger::ledger::store::create_epoch(&mut db, 2, NEXT).unwrap();
        drop(db);
        assert_eq!(old.open(false).err().unwrap().code(), "recovery-unfinished");
        let done = recover(&old, "磁盘损坏", somebody).unwrap();
        assert_eq!((done.epoch, done.declared.size), (2, 7));
        live(&old, 1);
        assert_eq!(verified(&old, Scope::Whole).exit_code(), 0);
    });
}

/// Keeps, as a job does, what a verification says that found all sound.
fn said_sound(place: &Place, report: &Report) {
    assert!(report.faults.is_empty(), "{report}");
    let mut told = serde_json::to_value(report).unwrap();
    told["scope"] = json!("whole");
    told["milliseconds"] = json!(1);
    let at = Timestamp::parse("2026-03-02T01:00:00Z").unwrap();
    told["at"] = json!(at);
    let sql = format!(
        "INSERT INTO job (id, kind, account_id, state, done, total, message, result, created_at, updated_at) \
         VALUES ('j-1', 'ledger.verify-whole', 'system', 'done', 1, 1, '', '{told}', {0}, {0})",
        at.0
    );
    assert_eq!(run(&mut place.target.open(Purpose::Write).unwrap(), &sql), 1);
}

#[test]
fn older_epochs_are_served_beside_the_present_one() {
    let folder = tempfile::tempdir().unwrap();
    let here = Folder::new(folder.path());
    let place = made(Target::Sqlite(here.database()), here);
    let old = older(&place);
    live(&place, 9);
    let before = std::fs::read_to_string(place.folder.path().join("signer/state")).unwrap();
    said_sound(&old, &verified(&place, Scope::Whole));
    recover(&old, "磁盘损坏", somebody).unwrap();
    assert!(before.contains(ORIGIN));
    let site = old.open(false).unwrap();
    administrator(&site);
    let house = House::serve(folder, old, sopledger::app::Shared::new(site));
    let nobody = house.nobody();
    let note = |path: &str| nobody.get(path).expect(200).text;
    let key = |path: &str| -> VerifierKey { note(path).trim_end().parse().unwrap() };
    let first = open_checkpoint(&note("/ledger/epoch/1/checkpoint"), &[key("/ledger/epoch/1/key")]).unwrap();
    assert_eq!((first.origin.as_str(), first.size), (ORIGIN, 7));
    let second = open_checkpoint(&note("/ledger/epoch/2/checkpoint"), &[key("/ledger/key")]).unwrap();
    assert_eq!(second.origin, NEXT);
    nobody.get("/ledger/epoch/1/tile/0/000.p/7").expect(200);
    nobody.get("/ledger/epoch/1/tile/0/000.p/8").expect(404);
    nobody.get("/ledger/epoch/1/tile/entries/000.p/7").refused(401, "sign-in");
    // Who reads the trail reads that of the lost epoch, too, and proves it.
    let admin = house.person("admin");
    let then = admin.get("/api/v1/ledger/entries?epoch=1&limit=1000").expect(200).json();
    assert_eq!(then["items"].as_array().unwrap().len(), 7, "{then}");
    let text = admin.get("/api/v1/ledger/entries/3?epoch=1").expect(200).json();
    let proof = admin.get("/api/v1/ledger/entries/3/proof?epoch=1").expect(200).text;
    let hash = leaf(text["entry"].as_str().unwrap().as_bytes());
    assert_eq!(proof::verify(&proof, &hash, &[key("/ledger/epoch/1/key")]).unwrap().0, 3);
    admin.get("/api/v1/ledger/entries?epoch=3").refused(422, "invalid");
    let html = [("accept", "text/html"), ("accept-language", "en")];
    let list = admin.get_with("/trail?epoch=1", &html).expect(200).text;
    assert!(list.contains("Entries of epoch 1") && list.contains("/trail/3?epoch=1"), "{list}");
    let page = admin.get_with("/trail/3?epoch=1", &html).expect(200).text;
    assert!(page.contains("Entries of epoch 1") && !page.contains("class=\"bad\""), "{page}");
    for none in ["0", "3", "x", "-1"] {
        nobody.get(&format!("/ledger/epoch/{none}/checkpoint")).expect(404);
    }
    // What was found sound before the recovery is not said of what goes on since.
    let page = admin.get_with("/trail", &html).expect(200).text;
    assert!(page.contains("Ledger not verified"), "{page}");
}

#[test]
fn wrong_passwords_of_who_would_declare_a_recovery_are_counted_and_lock() {
    both(|place| {
        let site = place.open(false).unwrap();
        administrator(&site);
        site.close();
        drop(site);
        let old = older(&place);
        live(&place, 9);
        let declare = |login: &str, password: &str| {
            let now = old.clock.now();
            recover(&old, "磁盘损坏", |db| {
                let account = known_at_host(db, (login, password), now)?;
                Ok(Actor::account(account.id, "admin"))
            })
        };
        for login in ["admin", "nobody"] {
            for _ in 0..4 {
                assert_eq!(declare(login, "wrong").unwrap_err().code(), "bad-credentials", "{login}");
            }
            assert_eq!(declare(login, "wrong").unwrap_err().code(), "locked", "{login}");
            assert_eq!(declare(login, PASSWORD).unwrap_err().code(), "locked", "{login}");
        }
        assert_eq!(old.open(false).err().unwrap().code(), "ledger-behind");
        old.clock.set(old.clock.now().plus_seconds(15 * 60 + 1));
        assert_eq!(declare("admin", "wrong").unwrap_err().code(), "bad-credentials");
        assert_eq!(declare("admin", PASSWORD).unwrap().epoch, 2);
        live(&old, 1);
        assert_eq!(verified(&old, Scope::Whole).exit_code(), 0);
    });
}
