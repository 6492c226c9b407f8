//! The table of threats (ledger/rationale.md, section 2), row by row, each with a direct connection to the database;
//! and what everybody may do to a database, which must not alarm. Rows that other modules hold are named here:
//!
//! | row | where |
//! | --- | --- |
//! | a business row edited, a change without an entry | `ledger::tamper`, `ledger::tamper_demo`: every column of every governed table, rows removed and smuggled in |
//! | the same, holding the key; backdating between two time stamps | the notebook's and the anchors' tests |
//! | clock rollback | `lane::a_step_back_of_the_hosts_clock_…` |
//! | a split view | `ledger::signer`: two heads of one size are refused and both notes stay as evidence |
//! | a restored backup and new writes | `recovery` |
//! | a lost entry under a crash | `processes::what_was_acknowledged_before_a_kill_is_there_after_it` |
//! | concurrent writers | `lane`, `lane_property`, `processes::two_servers_…` |
//! | entries left out of an excerpt | the packs' tests |

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use sopledger::app::GOVERNED;
use sopledger::ledger::acts;
use sopledger::ledger::digest::Digest;
use sopledger::ledger::entry::{EntryHead, build, leaf, parse};
use sopledger::ledger::lane::{Actor, NewEntry};
use sopledger::ledger::site::Place;
use sopledger::ledger::verify::{Report, Scope, Verdict, verify_scope};
use sopledger::store::schema::ledger_entry;
use sopledger::store::{self, Db, NewEntryRow, Purpose};

use crate::house::{House, both};
use crate::keys::must_be_sound;
use crate::ledger::tamper::{rewrite, run, set_something, settle, trial};

fn furnish(house: &House) -> u64 {
    house.site.lane.write_here(set_something).unwrap();
    let filled = house.site.lane.write_here(|tx| {
        for _ in 0..300 {
            tx.append(NewEntry::new(acts::LEDGER_VERIFIED, &Actor::cli()).field("integrity", "sound"))?;
        }
        Ok(())
    });
    filled.unwrap();
    settle(house);
    house.acts().len() as u64
}

fn has(found: &Report, check: &str) -> bool {
    found.exit_code() == 1 && found.faults.iter().any(|fault| fault.check == check)
}

fn row(db: &mut Db, seq: i64) -> NewEntryRow {
    ledger_entry::table.find((1, seq)).select(NewEntryRow::as_select()).first(db).unwrap()
}

/// Puts other bytes in an entry's place, with the leaf that fits them.
fn put(db: &mut Db, seq: i64, bytes: Vec<u8>) {
    let hash = leaf(&bytes).as_bytes().to_vec();
    let values = (ledger_entry::entry.eq(bytes), ledger_entry::leaf.eq(hash));
    diesel::update(ledger_entry::table.find((1, seq))).set(values).execute(db).unwrap();
}

