//! The things in the world that a plan can change.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::path::{Identity, NodePath};

/// A thing on a node that is in some [`super::State`].
///
/// The list is closed: what is not here, no plan can touch.
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
    /// A small file, its owner and mode: `Content` or `Absent`. Xattrs stay where it is written
    /// anew; what has some and shall go is better moved aside.
    File {
        /// Where.
        at: NodePath,
    },
    /// A file or tree that is too large for a journal: `InPlace` or `Aside`; `Absent` where it
    /// is gone from both. Both places lie on one file system, and what stands in the way at the
    /// one is exchanged with what stands at the other: nothing is ever overwritten.
    Movable {
        /// Where it belongs.
        at: NodePath,
        /// Where it is kept meanwhile.
        aside: NodePath,
        /// Which file or directory it is, whatever later takes its name.
        identity: Identity,
    },
    /// What was kept and nobody needs any more: `InPlace` or, removed with all below, `Spent`.
    Kept {
        /// Where.
        at: NodePath,
        /// Which file or directory it is.
        identity: Identity,
    },
    /// An option of a volume: `Text` or, as it is by default, `Absent`.
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
    /// A session as glusterd keeps it: `InPlace` or `Absent`. Its settings go with it, and its
    /// marks stay.
    SessionRecord {
        /// The primary volume.
        primary: String,
        /// The secondary, `[USER@]HOST::VOLUME`.
        secondary: String,
    },
    /// A setting of a session, a checkpoint too (`checkpoint`, epoch seconds): `Text` or, as it
    /// is by default, `Absent`.
    SessionConfig {
        /// The primary volume.
        primary: String,
        /// The secondary, `[USER@]HOST::VOLUME`.
        secondary: String,
        /// The setting, `sync-jobs`.
        key: String,
    },
    /// The gsyncd processes of a session on the node: `Started` or `Absent`. Nothing is done to
    /// them: after a stop it is waited until the last one is gone.
    Workers {
        /// The primary volume.
        primary: String,
        /// The secondary, `[USER@]HOST::VOLUME`.
        secondary: String,
    },
    /// A change made on the primary once all workers listen: `Absent`, or `Arrived` on the
    /// secondary. A session that started deaf is stopped and started again meanwhile. The change
    /// is a directory with some files; it is removed again.
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
    /// What a secondary volume holds: `InPlace`, or `Spent`, deleted from its place. It is done
    /// through mounts, by a client that may write there.
    Leftovers {
        /// The secondary, `[USER@]HOST::VOLUME`.
        secondary: String,
        /// The new directory at its root that takes a copy of everything first; none is kept
        /// where it is null.
        keep: Option<String>,
    },
    /// The stime of every directory below a brick's root: `InPlace` where any directory has one,
    /// or `Spent`, removed. A crawl skips what they call done.
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
    /// An index of a brick's changelogs, made from the changelog files that are there: `InPlace`
    /// or `Absent`.
    HistoryIndex {
        /// The brick's root.
        brick: NodePath,
        /// Where the index's folder is made.
        at: NodePath,
    },
    /// What the replicas of a volume owe each other: `Absent`. It is waited until that is so.
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

    /// Whether each node keeps this for itself, as it hears of it: glusterd brings one that was away
    /// up to date about volumes, and not about sessions and their settings.
    #[must_use]
    pub fn is_heard_once(&self) -> bool {
        matches!(self, Self::SessionRecord { .. } | Self::SessionConfig { .. })
    }

    /// Whether bringing `changed` into another state could change how this one is.
    #[must_use]
    pub fn changes_with(&self, changed: &Self) -> bool {
        self == changed || changed.covers_many()
    }

    /// Whether a step only waits for it: then there is nothing to take back.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        matches!(self, Self::Workers { .. } | Self::Canary { .. } | Self::Unhealed { .. })
    }

    /// Whether changing it changes things that it does not name: what lies below a tree, what a
    /// session or volume does when it is started or stopped.
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
                write!(f, "processes of session {primary} {secondary}")
            }
            Self::Canary { primary, secondary, token, .. } => {
                write!(f, "canary {token} of session {primary} {secondary}")
            }
            Self::DirectoryMarks { at, name } => write!(f, "{name} of the directories below {at}"),
            Self::BrickProcess { brick, .. } => write!(f, "process of brick {brick}"),
            Self::HistoryIndex { at, .. } => write!(f, "index of changelogs {at}"),
            Self::Unhealed { volume } => write!(f, "what the replicas of {volume} owe each other"),
            Self::Leftovers { secondary, .. } => write!(f, "what {secondary} holds"),
        }
    }
}
