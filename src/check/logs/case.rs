//! One case: the logs that belong together, their workers, and what was done to them by hand.

use std::collections::BTreeMap;

use super::candidate::Candidate;
use crate::domain::{Name, Side, Time, TimeSet, Worker};
use crate::scan::logs::{LogSummary, WorkerHistories, WorkerHistory};

/// The logs of one case, seen together.
#[derive(Debug, Default)]
pub(super) struct LogCase {
    /// Its folder, where several cases were read at once.
    case: Option<Name>,
    /// Workers of each session on each node: a node's logs lie in one folder.
    pub(super) tracks: BTreeMap<(Option<String>, Name), WorkerHistories>,
    /// The nodes that logs name, by folder.
    nodes: BTreeMap<Name, String>,
    /// When somebody stopped, started or reconfigured a session.
    pub(super) handled: TimeSet,
    /// The last time any log tells.
    pub(super) end: Option<Time>,
    /// The first time any log tells.
    pub(super) start: Option<Time>,
}

impl LogCase {
    /// Puts logs together, oldest first; a session that only one log names is all logs' session.
    pub(super) fn of(told: &mut [&mut LogSummary]) -> Self {
        told.sort_by_key(|log| log.first);
        let mut names: Vec<_> = told.iter().filter_map(|log| log.session.clone()).collect();
        names.sort_unstable();
        names.dedup();
        if let [only] = names.as_slice() {
            for log in told.iter_mut() {
                log.session = Some(only.clone());
            }
        }
        let case = told.first().and_then(|log| log.case.clone());
        let mut scene = Self { case, ..Self::default() };
        for log in told.iter() {
            scene.handled.merge(&log.handled);
            scene.end = scene.end.max(log.last);
            scene.start = scene.start.into_iter().chain(log.first).min();
            if log.side == Side::Secondary {
                continue;
            }
            if let Some(node) = &log.node {
                scene.nodes.entry(log.folder.clone()).or_insert_with(|| node.clone());
            }
            if !log.tracks.workers.is_empty() || log.tracks.monitor.is_some() {
                let key = (log.session.clone(), log.folder.clone());
                scene.tracks.entry(key).or_default().append(log.tracks.clone());
            }
        }
        scene
    }

    /// The workers as the report lists them.
    pub(super) fn workers(&self) -> impl Iterator<Item = Worker> + '_ {
        self.tracks.iter().flat_map(move |((session, folder), tracks)| {
            tracks.workers.iter().map(move |(brick, track)| Worker {
                case: self.case.clone(),
                session: session.clone(),
                node: self.nodes.get(folder).cloned(),
                brick: (!brick.is_empty()).then(|| brick.clone()),
                state: track.state.clone(),
                crawl: track.crawl.clone(),
                restarts: track.restarts,
                since: track.since,
            })
        })
    }

    /// The tracks that a draft may tell of.
    pub(super) fn tracks_of<'a>(
        &'a self,
        draft: &'a Candidate,
    ) -> impl Iterator<Item = &'a WorkerHistory> {
        let tracks = self.tracks.iter().filter(move |((session, folder), _)| {
            fits(session.as_ref(), draft.session.as_ref())
                && fits(self.nodes.get(folder), draft.node.as_ref())
                && draft.folder.as_ref().is_none_or(|own| own == folder)
        });
        let workers = tracks.flat_map(|(_, tracks)| tracks.workers.iter());
        workers
            .filter(move |(brick, _)| brick.is_empty() || fits(Some(*brick), draft.worker.as_ref()))
            .map(|(_, track)| track)
    }

    /// Whether replication was seen at work: some worker reached the other side.
    pub(super) fn saw_work(&self) -> bool {
        let workers = self.tracks.values().flat_map(|tracks| tracks.workers.values());
        workers.into_iter().any(|track| track.progress.is_some() || track.connected.is_some())
    }

    /// Whether a log says that the session was created not long before.
    pub(super) fn was_created_before(&self, at: Option<Time>) -> bool {
        let created = self.tracks.values().filter_map(|tracks| tracks.created);
        created.into_iter().any(|created| at.is_some_and(|at| at >= created))
    }
}

/// Whether two names can be the same: an unknown one may be any.
fn fits(one: Option<&String>, two: Option<&String>) -> bool {
    one.is_none() || two.is_none() || one == two
}

/// The case of a log and whether it is this one.
pub(super) fn in_case(log: &LogSummary, case: Option<&Name>) -> bool {
    log.case.as_ref() == case
}
