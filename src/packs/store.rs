//! The feature's SQL: packs that were made, and what goes into one.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::record::Pack;
use super::wanted::{Named, Scope};
use crate::error::{Error, Result};
use crate::ledger::digest::Digest;
use crate::ledger::lane::Tx;
use crate::ledger::store::index;
use crate::ledger::subject::{Governed, Snapshot};
use crate::store::schema::{content, disposed, document_version, ledger_entry, link, pack, sealed_value};
use crate::store::{ContentRow, Db, NewEntryRow};
use crate::time::Timestamp;

/// Packs, as `verify` recomputes them.
pub const GOVERNED: Governed = Governed { kind: "pack", tables: &["pack"], ids, snapshot };

/// Values of an `IN` list at most.
const AT_ONCE: usize = 256;
/// Bytes of content in memory at once, save where a single one is larger.
const BYTES: i64 = 4 << 20;

fn ids(db: &mut Db) -> Result<Vec<String>> {
    Ok(pack::table.select(pack::id).load(db)?)
}

fn snapshot(db: &mut Db, id: &str) -> Result<Option<Snapshot>> {
    Ok(one(db, id)?.map(|pack| pack.snapshot()))
}

/// A pack by its id.
///
/// # Errors
/// The database does not answer.
pub fn one(db: &mut Db, id: &str) -> Result<Option<Pack>> {
    Ok(pack::table.find(id).first(db).optional()?)
}

/// The same, refused with 404.
///
/// # Errors
/// 404.
pub fn require(db: &mut Db, id: &str) -> Result<Pack> {
    one(db, id)?.ok_or_else(|| Error::not_found("pack", id))
}

/// Packs, the newest first.
///
/// # Errors
/// The database does not answer.
pub fn list(db: &mut Db, after: Option<(i64, String)>, limit: i64) -> Result<Vec<Pack>> {
    let mut query = pack::table.order((pack::made_at.desc(), pack::id.desc())).into_boxed();
    if let Some((at, id)) = after {
        let at = Timestamp(at);
        query = query.filter(pack::made_at.lt(at).or(pack::made_at.eq(at).and(pack::id.lt(id))));
    }
    Ok(query.limit(limit).load(db)?)
}

/// Keeps a pack's row.
///
/// # Errors
/// The database refuses.
pub fn insert(tx: &mut Tx<'_>, row: &Pack) -> Result<()> {
    diesel::insert_into(pack::table).values(row).execute(tx.rows())?;
    Ok(())
}

/// Which entries go into a pack: a list of numbers, or a run.
#[derive(Debug, Clone)]
pub enum Selection {
    /// These, ascending.
    List(Vec<u64>),
    /// All of these.
    Run(Range<u64>),
}

impl Selection {
    /// How many.
    pub fn count(&self) -> u64 {
        match self {
            Self::List(list) => list.len() as u64,
            Self::Run(run) => run.end.saturating_sub(run.start),
        }
    }

    /// Whether this one is among them.
    fn has(&self, seq: u64) -> bool {
        match self {
            Self::List(list) => list.contains(&seq),
            Self::Run(run) => run.contains(&seq),
        }
    }

    /// Pieces of at most 256.
    pub fn pieces(&self) -> Box<dyn Iterator<Item = Self> + '_> {
        match self {
            Self::List(list) => Box::new(list.chunks(AT_ONCE).map(|piece| Self::List(piece.to_vec()))),
            Self::Run(run) => {
                let end = run.end;
                // Cut where bundles are cut.
                let starts = std::iter::successors(Some(run.start), |at| Some((at / 256 + 1) * 256));
                let starts = starts.take_while(move |at| *at < end);
                Box::new(starts.map(move |at| Self::Run(at..((at / 256 + 1) * 256).min(end))))
            }
        }
    }
}

/// What a scope selects of each epoch's first entries, and the subjects it names, with how many entries each has.
#[derive(Debug)]
pub struct Selected {
    /// By epoch, the oldest first: the numbers of its entries, in order.
    pub entries: BTreeMap<i64, Vec<Selection>>,
    /// By subject, in order; empty for a range and for the whole.
    pub subjects: Vec<(Named, u64)>,
}

