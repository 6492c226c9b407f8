//! What other people's programs read in a print: `pdftotext`, `pdffonts`, `pdfinfo` of Debian's poppler-utils.

use std::io::Write as _;
use std::process::Command;

/// What a program says of a file; none, loudly, where the machine has not got it.
pub fn ask(program: &str, arguments: &[&str], pdf: &[u8]) -> Option<String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(pdf).unwrap();
    let mut command = Command::new(program);
    command.args(arguments).arg(file.path());
    if program == "pdftotext" {
        command.arg("-");
    }
    let Ok(output) = command.output() else {
        crate::postgres::skipped(&format!("{program} is not here: install poppler-utils"));
        return None;
    };
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}
