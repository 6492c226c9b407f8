//! Accounts as they are read: by the API, and by the pages that show them.

use serde::Serialize;

use super::record::{AccountState, Grant};
use super::rights::Role;
use super::store::{Named, Person};
use super::{accounts, store};
use crate::error::Result;
use crate::store::Db;
use crate::time::Timestamp;

/// An account as administrators and QA read it.
#[derive(Debug, Serialize)]
pub struct User {
    /// `u-…`.
    pub id: String,
    /// What it signs in with.
    pub login: String,
    /// Its printed name.
    pub name: String,
    /// Roles in force.
    pub roles: Vec<Role>,
    /// `active`, `disabled` or `ended`.
    pub state: &'static str,
    /// The administrator's password is not changed yet.
    pub must_change_password: bool,
    /// An auditor's last instant.
    pub ends_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Roles asked for, in force and ended.
    pub grants: Vec<GrantView>,
    /// API tokens, without their secrets.
    pub tokens: Vec<TokenView>,
}

/// A grant as read.
#[derive(Debug, Clone, Serialize)]
pub struct GrantView {
    /// `g-…`.
    pub id: String,
    /// The role.
    pub role: String,
    /// `requested`, `in_force` or `ended`.
    pub state: &'static str,
    /// Who asked, by login.
    pub requested_by: Named,
    /// When.
    pub requested_at: Timestamp,
    /// Why.
    pub reason: String,
    /// Who signed, by login.
    pub signed_by: Option<Named>,
    /// When.
    pub signed_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What QA signs.
    pub digest: String,
}

/// An API token as read.
#[derive(Debug, Serialize)]
pub struct TokenView {
    /// `t-…`.
    pub id: String,
    /// What it is for.
    pub label: String,
    /// Not accepted from here on.
    pub expires_at: Timestamp,
    /// Or from here on, by decision.
    pub revoked_at: Option<Timestamp>,
}

/// An account as it is read, by its state.
///
/// # Errors
/// The database does not answer.
pub fn user(db: &mut Db, state: &AccountState, now: Timestamp) -> Result<User> {
    let person = store::person(db, &state.account.id)?;
    let account = &state.account;
    let ended = account.ends_at.is_some_and(|end| end <= now);
    let tokens = state.tokens.iter().map(|token| TokenView {
        id: token.id.clone(),
        label: token.label.clone(),
        expires_at: token.expires_at,
        revoked_at: token.revoked_at,
    });
    Ok(User {
        id: person.id,
        login: person.login,
        name: person.name,
        roles: person.roles,
        state: if account.disabled {
            "disabled"
        } else if ended {
            "ended"
        } else {
            "active"
        },
        must_change_password: account.must_change,
        ends_at: account.ends_at,
        created_at: account.created_at,
        grants: state.grants.iter().map(|grant| grant_view(db, grant)).collect::<Result<_>>()?,
        tokens: tokens.collect(),
    })
}

/// A grant as it is read.
///
/// # Errors
/// The database does not answer.
pub fn grant_view(db: &mut Db, grant: &Grant) -> Result<GrantView> {
    let signed_by = grant.signed_by.as_deref().map(|id| store::person(db, id)).transpose()?;
    let state = match (grant.ended_at, grant.signed_at) {
        (Some(_), _) => "ended",
        (None, Some(_)) => "in_force",
        (None, None) => "requested",
    };
    Ok(GrantView {
        id: grant.id.clone(),
        role: grant.role.clone(),
        state,
        requested_by: store::person(db, &grant.requested_by)?.named(),
        requested_at: grant.requested_at,
        reason: grant.reason.clone(),
        signed_by: signed_by.map(Person::named),
        signed_at: grant.signed_at,
        ended_at: grant.ended_at,
        digest: accounts::grant_digest(grant)?.to_string(),
    })
}
