//! The log messages that matter to a diagnosis, recognised by their first words.
//!
//! Texts and release ranges were read in `geo-replication/syncdaemon` and `xlators/` of every
//! release tag from 3.5.0 to 11.1. Line numbers and classes move between releases, so a message
//! is known by its first words alone, in all the spellings it ever had.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Anchored, Input, MatchKind, StartKind};

use super::logline::{LogLine, Origin};

/// A known log message of gsyncd, a mount, a brick, glusterd or the command line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Message {
    /// An entry operation failed on the secondary and was skipped.
    EntryFailed,
    /// Owner, mode or times could not be set.
    MetaFailed,
    /// The worker stops at the directory named in the line before.
    DirectoryStops,
    /// gsyncd's own conflict repair failed, or cannot help.
    FixFailed,
    /// gsyncd removes or renames something on the secondary to resolve a conflict.
    ConflictFixed,
    /// Entries of a batch had conflicts; a count only.
    ConflictsCounted,
    /// Changelogs were skipped after the last retry.
    MovedOn,
    /// Changelogs are retried.
    IncompleteSync,
    /// The gfids skipped with them (before 3.7.9).
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
    /// A program that gsyncd needs was not found.
    ExecFailed,
    /// The connection to the other side broke.
    PeerBroken,
    /// ssh answered 127: the placeholder was run.
    Misconfigured,
    /// The mount below gsyncd died.
    MountGone,
    /// A hint that an input/output error follows.
    IoHint,
    /// An exception ended this process; a traceback follows.
    Raised,
    /// gsyncd ended this process with an error of its own, without a traceback.
    GaveUp,
    /// The other side answered a call with an exception.
    CallFailed,
    /// A call raised here, on the secondary; a traceback follows.
    CallRaised,
    /// The worker cannot register with the brick's changelog.
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
    /// A batch or a crawl interval completed.
    Progress,
    /// The other side answered; in old releases: the worker is running.
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
    /// A directory to be removed is not empty.
    RecursiveRemoveFailed,
    /// A directory to be created exists elsewhere: it is renamed.
    RenameOnMkdir,
    /// glusterd refused a non-root mount.
    MountbrokerRefused,
    /// A mount was left behind.
    StaleMount,
    /// Names in a batch that gsyncd could not decode.
    UndecodedNames,
    /// The secondary timed out waiting for the primary.
    Inactive,
    /// A process ends normally.
    Ending,
    /// A file operation failed on the other side of a mount.
    RemoteOpFailed,
    /// A file operation of a mount failed.
    FuseFailed,
    /// A directory's gfid differs between bricks.
    DhtGfidDiffers,
    /// A name or gfid is in split-brain.
    SplitBrain,
    /// A heal stopped at a split-brain; noise after the line that names it.
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
    /// An operator's command on a session: start, stop, config.
    GeorepCommand,
}

