//! A form on a page: its fields with label, hint and what was typed, and after a refusal what is wrong, field by field
//! and in a box before them. Words are found by the form's prefix; nothing that was typed is lost.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::error::Error;
use crate::web::form::Typed;
use crate::web::problem;
use crate::web::words::Words;

/// What one of a closed list may be chosen by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The code sent.
    pub value: String,
    /// Its word.
    pub label: String,
}

/// A form as the page shows it: what was typed, and after a refusal what is wrong with it.
///
/// The label of the field `title` is the message `<prefix>-title`, its hint that message's attribute `hint`.
#[derive(Debug, Clone)]
pub struct Sheet {
    w: Words,
    prefix: &'static str,
    typed: Typed,
    faults: Vec<(String, String)>,
    refusal: Option<String>,
}

impl Sheet {
    /// A form whose words begin with `prefix`, filled with `typed`.
    pub fn new(w: Words, prefix: &'static str, typed: Typed) -> Self {
        Self { w, prefix, typed, faults: Vec::new(), refusal: None }
    }

    /// The same form, handed back with what is wrong.
    pub fn refused(mut self, error: &Error) -> Self {
        let faults = error.fields().iter();
        self.faults =
            faults.map(|fault| (fault.field.clone(), problem::field_message(fault, self.w))).collect();
        self.refusal = self.faults.is_empty().then(|| problem::detail(error, self.w));
        self
    }

    /// What was typed into `field`.
    pub fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }

    /// Whether `field` holds `value`, for ticks.
    pub fn has(&self, field: &str, value: &str) -> bool {
        self.typed.has(field, value)
    }

    /// What is wrong, in a box that takes the focus; nothing where nothing is.
    pub fn summary(&self) -> Summary<'_> {
        Summary { sheet: self }
    }

    /// A one-line field.
    pub fn line<'a>(&'a self, field: &'a str) -> Field<'a> {
        self.field(field, Input::Line { mode: "text" })
    }

    /// A field for a date.
    pub fn date<'a>(&'a self, field: &'a str) -> Field<'a> {
        self.field(field, Input::Line { mode: "date" })
    }

    /// A field for a whole or decimal number.
    pub fn number<'a>(&'a self, field: &'a str) -> Field<'a> {
        self.field(field, Input::Line { mode: "number" })
    }

    /// A field for several lines.
    pub fn text<'a>(&'a self, field: &'a str) -> Field<'a> {
        self.field(field, Input::Text)
    }

    /// A field for the present password (`current-password`) or a new one (`new-password`).
    pub fn password<'a>(&'a self, field: &'a str, autocomplete: &'a str) -> Field<'a> {
        self.field(field, Input::Password { autocomplete })
    }

    /// A field to choose one of a list, which a form asks for.
    pub fn choice<'a>(&'a self, field: &'a str, choices: &'a [Choice]) -> Field<'a> {
        self.field(field, Input::Choice { choices, none: "parts-choose" })
    }

    /// A field that narrows a list down to one of `choices`, or leaves it as it is.
    pub fn filter<'a>(&'a self, field: &'a str, choices: &'a [Choice]) -> Field<'a> {
        self.field(field, Input::Choice { choices, none: "parts-any" })
    }

    /// A field to tick any of a list.
    pub fn ticks<'a>(&'a self, field: &'a str, choices: &'a [Choice]) -> Field<'a> {
        self.field(field, Input::Ticks { choices, kind: "checkbox" })
    }

    /// A field to choose exactly one of a short list, all in sight.
    pub fn radios<'a>(&'a self, field: &'a str, choices: &'a [Choice]) -> Field<'a> {
        self.field(field, Input::Ticks { choices, kind: "radio" })
    }

    fn field<'a>(&'a self, name: &'a str, input: Input<'a>) -> Field<'a> {
        let key = format!("{}-{name}", self.prefix);
        let hint = format!("{key}.hint");
        Field {
            sheet: self,
            name,
            label: self.w.t(&key).into_owned(),
            hint: self.w.has(&hint).then(|| self.w.t(&hint).into_owned()),
            fault: self.fault(name),
            input,
        }
    }

    /// The fault of a field, also of its parts (`lines[2].batch` belongs to `lines`).
    fn fault(&self, name: &str) -> Option<&str> {
        let own = |field: &str| field.split(['[', '.']).next() == Some(name);
        self.faults.iter().find(|(field, _)| own(field)).map(|(_, message)| message.as_str())
    }

    fn label(&self, field: &str) -> String {
        let own = field.split(['[', '.']).next().unwrap_or_default();
        let key = format!("{}-{own}", self.prefix);
        if self.w.has(&key) { self.w.t(&key).into_owned() } else { field.to_owned() }
    }

    fn anchor(&self, field: &str) -> String {
        format!("f-{}", field.split(['[', '.']).next().unwrap_or_default())
    }
}

#[derive(Debug, Clone, Copy)]
enum Input<'a> {
    Line { mode: &'static str },
    Text,
    Password { autocomplete: &'a str },
    Choice { choices: &'a [Choice], none: &'static str },
    Ticks { choices: &'a [Choice], kind: &'static str },
}

/// A field with label, hint and fault.
#[derive(Debug, Template)]
#[template(path = "parts/field.html")]
pub struct Field<'a> {
    sheet: &'a Sheet,
    name: &'a str,
    label: String,
    hint: Option<String>,
    fault: Option<&'a str>,
    input: Input<'a>,
}

impl HtmlSafe for Field<'_> {}

impl Field<'_> {
    /// Ids of hint and fault, for `aria-describedby`; empty where there is neither.
    fn described(&self) -> String {
        let hint = self.hint.as_ref().map(|_| format!("f-{}-h", self.name));
        let fault = self.fault.map(|_| format!("f-{}-e", self.name));
        hint.into_iter().chain(fault).collect::<Vec<_>>().join(" ")
    }

    fn value(&self) -> &str {
        self.sheet.value(self.name)
    }

    fn has(&self, value: &str) -> bool {
        self.sheet.has(self.name, value)
    }
}

/// What is wrong with a form, before it.
#[derive(Debug, Template)]
#[template(path = "parts/summary.html")]
pub struct Summary<'a> {
    sheet: &'a Sheet,
}

impl HtmlSafe for Summary<'_> {}

impl Summary<'_> {
    fn number(&self) -> i64 {
        i64::try_from(self.sheet.faults.len()).unwrap_or(i64::MAX)
    }
}
