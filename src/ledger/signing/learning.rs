//! What entries say of keys: a key that one announces is trusted because a trusted key has signed that entry.

use diesel::prelude::*;

use crate::error::Result;
use crate::ledger::acts;
use crate::ledger::entry::{self, parse};
use crate::ledger::ring::Ring;
use crate::ledger::rotation::{file_of, vkey_in};
use crate::ledger::signer::Head;
use crate::ledger::store::{index, node};
use crate::ledger::tree::{inclusion_proof, verify_inclusion};
use crate::store::Db;
use crate::store::schema::ledger_entry;

/// Takes what the entries from `from` up to the signed head say into the ring; whether there was anything new.
///
/// # Errors
/// The database does not answer.
pub fn learn(
    db: &mut Db,
    (epoch, origin): (i64, &str),
    (from, head): (u64, Head),
    ring: &mut Ring,
) -> Result<bool> {
    let acts = [acts::KEY_ROTATED.name, acts::KEY_REVOKED.name];
    let rows: Vec<(i64, String, Vec<u8>)> = ledger_entry::table
        .filter(ledger_entry::epoch.eq(epoch).and(ledger_entry::act.eq_any(acts)))
        .filter(ledger_entry::seq.ge(index(from)?).and(ledger_entry::seq.lt(index(head.size)?)))
        .order(ledger_entry::seq)
        .select((ledger_entry::seq, ledger_entry::act, ledger_entry::entry))
        .load(db)?;
    let mut new = false;
    for (seq, act, bytes) in rows {
        let seq = u64::try_from(seq).unwrap_or_default();
        let proof = inclusion_proof(seq, head.size, |level, at| node(db, epoch, level, at))?;
        if !proof.is_some_and(|proof| verify_inclusion(&proof, &entry::leaf(&bytes), &head.root)) {
            continue;
        }
        let named = parse(&bytes).ok().and_then(|entry| vkey_in(entry.body));
        let Some(vkey) = named.filter(|vkey| vkey.name() == origin) else { continue };
        let known = ring.of(origin).find(|known| known.vkey == vkey).cloned();
        if act == acts::KEY_ROTATED.name && known.is_none() {
            let file = file_of(&vkey);
            ring.lead(vkey, &file, None);
            new = true;
        } else if act == acts::KEY_REVOKED.name && known.is_some_and(|known| known.revoked.is_none()) {
            ring.revoke(&vkey, seq);
            new = true;
        }
    }
    Ok(new)
}
