//! What outside witnesses said of the checkpoints up to the pack's own, as files of the pack: `anchors/<size>.note`,
//! `<size>.tsr`, `tsa-chain.pem`.

use super::archive::Writer;
use super::layout::Area;
use crate::error::Result;
use crate::ledger::anchor;
use crate::store::Db;

/// Puts the time stamps over checkpoints of `epoch` of at most `checkpoint` entries.
pub fn put(db: &mut Db, out: &mut Writer, area: Area, (epoch, checkpoint): (i64, u64)) -> Result<()> {
    let put = |name: &str, bytes: Vec<u8>| out.put(&area.file(&format!("anchors/{name}")), &bytes);
    anchor::files(db, epoch, checkpoint, put)
}