/// How gsyncd's messages begin. The longest match counts.
const GSYNCD: &[(&str, Message)] = &[
    ("ENTRY FAILED", Message::EntryFailed),
    ("META FAILED", Message::MetaFailed),
    ("The above directory failed to sync", Message::DirectoryStops),
    ("Failed to fix entry ops", Message::FixFailed),
    ("Entry cannot be fixed in ", Message::FixFailed),
    ("Fixing gfid mismatch in ", Message::ConflictFixed),
    ("Fixing dir name/gfid mismatch in ", Message::ConflictFixed),
    ("Fixing file gfid mismatch in ", Message::ConflictFixed),
    ("Fixing ENOENT error in ", Message::ConflictFixed),
    ("Entry not present on ", Message::ConflictFixed),
    ("Entry ops failed with gfid mismatch", Message::ConflictsCounted),
    ("changelogs ", Message::MovedOn),
    ("incomplete sync, retrying changelogs", Message::IncompleteSync),
    ("SKIPPED GFID = ", Message::SkippedGfids),
    ("Rsync: ", Message::FileErrcode),
    ("tar+ssh: ", Message::FileErrcode),
    ("SYNC Error", Message::SyncError),
    ("Sync Time Taken", Message::SyncTaken),
    ("rsync performance", Message::SyncStats),
    ("command returned error", Message::CommandFailed),
    ("command \"", Message::CommandFailed),
    ("execution of \"", Message::ExecFailed),
    ("connection to peer is broken", Message::PeerBroken),
    ("getting \"No such file or directory\"", Message::Misconfigured),
    ("!!! getting \"No such file or directory\"", Message::Misconfigured),
    ("Gluster Mount process exited", Message::MountGone),
    ("glusterfs session went down", Message::MountGone),
    ("Getting \"Input/Output error\"", Message::IoHint),
    ("FAIL:", Message::Raised),
    ("call failed: ", Message::CallRaised),
    ("call failed:", Message::CallRaised),
    ("call failed", Message::CallFailed),
    ("call ", Message::CallFailed),
    ("Changelog register failed", Message::RegisterFailed),
    ("Changelog History Crawl failed", Message::HistoryFailed),
    ("Changelog history crawl failed", Message::HistoryFailed),
    ("Changelog crawl failed", Message::CrawlFailed),
    ("Changelog history not available", Message::HistoryMissing),
    ("No stime available", Message::NoStime),
    ("stime not available", Message::NoStime),
    ("Partial history available", Message::HistoryPartial),
    ("falling back to xsync mode", Message::HistoryPartial),
    ("Meta-volume is not mounted", Message::MetaVolumeMissing),
    ("Changelog Agent died", Message::AgentDied),
    ("starting gsyncd worker", Message::WorkerStarting),
    ("worker died ", Message::WorkerDied),
    ("worker(", Message::WorkerDied),
    ("Worker not confirmed after wait", Message::WorkerHung),
    ("Worker Status Change", Message::WorkerStatus),
    ("Worker Status: ", Message::WorkerStatus),
    ("new state: ", Message::WorkerStatus),
    ("Crawl Status Change", Message::CrawlStatus),
    ("Crawl Status: ", Message::CrawlStatus),
    ("Monitor Status Change", Message::MonitorStatus),
    ("Monitor Status: ", Message::MonitorStatus),
    ("geo-replication delete", Message::MonitorStatus),
    ("starting hybrid crawl", Message::HybridStarted),
    ("finished hybrid crawl", Message::CrawlFinished),
    ("finished history crawl", Message::CrawlFinished),
    ("Batch Completed", Message::Progress),
    ("Changelogs mode completed in", Message::Progress),
    ("SSH connection between ", Message::Connected),
    ("master is ", Message::Connected),
    ("Using session config file", Message::SessionConfig),
    ("syncing: ", Message::Syncing),
    ("Session config file not exists", Message::ConfigMissing),
    ("Config Set", Message::ConfigChanged),
    ("Config Reset", Message::ConfigChanged),
    ("reached maximum retries", Message::RetriesExhausted),
    ("RENAME ignored: ", Message::RenameIgnored),
    ("Directory Rename failed. Both Old and New", Message::BothExist),
    ("Unable to delete directory", Message::BothExist),
    ("Failed to remove", Message::RemoveFailed),
    ("Recursive remove ", Message::RecursiveRemoveFailed),
    ("Special case: rename on mkdir", Message::RenameOnMkdir),
    ("glusterd answered", Message::MountbrokerRefused),
    ("stale mount possibly left behind", Message::StaleMount),
    ("cleaning up temp mountpoint", Message::StaleMount),
    ("mount cleanup failure", Message::StaleMount),
    ("entries: [", Message::UndecodedNames),
    ("connection inactive", Message::Inactive),
    ("terminating on reaching EOF", Message::Ending),
    ("exiting.", Message::Ending),
];

