//! Why a task failed, from whichever layer the error came.

use std::error::Error;

use crate::domain::{Kind, UserError};

/// Options that contradict each other, beyond what clap can check.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub &'static str);

impl UserError for UsageError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }
}

/// Why a task failed.
#[derive(Debug)]
pub struct Failure {
    /// Decides the exit code.
    pub kind: Kind,
    /// What failed, in one line.
    pub message: String,
    /// Its causes, the nearest first.
    pub causes: Vec<String>,
    /// What to try next.
    pub hints: Vec<String>,
}

impl Failure {
    /// A bug in georepair; the panic itself was printed already.
    #[must_use]
    pub fn bug() -> Self {
        Self {
            kind: Kind::Bug,
            message: "this is a bug in georepair".to_owned(),
            causes: Vec::new(),
            hints: vec!["please report it with the lines above".to_owned()],
        }
    }
}

impl<E: Error + UserError> From<E> for Failure {
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
