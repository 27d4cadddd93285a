//! One incident, one code: what each saying of gsyncd, glusterd and the command line means.

use super::candidate::Candidate;
use super::{exceptions, translators};
use crate::domain::{Code, Errno, Severity, Side};
use crate::format::log_message::Message;
use crate::scan::logs::{Incident, LogSummary};

/// What an incident means, where it means something by itself or supports something.
pub(super) fn read(incident: &Incident, told: &LogSummary) -> Option<Candidate> {
    let draft = |code| Candidate::of(incident, told, code);
    let supporting = |code| Candidate { supports: true, ..draft(code) };
    Some(match incident.saying {
        Message::EntryFailed | Message::FixFailed | Message::RetriesExhausted => {
            entry(incident, told)
        }
        Message::MetaFailed => draft(Code::MetadataFailed),
        Message::DirectoryStops => supporting(Code::EntryMkdirFailed),
        Message::ConflictFixed => draft(Code::GfidConflictFixed),
        Message::ConflictsCounted => draft(Code::GfidConflictFixed),
        Message::MovedOn | Message::SkippedGfids => skipped(incident, told),
        Message::IncompleteSync => supporting(Code::DataSyncFailed),
        Message::FileErrcode | Message::SyncTaken => draft(Code::DataSyncFailed),
        Message::SyncError if incident.words == b"internal xattr" => {
            draft(Code::InternalXattrNoise)
        }
        Message::SyncError => supporting(Code::DataSyncFailed),
        Message::SyncStats if incident.words == b"empty" => draft(Code::DataSyncEmpty),
        Message::CommandFailed => command(incident, told)?,
        Message::ChildSaid => child(incident, told)?,
        Message::ExecFailed => draft(Code::GlusterBinaryMissing),
        Message::PeerBroken => draft(Code::PeerBroken),
        Message::Inactive => Candidate { severity: Severity::Benign, ..draft(Code::PeerBroken) },
        Message::Misconfigured => {
            Candidate { exit_code: Some(127), ..draft(Code::SshKeyNoForcedCommand) }
        }
        Message::MountGone => draft(Code::SecondaryUnreachableVolume),
        Message::IoHint => Candidate { errno: Some(Errno::EIO), ..supporting(Code::IoError) },
        Message::Raised | Message::CallRaised => exceptions::read(incident, told),
        Message::CallFailed => supporting(Code::WorkerCrash),
        Message::GaveUp => gave_up(incident, told),
        Message::RegisterFailed => draft(Code::ChangelogRegisterFailed),
        Message::HistoryFailed | Message::CrawlFailed if incident.words == b"fallback" => {
            draft(Code::HistoryPartial)
        }
        Message::HistoryFailed | Message::CrawlFailed => draft(Code::HistoryUnavailable),
        Message::HistoryMissing | Message::NoStime | Message::HistoryPartial => {
            draft(Code::HistoryPartial)
        }
        Message::MetaVolumeMissing => draft(Code::MetaVolumeMissing),
        Message::AgentDied => draft(Code::AgentDied),
        Message::WorkerDied => supporting(Code::WorkerCrash),
        Message::WorkerHung => Candidate { words: "hung".to_owned(), ..draft(Code::WorkerCrash) },
        Message::RenameIgnored => {
            Candidate { errno: Some(Errno::EEXIST), ..draft(Code::EntryGfidMismatch) }
        }
        Message::BothExist => draft(Code::EntryIsDirectory),
        Message::RemoveFailed | Message::RecursiveRemoveFailed => entry(incident, told),
        Message::MountbrokerRefused => draft(Code::MountbrokerBroken),
        Message::StaleMount => stale_mount(incident, told),
        Message::UndecodedNames => draft(Code::NameEncoding),
        Message::ConfigUnreadable => config(incident, told),
        Message::NotRunning => draft(Code::SessionNotRunning),
        Message::StatusFileMissing => draft(Code::StatusFileMissing),
        _ => return translators::read(incident, told),
    })
}

/// The code of a failed entry operation: a failed directory stops the worker, the rest is told
/// by the error number.
pub(super) fn entry_code(op: Option<&str>, errno: Option<Errno>, conflict: bool) -> Code {
    match (op, errno.map(|errno| errno.0)) {
        (Some("META"), _) => Code::MetadataFailed,
        (Some("MKDIR"), _) => Code::EntryMkdirFailed,
        (_, Some(17)) => Code::EntryGfidMismatch,
        (_, None) if conflict => Code::EntryGfidMismatch,
        (_, Some(2 | 116)) => Code::EntryParentMissing,
        (_, Some(16)) => Code::EntryBusy,
        (_, Some(39)) => Code::EntryNotEmpty,
        (_, Some(21)) => Code::EntryIsDirectory,
        (_, Some(1)) => Code::EntryNotPermitted,
        (_, Some(13)) => Code::EntryAccessDenied,
        (_, Some(5)) => Code::IoError,
        (_, Some(12)) => Code::NameEncoding,
        (_, Some(61)) => Code::NoData,
        _ => Code::EntryFailed,
    }
}

