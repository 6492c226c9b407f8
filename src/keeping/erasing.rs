//! Erasing personal values: their salts and texts go from the database, their commitments stay, and an entry says so.

use diesel::prelude::*;
use serde_json::Value;

use super::keepers::{Keepers, Now};
use super::record::{ERASED, ErasedValue, Erasure, ErasureState, Named, digest_of, erasure_subject};
use super::store;
use crate::error::{Error, FieldError, Result};
use crate::ledger::lane::{NewEntry, Tx};
use crate::ledger::{acts, canon, entry, epochs};
use crate::records::retention::{self, Facts, Kept, Until};
use crate::signatures::{self, Signer};
use crate::store::schema::{erased_value, erasure, ledger_entry, sealed_value};
use crate::store::{Db, NewEntryRow};
use crate::time::Timestamp;

/// Values erased by one act at most: the entry names them all.
pub const MOST: usize = 500;

/// What is to be erased.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Which values.
    pub values: Vec<Named>,
    /// By which right or duty, with its clause.
    pub basis: String,
    /// Why.
    pub reason: String,
}

/// A value and how it stands.
#[derive(Debug, Clone)]
pub struct Held {
    /// How it is named.
    pub named: Named,
    /// Its commitment, hex.
    pub commitment: String,
    /// Until when law keeps it.
    pub kept: Kept,
    /// Whether a legal hold keeps it.
    pub held: bool,
    /// Whether it is there; else it was erased.
    pub there: bool,
}

impl Held {
    /// Whether it may be erased now.
    pub fn may_go(&self, now: Timestamp) -> bool {
        self.there && !self.held && self.kept.until.has_passed(now)
    }
}

/// Erases values and signs for it.
///
/// # Errors
/// 422 naming each value that no entry has introduced; 409 `erased-already`, `law-keeps`, `held`.
pub fn erase(
    tx: &mut Tx<'_>,
    keepers: Keepers,
    signer: &Signer,
    wish: &Wish,
    now: Now,
) -> Result<ErasureState> {
    let present = epochs::present(tx.read())?;
    let mut named = wish.values.clone();
    for value in &mut named {
        value.epoch = value.epoch.filter(|epoch| *epoch != present);
    }
    named.sort();
    named.dedup();
    // Values of this batch may still wait to become rows.
    tx.settle()?;
    let now = Now { at: tx.now(), ..now };
    let mut values = Vec::with_capacity(named.len());
    for (at, value) in named.iter().enumerate() {
        let found = held(tx.read(), keepers, value, now)?
            .ok_or_else(|| Error::invalid(format!("erased[{at}]"), "no-such-value"))?;
        must_go(&found, now)?;
        values.push(found);
    }
    let epochs = named.iter().map(|value| value.epoch.unwrap_or(present)).collect();
    let id = crate::id::new("e");
    let row = Erasure {
        id: id.clone(),
        basis: wish.basis.clone(),
        reason: wish.reason.clone(),
        erased_at: tx.now(),
        erased_by: signer.actor.id.clone(),
    };
    let values = values.into_iter().map(|value| {
        Ok(ErasedValue {
            commitment: value.commitment,
            erasure: id.clone(),
            seq: crate::ledger::store::index(value.named.seq)?,
            name: value.named.name,
        })
    });
    let values = values.collect::<Result<Vec<_>>>()?;
    write(tx, &row, &values)?;
    let subject = erasure_subject(&id);
    let digest = digest_of(&named, &wish.basis, &wish.reason)?;
    let act = signatures::Act { subject: &subject, round: 0, meaning: ERASED, digest, comment: "" };
    let (signature, sig) = signatures::sign(tx, signer, &act)?;
    let state = ErasureState { erasure: row, values, epochs, entry: None, signatures: vec![signature] };
    let told: Vec<Value> = named.iter().map(Named::told).collect();
    let entry = NewEntry::new(acts::PRIVACY_ERASED, &signer.actor)
        .state(state.snapshot())
        .signature(&sig)
        .reason(&wish.reason)
        .field("basis", wish.basis.clone())
        .field("erased", told);
    let appended = tx.append(entry)?;
    let entry = tx.waiting(crate::ledger::store::index(appended.seq)?);
    Ok(ErasureState { entry, ..state })
}

fn must_go(value: &Held, now: Now) -> Result<()> {
    let refused = |code| {
        Err(Error::conflict(code)
            .arg("name", value.named.name.clone())
            .arg("seq", value.named.seq.to_string()))
    };
    if !value.there {
        return refused("erased-already");
    }
    if value.held {
        return refused("legal-hold");
    }
    match value.kept.until {
        until if until.has_passed(now.at) => Ok(()),
        Until::At(end) => Err(Error::conflict("law-keeps")
            .arg("name", value.named.name.clone())
            .arg("seq", value.named.seq.to_string())
            .arg("until", end.date_in(now.zone).to_string())
            .arg("clause", value.kept.rule.map(|rule| rule.source.clause.clone()).unwrap_or_default())),
        _ => refused("law-keeps-open"),
    }
}

