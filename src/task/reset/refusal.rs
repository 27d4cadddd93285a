//! A reset that is refused because checks failed.

use crate::check::{Check, CheckStatus};
use crate::domain::{Kind, UserError};

/// Checks failed, and nothing was changed.
#[derive(Debug, thiserror::Error)]
#[error("refused, nothing was changed: {}", .failed.join(", "))]
pub struct Refused {
    /// The names of the failed checks.
    pub failed: Vec<&'static str>,
    /// Those of them that can be overridden.
    pub overridable: Vec<&'static str>,
}

impl UserError for Refused {
    fn kind(&self) -> Kind {
        Kind::Refused
    }

    fn hints(&self) -> Vec<String> {
        let lift = |name: &&str| format!("--override {name}   continues although it failed");
        self.overridable.iter().map(lift).collect()
    }
}

/// Refuses if a check failed that is not, or cannot be, overridden.
pub(super) fn refuse(checks: &[Check], overridden: &[String]) -> Result<(), Refused> {
    let counts = |check: &&Check| {
        let lifted = check.may_be_overridden && overridden.iter().any(|it| it == check.name);
        check.status == CheckStatus::Fail && !lifted
    };
    let failed: Vec<_> = checks.iter().filter(counts).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let overridable = failed.iter().filter(|check| check.may_be_overridden);
    let overridable = overridable.map(|check| check.name).collect();
    Err(Refused { failed: failed.iter().map(|check| check.name).collect(), overridable })
}
