//! The only room that changes the world: journalled, resumable, taken back by a plan.
//!
//! The law of a step: look; if it is not so already, check the guards; write down what will be
//! done and what was there, and sync; do it; write down that it is done. [`run`] is also what
//! resumes: an intent without a result is first compared with the world, and an object that is
//! neither as it was nor as it shall be stops everything.

mod bulk;
mod error;
mod executor;
mod journal;
mod lease;
pub mod local;
mod manifest;
mod nodes;
mod progress;
mod remote;
mod run;
mod step;
mod store;
mod undo;
mod undo_list;
mod watch;

pub use error::{ApplyError, FailedCondition};
pub use executor::{Batch, Executor, ExecutorError, Executors, Failed};
pub use journal::{Journal, JournalError, Log, Replayed, replay};
pub use lease::{Lease, Leases};
pub use manifest::{ManifestError, ManifestReader, ManifestWriter};
pub use nodes::Nodes;
pub use progress::{BulkState, Origin, OutOfOrder, Record, RunProgress, StepState};
pub use remote::{RemoteExecutor, serve};
pub use run::{preflight, run};
pub use store::{
    Run, RunState, Start, Store, StoreError, Summary, read_plan, save_plan, write_scripts,
};
pub use undo::{UndoError, undo_of_run, undo_plan};
pub use watch::Watch;
