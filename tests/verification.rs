//! Verification as work that goes on by itself: what is new and the whole, on demand and by schedule, and what each of
//! them finds.

use std::cell::Cell;

use diesel::prelude::*;
use serde_json::{Value, json};
use sopledger::app::GOVERNED;
use sopledger::ledger::acts;
use sopledger::ledger::digest::Digest;
use sopledger::ledger::lane::{Actor, NewEntry};
use sopledger::ledger::verify::{Report, Scope, verify_scope};
use sopledger::store::schema::{ledger_entry, ledger_tile};
use sopledger::trail::{Schedule, Verifier};

use crate::house::{Client, House, PASSWORD, both};
use crate::ledger::tamper::{run, set_something, settle, trial_on};
use crate::wait::until;

/// Appends so many entries, and has them signed.
pub fn grow(house: &House, entries: u64) {
    let written = house.site.lane.write_here(move |tx| {
        for _ in 0..entries {
            tx.append(NewEntry::new(acts::LEDGER_VERIFIED, &Actor::cli()).field("integrity", "sound"))?;
        }
        Ok(())
    });
    written.unwrap();
    settle(house);
}

/// Verifies what is there now, which moves the mark on.
fn pass(house: &House, scope: Scope) -> (Report, u64) {
    let steps = Cell::new(0);
    let count = |done, _| {
        steps.set(done);
        Ok(())
    };
    let found = verify_scope(&house.place.target, &house.place.folder, GOVERNED, (scope, &count)).unwrap();
    (found, steps.get())
}

fn sound(house: &House, scope: Scope) -> (Report, u64) {
    let (found, steps) = pass(house, scope);
    assert_eq!(found.exit_code(), 0, "{found}");
    (found, steps)
}

#[test]
fn the_pass_over_what_is_new_costs_the_same_however_long_the_ledger_is() {
    both(|house| {
        let admin = house.person("admin");
        let mut costs = Vec::new();
        for longer in [300, 2600] {
            grow(house, longer);
            sound(house, Scope::Whole);
            let new = json!({ "login": format!("new.{longer}"), "name": "新 客服", "reason": "入职" });
            admin.post("/api/v1/users", new).expect(201);
            house.site.lane.write_here(set_something).unwrap();
            settle(house);
            let (found, steps) = sound(house, Scope::New);
            let (from, to) = (found.integrity.from.unwrap(), found.integrity.to.unwrap());
            assert_eq!((from % 256, to + 1), (0, house.acts().len() as u64));
            assert!(
                found.integrity.entries == to + 1 - from && found.integrity.entries <= 256 + 4,
                "{found}"
            );
            assert!(found.integrity.subjects >= 2, "{found}");
            costs.push(steps);
        }
        assert!(costs[1] < 3 * costs[0].max(200), "{costs:?}");
        // Again, from a mark at the very end.
        let (found, _) = sound(house, Scope::New);
        assert!(found.integrity.entries <= 256, "{found}");
    });
}

#[test]
fn without_a_mark_the_pass_over_what_is_new_begins_with_the_ledger() {
    let house = House::sqlite();
    grow(&house, 300);
    let (found, _) = sound(&house, Scope::New);
    assert_eq!((found.integrity.from, found.integrity.entries), (Some(0), house.acts().len() as u64));
    std::fs::write(house.place.folder.verified(), "nonsense").unwrap();
    assert_eq!(sound(&house, Scope::New).0.integrity.from, Some(0));
    grow(&house, 10);
    assert_eq!(sound(&house, Scope::New).0.integrity.from, Some(256));
}

#[test]
fn what_is_done_to_new_entries_their_records_texts_and_values_is_found_in_what_is_new() {
    both(|house| {
        grow(house, 600);
        sound(house, Scope::Whole);
        let new = json!({ "login": "new.cs", "name": "新 客服", "roles": ["cs"], "reason": "入职" });
        let made = house.person("admin").post("/api/v1/users", new).expect(201).json();
        let (id, grant) = (made["id"].as_str().unwrap().to_owned(), &made["grants"][0]["id"]);
        let sign = format!("/api/v1/users/{id}/grants/{}/sign", grant.as_str().unwrap());
        house.person("qa").post(&sign, json!({ "password": PASSWORD })).expect(200);
        settle(house);
        let last = house.acts().len() as i64 - 1;
        let of = format!("obj_id = '{id}'");
        let trials = [
            (format!("UPDATE account SET disabled = NOT disabled WHERE id = '{id}'"), "record.digest"),
            (format!("UPDATE account_grant SET reason = 'x' WHERE account_id = '{id}'"), "record.digest"),
            (format!("UPDATE ledger_entry SET act = 'x' WHERE {of}"), "entry.index"),
            (format!("DELETE FROM ledger_entry WHERE seq = {}", last - 1), "chain.missing"),
            ("UPDATE ledger_head SET size = size - 1".to_owned(), "head.size"),
            ("UPDATE sealed_value SET value = 'x' WHERE value = '新 客服'".to_owned(), "sealed.value"),
            ("DELETE FROM sealed_value WHERE value = '新 客服'".to_owned(), "sealed.missing"),
        ];
        for (sql, check) in trials {
            let found = trial_on(&house.place, Scope::New, |db| assert!(run(db, &sql) > 0, "{sql}"));
            assert_eq!(found.exit_code(), 1, "{sql}");
            assert!(found.faults.iter().any(|fault| fault.check == check), "{sql}: {found}");
        }
        let post = house.person("qa").get(&format!("/api/v1/ledger/entries?subject=account/{id}")).json();
        let entry = post["items"].as_array().unwrap().last().unwrap()["entry"].as_str().unwrap().to_owned();
        let body: Value = serde_json::from_str(entry.lines().nth(5).unwrap()).unwrap();
        let digest = body["post"].as_str().unwrap();
        let sql = format!("DELETE FROM content WHERE sha256 = '{digest}'");
        let found = trial_on(&house.place, Scope::New, |db| assert_eq!(run(db, &sql), 1));
        assert_eq!(found.faults[0].check, "content.missing", "{found}");
        assert_eq!(trial_on(&house.place, Scope::New, |_| ()).exit_code(), 0);
    });
}

