//! What the programs say: every message that matters to a diagnosis, by how it begins.
//!
//! Texts and release ranges were read in `geo-replication/syncdaemon` and `xlators/` of every
//! release tag from 3.5.0 to 11.1. Line numbers and classes move between releases, so a message
//! is known by its first words alone, in all the spellings it ever had.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Anchored, Input, MatchKind, StartKind};

use super::logline::{LogLine, Origin};

/// A thing that gsyncd, a mount, a brick, glusterd or the command line says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Saying {
    /// An entry operation failed on the secondary and was given up.
    EntryFailed,
    /// Owner, mode or times could not be set.
    MetaFailed,
    /// The worker stops at the directory named in the line before.
    DirectoryStops,
    /// gsyncd's own conflict repair failed, or cannot help.
    FixFailed,
    /// gsyncd removes or renames something on the secondary to mend a conflict.
    ConflictFixed,
    /// Entries of a batch met conflicts; a count only.
    ConflictsCounted,
    /// Changelogs were given up after the last retry.
    MovedOn,
    /// Changelogs are tried again.
    IncompleteSync,
    /// The gfids given up with them (before 3.7.9).
    SkippedGfids,
    /// One file's transfer failed (before 3.7).
    FileErrcode,
    /// What rsync or tar printed on its error stream.
    SyncError,
    /// A transfer ended; its return code may be bad.
    SyncTaken,
    /// rsync's own statistics.
    SyncStats,
    /// A program that gsyncd ran returned an error.
    CommandFailed,
    /// What that program printed on its error stream.
    ChildSaid,
    /// A program that gsyncd wanted to run is not there.
    ExecFailed,
    /// The other side went away.
    PeerBroken,
    /// ssh answered 127: the placeholder was run.
    Misconfigured,
    /// The mount below gsyncd died.
    MountGone,
    /// A hint that an input/output error follows.
    IoHint,
    /// An exception ended this process; a traceback follows.
    Raised,
    /// An error of gsyncd's own ended this process; the message is all there is.
    GaveUp,
    /// The other side answered a call with an exception.
    CallFailed,
    /// A call raised here, on the secondary; a traceback follows.
    CallRaised,
    /// The brick's changelog cannot be registered with.
    RegisterFailed,
    /// The changelog history cannot be read.
    HistoryFailed,
    /// The live changelogs cannot be read.
    CrawlFailed,
    /// No history for this time: a full crawl follows.
    HistoryMissing,
    /// No stime on the brick: a full crawl follows.
    NoStime,
    /// History only up to some time: a full crawl covers the gap.
    HistoryPartial,
    /// The shared storage volume is not mounted.
    MetaVolumeMissing,
    /// The changelog agent died.
    AgentDied,
    /// The monitor starts a worker.
    WorkerStarting,
    /// A worker died soon after its start.
    WorkerDied,
    /// A worker hung at its start and was killed.
    WorkerHung,
    /// A worker's new state.
    WorkerStatus,
    /// A worker's new crawl.
    CrawlStatus,
    /// The session's new state: started, stopped, created.
    MonitorStatus,
    /// A full crawl begins.
    HybridStarted,
    /// A crawl is done.
    CrawlFinished,
    /// A batch or a crawl interval went well.
    Progress,
    /// The other side answered; for old releases: the worker is at work.
    Connected,
    /// Names the session's configuration file, and so the session.
    SessionConfig,
    /// Names both ends of the session.
    Syncing,
    /// The session's configuration file is missing.
    ConfigMissing,
    /// An option was set or reset: the workers restart.
    ConfigChanged,
    /// An operation failed ten times.
    RetriesExhausted,
    /// A rename found another file under the old name.
    RenameIgnored,
    /// Old and new directory both exist.
    BothExist,
    /// A removal failed on the secondary.
    RemoveFailed,
    /// A directory that should go is not empty.
    RecursiveRemoveFailed,
    /// A directory to be made exists elsewhere: it is renamed.
    RenameOnMkdir,
    /// glusterd refused a non-root mount.
    MountbrokerRefused,
    /// A mount was left behind.
    StaleMount,
    /// Names in a batch that gsyncd could not decode.
    UndecodedNames,
    /// The secondary stopped for want of a sign of life.
    Inactive,
    /// A process ends in order.
    Ending,
    /// A file operation failed on the other side of a mount.
    RemoteOpFailed,
    /// A file operation of a mount failed.
    FuseFailed,
    /// A directory's gfid differs between bricks.
    DhtGfidDiffers,
    /// A name or gfid is in split-brain.
    SplitBrain,
    /// A heal stopped on a split-brain; noise behind the line that names it.
    SplitBrainNoise,
    /// The history index cannot answer.
    HistoryIndexBroken,
    /// A changelog cannot be read or written.
    ChangelogBroken,
    /// A gfid's handle is missing or broken on a brick.
    HandleMissing,
    /// gsyncd did not answer glusterd.
    ConfigUnreadable,
    /// The session is not running on this node.
    NotRunning,
    /// A pid, state or status file is missing.
    StatusFileMissing,
    /// A mount lost all its bricks.
    AllBricksDown,
    /// The mount's own arguments: they name the session.
    MountArguments,
    /// A command of the session's life: start, stop, config.
    GeorepCommand,
}

