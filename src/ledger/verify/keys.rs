//! What entries say of keys against what this node knows of them.

use super::Outside;
use super::entries::Told;
use super::report::{Fault, Findings, Scope};
use crate::ledger::note::VerifierKey;
use crate::ledger::ring::Ring;

/// The keys that entries announced or revoked.
#[derive(Default)]
pub struct Announced(Vec<One>);

struct One {
    origin: String,
    epoch: i64,
    seq: u64,
    revoked: bool,
    key: VerifierKey,
}

impl Announced {
    /// Takes down what an entry says of a key.
    pub fn take(&mut self, origin: &str, epoch: i64, told: &mut Told) {
        if let Some((revoked, key)) = told.key.take() {
            self.0.push(One { origin: origin.to_owned(), epoch, seq: told.seq, revoked, key });
        }
    }

    /// Compares with this node's list: a key that is trusted here was announced, and one that was revoked is not
    /// trusted here any more. Only a pass over the whole knows of a key that nothing announces.
    pub fn compare(self, outside: &Outside, scope: Scope, findings: &mut Findings) {
        let mut origins: Vec<&str> = self.0.iter().map(|one| one.origin.as_str()).collect();
        let signed: Vec<&String> = outside.signed.iter().flatten().map(|(origin, _)| origin).collect();
        origins.extend(signed.iter().map(|origin| origin.as_str()));
        origins.sort_unstable();
        origins.dedup();
        for origin in origins {
            let Ok(ring) = Ring::load(&outside.folder, origin) else { continue };
            self.of(origin, &ring, scope, findings);
        }
    }

    fn of(&self, origin: &str, ring: &Ring, scope: Scope, findings: &mut Findings) {
        let said = || self.0.iter().filter(|one| one.origin == origin);
        for one in said() {
            let known = ring.of(origin).find(|known| known.vkey == one.key);
            match (known, one.revoked) {
                (None, false) => findings.cannot_check(format!(
                    "signatures: entry {} announces the key {}, which is not on this node's list",
                    one.seq, one.key
                )),
                (Some(known), true) if known.revoked.is_none_or(|revoked| revoked > one.seq) => {
                    let what = format!("the entry revokes the key {}, which is still trusted here", one.key);
                    findings
                        .add(Fault::new("key.revoked", what).at(one.seq).in_epoch(one.epoch).incomplete());
                }
                _ => {}
            }
        }
        if scope == Scope::Whole {
            let keys: Vec<_> = ring.of(origin).collect();
            // The oldest came with the ledger.
            for known in keys.iter().rev().skip(1) {
                if !said().any(|one| !one.revoked && one.key == known.vkey) {
                    let what =
                        format!("no entry has announced the key {}, which is trusted here", known.vkey);
                    findings.add(Fault::new("key.unannounced", what).incomplete());
                }
            }
        }
    }
}
