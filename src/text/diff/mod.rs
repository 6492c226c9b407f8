//! The difference between two texts, as a reviewer reads it: paragraphs first, then words inside them.
//!
//! Lines are aligned; where a line was rewritten its old and its new form become one [`Row`] with the
//! changed [`Span`]s marked. The smallest part that can be marked is a Han character, a Latin word, or a
//! number with its unit: "30 分钟" became "15 分钟", never "30" became "15".
//!
//! The answer depends on the two texts alone, not on the clock or the load, because a comparison may be
//! signed. Work is bounded by counts: past them a stretch is marked as changed as a whole.
//! Rows hold both texts completely: the `old` spans joined by line feeds are the old text, the `new`
//! spans the new one (a line feed that ends both is left out).

mod align;
mod fold;
mod tokens;

use std::collections::HashMap;

pub use fold::{Stretch, fold};
pub(crate) use tokens::is_han;
use tokens::tokens;

/// Two lines are one changed line when at least this part of their words is common (Dice, in percent).
const LIKENESS: usize = 40;

/// The work, in words looked at, up to which all pairs of a block's lines are weighed; beyond it lines are
/// paired in their order.
const WEIGHING: usize = 6_000_000;

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// It stands in both texts.
    Same,
    /// It was rewritten: both forms are in the row.
    Changed,
    /// Only the new text has it.
    Added,
    /// Only the old text has it.
    Removed,
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The other text doesn't have it here.
    pub changed: bool,
    /// The piece itself, unescaped.
    pub text: String,
}

/// One line of the comparison. Line numbers count from 1 in each text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number in the old text; none when added.
    pub old_line: Option<usize>,
    /// Its number in the new text; none when removed.
    pub new_line: Option<usize>,
    /// What became of it.
    pub kind: RowKind,
    /// The old form; empty when added.
    pub old: Vec<Span>,
    /// The new form; empty when removed.
    pub new: Vec<Span>,
}

/// The whole difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// Both texts are the same, byte for byte: only title or other properties can have changed.
    pub unchanged: bool,
    /// Lines only the new text has; blank ones aren't counted.
    pub added: usize,
    /// Lines only the old text has; blank ones aren't counted.
    pub removed: usize,
    /// Lines that were rewritten.
    pub changed: usize,
    /// All lines of both texts in order.
    pub rows: Vec<Row>,
}

/// Compares two texts with LF line ends.
#[must_use]
pub fn compare(old: &str, new: &str) -> Comparison {
    let (old_lines, new_lines) = lines(old, new);
    let (old_ids, new_ids) = numbered(&old_lines, &new_lines);
    let mut rows = Vec::with_capacity(old_lines.len().max(new_lines.len()));
    let (mut o, mut n) = (0, 0);
    let ends = (old_lines.len(), new_lines.len());
    for (same_old, same_new) in align::matches(&old_ids, &new_ids).into_iter().chain([ends]) {
        let block =
            Block { old: &old_lines[o..same_old], new: &new_lines[n..same_new], first: (o + 1, n + 1) };
        block.rows(&mut rows);
        if same_old < old_lines.len() {
            rows.push(row(
                RowKind::Same,
                Some((same_old + 1, whole(old_lines[same_old], false))),
                Some((same_new + 1, whole(new_lines[same_new], false))),
            ));
        }
        (o, n) = (same_old + 1, same_new + 1);
    }
    let count = |kind| {
        let shown = |row: &&Row| row.kind == kind && !is_blank(row);
        rows.iter().filter(shown).count()
    };
    Comparison {
        unchanged: old == new,
        added: count(RowKind::Added),
        removed: count(RowKind::Removed),
        changed: count(RowKind::Changed),
        rows,
    }
}

/// The lines of both texts; the line feed that ends both doesn't begin another line.
fn lines<'t>(old: &'t str, new: &'t str) -> (Vec<&'t str>, Vec<&'t str>) {
    let (old, new) = match (old.strip_suffix('\n'), new.strip_suffix('\n')) {
        (Some(old), Some(new)) => (old, new),
        _ => (old, new),
    };
    (old.split('\n').collect(), new.split('\n').collect())
}

