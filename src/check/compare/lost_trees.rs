//! Lost trees: what is missing on one side, told once at its top.

use std::collections::{HashMap, HashSet};

use crate::domain::Gfid;

/// What becomes of a missing object in the report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Listing {
    /// It is told by itself; so many stand below it.
    Top(u64),
    /// It stands below one that is told.
    Below,
}

/// Everything that is missing on one side.
///
/// Of directories the parent is kept, of all else only the number below each directory.
#[derive(Debug, Default)]
pub struct LostTrees {
    parents: HashMap<Gfid, Gfid>,
    below: HashMap<Gfid, u64>,
}

impl LostTrees {
    /// From the missing directories with their parents, and the parents of other missing objects
    /// all of whose names stand in one directory.
    #[must_use]
    pub fn of(directories: HashMap<Gfid, Gfid>, others: impl Iterator<Item = Gfid>) -> Self {
        let mut trees = Self { parents: directories, below: HashMap::new() };
        let mut children: HashMap<Gfid, u64> = HashMap::new();
        for parent in others {
            *children.entry(parent).or_default() += 1;
        }
        for (directory, parent) in &trees.parents {
            if trees.parents.contains_key(parent) && directory != parent {
                *children.entry(*parent).or_default() += 1;
            }
        }
        for (parent, count) in children {
            if let Some(top) = trees.top_above(parent) {
                *trees.below.entry(top).or_default() += count;
            }
        }
        trees
    }

    /// What becomes of a directory that is missing.
    #[must_use]
    pub fn directory(&self, gfid: Gfid) -> Listing {
        match self.top_above(gfid) {
            Some(top) if top != gfid => Listing::Below,
            _ => Listing::Top(self.below.get(&gfid).copied().unwrap_or_default()),
        }
    }

    /// What becomes of anything else that is missing, by its only parent.
    #[must_use]
    pub fn other(&self, parent: Gfid) -> Listing {
        if self.parents.contains_key(&parent) { Listing::Below } else { Listing::Top(0) }
    }

    /// The topmost missing directory from here up, itself included; nothing where this one is
    /// not missing. A ring is cut at its lowest gfid.
    fn top_above(&self, gfid: Gfid) -> Option<Gfid> {
        let mut at = gfid;
        let mut next = *self.parents.get(&at)?;
        let mut seen = HashSet::new();
        while let Some(parent) = self.parents.get(&next) {
            if !seen.insert(next) {
                return seen.into_iter().min();
            }
            (at, next) = (next, *parent);
        }
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn g(n: u8) -> Gfid {
        Gfid::from_bytes([n; 16])
    }

    #[test]
    fn a_lost_tree_is_told_at_its_top() {
        // 9 is there; 1 is missing in it, 2 in 1, 3 in 2; four files in 3, one in 9.
        let directories = HashMap::from([(g(1), g(9)), (g(2), g(1)), (g(3), g(2))]);
        let trees = LostTrees::of(directories, [g(3), g(3), g(3), g(3), g(9)].into_iter());
        assert_eq!(trees.directory(g(1)), Listing::Top(6));
        assert_eq!(
            (trees.directory(g(2)), trees.directory(g(3))),
            (Listing::Below, Listing::Below)
        );
        assert_eq!((trees.other(g(3)), trees.other(g(9))), (Listing::Below, Listing::Top(0)));
    }

    #[test]
    fn a_ring_has_a_top_too() {
        let directories = HashMap::from([(g(1), g(2)), (g(2), g(1))]);
        let trees = LostTrees::of(directories, std::iter::empty());
        let tops = [1, 2].map(|n| trees.directory(g(n)) != Listing::Below);
        assert!(tops.contains(&true));
    }
}
