//! The clock's part: the entry that says an instant of effect has passed. It changes nothing; time alone decided.

use super::record::version_subject;
use super::store;
use super::timeline::{State, Timeline};
use crate::error::Result;
use crate::ledger::acts;
use crate::ledger::lane::{Actor, NewEntry, Tx};

/// Appends `document.version.effective` once for each version that has come into force, and says for how many.
///
/// # Errors
/// The database does not answer.
pub fn note_passed(tx: &mut Tx<'_>) -> Result<usize> {
    let now = tx.now();
    let mut noted = 0;
    for (number, version) in store::begun_unnoted(tx.read(), now)? {
        let document = store::require(tx.read(), &number)?;
        let versions = store::versions(tx.read(), &number)?;
        let timeline = Timeline::new(&versions, document.retired_from);
        let took_effect = versions
            .iter()
            .filter(|row| row.version == version)
            .any(|row| row.effective_from.is_some_and(|from| timeline.state(row, from) == State::InForce));
        if took_effect {
            let subject = version_subject(&number, &version);
            tx.append(NewEntry::new(acts::VERSION_TOOK_EFFECT, &Actor::clock()).unchanged(&subject))?;
            noted += 1;
        }
    }
    Ok(noted)
}
