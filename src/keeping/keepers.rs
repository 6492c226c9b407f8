//! What the features tell of their records, so that the time of each can be computed here.

use chrono_tz::Tz;
use diesel::prelude::*;

use crate::error::{Error, Result};
use crate::ledger::acts;
use crate::ledger::lane::Tx;
use crate::ledger::site::Site;
use crate::ledger::tombstone;
use crate::people::record::Account;
use crate::records::retention::{self, Facts, Kept, Until};
use crate::store::Db;
use crate::store::schema::{account, ledger_entry, signature};
use crate::time::Timestamp;

/// One kind of record.
#[derive(Clone, Copy)]
pub struct Keeper {
    /// The subject kind.
    pub kind: &'static str,
    /// What the rows need to know of a record; none where there is no such record.
    pub facts: fn(&mut Db, &str, Timestamp) -> Result<Option<Facts>>,
}

/// Accounts. One ends when it is disabled, or when the time it was given is over.
pub const ACCOUNTS: Keeper = Keeper { kind: "account", facts: of_account };

fn of_account(db: &mut Db, id: &str, now: Timestamp) -> Result<Option<Facts>> {
    let Some(row) = account::table.find(id).first::<Account>(db).optional()? else { return Ok(None) };
    let disabled: Option<i64> = ledger_entry::table
        .filter(ledger_entry::obj_kind.eq("account").and(ledger_entry::obj_id.eq(id)))
        .filter(ledger_entry::act.eq(acts::ACCOUNT_DISABLED.name))
        .order((ledger_entry::epoch.desc(), ledger_entry::seq.desc()))
        .select(ledger_entry::ts)
        .first(db)
        .optional()?;
    let disabled = disabled.map(Timestamp).filter(|_| row.disabled);
    let ended = disabled.or(row.ends_at.filter(|end| *end <= now));
    Ok(Some(Facts { record: "account", recorded: row.created_at, expiry: None, ended }))
}

/// Every kind of record whose time is known.
#[derive(Clone, Copy)]
pub struct Keepers(pub &'static [Keeper]);

/// The present, and the zone in which days end.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// The instant.
    pub at: Timestamp,
    /// The zone.
    pub zone: Tz,
}

impl Now {
    /// An installation's present.
    pub fn of(site: &Site) -> Self {
        Self { at: site.clock.now(), zone: site.zone }
    }
}

impl Keepers {
    /// Until when a record is kept. What no feature answers for is kept: its time is not known.
    ///
    /// # Errors
    /// 404 for a record that does not exist, or was disposed of.
    pub fn kept(self, db: &mut Db, (kind, id): (&str, &str), now: Now) -> Result<Kept> {
        let Some(keeper) = self.0.iter().find(|keeper| keeper.kind == kind) else {
            return Ok(Kept { until: Until::Open, rule: None });
        };
        let Some(facts) = (keeper.facts)(db, id, now.at)? else {
            let unknown = Error::not_found("subject", format!("{kind}/{id}"));
            return Err(tombstone::absent(db, (kind, id), unknown));
        };
        let own = retention::kept(&facts, now.at, now.zone);
        if kind == "account" { self.of_signer(db, id, own, now) } else { Ok(own) }
    }

    /// Who signed is kept as long as what they signed.
    fn of_signer(self, db: &mut Db, account: &str, own: Kept, now: Now) -> Result<Kept> {
        let mut longest = own;
        if own.until == Until::Open {
            return Ok(own);
        }
        let signed: Vec<(String, String)> = signature::table
            .filter(signature::account_id.eq(account).and(signature::subject_kind.ne("account")))
            .select((signature::subject_kind, signature::subject_id))
            .distinct()
            .load(db)?;
        for (kind, id) in signed {
            let of_record = match self.kept(db, (&kind, &id), now) {
                Ok(kept) => kept,
                // Disposed of since.
                Err(error) if error.kind() == crate::error::Kind::NotFound => continue,
                Err(error) => return Err(error),
            };
            if of_record.until > longest.until {
                longest = of_record;
            }
        }
        Ok(longest)
    }
}

/// A record's place in the order of age: its last instant, and its id.
pub type Age = (Timestamp, String);

/// Which aged records are asked for: those whose last instant is before `before`, the oldest first, after a place in
/// that order.
#[derive(Debug, Clone)]
pub struct Aged {
    /// Older than this.
    pub before: Timestamp,
    /// After this one.
    pub after: Option<Age>,
    /// At most.
    pub limit: i64,
}

/// How records of one kind go, once their time is over.
#[derive(Clone, Copy)]
pub struct Disposer {
    /// The subject kind.
    pub kind: &'static str,
    /// Whether something of a record is not finished, whatever its age.
    pub is_open: fn(&mut Db, &str) -> Result<bool>,
    /// Records by age: what may be proposed is looked for among these.
    pub aged: fn(&mut Db, Aged) -> Result<Vec<Age>>,
    /// The records, `kind/id`, that speak of another one.
    pub citing: fn(&mut Db, (&str, &str)) -> Result<Vec<String>>,
    /// The ids of records of this kind that go along with another one.
    pub along: fn(&mut Db, (&str, &str)) -> Result<Vec<String>>,
    /// Takes a record's own rows away; its tombstone is laid before.
    pub remove: fn(&mut Tx<'_>, &str) -> Result<()>,
}

impl Disposer {
    /// For kinds none of which goes along with another record.
    ///
    /// # Errors
    /// None.
    pub fn nothing(_: &mut Db, _: (&str, &str)) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// For kinds whose times of retention say whether they are open.
    ///
    /// # Errors
    /// None.
    pub fn never(_: &mut Db, _: &str) -> Result<bool> {
        Ok(false)
    }
}

/// What is known of times and of disposal.
#[derive(Clone, Copy)]
pub struct Keeping {
    /// By which times records are kept.
    pub keepers: Keepers,
    /// How they go.
    pub disposers: &'static [Disposer],
}
