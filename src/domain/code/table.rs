//! The finding codes, one row each: everything there is to know about a code.
//!
//! A new code is one row here, the rule that finds it, its runbook and a sample. The macro makes
//! the enum, [`Code::ALL`] and the rows from the same list, and reads the runbook at compile time:
//! a code without a row, a sentence or a runbook does not compile.
//!
//! A row of `logs`: code, slug, severity, flags, title; `says`, the sentence a diagnosis prints;
//! `next`, the commands it suggests. Codes that only audits report have no sentence here: the audit
//! words what it compared. `runbook "slug"` behind a title shares the page of another code.
//!
//! Placeholders of a sentence: `{op}`, `{error}` (" (EEXIST …)" or empty), `{exit}`
//! (" with 23 (…)" or empty), `{volume}`, `{parent}`, `{entries}`, `{changelogs}`, `{words}`; of a
//! command: `{primary}`, `{secondary}`, `{host}`, `{volume}`, `{brick}`, all quoted for the shell.

use super::{Family, Flag, Runbook, Severity};

/// Logs in with the session's key as gsyncd does.
const SSH: &str =
    "ssh -oBatchMode=yes -i /var/lib/glusterd/geo-replication/secret.pem root@{host} true";
/// Resolves the finding's gfids on the bricks.
const BRICKS: &str = "georepair diagnose --brick {brick}   # on the primary: the paths, and whether they still exist";
const HEAL: &str = "gluster volume heal {primary} info summary";
const PRIMARY_STATUS: &str = "gluster volume status {primary}";
const SECONDARY_STATUS: &str = "gluster volume status {volume}   # on the secondary";
const SESSION_STATUS: &str = "gluster volume geo-replication {primary} {secondary} status";
const SESSION_START: &str = "gluster volume geo-replication {primary} {secondary} start";

/// What there is to know about a code.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) slug: &'static str,
    pub(super) severity: Severity,
    pub(super) family: Family,
    pub(super) flags: &'static [Flag],
    pub(super) title: &'static str,
    pub(super) says: &'static str,
    pub(super) next: &'static [&'static str],
    pub(super) runbook: Runbook,
}

macro_rules! runbook {
    ($own:literal $other:literal) => {
        runbook!($other)
    };
    ($slug:literal) => {
        Runbook {
            name: $slug,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/runbooks/", $slug, ".md")),
        }
    };
}

macro_rules! codes {
    (
        logs { $(
            $log:ident $log_slug:literal $log_severity:ident [$($flag:ident)*]
            $log_title:literal $(runbook $log_page:literal)?
            says $says:literal
            next [$($next:expr),*]
        )* }
        $($family:ident { $(
            $code:ident $slug:literal $severity:ident $title:literal $(runbook $page:literal)?
        )* })*
    ) => {
        /// What was found. The slug is the code and the anchor in documents.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Code {
            $(#[doc = $log_title] $log,)*
            $($(#[doc = $title] $code,)*)*
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$log,)* $($(Self::$code,)*)*];

            pub(super) fn row(self) -> &'static Row {
                match self {
                    $(Self::$log => &Row {
                        slug: $log_slug,
                        severity: Severity::$log_severity,
                        family: Family::Logs,
                        flags: &[$(Flag::$flag),*],
                        title: $log_title,
                        says: $says,
                        next: &[$($next),*],
                        runbook: runbook!($log_slug $($log_page)?),
                    },)*
                    $($(Self::$code => &Row {
                        slug: $slug,
                        severity: Severity::$severity,
                        family: Family::$family,
                        flags: &[],
                        title: $title,
                        says: $title,
                        next: &[],
                        runbook: runbook!($slug $($page)?),
                    },)*)*
                }
            }
        }
    };
}

