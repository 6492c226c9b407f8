//! Whatever mixture of changes, refusals and panics the lane is given, what it kept is a sound ledger, and it kept
//! exactly what it acknowledged.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sopledger::app::GOVERNED;
use sopledger::error::{Error, Result};
use sopledger::ledger::digest::Digest;
use sopledger::ledger::lane::{Actor, Tx};
use sopledger::ledger::verify::verify_target;
use sopledger::people::accounts::{self, NewAccount};
use sopledger::people::rights::Role;
use sopledger::time::Timestamp;

use crate::house::{House, both};

/// What is asked of the lane.
#[derive(Debug, Clone)]
enum Change {
    Setting(u8, String),
    Account(u16),
    Grant(u8),
    Token(u8),
    Reset(u8),
    Disable(u8),
}

/// How it ends after it has written.
#[derive(Debug, Clone, Copy)]
enum Ending {
    Kept,
    Refused,
    Panicked,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (0..4u8, "\\PC{0,300}").prop_map(|(name, value)| Change::Setting(name, value)),
        2 => (0..40u16).prop_map(Change::Account),
        1 => (0..3u8).prop_map(Change::Grant),
        1 => (0..3u8).prop_map(Change::Token),
        1 => (0..3u8).prop_map(Change::Reset),
        1 => (0..3u8).prop_map(Change::Disable),
    ]
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![5 => Just(Ending::Kept), 2 => Just(Ending::Refused), 1 => Just(Ending::Panicked)]
}

/// Makes the change; returns how many entries it appended.
fn make(tx: &mut Tx<'_>, (change, ending): &(Change, Ending), people: &[String; 3]) -> Result<u64> {
    let (before, actor) = (tx.next_seq(), Actor::cli());
    let who = |at: &u8| people[usize::from(*at)].as_str();
    match change {
        Change::Setting(name, value) => {
            accounts::change_setting(tx, &actor, (&format!("s.{name}"), value), "x")?;
        }
        Change::Account(n) => {
            let login = format!("p{n}");
            let new = NewAccount {
                login: login.clone(),
                name: login,
                password_hash: "$none".to_owned(),
                must_change: true,
                ends_at: None,
            };
            accounts::create(tx, &actor, &new)?;
        }
        Change::Grant(at) => drop(accounts::request_grant(tx, &actor, who(at), (Role::Reviewer, "x"))?),
        Change::Token(at) => {
            let until = Timestamp::parse("2036-01-01T00:00:00Z").unwrap();
            let hash = Digest::from_bytes(sopledger::id::random());
            accounts::create_token(tx, &actor, who(at), ("x", hash, until))?;
        }
        Change::Reset(at) => drop(accounts::reset(tx, &actor, who(at), ("$other", "x"))?),
        Change::Disable(at) => drop(accounts::disable(tx, &actor, who(at), "x")?),
    }
    match ending {
        Ending::Kept => Ok(tx.next_seq() - before),
        Ending::Refused => Err(Error::conflict("already-exists")),
        Ending::Panicked => panic!("a change of the test panics"),
    }
}

fn play(house: &House, changes: &[(Change, Ending)], people: &[String; 3], writers: usize) {
    let before = house.acts().len() as u64;
    let kept: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..writers)
            .map(|writer| {
                scope.spawn(move || {
                    let mine = changes.iter().skip(writer).step_by(writers);
                    let done = mine.map(|change| {
                        let (change, people) = (change.clone(), people.clone());
                        house.site.lane.write_here(move |tx| make(tx, &change, &people)).unwrap_or(0)
                    });
                    done.sum::<u64>()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    house.site.signing.finish();
    assert_eq!(house.acts().len() as u64, before + kept);
    let found = verify_target(&house.place.target, &house.place.folder, GOVERNED, &|_, _| {}).unwrap();
    assert_eq!((found.exit_code(), found.faults.as_slice()), (0, [].as_slice()));
}

#[test]
fn any_mixture_of_changes_refusals_and_panics_leaves_a_sound_ledger() {
    both(|house| {
        let people = ["author", "reviewer", "cs"].map(|login| house.id(login));
        let config = Config { cases: 12, failure_persistence: None, ..Config::default() };
        let mixture = (prop::collection::vec((change(), ending()), 1..24), 1..4usize);
        TestRunner::new(config)
            .run(&mixture, |(changes, writers)| {
                play(house, &changes, &people, writers);
                Ok(())
            })
            .unwrap();
    });
}
