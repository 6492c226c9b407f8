use super::*;
use proptest::prelude::*;

fn side(rows: &[Row], of: impl Fn(&Row) -> (Option<usize>, &[Span])) -> Vec<(usize, String)> {
    rows.iter()
        .filter_map(|row| {
            let (line, spans) = of(row);
            Some((line?, spans.iter().map(|span| span.text.as_str()).collect()))
        })
        .collect()
}

fn text(lines: &[(usize, String)]) -> String {
    let texts: Vec<&str> = lines.iter().map(|(_, text)| text.as_str()).collect();
    texts.join("\n")
}

fn marked(spans: &[Span]) -> String {
    spans
        .iter()
        .map(|span| if span.changed { format!("[{}]", span.text) } else { span.text.clone() })
        .collect()
}

fn only_change(comparison: &Comparison) -> (String, String) {
    let changed: Vec<_> = comparison.rows.iter().filter(|row| row.kind == RowKind::Changed).collect();
    assert_eq!(changed.len(), 1, "{:?}", comparison.rows);
    (marked(&changed[0].old), marked(&changed[0].new))
}

#[test]
fn a_changed_limit_is_marked_with_its_unit_and_nothing_else() {
    let old = "# 测温\n\n收货时温度应在 2–10℃，30 分钟内移入冷库待验区。\n";
    let new = "# 测温\n\n收货时温度应在 2–8℃，15 分钟内移入冷库待验区。时限自车门开启起计算。\n";
    let comparison = compare(old, new);
    assert_eq!((comparison.added, comparison.removed, comparison.changed), (0, 0, 1));
    assert!(!comparison.unchanged);
    let (old, new) = only_change(&comparison);
    assert_eq!(old, "收货时温度应在 [2–10℃]，[30 分钟]内移入冷库待验区。");
    assert_eq!(new, "收货时温度应在 [2–8℃]，[15 分钟]内移入冷库待验区。[时限自车门开启起计算。]");
}

#[test]
fn words_put_into_a_line_are_marked_as_such() {
    let (old, new) = only_change(&compare(
        "随货同行单应与采购订单一致，至少核对品名、规格、批号与数量。",
        "随货同行单应与 SAP 采购订单一致，至少核对品名、规格、批号（CHARG）、数量与上市许可持有人。",
    ));
    assert_eq!(old, "随货同行单应与采购订单一致，至少核对品名、规格、批号[与]数量。");
    assert_eq!(
        new,
        "随货同行单应与[ SAP ]采购订单一致，至少核对品名、规格、批号[（CHARG）、]数量[与上市许可持有人]。"
    );
}

#[test]
fn one_character_is_found_in_a_line_of_twenty_thousand() {
    let line: String = (0..20_000_u32)
        .map(|at| char::from_u32(0x4e00 + at * 7919 % 20_000).expect("a Han character"))
        .collect();
    let mut characters: Vec<char> = line.chars().collect();
    for at in [100, 7_000, 19_500] {
        characters[at] = '改';
    }
    let changed: String = characters.into_iter().collect();
    let (_, new) = only_change(&compare(&line, &changed));
    assert_eq!(new.matches("[改]").count(), 3, "each place on its own");
    assert_eq!(new.matches('[').count(), 3, "and no other");
}

#[test]
fn lines_added_and_removed_are_counted_without_blank_ones() {
    let comparison =
        compare("一\n\n超过时限但温度正常的，可由班组长决定入库。\n", "一\n\n任何人不得口头放行\n\n\n新增\n");
    assert_eq!((comparison.added, comparison.removed, comparison.changed), (2, 1, 0));
}

#[test]
fn the_same_text_is_said_to_be_unchanged() {
    let comparison = compare("一\n二\n", "一\n二\n");
    assert!(comparison.unchanged);
    assert_eq!((comparison.added, comparison.removed, comparison.changed), (0, 0, 0));
    assert_eq!(comparison.rows.len(), 2);
    assert!(!compare("一\n", "一").unchanged, "a missing line end is a change of the bytes");
    assert!(compare("", "").unchanged);
}

