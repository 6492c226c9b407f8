//! A ledger that goes on after a recovery: what an earlier epoch holds is read, proven, packed and erased as before, and
//! no number is taken for that of another epoch.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sopledger::app::{GOVERNED, Shared};
use sopledger::ledger::acts;
use sopledger::ledger::entry::leaf;
use sopledger::ledger::lane::{Actor, NewEntry};
use sopledger::ledger::note::VerifierKey;
use sopledger::ledger::proof;
use sopledger::ledger::recovery::recover;
use sopledger::ledger::verify::verify_target;
use sopledger::packs::verify::verify;
use sopledger::store::{self, Purpose};

use crate::house::{Client, House, PASSWORD};
use crate::ledger::tamper::{run, settle};
use crate::packs::{Files, both_accept, bytes_of, files_of, made, ours, packed, pythons};
use crate::recovery::older;
use crate::{copies, deviations, disposals};

const HTML: [(&str, &str); 2] = [("accept", "text/html"), ("accept-language", "en")];

/// Whether the copy was taken between a commit and its checkpoint.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Copied {
    AllSigned,
    TailUnsigned,
}

/// Lives in a house, restores an older copy of it over what came after, declares the recovery, and goes on with the same
/// records.
fn recovered(house: House, copied: Copied) -> House {
    copies::in_force(&house);
    settle(&house);
    deviations::order(&house, "80010001");
    let house = lost(house, copied);
    // The same document in the new epoch.
    copies::approved(&house, (copies::ZH, copies::EN), None);
    let change = json!({ "owner": "ra", "reason": "换人" });
    let content = [("content-type", "application/json")];
    house.person("author").patch("/api/v1/documents/SOP-CS-001", change, &content).expect(200);
    settle(&house);
    house
}

/// Loses what comes after an older copy, and goes on with that in the next epoch.
fn lost(house: House, copied: Copied) -> House {
    let (folder, place) = house.leave();
    let old = older(&place);
    let later = House::serve(folder, place.clone(), Shared::new(place.open(false).unwrap()));
    deviations::order(&later, "80010002");
    let (folder, _) = later.leave();
    if copied == Copied::TailUnsigned {
        let mut db = old.target.open(Purpose::Write).unwrap();
        store::begin_write(&mut db).unwrap();
        store::lift_guards(&mut db).unwrap();
        let newest = "DELETE FROM ledger_checkpoint WHERE size = (SELECT max(size) FROM ledger_checkpoint)";
        assert_eq!(run(&mut db, newest), 1);
        store::set_guards(&mut db).unwrap();
        store::commit(&mut db).unwrap();
    }
    recover(&old, "磁盘损坏", |_| Ok(Actor::account("u-1", "admin"))).unwrap();
    House::serve(folder, old.clone(), Shared::new(old.open(false).unwrap()))
}

fn sound(house: &House) {
    let found = verify_target(&house.place.target, &house.place.folder, GOVERNED, &|_, _| {}).unwrap();
    assert_eq!((found.exit_code(), found.faults.as_slice()), (0, [].as_slice()), "{found}");
}

fn key_of(client: &Client, epoch: i64) -> VerifierKey {
    client.get(&format!("/ledger/epoch/{epoch}/key")).expect(200).text.trim_end().parse().unwrap()
}

/// The entries of an epoch about a subject.
fn entries(client: &Client, epoch: i64, subject: &str) -> Vec<Value> {
    let path = format!("/api/v1/ledger/entries?epoch={epoch}&limit=1000&subject={subject}");
    client.get(&path).expect(200).json()["items"].as_array().unwrap().clone()
}