/// How the messages of mounts, bricks, libgfchangelog, glusterd and the command line begin.
const PROGRAMS: &[(&str, Message)] = &[
    ("remote operation failed", Message::RemoteOpFailed),
    ("Remote operation failed", Message::RemoteOpFailed),
    ("Gfid mismatch detected for", Message::SplitBrain),
    ("GFID mismatch for", Message::SplitBrain),
    ("Skipping conservative merge", Message::SplitBrainNoise),
    ("All the bricks should be up to resolve the gfid split", Message::SplitBrainNoise),
    ("Requested changelog range is not available", Message::HistoryIndexBroken),
    ("wrong result", Message::HistoryIndexBroken),
    ("error extracting max timstamp", Message::HistoryIndexBroken),
    ("Error extracting HTIME_CURRENT", Message::HistoryIndexBroken),
    ("Htime xattr initialization failed", Message::HistoryIndexBroken),
    ("unable to stat htime file", Message::HistoryIndexBroken),
    ("failed to update HTIME file", Message::HistoryIndexBroken),
    ("cannot open changelog file", Message::ChangelogBroken),
    ("could not parse changelog", Message::ChangelogBroken),
    ("parsing error, ceased publishing", Message::ChangelogBroken),
    ("error moving changelog", Message::ChangelogBroken),
    ("stat failed on changelog", Message::ChangelogBroken),
    ("Could not find CHANGELOG in changelog path", Message::ChangelogBroken),
    ("Problem rolling over changelog", Message::ChangelogBroken),
    ("could not read the link from the gfid handle", Message::HandleMissing),
    ("Failed to get gfid from handle", Message::HandleMissing),
    ("Entry cannot be captured for gfid", Message::HandleMissing),
    ("reading data from child failed", Message::ConfigUnreadable),
    ("Unable to get configuration data", Message::ConfigUnreadable),
    ("Unable to get statefile's name", Message::ConfigUnreadable),
    ("path:", Message::DhtGfidDiffers),
    ("Unable to get status of active", Message::NotRunning),
    ("Unable to get the status of active", Message::NotRunning),
    ("Unable to read the status file", Message::StatusFileMissing),
    ("Unable to read gsyncd status file", Message::StatusFileMissing),
    ("Unable to read pid from pidfile", Message::StatusFileMissing),
    ("Unable to open status file", Message::StatusFileMissing),
    ("statefile not present", Message::StatusFileMissing),
    ("state-file entry missing", Message::StatusFileMissing),
    ("All subvolumes are down", Message::AllBricksDown),
    ("Started running ", Message::MountArguments),
];

static GSYNCD_TABLE: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| table(GSYNCD));
static PROGRAMS_TABLE: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| table(PROGRAMS));

fn table(beginnings: &[(&str, Message)]) -> Option<AhoCorasick> {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .start_kind(StartKind::Anchored)
        .kind(Some(aho_corasick::AhoCorasickKind::DFA))
        .build(beginnings.iter().map(|row| row.0))
        .ok()
}

/// The known message that a text begins with.
fn begins(
    message: &[u8],
    table: &LazyLock<Option<AhoCorasick>>,
    beginnings: &[(&str, Message)],
) -> Option<Message> {
    let found = table.as_ref()?.find(Input::new(message).anchored(Anchored::Yes))?;
    beginnings.get(found.pattern().as_usize()).map(|row| row.1)
}

/// The message of a line, if it is a known one.
#[must_use]
pub fn known_message(line: &LogLine<'_>) -> Option<Message> {
    let message = line.message;
    match line.origin {
        Origin::Gsyncd { function, .. } => {
            gsyncd(begins(message, &GSYNCD_TABLE, GSYNCD), line, function)
        }
        Origin::Program { msgid, function, .. } => {
            match begins(message, &PROGRAMS_TABLE, PROGRAMS) {
                Some(Message::DhtGfidDiffers) if !has(message, b"received a different gfid") => {
                    None
                }
                None => program(line, msgid, function),
                known => known,
            }
        }
        Origin::Command => has(message, b"geo-replication").then(|| command(message)),
    }
}

