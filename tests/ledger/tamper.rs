//! A stranger with the database's password and time: whatever they change, verification names it.
//!
//! Every trial runs inside a transaction that is rolled back, with foreign keys off and the guards lifted for as long as
//! it takes to change something, on both engines.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use serde_json::json;
use sopledger::app::GOVERNED;
use sopledger::ledger::acts;
use sopledger::ledger::digest::Digest;
use sopledger::ledger::entry::{EntryHead, build, leaf, parse};
use sopledger::ledger::lane::{Actor, NewEntry};
use sopledger::ledger::site::Place;
use sopledger::ledger::tree::Frontier;
use sopledger::ledger::verify::{Outside, Report, Scope, Verdict, Verification, verify, verify_target};
use sopledger::people::accounts;
use sopledger::store::schema::{ledger_checkpoint, ledger_entry, ledger_head};
use sopledger::store::{self, Db, Purpose, Target};

use crate::house::{House, PASSWORD, both};

#[derive(QueryableByName)]
pub struct Column {
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub name: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    kind: String,
}

pub fn columns(db: &mut Db, table: &str) -> Vec<Column> {
    let sql = match db {
        Db::Sqlite(_) => {
            format!("SELECT name, lower(type) AS kind FROM pragma_table_info('{table}') ORDER BY cid")
        }
        Db::Postgres(_) => format!(
            "SELECT CAST(column_name AS TEXT) AS name, CAST(data_type AS TEXT) AS kind FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name = '{table}' ORDER BY ordinal_position"
        ),
    };
    let found: Vec<Column> = diesel::sql_query(sql).load(db).unwrap();
    assert!(!found.is_empty(), "{table} has no columns");
    found
}

/// Another value of the column's type.
pub fn other(db: &Db, column: &Column) -> String {
    let name = &column.name;
    match (column.kind.as_str(), db) {
        ("text", _) => format!("COALESCE({name}, '') || 'x'"),
        ("bigint" | "integer", _) => format!("COALESCE({name}, 0) + 1000003"),
        ("boolean", _) => format!("NOT {name}"),
        ("bytea", Db::Sqlite(_)) => "x'00'".to_owned(),
        ("bytea", Db::Postgres(_)) => "'\\x00'::bytea".to_owned(),
        (kind, _) => panic!("{name} is of the unknown type {kind}"),
    }
}

pub fn one_row(db: &Db, table: &str) -> String {
    let hidden = if matches!(db, Db::Sqlite(_)) { "rowid" } else { "ctid" };
    format!("{hidden} = (SELECT {hidden} FROM {table} LIMIT 1)")
}

fn outside(house: &House) -> Outside {
    Outside::read(&house.place.folder)
}

fn report(db: &mut Db, outside: &Outside) -> Report {
    report_on(db, outside, Scope::Whole)
}

fn report_on(db: &mut Db, outside: &Outside, scope: Scope) -> Report {
    let workers = NonZeroUsize::new(2).unwrap();
    verify(db, &Verification { workers, scope, ..Verification::whole(GOVERNED, outside) }).unwrap()
}

/// Tampers, verifies the whole, and takes it all back.
pub fn trial(place: &Place, tamper: impl FnOnce(&mut Db)) -> Report {
    trial_on(place, Scope::Whole, tamper)
}

/// The same in a scope.
pub fn trial_on(place: &Place, scope: Scope, tamper: impl FnOnce(&mut Db)) -> Report {
    let outside = Outside::read(&place.folder);
    let mut db = place.target.open(Purpose::Write).unwrap();
    if let Db::Sqlite(sqlite) = &mut db {
        sqlite.batch_execute("PRAGMA foreign_keys = OFF").unwrap();
    }
    store::begin_write(&mut db).unwrap();
    if let Db::Postgres(postgres) = &mut db {
        postgres.batch_execute("SET LOCAL session_replication_role = replica").unwrap();
    }
    store::lift_guards(&mut db).unwrap();
    tamper(&mut db);
    store::set_guards(&mut db).unwrap();
    let report = report_on(&mut db, &outside, scope);
    store::rollback(&mut db).unwrap();
    report
}

