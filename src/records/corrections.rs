//! Corrections of submitted records: asked for with a reason, decided and signed by a QA person who did not ask, then
//! applied; the first value stays readable beside the new one (GSP 40, 41).

use chrono_tz::Tz;
use diesel::prelude::*;
use serde::Serialize;

use super::kind::{self, Proposed, RecordKind, Standing};
use super::signed::{self, SignatureView};
use crate::error::{Error, Result};
use crate::ledger::acts;
use crate::ledger::digest::Digest;
use crate::ledger::lane::{Actor, NewEntry, Tx};
use crate::ledger::subject::{Row, Subject};
use crate::people;
use crate::people::store::{Named, Person};
use crate::signatures::{self, Signer};
use crate::store::Db;
use crate::store::schema::correction;
use crate::time::Timestamp;

/// The meaning of the signature under a correction that was let through.
pub const APPROVED: &str = "correction_approved";
/// The meaning of the signature under one that was not.
pub const REJECTED: &str = "correction_rejected";

/// A row of `correction`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = correction)]
pub struct Correction {
    /// `c-…`.
    pub id: String,
    /// The record's kind.
    pub subject_kind: String,
    /// The record's number.
    pub subject_id: String,
    /// Which field.
    pub field: String,
    /// What it said.
    pub old_value: String,
    /// What it shall say.
    pub new_value: String,
    /// Why.
    pub reason: String,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// By which account.
    pub requested_by: String,
    /// The decision; none before it.
    pub approved: Option<bool>,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// By which account.
    pub decided_by: Option<String>,
    /// Why so.
    pub decision_reason: Option<String>,
}

impl Correction {
    /// Asked for and not yet decided.
    pub fn is_open(&self) -> bool {
        self.decided_at.is_none()
    }

    /// The correction inside its record's snapshot.
    pub fn row(&self) -> serde_json::Value {
        Row::new()
            .set("id", self.id.as_str())
            .set("field", self.field.as_str())
            .set("old", self.old_value.as_str())
            .set("new", self.new_value.as_str())
            .set("reason", self.reason.as_str())
            .instant("requested_at", self.requested_at)
            .set("requested_by", self.requested_by.as_str())
            .set("approved", self.approved.unwrap_or(false))
            .instant("decided_at", self.decided_at)
            .set("decided_by", self.decided_by.clone())
            .set("decision_reason", self.decision_reason.clone())
            .into()
    }
}

/// A correction for reading.
#[derive(Debug, Clone, Serialize)]
pub struct CorrectionView {
    /// `c-…`.
    pub id: String,
    /// Which field.
    pub field: String,
    /// What it said.
    pub old: String,
    /// What it shall say, or says since.
    pub new: String,
    /// Why.
    pub reason: String,
    /// `requested`, `approved`, `rejected`.
    pub state: &'static str,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// By whom.
    pub requested_by: Named,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// By whom.
    pub decided_by: Option<Named>,
    /// Why so.
    pub decision_reason: Option<String>,
    /// The signature under the decision.
    pub signature: Option<SignatureView>,
}

/// What a person asks for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Which field.
    pub field: &'a str,
    /// What it shall say.
    pub value: &'a str,
    /// Why.
    pub reason: &'a str,
    /// The site's zone, for dates among the values.
    pub zone: Tz,
}

/// What a QA person decides.
#[derive(Debug, Clone, Copy)]
pub struct Decision<'a> {
    /// The correction.
    pub id: &'a str,
    /// Let through or not.
    pub approve: bool,
    /// Why so.
    pub reason: &'a str,
    /// The record's digest as told on the signer's screen.
    pub seen: Option<Digest>,
    /// The site's zone.
    pub zone: Tz,
}

impl Decision<'_> {
    /// The meaning of the signature under this decision.
    pub fn meaning(&self) -> &'static str {
        if self.approve { APPROVED } else { REJECTED }
    }
}