#[test]
fn a_session_lives_on_over_a_recovery_and_what_it_writes_does_not_alarm() {
    for house in [Some(House::sqlite()), House::postgres()].into_iter().flatten() {
        let signed_in = house.nobody().post("/login", json!({ "login": "qa", "password": PASSWORD }));
        let token = signed_in.expect(200).json()["token"].as_str().unwrap().to_owned();
        settle(&house);
        let via = house.acts().len() as u64 - 1;
        let house = lost(house, Copied::AllSigned);
        let qa = house.nobody().with_token(&token);
        assert_eq!(qa.get("/api/v1/me").expect(200).json()["login"], "qa");
        qa.post("/api/v1/logout", json!({})).expect(204);
        settle(&house);
        sound(&house);
        let other = Actor { via: Some(via), ..Actor::account(house.id("ra"), "ra") };
        let forged = NewEntry::new(acts::SESSION_CLOSED, &other);
        house.site.lane.write_here(move |tx| tx.append(forged.clone())).unwrap();
        settle(&house);
        let found = verify_target(&house.place.target, &house.place.folder, GOVERNED, &|_, _| {}).unwrap();
        let [fault] = found.faults.as_slice() else { panic!("{found}") };
        assert_eq!((fault.check, fault.epoch), ("entry.via", Some(2)), "{found}");
    }
}

#[test]
fn an_entry_of_an_earlier_epoch_has_its_page_its_proof_and_files_that_nobody_confuses() {
    both_recovered(Copied::AllSigned, |house| {
        let qa = house.person("qa");
        let (seq, then) = (3, entries(&qa, 1, "document/SOP-CS-001/1.0"));
        let told = qa.get(&format!("/api/v1/ledger/entries/{seq}?epoch=1")).expect(200).json();
        let text = told["entry"].as_str().unwrap();
        let old = qa.get(&format!("/api/v1/ledger/entries/{seq}/proof?epoch=1")).expect(200);
        let name = format!("filename=\"epoch-1-{seq}.tlog-proof\"");
        assert!(old.header("content-disposition").unwrap().contains(&name));
        let key = key_of(&house.nobody(), 1);
        let (index, signed) =
            proof::verify(&old.text, &leaf(text.as_bytes()), std::slice::from_ref(&key)).unwrap();
        assert_eq!((index, signed.origin.as_str()), (seq, "test.example.cn/house"));
        let other = qa.get(&format!("/api/v1/ledger/entries/{seq}/proof")).expect(200);
        assert!(other.header("content-disposition").unwrap().contains(&format!("epoch-2-{seq}.tlog-proof")));
        assert!(proof::verify(&other.text, &leaf(text.as_bytes()), &[key]).is_err());
        let page = qa.get_with(&format!("/trail/{seq}/proof?epoch=1"), &HTML).expect(200).text;
        for said in [
            format!("download=\"epoch-1-{seq}.entry\""),
            "href=\"/ledger/epoch/1/checkpoint\" download=\"epoch-1-checkpoint\"".to_owned(),
            "href=\"/ledger/epoch/1/key\" download=\"epoch-1-key\"".to_owned(),
            signed.root.to_string(),
            "/trail/0/proof\"".to_owned(),
        ] {
            assert!(page.contains(&said), "{said}: {page}");
        }
        assert_eq!(page.matches("class=\"ok\"").count(), 2, "included, and consistent: {page}");
        let from = signed.size - 1;
        let path = format!("/api/v1/ledger/consistency?epoch=1&from={from}&to={}", signed.size);
        assert!(!qa.get(&path).expect(200).json()["path"].as_array().unwrap().is_empty());
        qa.get(&path.replace("to=", "to=9")).refused(422, "invalid");
        // The subject's history goes on from one epoch to the other.
        let last = then.last().unwrap()["seq"].as_u64().unwrap();
        let now = entries(&qa, 2, "document/SOP-CS-001");
        let first = now[0]["seq"].as_u64().unwrap();
        let before = entries(&qa, 1, "document/SOP-CS-001").pop().unwrap()["seq"].as_u64().unwrap();
        let page = qa.get_with(&format!("/trail/{first}"), &HTML).expect(200).text;
        assert!(page.contains(&format!("href=\"/trail/{before}?epoch=1\"")), "{page}");
        let page = qa.get_with(&format!("/trail/{last}?epoch=1"), &HTML).expect(200).text;
        assert!(page.contains(&format!("/trail/{last}/proof?epoch=1")) && page.contains("class=\"ok\""));
        let list = qa.get_with("/trail?subject=document/SOP-CS-001", &HTML).expect(200).text;
        assert!(list.contains("subject=document/SOP-CS-001") && list.contains("/trail?epoch=1"), "{list}");
        qa.get("/trail/0/proof?epoch=3").expect(422);
    });
}