fn write(tx: &mut Tx<'_>, row: &Erasure, values: &[ErasedValue]) -> Result<()> {
    let db = tx.rows();
    diesel::insert_into(erasure::table).values(row).execute(db)?;
    for value in values {
        diesel::insert_into(erased_value::table).values(value).execute(db)?;
        diesel::delete(sealed_value::table.find(&value.commitment)).execute(db)?;
    }
    Ok(())
}

/// How a value stands; none where no entry has introduced it.
///
/// # Errors
/// The database does not answer.
pub fn held(db: &mut Db, keepers: Keepers, named: &Named, now: Now) -> Result<Option<Held>> {
    let Some(row) = introduced_by(db, (named.epoch, named.seq))? else { return Ok(None) };
    let Some(commitment) = commitment_in(&row, &named.name) else { return Ok(None) };
    let there = sealed_value::table.find(&commitment).count().get_result::<i64>(db)? > 0;
    let subject = row.obj_kind.as_deref().zip(row.obj_id.as_deref());
    let kept = match subject {
        // The address of a sign-in is a line of the network's log, whatever account it was for.
        _ if named.name == "address" => access(&row, now),
        None => access(&row, now),
        Some(subject) => match keepers.kept(db, subject, now) {
            Ok(kept) => kept,
            Err(error) if error.kind() == crate::error::Kind::NotFound => {
                Kept { until: Until::Free, rule: None }
            }
            Err(error) => return Err(error),
        },
    };
    let held = subject.map_or(Ok(false), |(kind, id)| store::is_held(db, kind, id))?;
    Ok(Some(Held { named: named.clone(), commitment, kept, held, there }))
}

fn access(row: &NewEntryRow, now: Now) -> Kept {
    let facts = Facts { record: "access", recorded: Timestamp(row.ts), expiry: None, ended: None };
    retention::kept(&facts, now.at, now.zone)
}

/// All values that an entry has introduced, and how they stand.
///
/// # Errors
/// 404 for no entry.
pub fn of_entry(
    db: &mut Db,
    keepers: Keepers,
    (epoch, seq): (Option<i64>, u64),
    now: Now,
) -> Result<Vec<Held>> {
    let row = introduced_by(db, (epoch, seq))?.ok_or_else(|| Error::not_found("entry", seq.to_string()))?;
    let mut values = Vec::new();
    for name in names_in(&row) {
        values.extend(held(db, keepers, &Named { seq, name, epoch }, now)?);
    }
    Ok(values)
}

fn introduced_by(db: &mut Db, (epoch, seq): (Option<i64>, u64)) -> Result<Option<NewEntryRow>> {
    let Ok(seq) = i64::try_from(seq) else { return Ok(None) };
    let epoch = epoch.map_or_else(|| epochs::present(db), Ok)?;
    Ok(ledger_entry::table.find((epoch, seq)).select(NewEntryRow::as_select()).first(db).optional()?)
}

/// In which epoch an erased value was introduced: a number may stand for an entry of each, a commitment for one alone.
/// The present one where none has, which `verify` finds.
///
/// # Errors
/// The database does not answer.
pub fn epoch_of(db: &mut Db, value: &ErasedValue) -> Result<i64> {
    let mut numbers = epochs::numbers(db)?;
    let present = numbers.pop().unwrap_or(1);
    let seq = u64::try_from(value.seq).map_err(Error::internal)?;
    for epoch in numbers {
        let row = introduced_by(db, (Some(epoch), seq))?;
        if row.is_some_and(|row| commitment_in(&row, &value.name).as_ref() == Some(&value.commitment)) {
            return Ok(epoch);
        }
    }
    Ok(present)
}

fn names_in(row: &NewEntryRow) -> Vec<String> {
    let entry = entry::parse(&row.entry).ok();
    let index = entry.and_then(|entry| canon::scan(entry.body.as_bytes()).ok());
    index.map_or_else(Vec::new, |index| index.sealed.iter().map(|(name, _)| (*name).to_owned()).collect())
}

fn commitment_in(row: &NewEntryRow, name: &str) -> Option<String> {
    let entry = entry::parse(&row.entry).ok()?;
    let index = canon::scan(entry.body.as_bytes()).ok()?;
    index.sealed.iter().find(|(own, _)| *own == name).map(|(_, hash)| hash.to_string())
}

/// Checks what was asked for by a request.
///
/// # Errors
/// 422 naming every field.
pub fn checked(values: Vec<Named>, basis: &str, reason: &str) -> Result<Wish> {
    use crate::web::input::{self, Faults};
    let mut faults = Faults::new();
    let basis = faults.take(input::line("basis", basis, 200));
    let reason = faults.take(input::text("reason", reason, 2000));
    let size = match values.len() {
        0 => Err(Error::invalid("erased", "required")),
        1..=MOST => Ok(()),
        _ => Err(Error::new(crate::error::Kind::Invalid, "invalid").field_with(FieldError {
            field: "erased".to_owned(),
            code: "too-many",
            args: vec![("most", MOST.to_string())],
        })),
    };
    let size = faults.take(size);
    match (basis, reason, size) {
        (Some(basis), Some(reason), Some(())) => Ok(Wish { values, basis, reason }),
        _ => Err(faults.error()),
    }
}
