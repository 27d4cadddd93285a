//! The change of one object: what is changed, and into which state.

use serde::{Deserialize, Serialize};

use super::object::Object;
use super::state::State;

/// "Bring this object into this state."
///
/// Idempotent; undoing it is the same object with the earlier state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// What is changed.
    pub object: Object,
    /// The state it is brought into.
    #[serde(rename = "shall_be")]
    pub wanted: State,
}

impl Action {
    /// Whether the earlier state can be restored.
    #[must_use]
    pub fn is_reversible(&self) -> bool {
        self.wanted != State::Spent
    }

    /// Whether a node that was offline may have missed it although another node shows it done; then
    /// it is repeated. Deleting twice is an error, and a missed deletion does no harm.
    #[must_use]
    pub fn may_have_been_missed(&self) -> bool {
        self.object.is_heard_once() && self.wanted != State::Absent
    }
}
