//! How a command ends: an outcome or a failure, and the exit code for either.

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
    /// Too little was seen to judge (exit 5).
    Blind,
    /// Stopped by Ctrl-C with what was found so far told (exit 130).
    Cut,
}

/// Prints what clap has to say, and answers with its exit code: help is no mistake.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}

/// Prints a failure on standard error and answers with the contract's exit code.
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
