//! What stands below a mount, in pre-order: a directory before its entries, each object once.

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
use dir::{Seen, look_at, read_folder};

/// How many asked paths are looked at together.
const CHUNK: usize = 1024;
/// How many things that could not be read are named; all are counted.
const NAMED: usize = 20;
/// How far ahead directories are looked for that can be read together.
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
    /// What was asked for and is not there.
    pub missing: u64,
    /// What could not be looked at.
    pub unread: u64,
    /// The first of what is missing or could not be looked at, and why.
    pub notes: Vec<(Name, Errno)>,
}

impl TreeCounts {
    /// How much was not seen: what is missing, and what could not be looked at.
    #[must_use]
    pub fn unseen(&self) -> u64 {
        self.missing + self.unread
    }

    /// Counts something that was asked for and is not there.
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

/// Collecting broke off.
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
/// `jobs` directories or files are looked at together. Memory is that of the directories on the
/// way and those read ahead, never of the tree.
///
/// # Errors
/// [`TreeError`] where `each` fails; what cannot be read is counted and told in the tally.
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
        tally: TreeCounts::default(),
    };
    for chunk in selection.chunks(CHUNK) {
        let looks: Vec<_> = collector
            .threads
            .install(|| chunk.par_iter().map(|asked| look_at(mount, asked.path())).collect());
        for (asked, look) in chunk.iter().zip(looks) {
            let seen = match look {
                Ok(seen) => seen,
                Err(error) => {
                    collector.note(asked.path(), error, true);
                    continue;
                }
            };
            if asked.below() {
                collector.tree(seen)?;
            } else {
                collector.hand_out(&seen)?;
            }
        }
    }
    Ok(collector.tally)
}

struct Collector<'a> {
    mount: &'a MountRoot,
    threads: ThreadPool,
    jobs: usize,
    meter: &'a Meter,
    each: &'a mut dyn FnMut(TreeEntry) -> io::Result<()>,
    /// Files with several names that were handed out, by gfid.
    linked: HashSet<Gfid>,
    tally: TreeCounts,
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
    fn tree(&mut self, top: Seen) -> Result<(), TreeError> {
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

    /// Hands out a directory or regular file; true for a directory.
    fn hand_out(&mut self, seen: &Seen) -> Result<bool, TreeError> {
        let folder = match (seen.kind, seen.gfid) {
            (ObjectKind::Symlink, _) => {
                self.tally.symlinks += 1;
                return Ok(false);
            }
            (ObjectKind::Special, _) => {
                self.tally.specials += 1;
                return Ok(false);
            }
            (_, Err(error)) => {
                self.note(&seen.path, error, false);
                return Ok(false);
            }
            (kind, Ok(gfid)) => {
                let folder = kind == ObjectKind::Directory;
                if seen.is_root() {
                    // It has neither parent nor name: there is nothing to record.
                    return Ok(folder);
                }
                if seen.links > 1 && !folder {
                    if !self.linked.insert(gfid) {
                        self.tally.further_links += 1;
                        return Ok(false);
                    }
                    self.tally.linked += 1;
                }
                (self.each)(TreeEntry { path: seen.path.clone(), folder, gfid })
                    .map_err(TreeError::List)?;
                folder
            }
        };
        if folder {
            self.tally.folders += 1;
        } else {
            self.tally.files += 1;
        }
        Ok(folder)
    }

    fn note(&mut self, path: &Name, error: Errno, asked: bool) {
        match (error, asked) {
            // Gone since its directory was read: nothing to send any more.
            (Errno::NOENT, false) => {}
            (Errno::NOENT, true) => self.tally.miss(path.clone()),
            _ => {
                self.tally.unread += 1;
                self.tally.note(path.clone(), error);
            }
        }
    }
}
