//! Inspects a session on this node: its bricks, their marks and history, its processes.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, StatxFlags};
use uuid::Uuid;

use crate::domain::{Brick, BrickState, Covered, Mark, NodeReport, SecondaryUrl, Time};
use crate::format::{conf, htime};
use crate::scan::changelog::HistoryIndex;

/// Where glusterd keeps its state.
const GLUSTERD: &str = "/var/lib/glusterd";

/// What a node should report.
#[derive(Clone, Debug)]
pub struct SessionRequest {
    /// The primary volume.
    pub primary: String,
    /// The other side.
    pub secondary: SecondaryUrl,
    /// The bricks of that node.
    pub bricks: Vec<Brick>,
}

impl SessionRequest {
    /// The arguments of `georepair agent` that request it.
    pub(super) fn verb(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> =
            vec!["look".into(), self.primary.clone().into(), self.secondary.to_string().into()];
        words.extend(self.bricks.iter().map(|brick| brick.dir.clone().into_os_string()));
        words
    }
}

/// Inspects this node.
#[must_use]
pub fn node_report(request: &SessionRequest, clock: fn() -> Time) -> NodeReport {
    let (primary, secondary) = (&request.primary, &request.secondary);
    let bricks = request.bricks.iter().map(|brick| brick_state(&brick.dir)).collect();
    NodeReport {
        alive: gsyncd_of(primary, secondary).unwrap_or_default(),
        glusterfind: glusterfind(&Path::new(GLUSTERD).join("glusterfind"), primary),
        set: explicit_settings(primary, secondary),
        bricks,
        // Last: nothing that takes time may come between it and the answer.
        clock: clock().micros(),
    }
}

/// The PIDs of a session's gsyncd processes on this node: monitor, workers, agents, and the ssh of
/// each worker.
///
/// # Errors
/// If `/proc` cannot be read.
pub fn gsyncd_of(primary: &str, secondary: &SecondaryUrl) -> io::Result<Vec<u32>> {
    let mut alive = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process that ended meanwhile has no command line any more.
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if is_gsyncd_of(&line, primary, secondary) {
            alive.push(pid);
        }
    }
    Ok(alive)
}

/// A worker names the volume `gv0`, the monitor `:gv0` (10.3), and older ones `gluster://…:gv0`.
fn is_gsyncd_of(cmdline: &[u8], primary: &str, secondary: &SecondaryUrl) -> bool {
    let words: Vec<_> = cmdline.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    let gsyncd = words.iter().any(|word| word.ends_with("gsyncd.py") || word.ends_with("/gsyncd"));
    let other = |word: &str| word.parse::<SecondaryUrl>().is_ok_and(|it| it.is_same(secondary));
    let own =
        |word: &str| word == primary || word.rsplit_once(':').is_some_and(|it| it.1 == primary);
    gsyncd && words.iter().any(|word| other(word)) && words.iter().any(|word| own(word))
}

/// The glusterfind sessions on a volume: `glusterfind/<session>/<volume>`.
fn glusterfind(folder: &Path, volume: &str) -> Vec<String> {
    let sessions = fs::read_dir(folder).into_iter().flatten().flatten();
    let ours = sessions.filter(|entry| entry.path().join(volume).is_dir());
    let mut names: Vec<_> =
        ours.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names
}

/// The explicit settings of a session on this node, without defaults.
pub(super) fn explicit_settings(
    primary: &str,
    secondary: &SecondaryUrl,
) -> BTreeMap<String, String> {
    conf_settings(&Path::new(GLUSTERD).join("geo-replication"), primary, secondary)
}

fn conf_settings(
    sessions: &Path,
    primary: &str,
    secondary: &SecondaryUrl,
) -> BTreeMap<String, String> {
    let file = sessions.join(secondary.folder(primary)).join("gsyncd.conf");
    conf::explicit_settings(&fs::read(file).unwrap_or_default())
}

fn brick_state(dir: &Path) -> BrickState {
    let mut state = BrickState { dir: dir.to_owned(), ..BrickState::default() };
    if let Err(error) = fill(dir, &mut state) {
        let dir = dir.to_owned();
        return BrickState { dir, trouble: Some(error.to_string()), ..BrickState::default() };
    }
    state
}

