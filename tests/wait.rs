//! Waiting for what is about to be: looks again and again, and never longer than a deadline.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// A slow machine with much else to do may take this long.
pub const PATIENCE: Duration = Duration::from_secs(120);
const BETWEEN: Duration = Duration::from_millis(20);

/// What `look` finds at last; what it saw instead is told where it finds nothing in time.
#[track_caller]
pub fn until<T, S: Display>(mut look: impl FnMut() -> Result<T, S>) -> T {
    let began = Instant::now();
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) => assert!(began.elapsed() < PATIENCE, "waited in vain: {seen}"),
        }
        std::thread::park_timeout(BETWEEN);
    }
}

/// Waits for a condition, which is named where it does not come.
#[track_caller]
pub fn until_it_holds(what: &str, holds: impl Fn() -> bool) {
    until(|| if holds() { Ok(()) } else { Err(what) });
}
