//! Scans the whole namespace of a brick for inodes whose names no xattr records.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::fstat;

use super::answer::{Ancestor, Link};
use crate::domain::Name;
use crate::scan::brick::{BrickRoot, Folder, Trail, Visitor, WalkEntry, walk};
use crate::scan::meter::Meter;

/// A name that a scan found.
#[derive(Debug)]
pub(super) struct Hit {
    pub(super) inode: u64,
    pub(super) link: Link,
    /// From its directory up to the root.
    pub(super) ancestors: Arc<[Ancestor]>,
}

/// What a scan found.
#[derive(Debug)]
pub(super) struct Found {
    /// By inode, then path.
    hits: Vec<Hit>,
    /// Where each inode's hits start.
    starts: HashMap<u64, usize>,
    /// Directories that could not be read.
    pub(super) unread: u64,
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
    pub(super) fn names_of(&self, inode: u64) -> &[Hit] {
        let start = self.starts.get(&inode).copied().unwrap_or(self.hits.len());
        let rest = self.hits.get(start..).unwrap_or_default();
        let length = rest.iter().take_while(|hit| hit.inode == inode).count();
        rest.get(..length).unwrap_or_default()
    }
}

struct Search<'a> {
    brick: &'a BrickRoot,
    inodes: &'a HashSet<u64>,
    hits: Mutex<Vec<Hit>>,
}

/// Reads every directory of the namespace once and compares inode numbers.
pub(super) fn scan_namespace(brick: &BrickRoot, inodes: &HashSet<u64>, meter: &Meter) -> Found {
    let search = Search { brick, inodes, hits: Mutex::default() };
    let unread = walk(brick, meter, &search);
    let hits = search.hits.into_inner().unwrap_or_else(PoisonError::into_inner);
    Found::new(hits, unread.count)
}

impl Visitor for Search<'_> {
    fn entries(&self, folder: &Folder, entries: &[WalkEntry<'_>]) {
        let wanted = |entry: &&WalkEntry<'_>| self.inodes.contains(&entry.inode);
        let mut found = entries.iter().filter(wanted).peekable();
        // Another btrfs subvolume uses the same inode numbers for other objects.
        let comparable = || fstat(&folder.own).is_ok_and(|own| own.st_dev == self.brick.device());
        if found.peek().is_none() || !comparable() {
            return;
        }
        let ancestors = ancestors_of(&folder.trail);
        let hit = |entry: &WalkEntry<'_>| {
            let path: Name = folder.trail.path(entry.name);
            let link = Link { path, parent: folder.trail.gfid };
            Hit { inode: entry.inode, link, ancestors: Arc::clone(&ancestors) }
        };
        let hits: Vec<_> = found.map(hit).collect();
        self.hits.lock().unwrap_or_else(PoisonError::into_inner).extend(hits);
    }
}

fn ancestors_of(trail: &Trail) -> Arc<[Ancestor]> {
    trail.up().map(|at| Ancestor { gfid: at.gfid, name: Name::from(&at.name) }).collect()
}
