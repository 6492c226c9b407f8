//! What outside witnesses said of the checkpoints up to the pack's own, as files of the pack: `anchors/<size>.note`,
//! `<size>.tsr`, `tsa-chain.pem`.

use super::archive::Writer;
use crate::error::Result;
use crate::ledger::anchor;
use crate::store::Db;

/// Puts the time stamps over checkpoints of `epoch` of at most `checkpoint` entries.
pub fn put(db: &mut Db, out: &mut Writer, (epoch, checkpoint): (i64, u64)) -> Result<()> {
    anchor::files(db, epoch, checkpoint, |name, bytes| out.put(&format!("anchors/{name}"), &bytes))
}
