//! The move between SQLite and PostgreSQL: every row as it is, so that the same ledger goes on, with the same name,
//! root and proofs. The source stays as it was; once the moved ledger has grown, the signer's state keeps the source
//! from being served by mistake.

use diesel::Connection;

use super::placing;
use super::restore::{first_faults, nobody_else};
use crate::error::{Error, Result};
use crate::ledger::acts;
use crate::ledger::lane::{Actor, NewEntry};
use crate::ledger::site::Place;
use crate::ledger::store as ledger;
use crate::ledger::subject::Governed;
use crate::ledger::verify::Report;
use crate::store::{self, Purpose, SchemaState, Target};

/// What was moved.
#[derive(Debug)]
pub struct Moved {
    /// The ledger's name.
    pub origin: String,
    /// Entries moved.
    pub entries: u64,
    /// What the verification of the target found.
    pub report: Report,
}

/// Moves an installation to another, empty database, beside the same folder.
///
/// # Errors
/// 409: the source is being served, the target is not empty, what arrived does not verify or has another root. The
/// source is unchanged, and the target is to be emptied before another attempt.
pub fn transfer(place: &Place, to: &Target, actor: &Actor, governed: &'static [Governed]) -> Result<Moved> {
    if *to == place.target {
        return Err(Error::conflict("move-target-used"));
    }
    let head = place.check()?;
    nobody_else(place)?;
    if let Target::Sqlite(path) = to
        && let Some(folder) = path.parent()
    {
        std::fs::create_dir_all(folder)?;
    }
    let mut target = to.open(Purpose::Write)?;
    if store::schema_state(&mut target)? != SchemaState::Empty {
        return Err(Error::conflict("move-target-used"));
    }
    let mut source = place.target.open(Purpose::Read)?;
    source.transaction(|source| placing::copy(source, &mut target))?;
    store::begin_write(&mut target)?;
    store::set_guards(&mut target)?;
    store::commit(&mut target)?;
    let arrived = ledger::head(&mut target)?.ok_or_else(|| Error::unavailable("no-installation"))?;
    drop((source, target));
    let there = Place { target: to.clone(), ..place.clone() };
    let report = placing::check(&there, governed)?;
    let same =
        arrived.size == head.size && arrived.frontier == head.frontier && arrived.origin == head.origin;
    if report.exit_code() != 0 || !same || report.root != head.tree()?.root() {
        return Err(Error::conflict("restore-unsound").arg("faults", first_faults(&report)));
    }
    let site = there.open(false)?;
    let root = report.root.map(|root| root.to_string()).unwrap_or_default();
    let entry = NewEntry::new(acts::SYSTEM_MOVED, actor)
        .field("from", engine(&place.target))
        .field("to", engine(to))
        .field("entries", head.size)
        .field("root", root);
    let noted = site.lane.write_here(move |tx| tx.append(entry.clone()).map(|_| ()));
    site.close();
    noted?;
    Ok(Moved { origin: head.origin, entries: head.size, report })
}

const fn engine(target: &Target) -> &'static str {
    match target {
        Target::Sqlite(_) => "sqlite",
        Target::Postgres(_) => "postgresql",
    }
}
