//! Instants and the clock. Time is a value of the program: tests and the demo's seeding set it.
//!
//! An instant is a whole number of microseconds since the epoch, UTC; written, it is always the 27-byte form
//! `YYYY-MM-DDTHH:MM:SS.ffffffZ`, so the order of texts is the order of instants. Dates are read in the site's zone.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Days, Months, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::BigInt;

/// An instant, in microseconds since the epoch, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = BigInt)]
pub struct Timestamp(pub i64);

/// One microsecond short of a day.
const LAST_OF_DAY: i64 = 86_400_000_000 - 1;

impl Timestamp {
    /// Reads any RFC 3339 instant; finer than microseconds is cut.
    pub fn parse(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|at| Self(at.timestamp_micros()))
            .filter(Self::is_writable)
    }

    /// Reads an RFC 3339 instant, or a date as its first microsecond in `zone` (`effective_from`, `*_from`).
    pub fn parse_start(text: &str, zone: Tz) -> Option<Self> {
        Self::parse(text).or_else(|| start_of_day(text.parse().ok()?, zone))
    }

    /// Reads an RFC 3339 instant, or a date as its last microsecond in `zone` (`as_of`, `*_to`).
    pub fn parse_end(text: &str, zone: Tz) -> Option<Self> {
        Self::parse(text).or_else(|| {
            let next = text.parse::<NaiveDate>().ok()?.checked_add_days(Days::new(1))?;
            start_of_day(next, zone).map(|next| Self(next.0 - 1))
        })
    }

    /// The calendar day of this instant in `zone`.
    pub fn date_in(self, zone: Tz) -> NaiveDate {
        self.utc().with_timezone(&zone).date_naive()
    }

    /// This instant as a chrono value.
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }

    /// The same time of day that many calendar months later, in UTC.
    pub fn plus_months(self, months: u32) -> Self {
        let later = self.utc().checked_add_months(Months::new(months));
        Self(later.map_or(self.0, |at| at.timestamp_micros()))
    }

    /// That many seconds later; negative for earlier.
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0 + seconds * 1_000_000)
    }

    /// The last microsecond of the day that begins here.
    pub const fn end_of_its_day(self) -> Self {
        Self(self.0 + LAST_OF_DAY)
    }

    fn is_writable(&self) -> bool {
        // The 27-byte form has four digits for the year.
        (-62_135_596_800_000_000..=253_402_300_799_999_999).contains(&self.0)
    }
}

fn start_of_day(date: NaiveDate, zone: Tz) -> Option<Timestamp> {
    let local = zone.from_local_datetime(&date.and_time(NaiveTime::MIN));
    let at = local.earliest()?;
    Some(Timestamp(at.timestamp_micros())).filter(Timestamp::is_writable)
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use chrono::{Datelike, Timelike};
        // By hand, since every entry has one: chrono reads its format anew each time.
        let at = self.utc();
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        let parts = [
            (0, 4, u32::try_from(at.year()).unwrap_or_default()),
            (5, 2, at.month()),
            (8, 2, at.day()),
            (11, 2, at.hour()),
            (14, 2, at.minute()),
            (17, 2, at.second()),
            (20, 6, at.timestamp_subsec_micros()),
        ];
        for (from, digits, mut number) in parts {
            for place in text[from..from + digits].iter_mut().rev() {
                *place += (number % 10) as u8;
                number /= 10;
            }
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| std::fmt::Error)?)
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<DB: Backend> ToSql<BigInt, DB> for Timestamp
where
    i64: ToSql<BigInt, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.0.to_sql(out)
    }
}

impl<DB: Backend> FromSql<BigInt, DB> for Timestamp
where
    i64: FromSql<BigInt, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
        i64::from_sql(bytes).map(Self)
    }
}

/// Where the present comes from.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The host's clock.
    #[default]
    System,
    /// A hand that the program moves: tests, and the demo's seeding.
    Scripted(Arc<AtomicI64>),
}

impl Clock {
    /// A scripted clock that stands at `at`.
    pub fn scripted(at: Timestamp) -> Self {
        Self::Scripted(Arc::new(AtomicI64::new(at.0)))
    }

    /// The present, cut to microseconds.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp(Utc::now().timestamp_micros()),
            Self::Scripted(hand) => Timestamp(hand.load(Ordering::SeqCst)),
        }
    }

    /// Moves a scripted clock to `at`; the host's clock is never moved.
    pub fn set(&self, at: Timestamp) {
        if let Self::Scripted(hand) = self {
            hand.store(at.0, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_always_written_in_27_bytes() {
        for text in ["2026-01-02T03:04:05Z", "2026-01-02T11:04:05.000000999+08:00"] {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), "2026-01-02T03:04:05.000000Z");
        }
    }

    #[test]
    fn a_date_is_its_first_or_last_microsecond_in_the_sites_zone() {
        let zone = chrono_tz::Asia::Shanghai;
        let first = Timestamp::parse_start("2026-03-01", zone).unwrap();
        let last = Timestamp::parse_end("2026-03-01", zone).unwrap();
        assert_eq!(first.to_string(), "2026-02-28T16:00:00.000000Z");
        assert_eq!(last.to_string(), "2026-03-01T15:59:59.999999Z");
        assert_eq!(first.end_of_its_day(), last);
    }
}