/// An entry as it is, but for what `change` makes of its head and body.
fn altered(bytes: &[u8], change: impl Fn(&mut EntryHead<'_>, &str) -> String) -> Vec<u8> {
    let entry = parse(bytes).unwrap();
    let mut head = entry.head;
    let body = change(&mut head, entry.body);
    build(&head, body.as_bytes()).unwrap()
}

#[test]
fn one_edited_entry_is_named_even_with_its_own_hash_recomputed() {
    both(|house| {
        furnish(house);
        let found = trial(&house.place, |db| {
            let bytes = row(db, 40).entry;
            put(db, 40, altered(&bytes, |_, body| body.replace("sound", "fault")));
        });
        assert!(has(&found, "chain.link") && has(&found, "tile.hash"), "{found}");
        assert!(found.faults.iter().any(|fault| fault.seq == Some(40)), "{found}");
    });
}

#[test]
fn a_whole_ledger_rewritten_without_the_key_is_sound_by_itself_and_not_what_was_signed() {
    both(|house| {
        let size = furnish(house);
        let found = trial(&house.place, |db| {
            rewrite(db, 1, size, |body| body.replace("sound", "fault"));
            run(db, "DELETE FROM ledger_tile");
            run(db, "DELETE FROM ledger_checkpoint");
        });
        assert!(has(&found, "signer.different"), "{found}");
        assert_eq!(found.completeness.verdict, Verdict::Fault);
    });
}

#[test]
fn a_cut_tail_and_a_ledger_with_nothing_left_are_behind_what_was_signed() {
    both(|house| {
        let size = furnish(house);
        let found = trial(&house.place, |db| rewrite(db, size - 1, size - 1, str::to_owned));
        assert!(has(&found, "signer.ahead"), "{found}");
        let found = trial(&house.place, |db| {
            for table in ["ledger_entry", "ledger_tile", "ledger_checkpoint"] {
                run(db, &format!("DELETE FROM {table}"));
            }
        });
        assert!(has(&found, "signer.ahead") && has(&found, "head.size"), "{found}");
        let found = trial(&house.place, |db| {
            for table in ["ledger_entry", "ledger_tile", "ledger_checkpoint", "ledger_head"] {
                run(db, &format!("DELETE FROM {table}"));
            }
        });
        assert!(has(&found, "head.missing"), "{found}");
    });
}

#[test]
fn an_entry_dated_back_stands_before_its_predecessor() {
    both(|house| {
        let size = furnish(house);
        house.later(60);
        house.site.lane.write_here(set_something).unwrap();
        settle(house);
        let found = trial(&house.place, |db| {
            let bytes = row(db, size as i64).entry;
            put(
                db,
                size as i64,
                altered(&bytes, |head, body| {
                    head.ts = "2020-01-01T00:00:00.000000Z";
                    body.to_owned()
                }),
            );
        });
        assert!(has(&found, "chain.time") && has(&found, "signer.different"), "{found}");
    });
}

#[test]
fn entries_replayed_swapped_inserted_or_taken_from_another_ledger_are_found() {
    both(|house| {
        let size = furnish(house) as i64;
        let replayed = trial(&house.place, |db| {
            let old = row(db, 20).entry;
            put(db, 120, old);
        });
        assert!(has(&replayed, "entry.seq") && has(&replayed, "chain.link"), "{replayed}");
        let swapped = trial(&house.place, |db| {
            let (left, right) = (row(db, 30).entry, row(db, 31).entry);
            put(db, 30, right);
            put(db, 31, left);
        });
        assert!(has(&swapped, "entry.seq"), "{swapped}");
        // A fitting entry behind the last one, the head moved on: nobody has signed it, but no record bears it out.
        let inserted = trial(&house.place, |db| {
            let last = row(db, size - 1);
            let prev = Digest::try_from(last.leaf.as_slice()).unwrap();
            let bytes = altered(&last.entry, |head, _| {
                head.seq = size as u64;
                head.prev = prev;
                let post = "ab".repeat(32);
                format!(
                    r#"{{"act":"setting.changed","actor":{{"id":"system","role":"cli"}},"obj":{{"id":"ghost","kind":"setting","n":1,"prev":null}},"post":"{post}","pre":null}}"#
                )
            });
            let new = NewEntryRow {
                seq: size,
                leaf: leaf(&bytes).as_bytes().to_vec(),
                entry: bytes,
                act: "setting.changed".to_owned(),
                actor: Some("system".to_owned()),
                obj_kind: Some("setting".to_owned()),
                obj_id: Some("ghost".to_owned()),
                ..last
            };
            store::insert_entries(db, &[new]).unwrap();
        });
        assert!(has(&inserted, "record.missing") && has(&inserted, "head.size"), "{inserted}");
        let foreign = trial(&house.place, |db| {
            let bytes = row(db, 50).entry;
            put(
                db,
                50,
                altered(&bytes, |head, body| {
                    head.origin = "another.example.cn/ledger";
                    body.to_owned()
                }),
            );
        });
        assert!(has(&foreign, "entry.origin"), "{foreign}");
    });
}

#[test]
fn a_second_entry_under_a_number_that_is_taken_is_refused_by_the_database_itself() {
    both(|house| {
        furnish(house);
        let mut db = house.place.target.open(Purpose::Write).unwrap();
        let taken = row(&mut db, 7);
        assert!(store::insert_entries(&mut db, &[taken]).is_err());
        must_be_sound(&house.place);
    });
}

#[test]
fn a_sealed_value_gone_without_an_entry_is_a_fault() {
    both(|house| {
        furnish(house);
        let found =
            trial(&house.place, |db| assert_eq!(run(db, "DELETE FROM sealed_value WHERE value = 'cs'"), 1));
        assert!(has(&found, "sealed.missing"), "{found}");
    });
}

#[test]
fn signed_checkpoints_that_are_gone_are_missed() {
    both(|house| {
        furnish(house);
        let found = trial(&house.place, |db| assert!(run(db, "DELETE FROM ledger_checkpoint") > 0));
        assert!(has(&found, "checkpoint.missing"), "{found}");
        must_be_sound(&house.place);
        let Place { target, folder, .. } = &house.place;
        verify_scope(target, folder, GOVERNED, (Scope::Whole, &|_, _| Ok(()))).unwrap();
        let newest = "DELETE FROM ledger_checkpoint WHERE size = (SELECT MAX(size) FROM ledger_checkpoint)";
        let found = trial(&house.place, |db| assert_eq!(run(db, newest), 1));
        assert!(has(&found, "checkpoint.missing"), "the one that was verified last: {found}");
    });
}

#[test]
fn a_checkpoint_in_the_middle_to_which_a_packs_proofs_lead_is_missed() {
    both(|house| {
        furnish(house);
        let made = crate::packs::made(&house.person("qa"), serde_json::json!({ "full": true }));
        furnish(house);
        must_be_sound(&house.place);
        let size = &made["checkpoint"];
        let sql = format!("DELETE FROM ledger_checkpoint WHERE size = {size}");
        let found = trial(&house.place, |db| assert_eq!(run(db, &sql), 1));
        assert_eq!((found.exit_code(), found.faults.len()), (1, 1), "{found}");
        let fault = &found.faults[0];
        assert!(fault.check == "checkpoint.missing" && fault.what.contains(&size.to_string()), "{found}");
        assert_eq!(fault.subject, Some(format!("pack/{}", made["id"].as_str().unwrap())), "{found}");
        must_be_sound(&house.place);
    });
}

#[test]
fn a_ledger_without_its_head_is_a_fault() {
    both(|house| {
        furnish(house);
        let found = trial(&house.place, |db| assert_eq!(run(db, "DELETE FROM ledger_head"), 1));
        assert!(has(&found, "head.missing"), "{found}");
    });
}

/// What a stranger does to a guard, and which one a verification has to name.
fn unguard(house: &House) -> &'static str {
    let mut db = house.place.target.open(Purpose::Write).unwrap();
    let (act, named) = match db {
        Db::Sqlite(_) => ("DROP TRIGGER guard_signature_update", "guard_signature_update"),
        Db::Postgres(_) => {
            ("ALTER TABLE signature DISABLE TRIGGER guard_signature_row", "guard_signature_row")
        }
    };
    db.batch_execute(act).unwrap();
    named
}

