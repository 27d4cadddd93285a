//! Options, sessions and their settings, through the gluster CLI on this machine.

use std::fs;
use std::io;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::wait::pause;
use crate::apply::executor::ExecutorError;
use crate::domain::{SecondaryUrl, Session, paths};
use crate::format::conf;
use crate::plan::{Object, State};
use crate::scan::cluster::{Cluster, ClusterError, Host, Tools};
use crate::scan::session::gsyncd_of;

/// How long the processes of a session or brick may take to exit or start.
const PROCESS_TIMEOUT: Duration = Duration::from_secs(30);

/// How long healing may go without progress.
const HEAL_TIMEOUT: Duration = Duration::from_mins(15);

/// How long a status of the sessions stays valid: an observation, its guards and the command that
/// follows come within a moment, and each answer of glusterd is seconds old itself.
const FRESH: Duration = Duration::from_secs(2);

/// The last status of all sessions. Every query costs each node a second of CPU time.
#[derive(Debug, Default)]
pub(super) struct Sessions(Option<(Instant, Vec<Session>)>);

impl Sessions {
    /// Discards the status: something was changed.
    pub(super) fn forget(&mut self) {
        self.0 = None;
    }

    fn one(
        &mut self,
        tools: &Tools,
        primary: &str,
        secondary: &str,
    ) -> Result<Option<&Session>, ExecutorError> {
        let secondary = url(secondary)?;
        let fresh = self.0.take().filter(|(at, _)| at.elapsed() < FRESH);
        let status = if let Some(status) = fresh {
            status
        } else {
            let sessions = Cluster::of(tools, Host::Here)?.sessions()?;
            (Instant::now(), sessions)
        };
        let (_, sessions) = self.0.insert(status);
        let fits = |it: &&Session| it.primary == primary && it.secondary.is_same(&secondary);
        Ok(sessions.iter().find(fits))
    }
}

impl From<ClusterError> for ExecutorError {
    fn from(error: ClusterError) -> Self {
        Self::Cluster(Box::new(error))
    }
}

/// The state of an option, a session or a setting.
pub(super) fn observe(
    tools: &Tools,
    sessions: &mut Sessions,
    object: &Object,
) -> Result<State, ExecutorError> {
    match object {
        Object::VolumeOption { volume, option } => {
            let volume = Cluster::of(tools, Host::Here)?.volume(volume)?;
            Ok(volume.option(option).map_or(State::Absent, State::text))
        }
        Object::Session { primary, secondary } => {
            let session = sessions.one(tools, primary, secondary)?;
            Ok(session.map_or(State::Absent, state_of))
        }
        Object::SessionRecord { primary, secondary } => {
            let there = sessions.one(tools, primary, secondary)?.is_some();
            Ok(if there { State::InPlace } else { State::Absent })
        }
        Object::SessionConfig { primary, secondary, key } => {
            setting(Path::new(paths::SESSIONS), primary, &url(secondary)?, key)
        }
        _ => Err(ExecutorError::Unfit(format!("{object} is not kept by glusterd"))),
    }
}

/// Sets, starts or stops it.
pub(super) fn perform(
    tools: &Tools,
    sessions: &mut Sessions,
    object: &Object,
    to: &State,
) -> Result<(), ExecutorError> {
    let unfit = || ExecutorError::Unfit(format!("cannot set {object} to {to}"));
    let arguments: Vec<String> = match (object, to) {
        (Object::VolumeOption { volume, option }, State::Text { text }) => {
            ["volume", "set", volume, option, text].map(str::to_owned).into()
        }
        (Object::VolumeOption { volume, option }, State::Absent) => {
            ["volume", "reset", volume, option].map(str::to_owned).into()
        }
        (Object::Session { primary, secondary }, to) => {
            let now = sessions.one(tools, primary, secondary)?.map(state_of);
            let verb = match (to, now) {
                (State::Started, Some(State::Paused)) => "resume",
                (State::Started, Some(_)) => "start",
                (State::Stopped, Some(_)) => "stop",
                (State::Paused, Some(_)) => "pause",
                _ => return Err(unfit()),
            };
            geo_replication(primary, secondary, &[verb])?
        }
        // The secondary already has data: without force the CLI refuses.
        (Object::SessionRecord { primary, secondary }, State::InPlace) => {
            geo_replication(primary, secondary, &["create", "push-pem", "force"])?
        }
        (Object::SessionRecord { primary, secondary }, State::Absent) => {
            geo_replication(primary, secondary, &["delete"])?
        }
        (Object::SessionConfig { primary, secondary, key }, State::Text { text }) => {
            // The CLI takes any word with two dashes for its own option; gsyncd strips the blank.
            let text = match checkpoint(key, text) {
                Some(local) => local,
                None if text.starts_with("--") => format!(" {text}"),
                None => text.clone(),
            };
            geo_replication(primary, secondary, &["config", key, &text])?
        }
        (Object::SessionConfig { primary, secondary, key }, State::Absent) => {
            geo_replication(primary, secondary, &["config", &format!("!{key}")])?
        }
        _ => return Err(unfit()),
    };
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    sessions.forget();
    if object.is_heard_once() {
        // Checked before, when nothing is half done, and after, as a node may leave meanwhile.
        all_hear(tools)?;
        tools.gluster(&Host::Here, &words)?;
        return all_hear(tools);
    }
    tools.gluster(&Host::Here, &words)?;
    if let Object::Session { .. } = object {
        wait_until(tools, sessions, object, to)
    } else {
        Ok(())
    }
}

