//! Taking a run back, as a plan like any other.

use super::bulk::ManifestError;
use super::progress::{RunProgress, StepState};
use super::store::StoreError;
use crate::domain::{Kind, UserError};
use crate::plan::{Action, Because, FollowUp, Guard, Manifest, Object, Plan, State, Step, StepId};

/// A run cannot be taken back.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// A step that cannot be taken back was begun.
    #[error("step {step} was begun, and nothing takes it back: {says}")]
    Spent {
        /// Which.
        step: StepId,
        /// What it does.
        says: String,
    },
    /// The list of what a bulk step takes back cannot be made.
    #[error("the list that takes step {step} back cannot be made")]
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
            Self::Spent { .. } => vec!["georepair runs resume RUN   brings it to its end".into()],
            Self::Manifest { .. } => Vec::new(),
        }
    }
}

/// The plan that brings back what a run changed: the same objects, the states that its journal
/// kept, in reverse, each guarded by what the run left there.
///
/// `list` makes the list of a begun bulk step's earlier states, last change first; it answers
/// with nothing where nothing was changed.
///
/// # Errors
/// [`UndoError`], naming the first step past the point of no return.
pub fn undo_plan(
    plan: &Plan,
    ledger: &RunProgress,
    mut list: impl FnMut(&Step) -> Result<Option<Manifest>, ManifestError>,
) -> Result<Plan, UndoError> {
    let mut steps = Vec::new();
    let lasting = plan.steps.iter().filter(|step| !step.action.object.is_awaited());
    for step in lasting {
        let before = match ledger.step(step.id) {
            StepState::Waiting | StepState::AlreadySo => continue,
            StepState::Begun { before } | StepState::Done { before } => before.clone(),
        };
        let (id, says) = (step.id, step.action.says());
        let action = match (&step.action.object, before) {
            _ if !step.action.is_reversible() => return Err(UndoError::Spent { step: id, says }),
            (Object::Bulk { bulk, .. }, _) => {
                let listed = list(step);
                let listed = listed.map_err(|source| UndoError::Manifest { step: id, source })?;
                let Some(manifest) = listed else { continue };
                let object = Object::Bulk { bulk: bulk.clone(), manifest };
                Action { object, shall_be: State::AsListed }
            }
            (object, Some(before)) if before != State::Spent => {
                Action { object: object.clone(), shall_be: before }
            }
            _ => return Err(UndoError::Spent { step: id, says }),
        };
        steps.push(back(step, action));
    }
    steps.reverse();
    let undo = Plan::new(format!("take back: {}", plan.title), plan.session.clone(), steps);
    let unrecorded = undo.steps.iter().any(|step| switches_recording(&step.action.object));
    let afterwards = plan.afterwards.clone().filter(|_| unrecorded).map(|it| FollowUp {
        says: "what was deleted or renamed while changelogs were off is in none".to_owned(),
        compare: false,
        ..it
    });
    Ok(Plan { afterwards, ..undo })
}

/// While it was off, changes went by that no changelog will ever tell.
fn switches_recording(object: &Object) -> bool {
    matches!(object, Object::VolumeOption { option, .. } if option == "changelog.changelog")
}

/// What only a standing session lets be changed, its workers move on by themselves: then it need
/// not be as the run left it, but the session must stand still again.
fn back(step: &Step, action: Action) -> Step {
    let lasting =
        |guard: &&Guard| matches!(guard, Guard::SessionStopped { .. } | Guard::SameBrick { .. });
    let mut guards: Vec<_> = step.guards.iter().filter(lasting).cloned().collect();
    let moves = guards.iter().any(|guard| matches!(guard, Guard::SessionStopped { .. }));
    if !moves && !matches!(action.object, Object::Bulk { .. }) {
        let was = step.action.shall_be.clone();
        guards.push(Guard::Unchanged { object: action.object.clone(), was });
    }
    let because = Because::TakesBack { step: step.id };
    Step { id: step.id, because, node: step.node.clone(), guards, action }
}
