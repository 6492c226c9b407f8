//! The sentences of `sentences.toml`: what the people of the demo write.

use std::sync::OnceLock;

use serde::Deserialize;

/// What changed in a version, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What.
    pub summary: String,
    /// Why.
    pub reason: String,
}

/// All of them; each is explained in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the file explains them")]
pub struct Sentences {
    pub warehouse: String,
    pub carrier: String,
    pub confirmed: String,
    pub tied: String,
    pub released: String,
    pub drill: String,
    pub used: String,
    pub returned: String,
    pub first: Change,
    pub revised: Change,
}

/// The sentences.
pub fn sentences() -> &'static Sentences {
    static SENTENCES: OnceLock<Sentences> = OnceLock::new();
    SENTENCES.get_or_init(|| {
        toml::from_str(include_str!("sentences.toml"))
            .expect("the file is part of the program and a test reads it")
    })
}
