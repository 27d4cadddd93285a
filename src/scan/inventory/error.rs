//! Why a volume cannot be taken stock of.

use crate::domain::{Kind, UserError};
use crate::scan::brick::BrickError;
use crate::scan::cluster::ClusterError;

/// Why a volume cannot be taken stock of.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// A brick of this node.
    #[error(transparent)]
    Brick(#[from] BrickError),
    /// Part of a volume is not among its bricks.
    #[error(
        "the bricks are not all of their volume: none holds the files of hashes {first:08x} to {last:08x}"
    )]
    Incomplete {
        /// The first hash of DHT that no brick has.
        first: u32,
        /// The last one.
        last: u32,
    },
    /// A brick of a peer.
    #[error(transparent)]
    Peer(#[from] ClusterError),
}

impl UserError for InventoryError {
    fn kind(&self) -> Kind {
        match self {
            Self::Brick(error) => error.kind(),
            Self::Incomplete { .. } => Kind::Blind,
            Self::Peer(error) => error.kind(),
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Brick(error) => error.hints(),
            Self::Incomplete { .. } => vec![
                "give one brick at least of every set of copies".to_owned(),
                "gluster volume info   lists each volume's bricks as HOST:DIR".to_owned(),
            ],
            Self::Peer(error) => error.hints(),
        }
    }
}
