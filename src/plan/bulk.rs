//! One step over very many objects: what is done with each, and the list of them.

use std::fmt;
use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use super::Action;
use super::object::Object;
use super::path::NodePath;
use super::state::State;
use crate::domain::Gfid;

/// How many items one batch holds: few enough that Ctrl-C waits no more than a moment.
pub const BATCH: usize = 1024;

/// What a bulk step does with each line of its manifest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "does", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Bulk {
    /// Each line is a [`Change`]. The earlier states are journalled, so it can be taken back.
    Changes,
    /// Each line is a [`Trigger`]: `glusterfs.geo-rep.trigger-sync` = `1`, in the list's order,
    /// which is pre-order. It only asks gsyncd to look again; there is nothing to take back.
    TriggerSync {
        /// The mount point of the primary volume.
        mount: NodePath,
        /// How fast.
        pace: Pace,
    },
}

/// How fast a bulk step goes: it is part of the plan, so that a resumed run keeps to it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pace {
    /// How many items are under way at once.
    pub jobs: NonZeroUsize,
    /// Batches wait while more records than this are pending on any of `bricks`.
    pub max_backlog: Option<u64>,
    /// The bricks, on the step's node, whose pending records are counted.
    pub bricks: Vec<NodePath>,
    /// Batches wait while this file is there.
    pub pause_file: Option<NodePath>,
}

impl Default for Pace {
    /// One at a time, and never waiting.
    fn default() -> Self {
        let jobs = NonZeroUsize::MIN;
        Self { jobs, max_backlog: None, bricks: Vec::new(), pause_file: None }
    }
}

/// The list of a bulk step, a file beside its plan: one JSON object a line, in the order of work.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The file's name, without a directory: it stands beside `plan.json`.
    pub file: String,
    /// How many lines it has.
    pub count: u64,
    /// xxh3 (64 bits) of all its bytes, 16 hex digits.
    pub digest: String,
}

/// A directory or file that gsyncd shall send again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Where, relative to the mount.
    pub at: NodePath,
    /// Whether it is a directory; else a regular file.
    pub folder: bool,
    /// Its gfid, where it is known.
    pub gfid: Option<Gfid>,
}

/// One change of a list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What is changed; never itself a bulk.
    pub object: Object,
    /// How it shall be afterwards.
    pub shall_be: State,
    /// How it must be before, unless it is already as it shall be; null where that is all one.
    pub was: Option<State>,
}

/// One line of a manifest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Item {
    /// Of [`Bulk::Changes`].
    Change(Change),
    /// Of [`Bulk::TriggerSync`].
    Trigger(Trigger),
}

/// A line of a manifest that is none.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of the manifest cannot be read")]
pub struct ItemError {
    /// Which, from 1.
    pub line: u64,
    /// What is wrong with it.
    #[source]
    pub source: serde_json::Error,
}

impl Bulk {
    /// Reads a line of the manifest; `line` is its number, from 1, for the error.
    ///
    /// # Errors
    /// [`ItemError`] where it is not what this bulk lists.
    pub fn read_item(&self, text: &[u8], line: u64) -> Result<Item, ItemError> {
        let read = match self {
            Self::Changes => serde_json::from_slice(text).map(Item::Change),
            Self::TriggerSync { .. } => serde_json::from_slice(text).map(Item::Trigger),
        };
        read.map_err(|source| ItemError { line, source })
    }
}

impl Change {
    /// What it does.
    #[must_use]
    pub fn action(&self) -> Action {
        Action { object: self.object.clone(), shall_be: self.shall_be.clone() }
    }
}

impl Item {
    /// The change, where it is one.
    #[must_use]
    pub fn change(&self) -> Option<&Change> {
        if let Self::Change(change) = self { Some(change) } else { None }
    }

    /// The object to be sent again, where it is one.
    #[must_use]
    pub fn trigger(&self) -> Option<&Trigger> {
        if let Self::Trigger(trigger) = self { Some(trigger) } else { None }
    }

    /// The item as its manifest's line, without the newline.
    ///
    /// # Errors
    /// Never in practice: items are plain data.
    pub fn to_line(&self) -> serde_json::Result<Vec<u8>> {
        match self {
            Self::Change(change) => serde_json::to_vec(change),
            Self::Trigger(trigger) => serde_json::to_vec(trigger),
        }
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
