//! The ledger: entries in one hash chain and one RFC 6962 tree, the snapshots they seal, checkpoints, verification.
//!
//! Most of it is pure: bytes in, bytes and verdicts out, so that an outsider's verifier and ours can only agree or
//! find a fault. [`lane`] is the one way to write; [`subject`] is what a feature tells so that its records can be
//! sealed and checked; only `key`, `ring`, `signer` and what rests on them touch files.
//! [`anchor`] keeps what outside witnesses have stamped.

pub mod acts;
pub mod anchor;
pub mod canon;
pub mod chain;
pub mod digest;
pub mod entry;
pub mod epochs;
pub mod folder;
pub mod key;
pub mod lane;
pub mod note;
pub mod parallel;
pub mod proof;
pub mod recovery;
pub mod ring;
pub mod rotation;
pub mod sealed;
pub mod signer;
pub mod signing;
pub mod site;
pub mod store;
pub mod subject;
pub mod tile;
pub mod tombstone;
pub mod tree;
pub mod verify;
