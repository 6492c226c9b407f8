//! Outside witnesses: stamps that openssl accepts, and what happens when the authority is away, lies or is mimicked.

use diesel::prelude::*;
use serde_json::{Value, json};
use sopledger::anchors::Witness;
use sopledger::app::GOVERNED;
use sopledger::ledger::anchor::stamp::{self, Asked, Chain, Refusal};
use sopledger::ledger::anchor::{self, Anchor, Part};
use sopledger::ledger::digest::Digest;
use sopledger::ledger::lane::Actor;
use sopledger::ledger::verify::{Report, verify_target};
use sopledger::store::schema::{anchor as table, ledger_checkpoint};
use sopledger::store::{Db, Purpose};

use crate::house::{Client, House, both, both_with};
use crate::ledger::tamper::{settle, trial};
use crate::processes::program;
use crate::tsa::{Mood, OTHER_POLICY, POLICY, Tsa, openssl, try_openssl};

fn report(house: &House) -> Report {
    verify_target(&house.place.target, &house.place.folder, GOVERNED, &|_, _| {}).unwrap()
}

fn part(house: &House, anchor: &Anchor, part: Part) -> Vec<u8> {
    house.site.readers.read_here(|db| anchor::file(db, anchor, part)).unwrap()
}

/// `openssl ts -verify`, by the files as they are handed out.
fn openssl_accepts(folder: &std::path::Path, reply: &str, note: &str) -> bool {
    let said =
        try_openssl(folder, &["ts", "-verify", "-in", reply, "-data", note, "-CAfile", "tsa-chain.pem"]);
    let text = String::from_utf8_lossy(&said.stdout).into_owned() + &String::from_utf8_lossy(&said.stderr);
    assert_eq!(said.status.success(), text.contains("Verification: OK"), "{text}");
    said.status.success()
}

#[test]
fn a_stamp_is_accepted_by_openssl_and_says_which_entries_were_there() {
    let Some(tsa) = Tsa::start() else { return };
    both(|house| {
        let before = report(house);
        assert_eq!(before.completeness.anchors, []);
        assert_eq!(before.completeness.unanchored, Some([0, before.integrity.to.unwrap()]));
        let anchor = tsa.witness().stamp(&house.site, &Actor::cli()).unwrap();
        assert_eq!(
            (anchor.policy.as_str(), anchor.authority.as_str()),
            (POLICY, "Throw-away tsa, 时间戳测试")
        );
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
        for kept in Part::ALL {
            write(&anchor.file_name(kept), &part(house, &anchor, kept));
        }
        let (note, reply) = (anchor.file_name(Part::Note), anchor.file_name(Part::Reply));
        assert!(openssl_accepts(folder.path(), &reply, &note));
        let mut longer = part(house, &anchor, Part::Note);
        longer.push(b'\n');
        write("longer", &longer);
        assert!(!openssl_accepts(folder.path(), &reply, "longer"));
        settle(house);
        let found = report(house);
        assert_eq!(found.faults, []);
        let [covered] = found.completeness.anchors.as_slice() else { panic!("{found}") };
        assert_eq!((covered.from, covered.to as i64), (0, anchor.entries - 1));
        // The stamp's own entry came after it.
        assert_eq!(found.completeness.unanchored, Some([covered.to + 1, covered.to + 1]));
        assert!(found.to_string().contains("no outside witness covers"), "{found}");
        let json = serde_json::to_value(&found).unwrap();
        assert_eq!(json["completeness"]["anchors"][0]["by"], "Throw-away tsa, 时间戳测试");
        house.person("cs");
        let second = tsa.witness().stamp(&house.site, &Actor::cli()).unwrap();
        let found = report(house);
        let ranges: Vec<_> = found.completeness.anchors.iter().map(|range| (range.from, range.to)).collect();
        let (first, second) = (anchor.entries as u64, second.entries as u64);
        assert_eq!(ranges, [(0, first - 1), (first, second - 1)]);
        assert!(house.acts().iter().filter(|act| *act == "anchor.added").count() == 2);
    });
}

