//! One incident, one code: what each saying of gsyncd, glusterd and the command line means.

use super::candidate::Draft;
use super::{exceptions, translators};
use crate::domain::{Code, Errno, Severity, Side};
use crate::format::log_message::Saying;
use crate::scan::logs::{Incident, Told};

/// What an incident means, where it means something by itself or supports something.
pub(super) fn read(incident: &Incident, told: &Told) -> Option<Draft> {
    let draft = |code| Draft::of(incident, told, code);
    let supporting = |code| Draft { supports: true, ..draft(code) };
    Some(match incident.saying {
        Saying::EntryFailed | Saying::FixFailed | Saying::RetriesExhausted => entry(incident, told),
        Saying::MetaFailed => draft(Code::MetadataFailed),
        Saying::DirectoryStops => supporting(Code::EntryMkdirFailed),
        Saying::ConflictFixed => draft(Code::GfidConflictFixed),
        Saying::ConflictsCounted => draft(Code::GfidConflictFixed),
        Saying::MovedOn | Saying::SkippedGfids => skipped(incident, told),
        Saying::IncompleteSync => supporting(Code::DataSyncFailed),
        Saying::FileErrcode | Saying::SyncTaken => draft(Code::DataSyncFailed),
        Saying::SyncError if incident.words == b"internal xattr" => draft(Code::InternalXattrNoise),
        Saying::SyncError => supporting(Code::DataSyncFailed),
        Saying::SyncStats if incident.words == b"empty" => draft(Code::DataSyncEmpty),
        Saying::CommandFailed => command(incident, told)?,
        Saying::ChildSaid => child(incident, told)?,
        Saying::ExecFailed => draft(Code::GlusterBinaryMissing),
        Saying::PeerBroken => draft(Code::PeerBroken),
        Saying::Inactive => Draft { severity: Severity::Benign, ..draft(Code::PeerBroken) },
        Saying::Misconfigured => {
            Draft { exit_code: Some(127), ..draft(Code::SshKeyNoForcedCommand) }
        }
        Saying::MountGone => draft(Code::SecondaryUnreachableVolume),
        Saying::IoHint => Draft { errno: Some(Errno::EIO), ..supporting(Code::IoError) },
        Saying::Raised | Saying::CallRaised => exceptions::read(incident, told),
        Saying::CallFailed => supporting(Code::WorkerCrash),
        Saying::GaveUp => gave_up(incident, told),
        Saying::RegisterFailed => draft(Code::ChangelogRegisterFailed),
        Saying::HistoryFailed | Saying::CrawlFailed if incident.words == b"fallback" => {
            draft(Code::HistoryPartial)
        }
        Saying::HistoryFailed | Saying::CrawlFailed => draft(Code::HistoryUnavailable),
        Saying::HistoryMissing | Saying::NoStime | Saying::HistoryPartial => {
            draft(Code::HistoryPartial)
        }
        Saying::MetaVolumeMissing => draft(Code::MetaVolumeMissing),
        Saying::AgentDied => draft(Code::AgentDied),
        Saying::WorkerDied => supporting(Code::WorkerCrash),
        Saying::WorkerHung => Draft { words: "hung".to_owned(), ..draft(Code::WorkerCrash) },
        Saying::RenameIgnored => {
            Draft { errno: Some(Errno::EEXIST), ..draft(Code::EntryGfidMismatch) }
        }
        Saying::BothExist => draft(Code::EntryIsDirectory),
        Saying::RemoveFailed | Saying::RecursiveRemoveFailed => entry(incident, told),
        Saying::MountbrokerRefused => draft(Code::MountbrokerBroken),
        Saying::StaleMount => stale_mount(incident, told),
        Saying::UndecodedNames => draft(Code::NameEncoding),
        Saying::ConfigUnreadable => config(incident, told),
        Saying::NotRunning => draft(Code::SessionNotRunning),
        Saying::StatusFileMissing => draft(Code::StatusFileMissing),
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

fn entry(incident: &Incident, told: &Told) -> Draft {
    let conflict = incident.entries.iter().any(|entry| entry.secondary_gfid.is_some());
    let mut code = entry_code(incident.op.as_deref(), incident.errno, conflict);
    let retried = incident.saying == Saying::RetriesExhausted;
    if retried && incident.errno == Some(Errno(116)) {
        code = Code::StaleHandle;
    }
    let severity = if retried { Severity::Warning } else { code.severity() };
    let supports = retried || incident.saying == Saying::FixFailed;
    let parent = incident.parent.filter(|_| code == Code::EntryParentMissing);
    Draft { severity, supports, parent, ..Draft::of(incident, told, code) }
}

fn skipped(incident: &Incident, told: &Told) -> Draft {
    let supports = incident.saying == Saying::SkippedGfids;
    Draft { supports, ..Draft::of(incident, told, Code::ChangelogSkipped) }
}

/// A program that gsyncd ran returned an error.
fn command(incident: &Incident, told: &Told) -> Option<Draft> {
    let draft = |code| Draft::of(incident, told, code);
    let killed = incident.exit_code.is_some_and(|code| code < 0);
    Some(match (incident.words.as_slice(), incident.exit_code) {
        (b"ssh", Some(127)) => Draft { supports: true, ..draft(Code::SshKeyNoForcedCommand) },
        (b"ssh", None) if ran_placeholder(incident) => {
            Draft { supports: true, ..draft(Code::SshKeyNoForcedCommand) }
        }
        _ if killed => draft(Code::ShutdownNoise),
        (b"ssh", Some(255)) => Draft { supports: true, ..draft(Code::SshUnreachable) },
        (b"ssh", _) => Draft { supports: true, ..draft(Code::PeerBroken) },
        (b"rsync" | b"tar", _) => {
            Draft { severity: Severity::Fatal, ..draft(Code::DataSyncFailed) }
        }
        (b"mountbroker", _) => Draft { supports: true, ..draft(Code::MountbrokerBroken) },
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
fn child(incident: &Incident, told: &Told) -> Option<Draft> {
    if incident.words == b"placeholder" {
        let code = Code::SshKeyNoForcedCommand;
        return Some(Draft { supports: true, ..Draft::of(incident, told, code) });
    }
    let code = match incident.words.as_slice() {
        b"denied" => Code::SshAuthRefused,
        b"unreachable" => Code::SshUnreachable,
        b"restricted" => Code::DataSyncFailed,
        b"unicode" => Code::NameEncoding,
        b"python" => Code::PythonIncompatible,
        _ => return None,
    };
    Some(Draft::of(incident, told, code))
}

/// An error of gsyncd's own, told without a traceback.
fn gave_up(incident: &Incident, told: &Told) -> Draft {
    let words = String::from_utf8_lossy(&incident.words).into_owned();
    let code = match words.as_str() {
        text if text.starts_with("getting volume info") => Code::RemoteCliFailed,
        text if text.starts_with("volume info") => Code::RemoteCliFailed,
        text if text.starts_with("failed to resolve") => Code::SshUnreachable,
        text if text.starts_with("using rsync for extended attributes") => Code::MountbrokerBroken,
        _ => Code::WorkerCrash,
    };
    Draft { words, ..Draft::of(incident, told, code) }
}

/// A mount left behind now and then is a stop's noise; many are mounts that pile up.
fn stale_mount(incident: &Incident, told: &Told) -> Draft {
    if incident.count > 3 {
        let severity = Severity::Warning;
        return Draft { severity, ..Draft::of(incident, told, Code::MountbrokerBroken) };
    }
    Draft {
        words: "mount left behind".to_owned(),
        ..Draft::of(incident, told, Code::ShutdownNoise)
    }
}

/// glusterd could not get the session's configuration: from gsyncd, which cannot run, or of a
/// session that has none.
fn config(incident: &Incident, told: &Told) -> Draft {
    let unfinished = incident.evidence.iter().all(|line| {
        let text = line.text.lossy();
        text.contains("Unable to get configuration data") && !text.contains("template")
    });
    let code = if unfinished { Code::SessionHalfCreated } else { Code::GsyncdConfigUnavailable };
    Draft { side: Side::Primary, ..Draft::of(incident, told, code) }
}
