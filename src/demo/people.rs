//! The people of the demo: one account a role, named by it, with invented names.

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::ledger::lane::{Actor, Tx};
use crate::people::accounts::{self, NewAccount};
use crate::people::password;
use crate::people::rights::Role;
use crate::people::store;
use crate::signatures::Signer;
use crate::time::Timestamp;

/// An account of the demo.
#[derive(Debug, Clone, Deserialize)]
pub struct Person {
    /// What the person signs in with.
    pub login: String,
    /// The one role.
    pub role: Role,
    /// As printed in signatures.
    pub name: String,
}

/// All of them, in the order of the file.
///
/// # Errors
/// The file that is part of the program is broken, which a test excludes.
pub fn all() -> Result<Vec<Person>> {
    super::rows(include_str!("people.csv"))
}

/// The accounts to make, their password hashed: before the lane, one hash each.
///
/// # Errors
/// The hash cannot be made.
pub fn accounts(secret: &str, auditor_until: Timestamp) -> Result<Vec<(NewAccount, Role)>> {
    let account = |person: Person| {
        let new = NewAccount {
            login: person.login,
            name: person.name,
            password_hash: password::hash(secret)?,
            must_change: false,
            ends_at: (person.role == Role::Auditor).then_some(auditor_until),
        };
        Ok((new, person.role))
    };
    all()?.into_iter().map(account).collect()
}

/// Makes the accounts, their roles in force at once.
///
/// # Errors
/// The database refuses.
pub fn make(tx: &mut Tx<'_>, accounts: &[(NewAccount, Role)]) -> Result<()> {
    accounts.iter().try_for_each(|(new, role)| accounts::create_first(tx, new, &[*role]).map(drop))
}

/// An account of the demo as it acts in its one role.
///
/// # Errors
/// No such account.
pub fn actor(tx: &mut Tx<'_>, login: &str) -> Result<Actor> {
    signer(tx, login).map(|signer| signer.actor)
}

/// The same as one who signs.
///
/// # Errors
/// No such account.
pub fn signer(tx: &mut Tx<'_>, login: &str) -> Result<Signer> {
    let people = all()?;
    let person = people.into_iter().find(|person| person.login == login);
    let account = store::by_login(tx.read(), login)?;
    match (person, account) {
        (Some(person), Some(account)) => {
            Ok(Signer::by_password(Actor::account(account.id, person.role.code()), person.name))
        }
        _ => Err(Error::not_found("account", login)),
    }
}
