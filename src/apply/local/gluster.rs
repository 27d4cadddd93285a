//! What glusterd holds: options, sessions and their settings, through its CLI on this machine.

use std::fs;
use std::io;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::wait::pause;
use crate::apply::executor::ExecutorError;
use crate::domain::{SecondaryUrl, Session, paths};
use crate::plan::{Object, State};
use crate::scan::cluster::{Cluster, ClusterError, Host, Tools};
use crate::scan::session::gsyncd_of;

/// How long a session's processes may take to go once it was stopped.
const TO_GO: Duration = Duration::from_secs(30);

/// How long healing may take without becoming less.
const TO_HEAL: Duration = Duration::from_mins(15);

/// How long what was told of the sessions is taken for true: a look, its conditions and the command
/// that follows come within a moment, and each answer of glusterd is seconds old itself.
const FRESH: Duration = Duration::from_secs(2);

/// What glusterd told last of all sessions. Every answer costs each node a second of its processors.
#[derive(Debug, Default)]
pub(super) struct Sessions(Option<(Instant, Vec<Session>)>);

impl Sessions {
    /// What was told is told anew: something was changed.
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
        let told = if let Some(told) = fresh {
            told
        } else {
            let told = Cluster::of(tools, Host::Here)?.sessions()?;
            (Instant::now(), told)
        };
        let (_, sessions) = self.0.insert(told);
        let fits = |it: &&Session| it.primary == primary && it.secondary.is_same(&secondary);
        Ok(sessions.iter().find(fits))
    }
}

impl From<ClusterError> for ExecutorError {
    fn from(error: ClusterError) -> Self {
        Self::Cluster(Box::new(error))
    }
}

/// How an option, a session or a setting is.
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
        _ => Err(ExecutorError::Unfit(format!("{object} is nothing that gluster holds"))),
    }
}

