//! The signer's keys, its lease, and what it reads before it signs.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use sopledger::app::{GOVERNED, Shared};
use sopledger::ledger::acts;
use sopledger::ledger::folder::Folder;
use sopledger::ledger::key::LedgerKey;
use sopledger::ledger::lane::{Actor, NewEntry};
use sopledger::ledger::note::{NoteError, VerifierKey, open_checkpoint, unverified_checkpoint};
use sopledger::ledger::ring::Ring;
use sopledger::ledger::rotation::{revoke, rotate};
use sopledger::ledger::signer::SignerState;
use sopledger::ledger::site::{Place, Site};
use sopledger::ledger::verify::{Scope, verify_target};
use sopledger::store::schema::{ledger_checkpoint, ledger_entry};
use sopledger::store::{self, Purpose, Target};

use crate::house::{House, both};
use crate::ledger::tamper::{settle, trial, trial_on};
use crate::wait::until_it_holds;

const DAY: i64 = 24 * 3600;
const ORIGIN: &str = "test.example.cn/house";

pub fn write(site: &Site) -> u64 {
    let entry = NewEntry::new(acts::LEDGER_VERIFIED, &Actor::cli()).field("integrity", "sound");
    site.lane.write_here(move |tx| Ok(tx.append(entry.clone())?.seq)).unwrap()
}

fn note(house: &House) -> String {
    settle(house);
    house.nobody().get("/ledger/checkpoint").expect(200).text
}

fn keys(house: &House) -> Vec<VerifierKey> {
    let told = house.nobody().get("/ledger/key").expect(200).text;
    told.lines().map(|line| line.parse().unwrap()).collect()
}

pub fn must_be_sound(place: &Place) {
    let found = verify_target(&place.target, &place.folder, GOVERNED, &|_, _| {}).unwrap();
    assert_eq!((found.exit_code(), found.faults.as_slice()), (0, [].as_slice()), "{found}");
}

#[test]
fn a_new_key_signs_beside_the_old_one_for_a_while_and_whoever_knows_only_the_old_goes_on() {
    both(|house| {
        let old = keys(house);
        let made = rotate(&house.site, &Actor::cli(), "年度轮换", 30 * DAY).unwrap();
        let both_keys = keys(house);
        assert_eq!(both_keys, [made.vkey.clone(), old[0].clone()], "newest first");
        let signed = note(house);
        for key in &both_keys {
            let said = open_checkpoint(&signed, std::slice::from_ref(key)).unwrap();
            assert!(said.size > made.seq, "the note covers the entry that announces the key");
        }
        let announced = house.person("qa").get(&format!("/api/v1/ledger/entries/{}", made.seq)).json();
        assert!(announced["entry"].as_str().unwrap().contains(&made.vkey.to_string()));
        must_be_sound(&house.place);
        house.later(31 * DAY);
        write(&house.site);
        let signed = note(house);
        assert_eq!(open_checkpoint(&signed, &old), Err(NoteError::Unsigned));
        open_checkpoint(&signed, std::slice::from_ref(&made.vkey)).unwrap();
        must_be_sound(&house.place);
        assert!(rotate(&house.site, &Actor::cli(), " ", DAY).is_err(), "a reason is needed");
    });
}

#[test]
fn a_revoked_key_signs_no_more_and_vouches_for_nothing_that_came_after() {
    both(|house| {
        let old = keys(house).remove(0);
        let id = |key: &VerifierKey| key.id().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let refused = revoke(&house.site, &Actor::cli(), (&id(&old), "泄露")).unwrap_err();
        assert_eq!(refused.code(), "key-in-use");
        let new = rotate(&house.site, &Actor::cli(), "泄露", 30 * DAY).unwrap().vkey;
        note(house);
        let (revoked, seq) = revoke(&house.site, &Actor::cli(), (&id(&old), "泄露")).unwrap();
        assert_eq!((&revoked, keys(house)), (&old, vec![new.clone()]));
        // A note that was under way may still bear its line; the next does not.
        note(house);
        write(&house.site);
        let signed = note(house);
        assert_eq!(open_checkpoint(&signed, std::slice::from_ref(&old)), Err(NoteError::Unsigned));
        assert!(open_checkpoint(&signed, &[new]).unwrap().size > seq);
        must_be_sound(&house.place);
        let again = revoke(&house.site, &Actor::cli(), (&id(&old), "泄露")).unwrap_err();
        assert_eq!(again.code(), "key-revoked");
        // Whoever has the revoked key puts a note of theirs in the place of ours.
        let stolen = LedgerKey::load(&house.place.folder.key(), ORIGIN).unwrap();
        let said = unverified_checkpoint(&signed).unwrap();
        let forged = stolen.sign_checkpoint(said.size, &said.root).unwrap();
        let found = trial(&house.place, |db| {
            let row = ledger_checkpoint::table.find((1, said.size as i64));
            diesel::update(row).set(ledger_checkpoint::note.eq(&forged)).execute(db).unwrap();
        });
        assert_eq!(found.faults[0].check, "checkpoint.note", "{found}");
    });
}