/// How gsyncd's messages begin. The longest fitting beginning counts.
const GSYNCD: &[(&str, Saying)] = &[
    ("ENTRY FAILED", Saying::EntryFailed),
    ("META FAILED", Saying::MetaFailed),
    ("The above directory failed to sync", Saying::DirectoryStops),
    ("Failed to fix entry ops", Saying::FixFailed),
    ("Entry cannot be fixed in ", Saying::FixFailed),
    ("Fixing gfid mismatch in ", Saying::ConflictFixed),
    ("Fixing dir name/gfid mismatch in ", Saying::ConflictFixed),
    ("Fixing file gfid mismatch in ", Saying::ConflictFixed),
    ("Fixing ENOENT error in ", Saying::ConflictFixed),
    ("Entry not present on ", Saying::ConflictFixed),
    ("Entry ops failed with gfid mismatch", Saying::ConflictsCounted),
    ("changelogs ", Saying::MovedOn),
    ("incomplete sync, retrying changelogs", Saying::IncompleteSync),
    ("SKIPPED GFID = ", Saying::SkippedGfids),
    ("Rsync: ", Saying::FileErrcode),
    ("tar+ssh: ", Saying::FileErrcode),
    ("SYNC Error", Saying::SyncError),
    ("Sync Time Taken", Saying::SyncTaken),
    ("rsync performance", Saying::SyncStats),
    ("command returned error", Saying::CommandFailed),
    ("command \"", Saying::CommandFailed),
    ("execution of \"", Saying::ExecFailed),
    ("connection to peer is broken", Saying::PeerBroken),
    ("getting \"No such file or directory\"", Saying::Misconfigured),
    ("!!! getting \"No such file or directory\"", Saying::Misconfigured),
    ("Gluster Mount process exited", Saying::MountGone),
    ("glusterfs session went down", Saying::MountGone),
    ("Getting \"Input/Output error\"", Saying::IoHint),
    ("FAIL:", Saying::Raised),
    ("call failed: ", Saying::CallRaised),
    ("call failed:", Saying::CallRaised),
    ("call failed", Saying::CallFailed),
    ("call ", Saying::CallFailed),
    ("Changelog register failed", Saying::RegisterFailed),
    ("Changelog History Crawl failed", Saying::HistoryFailed),
    ("Changelog history crawl failed", Saying::HistoryFailed),
    ("Changelog crawl failed", Saying::CrawlFailed),
    ("Changelog history not available", Saying::HistoryMissing),
    ("No stime available", Saying::NoStime),
    ("stime not available", Saying::NoStime),
    ("Partial history available", Saying::HistoryPartial),
    ("falling back to xsync mode", Saying::HistoryPartial),
    ("Meta-volume is not mounted", Saying::MetaVolumeMissing),
    ("Changelog Agent died", Saying::AgentDied),
    ("starting gsyncd worker", Saying::WorkerStarting),
    ("worker died ", Saying::WorkerDied),
    ("worker(", Saying::WorkerDied),
    ("Worker not confirmed after wait", Saying::WorkerHung),
    ("Worker Status Change", Saying::WorkerStatus),
    ("Worker Status: ", Saying::WorkerStatus),
    ("new state: ", Saying::WorkerStatus),
    ("Crawl Status Change", Saying::CrawlStatus),
    ("Crawl Status: ", Saying::CrawlStatus),
    ("Monitor Status Change", Saying::MonitorStatus),
    ("Monitor Status: ", Saying::MonitorStatus),
    ("geo-replication delete", Saying::MonitorStatus),
    ("starting hybrid crawl", Saying::HybridStarted),
    ("finished hybrid crawl", Saying::CrawlFinished),
    ("finished history crawl", Saying::CrawlFinished),
    ("Batch Completed", Saying::Progress),
    ("Changelogs mode completed in", Saying::Progress),
    ("SSH connection between ", Saying::Connected),
    ("master is ", Saying::Connected),
    ("Using session config file", Saying::SessionConfig),
    ("syncing: ", Saying::Syncing),
    ("Session config file not exists", Saying::ConfigMissing),
    ("Config Set", Saying::ConfigChanged),
    ("Config Reset", Saying::ConfigChanged),
    ("reached maximum retries", Saying::RetriesExhausted),
    ("RENAME ignored: ", Saying::RenameIgnored),
    ("Directory Rename failed. Both Old and New", Saying::BothExist),
    ("Unable to delete directory", Saying::BothExist),
    ("Failed to remove", Saying::RemoveFailed),
    ("Recursive remove ", Saying::RecursiveRemoveFailed),
    ("Special case: rename on mkdir", Saying::RenameOnMkdir),
    ("glusterd answered", Saying::MountbrokerRefused),
    ("stale mount possibly left behind", Saying::StaleMount),
    ("cleaning up temp mountpoint", Saying::StaleMount),
    ("mount cleanup failure", Saying::StaleMount),
    ("entries: [", Saying::UndecodedNames),
    ("connection inactive", Saying::Inactive),
    ("terminating on reaching EOF", Saying::Ending),
    ("exiting.", Saying::Ending),
];

