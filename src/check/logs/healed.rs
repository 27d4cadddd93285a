//! Downgrades noise of stops; marks findings that the worker recovered from.

use super::candidate::Candidate;
use super::case::LogCase;
use crate::domain::{Code, Flag, Severity, Side, Time};
use crate::format::log_message::Message;

/// Seconds before and after a stop, start or configuration change in which its noise is logged:
/// the workers do not end at once.
const AROUND: (i64, i64) = (10, 10);

/// Downgrades to benign what a stop, start or configuration change explains, and to a warning a
/// stale handle that only the mount logged while gsyncd, which would have reported it, went on.
pub(super) fn excuse(candidate: &mut Candidate, case: &LogCase) {
    let of_mount = matches!(candidate.message, Message::RemoteOpFailed | Message::FuseFailed);
    if of_mount && candidate.code == Code::StaleHandle && case.saw_work() {
        candidate.severity = Severity::Warning;
    }
    let noise = candidate.code.is(Flag::StopNoise)
        || (candidate.code == Code::SecondaryUnreachableVolume
            && candidate.message == Message::RemoteOpFailed)
        || (candidate.code == Code::WorkerCrash && candidate.message == Message::WorkerDied);
    if !noise {
        return;
    }
    let explained =
        candidate.seen.moments.share_near(&case.interventions, AROUND.0, AROUND.1) > 0.99;
    if explained || candidate.code == Code::ShutdownNoise {
        candidate.severity = Severity::Benign;
    }
}

/// Whether a full crawl without a stime is the first one of a new session.
pub(super) fn is_first_crawl(candidate: &Candidate, case: &LogCase) -> bool {
    let histories: Vec<_> = case.histories_of(candidate).collect();
    let once = candidate.seen.count == 1 && histories.iter().all(|history| history.restarts == 0);
    candidate.message == Message::NoStime && once && case.was_created_before(candidate.seen.first)
}

/// Whether lookups that found nothing are ordinary. Every healthy create begins with one: if
/// replication was seen working, only gfids that were looked up again remain suspects.
pub(super) fn is_ordinary_lookup(candidate: &Candidate, case: &LogCase) -> bool {
    candidate.code == Code::MissingOnSecondary && case.saw_work()
}

/// Whether data that could not be sent at first was sent later: batches completed afterwards, and
/// no changelog of the worker was skipped.
pub(super) fn was_sent_after_all(
    candidate: &Candidate,
    others: &[Candidate],
    case: &LogCase,
) -> bool {
    let given_up = |other: &Candidate| {
        other.code == Code::ChangelogSkipped && other.may_share_worker(candidate)
    };
    let retried = candidate.code == Code::DataSyncFailed && candidate.severity == Severity::Loss;
    let later =
        |at: Option<Time>| at.is_some_and(|at| candidate.seen.last.is_some_and(|last| at > last));
    retried
        && !others.iter().any(given_up)
        && case.histories_of(candidate).any(|history| later(history.progress))
}

/// Whether the log shows that every worker concerned recovered: none is Faulty at the end, and each
/// that died made progress again. A fault that stops a start is overcome by a connection; any other
/// may come back with the next batch, so it needs a finished one.
pub(super) fn is_healed(candidate: &Candidate, case: &LogCase) -> bool {
    if candidate.severity != Severity::Fatal
        || candidate.side == Side::Secondary && case.histories.is_empty()
    {
        return false;
    }
    let Some(last) = candidate.seen.last else { return false };
    let starting = candidate.code.is(Flag::StopsStart);
    let after = |at: Option<Time>| at.is_some_and(|at| at > last);
    let mut seen = false;
    for history in case.histories_of(candidate) {
        let well = after(history.progress) || (starting && after(history.connected));
        let down = history.state.as_deref() == Some("Faulty");
        if down || (!well && history.died.is_some()) {
            return false;
        }
        seen |= well;
    }
    seen
}