/// Equal pieces get equal numbers, so that they are compared in one step.
fn numbered<'t>(old: &[&'t str], new: &[&'t str]) -> (Vec<u32>, Vec<u32>) {
    let mut known: HashMap<&'t str, u32> = HashMap::with_capacity(old.len());
    let mut number = |piece: &&'t str| {
        let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
        *known.entry(piece).or_insert(next)
    };
    (old.iter().map(&mut number).collect(), new.iter().map(&mut number).collect())
}

/// Lines between two that stand in both texts.
struct Block<'t> {
    old: &'t [&'t str],
    new: &'t [&'t str],
    /// Line numbers of the first old and the first new line.
    first: (usize, usize),
}

impl<'t> Block<'t> {
    fn rows(&self, rows: &mut Vec<Row>) {
        let (mut o, mut n) = (0, 0);
        let ends = (self.old.len(), self.new.len());
        for (pair_old, pair_new) in self.pairs().into_iter().chain([ends]) {
            for (at, line) in self.old[o..pair_old].iter().enumerate() {
                let removed = Some((self.first.0 + o + at, whole(line, true)));
                rows.push(row(RowKind::Removed, removed, None));
            }
            for (at, line) in self.new[n..pair_new].iter().enumerate() {
                let added = Some((self.first.1 + n + at, whole(line, true)));
                rows.push(row(RowKind::Added, None, added));
            }
            if (pair_old, pair_new) != ends {
                let (old, new) = spans(self.old[pair_old], self.new[pair_new]);
                rows.push(row(
                    RowKind::Changed,
                    Some((self.first.0 + pair_old, old)),
                    Some((self.first.1 + pair_new, new)),
                ));
            }
            (o, n) = (pair_old + 1, pair_new + 1);
        }
    }

    /// Which old line became which new one: in order, with the greatest likeness in sum.
    fn pairs(&self) -> Vec<(usize, usize)> {
        let (height, width) = (self.old.len(), self.new.len());
        if height == 0 || width == 0 {
            return Vec::new();
        }
        let mut known = HashMap::new();
        let mut words = |line: &&'t str| Words::of(line, &mut known);
        let old: Vec<_> = self.old.iter().map(&mut words).collect();
        let new: Vec<_> = self.new.iter().map(&mut words).collect();
        let work = |side: &[Words], times| {
            (side.iter().map(|words| words.0.len()).sum::<usize>() + side.len()) * times
        };
        if work(&old, width) + work(&new, height) > WEIGHING {
            return (0..height.min(width))
                .filter(|&at| old[at].likeness(&new[at]) >= LIKENESS)
                .map(|at| (at, at))
                .collect();
        }
        let likeness = |o: usize, n: usize| {
            let percent = old[o].likeness(&new[n]);
            if percent >= LIKENESS { percent } else { 0 }
        };
        // best[o][n]: the greatest sum for the lines from o and from n on.
        let mut best = vec![vec![0_usize; width + 1]; height + 1];
        let mut weight = vec![vec![0_usize; width]; height];
        for o in (0..height).rev() {
            for n in (0..width).rev() {
                weight[o][n] = likeness(o, n);
                let paired = match weight[o][n] {
                    0 => 0,
                    percent => best[o + 1][n + 1] + percent,
                };
                best[o][n] = paired.max(best[o + 1][n]).max(best[o][n + 1]);
            }
        }
        let (mut o, mut n, mut pairs) = (0, 0, Vec::new());
        while o < height && n < width {
            if weight[o][n] > 0 && best[o][n] == best[o + 1][n + 1] + weight[o][n] {
                pairs.push((o, n));
                (o, n) = (o + 1, n + 1);
            } else if best[o][n] == best[o + 1][n] {
                o += 1;
            } else {
                n += 1;
            }
        }
        pairs
    }
}

/// The words of a line as a sorted bag of numbers, to weigh how alike two lines are.
struct Words(Vec<usize>);

impl Words {
    fn of<'t>(line: &'t str, known: &mut HashMap<&'t str, usize>) -> Self {
        let mut words: Vec<_> = tokens(line)
            .into_iter()
            .filter(|word| word.chars().any(char::is_alphanumeric))
            .map(|word| {
                let next = known.len();
                *known.entry(word).or_insert(next)
            })
            .collect();
        words.sort_unstable();
        Self(words)
    }

    /// Common words of both, in percent of all.
    fn likeness(&self, other: &Self) -> usize {
        let all = self.0.len() + other.0.len();
        if all == 0 || 2 * self.0.len().min(other.0.len()) * 100 < LIKENESS * all {
            return 0;
        }
        let (mut a, mut b, mut common) = (0, 0, 0);
        while a < self.0.len() && b < other.0.len() {
            match self.0[a].cmp(&other.0[b]) {
                std::cmp::Ordering::Less => a += 1,
                std::cmp::Ordering::Greater => b += 1,
                std::cmp::Ordering::Equal => {
                    (a, b, common) = (a + 1, b + 1, common + 1);
                }
            }
        }
        200 * common / all
    }
}

