//! The namespace of a brick, read once by all threads, for inodes whose names nobody recorded.

use std::collections::HashSet;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::Scope;
use rustix::fs::{AtFlags, FileType, statat};
use rustix::io::Errno;

use super::answer::Ancestor;
use crate::domain::{Gfid, Name};
use crate::scan::brick::{BrickRoot, Place, gfid_of, read_entries};
use crate::scan::meter::Meter;

/// A name that a scan found.
#[derive(Debug)]
pub(super) struct Hit {
    pub(super) inode: u64,
    name: Box<[u8]>,
    folder: Arc<Trail>,
}

/// What a scan found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) hits: Vec<Hit>,
    /// Directories that could not be read.
    pub(super) unread: u64,
}

/// The way the scan came to a directory.
#[derive(Debug)]
struct Trail {
    gfid: Option<Gfid>,
    name: Box<[u8]>,
    above: Option<Arc<Trail>>,
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

impl Hit {
    /// The gfid of the directory it stands in.
    pub(super) fn parent(&self) -> Option<Gfid> {
        self.folder.gfid
    }

    /// Its path below the brick root.
    pub(super) fn path(&self) -> Name {
        let mut names = vec![&*self.name];
        let mut next = &self.folder;
        while let Some(above) = &next.above {
            names.push(&next.name);
            next = above;
        }
        names.reverse();
        Name::from(names.join(&b'/'))
    }

    /// The way from its directory to the root.
    pub(super) fn way_up(&self) -> Vec<Ancestor> {
        let mut way = Vec::new();
        let mut next = Some(&self.folder);
        while let Some(trail) = next {
            way.push(Ancestor { gfid: trail.gfid, name: Name::from(&trail.name) });
            next = trail.above.as_ref();
        }
        way
    }
}

struct Search<'a> {
    brick: &'a BrickRoot,
    inodes: &'a HashSet<u64>,
    meter: &'a Meter,
    hits: Mutex<Vec<Hit>>,
    unread: AtomicU64,
}

/// Reads every directory of the namespace once and compares inode numbers; `.glusterfs` at the
/// root and other file systems mounted below are left out.
pub(super) fn find(brick: &BrickRoot, inodes: &HashSet<u64>, meter: &Meter) -> Found {
    let search =
        Search { brick, inodes, meter, hits: Mutex::default(), unread: AtomicU64::default() };
    let start = Place::root(brick.root());
    rayon::scope(|scope| search.folder(scope, &start, b".", None));
    let mut hits = search.hits.into_inner().unwrap_or_else(PoisonError::into_inner);
    hits.sort_by_cached_key(|hit| (hit.inode, hit.path()));
    Found { hits, unread: search.unread.into_inner() }
}

impl<'a> Search<'a> {
    fn folder<'s>(
        &'s self,
        scope: &Scope<'s>,
        place: &Place,
        name: &[u8],
        above: Option<Arc<Trail>>,
    ) where
        'a: 's,
    {
        let own = match place.open(false) {
            Ok(own) => Arc::new(own),
            // Gone since its parent was read, or another file system's mount point.
            Err(Errno::NOENT | Errno::XDEV | Errno::NOTDIR | Errno::LOOP) => return,
            Err(_) => {
                self.unread.fetch_add(1, Ordering::Relaxed);
                return;
            }
        };
        let at_root = above.is_none();
        let gfid = gfid_of(own.as_fd(), b"").ok().flatten();
        let trail = Arc::new(Trail { gfid, name: name.into(), above });
        let mut hits = Vec::new();
        let read = read_entries(own.as_fd(), &mut Vec::new(), |name, inode, kind| {
            if self.inodes.contains(&inode) && self.is_wanted(&own, name, inode) {
                hits.push(Hit { inode, name: name.into(), folder: Arc::clone(&trail) });
            }
            let skipped = at_root && name == b".glusterfs";
            if !skipped && is_folder(&own, name, kind) {
                let (place, name) = (place.child(name, &own), Box::<[u8]>::from(name));
                let above = Arc::clone(&trail);
                scope.spawn(move |scope| self.folder(scope, &place, &name, Some(above)));
            }
        });
        if !hits.is_empty() {
            self.hits.lock().unwrap_or_else(PoisonError::into_inner).append(&mut hits);
        }
        match read {
            Ok(entries) => {
                self.meter.folders.fetch_add(1, Ordering::Relaxed);
                self.meter.entries.fetch_add(entries, Ordering::Relaxed);
            }
            Err(_) => drop(self.unread.fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// Asks the entry itself: a directory's list says nothing of what is mounted over it.
    fn is_wanted(&self, dir: &OwnedFd, name: &[u8], inode: u64) -> bool {
        statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|stat| stat.st_ino == inode && stat.st_dev == self.brick.device())
    }
}

/// Whether an entry is a directory; old XFS file systems do not tell in the list.
fn is_folder(dir: &OwnedFd, name: &[u8], kind: FileType) -> bool {
    match kind {
        FileType::Directory => true,
        FileType::Unknown => statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory),
        _ => false,
    }
}
