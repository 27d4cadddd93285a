//! The history of each worker in a log: starts, states, crawls, progress.

use std::collections::BTreeMap;

use crate::domain::Time;

/// A monitor waits ten seconds before it starts a worker again (`monitor.py`); timestamps are cut
/// to seconds, so an interval of nine may be ten.
const RESPAWN: i64 = 9;

/// A worker's history up to the end of the log.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WorkerHistory {
    /// Its last state.
    pub state: Option<String>,
    /// Since when.
    pub since: Option<Time>,
    /// Its last crawl.
    pub crawl: Option<String>,
    /// How often it was started after it had died.
    pub restarts: u64,
    /// How often it was started.
    pub starts: u64,
    /// How often a full crawl began.
    pub full_crawls: u64,
    /// Its last progress: a batch done, a crawl finished, live changelogs followed.
    pub progress: Option<Time>,
    /// When it was last connected, Active or Passive.
    pub connected: Option<Time>,
    /// When it last died.
    pub died: Option<Time>,
    /// Whether it is dead and no start has followed.
    down: bool,
    /// Whether the log's first line about it is a start.
    opens_with_start: bool,
}

/// The workers of one log by brick, and what is known of the whole session.
#[derive(Clone, Debug, Default)]
pub struct WorkerHistories {
    /// Workers by brick; the empty name if the release does not log which.
    pub workers: BTreeMap<String, WorkerHistory>,
    /// The session's own state: `Started`, `Stopped`, `Created`, `Paused`.
    pub monitor: Option<(Time, String)>,
    /// When the session was created, if the log shows it.
    pub created: Option<Time>,
    /// A state that the monitor logged without a brick, until a line names one.
    pending: Option<(Time, String)>,
    last_named: Option<String>,
}

impl WorkerHistories {
    /// The monitor starts a worker. Returns when the worker ended if a new monitor starts it: the
    /// old one would have waited, so an operator stopped and started the session, or changed its
    /// configuration.
    pub(super) fn starting(&mut self, brick: Option<&str>, at: Time) -> Option<Time> {
        let brick = brick.map_or_else(|| self.unnamed(), str::to_owned);
        if self.monitor.as_ref().is_some_and(|(_, state)| state == "Stopped") {
            self.monitor = Some((at, "Started".to_owned()));
        }
        if let Some((since, state)) = self.pending.take() {
            self.history(&brick).enter(&state, since);
        }
        let history = self.history(&brick);
        history.opens_with_start |= history.starts == 0 && history.state.is_none();
        let renewed = history.died.filter(|died| history.down && at.secs() - died.secs() < RESPAWN);
        history.restarts += u64::from(history.down && renewed.is_none());
        history.starts += 1;
        history.enter("Initializing...", at);
        self.last_named = Some(brick);
        renewed
    }

    /// A worker died, as reported by the monitor or by its own last line.
    pub(super) fn died(&mut self, brick: Option<&str>, at: Time) {
        let stopped = self.monitor.as_ref().filter(|(_, state)| state == "Stopped");
        // A stop kills the workers: their last lines of the next seconds are not a fault.
        if stopped.is_some_and(|(stop, _)| at.secs() - stop.secs() <= 5) {
            return;
        }
        let brick = brick.unwrap_or_default().to_owned();
        self.history(&brick).enter("Faulty", at);
        self.last_named = Some(brick);
    }

    /// A worker's new state; the monitor does not log which worker's.
    pub(super) fn status(&mut self, brick: Option<&str>, state: &str, at: Time) {
        if let Some(brick) = brick {
            return self.history(brick).enter(state, at);
        }
        if state.starts_with("Initializing") {
            return;
        }
        let recent = self.last_named.as_ref().and_then(|name| self.workers.get(name));
        match (recent.and_then(|history| history.died), self.last_named.clone()) {
            (Some(died), Some(name)) if at.secs() - died.secs() <= 1 => {
                self.history(&name).enter(state, at);
            }
            _ => self.pending = Some((at, state.to_owned())),
        }
    }

    /// A worker's new crawl.
    pub(super) fn crawl(&mut self, brick: Option<&str>, crawl: &str, at: Time) {
        let history = self.history(brick.unwrap_or_default());
        history.crawl = Some(crawl.to_owned());
        if crawl.starts_with("Changelog") {
            history.progress = Some(at);
        }
    }

    /// A full crawl begins.
    pub(super) fn full_crawl(&mut self, brick: Option<&str>) {
        let history = self.history(brick.unwrap_or_default());
        history.full_crawls += 1;
        history.crawl = Some("Hybrid Crawl".to_owned());
    }

    /// A worker completed a batch or crawl.
    pub(super) fn progress(&mut self, brick: Option<&str>, at: Time) {
        let history = self.history(brick.unwrap_or_default());
        history.progress = Some(at);
        history.connected = Some(at);
    }

    /// A worker reached the other side.
    pub(super) fn connected(&mut self, brick: Option<&str>, at: Time) {
        self.history(brick.unwrap_or_default()).connected = Some(at);
    }

