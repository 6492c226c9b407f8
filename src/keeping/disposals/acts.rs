//! The acts of a disposal: proposed, withdrawn, refused, or signed and carried out in one transaction.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::grounds::{Ground, Named, Obstacle};
use super::record::{
    APPROVED, CARRIED_OUT, Disposal, DisposalState, Item, KIND, MOST, PREFIX, PROPOSED, REFUSED, TURNED_DOWN,
    WITHDRAWN, subject,
};
use super::store;
use crate::error::{Error, FieldError, Kind, Result};
use crate::keeping::keepers::{Keeping, Now};
use crate::ledger::acts;
use crate::ledger::digest::Digest;
use crate::ledger::lane::{Actor, NewEntry, Tx};
use crate::ledger::subject::Subject;
use crate::ledger::tombstone::{self, Going};
use crate::records::kind::digest_seen;
use crate::records::numbering;
use crate::signatures::{self, Signer};
use crate::store::schema::{disposal, disposal_item};
use crate::web::input::{self, Faults};

/// What a person proposes.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Records, `kind/number`.
    pub subjects: Vec<String>,
    /// Why they are to go.
    pub reason: String,
}

impl Wish {
    /// Checks what was asked for by a request.
    ///
    /// # Errors
    /// 422 naming every field.
    pub fn checked(subjects: Vec<String>, reason: &str) -> Result<Self> {
        let mut faults = Faults::new();
        let size = match subjects.len() {
            0 => Err(Error::invalid("subjects", "no-record-chosen")),
            1..=MOST => Ok(()),
            _ => Err(Error::new(Kind::Invalid, "invalid").field_with(FieldError {
                field: "subjects".to_owned(),
                code: "too-many-records",
                args: vec![("most", MOST.to_string())],
            })),
        };
        let size = faults.take(size);
        match (faults.take(input::text("reason", reason, 2000)), size) {
            (Some(reason), Some(())) => Ok(Self { subjects, reason }),
            _ => Err(faults.error()),
        }
    }
}

/// Proposes that records go.
///
/// # Errors
/// 422 with one fault for each record that may not, with rule, clause and date.
pub fn propose(
    tx: &mut Tx<'_>,
    keeping: Keeping,
    actor: &Actor,
    wish: &Wish,
    now: Now,
) -> Result<DisposalState> {
    let now = Now { at: tx.now(), ..now };
    let grounds = keeping.grounds(tx.read(), &wish.subjects, None, now)?;
    let number = numbering::next_of(tx, (KIND, PREFIX), store::last_number, now.zone)?;
    let row = Disposal {
        number: number.clone(),
        reason: wish.reason.clone(),
        state: PROPOSED.to_owned(),
        proposed_at: tx.now(),
        proposed_by: actor.id.clone(),
        decided_at: None,
        decided_by: None,
        decision_reason: None,
    };
    let mut items = Vec::with_capacity(grounds.len());
    for ground in &grounds {
        items.push(item(tx, &number, ground)?);
    }
    diesel::insert_into(disposal::table).values(&row).execute(tx.rows())?;
    for item in &items {
        diesel::insert_into(disposal_item::table).values(item).execute(tx.rows())?;
    }
    let state = store::require(tx.read(), &number)?;
    let entry = NewEntry::new(acts::DISPOSAL_PROPOSED, actor).state(state.snapshot());
    tx.append(entry.reason(&wish.reason))?;
    Ok(state)
}

fn item(tx: &mut Tx<'_>, number: &str, ground: &Ground) -> Result<Item> {
    Ok(Item {
        disposal: number.to_owned(),
        subject_kind: ground.named.kind.to_owned(),
        subject_id: ground.named.id.clone(),
        digest: sealed(tx, &ground.named)?.to_string(),
        rule: ground.rule.id.clone(),
        clause: ground.rule.source.clause.clone(),
        retain_until: ground.retain_until,
    })
}

fn sealed(tx: &mut Tx<'_>, named: &Named) -> Result<Digest> {
    let state = tx.sealed_state(&Subject::new(named.kind, &named.id))?;
    state.ok_or_else(|| Error::internal(format!("{named} has no entry")))
}

fn require_open(tx: &mut Tx<'_>, number: &str) -> Result<DisposalState> {
    let state = store::require(tx.read(), number)?;
    if state.is_open() { Ok(state) } else { Err(Error::conflict("disposal-decided").arg("number", number)) }
}

/// Takes a proposal back.
///
/// # Errors
/// 404; 409 `disposal-decided`; 403 `not-proposer` for anybody else.
pub fn withdraw(tx: &mut Tx<'_>, actor: &Actor, number: &str, reason: &str) -> Result<DisposalState> {
    let state = require_open(tx, number)?;
    if state.disposal.proposed_by != actor.id {
        return Err(Error::forbidden("not-proposer"));
    }
    let state = settle(tx, state, (WITHDRAWN, &actor.id, reason))?;
    let entry = NewEntry::new(acts::DISPOSAL_WITHDRAWN, actor).state(state.snapshot());
    tx.append(entry.reason(reason))?;
    Ok(state)
}

/// Writes how a proposal ended.
fn settle(
    tx: &mut Tx<'_>,
    mut state: DisposalState,
    (to, by, reason): (&str, &str, &str),
) -> Result<DisposalState> {
    let row = &mut state.disposal;
    to.clone_into(&mut row.state);
    row.decided_at = Some(tx.now());
    row.decided_by = Some(by.to_owned());
    row.decision_reason = Some(reason.to_owned());
    diesel::update(disposal::table.find(&row.number))
        .set((
            disposal::state.eq(&row.state),
            disposal::decided_at.eq(row.decided_at),
            disposal::decided_by.eq(&row.decided_by),
            disposal::decision_reason.eq(&row.decision_reason),
        ))
        .execute(tx.rows())?;
    Ok(state)
}

