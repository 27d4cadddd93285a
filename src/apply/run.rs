//! Runs a plan from wherever its journal says it is; resuming is the same function.

use std::path::Path;

use super::bulk::BulkRun;
use super::error::{ApplyError, FailedCondition};
use super::executor::{Executor, Executors};
use super::journal::Journal;
use super::step::{execute, failed_conditions};
use super::watch::Watch;
use crate::plan::{Action, Object, Plan, Step, Work};

/// Runs a plan to its end, from wherever its journal says it is.
///
/// `manifests` is the directory with the lists of its bulk steps.
///
/// # Errors
/// [`ApplyError`]; whatever happened, calling this again resumes the run.
pub fn run(
    plan: &Plan,
    journal: &mut Journal,
    executors: &mut dyn Executors,
    watch: &mut dyn Watch,
    manifests: &Path,
) -> Result<(), ApplyError> {
    let ended = run_steps(plan, journal, executors, watch, manifests);
    if let Err(error) = &ended
        && let Some(step) = error.step()
    {
        // Only `runs show` reads it, and the error itself is reported anyway.
        let _ = journal.stopped(step, error.to_string());
    }
    ended
}

fn run_steps(
    plan: &Plan,
    journal: &mut Journal,
    executors: &mut dyn Executors,
    watch: &mut dyn Watch,
    manifests: &Path,
) -> Result<(), ApplyError> {
    for step in &plan.steps {
        if journal.progress().is_done(step.id) {
            continue;
        }
        if watch.interrupted() {
            return Err(ApplyError::Interrupted { step: step.id });
        }
        watch.begins(step);
        let changed = match &step.does {
            Work::Set(action) => execute(step, action, journal, executors)?,
            Work::Bulk { bulk, manifest } => {
                let bulk = BulkRun { step, bulk, manifest, folder: manifests };
                bulk.execute(journal, executors, watch)?;
                true
            }
        };
        watch.ends(step, changed);
    }
    Ok(())
}

/// Checks, before anything starts, every condition that no earlier step of the plan changes.
///
/// Returns which steps have nothing to do as things are now; their conditions are not checked, as
/// [`run`] would not check them. A bulk step counts as having something to do.
///
/// # Errors
/// [`ApplyError::Mismatch`] with all differences at once, [`ApplyError::StepFailed`] if a node cannot be
/// asked.
pub fn preflight(plan: &Plan, executors: &mut dyn Executors) -> Result<Vec<bool>, ApplyError> {
    let (mut all, mut done) = (Vec::new(), Vec::new());
    for (index, step) in plan.steps.iter().enumerate() {
        let earlier = plan.steps.get(..index).unwrap_or_default();
        let earlier: Vec<&Work> =
            earlier.iter().filter(|it| may_reach(it, step)).map(|it| &it.does).collect();
        let executor = executors.on(&step.node);
        let executor = executor.map_err(|source| ApplyError::failed(step, false, source))?;
        let (is_done, failed) = preflight_step(step, &earlier, executor)?;
        done.push(is_done);
        all.extend(failed);
    }
    if all.is_empty() { Ok(done) } else { Err(ApplyError::Mismatch { failed: all, midway: false }) }
}

/// Whether a step has nothing to do, and which of its conditions fail that no earlier step changes.
fn preflight_step(
    step: &Step,
    earlier: &[&Work],
    executor: &mut dyn Executor,
) -> Result<(bool, Vec<FailedCondition>), ApplyError> {
    let failed = |source| ApplyError::failed(step, false, source);
    let may_change = |object: &Object| earlier.iter().any(|work| work.may_change(object));
    let is_done = match step.does.action() {
        None => false,
        Some(Action { object, wanted }) => match executor.observe(object) {
            Ok(now) => now == *wanted,
            // What an earlier step creates may not exist yet.
            Err(_) if may_change(object) => false,
            Err(error) => return Err(failed(error)),
        },
    };
    let stays_done = is_done && step.does.action().is_some_and(|it| !may_change(&it.object));
    if stays_done {
        return Ok((true, Vec::new()));
    }
    let settled = step.guards.iter().filter(|it| !earlier.iter().any(|done| it.depends_on(done)));
    Ok((is_done, failed_conditions(step, settled, executor).map_err(failed)?))
}

/// Whether what one step changes can be seen on the node of another.
fn may_reach(earlier: &Step, later: &Step) -> bool {
    earlier.node == later.node
        || earlier.does.action().is_some_and(|action| action.object.is_of_cluster())
}