#[test]
fn a_key_on_the_list_that_no_entry_announces_is_found_and_so_is_one_that_is_trusted_though_revoked() {
    let house = House::sqlite();
    settle(&house);
    let stranger = LedgerKey::from_seed(ORIGIN, &[7; 32]).unwrap().vkey();
    let mut ring = Ring::load(&house.place.folder, ORIGIN).unwrap();
    let kept = ring.clone();
    ring.lead(stranger, "x.key", None);
    ring.store().unwrap();
    let found = trial(&house.place, |_| ());
    assert!(found.faults.iter().any(|fault| fault.check == "key.unannounced"), "{found}");
    kept.store().unwrap();
    rotate(&house.site, &Actor::cli(), "轮换", DAY).unwrap();
    let trusting = Ring::load(&house.place.folder, ORIGIN).unwrap();
    let old = trusting.of(ORIGIN).nth(1).unwrap().vkey.to_string();
    revoke(&house.site, &Actor::cli(), (&old, "泄露")).unwrap();
    settle(&house);
    must_be_sound(&house.place);
    trusting.store().unwrap();
    for scope in [Scope::Whole, Scope::New] {
        let found = trial_on(&house.place, scope, |_| ());
        assert!(found.faults.iter().any(|fault| fault.check == "key.revoked"), "{found}");
    }
}

#[test]
fn a_byte_flipped_between_commit_and_signing_is_refused_and_told() {
    both(|house| {
        let mut db = house.place.target.open(Purpose::Write).unwrap();
        store::lift_guards(&mut db).unwrap();
        for attempt in 0.. {
            assert!(attempt < 20, "the signer was always quicker");
            write(&house.site);
            house.site.signing.finish();
            // The next checkpoint is a second away.
            let seq = write(&house.site);
            let row = ledger_entry::table.find((1, seq as i64));
            let bytes: Vec<u8> = row.select(ledger_entry::entry).first(&mut db).unwrap();
            let mut flipped = bytes.clone();
            flipped[40] ^= 1;
            diesel::update(row).set(ledger_entry::entry.eq(&flipped)).execute(&mut db).unwrap();
            house.site.signing.finish();
            if house.site.signing.newest().unwrap().0 > seq {
                // The signer was quicker, and has signed what was written: with the byte put right, all is sound.
                diesel::update(row).set(ledger_entry::entry.eq(&bytes)).execute(&mut db).unwrap();
                store::set_guards(&mut db).unwrap();
                must_be_sound(&house.place);
                store::lift_guards(&mut db).unwrap();
                continue;
            }
            let trouble = house.site.signing.trouble().unwrap();
            assert!(trouble.contains("ledger-unwritten") && trouble.contains(&seq.to_string()), "{trouble}");
            let told = house.nobody().get("/readyz").expect(503).json();
            assert_eq!(told["checks"]["signer"]["ok"], false, "{told}");
            assert_eq!(told["checks"]["ledger"]["detail"], "ledger-unwritten", "{told}");
            // Put right, a service that begins anew signs and goes on.
            diesel::update(row).set(ledger_entry::entry.eq(&bytes)).execute(&mut db).unwrap();
            store::set_guards(&mut db).unwrap();
            let anew = house.place.open(false).unwrap();
            let next = write(&anew);
            anew.signing.finish();
            assert!(signed_beyond(&anew, next) && anew.signing.trouble().is_none());
            anew.close();
            return;
        }
    });
}

#[test]
fn what_a_database_does_not_keep_is_acknowledged_once_and_then_nothing_more_is() {
    both(|house| {
        let lost = match house.place.target {
            Target::Sqlite(_) => {
                "CREATE TRIGGER z BEFORE INSERT ON ledger_entry BEGIN SELECT RAISE(IGNORE); END"
            }
            Target::Postgres(_) => "CREATE RULE z AS ON INSERT TO ledger_entry DO INSTEAD NOTHING",
        };
        house.site.signing.finish();
        house.place.target.open(Purpose::Write).unwrap().batch_execute(lost).unwrap();
        write(&house.site);
        house.site.signing.finish();
        let more = house.site.lane.write_here(|_| Ok(())).unwrap_err();
        assert_eq!(more.code(), "ledger-halted");
        let page = house.nobody().get_with("/login", &[("accept", "text/html"), ("accept-language", "en")]);
        let page = page.expect(200).text;
        assert!(page.contains("does not read back as it was written"), "{page}");
    });
}

