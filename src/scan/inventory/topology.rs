//! Which bricks hold copies of each other, found from the bricks themselves.

use std::collections::BTreeMap;

use rustix::fs::fgetxattr;

use super::item::{Item, ItemKind, Share};
use crate::domain::Gfid;
use crate::scan::brick::BrickRoot;

/// How the bricks of a volume belong together.
///
/// Bricks whose roots carry the same range of DHT's hashes (`trusted.glusterfs.dht`) hold copies
/// of each other, or fragments; other ranges hold other files. Where no brick has a range there is
/// one set only.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Topology {
    /// The bricks of each subvolume of DHT, as indices.
    pub(super) sets: Vec<Vec<usize>>,
    /// Arbiters: names and metadata, no data.
    pub(super) arbiters: Vec<usize>,
    /// Ranges of hashes that no given brick has.
    pub(super) gaps: Vec<(u32, u32)>,
}

impl Topology {
    /// From the ranges of the bricks' roots. A brick without one may hold what a gap leaves out.
    pub(super) fn of_ranges(ranges: impl Iterator<Item = Option<(u32, u32)>>) -> Self {
        let mut by_range: BTreeMap<(u32, u32), Vec<usize>> = BTreeMap::new();
        let mut alone = Vec::new();
        for (index, range) in ranges.enumerate() {
            match range {
                Some(range) => by_range.entry(range).or_default().push(index),
                None => alone.push(vec![index]),
            }
        }
        if by_range.is_empty() {
            // A volume of one set has no ranges: DHT has nothing to choose from (seen on 10.3).
            alone = vec![alone.concat()];
        }
        let gaps = if alone.is_empty() { gaps(by_range.keys().copied()) } else { Vec::new() };
        let sets = by_range.into_values().chain(alone).collect();
        Self { sets, arbiters: Vec::new(), gaps }
    }

    /// Sets of three, one of which may be an arbiter.
    pub(super) fn may_have_arbiter(&self) -> bool {
        self.sets.iter().any(|set| set.len() == 3)
    }

    /// Recognises arbiters by some files of every brick, each sample sorted by gfid.
    pub(super) fn find_arbiters(&mut self, samples: &[Vec<Item>]) {
        for set in self.sets.iter().filter(|set| set.len() == 3) {
            let sample = |brick: usize| samples.get(brick).map_or(&[][..], Vec::as_slice);
            let is_arbiter = |brick: usize| {
                let others = set.iter().filter(|other| **other != brick);
                is_arbiter(sample(brick), &others.map(|other| sample(*other)).collect::<Vec<_>>())
            };
            self.arbiters.extend(set.iter().copied().filter(|brick| is_arbiter(*brick)));
        }
    }
}

/// Whether a brick has files, all of them empty, and at least one is not empty on the others.
fn is_arbiter(own: &[Item], others: &[&[Item]]) -> bool {
    let has_data = |sample: &[Item], gfid: Gfid| {
        let at = sample.binary_search_by_key(&gfid, |item| item.gfid);
        at.ok().and_then(|at| sample.get(at)).is_some_and(|copy| copy.size > 0)
    };
    let is_full = |gfid: Gfid| others.iter().all(|sample| has_data(sample, gfid));
    let is_whole = |item: &&Item| item.kind == ItemKind::File && item.share == Share::Whole;
    let files = || own.iter().filter(is_whole);
    files().all(|item| item.size == 0) && files().any(|item| is_full(item.gfid))
}

/// The range of hashes of a brick's root: commit hash, type, first and last, each a big-endian
/// u32 (`dht-layout.c`); `None` for a brick without any.
pub(super) fn hash_range(brick: &BrickRoot) -> Option<(u32, u32)> {
    let mut value = [0; 16];
    fgetxattr(brick.root(), "trusted.glusterfs.dht", &mut value).ok().filter(|&n| n == 16)?;
    let first = u32::from_be_bytes(*value.get(8..)?.first_chunk()?);
    let last = u32::from_be_bytes(*value.get(12..)?.first_chunk()?);
    (first < last).then_some((first, last))
}

/// What the ranges, in order, leave out; empty if none is known.
fn gaps(ranges: impl Iterator<Item = (u32, u32)>) -> Vec<(u32, u32)> {
    let mut gaps = Vec::new();
    let mut next = Some(0_u32);
    let mut any = false;
    for (first, last) in ranges {
        any = true;
        if let Some(want) = next.filter(|want| first > *want) {
            gaps.push((want, first - 1));
        }
        next = next.and_then(|next| last.checked_add(1).map(|after| after.max(next)));
    }
    if let Some(want) = next.filter(|_| any) {
        gaps.push((want, u32::MAX));
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_have_the_same_range_and_gaps_are_found() {
        let ranges = [Some((0, 9)), Some((10, u32::MAX)), Some((0, 9)), None];
        let topology = Topology::of_ranges(ranges.into_iter());
        assert_eq!(topology.sets, [vec![0, 2], vec![1], vec![3]]);
        assert!(topology.gaps.is_empty());
        let part = Topology::of_ranges([Some((10, 19)), Some((30, 39))].into_iter());
        assert_eq!(part.gaps, [(0, 9), (20, 29), (40, u32::MAX)]);
        let one = Topology::of_ranges([None, None].into_iter());
        assert_eq!((one.sets, one.gaps), (vec![vec![0, 1]], vec![]));
    }
}
