//! What caused what: the exception on the other side, the parent that is missing, the refusal.

use std::collections::{HashMap, HashSet};

use super::candidate::{Candidate, is_entry_code};
use crate::domain::{Code, Gfid, Severity, Side};
use crate::format::log_message::Message;

/// Seconds before and after an effect in which a cause on the other node may be logged: clocks
/// differ a little, and the effect is often written first.
const SAME: (i64, i64) = (3, 5);
/// A volume's trouble is logged when it is first met, and again only now and then.
const LASTING: (i64, i64) = (120, 5);

/// Links each draft to the draft that caused it.
pub(super) fn link(drafts: &mut [Candidate]) {
    let failed = directories_that_failed(drafts);
    let mut found = Vec::with_capacity(drafts.len());
    for (index, effect) in drafts.iter().enumerate() {
        let parent =
            parent_of(effect).and_then(|parent| failed.get(&(effect.case.clone(), parent)));
        let parent = parent.copied().filter(|&cause| cause != index);
        let parent = parent.or_else(|| known_failure(drafts, effect));
        found.push(parent.or_else(|| strongest(drafts, index, effect)));
    }
    for (draft, cause) in drafts.iter_mut().zip(found) {
        draft.cause = cause;
    }
    cut_cycles(drafts);
}

/// The failure that most of the gfids belong to which a look-up did not find.
fn known_failure(drafts: &[Candidate], effect: &Candidate) -> Option<usize> {
    if effect.code != Code::MissingOnSecondary || effect.severity == Severity::Benign {
        return None;
    }
    drafts.iter().position(|cause| {
        let of_entries = is_entry_code(cause.code) && cause.case == effect.case;
        let failed: HashSet<_> = cause.gfids.iter().collect();
        let known = effect.gfids.iter().filter(|gfid| failed.contains(gfid)).count();
        of_entries && known * 2 >= effect.gfids.len() && known > 0
    })
}

/// The cause that explains an effect best: by the strength of the rule, then by time.
fn strongest(drafts: &[Candidate], index: usize, effect: &Candidate) -> Option<usize> {
    if !may_have_cause(effect.code) {
        return None;
    }
    let mut best: Option<(u8, f64, usize)> = None;
    for (other, cause) in drafts.iter().enumerate() {
        let counts = cause.severity != Severity::Benign || cause.saying == Message::Inactive;
        let Some((strength, window)) = rule(cause, effect) else { continue };
        if other == index || !counts || !cause.may_share_worker(effect) {
            continue;
        }
        let share = match window {
            Some((before, after)) => effect.moments.share_near(&cause.moments, before, after),
            None => 1.0,
        };
        if share < 0.2 {
            continue;
        }
        if best.is_none_or(|(s, near, _)| (strength, share) > (s, near)) {
            best = Some((strength, share, other));
        }
    }
    best.map(|(_, _, cause)| cause)
}

type Window = Option<(i64, i64)>;

/// Whether any rule below explains findings of this code.
fn may_have_cause(code: Code) -> bool {
    matches!(
        code,
        Code::PeerBroken
            | Code::RemoteCliFailed
            | Code::AgentDied
            | Code::IoError
            | Code::StaleHandle
            | Code::SecondaryUnreachableVolume
            | Code::ChangelogSkipped
            | Code::DataSyncFailed
            | Code::ChangelogRegisterFailed
            | Code::HybridCrawlRestarting
            | Code::WorkerNeverStarted
            | Code::SessionNotRunning
            | Code::StatusFileMissing
            | Code::GsyncdConfigUnavailable
            | Code::WorkerCrash
    )
}

