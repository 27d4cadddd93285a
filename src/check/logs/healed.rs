//! What is over: noise that a stop explains, and failures after which the worker went on well.

use super::candidate::Candidate;
use super::case::LogCase;
use crate::domain::{Code, Flag, Severity, Side, Time};
use crate::format::log_message::Message;

/// Seconds around a stop, start or configuration change in which its noise is logged.
const AROUND: (i64, i64) = (10, 10);

/// Makes benign what a stop, start or configuration change explains, and a warning what a mount
/// met once while gsyncd, which would have said so, went on.
pub(super) fn excuse(draft: &mut Candidate, scene: &LogCase) {
    let of_mount = matches!(draft.saying, Message::RemoteOpFailed | Message::FuseFailed);
    if of_mount && draft.code == Code::StaleHandle && scene.saw_work() {
        draft.severity = Severity::Warning;
    }
    let noise = draft.code.is(Flag::StopNoise)
        || (draft.code == Code::SecondaryUnreachableVolume
            && draft.saying == Message::RemoteOpFailed)
        || (draft.code == Code::WorkerCrash && draft.saying == Message::WorkerDied);
    if !noise {
        return;
    }
    let explained = draft.moments.share_near(&scene.handled, AROUND.0, AROUND.1) > 0.99;
    if explained || draft.code == Code::ShutdownNoise {
        draft.severity = Severity::Benign;
    }
}

/// Whether a full crawl for want of a stime is a new session's first one.
pub(super) fn is_first_crawl(draft: &Candidate, scene: &LogCase) -> bool {
    let tracks: Vec<_> = scene.tracks_of(draft).collect();
    let once = draft.count == 1 && tracks.iter().all(|track| track.restarts == 0);
    draft.saying == Message::NoStime && once && scene.was_created_before(draft.first)
}

/// A gfid looked up once and not found is how every healthy create begins: where replication was
/// seen at work, only those looked for again remain suspects.
pub(super) fn is_ordinary_lookup(draft: &Candidate, scene: &LogCase) -> bool {
    draft.code == Code::MissingOnSecondary && scene.saw_work()
}

/// Data that could not be sent at first, and was: batches went through afterwards, and no
/// changelog of the worker was given up.
pub(super) fn was_sent_after_all(draft: &Candidate, others: &[Candidate], scene: &LogCase) -> bool {
    let given_up =
        |other: &Candidate| other.code == Code::ChangelogSkipped && other.may_share_worker(draft);
    let retried = draft.code == Code::DataSyncFailed && draft.severity == Severity::Loss;
    let later = |at: Option<Time>| at.is_some_and(|at| draft.last.is_some_and(|last| at > last));
    retried
        && !others.iter().any(given_up)
        && scene.tracks_of(draft).any(|track| later(track.progress))
}

/// Whether the log shows that it went on well afterwards.
pub(super) fn is_healed(draft: &Candidate, scene: &LogCase) -> bool {
    if draft.severity != Severity::Fatal || draft.side == Side::Secondary && scene.tracks.is_empty()
    {
        return false;
    }
    let Some(last) = draft.last else { return false };
    let starting = draft.code.is(Flag::StopsStart);
    let after = |at: Option<Time>| at.is_some_and(|at| at > last);
    let mut seen = false;
    for track in scene.tracks_of(draft) {
        let well = after(track.progress) || (starting && after(track.connected));
        let down = track.state.as_deref() == Some("Faulty");
        if down || (!well && track.died.is_some()) {
            return false;
        }
        seen |= well;
    }
    seen
}
