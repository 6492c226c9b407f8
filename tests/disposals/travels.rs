//! What a disposal leaves stays sound wherever the ledger goes: backups, the other engine, evidence packs.

use serde_json::json;
use sopledger::app::GOVERNED;
use sopledger::backup::{self, Wish, drill, make};
use sopledger::ledger::folder::Folder;
use sopledger::ledger::lane::Actor;
use sopledger::ledger::site::Place;
use sopledger::ledger::verify::verify_target;
use sopledger::store::Target;

use super::{OVER, deviation, dispose, order, put, sound};
use crate::house::both;
use crate::packs::{both_accept, bytes_of, files_of, made};
use crate::postgres;

#[test]
fn packs_of_what_was_disposed_of_of_a_time_before_it_and_of_everything_stay_sound() {
    both(|house| {
        order(house, "80010001");
        order(house, "80010002");
        let number = deviation(house, &["80010001"]);
        let tie = json!({ "from": "order/80010001", "to": "order/80010002", "relation": "refers_to" });
        house.person("ra").post("/api/v1/links", tie).expect(201);
        house.later(60);
        put(house, "80010001", "7").expect(200);
        house.at(OVER);
        house.person("qa");
        house.at("2031-03-04T02:00:00Z");
        dispose(house, &["order/80010001", &format!("deviation/{number}")]);
        sound(house);
        let qa = house.person("qa");
        let folder = tempfile::tempdir().unwrap();
        for (name, wish) in [
            ("subject", json!({ "subjects": ["order/80010001"] })),
            ("before", json!({ "from": "2026-03-01", "to": "2026-03-02" })),
            ("whole", json!({ "full": true })),
        ] {
            let made = made(&qa, wish);
            let bytes = bytes_of(house, &made);
            let path = folder.path().join(format!("{name}.zip"));
            std::fs::write(&path, &bytes).unwrap();
            both_accept(&path);
            let files = files_of(&bytes);
            let record = String::from_utf8(files["records/order/80010001.json"].clone()).unwrap();
            assert!(record.contains("\"disposal\":\"DSP-2031-0001\""), "{name}: {record}");
            if name == "subject" {
                assert!(files.contains_key("records/disposal/DSP-2031-0001.json"));
                assert!(files.keys().any(|file| file.starts_with("records/link/")), "links go along");
                let mut less = files.clone();
                less.remove("records/order/80010001.json");
                let tombstone = sopledger::ledger::digest::Digest::of(record.as_bytes()).to_string();
                less.remove(&format!("content/{}/{tombstone}", &tombstone[..2]));
                let path = folder.path().join("less.zip");
                std::fs::write(&path, crate::packs::packed(less)).unwrap();
                let faults = crate::packs::ours(&path);
                assert!(faults.iter().any(|(check, _)| check == "content.missing"), "{faults:?}");
                if let Some((_, theirs)) = crate::packs::pythons(&path) {
                    assert_eq!(theirs, faults);
                }
            }
        }
    });
}

#[test]
fn a_backup_restores_to_either_engine_and_moves_on_after_a_disposal() {
    both(|house| {
        order(house, "80010001");
        order(house, "80010002");
        let number = deviation(house, &["80010001"]);
        house.at(OVER);
        dispose(house, &["order/80010001", &format!("deviation/{number}")]);
        sound(house);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("backup");
        make(&house.site, &file, &Actor::cli()).unwrap();
        assert!(drill(&house.site, &file, &Actor::cli(), GOVERNED).unwrap().is_good());
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        let sqlite = |at: &std::path::Path| Target::Sqlite(Folder::new(at).database());
        let other = match postgres::database().filter(|_| matches!(house.place.target, Target::Sqlite(_))) {
            Some(url) => Target::from_url(&url).unwrap(),
            None => sqlite(&one),
        };
        let place = Place { target: other, folder: Folder::new(&one), ..house.place.clone() };
        let signer = file.with_file_name(format!("backup{}", backup::SIGNER_SUFFIX));
        let wish = Wish { file: &file, signer: Some(&signer), although_behind: false };
        backup::restore(&place, wish, &Actor::cli(), GOVERNED).unwrap();
        backup::transfer(&place, &sqlite(&two), &Actor::cli(), GOVERNED).unwrap();
        let moved = Place { target: sqlite(&two), ..place };
        let found = verify_target(&moved.target, &moved.folder, GOVERNED, &|_, _| {}).unwrap();
        assert_eq!(found.faults, [], "{found}");
    });
}
