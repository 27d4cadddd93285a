//! Proves what handles and xattrs claim, by walking down from the root of the brick.

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;

use super::ancestry::Ancestry;
use super::candidate::{Candidate, SAMPLE};
use super::descent::{Descent, Wanted};
use super::parallel::in_parallel;
use crate::domain::Gfid;
use crate::scan::brick::{BrickRoot, DirFd};

/// In a batch of more objects than this, only some objects' gfid2path xattrs are read at first.
const MANY: usize = 1024;

/// Proves the names of a batch's objects, and the directories of the batch.
///
/// In a large batch, every [`SAMPLE`]th object's xattrs lead to directories that are then listed.
/// Listing one finds the names of most other objects in it for less than reading their xattrs
/// costs; only the objects left over have theirs read, for a second walk.
pub(super) fn prove(brick: &BrickRoot, ancestry: &mut Ancestry, candidates: &mut [Candidate<'_>]) {
    let sample = if candidates.len() > MANY { SAMPLE } else { 1 };
    candidates.par_iter_mut().step_by(sample).for_each(|it| it.read_claims(brick));
    walk_down(brick, ancestry, candidates, sample > 1);
    if sample > 1 {
        candidates.par_iter_mut().enumerate().for_each(|(index, it)| {
            it.settled = index.is_multiple_of(sample) || it.has_met_all_names();
            if !it.settled {
                it.read_claims(brick);
            }
        });
        walk_down(brick, ancestry, candidates, false);
    }
}

/// Walks down from the root through the directories that matter, each opened once; proves
/// directories by their gfid and names of objects by their inode.
///
/// The outcome for directories is in [`Ancestry::state`]. With `sweep`, directories are also
/// listed for names of any candidate.
fn walk_down(
    brick: &BrickRoot,
    ancestry: &mut Ancestry,
    candidates: &mut [Candidate<'_>],
    sweep: bool,
) {
    let open = candidates.iter().filter(|it| !it.settled);
    ancestry.read_up(brick, open.flat_map(Candidate::parents).collect::<HashSet<_>>());
    let wanted = Wanted::by_directory(ancestry, candidates);
    let inodes = if wanted.values().any(|wanted| wanted.entries_to_list(sweep) > 0) {
        (0..).zip(&*candidates).map(|(index, it)| (it.object.inode, index)).collect()
    } else {
        HashMap::new()
    };
    let mut level = vec![(Gfid::ROOT, DirFd::root(brick.root()))];
    while !level.is_empty() {
        let descent =
            Descent { brick, ancestry, candidates, wanted: &wanted, inodes: &inodes, sweep };
        let visits = in_parallel(&level, |(gfid, dir)| descent.visit(*gfid, dir));
        level.clear();
        for visit in visits {
            level.extend(visit.below);
            ancestry.set_states(visit.states);
            for (index, claim, stale) in visit.claims {
                if let Some(it) = candidates.get_mut(index) {
                    it.set_stale(claim, stale);
                }
            }
            for (index, claim) in visit.found {
                if let Some(it) = candidates.get_mut(index) {
                    it.found.push(claim);
                }
            }
        }
    }
    ancestry.settle_unreached();
}