#[test]
fn an_authority_that_is_away_stops_no_write_and_is_asked_again() {
    let Some(tsa) = Tsa::start() else { return };
    both(|house| {
        let witness = tsa.witness();
        tsa.is(Mood::Away);
        let refused = witness.when_due(&house.site).unwrap_err();
        assert_eq!(refused.code(), "tsa-away");
        house.person("cs");
        let trouble = witness.trouble().unwrap();
        assert_eq!(trouble.code, "tsa-away");
        // Not at once again, then twice as long, and in the end with success.
        let asked = tsa.count();
        assert_eq!(witness.when_due(&house.site).unwrap(), None);
        assert_eq!(tsa.count(), asked);
        house.later(60);
        witness.when_due(&house.site).unwrap_err();
        house.later(60);
        assert_eq!(witness.when_due(&house.site).unwrap(), None);
        house.later(60);
        tsa.is(Mood::Honest);
        assert!(witness.when_due(&house.site).unwrap().is_some());
        assert_eq!(witness.trouble(), None);
        assert_eq!(report(house).faults, []);
        // A quiet ledger is not stamped again, a grown one is once the time has come.
        house.later(25 * 3600);
        assert_eq!(witness.when_due(&house.site).unwrap(), None);
        house.person("cs");
        assert!(witness.when_due(&house.site).unwrap().is_some());
        house.person("cs");
        assert_eq!(witness.when_due(&house.site).unwrap(), None);
    });
}

#[test]
fn an_answer_that_is_not_to_be_believed_is_not_kept() {
    let Some(tsa) = Tsa::start() else { return };
    let Some(stranger) = Tsa::start() else { return };
    let house = House::sqlite();
    let witness = tsa.witness();
    let first = witness.stamp(&house.site, &Actor::cli()).unwrap();
    let old = part(&house, &first, Part::Reply);
    let cut = old[..old.len() - 1].to_vec();
    let mut tail = old.clone();
    tail.push(0);
    house.person("cs");
    let moods = [
        Mood::Fixed(old.clone()),
        Mood::Fixed(cut),
        Mood::Fixed(tail),
        Mood::Fixed(Vec::new()),
        Mood::Fixed(vec![0x30; 64]),
        Mood::Fixed(vec![b'x'; 300 << 10]),
        Mood::Refusing,
        Mood::WrongPurpose,
    ];
    for mood in moods {
        tsa.is(mood.clone());
        let refused = witness.stamp(&house.site, &Actor::cli()).unwrap_err();
        assert!(matches!(refused.code(), "tsa-refused" | "tsa-away"), "{refused}");
    }
    tsa.is(Mood::Honest);
    // Somebody else's certificate at our authority's address.
    let pem = std::fs::read(&stranger.chain).unwrap();
    let mistaken = sopledger::anchors::Authority::new(tsa.url.clone(), pem, 3600, None).unwrap();
    let refused = Witness::new(Some(mistaken)).stamp(&house.site, &Actor::cli()).unwrap_err();
    assert_eq!(refused.code(), "tsa-refused");
    assert_eq!(house.site.readers.read_here(|db| anchor::list(db, None, 10)).unwrap(), [first]);
    let asked = Witness::new(Some(tsa.authority(3600, Some(OTHER_POLICY))));
    assert_eq!(asked.stamp(&house.site, &Actor::cli()).unwrap().policy, OTHER_POLICY);
    house.person("cs");
    let unknown = Witness::new(Some(tsa.authority(3600, Some("1.2.3.4.9"))));
    assert_eq!(unknown.stamp(&house.site, &Actor::cli()).unwrap_err().code(), "tsa-refused");
}

#[test]
fn every_byte_of_a_reply_changed_is_refused_or_changes_nothing_it_says() {
    let Some(tsa) = Tsa::start() else { return };
    let digest = Digest::of(b"a note\n");
    let nonce = Some([7; 8]);
    let asked = Asked { digest, policy: None, nonce };
    std::fs::write(tsa.folder().join("by-hand.tsq"), stamp::request(&asked).unwrap()).unwrap();
    let told = openssl(tsa.folder(), &["ts", "-query", "-in", "by-hand.tsq", "-text"]);
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.contains("sha256") && told.contains("0x0707070707070707"), "{told}");
    assert!(told.contains("Certificate required: yes"), "{told}");
    let reply = [
        "ts",
        "-reply",
        "-config",
        "tsa.cnf",
        "-section",
        "one",
        "-queryfile",
        "by-hand.tsq",
        "-signer",
        "tsa.pem",
        "-inkey",
        "tsa.key",
        "-out",
        "by-hand.tsr",
    ];
    openssl(tsa.folder(), &reply);
    let reply = std::fs::read(tsa.folder().join("by-hand.tsr")).unwrap();
    let chain = Chain::from_pem(&std::fs::read(&tsa.chain).unwrap()).unwrap();
    let said = stamp::check(&reply, &asked, &chain).unwrap();
    let mut believed = 0;
    for at in 0..reply.len() {
        let mut changed = reply.clone();
        changed[at] ^= 1;
        if let Ok(other) = stamp::check(&changed, &asked, &chain) {
            // Status "granted with changes", and what no signature covers.
            assert_eq!(
                (other.at, &other.serial, &other.policy),
                (said.at, &said.serial, &said.policy),
                "{at}"
            );
            believed += 1;
        }
    }
    assert!(believed < 40, "{believed} of {} bytes may change", reply.len());
    let other = Asked { nonce: Some([8; 8]), ..asked.clone() };
    assert_eq!(stamp::check(&reply, &other, &chain), Err(Refusal::Nonce));
    let other = Asked { digest: Digest::of(b"a note"), ..asked.clone() };
    assert_eq!(stamp::check(&reply, &other, &chain), Err(Refusal::Digest));
    let other = Asked { policy: Some(OTHER_POLICY.to_owned()), ..asked };
    assert_eq!(stamp::check(&reply, &other, &chain), Err(Refusal::Policy(POLICY.to_owned())));
}

