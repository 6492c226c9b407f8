//! Check 2, once more: the checkpoints that sealed records speak of. One that was signed may be lost to a crash before it is
//! kept, so a gap alone proves nothing; but a pack is made with a checkpoint that is kept already, and its entry comes later.
//! A stamp's checkpoint is looked for with the stamp (check 5).

use diesel::prelude::*;

use super::report::{Fault, Findings};
use crate::error::Result;
use crate::ledger::acts::PACK_MADE;
use crate::store::Db;
use crate::store::schema::{ledger_checkpoint, ledger_entry, pack};

/// Names packs whose checkpoint is no longer kept.
pub fn check(db: &mut Db, findings: &mut Findings) -> Result<()> {
    let packs: Vec<(String, i64)> =
        pack::table.order((pack::made_at, pack::id)).select((pack::id, pack::checkpoint)).load(db)?;
    for (id, size) in packs {
        let made = ledger_entry::table.filter(ledger_entry::obj_kind.eq("pack"));
        let made = made.filter(ledger_entry::obj_id.eq(&id).and(ledger_entry::act.eq(PACK_MADE.name)));
        let epoch: Option<i64> = made.select(ledger_entry::epoch).first(db).optional()?;
        // A pack without its entry is named as a record without one.
        let Some(epoch) = epoch else { continue };
        let kept: i64 = ledger_checkpoint::table.find((epoch, size)).count().get_result(db)?;
        if kept == 0 {
            let what = format!(
                "the checkpoint over {size} entries, to which the proofs of a pack lead, is not kept"
            );
            let fault = Fault::new("checkpoint.missing", what).of(format!("pack/{id}"));
            findings.add(fault.in_epoch(epoch));
        }
    }
    Ok(())
}
