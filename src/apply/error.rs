//! Why a run stopped, and what to do about it.

use super::executor::ExecutorError;
use super::journal::JournalError;
use super::manifest::ManifestError;
use crate::domain::{Kind, UserError};
use crate::plan::{Action, State, Step, StepId};

/// A condition that does not hold, with what was found instead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FailedCondition {
    /// The step whose condition it is.
    pub step: StepId,
    /// The node it was checked on.
    pub node: String,
    /// What the plan expects.
    pub expected: String,
    /// What was found.
    pub found: String,
}

/// A run stopped before its end.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Conditions of the plan do not hold (any more).
    #[error("the plan no longer matches the system{}", list(.failed))]
    Mismatch {
        /// Every difference that was found.
        failed: Vec<FailedCondition>,
        /// Whether this run has already changed anything.
        midway: bool,
    },
    /// The object of an interrupted step is neither in its earlier nor in the wanted state.
    #[error("step {step} was interrupted and its target changed since: {object}{}", three_states(.before, .wanted, .now))]
    Drifted {
        /// The step.
        step: StepId,
        /// The object.
        object: String,
        /// Its state before the step.
        before: String,
        /// The wanted state.
        wanted: String,
        /// Its state now.
        now: String,
    },
    /// A step ended without an error, and its object is not in the wanted state.
    #[error("step {step} had no effect: {object} is {now}, expected {wanted}")]
    NoEffect {
        /// The step.
        step: StepId,
        /// The object.
        object: String,
        /// The wanted state.
        wanted: String,
        /// Its state now.
        now: String,
    },
    /// A node could not be observed or changed.
    #[error("step {step} on {node} failed")]
    StepFailed {
        /// The step.
        step: StepId,
        /// The node.
        node: String,
        /// Whether this run may have changed anything.
        midway: bool,
        /// What failed.
        #[source]
        source: ExecutorError,
    },
    /// The journal could not be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The list of a bulk step cannot be read.
    #[error("cannot read the list of step {step}")]
    Manifest {
        /// The step.
        step: StepId,
        /// Why.
        #[source]
        source: ManifestError,
    },
    /// The user pressed Ctrl-C.
    #[error("interrupted before step {step}")]
    Interrupted {
        /// The step that is next, or continues.
        step: StepId,
    },
}

impl ApplyError {
    /// A node could not be seen or changed.
    pub(super) fn failed(step: &Step, midway: bool, source: ExecutorError) -> Self {
        Self::StepFailed { step: step.id, node: step.node.clone(), midway, source }
    }

    /// An object of an interrupted step is in neither of the two states it may be in.
    pub(super) fn drifted(
        step: &Step,
        action: &Action,
        before: Option<&State>,
        now: &State,
    ) -> Self {
        Self::Drifted {
            step: step.id,
            object: action.object.to_string(),
            before: before.map_or_else(|| "unknown".to_owned(), ToString::to_string),
            wanted: action.wanted.to_string(),
            now: now.to_string(),
        }
    }

    /// An action ended without an error, and its object is not in the wanted state.
    pub(super) fn no_effect(step: &Step, action: &Action, now: &State) -> Self {
        let (object, wanted) = (action.object.to_string(), action.wanted.to_string());
        Self::NoEffect { step: step.id, object, wanted, now: now.to_string() }
    }

    /// The step at which the run stopped.
    #[must_use]
    pub fn step(&self) -> Option<StepId> {
        match self {
            Self::Mismatch { failed, .. } => failed.first().map(|it| it.step),
            Self::Drifted { step, .. }
            | Self::NoEffect { step, .. }
            | Self::StepFailed { step, .. }
            | Self::Manifest { step, .. }
            | Self::Interrupted { step } => Some(*step),
            Self::Journal(_) => None,
        }
    }
}

fn list(failed: &[FailedCondition]) -> String {
    let lines = failed.iter().map(|condition| {
        let FailedCondition { step, node, expected, found } = condition;
        format!("\n  step {step}, {node}\n    expected  {expected}\n    found     {found}")
    });
    lines.collect()
}

fn three_states(before: &str, wanted: &str, now: &str) -> String {
    format!("\n    before  {before}\n    wanted  {wanted}\n    now     {now}")
}

impl UserError for ApplyError {
    fn kind(&self) -> Kind {
        match self {
            Self::Mismatch { midway: false, .. } | Self::StepFailed { midway: false, .. } => {
                Kind::Refused
            }
            Self::Journal(error) => error.kind(),
            Self::Interrupted { .. } => Kind::Interrupted,
            _ => Kind::Midway,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Mismatch { midway: false, .. } => {
                vec!["nothing was changed; create the plan again".to_owned()]
            }
            Self::Journal(error) => error.hints(),
            Self::StepFailed { source: ExecutorError::Cluster(error), .. } => error.hints(),
            _ => Vec::new(),
        }
    }
}