/// Sets, starts or stops it.
pub(super) fn perform(
    tools: &Tools,
    sessions: &mut Sessions,
    object: &Object,
    to: &State,
) -> Result<(), ExecutorError> {
    let unfit = || ExecutorError::Unfit(format!("{object} cannot be made {to}"));
    let asked: Vec<String> = match (object, to) {
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
        // What it replicates to holds data already: without force it is refused.
        (Object::SessionRecord { primary, secondary }, State::InPlace) => {
            geo_replication(primary, secondary, &["create", "push-pem", "force"])?
        }
        (Object::SessionRecord { primary, secondary }, State::Absent) => {
            geo_replication(primary, secondary, &["delete"])?
        }
        (Object::SessionConfig { primary, secondary, key }, State::Text { text }) => {
            // The CLI takes any word that begins so for an option of its own; gsyncd cuts the blank.
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
    let words: Vec<&str> = asked.iter().map(String::as_str).collect();
    sessions.forget();
    if object.is_heard_once() {
        // Looked at before, for nothing is half done then, and after, for a node may go meanwhile.
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

/// Whether every node hears what glusterd is told.
fn all_hear(tools: &Tools) -> Result<(), ExecutorError> {
    let cluster = Cluster::of(tools, Host::Here)?;
    match cluster.pool().iter().find(|member| !member.connected) {
        Some(lost) => Err(ExecutorError::Unfit(format!(
            "glusterd does not reach {}, which would never hear of it; bring it back first",
            lost.name
        ))),
        None => Ok(()),
    }
}

/// A checkpoint is kept as seconds since 1970, and taken as the node's local time only (10.3).
fn checkpoint(key: &str, text: &str) -> Option<String> {
    let at = jiff::Timestamp::from_second(text.parse().ok()?).ok()?;
    let local = at.to_zoned(jiff::tz::TimeZone::system());
    (key == "checkpoint").then(|| local.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// The status follows a start or stop after a moment; whether it did is for the caller to see.
fn wait_until(
    tools: &Tools,
    sessions: &mut Sessions,
    object: &Object,
    to: &State,
) -> Result<(), ExecutorError> {
    let begin = Instant::now();
    while observe(tools, sessions, object)? != *to && begin.elapsed() < TO_GO {
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

/// What volume now has this name, where it is not the one of this id.
pub(super) fn other_volume(
    tools: &Tools,
    name: &str,
    id: Uuid,
) -> Result<Option<String>, ExecutorError> {
    let found = Cluster::of(tools, Host::Here)?.volume(name)?.id;
    Ok((found != id).then(|| format!("volume {name} has the id {found}")))
}

/// How a session runs, where it does, and which of its processes are alive on this machine.
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
    // After a stop the processes take a moment to go.
    match wait_until_gone(primary, secondary) {
        Err(ExecutorError::Unfit(why)) => Ok(Some(why)),
        other => other.map(|()| None),
    }
}

/// The session's gsyncd processes that are alive on this machine.
pub(super) fn alive(primary: &str, secondary: &str) -> Result<Vec<u32>, ExecutorError> {
    gsyncd_of(primary, &url(secondary)?).map_err(|source| {
        let doing = "look at the processes in /proc".to_owned();
        ExecutorError::System { doing, source }
    })
}

/// Waits until none of them is left.
pub(super) fn wait_until_gone(primary: &str, secondary: &str) -> Result<(), ExecutorError> {
    let deadline = Instant::now() + TO_GO;
    loop {
        let alive = alive(primary, secondary)?;
        if alive.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            let pids: Vec<_> = alive.iter().map(ToString::to_string).collect();
            let next = "look what they wait for, then end them";
            let why = format!("its gsyncd processes are still alive: {}; {next}", pids.join(" "));
            return Err(ExecutorError::Unfit(why));
        }
        sleep(Duration::from_millis(200));
    }
}

/// The process of a brick of this machine; nothing where it does not run.
pub(super) fn brick_process(
    tools: &Tools,
    volume: &str,
    brick: &str,
) -> Result<Option<u32>, ExecutorError> {
    Ok(Cluster::of(tools, Host::Here)?.brick_process(volume, brick)?)
}

/// Ends a brick's process as a shutdown of its node would. glusterd has no command for one brick.
pub(super) fn stop_brick(tools: &Tools, volume: &str, brick: &str) -> Result<(), ExecutorError> {
    let unfit = |why: &str| ExecutorError::Unfit(format!("the process of {brick} {why}"));
    let Some(pid) = brick_process(tools, volume, brick)? else { return Ok(()) };
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    // What the status tells may be a moment old, and numbers are given again. One process that
    // serves several bricks (brick multiplexing) must not end for one of them.
    let text = String::from_utf8_lossy(&line).replace('\0', " ");
    let (_, dir) = brick.split_once(':').unwrap_or_default();
    if !text.contains("glusterfsd") || !text.contains(&format!("--brick-name {dir} ")) {
        return Err(unfit("is not its own glusterfsd; is cluster.brick-multiplex on?"));
    }
    let number = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    let number = number.ok_or_else(|| unfit("has no number"))?;
    let ended = rustix::process::kill_process(number, rustix::process::Signal::TERM);
    ended.map_err(|error| ExecutorError::System {
        doing: format!("end process {pid} of {brick}"),
        source: error.into(),
    })?;
    let begin = Instant::now();
    while Path::new("/proc").join(pid.to_string()).exists()
        || brick_process(tools, volume, brick)?.is_some()
    {
        if begin.elapsed() >= TO_GO {
            return Err(unfit("does not end"));
        }
        pause(begin);
    }
    Ok(())
}

/// Starts what does not run of a volume's bricks.
pub(super) fn start_brick(tools: &Tools, volume: &str, brick: &str) -> Result<(), ExecutorError> {
    tools.gluster(&Host::Here, &["volume", "start", volume, "force"])?;
    let begin = Instant::now();
    while brick_process(tools, volume, brick)?.is_none() && begin.elapsed() < TO_GO {
        pause(begin);
    }
    Ok(())
}

/// How many entries the replicas of a volume owe each other.
pub(super) fn unhealed(tools: &Tools, volume: &str) -> Result<u64, ExecutorError> {
    let cluster = Cluster::of(tools, Host::Here)?;
    let found = cluster.volume(volume)?;
    Ok(cluster.unhealed(&found)?)
}

/// Waits until that is nothing, and as long as it becomes less.
pub(super) fn wait_healed(tools: &Tools, volume: &str) -> Result<(), ExecutorError> {
    let begin = Instant::now();
    let (mut least, mut since) = (u64::MAX, begin);
    loop {
        // A brick that has just started does not answer yet.
        let owed = unhealed(tools, volume).unwrap_or(u64::MAX);
        if owed == 0 {
            return Ok(());
        }
        if owed < least {
            (least, since) = (owed, Instant::now());
        }
        if since.elapsed() > TO_HEAL {
            let why = "its replicas do not heal; gluster volume heal info tells what is left";
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

/// Reads what was set, not what is so by default: the `[vars]` of the session's `gsyncd.conf`,
/// as `config` writes it since 4.0.
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
    let text = text.map_err(|source| ExecutorError::System {
        doing: format!("read {}", path.display()),
        source,
    })?;
    let text = String::from_utf8_lossy(&text);
    let vars = text.lines().skip_while(|line| line.trim() != "[vars]").skip(1);
    let vars = vars.take_while(|line| !line.trim_start().starts_with('['));
    let plain = |name: &str| name.trim().replace('_', "-");
    let set =
        vars.filter_map(|line| line.split_once('=')).filter(|(name, _)| plain(name) == plain(key));
    Ok(set.last().map_or(State::Absent, |(_, value)| State::text(value.trim())))
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
