//! Why a plan was not run to its end, and what to do about it.

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
    /// Where it was looked at.
    pub node: String,
    /// What the plan expects.
    pub expected: String,
    /// What is.
    pub found: String,
}

/// A plan was not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The plan does not fit the world (any more).
    #[error("the plan does not fit what is there now{}", told(.misfits))]
    Misfit {
        /// Every difference that was seen.
        misfits: Vec<FailedCondition>,
        /// Whether this run has changed anything before.
        midway: bool,
    },
    /// An object is neither as it was when its step began nor as it shall be.
    #[error("step {step} was begun and somebody else changed its object: {object}{}", three(.before, .wanted, .now))]
    Drifted {
        /// The step.
        step: StepId,
        /// The object.
        object: String,
        /// How it was.
        before: String,
        /// How it shall be.
        wanted: String,
        /// How it is.
        now: String,
    },
    /// A step was done without an error, and its object is not as it shall be.
    #[error("step {step} had no effect: {object} shall be {wanted} and is {now}")]
    NoEffect {
        /// The step.
        step: StepId,
        /// The object.
        object: String,
        /// How it shall be.
        wanted: String,
        /// How it is.
        now: String,
    },
    /// The world could not be seen or changed.
    #[error("step {step} on {node} failed")]
    World {
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
    #[error("the list of step {step} cannot be used")]
    Manifest {
        /// The step.
        step: StepId,
        /// Why.
        #[source]
        source: ManifestError,
    },
    /// The user pressed Ctrl-C.
    #[error("interrupted before step {step}; nothing is lost")]
    Interrupted {
        /// The step that is next, or goes on.
        step: StepId,
    },
}

impl ApplyError {
    /// A node could not be seen or changed.
    pub(super) fn failed(step: &Step, midway: bool, source: ExecutorError) -> Self {
        Self::World { step: step.id, node: step.node.clone(), midway, source }
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
            Self::Misfit { misfits, .. } => misfits.first().map(|misfit| misfit.step),
            Self::Drifted { step, .. }
            | Self::NoEffect { step, .. }
            | Self::World { step, .. }
            | Self::Manifest { step, .. }
            | Self::Interrupted { step } => Some(*step),
            Self::Journal(_) => None,
        }
    }
}

fn told(misfits: &[FailedCondition]) -> String {
    let lines = misfits.iter().map(|misfit| {
        let FailedCondition { step, node, expected, found } = misfit;
        format!("\n  step {step}, {node}\n    expected  {expected}\n    found     {found}")
    });
    lines.collect()
}

fn three(before: &str, wanted: &str, now: &str) -> String {
    format!("\n    was       {before}\n    shall be  {wanted}\n    is now    {now}")
}

impl UserError for ApplyError {
    fn kind(&self) -> Kind {
        match self {
            Self::Misfit { midway: false, .. } | Self::World { midway: false, .. } => Kind::Refused,
            Self::Journal(error) => error.kind(),
            Self::Interrupted { .. } => Kind::Interrupted,
            _ => Kind::Midway,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Misfit { midway: false, .. } => {
                vec!["nothing was changed; make the plan anew".to_owned()]
            }
            Self::Journal(error) => error.hints(),
            Self::World { source: ExecutorError::Cluster(error), .. } => error.hints(),
            _ => Vec::new(),
        }
    }
}
