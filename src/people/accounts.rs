//! Making and changing accounts: each change is an entry with a reason, and roles are in force only once QA has
//! signed them (GSP 17, No. 74 ch. 4).

use diesel::prelude::*;
use serde_json::json;

use super::record::{Account, AccountState, ApiToken, Grant, acceptable_login, may_ask_for, roles_in_force};
use super::rights::Role;
use super::{sessions, store};
use crate::error::{Error, Result};
use crate::ledger::acts::{self, Act};
use crate::ledger::canon;
use crate::ledger::digest::Digest;
use crate::ledger::lane::{Actor, NewEntry, Tx};
use crate::signatures::{self, Signer};
use crate::store::schema::{account, account_grant, api_token, setting};
use crate::time::Timestamp;

/// An account to make; its password is hashed before the lane.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Unique for ever, also among disabled accounts.
    pub login: String,
    /// As printed in signatures.
    pub name: String,
    /// PHC string.
    pub password_hash: String,
    /// Whether the person has to change it before signing.
    pub must_change: bool,
    /// An auditor's last instant.
    pub ends_at: Option<Timestamp>,
}

/// Makes an account without roles.
///
/// # Errors
/// 422 for a login of the wrong form, 409 for one that was ever used.
pub fn create(tx: &mut Tx<'_>, actor: &Actor, new: &NewAccount) -> Result<AccountState> {
    create_with(tx, actor, (new, &[]))
}

/// Makes one of the first accounts of an installation, its roles in force at once: there is no QA yet to sign them.
///
/// # Errors
/// As [`create`].
pub fn create_first(tx: &mut Tx<'_>, new: &NewAccount, roles: &[Role]) -> Result<AccountState> {
    create_with(tx, &Actor::cli(), (new, roles))
}

fn create_with(tx: &mut Tx<'_>, actor: &Actor, (new, roles): (&NewAccount, &[Role])) -> Result<AccountState> {
    acceptable_login(&new.login)?;
    // Logins that wait in this batch are seen only once they are rows.
    tx.settle()?;
    if store::by_login(tx.read(), &new.login)?.is_some() {
        return Err(Error::conflict("login-taken").arg("login", new.login.clone()));
    }
    let now = tx.now();
    let row = Account {
        id: crate::id::new("u"),
        login_sealed: tx.seal("login", &new.login),
        name_sealed: tx.seal("name", &new.name),
        password_hash: new.password_hash.clone(),
        must_change: new.must_change,
        disabled: false,
        ends_at: new.ends_at,
        created_at: now,
        created_by: actor.id.clone(),
    };
    diesel::insert_into(account::table).values(&row).execute(tx.rows())?;
    for role in roles {
        let grant = Grant {
            signed_by: Some(actor.id.clone()),
            signed_at: Some(now),
            ..new_grant(&row.id, *role, (actor, now, ""))
        };
        diesel::insert_into(account_grant::table).values(&grant).execute(tx.rows())?;
    }
    seal_state(tx, &row.id, NewEntry::new(acts::ACCOUNT_CREATED, actor))
}

fn new_grant(account: &str, role: Role, (actor, now, reason): (&Actor, Timestamp, &str)) -> Grant {
    Grant {
        id: crate::id::new("g"),
        account_id: account.to_owned(),
        role: role.code().to_owned(),
        requested_by: actor.id.clone(),
        requested_at: now,
        reason: reason.to_owned(),
        signed_by: None,
        signed_at: None,
        ended_at: None,
    }
}

/// Appends the entry with the account's state as it is now.
fn seal_state(tx: &mut Tx<'_>, id: &str, entry: NewEntry) -> Result<AccountState> {
    let state = store::require(tx.read(), id)?;
    tx.append(entry.state(state.snapshot()))?;
    Ok(state)
}

