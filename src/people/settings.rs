//! Settings of the installation that are records: changed with a reason, each value in the trail.

use super::accounts;
use super::store;
use crate::error::{Error, Result};
use crate::ledger::lane::{Actor, Tx};
use crate::store::Db;
use crate::web::input::{self, Faults};

/// A setting and what it may be.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its name, also of the form's field.
    pub name: &'static str,
    /// What holds while nobody has set it.
    pub default: &'static str,
    form: Form,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    /// Whole days, up to this many.
    Days(u32),
    /// One line, possibly empty, of at most so many characters.
    Line(usize),
}

/// Days between the approval of a version and its effect, kept for training (design.md "Life of a version").
pub const TRAINING_LEAD_DAYS: Setting =
    Setting { name: "training_lead_days", default: "0", form: Form::Days(365) };
/// Whom to ask who has forgotten a password or is locked out; told on the sign-in page.
pub const HELP_CONTACT: Setting = Setting { name: "help_contact", default: "", form: Form::Line(100) };
/// Whom customer service asks where no instruction is found.
pub const QA_ON_CALL: Setting = Setting { name: "qa_on_call", default: "", form: Form::Line(100) };

/// All settings, in the order in which they are shown.
pub const ALL: [Setting; 3] = [TRAINING_LEAD_DAYS, HELP_CONTACT, QA_ON_CALL];

impl Setting {
    /// The value in force.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn value(&self, db: &mut Db) -> Result<String> {
        Ok(store::setting(db, self.name)?.unwrap_or_else(|| self.default.to_owned()))
    }

    fn checked(&self, value: &str) -> Result<String> {
        match self.form {
            Form::Line(most) => Ok(input::optional_line(self.name, Some(value), most)?.unwrap_or_default()),
            Form::Days(most) => {
                let days = value.trim().parse::<u32>().map_err(|_| Error::invalid(self.name, "not-a-number"))?;
                if days > most {
                    return Err(Error::invalid(self.name, "out-of-range"));
                }
                Ok(days.to_string())
            }
        }
    }
}

/// New values as they were asked for, checked.
#[derive(Debug, Clone)]
pub struct Change {
    values: Vec<(&'static str, String)>,
    reason: String,
}

/// Checks new values, asked for by name; what is not named stays.
///
/// # Errors
/// 422 naming every field.
pub fn checked<'a>(asked: impl Fn(&'static str) -> Option<&'a str>, reason: &str) -> Result<Change> {
    let mut faults = Faults::new();
    let mut values = Vec::new();
    for setting in ALL {
        let Some(value) = asked(setting.name) else { continue };
        values.extend(faults.take(setting.checked(value)).map(|value| (setting.name, value)));
    }
    let reason = faults.take(input::text("reason", reason, 2000));
    match (reason, faults.is_empty()) {
        (Some(reason), true) => Ok(Change { values, reason }),
        _ => Err(faults.error()),
    }
}

/// Gives the settings that differ their new values, each with its entry; returns how many.
///
/// # Errors
/// 409 `nothing-changed`.
pub fn change(tx: &mut Tx<'_>, actor: &Actor, change: &Change) -> Result<usize> {
    let mut differing = Vec::new();
    for setting in ALL {
        let held = setting.value(tx.read())?;
        let wanted = change.values.iter().find(|(name, _)| *name == setting.name);
        differing.extend(wanted.filter(|(_, value)| *value != held));
    }
    if differing.is_empty() {
        return Err(Error::conflict("nothing-changed"));
    }
    for (name, value) in &differing {
        accounts::change_setting(tx, actor, (name, value), &change.reason)?;
    }
    Ok(differing.len())
}
