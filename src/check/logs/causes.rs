//! Links findings to their causes: the other side's exception, a missing parent, a refusal.

use std::collections::{HashMap, HashSet};

use super::candidate::Candidate;
use crate::domain::{Code, Flag, Gfid, Severity, Side};
use crate::format::log_message::Message;

/// Seconds before and after an effect in which its cause on another node may be logged: clocks
/// differ by a second or two, and the effect is often logged first.
const SAME: (i64, i64) = (3, 5);
/// A lasting fault of a volume is logged when it is first met and then only now and then, so its
/// line may be two minutes older than the effect.
const LASTING: (i64, i64) = (120, 5);
/// gsyncd sends a changelog again for some time before it gives up: a minute either way.
const RETRIES: (i64, i64) = (60, 60);
/// A monitor waits a minute for a worker to confirm its start, then kills it as hung.
const HANG: (i64, i64) = (90, 5);
/// The share of an effect's repeats that must have the cause near them; a fifth, since a log
/// counts a lasting fault less often than what it breaks.
const LEAST_SHARE: f64 = 0.2;

/// Links each candidate to the candidate that caused it.
pub(super) fn link_causes(candidates: &mut [Candidate]) {
    let failed = directories_that_failed(candidates);
    let mut found = Vec::with_capacity(candidates.len());
    for (index, effect) in candidates.iter().enumerate() {
        let parent =
            parent_of(effect).and_then(|parent| failed.get(&(effect.case.clone(), parent)));
        let parent = parent.copied().filter(|&cause| cause != index);
        let parent = parent.or_else(|| known_failure(candidates, effect));
        found.push(parent.or_else(|| strongest(candidates, index, effect)));
    }
    for (candidate, cause) in candidates.iter_mut().zip(found) {
        candidate.cause = cause;
    }
    cut_cycles(candidates);
}

/// The entry failure that most of the gfids of a failed lookup belong to.
fn known_failure(candidates: &[Candidate], effect: &Candidate) -> Option<usize> {
    if effect.code != Code::MissingOnSecondary || effect.severity == Severity::Benign {
        return None;
    }
    candidates.iter().position(|cause| {
        let of_entries = cause.code.is(Flag::Entry) && cause.case == effect.case;
        let failed: HashSet<_> = cause.seen.gfids.iter().collect();
        let known = effect.seen.gfids.iter().filter(|gfid| failed.contains(gfid)).count();
        // Half of them: a lookup finding also collects gfids of other failures.
        of_entries && known * 2 >= effect.seen.gfids.len() && known > 0
    })
}

/// The cause that explains an effect best: by the strength of the rule, then by time.
fn strongest(candidates: &[Candidate], index: usize, effect: &Candidate) -> Option<usize> {
    let rules: Vec<_> = RULES.iter().filter(|rule| rule.effects.contains(&effect.code)).collect();
    if rules.is_empty() {
        return None;
    }
    let mut best: Option<(u8, f64, usize)> = None;
    for (other, cause) in candidates.iter().enumerate() {
        let Some(rule) = rules.iter().find(|rule| (rule.fits)(cause, effect)) else { continue };
        // What is excused explains nothing, but a secondary that timed out explains the break.
        let counts = cause.severity != Severity::Benign || cause.message == Message::Inactive;
        if other == index || !counts || !cause.may_share_worker(effect) {
            continue;
        }
        let share = match rule.window {
            Some((before, after)) => {
                effect.seen.moments.share_near(&cause.seen.moments, before, after)
            }
            None => 1.0,
        };
        if share < LEAST_SHARE {
            continue;
        }
        if best.is_none_or(|(strength, near, _)| (rule.strength, share) > (strength, near)) {
            best = Some((rule.strength, share, other));
        }
    }
    best.map(|(_, _, cause)| cause)
}

/// Seconds before and after the effect in which the cause must be logged; `None` if it may be
/// any time.
type Window = Option<(i64, i64)>;

/// Findings of these codes are explained by a cause that fits.
struct Rule {
    effects: &'static [Code],
    /// The more certain explanation wins: 9 is the effect's own error seen from the other side, 4
    /// a frequent neighbour.
    strength: u8,
    window: Window,
    fits: fn(&Candidate, &Candidate) -> bool,
}

const fn rule(
    effects: &'static [Code],
    strength: u8,
    window: Window,
    fits: fn(&Candidate, &Candidate) -> bool,
) -> Rule {
    Rule { effects, strength, window, fits }
}

