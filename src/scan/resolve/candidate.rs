//! One object of a batch, and the state of each name that is claimed for it.

use rustix::io::Errno;

use super::answer::Stale;
use super::handle::{Claim, Object, read_claims};
use crate::domain::Gfid;
use crate::scan::brick::BrickRoot;

/// In a large batch, every so many objects have their xattrs read at first.
pub(super) const SAMPLE: usize = 5;

/// An object of a batch.
#[derive(Debug)]
pub(super) struct Candidate<'a> {
    gfid: Gfid,
    pub(super) object: &'a Object,
    /// Names recorded in its xattrs, as far as these were read, and what is wrong with each.
    pub(super) claims: Vec<(Claim, Option<Stale>)>,
    /// Names found by listing directories.
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

    /// Records what is wrong with a claim; `None` for a name that was proven.
    pub(super) fn set_stale(&mut self, claim: usize, stale: Option<Stale>) {
        if let Some((_, slot)) = self.claims.get_mut(claim) {
            *slot = stale;
        }
    }

    /// The directories in which to look for its names.
    pub(super) fn parents(&self) -> impl Iterator<Item = Gfid> {
        let claimed = self.claims.iter().map(|(claim, _)| claim.parent);
        claimed.chain(self.object.parents.iter().copied())
    }

    /// Reads the names recorded in its gfid2path xattrs.
    pub(super) fn read_claims(&mut self, brick: &BrickRoot) {
        match read_claims(brick, self.gfid, self.object) {
            // Stale until a walk from the root reaches the directory and proves otherwise.
            Ok(claims) => {
                self.claims.extend(claims.into_iter().map(|c| (c, Some(Stale::LostParent))));
            }
            Err(error) => self.error = Some(error),
        }
    }

    /// Whether every name recorded in its xattrs was found already: then they need not be read.
    pub(super) fn has_met_all_names(&self) -> bool {
        let found: Vec<_> = self.found.iter().map(|claim| Some(claim.hash())).collect();
        self.object.hashes.iter().all(|hash| hash.is_some() && found.contains(hash))
    }
}
