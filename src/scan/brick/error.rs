//! Why a directory cannot be read as a brick, and what to do about it.

use std::path::PathBuf;

use rustix::io::Errno;

use crate::domain::{Kind, Name, UserError};

/// Why a directory cannot be read as a brick.
#[derive(Debug, thiserror::Error)]
pub enum BrickError {
    /// It cannot be opened as a directory.
    #[error("there is no brick at {path}")]
    Absent {
        /// The path as given.
        path: Name,
        /// What the system said.
        #[source]
        source: Errno,
    },
    /// The reader may not see `trusted.*` xattrs or `.glusterfs`.
    #[error("{path} can be read as a brick by root only")]
    NotPermitted {
        /// The path as given.
        path: Name,
    },
    /// It is a client's mount of a volume.
    #[error("{path} is a mount of a volume, not a brick")]
    Mount {
        /// The path as given.
        path: Name,
    },
    /// It has no `trusted.glusterfs.volume-id`.
    #[error("{path} is not the root of a brick: it has no trusted.glusterfs.volume-id")]
    NoVolumeId {
        /// The path as given.
        path: Name,
        /// A directory above it, or itself, that has a `.glusterfs`.
        brick: Option<PathBuf>,
    },
    /// It has no `.glusterfs`.
    #[error("{path} has a volume id but no .glusterfs: a brick that never started, or a wiped one")]
    NoHandles {
        /// The path as given.
        path: Name,
        /// What the system said.
        #[source]
        source: Errno,
    },
    /// The root's own handle is missing.
    #[error("{path} has a .glusterfs without the root's handle (00/00/…01)")]
    NoRootHandle {
        /// The path as given.
        path: Name,
    },
    /// It was there and is gone.
    #[error("the brick at {path} disappeared while it was being read")]
    Vanished {
        /// The path as given.
        path: Name,
    },
    /// It cannot be read.
    #[error("cannot read the brick at {path}")]
    Unreadable {
        /// The path as given.
        path: Name,
        /// What the system said.
        #[source]
        source: Errno,
    },
}

impl UserError for BrickError {
    fn kind(&self) -> Kind {
        match self {
            Self::Vanished { .. } | Self::Unreadable { .. } => Kind::Blind,
            _ => Kind::Refused,
        }
    }

    fn hints(&self) -> Vec<String> {
        let bricks = "gluster volume info   lists each volume's bricks as HOST:DIR".to_owned();
        match self {
            Self::Absent { .. } | Self::NoHandles { .. } => vec![bricks],
            Self::Mount { .. } => {
                vec!["give the brick's own directory on the server".to_owned(), bricks]
            }
            Self::NotPermitted { .. } => {
                vec!["run it again with sudo: trusted.* xattrs need CAP_SYS_ADMIN".to_owned()]
            }
            Self::NoVolumeId { brick: Some(brick), .. } => {
                let brick = Name::from(brick.as_os_str().as_encoded_bytes());
                vec![format!("it is inside one; try --brick {brick}")]
            }
            Self::NoVolumeId { path, .. } => vec![
                bricks,
                format!("getfattr -d -m . -e hex {path}   shows its xattrs"),
                "in a container? trusted.* xattrs are hidden without CAP_SYS_ADMIN".to_owned(),
            ],
            Self::NoRootHandle { path } => {
                vec![format!("ls -la {path}/.glusterfs/00/00   shows what is left of it")]
            }
            Self::Vanished { path } | Self::Unreadable { path, .. } => vec![
                format!("findmnt -T {path}   is its file system still mounted?"),
                "dmesg | tail   did its file system shut down?".to_owned(),
            ],
        }
    }
}
