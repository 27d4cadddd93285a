//! What a reset is asked to be: its level, its bricks, and what becomes of the secondary's data.

use std::fmt;
use std::path::PathBuf;

use super::Time;

/// What the name of a directory begins with that keeps what an emptied secondary held.
pub const QUARANTINE: &str = ".georepair-quarantine-";

/// How far back a session is started over, least first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// Stopped and started, until a change made now arrives.
    Retry,
    /// Everything since this time is sent again.
    Rewind {
        /// Where the marks are set back to.
        to: Time,
    },
    /// The index of changelogs is made anew from the changelogs.
    History,
    /// Everything is crawled and sent again; session, settings and changelogs are kept.
    Resync,
    /// The session is made anew, with a new history of changelogs, and everything is crawled.
    Full,
}

/// What becomes of the data that the secondary has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SecondaryData {
    /// It stays where it is; what is equal is not sent again.
    #[default]
    Keep,
    /// Copied into a dated directory of the secondary volume, then deleted from its place.
    Quarantine,
    /// Deleted.
    Purge,
}

/// A reset as it was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResetOptions {
    /// How far.
    pub level: Level,
    /// Only these bricks, by their directories; empty for all.
    pub bricks: Vec<PathBuf>,
    /// What becomes of the secondary's data.
    pub leftovers: SecondaryData,
    /// Whether both sides are compared after a crawl.
    pub compare: bool,
    /// When the plan is made: names what the reset leaves behind.
    pub now: Time,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Retry => "retry",
            Self::Rewind { .. } => "rewind",
            Self::History => "history",
            Self::Resync => "resync",
            Self::Full => "full",
        })
    }
}
