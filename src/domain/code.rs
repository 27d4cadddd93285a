//! The finding codes: names that scripts, runbooks and documentation share.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

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

/// Slug, usual severity and title of every code, in the order of the enum.
const TABLE: &[(Code, &str, Severity, &str)] = &[
    (
        Code::SshKeyNoForcedCommand,
        "ssh-key-no-forced-command",
        Severity::Fatal,
        "the secondary's key has no forced command",
    ),
    (Code::SshAuthRefused, "ssh-auth-refused", Severity::Fatal, "ssh to the secondary is refused"),
    (
        Code::SshUnreachable,
        "ssh-unreachable",
        Severity::Fatal,
        "the secondary node cannot be reached by ssh",
    ),
    (Code::PeerBroken, "peer-broken", Severity::Fatal, "the connection to the other side broke"),
    (
        Code::RemoteCliFailed,
        "remote-cli-failed",
        Severity::Fatal,
        "a gluster command on the other side failed",
    ),
    (
        Code::GlusterBinaryMissing,
        "gluster-binary-missing",
        Severity::Fatal,
        "gsyncd cannot find a program it needs",
    ),
    (
        Code::GsyncdConfigUnavailable,
        "gsyncd-config-unavailable",
        Severity::Fatal,
        "gsyncd's configuration cannot be read",
    ),
    (
        Code::PythonIncompatible,
        "python-incompatible",
        Severity::Fatal,
        "gsyncd does not work with this python",
    ),
    (
        Code::LibgfchangelogMissing,
        "libgfchangelog-missing",
        Severity::Fatal,
        "libgfchangelog.so cannot be loaded",
    ),
    (
        Code::WorkerNeverStarted,
        "worker-never-started",
        Severity::Fatal,
        "the session was created, but no worker ever started",
    ),
    (
        Code::MountbrokerBroken,
        "mountbroker-broken",
        Severity::Fatal,
        "the non-root mount cannot be made",
    ),
    (
        Code::SecondaryUnreachableVolume,
        "secondary-unreachable-volume",
        Severity::Fatal,
        "a volume's mount died or the volume is stopped",
    ),
    (
        Code::MetaVolumeMissing,
        "meta-volume-missing",
        Severity::Fatal,
        "the shared storage volume is not mounted",
    ),
    (
        Code::WorkerCrash,
        "worker-crash",
        Severity::Fatal,
        "a worker died of an unexpected exception",
    ),
    (Code::AgentDied, "agent-died", Severity::Fatal, "the changelog agent died"),
    (
        Code::HistoryUnavailable,
        "history-unavailable",
        Severity::Fatal,
        "the changelog history cannot be read",
    ),
    (
        Code::HistoryPartial,
        "history-partial",
        Severity::Loss,
        "part of the changelog history is missing",
    ),
    (
        Code::UpgradeScriptLate,
        "upgrade-script-late",
        Severity::Fatal,
        "the changelog upgrade script ran too late or twice",
    ),
    (
        Code::ChangelogRegisterFailed,
        "changelog-register-failed",
        Severity::Fatal,
        "a worker cannot register with the brick's changelog",
    ),
    (
        Code::HybridCrawlRestarting,
        "hybrid-crawl-restarting",
        Severity::Warning,
        "the full crawl starts again from zero",
    ),
    (
        Code::WorkerStalled,
        "worker-stalled",
        Severity::Loss,
        "a worker is Active, but changelogs stand unread",
    ),
    (
        Code::EntryGfidMismatch,
        "entry-gfid-mismatch",
        Severity::Loss,
        "the name exists on the secondary with another gfid",
    ),
    (
        Code::EntryMkdirFailed,
        "entry-mkdir-failed",
        Severity::Fatal,
        "a directory cannot be made, and the worker stops there",
    ),
    (
        Code::EntryParentMissing,
        "entry-parent-missing",
        Severity::Loss,
        "a parent directory is missing on the secondary",
    ),
    (Code::EntryBusy, "entry-busy", Severity::Warning, "an entry was busy on the secondary"),
    (
        Code::EntryNotEmpty,
        "entry-not-empty",
        Severity::Warning,
        "a directory to be removed is not empty on the secondary",
    ),
    (
        Code::EntryIsDirectory,
        "entry-is-directory",
        Severity::Loss,
        "a directory stands where a file operation was to happen",
    ),
    (
        Code::EntryNotPermitted,
        "entry-not-permitted",
        Severity::Loss,
        "the secondary does not permit an entry operation",
    ),
    (
        Code::EntryAccessDenied,
        "entry-access-denied",
        Severity::Fatal,
        "the secondary denies access to an entry",
    ),
    (
        Code::EntryFailed,
        "entry-failed",
        Severity::Loss,
        "an entry operation failed on the secondary",
    ),
    (
        Code::MetadataFailed,
        "metadata-failed",
        Severity::Loss,
        "owner, mode or times could not be set on the secondary",
    ),
    (Code::NameEncoding, "name-encoding", Severity::Fatal, "a file name's encoding breaks gsyncd"),
    (Code::StaleHandle, "stale-handle", Severity::Fatal, "a stale file handle"),
    (
        Code::IoError,
        "io-error",
        Severity::Fatal,
        "an input/output error: a brick is down, or split-brain",
    ),
    (Code::NoData, "no-data", Severity::Fatal, "an extended attribute is missing"),
    (
        Code::MissingOnSecondary,
        "missing-on-secondary",
        Severity::Warning,
        "the secondary could not find a gfid",
    ),
    (
        Code::ChangelogSkipped,
        "changelog-skipped",
        Severity::Loss,
        "changelogs were given up: their data is not on the secondary",
    ),
    (Code::DataSyncFailed, "data-sync-failed", Severity::Loss, "rsync or tar returned an error"),
    (
        Code::DataSyncEmpty,
        "data-sync-empty",
        Severity::Loss,
        "rsync reports success and transfers nothing",
    ),
    (
        Code::InternalXattrNoise,
        "internal-xattr-noise",
        Severity::Warning,
        "internal extended attributes were refused",
    ),
    (
        Code::GfidConflictFixed,
        "gfid-conflict-fixed",
        Severity::Warning,
        "gsyncd removed or renamed something on the secondary",
    ),
    (Code::SplitBrain, "split-brain", Severity::Fatal, "a split-brain inside a volume"),
    (
        Code::DhtGfidDiffers,
        "dht-gfid-differs",
        Severity::Fatal,
        "a directory has different gfids on different bricks",
    ),
    (
        Code::StatusFileMissing,
        "status-file-missing",
        Severity::Warning,
        "a pid, state or status file is missing",
    ),
    (
        Code::HandleMissingLogged,
        "handle-missing-logged",
        Severity::Warning,
        "a gfid's handle is missing on a brick",
    ),
    (
        Code::SessionHalfCreated,
        "session-half-created",
        Severity::Fatal,
        "a session was only half created",
    ),
    (
        Code::SessionNotRunning,
        "session-not-running",
        Severity::Warning,
        "the session is not running on this node",
    ),
    (Code::ShutdownNoise, "shutdown-noise", Severity::Benign, "exceptions raised while stopping"),
    (
        Code::OnlyOnPrimary,
        "only-on-primary",
        Severity::Loss,
        "it is on the primary and missing on the secondary",
    ),
    (
        Code::OnlyOnSecondary,
        "only-on-secondary",
        Severity::Loss,
        "it is on the secondary and no longer on the primary",
    ),
    (
        Code::TypeDiffers,
        "type-differs",
        Severity::Loss,
        "a file on one side, something else on the other",
    ),
    (
        Code::PlaceDiffers,
        "place-differs",
        Severity::Loss,
        "another name or folder on the secondary",
    ),
    (
        Code::LinkMissing,
        "link-missing",
        Severity::Loss,
        "one of several names is missing on a side",
    ),
    (Code::SizeDiffers, "size-differs", Severity::Loss, "the sizes differ"),
    (Code::MtimeDiffers, "mtime-differs", Severity::Loss, "the times of the last change differ"),
    (
        Code::MetadataDiffers,
        "metadata-differs",
        Severity::Loss,
        "mode, owner, ACL or user xattrs differ",
    ),
    (
        Code::TargetDiffers,
        "target-differs",
        Severity::Loss,
        "a symlink leads elsewhere on the secondary",
    ),
    (Code::ContentDiffers, "content-differs", Severity::Loss, "same size, other content"),
    (
        Code::GfidDiffers,
        "gfid-differs",
        Severity::Loss,
        "the same name has another gfid on the secondary",
    ),
    (
        Code::CopiesDiffer,
        "copies-differ",
        Severity::Warning,
        "the copies on one side's bricks disagree",
    ),
    (
        Code::HandleMissing,
        "handle-missing",
        Severity::Loss,
        "the gfid of an object has no handle on the brick",
    ),
    (
        Code::HandleDangling,
        "handle-dangling",
        Severity::Warning,
        "a directory's handle names a place where nothing stands",
    ),
    (
        Code::HandleOrphan,
        "handle-orphan",
        Severity::Warning,
        "a handle is left whose object has no name",
    ),
    (
        Code::HandleWrong,
        "handle-wrong",
        Severity::Fatal,
        "a handle leads to another object than its own",
    ),
    (Code::HandleCycle, "handle-cycle", Severity::Fatal, "the handles of directories form a ring"),
    (
        Code::GfidDuplicate,
        "gfid-duplicate",
        Severity::Fatal,
        "two objects of a brick carry the same gfid",
    ),
    (
        Code::GfidXattrMissing,
        "gfid-xattr-missing",
        Severity::Fatal,
        "an object on the brick carries no gfid",
    ),
    (
        Code::Gfid2pathMissing,
        "gfid2path-missing",
        Severity::Warning,
        "a name is in no gfid2path xattr",
    ),
    (
        Code::Gfid2pathStale,
        "gfid2path-stale",
        Severity::Warning,
        "a gfid2path xattr records a name that is not there",
    ),
    (
        Code::HtimeCountWrong,
        "htime-count-wrong",
        Severity::Warning,
        "the changelog index counts more or fewer changelogs than it holds",
    ),
    (Code::HtimeGap, "htime-gap", Severity::Loss, "the changelog index has a gap or is damaged"),
    (
        Code::HtimeMissing,
        "htime-missing",
        Severity::Fatal,
        "the changelog index, or what names it, is missing",
    ),
    (
        Code::HtimeLitter,
        "htime-litter",
        Severity::Fatal,
        "a foreign file lies in the folder of the changelog index",
    ),
    (
        Code::ChangelogMissing,
        "changelog-missing",
        Severity::Loss,
        "the index names a changelog that is not there",
    ),
    (
        Code::ChangelogDamaged,
        "changelog-damaged",
        Severity::Loss,
        "a changelog holds bytes that are no record",
    ),
    (
        Code::ChangelogMisplaced,
        "changelog-misplaced",
        Severity::Loss,
        "a changelog lies where the index does not look for it",
    ),
    (
        Code::StimeOutsideHistory,
        "stime-outside-history",
        Severity::Loss,
        "stime lies before the changelog history begins",
    ),
    (
        Code::StimeInFuture,
        "stime-in-future",
        Severity::Fatal,
        "a mark of geo-replication lies in the future",
    ),
    (
        Code::StimeOrphan,
        "stime-orphan",
        Severity::Warning,
        "a mark of a session that does not exist",
    ),
    (Code::StimeMissing, "stime-missing", Severity::Warning, "a session has no mark on this brick"),
    (
        Code::OptionUnfit,
        "option-unfit",
        Severity::Fatal,
        "a volume option with which geo-replication cannot work",
    ),
    (Code::SpaceLow, "space-low", Severity::Warning, "little space or few inodes are left"),
    (
        Code::SecondaryWritable,
        "secondary-writable",
        Severity::Warning,
        "clients may write to the secondary volume",
    ),
    (
        Code::SecondaryTooSmall,
        "secondary-too-small",
        Severity::Fatal,
        "the primary's data does not fit on the secondary",
    ),
    (
        Code::SecondaryNotEmpty,
        "secondary-not-empty",
        Severity::Warning,
        "the secondary volume is not empty",
    ),
    (
        Code::RsyncIncompatible,
        "rsync-incompatible",
        Severity::Fatal,
        "this rsync and this release of gsyncd do not work together",
    ),
    (
        Code::ReleasesDiffer,
        "releases-differ",
        Severity::Warning,
        "the two sides run different releases of GlusterFS",
    ),
    (Code::ClockSkew, "clock-skew", Severity::Warning, "the clocks of the nodes differ"),
];

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
