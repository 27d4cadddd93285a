//! Interface to one node: observe, check conditions, perform actions.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::plan::{Action, Bulk, Guard, Item, NodePath, Object, State};
use crate::scan::cluster::ClusterError;

/// One node: this machine ([`crate::apply::local::LocalExecutor`]), a peer
/// ([`super::RemoteExecutor`]), or a test's model.
pub trait Executor {
    /// Observes the state of an object.
    ///
    /// # Errors
    /// [`ExecutorError`] if it cannot be seen; never a guess.
    fn observe(&mut self, object: &Object) -> Result<State, ExecutorError>;

    /// Checks a condition; returns what was found if it does not hold, in words.
    ///
    /// # Errors
    /// [`ExecutorError`] if it cannot be seen.
    fn check(&mut self, guard: &Guard) -> Result<Option<String>, ExecutorError>;

    /// Brings an object into a state, atomically where the system can: after a crash the object is
    /// in its earlier or in the wanted state.
    ///
    /// # Errors
    /// [`ExecutorError`]; the object is then in its earlier or in the wanted state.
    fn perform(&mut self, action: &Action) -> Result<(), ExecutorError>;

    /// [`Executor::observe`] for many; a peer answers in one round trip.
    ///
    /// # Errors
    /// As for one.
    fn observe_each(&mut self, objects: &[&Object]) -> Result<Vec<State>, ExecutorError> {
        objects.iter().map(|object| self.observe(object)).collect()
    }

    /// [`Executor::perform`] for many, in their order; stops at the first error.
    ///
    /// # Errors
    /// As for one.
    fn perform_each(&mut self, actions: &[Action]) -> Result<(), ExecutorError> {
        actions.iter().try_for_each(|action| self.perform(action))
    }

    /// Why the next batch of a bulk step should wait, in words; `None` if it may start.
    ///
    /// # Errors
    /// [`ExecutorError`] if that cannot be seen.
    fn must_wait(&mut self, _bulk: &Bulk) -> Result<Option<String>, ExecutorError> {
        Ok(None)
    }

    /// Executes a batch of a bulk step whose items have no earlier state to keep
    /// ([`Bulk::TriggerSync`]). Executing a batch twice must do no harm.
    ///
    /// # Errors
    /// [`ExecutorError`] if the batch as a whole failed and must be repeated; failures of single
    /// items are part of the answer.
    fn perform_batch(&mut self, bulk: &Bulk, items: &[Item]) -> Result<Batch, ExecutorError>;
}

/// How a batch went.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Batch {
    /// How many items were done.
    pub done: u64,
    /// The items that failed; the run continues and reports them at its end.
    pub failed: Vec<Failed>,
}

/// An item of a batch that failed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failed {
    /// Its index in the batch, from 0.
    pub index: usize,
    /// Why, in words.
    pub why: String,
}

/// All nodes of a plan.
pub trait Executors {
    /// The node of this name.
    ///
    /// # Errors
    /// [`ExecutorError`] if it cannot be reached.
    fn on(&mut self, node: &str) -> Result<&mut dyn Executor, ExecutorError>;
}

/// A node could not be observed or changed.
#[derive(Debug, thiserror::Error)]
pub enum ExecutorError {
    /// A system call failed.
    #[error("cannot {doing}")]
    System {
        /// What was tried, with its path.
        doing: String,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// glusterd did not answer, or refused.
    #[error(transparent)]
    Cluster(Box<ClusterError>),
    /// The system is not in a state that allows this.
    #[error("{0}")]
    Unfit(String),
}

impl ExecutorError {
    /// A system call failed: `verb` and the path make the sentence, "cannot read /srv/b".
    pub(super) fn system(verb: &str, path: impl AsRef<Path>, source: io::Error) -> Self {
        Self::System { doing: format!("{verb} {}", NodePath::from(path.as_ref())), source }
    }
}
