//! Why a directory cannot be worked through as a volume's mount, and what to do about it.

use rustix::io::Errno;

use crate::domain::{Kind, Name, UserError};

/// Why a directory cannot be worked through as the mount of a primary volume.
#[derive(Debug, thiserror::Error)]
pub enum MountError {
    /// It cannot be opened as a directory.
    #[error("there is no mount at {path}")]
    Absent {
        /// The path as given.
        path: Name,
        /// What the system said.
        #[source]
        source: Errno,
    },
    /// It is on a brick.
    #[error("{path} lies on a brick, not on a mount of the volume")]
    Brick {
        /// The path as given.
        path: Name,
    },
    /// It is on another kind of file system.
    #[error("{path} is not a mount of a volume: it is on {kind}")]
    NotGluster {
        /// The path as given.
        path: Name,
        /// The file system's type.
        kind: Name,
    },
    /// It is inside a mount.
    #[error("{path} lies inside the mount at {point}")]
    Inside {
        /// The path as given.
        path: Name,
        /// The mount point.
        point: Name,
    },
    /// Its volume cannot be determined.
    #[error("cannot tell which volume {path} is a mount of (source {source_text})")]
    NoVolume {
        /// The path as given.
        path: Name,
        /// The source in mountinfo.
        source_text: Name,
    },
    /// Only root may do this.
    #[error("trigger-sync needs root")]
    NotRoot,
    /// It was mounted with `--client-pid=-1`.
    #[error("{path} is mounted with --client-pid=-1, as gsyncd's own: it ignores trigger-sync")]
    GsyncdPid {
        /// The path as given.
        path: Name,
    },
    /// It cannot be written to.
    #[error("{path} is read-only, as the volume of a secondary is")]
    ReadOnly {
        /// The path as given.
        path: Name,
    },
    /// Its process or all its bricks are gone.
    #[error("the mount at {path} does not answer")]
    Dead {
        /// The path as given.
        path: Name,
        /// What the system said.
        #[source]
        source: Errno,
    },
}

impl UserError for MountError {
    fn kind(&self) -> Kind {
        match self {
            Self::Dead { .. } => Kind::Blind,
            _ => Kind::Refused,
        }
    }

    fn hints(&self) -> Vec<String> {
        let mount =
            "mount -t glusterfs HOST:/VOLUME /mnt/VOLUME   mounts it as a client".to_owned();
        match self {
            Self::Inside { path, point } => {
                vec![format!("georepair trigger-sync --mount {point} {path}")]
            }
            Self::Brick { .. } => vec![
                "set on a brick, the xattr reaches no changelog; go through a mount".to_owned(),
                mount,
            ],
            Self::Absent { .. } | Self::NotGluster { .. } | Self::NoVolume { .. } => vec![mount],
            Self::NotRoot => vec!["run it again with sudo".to_owned()],
            Self::GsyncdPid { .. } => {
                vec!["such a mount reports success but records nothing".to_owned(), mount]
            }
            Self::ReadOnly { .. } => vec![
                "trigger-sync is set on the primary; the session carries it over".to_owned(),
                "gluster volume geo-replication status   shows which volume is the primary"
                    .to_owned(),
            ],
            Self::Dead { path, .. } => {
                vec![format!("umount {path} and mount it again"), mount]
            }
        }
    }
}
