//! One case: the logs that belong together, their workers, and what was done to them by hand.

use std::collections::BTreeMap;

use crate::domain::{Moments, Name, Side, Time, Worker};
use crate::scan::{Told, Track, Tracks};

/// The logs of one case, seen together.
#[derive(Debug, Default)]
pub(super) struct Scene {
    /// Its folder, where several cases were read at once.
    case: Option<Name>,
    /// Workers of each session.
    pub(super) tracks: BTreeMap<Option<String>, Tracks>,
    /// The nodes that logs name, by session.
    nodes: BTreeMap<Option<String>, String>,
    /// When somebody stopped, started or reconfigured a session.
    pub(super) handled: Moments,
    /// The last time any log tells.
    pub(super) end: Option<Time>,
    /// The first time any log tells.
    pub(super) start: Option<Time>,
}

impl Scene {
    /// Puts logs together, oldest first; a session that only one log names is all logs' session.
    pub(super) fn of(told: &mut [&mut Told]) -> Self {
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
                scene.nodes.entry(log.session.clone()).or_insert_with(|| node.clone());
            }
            if !log.tracks.workers.is_empty() || log.tracks.monitor.is_some() {
                scene.tracks.entry(log.session.clone()).or_default().append(log.tracks.clone());
            }
        }
        scene
    }

    /// The workers as the report lists them.
    pub(super) fn workers(&self) -> impl Iterator<Item = Worker> + '_ {
        self.tracks.iter().flat_map(move |(session, tracks)| {
            tracks.workers.iter().map(move |(brick, track)| Worker {
                case: self.case.clone(),
                session: session.clone(),
                node: self.nodes.get(session).cloned(),
                brick: (!brick.is_empty()).then(|| brick.clone()),
                state: track.state.clone(),
                crawl: track.crawl.clone(),
                restarts: track.restarts,
                since: track.since,
            })
        })
    }

    /// The tracks of one worker: of all workers, where it is not named.
    pub(super) fn tracks_of<'a>(
        &'a self,
        session: Option<&'a String>,
        worker: Option<&'a String>,
    ) -> impl Iterator<Item = &'a Track> {
        let sessions = self.tracks.iter().filter(move |(name, _)| {
            session.is_none() || name.is_none() || name.as_ref() == session
        });
        let tracks = sessions.flat_map(|(_, tracks)| tracks.workers.iter());
        tracks
            .filter(move |(brick, _)| worker.is_none_or(|w| *brick == w || brick.is_empty()))
            .map(|(_, track)| track)
    }

    /// Whether replication was seen at work: something was synced, or live changelogs followed.
    pub(super) fn saw_work(&self) -> bool {
        self.tracks.values().flat_map(|t| t.workers.values()).any(|track| track.progress.is_some())
    }
}

/// The case of a log and whether it is this one.
pub(super) fn in_case(log: &Told, case: Option<&Name>) -> bool {
    log.case.as_ref() == case
}