#[test]
fn a_disposal_of_an_earlier_epoch_leads_to_the_entries_of_that_epoch() {
    let disposed = |house: House| {
        disposals::order(&house, "80010001");
        house.at(disposals::OVER);
        disposals::dispose(&house, &["order/80010001"]);
        settle(&house);
        let house = lost(house, Copied::AllSigned);
        let auditor = house.person("auditor");
        let told = auditor.get("/api/v1/disposals/DSP-2031-0001").expect(200).json();
        let page = auditor.get_with("/retention/disposals/DSP-2031-0001", &HTML).expect(200).text;
        for seq in [&told["seq"], &told["removed"][0]["seq"]] {
            assert!(page.contains(&format!("href=\"/trail/{seq}?epoch=1\"")), "{seq}: {page}");
        }
    };
    disposed(House::sqlite());
    House::postgres().map(disposed);
}

#[test]
fn what_a_copy_held_beyond_its_last_checkpoint_is_vouched_for_by_the_recovery() {
    both_recovered(Copied::TailUnsigned, |house| {
        let qa = house.person("qa");
        let last = entries(&qa, 1, "order/80010001").pop().unwrap()["seq"].as_u64().unwrap();
        qa.get(&format!("/api/v1/ledger/entries/{last}/proof?epoch=1")).refused(409, "never-signed");
        let page = qa.get_with(&format!("/trail/{last}/proof?epoch=1"), &HTML).expect(200).text;
        assert!(
            page.contains("as entry #0 of epoch 2 declares") && !page.contains("class=\"bad\""),
            "{page}"
        );
        let page = qa.get_with(&format!("/trail/{last}?epoch=1"), &HTML).expect(200).text;
        assert!(page.contains("the recovery that ended the epoch vouches for it"), "{page}");
        sound(house);
    });
}

#[test]
fn a_signature_leads_to_its_entry_in_whatever_epoch_and_says_its_hash() {
    both_recovered(Copied::AllSigned, |house| {
        let qa = house.person("qa");
        for (version, epoch) in [("1.0", 1), ("2.0", 2)] {
            let path = format!("/api/v1/documents/SOP-CS-001/versions/{version}");
            let told = qa.get(&path).expect(200).json();
            let signatures = told["signatures"].as_array().unwrap();
            assert_eq!(signatures.len(), 3, "{told}");
            for signature in signatures {
                assert_eq!(signature["epoch"], epoch, "{signature}");
                let entry = format!("/api/v1/ledger/entries/{}?epoch={epoch}", signature["seq"]);
                assert_eq!(signature["leaf"], qa.get(&entry).expect(200).json()["leaf"]);
            }
            let page = qa.get_with(&format!("/documents/SOP-CS-001/{version}"), &HTML).expect(200).text;
            let query = if epoch == 1 { "?epoch=1" } else { "" };
            let link = format!("href=\"/trail/{}/proof{query}\"", signatures[0]["seq"]);
            assert!(page.contains(&link), "{link}: {page}");
            assert_eq!(page.contains("of epoch 1"), epoch == 1, "{page}");
        }
    });
}

