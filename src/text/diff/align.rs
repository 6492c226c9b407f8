//! Which elements of two sequences are the same: the same answer each time, in bounded time.
//!
//! Common ends are taken off, elements that only one side has are put aside, and the greedy algorithm
//! of Myers ("An O(ND) Difference Algorithm", 1986) finds the rest exactly while it needs no more than
//! [`EDITS`] steps. Beyond that the elements that occur once on each side serve as anchors (the patience
//! method), and what lies between two of them is aligned in turn; where there are none, nothing is the same.

use std::collections::HashMap;

/// Additions and removals up to which the exact algorithm is followed; its memory grows with the square.
const EDITS: usize = 1000;

/// How often a stretch may be cut at anchors before it counts as rewritten.
const CUTS: usize = 8;

/// Pairs of positions with equal elements, ascending on both sides.
pub(super) fn matches(old: &[u32], new: &[u32]) -> Vec<(usize, usize)> {
    let mut found = Vec::with_capacity(old.len().min(new.len()));
    let whole = Stretch { old, new, offset: (0, 0) };
    whole.align(CUTS, &mut found);
    found
}

#[derive(Clone, Copy)]
struct Stretch<'a> {
    old: &'a [u32],
    new: &'a [u32],
    /// Where both begin in the whole sequences.
    offset: (usize, usize),
}

impl<'a> Stretch<'a> {
    fn align(self, cuts: usize, found: &mut Vec<(usize, usize)>) {
        let head = self.old.iter().zip(self.new).take_while(|(o, n)| o == n).count();
        found.extend((0..head).map(|at| (self.offset.0 + at, self.offset.1 + at)));
        let rest = self.part((head, head), (self.old.len(), self.new.len()));
        let tail = rest.old.iter().rev().zip(rest.new.iter().rev()).take_while(|(o, n)| o == n).count();
        let (old_end, new_end) = (rest.old.len() - tail, rest.new.len() - tail);
        rest.part((0, 0), (old_end, new_end)).middle(cuts, found);
        found.extend((0..tail).map(|at| (rest.offset.0 + old_end + at, rest.offset.1 + new_end + at)));
    }

    fn part(self, from: (usize, usize), to: (usize, usize)) -> Self {
        Self {
            old: &self.old[from.0..to.0],
            new: &self.new[from.1..to.1],
            offset: (self.offset.0 + from.0, self.offset.1 + from.1),
        }
    }

    fn middle(self, cuts: usize, found: &mut Vec<(usize, usize)>) {
        let counts = self.counts();
        let shared = |element: &u32| counts.get(element).is_some_and(|(o, n)| *o > 0 && *n > 0);
        let keep = |side: &[u32]| -> Vec<usize> { (0..side.len()).filter(|&at| shared(&side[at])).collect() };
        let (old_at, new_at) = (keep(self.old), keep(self.new));
        if old_at.is_empty() || new_at.is_empty() {
            return;
        }
        let old: Vec<u32> = old_at.iter().map(|&at| self.old[at]).collect();
        let new: Vec<u32> = new_at.iter().map(|&at| self.new[at]).collect();
        if let Some(pairs) = shortest_edit(&old, &new) {
            found.extend(
                pairs.into_iter().map(|(o, n)| (self.offset.0 + old_at[o], self.offset.1 + new_at[n])),
            );
            return;
        }
        let anchors = self.anchors(&counts);
        if cuts == 0 || anchors.is_empty() {
            return;
        }
        let mut from = (0, 0);
        for anchor in anchors {
            self.part(from, anchor).align(cuts - 1, found);
            found.push((self.offset.0 + anchor.0, self.offset.1 + anchor.1));
            from = (anchor.0 + 1, anchor.1 + 1);
        }
        self.part(from, (self.old.len(), self.new.len())).align(cuts - 1, found);
    }

    fn counts(self) -> HashMap<u32, (usize, usize)> {
        let mut counts: HashMap<u32, (usize, usize)> = HashMap::new();
        self.old.iter().for_each(|e| counts.entry(*e).or_default().0 += 1);
        self.new.iter().for_each(|e| counts.entry(*e).or_default().1 += 1);
        counts
    }

    /// Elements that occur once on each side: the longest series of them that ascends on both.
    fn anchors(self, counts: &HashMap<u32, (usize, usize)>) -> Vec<(usize, usize)> {
        let unique = |e: &u32| counts.get(e) == Some(&(1, 1));
        let places: HashMap<u32, usize> =
            (0..self.new.len()).filter(|&at| unique(&self.new[at])).map(|at| (self.new[at], at)).collect();
        let candidates: Vec<(usize, usize)> =
            self.old.iter().enumerate().filter_map(|(at, e)| Some((at, *places.get(e)?))).collect();
        longest_ascending(&candidates)
    }
}

