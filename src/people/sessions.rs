//! Signing in and out, lock-out, and the password given again before a signature.
//!
//! Passwords are checked outside the write lane. Every sign-in, refusal and lock-out is an entry; a locked or unknown
//! login answers in the same words and the same time as a wrong password.

use diesel::prelude::*;
use serde::Serialize;

use super::password;
use super::record::{Account, subject};
use super::rights::Role;
use super::store::{self, Session};
use super::visits::Visits;
use crate::error::{Error, Kind, Result};
use crate::ledger::acts;
use crate::ledger::digest::Digest;
use crate::ledger::lane::{Actor, NewEntry, Tx};
use crate::ledger::site::{Site, in_write_transaction};
use crate::ledger::subject::Subject;
use crate::store::Db;
use crate::store::schema::{session, sign_in_failure};
use crate::time::Timestamp;

/// A session unused for this long ends (contract.md).
pub const IDLE_SECONDS: i64 = 15 * 60;
/// And any session after this long.
pub const ABSOLUTE_SECONDS: i64 = 12 * 3600;
/// Failures in a row that lock.
pub(super) const FAILURES: i64 = 5;
/// For how long.
pub(super) const LOCKED_SECONDS: i64 = 15 * 60;
/// How a session's token begins, so that it is never taken for an API token.
pub const SESSION_PREFIX: &str = "ses_";
/// How an API token begins.
pub const TOKEN_PREFIX: &str = "tok_";

/// A fresh session, told once.
#[derive(Debug, Serialize)]
pub struct SignedIn {
    /// The bearer token.
    pub token: String,
    /// Its last instant, whatever is done with it.
    pub expires_at: Timestamp,
    /// Who signed in.
    pub user: store::Person,
    /// The administrator's password must be changed before anything is signed.
    pub must_change_password: bool,
}

/// Where a sign-in came from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The peer's address, sealed in the entry.
    pub address: String,
    /// The request's id.
    pub request: String,
}

/// A secret of 32 random bytes, hex, with its prefix, and its hash.
pub fn secret(prefix: &str) -> (String, Digest) {
    let token = format!("{prefix}{}", Digest::from_bytes(crate::id::random()));
    let hash = Digest::of(token.as_bytes());
    (token, hash)
}

fn login_hash(login: &str) -> String {
    Digest::of(login.as_bytes()).to_string()
}

/// Signs a person in; where nothing is written, for a visit.
///
/// # Errors
/// 401 for a wrong password, an unknown login, a disabled or ended account, in the same words; 429 while locked.
pub async fn sign_in(
    (site, visits): (&Site, &Visits),
    login: &str,
    password: &str,
    origin: Origin,
) -> Result<SignedIn> {
    if site.is_halted() {
        return visit((site, visits), login, password).await;
    }
    let (key, now) = (login_hash(login), site.clock.now());
    let (account, locked) = known(site, login, (&key, now)).await?;
    if let Some(seconds) = locked {
        let cause = account.as_ref().map(|account| subject(&account.id));
        refuse(site, &key, cause, "locked", origin).await?;
        return Err(Error::new(Kind::Locked, "locked").retry_after(seconds));
    }
    let matches = check(account.as_ref(), password).await?;
    let live = account.as_ref().is_some_and(|account| store::must_be_live(account, now).is_ok());
    match account {
        Some(account) if matches && live => open(site, account, key, origin).await,
        account => {
            let cause = if matches { "ended" } else { "credentials" };
            let known = account.map(|account| subject(&account.id));
            let locked = refuse(site, &key, known, cause, origin).await?;
            Err(match locked {
                Some(seconds) => Error::new(Kind::Locked, "locked").retry_after(seconds),
                None => Error::new(Kind::Unauthenticated, "bad-credentials"),
            })
        }
    }
}

/// The same rules, with nothing but this process to keep what they count.
async fn visit((site, visits): (&Site, &Visits), login: &str, password: &str) -> Result<SignedIn> {
    let (key, now) = (login_hash(login), site.clock.now());
    let (account, locked) = known(site, login, (&key, now)).await?;
    if let Some(seconds) = locked.or_else(|| visits.locked_for(&key, now)) {
        return Err(Error::new(Kind::Locked, "locked").retry_after(seconds));
    }
    let matches = check(account.as_ref(), password).await?;
    let live = account.filter(|account| matches && store::must_be_live(account, now).is_ok());
    let Some(account) = live else {
        tracing::warn!("a sign-in was refused, and no entry tells of it: nothing is written");
        return Err(match visits.refuse(&key, now) {
            Some(seconds) => Error::new(Kind::Locked, "locked").retry_after(seconds),
            None => Error::new(Kind::Unauthenticated, "bad-credentials"),
        });
    };
    tracing::warn!(account = %account.id, "signed in to read, and no entry tells of it: nothing is written");
    let (token, hash) = secret(SESSION_PREFIX);
    visits.open(hash, (&key, &account.id), now);
    let (id, must_change_password) = (account.id, account.must_change);
    let user = site.readers.read(move |db| store::person(db, &id)).await?;
    Ok(SignedIn { token, expires_at: now.plus_seconds(ABSOLUTE_SECONDS), user, must_change_password })
}

