//! Desired states, step by step, with preconditions; creating a plan changes nothing.

mod action;
mod bulk;
mod document;
mod follow_up;
mod guard;
mod manifest;
mod object;
mod path;
pub mod recipe;
pub mod script;
mod state;
mod wording;
mod work;

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use action::Action;
pub use bulk::{BATCH, Bulk, Pace};
pub use follow_up::FollowUp;
pub use guard::Guard;
pub use manifest::{Change, Item, ItemError, Manifest, Trigger};
pub use object::Object;
pub use path::{Identity, NodePath};
pub use state::{Hex, State};
pub use work::Work;

use crate::domain::Code;

/// A sequence of steps, shown before anything happens and run by the room `apply`.
///
/// Read from and written to JSON as the document `georepair/plan/1`; what is derived from the
/// rest there (`says`, `reversible`, `shell`) is ignored on reading and written again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// What it is for, in one line.
    pub title: String,
    /// What the operator types to confirm it: the session's name, `gv0 s1::gv0`, or what else
    /// the plan is about.
    pub session: String,
    /// The run that this plan undoes.
    pub undoes: Option<Uuid>,
    /// The steps, in their order.
    pub steps: Vec<Step>,
    /// What is left to do after the last step.
    pub afterwards: Option<FollowUp>,
}

/// One step: what is done on one node, why, and under which conditions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// Its number in the plan, from 1.
    pub id: StepId,
    /// Why it is done.
    pub because: Because,
    /// The node it is done on, named as in `gluster volume info`.
    pub node: String,
    /// What must hold on that node right before it.
    pub guards: Vec<Guard>,
    /// What is done.
    pub does: Work,
}

/// A step's number in its plan, from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(pub u32);

/// Why a step is done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Because {
    /// The operator requested it.
    Asked,
    /// A finding requires it.
    Finding {
        /// Which.
        code: Code,
    },
    /// A later or earlier step needs it.
    NeededBy {
        /// Which.
        step: StepId,
    },
    /// It undoes a step of an earlier run.
    TakesBack {
        /// The step there.
        step: StepId,
    },
}

impl Plan {
    /// A plan of these steps, numbered from 1 in their order.
    #[must_use]
    pub fn new(title: String, session: String, steps: Vec<Step>) -> Self {
        let numbered = (1..).zip(steps).map(|(id, step)| Step { id: StepId(id), ..step });
        Self { title, session, undoes: None, steps: numbered.collect(), afterwards: None }
    }

    /// The first step after which the plan can no longer be undone as a whole.
    #[must_use]
    pub fn point_of_no_return(&self) -> Option<StepId> {
        self.steps.iter().find(|step| !step.does.is_reversible()).map(|step| step.id)
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => f.write_str("requested"),
            Self::Finding { code } => code.fmt(f),
            Self::NeededBy { step } => write!(f, "needed by step {step}"),
            Self::TakesBack { step } => write!(f, "undoes step {step}"),
        }
    }
}
