//! Content, packed: every text and snapshot by its SHA-256, compressed where that makes it smaller. Whoever asks gets
//! the very bytes that were kept; how they lie in the table is known here alone.

use std::cell::RefCell;

use diesel::prelude::*;
use zstd::bulk::{Compressor, Decompressor};

use super::Db;
use super::schema::content;
use crate::error::{Error, Result};

/// Texts of people and machines shrink as well at the lowest level as at the usual one, and the lane waits for it.
const LEVEL: i32 = 1;
/// Below this, a frame's own head eats what is won.
const SMALL: usize = 96;
/// What content may say that it unpacks to; four times the largest file that is taken.
const LARGEST: i64 = 64 << 20;

/// A row of `content` as it lies in the table.
#[derive(Debug, Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = content)]
pub struct ContentRow {
    /// Hex, of the bytes unpacked.
    pub sha256: String,
    /// The bytes, packed or not.
    pub bytes: Vec<u8>,
    /// The size of the bytes unpacked; none where they are not packed.
    pub unpacked: Option<i64>,
}

thread_local! {
    static PACKER: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static UNPACKER: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

impl ContentRow {
    /// Packs bytes under their digest, hex.
    ///
    /// # Errors
    /// The packer cannot be had.
    pub fn pack(sha256: String, bytes: &[u8]) -> Result<Self> {
        if bytes.len() < SMALL {
            return Ok(Self { sha256, bytes: bytes.to_vec(), unpacked: None });
        }
        let packed = PACKER.with_borrow_mut(|packer| {
            let packer = match packer {
                Some(packer) => packer,
                None => packer.insert(Compressor::new(LEVEL)?),
            };
            packer.compress(bytes)
        });
        let packed = packed.map_err(Error::internal)?;
        if packed.len() >= bytes.len() {
            return Ok(Self { sha256, bytes: bytes.to_vec(), unpacked: None });
        }
        let unpacked = i64::try_from(bytes.len()).map_err(Error::internal)?;
        Ok(Self { sha256, bytes: packed, unpacked: Some(unpacked) })
    }

    /// The bytes themselves; none where the row does not hold what it says. Whether they are the right ones only
    /// their hash tells.
    pub fn unpack(self) -> Option<Vec<u8>> {
        let Some(size) = self.unpacked else { return Some(self.bytes) };
        let size = usize::try_from(size).ok().filter(|_| size <= LARGEST)?;
        let unpacked = UNPACKER.with_borrow_mut(|unpacker| {
            let unpacker = match unpacker {
                Some(unpacker) => unpacker,
                None => unpacker.insert(Decompressor::new()?),
            };
            unpacker.decompress(&self.bytes, size)
        });
        unpacked.ok().filter(|bytes| bytes.len() == size)
    }
}

/// The bytes under a digest, hex; none where nothing is kept under it.
///
/// # Errors
/// The database does not answer, or the row does not hold what it says.
pub fn content_bytes(db: &mut Db, sha256: &str) -> Result<Option<Vec<u8>>> {
    let row: Option<ContentRow> =
        content::table.find(sha256).select(ContentRow::as_select()).first(db).optional()?;
    row.map(|row| row.unpack().ok_or_else(|| Error::internal(format!("content {sha256} does not unpack"))))
        .transpose()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_packed_unpacks_to_the_same_bytes(bytes in prop::collection::vec(0u8..4, 0..5000)) {
            let row = ContentRow::pack(String::new(), &bytes).unwrap();
            prop_assert!(row.bytes.len() <= bytes.len());
            prop_assert_eq!(row.unpack(), Some(bytes));
        }

        #[test]
        fn a_row_that_lies_about_its_size_holds_nothing(size in any::<i64>()) {
            let bytes = "一个受控文件".repeat(40).into_bytes();
            let row = ContentRow::pack(String::new(), &bytes).unwrap();
            prop_assert!(row.unpacked.is_some());
            let lying = ContentRow { unpacked: Some(size), ..row };
            let right = usize::try_from(size) == Ok(bytes.len());
            prop_assert_eq!(lying.unpack().is_some(), right);
        }
    }
}
