//! axe-core: fetched from npm once, kept beside the build, run in the page through the driver, past the policy.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use super::chrome::Chrome;
use crate::postgres::skipped;

/// What is asked of every page; §8 of the acceptance list.
const TAGS: &str = "'wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice'";

/// axe's version: one that has just come out must not fail a change that has nothing to do with it.
const VERSION: &str = "4.14.1";

static SOURCE: OnceLock<Option<String>> = OnceLock::new();

/// The program; none, loudly, where npm cannot bring it.
pub fn source() -> Option<&'static str> {
    SOURCE.get_or_init(fetch).as_deref()
}

fn fetch() -> Option<String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("axe-core-{VERSION}"));
    let kept = folder.join("package/axe.min.js");
    if !kept.exists() {
        std::fs::create_dir_all(&folder).unwrap();
        let script = format!(
            "npm pack --silent --fetch-retries=5 axe-core@{VERSION} >/dev/null && tar xzf axe-core-{VERSION}.tgz"
        );
        let fetched = Command::new("sh").arg("-c").arg(script).current_dir(&folder).status();
        if !fetched.is_ok_and(|status| status.success()) {
            skipped("npm does not bring axe-core: no page was checked with it");
            return None;
        }
    }
    Some(std::fs::read_to_string(kept).unwrap())
}

/// What axe finds wrong on the open page: rule, what it says, and where.
pub fn violations(chrome: &Chrome, source: &str) -> Vec<String> {
    if chrome.script("return typeof axe === 'undefined'") == true {
        chrome.script(source);
    }
    let run = format!(
        "const done = arguments[0];
         axe.run(document, {{ runOnly: [{TAGS}], resultTypes: ['violations'] }}).then(
           (found) => done(found.violations.map((one) => one.id + ': ' + one.help + ' @ ' +
             one.nodes.slice(0, 3).map((node) => node.target.join(' ') + ' ' + node.html.slice(0, 160) +
               ' ' + [...node.any, ...node.all].map((check) => check.message).join('; ')).join(' | '))),
           (error) => done(['axe failed: ' + error]))"
    );
    let found = chrome.script_async(&run);
    found.as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
}
