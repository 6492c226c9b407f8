//! An account as a record: who it is, which roles are in force, and the rules of granting them. Pure.

use diesel::prelude::*;

use super::rights::Role;
use crate::error::{Error, Result};
use crate::ledger::digest::Digest;
use crate::ledger::subject::{Row, Snapshot, Subject};
use crate::signatures::Signature;
use crate::store::schema::{account, account_grant, api_token};
use crate::time::Timestamp;

/// A row of `account`; login and name stand behind their commitments.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = account, treat_none_as_null = true)]
pub struct Account {
    /// `u-…`, never reused.
    pub id: String,
    /// Commitment of the login.
    pub login_sealed: String,
    /// Commitment of the printed name.
    pub name_sealed: String,
    /// PHC string.
    pub password_hash: String,
    /// An administrator set the password: nothing is signed before the person has changed it.
    pub must_change: bool,
    /// Acts at once, for good.
    pub disabled: bool,
    /// An auditor's account ends here.
    pub ends_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By which account, or `system`.
    pub created_by: String,
}

/// A row of `account_grant`: a role asked for, in force once QA has signed it.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = account_grant, treat_none_as_null = true)]
pub struct Grant {
    /// `g-…`.
    pub id: String,
    /// Whose.
    pub account_id: String,
    /// The role's code.
    pub role: String,
    /// Who asked.
    pub requested_by: String,
    /// When.
    pub requested_at: Timestamp,
    /// Why.
    pub reason: String,
    /// The QA account that signed, or `system` for the first accounts.
    pub signed_by: Option<String>,
    /// In force from here.
    pub signed_at: Option<Timestamp>,
    /// And no longer from here.
    pub ended_at: Option<Timestamp>,
}

impl Grant {
    /// Asked for, neither signed nor ended.
    pub fn is_open(&self) -> bool {
        self.signed_at.is_none() && self.ended_at.is_none()
    }

    /// The role while the grant is in force.
    pub fn role_in_force(&self) -> Option<Role> {
        (self.signed_at.is_some() && self.ended_at.is_none()).then(|| Role::from_code(&self.role)).flatten()
    }
}

/// A row of `api_token`; the token itself is shown once and kept as its hash.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = api_token, treat_none_as_null = true)]
pub struct ApiToken {
    /// `t-…`.
    pub id: String,
    /// Whose.
    pub account_id: String,
    /// What it is for.
    pub label: String,
    /// SHA-256, hex.
    pub token_hash: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Not accepted from here on.
    pub expires_at: Timestamp,
    /// Not accepted from here on, by decision.
    pub revoked_at: Option<Timestamp>,
}

/// An account with all that belongs to its snapshot.
#[derive(Debug, Clone)]
pub struct AccountState {
    /// The account's own row.
    pub account: Account,
    /// By id.
    pub grants: Vec<Grant>,
    /// By id.
    pub tokens: Vec<ApiToken>,
    /// Of grants, by id.
    pub signatures: Vec<Signature>,
}

impl AccountState {
    /// The ledger's subject.
    pub fn subject(&self) -> Subject {
        subject(&self.account.id)
    }

    /// The roles in force, in order of precedence.
    pub fn roles(&self) -> Vec<Role> {
        roles_in_force(&self.grants)
    }

    /// The account's snapshot, shape 1. The password stands in it as the SHA-256 of its stored hash: a swapped hash
    /// is found, and none travels.
    pub fn snapshot(&self) -> Snapshot {
        let Account { login_sealed, name_sealed, password_hash, must_change, disabled, .. } = &self.account;
        let grants = self.grants.iter().map(grant_row).collect::<Vec<serde_json::Value>>();
        let tokens = self.tokens.iter().map(token_row).collect::<Vec<serde_json::Value>>();
        let signatures = self.signatures.iter().map(Signature::row).collect::<Vec<serde_json::Value>>();
        Snapshot::new(&self.subject(), 1)
            .sealed("login", Some(login_sealed))
            .sealed("name", Some(name_sealed))
            .set("password", Digest::of(password_hash.as_bytes()).to_string())
            .set("must_change", *must_change)
            .set("disabled", *disabled)
            .instant("ends_at", self.account.ends_at)
            .instant("created_at", self.account.created_at)
            .set("created_by", self.account.created_by.as_str())
            .set("grants", grants)
            .set("tokens", tokens)
            .set("signatures", signatures)
            .rows("account", 1)
            .rows("account_grant", self.grants.len())
            .rows("api_token", self.tokens.len())
            .rows("signature", self.signatures.len())
    }
}

fn grant_row(grant: &Grant) -> serde_json::Value {
    Row::new()
        .set("id", grant.id.as_str())
        .set("role", grant.role.as_str())
        .set("requested_by", grant.requested_by.as_str())
        .instant("requested_at", grant.requested_at)
        .set("reason", grant.reason.as_str())
        .set("signed_by", grant.signed_by.clone())
        .instant("signed_at", grant.signed_at)
        .instant("ended_at", grant.ended_at)
        .into()
}

fn token_row(token: &ApiToken) -> serde_json::Value {
    Row::new()
        .set("id", token.id.as_str())
        .set("label", token.label.as_str())
        .set("token", token.token_hash.as_str())
        .instant("created_at", token.created_at)
        .instant("expires_at", token.expires_at)
        .instant("revoked_at", token.revoked_at)
        .into()
}

/// The subject of an account.
pub fn subject(id: &str) -> Subject {
    Subject::new("account", id)
}

/// The roles of the grants in force, in order of precedence, each once.
pub fn roles_in_force(grants: &[Grant]) -> Vec<Role> {
    let mut roles: Vec<Role> = grants.iter().filter_map(Grant::role_in_force).collect();
    roles.sort_unstable();
    roles.dedup();
    roles
}

/// Refuses a role that may not be asked for beside `held` (in force or asked for).
///
/// # Errors
/// 409: held already, or one of both must be held alone.
pub fn may_ask_for(role: Role, held: &[Role]) -> Result<()> {
    if held.contains(&role) {
        return Err(Error::conflict("role-held").arg("role", role.code()));
    }
    if !held.is_empty() && (role.is_exclusive() || held.iter().any(|held| held.is_exclusive())) {
        return Err(Error::conflict("role-exclusive").arg("role", role.code()));
    }
    Ok(())
}

/// What a login may be: 2 to 64 of `a-z 0-9 . _ -`, beginning with a letter or digit.
///
/// # Errors
/// 422 at `login`.
pub fn acceptable_login(login: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let ok = (2..=64).contains(&login.len())
        && login.starts_with(plain)
        && login.chars().all(|c| plain(c) || matches!(c, '.' | '_' | '-' | '@'));
    if ok { Ok(()) } else { Err(Error::invalid("login", "login-form")) }
}