#[test]
fn a_changed_stored_hash_before_the_mark_is_found_in_what_is_new_and_an_old_entry_in_the_whole() {
    both(|house| {
        grow(house, 900);
        sound(house, Scope::Whole);
        grow(house, 5);
        let tile = ledger_tile::table.find((1, 1, 1));
        let other = Digest::of(b"other").as_bytes().to_vec();
        let found = trial_on(&house.place, Scope::New, |db| {
            diesel::update(tile).set(ledger_tile::hash.eq(other.clone())).execute(db).unwrap();
        });
        assert!(found.faults.iter().any(|fault| fault.check == "verified.different"), "{found}");
        let found = trial_on(&house.place, Scope::New, |db| {
            diesel::delete(tile).execute(db).unwrap();
        });
        assert!(found.faults.iter().any(|fault| fault.check == "tile.missing"), "{found}");
        let edit = |db: &mut sopledger::store::Db| {
            let row = ledger_entry::table.find((1, 100));
            diesel::update(row).set(ledger_entry::entry.eq(b"other".to_vec())).execute(db).unwrap();
        };
        assert_eq!(trial_on(&house.place, Scope::New, edit).exit_code(), 0, "too old to be seen");
        let found = trial_on(&house.place, Scope::Whole, edit);
        assert!(found.faults.iter().any(|fault| fault.seq == Some(100)), "{found}");
    });
}

#[test]
fn a_database_older_than_the_mark_is_found_in_what_is_new() {
    let house = House::sqlite();
    grow(&house, 300);
    let copy = tempfile::tempdir().unwrap();
    let path = copy.path().join("copy.sqlite3");
    let mut db = house.place.target.open(sopledger::store::Purpose::Write).unwrap();
    run(&mut db, &format!("VACUUM INTO '{}'", path.display()));
    grow(&house, 300);
    sound(&house, Scope::Whole);
    let old = sopledger::store::Target::Sqlite(path);
    let found = verify_scope(&old, &house.place.folder, GOVERNED, (Scope::New, &|_, _| Ok(()))).unwrap();
    let checks: Vec<&str> = found.faults.iter().map(|fault| fault.check).collect();
    assert!(checks.contains(&"signer.ahead") && checks.contains(&"verified.ahead"), "{found}");
}

#[test]
fn a_verification_can_be_called_off() {
    let house = House::sqlite();
    grow(&house, 3000);
    let stop = |done: u64, _| match done {
        0..1000 => Ok(()),
        _ => Err(sopledger::error::Error::conflict("job-cancelled")),
    };
    for scope in [Scope::New, Scope::Whole] {
        let place = &house.place;
        let called_off = verify_scope(&place.target, &place.folder, GOVERNED, (scope, &stop));
        assert_eq!(called_off.unwrap_err().code(), "job-cancelled");
    }
    assert!(!house.place.folder.verified().exists(), "nothing was found sound");
}

fn verify_over_http(client: &Client, scope: &str) -> Value {
    let answer = client.post("/api/v1/ledger/verifications", json!({ "scope": scope })).expect(202);
    client.until_over(answer.header("location").unwrap())
}

