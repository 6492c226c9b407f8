//! Entries: every rule of the form, broken one at a time.

use proptest::prelude::*;
use sopledger::ledger::digest::Digest;
use sopledger::ledger::entry::{EntryError, EntryHead, MAX_ENTRY, build, is_instant, is_origin, parse};

use super::{ORIGIN, sound_chain};

const TS: &str = "2026-01-02T03:04:05.000000Z";

fn lines() -> [String; 6] {
    let zeros = "0".repeat(64);
    ["sopledger/v1", ORIGIN, "0", &zeros, TS, r#"{"act":"ledger.created"}"#].map(str::to_owned)
}

fn joined(lines: &[String]) -> Vec<u8> {
    lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect()
}

#[test]
fn each_broken_line_is_refused_by_its_own_rule() {
    assert!(parse(&joined(&lines())).is_ok());
    let long = format!("{{{}}}", " ".repeat(MAX_ENTRY));
    let cases: &[(usize, &[&str], EntryError)] = &[
        (
            0,
            &["", "sopledger/v2", "sopledger/v1 ", " sopledger/v1", "Sopledger/v1", "\u{feff}sopledger/v1"],
            EntryError::Tag,
        ),
        (0, &["sopledger/v1\r"], EntryError::Tag),
        (1, &["", "Ledger", "a_b", "a b", "a\r", "ä", &"a".repeat(129)], EntryError::Origin),
        (
            2,
            &[
                "",
                "00",
                "01",
                "-1",
                "+1",
                "1.0",
                " 1",
                "1\r",
                "0x1",
                "18446744073709551616",
                "999999999999999999999",
            ],
            EntryError::Seq,
        ),
        (3, &["", "0", &"0".repeat(63), &"0".repeat(65), &"A".repeat(64), &"g".repeat(64)], EntryError::Prev),
        (
            4,
            &["", "2026-01-02T03:04:05Z", "2026-01-02 03:04:05.000000Z", "2026-02-30T03:04:05.000000Z"],
            EntryError::Ts,
        ),
        (4, &["2026-01-02T03:04:05.000000Z\r", "2026-01-02T03:04:05.000000+"], EntryError::Ts),
        (
            5,
            &["", "{", "}", "[]", "null", "{}\r", " {}", "{} ", "{\r}", "{}\n{}", "\u{feff}{}"],
            EntryError::Body,
        ),
        (5, &[&long], EntryError::TooLong),
    ];
    for (line, values, error) in cases {
        for value in *values {
            let mut lines = lines();
            lines[*line] = (*value).to_owned();
            assert_eq!(
                parse(&joined(&lines)),
                Err(*error),
                "line {line}: {:?}",
                value.get(..40).unwrap_or(value)
            );
        }
    }
}

#[test]
fn a_missing_line_or_last_line_feed_is_refused() {
    let whole = joined(&lines());
    assert_eq!(parse(&whole[..whole.len() - 1]), Err(EntryError::Truncated));
    assert_eq!(parse(b""), Err(EntryError::Truncated));
    for missing in 0..6 {
        let mut lines = lines().to_vec();
        lines.remove(missing);
        assert!(parse(&joined(&lines)).is_err(), "without line {missing}");
    }
    let mut not_utf8 = whole.clone();
    let brace = whole.len() - 3;
    not_utf8[brace] = 0xff;
    assert_eq!(parse(&not_utf8), Err(EntryError::Body));
}

#[test]
fn an_entry_of_65535_bytes_is_built_and_one_of_65536_is_not() {
    let head = EntryHead { origin: ORIGIN, seq: 0, prev: Digest::ZERO, ts: TS };
    let body = |length: usize| format!(r#"{{"reason":"{}"}}"#, "x".repeat(length));
    let fixed = build(&head, body(0).as_bytes()).unwrap().len();
    let largest = build(&head, body(MAX_ENTRY - fixed).as_bytes()).unwrap();
    assert_eq!(largest.len(), MAX_ENTRY);
    assert!(parse(&largest).is_ok());
    assert_eq!(build(&head, body(MAX_ENTRY - fixed + 1).as_bytes()), Err(EntryError::TooLong));
}

#[test]
fn no_entry_is_built_from_a_part_that_breaks_its_rule() {
    let good = EntryHead { origin: ORIGIN, seq: 0, prev: Digest::ZERO, ts: TS };
    let body = b"{}";
    assert_eq!(build(&EntryHead { origin: "Über", ..good }, body), Err(EntryError::Origin));
    assert_eq!(build(&EntryHead { ts: "2026-01-02", ..good }, body), Err(EntryError::Ts));
    assert_eq!(build(&EntryHead { seq: 1, ..good }, body), Err(EntryError::Prev));
    assert_eq!(build(&EntryHead { prev: Digest::of(b""), ..good }, body), Err(EntryError::Prev));
    for body in [&b"{\"b\":1,\"a\":2}"[..], b"{ }", b"", b"{}\n", b"{\"a\":1.0}"] {
        assert!(matches!(build(&good, body), Err(EntryError::Profile(_))), "{body:?}");
    }
}

#[test]
fn instants_follow_the_calendar() {
    for good in ["2024-02-29T00:00:00.000000Z", "2000-02-29T23:59:59.999999Z", "2026-12-31T23:59:59.999999Z"]
    {
        assert!(is_instant(good), "{good}");
    }
    for bad in [
        "2023-02-29T00:00:00.000000Z",
        "1900-02-29T00:00:00.000000Z",
        "2026-04-31T00:00:00.000000Z",
        "2026-13-01T00:00:00.000000Z",
        "2026-00-01T00:00:00.000000Z",
        "2026-01-00T00:00:00.000000Z",
        "2026-01-01T24:00:00.000000Z",
        "2026-01-01T00:60:00.000000Z",
        "2026-01-01T00:00:60.000000Z",
        "2026-01-01T00:00:00.00000Z",
        "2026-01-01T00:00:00,000000Z",
        "2026-01-01t00:00:00.000000z",
        "2026-1-001T00:00:00.000000Z",
        "２026-01-01T00:00:00.0000Z",
    ] {
        assert!(!is_instant(bad), "{bad}");
    }
}

#[test]
fn origins_are_of_the_named_characters_and_at_most_128_long() {
    assert!(is_origin("sopledger.local/00ff") && is_origin(&"a".repeat(128)));
    assert!(!is_origin("") && !is_origin(&"a".repeat(129)) && !is_origin("a+b") && !is_origin("A"));
}

proptest! {
    #[test]
    fn whatever_parses_is_written_back_byte_for_byte(at in 0usize..400, byte: u8) {
        let mut bytes = sound_chain(2).pop().unwrap();
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok(entry) = parse(&bytes) {
            let h = entry.head;
            let again = format!("sopledger/v1\n{}\n{}\n{}\n{}\n{}\n", h.origin, h.seq, h.prev, h.ts, entry.body);
            prop_assert_eq!(again.as_bytes(), &bytes[..]);
        }
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&bytes);
        let _ = parse(&[b"sopledger/v1\na\n0\n", &bytes[..]].concat());
    }
}