#[test]
fn a_value_of_an_earlier_epoch_is_erased_and_the_ledger_adds_up() {
    both_recovered(Copied::AllSigned, |house| {
        let account = format!("account/{}", house.id("qa"));
        let of_address = |entry: &Value| entry["sealed"]["address"].is_object();
        let seq =
            entries(&house.person("qa"), 1, &account).into_iter().find(of_address).unwrap()["seq"].clone();
        house.later(190 * 24 * 3600);
        let qa = house.person("qa");
        let values = format!("/api/v1/ledger/entries/{seq}/values?epoch=1");
        assert_eq!(qa.get(&values).expect(200).json()["items"][0]["may_be_erased"], true);
        let wish = json!({
            "erased": [{ "epoch": 1, "seq": seq, "name": "address" }], "basis": "个人信息保护法 第47条第一项",
            "reason": "本人请求", "password": PASSWORD,
        });
        let page = qa.get_with(&format!("/trail/{seq}?epoch=1"), &HTML).expect(200).text;
        assert!(page.contains(&format!("href=\"/trail/{seq}/erase?epoch=1\"")), "{page}");
        let page = qa.get_with(&format!("/trail/{seq}/erase?epoch=1"), &HTML).expect(200).text;
        assert!(page.contains(&format!("action=\"/trail/{seq}/erase?epoch=1\"")), "{page}");
        let done = qa.post("/api/v1/erasures", wish.clone()).expect(201).json();
        assert_eq!((&done["erased"][0]["epoch"], &done["epoch"]), (&json!(1), &json!(2)), "{done}");
        let entry = qa.get(&format!("/api/v1/ledger/entries/{seq}?epoch=1")).expect(200).json();
        assert_eq!(entry["sealed"]["address"], json!({ "erased": done["seq"], "epoch": 2 }), "{entry}");
        let told = qa.get(&format!("/api/v1/ledger/entries/{}", done["seq"])).expect(200).json();
        let told = told["entry"].as_str().unwrap().to_owned();
        assert!(
            told.contains(&format!("\"erased\":[{{\"epoch\":1,\"name\":\"address\",\"seq\":{seq}}}]")),
            "{told}"
        );
        qa.post("/api/v1/erasures", wish).refused(409, "erased-already");
        let page = qa.get_with("/retention", &HTML).expect(200).text;
        assert!(page.contains(&format!("entry #{seq} of epoch 1 address")), "{page}");
        settle(house);
        sound(house);
    });
}

#[test]
fn a_pack_over_two_epochs_checks_here_and_with_python_alone() {
    for copied in [Copied::AllSigned, Copied::TailUnsigned] {
        both_recovered(copied, |house| {
            let qa = house.person("qa");
            let folder = tempfile::tempdir().unwrap();
            let wishes = [
                ("subjects", json!({ "subjects": ["document/SOP-CS-001", "order/80010001"] })),
                ("old", json!({ "subjects": ["order/80010001"], "keep_sealed": true })),
                ("range", json!({ "from": "2026-03-01" })),
                ("whole", json!({ "full": true })),
            ];
            for (name, wish) in wishes {
                let bytes = bytes_of(house, &made(&qa, wish));
                let path = folder.path().join(format!("{name}.zip"));
                std::fs::write(&path, &bytes).unwrap();
                both_accept(&path);
                let (report, files) = (verify(&path, None).unwrap(), files_of(&bytes));
                assert_eq!(report.epochs.len(), 1, "{report}");
                let found = report.epochs[0].found.unwrap();
                assert!(report.epochs[0].signed.unwrap() > found, "{report}");
                let tail = report.epochs[0].checkpoint.unwrap() < found;
                assert_eq!(tail, copied == Copied::TailUnsigned, "{report}");
                assert_eq!(files.contains_key("epoch/1/consistency"), tail && name != "whole");
                assert_eq!(files.contains_key("entries/0.entry"), name != "whole", "the declaration");
                let readme = String::from_utf8(files["README.html"].clone()).unwrap();
                assert!(readme.contains("epoch/1/") && readme.contains("先前的纪元"), "{readme}");
                if name == "subjects" {
                    let of = |epoch: u64| {
                        let of_document =
                            report.subjects.iter().filter(|line| line.subject == "document/SOP-CS-001");
                        of_document.filter(|line| line.epoch == epoch).map(|line| line.begins).next()
                    };
                    assert_eq!((of(1), of(2)), (Some(true), Some(false)), "{report}");
                    let sealed = |at: &str| files.keys().any(|file| file.starts_with(at));
                    assert!(sealed("epoch/1/sealed/") && sealed("sealed/"), "{:?}", files.keys());
                }
            }
            // A key that is known from elsewhere must be one of every epoch.
            let keys: String = [1, 2].map(|epoch| format!("{}\n", key_of(&house.nobody(), epoch))).concat();
            let (known, path) = (folder.path().join("keys"), folder.path().join("subjects.zip"));
            std::fs::write(&known, &keys).unwrap();
            assert_eq!(verify(&path, Some(&known)).unwrap().faults, []);
            std::fs::write(&known, format!("{}\n", key_of(&house.nobody(), 2))).unwrap();
            assert!(!verify(&path, Some(&known)).unwrap().is_sound());
        });
    }
}