#[test]
fn missing_guards_are_a_fault_that_spoils_neither_verdict_and_are_told_until_they_stand_again() {
    both(|house| {
        furnish(house);
        let named = unguard(house);
        let Place { target, folder, .. } = &house.place;
        for scope in [Scope::Whole, Scope::New] {
            let found = verify_scope(target, folder, GOVERNED, (scope, &|_, _| Ok(()))).unwrap();
            assert_eq!((found.exit_code(), found.faults.len()), (1, 1), "{found}");
            let verdicts = (found.integrity.verdict, found.completeness.verdict);
            assert_eq!(verdicts, (Verdict::Sound, Verdict::Sound), "{found}");
            let fault = &found.faults[0];
            assert!(fault.check == "guards.altered" && fault.what.contains(named), "{found}");
            assert!(fault.what.contains("sopledger migrate"), "{found}");
        }
        let qa = house.person("qa");
        let verified = |scope: &str| {
            let asked = serde_json::json!({ "scope": scope });
            let begun = qa.post("/api/v1/ledger/verifications", asked).expect(202);
            qa.until_over(begun.header("location").unwrap())
        };
        let page = |path: &str| {
            qa.get_with(path, &[("accept", "text/html"), ("accept-language", "en")]).expect(200).text
        };
        assert_eq!(verified("whole")["result"]["integrity"]["verdict"], "sound");
        let documents = page("/documents");
        assert!(documents.contains("Database unguarded") && !documents.contains("Audit trail broken"));
        let told = page("/trail/verify");
        assert!(told.contains(named) && told.contains("then “sopledger migrate” sets them again"), "{told}");
        house.place.migrate(sopledger::app::compare_records).unwrap();
        settle(house);
        house.later(60);
        verified("new");
        assert!(!page("/documents").contains("Database unguarded"), "every pass looks at the guards");
    });
}

