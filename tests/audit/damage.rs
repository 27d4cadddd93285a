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
        let (folder, name) =
            (Path::new(from).parent().unwrap(), Path::new(from).file_name().unwrap());
        let parent = self.gfid_of(folder.to_str().unwrap());
        fs::rename(self.at(from), self.at(to)).unwrap();
        let value = format!("{parent}/{}", name.to_str().unwrap());
        let key = xxhash_rust::xxh64::xxh64(value.as_bytes(), 0);
        lremovexattr(self.at(to), format!("trusted.gfid2path.{key:016x}")).unwrap();
        self.record(to);
    }
}
