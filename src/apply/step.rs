//! The law of a step, and a run as its repetition: the one function that also resumes.

use std::path::Path;

use super::bulk;
use super::error::{ApplyError, FailedCondition};
use super::executor::{Executor, ExecutorError, Executors};
use super::journal::Journal;
use super::progress::StepState;
use crate::plan::{Guard, Object, Plan, State, Step};

/// Who looks on while a plan runs, and may ask it to stop.
pub trait Watch {
    /// A step is looked at.
    fn begins(&mut self, _step: &Step) {}

    /// It is done; `changed` is false where it was so already.
    fn ends(&mut self, _step: &Step, _changed: bool) {}

    /// So many items of a bulk step are done, in this run or before.
    fn advances(&mut self, _step: &Step, _items: u64) {}

    /// A bulk step waits, and why, in words; told again as long as it does.
    fn waits(&mut self, _step: &Step, _why: &str) {}

    /// Whether to stop after the current step or batch.
    fn interrupted(&self) -> bool {
        false
    }
}

/// Looks on at nothing.
impl Watch for () {}

/// Brings a plan to its end, from wherever its journal says it stands.
///
/// `manifests` is the directory with the lists of its bulk steps.
///
/// # Errors
/// [`ApplyError`]; the run can be resumed by calling this again, whatever happened.
pub fn run(
    plan: &Plan,
    journal: &mut Journal,
    worlds: &mut dyn Executors,
    watch: &mut dyn Watch,
    manifests: &Path,
) -> Result<(), ApplyError> {
    let ended = go(plan, journal, worlds, watch, manifests);
    if let Err(error) = &ended
        && let Some(step) = error.step()
    {
        // For `runs show` only: the run has stopped for a reason that is told anyway.
        let _ = journal.stopped(step, error.to_string());
    }
    ended
}

fn go(
    plan: &Plan,
    journal: &mut Journal,
    worlds: &mut dyn Executors,
    watch: &mut dyn Watch,
    manifests: &Path,
) -> Result<(), ApplyError> {
    for step in &plan.steps {
        if journal.ledger().is_done(step.id) {
            continue;
        }
        if watch.interrupted() {
            return Err(ApplyError::Interrupted { step: step.id });
        }
        watch.begins(step);
        let changed = match &step.action.object {
            Object::Bulk { bulk, manifest } => {
                let mut work = bulk::Work { step, bulk, manifest, folder: manifests };
                work.bring_about(journal, worlds, watch)?;
                true
            }
            _ => bring_about(step, journal, worlds)?,
        };
        watch.ends(step, changed);
    }
    Ok(())
}

/// Brings one step about; answers whether anything had to be done.
fn bring_about(
    step: &Step,
    journal: &mut Journal,
    worlds: &mut dyn Executors,
) -> Result<bool, ApplyError> {
    let midway = journal.ledger().has_changed_anything();
    let failed = |source| failed(step, midway, source);
    let world = worlds.on(&step.node).map_err(failed)?;
    let (object, shall_be) = (&step.action.object, &step.action.shall_be);
    let now = world.observe(object).map_err(failed)?;
    match journal.ledger().step(step.id).clone() {
        StepState::Waiting if now == *shall_be => {
            journal.already_so(step.id)?;
            return Ok(false);
        }
        StepState::Waiting => {
            check(step, midway, world)?;
            journal.started(step.id, Some(now))?;
        }
        // Its conditions held when it was begun, and speak of what it has changed since.
        StepState::Begun { .. } if now == *shall_be && step.action.may_have_been_missed() => {}
        StepState::Begun { .. } if now == *shall_be => {
            journal.succeeded(step.id)?;
            return Ok(true);
        }
        StepState::Begun { before: Some(before) } if now == before => check(step, true, world)?,
        StepState::Begun { before } => {
            let before = before.map_or_else(|| "unknown".to_owned(), |before| before.to_string());
            return Err(drifted(step, object, (before, shall_be, &now)));
        }
        StepState::Done { .. } | StepState::AlreadySo => return Ok(false),
    }
    let failed = |source| self::failed(step, true, source);
    world.perform(&step.action).map_err(failed)?;
    let now = world.observe(object).map_err(failed)?;
    if now != *shall_be {
        return Err(no_effect(step, object, shall_be, &now));
    }
    journal.succeeded(step.id)?;
    Ok(true)
}