#[test]
fn a_strangers_trigger_or_rule_is_refused_named_and_left_to_be_dropped_by_hand() {
    let sqlite = [
        (
            "CREATE TRIGGER zz BEFORE INSERT ON ledger_entry BEGIN SELECT RAISE(IGNORE); END",
            "ledger_entry: DROP TRIGGER \"zz\"",
        ),
        (
            "CREATE TRIGGER \"of \"\"hers\" AFTER UPDATE ON setting BEGIN SELECT 1; END",
            "setting: DROP TRIGGER \"of \"\"hers\"",
        ),
    ];
    let postgres = [
        (
            "CREATE RULE r AS ON INSERT TO ledger_entry DO INSTEAD NOTHING",
            "ledger_entry: DROP RULE \"r\" ON \"ledger_entry\"",
        ),
        (
            "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; \
             CREATE TRIGGER \"of \"\"hers\" BEFORE INSERT ON setting FOR EACH ROW EXECUTE FUNCTION lose(); \
             ALTER TABLE setting ENABLE ALWAYS TRIGGER \"of \"\"hers\"",
            "setting: DROP TRIGGER \"of \"\"hers\" ON \"setting\"",
        ),
    ];
    both(|house| {
        let mut stranger = house.place.target.open(Purpose::Write).unwrap();
        let of_engine = match stranger {
            Db::Sqlite(_) => &sqlite,
            Db::Postgres(_) => &postgres,
        };
        for (act, named) in of_engine {
            stranger.batch_execute(act).unwrap_or_else(|error| panic!("{act}: {error}"));
            let place = &house.place;
            for refused in [place.check_guards(), place.migrate(sopledger::app::compare_records).map(|_| ())]
            {
                let refused = refused.unwrap_err();
                assert_eq!(refused.code(), "guards-added", "{act}");
                assert_eq!(refused.args()[0].1, *named, "{act}");
            }
            let Place { target, folder, .. } = place;
            let found = verify_scope(target, folder, GOVERNED, (Scope::Whole, &|_, _| Ok(()))).unwrap();
            assert_eq!((found.exit_code(), found.faults.len()), (1, 1), "{found}");
            let fault = &found.faults[0];
            assert!(fault.check == "guards.altered" && fault.what.contains(named), "{found}");
            stranger.batch_execute(named.split_once(": ").unwrap().1).unwrap();
            place.check_guards().unwrap();
        }
        let named_as_ours = match stranger {
            Db::Sqlite(_) => {
                "CREATE TRIGGER guard_of_old BEFORE INSERT ON setting BEGIN SELECT RAISE(IGNORE); END"
            }
            Db::Postgres(_) => {
                "CREATE TRIGGER guard_of_old BEFORE UPDATE ON setting FOR EACH ROW EXECUTE FUNCTION guard_append_only()"
            }
        };
        stranger.batch_execute(named_as_ours).unwrap();
        assert!(house.place.check_guards().unwrap_err().args()[0].1.contains("\"guard_of_old\""));
        house.place.migrate(sopledger::app::compare_records).unwrap();
        house.place.check_guards().unwrap();
    });
}

#[test]
fn a_database_rewritten_under_a_running_service_stops_its_writing() {
    both(|house| {
        let size = furnish(house);
        let mut db = house.place.target.open(Purpose::Write).unwrap();
        store::begin_write(&mut db).unwrap();
        store::lift_guards(&mut db).unwrap();
        rewrite(&mut db, size - 5, size - 5, str::to_owned);
        store::commit(&mut db).unwrap();
        house.site.signing.finish();
        assert!(house.site.signing.trouble().is_some(), "the signer says why it does not sign");
        let refused = house.site.lane.write_here(set_something).unwrap_err();
        assert_eq!(refused.code(), "ledger-halted");
        assert_eq!(house.nobody().get("/readyz").status, 503);
    });
}

#[test]
fn what_everybody_may_do_to_a_database_does_not_alarm() {
    both(|house| {
        furnish(house);
        let mut db = house.place.target.open(Purpose::Write).unwrap();
        let acts: &[&str] = match &db {
            Db::Sqlite(_) => {
                &["VACUUM", "REINDEX", "ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA optimize"]
            }
            Db::Postgres(_) => &[
                "VACUUM FULL",
                "VACUUM (FREEZE, ANALYZE)",
                "REINDEX TABLE ledger_entry",
                "CLUSTER ledger_entry USING ledger_entry_subject",
                "CHECKPOINT",
            ],
        };
        for act in acts {
            db.batch_execute(act).unwrap_or_else(|error| panic!("{act}: {error}"));
            must_be_sound(&house.place);
            house.site.lane.write_here(set_something).unwrap();
            settle(house);
        }
        let new = verify_scope(
            &house.place.target,
            &house.place.folder,
            sopledger::app::GOVERNED,
            (Scope::New, &|_, _| Ok(())),
        );
        assert_eq!(new.unwrap().exit_code(), 0);
        // Upgrading: guards lifted, what is pending run, all records compared, guards set again.
        house.place.migrate(sopledger::app::compare_records).unwrap();
        house.place.check_guards().unwrap();
        must_be_sound(&house.place);
    });
}

