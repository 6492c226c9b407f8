//! The drawings of late: a bounded number, the least recently used goes first.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::{Diagram, DiagramFault};

type Drawn = Result<Arc<Diagram>, DiagramFault>;

/// How many drawings are kept; each is some ten kilobytes.
const MOST: usize = 256;

#[derive(Default)]
struct Kept {
    drawings: HashMap<[u8; 32], (u64, Drawn)>,
    /// Counts uses; the greater number was used later.
    turn: u64,
}

static KEPT: LazyLock<Mutex<Kept>> = LazyLock::new(Mutex::default);

pub(super) fn get(key: &[u8; 32]) -> Option<Drawn> {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.turn += 1;
    let turn = kept.turn;
    let (used, drawn) = kept.drawings.get_mut(key)?;
    *used = turn;
    Some(drawn.clone())
}

pub(super) fn put(key: [u8; 32], drawn: Drawn) {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.turn += 1;
    let turn = kept.turn;
    kept.drawings.insert(key, (turn, drawn));
    if kept.drawings.len() > MOST {
        let oldest = kept.drawings.iter().min_by_key(|(_, (used, _))| *used);
        if let Some(oldest) = oldest.map(|(key, _)| *key) {
            kept.drawings.remove(&oldest);
        }
    }
}
