//! The directories of a batch: read up through their handles once, proven down from the root once.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use rustix::io::Errno;

use super::answer::{Ancestor, Stale};
use super::look::{Claim, Object, read_handle};
use super::walk::{Walk, Wants};
use crate::domain::{Gfid, Name};
use crate::scan::brick::{BrickRoot, Place};

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
pub(super) struct Tree {
    nodes: HashMap<Gfid, Node>,
}

/// What became of one object's claims.
#[derive(Clone, Debug, Default)]
pub(super) struct Verdict {
    /// By claim: nothing where it is true, else what is wrong.
    pub(super) claims: Vec<Option<Stale>>,
    /// Names that no claim told, from listing a parent.
    pub(super) found: Vec<Claim>,
}

impl Tree {
    /// Reads the handles of all directories up to the root; `known` were read already.
    pub(super) fn read(
        brick: &BrickRoot,
        known: impl Iterator<Item = (Gfid, Claim)>,
        objects: &[&Object],
    ) -> Self {
        let mut nodes = HashMap::new();
        nodes.insert(Gfid::ROOT, Node::new(None, Fate::Proven));
        let mut wanted = HashSet::new();
        for (gfid, claim) in known {
            wanted.insert(claim.parent);
            nodes.entry(gfid).or_insert(Node::new(Some(claim), Fate::Unknown));
        }
        for object in objects {
            wanted.extend(object.claims.iter().map(|claim| claim.parent));
            wanted.extend(&object.parents);
        }
        while !wanted.is_empty() {
            let level: Vec<_> = wanted.drain().filter(|gfid| !nodes.contains_key(gfid)).collect();
            for (gfid, node) in in_parallel(&level, |&gfid| (gfid, read_node(brick, gfid))) {
                wanted.extend(node.claim.as_ref().map(|claim| claim.parent));
                nodes.insert(gfid, node);
            }
        }
        Self { nodes }
    }

    /// Walks down from the root through the directories that matter, each opened once, and
    /// proves directories by their gfid and objects by their inode.
    ///
    /// Answers with a verdict for each object; what it says of directories is in [`Tree::fate`].
    pub(super) fn prove(&mut self, brick: &BrickRoot, objects: &[&Object]) -> Vec<Verdict> {
        let lost = |object: &&Object| Verdict {
            claims: vec![Some(Stale::LostParent); object.claims.len()],
            found: Vec::new(),
        };
        let mut verdicts: Vec<_> = objects.iter().map(lost).collect();
        let wants = Wants::by_folder(self, objects);
        let mut level = vec![(Gfid::ROOT, Place::root(brick.root()))];
        while !level.is_empty() {
            let walk = Walk { brick, tree: self, objects, wants: &wants };
            let visits = in_parallel(&level, |(gfid, place)| walk.visit(*gfid, place));
            level.clear();
            for visit in visits {
                level.extend(visit.further);
                self.note(visit.fates);
                for (object, claim, stale) in visit.names {
                    let verdict = verdicts.get_mut(object);
                    if let Some(slot) = verdict.and_then(|verdict| verdict.claims.get_mut(claim)) {
                        *slot = stale;
                    }
                }
                for (object, claim) in visit.found {
                    if let Some(verdict) = verdicts.get_mut(object) {
                        verdict.found.push(claim);
                    }
                }
            }
        }
        self.settle();
        verdicts
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

    /// All directories that have a handle, with what it claims.
    pub(super) fn claims(&self) -> impl Iterator<Item = (Gfid, &Claim)> {
        self.nodes.iter().filter_map(|(gfid, node)| Some((*gfid, node.claim.as_ref()?)))
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