    /// The session as a whole was started, stopped, created or deleted.
    pub(super) fn monitor(&mut self, state: &str, at: Time) {
        self.monitor = Some((at, state.to_owned()));
        if state == "Created" {
            self.created = Some(at);
        }
        if state == "Stopped" || state == "Paused" {
            for history in self.workers.values_mut() {
                history.enter(state, at);
                history.down = false;
            }
        }
    }

    /// At the end: a state without a brick belongs to the worker named last.
    pub(super) fn finish(&mut self) {
        if let (Some((at, state)), Some(name)) = (self.pending.take(), self.last_named.clone()) {
            self.history(&name).enter(&state, at);
        }
    }

    /// Appends a later log of the same workers.
    pub fn append(&mut self, later: Self) {
        for (brick, theirs) in later.workers {
            self.history(&brick).append(theirs);
        }
        self.monitor = later.monitor.or(self.monitor.take());
        self.created = later.created.or(self.created);
    }

    /// The worker that a monitor before 3.9 starts without naming it: one that is down, else
    /// the only one, else one that a later line names.
    fn unnamed(&self) -> String {
        let down = self.workers.iter().find(|(_, history)| history.down);
        let only = self.workers.iter().next().filter(|_| self.workers.len() == 1);
        down.or(only).map(|(brick, _)| brick.clone()).unwrap_or_default()
    }

    /// The history of a brick; a worker started without a name takes the first name logged.
    fn history(&mut self, brick: &str) -> &mut WorkerHistory {
        if !self.workers.contains_key(brick) {
            let unnamed = self.workers.remove("").unwrap_or_default();
            self.workers.insert(brick.to_owned(), unnamed);
        }
        self.workers.entry(brick.to_owned()).or_default()
    }
}

impl WorkerHistory {
    fn enter(&mut self, state: &str, at: Time) {
        if self.state.as_deref() != Some(state) {
            self.since = Some(at);
            self.state = Some(state.to_owned());
        }
        match state {
            "Active" | "Passive" => (self.connected, self.down) = (Some(at), false),
            "Faulty" => (self.died, self.down) = (Some(at), true),
            "Initializing..." => self.down = false,
            _ => {}
        }
    }

    fn append(&mut self, later: Self) {
        self.restarts += later.restarts + u64::from(self.down && later.opens_with_start);
        self.starts += later.starts;
        self.full_crawls += later.full_crawls;
        if later.state.is_some() {
            if later.state != self.state {
                self.since = later.since;
            }
            (self.state, self.down) = (later.state, later.down);
        }
        self.crawl = later.crawl.or(self.crawl.take());
        self.progress = later.progress.or(self.progress);
        self.connected = later.connected.or(self.connected);
        self.died = later.died.or(self.died);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Time {
        Time::from_secs(second)
    }

    #[test]
    fn counts_a_restart_loop_and_ends_where_it_ends() {
        let mut histories = WorkerHistories::default();
        for round in 0..3 {
            let t = round * 12;
            assert_eq!(histories.starting(Some("/b"), at(t)), None);
            histories.status(Some("/b"), "Active", at(t + 1));
            histories.status(None, "Faulty", at(t + 2));
        }
        histories.finish();
        let history = &histories.workers["/b"];
        assert_eq!((history.restarts, history.starts), (2, 3));
        assert_eq!((history.state.as_deref(), history.since), (Some("Faulty"), Some(at(26))));
    }

    #[test]
    fn a_stop_and_a_start_are_no_restart() {
        let mut histories = WorkerHistories::default();
        histories.starting(Some("/b"), at(0));
        histories.status(Some("/b"), "Active", at(1));
        histories.monitor("Stopped", at(2));
        let mut later = WorkerHistories::default();
        later.starting(Some("/b"), at(9));
        later.status(Some("/b"), "Passive", at(10));
        histories.append(later);
        let history = &histories.workers["/b"];
        assert_eq!((history.restarts, history.state.as_deref()), (0, Some("Passive")));
    }

    #[test]
    fn a_start_sooner_than_a_monitor_would_is_a_new_monitor() {
        let mut histories = WorkerHistories::default();
        histories.starting(Some("/b"), at(0));
        histories.died(Some("/b"), at(50));
        assert_eq!(histories.starting(Some("/b"), at(52)), Some(at(50)));
        assert_eq!(histories.workers["/b"].restarts, 0);
    }

    #[test]
    fn a_worker_started_without_a_name_takes_the_first_name_told() {
        let mut histories = WorkerHistories::default();
        for round in 0..3 {
            histories.starting(None, at(round * 14));
            histories.died(Some("/b"), at(round * 14 + 3));
        }
        assert_eq!(histories.workers.keys().collect::<Vec<_>>(), ["/b"]);
        assert_eq!((histories.workers["/b"].starts, histories.workers["/b"].restarts), (3, 2));
    }

    #[test]
    fn a_death_before_rotation_counts_with_the_start_after_it() {
        let mut histories = WorkerHistories::default();
        histories.starting(Some("/b"), at(0));
        histories.died(Some("/b"), at(1));
        let mut later = WorkerHistories::default();
        later.starting(Some("/b"), at(11));
        histories.append(later);
        assert_eq!(histories.workers["/b"].restarts, 1);
    }
}
