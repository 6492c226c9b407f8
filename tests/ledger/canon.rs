//! The body profile: tables of each rule, and properties against a serialiser of the full RFC 8785.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use sopledger::ledger::canon::{Rule, check, scan, to_bytes};

fn rule(text: &str) -> Option<Rule> {
    check(text.as_bytes()).err().map(|error| error.rule)
}

#[test]
fn canonical_bodies_are_accepted() {
    let deepest = format!(r#"{{"a":{}{}}}"#, "[".repeat(7), "]".repeat(7));
    let key = "k".repeat(32);
    for text in [
        "{}",
        r#"{"a":[]}"#,
        r#"{"a":{}}"#,
        r#"{"a":0}"#,
        r#"{"a":-1}"#,
        r#"{"a":9007199254740991}"#,
        r#"{"a":-9007199254740991}"#,
        r#"{"a":true,"b":false,"c":null}"#,
        r#"{"a":[1,"",{"b":[]}]}"#,
        r#"{"a":1,"a0":1,"a_":1,"aa":1}"#,
        r#"{"a":"\"\\\b\f\n\r\t\u0001\u000b\u000e\u001f/"}"#,
        "{\"a\":\"\u{7f}\u{80}周期审查\u{2028}😀\u{feff}\"}",
        &deepest,
        &format!(r#"{{"{key}":1}}"#),
    ] {
        assert_eq!(rule(text), None, "{text}");
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(to_bytes(&value).unwrap(), text.as_bytes());
    }
}

#[test]
fn each_rule_refuses_what_breaks_it() {
    let too_deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(8), "]".repeat(8));
    let too_deep_objects = format!("{}1{}", r#"{"a":"#.repeat(9), "}".repeat(9));
    let bottomless = format!(r#"{{"a":{}"#, "[".repeat(100_000));
    let key = "k".repeat(33);
    let cases: &[(Rule, &[&str])] = &[
        (Rule::NotAnObject, &["", "[]", "1", "\"a\"", "null", " {}", "\u{feff}{}"]),
        (Rule::Trailing, &["{} ", "{}\n", "{}{}", "{},"]),
        (
            Rule::Syntax,
            &["{", r#"{"a""#, r#"{"a":"#, r#"{"a":1"#, r#"{"a":1,"#, r#"{"a" :1}"#, r#"{"a": 1}"#],
        ),
        (
            Rule::Syntax,
            &["{ }", "{,}", r#"{"a":1,}"#, r#"{"a":[1,]}"#, r#"{"a":[,]}"#, r#"{"a":[1 ]}"#, r#"{"a":[1}"#],
        ),
        (
            Rule::Syntax,
            &[
                r#"{"a":}"#,
                r#"{"a":tru}"#,
                r#"{"a":True}"#,
                r#"{"a":NaN}"#,
                r#"{"a":Infinity}"#,
                r#"{"a":-}"#,
            ],
        ),
        (
            Rule::Syntax,
            &[r#"{"a":-Infinity}"#, r#"{"a":+1}"#, r#"{"a":.5}"#, r#"{"a":"x}"#, r#"{"a":'x'}"#, "{a:1}"],
        ),
        (
            Rule::Syntax,
            &[r#"{"a":1 ,"b":1}"#, r#"{"a":1, "b":1}"#, r#"{"a":nullx}"#, r#"{"a":1x}"#, r#"{"a":"","#],
        ),
        (
            Rule::Key,
            &[r#"{"":1}"#, r#"{"A":1}"#, r#"{"1":1}"#, r#"{"_a":1}"#, r#"{"a-b":1}"#, r#"{"zh-CN":1}"#],
        ),
        (Rule::Key, &[r#"{"ä":1}"#, r#"{"\u0061":1}"#, r#"{"a"#, &format!(r#"{{"{key}":1}}"#)]),
        (
            Rule::KeyOrder,
            &[r#"{"b":1,"a":1}"#, r#"{"a":1,"a":1}"#, r#"{"aa":1,"a":1}"#, r#"{"a_":1,"a0":1}"#],
        ),
        (Rule::KeyOrder, &[r#"{"x":{"b":1,"a":1}}"#, r#"{"x":[{"a":1,"a":1}]}"#]),
        (
            Rule::Escape,
            &[
                r#"{"a":"\/"}"#,
                r#"{"a":"\u0041"}"#,
                r#"{"a":"\u0008"}"#,
                r#"{"a":"\u0009"}"#,
                r#"{"a":"\u000a"}"#,
            ],
        ),
        (
            Rule::Escape,
            &[
                r#"{"a":"\u000c"}"#,
                r#"{"a":"\u000d"}"#,
                r#"{"a":"\u000B"}"#,
                r#"{"a":"\u001F"}"#,
                r#"{"a":"\u0020"}"#,
            ],
        ),
        (
            Rule::Escape,
            &[
                r#"{"a":"\u007f"}"#,
                r#"{"a":"\ud800"}"#,
                r#"{"a":"\ud83d\ude00"}"#,
                r#"{"a":"\x"}"#,
                r#"{"a":"\u00"#,
            ],
        ),
        (Rule::Escape, &[r#"{"a":"\u0022"}"#, r#"{"a":"\u005c"}"#, r#"{"a":"\U0001"}"#, "{\"a\":\"\\"]),
        (
            Rule::Control,
            &["{\"a\":\"\n\"}", "{\"a\":\"\u{1}\"}", "{\"a\":\"\u{1f}\"}", "{\"a\":\"12345678\t\"}"],
        ),
        (Rule::Nul, &["{\"a\":\"\0\"}", r#"{"a":"\u0000"}"#]),
        (Rule::Float, &[r#"{"a":1.0}"#, r#"{"a":1e3}"#, r#"{"a":1E3}"#, r#"{"a":0.0}"#, r#"{"a":-1.5}"#]),
        (
            Rule::Integer,
            &[r#"{"a":9007199254740992}"#, r#"{"a":-9007199254740992}"#, r#"{"a":18446744073709551617}"#],
        ),
        (
            Rule::Integer,
            &[r#"{"a":-0}"#, r#"{"a":00}"#, r#"{"a":01}"#, r#"{"a":-01}"#, r#"{"a":100000000000000000}"#],
        ),
        (Rule::Depth, &[&too_deep, &too_deep_objects, &bottomless]),
    ];
    for (expected, texts) in cases {
        for text in *texts {
            assert_eq!(rule(text), Some(*expected), "{}", text.get(..60).unwrap_or(text));
        }
    }
    for bytes in [&b"{\"a\":\"\xff\"}"[..], b"{\"a\":\"\xc0\xaf\"}", b"{\"a\":\"\xed\xa0\x80\"}", b"\xff"] {
        assert_eq!(check(bytes).unwrap_err().rule, Rule::Utf8);
    }
}

#[test]
fn values_the_profile_cannot_say_are_not_written() {
    let mut deep = json!(1);
    for _ in 0..9 {
        deep = json!({"a": deep});
    }
    for (value, expected) in [
        (json!([]), Rule::NotAnObject),
        (json!({"a": 1.0}), Rule::Float),
        (json!({"a": 9_007_199_254_740_992_u64}), Rule::Integer),
        (json!({"a": -9_007_199_254_740_992_i64}), Rule::Integer),
        (json!({"a": u64::MAX}), Rule::Integer),
        (json!({"a": "\0"}), Rule::Nul),
        (json!({"A": 1}), Rule::Key),
        (json!({"a": {"zh-CN": 1}}), Rule::Key),
        (deep, Rule::Depth),
    ] {
        assert_eq!(to_bytes(&value).unwrap_err().rule, expected, "{value}");
    }
}

#[test]
fn an_escaped_field_is_indexed_by_its_value() {
    let index =
        scan(br#"{"act":"a\n\"b\"\u0001","actor":{"id":"u-1"},"obj":{"id":"x","prev":null},"pre":null}"#)
            .unwrap();
    assert_eq!(index.act.as_deref(), Some("a\n\"b\"\u{1}"));
    assert_eq!((index.actor_id.as_deref(), index.actor_role), (Some("u-1"), None));
    assert_eq!((index.obj_id.as_deref(), index.obj_prev, index.pre), (Some("x"), None, None));
}

#[test]
fn only_the_outermost_fields_are_indexed() {
    let index =
        scan(br#"{"chg":[{"act":"x"}],"source":{"act":"x","id":"y","obj":{"id":"z"},"pre":1}}"#).unwrap();
    assert_eq!(index, Default::default());
}

#[test]
fn a_field_of_the_ledgers_own_with_another_type_is_refused() {
    let upper = format!(r#"{{"post":"{}"}}"#, "AB".repeat(32));
    for text in [
        r#"{"act":1}"#,
        r#"{"act":null}"#,
        r#"{"actor":"u-1"}"#,
        r#"{"actor":{"id":1}}"#,
        r#"{"obj":[]}"#,
        r#"{"obj":{"n":-1}}"#,
        r#"{"obj":{"n":null}}"#,
        r#"{"obj":{"n":"1"}}"#,
        r#"{"obj":{"prev":"1"}}"#,
        r#"{"pre":"ab"}"#,
        r#"{"pre":1}"#,
        &upper,
    ] {
        assert_eq!(rule(text), None, "{text}");
        assert_eq!(scan(text.as_bytes()).unwrap_err().rule, Rule::Field, "{text}");
    }
}

fn object(depth: u32) -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
        "[^\0]{0,12}".prop_map(Value::from),
        "[\u{1}-\u{1f}\"\\\\/a]{0,6}".prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(depth, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z][a-z0-9_]{0,4}", inner, 0..4)
                .prop_map(|map| Value::Object(Map::from_iter(map))),
        ]
    });
    proptest::collection::btree_map("[a-z][a-z0-9_]{0,31}", value, 0..5)
        .prop_map(|map| Value::Object(Map::from_iter(map)))
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_written_is_accepted_and_is_rfc_8785(value in object(6)) {
        let bytes = to_bytes(&value).unwrap();
        prop_assert_eq!(check(&bytes), Ok(()));
        prop_assert_eq!(&serde_json_canonicalizer::to_vec(&value).unwrap(), &bytes);
    }

    #[test]
    fn a_changed_byte_is_refused_or_makes_another_canonical_text(
        value in object(4), at: proptest::sample::Index, byte: u8,
    ) {
        let mut bytes = to_bytes(&value).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        only_canonical_texts_pass(&bytes)?;
    }

    #[test]
    fn a_dropped_or_inserted_byte_is_refused_or_makes_another_canonical_text(
        value in object(3), at: proptest::sample::Index, byte in r#"[ \n0a"{}\[\],:\\-]"#, drop: bool,
    ) {
        let mut bytes = to_bytes(&value).unwrap();
        let at = at.index(bytes.len());
        if drop { bytes.remove(at); } else { bytes.insert(at, byte.as_bytes()[0]); }
        only_canonical_texts_pass(&bytes)?;
    }

    #[test]
    fn no_bytes_make_the_checker_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = scan(&bytes);
        let _ = scan(&[b"{\"a\":", &bytes[..]].concat());
    }
}

fn only_canonical_texts_pass(bytes: &[u8]) -> Result<(), TestCaseError> {
    let again = serde_json::from_slice::<Value>(bytes).ok().and_then(|value| to_bytes(&value).ok());
    prop_assert_eq!(check(bytes).is_ok(), again.as_deref() == Some(bytes));
    Ok(())
}
