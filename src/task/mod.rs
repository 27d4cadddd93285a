//! Whole jobs, as a library user calls them: options in, findings and progress out.

pub mod audit_brick;
pub mod compare;
mod context;
pub mod diagnose;
mod failure;
pub mod run;
pub mod throttle;
pub mod trigger_sync;

pub use context::{Context, Phase, Progress, RunningPhase, Unit};
pub use failure::{Failure, UsageError};

use crate::domain::AuditFinding;

/// Where a task hands its findings, as it makes them.
pub trait Findings {
    /// Takes some findings.
    ///
    /// # Errors
    /// [`Failure`] where they cannot be taken, as on a full disk.
    fn push(&mut self, findings: &[AuditFinding]) -> Result<(), Failure>;

    /// Whether nobody wants more of them, so that the task can end.
    fn is_gone(&self) -> bool {
        false
    }
}
