//! Verifies that a session replicates: probe files written on the primary must arrive.
//!
//! `Active` proves nothing. In many starts the connection to a brick's changelogs comes up dead:
//! the status shows `Changelog Crawl` and no change is ever seen. A change made before the workers
//! are past history proves nothing either, as history brings it. So the files are written after
//! that, and a session that does not replicate them is stopped and started again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::RUN;
use super::mount::{Client, Mount};
use super::wait::pause;
use crate::apply::executor::ExecutorError;
use crate::domain::{SecondaryUrl, Session, Volume};
use crate::scan::cluster::{Cluster, Host, Tools};

/// How often a session is started before giving up.
const STARTS: u32 = 6;
/// How long a worker may take to start its first crawl.
const START_TIMEOUT: Duration = Duration::from_mins(2);
/// How long the status may lack a worker: the glusterd of its node may be starting.
const MISSING_TIMEOUT: Duration = Duration::from_mins(1);
/// How long a worker may stay stopped after a start: one that missed it never starts by itself.
const STOPPED_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a worker may read history without progress.
const HISTORY_TIMEOUT: Duration = Duration::from_mins(5);
/// How long a worker may be Faulty: the monitor restarts it every ten seconds.
const FAULTY_TIMEOUT: Duration = Duration::from_secs(90);

/// Probe files that must be replicated.
#[derive(Debug)]
pub(super) struct Canary<'a> {
    pub(super) tools: &'a Tools,
    pub(super) primary: &'a str,
    pub(super) secondary: &'a SecondaryUrl,
    pub(super) token: &'a str,
    pub(super) files: u32,
    pub(super) rollover: u32,
}

/// The phase of a session, from all rows of its status.
#[derive(Clone, PartialEq, Eq, Debug)]
enum SessionPhase {
    /// Every replica set has its Active worker, and it waits for changelogs.
    Listening,
    /// A worker crawls; its progress.
    Crawling(String),
    /// A worker reads history; its progress.
    History(String),
    /// A worker died.
    Faulty(String),
    /// Some worker has not started its crawl.
    Starting(String),
    /// A worker is stopped: its node was offline when the session was started.
    Stopped,
    /// The status lacks the worker of a brick.
    Missing(String),
}

/// Whether the files of this token were replicated before.
pub(super) fn has_arrived(token: &str) -> bool {
    marker(token).is_ok_and(|marker| marker.exists())
}

