//! The only layer that changes the system: journalled, resumable, undone by a plan.
//!
//! Each step is executed alike: observe; if the object is not in the wanted state, check the
//! guards; write the intent and the earlier state to the journal, and sync it; act; verify; write
//! the result. [`run`] also resumes: an intent without a result is first compared with the system,
//! and an object that is neither in its earlier nor in the wanted state stops the run.

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
pub use step::execute_without_journal;
pub use store::{
    Run, RunState, Start, Store, StoreError, Summary, read_plan, save_plan, write_scripts,
};
pub use undo::{UndoError, undo_of_run, undo_plan};
pub use watch::Watch;
