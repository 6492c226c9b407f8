//! Packs with the versions as PDF: only where that is asked for and can be done, and held by the list like every file.

use std::collections::BTreeSet;

use diesel::prelude::*;
use serde_json::json;
use sopledger::copies::Printing;
use sopledger::pdf::Press;
use sopledger::store::Db;
use sopledger::store::schema::job;

use super::{both_accept, bytes_of, files_of, made, ours, packed, pythons};
use crate::copies::in_force;
use crate::house::{both, both_with};

const PRINT: &str = "documents/SOP-CS-001/1.0/version.pdf";

#[test]
fn a_pack_holds_the_versions_as_pdf_where_that_is_asked_for() {
    both(|house| {
        in_force(house);
        let qa = house.person("qa");
        let subjects = json!(["document/SOP-CS-001"]);
        let without = made(&qa, json!({ "subjects": subjects }));
        assert!(!files_of(&bytes_of(house, &without)).contains_key(PRINT));
        let wish = json!({ "subjects": subjects, "prints": true });
        if Press::find(&[], None).ready().is_err() {
            return crate::postgres::skipped("no PDF here");
        }
        let made = made(&qa, wish);
        assert_eq!(made["prints"], 1, "{made}");
        let bytes = bytes_of(house, &made);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pack.zip");
        std::fs::write(&path, &bytes).unwrap();
        both_accept(&path);
        let files = files_of(&bytes);
        assert!(files[PRINT].starts_with(b"%PDF-"));
        let readme = String::from_utf8(files["README.html"].clone()).unwrap();
        assert!(readme.contains("One version as PDF/A"), "{readme}");
        let entries = qa.get("/api/v1/ledger/entries?action=pack.made&limit=1000").expect(200).json();
        let told = entries["items"].as_array().unwrap().last().unwrap()["entry"].as_str().unwrap().to_owned();
        assert!(told.contains("\"prints\":1"), "{told}");
        // Nothing seals a print but the list: a byte of it changed is found there, and a stray one by its place.
        let unpacked = folder.path().join("unpacked");
        let mut changed = files.clone();
        changed.get_mut(PRINT).unwrap()[100] ^= 1;
        for (file, bytes) in &changed {
            let at = unpacked.join(file);
            std::fs::create_dir_all(at.parent().unwrap()).unwrap();
            std::fs::write(at, bytes).unwrap();
        }
        let differs = BTreeSet::from([("file.differs".to_owned(), PRINT.to_owned())]);
        assert_eq!(ours(&unpacked), differs);
        let mut stray = files;
        stray.insert("documents/SOP-CS-001/9.0/version.pdf".into(), b"%PDF-".to_vec());
        std::fs::write(&path, packed(stray)).unwrap();
        let alone = ("document.alone".to_owned(), "documents/SOP-CS-001/9.0/version.pdf".to_owned());
        assert_eq!(ours(&path), BTreeSet::from([alone.clone()]));
        if let Some((_, theirs)) = pythons(&unpacked) {
            assert_eq!(theirs, differs);
            assert_eq!(pythons(&path).unwrap().1, BTreeSet::from([alone]));
        }
        let sealed = json!({ "subjects": subjects, "prints": true, "keep_sealed": true });
        qa.post("/api/v1/packs", sealed).refused(422, "invalid");
    });
}

#[test]
fn without_a_font_a_pack_with_pdf_is_refused_in_words_before_the_work_begins() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = folder.path().to_owned();
    both_with(
        |shared| {
            let press = Press::find(std::slice::from_ref(&nothing), None);
            shared.printing_with(Printing { press, public_url: None })
        },
        |house| {
            in_force(house);
            let qa = house.person("qa");
            let refused =
                qa.post("/api/v1/packs", json!({ "subjects": ["document/SOP-CS-001"], "prints": true }));
            let code = refused.expect(503).problem();
            assert!(["pdf-no-font", "pdf-not-built"].contains(&code.as_str()), "{code}");
            let jobs = |db: &mut Db| Ok(job::table.count().get_result::<i64>(db)?);
            assert_eq!(house.site.readers.read_here(jobs).unwrap(), 0, "no job was begun");
            let html = [("accept", "text/html"), ("accept-language", "en")];
            let page = qa.get_with("/packs", &html).expect(200).text;
            assert!(!page.contains("name=\"prints\"") && page.contains("everything else works"), "{page}");
            made(&qa, json!({ "subjects": ["document/SOP-CS-001"] }));
        },
    );
}
