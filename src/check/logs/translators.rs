//! What mounts, bricks and libgfchangelog say: the volume's own troubles.

use super::candidate::Candidate;
use super::gsyncd::entry_code;
use crate::domain::{Code, Severity, Side};
use crate::format::log_message::Message;
use crate::scan::logs::{Incident, LogSummary};

/// What an incident of a C program's log means.
pub(super) fn read(incident: &Incident, told: &LogSummary) -> Option<Candidate> {
    let draft = |code| Candidate::of(incident, told, code);
    Some(match incident.saying {
        Message::RemoteOpFailed => remote_op(incident, told)?,
        Message::FuseFailed => fuse(incident, told)?,
        Message::DhtGfidDiffers => draft(Code::DhtGfidDiffers),
        Message::SplitBrain => draft(Code::SplitBrain),
        Message::SplitBrainNoise => Candidate { supports: true, ..draft(Code::SplitBrain) },
        Message::HistoryIndexBroken => history_index(incident, told),
        Message::ChangelogBroken => Candidate {
            supports: true,
            severity: Severity::Loss,
            side: Side::Primary,
            ..draft(Code::HistoryUnavailable)
        },
        Message::HandleMissing => draft(Code::HandleMissingLogged),
        Message::AllBricksDown => {
            Candidate { supports: true, ..draft(Code::SecondaryUnreachableVolume) }
        }
        _ => return None,
    })
}

/// A failed operation of a client; what a look-up did not find is only a suspect.
fn remote_op(incident: &Incident, told: &LogSummary) -> Option<Candidate> {
    let code = match incident.errno?.0 {
        2 if incident.side == Side::Primary => return None,
        2 => Code::MissingOnSecondary,
        107 | 103 if incident.side == Side::Primary => {
            let draft = own(incident, told, Code::IoError);
            return Some(Candidate { severity: Severity::Warning, ..draft });
        }
        116 => Code::StaleHandle,
        107 | 103 => Code::SecondaryUnreachableVolume,
        5 => Code::IoError,
        number @ (1 | 13 | 16 | 28 | 30 | 39 | 122) => by_entry(number),
        _ => return None,
    };
    Some(own(incident, told, code))
}

/// A failed operation of a mount; on paths that are not gsyncd's only what breaks volumes counts.
fn fuse(incident: &Incident, told: &LogSummary) -> Option<Candidate> {
    let ours = incident.words == b"gsyncd";
    let attribute = incident.op.as_deref().is_some_and(|op| op.contains("XATTR"));
    let code = match incident.errno?.0 {
        116 => Code::StaleHandle,
        107 | 103 => Code::SecondaryUnreachableVolume,
        5 => Code::IoError,
        number @ (1 | 13 | 16 | 28 | 30 | 39 | 122) if ours && !attribute => by_entry(number),
        _ => return None,
    };
    Some(own(incident, told, code))
}

fn by_entry(number: i32) -> Code {
    entry_code(None, Some(crate::domain::Errno(number)), false)
}

/// A mount's log of no known side: an entry that fails on a gsyncd mount fails on the secondary.
fn own(incident: &Incident, told: &LogSummary, code: Code) -> Candidate {
    let supports = code != Code::MissingOnSecondary;
    let mut draft = Candidate { parent: None, supports, ..Candidate::of(incident, told, code) };
    if draft.side == Side::Both && code == Code::MissingOnSecondary {
        draft.side = Side::Secondary;
    }
    draft
}

/// The index cannot answer: for want of a range, which a full crawl makes good in part, or
/// because it is broken.
fn history_index(incident: &Incident, told: &LogSummary) -> Candidate {
    let range = incident.words.starts_with(b"Requested changelog");
    let code = if range { Code::HistoryPartial } else { Code::HistoryUnavailable };
    let brick = told.path.lossy().contains("/bricks/");
    let severity = if brick { Severity::Loss } else { code.severity() };
    Candidate {
        supports: true,
        severity,
        side: Side::Primary,
        ..Candidate::of(incident, told, code)
    }
}
