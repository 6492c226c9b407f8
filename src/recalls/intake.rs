//! What a person or machine tells of a recall, every value checked and all faults told at once. API and pages share it.

use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::Value;

use super::reach::Booking;
use super::record::{Class, MOST_BATCHES, Origin, Role};
use super::store::{Filling, Registration, TEXT, TITLE};
use crate::error::{Error, FieldError, Kind, Result};
use crate::web::input::{self, Faults};

/// Characters of a code at most: material, batch, customer.
const CODE: usize = 64;

/// A registration as it came.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Draft {
    /// What it is about.
    pub title: String,
    /// I, II or III.
    pub class: String,
    /// Why so.
    pub class_rationale: String,
    /// What is wrong.
    pub reason: String,
    /// What we are in it.
    pub role: String,
    /// Who decided it.
    pub origin: String,
    /// An exercise.
    pub drill: bool,
    /// What is recalled.
    pub batches: Vec<BatchDraft>,
    /// When it was decided.
    pub decided_at: String,
}

/// A batch as it came.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BatchDraft {
    /// Empty or absent for whatever material bears the number.
    pub material: Option<String>,
    /// The batch number.
    pub batch: String,
}

/// What is to be filled, as it came. The fields that registering fills may be named, and are then refused as filled.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Patch {
    /// Why not everything came back.
    pub unaccounted_reason: Option<String>,
    /// Customers' rows.
    pub customers: Vec<BookingDraft>,
    /// Filled at registering.
    pub title: Option<Value>,
    /// Filled at registering.
    pub class: Option<Value>,
    /// Filled at registering.
    pub class_rationale: Option<Value>,
    /// Filled at registering.
    pub reason: Option<Value>,
    /// Filled at registering.
    pub role: Option<Value>,
    /// Filled at registering.
    pub origin: Option<Value>,
    /// Filled at registering.
    pub drill: Option<Value>,
    /// Filled at registering.
    pub batches: Option<Value>,
    /// Filled at registering.
    pub decided_at: Option<Value>,
}

/// A customer's row as it came.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BookingDraft {
    /// The customer's code.
    pub customer: String,
    /// When the notice reached them.
    pub notified_at: Option<String>,
    /// When they confirmed it.
    pub acknowledged_at: Option<String>,
    /// How much came back.
    pub returned: Option<String>,
    /// What else is to be said.
    pub note: Option<String>,
}

/// A registration, checked but for what only the present can say.
///
/// # Errors
/// 422 with every field that cannot be taken.
pub fn registration(draft: &Draft, zone: Tz) -> Result<Registration> {
    let mut faults = Faults::new();
    let title = faults.take(input::line("title", &draft.title, TITLE));
    let class = faults.take(input::code::<Class>("class", &draft.class));
    let rationale = faults.take(input::text("class_rationale", &draft.class_rationale, TEXT));
    let reason = faults.take(input::text("reason", &draft.reason, TEXT));
    let role = faults.take(input::code::<Role>("role", &draft.role));
    let origin = faults.take(input::code::<Origin>("origin", &draft.origin));
    let decided = faults.take(input::instant_here("decided_at", &draft.decided_at, zone));
    let batches = batches(&draft.batches, &mut faults);
    match (title, class, rationale, reason, role, origin, decided) {
        (
            Some(title),
            Some(class),
            Some(class_rationale),
            Some(reason),
            Some(role),
            Some(origin),
            Some(decided_at),
        ) if faults.is_empty() => Ok(Registration {
            title,
            class,
            class_rationale,
            reason,
            role,
            origin,
            drill: draft.drill,
            batches,
            decided_at,
        }),
        _ => Err(faults.error()),
    }
}

/// The batches, sorted, each once.
fn batches(drafts: &[BatchDraft], faults: &mut Faults) -> Vec<(String, String)> {
    if drafts.is_empty() {
        faults.note("batches", "required");
    }
    if drafts.len() > MOST_BATCHES {
        let args = vec![("most", MOST_BATCHES.to_string())];
        let fault = FieldError { field: "batches".to_owned(), code: "too-many", args };
        faults.take::<()>(Err(Error::new(Kind::Invalid, "invalid").field_with(fault)));
        return Vec::new();
    }
    let mut batches = Vec::with_capacity(drafts.len());
    for (at, draft) in drafts.iter().enumerate() {
        let material = draft.material.as_deref();
        let material = faults.take(input::optional_line(&format!("batches[{at}].material"), material, CODE));
        let batch = faults.take(input::line(&format!("batches[{at}].batch"), &draft.batch, CODE));
        if let (Some(material), Some(batch)) = (material, batch) {
            batches.push((material.unwrap_or_default(), batch));
        }
    }
    batches.sort();
    batches.dedup();
    batches
}