pub fn run(db: &mut Db, sql: &str) -> usize {
    diesel::sql_query(sql).execute(db).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// At least one row in every governed table, more than one tile of entries, and all of it signed.
fn furnish(house: &House) {
    let admin = house.person("admin");
    let new = json!({ "login": "new.cs", "name": "新 客服", "roles": ["cs"], "reason": "入职" });
    let made = admin.post("/api/v1/users", new).expect(201).json();
    let (id, grant) = (made["id"].as_str().unwrap(), made["grants"][0]["id"].as_str().unwrap());
    let signed = json!({ "password": PASSWORD });
    house.person("qa").post(&format!("/api/v1/users/{id}/grants/{grant}/sign"), signed).expect(200);
    let erp = house.id("erp");
    let token = json!({ "label": "ERP", "expires_on": "2027-01-01" });
    admin.post(&format!("/api/v1/users/{erp}/tokens"), token).expect(201);
    house.site.lane.write_here(set_something).unwrap();
    house.site.lane.write_here(|tx| append_plain(tx, 300)).unwrap();
    settle(house);
}

pub fn set_something(tx: &mut sopledger::ledger::lane::Tx<'_>) -> sopledger::error::Result<()> {
    accounts::change_setting(tx, &Actor::cli(), ("site", "华东"), "启用")
}

fn append_plain(tx: &mut sopledger::ledger::lane::Tx<'_>, entries: u64) -> sopledger::error::Result<()> {
    for _ in 0..entries {
        tx.append(NewEntry::new(acts::LEDGER_VERIFIED, &Actor::cli()).field("integrity", "sound"))?;
    }
    Ok(())
}

/// Waits until all is written and signed.
pub fn settle(house: &House) {
    house.site.lane.write_here(|_| Ok(())).unwrap();
    house.site.signing.finish();
    house.site.lane.write_here(|_| Ok(())).unwrap();
}

pub fn governed_tables() -> Vec<&'static str> {
    let mut tables: Vec<&str> = GOVERNED.iter().flat_map(|governed| governed.tables).copied().collect();
    tables.sort_unstable();
    tables.dedup();
    tables
}

/// The governed tables that hold a row here; those of people always do.
fn furnished_tables(db: &mut Db) -> Vec<&'static str> {
    let mut tables = governed_tables();
    tables.retain(|table| store::count(db, table).unwrap() > 0);
    for always in ["account", "account_grant", "api_token", "setting", "signature"] {
        assert!(tables.contains(&always), "furnish the house with a row of {always}");
    }
    tables
}

/// Every record's digest by subject, as the tables tell it now.
fn digests(db: &mut Db) -> BTreeMap<String, Option<Digest>> {
    let mut all = BTreeMap::new();
    for kind in GOVERNED {
        for id in (kind.ids)(db).unwrap() {
            let bytes = (kind.snapshot)(db, &id).ok().flatten().and_then(|snapshot| snapshot.to_bytes().ok());
            all.insert(format!("{}/{id}", kind.kind), bytes.map(|bytes| Digest::of(&bytes)));
        }
    }
    all
}

#[test]
fn a_sound_house_is_found_sound_and_without_the_signers_state_unchecked() {
    both(|house| {
        furnish(house);
        let found = verify_target(&house.place.target, &house.place.folder, GOVERNED, &|_, _| {}).unwrap();
        assert_eq!((found.exit_code(), found.faults.as_slice()), (0, [].as_slice()));
        let json = serde_json::to_value(&found).unwrap();
        assert_eq!(json["integrity"]["verdict"], "sound");
        assert_eq!(json["integrity"]["entries"], json!(house.acts().len()));
        assert_eq!(json["completeness"]["verdict"], "sound");
        assert_eq!(json["faults"], json!([]));
        let elsewhere = tempfile::tempdir().unwrap();
        let nothing = Outside::read(&sopledger::ledger::folder::Folder::new(elsewhere.path()));
        let mut db = house.place.target.open(Purpose::Read).unwrap();
        let blind = report(&mut db, &nothing);
        assert_eq!((blind.exit_code(), blind.completeness.verdict), (2, Verdict::NotChecked));
        assert_eq!(blind.completeness.unchecked.len(), 2, "{blind}");
    });
}

