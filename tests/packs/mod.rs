//! Evidence packs: made over HTTP, checked by us and by Python alone, and never quietly wrong.

mod damage;
mod prints;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sopledger::app::GOVERNED;
use sopledger::ledger::digest::Digest;
use sopledger::ledger::verify::verify_target;
use sopledger::packs::verify::verify;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::house::{Client, House, both};
use crate::ledger::tamper::settle;
use crate::wait::until;

/// The files of a pack.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Makes a pack over HTTP and waits for it; the job's result.
pub fn made(client: &Client, wish: Value) -> Value {
    let asked = client.post("/api/v1/packs", wish).expect(202);
    let at = asked.header("location").unwrap().to_owned();
    let job = client.until_over(&at);
    assert_eq!(job["state"], "done", "{job}");
    job["result"].clone()
}

/// The bytes of a pack that was made in a house.
pub fn bytes_of(house: &House, made: &Value) -> Vec<u8> {
    let id = made["id"].as_str().unwrap();
    std::fs::read(house.site.folder.packs().join(format!("{id}.zip"))).unwrap()
}

pub fn files_of(pack: &[u8]) -> Files {
    let mut zip = ZipArchive::new(Cursor::new(pack)).unwrap();
    let mut files = Files::new();
    for at in 0..zip.len() {
        let mut file = zip.by_index(at).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        files.insert(file.name().unwrap().into_owned(), bytes);
    }
    files
}

