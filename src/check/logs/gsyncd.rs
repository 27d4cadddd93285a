//! One incident, one code: what each message of gsyncd, glusterd and the command line means.

use super::candidate::Candidate;
use super::entry_code::entry_code;
use super::{exceptions, translators};
use crate::domain::{Code, Errno, Severity, Side};
use crate::format::log_message::Message;
use crate::scan::logs::{Incident, LogSummary};

/// What a message means.
enum Meaning {
    /// A fault by itself.
    Fault(Code),
    /// It corroborates a fault of this code, or is one if nothing else is.
    Supports(Code),
    /// A fault that the circumstances name.
    Depends(fn(&Incident, &LogSummary) -> Candidate),
    /// The circumstances decide whether it is a fault.
    Maybe(fn(&Incident, &LogSummary) -> Option<Candidate>),
    /// A state or an operator's action: part of a worker's history, not a fault.
    State,
}

/// What an incident means; `None` if it is not a fault.
pub(super) fn candidate(incident: &Incident, log: &LogSummary) -> Option<Candidate> {
    match meaning(incident.message) {
        Meaning::Fault(code) => Some(Candidate::of(incident, log, code)),
        Meaning::Supports(code) => Some(supporting(incident, log, code)),
        Meaning::Depends(candidate) => Some(candidate(incident, log)),
        Meaning::Maybe(candidate) => candidate(incident, log),
        Meaning::State => None,
    }
}

/// Exhaustive: a new message must be judged here.
#[rustfmt::skip]
fn meaning(message: Message) -> Meaning {
    use Message as M;
    use Meaning::{Depends, Fault, Maybe, State, Supports};
    match message {
        M::EntryFailed | M::FixFailed | M::RetriesExhausted => Depends(entry),
        M::RemoveFailed | M::RecursiveRemoveFailed => Depends(entry),
        M::MetaFailed => Fault(Code::MetadataFailed),
        M::DirectoryStops => Supports(Code::EntryMkdirFailed),
        M::ConflictFixed | M::ConflictsCounted => Fault(Code::GfidConflictFixed),
        M::RenameIgnored => Depends(rename_ignored),
        M::BothExist => Fault(Code::EntryIsDirectory),
        M::UndecodedNames => Fault(Code::NameEncoding),
        M::MovedOn => Fault(Code::ChangelogSkipped),
        M::SkippedGfids => Supports(Code::ChangelogSkipped),
        M::IncompleteSync => Supports(Code::DataSyncFailed),
        M::FileErrcode | M::SyncTaken => Fault(Code::DataSyncFailed),
        M::SyncError | M::SyncStats => Maybe(sync),
        M::CommandFailed => Maybe(command),
        M::ChildSaid => Maybe(child),
        M::ExecFailed => Fault(Code::GlusterBinaryMissing),
        M::PeerBroken => Fault(Code::PeerBroken),
        M::Inactive => Depends(inactive),
        M::Misconfigured => Depends(misconfigured),
        M::MountGone => Fault(Code::SecondaryUnreachableVolume),
        M::IoHint => Depends(io_hint),
        M::Raised | M::CallRaised => Depends(exceptions::candidate),
        M::CallFailed | M::WorkerDied => Supports(Code::WorkerCrash),
        M::WorkerHung => Depends(hung),
        M::GaveUp => Depends(gave_up),
        M::AgentDied => Fault(Code::AgentDied),
        M::RegisterFailed => Fault(Code::ChangelogRegisterFailed),
        M::HistoryFailed | M::CrawlFailed => Depends(crawl_failed),
        M::HistoryMissing | M::NoStime | M::HistoryPartial => Fault(Code::HistoryPartial),
        M::MetaVolumeMissing => Fault(Code::MetaVolumeMissing),
        M::MountbrokerRefused => Fault(Code::MountbrokerBroken),
        M::StaleMount => Depends(stale_mount),
        M::ConfigUnreadable => Depends(config),
        M::NotRunning => Fault(Code::SessionNotRunning),
        M::StatusFileMissing => Fault(Code::StatusFileMissing),
        M::RemoteOpFailed | M::FuseFailed | M::DhtGfidDiffers | M::SplitBrain
        | M::SplitBrainNoise | M::HistoryIndexBroken | M::ChangelogBroken | M::HandleMissing
        | M::AllBricksDown => Maybe(translators::candidate),
        M::WorkerStarting | M::WorkerStatus | M::CrawlStatus | M::MonitorStatus
        | M::HybridStarted | M::CrawlFinished | M::Progress | M::Connected | M::SessionConfig
        | M::Syncing | M::ConfigMissing | M::ConfigChanged | M::RenameOnMkdir | M::Ending
        | M::MountArguments | M::GeorepCommand => State,
    }
}

fn supporting(incident: &Incident, log: &LogSummary, code: Code) -> Candidate {
    Candidate { supports: true, ..Candidate::of(incident, log, code) }
}

/// rsync's error stream and statistics.
fn sync(incident: &Incident, log: &LogSummary) -> Option<Candidate> {
    match (incident.message, incident.words.as_slice()) {
        (Message::SyncError, b"internal xattr") => {
            Some(Candidate::of(incident, log, Code::InternalXattrNoise))
        }
        (Message::SyncError, _) => Some(supporting(incident, log, Code::DataSyncFailed)),
        (_, b"empty") => Some(Candidate::of(incident, log, Code::DataSyncEmpty)),
        _ => None,
    }
}

/// A crawl of changelogs failed; a full crawl follows if the message announces it.
fn crawl_failed(incident: &Incident, log: &LogSummary) -> Candidate {
    let fell_back = incident.words == b"fallback";
    let code = if fell_back { Code::HistoryPartial } else { Code::HistoryUnavailable };
    Candidate::of(incident, log, code)
}

/// The secondary timed out: the reason that the primary's connection broke, and harmless itself.
fn inactive(incident: &Incident, log: &LogSummary) -> Candidate {
    let severity = Severity::Benign;
    Candidate { severity, ..Candidate::of(incident, log, Code::PeerBroken) }
}

/// gsyncd's own hint that ssh returned 127; it does not log the number itself.
fn misconfigured(incident: &Incident, log: &LogSummary) -> Candidate {
    let mut candidate = Candidate::of(incident, log, Code::SshKeyNoForcedCommand);
    candidate.seen.exit_code = Some(127);
    candidate
}

fn io_hint(incident: &Incident, log: &LogSummary) -> Candidate {
    let mut candidate = supporting(incident, log, Code::IoError);
    candidate.seen.errno = Some(Errno::EIO);
    candidate
}

fn hung(incident: &Incident, log: &LogSummary) -> Candidate {
    let words = "hung".to_owned();
    Candidate { words, ..Candidate::of(incident, log, Code::WorkerCrash) }
}

/// The name is taken by another file; the message has no error number.
fn rename_ignored(incident: &Incident, log: &LogSummary) -> Candidate {
    let mut candidate = Candidate::of(incident, log, Code::EntryGfidMismatch);
    candidate.seen.errno = Some(Errno::EEXIST);
    candidate
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
        let candidate = Candidate::of(incident, log, Code::MountbrokerBroken);
        return Candidate { severity, ..candidate };
    }
    let words = "stale mount".to_owned();
    Candidate { words, ..Candidate::of(incident, log, Code::ShutdownNoise) }
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
