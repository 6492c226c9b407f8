//! Which procedures held at each event of an order, and whether who acted had been trained on them by then.

use std::collections::BTreeMap;

use serde::Serialize;

use super::record::{Event, OrderState, processes_of};
use crate::documents::read::procedures_for;
use crate::error::Result;
use crate::ledger::store as ledger;
use crate::ledger::subject::Subject;
use crate::people::store::{account_of_name, by_login};
use crate::signatures;
use crate::store::Db;
use crate::time::Timestamp;

/// A document that held at an event, or the lack of one.
#[derive(Debug, Clone, Serialize)]
pub struct Procedure {
    /// The event's kind.
    pub event: String,
    /// Its instant.
    pub at: Timestamp,
    /// The process.
    pub process: &'static str,
    /// The document's number; none where no document for the process was in force.
    pub document: Option<String>,
    /// Its version then.
    pub version: Option<String>,
    /// That version's digest.
    pub digest: Option<String>,
    /// Its title then, by language.
    pub title: Option<BTreeMap<String, String>>,
    /// The login or name of who acted.
    pub by: Option<String>,
    /// Whether that person had acknowledged the version by then.
    pub trained: Trained,
}

/// Whether a person had been trained by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trained {
    /// Had signed as acknowledged, or not.
    Known(bool),
    /// Nobody here has that login or name.
    Unknown,
    /// The ERP did not say who acted.
    NotRecorded,
}

impl Serialize for Trained {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(known) => serializer.serialize_bool(*known),
            Self::Unknown => serializer.serialize_str("unknown"),
            Self::NotRecorded => serializer.serialize_str("not_recorded"),
        }
    }
}

/// Who acted at an event.
enum Who {
    Account(String),
    Unknown,
    NotRecorded,
}

/// The procedures of an order, by instant.
///
/// # Errors
/// The database does not answer.
pub fn of(db: &mut Db, state: &OrderState) -> Result<Vec<Procedure>> {
    let mut events: Vec<&Event> = state.events.iter().collect();
    events.sort_by_key(|event| (event.at, event.n));
    let mut procedures = Vec::new();
    for event in events {
        let by = match &event.by_sealed {
            Some(commitment) => ledger::unsealed(db, commitment)?,
            None => None,
        };
        let who = who(db, by.as_deref())?;
        let processes = processes_of(&event.kind, &state.lines);
        let held = procedures_for(db, &processes, event.at)?;
        for process in processes {
            let mut any = false;
            for held in held.iter().filter(|held| held.processes.iter().any(|own| own == process)) {
                any = true;
                let trained = trained(db, &who, (&held.document, &held.version), event.at)?;
                procedures.push(Procedure {
                    document: Some(held.document.clone()),
                    version: Some(held.version.clone()),
                    digest: Some(held.digest.clone()),
                    title: Some(held.title.clone()),
                    ..gap(event, process, &by, trained)
                });
            }
            if !any {
                let trained = match who {
                    Who::Account(_) => Trained::Known(false),
                    Who::Unknown => Trained::Unknown,
                    Who::NotRecorded => Trained::NotRecorded,
                };
                procedures.push(gap(event, process, &by, trained));
            }
        }
    }
    Ok(procedures)
}

fn gap(event: &Event, process: &'static str, by: &Option<String>, trained: Trained) -> Procedure {
    Procedure {
        event: event.kind.clone(),
        at: event.at,
        process,
        document: None,
        version: None,
        digest: None,
        title: None,
        by: by.clone(),
        trained,
    }
}

/// The ERP gives a login, or the printed name of just one account.
fn who(db: &mut Db, by: Option<&str>) -> Result<Who> {
    let Some(by) = by else { return Ok(Who::NotRecorded) };
    let account = match by_login(db, by)? {
        Some(account) => Some(account),
        None => account_of_name(db, by)?,
    };
    Ok(account.map_or(Who::Unknown, |account| Who::Account(account.id)))
}

fn trained(db: &mut Db, who: &Who, (document, version): (&str, &str), at: Timestamp) -> Result<Trained> {
    let id = match who {
        Who::Account(id) => id,
        Who::Unknown => return Ok(Trained::Unknown),
        Who::NotRecorded => return Ok(Trained::NotRecorded),
    };
    let subject = Subject::new("document", format!("{document}/{version}"));
    let acknowledged = signatures::of(db, &subject)?.into_iter().any(|signature| {
        signature.meaning == "acknowledged" && signature.account_id == *id && signature.signed_at <= at
    });
    Ok(Trained::Known(acknowledged))
}