#[test]
fn a_history_rewritten_with_the_key_does_not_fit_its_stamps() {
    let Some(tsa) = Tsa::start() else { return };
    both(|house| {
        tsa.witness().stamp(&house.site, &Actor::cli()).unwrap();
        settle(house);
        // Another note under the stamped size, and a stamp under another checkpoint.
        let found = trial(&house.place, |db| {
            let other = "test.example.cn/house\n1\nAAAA\n";
            let stamped = table::table.select(table::entries).first::<i64>(db).unwrap();
            let row = ledger_checkpoint::table.filter(ledger_checkpoint::size.eq(stamped));
            diesel::update(row).set(ledger_checkpoint::note.eq(other)).execute(db).unwrap();
        });
        assert!(found.faults.iter().any(|fault| fault.check == "anchor.stamp"), "{found}");
        let found = trial(&house.place, |db| {
            diesel::delete(ledger_checkpoint::table).execute(db).unwrap();
        });
        assert!(found.faults.iter().any(|fault| fault.check == "anchor.stamp"), "{found}");
        assert_eq!(found.completeness.anchors, []);
        // The guards say no to a stranger.
        let mut db = house.place.target.open(Purpose::Write).unwrap();
        for sql in [
            "UPDATE anchor SET serial = '0'",
            "DELETE FROM anchor",
            "INSERT INTO anchor SELECT * FROM anchor",
        ] {
            assert!(diesel::sql_query(sql).execute(&mut db).is_err(), "{sql}");
        }
    });
}

#[test]
fn readers_of_the_trail_list_stamps_take_their_files_and_ask_for_one() {
    let Some(tsa) = Tsa::start() else { return };
    both_with(
        |shared| shared.witnessed_by(tsa.witness()),
        |house| {
            let auditor = house.person("auditor");
            assert_eq!(auditor.get("/api/v1/ledger/anchors").expect(200).json()["items"], json!([]));
            let made = auditor.post("/api/v1/ledger/anchors", json!({})).expect(201);
            let told = made.json();
            let href = |name: &str| told[name]["href"].as_str().unwrap().to_owned();
            for name in ["note", "reply", "chain"] {
                let file = auditor.get(&href(name)).expect(200);
                assert!(
                    file.header("content-disposition")
                        .unwrap()
                        .contains(told[name]["file"].as_str().unwrap())
                );
            }
            let note = auditor.get(&href("note")).text;
            assert_eq!(told["note"]["sha256"], Digest::of(note.as_bytes()).to_string());
            assert!(note.starts_with("test.example.cn/house\n"));
            auditor.post("/api/v1/ledger/anchors", json!({})).refused(409, "nothing-to-anchor");
            let listed = auditor.get("/api/v1/ledger/anchors").expect(200).json();
            assert_eq!(listed["items"][0]["id"], told["id"]);
            auditor.get("/api/v1/ledger/anchors/1-9999/note").refused(404, "not-found");
            auditor.get(&href("note").replace("/note", "/notes")).refused(404, "not-found");
            house.person("cs").get("/api/v1/ledger/anchors").refused(403, "no-right");
            tsa.is(Mood::Away);
            house.person("cs");
            auditor.post("/api/v1/ledger/anchors", json!({})).refused(503, "tsa-away");
            tsa.is(Mood::Honest);
            let page = auditor.get_with("/trail/anchors", &[("accept", "text/html")]).text;
            assert!(page.contains(told["note"]["file"].as_str().unwrap()), "{page}");
            let ready: Value = house.nobody().get("/readyz").json();
            assert_eq!(ready["anchor"], json!({ "configured": true, "age_seconds": 0, "overdue": false }));
            house.later(49 * 3600);
            let ready: Value = house.nobody().get("/readyz").json();
            assert_eq!(ready["anchor"]["overdue"], true, "{ready}");
            let metrics = house.nobody().get("/metrics").text;
            assert!(metrics.contains("sopledger_anchor_age_seconds 176400"), "{metrics}");
            assert!(metrics.contains("sopledger_anchor_overdue 1"), "{metrics}");
        },
    );
}