impl Selected {
    /// How many entries.
    pub fn count(&self) -> u64 {
        self.entries.values().flatten().map(Selection::count).sum()
    }
}

/// An epoch and how many of its entries are vouched for.
pub type Extent = (i64, u64);

/// Finds the entries of a scope in all epochs, the oldest first. The entry that declares a recovery goes along with
/// whatever is asked for: without it an earlier epoch's end is not explained.
///
/// # Errors
/// 422 for a subject that has none, and for a time in which there is none.
pub fn select(db: &mut Db, epochs: &[Extent], scope: &Scope) -> Result<Selected> {
    let mut selected = Selected { entries: BTreeMap::new(), subjects: Vec::new() };
    match scope {
        Scope::Whole => {
            let all = epochs.iter().map(|(epoch, size)| (*epoch, vec![Selection::Run(0..*size)]));
            selected.entries.extend(all);
            return Ok(selected);
        }
        Scope::Range { from, before } => {
            let mut runs = Vec::new();
            for (epoch, size) in epochs {
                runs.push(((*epoch, *size), run_of(db, *epoch, *size, (*from, *before))?));
            }
            let mut later = of_disposed(db, &runs)?;
            for ((epoch, _), run) in runs {
                let later = later.remove(&epoch).map(Selection::List);
                selected.entries.insert(epoch, [Selection::Run(run)].into_iter().chain(later).collect());
            }
            if selected.count() == 0 {
                return Err(Error::invalid("from", "pack-no-entries"));
            }
        }
        Scope::Subjects(named) => {
            let (entries, subjects) = of_subjects(db, epochs, named)?;
            selected
                .entries
                .extend(entries.into_iter().map(|(epoch, list)| (epoch, vec![Selection::List(list)])));
            selected.subjects = subjects;
        }
    }
    for (epoch, size) in epochs.iter().skip(1) {
        let own = selected.entries.entry(*epoch).or_default();
        if *size > 0 && !own.iter().any(|part| part.has(0)) {
            own.insert(0, Selection::List(vec![0]));
        }
    }
    Ok(selected)
}

type OfSubjects = (BTreeMap<i64, Vec<u64>>, Vec<(Named, u64)>);

fn of_subjects(db: &mut Db, epochs: &[Extent], named: &[Named]) -> Result<OfSubjects> {
    let (mut entries, mut subjects) = (BTreeMap::<i64, Vec<u64>>::new(), BTreeMap::new());
    let ties = ties(db, named)?;
    for (place, subject) in named.iter().chain(&ties).enumerate() {
        let mut found = false;
        for extent in epochs {
            for (seq, id) in of_subject(db, *extent, subject)? {
                found = true;
                entries.entry(extent.0).or_default().push(u64::try_from(seq).map_err(Error::internal)?);
                *subjects.entry(Named { kind: subject.kind.clone(), id }).or_insert(0) += 1;
            }
        }
        if !found && place < named.len() {
            return Err(Error::invalid(format!("subjects[{place}]"), "not-found"));
        }
    }
    for list in entries.values_mut() {
        list.sort_unstable();
        list.dedup();
    }
    Ok((entries, subjects.into_iter().collect()))
}

/// The ids a name stands for: its own, and those of a document's versions.
fn ids_of(db: &mut Db, named: &Named) -> Result<Vec<String>> {
    let mut ids = vec![named.id.clone()];
    if named.has_versions() {
        let versions = document_version::table.filter(document_version::document.eq(&named.id));
        let versions: Vec<String> = versions.select(document_version::version).load(db)?;
        ids.extend(versions.into_iter().map(|version| format!("{}/{version}", named.id)));
    }
    Ok(ids)
}