/// How the messages of mounts, bricks, libgfchangelog, glusterd and the command line begin.
const PROGRAMS: &[(&str, Saying)] = &[
    ("remote operation failed", Saying::RemoteOpFailed),
    ("Remote operation failed", Saying::RemoteOpFailed),
    ("Gfid mismatch detected for", Saying::SplitBrain),
    ("GFID mismatch for", Saying::SplitBrain),
    ("Skipping conservative merge", Saying::SplitBrainNoise),
    ("All the bricks should be up to resolve the gfid split", Saying::SplitBrainNoise),
    ("Requested changelog range is not available", Saying::HistoryIndexBroken),
    ("wrong result", Saying::HistoryIndexBroken),
    ("error extracting max timstamp", Saying::HistoryIndexBroken),
    ("Error extracting HTIME_CURRENT", Saying::HistoryIndexBroken),
    ("Htime xattr initialization failed", Saying::HistoryIndexBroken),
    ("unable to stat htime file", Saying::HistoryIndexBroken),
    ("failed to update HTIME file", Saying::HistoryIndexBroken),
    ("cannot open changelog file", Saying::ChangelogBroken),
    ("could not parse changelog", Saying::ChangelogBroken),
    ("parsing error, ceased publishing", Saying::ChangelogBroken),
    ("error moving changelog", Saying::ChangelogBroken),
    ("stat failed on changelog", Saying::ChangelogBroken),
    ("Could not find CHANGELOG in changelog path", Saying::ChangelogBroken),
    ("Problem rolling over changelog", Saying::ChangelogBroken),
    ("could not read the link from the gfid handle", Saying::HandleMissing),
    ("Failed to get gfid from handle", Saying::HandleMissing),
    ("Entry cannot be captured for gfid", Saying::HandleMissing),
    ("reading data from child failed", Saying::ConfigUnreadable),
    ("Unable to get configuration data", Saying::ConfigUnreadable),
    ("Unable to get statefile's name", Saying::ConfigUnreadable),
    ("path:", Saying::DhtGfidDiffers),
    ("Unable to get status of active", Saying::NotRunning),
    ("Unable to get the status of active", Saying::NotRunning),
    ("Unable to read the status file", Saying::StatusFileMissing),
    ("Unable to read gsyncd status file", Saying::StatusFileMissing),
    ("Unable to read pid from pidfile", Saying::StatusFileMissing),
    ("Unable to open status file", Saying::StatusFileMissing),
    ("statefile not present", Saying::StatusFileMissing),
    ("state-file entry missing", Saying::StatusFileMissing),
    ("All subvolumes are down", Saying::AllBricksDown),
    ("Started running ", Saying::MountArguments),
];

static GSYNCD_TABLE: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| table(GSYNCD));
static PROGRAMS_TABLE: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| table(PROGRAMS));

fn table(beginnings: &[(&str, Saying)]) -> Option<AhoCorasick> {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .start_kind(StartKind::Anchored)
        .kind(Some(aho_corasick::AhoCorasickKind::DFA))
        .build(beginnings.iter().map(|row| row.0))
        .ok()
}

/// The saying that a message begins with.
fn begins(
    message: &[u8],
    table: &LazyLock<Option<AhoCorasick>>,
    beginnings: &[(&str, Saying)],
) -> Option<Saying> {
    let found = table.as_ref()?.find(Input::new(message).anchored(Anchored::Yes))?;
    beginnings.get(found.pattern().as_usize()).map(|row| row.1)
}

/// What a line says, where it says something that matters.
#[must_use]
pub fn of(line: &LogLine<'_>) -> Option<Saying> {
    let message = line.message;
    match line.origin {
        Origin::Gsyncd { function, .. } => {
            gsyncd(begins(message, &GSYNCD_TABLE, GSYNCD), line, function)
        }
        Origin::Program { msgid, function, .. } => {
            match begins(message, &PROGRAMS_TABLE, PROGRAMS) {
                Some(Saying::DhtGfidDiffers) if !has(message, b"received a different gfid") => None,
                None => program(line, msgid, function),
                known => known,
            }
        }
        Origin::Command => has(message, b"geo-replication").then(|| command(message)),
    }
}