/// Looks whether all guards of a step hold right now.
pub(super) fn check(step: &Step, midway: bool, world: &mut dyn Executor) -> Result<(), ApplyError> {
    let misfits = misfits(step, step.guards.iter(), world);
    let misfits = misfits.map_err(|source| failed(step, midway, source))?;
    if misfits.is_empty() { Ok(()) } else { Err(ApplyError::Misfit { misfits, midway }) }
}

fn misfits<'a>(
    step: &Step,
    guards: impl Iterator<Item = &'a Guard>,
    world: &mut dyn Executor,
) -> Result<Vec<FailedCondition>, ExecutorError> {
    let mut misfits = Vec::new();
    for guard in guards {
        if let Some(found) = world.misfit(guard)? {
            let (node, expected) = (step.node.clone(), guard.to_string());
            misfits.push(FailedCondition { step: step.id, node, expected, found });
        }
    }
    Ok(misfits)
}

/// Looks, before anything is begun, at every condition that no earlier step of the plan changes.
///
/// Answers which steps have nothing to do as things are now; their conditions are not asked for,
/// as [`run`] would not ask for them. A bulk step is taken to have something to do.
///
/// # Errors
/// [`ApplyError::Misfit`] with all differences at once, [`ApplyError::World`] where a node cannot
/// be asked.
pub fn preflight(plan: &Plan, worlds: &mut dyn Executors) -> Result<Vec<bool>, ApplyError> {
    let (mut all, mut so) = (Vec::new(), Vec::new());
    for (index, step) in plan.steps.iter().enumerate() {
        let earlier = plan.steps.get(..index).unwrap_or_default();
        let earlier =
            || earlier.iter().filter(|it| may_reach(it, step)).map(|it| &it.action.object);
        let failed = |source| failed(step, false, source);
        let world = worlds.on(&step.node).map_err(failed)?;
        let is_so = match &step.action.object {
            Object::Bulk { .. } => false,
            object => match world.observe(object) {
                Ok(now) => now == step.action.shall_be,
                // What an earlier step brings about may not be there yet.
                Err(_) if earlier().any(|changed| object.changes_with(changed)) => false,
                Err(error) => return Err(failed(error)),
            },
        };
        let stays = !earlier().any(|changed| step.action.object.changes_with(changed));
        so.push(is_so);
        if is_so && stays {
            continue;
        }
        let settled =
            step.guards.iter().filter(|guard| !earlier().any(|changed| guard.speaks_of(changed)));
        all.extend(misfits(step, settled, world).map_err(failed)?);
    }
    if all.is_empty() { Ok(so) } else { Err(ApplyError::Misfit { misfits: all, midway: false }) }
}

/// Whether what one step changes can be seen where another step looks.
fn may_reach(earlier: &Step, later: &Step) -> bool {
    earlier.node == later.node || earlier.action.object.is_of_cluster()
}

pub(super) fn failed(step: &Step, midway: bool, source: ExecutorError) -> ApplyError {
    ApplyError::World { step: step.id, node: step.node.clone(), midway, source }
}

pub(super) fn drifted(
    step: &Step,
    object: &Object,
    (before, shall_be, now): (String, &State, &State),
) -> ApplyError {
    let (shall_be, now) = (shall_be.to_string(), now.to_string());
    ApplyError::Drifted { step: step.id, object: object.to_string(), before, shall_be, now }
}

pub(super) fn no_effect(step: &Step, object: &Object, shall_be: &State, now: &State) -> ApplyError {
    let (shall_be, now) = (shall_be.to_string(), now.to_string());
    ApplyError::NoEffect { step: step.id, object: object.to_string(), shall_be, now }
}
