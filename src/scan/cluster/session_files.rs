//! Files of glusterd and gsyncd about sessions: their names, and the status of each worker.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use uuid::Uuid;

use crate::format::conf;

/// A session's folder of glusterd on this node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionFolder {
    /// `<primary volume>_<secondary host>_<secondary volume>`: its folder's name.
    pub name: String,
    /// `<primary volume id>.<secondary volume id>`; absent until it was started once.
    pub ids: Option<String>,
    folder: PathBuf,
}

/// A worker's status file (`brick_<brick>.status`).
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct WorkerState {
    /// `Active`, `Passive`, `Faulty`, `Initializing...`, `Stopped`, …
    pub worker_status: String,
    /// `Changelog Crawl`, `History Crawl`, `Hybrid Crawl`.
    pub crawl_status: String,
}

/// Reads the sessions below glusterd's folder, `/var/lib/glusterd/geo-replication`; empty if it
/// does not exist.
#[must_use]
pub fn session_folders(folder: &Path) -> Vec<SessionFolder> {
    let folders = fs::read_dir(folder).into_iter().flatten().flatten();
    let session = |entry: fs::DirEntry| {
        let conf = fs::read_to_string(entry.path().join("gsyncd.conf")).ok()?;
        let name = entry.file_name().into_string().ok()?;
        Some(SessionFolder { name, ids: ids(&conf), folder: entry.path() })
    };
    let mut found: Vec<_> = folders.filter_map(session).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// Whether this node's glusterd has the volume of this id, by the `vols/*/info` beside its folder of
/// sessions. Of other volumes, such as a detached brick's, it does not know the sessions either.
#[must_use]
pub fn has_volume(folder: &Path, volume: Uuid) -> bool {
    let Some(home) = folder.parent() else { return false };
    let line = format!("volume-id={volume}");
    let volumes = fs::read_dir(home.join("vols")).into_iter().flatten().flatten();
    volumes
        .filter_map(|entry| fs::read_to_string(entry.path().join("info")).ok())
        .any(|info| info.lines().any(|it| it.trim() == line))
}

/// The volume ids in `stime-xattr-prefix = trusted.glusterfs.<primary>.<secondary>`.
fn ids(conf: &str) -> Option<String> {
    let value = conf.lines().find_map(|line| {
        let (key, value) = line.split_once('=').or_else(|| line.split_once(':'))?;
        (conf::setting_name(key) == "stime-xattr-prefix").then_some(value.trim())
    })?;
    value.strip_prefix("trusted.glusterfs.").map(str::to_owned)
}

impl SessionFolder {
    /// The state of a brick's worker, by the brick's path in the volume.
    #[must_use]
    pub fn worker(&self, brick: &Path) -> Option<WorkerState> {
        let file = format!("brick_{}.status", quote_plus(brick.as_os_str().as_encoded_bytes()));
        let text = fs::read(self.folder.join(file)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Whether the worker has received the changelog of this end and not finished it: then it is
    /// slow, not cut off. `working` is gsyncd's folder, `/var/lib/misc/gluster/gsyncd`.
    #[must_use]
    pub fn is_processing(&self, working: &Path, brick: &Path, end: i64) -> bool {
        let text = brick.to_string_lossy().replace('/', "-");
        let folder = working.join(&self.name).join(text.trim_matches('-'));
        let name = format!("CHANGELOG.{end}");
        [".processing", ".history/.processing"]
            .iter()
            .any(|state| folder.join(state).join(&name).exists())
    }
}

/// Python's `urllib.parse.quote_plus`.
pub(in crate::scan) fn quote_plus(bytes: &[u8]) -> String {
    let mut out = String::new();
    for &byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_bricks_as_gsyncd_does() {
        assert_eq!(quote_plus(b"/bricks/m 1/b~\xc3\xbc"), "%2Fbricks%2Fm+1%2Fb~%C3%BC");
    }

    #[test]
    fn reads_the_files_of_glusterd_and_gsyncd_10_3() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("P_s1_S");
        fs::create_dir(&folder).unwrap();
        fs::create_dir(root.path().join("no-session")).unwrap();
        let put = |name: &str, text: &str| {
            use std::io::Write as _;
            fs::File::create(folder.join(name)).unwrap().write_all(text.as_bytes()).unwrap();
        };
        put("gsyncd.conf", "[vars]\nstime-xattr-prefix = trusted.glusterfs.9b30.604d\n\n");
        put(
            "brick_%2Fbricks%2Fp.status",
            r#"{"secondary_node": "", "worker_status": "Active", "last_synced": 1795252603, "crawl_status": "Changelog Crawl"}"#,
        );
        let [session] = &session_folders(root.path())[..] else { panic!() };
        assert_eq!((session.name.as_str(), session.ids.as_deref()), ("P_s1_S", Some("9b30.604d")));
        let state = session.worker(Path::new("/bricks/p")).unwrap();
        assert_eq!(state.worker_status, "Active");
        assert_eq!(session.worker(Path::new("/bricks/q")), None);
    }

    #[test]
    fn a_volume_is_known_by_its_id() {
        use std::io::Write as _;
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("geo-replication");
        let (ours, other) = (Uuid::from_u128(7), Uuid::from_u128(8));
        assert!(!has_volume(&folder, ours));
        fs::create_dir_all(home.path().join("vols/gv0")).unwrap();
        let mut info = fs::File::create(home.path().join("vols/gv0/info")).unwrap();
        write!(info, "type=2\nvolume-id={ours}\nusername=x\n").unwrap();
        assert!(has_volume(&folder, ours));
        assert!(!has_volume(&folder, other));
    }
}