#[test]
fn verification_over_http_is_a_job_whose_result_is_the_report_and_an_entry() {
    both(|house| {
        let auditor = house.person("auditor");
        settle(house);
        let nothing = auditor.get("/api/v1/ledger/verifications").expect(200).json();
        assert_eq!(nothing, json!({ "new": null, "whole": null, "running": null }));
        for scope in ["whole", "new"] {
            let before = house.acts().len() as u64;
            let job = verify_over_http(&auditor, scope);
            assert_eq!((&job["state"], &job["result"]["scope"]), (&json!("done"), &json!(scope)), "{job}");
            let result = &job["result"];
            assert_eq!(result["integrity"]["verdict"], "sound", "{job}");
            assert_eq!(result["completeness"]["verdict"], "sound", "{job}");
            assert_eq!(result["integrity"]["to"], json!(before - 1), "{job}");
            let entry = auditor.get(&format!("/api/v1/ledger/entries/{before}")).expect(200).json();
            let body = entry["entry"].as_str().unwrap().lines().nth(5).unwrap().to_owned();
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!((&body["act"], &body["scope"]), (&json!("ledger.verified"), &json!(scope)));
            assert_eq!(body["actor"]["id"], house.id("auditor"));
            settle(house);
        }
        let known = house.person("qa").get("/api/v1/ledger/verifications").expect(200).json();
        assert_eq!(known["whole"]["result"]["scope"], "whole");
        assert_eq!(known["new"]["result"]["scope"], "new");
        // Whoever may read the trail sees the job, whoever started it.
        let id = known["new"]["id"].as_str().unwrap();
        house.person("ra").get(&format!("/api/v1/jobs/{id}")).expect(200);
        house.person("cs").get(&format!("/api/v1/jobs/{id}")).expect(404);
        house.person("cs").post("/api/v1/ledger/verifications", json!({})).refused(403, "no-right");
        auditor.post("/api/v1/ledger/verifications", json!({ "scope": "x" })).refused(422, "invalid");
    });
}

#[test]
fn a_fault_is_named_linked_and_told_on_every_page_and_hides_nothing() {
    both(|house| {
        grow(house, 300);
        let qa = house.person("qa");
        assert_eq!(verify_over_http(&qa, "whole")["result"]["faults"], json!([]));
        settle(house);
        let mut db = house.place.target.open(sopledger::store::Purpose::Write).unwrap();
        let id = house.id("cs");
        run(&mut db, &format!("UPDATE account SET must_change = NOT must_change WHERE id = '{id}'"));
        let job = verify_over_http(&qa, "whole");
        assert_eq!(job["result"]["integrity"]["verdict"], "fault", "{job}");
        assert_eq!(job["result"]["faults"][0]["subject"], json!(format!("account/{id}")), "{job}");
        let html = [("accept", "text/html"), ("accept-language", "en")];
        let page = qa.get_with("/trail/verify", &html).expect(200).text;
        assert!(page.contains(&format!("/trail?subject=account/{id}")), "{page}");
        assert!(page.contains("What to do now") && page.contains("open the subject’s last entry"), "{page}");
        let home = qa.get_with("/documents", &html).expect(200).text;
        assert!(home.contains("Ledger at fault") && home.contains("Audit trail broken"), "{home}");
        // What is new holds nothing wrong; the fault of the whole stands.
        settle(house);
        let job = verify_over_http(&qa, "new");
        assert_eq!(job["result"]["faults"], json!([]), "{job}");
        assert!(qa.get_with("/documents", &html).expect(200).text.contains("Ledger at fault"));
        qa.get(&format!("/api/v1/users/{id}")).expect(200);
        run(&mut db, &format!("UPDATE account SET must_change = NOT must_change WHERE id = '{id}'"));
        settle(house);
        verify_over_http(&qa, "whole");
        let home = qa.get_with("/documents", &html).expect(200).text;
        assert!(home.contains("Ledger verified 0 min ago"), "{home}");
        let cs = house.person("cs").get_with("/now", &html).expect(200).text;
        assert!(!cs.contains("Ledger verified 0 min ago"), "only for those who may read the trail");
    });
}

#[test]
fn the_schedule_starts_what_is_due_one_at_a_time_and_tells_every_node() {
    both(|house| {
        let schedule = Schedule { new: Some(3600), whole: Some(7 * 24 * 3600) };
        let pages = || {
            let page = sopledger::web::page::Site::new("x", house.place.zone, house.place.clock.clone());
            actix_web::web::Data::new(page)
        };
        let (here, there) = (pages(), pages());
        let verifier = Verifier::new(GOVERNED, house.site.clone(), here.clone());
        let other = Verifier::new(GOVERNED, house.site.clone(), there.clone());
        let qa = || house.person("qa");
        let idle = |client: &Client| {
            until(|| match &client.get("/api/v1/ledger/verifications").expect(200).json()["running"] {
                Value::Null => Ok(()),
                running => Err(running.clone()),
            });
        };
        assert_eq!(verifier.start_due(Schedule { new: None, whole: None }).unwrap(), None);
        assert_eq!(verifier.start_due(schedule).unwrap(), Some(Scope::Whole), "never verified");
        assert_eq!(other.start_due(schedule).unwrap(), None, "one runs or has just run");
        idle(&qa());
        assert_eq!(verifier.start_due(schedule).unwrap(), None);
        house.later(3601);
        assert_eq!(verifier.start_due(schedule).unwrap(), Some(Scope::New));
        idle(&qa());
        house.later(7 * 24 * 3600);
        assert_eq!(verifier.start_due(schedule).unwrap(), Some(Scope::Whole));
        idle(&qa());
        assert!(there.verdict.read().unwrap().is_none());
        other.refresh().unwrap();
        let told = there.verdict.read().unwrap().clone().unwrap();
        assert!(told.ok && Some(told) == here.verdict.read().unwrap().clone());
        let verified = house.acts().iter().filter(|act| *act == "ledger.verified").count();
        assert_eq!(verified, 3);
    });
}