/// Packs files again as somebody would who knows the form: the list and the seal fit what is there.
pub fn packed(mut files: Files) -> Vec<u8> {
    files.remove("MANIFEST.sha256");
    let list = files.iter().map(|(name, bytes)| format!("{}  {name}\n", Digest::of(bytes)));
    files.insert("MANIFEST.sha256".to_owned(), list.collect::<String>().into_bytes());
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in &files {
        zip.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.set_comment(format!("sha256:{}", "0".repeat(64))).unwrap();
    let mut bytes = zip.finish().unwrap().into_inner();
    let end = bytes.len() - 64;
    let seal = Digest::from_bytes(Sha256::digest(&bytes[..end]).into()).to_string();
    bytes[end..].copy_from_slice(seal.as_bytes());
    bytes
}

/// What we find: check and file of every fault.
pub fn ours(path: &Path) -> BTreeSet<(String, String)> {
    let report = verify(path, None).unwrap();
    assert_eq!(report.is_sound(), report.faults.is_empty());
    report.faults.into_iter().map(|fault| (fault.check.to_owned(), fault.file)).collect()
}

/// What `verify.py` finds; none where the machine has no Python.
pub fn pythons(path: &Path) -> Option<(Value, BTreeSet<(String, String)>)> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/packs/verify.py");
    let ran = Command::new("python3").args([script, "--json"]).arg(path).output();
    let Ok(ran) = ran else {
        let needed = std::env::var_os("SOPLEDGER_TESTS_MAY_NOT_SKIP").is_some();
        assert!(!needed, "there is no python3 on this machine");
        eprintln!("SKIPPED: there is no python3 on this machine");
        return None;
    };
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(!errors.contains("Traceback"), "{errors}");
    let report: Value =
        serde_json::from_slice(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {errors}"));
    let faults = report["faults"].as_array().unwrap().clone();
    assert_eq!(ran.status.code(), Some(i32::from(!faults.is_empty())), "{report}");
    let text = |fault: &Value, name: &str| fault[name].as_str().unwrap().to_owned();
    Some((report, faults.iter().map(|fault| (text(fault, "check"), text(fault, "file"))).collect()))
}

/// Both accept the pack, and say the same of it.
pub fn both_accept(path: &Path) {
    let ours = verify(path, None).unwrap();
    assert_eq!(ours.faults, [], "{ours}");
    if let Some((theirs, _)) = pythons(path) {
        assert_eq!(serde_json::to_value(&ours).unwrap(), theirs);
    }
}

/// Numbers of two records of the demo.
pub fn some_subjects(client: &Client) -> [String; 2] {
    let first =
        |path: &str| client.get(path).expect(200).json()["items"][0]["number"].as_str().unwrap().to_owned();
    [
        format!("deviation/{}", first("/api/v1/deviations?limit=1")),
        format!("order/{}", first("/api/v1/orders?limit=1")),
    ]
}

fn demo_both(test: impl Fn(&House)) {
    test(&House::demo_on_sqlite());
    if let Some(house) = House::demo_on_postgres() {
        test(&house);
    }
}

#[test]
fn packs_of_subjects_of_a_time_and_of_everything_check_here_and_with_python_alone() {
    demo_both(|house| {
        let qa = house.person("qa");
        let [deviation, order] = some_subjects(&qa);
        let folder = tempfile::tempdir().unwrap();
        let wishes = [
            ("subjects", json!({ "subjects": ["document/SOP-CS-005", deviation, order], "reason": "检查" })),
            ("one", json!({ "subjects": ["document/SOP-CS-005/1.0"], "keep_sealed": true })),
            ("range", json!({ "from": "2026-01-01", "to": "2026-02-28" })),
            ("whole", json!({ "full": true })),
        ];
        for (name, wish) in wishes {
            let made = made(&qa, wish);
            let bytes = bytes_of(house, &made);
            assert_eq!(made["sha256"], Digest::of(&bytes).to_string());
            let path = folder.path().join(format!("{name}.zip"));
            std::fs::write(&path, &bytes).unwrap();
            both_accept(&path);
            let files = files_of(&bytes);
            assert_eq!(files.contains_key("tile/0/000"), name == "whole", "{name}");
            let sealed = files.keys().any(|file| file.starts_with("sealed/"));
            assert_eq!(sealed, name != "one", "{name}");
            let readme = String::from_utf8(files["README.html"].clone()).unwrap();
            assert!(readme.contains("不能证明什么") && readme.contains("What it does not prove"), "{readme}");
            assert!(!readme.contains("src=") && !readme.contains("pack-"), "needs nothing else: {readme}");
            if name == "subjects" {
                let texts = ["1.0/zh-CN.md", "1.0/en.md", "1.0/signatures.json", "3.0/zh-CN.md"];
                for text in texts {
                    assert!(files.contains_key(&format!("documents/SOP-CS-005/{text}")), "{text}");
                }
                assert!(files.keys().any(|file| file.starts_with("records/link/")), "links go along");
                let unpacked = folder.path().join("unpacked");
                for (file, bytes) in &files {
                    let at = unpacked.join(file);
                    std::fs::create_dir_all(at.parent().unwrap()).unwrap();
                    std::fs::write(at, bytes).unwrap();
                }
                both_accept(&unpacked);
                let sums = Command::new("sha256sum")
                    .args(["--check", "--strict", "--quiet", "MANIFEST.sha256"])
                    .current_dir(&unpacked)
                    .status();
                assert!(sums.unwrap().success());
            }
        }
        settle(house);
        assert_eq!(house.acts().iter().filter(|act| *act == "pack.made").count(), 4);
        let found = verify_target(&house.place.target, &house.place.folder, GOVERNED, &|_, _| {}).unwrap();
        assert_eq!((found.exit_code(), found.faults.as_slice()), (0, [].as_slice()));
    });
}

#[test]
fn who_may_read_the_trail_may_pack_what_they_may_read_and_fetch_what_they_made() {
    both(|house| {
        let (qa, auditor, admin) = (house.person("qa"), house.person("auditor"), house.person("admin"));
        let account = format!("account/{}", house.id("cs"));
        settle(house);
        house.person("cs").post("/api/v1/packs", json!({ "full": true })).refused(403, "no-right");
        for wish in [json!({ "full": true }), json!({ "subjects": [account] })] {
            admin.post("/api/v1/packs", wish).refused(403, "no-right");
        }
        for wrong in [
            json!({}),
            json!({ "subjects": ["order"] }),
            json!({ "subjects": ["order/none-such"] }),
            json!({ "subjects": [account], "full": true }),
            json!({ "from": "2099-01-01" }),
            json!({ "full": true, "made_by": "me" }),
        ] {
            qa.post("/api/v1/packs", wrong.clone()).refused(422, "invalid");
        }
        let his = made(&auditor, json!({ "subjects": [account] }));
        let path = format!("/api/v1/packs/{}/zip", his["id"].as_str().unwrap());
        let sealed = |made: &Value| {
            files_of(&bytes_of(house, made)).keys().filter(|file| file.starts_with("sealed/")).count()
        };
        assert_eq!(sealed(&his), 0, "an auditor does not see accounts");
        assert!(sealed(&made(&qa, json!({ "subjects": [account] }))) > 0);
        let fetched = auditor.get(&path).expect(200);
        assert_eq!(fetched.header("content-type"), Some("application/zip"));
        assert_eq!(fetched.header("content-length"), Some(his["size"].to_string().as_str()));
        qa.get(&path).expect(200);
        house.person("ra").get(&path).refused(403, "pack-not-yours");
        admin.get(&path).refused(403, "no-right");
        let html = [("accept", "text/html")];
        for (who, offered) in [(&auditor, true), (&admin, false)] {
            let page = who.get_with("/packs", &html).expect(200).text;
            assert_eq!(page.contains("<textarea"), offered, "{page}");
            assert_eq!(page.contains("/zip\""), offered, "{page}");
        }
        qa.get("/api/v1/packs/p-none/zip").refused(404, "not-found");
        let list = auditor.get("/api/v1/packs").expect(200).json();
        assert_eq!(list["items"].as_array().unwrap().len(), 2);
        assert_eq!(list["items"][1], auditor.get(&path.replace("/zip", "")).expect(200).json());
        std::fs::remove_file(house.site.folder.packs().join(format!("{}.zip", his["id"].as_str().unwrap())))
            .unwrap();
        auditor.get(&path).refused(404, "not-found");
    });
}

#[test]
fn the_page_asks_for_a_pack_and_lists_those_that_were_made() {
    let house = House::sqlite();
    let qa = house.person("qa");
    let account = format!("account/{}", house.id("cs"));
    settle(&house);
    let html = [("accept", "text/html")];
    let page = qa.get_with("/packs?subject=order/1", &html).expect(200).text;
    assert!(page.contains("order/1</textarea>"), "{page}");
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap();
    let token = rest.split('"').next().unwrap().to_owned();
    let form = [("accept", "text/html"), ("content-type", "application/x-www-form-urlencoded")];
    let send = |fields: &str| {
        let body = format!("csrf={token}&{fields}").into_bytes();
        qa.send("POST", "/packs", Some(body), &form)
    };
    let refused = send("subjects=order%2Fnone&reason=why").expect(422).text;
    assert!(refused.contains("errsum") && refused.contains("value=\"why\""), "{refused}");
    let job = send(&format!("subjects={}%0D%0A&from=&to=&reason=why", account.replace('/', "%2F")));
    let job = job.expect(303).header("location").unwrap().to_owned();
    until(|| {
        let page = qa.get_with(&job, &html).expect(200).text;
        if page.contains("/zip\"") { Ok(()) } else { Err(page) }
    });
    let list = qa.get_with("/packs", &html).expect(200).text;
    assert!(list.contains(&account) && list.contains("/zip\""), "{list}");
}