impl Canary<'_> {
    /// Writes the files until they are replicated, restarting the session if they are not.
    pub(super) fn run(&self) -> Result<(), ExecutorError> {
        let marker = marker(self.token)?;
        let near = Mount::of(self.tools, "localhost", self.primary, Client::Ordinary)?;
        let (host, volume) = (&self.secondary.host, &self.secondary.volume);
        let far = Mount::of(self.tools, host, volume, Client::Gsyncd)?;
        for attempt in 1..=STARTS {
            if self.wait_until_listening()? && self.arrives(attempt, (&near, &far))? {
                let created = fs::create_dir_all(RUN).and_then(|()| fs::File::create(&marker));
                created.map_err(|error| ExecutorError::system("create", &marker, error))?;
                return Ok(());
            }
            if attempt < STARTS {
                self.restart()?;
            }
        }
        let why = format!("no change made on {} is replicated after {STARTS} starts", self.primary);
        Err(ExecutorError::Unfit(format!("{why}; run georepair diagnose")))
    }

    /// Returns true when all workers listen, false when the session must be restarted.
    fn wait_until_listening(&self) -> Result<bool, ExecutorError> {
        let cluster = Cluster::of(self.tools, Host::Here)?;
        let volume = cluster.volume(self.primary)?;
        let begin = Instant::now();
        let (mut last, mut since) = (None, begin);
        loop {
            let session = cluster.session(self.primary, self.secondary)?;
            let gone = || ExecutorError::Unfit("the session no longer exists".to_owned());
            let now = phase_of(&volume, &session.ok_or_else(gone)?);
            if last.as_ref() != Some(&now) {
                (last, since) = (Some(now.clone()), Instant::now());
            }
            match now {
                SessionPhase::Listening => return Ok(true),
                // As long as it takes: a large volume is crawled for days.
                SessionPhase::Crawling(_) => {}
                SessionPhase::History(_) if since.elapsed() > HISTORY_TIMEOUT => return Ok(false),
                SessionPhase::Starting(_) if since.elapsed() > START_TIMEOUT => return Ok(false),
                SessionPhase::Stopped if since.elapsed() > STOPPED_TIMEOUT => return Ok(false),
                SessionPhase::Missing(who) if since.elapsed() > MISSING_TIMEOUT => {
                    let next = "is its node up? A worker that misses the start stays stopped";
                    return Err(ExecutorError::Unfit(format!(
                        "the status lacks the worker of {who}; {next}"
                    )));
                }
                SessionPhase::Faulty(who) if since.elapsed() > FAULTY_TIMEOUT => {
                    let next = "run georepair diagnose on that node";
                    return Err(ExecutorError::Unfit(format!(
                        "the worker of {who} is Faulty; {next}"
                    )));
                }
                _ => {}
            }
            pause(begin);
        }
    }

    /// Writes the files, waits for them on the secondary, and removes them again.
    fn arrives(&self, attempt: u32, (near, far): (&Mount, &Mount)) -> Result<bool, ExecutorError> {
        let folder = format!(".georepair-canary-{}-{attempt}", self.token);
        let result = self.send(&near.join(&folder)).and_then(|()| {
            let patience = Duration::from_secs(30 + 4 * u64::from(self.rollover));
            let deadline = Instant::now() + patience;
            loop {
                if self.is_complete(&far.join(&folder)) {
                    return Ok(true);
                }
                if Instant::now() >= deadline {
                    return Ok(false);
                }
                sleep(Duration::from_millis(500));
            }
        });
        let removed = remove(&near.join(&folder), self.files);
        let arrived =
            result.map_err(|error| ExecutorError::system("write", near.join(&folder), error))?;
        removed.map_err(|error| ExecutorError::system("remove", near.join(&folder), error))?;
        Ok(arrived)
    }

    fn send(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        for index in 0..self.files {
            let mut file = fs::File::create(folder.join(index.to_string()))?;
            io::Write::write_all(&mut file, self.token.as_bytes())?;
        }
        Ok(())
    }

    /// Entries alone prove little: with some rsyncs they arrive and their content never does.
    fn is_complete(&self, folder: &Path) -> bool {
        let whole = |index: u32| {
            let text = fs::read(folder.join(index.to_string()));
            text.is_ok_and(|text| text == self.token.as_bytes())
        };
        (0..self.files).all(whole)
    }

    fn restart(&self) -> Result<(), ExecutorError> {
        let secondary = self.secondary.to_string();
        let ask = |verb| {
            let words = ["volume", "geo-replication", self.primary, &secondary, verb];
            self.tools.gluster(&Host::Here, &words)
        };
        ask("stop")?;
        ask("start")?;
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "removes the canary's own files, by their names")]
fn remove(folder: &Path, files: u32) -> io::Result<()> {
    for index in 0..files {
        match fs::remove_file(folder.join(index.to_string())) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    match fs::remove_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The phase of a session: the worst of all rows counts.
fn phase_of(volume: &Volume, session: &Session) -> SessionPhase {
    let row = |state: &str| session.workers.iter().find(|worker| worker.state == state);
    let place = |worker: &crate::domain::WorkerStatus| {
        format!("{}:{}", worker.node, worker.brick.display())
    };
    if let Some(worker) = row("Faulty") {
        return SessionPhase::Faulty(place(worker));
    }
    let active = |bricks: &[crate::domain::Brick]| {
        session.workers.iter().any(|it| {
            it.state == "Active" && bricks.iter().any(|b| b.node == it.node && b.dir == it.brick)
        })
    };
    let is_listed = |b: &crate::domain::Brick| {
        session.workers.iter().any(|it| it.node == b.node && it.brick == b.dir)
    };
    if let Some(brick) = volume.bricks.iter().find(|brick| !is_listed(brick)) {
        return SessionPhase::Missing(brick.url());
    }
    if row("Stopped").or(row("Created")).is_some() {
        return SessionPhase::Stopped;
    }
    let crawls = |state: &str| state == "Active" || state == "Passive";
    if let Some(worker) = session.workers.iter().find(|it| !crawls(&it.state)) {
        return SessionPhase::Starting(format!("{} {}", place(worker), worker.state));
    }
    if let Some(set) = volume.sets().find(|set| !active(set)) {
        let first = set.first().map(crate::domain::Brick::url).unwrap_or_default();
        return SessionPhase::Starting(format!("no worker is Active in the set of {first}"));
    }
    let mut active_workers = session.workers.iter().filter(|it| it.state == "Active");
    match active_workers.find(|it| it.crawl != "Changelog Crawl") {
        None => SessionPhase::Listening,
        Some(it) if it.crawl == "Hybrid Crawl" => SessionPhase::Crawling(it.last_synced.clone()),
        Some(it) => SessionPhase::History(format!("{} {}", it.crawl, it.last_synced)),
    }
}

fn marker(token: &str) -> Result<PathBuf, ExecutorError> {
    let plain = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let unfit = || ExecutorError::Unfit(format!("invalid canary token {token:?}"));
    plain.then(|| Path::new(RUN).join(format!("arrived-{token}"))).ok_or_else(unfit)
}