#[test]
fn a_database_dumped_and_restored_by_the_engines_own_tools_does_not_alarm() {
    let Some(house) = House::postgres() else { return };
    furnish(&house);
    let sopledger::store::Target::Postgres(url) = &house.place.target else { panic!("not PostgreSQL") };
    let restored = crate::postgres::dumped_and_restored(url);
    let place = sopledger::ledger::site::Place {
        target: sopledger::store::Target::from_url(&restored).unwrap(),
        ..house.place.clone()
    };
    must_be_sound(&place);
    place.check_guards().unwrap();
    house.site.close();
    let site = place.open(false).unwrap();
    site.lane.write_here(set_something).unwrap();
    site.close();
    must_be_sound(&place);
}

/// One more entry by somebody who is said to have signed in by the entry `via`.
fn acted(house: &House, login: &str, via: u64) -> u64 {
    let actor = Actor { via: Some(via), ..Actor::account(house.id(login), "qa") };
    let written = house.site.lane.write_here(move |tx| {
        let on = sopledger::people::record::subject(&actor.id);
        tx.append(NewEntry::new(acts::SESSION_CLOSED, &actor).unchanged(&on))
    });
    let seq = written.unwrap().seq;
    settle(house);
    seq
}

fn found_on(house: &House, scope: Scope) -> Report {
    let place = &house.place;
    verify_scope(&place.target, &place.folder, sopledger::app::GOVERNED, (scope, &|_, _| Ok(()))).unwrap()
}

#[test]
fn a_session_handed_to_another_account_in_the_database_is_refused_until_it_is_handed_back() {
    both(|house| {
        let (qa, ra) = (house.person("qa"), house.person("ra"));
        let mut db = house.place.target.open(Purpose::Write).unwrap();
        let mut hand = |from: &str, to: &str| {
            let (from, to) = (house.id(from), house.id(to));
            let sql = format!("UPDATE session SET account_id = '{to}' WHERE account_id = '{from}'");
            assert_eq!(run(&mut db, &sql), 1);
        };
        qa.get("/api/v1/me").expect(200);
        hand("qa", "cs");
        // At once, where the person was known a moment ago, and where they are read anew.
        qa.get("/api/v1/me").refused(401, "sign-in");
        house.site.lane.write_here(set_something).unwrap();
        qa.get("/api/v1/me").refused(401, "sign-in");
        assert_eq!(ra.get("/api/v1/me").expect(200).json()["login"], "ra");
        hand("cs", "qa");
        assert_eq!(qa.get("/api/v1/me").expect(200).json()["login"], "qa");
        qa.post("/api/v1/logout", serde_json::json!({})).expect(204);
        settle(house);
        must_be_sound(&house.place);
    });
}

#[test]
fn an_entry_whose_actor_did_not_sign_in_by_the_entry_it_names_is_named_by_either_pass() {
    both(|house| {
        house.person("qa");
        settle(house);
        let via = house.acts().iter().rposition(|act| act == "session.opened").unwrap() as u64;
        let elsewhere = via - 1;
        furnish(house);
        acted(house, "qa", via);
        must_be_sound(&house.place);
        assert_eq!(found_on(house, Scope::Whole).exit_code(), 0);
        let forged =
            [("ra", via), ("qa", elsewhere), ("qa", house.acts().len() as u64 + 2), ("cs", u64::MAX >> 11)];
        let mut seqs: Vec<u64> = forged.iter().map(|(login, via)| acted(house, login, *via)).collect();
        let again = acted(house, "ra", via);
        seqs.sort_unstable();
        for scope in [Scope::New, Scope::Whole] {
            let found = found_on(house, scope);
            assert_eq!((found.exit_code(), found.integrity.verdict), (1, Verdict::Fault), "{found}");
            assert!(found.faults.iter().all(|fault| fault.check == "entry.via"), "{found}");
            let named: Vec<u64> = found.faults.iter().filter_map(|fault| fault.seq).collect();
            assert_eq!(named, seqs, "{found}");
            let first = &found.faults[0];
            let ra = house.id("ra");
            assert_eq!(first.subject, Some(format!("account/{ra}")));
            for said in [ra, format!("by entry {via}"), format!("the last is {again}")] {
                assert!(first.what.contains(&said), "{said}: {found}");
            }
        }
    });
}
