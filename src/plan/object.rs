//! The things in the world that a plan can change.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::path::{Identity, NodePath};

/// A thing on a node that has a [`super::State`].
///
/// The list is closed: a plan can change nothing else.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Object {
    /// An extended attribute of a file or directory, never of what a symlink points to:
    /// `Value` or `Absent`.
    Xattr {
        /// Whose.
        at: NodePath,
        /// Its name, `trusted.glusterfs.….stime`.
        name: String,
    },
    /// A small file, its owner and mode: `Content` or `Absent`. Rewriting it keeps its xattrs; to
    /// remove a file with xattrs, move it aside instead.
    File {
        /// Where.
        at: NodePath,
    },
    /// A file or tree that is too large for a journal: `InPlace` or `Aside`; `Absent` if it is at
    /// neither path. Both are on one file system, and what exists at the target is exchanged with
    /// it: nothing is ever overwritten.
    Movable {
        /// Where it belongs.
        at: NodePath,
        /// Where it is kept meanwhile.
        aside: NodePath,
        /// Which file or directory it is, whatever later takes its name.
        identity: Identity,
    },
    /// Something kept that is no longer needed: `InPlace` or, deleted with everything below, `Spent`.
    Kept {
        /// Where.
        at: NodePath,
        /// Which file or directory it is.
        identity: Identity,
    },
    /// An option of a volume: `Text` or, if it has its default, `Absent`.
    VolumeOption {
        /// The volume.
        volume: String,
        /// The option, `changelog.changelog`.
        option: String,
    },
    /// A geo-replication session: `Started`, `Stopped`, `Paused` or `Absent`.
    Session {
        /// The primary volume.
        primary: String,
        /// The secondary, `[USER@]HOST::VOLUME`.
        secondary: String,
    },
    /// The session in glusterd: `InPlace` or `Absent`. Deleting it deletes its settings; its marks
    /// stay.
    SessionRecord {
        /// The primary volume.
        primary: String,
        /// The secondary, `[USER@]HOST::VOLUME`.
        secondary: String,
    },
    /// A setting of a session, also a checkpoint (`checkpoint`, epoch seconds): `Text` or, if it
    /// has its default, `Absent`.
    SessionConfig {
        /// The primary volume.
        primary: String,
        /// The secondary, `[USER@]HOST::VOLUME`.
        secondary: String,
        /// The setting, `sync-jobs`.
        key: String,
    },
    /// The gsyncd processes of a session on the node: `Started` or `Absent`. Nothing is done to
    /// them: the step waits until the last one has exited.
    Workers {
        /// The primary volume.
        primary: String,
        /// The secondary, `[USER@]HOST::VOLUME`.
        secondary: String,
    },
    /// Probe files written on the primary once all workers are past history: `Absent`, or `Arrived`
    /// on the secondary. A session that does not replicate them is restarted meanwhile. They are
    /// in a directory of their own, which is removed again.
    Canary {
        /// The primary volume.
        primary: String,
        /// The secondary, `[USER@]HOST::VOLUME`.
        secondary: String,
        /// Tells it from other canaries.
        token: String,
        /// How many files: enough that every replica set gets one.
        files: u32,
        /// Seconds between two changelogs of a brick.
        rollover: u32,
    },
    /// The data on a secondary volume: `InPlace`, or `Spent`, deleted. It is deleted through a mount
    /// that may write there.
    Leftovers {
        /// The secondary, `[USER@]HOST::VOLUME`.
        secondary: String,
        /// The new directory at its root for a copy of everything; `None` keeps no copy.
        keep: Option<String>,
    },
    /// The stime of every directory below a brick's root: `InPlace` if any directory has one, or
    /// `Spent`, removed. A crawl skips directories by it.
    DirectoryMarks {
        /// The brick's root.
        at: NodePath,
        /// The xattr.
        name: String,
    },
    /// The process of a brick, on its node: `Started` or `Stopped`.
    BrickProcess {
        /// The volume.
        volume: String,
        /// The brick as gluster names it, `NODE:DIR`.
        brick: String,
    },
    /// An index of a brick's changelogs, rebuilt from the existing changelog files: `InPlace` or
    /// `Absent`.
    HistoryIndex {
        /// The brick's root.
        brick: NodePath,
        /// The new directory of the index.
        at: NodePath,
    },
    /// The pending heals of a volume: `Absent`. The step waits until there are none.
    Unhealed {
        /// The volume.
        volume: String,
    },
}

impl Object {
    /// Whether it is the same thing on every node of its cluster.
    #[must_use]
    pub fn is_of_cluster(&self) -> bool {
        matches!(
            self,
            Self::VolumeOption { .. }
                | Self::Session { .. }
                | Self::SessionRecord { .. }
                | Self::SessionConfig { .. }
        )
    }

    /// Whether each node keeps its own copy and learns of a change only once: glusterd updates a node
    /// that was offline about volumes, but not about sessions and their settings.
    #[must_use]
    pub fn is_heard_once(&self) -> bool {
        matches!(self, Self::SessionRecord { .. } | Self::SessionConfig { .. })
    }

    /// Whether changing `changed` could change the state of this object.
    #[must_use]
    pub fn changes_with(&self, changed: &Self) -> bool {
        self == changed || changed.covers_many()
    }

    /// Whether a step only waits for it: then there is nothing to undo.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        matches!(self, Self::Workers { .. } | Self::Canary { .. } | Self::Unhealed { .. })
    }

    /// Whether changing it changes more than it names: everything below a tree, or what a session
    /// or volume does when it is started or stopped.
    #[must_use]
    pub fn covers_many(&self) -> bool {
        !matches!(self, Self::Xattr { .. } | Self::File { .. } | Self::SessionConfig { .. })
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Xattr { at, name } => write!(f, "xattr {name} of {at}"),
            Self::File { at } => write!(f, "file {at}"),
            Self::Movable { at, aside, .. } => write!(f, "{at} (aside: {aside})"),
            Self::Kept { at, .. } => write!(f, "kept {at}"),
            Self::VolumeOption { volume, option } => write!(f, "option {option} of {volume}"),
            Self::Session { primary, secondary } => write!(f, "session {primary} {secondary}"),
            Self::SessionRecord { primary, secondary } => {
                write!(f, "record of session {primary} {secondary}")
            }
            Self::SessionConfig { primary, secondary, key } => {
                write!(f, "setting {key} of session {primary} {secondary}")
            }
            Self::Workers { primary, secondary } => {
                write!(f, "gsyncd processes of session {primary} {secondary}")
            }
            Self::Canary { primary, secondary, token, .. } => {
                write!(f, "probe files {token} of session {primary} {secondary}")
            }
            Self::DirectoryMarks { at, name } => {
                write!(f, "xattr {name} of all directories below {at}")
            }
            Self::BrickProcess { brick, .. } => write!(f, "process of brick {brick}"),
            Self::HistoryIndex { at, .. } => write!(f, "changelog index {at}"),
            Self::Unhealed { volume } => write!(f, "pending heals of {volume}"),
            Self::Leftovers { secondary, .. } => write!(f, "data on {secondary}"),
        }
    }
}