#[test]
fn an_embedded_ledger_without_its_key_is_not_said_to_be_signed_by_another_node() {
    let house = House::sqlite();
    house.site.signing.finish();
    let (folder, place) = house.leave();
    std::fs::remove_dir_all(place.folder.path().join("key")).unwrap();
    std::fs::remove_dir_all(place.folder.path().join("signer")).unwrap();
    let house = House::serve(folder, place.clone(), Shared::new(place.open(false).unwrap()));
    write(&house.site);
    house.site.signing.finish();
    assert!(house.site.signing.trouble().unwrap().contains("key-gone"));
    let told = house.nobody().get("/readyz").expect(503).json();
    assert_eq!(told["checks"]["signer"]["ok"], false, "{told}");
}

fn signed_beyond(site: &Site, seq: u64) -> bool {
    site.signing.newest().is_some_and(|(size, _)| size > seq)
}

/// The newest note in a folder's own signer state.
fn kept(place: &Place) -> String {
    let state = SignerState::load(&place.folder.signer_state()).unwrap();
    state.last(ORIGIN).unwrap().note.clone()
}

#[test]
fn of_two_nodes_with_the_key_one_signs_the_other_takes_its_notes_over_and_then_its_place() {
    let Some(first) = House::postgres() else { return };
    let seq = write(&first.site);
    until_it_holds("the first signs", || signed_beyond(&first.site, seq));
    let folder = tempfile::tempdir().unwrap();
    let second = Place { folder: Folder::new(folder.path()), ..first.place.clone() };
    second.folder.make().unwrap();
    std::fs::copy(first.place.folder.key(), second.folder.key()).unwrap();
    let site = second.open(false).unwrap();
    let seq = write(&site);
    until_it_holds("the second follows", || signed_beyond(&site, seq) && signed_beyond(&first.site, seq));
    let note = site.signing.newest().unwrap().1;
    assert_eq!(kept(&second), note, "in its own state before it is served");
    assert_eq!(std::fs::read_to_string(second.folder.checkpoint()).unwrap(), note);
    must_be_sound(&second);
    // A key made on the first node is learned from the entry that announces it, below a note of the old one.
    let made = rotate(&first.site, &Actor::cli(), "轮换", DAY).unwrap();
    until_it_holds("the second learns", || site.signing.vkeys(ORIGIN).unwrap().first() == Some(&made.vkey));
    assert!(
        Ring::load(&second.folder, ORIGIN).unwrap().signing(ORIGIN, second.clock.now()).unwrap().is_empty()
    );
    std::fs::copy(&made.file, second.folder.path().join("key").join(made.file.file_name().unwrap())).unwrap();
    first.site.close();
    let seq = write(&site);
    until_it_holds("the second signs", || signed_beyond(&site, seq));
    let note = site.signing.newest().unwrap().1;
    open_checkpoint(&note, &[made.vkey]).unwrap();
    must_be_sound(&second);
    site.close();
}

#[test]
fn a_node_that_only_knows_the_keys_takes_no_note_of_anybody_elses() {
    let Some(first) = House::postgres() else { return };
    settle(&first);
    let folder = tempfile::tempdir().unwrap();
    let second = Place { folder: Folder::new(folder.path()), ..first.place.clone() };
    second.folder.make().unwrap();
    // The list without the key's file.
    let ring = Ring::load(&first.place.folder, ORIGIN).unwrap();
    ring.store().unwrap();
    std::fs::copy(first.place.folder.ring(), second.folder.ring()).unwrap();
    let site = second.open(false).unwrap();
    let seq = write(&site);
    until_it_holds("it follows", || signed_beyond(&site, seq));
    assert_eq!(kept(&second), site.signing.newest().unwrap().1);
    let stranger = LedgerKey::from_seed(ORIGIN, &[7; 32]).unwrap();
    let seq = write(&first.site);
    settle(&first);
    let mut db = first.place.target.open(Purpose::Write).unwrap();
    store::lift_guards(&mut db).unwrap();
    let said = unverified_checkpoint(&first.site.signing.newest().unwrap().1).unwrap();
    let forged = stranger.sign_checkpoint(said.size, &said.root).unwrap();
    diesel::insert_into(ledger_checkpoint::table)
        .values((
            ledger_checkpoint::epoch.eq(1),
            ledger_checkpoint::size.eq(said.size as i64 + 1),
            ledger_checkpoint::note.eq(forged),
        ))
        .execute(&mut db)
        .unwrap();
    until_it_holds("it is told", || site.signing.trouble().is_some());
    assert!(seq > 0 && site.signing.newest().unwrap().0 <= said.size);
    site.close();
}