fn entry(incident: &Incident, told: &LogSummary) -> Candidate {
    let conflict = incident.entries.iter().any(|entry| entry.secondary_gfid.is_some());
    let mut code = entry_code(incident.op.as_deref(), incident.errno, conflict);
    let retried = incident.saying == Message::RetriesExhausted;
    if retried && incident.errno == Some(Errno(116)) {
        code = Code::StaleHandle;
    }
    let severity = if retried { Severity::Warning } else { code.severity() };
    let supports = retried || incident.saying == Message::FixFailed;
    let parent = incident.parent.filter(|_| code == Code::EntryParentMissing);
    Candidate { severity, supports, parent, ..Candidate::of(incident, told, code) }
}

fn skipped(incident: &Incident, told: &LogSummary) -> Candidate {
    let supports = incident.saying == Message::SkippedGfids;
    Candidate { supports, ..Candidate::of(incident, told, Code::ChangelogSkipped) }
}

/// A program that gsyncd ran returned an error.
fn command(incident: &Incident, told: &LogSummary) -> Option<Candidate> {
    let draft = |code| Candidate::of(incident, told, code);
    let killed = incident.exit_code.is_some_and(|code| code < 0);
    Some(match (incident.words.as_slice(), incident.exit_code) {
        (b"ssh", Some(127)) => Candidate { supports: true, ..draft(Code::SshKeyNoForcedCommand) },
        (b"ssh", None) if ran_placeholder(incident) => {
            Candidate { supports: true, ..draft(Code::SshKeyNoForcedCommand) }
        }
        _ if killed => draft(Code::ShutdownNoise),
        (b"ssh", Some(255)) => Candidate { supports: true, ..draft(Code::SshUnreachable) },
        (b"ssh", _) => Candidate { supports: true, ..draft(Code::PeerBroken) },
        (b"rsync" | b"tar", _) => {
            Candidate { severity: Severity::Fatal, ..draft(Code::DataSyncFailed) }
        }
        (b"mountbroker", _) => Candidate { supports: true, ..draft(Code::MountbrokerBroken) },
        (b"gluster", _) => draft(Code::RemoteCliFailed),
        (b"glusterfs", _) => draft(Code::SecondaryUnreachableVolume),
        (b"umount" | b"fusermount", _) => draft(Code::ShutdownNoise),
        _ => return None,
    })
}

/// A command line that was cut before its exit status, beside the hint that it was 127: the
/// placeholder alone proves nothing, since every gsyncd command line contains it.
fn ran_placeholder(incident: &Incident) -> bool {
    incident.evidence.iter().all(|line| {
        let text = line.text.lossy();
        text.contains("/nonexistent/gsyncd") && !text.contains("error=255")
    })
}

/// What a program printed on its error stream.
fn child(incident: &Incident, told: &LogSummary) -> Option<Candidate> {
    if incident.words == b"placeholder" {
        let code = Code::SshKeyNoForcedCommand;
        return Some(Candidate { supports: true, ..Candidate::of(incident, told, code) });
    }
    let code = match incident.words.as_slice() {
        b"denied" => Code::SshAuthRefused,
        b"unreachable" => Code::SshUnreachable,
        b"restricted" => Code::DataSyncFailed,
        b"unicode" => Code::NameEncoding,
        b"python" => Code::PythonIncompatible,
        _ => return None,
    };
    Some(Candidate::of(incident, told, code))
}

/// An error of gsyncd's own, told without a traceback.
fn gave_up(incident: &Incident, told: &LogSummary) -> Candidate {
    let words = String::from_utf8_lossy(&incident.words).into_owned();
    let code = match words.as_str() {
        text if text.starts_with("getting volume info") => Code::RemoteCliFailed,
        text if text.starts_with("volume info") => Code::RemoteCliFailed,
        text if text.starts_with("failed to resolve") => Code::SshUnreachable,
        text if text.starts_with("using rsync for extended attributes") => Code::MountbrokerBroken,
        _ => Code::WorkerCrash,
    };
    Candidate { words, ..Candidate::of(incident, told, code) }
}

/// A mount left behind now and then is a stop's noise; many are mounts that pile up.
fn stale_mount(incident: &Incident, told: &LogSummary) -> Candidate {
    if incident.count > 3 {
        let severity = Severity::Warning;
        return Candidate { severity, ..Candidate::of(incident, told, Code::MountbrokerBroken) };
    }
    Candidate {
        words: "mount left behind".to_owned(),
        ..Candidate::of(incident, told, Code::ShutdownNoise)
    }
}

/// glusterd could not get the session's configuration: from gsyncd, which cannot run, or of a
/// session that has none.
fn config(incident: &Incident, told: &LogSummary) -> Candidate {
    let unfinished = incident.evidence.iter().all(|line| {
        let text = line.text.lossy();
        text.contains("Unable to get configuration data") && !text.contains("template")
    });
    let code = if unfinished { Code::SessionHalfCreated } else { Code::GsyncdConfigUnavailable };
    Candidate { side: Side::Primary, ..Candidate::of(incident, told, code) }
}
