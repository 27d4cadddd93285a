//! A node, named as it is reached from here.

use std::fmt;

/// A node, named as it is reached from here.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Host {
    /// This node.
    Here,
    /// Another node, by the name that ssh takes: `[USER@]NAME`.
    Peer(String),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here => f.write_str("this node"),
            Self::Peer(name) => f.write_str(name),
        }
    }
}