/// Refuses if a node of the cluster would miss a change.
fn all_hear(tools: &Tools) -> Result<(), ExecutorError> {
    let cluster = Cluster::of(tools, Host::Here)?;
    match cluster.pool().iter().find(|member| !member.connected) {
        Some(lost) => Err(ExecutorError::Unfit(format!(
            "glusterd does not reach {}, which would miss the change; bring it back online first",
            lost.name
        ))),
        None => Ok(()),
    }
}

/// A checkpoint is kept as seconds since 1970, and accepted as the node's local time only (10.3).
fn checkpoint(key: &str, text: &str) -> Option<String> {
    let at = jiff::Timestamp::from_second(text.parse().ok()?).ok()?;
    let local = at.to_zoned(jiff::tz::TimeZone::system());
    (key == "checkpoint").then(|| local.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// Waits until the status follows a start or stop; the caller checks whether it did.
fn wait_until(
    tools: &Tools,
    sessions: &mut Sessions,
    object: &Object,
    to: &State,
) -> Result<(), ExecutorError> {
    let begin = Instant::now();
    while observe(tools, sessions, object)? != *to && begin.elapsed() < PROCESS_TIMEOUT {
        pause(begin);
        sessions.forget();
    }
    Ok(())
}

fn geo_replication(
    primary: &str,
    secondary: &str,
    words: &[&str],
) -> Result<Vec<String>, ExecutorError> {
    let secondary = url(secondary)?.to_string();
    let begin = ["volume", "geo-replication", primary, &secondary];
    Ok(begin.iter().chain(words).map(|word| (*word).to_owned()).collect())
}

/// The volume that has this name now, if its id is another one; in words.
pub(super) fn other_volume(
    tools: &Tools,
    name: &str,
    id: Uuid,
) -> Result<Option<String>, ExecutorError> {
    let found = Cluster::of(tools, Host::Here)?.volume(name)?.id;
    Ok((found != id).then(|| format!("volume {name} has the id {found}")))
}

/// Why a session is not stopped, in words: its workers, or its processes on this machine.
pub(super) fn not_stopped(
    tools: &Tools,
    sessions: &mut Sessions,
    primary: &str,
    secondary: &str,
) -> Result<Option<String>, ExecutorError> {
    if let Some(session) = sessions.one(tools, primary, secondary)?
        && !session.is_stopped()
    {
        let workers = session.workers.iter();
        let workers: Vec<_> = workers.map(|it| format!("{} on {}", it.state, it.node)).collect();
        return Ok(Some(format!("its workers are {}", workers.join(", "))));
    }
    // After a stop the processes take a moment to exit.
    match wait_until_gone(primary, secondary) {
        Err(ExecutorError::Unfit(why)) => Ok(Some(why)),
        other => other.map(|()| None),
    }
}

/// The PIDs of the session's gsyncd processes on this machine.
pub(super) fn alive(primary: &str, secondary: &str) -> Result<Vec<u32>, ExecutorError> {
    gsyncd_of(primary, &url(secondary)?)
        .map_err(|source| ExecutorError::system("list the processes in", "/proc", source))
}

/// Waits until all of them have exited.
pub(super) fn wait_until_gone(primary: &str, secondary: &str) -> Result<(), ExecutorError> {
    let deadline = Instant::now() + PROCESS_TIMEOUT;
    loop {
        let alive = alive(primary, secondary)?;
        if alive.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            let pids: Vec<_> = alive.iter().map(ToString::to_string).collect();
            let next = "find out what they wait for, then stop them";
            let why = format!("its gsyncd processes still run: {}; {next}", pids.join(" "));
            return Err(ExecutorError::Unfit(why));
        }
        sleep(Duration::from_millis(200));
    }
}

/// The PID of a brick on this machine; `None` if it does not run.
pub(super) fn brick_process(
    tools: &Tools,
    volume: &str,
    brick: &str,
) -> Result<Option<u32>, ExecutorError> {
    Ok(Cluster::of(tools, Host::Here)?.brick_process(volume, brick)?)
}

/// Stops a brick as a shutdown of its node would. glusterd has no command for one brick.
pub(super) fn stop_brick(tools: &Tools, volume: &str, brick: &str) -> Result<(), ExecutorError> {
    let unfit = |why: &str| ExecutorError::Unfit(format!("the process of {brick} {why}"));
    let Some(pid) = brick_process(tools, volume, brick)? else { return Ok(()) };
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    // The status may be a moment old, and PIDs are reused. A process that serves several bricks
    // (brick multiplexing) must not be stopped for one of them.
    let text = String::from_utf8_lossy(&line).replace('\0', " ");
    let (_, dir) = brick.split_once(':').unwrap_or_default();
    if !text.contains("glusterfsd") || !text.contains(&format!("--brick-name {dir} ")) {
        return Err(unfit("is not a glusterfsd of its own; is cluster.brick-multiplex on?"));
    }
    let number = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    let number = number.ok_or_else(|| unfit("has an invalid PID"))?;
    let ended = rustix::process::kill_process(number, rustix::process::Signal::TERM);
    ended.map_err(|error| ExecutorError::System {
        doing: format!("stop process {pid} of {brick}"),
        source: error.into(),
    })?;
    let begin = Instant::now();
    while Path::new("/proc").join(pid.to_string()).exists()
        || brick_process(tools, volume, brick)?.is_some()
    {
        if begin.elapsed() >= PROCESS_TIMEOUT {
            return Err(unfit("does not exit"));
        }
        pause(begin);
    }
    Ok(())
}

/// Starts the bricks of a volume that do not run.
pub(super) fn start_brick(tools: &Tools, volume: &str, brick: &str) -> Result<(), ExecutorError> {
    tools.gluster(&Host::Here, &["volume", "start", volume, "force"])?;
    let begin = Instant::now();
    while brick_process(tools, volume, brick)?.is_none() && begin.elapsed() < PROCESS_TIMEOUT {
        pause(begin);
    }
    Ok(())
}

/// The number of pending heal entries of a volume.
pub(super) fn unhealed(tools: &Tools, volume: &str) -> Result<u64, ExecutorError> {
    let cluster = Cluster::of(tools, Host::Here)?;
    let found = cluster.volume(volume)?;
    Ok(cluster.unhealed(&found)?)
}

/// Waits until it is zero, as long as it decreases.
pub(super) fn wait_healed(tools: &Tools, volume: &str) -> Result<(), ExecutorError> {
    let begin = Instant::now();
    let (mut least, mut since) = (u64::MAX, begin);
    loop {
        // A brick that has just started does not answer yet.
        let pending = unhealed(tools, volume).unwrap_or(u64::MAX);
        if pending == 0 {
            return Ok(());
        }
        if pending < least {
            (least, since) = (pending, Instant::now());
        }
        if since.elapsed() > HEAL_TIMEOUT {
            let why =
                "healing makes no progress; gluster volume heal VOLUME info lists what is left";
            return Err(ExecutorError::Unfit(format!("{volume}: {why}")));
        }
        pause(begin);
    }
}

fn state_of(session: &Session) -> State {
    if session.is_stopped() {
        State::Stopped
    } else if session.workers.iter().any(|worker| worker.state == "Paused") {
        State::Paused
    } else {
        State::Started
    }
}

pub(super) fn url(secondary: &str) -> Result<SecondaryUrl, ExecutorError> {
    secondary.parse().map_err(|error| ExecutorError::Unfit(format!("{error}")))
}

/// Reads what was set explicitly, not a default: the `[vars]` of the session's `gsyncd.conf`, as
/// `config` writes it since 4.0.
fn setting(
    sessions: &Path,
    primary: &str,
    secondary: &SecondaryUrl,
    key: &str,
) -> Result<State, ExecutorError> {
    let path = sessions.join(secondary.folder(primary)).join("gsyncd.conf");
    let text = match fs::read(&path) {
        // A session that was just created has no settings of its own.
        Err(error) if error.kind() == io::ErrorKind::NotFound && sessions.is_dir() => {
            return Ok(State::Absent);
        }
        read => read,
    };
    let text = text.map_err(|source| ExecutorError::system("read", &path, source))?;
    let set = conf::explicit_settings(&text).remove(&conf::setting_name(key));
    Ok(set.map_or(State::Absent, |value| State::text(&value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_read_where_it_was_set() {
        let folder = tempfile::tempdir().unwrap();
        let secondary: SecondaryUrl = "geo@s1::gv0dr".parse().unwrap();
        let conf = folder.path().join("gv0_s1_gv0dr");
        fs::create_dir(&conf).unwrap();
        let text = "[__meta__]\nversion = 4.0\n\n[vars]\nsync-jobs = 5\nrsync_options = --a=b c\n\n[x]\nlog-level = Z\n";
        File::create_new(conf.join("gsyncd.conf")).unwrap().write_all(text.as_bytes()).unwrap();
        let read = |key: &str| setting(folder.path(), "gv0", &secondary, key).unwrap();
        assert_eq!(read("sync_jobs"), State::text("5"));
        assert_eq!(read("rsync-options"), State::text("--a=b c"));
        assert_eq!(read("log-level"), State::Absent);
        assert_eq!(setting(folder.path(), "gv1", &secondary, "x").unwrap(), State::Absent);
        assert!(setting(Path::new("/nowhere"), "gv1", &secondary, "x").is_err());
    }

    use std::fs::File;
    use std::io::Write as _;
}
