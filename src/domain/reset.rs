//! Options of a reset: its level, its bricks, and what happens to the secondary's data.

use std::fmt;
use std::path::PathBuf;

use super::Time;

/// Prefix of the directory that keeps a copy of what an emptied secondary held.
pub const QUARANTINE: &str = ".georepair-quarantine-";

/// Declares the levels, so that a level without a row does not compile.
macro_rules! levels {
    ($($(#[$doc:meta])* $kind:ident: $row:expr,)+) => {
        /// How far a session is reset, least invasive first.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum LevelKind {
            $($(#[$doc])* $kind,)+
        }

        impl LevelKind {
            /// All levels, least invasive first.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// What is to be known of it.
            #[must_use]
            pub fn row(self) -> &'static LevelRow {
                match self {
                    $(Self::$kind => &$row,)+
                }
            }
        }
    };
}

/// What is to be known of a level.
#[derive(PartialEq, Eq, Debug)]
pub struct LevelRow {
    /// Its name: the value of `--level`; its runbook is `reset-<slug>`.
    pub slug: &'static str,
    /// What it does.
    pub does: &'static str,
    /// What it fixes.
    pub fixes: &'static str,
    /// What it does not fix.
    pub not: &'static str,
    /// What of it cannot be undone.
    pub irreversible: &'static str,
    /// What it takes besides the resending; may be empty.
    pub takes: &'static str,
    /// How much is sent again: most of its cost.
    pub resends: Resend,
    /// What happens to the secondary's data by default.
    pub secondary_data: SecondaryData,
    /// Whether it can be limited to some bricks.
    pub by_brick: bool,
}

/// How much of the volume a level sends again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resend {
    /// The pending changes only.
    Pending,
    /// All changes since a time.
    Since,
    /// Everything, found by a crawl: the only levels that can start from an empty secondary.
    Everything,
}

levels! {
    /// Restarted, and again until a new change arrives.
    Retry: LevelRow {
        slug: "retry",
        does: "restart the session and verify that a new change arrives",
        fixes: "a hung start; a worker that is Active but reads no changelogs",
        not: "changes already skipped",
        irreversible: "nothing",
        takes: "one to two minutes",
        resends: Resend::Pending,
        secondary_data: SecondaryData::Keep,
        by_brick: false,
    },
    /// The marks are set back to a time that the changelogs cover.
    Rewind: LevelRow {
        slug: "rewind",
        does: "set the marks back to a time and resend all changes since",
        fixes: "changes lost since a known time, including deletes and renames",
        not: "changes lost before that time",
        irreversible: "nothing",
        takes: "",
        resends: Resend::Since,
        secondary_data: SecondaryData::Keep,
        by_brick: true,
    },
    /// The index of changelogs is rebuilt from the changelogs.
    History: LevelRow {
        slug: "history",
        does: "rebuild the changelog index from the changelogs",
        fixes: "workers that are Faulty because the changelog index is damaged",
        not: "changelogs that are gone",
        irreversible: "nothing",
        takes: "each damaged brick is down for seconds, then heals",
        resends: Resend::Pending,
        secondary_data: SecondaryData::Keep,
        by_brick: true,
    },
    /// Everything is crawled and sent again.
    Resync: LevelRow {
        slug: "resync",
        does: "crawl and resend everything; keep session, settings and changelogs",
        fixes: "missing entries and data, whatever the cause",
        not: "deletes, renames and damage of equal size, unless the secondary is emptied",
        irreversible: "emptying the secondary, if chosen",
        takes: "",
        resends: Resend::Everything,
        secondary_data: SecondaryData::Keep,
        by_brick: false,
    },
    /// The session is recreated with a new changelog history, and everything is crawled.
    Full: LevelRow {
        slug: "full",
        does: "recreate the session with a new changelog history and resend everything",
        fixes: "a changelog history that is gone or crashes gsyncd",
        not: "the history of other sessions and of glusterfind: it is lost",
        irreversible: "emptying the secondary",
        takes: "",
        resends: Resend::Everything,
        secondary_data: SecondaryData::Quarantine,
        by_brick: false,
    },
}

impl LevelKind {
    /// Whether it sends everything again: then the secondary may be emptied first.
    #[must_use]
    pub fn resends_everything(self) -> bool {
        self.row().resends == Resend::Everything
    }
}

impl fmt::Display for LevelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.row().slug)
    }
}

/// What happens to the data on the secondary before everything is sent again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SecondaryData {
    /// It stays; what is equal is not sent again.
    #[default]
    Keep,
    /// Copied into a dated directory of the secondary volume, then deleted from its place.
    Quarantine,
    /// Deleted.
    Purge,
}

impl SecondaryData {
    /// All choices, the harmless one first.
    pub const ALL: &[Self] = &[Self::Keep, Self::Quarantine, Self::Purge];
}

impl fmt::Display for SecondaryData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keep => "keep",
            Self::Quarantine => "clean",
            Self::Purge => "purge",
        })
    }
}

/// What a reset should do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResetOptions {
    /// How far.
    pub level: LevelKind,
    /// With [`LevelKind::Rewind`]: since when changes are sent again. Without it a rewind fails its
    /// preflight.
    pub since: Option<Time>,
    /// Only these bricks, by their directories; empty for all.
    pub bricks: Vec<PathBuf>,
    /// What happens to the secondary's data.
    pub secondary_data: SecondaryData,
    /// Whether both sides are compared after a crawl.
    pub compare: bool,
    /// When the plan is made: names what the reset leaves behind.
    pub now: Time,
}

impl ResetOptions {
    /// The level's defaults: all bricks, both sides compared after a crawl.
    #[must_use]
    pub fn new(level: LevelKind, now: Time) -> Self {
        let (bricks, secondary_data) = (Vec::new(), level.row().secondary_data);
        Self { level, since: None, bricks, secondary_data, compare: true, now }
    }
}