#[test]
fn a_house_without_an_authority_says_so() {
    let house = House::sqlite();
    house.person("qa").post("/api/v1/ledger/anchors", json!({})).refused(409, "no-authority");
    let ready = house.nobody().get("/readyz").json();
    assert_eq!(ready["anchor"], json!({ "configured": false, "age_seconds": null, "overdue": false }));
}

#[test]
fn the_command_stamps_lists_and_exports_and_a_backup_carries_it() {
    let Some(tsa) = Tsa::start() else { return };
    program::both(|installation| {
        installation.init();
        let url = ["--tsa-url", tsa.url.as_str(), "--tsa-chain", tsa.chain.to_str().unwrap()];
        let run = |words: &[&str]| installation.run(&[words, &url].concat());
        let said = run(&["anchor"]);
        assert!(said.status.success(), "{said:?}");
        let said = run(&["anchor"]);
        assert!(String::from_utf8_lossy(&said.stdout).contains("Nothing was written"), "{said:?}");
        let listed: Value = serde_json::from_slice(&run(&["anchor", "list", "--json"]).stdout).unwrap();
        let entries = listed["items"][0]["entries"].as_i64().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        for _ in 0..2 {
            let said = run(&["anchor", "export", out.to_str().unwrap()]);
            assert!(said.status.success(), "{said:?}");
        }
        assert!(openssl_accepts(&out, &format!("{entries}.tsr"), &format!("{entries}.note")));
        let file = folder.path().join("kept");
        assert!(installation.run(&["backup", file.to_str().unwrap()]).status.success());
        let drilled = installation.run(&["restore", file.to_str().unwrap(), "--drill"]);
        assert!(drilled.status.success(), "{drilled:?}");
        let (code, report) = installation.verify();
        assert_eq!(code, 0, "{report}");
        assert_eq!(report["completeness"]["anchors"][0]["to"], entries - 1);
        // The service takes the same settings; it has been stamped within the hour.
        let server = installation
            .serve_with(&[&["serve", "--listen", "127.0.0.1:0", "--tsa-every", "hourly"], &url[..]].concat());
        Client::of(&server.url).get("/readyz").expect(200);
        server.end();
        for (flag, value, words) in [
            ("--tsa-url", "ftp://x", "http://"),
            ("--tsa-every", "weekly", "hourly or daily"),
            ("--tsa-chain", "/none/such", "PEM"),
            ("--tsa-policy", "x", "object identifier"),
        ] {
            let mut words_of = vec!["anchor"];
            words_of.extend(url.chunks(2).filter(|pair| pair[0] != flag).flatten());
            words_of.extend([flag, value]);
            let said = installation.run(&words_of);
            assert_eq!(said.status.code(), Some(1), "{flag}");
            assert!(String::from_utf8_lossy(&said.stderr).contains(words), "{said:?}");
        }
    });
}

#[test]
fn packs_are_handed_the_files_of_the_stamps_they_reach() {
    let Some(tsa) = Tsa::start() else { return };
    let house = House::sqlite();
    let first = tsa.witness().stamp(&house.site, &Actor::cli()).unwrap();
    house.person("cs");
    tsa.witness().stamp(&house.site, &Actor::cli()).unwrap();
    let names = |most: u64| {
        let read = move |db: &mut Db| {
            let mut names = Vec::new();
            anchor::files(db, 1, most, |name, bytes| {
                assert!(!bytes.is_empty());
                names.push(name.to_owned());
                Ok(())
            })?;
            Ok(names)
        };
        house.site.readers.read_here(read).unwrap()
    };
    let size = first.entries;
    assert_eq!(
        names(u64::try_from(size).unwrap()),
        [format!("{size}.note"), format!("{size}.tsr"), "tsa-chain.pem".to_owned()]
    );
    assert_eq!(names(u64::MAX).len(), 5);
    assert_eq!(names(0), [] as [&str; 0]);
}
