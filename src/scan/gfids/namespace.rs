//! The namespace of a brick, read once by all threads, for inodes whose names nobody recorded.

use std::collections::{HashMap, HashSet};
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::Scope;
use rustix::fs::{AtFlags, FileType, fstat, statat};
use rustix::io::Errno;

use super::answer::{Ancestor, Link};
use crate::domain::{Gfid, Name};
use crate::scan::brick::{BrickRoot, Place, gfid_of, read_entries};
use crate::scan::meter::Meter;

/// A name that a scan found.
#[derive(Debug)]
pub(super) struct Hit {
    pub(super) inode: u64,
    pub(super) link: Link,
    /// The way from its directory to the root.
    pub(super) ancestors: Arc<[Ancestor]>,
}

/// What a scan found.
#[derive(Debug)]
pub(super) struct Found {
    /// By inode, then path.
    hits: Vec<Hit>,
    /// Where each inode's hits begin.
    starts: HashMap<u64, usize>,
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

impl Found {
    fn new(mut hits: Vec<Hit>, unread: u64) -> Self {
        hits.sort_unstable_by(|a, b| (a.inode, &a.link).cmp(&(b.inode, &b.link)));
        let mut starts = HashMap::with_capacity(hits.len());
        for (index, hit) in hits.iter().enumerate() {
            starts.entry(hit.inode).or_insert(index);
        }
        Self { hits, starts, unread }
    }

    /// The names of an inode, by path.
    pub(super) fn of(&self, inode: u64) -> &[Hit] {
        let start = self.starts.get(&inode).copied().unwrap_or(self.hits.len());
        let rest = self.hits.get(start..).unwrap_or_default();
        let length = rest.iter().take_while(|hit| hit.inode == inode).count();
        rest.get(..length).unwrap_or_default()
    }
}

impl Trail {
    /// The way from this directory, itself first, to the root.
    fn way_up(&self) -> Arc<[Ancestor]> {
        let mut way = Vec::new();
        let mut next = Some(self);
        while let Some(trail) = next {
            way.push(Ancestor { gfid: trail.gfid, name: Name::from(&trail.name) });
            next = trail.above.as_deref();
        }
        way.into()
    }

    /// The hits for names in this directory.
    fn hits(&self, names: Vec<(u64, Box<[u8]>)>) -> Vec<Hit> {
        let ancestors = self.way_up();
        let folders = ancestors.split_last().map_or(&[][..], |(_, folders)| folders);
        let mut path: Vec<_> = folders.iter().rev().map(|above| above.name.as_bytes()).collect();
        path.push(b"");
        let folder = path.join(&b'/');
        let hit = |(inode, name): (u64, Box<[u8]>)| {
            let path = Name::from([folder.as_slice(), &name].concat());
            let link = Link { path, parent: self.gfid };
            Hit { inode, link, ancestors: Arc::clone(&ancestors) }
        };
        names.into_iter().map(hit).collect()
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
    let hits = search.hits.into_inner().unwrap_or_else(PoisonError::into_inner);
    Found::new(hits, search.unread.into_inner())
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
        // Another subvolume has the same numbers for other inodes.
        let comparable = fstat(&own).is_ok_and(|stat| stat.st_dev == self.brick.device());
        let trail = Arc::new(Trail { gfid, name: name.into(), above });
        let mut names = Vec::new();
        let read = read_entries(own.as_fd(), &mut Vec::new(), |name, inode, kind| {
            if comparable && self.inodes.contains(&inode) {
                names.push((inode, Box::from(name)));
            }
            let skipped = at_root && name == b".glusterfs";
            if !skipped && is_folder(&own, name, kind) {
                let (place, name) = (place.child(name, &own), Box::<[u8]>::from(name));
                let above = Arc::clone(&trail);
                scope.spawn(move |scope| self.folder(scope, &place, &name, Some(above)));
            }
        });
        if !names.is_empty() {
            let mut hits = trail.hits(names);
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