#[test]
fn any_column_of_any_governed_table_changed_is_found_and_its_subject_named() {
    both(|house| {
        furnish(house);
        let mut db = house.place.target.open(Purpose::Write).unwrap();
        let before = digests(&mut db);
        for table in furnished_tables(&mut db) {
            for column in columns(&mut db, table) {
                let mut named = Vec::new();
                let found = trial(&house.place, |db| {
                    let (value, row) = (other(db, &column), one_row(db, table));
                    assert_eq!(
                        run(db, &format!("UPDATE {table} SET {} = {value} WHERE {row}", column.name)),
                        1
                    );
                    let after = digests(db);
                    let all = before.keys().chain(after.keys());
                    named =
                        all.filter(|subject| before.get(*subject) != after.get(*subject)).cloned().collect();
                });
                let place = format!("{table}.{}", column.name);
                assert_eq!(found.exit_code(), 1, "{place} was changed unseen");
                assert!(!named.is_empty(), "{place} is in no snapshot");
                for subject in named {
                    let told = found.faults.iter().any(|fault| fault.subject.as_ref() == Some(&subject));
                    assert!(told, "{place}: {subject} is not named in {found}");
                }
            }
        }
    });
}

#[test]
fn a_row_deleted_from_any_governed_table_or_smuggled_in_is_found() {
    both(|house| {
        furnish(house);
        let mut db = house.place.target.open(Purpose::Write).unwrap();
        for table in furnished_tables(&mut db) {
            let found = trial(&house.place, |db| {
                let row = one_row(db, table);
                assert_eq!(run(db, &format!("DELETE FROM {table} WHERE {row}")), 1);
            });
            assert_eq!(found.exit_code(), 1, "a row of {table} was deleted unseen");
            let columns = columns(&mut db, table);
            let found = trial(&house.place, |db| smuggle(db, table, &columns));
            assert_eq!(found.exit_code(), 1, "a row of {table} was smuggled in unseen");
        }
    });
}

/// Copies a row under another first column; where that displaces a unique one, with all its texts changed.
pub fn smuggle(db: &mut Db, table: &str, columns: &[Column]) {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let copy = |db: &Db, changed: &dyn Fn(usize, &Column) -> bool| {
        let values = columns.iter().enumerate();
        let values = values
            .map(|(at, column)| if changed(at, column) { other(db, column) } else { column.name.clone() });
        let values = values.collect::<Vec<_>>().join(", ");
        format!(
            "INSERT INTO {table} ({}) SELECT {values} FROM {table} WHERE {}",
            names.join(", "),
            one_row(db, table)
        )
    };
    let first = copy(db, &|at, _| at == 0);
    let all = copy(db, &|_, column| column.kind == "text");
    let inserted = db.transaction(|db| diesel::sql_query(first).execute(db));
    assert_eq!(inserted.unwrap_or_else(|_| run(db, &all)), 1);
}