fn of_subject(db: &mut Db, (epoch, size): (i64, u64), named: &Named) -> Result<Vec<(i64, String)>> {
    let (size, ids) = (index(size)?, ids_of(db, named)?);
    Ok(ledger_entry::table
        .filter(ledger_entry::epoch.eq(epoch).and(ledger_entry::seq.lt(size)))
        .filter(ledger_entry::obj_kind.eq(&named.kind).and(ledger_entry::obj_id.eq_any(ids)))
        .select((ledger_entry::seq, ledger_entry::obj_id.assume_not_null()))
        .load(db)?)
}

/// The later entries of records of which the runs speak and that were disposed of after them: only with the last of them
/// is it proven that the content of the earlier ones is rightly gone.
fn of_disposed(db: &mut Db, runs: &[(Extent, Range<u64>)]) -> Result<BTreeMap<i64, Vec<u64>>> {
    let run_in = |epoch: i64| runs.iter().find(|((own, _), _)| *own == epoch);
    let gone: Vec<(String, String, i64, i64)> = disposed::table
        .select((disposed::subject_kind, disposed::subject_id, disposed::epoch, disposed::seq))
        .load(db)?;
    let mut later = BTreeMap::<i64, Vec<u64>>::new();
    for (kind, id, epoch, seq) in gone {
        let seq = u64::try_from(seq).map_err(Error::internal)?;
        let after = run_in(epoch).is_some_and(|((_, size), run)| (run.end..*size).contains(&seq));
        if !after {
            continue;
        }
        let own: Vec<(i64, i64)> = ledger_entry::table
            .filter(ledger_entry::obj_kind.eq(kind).and(ledger_entry::obj_id.eq(id)))
            .select((ledger_entry::epoch, ledger_entry::seq))
            .load(db)?;
        let own: Vec<(i64, u64)> =
            own.into_iter().filter_map(|(epoch, seq)| Some((epoch, u64::try_from(seq).ok()?))).collect();
        if !own.iter().any(|(epoch, seq)| run_in(*epoch).is_some_and(|(_, run)| run.contains(seq))) {
            continue;
        }
        for (epoch, seq) in own {
            if run_in(epoch).is_some_and(|((_, size), run)| (run.end..*size).contains(&seq)) {
                later.entry(epoch).or_default().push(seq);
            }
        }
    }
    later.values_mut().for_each(|list| list.sort_unstable());
    Ok(later)
}

/// What goes with a named subject: the links that tie it to another; where it was disposed of, those that went with it,
/// and the disposal.
fn ties(db: &mut Db, named: &[Named]) -> Result<Vec<Named>> {
    let mut found = Vec::new();
    for subject in named {
        let ids = ids_of(db, subject)?;
        let from = link::from_kind.eq(&subject.kind).and(link::from_id.eq_any(ids.clone()));
        let to = link::to_kind.eq(&subject.kind).and(link::to_id.eq_any(ids));
        let ids: Vec<String> = link::table.filter(from.or(to)).select(link::id).load(db)?;
        found.extend(ids.into_iter().map(|id| Named { kind: "link".to_owned(), id }));
        let along = disposed::table.filter(disposed::along_with.eq(subject.to_string()));
        let along: Vec<(String, String)> =
            along.select((disposed::subject_kind, disposed::subject_id)).load(db)?;
        found.extend(along.into_iter().map(|(kind, id)| Named { kind, id }));
        let by = disposed::table.find((&subject.kind, &subject.id)).select(disposed::disposal);
        let by: Option<String> = by.first(db).optional()?;
        found.extend(by.map(|id| Named { kind: "disposal".to_owned(), id }));
    }
    found.retain(|tie| !named.contains(tie));
    found.sort();
    found.dedup();
    Ok(found)
}