/// The account of a login, and for how many seconds more nobody signs in by it.
async fn known(
    site: &Site,
    login: &str,
    (key, now): (&str, Timestamp),
) -> Result<(Option<Account>, Option<u32>)> {
    let (name, hash) = (login.to_owned(), key.to_owned());
    site.readers.read(move |db| Ok((store::by_login(db, &name)?, store::locked_for(db, &hash, now)?))).await
}

async fn check(account: Option<&Account>, password: &str) -> Result<bool> {
    let stored = account.map(|account| account.password_hash.clone());
    let password = password.to_owned();
    let checked = tokio::task::spawn_blocking(move || matches(stored.as_deref(), &password));
    checked.await.map_err(Error::internal)
}

/// Takes the same time where there is no account.
fn matches(stored: Option<&str>, password: &str) -> bool {
    match stored {
        Some(stored) => password::matches(password, stored),
        None => {
            password::pretend(password);
            false
        }
    }
}

async fn open(site: &Site, account: Account, key: String, origin: Origin) -> Result<SignedIn> {
    let (token, hash) = secret(SESSION_PREFIX);
    let id = account.id.clone();
    let created = site
        .lane
        .write(move |tx| {
            let state = store::require(tx.read(), &id)?;
            store::must_be_live(&state.account, tx.now())?;
            let role = state.roles().first().copied().map_or("none", Role::code);
            let actor = Actor::account(&id, role).in_request(&origin.request);
            forget_failures(tx, &key)?;
            tx.seal("address", &origin.address);
            let now = tx.now();
            let entry = tx.append(NewEntry::new(acts::SESSION_OPENED, &actor).unchanged(&state.subject()))?;
            let row = Session {
                token_hash: hash.to_string(),
                account_id: id.clone(),
                via: crate::ledger::store::index(entry.seq)?,
                csrf: Digest::from_bytes(crate::id::random()).to_string(),
                created_at: now,
                seen_at: now,
                ended_at: None,
            };
            diesel::insert_into(session::table).values(&row).execute(tx.rows())?;
            Ok(now)
        })
        .await?;
    let id = account.id;
    let user = site.readers.read(move |db| store::person(db, &id)).await?;
    Ok(SignedIn {
        token,
        expires_at: created.plus_seconds(ABSOLUTE_SECONDS),
        user,
        must_change_password: account.must_change,
    })
}

fn forget_failures(tx: &mut Tx<'_>, key: &str) -> Result<()> {
    let known = sign_in_failure::table.find(key).count().get_result::<i64>(tx.read())? > 0;
    if known { forget(tx.rows(), key) } else { Ok(()) }
}

fn forget(db: &mut Db, key: &str) -> Result<()> {
    diesel::delete(sign_in_failure::table.find(key)).execute(db)?;
    Ok(())
}

/// Whose password this is, asked at the host where the ledger takes no entry: before a recovery is declared. A wrong one
/// counts and locks as at any sign-in; the log has it in the trail's place.
///
/// # Errors
/// As [`sign_in`].
pub fn known_at_host(db: &mut Db, (login, password): (&str, &str), now: Timestamp) -> Result<Account> {
    let key = login_hash(login);
    if let Some(seconds) = store::locked_for(db, &key, now)? {
        return Err(Error::new(Kind::Locked, "locked").retry_after(seconds));
    }
    let account = store::by_login(db, login)?;
    let matches = matches(account.as_ref().map(|account| account.password_hash.as_str()), password);
    let live = account.filter(|account| matches && store::must_be_live(account, now).is_ok());
    if let Some(account) = live {
        forget(db, &key)?;
        return Ok(account);
    }
    tracing::warn!(login, "sign-in refused at the host");
    Err(match in_write_transaction(db, |db| count(db, &key, now))? {
        Some(seconds) => Error::new(Kind::Locked, "locked").retry_after(seconds),
        None => Error::new(Kind::Unauthenticated, "bad-credentials"),
    })
}

/// Counts a failure and appends its entry; answers for how long the login is now locked.
async fn refuse(
    site: &Site,
    key: &str,
    known: Option<Subject>,
    cause: &'static str,
    origin: Origin,
) -> Result<Option<u32>> {
    let key = key.to_owned();
    site.lane
        .write(move |tx| {
            let actor = Actor::anonymous().in_request(&origin.request);
            tx.seal("address", &origin.address);
            let entry = NewEntry::new(acts::SESSION_REFUSED, &actor).field("cause", cause);
            let entry = match &known {
                Some(subject) => entry.unchanged(subject),
                None => entry,
            };
            tx.append(entry)?;
            if cause == "locked" { Ok(None) } else { count_failure(tx, &key, known.as_ref()) }
        })
        .await
}

