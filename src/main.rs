//! The binary: arguments in, one command run, an exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    sopledger::cli::run()
}
