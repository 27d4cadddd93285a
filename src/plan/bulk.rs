//! A bulk step: one step over very many objects, and what it does with each.

use std::fmt;
use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use super::manifest::{Item, ItemError};
use super::path::NodePath;

/// Items in one batch: few enough that Ctrl-C takes effect within a moment.
pub const BATCH: usize = 1024;

/// What a bulk step does with each line of its manifest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "does", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Bulk {
    /// Each line is a [`Change`](super::Change). The earlier states are journalled, so it can be undone.
    Changes,
    /// Each line is a [`Trigger`](super::Trigger): `glusterfs.geo-rep.trigger-sync` = `1`, in the
    /// list's order, which is pre-order. It only asks gsyncd to look again; nothing can be undone.
    TriggerSync {
        /// The mount point of the primary volume.
        mount: NodePath,
        /// How fast.
        pace: Pace,
    },
}

/// How fast a bulk step runs. It is part of the plan, so that a resumed run keeps to it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pace {
    /// How many items are in flight at once.
    pub jobs: NonZeroUsize,
    /// Batches wait while more records than this are pending on any of `bricks`.
    pub max_backlog: Option<u64>,
    /// The bricks, on the step's node, whose pending records are counted.
    pub bricks: Vec<NodePath>,
    /// Batches wait while this file exists.
    pub pause_file: Option<NodePath>,
}

impl Default for Pace {
    /// One item at a time, without waiting.
    fn default() -> Self {
        let jobs = NonZeroUsize::MIN;
        Self { jobs, max_backlog: None, bricks: Vec::new(), pause_file: None }
    }
}

impl Bulk {
    /// Reads a line of the manifest; `line` is its number, from 1, for the error.
    ///
    /// # Errors
    /// [`ItemError`] if it is not what this bulk lists.
    pub fn read_item(&self, text: &[u8], line: u64) -> Result<Item, ItemError> {
        let read = match self {
            Self::Changes => serde_json::from_slice(text).map(Item::Change),
            Self::TriggerSync { .. } => serde_json::from_slice(text).map(Item::Trigger),
        };
        read.map_err(|source| ItemError { line, source })
    }
}

impl fmt::Display for Bulk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changes => f.write_str("listed changes"),
            Self::TriggerSync { mount, .. } => write!(f, "trigger-sync through {mount}"),
        }
    }
}
