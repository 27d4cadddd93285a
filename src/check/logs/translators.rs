//! What messages of mounts, bricks and libgfchangelog mean: faults of the volume itself.

use super::candidate::Candidate;
use super::entry_code::entry_code;
use crate::domain::{Code, Severity, Side};
use crate::format::log_message::Message;
use crate::scan::logs::{Incident, LogSummary};

/// What an incident of a C program's log means.
pub(super) fn candidate(incident: &Incident, log: &LogSummary) -> Option<Candidate> {
    let candidate = |code| Candidate::of(incident, log, code);
    Some(match incident.message {
        Message::RemoteOpFailed => remote_op(incident, log)?,
        Message::FuseFailed => fuse(incident, log)?,
        Message::DhtGfidDiffers => candidate(Code::DhtGfidDiffers),
        Message::SplitBrain => candidate(Code::SplitBrain),
        Message::SplitBrainNoise => Candidate { supports: true, ..candidate(Code::SplitBrain) },
        Message::HistoryIndexBroken => history_index(incident, log),
        Message::ChangelogBroken => Candidate {
            supports: true,
            severity: Severity::Loss,
            side: Side::Primary,
            ..candidate(Code::HistoryUnavailable)
        },
        Message::HandleMissing => candidate(Code::HandleMissingLogged),
        Message::AllBricksDown => {
            Candidate { supports: true, ..candidate(Code::SecondaryUnreachableVolume) }
        }
        // Messages of gsyncd, glusterd and the command line are read elsewhere.
        _ => return None,
    })
}

/// A failed operation of a client; what a lookup did not find is only a suspect.
fn remote_op(incident: &Incident, log: &LogSummary) -> Option<Candidate> {
    let code = match incident.seen.errno?.0 {
        2 if incident.side == Side::Primary => return None,
        2 => Code::MissingOnSecondary,
        107 | 103 if incident.side == Side::Primary => {
            let candidate = of_mount(incident, log, Code::IoError);
            return Some(Candidate { severity: Severity::Warning, ..candidate });
        }
        116 => Code::StaleHandle,
        107 | 103 => Code::SecondaryUnreachableVolume,
        5 => Code::IoError,
        number @ (1 | 13 | 16 | 28 | 30 | 39 | 122) => by_entry(number),
        _ => return None,
    };
    Some(of_mount(incident, log, code))
}

/// A failed operation of a mount; outside gsyncd's paths only what breaks a volume counts.
fn fuse(incident: &Incident, log: &LogSummary) -> Option<Candidate> {
    let ours = incident.words == b"gsyncd";
    let attribute = incident.seen.op.as_deref().is_some_and(|op| op.contains("XATTR"));
    let code = match incident.seen.errno?.0 {
        116 => Code::StaleHandle,
        107 | 103 => Code::SecondaryUnreachableVolume,
        5 => Code::IoError,
        number @ (1 | 13 | 16 | 28 | 30 | 39 | 122) if ours && !attribute => by_entry(number),
        _ => return None,
    };
    Some(of_mount(incident, log, code))
}

fn by_entry(number: i32) -> Code {
    entry_code(None, Some(crate::domain::Errno(number)), false)
}

/// A fault that a mount logged. A lookup of an unknown side fails on the secondary: gsyncd's mounts
/// look up gfids there.
fn of_mount(incident: &Incident, log: &LogSummary, code: Code) -> Candidate {
    let supports = code != Code::MissingOnSecondary;
    let mut candidate = Candidate { supports, ..Candidate::of(incident, log, code) };
    candidate.seen.parent = None;
    if candidate.side == Side::Both && code == Code::MissingOnSecondary {
        candidate.side = Side::Secondary;
    }
    candidate
}

/// The index cannot answer: the range is missing, which a full crawl makes up for in part, or the
/// index is broken.
fn history_index(incident: &Incident, log: &LogSummary) -> Candidate {
    let range = incident.words.starts_with(b"Requested changelog");
    let code = if range { Code::HistoryPartial } else { Code::HistoryUnavailable };
    let brick = log.path.lossy().contains("/bricks/");
    let severity = if brick { Severity::Loss } else { code.severity() };
    Candidate {
        supports: true,
        severity,
        side: Side::Primary,
        ..Candidate::of(incident, log, code)
    }
}
