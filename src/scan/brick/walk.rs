//! Walks the namespace of a brick once, with all threads; never leaves it, at any depth.

use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::Scope;
use rustix::fs::{AtFlags, FileType, statat};
use rustix::io::Errno;

use super::{BrickRoot, DirFd, gfid_of, read_entries};
use crate::domain::{Gfid, Name};
use crate::scan::meter::Meter;

/// How many names of one directory are handed over together.
const BATCH: usize = 512;
/// How many batches may wait for a thread; past that, the thread that reads a directory works on
/// its batches itself, so that waiting names do not fill the memory.
const WAITING: usize = 64;

/// Receives what a walk finds.
pub(in crate::scan) trait Visitor: Sync {
    /// A directory was opened; `.` is the root.
    fn folder(&self, _folder: &Folder) {}

    /// Some of a directory's names, directories among them; called by several threads at once.
    fn entries(&self, folder: &Folder, entries: &[WalkEntry<'_>]);
}

/// A directory, open.
#[derive(Debug)]
pub(in crate::scan) struct Folder {
    /// Where it is.
    pub(in crate::scan) place: DirFd,
    /// Itself.
    pub(in crate::scan) own: Arc<OwnedFd>,
    /// The way the walk came to it.
    pub(in crate::scan) trail: Arc<Trail>,
}

/// A name in a directory.
#[derive(Clone, Copy, Debug)]
pub(in crate::scan) struct WalkEntry<'a> {
    pub(in crate::scan) name: &'a [u8],
    pub(in crate::scan) inode: u64,
    /// Never unknown.
    pub(in crate::scan) kind: FileType,
}

/// The way a walk came to a directory.
#[derive(Debug)]
pub(in crate::scan) struct Trail {
    /// The directory's gfid, if it has one.
    pub(in crate::scan) gfid: Option<Gfid>,
    /// Its name; the root's is `.`.
    pub(in crate::scan) name: Box<[u8]>,
    /// The directory it is in.
    pub(in crate::scan) above: Option<Arc<Trail>>,
}

/// What a walk could not read.
#[derive(Debug, Default)]
pub(in crate::scan) struct Unread {
    /// How many directories.
    pub(in crate::scan) count: u64,
    /// The first of them by path, and why.
    pub(in crate::scan) first: Option<(Name, Errno)>,
    /// Places where another file system is mounted: not walked.
    pub(in crate::scan) mounts: u64,
}

impl Drop for Trail {
    /// Lets go of a deep tree level by level: the stack would not hold thousands at once.
    fn drop(&mut self) {
        let mut above = self.above.take();
        while let Some(mut trail) = above.and_then(Arc::into_inner) {
            above = trail.above.take();
        }
    }
}

impl Trail {
    /// From this directory, itself first, to the root.
    pub(in crate::scan) fn up(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |trail| trail.above.as_deref())
    }

    /// Whether this is the brick's root.
    pub(in crate::scan) fn is_root(&self) -> bool {
        self.above.is_none()
    }

    /// The path of a name in this directory, below the brick's root.
    pub(in crate::scan) fn path(&self, name: &[u8]) -> Name {
        let folders = self.up().filter(|trail| !trail.is_root());
        let mut path: Vec<&[u8]> = folders.map(|trail| &*trail.name).collect();
        path.reverse();
        path.push(name);
        Name::from(path.join(&b'/'))
    }

    /// The directory's own path; `.` for the root.
    pub(in crate::scan) fn own_path(&self) -> Name {
        match &self.above {
            Some(above) => above.path(&self.name),
            None => Name::from("."),
        }
    }
}

/// Reads every directory of the namespace once; `.glusterfs` at the root and other file systems
/// mounted below are left out.
///
/// Memory holds the directories that wait to be read: at worst all those of one directory, on each
/// level.
pub(in crate::scan) fn walk(brick: &BrickRoot, meter: &Meter, visitor: &dyn Visitor) -> Unread {
    let walk = Walk { meter, visitor, waiting: AtomicUsize::new(0), unread: Mutex::default() };
    let start = DirFd::root(brick.root());
    rayon::scope(|scope| walk.folder(scope, start, b".", None));
    walk.unread.into_inner().unwrap_or_else(PoisonError::into_inner)
}