/// The first rule that fits a pair counts, so stronger ones of an effect come first.
const RULES: &[Rule] = {
    use Code as C;
    &[
        rule(&[C::PeerBroken, C::RemoteCliFailed], 9, Some(SAME), |cause, _| {
            cause.code.is(Flag::Ssh)
        }),
        rule(&[C::PeerBroken, C::AgentDied, C::ChangelogRegisterFailed], 8, Some(SAME), |it, _| {
            it.code == C::LibgfchangelogMissing
        }),
        rule(&[C::PeerBroken], 7, Some(SAME), |cause, effect| {
            effect.side == Side::Primary && speaks_for_secondary(cause)
        }),
        rule(&[C::PeerBroken], 6, Some(SAME), |cause, effect| {
            effect.side == Side::Primary
                && cause.code == C::PeerBroken
                && cause.message == Message::Inactive
        }),
        rule(&[C::PeerBroken], 5, Some(SAME), |cause, _| {
            matches!(
                cause.code,
                C::PythonIncompatible | C::GlusterBinaryMissing | C::RemoteCliFailed
            )
        }),
        rule(&[C::IoError, C::StaleHandle], 7, Some(LASTING), |cause, _| {
            matches!(cause.code, C::SplitBrain | C::DhtGfidDiffers)
        }),
        // The mount's own log, which names no worker, explains what gsyncd saw of it.
        rule(&[C::SecondaryUnreachableVolume], 5, Some(LASTING), |cause, effect| {
            cause.code == effect.code && effect.worker.is_some() && cause.worker.is_none()
        }),
        rule(&[C::ChangelogSkipped], 8, None, |cause, _| cause.code == C::DataSyncFailed),
        rule(&[C::ChangelogSkipped, C::DataSyncFailed], 6, Some(RETRIES), |cause, _| {
            cause.code == C::InternalXattrNoise
        }),
        rule(&[C::DataSyncFailed], 6, Some(SAME), |cause, _| cause.code.is(Flag::Ssh)),
        rule(&[C::DataSyncFailed], 4, Some(RETRIES), |cause, _| cause.code == C::EntryFailed),
        rule(&[C::HybridCrawlRestarting], 5, None, |cause, effect| {
            cause.worker == effect.worker && cause.severity == Severity::Fatal
        }),
        rule(&[C::WorkerNeverStarted], 8, None, |cause, _| {
            matches!(cause.code, C::GsyncdConfigUnavailable | C::SessionHalfCreated)
        }),
        rule(&[C::WorkerNeverStarted], 7, None, |cause, _| {
            matches!(cause.code, C::PythonIncompatible | C::RemoteCliFailed)
        }),
        rule(&[C::SessionNotRunning, C::StatusFileMissing], 6, None, |cause, _| {
            cause.code == C::SessionHalfCreated
        }),
        rule(&[C::GsyncdConfigUnavailable], 7, None, |it, _| it.code == C::PythonIncompatible),
        rule(&[C::WorkerCrash], 6, Some(HANG), |cause, effect| {
            effect.words == "hung" && cause.code.is(Flag::Ssh)
        }),
    ]
};

/// Whether a candidate is an error on the secondary that ends its gsyncd or the call.
fn speaks_for_secondary(cause: &Candidate) -> bool {
    let counts =
        !matches!(cause.code, Code::MissingOnSecondary | Code::PeerBroken | Code::ShutdownNoise);
    cause.side != Side::Primary && counts && cause.severity != Severity::Warning
        || (cause.code == Code::SecondaryUnreachableVolume && cause.severity == Severity::Fatal)
}

/// The directories that could not be created, by gfid, with the candidate that reports it.
fn directories_that_failed(
    candidates: &[Candidate],
) -> HashMap<(Option<crate::domain::Name>, Gfid), usize> {
    let mut failed = HashMap::new();
    for (index, candidate) in candidates.iter().enumerate() {
        let directory = matches!(candidate.code, Code::EntryMkdirFailed)
            || (candidate.code == Code::EntryGfidMismatch && candidate.side != Side::Both);
        if directory {
            for gfid in &candidate.seen.gfids {
                failed.entry((candidate.case.clone(), *gfid)).or_insert(index);
            }
        }
    }
    failed
}

/// The missing parent because of which a candidate's entries failed.
fn parent_of(candidate: &Candidate) -> Option<Gfid> {
    match candidate.code {
        Code::EntryParentMissing => candidate.seen.parent,
        Code::EntryMkdirFailed if candidate.seen.errno.is_some_and(|errno| errno.0 != 17) => {
            candidate.seen.entries.first().and_then(|entry| entry.parent)
        }
        _ => None,
    }
}

/// Two candidates that seem to cause each other have another cause: unlinks them.
fn cut_cycles(candidates: &mut [Candidate]) {
    for start in 0..candidates.len() {
        let mut seen = HashSet::new();
        let mut next = Some(start);
        while let Some(index) = next {
            if !seen.insert(index) {
                if let Some(candidate) = candidates.get_mut(index) {
                    candidate.cause = None;
                }
                break;
            }
            next = candidates.get(index).and_then(|candidate| candidate.cause);
        }
    }
}
