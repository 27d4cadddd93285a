//! Exit codes: of an outcome, and of a failure.

use std::process::ExitCode;

use anstream::eprintln;

use crate::domain::Kind;
use crate::task::Failure;

/// How a command that did its work ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// Nothing wrong, or done (exit 0).
    Fine,
    /// Findings, or changes a dry run would make (exit 1).
    Findings,
    /// Not enough was seen to judge (exit 5).
    Blind,
    /// Stopped by Ctrl-C; what was found so far is reported (exit 130).
    Cut,
}

/// Prints clap's message and returns its exit code: 0 for help, 2 for an error.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}

/// Prints a failure on standard error and returns its exit code.
pub(crate) fn exit_code(ended: Result<Outcome, Failure>) -> ExitCode {
    let failure = match ended {
        Ok(Outcome::Fine) => return ExitCode::SUCCESS,
        Ok(Outcome::Findings) => return ExitCode::from(1),
        Ok(Outcome::Blind) => return ExitCode::from(5),
        Ok(Outcome::Cut) => return ExitCode::from(130),
        Err(failure) => failure,
    };
    eprintln!("error: {}", failure.message);
    for cause in &failure.causes {
        eprintln!("  because: {cause}");
    }
    for hint in &failure.hints {
        eprintln!("  hint: {hint}");
    }
    ExitCode::from(match failure.kind {
        Kind::Usage => 2,
        Kind::Refused => 3,
        Kind::Midway => 4,
        Kind::Blind => 5,
        Kind::Bug => 70,
        Kind::Interrupted => 130,
    })
}
