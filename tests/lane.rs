//! The write lane: many writers, refusals, failures and other processes leave one unbroken chain.

use std::sync::Arc;

use diesel::prelude::*;
use sha2::{Digest as _, Sha256};
use sopledger::error::Error;
use sopledger::ledger::lane::{Actor, Lane, Tx};
use sopledger::people::accounts::change_setting;
use sopledger::store::schema::{ledger_entry, setting};
use sopledger::store::{Db, Purpose};

use crate::house::{House, both};

/// Checks the chain as an outsider would, from the bytes alone; returns how many entries there are.
pub fn check_chain(house: &House) -> usize {
    let load = |db: &mut Db| {
        Ok(ledger_entry::table
            .order(ledger_entry::seq)
            .select((ledger_entry::seq, ledger_entry::entry))
            .load::<(i64, Vec<u8>)>(db)?)
    };
    let rows = house.site.readers.read_here(load).unwrap();
    let (mut prev, mut last_ts) = ("0".repeat(64), String::new());
    let mut subjects = std::collections::HashMap::<(String, String), (u64, u64, String)>::new();
    for (at, (seq, entry)) in rows.iter().enumerate() {
        let text = std::str::from_utf8(entry).unwrap();
        let lines: Vec<&str> = text.split('\n').collect();
        assert_eq!((lines.len(), lines[0], lines[6]), (7, "sopledger/v1", ""));
        assert_eq!((lines[2].parse::<usize>().unwrap(), *seq as usize), (at, at));
        assert_eq!(lines[3], prev, "entry {at} is chained to the one before");
        assert!(lines[4] >= last_ts.as_str(), "time does not go back at {at}");
        let body: serde_json::Value = serde_json::from_str(lines[5]).unwrap();
        if let Some(obj) = body.get("obj") {
            let key = (obj["kind"].as_str().unwrap().to_owned(), obj["id"].as_str().unwrap().to_owned());
            let before = subjects.get(&key);
            assert_eq!(obj["n"].as_u64().unwrap(), before.map_or(1, |(n, ..)| n + 1), "{key:?}");
            assert_eq!(obj["prev"].as_u64(), before.map(|(_, seq, _)| *seq), "{key:?}");
            assert_eq!(body["pre"].as_str(), before.map(|(.., post)| post.as_str()), "{key:?}");
            let post = body["post"].as_str().unwrap().to_owned();
            subjects.insert(key, (obj["n"].as_u64().unwrap(), at as u64, post));
        }
        prev = Sha256::new()
            .chain_update([0])
            .chain_update(entry)
            .finalize()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        last_ts = lines[4].to_owned();
    }
    rows.len()
}

fn value_of(house: &House, name: &str) -> Option<String> {
    let load = |db: &mut Db| Ok(setting::table.find(name).select(setting::value).first(db).optional()?);
    house.site.readers.read_here(load).unwrap()
}

fn write_setting(lane: &Lane, name: &str, value: &str) -> Result<(), Error> {
    let (name, value) = (name.to_owned(), value.to_owned());
    lane.write_here(move |tx| change_setting(tx, &Actor::cli(), (&name, &value), "test"))
}

#[test]
fn thirty_two_concurrent_writers_leave_an_unbroken_chain() {
    both(|house| {
        let before = check_chain(house);
        std::thread::scope(|scope| {
            for writer in 0..32 {
                let lane = &house.site.lane;
                scope.spawn(move || {
                    for n in 0..10 {
                        write_setting(lane, &format!("test.{}", writer % 8), &format!("{writer} {n}"))
                            .unwrap();
                    }
                });
            }
        });
        assert_eq!(check_chain(house), before + 320);
    });
}

