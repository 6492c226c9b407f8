//! The pages as a person meets them: in Debian's Chromium, driven through chromedriver, by clicking and typing.
//!
//! [`story`] follows a document from its first word to the auditor's check, with scripts and without. [`pages`] opens
//! every page of the route table in both languages and themes and lets axe-core, the policy's violations, the width
//! of a telephone and the words speak. [`keyboard`] walks the forms with the Tab key. axe-core comes from npm when the
//! tests run; a machine without Chromium, chromedriver or npm skips loudly.

mod axe;
mod chrome;
mod keyboard;
mod pages;
mod places;
mod story;
