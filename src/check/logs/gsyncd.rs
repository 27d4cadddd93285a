//! One incident, one code: what each message of gsyncd, glusterd and the command line means.

use super::candidate::Candidate;
use super::entry_code::entry_code;
use super::{exceptions, translators};
use crate::domain::{Code, Errno, Severity, Side};
use crate::format::log_message::Message;
use crate::scan::logs::{Incident, LogSummary};

/// What an incident means; `None` if it is no fault by itself.
pub(super) fn candidate(incident: &Incident, log: &LogSummary) -> Option<Candidate> {
    let candidate = |code| Candidate::of(incident, log, code);
    let supporting = |code| Candidate { supports: true, ..candidate(code) };
    let with_errno = |code, errno| {
        let mut it = candidate(code);
        it.seen.errno = Some(errno);
        it
    };
    Some(match incident.message {
        Message::EntryFailed
        | Message::FixFailed
        | Message::RetriesExhausted
        | Message::RemoveFailed
        | Message::RecursiveRemoveFailed => entry(incident, log),
        Message::MetaFailed => candidate(Code::MetadataFailed),
        Message::DirectoryStops => supporting(Code::EntryMkdirFailed),
        Message::ConflictFixed | Message::ConflictsCounted => candidate(Code::GfidConflictFixed),
        Message::MovedOn => candidate(Code::ChangelogSkipped),
        Message::SkippedGfids => supporting(Code::ChangelogSkipped),
        Message::IncompleteSync => supporting(Code::DataSyncFailed),
        Message::FileErrcode | Message::SyncTaken => candidate(Code::DataSyncFailed),
        Message::SyncError if incident.words == b"internal xattr" => {
            candidate(Code::InternalXattrNoise)
        }
        Message::SyncError => supporting(Code::DataSyncFailed),
        Message::SyncStats if incident.words == b"empty" => candidate(Code::DataSyncEmpty),
        Message::CommandFailed => command(incident, log)?,
        Message::ChildSaid => child(incident, log)?,
        Message::ExecFailed => candidate(Code::GlusterBinaryMissing),
        Message::PeerBroken => candidate(Code::PeerBroken),
        Message::Inactive => {
            Candidate { severity: Severity::Benign, ..candidate(Code::PeerBroken) }
        }
        Message::Misconfigured => {
            let mut it = candidate(Code::SshKeyNoForcedCommand);
            it.seen.exit_code = Some(127);
            it
        }
        Message::MountGone => candidate(Code::SecondaryUnreachableVolume),
        Message::IoHint => Candidate { supports: true, ..with_errno(Code::IoError, Errno::EIO) },
        Message::Raised | Message::CallRaised => exceptions::candidate(incident, log),
        Message::CallFailed | Message::WorkerDied => supporting(Code::WorkerCrash),
        Message::GaveUp => gave_up(incident, log),
        Message::RegisterFailed => candidate(Code::ChangelogRegisterFailed),
        Message::HistoryFailed | Message::CrawlFailed if incident.words == b"fallback" => {
            candidate(Code::HistoryPartial)
        }
        Message::HistoryFailed | Message::CrawlFailed => candidate(Code::HistoryUnavailable),
        Message::HistoryMissing | Message::NoStime | Message::HistoryPartial => {
            candidate(Code::HistoryPartial)
        }
        Message::MetaVolumeMissing => candidate(Code::MetaVolumeMissing),
        Message::AgentDied => candidate(Code::AgentDied),
        Message::WorkerHung => {
            Candidate { words: "hung".to_owned(), ..candidate(Code::WorkerCrash) }
        }
        Message::RenameIgnored => with_errno(Code::EntryGfidMismatch, Errno::EEXIST),
        Message::BothExist => candidate(Code::EntryIsDirectory),
        Message::MountbrokerRefused => candidate(Code::MountbrokerBroken),
        Message::StaleMount => stale_mount(incident, log),
        Message::UndecodedNames => candidate(Code::NameEncoding),
        Message::ConfigUnreadable => config(incident, log),
        Message::NotRunning => candidate(Code::SessionNotRunning),
        Message::StatusFileMissing => candidate(Code::StatusFileMissing),
        Message::RemoteOpFailed
        | Message::FuseFailed
        | Message::DhtGfidDiffers
        | Message::SplitBrain
        | Message::SplitBrainNoise
        | Message::HistoryIndexBroken
        | Message::ChangelogBroken
        | Message::HandleMissing
        | Message::AllBricksDown => return translators::candidate(incident, log),
        // States and operator actions: they count for the workers' histories, not as findings.
        Message::SyncStats
        | Message::WorkerStarting
        | Message::WorkerStatus
        | Message::CrawlStatus
        | Message::MonitorStatus
        | Message::HybridStarted
        | Message::CrawlFinished
        | Message::Progress
        | Message::Connected
        | Message::SessionConfig
        | Message::Syncing
        | Message::ConfigMissing
        | Message::ConfigChanged
        | Message::RenameOnMkdir
        | Message::Ending
        | Message::MountArguments
        | Message::GeorepCommand => return None,
    })
}

