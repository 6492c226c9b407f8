//! The demo: what it promises, on both engines, and that a seeding cut short goes on where it stopped.

use diesel::prelude::*;
use sopledger::app::GOVERNED;
use sopledger::demo::{Seeded, Seeding, seed};
use sopledger::ledger::folder::Folder;
use sopledger::ledger::site::Place;
use sopledger::ledger::verify::verify_target;
use sopledger::store::schema::{
    correction, deviation, document_copy, document_version, ledger_entry, order_line, recall, sales_order,
};
use sopledger::store::{Db, Purpose, Target};
use sopledger::time::Clock;

use crate::postgres;

fn on_both(test: impl Fn(&Place)) {
    let folder = tempfile::tempdir().unwrap();
    test(&place(Target::Sqlite(Folder::new(folder.path()).database()), folder.path()));
    if let Some(url) = postgres::database() {
        let folder = tempfile::tempdir().unwrap();
        test(&place(Target::from_url(&url).unwrap(), folder.path()));
    }
}

fn place(target: Target, folder: &std::path::Path) -> Place {
    Place { target, folder: Folder::new(folder), clock: Clock::System, zone: chrono_tz::Asia::Shanghai }
}

fn seeded(place: &Place, most: Option<usize>) -> Seeded {
    let today = chrono::NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
    seed(place, &Seeding { password: "demo password 42", today, most }).unwrap()
}

fn open(place: &Place) -> Db {
    place.target.open(Purpose::Read).unwrap()
}

/// What a person sees of the records: no ids, no salts.
fn visible(db: &mut Db) -> Vec<String> {
    let mut lines = Vec::new();
    let entries: Vec<(i64, String, i64, Option<String>)> = ledger_entry::table
        .order(ledger_entry::seq)
        .select((ledger_entry::seq, ledger_entry::act, ledger_entry::ts, ledger_entry::obj_kind))
        .load(db)
        .unwrap();
    lines.extend(entries.iter().map(|row| format!("{row:?}")));
    let versions: Vec<(String, String, String, String, Option<i64>)> = document_version::table
        .order((document_version::document, document_version::version))
        .select((
            document_version::document,
            document_version::version,
            document_version::digest,
            document_version::state,
            document_version::effective_from,
        ))
        .load(db)
        .unwrap();
    lines.extend(versions.iter().map(|row| format!("{row:?}")));
    let orders: Vec<(String, String, Option<String>, String)> = order_line::table
        .order((order_line::order_number, order_line::line))
        .select((order_line::order_number, order_line::line, order_line::batch, order_line::quantity))
        .load(db)
        .unwrap();
    lines.extend(orders.iter().map(|row| format!("{row:?}")));
    let deviations: Vec<(String, String, String)> = deviation::table
        .order(deviation::number)
        .select((deviation::number, deviation::title, deviation::state))
        .load(db)
        .unwrap();
    lines.extend(deviations.iter().map(|row| format!("{row:?}")));
    let copies: Vec<(String, i64, String, String, Option<i64>, String)> = document_copy::table
        .order((document_copy::document, document_copy::n))
        .select((
            document_copy::document,
            document_copy::n,
            document_copy::version,
            document_copy::place,
            document_copy::recalled_at,
            document_copy::outcome,
        ))
        .load(db)
        .unwrap();
    lines.extend(copies.iter().map(|row| format!("{row:?}")));
    lines
}