fn fill(dir: &Path, state: &mut BrickState) -> io::Result<()> {
    state.identity = identity(dir)?;
    let id = xattr::get(dir, "trusted.glusterfs.volume-id")?;
    state.volume = id.and_then(|id| Uuid::from_slice(&id).ok());
    for name in xattr::list(dir)? {
        let Some(name) = name.to_str().filter(|name| is_mark(name)) else { continue };
        let value = xattr::get(dir, name)?;
        if let Some(mark) = value.as_deref().and_then(Mark::from_bytes) {
            state.marks.insert(name.to_owned(), mark);
        }
    }
    let changelogs = dir.join(".glusterfs/changelogs");
    state.changelogs = identity(&changelogs).ok();
    state.index = identity(&changelogs.join("htime")).ok();
    match HistoryIndex::faults(dir) {
        Ok((faults, lost)) => (state.index_faults, state.lost_changelogs) = (faults, lost),
        Err(error) => state.index_faults.push(error.to_string()),
    }
    match history(&changelogs.join("htime")) {
        Ok(history) => state.history = history,
        Err(error) => state.index_trouble = Some(error.to_string()),
    }
    let stat = rustix::fs::statvfs(dir)?;
    state.free = stat.f_bavail.saturating_mul(stat.f_frsize);
    state.used = stat.f_blocks.saturating_sub(stat.f_bfree).saturating_mul(stat.f_frsize);
    state.inodes = stat.f_files.saturating_sub(stat.f_ffree);
    state.recorded = crate::scan::changelog::recorded(dir);
    Ok(())
}

fn is_mark(name: &str) -> bool {
    let named = name.strip_prefix("trusted.glusterfs.");
    let last = named.and_then(|it| it.rsplit('.').next());
    last.is_some_and(|last| ["stime", "entry_stime"].contains(&last))
}

fn identity(path: &Path) -> io::Result<(u64, Option<i64>)> {
    let wanted = StatxFlags::INO | StatxFlags::BTIME;
    let stat = rustix::fs::statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, wanted)?;
    let known = stat.stx_mask & StatxFlags::BTIME.bits() != 0;
    let (secs, nanos) = (stat.stx_btime.tv_sec, i64::from(stat.stx_btime.tv_nsec));
    Ok((stat.stx_ino, known.then(|| secs.saturating_mul(1_000_000_000).saturating_add(nanos))))
}

/// What each HTIME file covers, as libgfchangelog computes it: from the time in its name to the
/// last rollover in its xattr (`gf_history_changelog`). A file there without that xattr makes
/// every history request fail.
fn history(folder: &Path) -> io::Result<Vec<Covered>> {
    let mut history = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_type()?.is_file() {
            continue;
        }
        let path = entry.path();
        let count = xattr::get(&path, htime::COUNT_XATTR)?;
        let count = count.as_deref().and_then(htime::Count::from_xattr);
        let name = entry.file_name();
        let (Some(count), Some(from)) = (count, htime::index_time(&name)) else {
            let name = crate::domain::Name::from(name.as_encoded_bytes());
            return Err(io::Error::other(format!("htime/{name} is not a usable index")));
        };
        history.push(Covered { from, to: count.last });
    }
    history.sort_unstable_by_key(|it| it.from);
    Ok(history)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_process_of_the_session_is_recognised_by_its_command_line() {
        let secondary: SecondaryUrl = "s1::gv0dr".parse().unwrap();
        let gsyncd = "/usr/libexec/glusterfs/python/syncdaemon/gsyncd.py";
        let line = |words: &[&str]| words.join("\0").into_bytes();
        let is = |words: &[&str]| is_gsyncd_of(&line(words), "gv0", &secondary);
        assert!(is(&["python3", gsyncd, "worker", "gv0", "s1::gv0dr", "--local-path", "/srv"]));
        assert!(is(&["python3", gsyncd, "--path=/srv", "--monitor", ":gv0", "s1::gv0dr"]));
        assert!(is(&["ssh", "-p", "22", "s1", "/nonexistent/gsyncd", "gv0", "geo@s1::gv0dr"]));
        assert!(!is(&["python3", gsyncd, "worker", "gv01", "s1::gv0dr"]));
        assert!(!is(&["python3", gsyncd, "worker", "gv0", "s1::gv1dr"]));
        assert!(!is(&["vi", "gsyncd.log", "gv0", "s1::gv0dr"]));
    }

    #[test]
    fn glusterfind_is_found_by_the_volume() {
        let folder = tempfile::tempdir().unwrap();
        for place in ["backup/gv0", "backup/gv1", "scan/gv1", "antivirus/gv0"] {
            fs::create_dir_all(folder.path().join(place)).unwrap();
        }
        assert_eq!(glusterfind(folder.path(), "gv0"), ["antivirus", "backup"]);
    }

    #[test]
    fn a_missing_directory_is_trouble_and_not_an_empty_brick() {
        let state = brick_state(Path::new("/nowhere/brick"));
        assert!(state.trouble.is_some() && state.marks.is_empty());
    }
}
