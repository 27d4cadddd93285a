//! One directory on the way down: opened once, for everything a batch wants in it.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

use rustix::fs::{AtFlags, fstat, statat};
use rustix::io::Errno;

use super::ancestry::{Ancestry, DirState};
use super::answer::Stale;
use super::candidate::{Candidate, SAMPLE};
use super::handle::{Claim, Object};
use crate::domain::Gfid;
use crate::scan::brick::{BrickRoot, DirFd, gfid_of, read_entries_until};

/// Reading this many entries of a directory costs as much as reading one object's xattrs.
const ENTRIES_PER_XATTR_READ: usize = 32;

/// What a batch wants in one directory.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    directories: Vec<Gfid>,
    /// Claims, as index of the candidate and of its claim.
    claims: Vec<(usize, usize)>,
    /// Whether the `trusted.pgfid.*` of some object names this directory.
    parent: bool,
}

/// What was seen in one directory.
#[derive(Debug, Default)]
pub(super) struct Visit {
    pub(super) states: Vec<(Gfid, DirState)>,
    /// Proven directories to visit next.
    pub(super) below: Vec<(Gfid, DirFd)>,
    /// Candidate, claim, and what is wrong with it.
    pub(super) claims: Vec<(usize, usize, Option<Stale>)>,
    /// Candidates and names found by listing the directory.
    pub(super) found: Vec<(usize, Claim)>,
}

/// The walk down from the root.
#[derive(Clone, Copy, Debug)]
pub(super) struct Descent<'a> {
    pub(super) brick: &'a BrickRoot,
    pub(super) ancestry: &'a Ancestry,
    pub(super) candidates: &'a [Candidate<'a>],
    pub(super) wanted: &'a HashMap<Gfid, Wanted>,
    /// Candidates by the inodes of their objects; empty if no directory is to be listed.
    pub(super) inodes: &'a HashMap<u64, usize>,
    pub(super) sweep: bool,
}

impl Wanted {
    /// What a batch wants, by directory: directories not yet proven, claimed names, and the
    /// directories on the way to them.
    pub(super) fn by_directory(
        ancestry: &Ancestry,
        candidates: &[Candidate<'_>],
    ) -> HashMap<Gfid, Self> {
        let mut wanted: HashMap<Gfid, Self> = HashMap::new();
        for (index, it) in candidates.iter().enumerate().filter(|(_, it)| !it.settled) {
            for (number, (claim, _)) in it.claims.iter().enumerate() {
                wanted.entry(claim.parent).or_default().claims.push((index, number));
            }
            for parent in &it.object.parents {
                wanted.entry(*parent).or_default().parent = true;
            }
        }
        let mut below: Vec<Gfid> = wanted.keys().copied().chain(ancestry.unproven()).collect();
        let mut known = HashSet::new();
        while let Some(gfid) = below.pop() {
            if let (true, Some(claim)) = (known.insert(gfid), ancestry.claim(gfid)) {
                wanted.entry(claim.parent).or_default().directories.push(gfid);
                below.push(claim.parent);
            }
        }
        wanted
    }

    /// How many entries of the directory to read at most, to save looking up names one by one.
    pub(super) fn entries_to_list(&self, sweep: bool) -> usize {
        if self.parent {
            // `trusted.pgfid.*` names the directory but not the name: only a full list finds it.
            usize::MAX
        } else if sweep {
            // Each claim stands for SAMPLE objects whose xattrs are not read if the list is.
            self.claims.len() * SAMPLE * ENTRIES_PER_XATTR_READ
        } else {
            0
        }
    }
}

impl Descent<'_> {
    /// Looks up everything wanted in one directory.
    pub(super) fn visit(&self, gfid: Gfid, dir: &DirFd) -> Visit {
        let mut visit = Visit::default();
        let Some(here) = self.wanted.get(&gfid) else { return visit };
        let own = match dir.open(true) {
            Ok(own) => Arc::new(own),
            Err(error) => {
                let (state, stale) = states_if_not_opened(error);
                visit.states.extend(here.directories.iter().map(|gfid| (*gfid, state)));
                visit.claims.extend(here.claims.iter().map(|(o, c)| (*o, *c, Some(stale))));
                return visit;
            }
        };
        self.visit_directories(here, dir, &own, &mut visit);
        let most = here.entries_to_list(self.sweep);
        if most > 0 {
            visit.found = self.list_names(gfid, most, &own);
        }
        let met = visit.found.iter().map(|(index, claim)| (*index, &*claim.name));
        let met: HashSet<(usize, &[u8])> = met.collect();
        for &(index, number) in &here.claims {
            let Some(it) = self.candidates.get(index) else { continue };
            let Some((claim, _)) = it.claims.get(number) else { continue };
            let is_met = met.contains(&(index, &*claim.name));
            let stale = if is_met { None } else { self.check_name(it.object, &own, &claim.name) };
            visit.claims.push((index, number, stale));
        }
        visit
    }

    fn visit_directories(&self, here: &Wanted, dir: &DirFd, own: &Arc<OwnedFd>, visit: &mut Visit) {
        for &gfid in &here.directories {
            let Some(claim) = self.ancestry.claim(gfid) else { continue };
            let state = match self.ancestry.state(gfid) {
                DirState::Proven => DirState::Proven,
                _ => state_of(gfid, gfid_of(own.as_fd(), &claim.name)),
            };
            if state == DirState::Proven && self.wanted.contains_key(&gfid) {
                visit.below.push((gfid, dir.child(&claim.name, own)));
            }
            visit.states.push((gfid, state));
        }
    }

    /// What is wrong with a name of an object; `None` if the name leads to it.
    fn check_name(&self, object: &Object, dir: &OwnedFd, name: &[u8]) -> Option<Stale> {
        match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(at) if at.st_ino == object.inode && at.st_dev == self.brick.device() => None,
            Ok(_) => Some(Stale::OtherObject),
            Err(Errno::NOENT | Errno::NAMETOOLONG) => Some(Stale::NoSuchName),
            Err(_) => Some(Stale::Unreadable),
        }
    }

    /// Lists up to `most` entries of a directory for names of the candidates. If that fails, the
    /// names stay unfound: their xattrs are read, or the namespace is scanned.
    fn list_names(&self, parent: Gfid, most: usize, own: &OwnedFd) -> Vec<(usize, Claim)> {
        let mut found = Vec::new();
        // Another btrfs subvolume uses the same inode numbers for other objects.
        if fstat(own).is_ok_and(|stat| stat.st_dev == self.brick.device()) {
            let mut left = most;
            let _ = read_entries_until(own.as_fd(), &mut Vec::new(), |name, inode, _| {
                if let Some(&index) = self.inodes.get(&inode) {
                    found.push((index, Claim { parent, name: name.into() }));
                }
                left = left.saturating_sub(1);
                if left > 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
        }
        found
    }
}

/// The state of everything below a directory that could not be opened.
fn states_if_not_opened(error: Errno) -> (DirState, Stale) {
    match error {
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP => (DirState::Dangling, Stale::LostParent),
        error => (DirState::Unreadable(error), Stale::Unreadable),
    }
}

/// The state of a directory by the gfid found at its claimed place.
fn state_of(gfid: Gfid, read: Result<Option<Gfid>, Errno>) -> DirState {
    match read {
        Ok(Some(own)) if own == gfid => DirState::Proven,
        Ok(other) => DirState::Foreign(other),
        Err(Errno::NOENT | Errno::NOTDIR) => DirState::Dangling,
        Err(error) => DirState::Unreadable(error),
    }
}