#[test]
fn a_change_that_fails_after_writing_leaves_nothing_behind_and_harms_no_other() {
    both(|house| {
        let before = check_chain(house);
        let lane = &house.site.lane;
        std::thread::scope(|scope| {
            for n in 0..8 {
                scope.spawn(move || write_setting(lane, &format!("good.{n}"), "kept").unwrap());
                scope.spawn(move || {
                    let refused = lane.write_here(move |tx| -> Result<(), Error> {
                        change_setting(tx, &Actor::cli(), (&format!("bad.{n}"), "lost"), "test")?;
                        Err(Error::conflict("already-exists"))
                    });
                    assert_eq!(refused.unwrap_err().code(), "already-exists");
                });
                scope.spawn(move || {
                    let panicked = lane.write_here(move |tx| -> Result<(), Error> {
                        change_setting(tx, &Actor::cli(), (&format!("worse.{n}"), "lost"), "test")?;
                        panic!("a change of the test panics")
                    });
                    assert_eq!(panicked.unwrap_err().code(), "internal");
                });
            }
        });
        assert_eq!(check_chain(house), before + 8);
        for n in 0..8 {
            assert_eq!(value_of(house, &format!("good.{n}")).as_deref(), Some("kept"));
            assert_eq!(value_of(house, &format!("bad.{n}")), None);
            assert_eq!(value_of(house, &format!("worse.{n}")), None);
        }
    });
}

#[test]
fn two_lanes_on_one_database_take_turns() {
    both(|house| {
        let before = check_chain(house);
        let second = Lane::start(&house.place.target, house.place.clock.clone(), Arc::new(|_| ())).unwrap();
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let lane = if writer % 2 == 0 { &house.site.lane } else { &second };
                scope.spawn(move || {
                    for n in 0..10 {
                        write_setting(lane, "shared", &format!("{writer} {n}")).unwrap();
                    }
                });
            }
        });
        second.close();
        assert_eq!(check_chain(house), before + 80);
    });
}

#[test]
fn a_closed_lane_refuses_and_says_that_nothing_was_written() {
    both(|house| {
        let lane = Lane::start(&house.place.target, house.place.clock.clone(), Arc::new(|_| ())).unwrap();
        lane.close();
        assert_eq!(write_setting(&lane, "late", "x").unwrap_err().code(), "lane-closed");
    });
}

#[test]
fn guarded_rows_cannot_be_changed_displaced_or_removed_by_a_strangers_connection() {
    let attacks = [
        "UPDATE ledger_entry SET act = 'x' WHERE seq = 1",
        "DELETE FROM ledger_entry WHERE seq = 1",
        "UPDATE content SET bytes = bytes",
        "DELETE FROM content",
        "UPDATE sealed_value SET value = 'x'",
        "DELETE FROM sealed_value",
        "DELETE FROM ledger_checkpoint",
        "DELETE FROM signature",
        "UPDATE signature SET meaning = 'x'",
    ];
    let sqlite_only = [
        "REPLACE INTO ledger_entry SELECT epoch, seq, entry, leaf, ts, 'x', actor, obj_kind, obj_id FROM ledger_entry WHERE seq = 1",
        "INSERT OR REPLACE INTO ledger_entry (rowid, epoch, seq, entry, leaf, ts, act) SELECT rowid, 9, 9, entry, leaf, ts, act FROM ledger_entry WHERE seq = 1",
        "REPLACE INTO sealed_value SELECT commitment, name, salt, 'x' FROM sealed_value",
        "UPDATE OR REPLACE ledger_entry SET seq = 2 WHERE seq = 1",
    ];
    let postgres_only = [
        "TRUNCATE ledger_entry",
        "TRUNCATE document_version CASCADE",
        "SET session_replication_role = replica; DELETE FROM ledger_entry",
    ];
    both(|house| {
        let admin = house.person("admin");
        let made =
            admin.post("/api/v1/users", serde_json::json!({ "login": "x.y", "name": "某", "roles": ["cs"] }));
        let made = made.expect(201).json();
        let grant = format!(
            "/api/v1/users/{}/grants/{}/sign",
            made["id"].as_str().unwrap(),
            made["grants"][0]["id"].as_str().unwrap()
        );
        house
            .person("qa")
            .post(&grant, serde_json::json!({ "password": crate::house::PASSWORD }))
            .expect(200);
        house.site.signing.finish();
        let entries = check_chain(house);
        let mut stranger = house.place.target.open(Purpose::Write).unwrap();
        let of_engine: &[&str] = match stranger {
            Db::Sqlite(_) => &sqlite_only,
            Db::Postgres(_) => &postgres_only,
        };
        for attack in attacks.iter().chain(of_engine) {
            use diesel::connection::SimpleConnection;
            assert!(stranger.batch_execute(attack).is_err(), "{attack} was let through");
        }
        assert_eq!(check_chain(house), entries);
        assert!(sopledger::store::guard_faults(&mut stranger).unwrap().is_empty());
    });
}

