//! Preconditions of a step.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::object::Object;
use super::path::{Identity, NodePath};
use super::state::State;
use super::work::Work;

/// A condition, checked on the step's node right before the step; and before the whole run if no
/// earlier step changes what it depends on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "guard", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Guard {
    /// The session is stopped, and none of its processes runs on this node.
    SessionStopped {
        /// The primary volume.
        primary: String,
        /// The secondary, `[USER@]HOST::VOLUME`.
        secondary: String,
    },
    /// An object is still as the plan found it.
    Unchanged {
        /// Which.
        object: Object,
        /// How it was.
        was: State,
    },
    /// The volume of this name is still the same one.
    SameVolume {
        /// Its name.
        volume: String,
        /// Its id, as in `gluster volume info`.
        id: Uuid,
    },
    /// The directory is still the root of the same brick, not an empty mount point.
    SameBrick {
        /// The brick's root.
        at: NodePath,
        /// The value of `trusted.glusterfs.volume-id` there.
        volume: Uuid,
        /// Which directory it is.
        identity: Identity,
    },
    /// There is a FUSE mount of this volume.
    Mounted {
        /// The mount point.
        at: NodePath,
        /// The volume's name.
        volume: String,
    },
    /// The file system has this much free space.
    FreeSpace {
        /// Where.
        at: NodePath,
        /// Bytes.
        bytes: u64,
    },
}

impl Guard {
    /// Whether doing this could change what the guard checks.
    #[must_use]
    pub fn depends_on(&self, done: &Work) -> bool {
        match self {
            Self::SessionStopped { primary, secondary } => {
                let session =
                    Object::Session { primary: primary.clone(), secondary: secondary.clone() };
                done.action().is_some_and(|action| action.object == session)
            }
            Self::Unchanged { object, .. } => done.may_change(object),
            Self::FreeSpace { .. } => done.action().is_none_or(|it| it.object.covers_many()),
            Self::SameVolume { .. } | Self::SameBrick { .. } | Self::Mounted { .. } => false,
        }
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SessionStopped { primary, secondary } => {
                write!(f, "session {primary} {secondary} is stopped")
            }
            Self::Unchanged { object, was } => write!(f, "{object} is {was}"),
            Self::SameVolume { volume, id } => write!(f, "volume {volume} has id {id}"),
            Self::SameBrick { at, volume, .. } => {
                write!(f, "{at} is the same brick of volume {volume}")
            }
            Self::Mounted { at, volume } => write!(f, "{at} is a mount of volume {volume}"),
            Self::FreeSpace { at, bytes } => write!(f, "{bytes} bytes are free at {at}"),
        }
    }
}
