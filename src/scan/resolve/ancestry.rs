//! The directories of a batch: read up through their handles once, proven down from the root once.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use rustix::io::Errno;

use super::answer::Ancestor;
use super::candidate::Candidate;
use super::descent::{Walk, Wants};
use super::handle::{Claim, read_handle};
use crate::domain::{Gfid, Name};
use crate::scan::brick::{BrickRoot, DirFd};

/// Fewer than these are done faster by one thread.
const WORTH_THREADS: usize = 16;

/// What is known of a directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// Not yet known.
    Unknown,
    /// It stands where its handle says, and carries its gfid there.
    Proven,
    /// Nothing stands where its handle says, or no directory.
    Dangling,
    /// What stands where its handle says has another gfid, or none.
    Foreign(Option<Gfid>),
    /// This ancestor of it is lost.
    Orphan(Gfid),
    /// Its ancestors form a ring.
    Cycle,
    /// It has no handle.
    NoHandle,
    /// Its handle is no symlink or has another form than a directory's.
    NotDirectory,
    /// It could not be read.
    Unreadable(Errno),
}

#[derive(Debug)]
struct Node {
    claim: Option<Claim>,
    fate: Fate,
    way: OnceLock<Way>,
}

/// How a directory is reached.
#[derive(Debug)]
struct Way {
    path: Box<[u8]>,
    ancestors: Arc<[Ancestor]>,
}

impl Node {
    fn new(claim: Option<Claim>, fate: Fate) -> Self {
        Self { claim, fate, way: OnceLock::new() }
    }
}

/// All directories a batch touches, by gfid: the one parent cache.
#[derive(Debug)]
pub(super) struct Ancestry {
    nodes: HashMap<Gfid, Node>,
}

impl Ancestry {
    /// Reads the handles of directories and of all above them.
    pub(super) fn read(brick: &BrickRoot, known: impl Iterator<Item = (Gfid, Claim)>) -> Self {
        let mut nodes = HashMap::new();
        nodes.insert(Gfid::ROOT, Node::new(None, Fate::Proven));
        let mut wanted = HashSet::new();
        for (gfid, claim) in known {
            wanted.insert(claim.parent);
            nodes.entry(gfid).or_insert(Node::new(Some(claim), Fate::Unknown));
        }
        let mut tree = Self { nodes };
        tree.learn(brick, wanted);
        tree
    }

    /// Reads the handles of further directories up to what is known.
    pub(super) fn learn(&mut self, brick: &BrickRoot, mut wanted: HashSet<Gfid>) {
        while !wanted.is_empty() {
            let unknown = |gfid: &Gfid| !self.nodes.contains_key(gfid);
            let level: Vec<_> = wanted.drain().filter(unknown).collect();
            for (gfid, node) in in_parallel(&level, |&gfid| (gfid, read_node(brick, gfid))) {
                wanted.extend(node.claim.as_ref().map(|claim| claim.parent));
                self.nodes.insert(gfid, node);
            }
        }
    }

