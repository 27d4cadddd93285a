//! The world as the engine sees it: looked at, asked, changed.

use std::io;

use serde::{Deserialize, Serialize};

use crate::plan::{Action, Bulk, Guard, Item, Object, State};
use crate::scan::cluster::ClusterError;

/// One node: this machine ([`crate::apply::local::Host`]), a peer ([`super::Remote`]), or a test's model.
pub trait Executor {
    /// Observes the state of an object.
    ///
    /// # Errors
    /// [`ExecutorError`] where it cannot be seen; never a guess.
    fn observe(&mut self, object: &Object) -> Result<State, ExecutorError>;

    /// Looks whether a condition holds: `None`, or what was found instead, in words.
    ///
    /// # Errors
    /// [`ExecutorError`] where it cannot be seen.
    fn misfit(&mut self, guard: &Guard) -> Result<Option<String>, ExecutorError>;

    /// Brings an object into a state. Atomic where the system is: after a crash the object is as
    /// before or as desired.
    ///
    /// # Errors
    /// [`ExecutorError`]; the object may be as before or as desired then.
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

    /// Why the next batch of a bulk step should wait, in words; nothing where it may go on.
    ///
    /// # Errors
    /// [`ExecutorError`] where that cannot be seen.
    fn must_wait(&mut self, _bulk: &Bulk) -> Result<Option<String>, ExecutorError> {
        Ok(None)
    }

    /// Does a batch of a bulk step whose items have no earlier state to keep
    /// ([`Bulk::TriggerSync`]). Doing a batch twice must do no harm.
    ///
    /// # Errors
    /// [`ExecutorError`] where the batch as a whole failed and is to be done again; what failed for
    /// single items is part of the answer.
    fn perform_batch(&mut self, bulk: &Bulk, items: &[Item]) -> Result<Batch, ExecutorError>;
}

/// How a batch went.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Batch {
    /// How many items were done.
    pub done: u64,
    /// Those that were not; the run goes on, and its end tells them.
    pub failed: Vec<Failed>,
}

/// An item of a batch that could not be done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failed {
    /// Which: its place in the batch, from 0.
    pub index: usize,
    /// Why, in words.
    pub why: String,
}

/// All nodes that a plan speaks of.
pub trait Executors {
    /// The node of this name.
    ///
    /// # Errors
    /// [`ExecutorError`] where it cannot be reached.
    fn on(&mut self, node: &str) -> Result<&mut dyn Executor, ExecutorError>;
}

/// The world could not be seen or changed.
#[derive(Debug, thiserror::Error)]
pub enum ExecutorError {
    /// A system call failed.
    #[error("cannot {doing}")]
    System {
        /// What was tried, with its path.
        doing: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The cluster could not be asked or told.
    #[error(transparent)]
    Cluster(Box<ClusterError>),
    /// It is not as it must be for this.
    #[error("{0}")]
    Unfit(String),
}