/// Asks for a role; it is in force when QA signs it.
///
/// # Errors
/// 409 for a role held or asked for already, or one that must be held alone; 422 for an auditor without an end.
pub fn request_grant(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &str,
    (role, reason): (Role, &str),
) -> Result<(AccountState, Grant)> {
    let state = store::require(tx.read(), id)?;
    must_be_enabled(&state)?;
    let mut held = roles_in_force(&state.grants);
    held.extend(
        state.grants.iter().filter(|grant| grant.is_open()).filter_map(|grant| Role::from_code(&grant.role)),
    );
    may_ask_for(role, &held)?;
    if role == Role::Auditor && state.account.ends_at.is_none() {
        return Err(Error::invalid("ends_on", "auditor-without-end"));
    }
    let grant = new_grant(id, role, (actor, tx.now(), reason));
    diesel::insert_into(account_grant::table).values(&grant).execute(tx.rows())?;
    let entry = NewEntry::new(acts::GRANT_REQUESTED, actor).reason(reason);
    Ok((seal_state(tx, id, entry)?, grant))
}

/// The digest that QA signs: of the grant as asked for.
///
/// # Errors
/// Never for a grant of ours.
pub fn grant_digest(grant: &Grant) -> Result<Digest> {
    let asked = json!({
        "account": grant.account_id, "grant": grant.id, "role": grant.role,
        "requested_by": grant.requested_by, "requested_at": grant.requested_at.to_string(),
    });
    Ok(Digest::of(&canon::to_bytes(&asked).map_err(Error::internal)?))
}

/// QA signs a role into force; `seen` is the digest that was on the screen, where the signer sent it.
///
/// # Errors
/// 404, 409 for one that is not open or not as seen, 403 for one's own account.
pub fn sign_grant(
    tx: &mut Tx<'_>,
    signer: &Signer,
    id: &str,
    (grant, seen): (&str, Option<&str>),
) -> Result<AccountState> {
    let state = store::require(tx.read(), id)?;
    must_be_enabled(&state)?;
    let found = find_grant(&state, grant)?;
    let digest = grant_digest(&found)?;
    if seen.is_some_and(|seen| seen != digest.to_string()) {
        return Err(Error::conflict("stale-digest"));
    }
    if !found.is_open() {
        return Err(Error::conflict("grant-not-open"));
    }
    if signer.actor.id == id || signer.actor.id == found.requested_by {
        return Err(Error::forbidden("own-grant"));
    }
    let (subject, now) = (state.subject(), tx.now());
    let act = signatures::Act { subject: &subject, round: 0, meaning: "granted", digest, comment: "" };
    let (_, sig) = signatures::sign(tx, signer, &act)?;
    diesel::update(account_grant::table.find(grant))
        .set((account_grant::signed_by.eq(&signer.actor.id), account_grant::signed_at.eq(now)))
        .execute(tx.rows())?;
    let entry = NewEntry::new(acts::GRANT_SIGNED, &signer.actor).reason(&found.reason).signature(&sig);
    seal_state(tx, id, entry)
}

/// Takes a role away, or a request back, at once.
///
/// # Errors
/// 404; 409 when it has ended already.
pub fn end_grant(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &str,
    (grant, reason): (&str, &str),
) -> Result<AccountState> {
    let state = store::require(tx.read(), id)?;
    if find_grant(&state, grant)?.ended_at.is_some() {
        return Err(Error::conflict("grant-not-open"));
    }
    let now = tx.now();
    diesel::update(account_grant::table.find(grant))
        .set(account_grant::ended_at.eq(now))
        .execute(tx.rows())?;
    seal_state(tx, id, NewEntry::new(acts::GRANT_ENDED, actor).reason(reason))
}

fn find_grant(state: &AccountState, grant: &str) -> Result<Grant> {
    let found = state.grants.iter().find(|held| held.id == grant).cloned();
    found.ok_or_else(|| Error::not_found("grant", grant))
}

fn must_be_enabled(state: &AccountState) -> Result<()> {
    if state.account.disabled { Err(Error::conflict("account-disabled")) } else { Ok(()) }
}

/// Disables an account for good: its sessions and tokens end with it.
///
/// # Errors
/// 404; 409 when it is disabled already, or one's own.
pub fn disable(tx: &mut Tx<'_>, actor: &Actor, id: &str, reason: &str) -> Result<AccountState> {
    if actor.id == id {
        return Err(Error::conflict("own-account"));
    }
    must_be_enabled(&store::require(tx.read(), id)?)?;
    diesel::update(account::table.find(id)).set(account::disabled.eq(true)).execute(tx.rows())?;
    sessions::end_sessions(tx, id, None)?;
    seal_state(tx, id, NewEntry::new(acts::ACCOUNT_DISABLED, actor).reason(reason))
}