/// Counts a failure for a login; that it is locked by it is an entry too.
fn count_failure(tx: &mut Tx<'_>, key: &str, known: Option<&Subject>) -> Result<Option<u32>> {
    let now = tx.now();
    let locked = count(tx.rows(), key, now)?;
    if let (Some(_), Some(subject)) = (locked, known) {
        tx.append(NewEntry::new(acts::ACCOUNT_LOCKED, &Actor::clock()).unchanged(subject))?;
    }
    Ok(locked)
}

/// Counts a failure for a login; at the fifth in a row it is locked, for so many seconds.
fn count(db: &mut Db, key: &str, now: Timestamp) -> Result<Option<u32>> {
    let before: Option<(i64, Option<Timestamp>)> = sign_in_failure::table
        .find(key)
        .select((sign_in_failure::failures, sign_in_failure::locked_until))
        .first(db)
        .optional()?;
    // A lock that has passed begins the count anew.
    let counted = before.filter(|(_, until)| until.is_none_or(|until| until > now)).map_or(0, |(n, _)| n);
    let failures = counted + 1;
    let locked_until = (failures >= FAILURES).then(|| now.plus_seconds(LOCKED_SECONDS));
    let values = (
        sign_in_failure::failures.eq(failures),
        sign_in_failure::locked_until.eq(locked_until),
        sign_in_failure::updated_at.eq(now),
    );
    if before.is_some() {
        diesel::update(sign_in_failure::table.find(key)).set(values).execute(db)?;
    } else {
        diesel::insert_into(sign_in_failure::table)
            .values((sign_in_failure::login_hash.eq(key), values.0, values.1, values.2))
            .execute(db)?;
    }
    Ok(locked_until.and_then(|_| u32::try_from(LOCKED_SECONDS).ok()))
}

/// A signature that somebody is about to give.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// What is to be signed; the refusal is noted on it. It must have an entry.
    pub subject: Subject,
    /// `approved`, `closed`, …
    pub meaning: &'static str,
}

/// Checks the password given again. A wrong one is noted on the subject and counts towards the lock.
///
/// # Errors
/// 403 `password`; 429 while locked.
pub(super) async fn confirm(
    site: &Site,
    (account, login): (&Account, &str),
    password: &str,
    (actor, attempt): (Actor, Attempt),
) -> Result<()> {
    let (key, now) = (login_hash(login), site.clock.now());
    let hash = key.clone();
    if let Some(seconds) = site.readers.read(move |db| store::locked_for(db, &hash, now)).await? {
        refuse_signature(site, actor, attempt, "locked", None).await?;
        return Err(Error::new(Kind::Locked, "locked").retry_after(seconds));
    }
    if check(Some(account), password).await? {
        let key_known = key.clone();
        site.lane.write(move |tx| forget_failures(tx, &key_known)).await?;
        return Ok(());
    }
    let own = subject(&account.id);
    refuse_signature(site, actor, attempt, "password", Some((key, own))).await?;
    Err(Error::forbidden("password"))
}

/// Notes a refused signature on its subject.
///
/// # Errors
/// The lane cannot write.
pub async fn refuse_signature(
    site: &Site,
    actor: Actor,
    attempt: Attempt,
    cause: &'static str,
    counted: Option<(String, Subject)>,
) -> Result<()> {
    site.lane
        .write(move |tx| {
            let entry = NewEntry::new(acts::SIGNATURE_REFUSED, &actor)
                .field("cause", cause)
                .field("meaning", attempt.meaning);
            let known = tx.is_known(&attempt.subject)?;
            tx.append(if known { entry.unchanged(&attempt.subject) } else { entry })?;
            if let Some((key, own)) = &counted {
                count_failure(tx, key, Some(own))?;
            }
            Ok(())
        })
        .await
}

/// Signs out.
///
/// # Errors
/// The lane cannot write.
pub async fn sign_out((site, visits): (&Site, &Visits), token: Digest, actor: Actor) -> Result<()> {
    if site.is_halted() {
        visits.end(token);
        return Ok(());
    }
    site.lane
        .write(move |tx| {
            let now = tx.now();
            tx.append(NewEntry::new(acts::SESSION_CLOSED, &actor).unchanged(&subject(&actor.id)))?;
            diesel::update(session::table.find(token.to_string()))
                .set(session::ended_at.eq(now))
                .execute(tx.rows())?;
            Ok(())
        })
        .await
}

/// Ends all sessions of an account but one; part of disabling it and of changing its password.
///
/// # Errors
/// The database refuses.
pub(super) fn end_sessions(tx: &mut Tx<'_>, account: &str, except: Option<Digest>) -> Result<()> {
    let (now, except) = (tx.now(), except.map(|hash| hash.to_string()).unwrap_or_default());
    diesel::update(session::table)
        .filter(session::account_id.eq(account).and(session::ended_at.is_null()))
        .filter(session::token_hash.ne(except))
        .set(session::ended_at.eq(now))
        .execute(tx.rows())?;
    Ok(())
}