#[test]
fn a_demo_has_the_records_it_promises() {
    on_both(|place| {
        assert_eq!(seeded(place, None), Seeded::Now);
        let head = place.check().unwrap();
        assert!(head.origin.starts_with("demo/"), "{}", head.origin);
        let db = &mut open(place);
        let orders: i64 = sales_order::table.count().get_result(db).unwrap();
        assert!(orders > 100, "{orders} orders");
        assert_eq!(deviation::table.count().get_result::<i64>(db).unwrap(), 6);
        let closed = deviation::table.filter(deviation::state.eq("closed"));
        assert_eq!(closed.count().get_result::<i64>(db).unwrap(), 2);
        let drills: Vec<bool> = recall::table.order(recall::number).select(recall::drill).load(db).unwrap();
        assert_eq!(drills, [false, true]);
        assert_eq!(correction::table.count().get_result::<i64>(db).unwrap(), 0);
        let acts: Vec<String> = ledger_entry::table.select(ledger_entry::act).load(db).unwrap();
        for act in [
            "document.version.acknowledged",
            "document.version.effective",
            "order.held",
            "order.released",
            "link.created",
        ] {
            assert!(acts.iter().any(|found| found == act), "{act}");
        }
        let copies: Vec<(String, i64, bool, String)> = document_copy::table
            .order((document_copy::document, document_copy::n))
            .select((
                document_copy::document,
                document_copy::n,
                document_copy::recalled_at.is_not_null(),
                document_copy::outcome,
            ))
            .load(db)
            .unwrap();
        let copies: Vec<_> = copies
            .iter()
            .map(|(document, n, called, outcome)| (document.as_str(), *n, *called, outcome.as_str()))
            .collect();
        assert_eq!(
            copies,
            [
                ("SOP-CS-001", 1, true, "returned"),
                ("SOP-CS-001", 2, false, ""),
                ("SOP-CS-005", 1, true, "destroyed"),
                ("SOP-CS-005", 2, true, ""),
                ("SOP-CS-005", 3, false, ""),
                ("SOP-CS-005", 4, false, ""),
            ]
        );
        let versions: Vec<String> = document_version::table
            .filter(document_version::document.eq("SOP-CS-005"))
            .order(document_version::major)
            .select(document_version::version)
            .load(db)
            .unwrap();
        assert_eq!(versions, ["1.0", "2.0", "3.0"]);
    });
}

#[test]
fn every_record_of_a_demo_has_the_state_that_its_last_entry_sealed() {
    on_both(|place| {
        seeded(place, None);
        let db = &mut open(place);
        for governed in GOVERNED {
            for id in (governed.ids)(db).unwrap() {
                let snapshot = (governed.snapshot)(db, &id).unwrap().unwrap();
                let subject = snapshot.subject().clone();
                let entry: Vec<u8> = ledger_entry::table
                    .filter(ledger_entry::obj_kind.eq(subject.kind).and(ledger_entry::obj_id.eq(&subject.id)))
                    .order(ledger_entry::seq.desc())
                    .select(ledger_entry::entry)
                    .first(db)
                    .unwrap();
                let digest = sopledger::ledger::digest::Digest::of(&snapshot.to_bytes().unwrap());
                let sealed = format!("\"post\":\"{digest}\"");
                assert!(String::from_utf8_lossy(&entry).contains(&sealed), "{subject}");
            }
        }
    });
}

#[test]
fn a_demo_is_found_sound() {
    on_both(|place| {
        seeded(place, None);
        let found = verify_target(&place.target, &place.folder, GOVERNED, &|_, _| {}).unwrap();
        assert_eq!(found.faults, []);
        assert_eq!((found.exit_code(), found.completeness.unsigned), (0, 0), "{found}");
    });
}

#[test]
fn a_seeding_cut_short_goes_on_to_the_same_visible_records() {
    on_both(|whole| {
        seeded(whole, None);
        let folder = tempfile::tempdir().unwrap();
        let target = Target::Sqlite(Folder::new(folder.path()).database());
        let parts = place(target, folder.path());
        for most in [0, 1, 137, 41] {
            assert_eq!(seeded(&parts, Some(most)), Seeded::Partly);
        }
        // A later day does not change what was begun.
        let later = chrono::NaiveDate::from_ymd_opt(2026, 3, 9).unwrap();
        let seeding = Seeding { password: "demo password 42", today: later, most: None };
        assert_eq!(seed(&parts, &seeding).unwrap(), Seeded::Now);
        assert_eq!(seed(&parts, &seeding).unwrap(), Seeded::Already);
        assert_eq!(visible(&mut open(&parts)), visible(&mut open(whole)));
    });
}

#[test]
fn a_real_installation_is_never_seeded() {
    let folder = tempfile::tempdir().unwrap();
    let real = place(Target::Sqlite(Folder::new(folder.path()).database()), folder.path());
    real.create("example.cn/real").unwrap();
    let today = chrono::NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
    let refused = seed(&real, &Seeding { password: "demo password 42", today, most: None }).unwrap_err();
    assert_eq!(refused.code(), "not-a-demo");
    assert_eq!(real.check().unwrap().size, 0);
}
