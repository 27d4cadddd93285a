//! A session's two sides.

use serde::Serialize;

/// A side of a session; `GlusterFS` before 10 said master and slave.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The volume that is copied.
    Primary,
    /// The copy.
    Secondary,
    /// Both at once.
    Both,
}
