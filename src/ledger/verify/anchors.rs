//! Check 5: which ranges an outside witness covers. Check 2 has compared the checkpoints with the tree; here each kept
//! stamp is held against its checkpoint, byte for byte, and its signature against the chain kept beside it.

use std::collections::HashMap;

use diesel::prelude::*;

use super::report::{Anchored, Fault, Findings};
use super::tree::HeadRow;
use crate::error::{Kind, Result};
use crate::ledger::anchor::stamp::{self, Asked, Chain, Stamp};
use crate::ledger::anchor::{self, Anchor, Part};
use crate::ledger::digest::Digest;
use crate::store::Db;
use crate::store::schema::ledger_checkpoint;

/// The ranges that sound stamps cover, epoch by epoch: each stamp the entries that no earlier one covers.
pub fn check(db: &mut Db, heads: &[HeadRow], findings: &mut Findings) -> Result<Vec<Anchored>> {
    let mut covered = Vec::new();
    let mut chains = HashMap::new();
    for head in heads {
        let mut from = 0;
        for anchor in anchor::all(db, head.epoch)? {
            let entries = u64::try_from(anchor.entries).unwrap_or(0);
            match judge(db, &anchor, &mut chains)? {
                Ok(()) if entries > from => {
                    covered.push(Anchored {
                        epoch: u64::try_from(head.epoch).ok().filter(|epoch| *epoch != 1),
                        from,
                        to: entries - 1,
                        at: anchor.stamped_at,
                        by: anchor.authority,
                        id: anchor.id,
                    });
                    from = entries;
                }
                Ok(()) => {}
                Err(what) => {
                    let fault = Fault::new("anchor.stamp", what).of(format!("anchor/{}", anchor.id));
                    findings.add(fault.in_epoch(head.epoch));
                }
            }
        }
    }
    Ok(covered)
}

type Chains = HashMap<String, Result<Chain, String>>;

/// Nothing where the stamp stands, else what is wrong with it.
fn judge(db: &mut Db, anchor: &Anchor, chains: &mut Chains) -> Result<Result<(), String>> {
    let checkpoint: Option<String> = ledger_checkpoint::table
        .find((anchor.epoch, anchor.entries))
        .select(ledger_checkpoint::note)
        .first(db)
        .optional()?;
    let Some(checkpoint) = checkpoint else {
        return Ok(Err(format!("there is no checkpoint of size {}", anchor.entries)));
    };
    let Some(note) = bytes(db, anchor, Part::Note)? else {
        return Ok(Err("the note is not kept".to_owned()));
    };
    if note != checkpoint.as_bytes() {
        return Ok(Err(format!("the stamped note is not the checkpoint of size {}", anchor.entries)));
    }
    let Some(reply) = bytes(db, anchor, Part::Reply)? else {
        return Ok(Err("the authority's reply is not kept".to_owned()));
    };
    if !chains.contains_key(anchor.sha256(Part::Chain)) {
        let read = match bytes(db, anchor, Part::Chain)? {
            Some(pem) => Chain::from_pem(&pem).map_err(|refusal| refusal.to_string()),
            None => Err("the chain is not kept".to_owned()),
        };
        chains.insert(anchor.sha256(Part::Chain).to_owned(), read);
    }
    Ok(match &chains[anchor.sha256(Part::Chain)] {
        Ok(chain) => stamped(anchor, &note, &reply, chain),
        Err(what) => Err(what.clone()),
    })
}

fn bytes(db: &mut Db, anchor: &Anchor, part: Part) -> Result<Option<Vec<u8>>> {
    match anchor::file(db, anchor, part) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == Kind::Unavailable => Err(error),
        Err(_) => Ok(None),
    }
}

fn stamped(anchor: &Anchor, note: &[u8], reply: &[u8], chain: &Chain) -> Result<(), String> {
    let asked = Asked { digest: Digest::of(note), policy: None, nonce: None };
    let said = stamp::check(reply, &asked, chain).map_err(|refusal| refusal.to_string())?;
    let kept = Stamp {
        at: anchor.stamped_at,
        authority: anchor.authority.clone(),
        policy: anchor.policy.clone(),
        serial: anchor.serial.clone(),
    };
    match said == kept {
        true => Ok(()),
        false => Err("what is kept of the stamp is not what it says".to_owned()),
    }
}
