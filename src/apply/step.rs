//! Executes one step: observe, check its guards, journal the intent, act, verify.

use super::error::{ApplyError, FailedCondition};
use super::executor::{Executor, ExecutorError, Executors};
use super::journal::Journal;
use super::progress::StepState;
use crate::plan::{Action, Guard, Step};

/// Executes a step, or resumes it; returns whether anything had to be done.
pub(super) fn execute(
    step: &Step,
    action: &Action,
    journal: &mut Journal,
    executors: &mut dyn Executors,
) -> Result<bool, ApplyError> {
    let midway = journal.progress().has_changed_anything();
    let failed = |source| ApplyError::failed(step, midway, source);
    let executor = executors.on(&step.node).map_err(failed)?;
    let now = executor.observe(&action.object).map_err(failed)?;
    match journal.progress().step(step.id) {
        StepState::Waiting if now == action.wanted => {
            journal.already_so(step.id)?;
            return Ok(false);
        }
        StepState::Waiting => {
            check_guards(step, midway, executor)?;
            journal.started(step.id, Some(now))?;
        }
        // Its guards held when it started, and may be about what it has changed since.
        StepState::Begun { .. } if now == action.wanted && action.may_have_been_missed() => {}
        StepState::Begun { .. } if now == action.wanted => {
            journal.succeeded(step.id)?;
            return Ok(true);
        }
        StepState::Begun { before: Some(before) } if now == *before => {
            check_guards(step, true, executor)?;
        }
        StepState::Begun { before } => {
            return Err(ApplyError::drifted(step, action, before.as_ref(), &now));
        }
        StepState::Done { .. } | StepState::AlreadySo => return Ok(false),
    }
    perform_and_verify(step, action, executor)?;
    journal.succeeded(step.id)?;
    Ok(true)
}

/// Executes the step of a script: without a journal, on this node; returns whether anything had to
/// be done.
///
/// # Errors
/// [`ApplyError`]; executing it again does what was left to do.
pub fn execute_without_journal(
    step: &Step,
    action: &Action,
    executor: &mut dyn Executor,
) -> Result<bool, ApplyError> {
    let now = executor.observe(&action.object);
    if now.map_err(|source| ApplyError::failed(step, false, source))? == action.wanted {
        return Ok(false);
    }
    check_guards(step, false, executor)?;
    perform_and_verify(step, action, executor)?;
    Ok(true)
}

/// Acts, and checks that the object is then in the wanted state.
fn perform_and_verify(
    step: &Step,
    action: &Action,
    executor: &mut dyn Executor,
) -> Result<(), ApplyError> {
    let failed = |source| ApplyError::failed(step, true, source);
    executor.perform(action).map_err(failed)?;
    let now = executor.observe(&action.object).map_err(failed)?;
    if now == action.wanted { Ok(()) } else { Err(ApplyError::no_effect(step, action, &now)) }
}

/// Checks all guards of a step.
pub(super) fn check_guards(
    step: &Step,
    midway: bool,
    executor: &mut dyn Executor,
) -> Result<(), ApplyError> {
    let failed = failed_conditions(step, step.guards.iter(), executor);
    let failed = failed.map_err(|source| ApplyError::failed(step, midway, source))?;
    if failed.is_empty() { Ok(()) } else { Err(ApplyError::Mismatch { failed, midway }) }
}

/// Those of some guards that do not hold.
pub(super) fn failed_conditions<'a>(
    step: &Step,
    guards: impl Iterator<Item = &'a Guard>,
    executor: &mut dyn Executor,
) -> Result<Vec<FailedCondition>, ExecutorError> {
    let mut failed = Vec::new();
    for guard in guards {
        if let Some(found) = executor.check(guard)? {
            let (node, expected) = (step.node.clone(), guard.to_string());
            failed.push(FailedCondition { step: step.id, node, expected, found });
        }
    }
    Ok(failed)
}
