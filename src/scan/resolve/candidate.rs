//! One object of a batch, and what became of the names that are claimed for it.

use std::collections::HashSet;

use rayon::prelude::*;
use rustix::io::Errno;

use super::ancestry::Ancestry;
use super::answer::Stale;
use super::handle::{Claim, Object, read_claims};
use crate::domain::Gfid;
use crate::scan::brick::BrickRoot;

/// In a batch of more objects than this, only some objects' gfid2path xattrs are read at first.
const MANY: usize = 1024;

/// Of many objects, every so many's xattrs are read; its directory is then listed, which tells
/// the names of most of the others for less than their xattrs cost.
pub(super) const SAMPLE: usize = 5;

/// An object of a batch.
#[derive(Debug)]
pub(super) struct Candidate<'a> {
    gfid: Gfid,
    pub(super) object: &'a Object,
    /// Names that its xattrs record, as far as they were read, and what is wrong with each.
    pub(super) claims: Vec<(Claim, Option<Stale>)>,
    /// Names that were met in directories.
    pub(super) found: Vec<Claim>,
    /// Why its xattrs could not be read.
    pub(super) error: Option<Errno>,
    /// Whether it needs no further walk.
    pub(super) settled: bool,
}

impl<'a> Candidate<'a> {
    pub(super) fn new(gfid: Gfid, object: &'a Object) -> Self {
        Self { gfid, object, claims: Vec::new(), found: Vec::new(), error: None, settled: false }
    }

    /// Notes what is wrong with a claim, if anything is.
    pub(super) fn judge(&mut self, claim: usize, stale: Option<Stale>) {
        if let Some((_, slot)) = self.claims.get_mut(claim) {
            *slot = stale;
        }
    }

    /// The directories in which its names are to be looked for.
    pub(super) fn folders(&self) -> impl Iterator<Item = Gfid> {
        let claimed = self.claims.iter().map(|(claim, _)| claim.parent);
        claimed.chain(self.object.parents.iter().copied())
    }

    fn read(&mut self, brick: &BrickRoot) {
        match read_claims(brick, self.gfid, self.object) {
            // Until its directory was reached, nothing leads to a name.
            Ok(claims) => {
                self.claims.extend(claims.into_iter().map(|c| (c, Some(Stale::LostParent))));
            }
            Err(error) => self.error = Some(error),
        }
    }

    /// Whether every name that its xattrs record was met: then they need not be read.
    fn is_told(&self) -> bool {
        let found: Vec<_> = self.found.iter().map(|claim| Some(claim.hash())).collect();
        self.object.hashes.iter().all(|hash| hash.is_some() && found.contains(hash))
    }
}

/// Proves the names of a batch's objects, and the directories of the batch.
pub(super) fn prove(brick: &BrickRoot, tree: &mut Ancestry, cases: &mut [Candidate<'_>]) {
    let sample = if cases.len() > MANY { SAMPLE } else { 1 };
    cases.par_iter_mut().step_by(sample).for_each(|case| case.read(brick));
    walk(brick, tree, cases, sample > 1);
    if sample > 1 {
        cases.par_iter_mut().enumerate().for_each(|(index, case)| {
            case.settled = index.is_multiple_of(sample) || case.is_told();
            if !case.settled {
                case.read(brick);
            }
        });
        walk(brick, tree, cases, false);
    }
}

fn walk(brick: &BrickRoot, tree: &mut Ancestry, cases: &mut [Candidate<'_>], sweep: bool) {
    let open = cases.iter().filter(|case| !case.settled);
    tree.learn(brick, open.flat_map(Candidate::folders).collect::<HashSet<_>>());
    tree.prove(brick, cases, sweep);
}
