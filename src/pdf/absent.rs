//! What stands in the press's place in a program built without it.

use std::path::PathBuf;

use super::{Job, Printed};
use crate::error::{Error, Result};

/// This program has no press.
pub(super) const BUILT: bool = false;

/// No engine.
#[derive(Default)]
pub(super) struct Engine(());

impl Engine {
    pub(super) fn set(&self, _: &[PathBuf], _: &Job) -> Result<Printed> {
        Err(Error::unavailable("pdf-not-built"))
    }

    pub(super) fn put_away(&self) {}
}