#[test]
fn any_column_of_the_ledgers_own_tables_changed_is_found() {
    both(|house| {
        furnish(house);
        let mut db = house.place.target.open(Purpose::Write).unwrap();
        let tables =
            ["ledger_entry", "ledger_head", "ledger_tile", "ledger_checkpoint", "content", "sealed_value"];
        for table in tables {
            for column in columns(&mut db, table) {
                let found = trial(&house.place, |db| {
                    let (value, row) = (other(db, &column), one_row(db, table));
                    run(db, &format!("UPDATE {table} SET {} = {value} WHERE {row}", column.name));
                });
                assert_eq!(found.exit_code(), 1, "{table}.{} was changed unseen", column.name);
            }
            // Notes may be lost to a crash between signing and keeping; the newest stands in the signer's state.
            if table != "ledger_checkpoint" {
                let found = trial(&house.place, |db| {
                    let row = one_row(db, table);
                    run(db, &format!("DELETE FROM {table} WHERE {row}"));
                });
                assert_eq!(found.exit_code(), 1, "a row of {table} was deleted unseen");
            }
        }
    });
}

#[test]
fn a_row_smuggled_into_the_ledgers_own_tables_is_found() {
    let trials = [
        "INSERT INTO ledger_entry SELECT epoch, seq + 100000, entry, leaf, ts, act, actor, obj_kind, obj_id FROM ledger_entry WHERE seq = 3",
        "INSERT INTO ledger_entry SELECT epoch, -5, entry, leaf, ts, act, actor, obj_kind, obj_id FROM ledger_entry WHERE seq = 3",
        "INSERT INTO ledger_entry SELECT epoch + 1, seq, entry, leaf, ts, act, actor, obj_kind, obj_id FROM ledger_entry WHERE seq = 3",
        "INSERT INTO ledger_tile SELECT epoch, level, idx + 7, hash FROM ledger_tile",
        "INSERT INTO ledger_checkpoint SELECT epoch, size + 1, note FROM ledger_checkpoint",
        "INSERT INTO content SELECT sha256 || 'x', bytes, unpacked FROM content",
        "INSERT INTO sealed_value SELECT commitment || 'x', name, salt, value FROM sealed_value",
    ];
    both(|house| {
        furnish(house);
        for sql in trials {
            let found = trial(&house.place, |db| assert!(run(db, sql) > 0));
            assert_eq!(found.exit_code(), 1, "unseen: {sql}");
        }
        let stray = Digest::of(b"stray").to_string();
        let found = trial(&house.place, |db| {
            let bytes = if matches!(db, Db::Sqlite(_)) { "CAST('stray' AS BLOB)" } else { "'stray'::bytea" };
            run(db, &format!("INSERT INTO content (sha256, bytes) VALUES ('{stray}', {bytes})"));
        });
        assert_eq!(found.faults[0].check, "content.unreferenced");
    });
}

#[test]
fn a_changed_entry_is_named_and_its_neighbours_are_not() {
    both(|house| {
        furnish(house);
        let found = trial(&house.place, |db| {
            let bytes: Vec<u8> =
                ledger_entry::table.find((1, 100)).select(ledger_entry::entry).first(db).unwrap();
            let text = String::from_utf8(bytes).unwrap().replace("sound", "fault").into_bytes();
            let leaf = leaf(&text).as_bytes().to_vec();
            let values = (ledger_entry::entry.eq(text), ledger_entry::leaf.eq(leaf));
            diesel::update(ledger_entry::table.find((1, 100))).set(values).execute(db).unwrap();
        });
        let named: Vec<_> = found.faults.iter().filter(|fault| fault.check.starts_with("chain")).collect();
        assert_eq!((named.len(), named[0].seq), (1, Some(100)), "{found}");
        assert!(found.faults.iter().any(|fault| fault.check == "tile.hash"), "{found}");
        assert_eq!(found.completeness.verdict, Verdict::Fault, "{found}");
    });
}

