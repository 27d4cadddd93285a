//! Findings that no line reports: only the history of the whole session shows them.

use super::candidate::Candidate;
use super::case::LogCase;
use crate::domain::{Code, Name, Observed, SourceKind, Time};
use crate::scan::logs::{LogSummary, WorkerHistories};

/// Seconds of log after `create` without any worker: a `start` would have logged one by then.
const UNSTARTED: i64 = 20;

/// The session's own findings, attributed to the gsyncd log of its node.
pub(super) fn session_findings(logs: &[&mut LogSummary], case: &LogCase) -> Vec<Candidate> {
    let mut found = Vec::new();
    for ((session, folder), workers) in &case.histories {
        let Some(log) = gsyncd_log(logs, session.as_ref(), folder) else { continue };
        found.extend(never_started(log, workers, case.end));
        found.extend(crawl_restarts(log, workers));
    }
    found
}

fn gsyncd_log<'a>(
    logs: &'a [&mut LogSummary],
    session: Option<&String>,
    folder: &Name,
) -> Option<&'a LogSummary> {
    let of_session = |log: &&&mut LogSummary| {
        log.session.as_ref() == session
            && log.folder == *folder
            && log.kind == Some(SourceKind::PrimaryGsyncd)
    };
    logs.iter().find(of_session).map(|log| &**log)
}

/// The session is still `Created`, and no worker has started or shown a state.
fn never_started(
    log: &LogSummary,
    workers: &WorkerHistories,
    end: Option<Time>,
) -> Option<Candidate> {
    let (created, _) = workers.monitor.as_ref().filter(|(_, state)| state == "Created")?;
    let silent = workers.workers.values().all(|it| it.starts == 0 && it.state.is_none());
    if !silent || end?.secs() - created.secs() < UNSTARTED {
        return None;
    }
    let seen = Observed { count: 1, first: Some(*created), last: end, ..Observed::default() };
    Some(Candidate { seen, ..Candidate::without_line(log, Code::WorkerNeverStarted) })
}

/// Workers that died and began a full crawl at least twice.
fn crawl_restarts(log: &LogSummary, workers: &WorkerHistories) -> Vec<Candidate> {
    let restarted = workers.workers.iter().filter(|(_, it)| it.full_crawls >= 2 && it.restarts > 0);
    let candidate = |(brick, it): (&String, &crate::scan::logs::WorkerHistory)| Candidate {
        worker: (!brick.is_empty()).then(|| brick.clone()),
        seen: Observed { count: it.full_crawls, last: it.died, ..Observed::default() },
        ..Candidate::without_line(log, Code::HybridCrawlRestarting)
    };
    restarted.map(candidate).collect()
}
