//! The demo: invented records of two years, made by the same functions as real ones, under a clock that a script moves.
//!
//! Promises: the records say of themselves that they are invented (the ledger's origin begins with `demo/`, entry 0 has
//! `demo:true`, names and numbers carry 虚构); the same day gives the same visible records; a seeding that was cut short
//! goes on where it stopped, since each step leaves its mark in its own transaction. Nothing else in the program seeds.

mod copies;
mod library;
mod orders;
mod people;
mod records;
mod script;
mod sentences;

use std::collections::HashSet;

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::de::DeserializeOwned;

pub use people::{Person, all as people};

use crate::error::{Error, Result};
use crate::ledger::digest::Digest;
use crate::ledger::lane::Tx;
use crate::ledger::site::{Place, Site};
use crate::store::Db;
use crate::store::schema::demo_step;
use crate::time::{Clock, Timestamp};
use script::{Calendar, Step};

/// What every demo's origin begins with.
const ORIGIN: &str = "demo/";
/// The mark of the day for which the script is written.
const DAY: &str = "day-";
/// The mark of the script's end.
const END: &str = "end";

/// Steps that share a transaction at most.
const TOGETHER: usize = 40;

/// How far a seeding went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seeded {
    /// It was finished before.
    Already,
    /// It is finished now.
    Now,
    /// It was told to stop before its end.
    Partly,
}

/// What to seed with.
#[derive(Debug, Clone)]
pub struct Seeding<'a> {
    /// Everybody's password.
    pub password: &'a str,
    /// The site's date: the script ends the day before.
    pub today: NaiveDate,
    /// Steps to take at most; all where none is told.
    pub most: Option<usize>,
}

/// Makes the installation where there is none, and takes the steps of the script that have not been taken. The place's
/// own clock is not asked.
///
/// # Errors
/// 409 `not-a-demo` for an installation that is none; a database or folder that refuses.
pub fn seed(place: &Place, seeding: &Seeding<'_>) -> Result<Seeded> {
    create(place)?;
    let calendar = Calendar { today: day_begun(place)?.unwrap_or(seeding.today), zone: place.zone };
    let clock = Clock::scripted(calendar.beginning());
    let site = Place { clock, ..place.clone() }.open(true)?;
    let done = play(&site, calendar, seeding);
    site.close();
    done
}

/// Refuses an installation that holds anything but invented records.
fn create(place: &Place) -> Result<()> {
    let random = Digest::from_bytes(crate::id::random()).to_string();
    match place.create(&format!("{ORIGIN}{}", &random[..16])) {
        Err(error) if error.code() == "installed" => {}
        other => other?,
    }
    if place.check()?.origin.starts_with(ORIGIN) { Ok(()) } else { Err(Error::conflict("not-a-demo")) }
}

/// The day for which a seeding was begun.
fn day_begun(place: &Place) -> Result<Option<NaiveDate>> {
    let mut db = place.target.open(crate::store::Purpose::Read)?;
    Ok(marks(&mut db)?.iter().find_map(|mark| mark.strip_prefix(DAY)?.parse().ok()))
}

fn marks(db: &mut Db) -> Result<HashSet<String>> {
    Ok(demo_step::table.select(demo_step::mark).load::<String>(db)?.into_iter().collect())
}

fn play(site: &Site, calendar: Calendar, seeding: &Seeding<'_>) -> Result<Seeded> {
    let taken = site.readers.read_here(marks)?;
    if taken.contains(END) {
        return Ok(Seeded::Already);
    }
    // Recalls hold orders here as they do where people work.
    crate::recalls::connect();
    let mut steps = script::write(calendar, seeding.password)?;
    let end = steps.last().map_or(calendar.beginning(), |step| step.at);
    steps.push(Step::new(end, END, |_| Ok(())));
    steps.retain(|step| !taken.contains(&step.mark));
    let all = steps.len();
    steps.truncate(seeding.most.unwrap_or(all));
    let seeded = if steps.len() < all { Seeded::Partly } else { Seeded::Now };
    let mut waiting = steps.as_slice();
    while let Some(first) = waiting.first() {
        let further = waiting[1..].iter().take(TOGETHER - 1).take_while(|step| !step.alone);
        let (together, rest) = waiting.split_at(1 + further.count());
        take(site, first.at, together.to_vec())?;
        waiting = rest;
    }
    Ok(seeded)
}

/// Several steps, each at its instant: their changes and their marks in one transaction, since a slow disk syncs once for
/// all of them.
fn take(site: &Site, at: Timestamp, steps: Vec<Step>) -> Result<()> {
    site.clock.set(at);
    site.lane.write_here(move |tx| {
        steps.iter().try_for_each(|step| {
            tx.settle()?;
            tx.move_on(step.at);
            let done = (step.change)(tx).and_then(|()| leave(tx, &step.mark));
            done.inspect_err(|error| {
                tracing::error!(step = step.mark, fields = ?error.fields(), "the demo's script stops");
            })
        })
    })
}

fn leave(tx: &mut Tx<'_>, mark: &str) -> Result<()> {
    diesel::insert_into(demo_step::table).values(demo_step::mark.eq(mark)).execute(tx.rows())?;
    Ok(())
}

/// The rows of a CSV file that is part of the program.
fn rows<T: DeserializeOwned>(file: &str) -> Result<Vec<T>> {
    csv::Reader::from_reader(file.as_bytes())
        .into_deserialize()
        .collect::<Result<_, _>>()
        .map_err(Error::internal)
}