#[test]
fn a_record_that_two_recoveries_lie_behind_is_whole_in_its_pack() {
    let house = lost(recovered(House::sqlite(), Copied::AllSigned), Copied::AllSigned);
    // The order is of the first epoch alone; the document lives in all three.
    copies::approved(&house, (copies::ZH, copies::EN), None);
    let qa = house.person("qa");
    settle(&house);
    let wish = json!({ "subjects": ["document/SOP-CS-001", "order/80010001"] });
    let folder = tempfile::tempdir().unwrap();
    for (name, wish) in [("subjects", wish), ("whole", json!({ "full": true }))] {
        let bytes = bytes_of(&house, &made(&qa, wish));
        let path = folder.path().join(format!("{name}.zip"));
        std::fs::write(&path, &bytes).unwrap();
        both_accept(&path);
        let report = verify(&path, None).unwrap();
        let names: Vec<_> = report.epochs.iter().map(|epoch| epoch.origin.as_deref().unwrap()).collect();
        assert_eq!(names, ["test.example.cn/house", "test.example.cn/house/epoch-2"], "{report}");
        assert_eq!(report.checkpoint.as_ref().unwrap().origin, "test.example.cn/house/epoch-3");
        let of = |subject: &str| -> Vec<u64> {
            report.subjects.iter().filter(|line| line.subject == subject).map(|line| line.epoch).collect()
        };
        assert_eq!((of("document/SOP-CS-001/2.0"), of("order/80010001")), (vec![2], vec![1]), "{report}");
        let files = files_of(&bytes);
        assert_eq!(files.contains_key("epoch/2/entries/0.entry"), name == "subjects");
    }
    sound(&house);
}

/// The kind of a file: its folder and ending.
fn kind(name: &str) -> String {
    let (folder, last) = name.rsplit_once('/').unwrap_or(("", name));
    let top: Vec<&str> = folder.split('/').take(3).collect();
    let ending = last.rsplit_once('.').map_or(last, |(_, ending)| ending);
    match top.first() {
        Some(&"content") => "content".to_owned(),
        Some(&"documents" | &"records") => format!("{} {ending}", top[0]),
        _ => format!("{} {ending}", top.join("/")),
    }
}

