//! Numbers of quality records: `DEV-2026-0001`, counted by kind and year of the site's zone, never given twice.

use chrono::Datelike;
use chrono_tz::Tz;

use super::kind::RecordKind;
use crate::error::{Error, Result};
use crate::ledger::lane::Tx;
use crate::ledger::tombstone;
use crate::store::Db;

/// The next free number of this kind. Asked inside the lane, where nobody else can take it; those of records that were
/// disposed of count, so none is given again.
///
/// # Errors
/// The database does not answer, or holds a number of another form.
pub fn next(tx: &mut Tx<'_>, kind: &RecordKind, zone: Tz) -> Result<String> {
    next_of(tx, (kind.name, kind.prefix), kind.last_number, zone)
}

/// The same for records that are no quality records: by subject kind and prefix, and the greatest number in the table.
///
/// # Errors
/// As [`next`].
pub fn next_of(
    tx: &mut Tx<'_>,
    (kind, prefix): (&str, &str),
    last_number: fn(&mut Db, &str) -> Result<Option<String>>,
    zone: Tz,
) -> Result<String> {
    let prefix = format!("{prefix}-{:04}-", tx.now().date_in(zone).year());
    let living = last_number(tx.read(), &prefix)?;
    let gone = tombstone::last_number(tx.read(), kind, &prefix)?;
    let last = living.into_iter().chain(gone).max_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    following(&prefix, last.as_deref())
}

fn following(prefix: &str, last: Option<&str>) -> Result<String> {
    let count: u64 = match last {
        None => 0,
        Some(last) => last
            .strip_prefix(prefix)
            .and_then(|count| count.parse().ok())
            .ok_or_else(|| Error::internal(format!("{last} is no number of ours")))?,
    };
    Ok(format!("{prefix}{:04}", count + 1))
}

#[cfg(test)]
mod tests {
    use super::following;

    #[test]
    fn numbers_are_counted_within_their_year() {
        for (last, next) in [
            (None, "DEV-2026-0001"),
            (Some("DEV-2026-0041"), "DEV-2026-0042"),
            (Some("DEV-2026-9999"), "DEV-2026-10000"),
        ] {
            assert_eq!(following("DEV-2026-", last).unwrap(), next);
        }
    }

    #[test]
    fn a_number_of_another_form_stops_the_counting() {
        assert!(following("DEV-2026-", Some("DEV-2026-x")).is_err());
        assert!(following("DEV-2026-", Some("DEV-2025-0001")).is_err());
    }
}
