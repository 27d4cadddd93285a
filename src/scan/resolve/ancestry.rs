//! Ancestor cache: handles are read upwards once, paths are proven from the root down once.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use rustix::io::Errno;

use super::answer::Ancestor;
use super::handle::{Claim, read_handle};
use super::parallel::in_parallel;
use crate::domain::{Gfid, Name};
use crate::scan::brick::BrickRoot;

/// What is known of a directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum DirState {
    /// Not yet known.
    Unknown,
    /// It is where its handle points, with the right gfid.
    Proven,
    /// There is no directory where its handle points.
    Dangling,
    /// What is there has another gfid, or none.
    Foreign(Option<Gfid>),
    /// This ancestor of it cannot be reached.
    Orphan(Gfid),
    /// Its ancestors form a ring.
    Cycle,
    /// It has no handle.
    NoHandle,
    /// Its handle is not a symlink in the form of a directory's handle.
    NotDirectory,
    /// It could not be read.
    Unreadable(Errno),
}

#[derive(Debug)]
struct Node {
    claim: Option<Claim>,
    state: DirState,
    route: OnceLock<Route>,
}

/// How a directory is reached from the root.
#[derive(Debug)]
struct Route {
    path: Box<[u8]>,
    ancestors: Arc<[Ancestor]>,
}

impl Node {
    fn new(claim: Option<Claim>, state: DirState) -> Self {
        Self { claim, state, route: OnceLock::new() }
    }
}

/// All directories a batch touches, by gfid.
#[derive(Debug)]
pub(super) struct Ancestry {
    nodes: HashMap<Gfid, Node>,
}

impl Ancestry {
    /// Reads the handles of these directories and of all their ancestors.
    pub(super) fn read(brick: &BrickRoot, known: impl Iterator<Item = (Gfid, Claim)>) -> Self {
        let mut nodes = HashMap::new();
        nodes.insert(Gfid::ROOT, Node::new(None, DirState::Proven));
        let mut wanted = HashSet::new();
        for (gfid, claim) in known {
            wanted.insert(claim.parent);
            nodes.entry(gfid).or_insert(Node::new(Some(claim), DirState::Unknown));
        }
        let mut ancestry = Self { nodes };
        ancestry.read_up(brick, wanted);
        ancestry
    }

    /// Reads the handles of further directories, up to the first that is known.
    pub(super) fn read_up(&mut self, brick: &BrickRoot, mut wanted: HashSet<Gfid>) {
        while !wanted.is_empty() {
            let unknown = |gfid: &Gfid| !self.nodes.contains_key(gfid);
            let level: Vec<_> = wanted.drain().filter(unknown).collect();
            for (gfid, node) in in_parallel(&level, |&gfid| (gfid, read_node(brick, gfid))) {
                wanted.extend(node.claim.as_ref().map(|claim| claim.parent));
                self.nodes.insert(gfid, node);
            }
        }
    }

    /// Records the states found by a visit.
    pub(super) fn set_states(&mut self, states: Vec<(Gfid, DirState)>) {
        for (gfid, state) in states {
            self.nodes.entry(gfid).and_modify(|node| node.state = state);
        }
    }

    /// Gives a state to the directories that the walk from the root did not reach.
    pub(super) fn settle_unreached(&mut self) {
        let unreached = self.nodes.iter().filter(|(_, node)| node.state == DirState::Unknown);
        let unreached: Vec<Gfid> = unreached.map(|(gfid, _)| *gfid).collect();
        for start in unreached {
            let (passed, state) = self.trace_up(start);
            self.set_states(passed.into_iter().map(|gfid| (gfid, state)).collect());
        }
    }

    /// Follows the handles up from an unreached directory: which directories it passes, and the
    /// state they share.
    fn trace_up(&self, start: Gfid) -> (Vec<Gfid>, DirState) {
        let (mut passed, mut seen) = (Vec::new(), HashSet::new());
        let mut next = start;
        while self.state(next) == DirState::Unknown {
            if !seen.insert(next) {
                return (passed, DirState::Cycle);
            }
            passed.push(next);
            match self.claim(next) {
                Some(claim) => next = claim.parent,
                None => return (passed, DirState::Orphan(next)),
            }
        }
        let state = match self.state(next) {
            // Settled by an earlier trace; what is below a ring or an orphan shares its state.
            settled @ (DirState::Cycle | DirState::Orphan(_) | DirState::Unreadable(_)) => settled,
            _ => DirState::Orphan(next),
        };
        (passed, state)
    }

    /// The state of a directory.
    pub(super) fn state(&self, gfid: Gfid) -> DirState {
        self.nodes.get(&gfid).map_or(DirState::Unknown, |node| node.state)
    }

    /// The directories that no walk has looked for yet.
    pub(super) fn unproven(&self) -> impl Iterator<Item = Gfid> {
        let unproven =
            |(_, node): &(_, &Node)| node.state == DirState::Unknown && node.claim.is_some();
        self.nodes.iter().filter(unproven).map(|(gfid, _)| *gfid)
    }

    /// The place that a directory's handle claims.
    pub(super) fn claim(&self, gfid: Gfid) -> Option<&Claim> {
        self.nodes.get(&gfid)?.claim.as_ref()
    }

    /// From a proven directory, itself first, up to the root.
    pub(super) fn ancestors_of(&self, gfid: Gfid) -> Arc<[Ancestor]> {
        self.route(gfid).map_or_else(Arc::default, |route| Arc::clone(&route.ancestors))
    }

    /// The path of a name in a proven directory.
    pub(super) fn path(&self, claim: &Claim) -> Name {
        match self.route(claim.parent) {
            Some(route) if !route.path.is_empty() => {
                Name::from([&*route.path, b"/", &claim.name].concat())
            }
            _ => Name::from(&claim.name),
        }
    }

    /// A directory's route to the root, built on first use: many answers share it.
    fn route(&self, gfid: Gfid) -> Option<&Route> {
        let node = self.nodes.get(&gfid)?;
        Some(node.route.get_or_init(|| {
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
            Route { path: names.join(&b'/').into(), ancestors: ancestors.into() }
        }))
    }
}

fn read_node(brick: &BrickRoot, gfid: Gfid) -> Node {
    let (claim, state) = match read_handle(brick, gfid) {
        Ok(text) => match Claim::of_handle(&text) {
            Some(claim) => (Some(claim), DirState::Unknown),
            None => (None, DirState::NotDirectory),
        },
        Err(Errno::INVAL) => (None, DirState::NotDirectory),
        Err(Errno::NOENT) => (None, DirState::NoHandle),
        Err(error) => (None, DirState::Unreadable(error)),
    };
    Node::new(claim, state)
}