#[test]
fn one_flipped_byte_in_each_kind_of_file_of_two_epochs_is_found_by_both() {
    let house = recovered(House::sqlite(), Copied::TailUnsigned);
    let qa = house.person("qa");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack.zip");
    let wishes = [json!({ "subjects": ["document/SOP-CS-001", "order/80010001"] }), json!({ "full": true })];
    let mut kinds = BTreeSet::new();
    for (at, wish) in wishes.into_iter().enumerate() {
        let files = files_of(&bytes_of(&house, &made(&qa, wish)));
        std::fs::write(&path, packed(files.clone())).unwrap();
        assert_eq!(ours(&path), BTreeSet::new());
        for name in files.keys() {
            // Only the list holds the cover and the script; the list itself is made anew.
            let free = ["README.html", "verify.py", "MANIFEST.sha256"].contains(&name.as_str());
            if free || !kinds.insert((at, kind(name))) {
                continue;
            }
            for place in [0, files[name].len() / 2, files[name].len() - 1] {
                let mut changed = files.clone();
                changed.get_mut(name).unwrap()[place] ^= 1;
                found_by_both(&path, changed, &format!("{name}, byte {place}"));
            }
        }
    }
    for needed in [
        "epoch/1 checkpoint",
        "epoch/1 key",
        "epoch/1 consistency",
        "epoch/1/entries entry",
        "epoch/1/proofs tlog-proof",
        "epoch/1/sealed json",
    ] {
        assert!(kinds.contains(&(0, needed.to_owned())), "{needed}: {kinds:?}");
    }
    assert!(kinds.iter().any(|(at, kind)| *at == 1 && kind.starts_with("epoch/1/tile")), "{kinds:?}");
}

#[track_caller]
fn found_by_both(path: &std::path::Path, changed: Files, case: &str) -> BTreeSet<(String, String)> {
    std::fs::write(path, packed(changed)).unwrap();
    let found = ours(path);
    assert!(!found.is_empty(), "{case}");
    if let Some((report, theirs)) = pythons(path) {
        assert_eq!(theirs, found, "{case}: {report}");
    }
    found
}

#[test]
fn who_hides_an_epoch_or_its_end_is_found_by_both() {
    let house = recovered(House::sqlite(), Copied::TailUnsigned);
    let qa = house.person("qa");
    let files = files_of(&bytes_of(&house, &made(&qa, json!({ "subjects": ["document/SOP-CS-001"] }))));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack.zip");
    type Case = (&'static str, fn(&mut Files), &'static str);
    let cases: &[Case] = &[
        (
            "the earlier epoch is left out",
            |f| f.retain(|name, _| !name.starts_with("epoch/")),
            "epoch.missing",
        ),
        (
            "the declaration is left out",
            |f| f.retain(|name, _| name != "entries/0.entry" && name != "proofs/0.tlog-proof"),
            "epoch.undeclared",
        ),
        ("the earlier checkpoint is left out", |f| _ = f.remove("epoch/1/checkpoint"), "proof.checkpoint"),
        ("the consistency is left out", |f| _ = f.remove("epoch/1/consistency"), "consistency.missing"),
        (
            "the earlier entries are left out",
            |f| {
                f.retain(|name, _| {
                    !name.starts_with("epoch/1/entries") && !name.starts_with("epoch/1/proofs")
                })
            },
            "sealed.alone",
        ),
        (
            "the epoch has another number",
            |f| {
                let moved = std::mem::take(f).into_iter();
                *f = moved.map(|(name, bytes)| (name.replace("epoch/1/", "epoch/2/"), bytes)).collect();
            },
            "epoch.missing",
        ),
        (
            "a stranger's file in an epoch",
            |f| _ = f.insert("epoch/1/README.html".into(), vec![]),
            "file.unknown",
        ),
        ("a stranger's epoch", |f| _ = f.insert("epoch/one/key".into(), vec![]), "file.unknown"),
        (
            "the keys of the epochs are exchanged",
            |f| {
                let (old, new) = (f["epoch/1/key"].clone(), f["key"].clone());
                f.insert("key".into(), old);
                f.insert("epoch/1/key".into(), new);
            },
            "epoch.note",
        ),
    ];
    for (case, change, check) in cases {
        let mut changed = files.clone();
        change(&mut changed);
        let found = found_by_both(&path, changed, case);
        assert!(found.iter().any(|(name, _)| name == check), "{case}: {found:?}");
    }
}

fn both_recovered(copied: Copied, test: impl Fn(&House)) {
    test(&recovered(House::sqlite(), copied));
    if let Some(house) = House::postgres() {
        test(&recovered(house, copied));
    }
}
