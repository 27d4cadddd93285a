//! Why trigger-sync is refused, and what to do about it.

use crate::domain::{Kind, Name, UserError};

/// Why trigger-sync is refused; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(super) enum TriggerSyncError {
    /// The mounted volume and the cluster's volume of that name have different ids.
    #[error("{mount} is not a mount of the volume {volume} that glusterd knows: their ids differ")]
    OtherVolume {
        /// The mount.
        mount: Name,
        /// The name that both have.
        volume: String,
    },
    /// A brick belongs to another volume.
    #[error("the brick {brick} belongs to another volume than the mount {mount}")]
    OtherBrick {
        /// The brick.
        brick: Name,
        /// The mount.
        mount: Name,
    },
    /// The bricks record no changes.
    #[error("volume {volume} records no changes: changelog.changelog is off")]
    ChangelogOff {
        /// The volume.
        volume: String,
    },
    /// No session would read the records.
    #[error("no session replicates volume {volume}")]
    NoSession {
        /// The volume.
        volume: String,
    },
    /// There is no such session, or there are several and none was named.
    #[error("{what}")]
    WhichSession {
        /// What is wrong.
        what: String,
        /// The sessions that there are.
        there_are: Vec<String>,
    },
    /// A path that leads elsewhere.
    #[error("{path} is not below the mount {mount}")]
    Outside {
        /// The path as given.
        path: Name,
        /// The mount.
        mount: Name,
    },
    /// A path below `.gfid` or `.meta`.
    #[error(
        "{path} is not an ordinary path: trigger-sync through .gfid or .meta records only a part, or nothing"
    )]
    Virtual {
        /// The path as given.
        path: Name,
    },
    /// An option needs a brick on this node.
    #[error("{what} needs a brick of volume {volume} on this node")]
    NoBrick {
        /// What needs it.
        what: &'static str,
        /// The volume.
        volume: String,
    },
    /// The bricks cannot be queried for their records.
    #[error("cannot query the bricks of volume {volume} for their records: {why}")]
    Unseen {
        /// The volume.
        volume: String,
        /// Why not.
        why: String,
    },
    /// Neither a document nor a list.
    #[error("{path} is JSON, but not a diagnosis or an audit")]
    Document {
        /// Where it comes from.
        path: Name,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A list that cannot be read.
    #[error("cannot read {path}")]
    List {
        /// Where it comes from.
        path: Name,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Nothing was named.
    #[error("nothing to send: name a path, a gfid or a list")]
    Nothing,
}

impl UserError for TriggerSyncError {
    fn kind(&self) -> Kind {
        match self {
            Self::WhichSession { .. } | Self::Nothing => Kind::Usage,
            _ => Kind::Refused,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::OtherVolume { volume, .. } => {
                vec![format!(
                    "gluster volume info {volume}   on a node of the cluster that is mounted"
                )]
            }
            Self::Unseen { .. } => vec![
                "--verify needs georepair on every node with bricks, and passwordless ssh to it"
                    .to_owned(),
                "without --verify the objects are sent, and the arrival is not checked".to_owned(),
            ],
            Self::OtherBrick { .. } | Self::NoBrick { .. } => {
                vec!["gluster volume info   lists each volume's bricks as HOST:DIR".to_owned()]
            }
            Self::ChangelogOff { volume } => vec![
                format!("gluster volume set {volume} changelog.changelog on"),
                "starting the session turns it on too".to_owned(),
            ],
            Self::NoSession { .. } => vec![
                "--mount must be a mount of the primary volume".to_owned(),
                "gluster volume geo-replication status   lists the sessions".to_owned(),
            ],
            Self::WhichSession { there_are, .. } => {
                there_are.iter().map(|session| format!("--session {session}")).collect()
            }
            Self::Outside { mount, .. } => {
                vec![format!("paths are relative to {mount}, or absolute below it")]
            }
            Self::Virtual { .. } => vec!["--gfid GFID   sends an object by its gfid".to_owned()],
            Self::Document { .. } | Self::List { .. } | Self::Nothing => Vec::new(),
        }
    }
}