/// How strongly one code explains another, and how near in time it must be.
fn rule(cause: &Candidate, effect: &Candidate) -> Option<(u8, Window)> {
    use Code as C;
    let ssh =
        matches!(cause.code, C::SshKeyNoForcedCommand | C::SshAuthRefused | C::SshUnreachable);
    match (effect.code, cause.code) {
        (C::PeerBroken | C::RemoteCliFailed, _) if ssh => Some((9, Some(SAME))),
        (C::PeerBroken | C::AgentDied, C::LibgfchangelogMissing) => Some((8, Some(SAME))),
        (C::PeerBroken, _) if effect.side == Side::Primary && speaks_for_secondary(cause) => {
            Some((7, Some(SAME)))
        }
        (C::PeerBroken, C::PeerBroken) if effect.side == Side::Primary => {
            (cause.saying == Message::Inactive).then_some((6, Some(SAME)))
        }
        (C::PeerBroken, C::PythonIncompatible | C::GlusterBinaryMissing | C::RemoteCliFailed) => {
            Some((5, Some(SAME)))
        }
        (C::IoError | C::StaleHandle, C::SplitBrain | C::DhtGfidDiffers) => {
            Some((7, Some(LASTING)))
        }
        (C::SecondaryUnreachableVolume, C::SecondaryUnreachableVolume) => {
            let (from_log, from_mount) = (effect.worker.is_some(), cause.worker.is_none());
            (from_log && from_mount).then_some((5, Some(LASTING)))
        }
        (C::ChangelogSkipped, C::DataSyncFailed) => Some((8, None)),
        (C::ChangelogSkipped | C::DataSyncFailed, C::InternalXattrNoise) => {
            Some((6, Some((60, 60))))
        }
        (C::DataSyncFailed, _) if ssh => Some((6, Some(SAME))),
        (C::DataSyncFailed, C::EntryFailed) => Some((4, Some((60, 60)))),
        (C::ChangelogRegisterFailed, C::LibgfchangelogMissing) => Some((8, Some(SAME))),
        (C::HybridCrawlRestarting, _) if cause.worker == effect.worker => {
            (cause.severity == Severity::Fatal).then_some((5, None))
        }
        (C::WorkerNeverStarted, C::GsyncdConfigUnavailable | C::SessionHalfCreated) => {
            Some((8, None))
        }
        (C::WorkerNeverStarted, C::PythonIncompatible | C::RemoteCliFailed) => Some((7, None)),
        (C::SessionNotRunning | C::StatusFileMissing, C::SessionHalfCreated) => Some((6, None)),
        (C::GsyncdConfigUnavailable, C::PythonIncompatible) => Some((7, None)),
        (C::WorkerCrash, _) if ssh && effect.words == "hung" => Some((6, Some((90, 5)))),
        _ => None,
    }
}

/// Whether a draft tells of an error on the secondary that ends its gsyncd or its answer.
fn speaks_for_secondary(cause: &Candidate) -> bool {
    let counts =
        !matches!(cause.code, Code::MissingOnSecondary | Code::PeerBroken | Code::ShutdownNoise);
    cause.side != Side::Primary && counts && cause.severity != Severity::Warning
        || (cause.code == Code::SecondaryUnreachableVolume && cause.severity == Severity::Fatal)
}

/// The directories that could not be made, by gfid, and the drafts that say so.
fn directories_that_failed(
    drafts: &[Candidate],
) -> HashMap<(Option<crate::domain::Name>, Gfid), usize> {
    let mut failed = HashMap::new();
    for (index, draft) in drafts.iter().enumerate() {
        let directory = matches!(draft.code, Code::EntryMkdirFailed)
            || (draft.code == Code::EntryGfidMismatch && draft.side != Side::Both);
        if directory {
            for gfid in &draft.gfids {
                failed.entry((draft.case.clone(), *gfid)).or_insert(index);
            }
        }
    }
    failed
}

/// The parent for want of which a draft's entries failed.
fn parent_of(draft: &Candidate) -> Option<Gfid> {
    match draft.code {
        Code::EntryParentMissing => draft.parent,
        Code::EntryMkdirFailed if draft.errno.is_some_and(|errno| errno.0 != 17) => {
            draft.entries.first().and_then(|entry| entry.parent)
        }
        _ => None,
    }
}

/// Two drafts that seem to cause each other have some other cause.
fn cut_cycles(drafts: &mut [Candidate]) {
    for start in 0..drafts.len() {
        let mut seen = HashSet::new();
        let mut next = Some(start);
        while let Some(index) = next {
            if !seen.insert(index) {
                if let Some(draft) = drafts.get_mut(index) {
                    draft.cause = None;
                }
                break;
            }
            next = drafts.get(index).and_then(|draft| draft.cause);
        }
    }
}
