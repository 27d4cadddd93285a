//! One case: its logs, their workers, and what operators did.

use std::collections::BTreeMap;

use super::candidate::Candidate;
use crate::domain::{Name, Side, Time, TimeSet, Worker};
use crate::scan::logs::{LogSummary, WorkerHistories, WorkerHistory};

/// What the logs of one case show together.
#[derive(Debug, Default)]
pub(super) struct LogCase {
    /// Its directory, if several cases were read at once.
    case: Option<Name>,
    /// Workers by session and by directory: a node's logs are in one directory.
    pub(super) histories: BTreeMap<(Option<String>, Name), WorkerHistories>,
    /// The nodes that logs name, by directory.
    nodes: BTreeMap<Name, String>,
    /// When an operator stopped, started or reconfigured a session.
    pub(super) interventions: TimeSet,
    /// The latest time in any log.
    pub(super) end: Option<Time>,
    /// The earliest time in any log.
    pub(super) start: Option<Time>,
}

impl LogCase {
    /// Combines logs, oldest first. If they name one session only, all of them belong to it.
    pub(super) fn of(logs: &mut [&mut LogSummary]) -> Self {
        logs.sort_by_key(|log| log.first);
        let mut names: Vec<_> = logs.iter().filter_map(|log| log.session.clone()).collect();
        names.sort_unstable();
        names.dedup();
        if let [only] = names.as_slice() {
            for log in logs.iter_mut() {
                log.session = Some(only.clone());
            }
        }
        let case = logs.first().and_then(|log| log.case.clone());
        let mut all = Self { case, ..Self::default() };
        for log in logs.iter() {
            all.interventions.merge(&log.interventions);
            all.end = all.end.max(log.last);
            all.start = all.start.into_iter().chain(log.first).min();
            if log.side == Side::Secondary {
                continue;
            }
            if let Some(node) = &log.node {
                all.nodes.entry(log.folder.clone()).or_insert_with(|| node.clone());
            }
            if !log.histories.workers.is_empty() || log.histories.monitor.is_some() {
                let key = (log.session.clone(), log.folder.clone());
                all.histories.entry(key).or_default().append(log.histories.clone());
            }
        }
        all
    }

    /// The workers as the report lists them.
    pub(super) fn workers(&self) -> impl Iterator<Item = Worker> + '_ {
        self.histories.iter().flat_map(move |((session, folder), histories)| {
            histories.workers.iter().map(move |(brick, history)| Worker {
                case: self.case.clone(),
                session: session.clone(),
                node: self.nodes.get(folder).cloned(),
                brick: (!brick.is_empty()).then(|| brick.clone()),
                state: history.state.clone(),
                crawl: history.crawl.clone(),
                restarts: history.restarts,
                since: history.since,
            })
        })
    }

    /// The workers that a candidate may be about.
    pub(super) fn histories_of<'a>(
        &'a self,
        candidate: &'a Candidate,
    ) -> impl Iterator<Item = &'a WorkerHistory> {
        let histories = self.histories.iter().filter(move |((session, folder), _)| {
            fits(session.as_ref(), candidate.session.as_ref())
                && fits(self.nodes.get(folder), candidate.node.as_ref())
                && candidate.folder.as_ref().is_none_or(|own| own == folder)
        });
        let workers = histories.flat_map(|(_, histories)| histories.workers.iter());
        workers
            .filter(move |(brick, _)| {
                brick.is_empty() || fits(Some(*brick), candidate.worker.as_ref())
            })
            .map(|(_, history)| history)
    }

    /// Whether replication was seen working: some worker reached the other side.
    pub(super) fn saw_work(&self) -> bool {
        let workers = self.histories.values().flat_map(|histories| histories.workers.values());
        workers.into_iter().any(|history| history.progress.is_some() || history.connected.is_some())
    }

    /// Whether a log shows the creation of the session before that time.
    pub(super) fn was_created_before(&self, at: Option<Time>) -> bool {
        let created = self.histories.values().filter_map(|histories| histories.created);
        created.into_iter().any(|created| at.is_some_and(|at| at >= created))
    }
}

/// Whether two names can be the same: an unknown one may be any.
fn fits(one: Option<&String>, two: Option<&String>) -> bool {
    one.is_none() || two.is_none() || one == two
}
