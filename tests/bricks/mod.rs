//! Bricks built by hand: real directories, handles and `trusted.*` xattrs, and damage by name.
#![expect(clippy::disallowed_methods, reason = "a builder of bricks changes the files it built")]

#[path = "../support/skipped.rs"]
mod skipped;

use std::ffi::OsStr;
use std::fs;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use georepair::domain::Gfid;
use rustix::fs::{CWD, FileType, Mode, OFlags, XattrFlags, lsetxattr, mkdirat, mknodat, openat};
use skipped::skipped;

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A brick in a temporary directory, gone with it.
pub(crate) struct FakeBrick {
    dir: tempfile::TempDir,
}

impl Drop for FakeBrick {
    fn drop(&mut self) {
        // Deeper than what removes temporary directories can go.
        let _ = std::process::Command::new("rm").arg("-rf").arg(self.path()).status();
    }
}

/// A gfid that no other call answers with, spread over the shards.
pub(crate) fn new_gfid() -> Gfid {
    let count = u128::from(NEXT.fetch_add(1, Ordering::Relaxed));
    let spread = count.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    Gfid::from_bytes(spread.to_be_bytes())
}

/// The gfid of a text in any notation.
pub(crate) fn gfid(text: &str) -> Gfid {
    text.parse().unwrap()
}

fn os(bytes: &[u8]) -> &OsStr {
    OsStr::from_bytes(bytes)
}

fn set(path: &Path, key: &str, value: &[u8]) {
    lsetxattr(path, key, value, XattrFlags::empty()).unwrap();
}

impl FakeBrick {
    /// An empty brick, or `None` if `trusted.*` xattrs cannot be set, which is reported.
    ///
    /// # Panics
    ///
    /// With `CI` set, where a test that did not run must not count as passed.
    pub(crate) fn new() -> Option<Self> {
        let dir = tempfile::Builder::new().prefix("brick").tempdir().unwrap();
        let id = [7; 16];
        let flags = XattrFlags::empty();
        if lsetxattr(dir.path(), "trusted.glusterfs.volume-id", &id, flags).is_err() {
            skipped("a brick needs root and a file system with trusted.* xattrs");
            return None;
        }
        let brick = Self { dir };
        set(brick.path(), "trusted.gfid", Gfid::ROOT.as_bytes());
        fs::create_dir_all(brick.path().join(".glusterfs/00/00")).unwrap();
        symlink("../../..", brick.path().join(Gfid::ROOT.handle())).unwrap();
        Some(brick)
    }

    /// Its root directory.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A path in it.
    pub(crate) fn at(&self, path: impl AsRef<[u8]>) -> PathBuf {
        self.path().join(os(path.as_ref()))
    }

    /// Where a gfid's handle stands, its shard made.
    pub(crate) fn handle(&self, gfid: Gfid) -> PathBuf {
        let handle = self.path().join(gfid.handle());
        fs::create_dir_all(handle.parent().unwrap()).unwrap();
        handle
    }

    /// The gfid that something carries.
    pub(crate) fn gfid_of(&self, path: impl AsRef<[u8]>) -> Gfid {
        let mut bytes = [0; 16];
        rustix::fs::lgetxattr(self.at(path), "trusted.gfid", &mut bytes).unwrap();
        Gfid::from_bytes(bytes)
    }

    /// The gfid of the directory something stands in, and its name there.
    fn entry(&self, path: &[u8]) -> (Gfid, Vec<u8>) {
        let split = path.iter().rposition(|&byte| byte == b'/');
        let (folder, name) = split.map_or((&b"."[..], path), |at| (&path[..at], &path[at + 1..]));
        (self.gfid_of(folder), name.to_vec())
    }

    /// A directory with a new gfid.
    pub(crate) fn dir(&self, path: impl AsRef<[u8]>) -> Gfid {
        self.dir_as(path, new_gfid())
    }

    /// A directory with this gfid.
    pub(crate) fn dir_as(&self, path: impl AsRef<[u8]>, gfid: Gfid) -> Gfid {
        let path = path.as_ref();
        fs::create_dir(self.at(path)).unwrap();
        set(&self.at(path), "trusted.gfid", gfid.as_bytes());
        let (parent, name) = self.entry(path);
        self.claim(gfid, parent, &name);
        gfid
    }

    /// A directory's handle that says parent and name, whatever is true.
    pub(crate) fn claim(&self, gfid: Gfid, parent: Gfid, name: &[u8]) {
        let text = parent.to_string();
        let target = format!("../../{}/{}/{text}/", &text[..2], &text[2..4]);
        let target = [target.as_bytes(), name].concat();
        symlink(os(&target), self.handle(gfid)).unwrap();
    }

    /// Directories below each other, each named `name`; answers with their gfids.
    pub(crate) fn deep(&self, name: &str, levels: usize) -> Vec<Gfid> {
        let open = |from: &dyn AsFd, name: &str| -> OwnedFd {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            openat(from.as_fd(), name, flags, Mode::empty()).unwrap()
        };
        let mut held = openat(CWD, self.path(), OFlags::DIRECTORY, Mode::empty()).unwrap();
        let mut gfids = vec![Gfid::ROOT];
        for level in 0..levels {
            mkdirat(&held, name, Mode::RWXU).unwrap();
            held = open(&held, name);
            let gfid = new_gfid();
            set(
                &PathBuf::from(format!("/proc/self/fd/{}/.", held.as_raw_fd())),
                "trusted.gfid",
                gfid.as_bytes(),
            );
            self.claim(gfid, gfids[level], name.as_bytes());
            gfids.push(gfid);
        }
        gfids.remove(0);
        gfids
    }

