//! What a stranger's connection may not do, and what is found where somebody does it all the same.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use sopledger::store::schema::{content, disposed, ledger_entry, sales_order};
use sopledger::store::{Db, Purpose, Target};

use super::{OVER, deviation, dispose, order, sound};
use crate::house::{House, both};
use crate::ledger::tamper::{run, trial};
use crate::recalls;

fn refused(house: &House, sql: &str) {
    let mut db = house.place.target.open(Purpose::Write).unwrap();
    if let Db::Sqlite(sqlite) = &mut db {
        sqlite.batch_execute("PRAGMA foreign_keys = OFF").unwrap();
    }
    let done = db.batch_execute(sql);
    assert!(done.is_err(), "let through: {sql}");
}

/// Every guarded table has a row here.
fn furnish(house: &House) {
    order(house, "80010001");
    order(house, "80010002");
    deviation(house, &["80010001"]);
    recalls::with_orders(house);
    let ra = house.person("ra");
    ra.post("/api/v1/recalls", recalls::recall()).expect(201);
    let wish = serde_json::json!({ "field": "title", "value": "另一题名", "reason": "笔误" });
    ra.post("/api/v1/recalls/RCL-2026-0001/corrections", wish).expect(201);
    let tie = serde_json::json!({ "from": "order/80010002", "to": "order/8001", "relation": "refers_to" });
    ra.post("/api/v1/links", tie).expect(201);
}

const RECORDS: [(&str, &str); 9] = [
    ("sales_order", "number"),
    ("deviation", "number"),
    ("recall", "number"),
    ("link", "id"),
    ("recall_batch", "recall"),
    ("recall_line", "recall"),
    ("recall_customer", "recall"),
    ("correction", "subject_id"),
    ("record_transition", "subject_id"),
];

#[test]
fn no_row_of_a_record_goes_moves_or_is_replaced_by_a_strangers_connection() {
    both(|house| {
        furnish(house);
        let sqlite = matches!(house.place.target, Target::Sqlite(_));
        for (table, key) in RECORDS {
            refused(house, &format!("DELETE FROM {table}"));
            refused(house, &format!("UPDATE {table} SET {key} = {key} || 'x'"));
            if sqlite {
                refused(house, &format!("REPLACE INTO {table} SELECT * FROM {table}"));
                refused(
                    house,
                    &format!("INSERT OR REPLACE INTO {table} (rowid, {key}) SELECT rowid, 'x' FROM {table}"),
                );
                refused(house, &format!("UPDATE OR REPLACE {table} SET rowid = rowid + 1000"));
            } else {
                refused(house, &format!("TRUNCATE {table} CASCADE"));
                refused(house, &format!("SET session_replication_role = replica; DELETE FROM {table}"));
            }
        }
        sound(house);
    });
}

#[test]
fn a_disposal_stands_still_and_what_it_removed_does_not_come_back() {
    both(|house| {
        order(house, "80010001");
        order(house, "80010002");
        let deviation = deviation(house, &["80010001"]);
        house.at(OVER);
        let sqlite = matches!(house.place.target, Target::Sqlite(_));
        dispose(house, &["order/80010001", &format!("deviation/{deviation}")]);
        let tables = ["disposal", "disposal_item", "disposed", "disposed_value", "disposed_content"];
        for table in tables {
            refused(house, &format!("DELETE FROM {table}"));
            if sqlite {
                refused(house, &format!("REPLACE INTO {table} SELECT * FROM {table}"));
            } else {
                refused(house, &format!("TRUNCATE {table} CASCADE"));
            }
        }
        for table in &tables[1..] {
            let column = if *table == "disposed_content" { "sha256" } else { "subject_id" };
            refused(house, &format!("UPDATE {table} SET {column} = 'x'"));
        }
        refused(house, "UPDATE disposal SET state = 'proposed'");
        for sql in [
            "INSERT INTO sales_order SELECT '80010001', customer_code, customer_sealed, ship_to_sealed, ordered_at, shipped_at, recorded_at FROM sales_order WHERE number = '80010002'".to_owned(),
            format!("INSERT INTO record_transition SELECT 'deviation', '{deviation}', 1, 'a', 'b', '', 0, 'u' FROM disposal"),
            "DELETE FROM content".to_owned(),
            "DELETE FROM signature".to_owned(),
            "DELETE FROM sealed_value".to_owned(),
        ] {
            refused(house, &sql);
        }
        sound(house);
    });
}

/// A row of an order with this number, made of another one.
fn comes_back(db: &mut Db, number: &str) {
    let sql = format!(
        "INSERT INTO sales_order SELECT '{number}', customer_code, customer_sealed, ship_to_sealed, ordered_at, \
         shipped_at, recorded_at FROM sales_order WHERE number = '80010002'"
    );
    assert_eq!(run(db, &sql), 1);
}

#[test]
fn a_record_that_vanished_without_its_entry_or_came_back_after_it_is_found() {
    both(|house| {
        order(house, "80010001");
        order(house, "80010002");
        let mut db = house.place.target.open(Purpose::Read).unwrap();
        let snapshots: Vec<(String, Vec<u8>, Option<i64>)> = content::table.load(&mut db).unwrap();
        house.at(OVER);
        dispose(house, &["order/80010001"]);
        let named = |found: &sopledger::ledger::verify::Report, check: &str| {
            let of = |fault: &&sopledger::ledger::verify::Fault| {
                fault.subject.as_deref().is_none_or(|subject| subject.starts_with("order/8001000"))
            };
            assert!(found.faults.iter().filter(of).any(|fault| fault.check == check), "{check}: {found}");
        };
        named(&trial(&house.place, |db| comes_back(db, "80010001")), "record.digest");
        let found = trial(&house.place, |db| {
            for table in ["order_line", "order_event"] {
                run(db, &format!("DELETE FROM {table} WHERE order_number = '80010002'"));
            }
            diesel::delete(sales_order::table.find("80010002")).execute(db).unwrap();
        });
        named(&found, "record.missing");
        let forged = "INSERT INTO disposed SELECT subject_kind, '80010002', disposal, removed, rule, clause, retain_until, \
                      along_with, disposed_at, disposed_on, epoch, seq FROM disposed";
        let found = trial(&house.place, |db| {
            for table in ["order_line", "order_event"] {
                run(db, &format!("DELETE FROM {table} WHERE order_number = '80010002'"));
            }
            diesel::delete(sales_order::table.find("80010002")).execute(db).unwrap();
            run(db, forged);
        });
        named(&found, "record.digest");
        let found = trial(&house.place, |db| {
            diesel::delete(disposed::table).execute(db).unwrap();
        });
        named(&found, "record.missing");
        let mut went = None;
        let found = trial(&house.place, |db| {
            for (sha256, bytes, unpacked) in &snapshots {
                let row =
                    (content::sha256.eq(sha256), content::bytes.eq(bytes), content::unpacked.eq(unpacked));
                let there: i64 = content::table.find(sha256).count().get_result(db).unwrap();
                if there == 0 {
                    diesel::insert_into(content::table).values(row).execute(db).unwrap();
                    went = Some(sha256.clone());
                }
            }
        });
        named(&found, "content.disposed");
        assert!(went.is_some());
        let last: String = ledger_entry::table
            .filter(ledger_entry::act.eq("record.disposed"))
            .select(ledger_entry::obj_id.assume_not_null())
            .first(&mut db)
            .unwrap();
        assert_eq!(last, "80010001");
        sound(house);
    });
}
