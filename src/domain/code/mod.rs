//! The finding codes: names that scripts, runbooks and documentation share.

mod table;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use table::TABLE;

/// How bad a finding is, worst first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Replication stops until somebody acts.
    Fatal,
    /// Replication goes on, and something is missing or wrong on the secondary.
    Loss,
    /// Worth knowing; nothing is lost as far as can be seen.
    Warning,
    /// Looks alarming and is nothing.
    Benign,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fatal => "fatal",
            Self::Loss => "loss",
            Self::Warning => "warning",
            Self::Benign => "benign",
        })
    }
}

/// What was found. The slug is the code, the runbook's file name and the anchor in documents.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Code {
    /// The secondary's key has no forced command.
    SshKeyNoForcedCommand,
    /// Ssh to the secondary is refused.
    SshAuthRefused,
    /// The secondary node cannot be reached by ssh.
    SshUnreachable,
    /// The connection to the other side broke.
    PeerBroken,
    /// A gluster command on the other side failed.
    RemoteCliFailed,
    /// Gsyncd cannot find a program it needs.
    GlusterBinaryMissing,
    /// Gsyncd's configuration cannot be read.
    GsyncdConfigUnavailable,
    /// Gsyncd does not work with this python.
    PythonIncompatible,
    /// Libgfchangelog.so cannot be loaded.
    LibgfchangelogMissing,
    /// The session was created, but no worker ever started.
    WorkerNeverStarted,
    /// The non-root mount cannot be made.
    MountbrokerBroken,
    /// A volume's mount died or the volume is stopped.
    SecondaryUnreachableVolume,
    /// The shared storage volume is not mounted.
    MetaVolumeMissing,
    /// A worker died of an unexpected exception.
    WorkerCrash,
    /// The changelog agent died.
    AgentDied,
    /// The changelog history cannot be read.
    HistoryUnavailable,
    /// Part of the changelog history is missing.
    HistoryPartial,
    /// The changelog upgrade script ran too late or twice.
    UpgradeScriptLate,
    /// A worker cannot register with the brick's changelog.
    ChangelogRegisterFailed,
    /// The full crawl starts again from zero.
    HybridCrawlRestarting,
    /// A worker is Active, but changelogs stand unread.
    WorkerStalled,
    /// The name exists on the secondary with another gfid.
    EntryGfidMismatch,
    /// A directory cannot be made, and the worker stops there.
    EntryMkdirFailed,
    /// A parent directory is missing on the secondary.
    EntryParentMissing,
    /// An entry was busy on the secondary.
    EntryBusy,
    /// A directory to be removed is not empty on the secondary.
    EntryNotEmpty,
    /// A directory stands where a file operation was to happen.
    EntryIsDirectory,
    /// The secondary does not permit an entry operation.
    EntryNotPermitted,
    /// The secondary denies access to an entry.
    EntryAccessDenied,
    /// An entry operation failed on the secondary.
    EntryFailed,
    /// Owner, mode or times could not be set on the secondary.
    MetadataFailed,
    /// A file name's encoding breaks gsyncd.
    NameEncoding,
    /// A stale file handle.
    StaleHandle,
    /// An input/output error: a brick is down, or split-brain.
    IoError,
    /// An extended attribute is missing.
    NoData,
    /// The secondary could not find a gfid.
    MissingOnSecondary,
    /// Changelogs were given up: their data is not on the secondary.
    ChangelogSkipped,
    /// Rsync or tar returned an error.
    DataSyncFailed,
    /// Rsync reports success and transfers nothing.
    DataSyncEmpty,
    /// Internal extended attributes were refused.
    InternalXattrNoise,
    /// Gsyncd removed or renamed something on the secondary.
    GfidConflictFixed,
    /// A split-brain inside a volume.
    SplitBrain,
    /// A directory has different gfids on different bricks.
    DhtGfidDiffers,
    /// A pid, state or status file is missing.
    StatusFileMissing,
    /// A gfid's handle is missing on a brick.
    HandleMissingLogged,
    /// A session was only half created.
    SessionHalfCreated,
    /// The session is not running on this node.
    SessionNotRunning,
    /// Exceptions raised while stopping.
    ShutdownNoise,
    /// It is on the primary and missing on the secondary.
    OnlyOnPrimary,
    /// It is on the secondary and no longer on the primary.
    OnlyOnSecondary,
    /// A file on one side, something else on the other.
    TypeDiffers,
    /// Another name or folder on the secondary.
    PlaceDiffers,
    /// One of several names is missing on a side.
    LinkMissing,
    /// The sizes differ.
    SizeDiffers,
    /// The times of the last change differ.
    MtimeDiffers,
    /// Mode, owner, ACL or user xattrs differ.
    MetadataDiffers,
    /// A symlink leads elsewhere on the secondary.
    TargetDiffers,
    /// Same size, other content.
    ContentDiffers,
    /// The same name has another gfid on the secondary.
    GfidDiffers,
    /// The copies on one side's bricks disagree.
    CopiesDiffer,
    /// The gfid of an object has no handle on the brick.
    HandleMissing,
    /// A directory's handle names a place where nothing stands.
    HandleDangling,
    /// A handle is left whose object has no name.
    HandleOrphan,
    /// A handle leads to another object than its own.
    HandleWrong,
    /// The handles of directories form a ring.
    HandleCycle,
    /// Two objects of a brick carry the same gfid.
    GfidDuplicate,
    /// An object on the brick carries no gfid.
    GfidXattrMissing,
    /// A name is in no gfid2path xattr.
    Gfid2pathMissing,
    /// A gfid2path xattr records a name that is not there.
    Gfid2pathStale,
    /// The changelog index counts more or fewer changelogs than it holds.
    HtimeCountWrong,
    /// The changelog index has a gap or is damaged.
    HtimeGap,
    /// The changelog index, or what names it, is missing.
    HtimeMissing,
    /// A foreign file lies in the folder of the changelog index.
    HtimeLitter,
    /// The index names a changelog that is not there.
    ChangelogMissing,
    /// A changelog holds bytes that are no record.
    ChangelogDamaged,
    /// A changelog lies where the index does not look for it.
    ChangelogMisplaced,
    /// Stime lies before the changelog history begins.
    StimeOutsideHistory,
    /// A mark of geo-replication lies in the future.
    StimeInFuture,
    /// A mark of a session that does not exist.
    StimeOrphan,
    /// A session has no mark on this brick.
    StimeMissing,
    /// A volume option with which geo-replication cannot work.
    OptionUnfit,
    /// Little space or few inodes are left.
    SpaceLow,
    /// Clients may write to the secondary volume.
    SecondaryWritable,
    /// The primary's data does not fit on the secondary.
    SecondaryTooSmall,
    /// The secondary volume is not empty.
    SecondaryNotEmpty,
    /// This rsync and this release of gsyncd do not work together.
    RsyncIncompatible,
    /// The two sides run different releases of GlusterFS.
    ReleasesDiffer,
    /// The clocks of the nodes differ.
    ClockSkew,
}

impl Code {
    /// Every code.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.0)
    }

    /// The name scripts rely on, such as `entry-gfid-mismatch`.
    #[must_use]
    pub fn slug(self) -> &'static str {
        self.row().1
    }

    /// The severity unless the circumstances say otherwise.
    #[must_use]
    pub fn severity(self) -> Severity {
        self.row().2
    }

    /// A few words a person understands.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.row().3
    }

    fn row(self) -> &'static (Self, &'static str, Severity, &'static str) {
        TABLE
            .get(self as usize)
            .unwrap_or_else(|| unreachable!("a test holds enum and table together"))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.slug())
    }
}

impl FromStr for Code {
    type Err = String;

    fn from_str(slug: &str) -> Result<Self, String> {
        TABLE
            .iter()
            .find(|row| row.1 == slug)
            .map(|row| row.0)
            .ok_or_else(|| format!("no such code: {slug}"))
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.slug())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_enum() {
        for (index, (code, slug, ..)) in TABLE.iter().enumerate() {
            assert_eq!(*code as usize, index);
            assert_eq!(slug.parse(), Ok(*code));
        }
        assert!("no-such-code".parse::<Code>().is_err());
    }
}