    /// Moves a file of the root to the bottom of directories made by `deep`, silently.
    pub(crate) fn sink(&self, file: &str, name: &str, levels: usize) {
        let root = openat(CWD, self.path(), OFlags::DIRECTORY, Mode::empty()).unwrap();
        let mut held = root.try_clone().unwrap();
        for _ in 0..levels {
            held = openat(&held, name, OFlags::DIRECTORY, Mode::empty()).unwrap();
        }
        rustix::fs::renameat(&root, file, &held, file).unwrap();
    }

    /// A regular file with gfid2path, as glusterfs 4 and later write it.
    pub(crate) fn file(&self, path: impl AsRef<[u8]>) -> Gfid {
        fs::write(self.at(&path), b"data").unwrap();
        let gfid = self.adopt(&path, new_gfid());
        self.record(path);
        gfid
    }

    /// A regular file without gfid2path, as older releases left it.
    pub(crate) fn old_file(&self, path: impl AsRef<[u8]>) -> Gfid {
        fs::write(self.at(&path), b"data").unwrap();
        self.adopt(path, new_gfid())
    }

    /// A user's symlink with gfid2path.
    pub(crate) fn symlink(&self, path: impl AsRef<[u8]>, target: &str) -> Gfid {
        let gfid = self.old_symlink(&path, target);
        self.record(path);
        gfid
    }

    /// A user's symlink without gfid2path.
    pub(crate) fn old_symlink(&self, path: impl AsRef<[u8]>, target: &str) -> Gfid {
        symlink(target, self.at(&path)).unwrap();
        self.adopt(path, new_gfid())
    }

    /// A fifo, socket or character device without gfid2path.
    pub(crate) fn special(&self, path: impl AsRef<[u8]>, kind: FileType) -> Gfid {
        let device = if kind == FileType::CharacterDevice { rustix::fs::makedev(1, 3) } else { 0 };
        mknodat(CWD, self.at(&path), kind, Mode::RUSR, device).unwrap();
        self.adopt(path, new_gfid())
    }

    /// DHT's pointer to a file on another brick.
    pub(crate) fn linkto(&self, path: impl AsRef<[u8]>, gfid: Gfid, subvolume: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        fs::write(self.at(&path), b"").unwrap();
        fs::set_permissions(self.at(&path), fs::Permissions::from_mode(0o1000)).unwrap();
        let value = format!("{subvolume}\0");
        set(&self.at(&path), "trusted.glusterfs.dht.linkto", value.as_bytes());
        self.adopt(&path, gfid);
        self.record(path);
    }

    /// Another name for something, recorded by gfid2path.
    pub(crate) fn link(&self, from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) {
        fs::hard_link(self.at(from), self.at(&to)).unwrap();
        self.record(to);
    }

    /// Another name for something that no xattr records.
    pub(crate) fn old_link(&self, from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) {
        fs::hard_link(self.at(from), self.at(to)).unwrap();
    }

    /// Gives something this gfid, and its handle.
    pub(crate) fn adopt(&self, path: impl AsRef<[u8]>, gfid: Gfid) -> Gfid {
        let path = self.at(path);
        set(&path, "trusted.gfid", gfid.as_bytes());
        fs::hard_link(path, self.handle(gfid)).unwrap();
        gfid
    }

    /// Records a name of something by gfid2path.
    pub(crate) fn record(&self, path: impl AsRef<[u8]>) {
        let (parent, name) = self.entry(path.as_ref());
        self.record_as(path, parent, &name);
    }

    /// Records a name by gfid2path, whatever is true.
    pub(crate) fn record_as(&self, path: impl AsRef<[u8]>, parent: Gfid, name: &[u8]) {
        let value = [parent.to_string().as_bytes(), b"/", name].concat();
        let key = format!("trusted.gfid2path.{:016x}", xxhash_rust::xxh64::xxh64(&value, 0));
        set(&self.at(path), &key, &value);
    }

    /// Records a parent of something by pgfid, with a link count.
    pub(crate) fn record_parent(&self, path: impl AsRef<[u8]>, links: u32) {
        let (parent, _) = self.entry(path.as_ref());
        set(&self.at(path), &format!("trusted.pgfid.{parent}"), &links.to_be_bytes());
    }

    /// Takes a name away and leaves everything else as it was.
    pub(crate) fn lose_name(&self, path: impl AsRef<[u8]>) {
        fs::remove_file(self.at(path)).unwrap();
    }

    /// Takes a gfid's handle away.
    pub(crate) fn lose_handle(&self, gfid: Gfid) {
        fs::remove_file(self.handle(gfid)).unwrap();
    }

    /// Moves something without telling handles or xattrs.
    pub(crate) fn move_silently(&self, from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) {
        fs::rename(self.at(from), self.at(to)).unwrap();
    }
}
