//! Only what changed, with a little around it: long stretches that stayed the same become gaps.

use super::{Row, RowKind};

/// A part of a folded comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stretch<'a> {
    /// Rows to show.
    Rows {
        /// The Markdown heading the first row stands under, without its `#`; none before the first one.
        heading: Option<&'a str>,
        /// The rows themselves.
        rows: &'a [Row],
    },
    /// Rows that stayed the same and are left out.
    Gap {
        /// How many.
        rows: usize,
    },
}

/// Leaves out what is further than `context` rows from any change; nothing changed gives one gap.
#[must_use]
pub fn fold(rows: &[Row], context: usize) -> Vec<Stretch<'_>> {
    let shown = shown(rows, context);
    let headings = headings(rows);
    let mut stretches = Vec::new();
    let mut at = 0;
    while at < rows.len() {
        let end = (at..rows.len()).find(|&next| shown[next] != shown[at]).unwrap_or(rows.len());
        stretches.push(if shown[at] {
            Stretch::Rows { heading: headings[at], rows: &rows[at..end] }
        } else {
            Stretch::Gap { rows: end - at }
        });
        at = end;
    }
    stretches
}

fn shown(rows: &[Row], context: usize) -> Vec<bool> {
    let mut shown = vec![false; rows.len()];
    let mut covered = 0;
    for (at, row) in rows.iter().enumerate() {
        if row.kind != RowKind::Same {
            let from = at.saturating_sub(context).max(covered);
            let to = at.saturating_add(context).saturating_add(1).min(rows.len());
            shown[from..to].fill(true);
            covered = to;
        }
    }
    shown
}

/// For each row the heading above it; lines of fenced code are none.
fn headings(rows: &[Row]) -> Vec<Option<&str>> {
    let (mut current, mut in_code) = (None, false);
    let mut headings = Vec::with_capacity(rows.len());
    for row in rows {
        headings.push(current);
        let text = match (row.kind, row.new.first()) {
            (RowKind::Same, Some(span)) => span.text.as_str(),
            _ => continue,
        };
        if text.trim_start().starts_with("```") || text.trim_start().starts_with("~~~") {
            in_code = !in_code;
        }
        let words = text.trim_start_matches('#');
        if !in_code && words.len() < text.len() && words.starts_with(' ') {
            current = Some(words.trim());
        }
    }
    headings
}