fn entry(incident: &Incident, log: &LogSummary) -> Candidate {
    let seen = &incident.seen;
    let conflict = seen.entries.iter().any(|entry| entry.secondary_gfid.is_some());
    let retried = incident.message == Message::RetriesExhausted;
    let code = match entry_code(seen.op.as_deref(), seen.errno, conflict) {
        // A call that stays stale is about the handle it used, not about a parent.
        _ if retried && seen.errno == Some(Errno(116)) => Code::StaleHandle,
        code => code,
    };
    let mut candidate = Candidate::of(incident, log, code);
    if retried {
        candidate.severity = Severity::Warning;
    }
    candidate.supports = retried || incident.message == Message::FixFailed;
    candidate.seen.parent = seen.parent.filter(|_| code == Code::EntryParentMissing);
    candidate
}

/// A program that gsyncd ran returned an error.
fn command(incident: &Incident, log: &LogSummary) -> Option<Candidate> {
    let candidate = |code| Candidate::of(incident, log, code);
    let killed = incident.seen.exit_code.is_some_and(|code| code < 0);
    Some(match (incident.words.as_slice(), incident.seen.exit_code) {
        (b"ssh", Some(127)) => {
            Candidate { supports: true, ..candidate(Code::SshKeyNoForcedCommand) }
        }
        (b"ssh", None) if ran_placeholder(incident) => {
            Candidate { supports: true, ..candidate(Code::SshKeyNoForcedCommand) }
        }
        _ if killed => candidate(Code::ShutdownNoise),
        (b"ssh", Some(255)) => Candidate { supports: true, ..candidate(Code::SshUnreachable) },
        (b"ssh", _) => Candidate { supports: true, ..candidate(Code::PeerBroken) },
        (b"rsync" | b"tar", _) => {
            Candidate { severity: Severity::Fatal, ..candidate(Code::DataSyncFailed) }
        }
        (b"mountbroker", _) => Candidate { supports: true, ..candidate(Code::MountbrokerBroken) },
        (b"gluster", _) => candidate(Code::RemoteCliFailed),
        (b"glusterfs", _) => candidate(Code::SecondaryUnreachableVolume),
        (b"umount" | b"fusermount", _) => candidate(Code::ShutdownNoise),
        _ => return None,
    })
}

/// Whether a command line cut before its exit status ran the placeholder. The placeholder alone
/// proves nothing: every gsyncd command line contains it.
fn ran_placeholder(incident: &Incident) -> bool {
    incident.evidence.iter().all(|line| {
        let text = line.text.lossy();
        text.contains("/nonexistent/gsyncd") && !text.contains("error=255")
    })
}

/// What a program printed on its error stream.
fn child(incident: &Incident, log: &LogSummary) -> Option<Candidate> {
    if incident.words == b"placeholder" {
        let code = Code::SshKeyNoForcedCommand;
        return Some(Candidate { supports: true, ..Candidate::of(incident, log, code) });
    }
    let code = match incident.words.as_slice() {
        b"denied" => Code::SshAuthRefused,
        b"unreachable" => Code::SshUnreachable,
        b"restricted" => Code::DataSyncFailed,
        b"unicode" => Code::NameEncoding,
        b"python" => Code::PythonIncompatible,
        _ => return None,
    };
    Some(Candidate::of(incident, log, code))
}

/// An error of gsyncd's own, logged without a traceback.
fn gave_up(incident: &Incident, log: &LogSummary) -> Candidate {
    let words = String::from_utf8_lossy(&incident.words).into_owned();
    let code = match words.as_str() {
        text if text.starts_with("getting volume info") => Code::RemoteCliFailed,
        text if text.starts_with("volume info") => Code::RemoteCliFailed,
        text if text.starts_with("failed to resolve") => Code::SshUnreachable,
        text if text.starts_with("using rsync for extended attributes") => Code::MountbrokerBroken,
        _ => Code::WorkerCrash,
    };
    Candidate { words, ..Candidate::of(incident, log, code) }
}

/// One stale mount now and then is noise of a stop; more of them are piling up.
fn stale_mount(incident: &Incident, log: &LogSummary) -> Candidate {
    if incident.seen.count > 3 {
        let severity = Severity::Warning;
        return Candidate { severity, ..Candidate::of(incident, log, Code::MountbrokerBroken) };
    }
    Candidate {
        words: "stale mount".to_owned(),
        ..Candidate::of(incident, log, Code::ShutdownNoise)
    }
}

/// glusterd has no configuration of the session: gsyncd, which prints it, does not run, or the
/// session has none.
fn config(incident: &Incident, log: &LogSummary) -> Candidate {
    let unfinished = incident.evidence.iter().all(|line| {
        let text = line.text.lossy();
        text.contains("Unable to get configuration data") && !text.contains("template")
    });
    let code = if unfinished { Code::SessionHalfCreated } else { Code::GsyncdConfigUnavailable };
    Candidate { side: Side::Primary, ..Candidate::of(incident, log, code) }
}