    /// Walks down from the root through the directories that matter, each opened once, and
    /// proves directories by their gfid and names of objects by their inode.
    ///
    /// What it says of directories is in [`Ancestry::fate`]. Where `sweep` says so, directories are
    /// listed for the names of all cases.
    pub(super) fn prove(&mut self, brick: &BrickRoot, cases: &mut [Candidate<'_>], sweep: bool) {
        let wants = Wants::by_folder(self, cases);
        let inodes = if wants.values().any(|wants| wants.listing(sweep) > 0) {
            (0..).zip(&*cases).map(|(index, case)| (case.object.inode, index)).collect()
        } else {
            HashMap::new()
        };
        let mut level = vec![(Gfid::ROOT, DirFd::root(brick.root()))];
        while !level.is_empty() {
            let walk = Walk { brick, tree: self, cases, wants: &wants, inodes: &inodes, sweep };
            let visits = in_parallel(&level, |(gfid, place)| walk.visit(*gfid, place));
            level.clear();
            for visit in visits {
                level.extend(visit.further);
                self.note(visit.fates);
                for (index, claim, stale) in visit.names {
                    if let Some(case) = cases.get_mut(index) {
                        case.judge(claim, stale);
                    }
                }
                for (index, claim) in visit.found {
                    if let Some(case) = cases.get_mut(index) {
                        case.found.push(claim);
                    }
                }
            }
        }
        self.settle();
    }

    fn note(&mut self, fates: Vec<(Gfid, Fate)>) {
        for (gfid, fate) in fates {
            self.nodes.entry(gfid).and_modify(|node| node.fate = fate);
        }
    }

    /// Finds out what became of the directories that the walk from the root did not reach.
    fn settle(&mut self) {
        let unreached = |node: &Node| node.fate == Fate::Unknown;
        let starts: Vec<_> =
            self.nodes.iter().filter(|(_, node)| unreached(node)).map(|(gfid, _)| *gfid).collect();
        for start in starts {
            let mut way = Vec::new();
            let mut seen = HashSet::new();
            let mut next = start;
            let fate = loop {
                match self.fate(next) {
                    Fate::Unknown if !seen.insert(next) => break Fate::Cycle,
                    Fate::Unknown => way.push(next),
                    settled @ (Fate::Cycle | Fate::Orphan(_) | Fate::Unreadable(_)) => {
                        break settled;
                    }
                    _ => break Fate::Orphan(next),
                }
                match self.claim(next) {
                    Some(claim) => next = claim.parent,
                    None => break Fate::Orphan(next),
                }
            };
            self.note(way.into_iter().map(|gfid| (gfid, fate)).collect());
        }
    }

    /// What became of a directory.
    pub(super) fn fate(&self, gfid: Gfid) -> Fate {
        self.nodes.get(&gfid).map_or(Fate::Unknown, |node| node.fate)
    }

    /// The directories that a walk has not looked for yet.
    pub(super) fn unproven(&self) -> impl Iterator<Item = Gfid> {
        let unproven = |(_, node): &(_, &Node)| node.fate == Fate::Unknown && node.claim.is_some();
        self.nodes.iter().filter(unproven).map(|(gfid, _)| *gfid)
    }

    /// What a directory's handle claims.
    pub(super) fn claim(&self, gfid: Gfid) -> Option<&Claim> {
        self.nodes.get(&gfid)?.claim.as_ref()
    }

    /// The way from a proven directory, itself first, to the root.
    pub(super) fn way_up(&self, gfid: Gfid) -> Arc<[Ancestor]> {
        self.way(gfid).map_or_else(Arc::default, |way| Arc::clone(&way.ancestors))
    }

    /// The path of a name in a proven directory.
    pub(super) fn path(&self, claim: &Claim) -> Name {
        match self.way(claim.parent) {
            Some(way) if !way.path.is_empty() => {
                Name::from([&*way.path, b"/", &claim.name].concat())
            }
            _ => Name::from(&claim.name),
        }
    }

    /// A directory's way, put together when first asked for: many answers share it.
    fn way(&self, gfid: Gfid) -> Option<&Way> {
        let node = self.nodes.get(&gfid)?;
        Some(node.way.get_or_init(|| {
            let (mut ancestors, mut names) = (Vec::new(), Vec::new());
            let (mut next, mut claim) = (gfid, node.claim.as_ref());
            while let Some(above) = claim {
                ancestors.push(Ancestor { gfid: Some(next), name: Name::from(&above.name) });
                names.push(&*above.name);
                next = above.parent;
                claim = self.claim(next);
            }
            ancestors.push(Ancestor { gfid: Some(Gfid::ROOT), name: Name::from(".") });
            names.reverse();
            Way { path: names.join(&b'/').into(), ancestors: ancestors.into() }
        }))
    }
}

fn read_node(brick: &BrickRoot, gfid: Gfid) -> Node {
    let (claim, fate) = match read_handle(brick, gfid) {
        Ok(text) => match Claim::of_handle(&text) {
            Some(claim) => (Some(claim), Fate::Unknown),
            None => (None, Fate::NotDirectory),
        },
        Err(Errno::INVAL) => (None, Fate::NotDirectory),
        Err(Errno::NOENT) => (None, Fate::NoHandle),
        Err(error) => (None, Fate::Unreadable(error)),
    };
    Node::new(claim, fate)
}

/// Maps in the order given, on several threads where that pays.
pub(super) fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    each: impl Fn(&T) -> R + Sync + Send,
) -> Vec<R> {
    if items.len() < WORTH_THREADS {
        items.iter().map(each).collect()
    } else {
        items.par_iter().map(each).collect()
    }
}
