//! How instants, dates, counts and hashes are written on pages; the machine forms are elsewhere.

use chrono::{NaiveDate, TimeZone};
use chrono_tz::{OffsetName, Tz};

use super::words::Lang;
use crate::time::Timestamp;

/// A whole number in groups of three: narrow no-break space in Chinese, comma in English.
pub fn grouped(number: i64, lang: Lang) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    if number < 0 {
        text.push('\u{2212}');
    }
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(match lang {
                Lang::Zh => '\u{202f}',
                Lang::En => ',',
            });
        }
        text.push(digit);
    }
    text
}

/// `512 B`, `31.5 KB`, `2.4 MB`: a size as file managers show it, in steps of 1024.
pub fn size(bytes: i64) -> String {
    const STEPS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if bytes < 1024 {
        return format!("{bytes}\u{a0}B");
    }
    // Rounded first, so that what would read 1024.0 of a unit is one of the next.
    let mut tenths = bytes.saturating_mul(10).saturating_add(512) / 1024;
    let mut step = 0;
    while tenths >= 10_240 && step + 1 < STEPS.len() {
        tenths = (tenths + 512) / 1024;
        step += 1;
    }
    format!("{}.{}\u{a0}{}", tenths / 10, tenths % 10, STEPS[step])
}

/// `2026-03-01 00:00 CST`: to the minute, with the zone's abbreviation.
pub fn minute(at: Timestamp, zone: Tz) -> String {
    zoned(at, zone, "%Y-%m-%d %H:%M")
}

/// `2026-03-01 00:00:07 CST`: to the second, as under a signature.
pub fn second(at: Timestamp, zone: Tz) -> String {
    zoned(at, zone, "%Y-%m-%d %H:%M:%S")
}

/// `10:00:04`, the time of day alone.
pub fn time_of_day(at: Timestamp, zone: Tz) -> String {
    at.utc().with_timezone(&zone).format("%H:%M:%S").to_string()
}

/// `2026-03-01`, the calendar day in the site's zone.
pub fn date(at: Timestamp, zone: Tz) -> String {
    day(at.date_in(zone))
}

/// `2026-03-01`.
pub fn day(date: NaiveDate) -> String {
    date.format("%Y-%m-%d").to_string()
}

/// The value of a `datetime` attribute: RFC 3339 in the site's zone, to the second.
pub fn machine(at: Timestamp, zone: Tz) -> String {
    at.utc().with_timezone(&zone).format("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// The first two groups of four and the last: `8d43 8b01…5984`. A shorter text stays whole.
pub fn short_hash(hex: &str) -> String {
    match (hex.get(..4), hex.get(4..8), hex.len().checked_sub(4).and_then(|from| hex.get(from..))) {
        (Some(first), Some(second), Some(last)) if hex.len() > 12 => format!("{first} {second}…{last}"),
        _ => hex.to_owned(),
    }
}

fn zoned(at: Timestamp, zone: Tz, pattern: &str) -> String {
    let utc = at.utc();
    let local = utc.with_timezone(&zone);
    let offset = zone.offset_from_utc_datetime(&utc.naive_utc());
    match offset.abbreviation() {
        Some(name) => format!("{} {name}", local.format(pattern)),
        None => local.format(&format!("{pattern} %:z")).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_in_the_sites_zone_with_its_abbreviation() {
        let at = Timestamp::parse("2026-02-28T16:00:07Z").unwrap();
        let zone = chrono_tz::Asia::Shanghai;
        assert_eq!(minute(at, zone), "2026-03-01 00:00 CST");
        assert_eq!(second(at, zone), "2026-03-01 00:00:07 CST");
        assert_eq!(date(at, zone), "2026-03-01");
        assert_eq!(machine(at, zone), "2026-03-01T00:00:07+08:00");
    }

    #[test]
    fn thousands_are_parted_as_the_language_does_it() {
        let cases = [(0, "0", "0"), (999, "999", "999"), (1_204_311, "1\u{202f}204\u{202f}311", "1,204,311")];
        for (number, zh, en) in cases {
            assert_eq!(grouped(number, Lang::Zh), zh);
            assert_eq!(grouped(number, Lang::En), en);
        }
    }

    #[test]
    fn a_size_is_written_in_the_unit_that_leaves_a_small_number() {
        let sizes =
            [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KB"), (32_256, "31.5 KB"), (1_048_575, "1.0 MB")];
        for (bytes, written) in sizes.into_iter().chain([(2_516_582, "2.4 MB"), (5_368_709_120, "5.0 GB")]) {
            assert_eq!(size(bytes).replace('\u{a0}', " "), written);
        }
    }

    #[test]
    fn a_hash_is_cut_to_its_ends_and_a_short_one_stays_whole() {
        assert_eq!(short_hash("8d438b01aaaaaaaa5984"), "8d43 8b01…5984");
        assert_eq!(short_hash("8d438b01"), "8d438b01");
        assert_eq!(short_hash("时间时间时间时间"), "时间时间时间时间");
    }
}