/// The longest subsequence whose second members ascend (the first ones do already).
fn longest_ascending(candidates: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut piles: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(candidates.len());
    for (at, (_, new)) in candidates.iter().enumerate() {
        let pile = piles.partition_point(|&top| candidates[top].1 < *new);
        before.push(pile.checked_sub(1).map(|left| piles[left]));
        if pile == piles.len() {
            piles.push(at);
        } else {
            piles[pile] = at;
        }
    }
    let mut chain = Vec::with_capacity(piles.len());
    let mut at = piles.last().copied();
    while let Some(index) = at {
        chain.push(candidates[index]);
        at = before[index];
    }
    chain.reverse();
    chain
}

/// Myers' greedy algorithm; none when more than [`EDITS`] additions and removals are needed.
fn shortest_edit(old: &[u32], new: &[u32]) -> Option<Vec<(usize, usize)>> {
    let limit = EDITS.min(old.len() + new.len());
    // reach[k + limit + 1]: how far the old side got on the diagonal k = old - new.
    let mut reach = vec![0_usize; 2 * limit + 3];
    let mut trace: Vec<Vec<usize>> = Vec::new();
    for edits in 0..=limit {
        trace.push(reach[limit + 1 - edits..=limit + 1 + edits].to_vec());
        for step in 0..=edits {
            let diagonal = limit + 1 + 2 * step - edits;
            let downwards = step == 0 || (step != edits && reach[diagonal - 1] < reach[diagonal + 1]);
            let mut x = if downwards { reach[diagonal + 1] } else { reach[diagonal - 1] + 1 };
            let Some(mut y) = (x + limit + 1).checked_sub(diagonal) else {
                continue;
            };
            while x < old.len() && y < new.len() && old[x] == new[y] {
                (x, y) = (x + 1, y + 1);
            }
            reach[diagonal] = x;
            if x >= old.len() && y >= new.len() {
                return Some(walk_back(&trace, (old.len(), new.len()), edits));
            }
        }
    }
    None
}

/// Follows the trace from the end to the beginning and collects the diagonal steps.
fn walk_back(trace: &[Vec<usize>], end: (usize, usize), edits: usize) -> Vec<(usize, usize)> {
    let (mut x, mut y) = end;
    let mut pairs = Vec::new();
    for edits in (1..=edits).rev() {
        // The slice of step d holds diagonals -d..=d as they stood after step d - 1.
        let reach = &trace[edits];
        let diagonal = x + edits - y;
        let downwards = diagonal == 0 || (diagonal != 2 * edits && reach[diagonal - 1] < reach[diagonal + 1]);
        let before = if downwards { diagonal + 1 } else { diagonal - 1 };
        let from_x = reach[before];
        let from_y = from_x + edits - before;
        let (start_x, start_y) = if downwards { (from_x, from_y + 1) } else { (from_x + 1, from_y) };
        while x > start_x && y > start_y {
            (x, y) = (x - 1, y - 1);
            pairs.push((x, y));
        }
        (x, y) = (from_x, from_y);
    }
    while x > 0 && y > 0 {
        (x, y) = (x - 1, y - 1);
        pairs.push((x, y));
    }
    pairs.reverse();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The length of the longest common subsequence, by the textbook.
    fn longest_common(old: &[u32], new: &[u32]) -> usize {
        let mut best = vec![vec![0; new.len() + 1]; old.len() + 1];
        for (o, a) in old.iter().enumerate() {
            for (n, b) in new.iter().enumerate() {
                best[o + 1][n + 1] = if a == b { best[o][n] + 1 } else { best[o][n + 1].max(best[o + 1][n]) };
            }
        }
        best[old.len()][new.len()]
    }

    proptest! {
        #[test]
        fn the_alignment_is_ascending_and_as_long_as_possible(
            old in proptest::collection::vec(0_u32..6, 0..40),
            new in proptest::collection::vec(0_u32..6, 0..40),
        ) {
            let pairs = matches(&old, &new);
            prop_assert!(pairs.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 < w[1].1));
            prop_assert!(pairs.iter().all(|&(o, n)| old[o] == new[n]));
            prop_assert_eq!(pairs.len(), longest_common(&old, &new));
        }
    }

    #[test]
    fn past_the_limit_of_edits_unique_elements_still_hold_the_texts_together() {
        let block = |salt: u32| (0..2000).map(move |at| (at * 7 + salt * 13 + at * at) % 50);
        let old: Vec<u32> = block(1).chain([1000]).chain(block(2)).collect();
        let new: Vec<u32> = block(3).chain([1000]).chain(block(4)).collect();
        assert!(matches(&old, &new).contains(&(2000, 2000)));
    }
}