/// Asks for a correction; returns its id.
///
/// # Errors
/// 404; 409 for a closed record, a field still empty (`field-empty`: it is filled, not corrected), a correction of
/// the field still undecided (`correction-open`); 422 for an unknown field, a value the field cannot have, the value
/// it has, no reason.
pub fn request(
    tx: &mut Tx<'_>,
    kind: &RecordKind,
    actor: &Actor,
    (number, wish): (&str, Request<'_>),
) -> Result<String> {
    let standing = kind.require_open(tx.read(), number)?;
    let subject = kind.subject(number);
    let open = of(tx.read(), &subject)?;
    let proposed = Proposed { field: wish.field, value: wish.value, now: tx.now(), zone: wish.zone };
    let old = may_request(&standing, &open, wish)?;
    let value = (kind.check)(tx.read(), &standing, &proposed)?;
    if value == old {
        return Err(Error::invalid("value", "unchanged"));
    }
    let row = Correction {
        id: crate::id::new("c"),
        subject_kind: kind.name.to_owned(),
        subject_id: number.to_owned(),
        field: wish.field.to_owned(),
        old_value: old,
        new_value: value,
        reason: wish.reason.to_owned(),
        requested_at: tx.now(),
        requested_by: actor.id.clone(),
        approved: None,
        decided_at: None,
        decided_by: None,
        decision_reason: None,
    };
    diesel::insert_into(correction::table).values(&row).execute(tx.rows())?;
    let snapshot = kind.snapshot_now(tx, number)?;
    tx.append(NewEntry::new(acts::CORRECTION_REQUESTED, actor).state(snapshot).reason(wish.reason))?;
    Ok(row.id)
}

/// The rule of asking; the field's present value.
fn may_request(standing: &Standing, made: &[Correction], wish: Request<'_>) -> Result<String> {
    let Some(old) = standing.values.get(wish.field) else {
        return Err(Error::invalid("field", "unknown-code"));
    };
    if wish.reason.is_empty() {
        return Err(Error::invalid("reason", "required"));
    }
    if old.is_empty() {
        return Err(Error::conflict("field-empty").arg("field", wish.field));
    }
    if made.iter().any(|made| made.is_open() && made.field == wish.field) {
        return Err(Error::conflict("correction-open").arg("field", wish.field));
    }
    Ok(old.clone())
}

/// Decides a correction; where it is let through, the field gets its new value in the same change.
///
/// # Errors
/// 404; 403 `own-correction` for who asked; 409 for a closed record, a decided correction, `stale-digest`; 422 where
/// the value can no longer be had, or without a reason.
pub fn decide(
    tx: &mut Tx<'_>,
    kind: &RecordKind,
    signer: &Signer,
    (number, decision): (&str, Decision<'_>),
) -> Result<()> {
    let (standing, asked) = may_decide(tx.read(), kind, (number, decision), &signer.actor.id)?;
    let subject = kind.subject(number);
    let proposed =
        Proposed { field: &asked.field, value: &asked.new_value, now: tx.now(), zone: decision.zone };
    if decision.approve {
        (kind.check)(tx.read(), &standing, &proposed)?;
    }
    let digest = kind::digest_seen(tx, &subject, decision.seen)?;
    let now = tx.now();
    diesel::update(correction::table.find(decision.id))
        .set((
            correction::approved.eq(decision.approve),
            correction::decided_at.eq(now),
            correction::decided_by.eq(&signer.actor.id),
            correction::decision_reason.eq(decision.reason),
        ))
        .execute(tx.rows())?;
    if decision.approve {
        (kind.apply)(tx, &standing, &proposed)?;
    }
    let act = signatures::Act {
        subject: &subject,
        round: 0,
        meaning: decision.meaning(),
        digest,
        comment: decision.reason,
    };
    let (_, sig) = signatures::sign(tx, signer, &act)?;
    let snapshot = kind.snapshot_now(tx, number)?;
    let entry = NewEntry::new(acts::CORRECTION_DECIDED, &signer.actor).state(snapshot);
    tx.append(entry.reason(decision.reason).signature(&sig))?;
    Ok(())
}

/// Whether an account may decide a correction now; the record and the correction.
fn may_decide(
    db: &mut Db,
    kind: &RecordKind,
    (number, decision): (&str, Decision<'_>),
    account: &str,
) -> Result<(Standing, Correction)> {
    let standing = kind.require(db, number)?;
    let asked = of(db, &kind.subject(number))?.into_iter().find(|made| made.id == decision.id);
    let asked = asked.ok_or_else(|| Error::not_found("correction", decision.id))?;
    let standing = if asked.is_open() { kind.require_open(db, number)? } else { standing };
    rule_on(&asked, decision.reason, account)?;
    Ok((standing, asked))
}

fn rule_on(asked: &Correction, reason: &str, account: &str) -> Result<()> {
    if asked.requested_by == account {
        return Err(Error::forbidden("own-correction"));
    }
    if !asked.is_open() {
        return Err(Error::conflict("correction-decided"));
    }
    if reason.is_empty() {
        return Err(Error::invalid("reason", "required"));
    }
    Ok(())
}

/// The corrections of a record, by id, which is the order of asking.
///
/// # Errors
/// The database does not answer.
pub fn of(db: &mut Db, subject: &Subject) -> Result<Vec<Correction>> {
    Ok(correction::table
        .filter(correction::subject_kind.eq(subject.kind).and(correction::subject_id.eq(&subject.id)))
        .order(correction::id)
        .load(db)?)
}

/// Takes the corrections of a record away that is being disposed of.
///
/// # Errors
/// The database refuses where no disposal names the record.
pub(super) fn remove(db: &mut Db, subject: &Subject) -> Result<()> {
    let own = correction::subject_kind.eq(subject.kind).and(correction::subject_id.eq(&subject.id));
    diesel::delete(correction::table.filter(own)).execute(db)?;
    Ok(())
}

/// A record's one correction.
///
/// # Errors
/// 404 for the record or the correction.
pub fn view(db: &mut Db, kind: &RecordKind, (number, id): (&str, &str)) -> Result<CorrectionView> {
    kind.require(db, number)?;
    let views = views(db, &kind.subject(number))?;
    views.into_iter().find(|view| view.id == id).ok_or_else(|| Error::not_found("correction", id))
}

/// The same for reading.
///
/// # Errors
/// The database does not answer.
pub fn views(db: &mut Db, subject: &Subject) -> Result<Vec<CorrectionView>> {
    let signatures = signed::views(db, subject)?;
    of(db, subject)?
        .into_iter()
        .map(|row| {
            let state = match (row.is_open(), row.approved) {
                (true, _) => "requested",
                (false, Some(true)) => "approved",
                (false, _) => "rejected",
            };
            let signature = under(&row, &signatures).cloned();
            let decided_by = row.decided_by.as_deref().map(|id| people::store::person(db, id));
            Ok(CorrectionView {
                id: row.id,
                field: row.field,
                old: row.old_value,
                new: row.new_value,
                reason: row.reason,
                state,
                requested_at: row.requested_at,
                requested_by: people::store::person(db, &row.requested_by)?.named(),
                decided_at: row.decided_at,
                decided_by: decided_by.transpose()?.map(Person::named),
                decision_reason: row.decision_reason,
                signature,
            })
        })
        .collect()
}

/// The signature under a decision: made at its instant, with its meaning and its reason.
fn under<'a>(row: &Correction, signatures: &'a [SignatureView]) -> Option<&'a SignatureView> {
    let meaning = if row.approved? { APPROVED } else { REJECTED };
    signatures.iter().find(|made| {
        Some(made.signed_at) == row.decided_at
            && made.meaning == meaning
            && made.comment == row.decision_reason
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn standing() -> Standing {
        Standing {
            number: "DEV-2026-0001".into(),
            state: "investigating".into(),
            raised_by: "u-cs".into(),
            values: BTreeMap::from([
                ("title".to_owned(), "冷链超温".to_owned()),
                ("impact".to_owned(), String::new()),
            ]),
        }
    }

    fn asked_by(account: &str) -> Correction {
        Correction {
            id: "c-1".into(),
            subject_kind: "deviation".into(),
            subject_id: "DEV-2026-0001".into(),
            field: "title".into(),
            old_value: "冷链超温".into(),
            new_value: "冷链低温".into(),
            reason: "笔误".into(),
            requested_at: Timestamp(0),
            requested_by: account.into(),
            approved: None,
            decided_at: None,
            decided_by: None,
            decision_reason: None,
        }
    }

    #[test]
    fn only_a_filled_field_is_corrected_and_once_at_a_time() {
        let wish = |field, reason| Request { field, value: "x", reason, zone: Tz::UTC };
        let none: &[Correction] = &[];
        let open = &[asked_by("u-cs")];
        let cases: [(Request<'_>, &[Correction], Result<&str, &str>); 5] = [
            (wish("title", "笔误"), none, Ok("冷链超温")),
            (wish("title", ""), none, Err("invalid")),
            (wish("impact", "笔误"), none, Err("field-empty")),
            (wish("number", "笔误"), none, Err("invalid")),
            (wish("title", "笔误"), open, Err("correction-open")),
        ];
        for (wish, made, expected) in cases {
            let answer = may_request(&standing(), made, wish);
            let answer = answer.as_deref().map_err(|error| error.code());
            assert_eq!(answer, expected, "{wish:?}");
        }
    }

    #[test]
    fn a_correction_is_not_decided_by_who_asked_nor_twice_nor_without_a_reason() {
        let open = asked_by("u-cs");
        let decided = Correction { decided_at: Some(Timestamp(1)), approved: Some(false), ..open.clone() };
        let cases = [
            (&open, "u-qa", "属实", None),
            (&open, "u-cs", "属实", Some("own-correction")),
            (&open, "u-qa", "", Some("invalid")),
            (&decided, "u-qa", "属实", Some("correction-decided")),
        ];
        for (asked, account, reason, refusal) in cases {
            let code = rule_on(asked, reason, account).err().map(|error| error.code());
            assert_eq!(code, refusal, "{account} {reason}");
        }
    }
}