struct Walk<'a> {
    meter: &'a Meter,
    visitor: &'a dyn Visitor,
    waiting: AtomicUsize,
    unread: Mutex<Unread>,
}

/// Names of one directory, side by side in memory.
#[derive(Default)]
struct Batch {
    names: Vec<u8>,
    entries: Vec<(usize, u64, FileType)>,
}

impl Batch {
    fn push(&mut self, name: &[u8], inode: u64, kind: FileType) {
        self.names.extend_from_slice(name);
        self.entries.push((self.names.len(), inode, kind));
    }

    fn entries(&self) -> Vec<WalkEntry<'_>> {
        let mut start = 0;
        let entry = |&(end, inode, kind): &(usize, u64, FileType)| {
            let name = self.names.get(start..end).unwrap_or_default();
            start = end;
            WalkEntry { name, inode, kind }
        };
        self.entries.iter().map(entry).collect()
    }
}

impl<'a> Walk<'a> {
    fn folder<'s>(&'s self, scope: &Scope<'s>, place: DirFd, name: &[u8], above: Option<Arc<Trail>>)
    where
        'a: 's,
    {
        let opened = place.open(false);
        let trail = |gfid| Arc::new(Trail { gfid, name: name.into(), above });
        let own = match opened {
            Ok(own) => Arc::new(own),
            // Gone since its parent was read, or no longer a directory.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return,
            Err(error) => return self.note(&trail(None), error),
        };
        let gfid = gfid_of(own.as_fd(), b"").ok().flatten();
        let folder = Arc::new(Folder { place, own, trail: trail(gfid) });
        self.visitor.folder(&folder);
        let mut batch = Batch::default();
        let read = read_entries(folder.own.as_fd(), &mut Vec::new(), |name, inode, kind| {
            if folder.trail.is_root() && name == b".glusterfs" {
                return;
            }
            let Some(kind) = known(&folder.own, name, kind) else { return };
            if kind == FileType::Directory {
                let (place, name) = (folder.place.child(name, &folder.own), Box::from(name));
                let above = Arc::clone(&folder.trail);
                scope.spawn(move |scope| self.child(scope, place, &name, above));
            }
            batch.push(name, inode, kind);
            if batch.entries.len() == BATCH {
                self.hand_over(scope, &folder, std::mem::take(&mut batch));
            }
        });
        self.visitor.entries(&folder, &batch.entries());
        match read {
            Ok(entries) => {
                self.meter.folders.fetch_add(1, Ordering::Relaxed);
                self.meter.entries.fetch_add(entries, Ordering::Relaxed);
            }
            Err(error) => self.note(&folder.trail, error),
        }
    }

    fn child<'s>(&'s self, scope: &Scope<'s>, place: DirFd, name: &[u8], above: Arc<Trail>)
    where
        'a: 's,
    {
        self.folder(scope, place, name, Some(above));
    }

    /// Hands a full batch to any thread, so that one wide directory keeps them all busy.
    fn hand_over<'s>(&'s self, scope: &Scope<'s>, folder: &Arc<Folder>, batch: Batch)
    where
        'a: 's,
    {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return self.visitor.entries(folder, &batch.entries());
        }
        let folder = Arc::clone(folder);
        scope.spawn(move |_| {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.visitor.entries(&folder, &batch.entries());
        });
    }

    fn note(&self, trail: &Trail, error: Errno) {
        let mut unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        if error == Errno::XDEV {
            unread.mounts += 1;
            return;
        }
        unread.count += 1;
        let path = trail.own_path();
        if unread.first.as_ref().is_none_or(|(first, _)| path < *first) {
            unread.first = Some((path, error));
        }
    }
}

/// The kind of an entry, which old XFS file systems do not list; `None` if it is gone.
fn known(dir: &OwnedFd, name: &[u8], kind: FileType) -> Option<FileType> {
    if kind != FileType::Unknown {
        return Some(kind);
    }
    let stat = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    Some(FileType::from_raw_mode(stat.st_mode))
}