#[test]
fn folding_keeps_the_change_with_its_heading_and_counts_the_rest() {
    let old: String =
        (1..=20).map(|at| if at == 5 { "## 4.2 测温\n".into() } else { format!("第{at}行\n") }).collect();
    let new = old.replace("第12行", "第12行改为新的要求");
    let comparison = compare(&old, &new);
    let parts = fold(&comparison.rows, 2);
    assert_eq!(parts.len(), 3);
    assert_eq!(parts[0], Stretch::Gap { rows: 9 });
    let Stretch::Rows { heading, rows } = &parts[1] else { panic!("{parts:?}") };
    assert_eq!(*heading, Some("4.2 测温"));
    assert_eq!(rows.iter().filter_map(|row| row.new_line).collect::<Vec<_>>().first(), Some(&10));
    assert_eq!(parts[2], Stretch::Gap { rows: comparison.rows.len() - 9 - rows.len() });
    assert_eq!(fold(&compare("a\nb", "a\nb").rows, 3), [Stretch::Gap { rows: 2 }]);
}

fn holds(old: &str, new: &str) {
    let comparison = compare(old, new);
    let old_side = side(&comparison.rows, |row| (row.old_line, &row.old));
    let new_side = side(&comparison.rows, |row| (row.new_line, &row.new));
    let (old_trimmed, new_trimmed) = match (old.strip_suffix('\n'), new.strip_suffix('\n')) {
        (Some(old), Some(new)) => (old, new),
        _ => (old, new),
    };
    assert_eq!(text(&old_side), old_trimmed);
    assert_eq!(text(&new_side), new_trimmed);
    for lines in [&old_side, &new_side] {
        assert!(lines.iter().enumerate().all(|(at, (line, _))| *line == at + 1));
    }
    for row in &comparison.rows {
        let same = |spans: &[Span]| -> String {
            spans.iter().filter(|span| !span.changed).map(|span| span.text.as_str()).collect()
        };
        assert_eq!(same(&row.old), same(&row.new), "what is unmarked is common");
        match row.kind {
            RowKind::Same => assert_eq!(row.old, row.new),
            RowKind::Changed => assert_ne!(row.old, row.new),
            RowKind::Added => assert!(row.old.is_empty() && row.old_line.is_none()),
            RowKind::Removed => assert!(row.new.is_empty() && row.new_line.is_none()),
        }
    }
    assert_eq!(compare(old, new), comparison, "the answer depends on the texts alone");
}

proptest! {
    #[test]
    fn the_rows_hold_both_texts(old in "[一二三四五a-c0-9 ，。\n℃–]{0,80}", new in "[一二三四五a-c0-9 ，。\n℃–]{0,80}") {
        holds(&old, &new);
    }

    #[test]
    fn the_rows_hold_any_texts(old in "\\PC{0,60}", new in "\\PC{0,60}") {
        holds(&old, &new);
    }
}

/// Sixty kilobytes that look like a procedure, different for each salt.
fn long_text(salt: u32) -> String {
    let mut text = String::new();
    let mut seed = salt.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        seed
    };
    while text.len() < 60_000 {
        for _ in 0..40 + next() % 60 {
            text.push(char::from_u32(0x4e00 + next() % 600).expect("a Han character"));
        }
        text.push_str("。\n");
    }
    text
}

#[test]
fn two_long_texts_without_a_common_line_are_compared_in_bounded_time() {
    let (old, new) = (long_text(1), long_text(2));
    let start = std::time::Instant::now();
    holds(&old, &new);
    let joined = (old.replace('\n', ""), new.replace('\n', ""));
    holds(&joined.0, &joined.1);
    // Four comparisons without optimisation; 300 ms each when optimised is measured apart.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
