//! Lists what is below a mount in pre-order: a directory before its entries, each object once.

mod dir;
mod selection;

use std::collections::HashSet;
use std::io;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use rustix::io::Errno;

pub use selection::{SelectedPath, Selection};

use super::MountRoot;
use crate::domain::{Gfid, Kind, Name, UserError};
use crate::scan::meter::Meter;
use crate::scan::resolve::ObjectKind;
use dir::{Seen, read_folder, read_object};

/// How many selected paths are read together.
const CHUNK: usize = 1024;
/// How many things that could not be read are named; all are counted.
const NAMED: usize = 20;
/// How far ahead in the stack to look for directories that can be read together.
const AHEAD: usize = 4096;

/// A directory or regular file below a mount.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TreeEntry {
    /// Where, relative to the mount.
    pub path: Name,
    /// Whether it is a directory; else a regular file.
    pub folder: bool,
    /// Its gfid.
    pub gfid: Gfid,
}

/// What a collection met.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct TreeCounts {
    /// Directories handed out.
    pub folders: u64,
    /// Regular files handed out.
    pub files: u64,
    /// Symlinks, which are left out.
    pub symlinks: u64,
    /// Fifos, sockets and devices, which are left out.
    pub specials: u64,
    /// Further names of files that were handed out already, which are left out.
    pub further_links: u64,
    /// Files handed out that have further names, here or elsewhere.
    pub linked: u64,
    /// Selected paths that do not exist.
    pub missing: u64,
    /// Objects that could not be read.
    pub unread: u64,
    /// The first of those, and why.
    pub notes: Vec<(Name, Errno)>,
}

impl TreeCounts {
    /// How many were not handed out: the missing and the unreadable ones.
    #[must_use]
    pub fn unseen(&self) -> u64 {
        self.missing + self.unread
    }

    /// Counts a selected path that does not exist.
    pub fn miss(&mut self, what: Name) {
        self.missing += 1;
        self.note(what, Errno::NOENT);
    }

    fn note(&mut self, what: Name, error: Errno) {
        if self.notes.len() < NAMED {
            self.notes.push((what, error));
        }
    }
}

/// Collecting was aborted.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// The list could not be written.
    #[error("cannot write the list")]
    List(#[source] io::Error),
    /// No threads.
    #[error("cannot start threads")]
    Threads(#[source] rayon::ThreadPoolBuildError),
}

impl UserError for TreeError {
    fn kind(&self) -> Kind {
        Kind::Refused
    }
}

/// Hands out every directory and regular file of a selection, in pre-order, names sorted.
///
/// `jobs` directories or files are read together. Memory holds the directories on the way and
/// those read ahead, never the tree.
///
/// # Errors
/// [`TreeError`] if `each` fails; what cannot be read is counted and noted in the counts.
pub fn collect(
    mount: &MountRoot,
    selection: &Selection,
    jobs: usize,
    meter: &Meter,
    each: &mut dyn FnMut(TreeEntry) -> io::Result<()>,
) -> Result<TreeCounts, TreeError> {
    let threads = ThreadPoolBuilder::new().num_threads(jobs).build().map_err(TreeError::Threads)?;
    let mut collector = Collector {
        mount,
        threads,
        jobs,
        meter,
        each,
        linked: HashSet::new(),
        counts: TreeCounts::default(),
    };
    for chunk in selection.chunks(CHUNK) {
        let found: Vec<_> = collector
            .threads
            .install(|| chunk.par_iter().map(|it| read_object(mount, it.path())).collect());
        for (selected, found) in chunk.iter().zip(found) {
            match found {
                Ok(seen) if selected.below() => collector.hand_out_tree(seen)?,
                Ok(seen) => drop(collector.hand_out(&seen)?),
                Err(error) => collector.note(selected.path(), error, true),
            }
        }
    }
    Ok(collector.counts)
}

struct Collector<'a> {
    mount: &'a MountRoot,
    threads: ThreadPool,
    jobs: usize,
    meter: &'a Meter,
    each: &'a mut dyn FnMut(TreeEntry) -> io::Result<()>,
    /// Files with several names that were handed out, by gfid.
    linked: HashSet<Gfid>,
    counts: TreeCounts,
}

/// What is still to be handed out; a directory with what is in it, once that was read.
struct Node {
    seen: Seen,
    below: Option<Result<Vec<Seen>, Errno>>,
}

impl Node {
    fn unread(&self) -> bool {
        self.below.is_none() && self.seen.kind == ObjectKind::Directory
    }
}

impl Collector<'_> {
    /// Hands out an object and all that is below it.
    fn hand_out_tree(&mut self, top: Seen) -> Result<(), TreeError> {
        let mut stack = vec![Node { seen: top, below: None }];
        while let Some(mut node) = stack.pop() {
            if node.unread() {
                self.read(&mut node, &mut stack);
            }
            if !self.hand_out(&node.seen)? {
                continue;
            }
            match node.below {
                Some(Ok(entries)) => {
                    stack.extend(entries.into_iter().rev().map(|seen| Node { seen, below: None }));
                }
                Some(Err(error)) => self.note(&node.seen.path, error, false),
                None => {}
            }
        }
        Ok(())
    }

    /// Reads a directory, and with it those that come next, so that a tree of small directories
    /// takes no longer than a wide one.
    fn read(&self, node: &mut Node, stack: &mut [Node]) {
        let next = stack.iter_mut().rev().take(AHEAD).filter(|node| node.unread());
        let together: Vec<_> = std::iter::once(node).chain(next).take(self.jobs).collect();
        self.threads.install(|| {
            together.into_par_iter().for_each(|node| {
                node.below = Some(read_folder(self.mount, &node.seen.path, self.meter));
            });
        });
    }

    /// Hands out a directory or regular file; true for a directory, whose entries come next.
    fn hand_out(&mut self, seen: &Seen) -> Result<bool, TreeError> {
        let folder = match seen.kind {
            ObjectKind::Symlink => {
                self.counts.symlinks += 1;
                return Ok(false);
            }
            ObjectKind::Special => {
                self.counts.specials += 1;
                return Ok(false);
            }
            kind => kind == ObjectKind::Directory,
        };
        let gfid = match seen.gfid {
            Ok(gfid) => gfid,
            Err(error) => {
                self.note(&seen.path, error, false);
                return Ok(false);
            }
        };
        if seen.is_root() {
            // It has neither parent nor name: there is nothing to record.
            return Ok(folder);
        }
        if seen.links > 1 && !folder {
            // One record of a gfid sends the file; a second name would send its data again.
            if !self.linked.insert(gfid) {
                self.counts.further_links += 1;
                return Ok(false);
            }
            self.counts.linked += 1;
        }
        let entry = TreeEntry { path: seen.path.clone(), folder, gfid };
        (self.each)(entry).map_err(TreeError::List)?;
        *(if folder { &mut self.counts.folders } else { &mut self.counts.files }) += 1;
        Ok(folder)
    }

    fn note(&mut self, path: &Name, error: Errno, asked: bool) {
        match (error, asked) {
            // Gone since its directory was read: nothing to send any more.
            (Errno::NOENT, false) => {}
            (Errno::NOENT, true) => self.counts.miss(path.clone()),
            _ => {
                self.counts.unread += 1;
                self.counts.note(path.clone(), error);
            }
        }
    }
}
