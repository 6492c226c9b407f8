//! Accounts, grants, tokens and sessions in the database. All of the floor's SQL.

use diesel::prelude::*;

use super::record::{Account, AccountState, ApiToken, Grant, roles_in_force, subject};
use super::rights::Role;
use crate::error::{Error, Kind, Result};
use crate::ledger::acts::SESSION_OPENED;
use crate::ledger::digest::Digest;
use crate::ledger::epochs;
use crate::ledger::store as ledger;
use crate::ledger::subject::{Governed, Snapshot};
use crate::signatures;
use crate::store::Db;
use crate::store::schema::{
    account, account_grant, api_token, ledger_entry, ledger_head, sealed_value, session, setting,
    sign_in_failure,
};
use crate::time::Timestamp;

/// Accounts, their grants, tokens and signatures, as `verify` recomputes them.
pub const GOVERNED: Governed = Governed {
    kind: "account",
    tables: &["account", "account_grant", "api_token", "signature"],
    ids,
    snapshot,
};

/// Settings, as `verify` recomputes them.
pub const GOVERNED_SETTINGS: Governed =
    Governed { kind: "setting", tables: &["setting"], ids: setting_ids, snapshot: setting_snapshot };

fn ids(db: &mut Db) -> Result<Vec<String>> {
    Ok(account::table.select(account::id).load(db)?)
}

fn snapshot(db: &mut Db, id: &str) -> Result<Option<Snapshot>> {
    Ok(state(db, id)?.map(|state| state.snapshot()))
}

fn setting_ids(db: &mut Db) -> Result<Vec<String>> {
    Ok(setting::table.select(setting::name).load(db)?)
}

fn setting_snapshot(db: &mut Db, name: &str) -> Result<Option<Snapshot>> {
    let value: Option<String> = setting::table.find(name).select(setting::value).first(db).optional()?;
    let subject = crate::ledger::subject::Subject::new("setting", name);
    Ok(value.map(|value| Snapshot::new(&subject, 1).set("value", value).rows("setting", 1)))
}

/// An account with all that belongs to it; none of this id.
///
/// # Errors
/// The database does not answer.
pub fn state(db: &mut Db, id: &str) -> Result<Option<AccountState>> {
    let Some(account) = account::table.find(id).first::<Account>(db).optional()? else { return Ok(None) };
    Ok(Some(AccountState {
        grants: account_grant::table
            .filter(account_grant::account_id.eq(id))
            .order(account_grant::id)
            .load(db)?,
        tokens: api_token::table.filter(api_token::account_id.eq(id)).order(api_token::id).load(db)?,
        signatures: signatures::of(db, &subject(id))?,
        account,
    }))
}

/// The same, refused with 404.
///
/// # Errors
/// 404.
pub fn require(db: &mut Db, id: &str) -> Result<AccountState> {
    state(db, id)?.ok_or_else(|| Error::not_found("account", id))
}

/// The account that has this login; none where nobody has it.
///
/// # Errors
/// The database does not answer.
pub fn by_login(db: &mut Db, login: &str) -> Result<Option<Account>> {
    let commitments = ledger::sealed_as(db, "login", login)?;
    Ok(account::table.filter(account::login_sealed.eq_any(commitments)).first(db).optional()?)
}

/// The account that has this printed name; none where nobody has it, or more than one.
///
/// # Errors
/// The database does not answer.
pub fn account_of_name(db: &mut Db, name: &str) -> Result<Option<Account>> {
    let commitments = ledger::sealed_as(db, "name", name)?;
    let mut found: Vec<Account> =
        account::table.filter(account::name_sealed.eq_any(commitments)).limit(2).load(db)?;
    Ok(if found.len() == 1 { found.pop() } else { None })
}

/// The account's id for a login that a request names.
///
/// # Errors
/// 422 at `field` when nobody has the login.
pub fn id_of_login(db: &mut Db, field: &str, login: &str) -> Result<String> {
    by_login(db, login)?.map(|account| account.id).ok_or_else(|| Error::invalid(field, "unknown-person"))
}

/// Who an account is, for reading.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Person {
    /// `u-…`; `system` for the program.
    pub id: String,
    /// What it signs in with.
    pub login: String,
    /// Its printed name.
    pub name: String,
    /// Roles in force.
    pub roles: Vec<Role>,
}

impl Person {
    /// As others' records name the person.
    pub fn named(self) -> Named {
        Named { login: self.login, name: self.name }
    }
}

/// A person as others' records name them: to machines by login, which is how it is written as JSON, to people by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// What the person signs in with.
    pub login: String,
    /// The printed name; the login where the name has been erased.
    pub name: String,
}

impl serde::Serialize for Named {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.login)
    }
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

/// Who this account is; a stand-in with the bare id where there is none.
///
/// # Errors
/// The database does not answer.
pub fn person(db: &mut Db, id: &str) -> Result<Person> {
    let unknown =
        || Person { id: id.to_owned(), login: id.to_owned(), name: id.to_owned(), roles: Vec::new() };
    let Some(account) = account::table.find(id).first::<Account>(db).optional()? else {
        return Ok(unknown());
    };
    let grants: Vec<Grant> = account_grant::table.filter(account_grant::account_id.eq(id)).load(db)?;
    let login = ledger::unsealed(db, &account.login_sealed)?.unwrap_or_else(|| id.to_owned());
    let name = ledger::unsealed(db, &account.name_sealed)?.unwrap_or_else(|| login.clone());
    Ok(Person { id: account.id, login, name, roles: roles_in_force(&grants) })
}

