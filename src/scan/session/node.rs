//! What one node sees of a session: its bricks, their marks and history, its processes.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, StatxFlags};
use uuid::Uuid;

use crate::domain::{Brick, BrickState, Covered, Mark, NodeReport, SecondaryUrl, Time};
use crate::format::{htime, volxml};
use crate::scan::changelog::HistoryIndex;

/// Where glusterd keeps its things.
const GLUSTERD: &str = "/var/lib/glusterd";

/// What a node is asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The primary volume.
    pub primary: String,
    /// The other side.
    pub secondary: SecondaryUrl,
    /// The bricks of that node.
    pub bricks: Vec<Brick>,
}

impl Asked {
    /// The words after `georepair agent` that ask for it.
    pub(super) fn verb(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> =
            vec!["look".into(), self.primary.clone().into(), self.secondary.to_string().into()];
        words.extend(self.bricks.iter().map(|brick| brick.dir.clone().into_os_string()));
        words
    }
}

/// Looks at this node.
#[must_use]
pub fn sight(asked: &Asked, clock: fn() -> Time) -> NodeReport {
    let (primary, secondary) = (&asked.primary, &asked.secondary);
    let bricks = asked.bricks.iter().map(|brick| brick_sight(&brick.dir)).collect();
    NodeReport {
        alive: gsyncd_of(primary, secondary).unwrap_or_default(),
        glusterfind: glusterfind(&Path::new(GLUSTERD).join("glusterfind"), primary),
        set: set_here(primary, secondary),
        bricks,
        // Last: nothing that takes time comes between it and the answer.
        clock: clock().micros(),
    }
}

/// The numbers of a session's gsyncd processes on this node: monitor, workers, agents, and the
/// ssh of each worker.
///
/// # Errors
/// What reading `/proc` says.
pub fn gsyncd_of(primary: &str, secondary: &SecondaryUrl) -> io::Result<Vec<u32>> {
    let mut alive = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process that ended meanwhile is none of those we look for.
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

/// What was set for a session of this node's glusterd.
pub(super) fn set_here(primary: &str, secondary: &SecondaryUrl) -> BTreeMap<String, String> {
    set(&Path::new(GLUSTERD).join("geo-replication"), primary, secondary)
}

/// What was set for the session by somebody, not what gsyncd keeps for itself.
fn set(sessions: &Path, primary: &str, secondary: &SecondaryUrl) -> BTreeMap<String, String> {
    let conf = sessions.join(secondary.folder(primary)).join("gsyncd.conf");
    let text = fs::read(conf).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let vars = text.lines().skip_while(|line| line.trim() != "[vars]").skip(1);
    let vars: String = vars
        .take_while(|line| !line.trim_start().starts_with('['))
        .flat_map(|line| [line, "\n"])
        .collect();
    volxml::settings(&vars)
}

fn brick_sight(dir: &Path) -> BrickState {
    let mut sight = BrickState { dir: dir.to_owned(), ..BrickState::default() };
    if let Err(error) = fill(dir, &mut sight) {
        let dir = dir.to_owned();
        return BrickState { dir, trouble: Some(error.to_string()), ..BrickState::default() };
    }
    sight
}

fn fill(dir: &Path, sight: &mut BrickState) -> io::Result<()> {
    sight.identity = identity(dir)?;
    let id = xattr::get(dir, "trusted.glusterfs.volume-id")?;
    sight.volume = id.and_then(|id| Uuid::from_slice(&id).ok());
    for name in xattr::list(dir)? {
        let Some(name) = name.to_str().filter(|name| is_mark(name)) else { continue };
        let value = xattr::get(dir, name)?;
        if let Some(mark) = value.as_deref().and_then(Mark::from_bytes) {
            sight.marks.insert(name.to_owned(), mark);
        }
    }
    let changelogs = dir.join(".glusterfs/changelogs");
    sight.changelogs = identity(&changelogs).ok();
    sight.index = identity(&changelogs.join("htime")).ok();
    match HistoryIndex::faults(dir) {
        Ok((faults, lost)) => (sight.index_faults, sight.lost_changelogs) = (faults, lost),
        Err(error) => sight.index_faults.push(error.to_string()),
    }
    match history(&changelogs.join("htime")) {
        Ok(history) => sight.history = history,
        Err(error) => sight.index_trouble = Some(error.to_string()),
    }
    let stat = rustix::fs::statvfs(dir)?;
    sight.free = stat.f_bavail.saturating_mul(stat.f_frsize);
    sight.used = stat.f_blocks.saturating_sub(stat.f_bfree).saturating_mul(stat.f_frsize);
    sight.inodes = stat.f_files.saturating_sub(stat.f_ffree);
    sight.recorded = crate::scan::changelog::recorded(dir);
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
    let told = stat.stx_mask & StatxFlags::BTIME.bits() != 0;
    let (secs, nanos) = (stat.stx_btime.tv_sec, i64::from(stat.stx_btime.tv_nsec));
    Ok((stat.stx_ino, told.then(|| secs.saturating_mul(1_000_000_000).saturating_add(nanos))))
}

/// What each HTIME file covers, as libgfchangelog reckons it: from the time in its name to the
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
            return Err(io::Error::other(format!("htime/{name} is no usable index")));
        };
        history.push(Covered { from, to: count.last });
    }
    history.sort_unstable_by_key(|it| it.from);
    Ok(history)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn every_process_of_the_session_is_known_by_its_command_line() {
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
    fn only_what_somebody_set_is_a_setting() {
        let folder = tempfile::tempdir().unwrap();
        let conf = folder.path().join("gv0_s1_gv0dr");
        fs::create_dir(&conf).unwrap();
        let text = "[__meta__]\nversion = 4\n[vars]\nsync_jobs = 5\n\n[other]\nx = y\n";
        fs::File::create(conf.join("gsyncd.conf")).unwrap().write_all(text.as_bytes()).unwrap();
        let found = set(folder.path(), "gv0", &"geo@s1::gv0dr".parse().unwrap());
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [("sync-jobs".into(), "5".into())]);
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
    fn a_directory_that_is_not_there_is_trouble_and_no_empty_brick() {
        let sight = brick_sight(Path::new("/nowhere/brick"));
        assert!(sight.trouble.is_some() && sight.marks.is_empty());
    }
}
