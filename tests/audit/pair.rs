//! Two bricks that hold the same, as the two sides of a session, and what an audit of them tells.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command as Process, Output};
use std::time::{Duration, UNIX_EPOCH};

use georepair::domain::Gfid;
use rustix::fs::{XattrFlags, lsetxattr};

use crate::bricks::{FakeBrick, new_gfid};
use crate::support::georepair;
use crate::{AuditOutput, told};

/// The secondary's volume id, as in [`crate::damage::SESSION`].
const SECONDARY: u128 = 0x222d_8df5_ced4_48a4_a782_61eb_9081_b218;

/// Both sides of a session, a brick each.
pub(crate) struct Pair {
    pub(crate) primary: FakeBrick,
    pub(crate) secondary: FakeBrick,
}

impl Pair {
    /// Two empty volumes, or nothing where bricks cannot be built.
    pub(crate) fn new() -> Option<Self> {
        let (primary, secondary) = (FakeBrick::new()?, FakeBrick::new()?);
        secondary.belong(SECONDARY);
        Some(Self { primary, secondary })
    }

    /// Two volumes with something of every kind in them.
    pub(crate) fn filled() -> Option<Self> {
        let it = Self::new()?;
        it.dir("d");
        it.dir("d/e");
        for n in 0..20 {
            it.file(&format!("d/e/{n}"), "content");
        }
        it.file("file", "content");
        it.file("empty", "");
        let (symlink, fifo) = (new_gfid(), new_gfid());
        for brick in it.both() {
            brick.link("file", "d/link");
            std::os::unix::fs::symlink("file", brick.at("symlink")).unwrap();
            brick.adopt("symlink", symlink);
            brick.record("symlink");
            Process::new("mkfifo").arg(brick.at("fifo")).status().unwrap();
            brick.adopt("fifo", fifo);
            brick.record("fifo");
        }
        Some(it)
    }

    pub(crate) fn both(&self) -> [&FakeBrick; 2] {
        [&self.primary, &self.secondary]
    }

    /// A directory on both sides.
    pub(crate) fn dir(&self, path: &str) -> Gfid {
        self.secondary.dir_as(path, self.primary.dir(path))
    }

    /// A file on both sides.
    pub(crate) fn file(&self, path: &str, text: &str) -> Gfid {
        let gfid = new_gfid();
        for brick in self.both() {
            brick.file_as(path, gfid, text);
        }
        gfid
    }

    /// The words of an audit of both.
    pub(crate) fn words<'a>(&'a self, flags: &'a [&'a str]) -> Vec<&'a OsStr> {
        let mut words: Vec<&OsStr> =
            ["--format", "json", "audit", "session"].map(OsStr::new).to_vec();
        for (flag, brick) in
            [("--primary-brick", &self.primary), ("--secondary-brick", &self.secondary)]
        {
            words.extend([OsStr::new(flag), brick.path().as_os_str()]);
        }
        words.extend(flags.iter().map(OsStr::new));
        words
    }

    /// Audits them, waiting for nothing that is pending.
    pub(crate) fn audit(&self, flags: &[&str]) -> AuditOutput {
        told(&self.run(flags))
    }

    /// The same, whatever comes of it.
    pub(crate) fn run(&self, flags: &[&str]) -> Output {
        let flags = [&["--quiet", "--settle", "0"], flags].concat();
        let mut command = assert_cmd::Command::from_std(georepair(self.words(&flags)));
        command.timeout(Duration::from_mins(1)).output().unwrap()
    }
}

impl FakeBrick {
    /// Makes it a brick of this volume.
    pub(crate) fn belong(&self, volume: u128) {
        self.xattr(".", "trusted.glusterfs.volume-id", &volume.to_be_bytes());
    }

    /// A file of this gfid, text and the one mtime of all files here.
    pub(crate) fn file_as(&self, path: &str, gfid: Gfid, text: &str) {
        self.rewrite(path, text);
        self.adopt(path, gfid);
        self.record(path);
    }

    /// Gives a file this text and the one mtime of all files here.
    pub(crate) fn rewrite(&self, path: &str, text: &str) {
        fs::write(self.at(path), text).unwrap();
        self.age(path, 1_700_000_000);
    }

    /// Sets a file's mtime, in seconds since 1970.
    pub(crate) fn age(&self, path: &str, secs: u64) {
        let file = fs::File::options().write(true).open(self.at(path)).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_secs(secs)).unwrap();
    }

    /// Sets an xattr.
    pub(crate) fn xattr(&self, path: impl AsRef<Path>, key: &str, value: &[u8]) {
        lsetxattr(self.path().join(path), key, value, XattrFlags::empty()).unwrap();
    }

    /// Removes something with its handle, as the brick does.
    pub(crate) fn remove(&self, path: &str) {
        let gfid = self.gfid_of(path);
        let it = self.at(path);
        if it.is_dir() {
            fs::remove_dir(it).unwrap();
        } else {
            fs::remove_file(it).unwrap();
        }
        self.lose_handle(gfid);
    }
}