/// All accounts, in the order they were made.
///
/// # Errors
/// The database does not answer.
pub fn all(db: &mut Db) -> Result<Vec<AccountState>> {
    let ids: Vec<String> = account::table.order(account::id).select(account::id).load(db)?;
    ids.into_iter().map(|id| require(db, &id)).collect()
}

/// Accounts that hold `role` in force and are not disabled.
///
/// # Errors
/// The database does not answer.
pub fn holders(db: &mut Db, role: Role) -> Result<Vec<String>> {
    Ok(account_grant::table
        .inner_join(account::table.on(account::id.eq(account_grant::account_id)))
        .filter(account_grant::role.eq(role.code()).and(account_grant::signed_at.is_not_null()))
        .filter(account_grant::ended_at.is_null().and(account::disabled.eq(false)))
        .order(account::id)
        .select(account::id)
        .load(db)?)
}

/// A row of `session`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = session)]
pub struct Session {
    /// SHA-256 of the token, hex.
    pub token_hash: String,
    /// Whose.
    pub account_id: String,
    /// The sign-in entry.
    pub via: i64,
    /// What a page's forms must carry.
    pub csrf: String,
    /// Absolute time-out counts from here.
    pub created_at: Timestamp,
    /// Idle time-out counts from here.
    pub seen_at: Timestamp,
    /// Signed out, or ended by disabling the account.
    pub ended_at: Option<Timestamp>,
}

/// A session beside the ledger's size: what was read of its account at that size still holds.
///
/// # Errors
/// The database does not answer.
pub fn session(db: &mut Db, token: Digest) -> Result<Option<(Session, i64)>> {
    // Of the present epoch: an earlier one may be the longer, and no longer grows.
    let size = ledger_head::table.order(ledger_head::epoch.desc()).select(ledger_head::size).single_value();
    let row: Option<(Session, Option<i64>)> =
        session::table.find(token.to_string()).select((Session::as_select(), size)).first(db).optional()?;
    Ok(row.map(|(session, size)| (session, size.unwrap_or_default())))
}

/// Whether the account that has a session is the one that opened it, as the trail tells.
///
/// # Errors
/// The database does not answer.
pub fn is_opened(db: &mut Db, session: &Session) -> Result<bool> {
    // A session may live on over a recovery: number and instant together name one entry of all epochs.
    let opened: i64 = ledger_entry::table
        .filter(ledger_entry::epoch.eq_any(epochs::numbers(db)?).and(ledger_entry::seq.eq(session.via)))
        .filter(ledger_entry::ts.eq(session.created_at.0).and(ledger_entry::act.eq(SESSION_OPENED.name)))
        .filter(ledger_entry::actor.eq(&session.account_id))
        .count()
        .get_result(db)?;
    Ok(opened > 0)
}

/// A live API token of this hash.
///
/// # Errors
/// The database does not answer.
pub fn token(db: &mut Db, token: Digest) -> Result<Option<ApiToken>> {
    Ok(api_token::table.filter(api_token::token_hash.eq(token.to_string())).first(db).optional()?)
}

/// Seconds until a login may be tried again; none when it may now.
///
/// # Errors
/// The database does not answer.
pub fn locked_for(db: &mut Db, login_hash: &str, now: Timestamp) -> Result<Option<u32>> {
    let until: Option<Option<Timestamp>> =
        sign_in_failure::table.find(login_hash).select(sign_in_failure::locked_until).first(db).optional()?;
    Ok(until.flatten().filter(|until| *until > now).map(|until| {
        let micros = until.0 - now.0;
        u32::try_from(micros / 1_000_000 + 1).unwrap_or(u32::MAX)
    }))
}

/// The value of a setting.
///
/// # Errors
/// The database does not answer.
pub fn setting(db: &mut Db, name: &str) -> Result<Option<String>> {
    Ok(setting::table.find(name).select(setting::value).first(db).optional()?)
}

/// The values behind many commitments at once, as pairs.
///
/// # Errors
/// The database does not answer.
pub fn unsealed_many(
    db: &mut Db,
    commitments: &[String],
) -> Result<std::collections::HashMap<String, String>> {
    Ok(sealed_value::table
        .filter(sealed_value::commitment.eq_any(commitments))
        .select((sealed_value::commitment, sealed_value::value))
        .load::<(String, String)>(db)?
        .into_iter()
        .collect())
}

/// Refuses an account that is disabled or has ended.
///
/// # Errors
/// 401.
pub fn must_be_live(account: &Account, now: Timestamp) -> Result<()> {
    let ended = account.ends_at.is_some_and(|end| end <= now);
    if account.disabled || ended { Err(Error::new(Kind::Unauthenticated, "sign-in")) } else { Ok(()) }
}
