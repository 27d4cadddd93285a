//! A list of checks: each condition that was looked at, where, and what came out.

use serde::Serialize;

use crate::domain::{AuditFinding, Code, Severity, UserError};

/// What came out for one condition, better before worse.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckStatus {
    /// It holds.
    Pass,
    /// It cannot be seen from here.
    Unseen,
    /// It works, but somebody should look.
    Warn,
    /// It does not hold: a session would not work, a reset is refused.
    Fail,
}

/// A condition that was checked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Check {
    /// Its name: what `--override` takes.
    #[serde(rename = "what")]
    pub name: &'static str,
    /// Where: a node, a volume, a host; empty if it is about the session as a whole.
    pub place: String,
    /// What came out.
    #[serde(rename = "verdict")]
    pub status: CheckStatus,
    /// The code of what is wrong.
    pub code: Option<Code>,
    /// Why.
    pub says: String,
    /// The next command, ready to paste.
    pub next: Option<String>,
    /// Whether the operator may go on although it fails.
    #[serde(skip)]
    pub may_be_overridden: bool,
}

impl Check {
    pub(super) fn new(name: &'static str, status: CheckStatus, says: impl Into<String>) -> Self {
        let (place, says) = (String::new(), says.into());
        Self { name, place, status, code: None, says, next: None, may_be_overridden: false }
    }

    pub(super) fn pass(name: &'static str, says: impl Into<String>) -> Self {
        Self::new(name, CheckStatus::Pass, says)
    }

    pub(super) fn warn(name: &'static str, says: impl Into<String>) -> Self {
        Self::new(name, CheckStatus::Warn, says)
    }

    pub(super) fn fail(name: &'static str, says: impl Into<String>) -> Self {
        Self::new(name, CheckStatus::Fail, says)
    }

    /// A failure that `--override` lifts.
    pub(super) fn refuse(name: &'static str, says: impl Into<String>) -> Self {
        Self { may_be_overridden: true, ..Self::fail(name, says) }
    }

    pub(super) fn unseen<E: std::error::Error + UserError>(name: &'static str, error: &E) -> Self {
        let it = Self::new(name, CheckStatus::Unseen, format!("cannot be checked: {error}"));
        Self { next: error.hints().into_iter().next(), ..it }
    }

    pub(super) fn from_finding(name: &'static str, finding: &AuditFinding) -> Self {
        let status = match finding.severity {
            Severity::Fatal | Severity::Loss => CheckStatus::Fail,
            Severity::Warning => CheckStatus::Warn,
            Severity::Benign => CheckStatus::Pass,
        };
        Self::new(name, status, &finding.says).of(finding.code)
    }

    pub(super) fn of(self, code: Code) -> Self {
        Self { code: Some(code), ..self }
    }

    pub(super) fn at(self, place: impl Into<String>) -> Self {
        Self { place: place.into(), ..self }
    }

    pub(super) fn next(self, command: impl Into<String>) -> Self {
        Self { next: Some(command.into()), ..self }
    }
}
