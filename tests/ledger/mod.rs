//! The pure part of the ledger: vectors of the byte format, tables of what is refused, properties.

mod canon;
mod chain;
mod entry;
mod note;
mod signer;
pub mod tamper;
mod tamper_demo;
mod tile;
mod tree;
mod vectors;

use sopledger::ledger::digest::Digest;
use sopledger::ledger::entry::{EntryHead, build, leaf};

pub const ORIGIN: &str = "ledger.example.cn/main";

/// A well-formed chain of so many entries, each a microsecond after the last but every third at the same
/// instant.
pub fn sound_chain(entries: u64) -> Vec<Vec<u8>> {
    let mut prev = Digest::ZERO;
    (0..entries)
        .map(|seq| {
            let ts = format!("2026-01-02T03:04:05.{:06}Z", seq - seq % 3);
            let body = format!(r#"{{"act":"order.imported","n":{seq},"reason":"周期审查 {seq}"}}"#);
            let head = EntryHead { origin: ORIGIN, seq, prev, ts: &ts };
            let bytes = build(&head, body.as_bytes()).unwrap();
            prev = leaf(&bytes);
            bytes
        })
        .collect()
}

pub fn leaves(chain: &[Vec<u8>]) -> Vec<Digest> {
    chain.iter().map(|bytes| leaf(bytes)).collect()
}
