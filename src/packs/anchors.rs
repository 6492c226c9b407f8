//! What outside witnesses said of the checkpoint, as files of the pack: `anchors/<size>.note`, `<size>.tsr`,
//! `tsa-chain.pem`.

use super::archive::Writer;
use crate::error::Result;
use crate::store::Db;

/// Puts the anchors that cover the pack's checkpoint. The one place where a kind of witness adds its files; none is
/// kept yet.
pub fn put(_db: &mut Db, _out: &mut Writer, _checkpoint: u64) -> Result<()> {
    Ok(())
}
