//! The only room that changes the world: journalled, resumable, taken back by a plan.
//!
//! The law of a step: look; if it is not so already, check the guards; write down what will be
//! done and what was there, and sync; do it; write down that it is done. [`run`] is also what
//! resumes: an intent without a result is first compared with the world, and an object that is
//! neither as it was nor as it shall be stops everything.

mod bulk;
mod canary;
mod directories;
mod error;
mod gluster;
mod host;
mod index;
mod journal;
mod law;
mod ledger;
mod leftovers;
mod mount;
mod nodes;
mod remote;
mod store;
mod takeback;
mod trigger;
mod turn;
mod undo;
mod wait;
mod world;

pub use bulk::{ManifestError, ManifestReader, ManifestWriter};
pub use error::{ApplyError, Misfit};
pub use host::{Host, identity_of};
pub use journal::{Journal, JournalError, Log, Replayed, replay};
pub use law::{Watch, preflight, run};
pub use ledger::{BulkState, Ledger, Origin, OutOfOrder, Record, StepState};
pub use nodes::Nodes;
pub use remote::{Answer, Ask, Remote, Talk, serve};
pub use store::{
    Run, RunState, Start, Store, StoreError, Summary, read_plan, save_plan, write_scripts,
};
pub use turn::{Turn, Turns};
pub use undo::{UndoError, undo_plan};
pub use world::{Batch, Failed, World, WorldError, Worlds};

/// Where mounts, locks and notes of the moment stand: what a reboot may forget, as it ends what
/// they speak of.
const RUN: &str = "/run/georepair";