#[test]
fn serving_refuses_missing_and_altered_guards_and_names_them() {
    both(|house| {
        use diesel::connection::SimpleConnection;
        house.place.check_guards().unwrap();
        let mut stranger = house.place.target.open(Purpose::Write).unwrap();
        let drop = match stranger {
            Db::Sqlite(_) => "DROP TRIGGER guard_content_delete",
            Db::Postgres(_) => "ALTER TABLE content DISABLE TRIGGER guard_content_row",
        };
        stranger.batch_execute(drop).unwrap();
        let refused = house.place.check_guards().unwrap_err();
        assert_eq!(refused.code(), "guards-altered");
        assert!(refused.args()[0].1.contains("guard_content"), "{refused}");
    });
}

#[test]
fn a_guard_that_is_there_but_no_longer_fires_on_everything_is_named() {
    use diesel::connection::SimpleConnection;
    let sqlite = [
        (
            "DROP TRIGGER guard_ledger_entry_delete; CREATE TRIGGER guard_ledger_entry_delete BEFORE DELETE ON \
             ledger_entry WHEN 0 BEGIN SELECT RAISE(ABORT, 'ledger_entry is append-only'); END",
            "guard_ledger_entry_delete",
        ),
        (
            "DROP TRIGGER guard_content_update; CREATE TRIGGER guard_content_update BEFORE UPDATE OF unpacked ON \
             content BEGIN SELECT RAISE(ABORT, 'content is append-only'); END",
            "guard_content_update",
        ),
    ];
    let postgres = [
        (
            "DROP TRIGGER guard_ledger_entry_row ON ledger_entry; CREATE TRIGGER guard_ledger_entry_row BEFORE UPDATE \
             OR DELETE ON ledger_entry FOR EACH ROW WHEN (false) EXECUTE FUNCTION guard_append_only(); \
             ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER guard_ledger_entry_row",
            "guard_ledger_entry_row",
        ),
        (
            "DROP TRIGGER guard_content_row ON content; CREATE TRIGGER guard_content_row BEFORE UPDATE OF unpacked OR \
             DELETE ON content FOR EACH ROW EXECUTE FUNCTION guard_content(); \
             ALTER TABLE content ENABLE ALWAYS TRIGGER guard_content_row",
            "guard_content_row",
        ),
        ("ALTER FUNCTION guard_link() SET search_path = pg_temp", "guard_link_row, guard_link_truncate"),
    ];
    both(|house| {
        let mut stranger = house.place.target.open(Purpose::Write).unwrap();
        let of_engine: &[(&str, &str)] = match stranger {
            Db::Sqlite(_) => &sqlite,
            Db::Postgres(_) => &postgres,
        };
        for (act, named) in of_engine {
            stranger.batch_execute(act).unwrap_or_else(|error| panic!("{act}: {error}"));
            let refused = house.place.check_guards().unwrap_err();
            assert_eq!(refused.code(), "guards-altered", "{act}");
            assert_eq!(refused.args()[0].1, *named, "{act}");
            house.place.migrate(sopledger::app::compare_records).unwrap();
            house.place.check_guards().unwrap();
        }
    });
}

#[test]
fn a_step_back_of_the_hosts_clock_is_one_entry_and_time_in_the_ledger_does_not_follow() {
    both(|house| {
        let write = |value: &'static str| {
            let set =
                move |tx: &mut Tx<'_>| change_setting(tx, &Actor::cli(), ("training_lead_days", value), "试");
            house.site.lane.write_here(set).unwrap();
        };
        let steps = || house.acts().iter().filter(|act| *act == "system.clock_back").count();
        house.at("2026-03-02T03:00:00Z");
        write("1");
        house.at("2026-03-02T02:59:59.5Z");
        write("2");
        assert_eq!(steps(), 0, "half a second is no step");
        house.at("2026-03-02T02:30:00Z");
        write("3");
        write("4");
        assert_eq!(steps(), 1);
        house.at("2026-03-02T03:30:00Z");
        write("5");
        house.at("2026-03-02T03:10:00Z");
        write("6");
        assert_eq!(steps(), 2);
        check_chain(house);
    });
}