/// Batches as a form has them: one a line, the number, or material and number with a blank between.
pub fn batch_lines(text: &str) -> Vec<BatchDraft> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| match line.split_once(char::is_whitespace) {
            Some((material, batch)) => {
                BatchDraft { material: Some(material.to_owned()), batch: batch.trim().to_owned() }
            }
            None => BatchDraft { material: None, batch: line.to_owned() },
        })
        .collect()
}

/// What is to be filled, checked but for what only the recall can say.
///
/// # Errors
/// 422 with every field that cannot be taken.
pub fn filling(patch: &Patch, zone: Tz) -> Result<Filling> {
    let mut faults = Faults::new();
    let named = [
        ("title", &patch.title),
        ("class", &patch.class),
        ("class_rationale", &patch.class_rationale),
        ("reason", &patch.reason),
        ("role", &patch.role),
        ("origin", &patch.origin),
        ("drill", &patch.drill),
        ("batches", &patch.batches),
        ("decided_at", &patch.decided_at),
    ];
    let others = named.into_iter().filter(|(_, value)| value.is_some()).map(|(field, _)| field).collect();
    let reason = patch.unaccounted_reason.as_deref();
    let reason = reason.map(|reason| input::text("unaccounted_reason", reason, TEXT));
    let unaccounted_reason = reason.and_then(|reason| faults.take(reason));
    let mut bookings = Vec::with_capacity(patch.customers.len());
    for (at, draft) in patch.customers.iter().enumerate() {
        bookings.extend(booking(draft, (&format!("customers[{at}]"), zone), &mut faults));
    }
    faults.check()?;
    Ok(Filling { unaccounted_reason, bookings, others })
}

fn booking(draft: &BookingDraft, (at, zone): (&str, Tz), faults: &mut Faults) -> Option<Booking> {
    let told = |value: &Option<String>| value.clone().filter(|value| !value.trim().is_empty());
    let when = |field: &str, value: &Option<String>, faults: &mut Faults| {
        told(value).and_then(|value| faults.take(input::instant_here(&format!("{at}.{field}"), &value, zone)))
    };
    let customer = faults.take(input::line(&format!("{at}.customer"), &draft.customer, CODE));
    let notified_at = when("notified_at", &draft.notified_at, faults);
    let acknowledged_at = when("acknowledged_at", &draft.acknowledged_at, faults);
    let returned = told(&draft.returned)
        .and_then(|value| faults.take(input::decimal(&format!("{at}.returned"), &value)));
    let note =
        told(&draft.note).and_then(|value| faults.take(input::text(&format!("{at}.note"), &value, TEXT)));
    Some(Booking { customer: customer?, notified_at, acknowledged_at, returned, note })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONE: Tz = chrono_tz::Asia::Shanghai;

    #[test]
    fn an_empty_registration_is_refused_at_every_field_it_needs() {
        let error = registration(&Draft::default(), ZONE).unwrap_err();
        let fields: Vec<&str> = error.fields().iter().map(|fault| fault.field.as_str()).collect();
        let all = ["title", "class", "class_rationale", "reason", "role", "origin", "decided_at", "batches"];
        assert_eq!(fields, all);
    }

    #[test]
    fn a_form_has_one_batch_a_line_with_or_without_its_material() {
        let batches = batch_lines("230815\n\n 100238  230 816 \r\n");
        let batches: Vec<_> =
            batches.iter().map(|one| (one.material.as_deref(), one.batch.as_str())).collect();
        assert_eq!(batches, [(None, "230815"), (Some("100238"), "230 816")]);
    }

    #[test]
    fn a_booking_with_several_faults_names_them_all() {
        let wrong = BookingDraft {
            customer: "C1".into(),
            notified_at: Some("昨天".into()),
            returned: Some("-1".into()),
            ..BookingDraft::default()
        };
        let patch = Patch { customers: vec![wrong], ..Patch::default() };
        let error = filling(&patch, ZONE).unwrap_err();
        let fields: Vec<&str> = error.fields().iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["customers[0].notified_at", "customers[0].returned"]);
    }
}
