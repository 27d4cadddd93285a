//! The proof that a session replicates: a change made once its workers listen arrives.
//!
//! `Active` proves nothing. In many starts the connection to a brick's changelogs comes up dead:
//! the status says `Changelog Crawl` and no change is ever seen. A change made before the workers
//! are past history proves nothing either, for history brings it. So it is made after that, and
//! a session that does not bring it is stopped and started again.

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

/// How often a session is started before it is given up.
const STARTS: u32 = 6;
/// How long a worker may take to begin with anything.
const TO_BEGIN: Duration = Duration::from_mins(2);
/// How long a node may tell nothing of its workers: its glusterd may be starting.
const UNTOLD: Duration = Duration::from_mins(1);
/// How long a worker may stand still after a start: what missed it does so for ever.
const STANDING: Duration = Duration::from_secs(20);
/// How long a worker may stay in history without coming on.
const IN_HISTORY: Duration = Duration::from_mins(5);
/// How long a worker may be Faulty: the monitor starts it again every ten seconds.
const FAULTY: Duration = Duration::from_secs(90);

/// A canary that shall arrive.
#[derive(Debug)]
pub(super) struct Canary<'a> {
    pub(super) tools: &'a Tools,
    pub(super) primary: &'a str,
    pub(super) secondary: &'a SecondaryUrl,
    pub(super) token: &'a str,
    pub(super) files: u32,
    pub(super) rollover: u32,
}

/// What the rows of the status say together.
#[derive(Clone, PartialEq, Eq, Debug)]
enum SessionPhase {
    /// Every replica set has its Active worker, and it waits for changelogs.
    Listening,
    /// A worker crawls; how far it has come.
    Crawling(String),
    /// History is read, with what the status said.
    History(String),
    /// A worker died.
    Faulty(String),
    /// Some worker has not begun.
    Beginning(String),
    /// A worker stands still: its node was away when the session was started.
    Standing,
    /// Of a brick no worker is told at all.
    Untold(String),
}

/// Whether this canary was seen to arrive before.
pub(super) fn has_arrived(token: &str) -> bool {
    note(token).is_ok_and(|note| note.exists())
}

impl Canary<'_> {
    /// Makes it arrive.
    pub(super) fn fly(&self) -> Result<(), ExecutorError> {
        let note = note(self.token)?;
        let near = Mount::of(self.tools, "localhost", self.primary, Client::Ordinary)?;
        let (host, volume) = (&self.secondary.host, &self.secondary.volume);
        let far = Mount::of(self.tools, host, volume, Client::Gsyncd)?;
        for attempt in 1..=STARTS {
            if self.wait_until_listening()? && self.arrives(attempt, (&near, &far))? {
                let noted = fs::create_dir_all(RUN).and_then(|()| fs::File::create(&note));
                noted.map_err(|error| system("note down", &note, error))?;
                return Ok(());
            }
            if attempt < STARTS {
                self.start_again()?;
            }
        }
        let why = format!("after {STARTS} starts no change made on {} arrives", self.primary);
        Err(ExecutorError::Unfit(format!("{why}; georepair diagnose tells what the logs say")))
    }

    /// True when all workers listen; false when the session is to be started again.
    fn wait_until_listening(&self) -> Result<bool, ExecutorError> {
        let cluster = Cluster::of(self.tools, Host::Here)?;
        let volume = cluster.volume(self.primary)?;
        let begin = Instant::now();
        let (mut last, mut since) = (None, begin);
        loop {
            let session = cluster.session(self.primary, self.secondary)?;
            let gone = || ExecutorError::Unfit("the session is gone".to_owned());
            let now = look(&volume, &session.ok_or_else(gone)?);
            if last.as_ref() != Some(&now) {
                (last, since) = (Some(now.clone()), Instant::now());
            }
            match now {
                SessionPhase::Listening => return Ok(true),
                // As long as it takes: a large volume is crawled for days.
                SessionPhase::Crawling(_) => {}
                SessionPhase::History(_) if since.elapsed() > IN_HISTORY => return Ok(false),
                SessionPhase::Beginning(_) if since.elapsed() > TO_BEGIN => return Ok(false),
                SessionPhase::Standing if since.elapsed() > STANDING => return Ok(false),
                SessionPhase::Untold(who) if since.elapsed() > UNTOLD => {
                    let next = "is its node up? What it does not start now stands still for ever";
                    return Err(ExecutorError::Unfit(format!(
                        "no worker of {who} is told; {next}"
                    )));
                }
                SessionPhase::Faulty(who) if since.elapsed() > FAULTY => {
                    let next = "georepair diagnose on that node tells why";
                    return Err(ExecutorError::Unfit(format!(
                        "the worker of {who} is Faulty; {next}"
                    )));
                }
                _ => {}
            }
            pause(begin);
        }
    }

    /// Makes the change, waits for it on the other side, and removes it again.
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
        let arrived = result.map_err(|error| system("write", &near.join(&folder), error))?;
        removed.map_err(|error| system("remove", &near.join(&folder), error))?;
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

    fn start_again(&self) -> Result<(), ExecutorError> {
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

/// Judges the rows of the status, worst first.
fn look(volume: &Volume, session: &Session) -> SessionPhase {
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
    let told = |b: &crate::domain::Brick| {
        session.workers.iter().any(|it| it.node == b.node && it.brick == b.dir)
    };
    if let Some(brick) = volume.bricks.iter().find(|brick| !told(brick)) {
        return SessionPhase::Untold(brick.url());
    }
    if row("Stopped").or(row("Created")).is_some() {
        return SessionPhase::Standing;
    }
    let begun = |state: &str| state == "Active" || state == "Passive";
    if let Some(worker) = session.workers.iter().find(|it| !begun(&it.state)) {
        return SessionPhase::Beginning(format!("{} {}", place(worker), worker.state));
    }
    if let Some(set) = volume.sets().find(|set| !active(set)) {
        let first = set.first().map(crate::domain::Brick::url).unwrap_or_default();
        return SessionPhase::Beginning(format!("no worker is Active in the set of {first}"));
    }
    let mut crawls = session.workers.iter().filter(|it| it.state == "Active");
    match crawls.find(|it| it.crawl != "Changelog Crawl") {
        None => SessionPhase::Listening,
        Some(it) if it.crawl == "Hybrid Crawl" => SessionPhase::Crawling(it.last_synced.clone()),
        Some(it) => SessionPhase::History(format!("{} {}", it.crawl, it.last_synced)),
    }
}

fn note(token: &str) -> Result<PathBuf, ExecutorError> {
    let plain = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let unfit = || ExecutorError::Unfit(format!("{token:?} is no name of a canary"));
    plain.then(|| Path::new(RUN).join(format!("arrived-{token}"))).ok_or_else(unfit)
}

fn system(verb: &str, path: &Path, source: io::Error) -> ExecutorError {
    ExecutorError::System { doing: format!("{verb} {}", path.display()), source }
}