/// What QA decides.
#[derive(Debug, Clone)]
pub struct Decision {
    /// Which disposal.
    pub number: String,
    /// Carried out or not.
    pub approve: bool,
    /// Why so.
    pub reason: String,
    /// The disposal's digest as told on the signer's screen.
    pub seen: Option<Digest>,
}

impl Decision {
    /// The meaning of the signature under this decision.
    pub fn meaning(&self) -> &'static str {
        if self.approve { APPROVED } else { REFUSED }
    }
}

/// Decides a proposal; where it is let through, the records go in the same transaction.
///
/// # Errors
/// 404; 403 `own-disposal` for who proposed it; 409 `disposal-decided`, `stale-digest`; 422 with one fault for each
/// record that may not go now.
pub fn decide(
    tx: &mut Tx<'_>,
    keeping: Keeping,
    signer: &Signer,
    decision: &Decision,
    now: Now,
) -> Result<DisposalState> {
    let state = require_open(tx, &decision.number)?;
    if state.disposal.proposed_by == signer.actor.id {
        return Err(Error::forbidden("own-disposal"));
    }
    let now = Now { at: tx.now(), ..now };
    let of = subject(&decision.number);
    let digest = digest_seen(tx, &of, decision.seen)?;
    let grounds = if decision.approve { still_grounds(tx, keeping, &state, now)? } else { Vec::new() };
    let end = if decision.approve { CARRIED_OUT } else { TURNED_DOWN };
    let mut state = settle(tx, state, (end, &signer.actor.id, &decision.reason))?;
    let act = signatures::Act {
        subject: &of,
        round: 0,
        meaning: decision.meaning(),
        digest,
        comment: &decision.reason,
    };
    let (signature, sig) = signatures::sign(tx, signer, &act)?;
    state.signatures.push(signature);
    let act = if decision.approve { acts::DISPOSAL_CARRIED_OUT } else { acts::DISPOSAL_REFUSED };
    let entry = NewEntry::new(act, &signer.actor).state(state.snapshot());
    tx.append(entry.reason(&decision.reason).signature(&sig))?;
    let why = (&signer.actor, state.disposal.reason.as_str());
    carry_out(tx, keeping, (why, &decision.number), &grounds, now)?;
    Ok(state)
}

/// Asks everything again: the law of today, holds, who speaks of it, and whether it is what was proposed.
fn still_grounds(tx: &mut Tx<'_>, keeping: Keeping, state: &DisposalState, now: Now) -> Result<Vec<Ground>> {
    let subjects: Vec<String> = state.items.iter().map(Item::subject).collect();
    let grounds = keeping.grounds(tx.read(), &subjects, Some(&state.disposal.number), now)?;
    let mut refusal = Error::new(Kind::Invalid, "invalid");
    for (place, (ground, item)) in grounds.iter().zip(&state.items).enumerate() {
        if sealed(tx, &ground.named)?.to_string() != item.digest {
            refusal = refusal.field_with(Obstacle::Changed.fault(
                format!("subjects[{place}]"),
                &subjects[place],
                now,
            ));
        }
    }
    if refusal.fields().is_empty() { Ok(grounds) } else { Err(refusal) }
}

fn carry_out(
    tx: &mut Tx<'_>,
    keeping: Keeping,
    (why, number): ((&Actor, &str), &str),
    grounds: &[Ground],
    now: Now,
) -> Result<()> {
    let on = now.at.date_in(now.zone).to_string();
    let mut gone = BTreeSet::new();
    for ground in grounds {
        let named = ground.named.to_string();
        let kept = (ground.rule.id.as_str(), ground.rule.source.clause.as_str(), ground.retain_until);
        for disposer in keeping.disposers {
            for id in (disposer.along)(tx.read(), (ground.named.kind, &ground.named.id))? {
                let tied = Subject::new(disposer.kind, id);
                if gone.insert(tied.to_string()) {
                    let going = Going { subject: &tied, disposal: number, kept, along_with: &named, on: &on };
                    remove(tx, why, &going, disposer.remove)?;
                }
            }
        }
        let Some(disposer) = keeping.disposer(ground.named.kind) else { continue };
        let own = Subject::new(ground.named.kind, &ground.named.id);
        let going = Going { subject: &own, disposal: number, kept, along_with: "", on: &on };
        remove(tx, why, &going, disposer.remove)?;
    }
    Ok(())
}

/// One record goes: its tombstone, its rows, its last entry, which says by whom and why.
fn remove(
    tx: &mut Tx<'_>,
    (actor, reason): (&Actor, &str),
    going: &Going<'_>,
    rows: fn(&mut Tx<'_>, &str) -> Result<()>,
) -> Result<()> {
    let (row, snapshot) = tombstone::lay(tx, going)?;
    rows(tx, &going.subject.id)?;
    let entry = NewEntry::new(acts::RECORD_DISPOSED, actor)
        .tombstone(snapshot)
        .reason(reason)
        .field("disposal", row.disposal)
        .field("rule", row.rule)
        .field("clause", row.clause)
        .field("retain_until", row.retain_until.to_string());
    let entry = match going.along_with {
        "" => entry,
        with => entry.field("along_with", with),
    };
    tx.append(entry)?;
    Ok(())
}