/// Messages whose beginning alone does not tell.
fn gsyncd(known: Option<Saying>, line: &LogLine<'_>, function: &[u8]) -> Option<Saying> {
    let message = line.message;
    match known {
        Some(Saying::MovedOn) if !has(message, b"moving on") => None,
        Some(Saying::CallFailed) if message.starts_with(b"call ") && !has(message, b"failed") => {
            None
        }
        Some(Saying::UndecodedNames) if !has(message, b"\\udc") => None,
        Some(Saying::FileErrcode) if !has(message, b"[errcode: ") => None,
        Some(Saying::WorkerDied) if has(message, b") not confirmed in ") => {
            Some(Saying::WorkerHung)
        }
        Some(Saying::WorkerDied) if !has(message, b"died") => None,
        Some(other) => Some(other),
        None if function == b"logerr" => Some(Saying::ChildSaid),
        None if function == b"log_raise_exception" && line.level == b'E' => {
            let noise =
                [&b"If `gsec_create"[..], b"This is expected as per design", b"FULL EXCEPTION"];
            (!noise.iter().any(|start| message.starts_with(start))).then_some(Saying::GaveUp)
        }
        None if function == b"crawlwrap" && has(message, b" crawls, ") => Some(Saying::Progress),
        None if function == b"process" && has(message, b" mode completed in ") => {
            Some(Saying::Progress)
        }
        None => None,
    }
}

fn program(line: &LogLine<'_>, msgid: Option<u32>, function: &[u8]) -> Option<Saying> {
    if matches!(line.level, b'I' | b'D' | b'T' | b'N') {
        return None;
    }
    let message = line.message;
    if function.starts_with(b"fuse_") && has(message, b"=> -1 (") {
        return Some(Saying::FuseFailed);
    }
    if has(message, b"gfid different on ") || has(message, b"gfid differs on ") {
        return Some(Saying::DhtGfidDiffers);
    }
    if has(message, b"split-brain") || has(message, b"split brain") {
        return Some(Saying::SplitBrain);
    }
    if has(message, b"is not running on this node") {
        return Some(Saying::NotRunning);
    }
    if has(message, b"monitor.pid") || has(message, b"monitor.status") {
        return Some(Saying::StatusFileMissing);
    }
    let handle = has(message, b".glusterfs/") && has(message, b"No such file or directory");
    if handle && matches!(msgid, None | Some(113_000..=113_999)) {
        return Some(Saying::HandleMissing);
    }
    None
}

fn command(message: &[u8]) -> Saying {
    if has(message, b"is not running on this node") || has(message, b"status of active") {
        return Saying::NotRunning;
    }
    Saying::GeorepCommand
}

fn has(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::logline;

    fn said(message: &str) -> Option<Saying> {
        let function = if message.contains("crawls") { "crawlwrap" } else { "process" };
        let line =
            format!("[2026-11-21 03:35:51.81961] E [m(worker /b):1:{function}] _G: {message}");
        of(&logline::parse(line.as_bytes()).unwrap())
    }

    #[test]
    fn knows_all_spellings_of_a_message() {
        for (message, want) in [
            ("ENTRY FAILED: ({}, 2)", Some(Saying::EntryFailed)),
            ("ENTRY FAILED\tdata=({}, 2)", Some(Saying::EntryFailed)),
            ("call failed: ", Some(Saying::CallRaised)),
            ("call failed [{call=1}]", Some(Saying::CallFailed)),
            ("call failed on peer\tcall=1", Some(Saying::CallFailed)),
            ("call 1:2:3 (entry_ops) failed on peer with OSError", Some(Saying::CallFailed)),
            ("call 1:2:3 entry_ops(...) ...", None),
            ("changelogs A could not be processed - moving on...", Some(Saying::MovedOn)),
            (
                "changelogs could not be processed completely - moving on... [{files=[]}]",
                Some(Saying::MovedOn),
            ),
            ("worker(/b) died in startup phase", Some(Saying::WorkerDied)),
            ("worker(/b) not confirmed in 60 sec, aborting it", Some(Saying::WorkerHung)),
            ("worker(/b) connected", None),
            ("20 crawls, 0 turns", Some(Saying::Progress)),
            ("Entry Time Taken [{UNL=0}]", None),
        ] {
            assert_eq!(said(message), want, "{message}");
        }
    }

    #[test]
    fn the_tables_build_and_are_without_doubles() {
        assert!(GSYNCD_TABLE.is_some() && PROGRAMS_TABLE.is_some());
        for table in [GSYNCD, PROGRAMS] {
            let mut texts: Vec<_> = table.iter().map(|row| row.0).collect();
            texts.sort_unstable();
            assert!(texts.windows(2).all(|pair| pair[0] != pair[1]));
        }
    }
}
