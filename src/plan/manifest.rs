//! The list of a bulk step: a file beside its plan, one JSON object a line.

use serde::{Deserialize, Serialize};

use super::action::Action;
use super::object::Object;
use super::path::NodePath;
use super::state::State;
use crate::domain::Gfid;

/// The list of a bulk step, a file beside its plan: one JSON object a line, in the order of work.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The file's name, without a directory: it lies beside `plan.json`.
    pub file: String,
    /// How many lines it has.
    pub count: u64,
    /// xxh3 (64 bits) of all its bytes, 16 hex digits.
    pub digest: String,
}

/// A directory or file that gsyncd is asked to send again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Where, relative to the mount.
    pub at: NodePath,
    /// Whether it is a directory; else a regular file.
    pub folder: bool,
    /// Its gfid, if known.
    pub gfid: Option<Gfid>,
}

/// One change of a list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What is changed.
    pub object: Object,
    /// The state it is brought into.
    #[serde(rename = "shall_be")]
    pub wanted: State,
    /// The state it must have before, unless it is in the wanted one; `None` accepts any.
    pub was: Option<State>,
}

/// One line of a manifest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Item {
    /// Of a list of changes.
    Change(Change),
    /// Of trigger-sync.
    Trigger(Trigger),
}

/// A line of a manifest that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of the manifest cannot be read")]
pub struct ItemError {
    /// The line's number, from 1.
    pub line: u64,
    /// What is wrong with it.
    #[source]
    pub source: serde_json::Error,
}

impl Manifest {
    /// The name of the file that a script reads the list from.
    #[must_use]
    pub fn list_name(&self) -> String {
        format!("{}.list", self.file)
    }
}

impl Change {
    /// What it does.
    #[must_use]
    pub fn action(&self) -> Action {
        Action { object: self.object.clone(), wanted: self.wanted.clone() }
    }
}

impl Item {
    /// The change, if it is one.
    #[must_use]
    pub fn change(&self) -> Option<&Change> {
        if let Self::Change(change) = self { Some(change) } else { None }
    }

    /// The object to be sent again, if it is one.
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
