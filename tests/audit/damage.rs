//! What else can be wrong with a brick, and how its own process changes it.

use std::fs;
use std::path::Path;

use georepair::domain::Gfid;
use rustix::fs::{XattrFlags, lremovexattr, lsetxattr};

use crate::bricks::FakeBrick;

impl FakeBrick {
    /// A file that somebody wrote to the brick: no gfid, no handle.
    pub(crate) fn foreign(&self, path: &str) {
        fs::write(self.at(path), b"data").unwrap();
    }

    /// Makes something carry this gfid, and nothing more.
    pub(crate) fn carry(&self, path: &str, gfid: Gfid) {
        lsetxattr(self.at(path), "trusted.gfid", gfid.as_bytes(), XattrFlags::empty()).unwrap();
    }

    /// Renames a file as the brick does: the name, then its old record, then its new.
    pub(crate) fn rename(&self, from: &str, to: &str) {
        let old = self.key_of(from);
        fs::rename(self.at(from), self.at(to)).unwrap();
        lremovexattr(self.at(to), old).unwrap();
        self.record(to);
    }

    /// Takes the record of a name away.
    pub(crate) fn unrecord(&self, path: &str) {
        lremovexattr(self.at(path), self.key_of(path)).unwrap();
    }

    /// Takes one of several names with its record.
    pub(crate) fn unlink(&self, path: &str) {
        self.unrecord(path);
        fs::remove_file(self.at(path)).unwrap();
    }

    /// The xattr that records a name.
    fn key_of(&self, path: &str) -> String {
        let (folder, name) =
            (Path::new(path).parent().unwrap(), Path::new(path).file_name().unwrap());
        let parent = self.gfid_of(folder.to_str().unwrap());
        let value = format!("{parent}/{}", name.to_str().unwrap());
        format!("trusted.gfid2path.{:016x}", xxhash_rust::xxh64::xxh64(value.as_bytes(), 0))
    }
}

/// The end of the first changelog's slice; the others follow every 15 s, each third one empty.
pub(crate) const BEGAN: u32 = 1_795_230_000;
/// How a changelog in text begins; one without a change holds no more.
pub(crate) const HEADER: &str = "GlusterFS Changelog | version: v1.2 | encoding : 2\n";
/// The volumes of a session whose primary is the built bricks' volume.
pub(crate) const SESSION: &str =
    "07070707-0707-0707-0707-070707070707.222d8df5-ced4-48a4-a782-61eb9081b218";

impl FakeBrick {
    /// Changelogs in dated folders and their index, as release 10 leaves them.
    pub(crate) fn with_changelogs(&self, count: u32) {
        fs::create_dir_all(self.htime("")).unwrap();
        let mut index = Vec::new();
        for end in (1..=count).map(|n| BEGAN + 15 * n) {
            let empty = (end - BEGAN).is_multiple_of(45);
            let path = self.changelog(end);
            let name = if empty { "changelog" } else { "CHANGELOG" };
            let listed = path.parent().unwrap().join(format!("{name}.{end}"));
            index.extend_from_slice(listed.as_os_str().as_encoded_bytes());
            index.push(0);
            if !empty {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                let record = "D5a3a52bc-3a1c-4b3e-9d0a-51a4a1d3c9b1\0";
                fs::write(path, format!("{HEADER}{record}")).unwrap();
            }
        }
        let name = format!("HTIME.{BEGAN}");
        fs::write(self.htime(&name), index).unwrap();
        self.count(&format!("{}:{count}", BEGAN + 15 * count));
        put(&self.htime(""), "trusted.glusterfs.current_htime", name.as_bytes());
        let live = self.at(".glusterfs/changelogs/CHANGELOG");
        fs::write(live, HEADER).unwrap();
        self.stime(BEGAN + 29);
    }

    /// Something in the folder of the index.
    pub(crate) fn htime(&self, name: &str) -> std::path::PathBuf {
        self.at(format!(".glusterfs/changelogs/htime/{name}"))
    }

    /// Where a changelog lies since release 8.
    pub(crate) fn changelog(&self, end: u32) -> std::path::PathBuf {
        self.at(format!(".glusterfs/changelogs/2026/11/21/CHANGELOG.{end}"))
    }

    /// What the index's xattr says.
    pub(crate) fn count(&self, text: &str) {
        put(&self.htime(&format!("HTIME.{BEGAN}")), "trusted.glusterfs.htime", text.as_bytes());
    }

    /// The session's mark.
    pub(crate) fn stime(&self, sec: u32) {
        let value = u64::from(sec) << 32;
        let key = format!("trusted.glusterfs.{SESSION}.stime");
        put(self.path(), &key, &value.to_be_bytes());
    }
}

fn put(path: &Path, key: &str, value: &[u8]) {
    lsetxattr(path, key, value, XattrFlags::empty()).unwrap();
}
