//! A mount that looks like a volume's and answers each change after a millisecond.

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fuser::{
    BackgroundSession, BsdFileFlags, Config, Errno, FileAttr, FileHandle, FileType, Filesystem,
    Generation, INodeNo, ReplyAttr, ReplyEmpty, ReplyEntry, ReplyXattr, Request, Session,
    SessionACL, TimeOrNow,
};
use georepair::domain::Gfid;
use georepair::plan::{Item, NodePath, Trigger};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use tempfile::TempDir;

/// How long a change takes.
pub(crate) const ANSWER: Duration = Duration::from_millis(1);

/// Files in each directory.
pub(crate) const FILES: u64 = 15;

/// Directories `d0`, `d1`, … and in each the files `f0` to `f14`. Looking is quick, as it is on a
/// mount that has just been walked.
struct Slow {
    story: Story,
    answers: Sender<(Instant, Answer)>,
}

/// What is done when a change's time has come.
type Answer = Box<dyn FnOnce() + Send>;

/// Gives each answer when it is due; all take the same time, so they are due as they came.
fn answer(due: &Receiver<(Instant, Answer)>) {
    for (when, answer) in due {
        sleep(when.saturating_duration_since(Instant::now()));
        answer();
    }
}

impl Slow {
    fn new(story: Story) -> Self {
        let (answers, due) = channel();
        spawn(move || answer(&due));
        Self { story, answers }
    }

    /// Answers a change in its time; without the thread that answers, nobody waits for it any more.
    fn later(&self, answer: impl FnOnce() + Send + 'static) {
        drop(self.answers.send((Instant::now() + ANSWER, Box::new(answer))));
    }
}

/// What was set, by inode, as it came in and as it was answered.
pub(crate) type Story = Arc<Mutex<Vec<(u64, Moment)>>>;

/// Whether a set has come in or was answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Moment {
    Came,
    Answered,
}

/// All that there is in so many directories, in pre-order.
pub(crate) fn items(directories: u64) -> Vec<Item> {
    let trigger = |at: String, folder, ino: u64| {
        let gfid = Gfid::from_bytes(u128::from(ino).to_be_bytes());
        Item::Trigger(Trigger { at: NodePath::from(at.as_str()), folder, gfid: Some(gfid) })
    };
    let mut items = Vec::new();
    for dir in 0..directories {
        items.push(trigger(format!("d{dir}"), true, inode(dir, None)));
        let file = |file| trigger(format!("d{dir}/f{file}"), false, inode(dir, Some(file)));
        items.extend((0..FILES).map(file));
    }
    items
}

/// The mount, for as long as it is held.
pub(crate) struct SlowMount {
    at: TempDir,
    _session: BackgroundSession,
}

impl SlowMount {
    /// Mounts it as the `mount.glusterfs` of a volume gv0 would; fuser knows no subtypes.
    pub(crate) fn new(story: Story) -> std::io::Result<Self> {
        let at = tempfile::tempdir()?;
        let device = File::options().read(true).write(true).open("/dev/fuse")?;
        let options = format!("fd={},rootmode=40000,user_id=0,group_id=0", device.as_raw_fd());
        let options = CString::new(options)?;
        let flags = MountFlags::NOSUID | MountFlags::NODEV;
        mount("m1:/gv0", at.path(), "fuse.glusterfs", flags, options.as_c_str())?;
        let (acl, config) = (SessionACL::Owner, Config::default());
        let session = Session::from_fd(Slow::new(story), device.into(), acl, config)?;
        Ok(Self { at, _session: session.spawn()? })
    }

    pub(crate) fn path(&self) -> &Path {
        self.at.path()
    }
}

impl Drop for SlowMount {
    fn drop(&mut self) {
        // The session ends with its mount; what else could be done here?
        let _ = unmount(self.at.path(), UnmountFlags::DETACH);
    }
}

/// The number of an inode is the lower half of its gfid.
fn inode(directory: u64, file: Option<u64>) -> u64 {
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
        ino: INodeNo,
        _name: &OsStr,
        _value: &[u8],
        _flags: i32,
        _position: u32,
        reply: ReplyEmpty,
    ) {
        let story = Arc::clone(&self.story);
        let tell = move |turn| {
            if let Ok(mut story) = story.lock() {
                story.push((ino.into(), turn));
            }
        };
        tell(Moment::Came);
        self.later(move || {
            tell(Moment::Answered);
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
        self.later(move || reply.attr(&KEPT, &about(ino.into())));
    }
}