/// The changed pieces of a rewritten line.
fn spans(old: &str, new: &str) -> (Vec<Span>, Vec<Span>) {
    let (old_tokens, new_tokens) = (tokens(old), tokens(new));
    let (old_ids, new_ids) = numbered(&old_tokens, &new_tokens);
    let matches = readable(align::matches(&old_ids, &new_ids), &old_tokens, new_tokens.len());
    let matches = slid(matches, &old_tokens, &new_tokens);
    let (mut old_same, mut new_same) = (vec![false; old_tokens.len()], vec![false; new_tokens.len()]);
    for (o, n) in matches {
        (old_same[o], new_same[n]) = (true, true);
    }
    (joined(&old_tokens, &old_same), joined(&new_tokens, &new_same))
}

/// Drops agreements that only look like some: a single Han character, blank or mark between two rewritten pieces.
fn readable(matches: Vec<(usize, usize)>, old: &[&str], new_len: usize) -> Vec<(usize, usize)> {
    let mut kept = Vec::with_capacity(matches.len());
    let mut at = 0;
    while at < matches.len() {
        let mut end = at + 1;
        while end < matches.len() && matches[end] == (matches[end - 1].0 + 1, matches[end - 1].1 + 1) {
            end += 1;
        }
        let before = at.checked_sub(1).map_or((0, 0), |last| (matches[last].0 + 1, matches[last].1 + 1));
        let after = matches.get(end).copied().unwrap_or((old.len(), new_len));
        let last = matches[end - 1];
        let changed_before = (matches[at].0 - before.0) + (matches[at].1 - before.1);
        let changed_after = (after.0 - last.0 - 1) + (after.1 - last.1 - 1);
        let is_chance = end - at == 1
            && old[matches[at].0].chars().count() == 1
            && changed_before >= 2
            && changed_after >= 2
            && changed_before + changed_after >= 6;
        if !is_chance {
            kept.extend_from_slice(&matches[at..end]);
        }
        at = end;
    }
    kept
}

/// An added or removed "。时限起算" before "。" is rather "时限起算。" after it: a piece ends with its mark.
fn slid(mut matches: Vec<(usize, usize)>, old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    let mut next = (0, 0);
    for pair in &mut matches {
        let is_mark = !old[pair.0].chars().any(char::is_alphanumeric);
        if is_mark && pair.0 == next.0 && new[next.1] == new[pair.1] {
            pair.1 = next.1;
        } else if is_mark && pair.1 == next.1 && old[next.0] == old[pair.0] {
            pair.0 = next.0;
        }
        next = (pair.0 + 1, pair.1 + 1);
    }
    matches
}

fn joined(tokens: &[&str], same: &[bool]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for (token, same) in tokens.iter().zip(same) {
        match spans.last_mut() {
            Some(span) if span.changed != *same => span.text.push_str(token),
            _ => spans.push(Span { changed: !same, text: (*token).to_owned() }),
        }
    }
    spans
}

fn whole(line: &str, changed: bool) -> Vec<Span> {
    if line.is_empty() {
        return Vec::new();
    }
    vec![Span { changed, text: line.to_owned() }]
}

type Side = Option<(usize, Vec<Span>)>;

fn row(kind: RowKind, old: Side, new: Side) -> Row {
    let (old_line, old) = old.map_or((None, Vec::new()), |(line, spans)| (Some(line), spans));
    let (new_line, new) = new.map_or((None, Vec::new()), |(line, spans)| (Some(line), spans));
    Row { old_line, new_line, kind, old, new }
}

fn is_blank(row: &Row) -> bool {
    let blank = |spans: &[Span]| spans.iter().all(|span| span.text.trim().is_empty());
    blank(&row.old) && blank(&row.new)
}

#[cfg(test)]
mod tests;
