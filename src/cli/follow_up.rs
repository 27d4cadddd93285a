//! Runs, or prints, the follow-up of a finished plan.

use super::cmd::audit::session;
use super::failure::Outcome;
use super::global::Global;
use super::run_plan::RunOutcome;
use crate::domain::Name;
use crate::plan::{FollowUp, Plan};
use crate::task::compare::{CompareOptions, CompareSides};
use crate::task::{Failure, Progress as _, UsageError};

/// Compares both sides if the plan asks for it; otherwise prints the command that does.
pub(super) fn run_follow_up(
    plan: &Plan,
    outcome: RunOutcome,
    global: &Global,
) -> Result<Outcome, Failure> {
    let (RunOutcome::Done(_), Some(left)) = (outcome, &plan.afterwards) else {
        return Ok(outcome.outcome());
    };
    if !left.compare {
        print_command(left, global);
        return Ok(outcome.outcome());
    }
    let says = Name::from(left.says.as_str());
    global.progress().line(&format!("{}: comparing both sides", says.lossy()));
    let secondary = left.secondary.parse();
    let secondary = secondary.map_err(|_| UsageError("the plan names no secondary to compare"))?;
    let sides = CompareSides::Volumes { primary: left.primary.clone(), secondary };
    let compared = session::compare(&sides, CompareOptions::default(), global);
    if compared.is_err() {
        print_command(left, global);
    }
    match compared? {
        Outcome::Fine => Ok(outcome.outcome()),
        other => Ok(other),
    }
}

fn print_command(left: &FollowUp, global: &Global) {
    global.progress().line(&Name::from(left.to_string()).lossy());
}
