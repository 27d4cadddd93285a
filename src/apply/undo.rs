//! Undoing a run, with a plan like any other.

use std::path::Path;

use uuid::Uuid;

use super::manifest::ManifestError;
use super::progress::{RunProgress, StepState};
use super::store::{Store, StoreError, locked, read_run};
use super::undo_list::earlier_states;
use crate::domain::{Kind, UserError};
use crate::plan::{
    Action, Because, FollowUp, Guard, Manifest, Object, Plan, State, Step, StepId, Work,
};

/// A run cannot be undone.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// A step that cannot be undone has started.
    #[error("step {step} has started and cannot be undone: {says}")]
    Spent {
        /// Which.
        step: StepId,
        /// What it does.
        says: String,
    },
    /// The list that undoes a bulk step cannot be written.
    #[error("cannot write the list that undoes step {step}")]
    Manifest {
        /// Which.
        step: StepId,
        /// Why.
        #[source]
        source: ManifestError,
    },
    /// The run cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UserError for UndoError {
    fn kind(&self) -> Kind {
        match self {
            Self::Store(error) => error.kind(),
            _ => Kind::Refused,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Store(error) => error.hints(),
            Self::Spent { .. } => vec!["georepair runs resume RUN   completes it".into()],
            Self::Manifest { .. } => Vec::new(),
        }
    }
}

/// The plan that undoes a run; the lists of its bulk steps are made in `into`.
///
/// # Errors
/// [`UndoError`], also if another process has the run open.
pub fn undo_of_run(store: &Store, id: Uuid, into: &Path) -> Result<Plan, UndoError> {
    let folder = store.folder(id);
    let _lock = locked(&folder, id)?;
    let (plan, progress) = read_run(&folder, id)?;
    let list = |step: &Step| earlier_states(&folder, &plan, step, into);
    let undo = undo_plan(&plan, &progress, list)?;
    Ok(Plan { undoes: Some(id), ..undo })
}

/// The plan that restores what a run changed: the same objects in reverse order, brought into the
/// earlier states from its journal, each only if it is still as the run left it.
///
/// `list` writes the list of a started bulk step's earlier states, last change first; it returns
/// `None` if the step changed nothing.
///
/// # Errors
/// [`UndoError`], naming the first step past the point of no return.
pub fn undo_plan(
    plan: &Plan,
    progress: &RunProgress,
    mut list: impl FnMut(&Step) -> Result<Option<Manifest>, ManifestError>,
) -> Result<Plan, UndoError> {
    let mut steps = Vec::new();
    for step in plan.steps.iter().filter(|step| !step.does.only_waits()) {
        let before = match progress.step(step.id) {
            StepState::Waiting | StepState::AlreadySo => continue,
            StepState::Begun { before } | StepState::Done { before } => before.clone(),
        };
        let (id, says) = (step.id, step.does.says());
        let does = match (&step.does, before) {
            _ if !step.does.is_reversible() => return Err(UndoError::Spent { step: id, says }),
            (Work::Bulk { bulk, .. }, _) => {
                let listed = list(step);
                let listed = listed.map_err(|source| UndoError::Manifest { step: id, source })?;
                let Some(manifest) = listed else { continue };
                Work::Bulk { bulk: bulk.clone(), manifest }
            }
            (Work::Set(action), Some(before)) if before != State::Spent => {
                Work::Set(Action { object: action.object.clone(), wanted: before })
            }
            _ => return Err(UndoError::Spent { step: id, says }),
        };
        steps.push(undo_step(step, does));
    }
    steps.reverse();
    let undo = Plan::new(format!("undo: {}", plan.title), plan.session.clone(), steps);
    let unrecorded = undo.steps.iter().any(|step| switches_recording(&step.does));
    let afterwards = plan.afterwards.clone().filter(|_| unrecorded).map(|it| FollowUp {
        says: "deletes and renames made while changelogs were off are in no changelog".to_owned(),
        compare: false,
        ..it
    });
    Ok(Plan { afterwards, ..undo })
}

/// While changelogs were off, changes were made that no changelog records.
fn switches_recording(work: &Work) -> bool {
    let object = work.action().map(|action| &action.object);
    matches!(object, Some(Object::VolumeOption { option, .. }) if option == "changelog.changelog")
}

/// Marks move while the session runs, so an undo does not require what only a stopped session lets
/// be changed to be unchanged; it requires the session to be stopped again.
fn undo_step(step: &Step, does: Work) -> Step {
    let lasting =
        |guard: &&Guard| matches!(guard, Guard::SessionStopped { .. } | Guard::SameBrick { .. });
    let mut guards: Vec<_> = step.guards.iter().filter(lasting).cloned().collect();
    let moves = guards.iter().any(|guard| matches!(guard, Guard::SessionStopped { .. }));
    if let Work::Set(Action { object, wanted }) = &step.does
        && !moves
    {
        guards.push(Guard::Unchanged { object: object.clone(), was: wanted.clone() });
    }
    let because = Because::TakesBack { step: step.id };
    Step { id: step.id, because, node: step.node.clone(), guards, does }
}
