//! A mount that looks like a volume's and answers each change after a millisecond.

use std::ffi::OsStr;
use std::path::Path;
use std::thread::{sleep, spawn};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{
    BackgroundSession, BsdFileFlags, Config, Errno, FileAttr, FileHandle, FileType, Filesystem,
    Generation, INodeNo, MountOption, ReplyAttr, ReplyEmpty, ReplyEntry, ReplyXattr, Request,
    TimeOrNow,
};

/// How long a change takes.
pub(crate) const ANSWER: Duration = Duration::from_millis(1);

/// Files in each directory.
pub(crate) const FILES: u64 = 15;

/// Directories `d0`, `d1`, … and in each the files `f0` to `f14`. Looking is quick, as it is on a
/// mount that has just been walked.
struct Slow;

/// Mounts it; dropping the answer unmounts.
pub(crate) fn mount(at: &Path) -> std::io::Result<BackgroundSession> {
    let mut config = Config::default();
    let named = [("m1:/gv0", true), ("glusterfs", false)];
    config.mount_options.extend(named.map(|(name, source)| {
        if source { MountOption::FSName(name.into()) } else { MountOption::Subtype(name.into()) }
    }));
    fuser::spawn_mount(Slow, at, &config)
}

/// The number of an inode is the lower half of its gfid.
pub(crate) fn inode(directory: u64, file: Option<u64>) -> u64 {
    (directory + 1) * 100 + file.map_or(0, |file| file + 1)
}

fn about(ino: u64) -> FileAttr {
    let folder = ino.is_multiple_of(100) || ino == 1;
    FileAttr {
        ino: INodeNo(ino),
        size: 0,
        blocks: 0,
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind: if folder { FileType::Directory } else { FileType::RegularFile },
        perm: 0o755,
        nlink: 1,
        uid: 0,
        gid: 0,
        rdev: 0,
        blksize: 4096,
        flags: 0,
    }
}

const KEPT: Duration = Duration::from_hours(1);

impl Filesystem for Slow {
    fn lookup(&self, _req: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let number = |prefix| name.to_str()?.strip_prefix(prefix)?.parse::<u64>().ok();
        let parent = u64::from(parent);
        let found = if parent == 1 {
            number("d").map(|directory| inode(directory, None))
        } else {
            number("f").map(|file| parent + file + 1)
        };
        match found {
            Some(ino) => reply.entry(&KEPT, &about(ino), Generation(0)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn getattr(&self, _req: &Request, ino: INodeNo, _fh: Option<FileHandle>, reply: ReplyAttr) {
        reply.attr(&KEPT, &about(ino.into()));
    }

    fn getxattr(&self, _: &Request, _ino: INodeNo, _: &OsStr, _: u32, reply: ReplyXattr) {
        reply.error(Errno::ENODATA);
    }

    fn setxattr(
        &self,
        _req: &Request,
        _ino: INodeNo,
        _name: &OsStr,
        _value: &[u8],
        _flags: i32,
        _position: u32,
        reply: ReplyEmpty,
    ) {
        spawn(move || {
            sleep(ANSWER);
            reply.ok();
        });
    }

    fn setattr(
        &self,
        _req: &Request,
        ino: INodeNo,
        _mode: Option<u32>,
        _uid: Option<u32>,
        _gid: Option<u32>,
        _size: Option<u64>,
        _atime: Option<TimeOrNow>,
        _mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        _fh: Option<FileHandle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        _flags: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        spawn(move || {
            sleep(ANSWER);
            reply.attr(&KEPT, &about(ino.into()));
        });
    }
}