/// Rebuilds the entries `from..to` with their bodies changed, drops those after, and makes the head fit.
pub fn rewrite(db: &mut Db, from: u64, to: u64, change: impl Fn(&str) -> String) {
    let rows: Vec<(i64, Vec<u8>)> = ledger_entry::table
        .order(ledger_entry::seq)
        .select((ledger_entry::seq, ledger_entry::entry))
        .load(db)
        .unwrap();
    diesel::delete(ledger_entry::table.filter(ledger_entry::seq.ge(to as i64))).execute(db).unwrap();
    diesel::delete(ledger_checkpoint::table.filter(ledger_checkpoint::size.gt(from as i64)))
        .execute(db)
        .unwrap();
    let (mut tree, mut prev, mut last) = (Frontier::new(), Digest::ZERO, 0);
    for (number, bytes) in rows.into_iter().take(to as usize) {
        let entry = parse(&bytes).unwrap();
        let seq = number as u64;
        let head = EntryHead { prev, ..entry.head };
        let body = if seq >= from { change(entry.body) } else { entry.body.to_owned() };
        let rebuilt = build(&head, body.as_bytes()).unwrap();
        prev = leaf(&rebuilt);
        last = sopledger::time::Timestamp::parse(entry.head.ts).unwrap().0;
        tree.append(prev);
        if seq >= from {
            let values = (ledger_entry::entry.eq(rebuilt), ledger_entry::leaf.eq(prev.as_bytes().to_vec()));
            diesel::update(ledger_entry::table.find((1, number))).set(values).execute(db).unwrap();
        }
    }
    let head = (
        ledger_head::size.eq(to as i64),
        ledger_head::leaf.eq(prev.as_bytes().to_vec()),
        ledger_head::ts.eq(last),
        ledger_head::frontier.eq(tree.to_bytes()),
    );
    diesel::update(ledger_head::table).set(head).execute(db).unwrap();
}

#[test]
fn a_truncated_tail_is_sound_by_itself_and_incomplete_by_what_was_signed() {
    both(|house| {
        furnish(house);
        let size = house.acts().len() as u64;
        let found = trial(&house.place, |db| rewrite(db, size - 3, size - 3, str::to_owned));
        assert_eq!(found.integrity.verdict, Verdict::Sound, "{found}");
        assert_eq!(found.completeness.verdict, Verdict::Fault);
        assert_eq!(found.faults.len(), 1, "{found}");
        assert_eq!((found.faults[0].check, found.faults[0].seq), ("signer.ahead", Some(size - 3)));
    });
}

#[test]
fn a_rewritten_suffix_with_all_hashes_recomputed_differs_from_what_was_signed() {
    both(|house| {
        furnish(house);
        let size = house.acts().len() as u64;
        let found =
            trial(&house.place, |db| rewrite(db, size - 3, size, |body| body.replace("sound", "fault")));
        assert_eq!(found.integrity.verdict, Verdict::Sound, "{found}");
        assert_eq!(found.faults.len(), 1, "{found}");
        assert_eq!((found.faults[0].check, found.completeness.verdict), ("signer.different", Verdict::Fault));
    });
}

#[test]
fn an_older_copy_of_the_database_is_behind_the_signer() {
    let house = House::sqlite();
    furnish(&house);
    let copy = tempfile::tempdir().unwrap();
    let path = copy.path().join("copy.sqlite3");
    let mut db = house.place.target.open(Purpose::Write).unwrap();
    run(&mut db, &format!("VACUUM INTO '{}'", path.display()));
    house.site.lane.write_here(|tx| append_plain(tx, 2)).unwrap();
    settle(&house);
    let mut db = Target::Sqlite(path).open(Purpose::Read).unwrap();
    let found = report(&mut db, &outside(&house));
    assert_eq!(found.integrity.verdict, Verdict::Sound, "{found}");
    assert_eq!((found.faults.len(), found.faults[0].check), (1, "signer.ahead"), "{found}");
}

#[test]
fn entries_after_the_last_checkpoint_are_no_fault() {
    let house = House::sqlite();
    furnish(&house);
    let before = outside(&house);
    house.site.lane.write_here(|tx| append_plain(tx, 2)).unwrap();
    settle(&house);
    let mut db = house.place.target.open(Purpose::Read).unwrap();
    let found = report(&mut db, &before);
    assert_eq!((found.exit_code(), found.completeness.unsigned), (0, 2), "{found}");
}