/// Sets a password in an administrator's name; the person changes it before signing anything.
///
/// # Errors
/// 404; 409 for a disabled account.
pub fn reset(tx: &mut Tx<'_>, actor: &Actor, id: &str, (hash, reason): (&str, &str)) -> Result<AccountState> {
    must_be_enabled(&store::require(tx.read(), id)?)?;
    diesel::update(account::table.find(id))
        .set((account::password_hash.eq(hash), account::must_change.eq(true)))
        .execute(tx.rows())?;
    sessions::end_sessions(tx, id, None)?;
    seal_state(tx, id, NewEntry::new(acts::ACCOUNT_RESET, actor).reason(reason))
}

/// A person's own new password; the other sessions of the account end.
///
/// # Errors
/// The database refuses.
pub fn change_password(
    tx: &mut Tx<'_>,
    actor: &Actor,
    hash: &str,
    session: Option<Digest>,
) -> Result<AccountState> {
    diesel::update(account::table.find(&actor.id))
        .set((account::password_hash.eq(hash), account::must_change.eq(false)))
        .execute(tx.rows())?;
    sessions::end_sessions(tx, &actor.id, session)?;
    seal_state(tx, &actor.id, NewEntry::new(acts::PASSWORD_CHANGED, actor))
}

/// Keeps an API token by its hash.
///
/// # Errors
/// 404, 409 for a disabled account, 422 for an expiry that has passed.
pub fn create_token(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &str,
    (label, hash, expires_at): (&str, Digest, Timestamp),
) -> Result<ApiToken> {
    must_be_enabled(&store::require(tx.read(), id)?)?;
    if expires_at <= tx.now() {
        return Err(Error::invalid("expires_on", "in-past"));
    }
    let token = ApiToken {
        id: crate::id::new("t"),
        account_id: id.to_owned(),
        label: label.to_owned(),
        token_hash: hash.to_string(),
        created_at: tx.now(),
        expires_at,
        revoked_at: None,
    };
    diesel::insert_into(api_token::table).values(&token).execute(tx.rows())?;
    seal_state(tx, id, NewEntry::new(acts::TOKEN_CREATED, actor).reason(label))?;
    Ok(token)
}

/// Revokes an API token at once.
///
/// # Errors
/// 404; 409 when it is revoked already.
pub fn revoke_token(tx: &mut Tx<'_>, actor: &Actor, token: &str, reason: &str) -> Result<()> {
    let found: Option<ApiToken> = api_token::table.find(token).first(tx.read()).optional()?;
    let found = found.ok_or_else(|| Error::not_found("token", token))?;
    if found.revoked_at.is_some() {
        return Err(Error::conflict("token-revoked"));
    }
    let now = tx.now();
    diesel::update(api_token::table.find(token)).set(api_token::revoked_at.eq(now)).execute(tx.rows())?;
    seal_state(tx, &found.account_id, NewEntry::new(acts::TOKEN_REVOKED, actor).reason(reason))?;
    Ok(())
}

/// Gives a setting a value.
///
/// # Errors
/// The database refuses.
pub fn change_setting(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (name, value): (&str, &str),
    reason: &str,
) -> Result<()> {
    let known = store::setting(tx.read(), name)?.is_some();
    if known {
        diesel::update(setting::table.find(name)).set(setting::value.eq(value)).execute(tx.rows())?;
    } else {
        diesel::insert_into(setting::table)
            .values((setting::name.eq(name), setting::value.eq(value)))
            .execute(tx.rows())?;
    }
    let snapshot = (store::GOVERNED_SETTINGS.snapshot)(tx.read(), name)?;
    let snapshot = snapshot.ok_or_else(|| Error::not_found("setting", name))?;
    let act: Act = acts::SETTING_CHANGED;
    tx.append(NewEntry::new(act, actor).reason(reason).state(snapshot))?;
    Ok(())
}
