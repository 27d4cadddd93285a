//! Settles what only corroborates: it joins the candidate it supports, or becomes its own.
//!
//! One fault is often logged several times: by the worker and the monitor, by gsyncd and its
//! mount, on both sides of a call. Only one finding must remain, with the count of the first.

use super::candidate::Candidate;
use crate::domain::{Code, Flag, Severity, Side, TimeSet};
use crate::format::log_message::Message;

/// Merges supporting candidates into those they support, drops echoes, keeps the rest.
pub(super) fn settle(candidates: Vec<Candidate>) -> Vec<Candidate> {
    let (supporting, mut own): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|c| c.supports);
    join_both_sides(&mut own);
    for candidate in supporting {
        if is_echo_of_any(&candidate, &own) {
            continue;
        }
        let target = own.iter().position(|other| is_supported(&candidate, other));
        match target.and_then(|index| own.get_mut(index)) {
            Some(other) if other.code == candidate.code => other.corroborate(candidate),
            Some(_) => {}
            None => own.push(unsupported(candidate)),
        }
    }
    drop_echoes(own)
}

/// Whether a candidate only repeats what the other reports.
fn is_supported(candidate: &Candidate, other: &Candidate) -> bool {
    if !candidate.may_share_worker(other) {
        return false;
    }
    let near =
        |before, after| candidate.seen.moments.share_near(&other.seen.moments, before, after) > 0.5;
    match candidate.message {
        Message::FixFailed => other.code.is(Flag::Entry) && near(30, 30),
        // Logged right below the entry's own line.
        Message::DirectoryStops => other.code == candidate.code && near(3, 3),
        // A mount repeats a lasting fault only now and then: one common minute is enough.
        Message::RemoteOpFailed | Message::FuseFailed => {
            other.code == candidate.code
                && (candidate.side == other.side || other.side == Side::Both)
                && other.seen.moments.near(&candidate.seen.moments, 60, 60)
        }
        Message::RetriesExhausted => other.code == candidate.code && near(30, 30),
        // Any other supporting message has a code of its own cause, whenever it was logged.
        _ => other.code == candidate.code,
    }
}

/// Whether a line only repeats that something failed: another process's exception, a death. It
/// counts if nothing else happened at that time.
fn is_echo_of_any(candidate: &Candidate, own: &[Candidate]) -> bool {
    let by_ssh = candidate.code == Code::SshUnreachable;
    let (before, after) = match candidate.message {
        Message::CallFailed => (3, 3),
        // The monitor notices a death with a delay.
        Message::WorkerDied => (15, 2),
        Message::CommandFailed if by_ssh => (5, 5),
        // Every other message has information of its own.
        _ => return false,
    };
    let mut moments = TimeSet::default();
    for other in own.iter().filter(|other| other.may_share_worker(candidate)) {
        let grave = other.severity <= Severity::Loss || other.relayed;
        if if by_ssh { other.code.is(Flag::Ssh) } else { grave } {
            moments.merge(&other.seen.moments);
        }
    }
    candidate.seen.moments.share_near(&moments, before, after) > 0.8
}

/// A supporting candidate without anything to support is a finding of its own.
fn unsupported(candidate: Candidate) -> Candidate {
    let words = match candidate.message {
        Message::CallFailed => "an exception on the other side".to_owned(),
        Message::WorkerDied => "died without an error message".to_owned(),
        _ => candidate.words.clone(),
    };
    Candidate { supports: false, words, ..candidate }
}

/// An exception that came through a call is the other side's: what both logs report is one
/// finding of both sides.
fn join_both_sides(candidates: &mut Vec<Candidate>) {
    let mut index = 0;
    while let Some(candidate) = candidates.get(index) {
        let source = candidates.iter().position(|other| raised(candidate, other));
        let Some(source) = source.filter(|source| *source != index) else {
            index += 1;
            continue;
        };
        let relayed = candidates.remove(index);
        if let Some(source) = candidates.get_mut(source - usize::from(source > index)) {
            source.corroborate(relayed);
            source.side = Side::Both;
        }
    }
}

/// Whether the secondary's candidate is what the primary's one saw through a call or mount.
fn raised(effect: &Candidate, source: &Candidate) -> bool {
    let mount_gone = effect.message == Message::MountGone && effect.side == Side::Primary;
    (effect.relayed || mount_gone)
        && matches!(source.message, Message::CallRaised | Message::MountGone)
        && source.side == Side::Secondary
        && source.code == effect.code
        && effect.may_share_worker(source)
        && effect.seen.moments.near(&source.seen.moments, 5, 5)
}

/// Drops conflicts that gsyncd tried to resolve but that then failed: the failure is reported.
fn drop_echoes(candidates: Vec<Candidate>) -> Vec<Candidate> {
    let failed: Vec<_> = candidates
        .iter()
        .filter(|candidate| candidate.message == Message::EntryFailed)
        .map(|it| (it.case.clone(), it.worker.clone(), it.seen.moments.clone()))
        .collect();
    let is_echo = |candidate: &Candidate| {
        candidate.code == Code::GfidConflictFixed
            && failed.iter().any(|(case, worker, moments)| {
                *case == candidate.case
                    && *worker == candidate.worker
                    // All of its rounds must end in a failure within gsyncd's retries.
                    && candidate.seen.moments.share_near(moments, 1, 30) > 0.99
            })
    };
    candidates.into_iter().filter(|candidate| !is_echo(candidate)).collect()
}
