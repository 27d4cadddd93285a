//! The world on this machine.

use super::trigger;
use super::world::{Batch, World, WorldError};
use crate::plan::{Action, Bulk, Guard, Item, Object, State};

/// What this machine's world needs to know.
#[derive(Clone, Debug)]
pub struct HostSetup {
    /// The gluster command.
    pub gluster: std::path::PathBuf,
}

/// This machine.
#[derive(Debug)]
pub struct Host {
    #[expect(dead_code, reason = "until gluster is run from here")]
    setup: HostSetup,
}

impl Host {
    /// This machine as its world.
    #[must_use]
    pub fn new(setup: HostSetup) -> Self {
        Self { setup }
    }
}

impl World for Host {
    fn observe(&mut self, object: &Object) -> Result<State, WorldError> {
        Err(WorldError::Unfit(format!("cannot look at {object} yet")))
    }

    fn misfit(&mut self, guard: &Guard) -> Result<Option<String>, WorldError> {
        Err(WorldError::Unfit(format!("cannot look whether {guard} yet")))
    }

    fn perform(&mut self, action: &Action) -> Result<(), WorldError> {
        Err(WorldError::Unfit(format!("cannot {} yet", action.says())))
    }

    fn perform_batch(&mut self, bulk: &Bulk, items: &[Item]) -> Result<Batch, WorldError> {
        match bulk {
            Bulk::TriggerSync { mount } => trigger::perform_batch(mount, items),
            Bulk::Changes => Err(WorldError::Unfit("changes are made one by one".to_owned())),
        }
    }
}