/// Decides messages that their first words do not identify.
fn gsyncd(known: Option<Message>, line: &LogLine<'_>, function: &[u8]) -> Option<Message> {
    let message = line.message;
    match known {
        Some(Message::MovedOn) if !has(message, b"moving on") => None,
        Some(Message::CallFailed) if message.starts_with(b"call ") && !has(message, b"failed") => {
            None
        }
        Some(Message::UndecodedNames) if !has(message, b"\\udc") => None,
        Some(Message::FileErrcode) if !has(message, b"[errcode: ") => None,
        Some(Message::WorkerDied) if has(message, b") not confirmed in ") => {
            Some(Message::WorkerHung)
        }
        Some(Message::WorkerDied) if !has(message, b"died") => None,
        Some(other) => Some(other),
        None if function == b"logerr" => Some(Message::ChildSaid),
        None if function == b"log_raise_exception" && line.level == b'E' => {
            let noise =
                [&b"If `gsec_create"[..], b"This is expected as per design", b"FULL EXCEPTION"];
            (!noise.iter().any(|start| message.starts_with(start))).then_some(Message::GaveUp)
        }
        None if function == b"crawlwrap" && has(message, b" crawls, ") => Some(Message::Progress),
        None if function == b"process" && has(message, b" mode completed in ") => {
            Some(Message::Progress)
        }
        None => None,
    }
}

fn program(line: &LogLine<'_>, msgid: Option<u32>, function: &[u8]) -> Option<Message> {
    if matches!(line.level, b'I' | b'D' | b'T' | b'N') {
        return None;
    }
    let message = line.message;
    if function.starts_with(b"fuse_") && has(message, b"=> -1 (") {
        return Some(Message::FuseFailed);
    }
    if has(message, b"gfid different on ") || has(message, b"gfid differs on ") {
        return Some(Message::DhtGfidDiffers);
    }
    if has(message, b"split-brain") || has(message, b"split brain") {
        return Some(Message::SplitBrain);
    }
    if has(message, b"is not running on this node") {
        return Some(Message::NotRunning);
    }
    if has(message, b"monitor.pid") || has(message, b"monitor.status") {
        return Some(Message::StatusFileMissing);
    }
    let handle = has(message, b".glusterfs/") && has(message, b"No such file or directory");
    if handle && matches!(msgid, None | Some(113_000..=113_999)) {
        return Some(Message::HandleMissing);
    }
    None
}

fn command(message: &[u8]) -> Message {
    if has(message, b"is not running on this node") || has(message, b"status of active") {
        return Message::NotRunning;
    }
    Message::GeorepCommand
}

fn has(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::logline;

    fn said(message: &str) -> Option<Message> {
        let function = if message.contains("crawls") { "crawlwrap" } else { "process" };
        let line =
            format!("[2026-11-21 03:35:51.81961] E [m(worker /b):1:{function}] _G: {message}");
        known_message(&logline::parse(line.as_bytes()).unwrap())
    }

    #[test]
    fn knows_all_spellings_of_a_message() {
        for (message, want) in [
            ("ENTRY FAILED: ({}, 2)", Some(Message::EntryFailed)),
            ("ENTRY FAILED\tdata=({}, 2)", Some(Message::EntryFailed)),
            ("call failed: ", Some(Message::CallRaised)),
            ("call failed [{call=1}]", Some(Message::CallFailed)),
            ("call failed on peer\tcall=1", Some(Message::CallFailed)),
            ("call 1:2:3 (entry_ops) failed on peer with OSError", Some(Message::CallFailed)),
            ("call 1:2:3 entry_ops(...) ...", None),
            ("changelogs A could not be processed - moving on...", Some(Message::MovedOn)),
            (
                "changelogs could not be processed completely - moving on... [{files=[]}]",
                Some(Message::MovedOn),
            ),
            ("worker(/b) died in startup phase", Some(Message::WorkerDied)),
            ("worker(/b) not confirmed in 60 sec, aborting it", Some(Message::WorkerHung)),
            ("worker(/b) connected", None),
            ("20 crawls, 0 turns", Some(Message::Progress)),
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
