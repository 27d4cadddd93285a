//! What a plan leaves open when it has been carried out is seen to, or told.

use anstream::eprintln;

use super::cmd::audit;
use super::failure::Outcome;
use super::global::Global;
use super::run_plan::RunOutcome;
use crate::domain::Name;
use crate::plan::{FollowUp, Plan};
use crate::task::{Failure, UsageError};

/// Compares both sides where the plan asks for it, and says where it does not.
pub(super) fn see_to(
    plan: &Plan,
    carried: RunOutcome,
    global: &Global,
) -> Result<Outcome, Failure> {
    let (RunOutcome::Done { .. }, Some(left)) = (carried, &plan.afterwards) else {
        return Ok(carried.outcome());
    };
    if !left.compare {
        tell(left, global);
        return Ok(carried.outcome());
    }
    if !global.quiet {
        eprintln!("{}: both sides are compared", Name::from(left.says.as_str()).lossy());
    }
    let secondary = left.secondary.parse();
    let secondary = secondary.map_err(|_| UsageError("the plan names no secondary to compare"))?;
    let compared = audit::both_sides(&left.primary, &secondary, global);
    if compared.is_err() {
        tell(left, global);
    }
    match compared? {
        Outcome::Fine => Ok(carried.outcome()),
        other => Ok(other),
    }
}

fn tell(left: &FollowUp, global: &Global) {
    if !global.quiet {
        eprintln!("{}", Name::from(left.to_string()).lossy());
    }
}
