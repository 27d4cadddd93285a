//! How a command ends: an outcome or a failure, and the exit code for either.

use std::error::Error;
use std::process::ExitCode;

use anstream::eprintln;

use crate::domain::{Diagnose, Kind};

/// How a command that did its work ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// Nothing wrong, or done (exit 0).
    Fine,
    /// Findings, or changes a dry run would make (exit 1).
    Findings,
    /// Too little was seen to judge (exit 5).
    Blind,
    /// Stopped by Ctrl-C with what was found so far told (exit 130).
    Cut,
}

/// Flags that make no sense together, beyond what clap can tell.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct UsageError(pub(super) &'static str);

impl Diagnose for UsageError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(super) struct Failure {
    kind: Kind,
    message: String,
    causes: Vec<String>,
    hints: Vec<String>,
}

impl Failure {
    /// A mistake of ours; the panic itself has been printed already.
    pub(super) fn bug() -> Self {
        Self {
            kind: Kind::Bug,
            message: "this is a bug in georepair".to_owned(),
            causes: Vec::new(),
            hints: vec!["please report it with the lines above; nothing was changed".to_owned()],
        }
    }
}

impl<E: Error + Diagnose> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut causes = Vec::new();
        let mut next = error.source();
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        Self { kind: error.kind(), message: error.to_string(), causes, hints: error.hints() }
    }
}

/// Prints what clap has to say, and answers with its exit code: help is no mistake.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}

/// Prints a failure on standard error and answers with the contract's exit code.
pub(super) fn exit_code(ended: Result<Outcome, Failure>) -> ExitCode {
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