codes! {
    logs {
        SshKeyNoForcedCommand "ssh-key-no-forced-command" Fatal [StopsStart Ssh]
            "the secondary's key has no forced command"
            says "ssh ran the placeholder /nonexistent/gsyncd{error}: the session's key has no forced command in the secondary's authorized_keys"
            next [SSH]
        SshAuthRefused "ssh-auth-refused" Fatal [StopsStart Ssh]
            "ssh to the secondary is refused"
            says "ssh to the secondary is refused{error}: the session's key or the host key is not accepted"
            next [SSH]
        SshUnreachable "ssh-unreachable" Fatal [StopsStart StopNoise Ssh]
            "the secondary node cannot be reached by ssh"
            says "the secondary node cannot be reached by ssh{error}"
            next [SSH]
        PeerBroken "peer-broken" Fatal [StopsStart StopNoise]
            "the connection to the other side broke"
            says "the connection to the secondary's gsyncd broke{error}; the secondary's log of the same second has the reason"
            next []
        RemoteCliFailed "remote-cli-failed" Fatal [StopsStart]
            "a gluster command on the other side failed"
            says "a gluster command on the other side failed{error}; its own error message may be lost"
            next []
        GlusterBinaryMissing "gluster-binary-missing" Fatal [StopsStart]
            "gsyncd cannot find a program it needs"
            says "gsyncd could not run a program it needs{error}: gluster, rsync or ssh; no file of the volume is missing"
            next []
        GsyncdConfigUnavailable "gsyncd-config-unavailable" Fatal []
            "gsyncd's configuration cannot be read"
            says "gsyncd's configuration cannot be read{error}; gsyncd itself may not run"
            next [SESSION_STATUS]
        PythonIncompatible "python-incompatible" Fatal []
            "gsyncd does not work with this python"
            says "gsyncd does not work with the version of python it runs under{error}"
            next []
        LibgfchangelogMissing "libgfchangelog-missing" Fatal [StopsStart]
            "libgfchangelog.so cannot be loaded"
            says "libgfchangelog.so cannot be loaded{error}"
            next []
        WorkerNeverStarted "worker-never-started" Fatal []
            "the session was created, but no worker ever started"
            says "the session was created, but no worker was ever started"
            next [SESSION_START]
        MountbrokerBroken "mountbroker-broken" Fatal []
            "the non-root mount cannot be made"
            says "the non-root mount on the secondary cannot be made, or old ones are not unmounted{error}"
            next []
        SecondaryUnreachableVolume "secondary-unreachable-volume" Fatal [StopsStart]
            "a volume's mount died or the volume is stopped"
            says "gsyncd's mount lost its volume{error}: the volume is stopped or all its bricks are down"
            next [SECONDARY_STATUS]
        MetaVolumeMissing "meta-volume-missing" Fatal [StopsStart]
            "the shared storage volume is not mounted"
            says "the shared storage volume is not mounted on this node{error}: the worker exits"
            next []
        WorkerCrash "worker-crash" Fatal [ByErrno ByWords]
            "a worker died of an unexpected exception"
            says "a worker died: {words}"
            next []
        AgentDied "agent-died" Fatal [StopsStart StopNoise]
            "the changelog agent died"
            says "the changelog agent died, and the worker with it{error}"
            next []
        HistoryUnavailable "history-unavailable" Fatal [ByErrno]
            "the changelog history cannot be read"
            says "the changelog history cannot be read{error}: its index is damaged or missing"
            next [PRIMARY_STATUS]
        HistoryPartial "history-partial" Loss [LosesChanges]
            "part of the changelog history is missing"
            says "part of the changelog history is missing{error}: a full crawl covers the gap but misses its deletes and renames"
            next []
        UpgradeScriptLate "upgrade-script-late" Fatal []
            "the changelog upgrade script ran too late or twice"
            says "the changelog upgrade script ran too late or twice{error}: the index may be only half converted"
            next []
        ChangelogRegisterFailed "changelog-register-failed" Fatal [StopsStart]
            "a worker cannot register with the brick's changelog"
            says "a worker cannot register with the brick's changelog{error}: the brick is down or its changelog is off"
            next [PRIMARY_STATUS]
        HybridCrawlRestarting "hybrid-crawl-restarting" Warning []
            "the full crawl starts again from zero"
            says "the full crawl starts again from zero after each crash"
            next []
        WorkerStalled "worker-stalled" Loss []
            "a worker is Active but leaves changelogs unread"
            says "a worker is Active but leaves changelogs unread"
            next []
        EntryGfidMismatch "entry-gfid-mismatch" Loss [Entry]
            "the name exists on the secondary with another gfid"
            says "{op} failed{error}: the name exists on the secondary with another gfid; gsyncd skipped the entry"
            next [BRICKS]
        EntryMkdirFailed "entry-mkdir-failed" Fatal [Entry]
            "a directory cannot be created, and the worker stops there"
            says "a directory could not be created on the secondary{error}; the worker stops there until this is fixed"
            next [BRICKS]
        EntryParentMissing "entry-parent-missing" Loss [Entry LosesChanges]
            "a parent directory is missing on the secondary"
            says "directory {parent} is missing on the secondary; gsyncd skipped {entries} below it"
            next [BRICKS]
        EntryBusy "entry-busy" Warning [Entry]
            "an entry was busy on the secondary"
            says "{op} failed{error}: the entry is busy; usually transient, unless it repeats"
            next [BRICKS]
        EntryNotEmpty "entry-not-empty" Warning [Entry]
            "a directory to be removed is not empty on the secondary"
            says "a directory removed on the primary is not empty on the secondary{error}"
            next [BRICKS]
        EntryIsDirectory "entry-is-directory" Loss [Entry]
            "a directory is in the way of an entry operation"
            says "{op} failed{error}: the old and the new directory both exist on the secondary"
            next [BRICKS]
        EntryNotPermitted "entry-not-permitted" Loss [Entry]
            "the secondary does not permit an entry operation"
            says "{op} failed on the secondary{error}; gsyncd skipped the entry"
            next [BRICKS]
        EntryAccessDenied "entry-access-denied" Fatal [Entry]
            "the secondary denies access to an entry"
            says "{op} failed on the secondary{error}; gsyncd skipped the entry"
            next [BRICKS]
        EntryFailed "entry-failed" Loss [Entry LosesChanges]
            "an entry operation failed on the secondary"
            says "{op} failed on the secondary{error}; gsyncd skipped the entry"
            next [BRICKS]
        MetadataFailed "metadata-failed" Loss [Entry LosesChanges]
            "owner, mode or times could not be set on the secondary"
            says "owner, mode or times could not be set on the secondary{error}"
            next [BRICKS]
        NameEncoding "name-encoding" Fatal []
            "a file name's encoding breaks gsyncd"
            says "gsyncd fails on the encoding of a file name{error}: its locale is not UTF-8, or it does not support the name"
            next []
        StaleHandle "stale-handle" Fatal []
            "a stale file handle"
            says "stale file handle (ESTALE) on {volume}"
            next [HEAL]
        IoError "io-error" Fatal []
            "an input/output error: a brick is down, or split-brain"
            says "input/output error (EIO) on {volume}: a brick is down, or split-brain; one such file blocks the brick's worker"
            next [HEAL]
        NoData "no-data" Fatal []
            "an extended attribute is missing"
            says "an extended attribute is missing (ENODATA) on {volume}"
            next [BRICKS]
        MissingOnSecondary "missing-on-secondary" Warning []
            "the secondary could not find a gfid"
            says "the secondary could not find these gfids; check on the bricks whether they are really missing"
            next [BRICKS]
        ChangelogSkipped "changelog-skipped" Loss [LosesChanges]
            "changelogs were skipped: their data is not on the secondary"
            says "gsyncd skipped {changelogs} after the last retry: data named there is missing on the secondary and is not sent again"
            next [BRICKS]
        DataSyncFailed "data-sync-failed" Loss [LosesChanges]
            "rsync or tar returned an error"
            says "data could not be sent: rsync or tar failed{exit}; after the last retry gsyncd skips the changelog"
            next []
        DataSyncEmpty "data-sync-empty" Loss [LosesChanges Rsync]
            "rsync reports success but transfers nothing"
            says "rsync reports success but transfers nothing: files arrive empty"
            next []
        InternalXattrNoise "internal-xattr-noise" Warning []
            "internal extended attributes were refused"
            says "GlusterFS's internal xattrs were refused: harmless, but rsync returns 23 because of it"
            next []
        GfidConflictFixed "gfid-conflict-fixed" Warning []
            "gsyncd removed or renamed something on the secondary"
            says "gsyncd removed or renamed entries on the secondary to resolve gfid conflicts"
            next []
        SplitBrain "split-brain" Fatal []
            "a split-brain inside a volume"
            says "{volume} is in split-brain: heal it first"
            next [HEAL]
        DhtGfidDiffers "dht-gfid-differs" Fatal []
            "a directory has different gfids on different bricks"
            says "a directory of {volume} has different gfids on different bricks: heal it first"
            next [HEAL]
        StatusFileMissing "status-file-missing" Warning []
            "a pid, state or status file is missing"
            says "a pid, state or status file of the session is missing{error}"
            next []
        HandleMissingLogged "handle-missing-logged" Warning []
            "a gfid's handle is missing on a brick"
            says "the handle of a gfid is missing or broken on a brick of {volume}"
            next []
        SessionHalfCreated "session-half-created" Fatal []
            "a session was only half created"
            says "the session was only half created: it has no configuration"
            next [SESSION_STATUS]
        SessionNotRunning "session-not-running" Warning []
            "the session is not running on this node"
            says "stop, delete or status was refused: the session is not running on this node"
            next [SESSION_STATUS]
        ShutdownNoise "shutdown-noise" Benign [StopNoise ByWords]
            "exceptions raised while stopping"
            says "exceptions raised while stopping{error}"
            next []
    }
    Compare {
        OnlyOnPrimary "only-on-primary" Loss "on the primary but missing on the secondary"
        OnlyOnSecondary "only-on-secondary" Loss "on the secondary but not on the primary"
        TypeDiffers "type-differs" Loss "the file types differ"
        PlaceDiffers "place-differs" Loss "different path on the secondary"
        LinkMissing "link-missing" Loss "one of several hard links is missing on one side"
        SizeDiffers "size-differs" Loss "the sizes differ"
        MtimeDiffers "mtime-differs" Loss "the modification times differ"
        MetadataDiffers "metadata-differs" Loss "mode, owner, ACL or user xattrs differ"
        TargetDiffers "target-differs" Loss "the symlink targets differ"
        ContentDiffers "content-differs" Loss "same size, different content"
        GfidDiffers "gfid-differs" Loss "the same name has another gfid on the secondary"
        CopiesDiffer "copies-differ" Warning "the replicas of one side disagree"
    }
    Brick {
        HandleMissing "handle-missing" Loss "the gfid of an object has no handle on the brick"
        HandleDangling "handle-dangling" Warning "a directory's handle points to a path that does not exist"
        HandleOrphan "handle-orphan" Warning "a handle whose object has no name"
        HandleWrong "handle-wrong" Fatal "a handle leads to another object than its own"
        HandleCycle "handle-cycle" Fatal "the handles of directories form a cycle"
        GfidDuplicate "gfid-duplicate" Fatal "two objects of a brick have the same gfid"
        GfidXattrMissing "gfid-xattr-missing" Fatal "an object on the brick has no gfid"
        Gfid2pathMissing "gfid2path-missing" Warning "a name is in no gfid2path xattr"
        Gfid2pathStale "gfid2path-stale" Warning "a gfid2path xattr records a name that does not exist"
        HtimeCountWrong "htime-count-wrong" Warning "the changelog index counts more or fewer changelogs than it holds"
        HtimeGap "htime-gap" Loss "the changelog index has a gap or is damaged"
        HtimeMissing "htime-missing" Fatal "the changelog index, or the xattr that names it, is missing"
        HtimeLitter "htime-litter" Fatal "a foreign file in the directory of the changelog index"
        ChangelogMissing "changelog-missing" Loss "the index names a changelog that does not exist"
        ChangelogDamaged "changelog-damaged" Loss "a changelog holds bytes that are not a record"
        ChangelogMisplaced "changelog-misplaced" Loss "a changelog is not where the index expects it"
        StimeOutsideHistory "stime-outside-history" Loss "stime is older than the changelog history"
        StimeInFuture "stime-in-future" Fatal "a mark of geo-replication is in the future"
        StimeOrphan "stime-orphan" Warning "a mark of a session that does not exist"
        StimeMissing "stime-missing" Warning "a session has no mark on this brick"
    }
    Setup {
        OptionUnfit "option-unfit" Fatal "a volume option does not work with geo-replication"
        SpaceLow "space-low" Warning "space or inodes are running out"
        SecondaryWritable "secondary-writable" Warning "clients may write to the secondary volume"
        SecondaryTooSmall "secondary-too-small" Fatal "the primary's data does not fit on the secondary"
        SecondaryNotEmpty "secondary-not-empty" Warning "the secondary volume is not empty"
        RsyncIncompatible "rsync-incompatible" Fatal "this rsync and this release of gsyncd do not work together"
        ReleasesDiffer "releases-differ" Warning "the two sides run different releases of GlusterFS"
        ClockSkew "clock-skew" Warning "the clocks of the nodes differ"
    }
}
