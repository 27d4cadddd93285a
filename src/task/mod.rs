//! Whole jobs, as a library user calls them: options in, findings and progress out.

pub mod audit_brick;
pub mod compare;
mod context;
pub mod diagnose;
mod failure;
pub mod reset;
pub mod run;
pub mod throttle;
pub mod trigger_sync;

pub use context::{Context, Phase, Progress, RunningPhase, Unit};
pub use failure::{Failure, UsageError};

use crate::domain::AuditFinding;

/// Where a task reports its findings, as it makes them.
pub trait Findings {
    /// Takes some findings.
    ///
    /// # Errors
    /// [`Failure`] if they cannot be written, as on a full disk.
    fn push(&mut self, findings: &[AuditFinding]) -> Result<(), Failure>;

    /// Whether no more of them are wanted, so that the task can end.
    fn is_gone(&self) -> bool {
        false
    }
}
