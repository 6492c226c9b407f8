//! Numbers with their units, as they stand in procedures: `2–8℃`, `15 分钟`, `1,000 mg`, `≤ 60 %`.
//!
//! The comparison keeps such a quantity whole ("30 分钟" became "15 分钟", not "30" became "15"), and
//! the reading page doesn't break a line inside one.

/// Longest first where one is the beginning of another.
const UNITS: &[&str] = &[
    "个工作日",
    "工作日",
    "个月",
    "小时",
    "分钟",
    "星期",
    "℃",
    "℉",
    "°C",
    "°F",
    "摄氏度",
    "％",
    "%",
    "‰",
    "秒",
    "天",
    "日",
    "周",
    "月",
    "年",
    "度",
    "次",
    "件",
    "箱",
    "盒",
    "支",
    "瓶",
    "袋",
    "片",
    "粒",
    "份",
    "人",
    "批",
    "页",
    "元",
    "级",
    "倍",
    "米",
    "升",
    "毫升",
    "毫克",
    "千克",
    "公斤",
    "克",
    "working days",
    "minutes",
    "minute",
    "months",
    "month",
    "hours",
    "hour",
    "years",
    "year",
    "weeks",
    "week",
    "days",
    "day",
    "seconds",
    "second",
    "mmol",
    "mg",
    "kg",
    "μg",
    "µg",
    "ug",
    "ng",
    "g",
    "mL",
    "ml",
    "μL",
    "µL",
    "L",
    "mm",
    "cm",
    "km",
    "m³",
    "m²",
    "m",
    "min",
    "h",
    "s",
    "Pa",
    "kPa",
    "IU",
    "GB",
    "MB",
    "KB",
    "kB",
    "Hz",
    "kW",
    "W",
    "V",
    "A",
    "°",
];

/// A quantity at the beginning of a text: lengths in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quantity {
    /// Number or range, blank and unit together.
    pub(crate) len: usize,
    /// A unit was found.
    pub(crate) has_unit: bool,
    /// The unit follows the number without a blank.
    pub(crate) unit_is_attached: bool,
}

/// Reads the quantity with which `text` begins, if it begins with a digit.
pub(crate) fn quantity(text: &str) -> Option<Quantity> {
    let mut end = number(text)?;
    if let Some((mark, rest)) = range_mark(&text[end..])
        && let Some(second) = number(rest)
    {
        end += mark + second;
    }
    let rest = &text[end..];
    let blank =
        rest.chars().next().filter(|c| matches!(c, ' ' | '\u{a0}' | '\u{202f}')).map_or(0, char::len_utf8);
    let unit = unit(&rest[blank..]);
    Some(Quantity {
        len: end + unit.map_or(0, |unit| blank + unit),
        has_unit: unit.is_some(),
        unit_is_attached: unit.is_some() && blank == 0,
    })
}

/// Digits with `.`, `,` or narrow blanks between groups.
fn number(text: &str) -> Option<usize> {
    let mut end = 0;
    loop {
        let digits = text[end..].find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len() - end);
        if digits == 0 {
            break;
        }
        end += digits;
        let mut rest = text[end..].chars();
        match (rest.next(), rest.next()) {
            (Some(c @ ('.' | ',' | '\u{202f}')), Some(d)) if d.is_ascii_digit() => {
                end += c.len_utf8();
            }
            _ => break,
        }
    }
    (end > 0).then_some(end)
}

/// `–`, `-`, `~`, `～` or `至` between two numbers; gives its length and what follows, a sign skipped.
fn range_mark(text: &str) -> Option<(usize, &str)> {
    let mark = text.chars().next().filter(|c| matches!(c, '–' | '-' | '~' | '～' | '至' | '−'))?;
    Some((mark.len_utf8(), &text[mark.len_utf8()..]))
}

fn unit(text: &str) -> Option<usize> {
    let best = UNITS.iter().filter(|unit| text.starts_with(**unit)).max_by_key(|unit| unit.len())?;
    let continues = text[best.len()..].chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    let is_word = best.ends_with(|c: char| c.is_ascii_alphabetic());
    (!(is_word && continues)).then_some(best.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_units() {
        for (text, whole) in [
            ("2–8℃，", "2–8℃"),
            ("15 分钟内", "15 分钟"),
            ("30分钟", "30分钟"),
            ("2-8°C.", "2-8°C"),
            ("1,000.5 mg/d", "1,000.5 mg"),
            ("100%的", "100%"),
            ("3 个工作日内", "3 个工作日"),
            ("5 minutes or", "5 minutes"),
            ("12 mgs", "12"),
            ("7 天", "7 天"),
            ("2.1", "2.1"),
            ("5. 然后", "5"),
            ("2026年", "2026年"),
            ("8 至", "8"),
            ("2至8℃", "2至8℃"),
        ] {
            assert_eq!(&text[..quantity(text).expect("a digit leads").len], whole);
        }
        assert_eq!(quantity("℃"), None);
        assert_eq!(quantity(""), None);
    }

    #[test]
    fn an_attached_unit_is_told_from_one_after_a_blank() {
        let of = |text| quantity(text).map(|q| (q.has_unit, q.unit_is_attached));
        assert_eq!(of("8℃"), Some((true, true)));
        assert_eq!(of("8 ℃"), Some((true, false)));
        assert_eq!(of("8 x"), Some((false, false)));
    }
}