/// Instants never go back, so a time is a run of numbers.
fn run_of(
    db: &mut Db,
    epoch: i64,
    size: u64,
    (from, before): (Option<Timestamp>, Option<Timestamp>),
) -> Result<Range<u64>> {
    let first = |db: &mut Db, at: Timestamp| -> Result<u64> {
        let rows = ledger_entry::table.filter(ledger_entry::epoch.eq(epoch).and(ledger_entry::ts.ge(at.0)));
        let first: Option<i64> =
            rows.order(ledger_entry::seq).select(ledger_entry::seq).first(db).optional()?;
        first.map_or(Ok(size), |seq| u64::try_from(seq).map_err(Error::internal))
    };
    let start = from.map_or(Ok(0), |at| first(db, at))?.min(size);
    let end = before.map_or(Ok(size), |at| first(db, at))?.min(size);
    Ok(start..end.max(start))
}

/// The rows of a piece.
///
/// # Errors
/// The database does not answer.
pub fn rows(db: &mut Db, epoch: i64, piece: &Selection) -> Result<Vec<NewEntryRow>> {
    match piece {
        Selection::Run(run) => crate::ledger::store::rows(db, epoch, run.clone()),
        Selection::List(list) => {
            let numbers = list.iter().map(|seq| index(*seq)).collect::<Result<Vec<i64>>>()?;
            Ok(ledger_entry::table
                .filter(ledger_entry::epoch.eq(epoch).and(ledger_entry::seq.eq_any(numbers)))
                .order(ledger_entry::seq)
                .select(NewEntryRow::as_select())
                .load(db)?)
        }
    }
}

/// The instant of an entry.
///
/// # Errors
/// The database does not answer.
pub fn instant(db: &mut Db, epoch: i64, seq: u64) -> Result<Option<Timestamp>> {
    let ts: Option<i64> =
        ledger_entry::table.find((epoch, index(seq)?)).select(ledger_entry::ts).first(db).optional()?;
    Ok(ts.map(Timestamp))
}

/// Salts and values behind commitments, where they still are.
///
/// # Errors
/// The database does not answer.
pub fn unsealed(db: &mut Db, commitments: &[String]) -> Result<HashMap<String, (Vec<u8>, String)>> {
    let mut values = HashMap::new();
    for some in commitments.chunks(AT_ONCE) {
        let found: Vec<(String, Vec<u8>, String)> = sealed_value::table
            .filter(sealed_value::commitment.eq_any(some))
            .select((sealed_value::commitment, sealed_value::salt, sealed_value::value))
            .load(db)?;
        values.extend(found.into_iter().map(|(hash, salt, value)| (hash, (salt, value))));
    }
    Ok(values)
}

/// Hands over the content under each digest, in order, a few megabytes in memory at a time; what is not kept, or does
/// not hash to its digest, is left out.
///
/// # Errors
/// The database does not answer, or what `take` refuses.
pub fn each_content(
    db: &mut Db,
    digests: &[Digest],
    mut take: impl FnMut(Digest, Vec<u8>) -> Result<()>,
) -> Result<()> {
    let length = "COALESCE(unpacked, CAST(length(bytes) AS BIGINT))";
    for some in digests.chunks(AT_ONCE) {
        let names: Vec<String> = some.iter().map(Digest::to_string).collect();
        let sizes: Vec<(String, i64)> = content::table
            .filter(content::sha256.eq_any(&names))
            .order(content::sha256)
            .select((content::sha256, sql::<BigInt>(length)))
            .load(db)?;
        let mut rest = sizes.as_slice();
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = |(_, size): &&(String, i64)| {
                bytes += size;
                bytes <= BYTES
            };
            let (group, after) = rest.split_at(rest.iter().take_while(fits).count().max(1));
            rest = after;
            let group: Vec<&String> = group.iter().map(|(name, _)| name).collect();
            let rows: Vec<ContentRow> = content::table
                .filter(content::sha256.eq_any(group))
                .order(content::sha256)
                .select(ContentRow::as_select())
                .load(db)?;
            for row in rows {
                let digest = Digest::from_hex(row.sha256.as_bytes());
                if let (Some(digest), Some(bytes)) = (digest, row.unpack())
                    && Digest::of(&bytes) == digest
                {
                    take(digest, bytes)?;
                }
            }
        }
    }
    Ok(())
}
