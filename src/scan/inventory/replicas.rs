//! The copies of an object on all bricks of its volume, put together as a client sees it.

use super::item::{Item, ItemKind, Share};
use super::topology::Topology;
use crate::domain::Gfid;

/// An object of a volume.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Object {
    /// Its gfid.
    pub gfid: Gfid,
    /// Its copies, those that are the same only once; at least one.
    pub copies: Vec<Item>,
    /// Where its copies do not agree.
    pub disagreement: Option<Disagreement>,
}

/// How the copies of an object disagree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Disagreement {
    /// In what.
    pub what: &'static str,
    /// The bricks that differ from the first copy, or that have none, by their numbers.
    pub bricks: Vec<usize>,
}

impl Object {
    /// The copy to speak of.
    #[must_use]
    pub fn item(&self) -> Option<&Item> {
        self.copies.first()
    }
}

/// Puts the copies of one object together; nothing where only pointers are left.
///
/// `copies` name their bricks; all have the same gfid.
pub(super) fn collapse(topology: &Topology, mut copies: Vec<(usize, Item)>) -> Option<Object> {
    copies.retain(|(_, item)| item.share != Share::Pointer);
    let is_arbiter = |brick: usize| topology.arbiters.contains(&brick);
    // Copies with data first, then the one that changed last; whoever has only names comes last.
    copies.sort_by_key(|(brick, item)| {
        (is_arbiter(*brick), std::cmp::Reverse((item.mtime, item.ctime)), *brick)
    });
    let (first, best) = copies.first().cloned()?;
    let mut disagreement = None;
    for (brick, item) in copies.iter().skip(1) {
        let data = !is_arbiter(*brick) && !is_arbiter(first);
        if let Some(what) = differs(&best, item, data) {
            note(&mut disagreement, what, *brick);
        }
    }
    let held: Vec<usize> = copies.iter().map(|(brick, _)| *brick).collect();
    for brick in lacking(topology, best.kind, &held) {
        note(&mut disagreement, "existence", brick);
    }
    if is_arbiter(first) && best.kind == ItemKind::File {
        note(&mut disagreement, "content (only the arbiter is left)", first);
    }
    let mut distinct: Vec<Item> = Vec::with_capacity(1);
    for (brick, mut item) in copies {
        if is_arbiter(brick) && !is_arbiter(first) {
            (item.size, item.mtime, item.content) = (best.size, best.mtime, best.content);
            item.sharded = best.sharded;
        }
        if distinct.iter().all(|known| !is_same(known, &item)) {
            distinct.push(item);
        }
    }
    Some(Object { gfid: best.gfid, copies: distinct, disagreement })
}

fn note(disagreement: &mut Option<Disagreement>, what: &'static str, brick: usize) {
    let found = disagreement.get_or_insert(Disagreement { what, bricks: Vec::new() });
    if found.what == what {
        found.bricks.push(brick);
    }
}

/// The bricks that should have a copy and have none.
fn lacking(topology: &Topology, kind: ItemKind, held: &[usize]) -> Vec<usize> {
    let sets = topology.sets.iter();
    // A directory is on every brick, anything else on those of one set.
    let mut sets: Vec<&[usize]> = sets.map(Vec::as_slice).collect();
    if kind != ItemKind::Directory {
        sets.retain(|set| set.iter().any(|brick| held.contains(brick)));
    }
    sets.concat().into_iter().filter(|brick| !held.contains(brick)).collect()
}

/// In what two copies differ. Times are not compared: before release 5 each brick has its own.
fn differs(one: &Item, other: &Item, data: bool) -> Option<&'static str> {
    if one.kind != other.kind {
        return Some("type");
    }
    if one.is_named() && other.is_named() && one.names != other.names {
        return Some("names");
    }
    if one.target != other.target {
        return Some("target");
    }
    if data && one.kind == ItemKind::File {
        if (one.size, one.sharded) != (other.size, other.sharded) {
            return Some("size");
        }
        if one.content != other.content {
            return Some("content");
        }
    }
    let metadata = |item: &Item| (item.mode, item.owner, item.xattrs);
    let unequal = one.kind != ItemKind::Symlink && metadata(one) != metadata(other);
    unequal.then_some("mode, owner, ACL or user xattrs")
}

/// Whether comparing with either says the same.
fn is_same(one: &Item, other: &Item) -> bool {
    one.mtime == other.mtime
        && (one.mode, one.owner, one.xattrs) == (other.mode, other.owner, other.xattrs)
        && one.names == other.names
        && differs(one, other, true).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::inventory::item::Stamp;

    fn file(size: u64) -> Item {
        Item {
            gfid: Gfid::from_bytes([9; 16]),
            kind: ItemKind::File,
            share: Share::Whole,
            mode: 0o644,
            owner: (0, 0),
            size,
            sharded: None,
            mtime: Stamp::default(),
            ctime: Stamp::default(),
            device: 0,
            links: 1,
            names: vec![1],
            places: Vec::new(),
            target: None,
            xattrs: 0,
            content: None,
        }
    }

    fn topology(sets: &[&[usize]], arbiters: &[usize]) -> Topology {
        Topology {
            sets: sets.iter().map(|set| set.to_vec()).collect(),
            arbiters: arbiters.to_vec(),
            gaps: Vec::new(),
        }
    }

    #[test]
    fn equal_copies_are_one() {
        let object =
            collapse(&topology(&[&[0, 1]], &[]), vec![(0, file(3)), (1, file(3))]).unwrap();
        assert_eq!((object.copies.len(), object.disagreement), (1, None));
    }

    #[test]
    fn an_arbiter_has_no_size_and_a_missing_copy_is_told() {
        let volume = topology(&[&[0, 1, 2]], &[2]);
        let all = vec![(2, file(0)), (0, file(3)), (1, file(3))];
        let object = collapse(&volume, all).unwrap();
        assert_eq!((object.copies.len(), object.copies[0].size), (1, 3));
        assert_eq!(object.disagreement, None);
        let object = collapse(&volume, vec![(0, file(3)), (2, file(0))]).unwrap();
        assert_eq!(object.disagreement.unwrap().bricks, [1]);
        let object = collapse(&volume, vec![(2, file(0))]).unwrap();
        assert!(object.disagreement.is_some());
    }

    #[test]
    fn pointers_are_no_files_and_other_sets_lack_nothing() {
        let volume = topology(&[&[0], &[1]], &[]);
        let pointer = Item { share: Share::Pointer, mode: 0o1000, ..file(0) };
        let object = collapse(&volume, vec![(0, pointer.clone()), (1, file(3))]).unwrap();
        assert_eq!((object.copies[0].size, object.disagreement), (3, None));
        assert_eq!(collapse(&volume, vec![(0, pointer)]), None);
        let directory = Item { kind: ItemKind::Directory, ..file(0) };
        let object = collapse(&volume, vec![(1, directory)]).unwrap();
        assert_eq!(object.disagreement.unwrap().bricks, [0]);
    }

    #[test]
    fn copies_that_differ_are_all_kept() {
        let object =
            collapse(&topology(&[&[0, 1]], &[]), vec![(0, file(3)), (1, file(4))]).unwrap();
        assert_eq!((object.copies.len(), object.disagreement.unwrap().what), (2, "size"));
    }
}
