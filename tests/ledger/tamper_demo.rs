//! The same stranger in a house with every feature in use: no column and no row of any governed table changes unseen,
//! and no table is governed by nobody.

use std::collections::BTreeSet;

use serde_json::json;
use sopledger::app::GOVERNED;
use sopledger::ledger::lane::Actor;
use sopledger::ledger::subject::NOT_GOVERNED;
use sopledger::ledger::verify::{Fault, verify_target};
use sopledger::store::{self, Db, Purpose};

use super::tamper::{columns, governed_tables, one_row, other, run, set_something, settle, smuggle, trial};
use crate::house::{House, PASSWORD, both};
use crate::tsa::Tsa;

/// The governed tables; without the one that stays empty on a machine that has no openssl.
fn furnished_tables(db: &mut Db) -> Vec<&'static str> {
    let mut tables = governed_tables();
    tables.retain(|table| *table != "anchor" || store::count(db, table).unwrap() > 0);
    tables
}

/// The demo, and what its script leaves out: a token, a setting, a correction, a pack, a time stamp.
fn furnish(house: &House) {
    let (admin, cs) = (house.person("admin"), house.person("cs"));
    let token = json!({ "label": "ERP", "expires_on": "2027-01-01" });
    admin.post(&format!("/api/v1/users/{}/tokens", house.id("erp")), token).expect(201);
    house.site.lane.write_here(set_something).unwrap();
    let open = cs.get("/api/v1/deviations?state=open").expect(200).json();
    let number = open["items"][0]["number"].as_str().unwrap_or_else(|| panic!("{open}")).to_owned();
    let wish = json!({ "field": "title", "value": "更正后的标题", "reason": "笔误" });
    let path = format!("/api/v1/deviations/{number}/corrections");
    let asked = cs.post(&path, wish).expect(201).json();
    let decision = format!("{path}/{}/decision", asked["id"].as_str().unwrap());
    let verdict = json!({ "approve": true, "reason": "属实", "password": PASSWORD });
    house.person("qa").post(&decision, verdict).expect(200);
    crate::keeping::hold_and_erase(house);
    crate::disposals::dispose_in_demo(house);
    crate::packs::made(&house.person("qa"), json!({ "subjects": ["document/SOP-CS-001"] }));
    settle(house);
    if let Some(tsa) = Tsa::start() {
        tsa.witness().stamp(&house.site, &Actor::cli()).unwrap();
    }
    let copy = json!({ "holder": "王芳", "place": "一号冷库" });
    house.person("qa").post("/api/v1/documents/SOP-CS-001/copies", copy).expect(201);
    settle(house);
    let found = verify_target(&house.place.target, &house.place.folder, GOVERNED, &|_, _| {}).unwrap();
    assert_eq!((found.exit_code(), found.faults.as_slice()), (0, [].as_slice()));
}

/// Faults that name a record: one whose state differs, or that has no entry, or that is gone.
fn named(faults: &[Fault]) -> BTreeSet<&str> {
    let of_records = faults.iter().filter(|fault| fault.check.starts_with("record."));
    of_records.filter_map(|fault| fault.subject.as_deref()).collect()
}

/// A row moved to another record, or one record under another name, touches two; a document's rows touch its versions.
const MOST_NAMED: usize = 8;

fn change_every_column(house: &House) {
    furnish(house);
    let mut db = house.place.target.open(Purpose::Read).unwrap();
    let mut unseen = Vec::new();
    for table in furnished_tables(&mut db) {
        assert!(store::count(&mut db, table).unwrap() > 0, "furnish the house with a row of {table}");
        for column in columns(&mut db, table) {
            let found = trial(&house.place, |db| {
                let (value, row) = (other(db, &column), one_row(db, table));
                let sql = format!("UPDATE {table} SET {} = {value} WHERE {row}", column.name);
                assert_eq!(run(db, &sql), 1);
            });
            let place = format!("{table}.{}", column.name);
            let named = named(&found.faults);
            if found.exit_code() != 1 || named.is_empty() || named.len() > MOST_NAMED {
                unseen.push(format!("{place}: exit {}, names {named:?}: {found}", found.exit_code()));
            }
        }
    }
    assert!(unseen.is_empty(), "{} columns:\n{}", unseen.len(), unseen.join("\n"));
}

fn delete_and_smuggle(house: &House) {
    furnish(house);
    let mut db = house.place.target.open(Purpose::Read).unwrap();
    let mut unseen = Vec::new();
    for table in furnished_tables(&mut db) {
        let columns = columns(&mut db, table);
        let gone = trial(&house.place, |db| {
            let row = one_row(db, table);
            assert_eq!(run(db, &format!("DELETE FROM {table} WHERE {row}")), 1);
        });
        let more = trial(&house.place, |db| smuggle(db, table, &columns));
        for (what, found) in [("deleted from", gone), ("smuggled into", more)] {
            let told = !named(&found.faults).is_empty()
                || found.faults.iter().any(|fault| fault.check == "table.rows" && fault.what.contains(table));
            if found.exit_code() != 1 || !told {
                unseen.push(format!("a row {what} {table}: {found}"));
            }
        }
    }
    assert!(unseen.is_empty(), "{}", unseen.join("\n"));
}

#[test]
fn no_column_of_any_record_of_a_demo_changes_unseen() {
    change_every_column(&House::demo_on_sqlite());
}

#[test]
fn no_column_of_any_record_of_a_demo_changes_unseen_on_postgresql() {
    if let Some(house) = House::demo_on_postgres() {
        change_every_column(&house);
    }
}

#[test]
fn no_row_of_any_record_of_a_demo_goes_or_comes_unseen() {
    delete_and_smuggle(&House::demo_on_sqlite());
}

#[test]
fn no_row_of_any_record_of_a_demo_goes_or_comes_unseen_on_postgresql() {
    if let Some(house) = House::demo_on_postgres() {
        delete_and_smuggle(&house);
    }
}

#[test]
fn every_table_of_the_catalogue_is_governed_or_listed_with_the_reason_why_not() {
    both(|house| {
        let mut db: Db = house.place.target.open(Purpose::Read).unwrap();
        let catalogue: BTreeSet<String> = store::tables(&mut db).unwrap().into_iter().collect();
        let governed: BTreeSet<String> = governed_tables().into_iter().map(str::to_owned).collect();
        let others: BTreeSet<String> = NOT_GOVERNED.iter().map(|(table, _)| (*table).to_owned()).collect();
        assert_eq!(governed.intersection(&others).count(), 0, "a table is on both lists");
        assert_eq!(governed.union(&others).cloned().collect::<BTreeSet<_>>(), catalogue);
        assert!(NOT_GOVERNED.iter().all(|(_, why)| !why.is_empty()));
    });
}
