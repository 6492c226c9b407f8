//! The one error type: what was refused and why, as a code and its arguments, never as prose.
//!
//! The words for a code stand in `templates/words/*/problems.ftl` (`problem-<code>` with a `.detail`), those for a
//! field in the same file (`field-<code>`); the rim ([`crate::web::problem`]) turns an error into a page or into
//! `application/problem+json`. What the log should know and the reader should not travels as the source.

use std::fmt;

/// Which family of refusal an error belongs to; contract.md's table of statuses, without HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Bytes that cannot be read at all: broken JSON, broken UTF-8, NUL.
    Malformed,
    /// Nobody is signed in, or the credentials were wrong.
    Unauthenticated,
    /// Signed in, but without the right; or the wrong password while signing.
    Forbidden,
    /// No such thing, or a number no such thing could have.
    NotFound,
    /// Against the present state of the record.
    Conflict,
    /// `If-Match` names an older state.
    Stale,
    /// `If-Match` is required and missing.
    Unconditional,
    /// Longer than we take.
    TooLarge,
    /// A media type we do not read.
    Unsupported,
    /// Readable, but a value is unacceptable.
    Invalid,
    /// Locked, or too fast.
    Locked,
    /// Nothing was written; trying again later may work.
    Unavailable,
    /// Our fault.
    Internal,
}

/// One field that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name as the request spells it; `lines[2].batch` for nested ones.
    pub field: String,
    /// Code of the message `field-<code>`.
    pub code: &'static str,
    /// Arguments of that message.
    pub args: Vec<(&'static str, String)>,
}

/// A refusal or a failure. Cheap to return, boxed inside.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    code: &'static str,
    args: Vec<(&'static str, String)>,
    fields: Vec<FieldError>,
    extra: serde_json::Map<String, serde_json::Value>,
    retry_after: Option<u32>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What a refusal said, to be told again as long as it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Its words are those of `problem-<code>`.
    pub code: &'static str,
    /// Arguments of the message.
    pub args: Vec<(&'static str, String)>,
}

impl From<&Error> for Cause {
    fn from(error: &Error) -> Self {
        Self { code: error.code(), args: error.args().to_vec() }
    }
}

/// The result of everything that can be refused.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A refusal of `kind` whose words are those of `problem-<code>`.
    pub fn new(kind: Kind, code: &'static str) -> Self {
        Self(Box::new(Inner {
            kind,
            code,
            args: Vec::new(),
            fields: Vec::new(),
            extra: serde_json::Map::new(),
            retry_after: None,
            source: None,
        }))
    }

    /// 409: the present state of the record does not allow it.
    pub fn conflict(code: &'static str) -> Self {
        Self::new(Kind::Conflict, code)
    }

    /// 403: no right to it.
    pub fn forbidden(code: &'static str) -> Self {
        Self::new(Kind::Forbidden, code)
    }

    /// 422 with one field named; add more with [`Error::field`].
    pub fn invalid(field: impl Into<String>, code: &'static str) -> Self {
        Self::new(Kind::Invalid, "invalid").field(field, code)
    }

    /// 404: nothing of this kind under this name.
    pub fn not_found(kind: &'static str, id: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, "not-found").arg("kind", kind).arg("id", id)
    }

    /// 500, with the cause for the log.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(Kind::Internal, "internal").caused_by(source)
    }

    /// 503: nothing was written, try again.
    pub fn unavailable(code: &'static str) -> Self {
        Self::new(Kind::Unavailable, code)
    }

    /// Adds an argument of the message.
    pub fn arg(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.args.push((name, value.into()));
        self
    }

    /// Adds a refused field.
    pub fn field(self, field: impl Into<String>, code: &'static str) -> Self {
        self.field_with(FieldError { field: field.into(), code, args: Vec::new() })
    }

    /// Adds a refused field whose message has arguments.
    pub fn field_with(mut self, field: FieldError) -> Self {
        self.0.fields.push(field);
        self
    }

    /// Adds a member of the problem document, for machines.
    pub fn with(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.0.extra.insert(name.to_owned(), value.into());
        self
    }

    /// Says after how many seconds it is worth trying again.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// Keeps the cause for the log; readers never see it.
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The family, from which the status follows.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The stable code, the last part of the problem's `type`.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// Arguments of the message.
    pub fn args(&self) -> &[(&'static str, String)] {
        &self.0.args
    }

    /// The refused fields.
    pub fn fields(&self) -> &[FieldError] {
        &self.0.fields
    }

    /// Further members of the problem document.
    pub fn extra(&self) -> &serde_json::Map<String, serde_json::Value> {
        &self.0.extra
    }

    /// Seconds to wait, where known.
    pub fn retry(&self) -> Option<u32> {
        self.0.retry_after
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.code)?;
        for (name, value) in &self.0.args {
            write!(f, " {name}={value:?}")?;
        }
        for field in &self.0.fields {
            write!(f, " {}:{}", field.field, field.code)?;
            for (name, value) in &field.args {
                write!(f, "({name}={value:?})")?;
            }
        }
        match &self.0.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::{DatabaseErrorKind as D, Error as E};
        match error {
            E::NotFound => Self::new(Kind::NotFound, "not-found").arg("kind", "record").arg("id", ""),
            E::DatabaseError(D::UniqueViolation, _) => Self::conflict("already-exists").caused_by(error),
            E::DatabaseError(D::ClosedConnection | D::SerializationFailure | D::UnableToSendCommand, _)
            | E::BrokenTransactionManager => Self::unavailable("database").caused_by(error),
            E::DatabaseError(_, ref told) => match disk(told.message()) {
                Some(code) => Self::unavailable(code).caused_by(error),
                None => Self::internal(error),
            },
            _ => Self::internal(error),
        }
    }
}

/// What a database says of a disk that takes nothing more: SQLite in words of its own, PostgreSQL in the system's.
fn disk(told: &str) -> Option<&'static str> {
    let full = ["database or disk is full", "No space left on device"];
    let read_only = ["readonly database", "Read-only file system"];
    let says = |words: [&str; 2]| words.iter().any(|words| told.contains(words));
    match () {
        () if says(full) => Some("disk-full"),
        () if says(read_only) => Some("disk-read-only"),
        () => None,
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind as K;
        match error.kind() {
            K::StorageFull | K::QuotaExceeded => Self::unavailable("disk-full").caused_by(error),
            K::ReadOnlyFilesystem => Self::unavailable("disk-read-only").caused_by(error),
            _ => Self::internal(error),
        }
    }
}
