//! Why trigger-sync is refused, and the way out.

use crate::domain::{Kind, Name, UserError};

/// Why trigger-sync is refused; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// The mount is of a volume that the cluster knows by another id.
    #[error("{mount} is a mount of another volume than the {volume} that glusterd knows")]
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
    /// The bricks write no changelogs.
    #[error("volume {volume} writes no changelogs: changelog.changelog is off")]
    ChangelogOff {
        /// The volume.
        volume: String,
    },
    /// Nobody would read the records.
    #[error("no session replicates volume {volume}")]
    NoSession {
        /// The volume.
        volume: String,
    },
    /// There is no such session, or there are several and one has to be named.
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
    #[error("{path} is not the path of a file: trigger-sync through .gfid records half or nothing")]
    Virtual {
        /// The path as given.
        path: Name,
    },
    /// Something that needs a brick on this node.
    #[error("{what} needs a brick of volume {volume} on this node")]
    NoBrick {
        /// What needs it.
        what: &'static str,
        /// The volume.
        volume: String,
    },
    /// What the bricks record cannot be seen.
    #[error("the bricks of volume {volume} cannot be asked what they record: {why}")]
    Unseen {
        /// The volume.
        volume: String,
        /// Why not.
        why: String,
    },
    /// Neither a document nor a list.
    #[error("{path} begins like JSON and cannot be read as a diagnosis or an audit")]
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
    /// Nothing was asked for.
    #[error("there is nothing to send: no path and no gfid was given")]
    Nothing,
}

impl UserError for Refusal {
    fn kind(&self) -> Kind {
        match self {
            Self::WhichSession { .. } | Self::Nothing => Kind::Usage,
            _ => Kind::Refused,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::OtherVolume { volume, .. } => {
                vec![format!("gluster volume info {volume}   on the cluster that the mount is of")]
            }
            Self::Unseen { .. } => vec![
                "georepair has to be on every node with bricks, and ssh to get there".to_owned(),
                "without --verify it is sent, and nothing proven".to_owned(),
            ],
            Self::OtherBrick { .. } | Self::NoBrick { .. } => {
                vec!["gluster volume info   lists each volume's bricks as HOST:DIR".to_owned()]
            }
            Self::ChangelogOff { volume } => vec![
                format!("gluster volume set {volume} changelog.changelog on"),
                "and start the session, which turns it on too".to_owned(),
            ],
            Self::NoSession { .. } => vec![
                "the mount has to be of the primary, the volume that is copied".to_owned(),
                "gluster volume geo-replication status   lists the sessions".to_owned(),
            ],
            Self::WhichSession { there_are, .. } => {
                there_are.iter().map(|session| format!("--session {session}")).collect()
            }
            Self::Outside { mount, .. } => {
                vec![format!("paths are taken relative to {mount}, or absolute below it")]
            }
            Self::Virtual { .. } => vec!["--gfid GFID   finds the path of a gfid".to_owned()],
            Self::Document { .. } | Self::List { .. } | Self::Nothing => Vec::new(),
        }
    }
}
